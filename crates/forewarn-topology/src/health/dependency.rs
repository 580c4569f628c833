use crate::{
    ServiceGraph, TopologyError,
    error::{refuse_unless, same_length},
    graph::Components,
};
use serde::Serialize;

/// Health of each service together with that of all it calls.
///
/// With own health *h* (see [`HealthRules`](crate::HealthRules)) and the share *p* of each server among a client's
/// requests,
///
/// ```text
/// D(i) = h(i) * (1 - d + d * sum over servers j of p(i, j) * D(j))
/// ```
///
/// where *d*, the dependence, is the part of a service's work that its servers do: with half of it (the default) a
/// service whose servers are all down still has half of its health. A service without calls has its own health.
/// Because *d* is at most 0.95 there is exactly one solution on any graph, cycles included; services on a cycle are
/// iterated until nothing moves by more than 1e-12, all others are computed once.
///
/// The health of the system is what its users meet: the mean over [entry services](ServiceGraph::entries), weighted
/// by the requests that they make, or by one each if none makes any.
#[derive(Clone, Debug)]
pub struct DependencyHealth {
    graph: ServiceGraph,
    dependence: f64,
    unknown: f64,
    shares: Vec<f64>,
    components: Components,
    entries: Vec<(usize, f64)>,
}

impl DependencyHealth {
    /// Part of a service's work that its servers do, unless said otherwise.
    pub const DEPENDENCE: f64 = 0.5;

    /// With the usual dependence. Linear in services and calls.
    #[must_use]
    pub fn new(graph: &ServiceGraph) -> Self {
        let made = |client: usize| graph.servers_of(client).map(|(_, traffic)| traffic.requests).sum::<f64>();
        let mut entries: Vec<(usize, f64)> =
            graph.entries().into_iter().map(|entry| (entry, made(entry))).collect();
        if entries.iter().all(|(_, weight)| *weight == 0.0) {
            entries.iter_mut().for_each(|(_, weight)| *weight = 1.0);
        }
        Self {
            graph: graph.clone(),
            dependence: Self::DEPENDENCE,
            unknown: 1.0,
            shares: graph.shares(),
            components: graph.servers_first(),
            entries,
        }
    }

    /// With another dependence, 0 to 0.95: close to 1 the health of a cycle is hardly determined.
    #[must_use]
    pub fn with_dependence(self, dependence: f64) -> Self {
        Self { dependence, ..self }
    }

