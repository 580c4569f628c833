//! What alarms mean for operators, for the page.

use crate::drawing::figures::{Screen, curve_class};
use crate::drawing::svg::{Anchor, Scale, Svg, escape, nice_ticks};
use crate::html::page::Page;
use crate::view::View;
use crate::{CurveKind, table::name_of, text::*};
use forewarn_eval::TradeoffPoint;
use forewarn_eval::{ModelReport, OperationReport};

impl View<'_> {
    fn with_operation(&self) -> Vec<(&ModelReport, &OperationReport)> {
        self.ranked()
            .into_iter()
            .filter_map(|model| model.operation.as_ref().map(|operation| (model, operation)))
            .collect()
    }

    pub(crate) fn alarm_section(&self, page: &mut Page) {
        let models = self.with_operation();
        if models.is_empty() {
            return;
        }
        page.heading("What alarms cost, and what they buy");
        self.budget_table(page, &models);
        if models.iter().any(|(_, operation)| operation.tradeoff.is_some()) {
            page.raw(
                "<p>Failures detected, and how early, for each number of false alarms that is accepted: every threshold on \
                 test, in hindsight. False alarms are on a logarithmic scale.</p>\n<figure>\n",
            );
            for screen in [Screen::Wide, Screen::Narrow] {
                page.raw(&against_alarms(&models, &RECALL, screen));
                page.raw(&against_alarms(&models, &LEAD, screen));
            }
            page.raw("<ul class=\"legend\">\n");
            for (index, (model, operation)) in models.iter().enumerate() {
                let area = operation.tradeoff.as_ref().map_or_else(String::new, |found| {
                    let interval = found.sensitivity_area_interval;
                    let within =
                        interval.map_or_else(String::new, |_| format!(" ({})", range(interval, share)));
                    share(found.sensitivity_area) + &within
                });
                page.key(&curve_class(CurveKind::Model, index), &name_of(model), &area);
            }
            page.raw(
                "</ul>\n<figcaption>The number is the area under failures detected over time in warning, with its interval; \
                 0.5 is no skill.</figcaption>\n</figure>\n",
            );
        }
        operation_table(page, &models);
        skill_table(page, &models);
    }

    fn budget_table(&self, page: &mut Page, models: &[(&ModelReport, &OperationReport)]) {
        let rows: Vec<_> = models
            .iter()
            .flat_map(|(model, operation)| operation.budgets.iter().map(|budget| (name_of(model), budget)))
            .map(|(name, outcome)| {
                let choice = &outcome.choice;
                let cells = vec![
                    quantity(choice.budget.per_service_week),
                    choice.threshold.get().to_string(),
                    quantity(choice.validation_rate),
                    quantity(outcome.test_rate),
                    range(outcome.test_rate_interval, quantity),
                    or_dash(outcome.event_recall, percent),
                    range(outcome.event_recall_interval, percent),
                    or_dash(outcome.lead_time_median_minutes, |minutes| {
                        format!("{}\u{a0}min", quantity(minutes))
                    }),
                    or_dash(outcome.adaptive.map(|adaptive| adaptive.test_rate), quantity),
                    or_dash(outcome.adaptive.and_then(|adaptive| adaptive.event_recall), percent),
                ];
                ("", name, cells)
            })
            .collect();
        let confidence = models
            .iter()
            .find_map(|(_, operation)| operation.budgets.first())
            .map_or(0.0, |outcome| outcome.choice.budget.confidence);
        if rows.is_empty() {
            page.raw(&format!(
                "<p class=\"note\">{}</p>\n",
                escape("Validation is too short to choose a threshold for an alarm budget with confidence.")
            ));
            return;
        }
        page.raw(&format!(
            "<p>Thresholds that keep a budget of false alarms per service and week, chosen on validation so that each keeps it with \
             {} confidence, and the result on test:</p>\n",
            percent(confidence)
        ));
        page.table(
            &[
                "Model",
                "Budget a week",
                "Threshold",
                "On validation",
                "On test",
                "Interval",
                "Detected",
                "Interval",
                "Median lead",
                "Adaptive: on test",
                "Adaptive: detected",
            ],
            &rows,
        );
        if let Some(text) = self.known_early() {
            page.raw(&format!("<p class=\"note\">{}</p>\n", escape(&text)));
        }
        page.raw(
            "<p class=\"note\">Adaptive: the threshold moves with what became of earlier alarms, as that of the live service, so that \
             the budget is kept when the data drift.</p>\n",
        );
    }
}

/// Alarms at each model's own threshold.
fn operation_table(page: &mut Page, models: &[(&ModelReport, &OperationReport)]) {
    let delay = models.first().map_or(0.0, |(_, operation)| operation.delays.total_minutes());
    page.raw(&format!(
        "<p>At the model's own threshold; net: after {}\u{a0}min for scraping, scoring and notification.</p>\n",
        quantity(delay)
    ));
    let minutes = |value| or_dash(value, |minutes| format!("{}\u{a0}min", quantity(minutes)));
    let rows: Vec<_> = models
        .iter()
        .map(|(model, operation)| {
            let intervals = model.intervals.unwrap_or_default();
            let cells = vec![
                or_dash(operation.alarm_precision, percent),
                range(intervals.alarm_precision, percent),
                quantity(operation.minutes_in_warning_per_service_day),
                range(intervals.minutes_in_warning_per_service_day, quantity),
                or_dash(operation.net_event_recall, percent),
                range(intervals.net_event_recall, percent),
                minutes(operation.net_lead_time_minutes.median),
            ];
            ("", name_of(model), cells)
        })
        .collect();
    page.table(
        &[
            "Model",
            "Alarms that were right",
            "Interval",
            "Minutes in warning a day",
            "Interval",
            "Detected, net",
            "Interval",
            "Median lead, net",
        ],
        &rows,
    );
}

