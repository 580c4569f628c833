use crate::{WindowError, settings::setting};
use forewarn_core::CoreError;
use forewarn_schema::{Kind, Metric, Schema, Step, Timestamp, Unit, ValidRange};
use serde::{Deserialize, Serialize};

/// What a gauge was in a step in which it was sampled several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GaugeRule {
    /// The last sample.
    #[default]
    Last,
    /// Their mean.
    Mean,
}

/// Which of two samples of one metric and moment counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Duplicates {
    /// The one that came first; later ones are counted and dropped.
    #[default]
    KeepFirst,
    /// The one that came last, a correction.
    KeepLast,
    /// Neither: two of them are an error.
    Refuse,
}

/// How raw samples become rows on a regular clock.
///
/// The row at `t` is made of the samples after `t - step` and up to `t`, so that it is known at `t`. Steps begin at
/// the epoch plus [`with_offset_millis`](Self::with_offset_millis). By kind of metric:
///
/// | kind | value of a step | output |
/// |---|---|---|
/// | gauge | last sample or mean | gauge |
/// | delta | sum | delta |
/// | counter | increase since the last sample of the step before; where the value falls, the process began again at 0 | delta, count per step |
/// | ratio | mean, weighted by the samples of [`with_weigh_ratios_by`](Self::with_weigh_ratios_by) of the same moments | ratio |
/// | outcome | 1 where any sample is | outcome |
///
/// A step without samples is missing. So is a counter's first step and the one after a gap, since an increase over
/// several steps is that of none in particular; and a ratio whose weights are absent or add up to nothing.
///
/// **One scrape a step, at the same moment as a row, is a trap.** A jitter of 2 ms puts it before the border between two
/// rows or after it, so that up to half of the rows are empty and others have two samples.
/// [`AlignmentCounts::border_warning`] finds it; [`with_offset_millis`](Self::with_offset_millis) moves the border away
/// from the scrapes.
#[derive(Clone, Debug)]
pub struct Alignment {
    pub(crate) step: Step,
    pub(crate) offset_millis: i64,
    pub(crate) gauges: GaugeRule,
    pub(crate) duplicates: Duplicates,
    pub(crate) longest_gap_steps: usize,
    pub(crate) ratio_weight: Option<String>,
}

impl Alignment {
    /// Rows every `step`: the last sample of gauges, the first of duplicates, unweighted ratios, no gap longer than
    /// 100,000 steps.
    #[must_use]
    pub fn to(step: Step) -> Self {
        Self {
            step,
            offset_millis: 0,
            gauges: GaugeRule::default(),
            duplicates: Duplicates::default(),
            longest_gap_steps: 100_000,
            ratio_weight: None,
        }
    }

    /// The same with rows this many milliseconds after whole steps since the epoch: 0 or more, less than a step.
    #[must_use]
    pub fn with_offset_millis(self, millis: i64) -> Self {
        Self { offset_millis: millis, ..self }
    }

    /// Refuses settings out of range.
    pub(crate) fn check(&self) -> Result<(), WindowError> {
        if (0..self.step.millis()).contains(&self.offset_millis) {
            return Ok(());
        }
        Err(setting("offset of rows", &self.offset_millis, "0 or more milliseconds, less than a step"))
    }

    /// The same with another rule for gauges.
    #[must_use]
    pub fn with_gauges(self, gauges: GaugeRule) -> Self {
        Self { gauges, ..self }
    }

    /// The same with another rule for duplicates.
    #[must_use]
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// The same with another longest gap: a sample farther from the ones before it is an error, since a wrong clock
    /// would make as many empty rows as fit into memory.
    #[must_use]
    pub fn with_longest_gap(self, steps: usize) -> Self {
        Self { longest_gap_steps: steps.max(1), ..self }
    }

    /// The same with ratios weighted by another metric's samples, such as the error rate by the request count.
    #[must_use]
    pub fn with_weigh_ratios_by(self, metric: impl Into<String>) -> Self {
        Self { ratio_weight: Some(metric.into()), ..self }
    }

    /// The metrics of the rows, for raw samples of `raw`: counters become counts per step.
    ///
    /// # Errors
    /// None for a schema; the type is that of [`Schema::new`].
    pub fn schema(&self, raw: &Schema) -> Result<Schema, WindowError> {
        let metric = |metric: &Metric| match metric.kind {
            Kind::Counter => {
                Metric::new(&metric.name, Unit::CountPerStep, Kind::Delta, ValidRange::NON_NEGATIVE)
            }
            _ => metric.clone(),
        };
        Ok(Schema::new(raw.metrics().iter().map(metric).collect())?)
    }

    /// On which side of a border between two rows a sample is, if it is within a fiftieth of a step of one. A sample at
    /// the border itself belongs to the row before.
    pub(crate) fn border_side(&self, time: Timestamp) -> Option<BorderSide> {
        let (step, near) = (self.step.millis(), self.step.millis() / 50);
        let since = self.since_row(time);
        match since {
            0 => Some(BorderSide::Before),
            _ if since <= near => Some(BorderSide::After),
            _ if step - since <= near => Some(BorderSide::Before),
            _ => None,
        }
    }

    /// Milliseconds since the last row at `time` or before. A step may be longer than the calendar, but an offset is
    /// shorter than a step.
    fn since_row(&self, time: Timestamp) -> i64 {
        let step = self.step.millis();
        let since = time.millis().rem_euclid(step) - self.offset_millis;
        if since < 0 { since + step } else { since }
    }

    /// Time of the row that a sample at `time` belongs to.
    pub(crate) fn row_of(&self, time: Timestamp) -> Result<Timestamp, WindowError> {
        let (step, since) = (self.step.millis(), self.since_row(time));
        // Only the end of the step can be beyond the calendar.
        let row = match since {
            0 => Some(time.millis()),
            _ => time.millis().checked_add(step - since),
        };
        row.and_then(Timestamp::from_millis).ok_or_else(|| {
            let overflow =
                forewarn_schema::SchemaError::TimeOverflow { start: time, steps: 1, step_millis: step };
            CoreError::from(overflow).into()
        })
    }
}

/// Where a sample is that is near the border between two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BorderSide {
    Before,
    After,
}

/// What became of raw samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AlignmentCounts {
    /// Samples taken in, NaN not counted.
    pub samples: usize,
    /// Samples of a metric and moment that had one already.
    pub duplicates: usize,
    /// Samples of rows that had been made.
    pub late: usize,
    /// Falls of a counter.
    pub resets: usize,
    /// Cells of rows that are missing.
    pub missing: usize,
    /// Samples up to a fiftieth of a step before the border between two rows, and at it.
    pub before_border: usize,
    /// Samples up to a fiftieth of a step after it.
    pub after_border: usize,
}

impl AlignmentCounts {
    /// What to do where scrapes fall now before the border between two rows and now after it, so that cells are
    /// missing beside cells with two samples: at least a fifth of all samples on either side, and at least one cell
    /// missing for two of those.
    #[must_use]
    pub fn border_warning(&self) -> Option<String> {
        let Self { samples, missing, before_border, after_border, .. } = *self;
        let crossing = before_border.min(after_border);
        let is_likely = crossing > 0 && 5 * crossing >= samples && 2 * missing >= crossing;
        is_likely.then(|| {
            format!(
                "{missing} cells are missing, and of {samples} samples {before_border} come shortly before the border \
                 between two rows and {after_border} shortly after: move the border with \
                 Alignment::with_offset_millis, such as by half a step, or take a step of two scrapes"
            )
        })
    }
}
