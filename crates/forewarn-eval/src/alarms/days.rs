use crate::{BlockBootstrap, ScoredSeries, ScoredSet};
use forewarn_core::Score;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether the days of validation are as independent as the promise of an alarm budget takes them for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DayAssumption {
    /// It was not looked at, as in a report of an older version.
    #[default]
    Unchecked,
    /// Nothing speaks against it.
    Holds,
    /// A day is like the day before it. The threshold was chosen with a dispersion over several days, and the promise
    /// is doubtful still: the days of validation may all be quiet ones.
    Correlated,
    /// There are too few days to tell.
    TooFewDays,
}

impl DayAssumption {
    /// What a reader has to know; `None` where the promise stands.
    #[must_use]
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Unchecked | Self::Holds => None,
            Self::Correlated => Some(
                "Days of validation are like the days before them, so that a run of quiet ones may have set the \
                 threshold: expect false alarms above the budget more often than promised, and watch the realised \
                 rate.",
            ),
            Self::TooFewDays => Some(
                "Validation has too few days to check that they are independent, which the promise of an alarm budget \
                 rests on: watch the realised rate.",
            ),
        }
    }
}

/// How days follow one another, by the number of high scores of each service and day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Days {
    pub(super) assumption: DayAssumption,
    /// Correlation of a day with the next; `None` where it cannot be told.
    pub(super) correlation: Option<f64>,
    /// Covariance of a day with the next, relative to the squared mean; 0 unless days are correlated.
    covariance: f64,
    /// Correlation without its bias, for sums over many days.
    memory: f64,
    days: usize,
}

/// Fewest days whose correlation says anything.
const FEWEST: usize = 10;
/// Share of the windows that count as high. False alarms themselves are too few to show how days follow one another.
const HIGH: f64 = 0.05;
/// Standard errors above what independent days have: one independent sequence in ten is called correlated. Missing a
/// correlation costs more than a word too many.
const CERTAIN: f64 = 1.282;

impl Days {
    /// Looks at the negative windows of a set.
    ///
    /// The correlation is the mean over services of each one's own, by the ranks of its days: one wild day decides
    /// nothing, and several services tell more than their sum. Where services are independent, the mean is known
    /// better; where they go together, it is not, which the correlations between services say.
    pub(super) fn new(set: &ScoredSet) -> Self {
        let blocks = BlockBootstrap::default().blocks(set);
        let none = Self {
            assumption: DayAssumption::TooFewDays,
            correlation: None,
            covariance: 0.0,
            memory: 0.0,
            days: blocks.len(),
        };
        let negative = |series: &ScoredSeries| -> Vec<(Timestamp, Score)> {
            let pairs = series.scored().zip(series.positive());
            pairs.filter(|(_, positive)| !**positive).map(|(one, _)| one).collect()
        };
        let services: Vec<Vec<(Timestamp, Score)>> = set.series().iter().map(negative).collect();
        let mut scores: Vec<Score> = services.iter().flatten().map(|&(_, score)| score).collect();
        scores.sort_unstable_by(|a, b| b.cmp(a));
        let place = (HIGH * scores.len() as f64) as usize;
        let Some(&high) = scores.get(place).filter(|_| blocks.len() >= FEWEST) else { return none };
        let mut all = vec![(0.0, 0.0); blocks.len()];
        let mut ranked: Vec<Vec<f64>> = Vec::new();
        let mut long_enough = false;
        for service in &services {
            let mut own = vec![(0.0, 0.0); blocks.len()];
            for &(time, score) in service {
                let is_high = f64::from(u8::from(score >= high));
                for day in [&mut own[blocks.of(time)], &mut all[blocks.of(time)]] {
                    *day = (day.0 + is_high, day.1 + 1.0);
                }
            }
            // A service that was not there every day has no days that follow one another.
            if own.iter().all(|day| day.1 > 0.0) {
                long_enough = true;
                ranked.push(ranks(&own.iter().map(|day| day.0 / day.1).collect::<Vec<f64>>()));
            }
        }
        let shares: Vec<f64> = all.iter().filter(|day| day.1 > 0.0).map(|day| day.0 / day.1).collect();
        if !long_enough {
            if shares.len() < FEWEST {
                return none;
            }
            ranked.push(ranks(&shares));
        }
        let each: Vec<f64> = ranked.iter().filter_map(|days| correlation(days)).collect();
        if each.is_empty() {
            // Every day has as many: nothing that could be correlated.
            return Self { assumption: DayAssumption::Holds, ..none };
        }
        let (n, services) = (shares.len() as f64, ranked.len() as f64);
        let correlation = each.iter().sum::<f64>() / each.len() as f64;
        // Of independent days, the correlations of two services have the covariance r^2 / n, with r between them
        // (Bartlett).
        let together: f64 = ranked.iter().flat_map(|a| ranked.iter().map(|b| between(a, b).powi(2))).sum();
        let error = (together / n).sqrt() / services;
        if correlation <= CERTAIN * error - 1.0 / n {
            return Self { assumption: DayAssumption::Holds, correlation: Some(correlation), ..none };
        }
        let mean = shares.iter().sum::<f64>() / n;
        let relative: Vec<f64> = shares.iter().map(|share| share / mean - 1.0).collect();
        let products: f64 = relative.windows(2).map(|pair| pair[0] * pair[1]).sum();
        Self {
            assumption: DayAssumption::Correlated,
            correlation: Some(correlation),
            covariance: (products / (n - 1.0)).max(0.0),
            memory: (correlation + (1.0 + 3.0 * correlation) / n).clamp(0.2, 0.95),
            days: blocks.len(),
        }
    }

