use crate::SimError;
use crate::fleet::{
    Blueprint, Need, PlannedCall, Service,
    provision::{fit_to_peak, provision},
    random::{Draws, Stream},
};

impl Blueprint {
    /// A random graph of `services` services in layers, as large systems have them: few entries, many services in the
    /// middle, fewer stores at the end. Each service beyond the first layer has a client in a layer before it; a
    /// service calls one to four of those after it.
    ///
    /// Where no fault strikes, its services do not fail at the usual load: they are at most 60 % busy at load 1, and
    /// workers, queues, deadlines and time-outs are made for 1.4 times as many users, the busiest minutes of a week. A
    /// time-out covers all calls below it. Calls behind a breaker go to servers that also have a client without one.
    ///
    /// The same seed gives the same graph. Cost: linear in services.
    ///
    /// # Errors
    /// [`SimError::InvalidField`] for fewer than 2 services, [`SimError::TooManyServices`].
    ///
    /// # Examples
    /// ```
    /// use forewarn_sim::fleet::Blueprint;
    ///
    /// let blueprint = Blueprint::layered(7, 300)?;
    /// assert_eq!(blueprint.services().len(), 300);
    /// assert_eq!(blueprint, Blueprint::layered(7, 300)?);
    /// # Ok::<(), forewarn_sim::SimError>(())
    /// ```
    pub fn layered(seed: u64, services: usize) -> Result<Self, SimError> {
        if services < 2 {
            return Err(SimError::InvalidField {
                place: "layered blueprint".to_owned(),
                field: "services",
                value: services.to_string(),
                expected: "at least 2",
            });
        }
        if services > crate::fleet::MAX_SERVICES {
            return Err(SimError::TooManyServices { services, max: crate::fleet::MAX_SERVICES });
        }
        let mut draws = Draws::new(seed, Stream::GRAPH);
        let layers = layers(services);
        let width = services.to_string().len();
        let mut all: Vec<Service> = (0..services)
            .map(|index| {
                let arrivals_per_second =
                    if layers[0].contains(&index) { draws.between(30.0, 90.0) } else { 0.0 };
                service(format!("s{index:0width$}"), arrivals_per_second, &mut draws)
            })
            .collect();
        let mut calls = Vec::new();
        for (depth, layer) in layers.iter().enumerate() {
            for server in layer.clone().filter(|_| depth > 0) {
                let before = &layers[depth - 1];
                // Shared out evenly, so that every service of the layer before calls someone.
                let client = before.start + (server - layer.start) % before.len();
                calls.push(((client, server), call(&all[client].name, &all[server].name, &mut draws)));
            }
            let Some(after) = layers.get(depth + 1).map(|next| next.start..services) else { continue };
            for client in layer.clone() {
                for _ in 0..draws.index(3) {
                    // The square prefers the next layers.
                    let far = draws.uniform().powi(2) * after.len() as f64;
                    let server = (after.start + far as usize).min(services - 1);
                    calls.push(((client, server), call(&all[client].name, &all[server].name, &mut draws)));
                }
            }
        }
        calls.sort_by_key(|&(ends, _)| ends);
        calls.dedup_by_key(|&mut (ends, _)| ends);
        let (mut of_client, mut is_asked) = (vec![0.0; services], vec![false; services]);
        for ((client, server), call) in &calls {
            of_client[*client] += call.probability;
            is_asked[*server] |= call.breaker.is_none();
        }
        let mut calls: Vec<PlannedCall> = calls
            .into_iter()
            .map(|((client, server), call)| PlannedCall {
                // A request makes about one call a layer, however many services there are.
                probability: call.probability * (1.1 / of_client[client]).min(1.0),
                // A server that is asked nothing while breakers are open is taken for one that answers at its
                // deadline: no breaker before it would ever close.
                breaker: call.breaker.filter(|_| is_asked[server]),
                ..call
            })
            .collect();
        let target: Vec<f64> = all.iter().map(|_| draws.between(0.35, 0.6)).collect();
        provision(&mut all, &calls, |index| target[index]);
        fit_to_peak(&mut all, &mut calls);
        Self::new(all, calls)
    }
}

/// Where each layer's services are, by their number.
fn layers(services: usize) -> Vec<std::ops::Range<usize>> {
    const SHARES: [f64; 5] = [0.04, 0.22, 0.36, 0.26, 0.12];
    let depth = if services < 10 {
        2
    } else if services < 40 {
        3
    } else {
        SHARES.len()
    };
    let total: f64 = SHARES[..depth].iter().sum();
    let (mut layers, mut start, mut share) = (Vec::new(), 0, 0.0);
    for (layer, part) in SHARES[..depth].iter().enumerate() {
        share += part / total;
        let last = layer + 1 == depth;
        let end = if last { services } else { ((services as f64 * share) as usize).max(start + 1) };
        layers.push(start..end);
        start = end;
    }
    layers
}

fn service(name: String, arrivals_per_second: f64, draws: &mut Draws) -> Service {
    let base = Service::new(name);
    Service {
        arrivals_per_second,
        pods: 2 + draws.index(4) as u32,
        workers: 16 << draws.index(3),
        cpu_ms: draws.between(4.0, 30.0),
        io_ms: draws.between(0.0, 15.0),
        variation: draws.between(0.4, 1.1),
        garbage: if draws.uniform() < 0.3 { 0.0 } else { base.garbage },
        start_seconds: draws.between(15.0, 70.0),
        cold_factor: draws.between(1.0, 2.5),
        ..base
    }
}

fn call(client: &str, server: &str, draws: &mut Draws) -> PlannedCall {
    let base = PlannedCall::new(client, server);
    let (probability, timeout_ms) = (draws.between(0.2, 1.0), draws.between(500.0, 2_000.0));
    let cache_hit = if draws.uniform() < 0.3 { draws.between(0.2, 0.7) } else { 0.0 };
    let need = if draws.uniform() < 0.15 { Need::Optional } else { Need::Required };
    let base = PlannedCall { probability, timeout_ms, cache_hit, need, ..base };
    let (retry, attempts, breaker) = (draws.uniform(), 1 + draws.index(2) as u32, draws.uniform());
    let base = match retry {
        r if r < 0.3 => base,
        r if r < 0.65 => base.with_retry(attempts, Some(0.2)),
        _ => base.with_retry(attempts, None),
    };
    if breaker < 0.3 { base.with_breaker(0.5, 20.0) } else { base }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_reached_and_calls_grow_with_services() {
        for services in [2, 3, 9, 12, 40, 500, 3_000] {
            let blueprint = Blueprint::layered(1, services).unwrap();
            assert_eq!(blueprint.services().len(), services);
            let called = blueprint.called();
            let lonely = blueprint
                .services()
                .iter()
                .zip(called)
                .filter(|(s, called)| !called && s.arrivals_per_second <= 0.0);
            assert_eq!(lonely.count(), 0, "{services}");
            assert!(blueprint.calls().len() < 3 * services);
        }
        assert!(Blueprint::layered(1, 1).is_err());
        assert_ne!(Blueprint::layered(1, 30).unwrap(), Blueprint::layered(2, 30).unwrap());
    }
}
