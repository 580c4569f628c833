use crate::{
    ExperimentError, Phase, Progress,
    run::{
        Run,
        fit::{Fitted, score_again},
        material::{Material, Prepared},
    },
};
use forewarn_core::{Samples, Score};
use forewarn_eval::{LeakAudit, LeakCheck, ScoredSet, ShuffledFuture};
use forewarn_schema::Timestamp;
use std::borrow::Cow;

/// Windows before the cut that are scored with the future shuffled: all of the last `NEAR_STEPS` steps of each service.
const NEAR_STEPS: i64 = 64;
/// Of those further back, at most this many in all.
const FAR: usize = 1000;

impl Run<'_> {
    /// Looks for leaks in the split, in every model's scores, and in every model: no score may change when what comes
    /// after it is shuffled, features included. The future is shuffled and prepared once for all models; of the
    /// scores of the test span, those that are made again are compared.
    pub(crate) fn audit(
        &self,
        prepared: &Prepared,
        fitted: &[Fitted],
        scored: &[(String, ScoredSet)],
    ) -> Result<Vec<LeakCheck>, ExperimentError> {
        let (train, test) = (self.split.train(), self.split.test());
        // Finding doubles, shuffling, computing features; then each model scores, and is compared.
        let total = 3 + 2 * fitted.len();
        let report = |done| self.observer.progress(Progress::Phase { phase: Phase::Audit, done, total });
        report(0);
        let (metrics, features) = (&*self.material.metrics, &prepared.features);
        let mut checks =
            LeakAudit::new().with_windows(*train.on(features)?, *test.on(features)?).run()?.checks;
        report(1);
        let Some((first, last)) = test.time_span() else { return Ok(checks) };
        let cut = Timestamp::from_millis(i64::midpoint(first.millis(), last.millis())).unwrap_or(first);
        let picks = picks(test, cut);
        let picked = test.select(&picks)?;
        let future = ShuffledFuture::new(metrics, cut)?;
        report(2);
        let shuffled = Material::new(self.settings, self.models, Cow::Borrowed(future.frames()))?;
        let derived = prepared.pipeline.apply(shuffled.sources())?;
        let wide = match (&prepared.wide, shuffled.wide()) {
            (Some((pipeline, _)), Some(sources)) => Some(pipeline.apply(&sources.frames)?),
            _ => None,
        };
        report(3);
        let views = shuffled.views(&derived, wide.as_ref());
        let again = score_again(self.models, fitted, &picked, views, |models| report(3 + models))?;
        let by_row = |scores: &mut dyn Iterator<Item = Score>| {
            let mut rows = vec![None; metrics.layout().rows()];
            picked.rows().iter().zip(scores).for_each(|(&row, score)| rows[row as usize] = Some(score));
            rows
        };
        for (at, ((model, again), (name, set))) in fitted.iter().zip(again).zip(scored).enumerate() {
            let before = by_row(&mut picks.iter().map(|&pick| model.test[pick as usize]));
            let after = by_row(&mut again.into_iter());
            let audit = LeakAudit::new().with_scores(set).with_future(&future, &before, &after);
            checks.extend(audit.run()?.about(name).checks);
            report(3 + fitted.len() + at + 1);
        }
        Ok(checks)
    }
}

/// Windows up to the cut that are worth scoring twice.
fn picks(test: &Samples, cut: Timestamp) -> Vec<u32> {
    let near = cut.millis().saturating_sub(NEAR_STEPS * test.layout().step().millis());
    let stride = test.len().div_ceil(FAR).max(1);
    let is_picked = |(index, time): (usize, Timestamp)| {
        time <= cut && (time.millis() > near || index.is_multiple_of(stride))
    };
    let places = test.places().map(|(_, time)| time).enumerate();
    places.filter(|&place| is_picked(place)).map(|(index, _)| index as u32).collect()
}
