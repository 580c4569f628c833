//! Graphs in the JSON of other tools: lists of edges, nodes and links, dependencies by service.

use crate::{
    Call, ServiceGraph, TopologyError,
    graph::{
        Services,
        edge_columns::{Column, column, plain},
    },
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What tools call the list of calls, and that of services.
const EDGES: [&str; 8] =
    ["edges", "links", "calls", "dependencies", "relationships", "connections", "data", "result"];
const NODES: [&str; 4] = ["nodes", "services", "vertices", "components"];

/// What tools call a service's name, the likeliest first.
const NAMES: [&str; 8] = ["name", "label", "service", "app", "workload", "title", "key", "id"];

/// The graph of a document that is not in the format of this crate; `None` where no calls are found in it.
pub(super) fn graph(document: &Value) -> Option<Result<ServiceGraph, TopologyError>> {
    let parts = Parts::of(document)?;
    let mut names = BTreeMap::new();
    let mut services = Vec::new();
    for (index, node) in parts.nodes.iter().enumerate() {
        let (id, name) = node_of(node)?;
        names.insert(id, name.clone());
        // Links of charts may count nodes.
        names.entry(index.to_string()).or_insert_with(|| name.clone());
        services.push((format!("node {index}"), name));
    }
    let mut calls = Vec::new();
    for (index, edge) in parts.edges.into_iter().enumerate() {
        let mut call = call_of(&edge)?;
        for end in [&mut call.client, &mut call.server] {
            if let Some(name) = names.get(end) {
                name.clone_into(end);
            }
        }
        calls.push((format!("edge {index}"), call));
    }
    Some(ServiceGraph::build(services, Services::AsCalled, calls))
}

struct Parts {
    nodes: Vec<Value>,
    edges: Vec<Value>,
}

impl Parts {
    fn of(document: &Value) -> Option<Self> {
        match document {
            Value::Array(edges) if !edges.is_empty() => {
                // Cytoscape also writes nodes and edges in one list.
                let is_edge = |item: &&Value| call_of(item).is_some();
                let (edges, nodes): (Vec<&Value>, Vec<&Value>) = edges.iter().partition(is_edge);
                let (nodes, edges) =
                    (nodes.into_iter().cloned().collect(), edges.into_iter().cloned().collect());
                Some(Self { nodes, edges }).filter(|parts| !parts.edges.is_empty())
            }
            Value::Object(fields) => Self::of_fields(fields),
            _ => None,
        }
    }

    fn of_fields(fields: &Map<String, Value>) -> Option<Self> {
        if let Some(elements) = fields
            .get("elements")
            .or_else(|| fields.get("graph"))
            .filter(|inner| inner.is_array() || EDGES.iter().any(|name| inner.get(name).is_some()))
        {
            return Self::of(elements);
        }
        let list = |names: &[&str]| names.iter().find_map(|name| fields.get(*name).and_then(Value::as_array));
        if let Some(edges) = list(&EDGES) {
            return Some(Self { nodes: list(&NODES).cloned().unwrap_or_default(), edges: edges.clone() });
        }
        // Dependencies by service.
        let mut parts = Self { nodes: Vec::new(), edges: Vec::new() };
        for (service, called) in fields {
            parts.nodes.push(Value::String(service.clone()));
            for server in called.as_array()? {
                let ends = [Value::String(service.clone()), Value::String(server.as_str()?.to_owned())];
                parts.edges.push(Value::Array(ends.to_vec()));
                parts.nodes.push(server.clone());
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        parts.nodes.retain(|node| seen.insert(node.to_string()));
        Some(parts).filter(|parts| !parts.edges.is_empty())
    }
}

/// The fields of an item, which may lie in one called `data`.
fn fields(item: &Value) -> Option<&Map<String, Value>> {
    item.get("data").and_then(Value::as_object).or_else(|| item.as_object())
}

/// A service's mark and its name.
fn node_of(node: &Value) -> Option<(String, String)> {
    if let Some(name) = text(node) {
        return Some((name.clone(), name));
    }
    let fields = fields(node)?;
    let name = NAMES.iter().find_map(|name| fields.get(*name).and_then(text))?;
    let id = fields.get("id").or_else(|| fields.get("key")).and_then(text);
    Some((id.unwrap_or_else(|| name.clone()), name))
}

/// A call: a pair of names, or an object with two ends under any usual names.
fn call_of(edge: &Value) -> Option<Call> {
    if let Value::Array(pair) = edge {
        let [client, server] = pair.as_slice() else { return None };
        return Some(Call::new(text(client)?, text(server)?));
    }
    let (mut client, mut server) = (None, None);
    let mut call = Call::new("", "");
    for (key, value) in fields(edge)? {
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match (column(&plain(key)), number) {
            (Some(Column::Client), _) => client = client.or_else(|| end(value)),
            (Some(Column::Server), _) => server = server.or_else(|| end(value)),
            (Some(Column::Requests), Some(number)) => call.traffic.requests = number,
            (Some(Column::Failures), Some(number)) => call.traffic.failures = Some(number),
            (Some(Column::LatencyMillis), Some(number)) => call.traffic.latency_millis = Some(number),
            (Some(Column::LatencySeconds), Some(number)) => call.traffic.latency_millis = Some(1e3 * number),
            (Some(Column::Strength), Some(number)) => call.traffic.strength = Some(number),
            _ => {}
        }
    }
    (call.client, call.server) = (client?, server?);
    Some(call)
}

/// One end of a call: a name, a number of a node, or the node itself.
fn end(value: &Value) -> Option<String> {
    text(value).or_else(|| node_of(value).map(|(id, _)| id))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::ServiceGraph;

    #[test]
    fn graphs_of_other_tools_are_one_graph() {
        for text in [
            r#"{"web": ["api"], "api": ["db"], "db": []}"#,
            r#"{"data": [{"parent": "web", "child": "api", "callCount": 3}, {"parent": "api", "child": "db"}], "total": 0}"#,
            r#"[{"parent": "web", "child": "api", "callCount": 3}, {"parent": "api", "child": "db"}]"#,
            r#"{"nodes": [{"id": "web"}, {"id": "api"}, {"id": "db"}], "links": [{"source": "web", "target": "api"}, {"source": "api", "target": "db"}]}"#,
            r#"{"nodes": [{"name": "web"}, {"name": "api"}, {"name": "db"}], "links": [{"source": 0, "target": 1}, {"source": 1, "target": 2}]}"#,
            r#"{"nodes": ["web", "api", "db"], "edges": [{"from": "web", "to": "api"}, {"from": "api", "to": "db"}]}"#,
            r#"[["web", "api"], ["api", "db"]]"#,
            r#"{"elements": {"nodes": [{"data": {"id": "n0", "app": "web"}}, {"data": {"id": "n1", "app": "api"}}, {"data": {"id": "n2", "app": "db"}}], "edges": [{"data": {"id": "e", "source": "n0", "target": "n1"}}, {"data": {"source": "n1", "target": "n2"}}]}}"#,
            "{\"source\": \"web\", \"target\": \"api\"}\n{\"source\": \"api\", \"target\": \"db\"}\n",
        ] {
            let graph = match ServiceGraph::from_json(text) {
                Ok(graph) => graph,
                Err(error) => panic!("{text}: {error}"),
            };
            assert_eq!(graph.services().collect::<Vec<_>>(), ["api", "db", "web"], "{text}");
            assert!(graph.traffic(2, 0).is_ok() && graph.traffic(0, 1).is_ok(), "{text}");
        }
        for text in
            ["[]", "{}", "3", r#"{"nodes": []}"#, r#"[{"source": "web"}]"#, r#"{"a": [1]}"#, "[\"a\"]"]
        {
            let graph = ServiceGraph::from_json(text);
            assert!(graph.as_ref().map_or(true, |graph| graph.is_empty()), "{text}: {graph:?}");
        }
    }
}
