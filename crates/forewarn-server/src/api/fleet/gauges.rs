//! The six numbers of a service that people look at first.

use forewarn_schema::{Metric, Schema, Step, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The six numbers of a service that people look at first; null where the metrics do not have it, or it is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Gauges {
    /// Share of the processor in use.
    pub(crate) cpu: Option<f64>,
    /// Share of the memory in use.
    pub(crate) memory: Option<f64>,
    /// Milliseconds: the 95th percentile where there is one.
    pub(crate) latency: Option<f64>,
    /// Share of the requests that failed.
    pub(crate) error_rate: Option<f64>,
    /// Requests a second.
    pub(crate) throughput: Option<f64>,
    /// Share of the known minutes of the last 24 h in which it was not failing.
    pub(crate) availability: Option<f64>,
}

/// Where the gauges are in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dials {
    cpu: Option<usize>,
    memory: Option<usize>,
    latency: Option<usize>,
    error_rate: Option<usize>,
    /// With the seconds of a step.
    throughput: Option<(usize, f64)>,
}

impl Dials {
    /// Finds them by name and unit: metrics have no other sign of what they mean.
    pub(crate) fn of(metrics: &Schema, step: Step) -> Self {
        let find = |unit: &Unit, words: &[&str]| {
            let fits = |word: &str| {
                let named =
                    |metric: &Metric| metric.unit == *unit && metric.name.to_lowercase().contains(word);
                metrics.metrics().iter().position(named)
            };
            words.iter().find_map(|word| fits(word))
        };
        let requests = find(&Unit::CountPerStep, &["request", "call"]);
        Self {
            cpu: find(&Unit::Ratio, &["cpu", "processor"]),
            memory: find(&Unit::Ratio, &["memory", "mem"]),
            latency: find(&Unit::Milliseconds, &["p95", "p99", "latency", "duration", "p50"]),
            error_rate: find(&Unit::Ratio, &["error", "fail"]),
            throughput: requests.map(|place| (place, step.millis() as f64 / 1e3)),
        }
    }

    /// What they show of a row.
    pub(crate) fn read(&self, row: &[Option<f32>], availability: Option<f64>) -> Gauges {
        let at =
            |place: Option<usize>| place.and_then(|place| row.get(place).copied().flatten()).map(f64::from);
        Gauges {
            cpu: at(self.cpu),
            memory: at(self.memory),
            latency: at(self.latency),
            error_rate: at(self.error_rate),
            throughput: self.throughput.and_then(|(place, seconds)| Some(at(Some(place))? / seconds)),
            availability,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_usual_metrics_has_all_gauges() {
        let dials = Dials::of(&Schema::v1(), Step::MINUTE);
        let row = [1_200.0, 0.01, 10.0, 50.0, 80.0, 0.5, 0.25, 1.0, 1.0, 0.0].map(Some);
        let gauges = dials.read(&row, Some(0.75));
        assert_eq!((gauges.cpu, gauges.memory, gauges.latency), (Some(0.5), Some(0.25), Some(50.0)));
        assert_eq!(gauges.error_rate.map(|rate| rate as f32), Some(0.01));
        assert_eq!((gauges.throughput, gauges.availability), (Some(20.0), Some(0.75)));
    }

    #[test]
    fn what_is_missing_is_null_and_not_zero() {
        let dials = Dials::of(&Schema::v1(), Step::MINUTE);
        assert_eq!(dials.read(&[None; 10], None), Gauges::default());
        assert_eq!(dials.read(&[], None), Gauges::default());
        let strange = Schema::new(vec![Metric::gauge("queue")]).unwrap();
        assert_eq!(Dials::of(&strange, Step::MINUTE).read(&[Some(1.0)], None), Gauges::default());
    }
}
