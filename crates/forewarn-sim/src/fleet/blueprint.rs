pub(crate) mod call;
pub(crate) mod layered;
pub(crate) mod order;
pub(crate) mod provision;
pub(crate) mod ready;
pub(crate) mod service;

use crate::SimError;
use crate::fleet::{PlannedCall, Service};
use forewarn_schema::printable;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most services of one graph.
pub const MAX_SERVICES: usize = 20_000;

/// The plan of a fleet: which services there are, with what capacity, and who calls whom. Checked: whatever holds one
/// can simulate it.
///
/// The graph that monitoring would draw of it is another thing: `ServiceGraph` of forewarn-topology.
///
/// Services are kept in order of name, calls in order of client and server, so that a graph does not depend on how it
/// was written down. Cycles are allowed as long as the calls that a request sets off come to an end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Blueprint {
    services: Vec<Service>,
    calls: Vec<PlannedCall>,
    /// Positions of client and server of each call.
    ends: Vec<(usize, usize)>,
    /// Positions of the services, clients before servers as far as there are no cycles.
    order: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    services: Vec<Service>,
    #[serde(default)]
    calls: Vec<PlannedCall>,
}

impl Blueprint {
    /// A graph of these services and calls.
    ///
    /// Cost: linear in services and calls, but for cycles.
    ///
    /// # Errors
    /// [`SimError::NoEntry`] where nothing comes from outside; [`SimError::InvalidField`] for a number that makes no
    /// sense; [`SimError::DuplicateService`], [`SimError::UnknownService`], [`SimError::SelfCall`],
    /// [`SimError::DuplicateCall`]; [`SimError::EndlessCalls`] for a cycle in which each request sets off another one
    /// or more; [`SimError::TooManyServices`].
    pub fn new(mut services: Vec<Service>, mut calls: Vec<PlannedCall>) -> Result<Self, SimError> {
        if services.len() > MAX_SERVICES {
            return Err(SimError::TooManyServices { services: services.len(), max: MAX_SERVICES });
        }
        services.sort_by(|a, b| a.name.cmp(&b.name));
        calls.sort_by(|a, b| (&a.client, &a.server).cmp(&(&b.client, &b.server)));
        if let Some(pair) = services.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(SimError::DuplicateService { name: pair[0].name.clone() });
        }
        for service in &services {
            if service.name.trim().is_empty() {
                return Err(forewarn_schema::SchemaError::EmptyServiceName.into());
            }
            service.check()?;
        }
        let positions: BTreeMap<&str, usize> =
            services.iter().enumerate().map(|(index, service)| (service.name.as_str(), index)).collect();
        let mut ends = Vec::with_capacity(calls.len());
        for call in &calls {
            let find = |name: &str| {
                positions.get(name).copied().ok_or_else(|| SimError::UnknownService {
                    place: call.place(),
                    name: name.to_owned(),
                    available: some_names(&services),
                })
            };
            let pair = (find(&call.client)?, find(&call.server)?);
            if pair.0 == pair.1 {
                return Err(SimError::SelfCall { name: call.client.clone() });
            }
            if ends.last() == Some(&pair) {
                return Err(SimError::DuplicateCall {
                    client: printable(&call.client),
                    server: printable(&call.server),
                });
            }
            call.check()?;
            ends.push(pair);
        }
        if !services.iter().any(|service| service.arrivals_per_second > 0.0) {
            return Err(SimError::NoEntry);
        }
        let gains: Vec<f64> = calls.iter().map(|call| call.probability * f64::from(call.fan_out)).collect();
        let order = order::clients_first(services.len(), &ends, &gains).map_err(|endless| {
            SimError::EndlessCalls {
                cycle: endless.cycle.iter().map(|&index| printable(&services[index].name)).collect(),
                calls: endless.gain,
            }
        })?;
        Ok(Self { services, calls, ends, order })
    }

    /// Services in order of name.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Calls in order of client and server.
    #[must_use]
    pub fn calls(&self) -> &[PlannedCall] {
        &self.calls
    }

    /// Positions in [`services`](Self::services) of the client and the server of each call.
    #[must_use]
    pub fn ends(&self) -> &[(usize, usize)] {
        &self.ends
    }

    /// Position of the service called `name`.
    ///
    /// # Errors
    /// [`SimError::UnknownService`].
    pub fn index_of(&self, name: &str) -> Result<usize, SimError> {
        self.services.binary_search_by(|service| service.name.as_str().cmp(name)).map_err(|_| {
            SimError::UnknownService {
                place: "blueprint".to_owned(),
                name: name.to_owned(),
                available: some_names(&self.services),
            }
        })
    }

    /// Positions of the services, clients before their servers as far as there are no cycles.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Whether anyone calls each service.
    pub(crate) fn called(&self) -> Vec<bool> {
        let called: BTreeSet<usize> = self.ends.iter().map(|&(_, server)| server).collect();
        (0..self.services.len()).map(|index| called.contains(&index)).collect()
    }
}

