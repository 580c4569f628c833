use crate::{
    error::{About, CliError},
    options::input::ReadArgs,
    output::{printable, terminal},
};
use clap::{Args, ValueEnum};
use forewarn::{
    schema::{FrameSet, Schema, Timestamp},
    topology::{RootFindings, RootSearch, ServiceGraph, Worse},
};
use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf};

/// Rank the services that a failure may have come from
///
/// Compares one metric of all services that the failing one calls, directly or through others: how much worse it got
/// with the onset than it ever gets in the service's own normal period, and whether it moved with the failing
/// service's.
/// The JSON answer is a list, best first, and empty where nothing is wrong.
#[derive(Args)]
pub(crate) struct Roots {
    /// Service graph: edge list, TOML, JSON or OpenTelemetry service graph samples
    #[arg(long, value_name = "FILE")]
    topology: PathBuf,
    /// Metrics of a period without failures, some hours at least, in any form that `forewarn check` understands
    #[arg(long, value_name = "FILE", required = true)]
    normal: Vec<PathBuf>,
    /// Metrics from before the onset until a quarter of an hour after it
    #[arg(long, value_name = "FILE", required = true)]
    input: Vec<PathBuf>,
    /// The service that fails
    #[arg(long, value_name = "NAME")]
    service: String,
    /// The onset: RFC 3339, such as 2024-01-01T10:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Timestamp,
    /// Less of the metric is worse, as of throughput [default: only for names like availability or success]
    #[arg(long)]
    lower_is_worse: bool,
    /// Services to show in text, the most suspicious first; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10)]
    show: usize,
    #[command(flatten)]
    read: ReadArgs,
    /// Format of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Roots {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let graph = ServiceGraph::from_path(&self.topology)?;
        let normal = self.read.read(&self.normal)?.frames;
        let input = self.read.read(&self.input)?.frames;
        let asked = self.read.metric().ok_or_else(|| {
            CliError::usage("--metric: which metric fails? Name a column, or latency or availability")
        })?;
        let (metric, worse) = metric(&input, asked)?;
        let worse = if self.lower_is_worse { Worse::Lower } else { worse };
        let search = RootSearch::new(&metric).with_worse(worse);
        let found = search.find(&graph, &normal, &input, &self.service, self.at)?;
        match self.format {
            Format::Text => terminal::print(&self.text(&graph, &found, &metric)),
            Format::Json => terminal::print(&format!("{:#}", list(&graph, &found))),
        }
    }

    fn text(&self, graph: &ServiceGraph, found: &RootFindings, metric: &str) -> String {
        let name = |service: usize| printable::name(graph.name(service).unwrap_or_default());
        let target = printable::name(&self.service);
        let metric = printable::name(metric);
        let mut text = String::new();
        if !found.is_anything_wrong() {
            let _ = writeln!(
                text,
                "Nothing is wrong at {}: {metric} of {target} and of what it calls stays within its normal period.",
                self.at
            );
        } else {
            let show = if self.show == 0 { found.suspects.len() } else { self.show };
            let shown: Vec<_> =
                found.suspects.iter().take(show).filter(|suspect| suspect.score > 0.0).collect();
            let width = shown.iter().map(|suspect| name(suspect.service).chars().count());
            let width = width.max().unwrap_or_default().max("service".len());
            let _ = writeln!(text, "{metric} of {target} at {}\n", self.at);
            let _ = writeln!(text, "suspect  {:<width$}  excess  correlation", "service");
            for (place, suspect) in shown.iter().enumerate() {
                let view = suspect.view_of.map(|server| format!("  client-side view of {}", name(server)));
                let _ = writeln!(
                    text,
                    "{:>2} {:.2}  {:<width$}  {:>6}  {:>11}{}",
                    place + 1,
                    suspect.score,
                    name(suspect.service),
                    number(suspect.excess, 1),
                    number(suspect.correlation, 2),
                    view.unwrap_or_default()
                );
            }
            text +=
                "\nexcess: how much worse it got, as a multiple of the worst 1 % of its own normal period\n";
        }
        if !found.unknown.is_empty() {
            const SHOWN: usize = 5;
            let names: Vec<String> = found.unknown.iter().take(SHOWN).map(|&service| name(service)).collect();
            let more = found.unknown.len() - names.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(
                text,
                "unknown, for want of rows around the onset or in the normal period: {}{more}",
                names.join(", ")
            );
        }
        text.trim_end().to_owned()
    }
}

