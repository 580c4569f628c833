use crate::{
    error::{About, CliError},
    options::{
        input::ReadArgs,
        prometheus::{PrometheusArgs, clock, transport},
        question::{RuleArgs, TargetArgs, WindowArgs},
    },
    output::{files::NewFile, printable, terminal},
};
use clap::{Args, ValueEnum};
use forewarn::{
    io::{ReadSummary, Recording, SidedRecording},
    label::{HiddenOutages, Rule, label},
    live::ServedModel,
    schema::{FrameSet, Kind, Schema, Step},
    topology::ServiceGraph,
};
use forewarn_server::{PrometheusFindings, PrometheusQueries, Stop, inspect_prometheus};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write, fs::File, io::Write as _, path::Path, path::PathBuf};

mod config;
mod metrics;
mod prometheus;

use metrics::Metrics;

/// Read a metrics file, Prometheus, rule, graph, model or configuration and show what was understood
///
/// Exit code 0 if everything was understood, 1 if not. Of a server: which it is, which recipes match, which services
/// and metrics it has, what joins and what does not, and what a minute costs; exit code 1 if no rows would come.
#[derive(Args)]
pub(crate) struct Check {
    /// Metrics as CSV (any usual dialect, gzip or zstd), JSON lines or Parquet; a file, a pattern such as
    /// 'day-*.csv', a partitioned folder, or - for standard input; may be given several times
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    server: PrometheusArgs,
    /// File for the recipes' queries as recording rules, of a Prometheus that is to write them to a receiver
    #[arg(long, value_name = "FILE", help_heading = "Prometheus")]
    recording_rules: Option<PathBuf>,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    window: WindowArgs,
    /// Service graph: edge list, TOML, JSON or OpenTelemetry service graph samples
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Model file
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Exit with 1 also if the metrics can be read but give no window
    #[arg(long, requires = "input")]
    require_usable: bool,
    /// Format of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What was read of metrics.
enum Read {
    Whole(Recording),
    /// Of each value, on which side of the rule's limits it lies.
    Sides(SidedRecording),
}

impl Read {
    fn summary(&self) -> &ReadSummary {
        match self {
            Self::Whole(recording) => &recording.summary,
            Self::Sides(sides) => &sides.summary,
        }
    }

    /// Shows all frames, or one service after another.
    fn for_each(&self, mut visit: impl FnMut(&FrameSet) -> Result<(), CliError>) -> Result<(), CliError> {
        match self {
            Self::Whole(recording) => visit(&recording.frames),
            Self::Sides(sides) => {
                for frame in sides.frames() {
                    visit(&FrameSet::from_frames(vec![frame?])?)?;
                }
                Ok(())
            }
        }
    }
}

/// What was understood. Metrics lie at the top of the JSON object, everything else under a name of its own.
#[derive(Default)]
struct Findings {
    metrics: Option<Metrics>,
    rule: Option<Value>,
    graph: Option<Value>,
    model: Option<Value>,
    config: Option<Value>,
    prometheus: Option<PrometheusFindings>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let asks_for_rule = self.rule.rule.is_some() || self.rule.rule_file.is_some();
        let asks_for_file = !self.input.is_empty()
            || self.topology.is_some()
            || self.model.is_some()
            || self.server.config.is_some();
        if !asks_for_file && !self.server.is_given() && !asks_for_rule {
            return Err(CliError::usage(
                "what to check? Give --input, --prometheus, --rule-file, --rule, --topology, --model or --config",
            ));
        }
        if self.input.is_empty() {
            self.read.expect_unused(&["step"], "give --input as well")?;
        }
        let rule = self.rule.rule(self.read.outcome_column())?;
        let mut findings = Findings::default();
        if asks_for_rule {
            findings.rule = Some(json!({"sentence": rule.to_string()}));
        }
        let graph = self.topology.as_deref().map(ServiceGraph::from_path).transpose()?;
        findings.graph = graph.as_ref().map(about_graph);
        let model = self.model.as_deref().map(read_model).transpose()?;
        findings.model = model.as_ref().map(about_model);
        // A configuration whose source is another one names no server.
        let mut asks_server = self.server.prometheus.is_some();
        if let Some(path) = &self.server.config {
            let config = config::read(path)?;
            asks_server = config.reads_prometheus;
            findings.config = Some(config.about);
        }
        if !self.input.is_empty() {
            let read = self.read(&rule)?;
            let spec = self.window.spec(read.summary().step)?;
            let mut metrics = Metrics::of(&read, &rule, spec, self.target.target)?;
            if let Some(graph) = &graph {
                metrics.compare_names(read.summary(), graph);
            }
            if let Some(model) = &model {
                metrics.compare_model(read.summary(), model);
            }
            findings.metrics = Some(metrics);
        }
        if self.recording_rules.is_some() && !asks_server {
            return Err(CliError::usage(
                "--recording-rules: give --prometheus, or a --config that reads one",
            ));
        }
        if asks_server {
            findings.prometheus = Some(self.look_at_server(model.as_ref())?);
        }
        match self.format {
            Format::Json => terminal::print(&format!("{:#}", findings.json()))?,
            Format::Text => terminal::print(findings.text().trim_end())?,
        }
        if findings.prometheus.as_ref().is_some_and(|server| !server.is_usable) {
            return Err(CliError::NotUsable);
        }
        match &findings.metrics {
            Some(metrics) if self.require_usable && !metrics.usable => Err(CliError::NotUsable),
            _ => Ok(()),
        }
    }

