use crate::headline::{alarms_per_week, at_budget};
use crate::text::*;
use crate::view::View;
use forewarn_eval::{LeadCurve, ModelReport, RecallAtLead};
use std::fmt::Write;

/// Widest line of the terminal report.
pub(crate) const WIDTH: usize = 112;
/// Width of a heading before its text.
const LABEL: usize = 10;

const COLUMNS: [(&str, usize); 10] = [
    ("PR-AUC", 7),
    ("ROC-AUC", 8),
    ("precision", 10),
    ("recall", 7),
    ("F1", 7),
    ("detected", 10),
    ("lead", 8),
    ("false/day", 10),
    ("Brier", 8),
    ("fit", 9),
];

impl View<'_> {
    /// The report for a terminal, at most 112 columns wide: a headline, what was asked of which data, one row a model
    /// (best PR-AUC first), and what the columns mean.
    #[must_use]
    pub(crate) fn to_table(&self) -> String {
        let mut out = String::new();
        wrapped(&mut out, 0, &self.headline());
        out.push('\n');
        for (label, text) in self.facts() {
            labelled(&mut out, label, &text);
        }
        for (index, line) in self.service_facts().iter().enumerate() {
            labelled(&mut out, if index == 0 { "services" } else { "" }, line);
        }
        out.push('\n');
        self.budget_lines(&mut out);
        self.models_table(&mut out);
        out.push('\n');
        self.interval_lines(&mut out);
        self.class_lines(&mut out);
        self.walk_lines(&mut out);
        for line in self.legend() {
            wrapped(&mut out, 0, &line);
        }
        if !self.audit.is_empty() {
            labelled(&mut out, "leaks", &self.audit_summary());
        }
        for note in self.input.notes.iter().chain(&self.notes) {
            labelled(&mut out, "note", note);
        }
        out
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let input = &self.input;
        let read = format!(
            "{} ({}): {}, {}, {} to {}; {}, {}",
            input.description,
            input.format,
            counted(input.services, "service", "services"),
            counted(input.rows, "row", "rows"),
            moment(input.start),
            moment(input.end),
            counted(input.missing_cells, "missing cell", "missing cells"),
            counted(input.gap_rows, "gap row", "gap rows"),
        );
        let parts = self.split.parts().map(|(name, part)| {
            format!("{name} {} ({} positive)", count(part.windows), count(part.positives))
        });
        let excluded = self.split.parts().filter_map(|(_, part)| part.excluded).reduce(|mut sum, part| {
            // A report may come from any program, with counts of any size.
            sum.ongoing = sum.ongoing.saturating_add(part.ongoing);
            sum.censored = sum.censored.saturating_add(part.censored);
            sum.missing = sum.missing.saturating_add(part.missing);
            sum
        });
        let left_out = match excluded {
            Some(excluded) => format!(
                "{} in a failure already, {} too near the end of the data, {} for missing samples",
                count(excluded.ongoing),
                count(excluded.censored),
                count(excluded.missing)
            ),
            None => {
                self.left_out_by_reason().unwrap_or_else(|| "not known: the scores were given".to_owned())
            }
        };
        let test = &self.test;
        let out_of_reach = match test.episodes_out_of_reach {
            0 => String::new(),
            some => format!(" (and {} out of reach of the scores)", count(some)),
        };
        vec![
            ("input", read),
            ("failure", self.failure_rule.clone()),
            ("question", format!("{} (target: {})", self.question(), self.target)),
            (
                "windows",
                format!("{}; {} steps apart", parts.collect::<Vec<_>>().join(", "), count(self.split.purge)),
            ),
            ("left out", left_out),
            (
                "test",
                format!(
                    "{} to {}: {}{out_of_reach} in {} service-days",
                    moment(self.split.test.start),
                    moment(self.split.test.end),
                    counted(test.episodes, "failure", "failures"),
                    quantity(test.service_days),
                ),
            ),
        ]
    }

    /// What each model detects at the budget of false alarms, a line a model; the best on validation first.
    fn budget_lines(&self, out: &mut String) {
        const COLUMNS: [(&str, usize); 7] = [
            ("budget/week", 12),
            ("detected", 10),
            ("recall", 8),
            ("interval", 18),
            ("lead", 9),
            ("on test/week", 13),
            ("adaptive", 16),
        ];
        let models = self.by_validation();
        if !models.iter().any(|model| at_budget(model).is_some()) {
            let notes = models.iter().filter_map(|model| model.operation.as_ref()?.headline.as_ref());
            if let Some(note) = notes.filter_map(|headline| headline.note.as_deref()).next() {
                labelled(out, "budget", note);
                out.push('\n');
            }
            return;
        }
        let space = WIDTH - COLUMNS.iter().map(|column| column.1).sum::<usize>();
        let title = "model, at its budget";
        let names: Vec<String> = models.iter().map(|model| fitted(&name_of(model), space)).collect();
        let width = names.iter().map(|name| name.chars().count()).fold(title.len(), usize::max);
        let mut row = |name: &str, cells: &[String]| {
            let mut line = format!("{name:<width$}");
            for ((_, column), cell) in COLUMNS.iter().zip(cells) {
                let _ = write!(line, "{cell:>column$}");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        };
        row(title, &COLUMNS.map(|(name, _)| name.to_owned()));
        for (model, name) in models.iter().zip(&names) {
            let Some((_, found)) = at_budget(model) else {
                row(name, &["none".to_owned()]);
                continue;
            };
            let caught = or_dash(found.episodes_caught.map(|caught| caught as f64), quantity);
            row(
                name,
                &[
                    quantity(found.choice.budget.per_service_week),
                    format!("{caught}/{}", self.test.episodes),
                    or_dash(found.event_recall, share),
                    range(found.event_recall_interval, share),
                    or_dash(found.lead_time_median_minutes, |minutes| format!("{} min", quantity(minutes))),
                    quantity(found.test_rate),
                    found.adaptive.map_or_else(String::new, |adaptive| {
                        format!("{}, {}", quantity(adaptive.test_rate), or_dash(adaptive.event_recall, share))
                    }),
                ],
            );
        }
        if models.iter().any(|model| at_budget(model).is_some_and(|(_, found)| found.adaptive.is_some())) {
            wrapped(
                out,
                0,
                "Adaptive: false alarms a week and recall of a threshold that moves with what became of earlier alarms, as \
                 that of the live service.",
            );
        }
        if let Some(text) = self.known_early() {
            wrapped(out, 0, &text);
        }
        for note in notes_by_model(&models) {
            wrapped(out, 0, &note);
        }
        out.push('\n');
    }

    /// Recall of the chosen model against the lead that an alarm has to have, with that of the ceiling, at the
    /// smallest budget that both have.
    pub(crate) fn known_early(&self) -> Option<String> {
        let (budget, model, best) = self.lead_curves()?;
        let points = |curve: &LeadCurve| {
            let point =
                |point: &RecallAtLead| format!("{} {}", quantity(point.minutes), share(point.event_recall));
            curve.points.iter().map(point).collect::<Vec<_>>().join(", ")
        };
        let ceiling = best.map_or_else(String::new, |best| format!(". Ceiling: {}", points(best)));
        Some(format!(
            "Recall by least minutes ahead, at {}: {}{ceiling}.",
            alarms_per_week(budget),
            points(model)
        ))
    }

    /// The budget, the chosen model's curve and the ceiling's.
    pub(crate) fn lead_curves(&self) -> Option<(f64, &LeadCurve, Option<&LeadCurve>)> {
        let curves = &self.chosen()?.operation.as_ref()?.lead_curves;
        let at = |curve: &LeadCurve| {
            self.ceiling_at_budgets.iter().find(|best| best.per_service_week == curve.per_service_week)
        };
        let with_ceiling = curves.iter().find_map(|curve| Some((curve, Some(at(curve)?))));
        let (curve, best) = with_ceiling.or_else(|| curves.first().map(|curve| (curve, None)))?;
        Some((curve.per_service_week, curve, best))
    }

    fn models_table(&self, out: &mut String) {
        let ceiling: Vec<_> = self.ceiling.iter().flat_map(forewarn_eval::Ceiling::bounds).collect();
        let models = self.ranked();
        let no_skill = "no skill";
        let names: Vec<String> = models
            .iter()
            .map(|model| fitted(&name_of(model), WIDTH - COLUMNS.iter().map(|c| c.1).sum::<usize>()))
            .collect();
        let bounds = ceiling.iter().map(|(name, _)| name.len());
        let lengths = names.iter().map(|name| name.chars().count()).chain(bounds);
        let width = lengths.fold(no_skill.len(), usize::max);
        let row = |out: &mut String, name: &str, cells: &[String]| {
            let mut line = format!("{name:<width$}");
            for ((_, column), cell) in COLUMNS.iter().zip(cells) {
                let _ = write!(line, "{cell:>column$}");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        };
        let line = "-".repeat(width + COLUMNS.iter().map(|column| column.1).sum::<usize>());
        row(out, "model", &COLUMNS.map(|(name, _)| name.to_owned()));
        let _ = writeln!(out, "{line}");
        row(out, no_skill, &[share(self.test.prevalence), share(0.5)]);
        for (model, name) in models.iter().zip(&names) {
            let caught = format!("{}/{}", model.episodes_caught, self.test.episodes);
            let cells = [
                share(model.pr_auc),
                share(model.roc_auc),
                share(model.precision),
                share(model.recall),
                share(model.f1),
                caught,
                or_dash(model.lead_time_minutes.median, |minutes| format!("{} min", quantity(minutes))),
                quantity(model.false_alarms_per_service_day),
                share(model.brier),
                or_dash(model.fit_seconds, |seconds| format!("{} s", quantity(seconds))),
            ];
            row(out, name, &cells);
        }
        if !ceiling.is_empty() {
            let _ = writeln!(out, "{line}");
            out.push_str("theoretical ceiling\n");
        }
        for (name, bound) in ceiling {
            let blank = String::new();
            let cells =
                [share(bound.pr_auc), share(bound.roc_auc), blank.clone(), blank, share(bound.best_f1)];
            row(out, name, &cells);
        }
    }

    /// Failures of the chosen model by class, a line a class.
    fn class_lines(&self, out: &mut String) {
        let Some(model) = self.chosen().filter(|model| !model.classes.is_empty()) else { return };
        for classes in model.classes.chunk_by(|a, b| a.by == b.by) {
            let title = format!("{}, failures by {}", name_of(model), classes[0].by);
            let _ = writeln!(
                out,
                "{:<52}{:>12}{:>16}{:>12}{:>8}",
                fitted(&title, 52),
                "detected",
                "interval",
                "lead",
                "late"
            );
            for class in classes {
                let name = class.class.as_deref().unwrap_or("not known");
                let caught = format!("{}/{}", class.episodes_caught, class.episodes);
                let lead =
                    or_dash(class.lead_time_minutes.median, |minutes| format!("{} min", quantity(minutes)));
                let interval = range(class.event_recall_interval, share);
                let late = count(class.late_alarms);
                let _ =
                    writeln!(out, "  {:<50}{caught:>12}{interval:>16}{lead:>12}{late:>8}", fitted(name, 50));
            }
            out.push('\n');
        }
    }

    /// What refitting gained, a line for each model.
    fn walk_lines(&self, out: &mut String) {
        let Some(walk) = &self.walk_forward else { return };
        let title =
            format!("refit {}, {}", every(walk.refit_days), counted(walk.folds.len(), "fold", "folds"));
        let _ = writeln!(
            out,
            "{:<52}{:>12}{:>12}{:>12}{:>22}",
            fitted(&title, 52),
            "PR-AUC refit",
            "once",
            "gain",
            "interval"
        );
        for model in &walk.models {
            let cells = [model.refitted_total.pr_auc, model.fixed_total.pr_auc, model.gain.value];
            let [refitted, once, gain] = cells.map(|value| or_dash(value, share));
            let interval = range(model.gain.interval, share);
            let _ = writeln!(
                out,
                "  {:<50}{refitted:>12}{once:>12}{gain:>12}{interval:>22}",
                fitted(&model.model, 50)
            );
        }
        out.push('\n');
    }

    fn legend(&self) -> Vec<String> {
        let per_service = if self.input.services > 1 { "service and day" } else { "day" };
        let mut lines = vec![format!(
            "PR-AUC: area under the precision-recall curve; no skill gives the share of positive windows. Precision, recall, F1: \
             of windows, at the threshold with the best F1 on validation. Detected: failures with an alarm before they began. \
             Lead: median time from alarm to failure. False/day: false alarms per {per_service}. Brier: mean squared error of \
             the score, lower is better."
        )];
        if let Some(model) = self.chosen() {
            let why = if model.is_weighed_by_blocks {
                "weighed by several blocks of time before test"
            } else {
                "the model with the highest PR-AUC on validation"
            };
            lines.push(format!("Headline: {}, {why}.", name_of(model)));
        }
        lines
    }
}

/// A model's name, with its trainer where there is one.
pub(crate) fn name_of(model: &ModelReport) -> String {
    match &model.trainer {
        Some(trainer) => format!("{} ({trainer})", model.name),
        None => model.name.clone(),
    }
}

fn labelled(out: &mut String, label: &str, text: &str) {
    let _ = write!(out, "{label:<LABEL$}");
    wrapped(out, LABEL, text);
}

/// Writes words in lines no longer than the report is wide; all but the first begin with `indent` blanks.
pub(crate) fn wrapped(out: &mut String, indent: usize, text: &str) {
    let mut column = indent;
    for (index, word) in plain(text).split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
}

/// Text cut to a width, with an ellipsis where something was lost.
pub(crate) fn fitted(text: &str, width: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// What is to be known of the promises of budgets, each once, with the models that it is about unless that is all.
fn notes_by_model(models: &[&ModelReport]) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for model in models {
        let headline = model.operation.as_ref().and_then(|operation| operation.headline.as_ref());
        let Some(note) = headline.and_then(|headline| headline.note.as_deref()) else { continue };
        match notes.iter_mut().find(|(known, _)| *known == note) {
            Some((_, names)) => names.push(&model.name),
            None => notes.push((note, vec![&model.name])),
        }
    }
    let told = notes.into_iter().map(|(note, names)| {
        if names.len() == models.len() { note.to_owned() } else { format!("{}: {note}", names.join(", ")) }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_wrapped_and_cut() {
        let mut out = String::new();
        labelled(&mut out, "note", &"word ".repeat(60));
        assert!(out.lines().all(|line| line.len() <= WIDTH) && out.lines().count() == 3, "{out}");
        assert!(out.lines().skip(1).all(|line| line.starts_with("          word")));
        assert_eq!(fitted("gradient boosting", 8), "gradien…");
        assert_eq!(fitted("a\u{1b}b", 8), "a\u{fffd}b");
    }
}
