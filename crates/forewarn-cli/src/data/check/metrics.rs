//! What would come of a metrics file: services, windows, failures, and what is left out and why.

use super::*;
use crate::options::question::way_out;
use forewarn::{
    core::{FailureRule, Label, Labels, Target},
    io::ServiceSummary,
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
    pub(super) fn of(read: &Read, rule: &Rule, spec: WindowSpec, target: Target) -> Result<Self, CliError> {
        let summary = read.summary();
        let names = summary.metrics.iter().filter(|metric| metric.kind != Kind::Outcome);
        let mut found = Self {
            usable: false,
            reasons: Vec::new(),
            notes: summary.notes.clone(),
            format: summary.format.to_string(),
            metrics: names.map(|metric| metric.name.clone()).collect(),
            rule: rule.to_string(),
            services: services(summary),
        };
        let (mut begin, mut outages): (_, Option<HiddenOutages>) = (0, None);
        read.for_each(|frames| {
            let services = begin..begin + frames.layout().services().len();
            begin = services.end;
            match label(frames, rule, spec, target) {
                Ok(labels) => {
                    found.count(services.start, &labels, spec);
                    found.note_shares(services.start, frames, rule);
                    let more = HiddenOutages::find(frames, rule);
                    match &mut outages {
                        Some(all) => all.services.extend(more.into_iter().flat_map(|more| more.services)),
                        None => outages = more,
                    }
                }
                Err(error) if found.reasons.is_empty() => found
                    .reasons
                    .push(format!("the failure rule cannot be applied: {error}; {}", way_out(frames))),
                Err(_) => {}
            }
            Ok(())
        })?;
        if found.reasons.is_empty() {
            found.notes.extend(outages.map(|found| found.to_string()));
            if found.services.iter().all(|service| service.episodes == 0) {
                let note = "the rule is never satisfied: there is no failure to learn from";
                found.notes.push(note.to_owned());
            }
            for service in found.services.iter().filter(|service| service.windows == 0) {
                found.notes.push(format!("{}: no window has a label", service.name));
            }
        }
        let windows: usize = found.services.iter().map(|service| service.windows).sum();
        if windows == 0 && found.reasons.is_empty() {
            found.reasons.push("no window has a label: see what is left out, by service".to_owned());
        }
        found.usable = windows > 0;
        Ok(found)
    }

    /// Counts the labels of services from the one numbered `first` on.
    fn count(&mut self, first: usize, labels: &Labels, spec: WindowSpec) {
        for (_, service, _, label) in labels.windows() {
            let service = &mut self.services[first + service];
            match label {
                Label::Positive | Label::Negative => service.windows += 1,
                Label::Excluded(reason) => *service.left_out.entry(reason.name()).or_default() += 1,
            }
        }
        for (service, episodes) in self.services[first..].iter_mut().zip(labels.episodes()) {
            service.episodes = episodes.len();
            let early = (service.rows as usize).min(spec.observation() - 1);
            if early > 0 {
                service.left_out.insert("too_early", early);
            }
        }
    }

    /// Says where a rule is mostly unknown or mostly holds.
    fn note_shares(&mut self, first: usize, frames: &FrameSet, rule: &Rule) {
        for (frame, service) in frames.frames().zip(&self.services[first..]) {
            let Ok(assessment) = rule.assess(frame) else { continue };
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
    }

    /// Names that stand in the metrics or in the graph alone.
    pub(super) fn compare_names(&mut self, summary: &ReadSummary, graph: &ServiceGraph) {
        let names = match graph.compare_names(summary.services.iter().map(|service| service.name.as_str())) {
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
    pub(super) fn compare_model(&mut self, summary: &ReadSummary, model: &ServedModel) {
        let is_there = |name: &str| summary.metrics.iter().any(|metric| metric.name == name);
        if let Some(missing) = model.metrics().names().find(|name| !is_there(name)) {
            self.usable = false;
            self.reasons.push(format!("the model reads {missing:?}, which the file lacks"));
        }
        if summary.step != model.step() {
            self.usable = false;
            self.reasons.push(format!(
                "rows are {} s apart, and the model was trained on rows {} s apart",
                summary.step.millis() as f64 / 1000.0,
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

fn services(summary: &ReadSummary) -> Vec<Service> {
    let (step, width) = (summary.step, summary.metrics.len() as u64);
    let of = |service: &ServiceSummary| Service {
        name: service.name.clone(),
        rows: service.rows,
        step_secs: step.millis() as f64 / 1000.0,
        first: service.start.to_string(),
        last: service.end.checked_add(step, -1).unwrap_or(service.start).to_string(),
        missing: service.missing_cells + width * service.gap_rows,
        windows: 0,
        episodes: 0,
        left_out: BTreeMap::new(),
    };
    summary.services.iter().map(of).collect()
}
