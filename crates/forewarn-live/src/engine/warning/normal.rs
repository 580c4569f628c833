//! What is normal for each service: how far a row is from it says where an incident began.

use super::advice::kind_of;
use crate::engine::ProbableKind;
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

/// Rows before which nothing is known to be normal.
const FEWEST: u32 = 60;
/// Rows in which what was normal fades to a third: half a day of minutes.
const MEMORY: f32 = 720.0;
/// Deviations up to which a value is nothing unusual.
const USUAL: f64 = 4.0;

/// Mean and variance of each metric of a service, and how much of the time it fails, the past fading. 8 bytes a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct Normal {
    moments: Vec<[f32; 2]>,
    rows: u32,
    /// Share of the minutes in which it was failing.
    failing: f32,
    minutes: u32,
}

/// Columns whose rise is a sign of trouble: not those of traffic, which rises for everyone and falls for victims.
pub(in crate::engine) fn telling_columns(metrics: &Schema) -> Vec<usize> {
    let tells = |(_, name): &(usize, &str)| kind_of(name) != ProbableKind::Traffic;
    metrics.names().enumerate().filter(tells).map(|(column, _)| column).collect()
}

impl Normal {
    /// Takes a row into account.
    pub(in crate::engine) fn learn(&mut self, row: &[f32]) {
        self.moments.resize(row.len(), [f32::NAN; 2]);
        self.rows = self.rows.saturating_add(1);
        let rate = (1.0 / self.rows as f32).max(1.0 / MEMORY);
        for ([mean, variance], &value) in self.moments.iter_mut().zip(row) {
            if value.is_nan() {
                continue;
            }
            if mean.is_nan() {
                (*mean, *variance) = (value, 0.0);
                continue;
            }
            let distance = value - *mean;
            *mean += rate * distance;
            *variance = (1.0 - rate) * (*variance + rate * distance * distance);
        }
    }

    /// Takes into account whether the service was failing in a minute.
    pub(in crate::engine) fn learn_failing(&mut self, is_failing: bool) {
        self.minutes = self.minutes.saturating_add(1);
        let rate = (1.0 / self.minutes as f32).max(1.0 / MEMORY);
        self.failing += rate * (f32::from(u8::from(is_failing)) - self.failing);
    }

    /// How unusual it is that the service fails, from 0 for one that always did to 1.
    pub(in crate::engine) fn seldom_fails(&self) -> f64 {
        f64::from(1.0 - self.failing).clamp(0.0, 1.0)
    }

    /// How unusual a row is, from 0 for nothing unusual to 1, by its most unusual column.
    pub(in crate::engine) fn anomaly(&self, row: &[f32], columns: &[usize]) -> f64 {
        if self.rows < FEWEST {
            return 0.0;
        }
        let deviations = columns.iter().filter_map(|&column| {
            let (&[mean, variance], &value) = (self.moments.get(column)?, row.get(column)?);
            // A metric that never moved is no reason to take its first small step for a catastrophe.
            let spread = f64::from(variance).sqrt().max(0.02 * f64::from(mean).abs()).max(1e-3);
            Some((f64::from(value) - f64::from(mean)) / spread).filter(|deviations| !deviations.is_nan())
        });
        let most = deviations.fold(0.0, f64::max);
        if most > USUAL { 1.0 - USUAL / most } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_always_fails_is_no_news() {
        let mut normal = Normal::default();
        assert_eq!(normal.seldom_fails(), 1.0);
        (0..2000).for_each(|_| normal.learn_failing(false));
        (0..60).for_each(|_| normal.learn_failing(true));
        assert!((normal.seldom_fails() - (1.0f64 - 1.0 / 720.0).powi(60)).abs() < 1e-3);
        (0..2000).for_each(|_| normal.learn_failing(true));
        assert!(normal.seldom_fails() < 0.1);
    }

    #[test]
    fn what_is_far_above_a_services_own_normal_is_unusual() {
        let columns = telling_columns(&Schema::v1());
        assert!(!columns.contains(&0) && columns.contains(&1) && columns.len() == 7, "{columns:?}");
        let row = |latency: f32| {
            let mut row = [100.0, 0.0, 10.0, 20.0, 30.0, 0.2, 0.3, 1e5, 1e5, 0.0];
            row[2] = latency;
            row
        };
        let mut normal = Normal::default();
        (0..59).for_each(|minute| normal.learn(&row(10.0 + (minute % 3) as f32)));
        assert_eq!(normal.anomaly(&row(500.0), &columns), 0.0, "too little is known");
        normal.learn(&row(11.0));
        assert_eq!(normal.anomaly(&row(13.0), &columns), 0.0);
        let found = normal.anomaly(&row(111.0), &columns);
        assert!((found - (1.0 - 4.0 / 123.0)).abs() < 0.01, "{found}");
        assert_eq!(normal.anomaly(&row(1.0), &columns), 0.0, "low latency is no trouble");
        assert_eq!(normal.anomaly(&[f32::NAN; 10], &columns), 0.0);
    }
}
