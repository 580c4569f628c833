//! One row a model and set of data.

use forewarn::eval::{BudgetOutcome, Interval, LeadCurve, ModelReport, RecallAtLead, Report};
use serde::Serialize;
use std::fmt::Write;

/// How a model did on one set of data.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    set: String,
    model: String,
    /// Share of positive test windows.
    prevalence: f64,
    failures: usize,
    /// PR-AUC of the best predictor that is known; of one that sees the metrics where that is known.
    ceiling: Option<f64>,
    pr_auc: f64,
    pr_auc_interval: Option<Interval>,
    /// PR-AUC of `auto` less that of this model, on the same resamples.
    auto_less_this: Option<f64>,
    auto_less_this_interval: Option<[f64; 2]>,
    log_loss: Option<f64>,
    one_a_week: Option<AtBudget>,
    one_a_day: Option<AtBudget>,
    fit_seconds: Option<f64>,
}

/// What a budget of false alarms bought on test, by the threshold from validation and by one that adapts.
#[derive(Clone, Debug, Serialize)]
struct AtBudget {
    recall: Option<f64>,
    rate_per_service_week: f64,
    lead_minutes: Option<f64>,
    /// Share of the failures detected at least 1, 2, ... minutes ahead.
    recall_by_lead: Vec<RecallAtLead>,
    adaptive_recall: Option<f64>,
    adaptive_rate_per_service_week: Option<f64>,
}

/// The model that others are held against.
const AUTO: &str = "auto";

impl Row {
    /// Rows of all models, the best PR-AUC first, and one of the ceiling where it is known.
    pub(super) fn all(set: &str, report: &Report) -> Vec<Self> {
        let ceiling = report.ceiling.as_ref().and_then(|ceiling| ceiling.bounds().next());
        let row = |model: &ModelReport| {
            let lead = lead_of_auto(report, &model.name);
            Self {
                set: set.to_owned(),
                model: model.name.clone(),
                prevalence: report.test.prevalence,
                failures: report.test.episodes,
                ceiling: ceiling.map(|(_, bound)| bound.pr_auc),
                pr_auc: model.pr_auc,
                pr_auc_interval: model.intervals.and_then(|intervals| intervals.pr_auc),
                auto_less_this: lead.map(|(difference, _)| difference),
                auto_less_this_interval: lead.and_then(|(_, interval)| interval),
                log_loss: model.window_figures.as_ref().map(|figures| figures.log_loss),
                one_a_week: at_budget(model, 1.0),
                one_a_day: at_budget(model, 7.0),
                fit_seconds: model.fit_seconds,
            }
        };
        let best = ceiling.map(|(name, bound)| Self {
            set: set.to_owned(),
            model: name.to_owned(),
            prevalence: report.test.prevalence,
            failures: report.test.episodes,
            ceiling: Some(bound.pr_auc),
            pr_auc: bound.pr_auc,
            pr_auc_interval: None,
            auto_less_this: None,
            auto_less_this_interval: None,
            log_loss: None,
            one_a_week: ceiling_at(report, 1.0),
            one_a_day: ceiling_at(report, 7.0),
            fit_seconds: None,
        });
        report.ranked().into_iter().map(row).chain(best).collect()
    }
}

/// What the ceiling detects at a budget, in hindsight.
fn ceiling_at(report: &Report, per_service_week: f64) -> Option<AtBudget> {
    let is_asked = |curve: &&LeadCurve| curve.per_service_week == per_service_week;
    let curve = report.ceiling_at_budgets.iter().find(is_asked)?;
    Some(AtBudget {
        recall: curve.event_recall(),
        rate_per_service_week: curve.rate,
        lead_minutes: None,
        recall_by_lead: curve.points.clone(),
        adaptive_recall: None,
        adaptive_rate_per_service_week: None,
    })
}

/// PR-AUC of `auto` less that of another model, and the paired interval.
fn lead_of_auto(report: &Report, other: &str) -> Option<(f64, Option<[f64; 2]>)> {
    let pairs = &report.comparison.as_ref()?.differences;
    pairs.iter().find_map(|pair| {
        if pair.better == AUTO && pair.worse == other {
            Some((pair.pr_auc, pair.interval.map(|interval| [interval.low, interval.high])))
        } else if pair.better == other && pair.worse == AUTO {
            Some((-pair.pr_auc, pair.interval.map(|interval| [-interval.high, -interval.low])))
        } else {
            None
        }
    })
}

fn at_budget(model: &ModelReport, per_service_week: f64) -> Option<AtBudget> {
    let operation = model.operation.as_ref()?;
    let is_asked = |found: &&BudgetOutcome| found.choice.budget.per_service_week == per_service_week;
    let found = operation.budgets.iter().find(is_asked)?;
    let curve = operation.lead_curves.iter().find(|curve| curve.per_service_week == per_service_week);
    Some(AtBudget {
        recall: found.event_recall,
        rate_per_service_week: found.test_rate,
        lead_minutes: found.lead_time_median_minutes,
        recall_by_lead: curve.map_or_else(Vec::new, |curve| curve.points.clone()),
        adaptive_recall: found.adaptive.and_then(|adaptive| adaptive.event_recall),
        adaptive_rate_per_service_week: found.adaptive.map(|adaptive| adaptive.test_rate),
    })
}

/// The rows of one set as a table.
pub(super) fn markdown(title: &str, rows: &[Row]) -> String {
    let mut text = format!("## {title}\n\n");
    if let Some(first) = rows.first() {
        let _ = write!(text, "{} failures, prevalence {:.4}", first.failures, first.prevalence);
        if let Some(ceiling) = first.ceiling {
            let _ = write!(text, ", ceiling {ceiling:.3}");
        }
        text += ". Recall (rate a service and week) at budgets of false alarms, by validation's threshold; adaptive.\n\n";
    }
    text += "| model | PR-AUC | 95 % | auto less this | log loss | 1 a week | adaptive | lead | 1 a day | adaptive | fit s |\n";
    text += "|---|---|---|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let interval =
            row.pr_auc_interval.map_or_else(String::new, |i| format!("{:.3} to {:.3}", i.low, i.high));
        let less = match (row.auto_less_this, row.auto_less_this_interval) {
            (Some(less), Some([low, high])) => format!("{less:+.3} ({low:+.3} to {high:+.3})"),
            (Some(less), None) => format!("{less:+.3}"),
            (None, _) => String::new(),
        };
        let [week, day] = [&row.one_a_week, &row.one_a_day].map(|budget| budget.as_ref());
        let _ = writeln!(
            text,
            "| {} | {:.3} | {interval} | {less} | {} | {} | {} | {} | {} | {} | {} |",
            row.model,
            row.pr_auc,
            number(row.log_loss, 4),
            week.map_or_else(String::new, fixed),
            week.map_or_else(String::new, adaptive),
            number(week.and_then(|week| week.lead_minutes), 0),
            day.map_or_else(String::new, fixed),
            day.map_or_else(String::new, adaptive),
            number(row.fit_seconds, 0),
        );
    }
    text
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

fn fixed(found: &AtBudget) -> String {
    format!("{} ({:.1})", number(found.recall, 2), found.rate_per_service_week)
}

fn adaptive(found: &AtBudget) -> String {
    if found.adaptive_rate_per_service_week.is_none() {
        return String::new();
    }
    format!("{} ({})", number(found.adaptive_recall, 2), number(found.adaptive_rate_per_service_week, 1))
}
