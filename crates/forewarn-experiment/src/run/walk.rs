use crate::{
    ExperimentError, Phase, Progress,
    experiment::Settings,
    run::{Run, check_part, material::FeatureLists},
};
use forewarn_core::{AlarmPolicy, Samples, Split};
use forewarn_eval::{
    BlockBootstrap, PartSummary, Report, ScoredSet, WalkForwardReport, WalkRun, best_f1_threshold,
};
use forewarn_window::WalkForward;

/// What a walk forward found, and the lists of features that it was given.
pub(crate) struct Walked {
    pub(crate) report: WalkForwardReport,
    pub(crate) lists: FeatureLists,
}

impl Run<'_> {
    /// Walks through the test span. `scored` are the scores of the models that were fitted once.
    pub(crate) fn walk(
        &self,
        days: usize,
        mut lists: FeatureLists,
        report: &Report,
        scored: &[(String, ScoredSet)],
    ) -> Result<Walked, ExperimentError> {
        let splits = self.folds(days)?;
        let (mut trained, mut runs) = (Vec::new(), Vec::new());
        for ((name, set), model) in scored.iter().zip(&report.models) {
            let policy = AlarmPolicy::for_window(model.threshold, set.spec());
            runs.push(WalkRun { name, fixed: (set, policy), refitted: Vec::with_capacity(splits.len()) });
        }
        for (index, split) in splits.iter().enumerate() {
            let (train, folds) = (split.train().len(), splits.len());
            self.observer.progress(Progress::Phase { phase: Phase::WalkForward, done: index, total: folds });
            self.stage(&format!("fold {} of {folds}: refitting on {train} windows", index + 1));
            check_part("train", split.train(), "learnt")?;
            check_part("validation", split.validation(), "chosen by it")?;
            let prepared = self.prepare(lists, split)?;
            let fitted = self.fit(&prepared, split)?;
            for (run, fitted) in runs.iter_mut().zip(fitted) {
                let episodes = self.labels.episodes();
                let (samples, scores) = fitted.held_out(split);
                let (threshold, _) = best_f1_threshold(scores, samples.positive())?;
                let set = ScoredSet::from_samples(split.test(), &fitted.test, episodes)?;
                run.refitted.push((set, AlarmPolicy::for_window(threshold, self.settings.spec)));
            }
            trained.push(PartSummary::new("train", split.train())?);
            let wide = prepared.wide.map(|(pipeline, _)| pipeline.into_features());
            lists = FeatureLists { features: prepared.pipeline.into_features(), wide };
        }
        let total = splits.len();
        self.observer.progress(Progress::Phase { phase: Phase::WalkForward, done: total, total });
        let report = WalkForwardReport::new(days as f64, &trained, &runs, &BlockBootstrap::default())?;
        Ok(Walked { report, lists })
    }

    /// As many whole folds as the test span has room for, ending with the data; validation is as long as that of the
    /// run.
    fn folds(&self, days: usize) -> Result<Vec<Split>, ExperimentError> {
        let (folds, steps) = fold_count(days, self.split.test())?;
        let validation = steps_of(self.split.validation()) + self.split.purge();
        Ok(WalkForward::new(folds, steps, validation).split(self.labels)?)
    }
}

impl Settings {
    /// Refuses a walk forward that the test span has no room for, before anything is fitted.
    pub(crate) fn check_walk(&self, split: &Split) -> Result<(), ExperimentError> {
        self.refit_days.map_or(Ok(()), |days| fold_count(days, split.test()).map(drop))
    }
}

/// Folds of `days` days in the test span, at least one, and steps of a fold.
fn fold_count(days: usize, test: &Samples) -> Result<(usize, usize), ExperimentError> {
    let step = test.layout().step();
    let (test, fold) = (steps_of(test), (days as f64 / step.days()) as usize);
    match test.checked_div(fold) {
        None | Some(0) => Err(ExperimentError::WalkTooLong { days, test_days: test as f64 * step.days() }),
        Some(folds) => Ok((folds, fold)),
    }
}

/// Steps from the first to the last window, both counted.
fn steps_of(samples: &Samples) -> usize {
    let span = samples.time_span().map_or(0, |(first, last)| last.millis() - first.millis());
    (span / samples.layout().step().millis()) as usize + 1
}
