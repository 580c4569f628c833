use crate::{
    error::{About, CliError},
    input::ReadArgs,
    printable,
    question::{RuleArgs, TargetArgs, WindowArgs},
    terminal,
};
use clap::{Args, ValueEnum};
use forewarn::{
    io::Recording,
    label::{Rule, label},
    live::ServedModel,
    schema::{FrameSet, Kind},
    topology::ServiceGraph,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write, fs::File, path::Path, path::PathBuf};

mod config;
mod metrics;

use metrics::Metrics;

/// Read a metrics file, rule, graph, model or configuration and show what was understood
///
/// Exit code 0 if everything was understood, 1 if not.
#[derive(Args)]
pub(crate) struct Check {
    /// Metrics as CSV (any usual dialect, gzip or zstd), JSON lines or Parquet; a file, a pattern such as 'day-*.csv', a
    /// partitioned folder, or - for standard input; may be given several times
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
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
    /// Configuration of a live service, with its models, tokens and certificates
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Exit with 1 also if the metrics can be read but give no window
    #[arg(long)]
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

/// What was understood. Metrics lie at the top of the JSON object, everything else under a name of its own.
#[derive(Default)]
struct Findings {
    metrics: Option<Metrics>,
    rule: Option<Value>,
    graph: Option<Value>,
    model: Option<Value>,
    config: Option<Value>,
}

impl Check {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        let asks_for_rule = self.rule.rule.is_some() || self.rule.rule_file.is_some();
        let asks_for_file = self.topology.is_some() || self.model.is_some() || self.config.is_some();
        if self.input.is_empty() && !asks_for_file && !asks_for_rule {
            return Err(CliError::usage(
                "what to check? Give --input, --rule-file, --rule, --topology, --model or --config",
            ));
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
        findings.config = self.config.as_deref().map(config::about).transpose()?;
        if !self.input.is_empty() {
            let recording = self.read.read(&self.input)?;
            let spec = self.window.spec(recording.frames.layout().step())?;
            let mut metrics = Metrics::of(&recording, &rule, spec, self.target.target);
            if let Some(graph) = &graph {
                metrics.compare_names(&recording.frames, graph);
            }
            if let Some(model) = &model {
                metrics.compare_model(&recording.frames, model);
            }
            findings.metrics = Some(metrics);
        }
        match self.format {
            Format::Json => terminal::print(&format!("{:#}", findings.json()))?,
            Format::Text => terminal::print(findings.text().trim_end())?,
        }
        match &findings.metrics {
            Some(metrics) if self.require_usable && !metrics.usable => Err(CliError::NotUsable),
            _ => Ok(()),
        }
    }
}

fn read_model(path: &Path) -> Result<ServedModel, CliError> {
    ServedModel::read(File::open(path).about(path.display())?).about(path.display())
}

fn about_graph(graph: &ServiceGraph) -> Value {
    let names: Vec<&str> = graph.services().collect();
    json!({"services": graph.len(), "calls": graph.calls(), "names": names})
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
        text
    }
}
