//! How sure the numbers are: intervals, ranks and differences, for the terminal and for the page.

use crate::drawing::figures::Screen;
use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks};
use crate::html::page::Page;
use crate::table::{WIDTH, fitted, name_of, wrapped};
use crate::text::*;
use crate::view::View;
use forewarn_eval::{ModelComparison, ModelIntervals, ModelReport};
use std::fmt::Write;

/// With fewer blocks of time than this, intervals may be too narrow.
const FEW_BLOCKS: usize = 10;

impl View<'_> {
    fn with_intervals(&self) -> Vec<(&ModelReport, &ModelIntervals)> {
        self.ranked()
            .into_iter()
            .filter_map(|model| model.intervals.as_ref().map(|found| (model, found)))
            .collect()
    }

    /// A small table of intervals, and which differences are real.
    pub(crate) fn interval_lines(&self, out: &mut String) {
        let models = self.with_intervals();
        let Some((_, any)) = models.first() else { return };
        const COLUMNS: [(&str, usize); 4] =
            [("PR-AUC", 20), ("failures detected", 20), ("false/day", 20), ("place", 10)];
        let space = WIDTH - COLUMNS.iter().map(|column| column.1).sum::<usize>();
        let names: Vec<String> = models.iter().map(|(model, _)| fitted(&name_of(model), space)).collect();
        let title = self.interval_title(any);
        let title = title.split(':').next().unwrap_or_default();
        let width = names.iter().map(|name| name.chars().count()).fold(title.len().min(space), usize::max);
        let mut row = |name: &str, cells: [String; 4]| {
            let mut line = format!("{name:<width$}");
            for ((_, column), cell) in COLUMNS.iter().zip(cells) {
                let _ = write!(line, "{cell:>column$}");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        };
        row(title, COLUMNS.map(|(name, _)| name.to_owned()));
        for ((model, found), name) in models.iter().zip(&names) {
            row(
                name,
                [
                    range(found.pr_auc, share),
                    range(found.event_recall, share),
                    range(found.false_alarms_per_service_day, quantity),
                    self.place(model),
                ],
            );
        }
        for line in self.difference_lines() {
            wrapped(out, 0, &line);
        }
        out.push('\n');
    }

    fn interval_title(&self, any: &ModelIntervals) -> String {
        let level = any.pr_auc.map_or(0.95, |interval| interval.level);
        format!(
            "{} intervals: {} blocks of {} hours",
            percent(level),
            count(any.blocks),
            quantity(any.block_hours)
        )
    }

    fn place(&self, model: &ModelReport) -> String {
        let ranks = self.comparison.iter().flat_map(|comparison| &comparison.ranks);
        let place = ranks.filter(|rank| rank.model == model.name).find_map(|rank| rank.rank_interval);
        match place {
            Some(place) if place.low == place.high => quantity(place.low),
            place => range(place, quantity),
        }
    }

    /// What can be said of differences, a sentence each.
    fn difference_lines(&self) -> Vec<String> {
        let Some(comparison) = &self.comparison else { return Vec::new() };
        let mut lines = vec![real_differences(comparison)];
        if comparison.blocks < FEW_BLOCKS {
            lines.push(format!(
                "The test part has only {}: with fewer than {FEW_BLOCKS} these intervals may be too narrow.",
                counted(comparison.blocks, "block of time", "blocks of time")
            ));
        }
        lines
    }

    pub(crate) fn uncertainty_section(&self, page: &mut Page) {
        let models = self.with_intervals();
        let Some((_, any)) = models.first() else { return };
        page.heading("How sure these numbers are");
        page.raw(&format!(
            "<p>{}, all services together: what the figures could have been on other days like these. The dot is the PR-AUC \
             on test, the line its interval; dotted, no skill.</p>\n<figure>\n",
            escape(&self.interval_title(any))
        ));
        for screen in [Screen::Wide, Screen::Narrow] {
            page.raw(&self.forest(&models, screen));
        }
        page.raw("</figure>\n");
        let rows: Vec<_> = models
            .iter()
            .map(|(model, found)| {
                let minutes = |value: f64| quantity(value);
                let cells = vec![
                    range(found.pr_auc, share),
                    range(found.roc_auc, share),
                    range(found.event_recall, percent),
                    range(found.false_alarms_per_service_day, quantity),
                    range(found.lead_time_median_minutes, minutes),
                    self.place(model),
                ];
                ("", name_of(model), cells)
            })
            .collect();
        page.table(
            &[
                "Model",
                "PR-AUC",
                "ROC-AUC",
                "Failures detected",
                "False alarms / day",
                "Median lead, min",
                "Place",
            ],
            &rows,
        );
        for line in self.difference_lines() {
            page.raw(&format!("<p>{}</p>\n", escape(&line)));
        }
        page.raw(
            "<p class=\"note\">Place: where a model's rank lies over all draws. A difference is called real when 0 lies outside \
             its interval, widened so that the statements on all pairs hold together.</p>\n",
        );
    }

    /// PR-AUC of each model with its interval.
    fn forest(&self, models: &[(&ModelReport, &ModelIntervals)], screen: Screen) -> String {
        const ROW: f64 = 40.0;
        let width = screen.width();
        let (left, right, top) = (6.0, width - 16.0, 8.0);
        let bottom = top + ROW * models.len() as f64;
        let mut svg = Svg::new(width, bottom + 40.0);
        let highest = models
            .iter()
            .map(|(model, found)| found.pr_auc.map_or(model.pr_auc, |interval| interval.high))
            .fold(self.test.prevalence, f64::max);
        let x = Scale::new((0.0, (highest * 1.05).min(1.0)), (left, right));
        for tick in nice_ticks(0.0, (highest * 1.05).min(1.0), screen.pick(8, 4)) {
            svg.line("grid", (x.at(tick), top), (x.at(tick), bottom));
            let anchor = if tick == 0.0 { Anchor::Start } else { Anchor::Middle };
            svg.text("tick", (x.at(tick), bottom + 16.0), anchor, &quantity(tick));
        }
        svg.text("axis", (right, bottom + 34.0), Anchor::End, "PR-AUC");
        let guess = x.at(self.test.prevalence);
        svg.line("guess", (guess, top), (guess, bottom));
        for (index, (model, found)) in models.iter().enumerate() {
            let middle = top + ROW * index as f64 + 27.0;
            svg.text("track", (left, middle - 11.0), Anchor::Start, &name_of(model));
            if let Some(interval) = found.pr_auc {
                svg.line("interval", (x.at(interval.low), middle), (x.at(interval.high), middle));
            }
            svg.circle("estimate", (x.at(model.pr_auc), middle), 4.5);
        }
        svg.finish(screen.class(), "PR-AUC of all models on the test part with intervals")
    }
}

/// Which models are better than which, and which only look it.
fn real_differences(comparison: &ModelComparison) -> String {
    let real: Vec<_> = comparison.differences.iter().filter(|difference| difference.is_real).collect();
    let all = comparison.differences.len();
    if real.is_empty() {
        return match all {
            1 => {
                "The difference of PR-AUC between the two models is not real: it could be chance.".to_owned()
            }
            _ => format!(
                "No difference of PR-AUC between two models is real: each of the {} differences could be chance.",
                count(all)
            ),
        };
    }
    let mut betters: Vec<&str> = real.iter().map(|difference| difference.better.as_str()).collect();
    betters.dedup();
    let parts = betters.iter().map(|better| {
        let worse: Vec<&str> = real
            .iter()
            .filter(|difference| difference.better == *better)
            .map(|difference| difference.worse.as_str())
            .collect();
        format!("{better} beats {}", worse.join(", "))
    });
    let parts: Vec<String> = parts.collect();
    format!(
        "Real differences of PR-AUC ({} of {}): {}. All others could be chance.",
        count(real.len()),
        count(all),
        parts.join("; ")
    )
}
