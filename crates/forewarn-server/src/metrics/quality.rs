//! How good the predictions are, by the ledger.

use super::page::Page;
use forewarn_live::{EngineView, LedgerCounts, ModelView};
use forewarn_prometheus::PrometheusError;

const WEEK_SECONDS: f64 = 7.0 * 86_400.0;
/// Bounds of leads: from one scrape to a roll-back.
const LEAD_BOUNDS: [f64; 8] = [60.0, 120.0, 180.0, 240.0, 300.0, 600.0, 900.0, 1_800.0];

type Count = (&'static str, fn(&LedgerCounts) -> u32);

const WARNINGS: [Count; 5] = [
    ("hit", |counts| counts.hits),
    ("late", |counts| counts.late),
    ("false", |counts| counts.false_alarms),
    ("averted", |counts| counts.averted),
    ("censored", |counts| counts.censored),
];

const FAILURES: [Count; 3] = [
    ("detected", |counts| counts.detected),
    ("missed", |counts| counts.missed),
    ("out_of_reach", |counts| counts.out_of_reach),
];

fn labels(model: &ModelView) -> Vec<(&str, &str)> {
    vec![("model", &model.name), ("role", if model.shadow { "shadow" } else { "main" })]
}

fn counted<'a>(
    models: &'a [ModelView],
    kinds: &'static [Count],
) -> impl Iterator<Item = (Vec<(&'a str, &'a str)>, f64)> {
    models.iter().flat_map(move |model| {
        kinds.iter().map(move |(outcome, count)| {
            let mut labels = labels(model);
            labels.push(("outcome", outcome));
            (labels, f64::from(count(&model.ledger)))
        })
    })
}

pub(super) fn render(view: &EngineView, page: &mut Page) -> Result<(), PrometheusError> {
    let models = &view.models;
    page.counter(
        "forewarn_warnings_judged",
        None,
        "Alarms of a model by what became of them: hit before a failure, late in one, false, averted by an operator, \
         or censored because it is not known.",
        counted(models, &WARNINGS),
    )?;
    page.counter(
        "forewarn_failures_judged",
        None,
        "Failures by whether an alarm of the model came before: detected, missed, or out of reach because nothing was \
         scored before.",
        counted(models, &FAILURES),
    )?;
    page.histogram(
        "forewarn_lead_seconds",
        "seconds",
        "Time from an alarm to the onset of the failure that it detected.",
        &LEAD_BOUNDS,
        models.iter().map(|model| (labels(model), &model.leads[..])),
    )?;
    page.gauge(
        "forewarn_median_lead_seconds",
        Some("seconds"),
        "Median time from an alarm to the onset of the failure that it detected.",
        models.iter().filter_map(|model| Some((labels(model), model.median_lead_minutes? * 60.0))),
    )?;
    page.gauge(
        "forewarn_false_alarm_budget_per_service_week",
        None,
        "False alarms per service and week that are accepted.",
        models.iter().map(|model| (labels(model), model.budget_per_service_week)),
    )?;
    page.gauge(
        "forewarn_false_alarms_per_service_week",
        None,
        "False alarms per service and week so far.",
        models.iter().filter_map(|model| Some((labels(model), model.realised_per_service_week?))),
    )?;
    page.counter(
        "forewarn_watched_service_seconds",
        Some("seconds"),
        "Time for which the model could tell, added up over services.",
        models.iter().map(|model| (labels(model), model.service_weeks * WEEK_SECONDS)),
    )?;
    page.gauge(
        "forewarn_alarm_threshold_ratio",
        Some("ratio"),
        "Probability from which on the model raises an alarm now.",
        models.iter().map(|model| (labels(model), model.threshold)),
    )?;
    page.gauge(
        "forewarn_threshold_shift",
        None,
        "What the budget adds to the log-odds of the model's own threshold.",
        models.iter().map(|model| (labels(model), model.threshold_shift)),
    )
}
