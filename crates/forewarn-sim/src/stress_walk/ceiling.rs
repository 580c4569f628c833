use super::{StressWalkRun, filter::Filter, grid::Grid, outlook::Outlook};
use crate::{CeilingScore, SimError};
use forewarn_core::{FailureRule, Label, Labels, Score, Settling, Target, V1Rule, WindowSpec};
use forewarn_schema::{FrameSet, FrameView, Step};
use serde::Serialize;
use std::sync::Arc;

/// Furthest that a prediction period may reach: a day.
pub const MAX_HORIZON_MINUTES: usize = 1440;

/// Node distances of the filter's grid in a hundredth of stress.
const FILTER_RESOLUTION: usize = 10;
/// The outlook is computed once, not once a row, so it can be twice as fine.
const OUTLOOK_RESOLUTION: usize = 2 * FILTER_RESOLUTION;

/// The best that any predictor can say about each minute of a run: the probability of the target's event, given all
/// that a predictor could know.
///
/// No predictor has a smaller expected Brier score or log loss, and none ranks minutes better, but by luck.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WalkCeiling {
    /// Given the hidden stress and all of the past, one a row. Out of reach for anything that sees only metrics.
    pub oracle: Vec<Score>,
    /// Given the metrics up to and including the row, one a row. The ceiling for every real predictor.
    pub bayes_filter: Vec<Score>,
}

/// How well the two parts of a [`WalkCeiling`] rank the windows of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CeilingScores {
    /// With the hidden stress.
    pub oracle: CeilingScore,
    /// With the metrics alone.
    pub bayes_filter: CeilingScore,
}

/// [`ceiling`] as figures: the average precision of both parts on all windows of the run that have a label by the
/// [v1 rule](V1Rule), which is the one that the process follows.
///
/// # Errors
/// As [`ceiling`]; [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) for a run in which nothing fails.
///
/// # Examples
/// ```
/// use forewarn_core::{Target, WindowSpec};
/// use forewarn_sim::{StressWalk, ceiling_scores};
///
/// let run = StressWalk::new(7 * 24 * 60, 42).run()?;
/// let best = ceiling_scores(&run, WindowSpec::default(), Target::Active)?;
/// // Far better than chance, and far from 1: most failures of this process come from nowhere.
/// assert!(best.bayes_filter.average_precision > 5.0 * best.bayes_filter.prevalence);
/// assert!(best.oracle.average_precision < 0.6);
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
pub fn ceiling_scores(
    run: &StressWalkRun,
    spec: WindowSpec,
    target: Target,
) -> Result<CeilingScores, SimError> {
    let ceiling = ceiling(run, spec, target)?;
    let frames = FrameSet::from_frames(vec![run.frame.clone()])?;
    let settling = Settling { confirmation: V1Rule.confirmation(), settling: 0 };
    let found = frames.frames().map(|frame| V1Rule.assess_with_gaps(frame)).collect::<Result<Vec<_>, _>>()?;
    let labels = Labels::from_assessments(Arc::clone(frames.layout()), spec, target, settling, found)?;
    let score = |scores: &[Score]| {
        let labelled = scores.iter().zip(labels.as_slice());
        let (scores, positive): (Vec<Score>, Vec<bool>) = labelled
            .filter(|(_, label)| !matches!(label, Label::Excluded(_)))
            .map(|(&score, &label)| (score, label == Label::Positive))
            .unzip();
        CeilingScore::new(&scores, &positive)
    };
    Ok(CeilingScores { oracle: score(&ceiling.oracle)?, bayes_filter: score(&ceiling.bayes_filter)? })
}