    /// The metrics, of which only that is kept which the rule and the notes ask for. Where the rule does not fit, all
    /// are, to say what would.
    fn read(&self, rule: &Rule) -> Result<Read, CliError> {
        let is_there = |schema: &Schema| rule.metrics().iter().all(|name| schema.position(name).is_some());
        if let Some(limits) = rule.limits() {
            let mut limits: BTreeMap<String, Vec<f32>> =
                limits.into_iter().map(|(name, limits)| (name.to_owned(), limits)).collect();
            // Whether there is traffic.
            for (_, limits) in limits.iter_mut().filter(|(name, _)| HiddenOutages::is_traffic(name)) {
                limits.push(0.0);
                limits.sort_by(f32::total_cmp);
                limits.dedup();
            }
            let of = move |name: &str| {
                let of_traffic = || HiddenOutages::is_traffic(name).then(|| vec![0.0]);
                limits.get(name).cloned().or_else(of_traffic)
            };
            match self.read.read_sides(&self.input, of)? {
                Some(sides) if is_there(sides.schema()) => return Ok(Read::Sides(sides)),
                Some(_) => return self.read.read(&self.input).map(Read::Whole),
                None => {}
            }
        }
        let wanted: Vec<String> = rule.metrics().into_iter().map(str::to_owned).collect();
        let is_wanted =
            move |name: &str| wanted.iter().any(|wanted| wanted == name) || HiddenOutages::is_traffic(name);
        match self.read.read_metrics(&self.input, is_wanted)? {
            Some(few) if is_there(few.frames.schema()) => Ok(Read::Whole(few)),
            _ => self.read.read(&self.input).map(Read::Whole),
        }
    }

    fn look_at_server(&self, model: Option<&ServedModel>) -> Result<PrometheusFindings, CliError> {
        let mut settings = self.server.settings()?;
        let step = model.map(ServedModel::step).or(self.read.step()).unwrap_or(Step::MINUTE);
        let stop = Stop::default();
        let mut findings = inspect_prometheus(&settings, step, &clock(), transport(&settings)?, &stop)?;
        if settings.recipes.is_empty() {
            settings.recipes.clone_from(&findings.chosen);
        }
        if settings.recipes.is_empty() {
            return Ok(findings);
        }
        let queries = [PrometheusQueries::new(&settings, step)?];
        if let Some(model) = model {
            prometheus::compare_model(PrometheusQueries::trained_on(&queries, model), &mut findings);
        }
        if let Some(path) = &self.recording_rules {
            let mut file = NewFile::create(path, &[])?;
            file.write_all(queries[0].set().to_rule_file().as_bytes())?;
            file.finish()?;
        }
        Ok(findings)
    }
}

fn read_model(path: &Path) -> Result<ServedModel, CliError> {
    ServedModel::read(File::open(path).about(path.display())?).about(path.display())
}

fn about_graph(graph: &ServiceGraph) -> Value {
    let names: Vec<&str> = graph.services().collect();
    let note = crate::data::graph::excess_failures(graph);
    json!({"services": graph.len(), "calls": graph.calls(), "names": names, "note": note})
}

fn about_model(model: &ServedModel) -> Value {
    json!({
        "metrics": model.metrics().names().collect::<Vec<_>>(),
        "step_secs": model.step().millis() as f64 / 1000.0,
        "observation": model.window().observation(),
        "horizon": model.window().horizon(),
        "policy": model.policy(),
        "metadata": model.metadata(),
    })
}

impl Findings {
    fn json(&self) -> Value {
        let mut all = match self.metrics.as_ref().map(serde_json::to_value) {
            Some(Ok(Value::Object(all))) => all,
            _ => Map::new(),
        };
        let parts =
            [("rule", &self.rule), ("graph", &self.graph), ("model", &self.model), ("config", &self.config)];
        for (name, part) in parts {
            if let Some(part) = part {
                all.insert(name.to_owned(), part.clone());
            }
        }
        if let Some(Ok(server)) = self.prometheus.as_ref().map(serde_json::to_value) {
            all.insert("prometheus".to_owned(), server);
        }
        Value::Object(all)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(metrics) = &self.metrics {
            text += &metrics.text();
        }
        if let Some(rule) = &self.rule {
            let _ = writeln!(text, "rule: {}", rule["sentence"].as_str().unwrap_or_default());
        }
        if let Some(graph) = &self.graph {
            let _ = writeln!(text, "graph: {} services, {} calls", graph["services"], graph["calls"]);
            if let Some(note) = graph["note"].as_str() {
                let _ = writeln!(text, "note: {note}");
            }
        }
        if let Some(model) = &self.model {
            let _ = writeln!(
                text,
                "model: {}, {} steps of {} s, about the next {} steps, reads {}",
                printable::name(model["metadata"]["model"].as_str().unwrap_or("unnamed")),
                model["observation"],
                model["step_secs"],
                model["horizon"],
                model["metrics"].as_array().map_or(0, Vec::len)
            );
            text.insert_str(text.len() - 1, " metrics");
        }
        if let Some(config) = &self.config {
            text += &config::text(config);
        }
        if let Some(server) = &self.prometheus {
            text += &prometheus::text(server);
        }
        text
    }
}
