use crate::{Call, ServiceGraph, TopologyError, Traffic};
use std::collections::BTreeMap;

mod exposition;
mod otlp;

/// The counter of requests between two services.
const REQUESTS: &str = "traces_service_graph_request_total";
/// The counter of failed ones.
const FAILURES: &str = "traces_service_graph_request_failed_total";
/// The histogram of how long a client waited.
const CLIENT_SECONDS: &str = "traces_service_graph_request_client_seconds";
/// The histogram of how long a server took.
const SERVER_SECONDS: &str = "traces_service_graph_request_server_seconds";

/// What OpenTelemetry's service graph says of each pair of services: the metrics that the collector's `servicegraph` connector, Grafana
/// Tempo and Grafana Alloy make from traces.
///
/// Read are `traces_service_graph_request_total` and `traces_service_graph_request_failed_total` with the labels `client` and `server`,
/// and of `traces_service_graph_request_client_seconds` (where it is missing, `..._server_seconds`) sum and count. Other metrics are left
/// out. Series that differ in other labels, such as `connection_type` or dimensions of one's own, are added up. Where a series comes more
/// than once its latest sample counts.
///
/// The counters run since their collector started; [`since`](Self::since) gives what passed between two scrapes.
///
/// # References
/// OpenTelemetry Collector Contrib, `servicegraphconnector`; Grafana Tempo, *Service graphs*, section "Metrics".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallSamples {
    /// Kept apart, since each collector that begins anew resets its own series.
    series: BTreeMap<(Quantity, Labels), f64>,
    self_calls: usize,
}

/// The counters of one pair of services.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    requests: f64,
    failures: f64,
    client: Waits,
    server: Waits,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Waits {
    seconds: f64,
    count: f64,
}

/// Which number of [`Counts`] a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Quantity {
    Requests,
    Failures,
    ClientSeconds,
    ClientCount,
    ServerSeconds,
    ServerCount,
}

/// The latest sample of each series: by quantity and all labels.
#[derive(Default)]
struct Series(BTreeMap<(Quantity, Labels), (i128, f64)>);

/// Names and values, sorted where two series are compared.
type Labels = Vec<(String, String)>;

impl Series {
    /// Takes a sample; of two at the same time the later in the text counts.
    fn push(&mut self, quantity: Quantity, mut labels: Labels, time: i128, value: f64) {
        labels.sort();
        let latest = self.0.entry((quantity, labels)).or_insert((time, value));
        if time >= latest.0 {
            *latest = (time, value);
        }
    }

    /// Adds to a sample: what a counter that starts anew with each sample takes.
    fn add(&mut self, quantity: Quantity, mut labels: Labels, value: f64) {
        labels.sort();
        self.0.entry((quantity, labels)).or_insert((0, 0.0)).1 += value;
    }

    fn finish(self) -> Result<CallSamples, TopologyError> {
        let mut samples = CallSamples::default();
        for ((quantity, labels), (_, value)) in self.0 {
            match ends(&labels) {
                Some((client, server)) if client == server => {
                    samples.self_calls += usize::from(quantity == Quantity::Requests);
                }
                Some(_) => drop(samples.series.insert((quantity, labels), value)),
                None => {}
            }
        }
        samples.with_calls()
    }
}

/// The client and the server that labels name.
fn ends(labels: &Labels) -> Option<(&str, &str)> {
    let label = |name: &str| {
        let (_, value) = labels.iter().find(|(label, _)| label == name)?;
        Some(value.trim()).filter(|value| !value.is_empty())
    };
    Some((label("client")?, label("server")?))
}

impl Counts {
    fn of(&mut self, quantity: Quantity) -> &mut f64 {
        match quantity {
            Quantity::Requests => &mut self.requests,
            Quantity::Failures => &mut self.failures,
            Quantity::ClientSeconds => &mut self.client.seconds,
            Quantity::ClientCount => &mut self.client.count,
            Quantity::ServerSeconds => &mut self.server.seconds,
            Quantity::ServerCount => &mut self.server.count,
        }
    }

    fn traffic(self) -> Traffic {
        let waits = if self.client.count > 0.0 { self.client } else { self.server };
        Traffic {
            requests: self.requests,
            // A failure can be counted a moment before its request.
            failures: Some(self.failures.min(self.requests)),
            latency_millis: (waits.count > 0.0).then(|| 1000.0 * waits.seconds / waits.count),
            strength: None,
        }
    }
}

impl CallSamples {
    /// Reads samples in either format: JSON if the text begins with a brace, else the text format.
    ///
    /// # Errors
    /// As [`from_exposition`](Self::from_exposition) and [`from_otlp_json`](Self::from_otlp_json).
    pub fn parse(text: &str) -> Result<Self, TopologyError> {
        if text.trim_start().starts_with('{') {
            Self::from_otlp_json(text)
        } else {
            Self::from_exposition(text)
        }
    }

