//! Service graphs from edge lists.

use crate::{
    Call, ServiceGraph, TopologyError,
    graph::{
        Services,
        edge_columns::{Column, Header, header},
    },
};
use csv::{ReaderBuilder, StringRecord, Trim};

impl ServiceGraph {
    /// Reads an edge list: one call a line, `client server` and, if one likes, the number of requests, separated by
    /// commas, semicolons, tabs, vertical bars, arrows or blanks, fields in double quotes where they hold a separator.
    ///
    /// A first line with names of columns, in any order, is recognised by any usual pair for the two ends, in any case:
    ///
    /// | column | names |
    /// |---|---|
    /// | who calls | `client`, `source`, `parent`, `caller`, `from`, `src`, `consumer`, `origin` |
    /// | who calls, beside `depends on` | `service`, `name`, `node`, `app` |
    /// | who is called | `server`, `target`, `child`, `callee`, `to`, `destination`, `dst`, `provider`, `dependency` |
    /// | requests | `requests`, `request_count`, `calls`, `count`, `weight`, `rate` |
    /// | failed requests | `failures`, `failed`, `errors` |
    /// | mean latency | `latency_millis`, `latency_ms`, `latency_seconds`, `latency_s` |
    /// | strength | `strength`, `probability` |
    /// | left out | `id`, `type`, `protocol`, `label`, `name` and the like |
    ///
    /// Numbers may be left empty between separators; with semicolons a comma is a decimal point. A line with one name
    /// alone is a service without calls. `#` begins a comment, at the begin of a line or after a blank. A byte order
    /// mark is left out. What is not understood is an error with its line, never a service.
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
    /// let same = ServiceGraph::from_edge_list("Source;Target;Weight\n\"gateway\";auth;1200,5")?;
    /// assert_eq!(same.traffic(1, 0)?.requests, 1200.5);
    ///
    /// let error = ServiceGraph::from_edge_list("gateway auth\nauth auth").unwrap_err();
    /// assert_eq!(error.to_string(), "line 2: \"auth\" calls itself: a call needs two services");
    /// # Ok::<(), forewarn_topology::TopologyError>(())
    /// ```
    ///
    /// # Errors
    /// [`TopologyError::At`] with the line, and in it [`TopologyError::UnreadableCall`] or what [`new`](Self::new)
    /// refuses.
    pub fn from_edge_list(text: &str) -> Result<Self, TopologyError> {
        let text = without_comments(text.strip_prefix('\u{feff}').unwrap_or(text));
        let separator = separator(&text);
        let text = if separator == Separator::Blanks { without_arrows(&text) } else { text };
        let mut columns = Header::usual();
        let (mut services, mut calls, mut is_first) = (Vec::new(), Vec::new(), true);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator.byte())
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        let written_at = next_written(&text);
        loop {
            let line = reader.position().line();
            let place = |line: u64| format!("line {line}");
            let more = reader.read_record(&mut record).map_err(|error| {
                let line = error.position().map_or(line, csv::Position::line);
                unreadable("", error.to_string()).at(place(line))
            })?;
            if !more {
                break;
            }
            // Blank lines before a record belong to it.
            let line = record.position().map_or(line, csv::Position::line);
            let place = place(written_at.get((line as usize).saturating_sub(1)).copied().unwrap_or(line));
            let mut fields = separator.fields(&record);
            // Spreadsheets end lines with empty fields.
            while fields.len() > columns.columns.len() && fields.last().is_some_and(String::is_empty) {
                fields.pop();
            }
            if fields.is_empty() {
                continue;
            }
            if is_first && is_mermaid(&fields) {
                continue;
            }
            let whole = || fields.join(" ");
            if let Some(field) = fields.iter().find(|field| field.contains(char::is_control)) {
                let reason = "a name has a line break or another control character: is a quote left open?";
                return Err(unreadable(field, reason.to_owned()).at(place));
            }
            if let Some(field) = fields.iter().find(|field| field.contains(['{', '}'])) {
                let reason = "a name with braces: JSON is read from files whose names end in .json or .jsonl, and other \
                              languages for graphs are not";
                return Err(unreadable(field, reason.to_owned()).at(place));
            }
            if let Some(field) = fields.iter().find(|field| field.contains("  ")) {
                let reason = "a name with several blanks in a row: use one separator throughout";
                return Err(unreadable(field, reason.to_owned()).at(place));
            }
            if std::mem::take(&mut is_first)
                && let Some(named) =
                    header(&fields).map_err(|reason| unreadable(&whole(), reason).at(&place))?
            {
                columns = named;
            } else if let [service] = &fields[..] {
                let lone =
                    separator.lone(service).map_err(|reason| unreadable(&whole(), reason).at(&place))?;
                services.push((place, lone.to_owned()));
            } else {
                let call = call(&fields, &columns, separator)
                    .map_err(|reason| unreadable(&whole(), reason).at(&place))?;
                calls.push((place, call));
            }
        }
        Self::build(services, Services::AsCalled, calls)
    }
}

