use crate::{
    error::{About, CliError},
    options::input::ReadArgs,
    output::{printable, terminal},
};
use clap::{Args, ValueEnum};
use forewarn::{
    label::{Slo, SloReport},
    schema::{FrameSet, Metric, Schema},
    topology::{
        CascadeMethod, HealthMarks, HealthRules, LatencyKind, Overview, Scores, ServiceGraph, Strengths,
        Worlds,
    },
};
use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf};

/// Score a service graph: health, cascade risk, critical path, likely roots
///
/// Health, latencies and objectives are those of the last minute of a metrics file. Without one, they are what clients
/// measured of their servers, if the graph's file holds it.
#[derive(Args)]
pub(crate) struct Graph {
    /// Service graph: edge list, TOML, JSON or OpenTelemetry service graph samples
    #[arg(long, value_name = "FILE")]
    topology: PathBuf,
    /// Metrics of version 1, in any form that `forewarn check` understands
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
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

/// What is known of each service: health (0 to 1), latency in milliseconds, objectives. NaN where nothing is.
struct Known {
    health: Vec<f64>,
    latency: Vec<f64>,
    slos: Vec<(String, SloReport)>,
    /// Services of the metrics that are not in the graph.
    left_out: Vec<String>,
    /// Services of the graph that are not in the metrics.
    without_metrics: Vec<String>,
}

impl Graph {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let graph = ServiceGraph::from_path(&self.topology)?;
        let known = if self.input.is_empty() {
            self.read.expect_unused(&[], "give --input as well")?;
            from_calls(&graph)?
        } else {
            from_metrics(&graph, &self.read, &self.input)?
        };
        let strengths = Strengths::given(&graph, Strengths::USUAL)?;
        let radii = CascadeMethod::Auto(Worlds::new(128, crate::options::question::SEED)?);
        let overview =
            Overview::new(&graph, &strengths, LatencyKind::Inclusive, CascadeMethod::default(), radii)?;
        // What is unhealthy may fail by itself: half of its health gone is an even chance.
        let own: Vec<f64> = known.health.iter().map(|health| (1.0 - health).max(0.0)).collect();
        let scores = overview.update(&known.health, &own, &known.latency)?;
        let answer = Answer { graph: &graph, known: &known, overview: &overview, scores: &scores };
        match self.format {
            Format::Text => terminal::print(&answer.text()),
            Format::Json => terminal::print(&format!("{:#}", answer.json())),
        }
    }
}

/// From what clients saw of their servers.
fn from_calls(graph: &ServiceGraph) -> Result<Known, CliError> {
    let schema = Schema::new(vec![Metric::gauge("error_rate")])?;
    let rules = HealthRules::new(vec![HealthMarks::new("error_rate", 0.01, 0.05).with_down_at(0.5)])?
        .bind(&schema)?;
    let health = graph.observed_error_rates().iter().map(|&rate| rules.health(&[rate as f32])).collect();
    Ok(Known {
        health,
        latency: graph.observed_latencies_millis(),
        slos: Vec::new(),
        left_out: Vec::new(),
        without_metrics: Vec::new(),
    })
}

/// From the last minute of a metrics file; objectives over all of it.
fn from_metrics(graph: &ServiceGraph, read: &ReadArgs, paths: &[PathBuf]) -> Result<Known, CliError> {
    let frames = read.read(paths)?.frames;
    expect_milliseconds(&frames, read)?;
    let rules = HealthRules::v1().bind(frames.schema()).about("--input")?;
    let nan = || vec![f64::NAN; graph.len()];
    let mut known = Known {
        health: nan(),
        latency: nan(),
        slos: Vec::new(),
        left_out: Vec::new(),
        without_metrics: Vec::new(),
    };
    let names = graph.compare_names(frames.frames().map(|frame| frame.service())).about("--input")?;
    for frame in frames.frames() {
        let Some(service) = graph.find(frame.service()) else { continue };
        known.health[service] = rules.latest(frame);
        known.latency[service] = frame.column("p99_latency")?.last().map_or(f64::NAN, f64::from);
        for slo in Slo::v1() {
            known.slos.push((frame.service().to_owned(), slo.assess(frame)?));
        }
    }
    known.left_out = names.only_in_metrics;
    known.without_metrics = names.only_in_graph;
    Ok(known)
}

/// Below this, in milliseconds, the highest 99th percentile of a whole file is rather one in seconds.
const UNLIKELY_MILLIS: f32 = 10.0;

