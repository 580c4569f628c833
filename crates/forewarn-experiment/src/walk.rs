use crate::{Event, Experiment, ExperimentError, Observer, check_part, fit};
use forewarn_core::{Labels, Samples, Split};
use forewarn_eval::{
    AlarmPolicy, BlockBootstrap, PartSummary, Report, ScoredSet, WalkForwardReport, WalkRun,
    best_f1_threshold,
};
use forewarn_schema::FrameSet;
use forewarn_window::{Features, WalkForward};

/// What a walk forward found, and the list of features that it was given.
pub(super) struct Walked {
    pub(super) report: WalkForwardReport,
    pub(super) features: Features,
}

/// What a walk forward goes over.
pub(super) struct Ground<'a> {
    pub(super) metrics: &'a FrameSet,
    pub(super) labels: &'a Labels,
    /// The split of the experiment itself.
    pub(super) split: &'a Split,
}

impl Experiment {
    /// Fits every model anew every so many days of the test span, on all that came before, and reports how quality changes over time
    /// and what fitting anew gains.
    ///
    /// Costs a fit of every model for each fold.
    #[must_use]
    pub fn walk_forward(mut self, days: usize) -> Self {
        self.refit_days = Some(days);
        self
    }

    /// Walks through the test span. `scored` are the scores of the models that were fitted once.
    pub(super) fn walk(
        &mut self,
        days: usize,
        mut features: Features,
        ground: &Ground<'_>,
        report: &Report,
        scored: &[(String, ScoredSet)],
        observer: &dyn Observer,
    ) -> Result<Walked, ExperimentError> {
        let splits = self.folds(days, ground)?;
        let (mut trained, mut runs) = (Vec::new(), Vec::new());
        for ((name, set), model) in scored.iter().zip(&report.models) {
            let policy = AlarmPolicy::for_window(model.threshold, set.spec());
            runs.push(WalkRun { name, fixed: (set, policy), refitted: Vec::with_capacity(splits.len()) });
        }
        for (index, split) in splits.iter().enumerate() {
            let (train, folds) = (split.train().len(), splits.len());
            let text = format!("fold {} of {folds}: fitting anew on {train} windows", index + 1);
            observer.event(Event::Stage(&text));
            check_part("train", split.train(), "learnt")?;
            check_part("validation", split.validation(), "chosen by it")?;
            let prepared = self.prepare(features, ground.metrics, split)?;
            let material = fit::Material { metrics: ground.metrics, derived: &prepared.derived, split };
            let fitted = fit::fit_all(&mut self.models, &material, observer)?;
            for (run, fitted) in runs.iter_mut().zip(fitted) {
                let episodes = ground.labels.episodes();
                let (threshold, _) = best_f1_threshold(&fitted.validation, split.validation().positive())?;
                let set = ScoredSet::from_samples(split.test(), &fitted.test, episodes)?;
                run.refitted.push((set, AlarmPolicy::for_window(threshold, self.spec)));
            }
            trained.push(PartSummary::new("train", split.train())?);
            features = prepared.pipeline.into_features();
        }
        let report = WalkForwardReport::new(days as f64, &trained, &runs, &BlockBootstrap::default())?;
        Ok(Walked { report, features })
    }

    /// As many whole folds as the test span has room for, ending with the data; validation is as long as that of the experiment.
    fn folds(&self, days: usize, ground: &Ground<'_>) -> Result<Vec<Split>, ExperimentError> {
        let step = ground.metrics.layout().step();
        let steps = |samples: &Samples| {
            let span = samples.time_span().map_or(0, |(first, last)| last.millis() - first.millis());
            (span / step.millis()) as usize + 1
        };
        let test = steps(ground.split.test());
        let fold = (days as f64 / step.days()) as usize;
        match test.checked_div(fold) {
            None | Some(0) => {
                Err(ExperimentError::WalkTooLong { days, test_days: test as f64 * step.days() })
            }
            Some(folds) => {
                let validation = steps(ground.split.validation()) + ground.split.purge();
                Ok(WalkForward::new(folds, fold, validation)?.split(ground.labels)?)
            }
        }
    }
}
