use forewarn_core::AlarmPolicy;
use forewarn_core::{CoreError, Score};
use forewarn_eval::{EvalError, ScoredSeries};
use forewarn_schema::{Episode, FrameView, Step, Timestamp};

/// The moment that a timeline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A failure.
    Failure(Episode),
    /// An alarm.
    Alarm(Timestamp),
}

impl Mark {
    /// The onset, or when the alarm was raised.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Failure(episode) => episode.onset(),
            Self::Alarm(time) => *time,
        }
    }

    fn end(&self) -> Timestamp {
        match self {
            Self::Failure(episode) => episode.end(),
            Self::Alarm(time) => *time,
        }
    }
}

/// The time around a moment as it came: metrics, score and alarms.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timeline {
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
    /// What it is about.
    pub mark: Mark,
    /// All failures in the time drawn.
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

impl Timeline {
    /// Cuts the time from `margin` steps before the moment to `margin` steps after its end out of a service's metrics
    /// and scores. Of `metrics` the first four are drawn; begin with the most informative. Alarms are those that
    /// `policy` raises in the whole series, so that one before the cut silences as it did.
    ///
    /// # Errors
    /// [`CoreError::Schema`] for a metric that the frame lacks; [`CoreError::InvalidSetting`] for a moment outside
    /// the frame.
    pub fn new(
        frame: FrameView<'_>,
        metrics: &[&str],
        (model, series): (&str, &ScoredSeries),
        policy: AlarmPolicy,
        mark: Mark,
        margin: usize,
    ) -> Result<Self, EvalError> {
        let step = frame.step();
        let row_of = |time: Timestamp| (time.millis() - frame.start().millis()).div_euclid(step.millis());
        let rows = frame.rows() as i64;
        if rows == 0 || row_of(mark.time()) < 0 || row_of(mark.time()) >= rows {
            return Err(CoreError::InvalidSetting {
                name: "moment of a timeline",
                value: mark.time().to_string(),
                expected: "a time within the frame",
            }
            .into());
        }
        let margin = i64::try_from(margin).unwrap_or(i64::MAX);
        let first = row_of(mark.time()).saturating_sub(margin).max(0) as usize;
        let last = row_of(mark.end()).saturating_add(margin).min(rows - 1) as usize;
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
            mark,
            failures: failures.copied().collect(),
        })
    }
}
