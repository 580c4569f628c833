//! Service graphs from and to TOML and JSON.

use crate::{
    Call, CallSamples, ServiceGraph, TopologyError, Traffic,
    graph::{Services, foreign},
    text::{self, Format},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    services: Option<Vec<String>>,
    #[serde(default)]
    calls: Vec<CallRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallRow {
    client: String,
    server: String,
    #[serde(default = "one")]
    requests: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_millis: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strength: Option<f64>,
}

fn one() -> f64 {
    Traffic::default().requests
}

impl From<CallRow> for Call {
    fn from(row: CallRow) -> Self {
        let CallRow { client, server, requests, failures, latency_millis, strength } = row;
        Self { client, server, traffic: Traffic { requests, failures, latency_millis, strength } }
    }
}

impl From<Call> for CallRow {
    fn from(call: Call) -> Self {
        let Call { client, server, traffic: Traffic { requests, failures, latency_millis, strength } } = call;
        Self { client, server, requests, failures, latency_millis, strength }
    }
}

const WHAT: &str = "service graph";
/// Largest file of a graph: some two million calls.
const MOST_BYTES: u64 = 64 << 20;

/// As TOML and JSON write a graph. `services` may be left out; where it is given it is complete, so that a misspelt
/// name in a call is an error and not one more service. Of a call, `client` and `server` are needed.
///
/// ```
/// use forewarn_topology::ServiceGraph;
///
/// let graph = ServiceGraph::from_toml(r#"
///     services = ["gateway", "auth", "user", "database"]
///
///     [[calls]]
///     client = "gateway"
///     server = "auth"
///     requests = 1200
///     failures = 4
///     latency_millis = 18.5
///     strength = 0.7
///
///     [[calls]]
///     client = "user"
///     server = "database"
/// "#)?;
/// assert_eq!((graph.len(), graph.calls()), (4, 2));
///
/// let misspelt = r#"{"services": ["user", "database"], "calls": [{"client": "user", "server": "databse"}]}"#;
/// let error = ServiceGraph::from_json(misspelt).unwrap_err();
/// assert_eq!(error.to_string(), "calls[0]: there is no service \"databse\": there are database, user");
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
impl ServiceGraph {
    /// Reads a graph from TOML.
    ///
    /// # Errors
    /// [`TopologyError::UnreadableFile`], which names the field and the line; otherwise as
    /// [`with_services`](Self::with_services), the places being `calls[i]` and `services[i]`.
    pub fn from_toml(text: &str) -> Result<Self, TopologyError> {
        text::from_toml::<GraphFile>(WHAT, text)?.into_graph()
    }

    /// Reads a graph from JSON, or from what other tools write: a list of edges, also one a line; nodes and links;
    /// dependencies by service. Of these, ends and numbers are found under the names that columns of an [edge
    /// list](Self::from_edge_list) may have.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml).
    pub fn from_json(text: &str) -> Result<Self, TopologyError> {
        let error = match text::from_json::<GraphFile>(WHAT, text) {
            Ok(file) => return file.into_graph(),
            Err(error) => error,
        };
        let documents: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        let documents = documents.unwrap_or_default();
        // What is meant to be in the format of this crate is not guessed at.
        let is_own = |document: &Value| {
            let own =
                |fields: &serde_json::Map<_, _>| fields.keys().all(|key| key == "services" || key == "calls");
            document.as_object().is_some_and(own)
        };
        let found = match documents.as_slice() {
            [] => None,
            [document] if is_own(document) => None,
            [document] => foreign::graph(document),
            _ => foreign::graph(&Value::Array(documents)),
        };
        found.unwrap_or(Err(error))
    }

    /// Reads a graph from a file of at most 64 MiB in any of the formats: `.toml` and `.json` by their names, JSON by
    /// its first character, otherwise [samples](crate::CallSamples) if it looks like them, and an
    /// [edge list](Self::from_edge_list) if not. A `.json` may hold samples too.
    ///
    /// # Errors
    /// [`TopologyError::UnreadablePath`] for a file that cannot be read or is larger; within [`TopologyError::At`]
    /// with the file's name, what the format's reader refuses.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, TopologyError> {
        let path = path.as_ref();
        let text = text::read(path, MOST_BYTES)?;
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let graph = match extension.as_deref() {
            Some("toml") => Self::from_toml(&text),
            _ if CallSamples::recognises(&text) => {
                CallSamples::parse(&text).and_then(|samples| samples.graph())
            }
            Some("json" | "jsonl" | "ndjson") => Self::from_json(&text),
            _ if text.trim_start().starts_with(['{', '[']) => Self::from_json(&text),
            _ => Self::from_edge_list(&text),
        };
        graph.map_err(|error| error.at(forewarn_schema::printable(&path.display().to_string())))
    }

    /// Writes the graph as TOML, all services listed.
    ///
    /// # Errors
    /// [`TopologyError::Unwritable`].
    pub fn to_toml(&self) -> Result<String, TopologyError> {
        toml::to_string(&GraphFile::of(self)).map_err(|error| TopologyError::Unwritable {
            format: Format::Toml.name(),
            reason: error.to_string(),
        })
    }

    /// Writes the graph as JSON, all services listed.
    ///
    /// # Errors
    /// [`TopologyError::Unwritable`].
    pub fn to_json(&self) -> Result<String, TopologyError> {
        serde_json::to_string_pretty(&GraphFile::of(self)).map_err(|error| TopologyError::Unwritable {
            format: Format::Json.name(),
            reason: error.to_string(),
        })
    }
}

