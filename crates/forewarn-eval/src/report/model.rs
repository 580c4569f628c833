mod ceiling;
mod class_report;
mod early;
mod intervals;
mod operations;
mod run;
mod secondary;
mod service_report;
mod tally;
mod window_figures;
mod worst;

pub use ceiling::{Bound, Ceiling};
pub use class_report::ClassReport;
pub use early::{LeadCurve, RecallAtLead};
pub use intervals::{ModelIntervals, ServiceIntervals};
pub use operations::{BudgetHeadline, BudgetOutcome, OperationReport};
pub use run::ModelRun;
pub use secondary::SecondaryFigures;
pub use service_report::ServiceReport;
pub use window_figures::WindowFigures;
pub use worst::{WorstCase, WorstCases, WorstKind};

use crate::both::both;
use crate::{
    Confusion, EvalError, Events, LeadTimes, Reliability, TimingReliability, best_f1_threshold, brier,
    roc_auc,
};
use forewarn_core::{AlarmPolicy, average_precision};
use forewarn_core::{History, Score};
use serde::{Deserialize, Serialize};

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
    /// Whether several blocks of time chose what it is made of and its thresholds, not one span of validation.
    #[serde(default)]
    pub is_weighed_by_blocks: bool,
    /// Average precision; compare it with the prevalence.
    pub pr_auc: f64,
    /// Area under the ROC curve; no skill has 0.5.
    pub roc_auc: f64,
    /// Windows with `score >= threshold` count as called positive, and raise an alarm outside the refractory period.
    /// Written as the shortest text that gives the same 32-bit number.
    pub threshold: Score,
    /// Steps between two alarms at least.
    pub refractory_steps: usize,
    /// Share of the windows called positive that are; 0 where none is called.
    pub precision: f64,
    /// Share of the positive windows that are called positive.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Failures detected.
    pub episodes_caught: usize,
    /// Their share of the failures within reach; `None` where none was within reach.
    pub event_recall: Option<f64>,
    /// How long before the onset the first alarm came, in minutes.
    pub lead_time_minutes: LeadTimes,
    /// Alarms raised.
    pub alarms: usize,
    /// Alarms without a failure in their period.
    pub false_alarms: usize,
    /// False alarms, divided by the days watched of all services together.
    pub false_alarms_per_service_day: f64,
    /// Alarms raised while the service was failing already: neither right nor false.
    pub late_alarms: usize,
    /// Mean squared difference between score and outcome.
    pub brier: f64,
    /// Seconds that fitting took; `None` for scores that were given.
    pub fit_seconds: Option<f64>,
    /// Seconds that scoring all test windows took; `None` for scores that were given.
    pub score_seconds: Option<f64>,
    /// Further figures of windows.
    #[serde(default)]
    pub window_figures: Option<WindowFigures>,
    /// Whether the scores are probabilities.
    #[serde(default)]
    pub calibration: Option<Reliability>,
    /// Whether what it says of *when* comes true; `None` for a model that says only whether.
    #[serde(default)]
    pub timing: Option<TimingReliability>,
    /// How its fits went, epoch by epoch, one entry for each of its networks; empty where there were no epochs.
    #[serde(default)]
    pub training: Vec<History>,
    /// What its alarms are like to live with.
    #[serde(default)]
    pub operation: Option<OperationReport>,
    /// Where these figures lie; `None` where the test part is too short to draw blocks of time from.
    #[serde(default)]
    pub intervals: Option<ModelIntervals>,
    /// Figures of anomaly detection, to compare with others.
    #[serde(default)]
    pub secondary: Option<SecondaryFigures>,
    /// One entry a service where there are several; empty for one.
    pub services: Vec<ServiceReport>,
    /// One entry a class of failures, such as a fault kind or a failure rule; empty where none is known.
    #[serde(default)]
    pub classes: Vec<ClassReport>,
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

impl ModelReport {
    /// Chooses the threshold with the best F1 on validation, raises alarms on test with the refractory period of
    /// [`AlarmPolicy::for_window`], and measures everything.
    ///
    /// # Errors
    /// [`EvalError::Model`], which names the model, for a part (`validation` or `test`, named too) without windows of
    /// both classes.
    pub fn evaluate(run: &ModelRun<'_>) -> Result<Self, EvalError> {
        let chosen = run
            .held_out()
            .pooled("validation")
            .and_then(|(scores, positive)| best_f1_threshold(&scores, &positive));
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
    let (validation_scores, validation_positive) = run.validation.pooled("validation")?;
    let (scores, positive) = run.test.pooled("test")?;
    let (threshold, bootstrap) = (policy.threshold(), &run.bootstrap);
    let windows = Confusion::at(threshold, &scores, &positive)?;
    let events = Events::new(run.test, policy);
    let totals = events.totals();
    // The dearest part, beside others.
    let (operation, (calibration, intervals, secondary, services)) = both(
        || OperationReport::new(run, policy, &events),
        || {
            (
                Reliability::with_intervals(run.test, Reliability::BINS, bootstrap),
                ModelIntervals::new(run.test, threshold, &events, &run.delays, bootstrap),
                SecondaryFigures::new(run.test, threshold, &events, bootstrap),
                ServiceReport::all(run.test, threshold, &events, bootstrap),
            )
        },
    );
    Ok(ModelReport {
        name: run.name.to_owned(),
        trainer: run.trainer.map(str::to_owned),
        description: run.description.to_owned(),
        validation: ValidationReport {
            windows: run.validation.windows(),
            positives: run.validation.positives(),
            pr_auc: average_precision(&validation_scores, &validation_positive)?,
            f1: Confusion::at(threshold, &validation_scores, &validation_positive)?.f1(),
        },
        is_weighed_by_blocks: run.thresholds.is_some(),
        pr_auc: average_precision(&scores, &positive)?,
        roc_auc: roc_auc(&scores, &positive)?,
        threshold,
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
        fit_seconds: run.fit_time.map(|time| time.as_secs_f64()),
        score_seconds: run.score_time.map(|time| time.as_secs_f64()),
        window_figures: Some(WindowFigures::new(&scores, &positive, threshold)?),
        calibration: Some(calibration?),
        timing: run.timing.cloned(),
        training: run.training.to_vec(),
        operation: Some(operation?),
        intervals: intervals?,
        secondary: Some(secondary?),
        services: services?,
        classes: ClassReport::all(run.test, &events, run.classes, bootstrap),
    })
}
