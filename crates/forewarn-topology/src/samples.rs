use crate::{Call, ServiceGraph, TopologyError, Traffic};
use std::collections::BTreeMap;

mod exposition;
mod otlp;

/// The counter of requests between two services.
const REQUESTS: &str = "traces_service_graph_request_total";
/// The counter of failed ones.
const FAILURES: &str = "traces_service_graph_request_failed_total";
/// What the names of the histograms begin with: how long a client waited, how long a server took, and, of collectors
/// that did not yet tell the two apart, how long it took.
const CLIENT: &str = "traces_service_graph_request_client";
const SERVER: &str = "traces_service_graph_request_server";
const DURATION: &str = "traces_service_graph_request_duration";

/// The quantities of a histogram (sum and count), by the name of its metric, and how many seconds its unit has where
/// the name says so.
fn histogram(name: &str) -> Option<([Quantity; 2], Option<f64>)> {
    let kinds = [
        (CLIENT, [Quantity::ClientSeconds, Quantity::ClientCount]),
        (SERVER, [Quantity::ServerSeconds, Quantity::ServerCount]),
        (DURATION, [Quantity::Seconds, Quantity::Count]),
    ];
    let (unit, quantities) =
        kinds.into_iter().find_map(|(kind, quantities)| Some((name.strip_prefix(kind)?, quantities)))?;
    match unit {
        "" => Some((quantities, None)),
        "_seconds" => Some((quantities, Some(1.0))),
        "_milliseconds" => Some((quantities, Some(1e-3))),
        _ => None,
    }
}

/// What OpenTelemetry's service graph says of each pair of services: the metrics that the collector's `servicegraph`
/// connector, Grafana Tempo and Grafana Alloy make from traces.
///
/// Read are `traces_service_graph_request_total` and `traces_service_graph_request_failed_total` with the labels
/// `client` and `server`, and sum and count of `traces_service_graph_request_client` (where it is missing
/// `..._server`, where that is missing the `..._duration` of older collectors), each also with its unit in the name,
/// `_seconds` or `_milliseconds`; without one it is seconds. Other metrics are left out. Series that differ in other
/// labels, such as `connection_type` or dimensions of one's own, are added up. Where a series comes more than once
/// its latest sample counts.
///
/// The counters run since their collector started; [`since`](Self::since) gives what passed between two scrapes.
///
/// # References
/// OpenTelemetry Collector Contrib, `servicegraphconnector`; Grafana Tempo, *Service graphs*, section "Metrics".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallSamples {
    /// Kept apart, since each collector that restarts resets its own series.
    series: BTreeMap<(Quantity, Labels), Track>,
    self_calls: usize,
}

/// What is known of one series.
#[derive(Clone, Debug, PartialEq)]
enum Track {
    /// Counted since some start: the latest sample, and its time.
    Cumulative { time: i128, value: f64 },
    /// Counted since the sample before: all samples, with their times.
    Delta(Vec<(i128, f64)>),
}

impl Track {
    fn total(&self) -> f64 {
        match self {
            Self::Cumulative { value, .. } => *value,
            Self::Delta(samples) => samples.iter().map(|(_, value)| value).sum(),
        }
    }

    /// What was counted after `earlier`.
    fn since(&self, earlier: Option<&Self>) -> Self {
        match (self, earlier) {
            (Self::Cumulative { time, value }, Some(Self::Cumulative { value: then, .. }))
                if then <= value =>
            {
                Self::Cumulative { time: *time, value: value - then }
            }
            (Self::Delta(samples), Some(Self::Delta(then))) => {
                let seen = then.iter().map(|(time, _)| *time).max();
                Self::Delta(
                    samples
                        .iter()
                        .copied()
                        .filter(|(time, _)| seen.is_none_or(|seen| *time > seen))
                        .collect(),
                )
            }
            _ => self.clone(),
        }
    }
}

/// The counters of one pair of services.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    requests: f64,
    failures: f64,
    client: Waits,
    server: Waits,
    either: Waits,
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
    Seconds,
    Count,
}

/// The samples of each series: by quantity and all labels.
#[derive(Default)]
struct Series(BTreeMap<(Quantity, Labels), Track>);

