use crate::{
    Data, Experiment, ExperimentError, Model, Observer, Phase, Progress,
    memory::Audit,
    results::{models::Models, saving::About},
    run::{Run, check_part, fit::Fitted, side_by_side::side_by_side, unsplittable},
};
use forewarn_core::{AlarmPolicy, Envelope, History, Predictor, Target, average_precision};
use forewarn_eval::{
    BudgetChoice, Confusion, Events, InputSummary, PartSummary, ScoredSet, WindowSummary, best_f1_threshold,
    roc_auc,
};
use forewarn_window::{Pipeline, chronological_without_test};
use serde::Serialize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Models that were fitted on all there is, for use: what [`Experiment::train`] gives.
pub struct Trained {
    summary: TrainingSummary,
    models: Models,
}

/// What a training used, and how its models did on validation.
///
/// No figure is of windows that had no say: thresholds, stopping and the choice of model went by validation. What a
/// model is worth is measured by [`Experiment::run`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrainingSummary {
    /// The data that was read.
    pub input: InputSummary,
    /// What counts as failing, as a sentence.
    pub failure_rule: String,
    /// What a positive label states.
    pub target: Target,
    /// What a prediction looks at and what it is about.
    pub window: WindowSummary,
    /// Features of each row that models see, in order.
    pub features: Vec<String>,
    /// Fitted on.
    pub train: PartSummary,
    /// Thresholds, stopping and the model chosen with.
    pub validation: PartSummary,
    /// Steps between the two parts at least.
    pub purge: usize,
    /// One entry a model, in the order in which they were added.
    pub models: Vec<TrainedModel>,
    /// What a reader should know besides, one sentence each.
    pub notes: Vec<String>,
}

/// How one model was fitted, and how it did on validation. Shares and areas are in 0..=1.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrainedModel {
    /// Short name.
    pub name: String,
    /// The model as a sentence.
    pub description: String,
    /// What fitted its weights, where there is a choice.
    pub trainer: Option<String>,
    /// How scores become alarms: at the threshold that keeps the budget, or, where validation proves none, that of
    /// the best F1 on validation.
    pub policy: AlarmPolicy,
    /// Whether several blocks of time chose what it is made of and its threshold, not one span of validation.
    pub is_weighed_by_blocks: bool,
    /// What validation says of that budget, which may be above the one asked for; `None` where it proves none.
    pub budget: Option<BudgetChoice>,
    /// Average precision on validation; compare it with the prevalence there.
    pub pr_auc: f64,
    /// Area under the ROC curve on validation.
    pub roc_auc: f64,
    /// Share of the windows called positive that are; 0 where none is called.
    pub precision: f64,
    /// Share of the positive windows that are called positive.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Failures within reach in the validation span.
    pub failures: usize,
    /// Those among them that an alarm preceded in time.
    pub failures_detected: usize,
    /// False alarms per service and week.
    pub false_alarms_per_service_week: f64,
    /// Seconds that fitting took.
    pub fit_seconds: f64,
    /// How its fits went, epoch by epoch; empty where there were no epochs.
    pub training: Vec<History>,
}

impl Experiment {
    /// Fits every model on all there is, for use: validation keeps its share of the [split](Self::with_split), at the
    /// end of the time, for thresholds, stopping and the choice of model, and everything before it, but for a purge,
    /// is for training. There is no test span.
    ///
    /// Settings about the test span have no effect: delays, walk forward, and what tells failures apart. Memory and
    /// cost are those of the fits in [`run`](Self::run).
    ///
    /// # Errors
    /// As [`run`](Self::run), but for what concerns the test span.
    pub fn train(self, data: Data, observer: &dyn Observer) -> Result<Trained, ExperimentError> {
        self.check()?;
        let Self { settings, features, models } = self;
        let labels = settings.label(&data, observer)?;
        let split = chronological_without_test(&labels, settings.fractions).map_err(unsplittable(&labels))?;
        check_part("train", split.train(), "learnt")?;
        check_part("validation", split.validation(), "chosen by it")?;
        let Data { frames, provenance, weights, .. } = data;
        let (material, features) = settings.material(&models, features, frames)?;
        let material = material.with_weights(weights);
        settings.check_memory(&material, &features, Audit::LeftOut)?;
        let run = Run {
            settings: &settings,
            models: &models,
            observer,
            labels: &labels,
            split: &split,
            material: &material,
        };
        let prepared = run.prepare(features, &split)?;
        let fitted = run.fit(&prepared, &split)?;
        let summary = TrainingSummary {
            input: provenance.summary(&material.metrics, &labels)?,
            failure_rule: settings.rule.describe(),
            target: settings.target,
            window: WindowSummary::new(settings.spec, material.metrics.layout().step()),
            features: prepared.features.schema().names().map(str::to_owned).collect(),
            train: PartSummary::new("train", split.train())?,
            validation: PartSummary::new("validation", split.validation())?,
            purge: split.purge(),
            models: run.trained_models(&fitted)?,
            notes: run.notes(&fitted)?,
        };
        Ok(Trained {
            summary,
            models: run.into_models(
                fitted,
                prepared.pipeline,
                prepared.wide.map(|(pipeline, _)| pipeline),
            )?,
        })
    }
}