/// The ceiling of a run: for every row `t`, the probability that the target's event happens in the minutes
/// `t + lead + 1 ..= t + lead + period` of `spec`. The observation window plays no part: both see everything so far.
///
/// - [`Target::Active`]: the failure rule is satisfied in at least one of those minutes.
/// - [`Target::Onset`]: an onset lies in them, the first of two or more violations in a row. The second may lie one
///   minute past the period. A run of violations that is under way at the start of the period has no onset in it.
///
/// Both are exact but for the grid of stress that they are computed on, .0005 apart for the oracle and .001 for the
/// filter. On a month of the process, a grid four times as fine moves the filter's scores by 2e-6 in the mean and
/// .001 at most; a grid twice as fine moves no score of the oracle by more than 3e-5.
///
/// Cost: about 16 microseconds a row (0.7 seconds for 30 days on one core), nearly all of it for the filter, and 0.1
/// milliseconds for each minute of horizon; memory for the scores only. [`oracle`] alone takes 0.05 microseconds a
/// row.
///
/// # Errors
/// Those of [`oracle`] and of [`bayes_filter`].
///
/// # References
/// L. R. Rabiner, *A tutorial on hidden Markov models and selected applications in speech recognition*, Proceedings
/// of the IEEE 77(2), 1989: the forward recursion of the filter.
pub fn ceiling(run: &StressWalkRun, spec: WindowSpec, target: Target) -> Result<WalkCeiling, SimError> {
    let outlook = outlook(spec, target)?;
    Ok(WalkCeiling {
        oracle: oracle_scores(run, &outlook)?,
        bayes_filter: filter_scores(run.frame.view(), &outlook.halved(), FILTER_RESOLUTION)?,
    })
}

/// The first half of [`ceiling`]: for every row, the probability of the target's event given the hidden stress and
/// the state of the rule.
///
/// # Errors
/// [`SimError::HorizonTooLong`] beyond [`MAX_HORIZON_MINUTES`]; for a run that was changed after it was made,
/// [`SimError::LengthMismatch`] or [`SimError::StressOutOfRange`].
pub fn oracle(run: &StressWalkRun, spec: WindowSpec, target: Target) -> Result<Vec<Score>, SimError> {
    oracle_scores(run, &outlook(spec, target)?)
}

/// The second half of [`ceiling`], for a frame alone: for every row, the probability of the target's event given the
/// metrics up to and including it.
///
/// The frame's first row must be the process's first minute. A missing value says nothing. A missing error rate also
/// leaves open whether that minute violated the rule; the filter keeps both possibilities, since the process went on
/// from one of them. Metrics beside the ten are ignored, and `request_count` may be absent.
///
/// # Errors
/// [`SimError::HorizonTooLong`] beyond [`MAX_HORIZON_MINUTES`]; [`SimError::WrongStep`] unless the frame goes by the
/// minute; [`SimError::Schema`] naming a metric that it lacks; [`SimError::ImpossibleRow`] where the process cannot
/// have made the frame.
pub fn bayes_filter(frame: FrameView<'_>, spec: WindowSpec, target: Target) -> Result<Vec<Score>, SimError> {
    filter_scores(frame, &outlook(spec, target)?.halved(), FILTER_RESOLUTION)
}

fn oracle_scores(run: &StressWalkRun, outlook: &Outlook) -> Result<Vec<Score>, SimError> {
    let rows = run.frame.view().rows();
    for (what, got) in [("stress values", run.stress.len()), ("rule states", run.rule.len())] {
        if got != rows {
            return Err(SimError::LengthMismatch { what, expected: rows, got });
        }
    }
    let states = run.stress.iter().zip(&run.rule).enumerate();
    states
        .map(|(row, (&value, &rule))| {
            if !(0.0..=1.0).contains(&value) {
                return Err(SimError::StressOutOfRange { row, value });
            }
            Ok(Score::new(outlook.at(value, rule) as f32)?)
        })
        .collect()
}

fn outlook(spec: WindowSpec, target: Target) -> Result<Outlook, SimError> {
    if spec.horizon() > MAX_HORIZON_MINUTES {
        return Err(SimError::HorizonTooLong { horizon: spec.horizon(), max: MAX_HORIZON_MINUTES });
    }
    Ok(Outlook::new(&mut Grid::new(OUTLOOK_RESOLUTION), spec, target))
}

fn filter_scores(frame: FrameView<'_>, outlook: &Outlook, resolution: usize) -> Result<Vec<Score>, SimError> {
    if frame.step() != Step::MINUTE {
        return Err(SimError::WrongStep {
            service: frame.service().to_owned(),
            expected_millis: Step::MINUTE.millis(),
            got_millis: frame.step().millis(),
        });
    }
    let mut filter = Filter::new(Grid::new(resolution), frame.schema())?;
    let rows = frame.values().chunks_exact(frame.schema().len()).enumerate();
    rows.map(|(row, values)| {
        filter.observe(values).map_err(|_| SimError::ImpossibleRow {
            service: frame.service().to_owned(),
            time: frame.time(row),
            row,
        })?;
        Ok(Score::new(filter.probability(outlook) as f32)?)
    })
    .collect()
}