/// Names and values, sorted where two series are compared.
type Labels = Vec<(String, String)>;

impl Series {
    /// Takes a sample; of two at the same time the later in the text counts.
    fn push(&mut self, quantity: Quantity, mut labels: Labels, time: i128, value: f64) {
        labels.sort();
        match self.0.entry((quantity, labels)).or_insert(Track::Cumulative { time, value }) {
            Track::Cumulative { time: at, value: latest } if time >= *at => (*at, *latest) = (time, value),
            Track::Cumulative { .. } => {}
            // The temporality of a series has changed: it counts from here on.
            changed @ Track::Delta(_) => *changed = Track::Cumulative { time, value },
        }
    }

    /// Takes a sample that counts since the one before.
    fn add(&mut self, quantity: Quantity, mut labels: Labels, time: i128, value: f64) {
        labels.sort();
        match self.0.entry((quantity, labels)).or_insert_with(|| Track::Delta(Vec::new())) {
            Track::Delta(samples) => samples.push((time, value)),
            changed @ Track::Cumulative { .. } => *changed = Track::Delta(vec![(time, value)]),
        }
    }

    fn finish(self) -> Result<CallSamples, TopologyError> {
        let mut samples = CallSamples::default();
        for ((quantity, labels), track) in self.0 {
            match ends(&labels) {
                Some((client, server)) if client == server => {
                    samples.self_calls += usize::from(quantity == Quantity::Requests);
                }
                Some(_) => drop(samples.series.insert((quantity, labels), track)),
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
            Quantity::Seconds => &mut self.either.seconds,
            Quantity::Count => &mut self.either.count,
        }
    }

    fn traffic(self) -> Traffic {
        let seen = [self.client, self.server, self.either].into_iter().find(|waits| waits.count > 0.0);
        Traffic {
            requests: self.requests,
            // A failure can be counted a moment before its request; see `excess_failures`.
            failures: Some(self.failures.min(self.requests)),
            latency_millis: seen.map(|waits| 1000.0 * waits.seconds / waits.count),
            strength: None,
        }
    }
}

impl CallSamples {
    /// Reads samples in either format: JSON if the text begins with an object, else the text format (in which a
    /// quoted name stands in braces too).
    ///
    /// # Errors
    /// As [`from_exposition`](Self::from_exposition) and [`from_otlp_json`](Self::from_otlp_json).
    pub fn parse(text: &str) -> Result<Self, TopologyError> {
        if is_json(text) { Self::from_otlp_json(text) } else { Self::from_exposition(text) }
    }

    /// Whether a text looks like samples of a service graph at all, for programs that take a graph in any format.
    #[must_use]
    pub fn recognises(text: &str) -> bool {
        text.contains("traces_service_graph_request")
    }

    /// What was counted after `earlier`. Of series that count since the sample before (OTLP's delta temporality)
    /// these are the samples later than its last; of all others the difference. A series that is smaller now was
    /// reset in between and has counted from 0 since, and one that was not there began at 0. As in
    /// `sum(increase(...))`, that is found for each series on its own, before they are added up: where there are
    /// several collectors, one may restart. Pairs without a request in between are left out.
    ///
    /// # Errors
    /// [`TopologyError::NoCalls`] where there was no request at all.
    pub fn since(&self, earlier: &Self) -> Result<Self, TopologyError> {
        let passed =
            self.series.iter().map(|(series, now)| (series.clone(), now.since(earlier.series.get(series))));
        Self { series: passed.collect(), self_calls: self.self_calls }.with_calls()
    }