    /// What a service of unknown health counts as where something it depends on, or is depended on by, is known, 0 to
    /// 1: 1 unless said otherwise, so that a missing scrape is no outage.
    #[must_use]
    pub fn with_unknown_as(self, health: f64) -> Self {
        Self { unknown: health, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), TopologyError> {
        let (dependence, unknown) = (self.dependence, self.unknown);
        refuse_unless((0.0..=0.95).contains(&dependence), "dependence", dependence, "0 to 0.95")?;
        refuse_unless((0.0..=1.0).contains(&unknown), "health of unknown services", unknown, "0 to 1")
    }

    /// Health of every service with its servers, from the own health of every service (NaN where unknown).
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`] unless there is a health for each service, [`TopologyError::InvalidNumber`]
    /// for one outside 0..=1, and for a setting out of range.
    pub fn evaluate(&self, own: &[f64]) -> Result<SystemHealth, TopologyError> {
        self.check()?;
        same_length("healths", self.graph.len(), own.len())?;
        for (service, &health) in own.iter().enumerate() {
            let name = || format!("health of {}", self.graph.name(service).unwrap_or_default());
            refuse_unless(health.is_nan() || (0.0..=1.0).contains(&health), name(), health, "0 to 1")?;
        }
        let services = self.solve(own);
        let known = self.known(own);
        let weights: f64 = self.entries.iter().map(|(_, weight)| weight).sum();
        let system =
            self.entries.iter().map(|&(entry, weight)| weight * services[entry]).sum::<f64>() / weights;
        let is_known = self.entries.iter().any(|&(entry, _)| known[entry]);
        let services = services.into_iter().zip(known).map(|(health, known)| known.then_some(health));
        Ok(SystemHealth { services: services.collect(), system: is_known.then_some(system) })
    }

    /// Health of every service with its servers, unknown ones taken for what they count as. `own` has one health for
    /// each service.
    pub(crate) fn solve(&self, own: &[f64]) -> Vec<f64> {
        let own: Vec<f64> =
            own.iter().map(|&health| if health.is_nan() { self.unknown } else { health }).collect();
        let mut services = own.clone();
        for component in self.components.iter() {
            self.settle(component, &own, &mut services);
        }
        services
    }

    /// Of which services anything is known: their own health, or that of one they depend on.
    fn known(&self, own: &[f64]) -> Vec<bool> {
        let mut known: Vec<bool> = own.iter().map(|health| !health.is_nan()).collect();
        for component in self.components.iter() {
            let any = component.iter().any(|&client| {
                known[client] || self.graph.servers_of(client).any(|(server, _)| known[server])
            });
            component.iter().for_each(|&client| known[client] |= any);
        }
        known
    }

    /// Solves one component, whose servers outside are solved.
    fn settle(&self, component: &[usize], own: &[f64], services: &mut [f64]) {
        const SETTLED: f64 = 1e-12;
        loop {
            let mut moved: f64 = 0.0;
            for &client in component {
                let calls = self.graph.calls_by(client);
                if calls.is_empty() {
                    continue;
                }
                let servers: f64 =
                    calls.map(|call| self.shares[call] * services[self.graph.ends(call)[1]]).sum();
                let health = own[client] * (1.0 - self.dependence + self.dependence * servers);
                moved = moved.max((health - services[client]).abs());
                services[client] = health;
            }
            if component.len() == 1 || moved <= SETTLED {
                return;
            }
        }
    }
}

/// Health of services with their servers, and of the whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SystemHealth {
    /// Of each service, 0 to 1; `None` where nothing is known of it, nor of any service that it depends on.
    pub services: Vec<Option<f64>>,
    /// Of the system, 0 to 1; `None` where nothing is known of any entry service, nor of what they depend on.
    pub system: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, strategies};
    use proptest::prelude::*;

    #[test]
    fn trouble_is_passed_to_clients_by_the_share_of_their_calls() {
        let graph = ServiceGraph::new([
            Call::new("gateway", "auth").with_requests(300.0),
            Call::new("gateway", "user").with_requests(100.0),
            Call::new("user", "database"),
        ])
        .unwrap();
        // auth, database, gateway, user.
        let health = DependencyHealth::new(&graph).evaluate(&[1.0, 0.0, 1.0, f64::NAN]).unwrap();
        assert_eq!(health.services, [1.0, 0.0, 0.9375, 0.5].map(Some));
        assert_eq!(health.system, Some(0.9375));
        let nan = f64::NAN;
        let unknown = DependencyHealth::new(&graph).evaluate(&[nan; 4]).unwrap();
        assert_eq!(unknown, SystemHealth { services: vec![None; 4], system: None });
        // What is known of the database says something of user and gateway, and nothing of auth.
        let some = DependencyHealth::new(&graph).evaluate(&[nan, 0.0, nan, nan]).unwrap();
        assert_eq!((some.services[0], some.services[3]), (None, Some(0.5)));
        assert_eq!(some.system, some.services[2]);
        let alone = DependencyHealth::new(&graph).with_dependence(0.0).with_unknown_as(0.3);
        assert_eq!(alone.solve(&[1.0, 0.0, 1.0, f64::NAN]), [1.0, 0.0, 1.0, 0.3]);
        for wrong in [DependencyHealth::new(&graph).with_dependence(1.0), alone.with_unknown_as(f64::NAN)] {
            assert!(wrong.evaluate(&[1.0; 4]).is_err(), "{wrong:?}");
        }
        assert!(DependencyHealth::new(&graph).evaluate(&[1.0]).is_err());
        let error = DependencyHealth::new(&graph).evaluate(&[1.0, 1.0, 1.2, 1.0]).unwrap_err().to_string();
        assert_eq!(error, "health of gateway is 1.2: expected 0 to 1");
    }

    #[test]
    fn a_circle_has_the_solution_of_its_equations() {
        let graph = ServiceGraph::new([Call::new("a", "b"), Call::new("b", "a")]).unwrap();
        let health = DependencyHealth::new(&graph).evaluate(&[0.8, 0.6]).unwrap();
        // a = 0.8 (0.5 + 0.5 b), b = 0.6 (0.5 + 0.5 a).
        let a = 0.8 * (0.5 + 0.5 * 0.3) / (1.0 - 0.25 * 0.48);
        let services: Vec<f64> = health.services.into_iter().flatten().collect();
        assert!((services[0] - a).abs() < 1e-11);
        assert!((services[1] - 0.6 * (0.5 + 0.5 * a)).abs() < 1e-11);
        assert!((health.system.unwrap() - services.iter().sum::<f64>() / 2.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn the_equations_hold_and_better_health_never_hurts(
            graph in strategies::graph(8, 20),
            own in proptest::collection::vec(0.0f64..=1.0, 8),
            better in (0usize..8, 0.0f64..=1.0),
        ) {
            let own = &own[..graph.len()];
            let model = DependencyHealth::new(&graph).with_dependence(0.7);
            let before = model.evaluate(own).unwrap().services.into_iter().flatten().collect::<Vec<f64>>();
            for (client, &own) in own.iter().enumerate() {
                let total: f64 = graph.servers_of(client).map(|(_, traffic)| traffic.requests).sum();
                let servers: f64 = graph
                    .servers_of(client)
                    .map(|(server, traffic)| traffic.requests / total * before[server])
                    .sum();
                let expected = if graph.servers_of(client).len() == 0 { own } else { own * (0.3 + 0.7 * servers) };
                prop_assert!((before[client] - expected).abs() < 1e-9);
            }
            let mut improved = own.to_vec();
            let (service, to) = (better.0 % graph.len(), better.1);
            improved[service] = improved[service].max(to);
            let after = model.solve(&improved);
            prop_assert!(before.iter().zip(&after).all(|(a, b)| *b >= a - 1e-9));
        }
    }
}