/// Warnings against those without information.
fn skill_table(page: &mut Page, models: &[(&ModelReport, &OperationReport)]) {
    page.raw("<p>Compared with warnings that use no metrics and are on for as long:</p>\n");
    let rows: Vec<_> = models
        .iter()
        .map(|(model, operation)| {
            let skill = operation.skill.as_ref();
            let intervals = model.intervals.unwrap_or_default();
            let cells = vec![
                or_dash(skill.map(|skill| skill.event_recall), percent),
                or_dash(skill.map(|skill| skill.over_random), share),
                range(intervals.skill_over_random, share),
                or_dash(skill.map(|skill| skill.time_in_warning), percent),
                or_dash(skill.map(|skill| skill.random_p_value), probability),
                or_dash(skill.map(|skill| skill.persistence_recall), percent),
                or_dash(skill.map(|skill| skill.persistence_p_value), probability),
            ];
            ("", name_of(model), cells)
        })
        .collect();
    page.table(&["Model", "Detected", "Skill", "Interval", "By chance", "p", "By persistence", "p"], &rows);
    page.raw(
        "<p class=\"note\">By chance: warnings at random times. By persistence: a warning after each failure. Both are on for the same share \
         of the time. Skill: detected beyond chance, as a share of what chance misses. p: the probability of an equal or better result \
         by chance.</p>\n",
    );
}

fn probability(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { format!("{value:.3}") }
}

/// What is drawn upwards over false alarms.
struct Upwards {
    axis: &'static str,
    label: &'static str,
    value: fn(&TradeoffPoint) -> Option<f64>,
    /// Top of the axis where that is known.
    top: Option<f64>,
    height: (f64, f64),
}

const RECALL: Upwards = Upwards {
    axis: "share of failures detected",
    label: "Failures detected over false alarms per service and week, all models",
    value: |point| Some(point.event_recall),
    top: Some(1.0),
    height: (340.0, 280.0),
};

const LEAD: Upwards = Upwards {
    axis: "median minutes of warning",
    label: "Median lead time over false alarms per service and week, all models",
    value: |point| point.lead_time_median_minutes,
    top: None,
    height: (190.0, 170.0),
};

/// A figure over false alarms per service and week.
fn against_alarms(models: &[(&ModelReport, &OperationReport)], upwards: &Upwards, screen: Screen) -> String {
    let (width, height) = (screen.width(), screen.pick(upwards.height.0, upwards.height.1));
    let (left, right, top, bottom) = (40.0, width - 16.0, 30.0, height - 42.0);
    let mut svg = Svg::new(width, height);
    let points = || {
        models.iter().filter_map(|(_, operation)| operation.tradeoff.as_ref()).flat_map(|found| &found.points)
    };
    let rates = || points().map(|point| point.false_alarms_per_service_week).filter(|&rate| rate > 0.0);
    let least = rates().fold(f64::INFINITY, f64::min).min(1.0).log10().floor();
    let most = rates().fold(10.0, f64::max).log10().ceil();
    let highest = upwards.top.unwrap_or_else(|| points().filter_map(upwards.value).fold(1.0, f64::max));
    let (x, y) = (Scale::new((least, most), (left, right)), Scale::new((0.0, highest), (bottom, top)));
    for tick in nice_ticks(0.0, highest, 5) {
        svg.line("grid", (left, y.at(tick)), (right, y.at(tick)));
        svg.text("tick", (left - 8.0, y.at(tick) + 4.0), Anchor::End, &quantity(tick));
    }
    for power in 0..=(most - least) as i32 {
        let power = least + f64::from(power);
        svg.text("tick", (x.at(power), bottom + 18.0), Anchor::Middle, &quantity(10f64.powf(power)));
    }
    svg.text("axis", (4.0, 14.0), Anchor::Start, upwards.axis);
    svg.text("axis", (right, bottom + 36.0), Anchor::End, "false alarms per service and week");
    for (index, (_, operation)) in models.iter().enumerate().rev() {
        let Some(tradeoff) = &operation.tradeoff else { continue };
        // Without a false alarm there is no place on a logarithmic scale: at its left end.
        let at = |rate: f64| if rate > 0.0 { x.at(rate.log10()) } else { left };
        let path: Vec<(f64, f64)> = tradeoff
            .points
            .iter()
            .filter_map(|point| {
                let value = (upwards.value)(point)?;
                Some((at(point.false_alarms_per_service_week), y.at(value)))
            })
            .collect();
        svg.polyline(&format!("curve {}", curve_class(CurveKind::Model, index)), &path);
    }
    svg.finish(screen.class(), upwards.label)
}