/// As many names as a message can hold.
fn some_names(services: &[Service]) -> Vec<String> {
    const MOST: usize = 12;
    let mut names: Vec<String> = services.iter().take(MOST).map(|service| printable(&service.name)).collect();
    if services.len() > MOST {
        names.push(format!("{} more", services.len() - MOST));
    }
    names
}

impl TryFrom<Parts> for Blueprint {
    type Error = SimError;

    fn try_from(parts: Parts) -> Result<Self, SimError> {
        Self::new(parts.services, parts.calls)
    }
}

impl From<Blueprint> for Parts {
    fn from(blueprint: Blueprint) -> Self {
        Self { services: blueprint.services, calls: blueprint.calls }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blueprint(names: &[&str], calls: &[(&str, &str, f64)]) -> Result<Blueprint, SimError> {
        let services = names.iter().enumerate().map(|(index, name)| {
            let arrivals_per_second = if index == 0 { 10.0 } else { 0.0 };
            Service { arrivals_per_second, ..Service::new(*name) }
        });
        let calls = calls.iter().map(|&(client, server, probability)| PlannedCall {
            probability,
            ..PlannedCall::new(client, server)
        });
        Blueprint::new(services.collect(), calls.collect())
    }

    fn refusal(names: &[&str], calls: &[(&str, &str, f64)]) -> String {
        blueprint(names, calls).unwrap_err().to_string()
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        assert_eq!(refusal(&["a", "b"], &[("a", "a", 1.0)]), "\"a\" calls itself");
        assert_eq!(refusal(&["a", "b"], &[("a", "b", 1.0), ("a", "b", 0.2)]), "call a -> b appears twice");
        assert_eq!(refusal(&["a", "a"], &[]), "service \"a\" appears twice");
        assert_eq!(
            refusal(&["a", "b"], &[("a", "b", 1.2)]),
            "call a -> b: probability is 1.2, expected a share in 0..=1"
        );
        assert_eq!(
            refusal(&["a", "b"], &[("a", "cart", 1.0)]),
            "call a -> cart: there is no service \"cart\", only a, b"
        );
        let cycle = refusal(
            &["a", "b", "c", "d"],
            &[("a", "b", 1.0), ("b", "c", 1.0), ("c", "b", 1.0), ("c", "d", 1.0)],
        );
        assert_eq!(cycle, "b -> c -> b: a request never ends, each sets off 1.000 more (below 1 is needed)");
        assert!(blueprint(&["a", "b"], &[("a", "b", f64::NAN)]).is_err());
        let memory = Service { memory_mb: 400.0, arrivals_per_second: 1.0, ..Service::new("a") };
        let error = Blueprint::new(vec![memory], vec![]).unwrap_err().to_string();
        assert_eq!(error, "service \"a\": memory_mb is 400, expected more than resident_mb + cache_mb");
        assert!(matches!(Blueprint::new(vec![Service::new("a")], vec![]), Err(SimError::NoEntry)));
    }

    #[test]
    fn cycles_that_end_are_allowed() {
        let blueprint =
            blueprint(&["a", "b", "c"], &[("a", "b", 1.0), ("b", "c", 1.0), ("c", "b", 0.3)]).unwrap();
        assert_eq!(blueprint.order()[0], 0);
        assert_eq!(blueprint.ends(), [(0, 1), (1, 2), (2, 1)]);
    }

    #[test]
    fn a_graph_does_not_depend_on_how_it_was_written_down() {
        let calls = [("a", "b", 1.0), ("a", "c", 0.5), ("b", "c", 1.0)];
        let one = blueprint(&["a", "b", "c"], &calls).unwrap();
        let text = toml::to_string(&one).unwrap();
        let mut parts: Parts = toml::from_str(&text).unwrap();
        parts.services.reverse();
        parts.calls.reverse();
        assert_eq!(Blueprint::try_from(parts).unwrap(), one);
        let order = one.order();
        for &(client, server) in one.ends() {
            let place = |service| order.iter().position(|&other| other == service);
            assert!(place(client) < place(server));
        }
    }
}