    /// The dispersion of a count over many days, where days by themselves have `dispersion` and `expected` is the
    /// count of all.
    ///
    /// Where days are correlated, their levels are taken to follow an autoregression of the first order: the variance
    /// of a day's level is the covariance over the correlation, and that of a long sum has all later covariances in
    /// it twice.
    pub(super) fn dispersion(&self, dispersion: f64, expected: f64) -> f64 {
        if self.covariance <= 0.0 {
            return dispersion;
        }
        let a_day = expected / self.days as f64;
        let alone = dispersion.max(1.0 + a_day * self.covariance / self.memory);
        alone + 2.0 * a_day * self.covariance / (1.0 - self.memory)
    }
}

/// Correlation of each value with the next; `None` where all are equal.
fn correlation(values: &[f64]) -> Option<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    (squares > 0.0).then(|| products / squares)
}

/// Correlation of two services' days; 1 where one of them is constant, so that it adds no certainty.
fn between(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let squares = |values: &[f64], mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    let products: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let scale = (squares(a, mean_a) * squares(b, mean_b)).sqrt();
    if scale > 0.0 { products / scale } else { 1.0 }
}

/// Places among the values, equal ones sharing the middle of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let place = |value: &f64| {
        let below = sorted.partition_point(|other| other < value);
        let until = sorted.partition_point(|other| other <= value);
        (below + until) as f64 / 2.0
    };
    values.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_of_known_sequences() {
        assert_eq!(correlation(&[1.0, 1.0, 1.0]), None);
        let turning: Vec<f64> = (0..50).map(|i| f64::from(i % 2)).collect();
        assert!((correlation(&turning).unwrap() + 0.98).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0]), [2.0, 0.5, 2.0]);
        assert!((between(&[1.0, 2.0, 3.0], &[6.0, 4.0, 2.0]) + 1.0).abs() < 1e-12);
        assert_eq!(between(&[1.0, 1.0], &[6.0, 4.0]), 1.0);
    }

    #[test]
    fn correlated_days_raise_the_dispersion_of_a_sum() {
        let days = |covariance| Days {
            assumption: DayAssumption::Correlated,
            correlation: Some(0.8),
            covariance,
            memory: 0.8,
            days: 20,
        };
        assert_eq!(days(0.0).dispersion(1.5, 40.0), 1.5);
        // Two a day: 1 + 2 * 0.2 / 0.8 of a day alone, and 2 * 2 * 0.2 / 0.2 of all later ones.
        assert!((days(0.2).dispersion(1.0, 40.0) - 5.5).abs() < 1e-12);
    }
}
