use std::fmt::Write;

use super::{Query, QuerySet};

/// Name of the series that a query's rule records.
pub(super) fn record(query: &Query) -> String {
    format!("forewarn:{}", query.metric)
}

/// A rule file. Text in YAML's double quotes has the escapes of JSON, and queries are one line of printable characters.
pub(super) fn rule_file(queries: &QuerySet) -> String {
    let mut file = format!("groups:\n- name: forewarn\n  interval: {}\n  rules:\n", queries.interval());
    for query in queries.queries() {
        let quoted = serde_json::Value::String(query.expression.clone());
        // Writing to a string cannot fail.
        let _ = writeln!(file, "  - record: {}\n    expr: {quoted}", record(query));
    }
    file
}