    /// Whether a text looks like samples of a service graph at all, for programs that take a graph in any format.
    #[must_use]
    pub fn recognises(text: &str) -> bool {
        text.contains("traces_service_graph_request")
    }

    /// What was counted after `earlier`. A series that is smaller now was reset in between and has counted from 0 since, and one that was not there
    /// began at 0. As in `sum(increase(...))`, that is found for each series on its own, before they are added up: where there are several
    /// collectors, one may restart. Pairs without a request in between are left out.
    ///
    /// # Errors
    /// [`TopologyError::NoCalls`] where there was no request at all.
    pub fn since(&self, earlier: &Self) -> Result<Self, TopologyError> {
        let passed = self.series.iter().map(|(series, &now)| {
            let then = earlier.series.get(series).copied().filter(|&then| then <= now);
            (series.clone(), now - then.unwrap_or(0.0))
        });
        Self { series: passed.collect(), self_calls: self.self_calls }.with_calls()
    }

    fn with_calls(self) -> Result<Self, TopologyError> {
        let mut requests = self.series.iter().filter(|((quantity, _), _)| *quantity == Quantity::Requests);
        if requests.any(|(_, &requests)| requests > 0.0) {
            Ok(self)
        } else {
            Err(TopologyError::NoCalls { expected: REQUESTS })
        }
    }

    /// Series in which a service calls itself. They are left out: a service that fails has failed already.
    #[must_use]
    pub fn self_calls(&self) -> usize {
        self.self_calls
    }

    /// The graph of these calls, with requests, failures and latencies.
    ///
    /// # Errors
    /// None for samples as they are read: what makes no graph was refused or left out.
    pub fn graph(&self) -> Result<ServiceGraph, TopologyError> {
        let mut between: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        for ((quantity, labels), value) in &self.series {
            if let Some(pair) = ends(labels) {
                *between.entry(pair).or_default().of(*quantity) += value;
            }
        }
        between.retain(|_, counts| counts.requests > 0.0);
        ServiceGraph::new(between.into_iter().map(|((client, server), counts)| Call {
            client: client.to_owned(),
            server: server.to_owned(),
            traffic: counts.traffic(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(requests: f64, failures: f64) -> CallSamples {
        let text = format!(
            "{REQUESTS}{{client=\"a\",server=\"b\"}} {requests}\n{FAILURES}{{client=\"a\",server=\"b\"}} {failures}\n"
        );
        CallSamples::parse(&text).unwrap()
    }

    #[test]
    fn two_scrapes_give_what_passed_between_them() {
        let traffic = |samples: CallSamples| *samples.graph().unwrap().traffic(0, 1).unwrap();
        let passed = traffic(scrape(150.0, 7.0).since(&scrape(100.0, 5.0)).unwrap());
        assert_eq!((passed.requests, passed.failures), (50.0, Some(2.0)));
        let reset = traffic(scrape(30.0, 1.0).since(&scrape(100.0, 5.0)).unwrap());
        assert_eq!((reset.requests, reset.failures), (30.0, Some(1.0)));
        assert!(scrape(100.0, 5.0).since(&scrape(100.0, 5.0)).is_err());
    }

    #[test]
    fn one_of_several_series_that_was_reset_is_found_before_they_are_added_up() {
        let waits = [format!("{CLIENT_SECONDS}_sum"), format!("{CLIENT_SECONDS}_count")];
        let scrape = |series: &[[f64; 4]]| {
            let mut text = String::new();
            for (collector, values) in series.iter().enumerate() {
                for (metric, value) in [REQUESTS, FAILURES, &waits[0], &waits[1]].iter().zip(values) {
                    text +=
                        &format!("{metric}{{client=\"a\",server=\"b\",instance=\"{collector}\"}} {value}\n");
                }
            }
            CallSamples::parse(&text).unwrap()
        };
        let before = scrape(&[[1000.0, 10.0, 50.0, 1000.0], [5000.0, 50.0, 250.0, 5000.0]]);
        // The first began anew, the second went on: together they grew.
        let after = scrape(&[[200.0, 4.0, 20.0, 200.0], [6000.0, 56.0, 350.0, 6000.0]]);
        let graph = after.since(&before).unwrap().graph().unwrap();
        let traffic = graph.traffic(0, 1).unwrap();
        assert_eq!((traffic.requests, traffic.failures), (1200.0, Some(10.0)));
        assert!((traffic.latency_millis.unwrap() - 100.0).abs() < 1e-9);
        // The second is new.
        let alone = scrape(&[[100.0, 1.0, 5.0, 100.0]]);
        assert_eq!(after.since(&alone).unwrap().graph().unwrap().traffic(0, 1).unwrap().requests, 6100.0);
    }
}
