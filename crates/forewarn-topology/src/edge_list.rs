//! Service graphs from edge lists.

use crate::{Call, ServiceGraph, TopologyError, graph::Services};

/// A column of an edge list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Client,
    Server,
    Requests,
    Failures,
    LatencyMillis,
    Strength,
}

const COLUMNS: [(&str, Column); 6] = [
    ("client", Column::Client),
    ("server", Column::Server),
    ("requests", Column::Requests),
    ("failures", Column::Failures),
    ("latency_millis", Column::LatencyMillis),
    ("strength", Column::Strength),
];

impl ServiceGraph {
    /// Reads an edge list: one call a line, `client server` and, if one likes, the number of requests, separated by commas or blanks.
    ///
    /// A first line with the words `client` and `server` names the columns, in any order; with it there can also be `failures`,
    /// `latency_millis` and `strength`, and a field may be left empty between commas. A line with one name alone is a service without
    /// calls. `#` begins a comment.
    ///
    /// ```
    /// use forewarn_topology::ServiceGraph;
    ///
    /// let graph = ServiceGraph::from_edge_list("
    ///     client,  server,   requests, strength
    ///     gateway, auth,     1200,     0.7
    ///     gateway, user,     900,
    ///     user,    database, 1800,     0.9   # two queries a request
    ///     batch
    /// ")?;
    /// assert_eq!(graph.services().collect::<Vec<_>>(), ["auth", "batch", "database", "gateway", "user"]);
    ///
    /// let error = ServiceGraph::from_edge_list("gateway auth\nauth auth").unwrap_err();
    /// assert_eq!(error.to_string(), "line 2: \"auth\" calls itself: a call needs two services");
    /// # Ok::<(), forewarn_topology::TopologyError>(())
    /// ```
    ///
    /// # Errors
    /// [`TopologyError::At`] with the line, and in it [`TopologyError::UnreadableCall`] or what [`new`](Self::new) refuses.
    pub fn from_edge_list(text: &str) -> Result<Self, TopologyError> {
        let mut columns = vec![Column::Client, Column::Server, Column::Requests];
        let (mut services, mut calls, mut first) = (Vec::new(), Vec::new(), true);
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let fields = fields(line);
            if fields.is_empty() {
                continue;
            }
            let place = format!("line {}", number + 1);
            if std::mem::take(&mut first) && fields.contains(&"client") && fields.contains(&"server") {
                columns = header(line, &fields).map_err(|error| error.at(place))?;
            } else if let [service] = fields[..] {
                services.push((place, service.to_owned()));
            } else {
                let call = call(line, &fields, &columns).map_err(|error| error.at(place.clone()))?;
                calls.push((place, call));
            }
        }
        Self::build(services, Services::AsCalled, calls)
    }
}

/// The fields of a line: with a comma in it, what is between commas, else what is between blanks.
fn fields(line: &str) -> Vec<&str> {
    if line.contains(',') {
        line.split(',').map(str::trim).collect()
    } else {
        line.split_whitespace().collect()
    }
}

fn unreadable(line: &str, reason: String) -> TopologyError {
    TopologyError::UnreadableCall { text: line.to_owned(), reason }
}

fn header(line: &str, fields: &[&str]) -> Result<Vec<Column>, TopologyError> {
    let mut columns = Vec::new();
    for field in fields {
        let Some(&(_, column)) = COLUMNS.iter().find(|(name, _)| name == field) else {
            let names = COLUMNS.map(|(name, _)| name).join(", ");
            return Err(unreadable(line, format!("column {field:?} is none of {names}")));
        };
        if columns.contains(&column) {
            return Err(unreadable(line, format!("column {field:?} appears twice")));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn call(line: &str, fields: &[&str], columns: &[Column]) -> Result<Call, TopologyError> {
    if fields.len() > columns.len() {
        let reason = format!(
            "{} fields where at most {} are expected; a first line with the columns' names allows more",
            fields.len(),
            columns.len()
        );
        return Err(unreadable(line, reason));
    }
    let mut call = Call::new("", "");
    for (&field, column) in fields.iter().zip(columns) {
        let number = || {
            let reason = || format!("{field:?} is no number");
            field.parse::<f64>().map_err(|_| unreadable(line, reason()))
        };
        match column {
            Column::Client => field.clone_into(&mut call.client),
            Column::Server => field.clone_into(&mut call.server),
            _ if field.is_empty() => {}
            Column::Requests => call.traffic.requests = number()?,
            Column::Failures => call.traffic.failures = Some(number()?),
            Column::LatencyMillis => call.traffic.latency_millis = Some(number()?),
            Column::Strength => call.traffic.strength = Some(number()?),
        }
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_line() {
        let says = |text: &str, expected: &str| {
            let error = ServiceGraph::from_edge_list(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        says("a b\n\n# note\na b", "line 4: the call from \"a\" to \"b\" appears twice");
        says("a b 3 4", "line 1: \"a b 3 4\" is no call: 4 fields where at most 3 are expected");
        says("a b many", "line 1: \"a b many\" is no call: \"many\" is no number");
        says(
            "client server weight",
            "line 1: \"client server weight\" is no call: column \"weight\" is none of",
        );
        says(
            "client server client",
            "line 1: \"client server client\" is no call: column \"client\" appears twice",
        );
        says("client,server,strength\na,b,1.2", "line 2: strength is 1.2");
        says("a b inf", "line 1: requests is inf");
        says("a,", "line 1: a service needs a name");
        says("x\nx", "line 2: service \"x\" appears twice");
    }

    #[test]
    fn a_service_may_be_called_client() {
        let graph = ServiceGraph::from_edge_list("gateway client\nclient server").unwrap();
        assert_eq!(graph.calls(), 2);
    }
}
