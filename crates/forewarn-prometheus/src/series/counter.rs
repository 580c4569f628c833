use forewarn_schema::Timestamp;

use crate::Sample;

/// What one sample adds to a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Increment {
    /// The first sample, or the first after a stale marker: there is nothing to compare it with.
    First,
    /// It grew.
    By {
        /// By how much: 0 or more. After a reset, what was counted since.
        value: f64,
        /// In how long, in milliseconds.
        span_millis: i64,
        /// Whether the counter began again at zero in between. What it counted before that, unseen, is lost.
        reset: bool,
    },
    /// No later than the sample before: left out.
    OutOfOrder,
    /// The series ended.
    Stale,
    /// NaN, infinite or below zero, which no counter is: left out.
    NotACount,
}

/// One counter, sample by sample: resets are seen as Prometheus sees them (the value falls), or by a later start where
/// the protocol carries one.
///
/// Increments are differences of what was read and nothing else. `increase()` and `rate()` of PromQL extrapolate to
/// both ends of their range, so that they give 160 where the samples differ by 144; no increment here does.
#[derive(Clone, Copy, Debug, Default)]
pub struct CounterState {
    last: Option<(Sample, Option<Timestamp>)>,
}

impl CounterState {
    /// The next sample. `start` is when the counter began at zero, where the sender says so.
    pub fn push(&mut self, sample: Sample, start: Option<Timestamp>) -> Increment {
        if self.last.is_some_and(|(last, _)| sample.time <= last.time) {
            return Increment::OutOfOrder;
        }
        if sample.is_stale() {
            self.last = None;
            return Increment::Stale;
        }
        if !(sample.value >= 0.0 && sample.value.is_finite()) {
            return Increment::NotACount;
        }
        let Some((last, last_start)) = self.last.replace((sample, start)) else { return Increment::First };
        let later_start = matches!((start, last_start), (Some(now), Some(before)) if now > before);
        let reset = later_start || sample.value < last.value;
        let value = if reset { sample.value } else { sample.value - last.value };
        Increment::By { value, span_millis: sample.time.millis() - last.time.millis(), reset }
    }
}

/// The growth of a counter over its samples, resets included, without extrapolation: the sum of the increments of
/// [`CounterState`]. `None` for fewer than two samples that are counts.
#[must_use]
pub fn increase(samples: &[Sample]) -> Option<f64> {
    growth(samples).map(|(value, _)| value)
}

/// [`increase`] for each second between the first sample and the last.
#[must_use]
pub fn rate(samples: &[Sample]) -> Option<f64> {
    growth(samples).map(|(value, millis)| value / (millis as f64 / 1000.0))
}

fn growth(samples: &[Sample]) -> Option<(f64, i64)> {
    let mut state = CounterState::default();
    samples.iter().fold(None, |sum: Option<(f64, i64)>, &sample| match state.push(sample, None) {
        Increment::By { value, span_millis, .. } => {
            let (before, millis) = sum.unwrap_or((0.0, 0));
            Some((before + value, millis + span_millis))
        }
        _ => sum,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        let at = |i: usize| Timestamp::from_millis(15_000 * i as i64).unwrap();
        values.iter().enumerate().map(|(i, &value)| Sample { time: at(i), value }).collect()
    }

    #[test]
    fn resets_count_from_zero_and_nothing_is_extrapolated() {
        assert_eq!(increase(&samples(&[10.0, 14.0, 3.0, 5.0])), Some(4.0 + 3.0 + 2.0));
        assert_eq!(rate(&samples(&[0.0, 30.0, 60.0])), Some(2.0));
        assert_eq!(increase(&samples(&[7.0])), None);
        assert_eq!(increase(&samples(&[7.0, f64::NAN])), None);
    }

    #[test]
    fn increments_of_large_counters_are_exact() {
        assert_eq!(increase(&samples(&[5e15, 5e15 + 1.0])), Some(1.0));
    }

    #[test]
    fn a_stale_marker_ends_the_series() {
        let mut five = samples(&[1.0, 2.0, f64::from_bits(crate::STALE_BITS), 9.0, 10.0]);
        assert_eq!(increase(&five), Some(2.0));
        five[2].value = f64::NAN;
        assert_eq!(increase(&five), Some(9.0));
    }

    #[test]
    fn a_later_start_is_a_reset_that_values_do_not_show() {
        let (mut state, two) = (CounterState::default(), samples(&[5.0, 8.0]));
        assert_eq!(state.push(two[0], Some(Timestamp::EPOCH)), Increment::First);
        let started = Timestamp::from_millis(9_000);
        let reset = Increment::By { value: 8.0, span_millis: 15_000, reset: true };
        assert_eq!(state.push(two[1], started), reset);
        assert_eq!(state.push(two[1], started), Increment::OutOfOrder);
        let negative = Sample { time: Timestamp::from_millis(60_000).unwrap(), value: -1.0 };
        assert_eq!(state.push(negative, started), Increment::NotACount);
    }
}
