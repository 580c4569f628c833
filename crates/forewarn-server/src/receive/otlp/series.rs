//! One series of OTLP points: what each adds.

use crate::receive::seen::Recent;
use forewarn_prometheus::{Labels, NativeHistogram, OtlpPoint, OtlpValue, Temporality};
use forewarn_schema::Timestamp;
use std::sync::Arc;

/// Steps between two points of a series beyond which nothing is known of the time between them.
const LONGEST_STEPS: i64 = 5;

/// What tells one series from another. The start tells the processes of a service apart, whose points have the same
/// attributes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    service: Arc<str>,
    metric: String,
    pub(super) attributes: Labels,
    start: Option<Timestamp>,
}

impl SeriesKey {
    pub(super) fn of(service: &Arc<str>, metric: &str, point: &OtlpPoint) -> Self {
        let is_cumulative = match &point.value {
            OtlpValue::Sum { temporality, .. } | OtlpValue::Histogram { temporality, .. } => {
                *temporality == Temporality::Cumulative
            }
            _ => false,
        };
        Self {
            service: Arc::clone(service),
            metric: metric.to_owned(),
            attributes: point.attributes.clone(),
            start: point.start.filter(|_| is_cumulative),
        }
    }
}

/// What has come of a series.
#[derive(Debug, Default)]
pub(super) struct SeriesState {
    seen: Recent,
    /// The last cumulative value.
    last: Option<Last>,
}

#[derive(Debug)]
enum Last {
    Sum(i64, f64),
    Histogram(i64, NativeHistogram),
}

/// What a point adds.
#[derive(Debug)]
pub(super) enum Increment {
    /// It has come before, or a newer one has.
    Repeated,
    /// Nothing that can be told: the first of its series, or after a gap.
    Nothing,
    /// This, in this many milliseconds; 0 for a level, which has no span.
    Of(Amount, i64),
}

/// An increment, or a level.
#[derive(Clone, Debug)]
pub(super) enum Amount {
    Level(f64),
    Count(f64),
    Histogram(NativeHistogram),
}

impl SeriesState {
    /// Time of the newest point.
    pub(super) fn newest(&self) -> Option<i64> {
        self.seen.newest()
    }

    pub(super) fn push(&mut self, point: OtlpPoint, step: i64) -> Increment {
        let (time, start) = (point.time.millis(), point.start.map(Timestamp::millis));
        if self.seen.has(time) {
            return Increment::Repeated;
        }
        let is_old = self.seen.newest().is_some_and(|newest| time < newest);
        self.seen.keep(time);
        let longest = LONGEST_STEPS * step;
        let near = |span: i64| (1..=longest).contains(&span).then_some(span);
        let since_start = start.and_then(|start| near(time - start));
        match point.value {
            OtlpValue::Gauge(value) | OtlpValue::Sum { value, is_monotonic: false, .. } => {
                Increment::Of(Amount::Level(value), 0)
            }
            OtlpValue::Sum { value, temporality: Temporality::Delta, .. } => {
                Increment::Of(Amount::Count(value), since_start.unwrap_or(step))
            }
            OtlpValue::Histogram { histogram, temporality: Temporality::Delta } => {
                Increment::Of(Amount::Histogram(histogram), since_start.unwrap_or(step))
            }
            OtlpValue::Sum { .. } | OtlpValue::Histogram { .. } if is_old => Increment::Repeated,
            OtlpValue::Sum { value, .. } => {
                let increment = match &self.last {
                    // A counter that fell began again, without saying when.
                    Some(Last::Sum(before, last)) => near(time - before)
                        .map(|span| (if value >= *last { value - last } else { value }, span)),
                    _ => since_start.map(|span| (value, span)),
                };
                self.last = Some(Last::Sum(time, value));
                increment
                    .map_or(Increment::Nothing, |(value, span)| Increment::Of(Amount::Count(value), span))
            }
            OtlpValue::Histogram { histogram, .. } => {
                let increment = match &self.last {
                    Some(Last::Histogram(before, last)) => {
                        near(time - before).and_then(|span| Some((histogram.since(last)?, span)))
                    }
                    _ => since_start.map(|span| (histogram.clone(), span)),
                };
                self.last = Some(Last::Histogram(time, histogram));
                increment
                    .map_or(Increment::Nothing, |(value, span)| Increment::Of(Amount::Histogram(value), span))
            }
            OtlpValue::NoRecordedValue => {
                self.last = None;
                Increment::Nothing
            }
            _ => Increment::Nothing,
        }
    }
}
