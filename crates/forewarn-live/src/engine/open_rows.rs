use forewarn_schema::{Kind, Schema, Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What has come of one service for minutes that are not closed yet, and what counters need to remember.
///
/// Memory: the samples of the open minutes, and 16 bytes a counter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenRows {
    /// The minute after the last closed one, and those after it.
    minutes: VecDeque<OpenMinute>,
    /// Last sample of each metric that is a counter: time in milliseconds, value.
    counters: Vec<Option<(i64, f64)>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct OpenMinute {
    /// Metric, time in milliseconds, value.
    samples: Vec<(u32, i64, f64)>,
    /// A whole row, where it came as one.
    row: Option<Vec<f32>>,
}

/// A row as it was closed.
pub(super) struct Closed {
    /// Whether anything came for it.
    pub(super) any: bool,
    /// Values that their metric's range does not allow; they are missing in the row.
    pub(super) out_of_range: u32,
}

impl OpenRows {
    pub(super) fn new(metrics: usize) -> Self {
        Self { minutes: VecDeque::new(), counters: vec![None; metrics] }
    }

    /// Takes a sample for the minute that is `ahead` minutes after the next one to close.
    pub(super) fn sample(&mut self, ahead: usize, metric: u32, time: Timestamp, value: f64) {
        self.minute(ahead).samples.push((metric, time.millis(), value));
    }

    /// Takes a whole row for that minute. Of two rows the first counts; says whether this one does.
    pub(super) fn row(&mut self, ahead: usize, values: &[f32]) -> bool {
        let minute = self.minute(ahead);
        let is_first = minute.row.is_none();
        if is_first {
            minute.row = Some(values.to_vec());
        }
        is_first
    }

    /// Whether the next minute is complete: a whole row has come for it, or something for a later minute.
    pub(super) fn is_complete(&self) -> bool {
        self.minutes.len() > 1 || self.minutes.front().is_some_and(|minute| minute.row.is_some())
    }

    /// Closes the next minute, whose row time is `time`, and writes its values to `out`, one a metric.
    pub(super) fn close(&mut self, schema: &Schema, time: Timestamp, step: Step, out: &mut [f32]) -> Closed {
        out.fill(f32::NAN);
        let mut closed = Closed { any: false, out_of_range: 0 };
        let Some(mut minute) = self.minutes.pop_front() else { return closed };
        closed.any = minute.row.is_some() || !minute.samples.is_empty();
        // In order of time whatever the order of arrival; of equal times the first that came counts.
        minute.samples.sort_by_key(|&(metric, time, _)| (metric, time));
        minute.samples.dedup_by_key(|&mut (metric, time, _)| (metric, time));
        for samples in minute.samples.chunk_by(|a, b| a.0 == b.0) {
            let index = samples[0].0 as usize;
            let (Some(metric), Some(out)) = (schema.metrics().get(index), out.get_mut(index)) else { continue };
            let value = match metric.kind {
                Kind::Counter => self.increase(index, samples, time, step),
                _ => samples.iter().rev().map(|&(_, _, value)| value).find(|value| !value.is_nan()),
            };
            *out = value.map_or(f32::NAN, |value| value as f32);
        }
        if let Some(row) = minute.row {
            for (out, value) in out.iter_mut().zip(row) {
                if out.is_nan() {
                    *out = value;
                }
            }
        }
        for (metric, out) in schema.metrics().iter().zip(out) {
            if !out.is_nan() && !metric.range.contains(*out) {
                *out = f32::NAN;
                closed.out_of_range += 1;
            }
        }
        closed
    }

    /// What a counter grew by in a minute, without extrapolation. `None` where the sample before is too old for the
    /// growth to be that of this minute.
    fn increase(&mut self, metric: usize, samples: &[(u32, i64, f64)], time: Timestamp, step: Step) -> Option<f64> {
        let from = time.millis() - step.millis();
        let mut last = self.counters[metric].filter(|&(at, _)| at > from - step.millis());
        let mut growth = last.map(|_| 0.0);
        for &(_, at, value) in samples {
            if value.is_nan() {
                continue;
            }
            if let (Some((_, before)), Some(growth)) = (last, &mut growth) {
                // A counter that fell was reset to zero in between.
                *growth += if value >= before { value - before } else { value };
            }
            last = Some((at, value));
        }
        self.counters[metric] = last;
        growth
    }

    fn minute(&mut self, ahead: usize) -> &mut OpenMinute {
        while self.minutes.len() <= ahead {
            self.minutes.push_back(OpenMinute::default());
        }
        &mut self.minutes[ahead]
    }
}
