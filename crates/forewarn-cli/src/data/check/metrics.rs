//! What would come of a metrics file: services, windows, failures, and what is left out and why.

use super::*;
use crate::options::question::way_out;
use forewarn::{
    core::{FailureRule, Label, Target},
    prelude::WindowSpec,
};

/// Share of rows above which a rule that holds, or is unknown, is worth a note.
const MOST: f64 = 0.5;

/// What was understood of a metrics file.
#[derive(Serialize)]
pub(super) struct Metrics {
    /// Whether any window would come of it.
    pub(super) usable: bool,
    /// Why it is not usable.
    reasons: Vec<String>,
    /// What a user should know before trusting the data.
    notes: Vec<String>,
    /// CSV or Parquet.
    format: String,
    /// The metrics, in order.
    metrics: Vec<String>,
    /// The failure rule, as a sentence.
    rule: String,
    services: Vec<Service>,
}

/// One service of it.
#[derive(Serialize)]
struct Service {
    name: String,
    rows: u64,
    step_secs: f64,
    first: String,
    last: String,
    /// Cells of it that hold no number, rows that the file lacks among them.
    missing: u64,
    /// Windows with a label.
    windows: usize,
    /// Failure episodes.
    episodes: usize,
    /// Windows without a label, by reason.
    left_out: BTreeMap<&'static str, usize>,
}

impl Metrics {
    pub(super) fn of(recording: &Recording, rule: &Rule, spec: WindowSpec, target: Target) -> Self {
        let Recording { frames, summary, .. } = recording;
        let names = summary.metrics.iter().filter(|metric| metric.kind != Kind::Outcome);
        let mut found = Self {
            usable: false,
            reasons: Vec::new(),
            notes: summary.notes.clone(),
            format: summary.format.to_string(),
            metrics: names.map(|metric| metric.name.clone()).collect(),
            rule: rule.to_string(),
            services: services(recording),
        };
        match label(frames, rule, spec, target) {
            Ok(labels) => {
                for (_, service, _, label) in labels.windows() {
                    let service = &mut found.services[service];
                    match label {
                        Label::Positive | Label::Negative => service.windows += 1,
                        Label::Excluded(reason) => *service.left_out.entry(reason.name()).or_default() += 1,
                    }
                }
                for (service, episodes) in found.services.iter_mut().zip(labels.episodes()) {
                    service.episodes = episodes.len();
                    let early = (service.rows as usize).min(spec.observation() - 1);
                    if early > 0 {
                        service.left_out.insert("too_early", early);
                    }
                }
                found.note_shares(frames, rule);
            }
            Err(error) => found
                .reasons
                .push(format!("the failure rule cannot be applied: {error}; {}", way_out(frames))),
        }
        let windows: usize = found.services.iter().map(|service| service.windows).sum();
        if windows == 0 && found.reasons.is_empty() {
            found.reasons.push("no window has a label: see what is left out, by service".to_owned());
        }
        found.usable = windows > 0;
        found
    }

    /// Says where a rule is mostly unknown, mostly holds, or never holds.
    fn note_shares(&mut self, frames: &FrameSet, rule: &Rule) {
        let mut episodes = 0;
        for (frame, service) in frames.frames().zip(&self.services) {
            let Ok(assessment) = rule.assess(frame) else { continue };
            episodes += assessment.episodes.len();
            let rows = frame.rows().max(1) as f64;
            let unknown: usize = assessment.unknown.iter().map(|range| range.len()).sum();
            let failing: i64 = assessment
                .episodes
                .iter()
                .map(|episode| (episode.end().millis() - episode.onset().millis()) / frame.step().millis())
                .sum();
            let (name, percent) = (&service.name, |part: f64| format!("{:.0} %", 100.0 * part / rows));
            if unknown as f64 / rows > MOST {
                self.notes
                    .push(format!("{name}: the rule is unknown in {} of the rows", percent(unknown as f64)));
            }
            if failing as f64 / rows > MOST {
                self.notes.push(format!("{name}: the rule holds in {} of the rows", percent(failing as f64)));
            }
        }
        self.notes.extend(HiddenOutages::find(frames, rule).map(|found| found.to_string()));
        if episodes == 0 {
            self.notes.push("the rule is never satisfied: there is no failure to learn from".to_owned());
        }
        for service in self.services.iter().filter(|service| service.windows == 0) {
            self.notes.push(format!("{}: no window has a label", service.name));
        }
    }

    /// Names that stand in the metrics or in the graph alone.
    pub(super) fn compare_names(&mut self, frames: &FrameSet, graph: &ServiceGraph) {
        let names = match graph.compare_names(frames.frames().map(|frame| frame.service())) {
            Ok(names) => names,
            Err(error) => {
                self.usable = false;
                self.reasons.push(error.to_string());
                return;
            }
        };
        for (one, other, names) in
            [("metrics", "graph", names.only_in_metrics), ("graph", "metrics", names.only_in_graph)]
        {
            if !names.is_empty() {
                self.notes.push(format!("in the {one} and not in the {other}: {}", names.join(", ")));
            }
        }
    }

    /// Metrics and step that the model needs and the file lacks.
    pub(super) fn compare_model(&mut self, recording: &Recording, model: &ServedModel) {
        let Recording { frames, summary, .. } = recording;
        let is_there = |name: &str| summary.metrics.iter().any(|metric| metric.name == name);
        if let Some(missing) = model.metrics().names().find(|name| !is_there(name)) {
            self.usable = false;
            self.reasons.push(format!("the model reads {missing:?}, which the file lacks"));
        }
        if frames.layout().step() != model.step() {
            self.usable = false;
            self.reasons.push(format!(
                "rows are {} s apart, and the model was trained on rows {} s apart",
                frames.layout().step().millis() as f64 / 1000.0,
                model.step().millis() as f64 / 1000.0
            ));
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("metrics ({}): {}\n", self.format, self.metrics.join(", "));
        let _ = writeln!(text, "failures by: {}", self.rule);
        for service in &self.services {
            let _ = write!(
                text,
                "{}: {} rows every {} s from {} to {}, {} cells missing, {} windows, {} failures",
                printable::name(&service.name),
                service.rows,
                service.step_secs,
                service.first,
                service.last,
                service.missing,
                service.windows,
                service.episodes
            );
            let reasons: Vec<String> =
                service.left_out.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let _ = if reasons.is_empty() {
                writeln!(text)
            } else {
                writeln!(text, "; left out: {}", reasons.join(", "))
            };
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        for reason in &self.reasons {
            let _ = writeln!(text, "not usable: {reason}");
        }
        text
    }
}

fn services(recording: &Recording) -> Vec<Service> {
    let Recording { frames, summary, .. } = recording;
    let (step, width) = (frames.layout().step(), summary.metrics.len() as u64);
    let found: BTreeMap<&str, _> =
        summary.services.iter().map(|service| (service.name.as_str(), service)).collect();
    frames
        .frames()
        .map(|frame| {
            let last = frame.time(frame.rows().saturating_sub(1));
            let of_file = found.get(frame.service());
            Service {
                name: frame.service().to_owned(),
                rows: of_file.map_or(frame.rows() as u64, |service| service.rows),
                step_secs: step.millis() as f64 / 1000.0,
                first: frame.start().to_string(),
                last: last.to_string(),
                missing: of_file.map_or(0, |service| service.missing_cells + width * service.gap_rows),
                windows: 0,
                episodes: 0,
                left_out: BTreeMap::new(),
            }
        })
        .collect()
}
