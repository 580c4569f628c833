use super::statistic::{Plan, Statistic};
use crate::BaselineError;
use forewarn_core::{CoreError, LabelledWindows};
use forewarn_numerics::{Ranking, Tie, average_precision_of, best_f1_of};
use forewarn_schema::Kind;
use serde::{Deserialize, Serialize};

/// On which side of the threshold a metric is a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// At the threshold or above, such as an error rate.
    Above,
    /// At the threshold or below, such as free memory.
    Below,
}

impl Direction {
    /// The statistic turned so that higher is worse.
    pub(crate) fn severity(self, statistic: f32) -> f32 {
        match self {
            Self::Above => statistic,
            Self::Below => -statistic,
        }
    }
}

/// Which metric a rule looks at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Watch {
    /// This one.
    Metric {
        /// Its name.
        name: String,
        /// Value from which on it is a warning, in the unit of what the rule computes: the metric's, or deviations.
        threshold: f32,
        /// On which side.
        direction: Direction,
    },
    /// The metric and direction whose statistic ranks the training windows best (average precision; the first in the
    /// order of the schema among equals, `Above` before `Below`), with the threshold of the highest F1 on them.
    ///
    /// For failures that are stated from outside, where no rule says which metric matters. A window without the
    /// statistic ranks last; columns of kind [`Kind::Outcome`] are never watched.
    ///
    /// Cost: for each metric the statistic of each window and one sort of them,
    /// `O(metrics windows (observation + log windows))` time, under a second for 38 metrics and 100,000 windows of 10
    /// rows; 12 bytes of scratch a window, and 24 a distinct value.
    Best,
}

impl Watch {
    /// Watches for `name` at `threshold` or above.
    pub fn above(name: impl Into<String>, threshold: f32) -> Self {
        Self::Metric { name: name.into(), threshold, direction: Direction::Above }
    }

    /// Watches for `name` at `threshold` or below.
    pub fn below(name: impl Into<String>, threshold: f32) -> Self {
        Self::Metric { name: name.into(), threshold, direction: Direction::Below }
    }

    /// Settles what is watched and computes its statistic for the training windows.
    pub(crate) fn resolve(&self, plan: &Plan, data: LabelledWindows<'_>) -> Result<Resolved, CoreError> {
        let (windows, positive) = (data.windows(), data.positive());
        let metrics = windows.schema().metrics();
        let statistics = |column| -> Result<(Statistic, Vec<f32>), CoreError> {
            let statistic = plan.fit(data, column)?;
            let values = windows.iter().map(|window| statistic.of(window, metrics.len(), column)).collect();
            Ok((statistic, values))
        };
        match self {
            Self::Metric { name, threshold, direction } => {
                if !threshold.is_finite() {
                    return Err(CoreError::InvalidSetting {
                        name: "threshold",
                        value: threshold.to_string(),
                        expected: "a finite number",
                    });
                }
                let column = windows.schema().index_of(name)?;
                if metrics[column].kind == Kind::Outcome {
                    return Err(BaselineError::OutcomeAsInput { metric: name.clone() }.of("watch"));
                }
                let (statistic, statistics) = statistics(column)?;
                let Some(ranking) = Ranked::new(&statistics, positive) else {
                    let (metric, windows) = (name.clone(), windows.len());
                    return Err(BaselineError::NoSamples { metric, windows }.of("watch"));
                };
                let average_precision = ranking.average_precision(*direction);
                let watched =
                    Watched { metric: name.clone(), column, direction: *direction, threshold: *threshold };
                Ok(Resolved { watched, statistic, statistics, average_precision })
            }
            Self::Best => {
                let mut best: Option<Resolved> = None;
                for (column, metric) in metrics.iter().enumerate() {
                    if metric.kind == Kind::Outcome || plan.is_clock(&metric.name) {
                        continue;
                    }
                    let (statistic, statistics) = statistics(column)?;
                    let Some(ranking) = Ranked::new(&statistics, positive) else { continue };
                    let above = ranking.average_precision(Direction::Above);
                    let below = ranking.average_precision(Direction::Below);
                    let (direction, average_precision) =
                        if above >= below { (Direction::Above, above) } else { (Direction::Below, below) };
                    if best.as_ref().is_none_or(|best| average_precision > best.average_precision) {
                        let threshold = ranking.best_f1_threshold(direction).unwrap_or(f32::NAN);
                        let watched = Watched { metric: metric.name.clone(), column, direction, threshold };
                        best = Some(Resolved { watched, statistic, statistics, average_precision });
                    }
                }
                best.ok_or_else(|| {
                    let metrics = windows.schema().names().map(str::to_owned).collect();
                    BaselineError::NothingToWatch { metrics }.of("watch")
                })
            }
        }
    }
}

