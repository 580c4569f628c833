//! Names of an edge list's columns, as tools write them.

/// A column of an edge list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Client,
    Server,
    Requests,
    Failures,
    LatencyMillis,
    LatencySeconds,
    Strength,
    /// What says nothing of who calls whom, or how much.
    Other,
}

/// Columns in the order of a list's fields.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) columns: Vec<Column>,
}

/// What each column may be called, in small letters with underscores; the first name is the one that messages give.
const NAMES: [(Column, &[&str]); 7] = [
    (
        Column::Client,
        &[
            "client",
            "source",
            "parent",
            "caller",
            "calling",
            "from",
            "src",
            "consumer",
            "requester",
            "requestor",
            "origin",
            "start",
            "dependent",
            "tail",
        ],
    ),
    (
        Column::Server,
        &[
            "server",
            "target",
            "child",
            "callee",
            "called",
            "to",
            "destination",
            "dst",
            "dest",
            "provider",
            "responder",
            "end",
            "dependency",
            "depends_on",
            "head",
        ],
    ),
    (
        Column::Requests,
        &[
            "requests",
            "request_count",
            "request_total",
            "requests_total",
            "calls",
            "call_count",
            "callcount",
            "count",
            "weight",
            "rate",
            "rps",
            "value",
        ],
    ),
    (
        Column::Failures,
        &["failures", "failed", "failed_requests", "errors", "error_count", "errorcount", "failed_count"],
    ),
    (Column::LatencyMillis, &["latency_millis", "latency_ms", "latency_milliseconds"]),
    (Column::LatencySeconds, &["latency_seconds", "latency_s"]),
    (Column::Strength, &["strength", "probability"]),
];

/// Columns beside those of a call that are left out.
const OTHERS: [&str; 17] = [
    "id",
    "index",
    "key",
    "type",
    "kind",
    "label",
    "name",
    "description",
    "protocol",
    "port",
    "method",
    "directed",
    "direction",
    "namespace",
    "connection_type",
    "relationship",
    "",
];

/// What a list of dependencies calls the service that has them.
const WHO_DEPENDS: [&str; 6] = ["service", "name", "node", "app", "application", "component"];

/// Words that are no services on a first line, and do not say either who calls whom.
const UNCLEAR: [&str; 16] = [
    "upstream",
    "downstream",
    "service",
    "services",
    "name",
    "node",
    "id",
    "edge",
    "u",
    "v",
    "node1",
    "node2",
    "node_1",
    "node_2",
    "service1",
    "service2",
];

impl Header {
    /// What a list without a header has.
    pub(crate) fn usual() -> Self {
        Self { columns: vec![Column::Client, Column::Server, Column::Requests] }
    }
}

/// `Client Service`, `client-service` and `client_service` are one name, and the same as `client`.
pub(super) fn plain(field: &str) -> String {
    let name: String = field
        .trim()
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let name = name.trim_matches('_').to_owned();
    let ends =
        ["_service_name", "_service", "_name", "_workload", "_app", "_node", "_id", "_pod", "_component"];
    ends.iter().find_map(|end| name.strip_suffix(end)).map_or_else(|| name.clone(), str::to_owned)
}

pub(super) fn column(name: &str) -> Option<Column> {
    NAMES.iter().find(|(_, names)| names.contains(&name)).map(|&(column, _)| column)
}

/// The header that the fields of a first line are; `None` where they are services. The error says why they are neither.
pub(crate) fn header(fields: &[String]) -> Result<Option<Header>, String> {
    let names: Vec<String> = fields.iter().map(|field| plain(field)).collect();
    let mut found: Vec<Option<Column>> = names.iter().map(|name| column(name)).collect();
    // `service, depends_on`.
    let is_who = |name: &String| WHO_DEPENDS.contains(&name.as_str());
    if found.contains(&Some(Column::Server))
        && !found.contains(&Some(Column::Client))
        && names.iter().any(|name| name == "dependency" || name == "depends_on")
        && let Some(index) = names.iter().position(is_who)
    {
        found[index] = Some(Column::Client);
    }
    let has = |column| found.contains(&Some(column));
    if !(has(Column::Client) && has(Column::Server)) {
        let is_number_column = |name: &&String| {
            column(name).is_some_and(|column| !matches!(column, Column::Client | Column::Server))
        };
        let is_unclear = names.iter().all(|name| UNCLEAR.contains(&name.as_str()))
            || names.iter().skip(2).any(|name| is_number_column(&name));
        if is_unclear {
            return Err(
                "it looks like a header, and does not say who calls whom: call the columns client and server"
                    .to_owned(),
            );
        }
        return Ok(None);
    }
    let mut columns = Vec::new();
    for ((field, name), found) in fields.iter().zip(&names).zip(found) {
        let other = found.is_none() && OTHERS.contains(&name.as_str());
        let Some(column) = found.or(other.then_some(Column::Other)) else {
            if name == "latency" || name == "duration" {
                return Err(format!(
                    "column {field:?} has no unit: expected latency_millis or latency_seconds"
                ));
            }
            let known: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
            return Err(format!(
                "column {field:?} is none of {}, or another usual name of them",
                known.join(", ")
            ));
        };
        if column != Column::Other && columns.contains(&column) {
            let usual = NAMES.iter().find(|(other, _)| *other == column).map_or("", |(_, names)| names[0]);
            return Err(format!("column {field:?} names the {usual} again"));
        }
        columns.push(column);
    }
    Ok(Some(Header { columns }))
}
