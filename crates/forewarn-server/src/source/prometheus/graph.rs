//! Who calls whom, from the service graph metrics of Tempo, the OpenTelemetry Collector or Alloy.

use forewarn_prometheus::Series;
use std::collections::{BTreeMap, BTreeSet};

/// Minutes between two looks at the graph.
pub(crate) const REFRESH_MINUTES: i64 = 5;

/// Calls of the last quarter of an hour by client and server. A counter that has just begun has no increase, and is
/// counted by its value.
pub(crate) const CALLS: &str = "sum by (client, server, client_service_namespace, server_service_namespace) \
     (increase(traces_service_graph_request_total{client!=\"\", server!=\"\"}[15m])) > 0";

/// The calls of an answer, under the names that rows have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Client and server, sorted, each pair once.
    pub(crate) calls: Vec<(String, String)>,
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
        let mut calls = BTreeSet::new();
        for labels in series.iter().map(|one| &one.labels) {
            let (Some(client), Some(server)) = (labels.get("client"), labels.get("server")) else { continue };
            let client = matched(client, labels.get("client_service_namespace"));
            let server = matched(server, labels.get("server_service_namespace"));
            if client != server {
                calls.insert((client, server));
            }
        }
        Self { calls: calls.into_iter().collect(), unmatched }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_prometheus::Labels;

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
            found.calls.iter().map(|(client, server)| (client.as_str(), server.as_str())).collect();
        let expected =
            [("auth", "postgres"), ("shop/cart", "pay"), ("shop/cart", "us/pay"), ("shop/web", "shop/cart")];
        assert_eq!(calls, expected);
        assert_eq!(found.unmatched, ["pay", "postgres"].map(str::to_owned).into());
    }
}