impl Run<'_> {
    /// Each model's figures on validation.
    fn trained_models(&self, fitted: &[Fitted]) -> Result<Vec<TrainedModel>, ExperimentError> {
        let (done, total) = (AtomicUsize::new(0), fitted.len());
        let report = |done| self.observer.progress(Progress::Phase { phase: Phase::Evaluation, done, total });
        report(0);
        let pairs: Vec<(&Model, &Fitted)> = self.models.iter().zip(fitted).collect();
        side_by_side(&pairs, |_, &(model, fitted)| {
            let found = self.trained_model(model, fitted)?;
            report(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(found)
        })
    }

    fn trained_model(&self, model: &Model, fitted: &Fitted) -> Result<TrainedModel, ExperimentError> {
        let samples = self.split.validation();
        let (scores, positive) = (&fitted.validation, samples.positive());
        let set = ScoredSet::from_samples(samples, scores, self.labels.episodes())?;
        let (held_out, of_held_out) = fitted.held_out(self.split);
        let (best_f1, _) = best_f1_threshold(of_held_out, held_out.positive())?;
        let policy = AlarmPolicy::for_window(best_f1, self.settings.spec);
        let of_held_out = ScoredSet::from_samples(held_out, of_held_out, self.labels.episodes())?;
        let budget = self.settings.budget.choose_nearest(&of_held_out, policy)?;
        let policy = budget.map_or(policy, |choice| policy.at(choice.threshold));
        let windows = Confusion::at(policy.threshold(), scores, positive)?;
        let totals = Events::new(&set, policy).totals();
        Ok(TrainedModel {
            name: model.name.clone(),
            description: model.description.clone(),
            trainer: model.trainer.clone(),
            policy,
            is_weighed_by_blocks: fitted.held_out.is_some(),
            budget,
            pr_auc: average_precision(scores, positive)?,
            roc_auc: roc_auc(scores, positive)?,
            precision: windows.precision(),
            recall: windows.recall(),
            f1: windows.f1(),
            failures: totals.episodes,
            failures_detected: totals.caught(),
            // Both classes were there, so some time was watched.
            false_alarms_per_service_week: 7.0 * totals.false_alarms_per_service_day().unwrap_or_default(),
            fit_seconds: fitted.fit_seconds,
            training: fitted.scorer.history().to_vec(),
        })
    }
}

impl TrainingSummary {
    /// The model to use: the first that was [weighed by blocks](TrainedModel::is_weighed_by_blocks); without one that
    /// with the highest PR-AUC on validation, of equal ones the first. `None` without a model.
    #[must_use]
    pub fn chosen(&self) -> Option<&TrainedModel> {
        let weighed = self.models.iter().find(|model| model.is_weighed_by_blocks);
        weighed.or_else(|| self.models.iter().rev().max_by(|a, b| a.pr_auc.total_cmp(&b.pr_auc)))
    }
}

impl Trained {
    /// What was used, and how the models did on validation.
    #[must_use]
    pub fn summary(&self) -> &TrainingSummary {
        &self.summary
    }

    /// A model as it was fitted; see [`Results::predictor`](crate::Results::predictor).
    #[must_use]
    pub fn predictor(&self, model: &str) -> Option<&dyn Predictor> {
        let position = self.summary.models.iter().position(|trained| trained.name == model)?;
        self.models.predictor(position)
    }

    /// The feature pipeline, fitted on the training rows. With a service graph it reads the graph's columns behind
    /// the metrics.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.models.pipeline
    }

    /// A model with all that a program needs to serve it: what makes its rows of metrics, and its alarm policy. Write
    /// it with [`write_model`](crate::write_model). [`TrainingSummary::chosen`] says which one to take.
    ///
    /// # Errors
    /// As [`Results::to_envelope`](crate::Results::to_envelope).
    pub fn to_envelope(&self, model: &str) -> Result<Envelope, ExperimentError> {
        let policies = self.summary.models.iter().map(|trained| (&*trained.name, Some(trained.policy)));
        let about = About {
            failure_rule: &self.summary.failure_rule,
            target: self.summary.target,
            trained_on: &self.summary.input.description,
        };
        self.models.envelope_of(model, policies, &about)
    }
}
