use forewarn_core::Score;
use forewarn_core::{AlarmPolicy, average_precision};
use forewarn_eval::{EvalError, Events, PrPoint, ScoredSet, precision_recall_curve};
use forewarn_eval::{ModelReport, Report, WorstCase, WorstKind};
use forewarn_schema::{Episode, FrameSet, FrameView, Timestamp};

mod timeline;

pub use timeline::{Mark, MetricTrack, Timeline};

/// What the report's figures need and its numbers do not hold. Every part may be left out; its figure is then left
/// out too.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Pictures {
    /// Precision-recall curves of models and of the ceiling, on test.
    pub curves: Vec<PrCurve>,
    /// One failure with the minutes around it.
    pub timeline: Option<Timeline>,
    /// The [worst cases](forewarn_eval::WorstCases) of the chosen model, with the metrics around them.
    pub worst: Vec<(WorstKind, Timeline)>,
    /// When failures began, a service at a time, in all the data.
    pub onsets: Vec<ServiceOnsets>,
}

/// One precision-recall curve.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrCurve {
    /// Whose it is.
    pub name: String,
    /// A model's, or a bound's.
    pub kind: CurveKind,
    /// Area under its steps.
    pub pr_auc: f64,
    /// Points with rising recall; those too close to another to be seen are left out.
    pub points: Vec<PrPoint>,
}

/// Whose a curve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveKind {
    /// A model's.
    Model,
    /// A best possible predictor's.
    Ceiling,
}

impl PrCurve {
    /// The curve of these scores.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch),
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(
        name: impl Into<String>,
        kind: CurveKind,
        scores: &[Score],
        positive: &[bool],
    ) -> Result<Self, EvalError> {
        let points = thinned(&precision_recall_curve(scores, positive)?);
        Ok(Self { name: name.into(), kind, pr_auc: average_precision(scores, positive)?, points })
    }
}

/// Distance, as a share of the axes, below which two points of a curve look like one.
const VISIBLE: f64 = 1.0 / 600.0;

fn thinned(points: &[PrPoint]) -> Vec<PrPoint> {
    let mut kept: Vec<PrPoint> = Vec::new();
    for (index, &point) in points.iter().enumerate() {
        let is_seen = kept.last().is_none_or(|last| {
            point.recall - last.recall > VISIBLE || (point.precision - last.precision).abs() > VISIBLE
        });
        if is_seen || index + 1 == points.len() {
            kept.push(point);
        }
    }
    kept
}

/// When one service's failures began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceOnsets {
    /// Service.
    pub service: String,
    /// Onsets in order.
    pub onsets: Vec<Timestamp>,
}

impl ServiceOnsets {
    /// The onsets of a service's failures.
    #[must_use]
    pub fn new(service: impl Into<String>, episodes: &[Episode]) -> Self {
        Self { service: service.into(), onsets: episodes.iter().map(Episode::onset).collect() }
    }
}

/// Steps drawn before and after the failure of a timeline.
const MARGIN: usize = 45;
/// Steps drawn before and after a worst case.
const WORST_MARGIN: usize = 25;

impl Pictures {
    /// Adds what is drawn of single moments of the model that validation chose: a failure that tells how warnings
    /// went, and where it was most wrong. `scored` are the test scores of each model, as they are in the report;
    /// `metrics` names what is drawn above the score, the most informative first. Services whose metrics are not in
    /// `frames` are left out, unless there is just one of each.
    ///
    /// # Errors
    /// Those of [`Timeline::new`].
    pub fn add_moments(
        &mut self,
        report: &Report,
        scored: &[(String, ScoredSet)],
        frames: &FrameSet,
        metrics: &[&str],
    ) -> Result<(), EvalError> {
        let Some(model) = report.chosen() else { return Ok(()) };
        let Some((_, set)) = scored.iter().find(|(name, _)| *name == model.name) else { return Ok(()) };
        let moments = Moments { model, set, frames, metrics, policy: policy_of(model, set) };
        if let Some((service, episode)) = Events::new(set, moments.policy).typical_episode() {
            self.timeline = moments.timeline(service, Mark::Failure(episode), MARGIN)?;
        }
        let Some(operation) = &model.operation else { return Ok(()) };
        let (misses, false_alarms) = (&operation.worst.misses, &operation.worst.false_alarms);
        let misses = misses.iter().map(|case| (WorstKind::Miss, case));
        for (kind, case) in misses.chain(false_alarms.iter().map(|case| (WorstKind::FalseAlarm, case))) {
            let mark = moments.mark(kind, case)?;
            let timeline =
                mark.map_or(Ok(None), |mark| moments.timeline(&case.service, mark, WORST_MARGIN))?;
            self.worst.extend(timeline.map(|timeline| (kind, timeline)));
        }
        Ok(())
    }
}

fn policy_of(model: &ModelReport, set: &ScoredSet) -> AlarmPolicy {
    let own = model.operation.as_ref().map(|operation| operation.policy);
    own.unwrap_or_else(|| AlarmPolicy::for_window(model.threshold, set.spec()))
}

/// What timelines of one model are cut out of.
struct Moments<'a> {
    model: &'a ModelReport,
    set: &'a ScoredSet,
    frames: &'a FrameSet,
    metrics: &'a [&'a str],
    policy: AlarmPolicy,
}

impl Moments<'_> {
    fn mark(&self, kind: WorstKind, case: &WorstCase) -> Result<Option<Mark>, EvalError> {
        let episodes = self.set.service(&case.service)?.episodes();
        Ok(match kind {
            WorstKind::Miss => {
                episodes.iter().find(|episode| episode.onset() == case.time).copied().map(Mark::Failure)
            }
            WorstKind::FalseAlarm => Some(Mark::Alarm(case.time)),
        })
    }

    fn timeline(&self, service: &str, mark: Mark, margin: usize) -> Result<Option<Timeline>, EvalError> {
        let Some(frame) = self.frame(service, mark.time()) else { return Ok(None) };
        let series = (self.model.name.as_str(), self.set.service(service)?);
        Ok(Some(Timeline::new(frame, self.metrics, series, self.policy, mark, margin)?))
    }

    /// The metrics of a service where they hold this time. Where there is only one service on either side, names need
    /// not agree.
    fn frame(&self, service: &str, time: Timestamp) -> Option<FrameView<'_>> {
        let is_only = self.set.series().len() == 1 && self.frames.layout().services().len() == 1;
        let mut frames = self.frames.frames();
        let frame = frames.find(|frame| is_only || frame.service() == service)?;
        (frame.start() <= time && time < frame.end()).then_some(frame)
    }
}