/// What a fitted rule watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    pub(crate) metric: String,
    pub(crate) column: usize,
    pub(crate) direction: Direction,
    pub(crate) threshold: f32,
}

impl Watched {
    /// The metric's name.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// On which side of the threshold it warns.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The threshold, in the unit of what the rule computes: as given, or as chosen on the training windows.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.threshold
    }
}

/// What is watched, with its statistic for each training window (NaN where missing).
pub(crate) struct Resolved {
    pub(crate) watched: Watched,
    pub(crate) statistic: Statistic,
    pub(crate) statistics: Vec<f32>,
    pub(crate) average_precision: f64,
}

/// Training windows ranked by a statistic, those without it last.
struct Ranked {
    present: Ranking<f32>,
    missing: Tie<f32>,
}

impl Ranked {
    /// `None` without a window that has the statistic.
    fn new(statistics: &[f32], positive: &[bool]) -> Option<Self> {
        let labelled = || statistics.iter().copied().zip(positive.iter().copied());
        let present = Ranking::by(labelled().filter(|(statistic, _)| !statistic.is_nan()), f32::total_cmp);
        let missing = labelled().filter(|(statistic, _)| statistic.is_nan());
        let (positives, negatives): (Vec<bool>, Vec<bool>) =
            missing.map(|(_, label)| label).partition(|&label| label);
        let (positives, negatives) = (positives.len() as u64, negatives.len() as u64);
        (!present.ties().is_empty())
            .then_some(Self { present, missing: Tie { value: f32::NAN, positives, negatives } })
    }

    /// The ties of those that have the statistic, from the worst on.
    fn worst_first(&self, direction: Direction) -> impl Iterator<Item = Tie<f32>> {
        let ties = self.present.ties();
        (0..ties.len()).map(move |at| match direction {
            Direction::Above => ties[at],
            Direction::Below => ties[ties.len() - 1 - at],
        })
    }

    fn positives(&self) -> u64 {
        self.present.positives() + self.missing.positives
    }

    fn average_precision(&self, direction: Direction) -> f64 {
        average_precision_of(self.worst_first(direction).chain([self.missing]), self.positives())
    }

    /// The threshold of the highest F1; the one with the fewest alarms among equals.
    fn best_f1_threshold(&self, direction: Direction) -> Option<f32> {
        best_f1_of(self.worst_first(direction), self.positives()).map(|(threshold, _)| threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranking_agrees_with_counting() {
        let nan = f32::NAN;
        let statistics = [0.5, 2.0, nan, 2.0, -1.0, 0.5, 7.0, nan];
        let positive = [false, true, true, false, false, true, false, false];
        let ranking = Ranked::new(&statistics, &positive).unwrap();
        // From above: 7 (0 of 1), 2 (1 of 2), 0.5 (1 of 2), -1 (0 of 1), missing (1 of 2).
        let above = (1.0 / 3.0 + 2.0 / 5.0 + 3.0 / 8.0) / 3.0;
        assert!((ranking.average_precision(Direction::Above) - above).abs() < 1e-15);
        // From below: -1 (0 of 1), 0.5 (1 of 2), 2 (1 of 2), 7 (0 of 1), missing (1 of 2).
        let below = (1.0 / 3.0 + 2.0 / 5.0 + 3.0 / 8.0) / 3.0;
        assert!((ranking.average_precision(Direction::Below) - below).abs() < 1e-15);
        // F1 from above: 0/4, 2/6, 4/8, 4/9: the third group.
        assert_eq!(ranking.best_f1_threshold(Direction::Above), Some(0.5));
        assert!(Ranked::new(&[nan, nan], &[true, false]).is_none());
    }
}