impl GraphFile {
    fn of(graph: &ServiceGraph) -> Self {
        let services = Some(graph.services().map(str::to_owned).collect());
        Self { services, calls: graph.to_calls().map(CallRow::from).collect() }
    }

    fn into_graph(self) -> Result<ServiceGraph, TopologyError> {
        let calls = self.calls.into_iter().enumerate();
        let calls = calls.map(|(index, row)| (format!("calls[{index}]"), Call::from(row)));
        let complete = if self.services.is_some() { Services::Listed } else { Services::AsCalled };
        let services = self.services.unwrap_or_default().into_iter().enumerate();
        let services = services.map(|(index, name)| (format!("services[{index}]"), name)).collect();
        ServiceGraph::build(services, complete, calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(error: &TopologyError, parts: &[&str]) {
        let error = error.to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }

    #[test]
    fn errors_point_at_the_field() {
        let toml = |text: &str| ServiceGraph::from_toml(text).unwrap_err();
        let call = "[[calls]]\nclient = 'a'\nserver = 'b'\n";
        says(&toml(&format!("{call}strenght = 0.5")), &["calls[0]", "unknown field `strenght`", "line 4"]);
        says(&toml(&format!("{call}strength = 'x'")), &["calls[0].strength", "invalid type"]);
        says(&toml(&format!("{call}strength = 1.2")), &["calls[0]: strength is 1.2", "probability"]);
        says(&toml(&format!("{call}{call}")), &["calls[1]", "appears twice"]);
        says(&toml("[[calls]]\nclient = 'a'\nserver = 'a'"), &["calls[0]", "\"a\" calls itself"]);
        says(&toml("[[calls]]\nclient = 'a'"), &["calls[0]", "missing field `server`"]);
        says(&toml("services = ['a', 'a']"), &["services[1]", "appears twice"]);
        says(&toml("services = ['']"), &["services[0]", "needs a name"]);
        says(&toml("[[calls"), &["TOML", "line 1"]);
        let json = |text: &str| ServiceGraph::from_json(text).unwrap_err();
        says(&json(r#"{"calls": [{"client": 7}]}"#), &["JSON", "calls[0].client", "column"]);
        says(&json(r#"{"calls": []} x"#), &["trailing"]);
    }

    #[test]
    fn a_file_is_read_by_what_it_is() {
        let folder = std::env::temp_dir().join(format!("forewarn-topology-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let sample = "traces_service_graph_request_total{client=\"a\",server=\"b\"} 3";
        let files = [
            ("graph.toml", "[[calls]]\nclient = 'a'\nserver = 'b'\nrequests = 3"),
            ("graph.json", r#"{"calls": [{"client": "a", "server": "b", "requests": 3}]}"#),
            ("graph.prom", sample),
            ("graph.csv", "a,b,3"),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            let graph = ServiceGraph::from_path(&path).unwrap();
            assert_eq!(graph.traffic(0, 1).unwrap().requests, 3.0, "{name}");
        }
        std::fs::write(folder.join("graph.csv"), "a,a").unwrap();
        let error = ServiceGraph::from_path(folder.join("graph.csv")).unwrap_err().to_string();
        assert!(error.contains("graph.csv: line 1: \"a\" calls itself"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
        let gone = ServiceGraph::from_path(folder.join("graph.csv")).unwrap_err().to_string();
        assert!(gone.contains("graph.csv"), "{gone}");
    }
}
