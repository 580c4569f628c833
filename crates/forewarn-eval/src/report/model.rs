use super::{ModelIntervals, OperationReport, WindowFigures};
use crate::ranking::expect_both_classes;
use crate::{
    AlarmPolicy, BlockBootstrap, Calibration, Confusion, EvalError, Events, LeadTimes, ScoredSet,
    average_precision, best_f1_threshold, brier, roc_auc,
};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One fitted model's scores and what is to be said about it: what [`ModelReport::evaluate`] takes.
#[derive(Clone, Copy, Debug)]
pub struct ModelRun<'a> {
    /// Short name, for tables.
    pub name: &'a str,
    /// What fitted its weights, where there is a choice, such as `native`.
    pub trainer: Option<&'a str>,
    /// The model as a sentence.
    pub description: &'a str,
    /// Scores of the validation windows: the threshold is chosen on them.
    pub validation_scores: &'a [Score],
    /// Whether each validation window is positive.
    pub validation_positive: &'a [bool],
    /// The same scores with times and failures, from which thresholds for alarm budgets are chosen; `None` where unknown.
    pub validation: Option<&'a ScoredSet>,
    /// Scores of the test windows, with times and failures.
    pub test: &'a ScoredSet,
    /// Time that fitting took.
    pub fit_time: Duration,
    /// Time that scoring all test windows took.
    pub score_time: Duration,
}

/// What one model is worth on the test part. Shares and areas are in 0..=1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelReport {
    /// Short name.
    pub name: String,
    /// What fitted its weights, where there is a choice; `None` else.
    pub trainer: Option<String>,
    /// The model as a sentence.
    pub description: String,
    /// How it did on validation, where the threshold was chosen.
    pub validation: ValidationReport,
    /// Average precision; compare it with the prevalence.
    pub pr_auc: f64,
    /// Area under the ROC curve; a guess has 0.5.
    pub roc_auc: f64,
    /// Windows with `score >= threshold` count as called positive, and raise an alarm outside the refractory period. Written
    /// as the shortest text that gives the same 32-bit number.
    pub threshold: Score,
    /// Steps between two alarms at least.
    pub refractory_steps: usize,
    /// Share of the windows called positive that are; 0 where none is called.
    pub precision: f64,
    /// Share of the positive windows that are called positive.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Failures that an alarm warned of.
    pub episodes_caught: usize,
    /// Their share of the failures within reach; `None` where none was within reach.
    pub event_recall: Option<f64>,
    /// How long before the onset the first alarm came, in minutes.
    pub lead_time_minutes: LeadTimes,
    /// Alarms raised.
    pub alarms: usize,
    /// Alarms that warned of nothing.
    pub false_alarms: usize,
    /// False alarms, divided by the days watched of all services together.
    pub false_alarms_per_service_day: f64,
    /// Alarms raised while the service was failing already: neither right nor false.
    pub late_alarms: usize,
    /// Mean squared difference between score and outcome.
    pub brier: f64,
    /// Seconds that fitting took.
    pub fit_seconds: f64,
    /// Seconds that scoring all test windows took.
    pub score_seconds: f64,
    /// Further figures of windows.
    #[serde(default)]
    pub window_figures: Option<WindowFigures>,
    /// Whether the scores are probabilities.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// What its alarms are like to live with.
    #[serde(default)]
    pub operation: Option<OperationReport>,
    /// Where these figures lie; `None` where the test part is too short to draw blocks of time from.
    #[serde(default)]
    pub intervals: Option<ModelIntervals>,
    /// One entry a service where there are several; empty for one.
    pub services: Vec<ServiceReport>,
}

/// How a model did on the validation part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValidationReport {
    /// Windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Average precision.
    pub pr_auc: f64,
    /// F1 at the report's threshold.
    pub f1: f64,
}

/// What a model is worth on one service of the test part, at the threshold that holds for all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceReport {
    /// Service.
    pub service: String,
    /// Scored windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Average precision; `None` where the service lacks windows of one class.
    pub pr_auc: Option<f64>,
    /// Area under the ROC curve; `None` where the service lacks windows of one class.
    pub roc_auc: Option<f64>,
    /// Failures within reach.
    pub episodes: usize,
    /// Failures that no scored window could have warned of.
    pub episodes_out_of_reach: usize,
    /// Failures that an alarm warned of.
    pub episodes_caught: usize,
    /// Their share of those within reach; `None` where there is none.
    pub event_recall: Option<f64>,
    /// How long before the onset the first alarm came, in minutes.
    pub lead_time_minutes: LeadTimes,
    /// Alarms raised.
    pub alarms: usize,
    /// Alarms that warned of nothing.
    pub false_alarms: usize,
    /// False alarms a day; `None` where nothing was scored.
    pub false_alarms_per_service_day: Option<f64>,
    /// Alarms raised while the service was failing already.
    pub late_alarms: usize,
}

