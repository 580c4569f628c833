use crate::{AlarmPolicy, EvalError, PrPoint, ScoredSeries, average_precision, precision_recall_curve};
use forewarn_core::{CoreError, Score};
use forewarn_schema::{Episode, FrameView, Step, Timestamp};

/// What the report's figures need and its numbers do not hold. Every part may be left out; its figure is then left out too.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Pictures {
    /// Precision-recall curves of models and of the ceiling, on test.
    pub curves: Vec<Curve>,
    /// One failure with the minutes around it.
    pub timeline: Option<EpisodeTimeline>,
    /// When failures began, a service at a time, in all the data.
    pub onsets: Vec<ServiceOnsets>,
}

/// One precision-recall curve.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Curve {
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

impl Curve {
    /// The curve of these scores.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`], [`CoreError::SingleClass`].
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

/// One failure as it came: metrics, score and alarms in the time around it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EpisodeTimeline {
    /// Service.
    pub service: String,
    /// Model whose scores these are.
    pub model: String,
    /// Length of a step.
    pub step: Step,
    /// First time drawn.
    pub start: Timestamp,
    /// Last time drawn.
    pub end: Timestamp,
    /// Metrics from top to bottom.
    pub metrics: Vec<MetricTrack>,
    /// Scores in order of time; windows without a label have none.
    pub scores: Vec<(Timestamp, Score)>,
    /// Threshold of the alarm.
    pub threshold: Score,
    /// When alarms were raised.
    pub alarms: Vec<Timestamp>,
    /// The failure.
    pub episode: Episode,
    /// All failures in the time drawn, that one among them.
    pub failures: Vec<Episode>,
}

/// One metric over time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MetricTrack {
    /// Metric.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// Samples in order of time, NaN where missing.
    pub samples: Vec<(Timestamp, f32)>,
}

impl EpisodeTimeline {
    /// Cuts the time from `margin` steps before the onset to `margin` steps after the end out of a service's metrics and scores.
    /// Of `metrics` the first four are drawn; begin with the one that the failure rule reads. Alarms are those that `policy`
    /// raises in the whole series, so that one before the cut silences as it did.
    ///
    /// # Errors
    /// [`CoreError::Schema`] for a metric that the frame lacks; [`EvalError::UnknownService`] when frame and scores are of different
    /// services; [`CoreError::InvalidSetting`] for an episode outside the frame.
    pub fn new(
        frame: FrameView<'_>,
        metrics: &[&str],
        (model, series): (&str, &ScoredSeries),
        policy: AlarmPolicy,
        episode: Episode,
        margin: usize,
    ) -> Result<Self, EvalError> {
        if frame.service() != series.service() {
            return Err(EvalError::UnknownService { service: frame.service().to_owned() });
        }
        let step = frame.step();
        let row_of = |time: Timestamp| (time.millis() - frame.start().millis()).div_euclid(step.millis());
        let rows = frame.rows() as i64;
        if rows == 0 || row_of(episode.onset()) < 0 || row_of(episode.onset()) >= rows {
            return Err(CoreError::InvalidSetting {
                name: "episode of a timeline",
                value: format!("onset {}", episode.onset()),
                expected: "an onset within the frame",
            }
            .into());
        }
        let margin = i64::try_from(margin).unwrap_or(i64::MAX);
        let first = row_of(episode.onset()).saturating_sub(margin).max(0) as usize;
        let last = row_of(episode.end()).saturating_add(margin).min(rows - 1) as usize;
        let (start, end) = (frame.time(first), frame.time(last));
        let is_drawn = |time: Timestamp| start <= time && time <= end;
        let metrics = metrics.iter().take(4).map(|&name| {
            let index = frame.schema().index_of(name).map_err(CoreError::from)?;
            let column = frame.column(name).map_err(CoreError::from)?;
            let samples = column.enumerate().skip(first).take(last + 1 - first);
            Ok(MetricTrack {
                name: name.to_owned(),
                unit: frame.schema().metrics()[index].unit.to_string(),
                samples: samples.map(|(row, value)| (frame.time(row), value)).collect(),
            })
        });
        let failures = series.episodes().iter().filter(|other| other.onset() <= end && other.end() > start);
        let alarms = policy.replay(step, series.scored()).map(|alarm| alarm.time);
        Ok(Self {
            service: series.service().to_owned(),
            model: model.to_owned(),
            step,
            start,
            end,
            metrics: metrics.collect::<Result<_, EvalError>>()?,
            scores: series.scored().filter(|&(time, _)| is_drawn(time)).collect(),
            threshold: policy.threshold(),
            alarms: alarms.filter(|&time| is_drawn(time)).collect(),
            episode,
            failures: failures.copied().collect(),
        })
    }
}