/// Whether a first line is that of a chart in Mermaid: `graph LR`.
fn is_mermaid(fields: &[String]) -> bool {
    let [kind, direction] = fields else { return false };
    matches!(kind.as_str(), "graph" | "flowchart")
        && matches!(direction.as_str(), "LR" | "RL" | "TB" | "TD" | "BT")
}

fn unreadable(line: &str, reason: String) -> TopologyError {
    TopologyError::UnreadableCall { text: line.chars().take(MOST_SHOWN).collect(), reason }
}

/// Characters of a line that a message shows.
const MOST_SHOWN: usize = 200;

/// What lies between the fields of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Comma,
    Semicolon,
    Tab,
    Bar,
    Blanks,
}

/// The one that the first line with any of them has most of.
fn separator(text: &str) -> Separator {
    let all =
        [(',', Separator::Comma), (';', Separator::Semicolon), ('\t', Separator::Tab), ('|', Separator::Bar)];
    for line in text.lines() {
        let mut is_quoted = false;
        let outside: Vec<char> = line
            .trim()
            .chars()
            .filter(|&character| {
                is_quoted ^= character == '"';
                !is_quoted
            })
            .collect();
        let count = |separator: char| outside.iter().filter(|&&character| character == separator).count();
        // Of equals the first: a comma may be the decimal point of a list with semicolons, never the other way round.
        let order = [all[1], all[2], all[0], all[3]];
        if let Some((_, found)) = order.into_iter().find(|&(character, _)| count(character) > 0) {
            return found;
        }
    }
    Separator::Blanks
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
            Self::Blanks => b' ',
        }
    }

    /// The fields of a record, quotes undone; none for a blank line.
    fn fields(self, record: &StringRecord) -> Vec<String> {
        let fields = record.iter().filter(|field| self != Self::Blanks || !field.is_empty());
        let fields: Vec<String> = fields.map(unquoted).collect();
        if fields.iter().all(String::is_empty) && fields.len() < 2 { Vec::new() } else { fields }
    }

    /// A service without calls: a field that stands alone on its line. One that holds another separator was meant to
    /// be a call.
    fn lone(self, field: &str) -> Result<&str, String> {
        let other = [',', ';', '\t', '|', ' ']
            .into_iter()
            .find(|&other| other as u32 != u32::from(self.byte()) && field.contains(other));
        match other {
            Some(other) => Err(format!(
                "one field that holds {other:?}, where the first lines are separated by {:?}: use one separator throughout",
                char::from(self.byte())
            )),
            None => Ok(field),
        }
    }
}

/// A field whose quotes the reader left, since blanks stood before them.
fn unquoted(field: &str) -> String {
    let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\"").trim().to_owned())
}

/// The text with every comment cut off, line by line, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let (mut is_quoted, mut before, mut end) = (false, ' ', line.len());
        for (at, character) in line.char_indices() {
            is_quoted ^= character == '"';
            if character == '#' && !is_quoted && before.is_whitespace() {
                end = at;
                break;
            }
            before = character;
        }
        kept.push_str(line[..end].trim());
        kept.push('\n');
    }
    kept
}

/// The text with blanks for the arrows of lines such as `web -> api`.
fn without_arrows(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        match line.contains('"') {
            true => kept.push_str(line),
            false => kept.push_str(line.replace("-->", " ").replace("->", " ").replace("=>", " ").trim()),
        }
        kept.push('\n');
    }
    kept
}

/// For each line the number (from 1) of the first line from it on that is not blank.
fn next_written(text: &str) -> Vec<u64> {
    let lines: Vec<bool> = text.lines().map(str::is_empty).collect();
    let mut numbers = vec![0; lines.len()];
    let mut next = lines.len() as u64 + 1;
    for (line, is_blank) in lines.into_iter().enumerate().rev() {
        if !is_blank {
            next = line as u64 + 1;
        }
        numbers[line] = next;
    }
    numbers
}

