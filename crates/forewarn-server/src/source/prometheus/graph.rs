//! Who calls whom, from the service graph metrics of Tempo, the OpenTelemetry Collector or Alloy.

use forewarn_prometheus::Series;
use std::collections::{BTreeMap, BTreeSet};

/// Minutes between two looks at the graph.
pub(crate) const REFRESH_MINUTES: i64 = 5;

/// Calls of the last quarter of an hour by client and server. A counter that has just begun has no increase, and is
/// counted by its value.
pub(crate) const CALLS: &str = "sum by (client, server, client_service_namespace, server_service_namespace) \
     (increase(traces_service_graph_request_total{client!=\"\", server!=\"\"}[15m])) > 0";

/// Those of them that failed. A call that never failed has no such counter.
pub(crate) const FAILED: &str = "sum by (client, server, client_service_namespace, server_service_namespace) \
     (increase(traces_service_graph_request_failed_total{client!=\"\", server!=\"\"}[15m]))";

/// Seconds of the increases above.
const SPAN_SECS: f64 = 900.0;

/// Client and server.
pub(crate) type Pair = (String, String);

/// The calls of an answer, under the names that rows have.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Calls {
    /// How many went from each client to each server; NaN where the answer does not say.
    pub(crate) calls: BTreeMap<Pair, f64>,
    /// Names that no row has, as they are in the graph: databases, queues, users.
    pub(crate) unmatched: BTreeSet<String>,
}

impl Calls {
    /// Of series with the labels `client` and `server`; `services` are the names that rows have.
    ///
    /// A name is that of a service if it is the same, the same behind its namespace, or the only one that ends in it
    /// after a slash. Calls of a service to itself say nothing.
    pub(crate) fn of(series: &[Series], services: &BTreeSet<String>) -> Self {
        let mut by_last: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for name in services {
            let last = name.rsplit('/').next().unwrap_or(name);
            by_last.entry(last).and_modify(|only| *only = None).or_insert(Some(name));
        }
        let mut unmatched = BTreeSet::new();
        let mut matched = |name: &str, namespace: Option<&str>| {
            let joined = namespace.map(|namespace| format!("{namespace}/{name}"));
            let found =
                joined.as_deref().and_then(|joined| services.get(joined)).or_else(|| services.get(name));
            let found = found.map(String::as_str).or_else(|| by_last.get(name).copied().flatten());
            found.map_or_else(
                || {
                    unmatched.insert(name.to_owned());
                    joined.clone().unwrap_or_else(|| name.to_owned())
                },
                str::to_owned,
            )
        };
        let mut calls = BTreeMap::new();
        for one in series {
            let (labels, count) = (&one.labels, one.samples.last().map_or(f64::NAN, |sample| sample.value));
            let (Some(client), Some(server)) = (labels.get("client"), labels.get("server")) else { continue };
            let client = matched(client, labels.get("client_service_namespace"));
            let server = matched(server, labels.get("server_service_namespace"));
            if client != server {
                *calls.entry((client, server)).or_insert(0.0) += count;
            }
        }
        Self { calls, unmatched }
    }

    /// What goes over each call. Of the share that failed, nothing is known where no failure of any call is counted;
    /// `failed` is `None` where that could not be read.
    pub(crate) fn flows(&self, failed: Option<&Self>) -> BTreeMap<Pair, Flow> {
        let failed = failed.map(|failed| &failed.calls).filter(|failed| !failed.is_empty());
        let flow = |(pair, &count): (&Pair, &f64)| {
            let share = |failed: &BTreeMap<Pair, f64>| failed.get(pair).copied().unwrap_or(0.0) / count;
            let error_rate =
                failed.map(share).filter(|share| share.is_finite()).map(|share| share.clamp(0.0, 1.0));
            (pair.clone(), Flow { requests: count / SPAN_SECS, error_rate })
        };
        self.calls.iter().filter(|(_, count)| count.is_finite()).map(flow).collect()
    }
}

/// What goes over a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flow {
    /// Requests a second.
    pub(crate) requests: f64,
    /// Share of them that failed, where that is known.
    pub(crate) error_rate: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_prometheus::{Labels, Sample};
    use forewarn_schema::Timestamp;

    fn call(labels: &[(&str, &str)]) -> Series {
        Series { labels: Labels::new(labels.iter().copied()).unwrap(), ..Series::default() }
    }

    #[test]
    fn names_of_a_graph_are_found_among_those_of_rows() {
        let services = ["shop/web", "shop/cart", "eu/pay", "us/pay", "auth"].map(str::to_owned).into();
        let series = [
            call(&[("client", "web"), ("server", "cart")]),
            call(&[("client", "web"), ("server", "cart"), ("server_service_namespace", "shop")]),
            call(&[("client", "shop/cart"), ("server", "pay"), ("server_service_namespace", "us")]),
            call(&[("client", "cart"), ("server", "pay")]),
            call(&[("client", "auth"), ("server", "postgres")]),
            call(&[("client", "auth"), ("server", "auth")]),
            call(&[("client", "auth")]),
        ];
        let found = Calls::of(&series, &services);
        let calls: Vec<_> =
            found.calls.keys().map(|(client, server)| (client.as_str(), server.as_str())).collect();
        let expected =
            [("auth", "postgres"), ("shop/cart", "pay"), ("shop/cart", "us/pay"), ("shop/web", "shop/cart")];
        assert_eq!(calls, expected);
        assert_eq!(found.unmatched, ["pay", "postgres"].map(str::to_owned).into());
    }

    #[test]
    fn traffic_is_known_where_it_is_counted() {
        let counted = |client, server, value| {
            let sample = Sample { time: Timestamp::EPOCH, value };
            Series { samples: vec![sample], ..call(&[("client", client), ("server", server)]) }
        };
        let of = |series: &[Series]| Calls::of(series, &BTreeSet::new());
        // Two series of one pair, such as of two namespaces, are one call.
        let calls = of(&[
            counted("a", "b", 450.0),
            counted("a", "b", 450.0),
            counted("b", "c", 90.0),
            call(&[("client", "c"), ("server", "d")]),
        ]);
        let pair = |client: &str, server: &str| (client.to_owned(), server.to_owned());
        let flows = calls.flows(Some(&of(&[counted("a", "b", 45.0)])));
        assert_eq!(flows.len(), 2, "{flows:?}");
        assert_eq!(flows[&pair("a", "b")], Flow { requests: 1.0, error_rate: Some(0.05) });
        assert_eq!(flows[&pair("b", "c")], Flow { requests: 0.1, error_rate: Some(0.0) });
        for unknown in [None, Some(&Calls::default())] {
            assert!(calls.flows(unknown).values().all(|flow| flow.error_rate.is_none()));
        }
    }
}