/// Refuses latencies that look like seconds, unless their unit is given: as milliseconds they would make everything
/// healthy.
fn expect_milliseconds(frames: &FrameSet, read: &ReadArgs) -> Result<(), CliError> {
    const METRIC: &str = "p99_latency";
    let Ok(column) = frames.schema().index_of(METRIC) else { return Ok(()) };
    let values = frames.values().chunks_exact(frames.schema().len()).map(|row| row[column]);
    let most = values.filter(|value| !value.is_nan()).fold(f32::NAN, f32::max);
    if most < UNLIKELY_MILLIS && !read.names_unit_of(METRIC) {
        return Err(CliError::failed(format!(
            "--input: {METRIC} never exceeds {most} ms, which looks like seconds; give --unit {METRIC}=s, or \
             --unit {METRIC}=ms if they are milliseconds"
        )));
    }
    Ok(())
}

/// What is wrong with the counters that a graph was read from.
pub(crate) fn excess_failures(graph: &ServiceGraph) -> Option<String> {
    let excess = graph.excess_failures();
    (excess > 0.0).then(|| {
        format!(
            "the samples of the graph have {excess} more failures than requests: as many failures as requests are taken \
             there; is the counter of requests complete?"
        )
    })
}

struct Answer<'a> {
    graph: &'a ServiceGraph,
    known: &'a Known,
    overview: &'a Overview,
    scores: &'a Scores,
}

impl Answer<'_> {
    fn name(&self, service: usize) -> String {
        printable::name(self.graph.name(service).unwrap_or_default())
    }

    fn text(&self) -> String {
        let Self { graph, known, overview, scores } = self;
        let mut text = format!(
            "{} services, {} calls; health of the system {}\n\n",
            graph.len(),
            graph.calls(),
            number(scores.dependency.system)
        );
        // As wide as the longest name.
        let names = (0..graph.len()).map(|service| self.name(service).chars().count());
        let width = names.max().unwrap_or_default().max("service".len());
        let _ = writeln!(
            text,
            "suspect  {:<width$}  status     health  with servers  may fail  brings down  latency",
            "service"
        );
        for (place, suspect) in scores.suspects.iter().enumerate() {
            let service = suspect.service;
            let _ = writeln!(
                text,
                "{:>2} {:.2}  {:<width$}  {:<9}  {:>6}  {:>12}  {:>8}  {:>11.2}  {:>7}",
                place + 1,
                suspect.score,
                self.name(service),
                scores.status[service],
                number(known_number(known.health[service])),
                number(scores.dependency.services[service]),
                number(known_number(scores.failing[service].value)),
                overview.blast_radii()[service].value,
                millis(scores.latencies_millis[service]),
            );
        }
        if let Some(path) = &scores.critical_path {
            let _ = writeln!(text, "\ncritical path, {}:", millis(path.latency_millis));
            for stop in &path.stops {
                let bar = "#".repeat((40.0_f64 * stop.share).round().clamp(0.0, 40.0) as usize);
                let _ = writeln!(
                    text,
                    "  {:<width$}  {:>4.0} %  {bar}",
                    self.name(stop.service),
                    100.0 * stop.share
                );
            }
        }
        if let Some(note) = excess_failures(graph) {
            let _ = writeln!(text, "note: {note}");
        }
        for (service, slo) in known.slos.iter().filter(|(_, slo)| slo.budget_spent > Some(1.0)) {
            let service = printable::name(service);
            let _ = writeln!(
                text,
                "{service}: {} missed its objective, {} violations in {} rows",
                slo.name, slo.violations, slo.rows
            );
        }
        for name in &known.left_out {
            let _ = writeln!(text, "{}: in the metrics, not in the graph, left out", printable::name(name));
        }
        for name in &known.without_metrics {
            let _ =
                writeln!(text, "{}: in the graph, not in the metrics, health unknown", printable::name(name));
        }
        text.trim_end().to_owned()
    }

    fn json(&self) -> Value {
        let Self { graph, known, overview, scores } = self;
        let services = scores.suspects.iter().map(|suspect| {
            let service = suspect.service;
            json!({
                "service": graph.name(service),
                "suspect": suspect.score,
                "status": scores.status[service].to_string(),
                "health": known_number(known.health[service]),
                "health_with_servers": scores.dependency.services[service],
                "may_fail": known_number(scores.failing[service].value),
                "blast_radius": overview.blast_radii()[service].value,
                "latency_millis": scores.latencies_millis[service],
            })
        });
        let path = scores.critical_path.as_ref().map(|path| {
            let stops = path
                .stops
                .iter()
                .map(|stop| json!({"service": graph.name(stop.service), "share": stop.share}));
            json!({"latency_millis": path.latency_millis, "stops": stops.collect::<Vec<_>>()})
        });
        json!({
            "system_health": scores.dependency.system,
            "services": services.collect::<Vec<_>>(),
            "critical_path": path,
            "left_out": known.left_out,
            "without_metrics": known.without_metrics,
        })
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.2}"))
}

fn millis(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.0} ms"))
}

fn known_number(value: impl Into<Option<f64>>) -> Option<f64> {
    value.into().filter(|value| !value.is_nan())
}