/// Suspects, best first.
fn list(graph: &ServiceGraph, found: &RootFindings) -> Value {
    if !found.is_anything_wrong() {
        return json!([]);
    }
    let entry = |suspect: &forewarn::topology::RootSuspect| {
        json!({
            "service": graph.name(suspect.service),
            "score": suspect.score,
            "excess": known(suspect.excess),
            "correlation": known(suspect.correlation),
            "view_of": suspect.view_of.and_then(|server| graph.name(server)),
        })
    };
    Value::Array(found.suspects.iter().map(entry).collect())
}

fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn number(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "-".to_owned() }
}

/// The column that is meant, and which direction of it is bad.
///
/// `latency` and `availability` stand for what most services have: the mean (or median, or first) latency, and the
/// share of errors where availability itself is no column.
fn metric(frames: &FrameSet, asked: &str) -> Result<(String, Worse), CliError> {
    let schema = frames.schema();
    let direction = |name: &str| {
        let name = name.to_lowercase();
        let is_good = ["availability", "success", "throughput"].iter().any(|good| name.contains(good));
        if is_good { Worse::Lower } else { Worse::Higher }
    };
    if schema.position(asked).is_some() {
        return Ok((asked.to_owned(), direction(asked)));
    }
    let stands_for = match asked {
        "latency" => first_with(schema, &["mean_latency", "p50_latency", "latency", "duration"]),
        "availability" => first_with(schema, &["error_rate", "error", "fail"]),
        _ => None,
    };
    let column = match stands_for {
        Some(column) => column,
        None => {
            schema.index_of(asked).about("--metric")?;
            asked
        }
    };
    Ok((column.to_owned(), direction(column)))
}

/// The first metric whose name contains the first of `parts` that any contains.
fn first_with<'a>(schema: &'a Schema, parts: &[&str]) -> Option<&'a str> {
    parts.iter().find_map(|part| schema.names().find(|name| name.to_lowercase().contains(part)))
}

/// RFC 3339, or seconds (with up to 11 digits) or milliseconds since 1970.
fn time(text: &str) -> Result<Timestamp, String> {
    const MOST_SECONDS: i64 = 100_000_000_000;
    if let Ok(number) = text.trim().parse::<i64>() {
        let millis = if number.abs() < MOST_SECONDS { number.saturating_mul(1_000) } else { number };
        return Timestamp::from_millis(millis)
            .ok_or_else(|| "expected a time within the calendar".to_owned());
    }
    text.parse().map_err(|_| "expected a time such as 2024-01-01T10:00:00Z, or seconds since 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_have_them() {
        let expected = time("2023-04-18T22:10:03Z").unwrap();
        assert_eq!(time("1681855803").unwrap(), expected);
        assert_eq!(time("1681855803000").unwrap(), expected);
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn a_kind_of_metric_stands_for_a_column() {
        let names = ["request_count", "error_rate", "p99_latency", "mean_latency"];
        let schema = Schema::new(names.map(forewarn::schema::Metric::gauge).to_vec()).unwrap();
        assert_eq!(first_with(&schema, &["mean_latency", "latency"]), Some("mean_latency"));
        assert_eq!(first_with(&schema, &["p50_latency", "latency"]), Some("p99_latency"));
        assert_eq!(first_with(&schema, &["duration"]), None);
    }
}
