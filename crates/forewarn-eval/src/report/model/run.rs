use crate::{AlarmBudget, BlockBootstrap, Delays, EpisodeClasses, ScoredSet, TimingReliability};
use forewarn_core::History;
use std::time::Duration;

/// One model's scores and what is to be said about it: what [`ModelReport::evaluate`](super::ModelReport::evaluate)
/// takes.
#[derive(Clone, Copy, Debug)]
pub struct ModelRun<'a> {
    pub(super) name: &'a str,
    pub(super) trainer: Option<&'a str>,
    pub(super) description: &'a str,
    pub(super) validation: &'a ScoredSet,
    pub(super) thresholds: Option<&'a ScoredSet>,
    pub(super) test: &'a ScoredSet,
    pub(super) fit_time: Option<Duration>,
    pub(super) score_time: Option<Duration>,
    pub(super) training: &'a [History],
    pub(super) timing: Option<&'a TimingReliability>,
    pub(super) classes: &'a [EpisodeClasses],
    pub(super) delays: Delays,
    pub(super) budget: AlarmBudget,
    pub(super) bootstrap: BlockBootstrap,
}

impl<'a> ModelRun<'a> {
    /// A model by a short name, with its scores of validation, on which thresholds are chosen, and of test, on which
    /// it is measured. Where nothing else is said: no description, default delays, intervals from 1,000 draws of
    /// days.
    #[must_use]
    pub fn new(name: &'a str, validation: &'a ScoredSet, test: &'a ScoredSet) -> Self {
        Self {
            name,
            trainer: None,
            description: "",
            validation,
            thresholds: None,
            test,
            fit_time: None,
            score_time: None,
            training: &[],
            timing: None,
            classes: &[],
            delays: Delays::default(),
            budget: AlarmBudget::default(),
            bootstrap: BlockBootstrap::default(),
        }
    }

    /// The model as a sentence.
    #[must_use]
    pub fn with_description(self, description: &'a str) -> Self {
        Self { description, ..self }
    }

    /// What fitted its weights, where there is a choice, such as `native`.
    #[must_use]
    pub fn with_trainer(self, trainer: Option<&'a str>) -> Self {
        Self { trainer, ..self }
    }

    /// Windows to choose thresholds on in place of validation, where there are more of them: such as the blocks of
    /// walk-forward folds, with scores of models that had not seen them.
    #[must_use]
    pub fn with_held_out(self, held_out: Option<&'a ScoredSet>) -> Self {
        Self { thresholds: held_out, ..self }
    }

    /// The windows that thresholds are chosen on.
    pub(super) fn held_out(&self) -> &'a ScoredSet {
        self.thresholds.unwrap_or(self.validation)
    }

    /// How long it took to fit it, and to score all test windows. Left out for scores that were given.
    #[must_use]
    pub fn with_durations(self, fit: Duration, score: Duration) -> Self {
        Self { fit_time: Some(fit), score_time: Some(score), ..self }
    }

    /// How its fits went, epoch by epoch: what the report plots.
    #[must_use]
    pub fn with_training(self, training: &'a [History]) -> Self {
        Self { training, ..self }
    }

    /// Whether what it says of *when* comes true, on the test windows.
    #[must_use]
    pub fn with_timing(self, timing: Option<&'a TimingReliability>) -> Self {
        Self { timing, ..self }
    }

    /// Which failures are of which class, to be measured apart.
    #[must_use]
    pub fn with_classes(self, classes: &'a [EpisodeClasses]) -> Self {
        Self { classes, ..self }
    }

    /// What stands between an alarm and a person, for net lead times.
    #[must_use]
    pub fn with_delays(self, delays: Delays) -> Self {
        Self { delays, ..self }
    }

    /// The false alarms that are accepted: what the report leads with. One per service and week unless said otherwise.
    #[must_use]
    pub fn with_budget(self, budget: AlarmBudget) -> Self {
        Self { budget, ..self }
    }

    /// How intervals are drawn.
    #[must_use]
    pub fn with_bootstrap(self, bootstrap: BlockBootstrap) -> Self {
        Self { bootstrap, ..self }
    }
}
