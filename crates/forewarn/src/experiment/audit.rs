use super::{Experiment, ExperimentError, fit::Fitted, prepare::Prepared};
use forewarn_core::{CoreError, Samples, Score, Split};
use forewarn_eval::{LeakAudit, LeakCheck, ScoredSet};
use forewarn_schema::{FrameSet, Timestamp};

/// Windows before the cut that are scored with the future shuffled: all of the last so many steps of each service.
const NEAR_STEPS: i64 = 64;
/// Of those further back, so many in all.
const FAR: usize = 1000;

impl Experiment {
    /// Looks for leaks in the split, in every model's scores, and in every model: no score may change when what comes after it is
    /// shuffled, features included.
    pub(super) fn audit(
        &self,
        metrics: &FrameSet,
        prepared: &Prepared,
        split: &Split,
        fitted: &[Fitted],
        scored: &[(String, ScoredSet)],
    ) -> Result<Vec<LeakCheck>, ExperimentError> {
        let (train, test) =
            (split.train().on(&prepared.derived.features)?, split.test().on(&prepared.derived.features)?);
        let mut checks = LeakAudit::new().windows(*train, *test).run()?.checks;
        let Some((first, last)) = split.test().time_span() else { return Ok(checks) };
        let cut = Timestamp::from_millis(i64::midpoint(first.millis(), last.millis())).unwrap_or(first);
        let picked = split.test().select(&picks(split.test(), cut))?;
        for (model, (name, set)) in fitted.iter().zip(scored) {
            let mut score = |frames: &FrameSet| -> Result<Vec<Option<Score>>, CoreError> {
                let again;
                // The metrics as they are, before the future is shuffled, have been prepared already.
                let derived = if std::ptr::eq(frames, metrics) {
                    &prepared.derived
                } else {
                    again = self
                        .prepare_again(prepared, frames)
                        .map_err(|error| CoreError::outside("preparing features", error))?;
                    &again
                };
                let mut rows = vec![None; frames.layout().rows()];
                let scores = model.scorer.score(fitted, &picked, frames, derived)?;
                for (&row, score) in picked.rows().iter().zip(scores) {
                    rows[row as usize] = Some(score);
                }
                Ok(rows)
            };
            let audit = LeakAudit::new().scores(set).model(metrics, cut, &mut score);
            checks.extend(audit.run()?.about(name).checks);
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