impl ModelReport {
    /// Chooses the threshold with the best F1 on validation, raises alarms on test with the refractory period of
    /// [`AlarmPolicy::for_window`], and measures everything.
    ///
    /// # Errors
    /// [`EvalError::Model`], which names the model, for validation lists of different lengths and for a part (`validation` or
    /// `test`, named too) without windows of both classes.
    pub fn evaluate(run: &ModelRun<'_>) -> Result<Self, EvalError> {
        let chosen = expect_both_classes("validation", run.validation_scores, run.validation_positive)
            .map_err(EvalError::from)
            .and_then(|()| best_f1_threshold(run.validation_scores, run.validation_positive));
        let (threshold, _) = chosen.map_err(|source| named(run.name, source))?;
        Self::evaluate_at(run, AlarmPolicy::for_window(threshold, run.test.spec()))
    }

    /// Measures everything at a policy that was chosen elsewhere.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_at(run: &ModelRun<'_>, policy: AlarmPolicy) -> Result<Self, EvalError> {
        measure(run, policy).map_err(|source| named(run.name, source))
    }
}

fn named(model: &str, source: EvalError) -> EvalError {
    EvalError::Model { model: model.to_owned(), source: Box::new(source) }
}

fn measure(run: &ModelRun<'_>, policy: AlarmPolicy) -> Result<ModelReport, EvalError> {
    expect_both_classes("validation", run.validation_scores, run.validation_positive)?;
    let (scores, positive) = run.test.pooled("test")?;
    let windows = Confusion::at(policy.threshold(), &scores, &positive)?;
    let events = Events::new(run.test, policy);
    let totals = events.totals();
    let bootstrap = BlockBootstrap::default();
    Ok(ModelReport {
        name: run.name.to_owned(),
        trainer: run.trainer.map(str::to_owned),
        description: run.description.to_owned(),
        validation: ValidationReport {
            windows: run.validation_scores.len(),
            positives: run.validation_positive.iter().filter(|&&label| label).count(),
            pr_auc: average_precision(run.validation_scores, run.validation_positive)?,
            f1: Confusion::at(policy.threshold(), run.validation_scores, run.validation_positive)?.f1(),
        },
        pr_auc: average_precision(&scores, &positive)?,
        roc_auc: roc_auc(&scores, &positive)?,
        threshold: policy.threshold(),
        refractory_steps: policy.refractory(),
        precision: windows.precision(),
        recall: windows.recall(),
        f1: windows.f1(),
        episodes_caught: totals.caught(),
        event_recall: totals.recall(),
        alarms: totals.alarms,
        false_alarms: totals.false_alarms,
        // Both classes were there, so something was scored.
        false_alarms_per_service_day: totals.false_alarms_per_service_day().unwrap_or_default(),
        late_alarms: totals.late_alarms,
        lead_time_minutes: LeadTimes::new(totals.leads_minutes),
        brier: brier(&scores, &positive)?,
        fit_seconds: run.fit_time.as_secs_f64(),
        score_seconds: run.score_time.as_secs_f64(),
        window_figures: Some(WindowFigures::new(&scores, &positive, policy.threshold())?),
        calibration: Some(Calibration::with_intervals(run.test, Calibration::BINS, &bootstrap)?),
        operation: Some(OperationReport::new(run.test, run.validation, policy, &events)?),
        intervals: ModelIntervals::new(run.test, policy.threshold(), &events, &bootstrap)?,
        services: if run.test.series().len() > 1 { services(run.test, &events)? } else { Vec::new() },
    })
}

fn services(test: &ScoredSet, events: &Events) -> Result<Vec<ServiceReport>, EvalError> {
    let rows = test.series().iter().zip(&events.services).map(|(series, matched)| {
        let (scores, positive) = (series.scores(), series.positive());
        let counts = matched.counts(test.step());
        let positives = positive.iter().filter(|&&label| label).count();
        let is_ranked = positives > 0 && positives < positive.len();
        Ok(ServiceReport {
            service: series.service().to_owned(),
            windows: scores.len(),
            positives,
            pr_auc: is_ranked.then(|| average_precision(scores, positive)).transpose()?,
            roc_auc: is_ranked.then(|| roc_auc(scores, positive)).transpose()?,
            episodes: counts.episodes,
            episodes_out_of_reach: counts.out_of_reach,
            episodes_caught: counts.caught(),
            event_recall: counts.recall(),
            alarms: counts.alarms,
            false_alarms: counts.false_alarms,
            false_alarms_per_service_day: counts.false_alarms_per_service_day(),
            late_alarms: counts.late_alarms,
            lead_time_minutes: LeadTimes::new(counts.leads_minutes),
        })
    });
    rows.collect()
}