    fn with_calls(self) -> Result<Self, TopologyError> {
        let mut requests = self.series.iter().filter(|((quantity, _), _)| *quantity == Quantity::Requests);
        if requests.any(|(_, requests)| requests.total() > 0.0) {
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

    /// Failures beyond the requests of their pair, over all pairs. A few are failures that were counted a moment
    /// before their request; many mean that one of the two counters is incomplete. The graph has as many failures as
    /// requests there.
    #[must_use]
    pub fn excess_failures(&self) -> f64 {
        self.between().values().map(|counts| (counts.failures - counts.requests).max(0.0)).sum()
    }

    fn between(&self) -> BTreeMap<(&str, &str), Counts> {
        let mut between: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
        for ((quantity, labels), track) in &self.series {
            if let Some(pair) = ends(labels) {
                *between.entry(pair).or_default().of(*quantity) += track.total();
            }
        }
        between
    }

    /// The graph of these calls, with requests, failures and latencies.
    ///
    /// # Errors
    /// None for samples as they are read: what makes no graph was refused or left out.
    pub fn graph(&self) -> Result<ServiceGraph, TopologyError> {
        let mut between = self.between();
        between.retain(|_, counts| counts.requests > 0.0);
        let graph = ServiceGraph::new(between.into_iter().map(|((client, server), counts)| Call {
            client: client.to_owned(),
            server: server.to_owned(),
            traffic: counts.traffic(),
        }))?;
        Ok(graph.with_excess_failures(self.excess_failures()))
    }
}

/// Whether a text that begins with a brace is JSON: an object has a colon after its first key, a quoted name of a
/// metric has not.
fn is_json(text: &str) -> bool {
    let Some(inner) = text.trim_start().strip_prefix('{') else { return false };
    match inner.trim_start().strip_prefix('"') {
        Some(key) => key.split_once('"').is_some_and(|(_, after)| after.trim_start().starts_with(':')),
        None => true,
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
        let waits = [format!("{CLIENT}_seconds_sum"), format!("{CLIENT}_seconds_count")];
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
        // The first restarted, the second went on: together they grew.
        let after = scrape(&[[200.0, 4.0, 20.0, 200.0], [6000.0, 56.0, 350.0, 6000.0]]);
        let graph = after.since(&before).unwrap().graph().unwrap();
        let traffic = graph.traffic(0, 1).unwrap();
        assert_eq!((traffic.requests, traffic.failures), (1200.0, Some(10.0)));
        assert!((traffic.latency_millis.unwrap() - 100.0).abs() < 1e-9);
        // The second is new.
        let alone = scrape(&[[100.0, 1.0, 5.0, 100.0]]);
        assert_eq!(after.since(&alone).unwrap().graph().unwrap().traffic(0, 1).unwrap().requests, 6100.0);
    }

    /// The mean latency in any form in which collectors have written it, 120 ms.
    #[test]
    fn latencies_are_read_in_every_form() {
        let of = |histogram: &str, sum: f64| {
            let text = format!(
                "{REQUESTS}{{client=\"a\",server=\"b\"}} 1000\n{histogram}_sum{{client=\"a\",server=\"b\"}} {sum}\n\
                 {histogram}_count{{client=\"a\",server=\"b\"}} 1000\n"
            );
            CallSamples::parse(&text).unwrap().graph().unwrap().traffic(0, 1).unwrap().latency_millis
        };
        for kind in [CLIENT, SERVER, DURATION] {
            for (unit, sum) in [("", 120.0), ("_seconds", 120.0), ("_milliseconds", 120_000.0)] {
                let found = of(&format!("{kind}{unit}"), sum).unwrap();
                assert!((found - 120.0).abs() < 1e-9, "{kind}{unit}: {found}");
            }
        }
        assert_eq!(of("traces_service_graph_request_other_seconds", 1.0), None, "unknown, and not 0");
    }

    #[test]
    fn names_in_quotes_are_no_json() {
        let text = format!(
            "{{\"{REQUESTS}\", client=\"a\", server=\"b\"}} 7\n{{\"{FAILURES}\",\"client\"=\"a\",server=\"b\"}} 9\n"
        );
        let samples = CallSamples::parse(&text).unwrap();
        let graph = samples.graph().unwrap();
        assert_eq!(
            (graph.traffic(0, 1).unwrap().requests, graph.traffic(0, 1).unwrap().failures),
            (7.0, Some(7.0))
        );
        assert_eq!(samples.excess_failures(), 2.0);
        assert_eq!(graph.excess_failures(), 2.0);
        assert_eq!(scrape(10.0, 3.0).excess_failures(), 0.0);
    }
}