fn call(fields: &[String], header: &Header, separator: Separator) -> Result<Call, String> {
    if fields.len() > header.columns.len() {
        return Err(format!(
            "{} fields where at most {} are expected; a first line with the columns' names allows more",
            fields.len(),
            header.columns.len()
        ));
    }
    let mut call = Call::new("", "");
    for (field, column) in fields.iter().zip(&header.columns) {
        let number = || {
            let plain =
                if separator == Separator::Semicolon { field.replace(',', ".") } else { field.clone() };
            plain.parse::<f64>().map_err(|_| format!("{field:?} is not a number"))
        };
        match column {
            Column::Client => field.clone_into(&mut call.client),
            Column::Server => field.clone_into(&mut call.server),
            Column::Other => {}
            _ if field.is_empty() => {}
            Column::Requests => call.traffic.requests = number()?,
            Column::Failures => call.traffic.failures = Some(number()?),
            Column::LatencyMillis => call.traffic.latency_millis = Some(number()?),
            Column::LatencySeconds => call.traffic.latency_millis = Some(1e3 * number()?),
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
        says("a b 3 4", "line 1: \"a b 3 4\" is not a call: 4 fields where at most 3 are expected");
        says("a b many", "line 1: \"a b many\" is not a call: \"many\" is not a number");
        says(
            "client server colour",
            "line 1: \"client server colour\" is not a call: column \"colour\" is none of",
        );
        says(
            "client server client",
            "line 1: \"client server client\" is not a call: column \"client\" names the client again",
        );
        says("client,server,strength\na,b,1.2", "line 2: strength is 1.2");
        says("a b inf", "line 1: requests is inf");
        says("a,", "line 1: a service needs a name");
        says("x\nx", "line 2: service \"x\" appears twice");
        says("web   api\t3", "line 1: \"web   api\" is not a call: a name with several blanks");
        says("a,b\nc;d", "line 2: \"c;d\" is not a call: one field that holds ';'");
        says("a b\n\nc,d", "line 1: \"a b\" is not a call: one field that holds ' '");
        says(
            "upstream,downstream\na,b",
            "line 1: \"upstream downstream\" is not a call: it looks like a header",
        );
        says(
            "client,server,latency\na,b,3",
            "line 1: \"client server latency\" is not a call: column \"latency\" has no unit",
        );
        says("{\"source\": \"a\", \"target\": \"b\"}", "line 1: \"{\\\"source\\\"");
        says("node1,node2\na,b", "line 1: \"node1 node2\" is not a call: it looks like a header");
        says("\"a,b\nc,d", "line 1: \"a,b\\nc,d");
        says(
            "\u{1b}[31ma b",
            "line 1: \"\\u{1b}[31ma\" is not a call: a name has a line break or another control",
        );
    }

    #[test]
    fn a_service_may_be_called_client() {
        let graph = ServiceGraph::from_edge_list("gateway client\nclient server").unwrap();
        assert_eq!(graph.calls(), 2);
    }

    /// The same call in every form.
    #[test]
    fn all_usual_forms_are_one_graph() {
        for text in [
            "web api 3",
            "  web   api  3",
            "web,api,3",
            "web;api;3",
            "web\tapi\t3",
            "client,server,requests\nweb,api,3",
            "\u{feff}client,server,requests\r\nweb,api,3\r\n",
            "Source,Target,Weight\nweb,api,3",
            "\"parent\";\"child\";\"count\"\n\"web\";\"api\";\"3\"",
            "callee\tcaller\tcalls\napi\tweb\t3",
            "from to rate\nweb api 3",
            "src|dst|count\nweb|api|3",
            "web -> api 3",
            "web->api 3",
            "graph LR\n  web --> api 3",
            "Service,Depends On,Count\nweb,api,3",
            "consumer;provider;rps\nweb;api;3",
            "origin,destination,weight\nweb,api,3",
            "id,source,target,type,count\n7,web,api,http,3",
            "calling_service,called_service,calls\nweb,api,3",
            "Client Service, Server Service, Request Count\n\"web\" , \"api\" , 3",
            "# a graph\n\nsrc,dst,weight # of a tool\n\nweb,api,3,",
        ] {
            let graph = match ServiceGraph::from_edge_list(text) {
                Ok(graph) => graph,
                Err(error) => panic!("{text:?}: {error}"),
            };
            assert_eq!(graph.services().collect::<Vec<_>>(), ["api", "web"], "{text:?}");
            assert_eq!(graph.traffic(1, 0).unwrap().requests, 3.0, "{text:?}");
        }
        let quoted = ServiceGraph::from_edge_list("client,server\n\"a, b\",\"c #1\"").unwrap();
        assert_eq!(quoted.services().collect::<Vec<_>>(), ["a, b", "c #1"]);
        let seconds = ServiceGraph::from_edge_list("client,server,latency_seconds\na,b,0.25").unwrap();
        assert_eq!(seconds.traffic(0, 1).unwrap().latency_millis, Some(250.0));
    }
}
