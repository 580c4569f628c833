use crate::events::is_failing;
use crate::{Events, ScoredSet};
use forewarn_core::FailureOutcome;
use forewarn_schema::{Episode, Timestamp};
use serde::{Deserialize, Serialize};
use statrs::function::beta::beta_reg;

/// What warnings are worth beyond being on for so long: compared with warnings at random, and with "it has just
/// failed, so it will fail again", both on for the same share of the time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Skill {
    /// Share of the time watched in which a warning was on, which is the share of failures that random warnings catch.
    pub time_in_warning: f64,
    /// Share of the failures within reach that were caught.
    pub event_recall: f64,
    /// Improvement over random warnings: `(event_recall - time_in_warning) / (1 - time_in_warning)`. 0 for chance, 1
    /// at best.
    pub over_random: f64,
    /// Probability that random warnings detect at least as many.
    pub random_p_value: f64,
    /// Share of the failures that warning after each failure, for the same share of the time, catches.
    pub persistence_recall: f64,
    /// Probability of detecting as many more failures than persistence if the two were equally good.
    pub persistence_p_value: f64,
}

/// Compares warnings with chance. `None` without a failure within reach, or where a warning is always on.
///
/// Random: the number caught is binomial with the time in warning as probability. Persistence: a warning is on for a
/// time after each failure's end, as long as makes the same time in warning; failures that only one of the two
/// catches decide (an exact sign test). Both tests take failures for independent: failures that come in bursts make
/// the p-values too small.
///
/// `O(n log n)` time.
///
/// # References
/// D. E. Snyder, F. Mormann, B. Litt and others, *The statistics of a practical seizure warning system*, Journal of
/// Neural Engineering 5(4), 2008. Q. McNemar, *Note on the sampling error of the difference between correlated
/// proportions or percentages*, Psychometrika 12, 1947.
#[must_use]
#[allow(clippy::doc_markdown, reason = "McNemar is a person")]
pub fn skill_over_chance(set: &ScoredSet, events: &Events) -> Option<Skill> {
    let totals = events.totals();
    let (time_in_warning, event_recall) = (totals.time_in_warning()?, totals.recall()?);
    if time_in_warning >= 1.0 {
        return None;
    }
    let persistence = Persistence::new(set, totals.warned_windows);
    let (mut persistent, mut only_model, mut only_persistence) = (0u64, 0u64, 0u64);
    for (series, service) in set.series().iter().zip(&events.services) {
        for (episode, outcome) in &service.episodes {
            let is_warned = match outcome {
                FailureOutcome::OutOfReach => continue,
                FailureOutcome::Detected(_) => true,
                FailureOutcome::Missed => false,
            };
            let is_persistent = persistence.warns_of(series.episodes(), episode.onset());
            persistent += u64::from(is_persistent);
            only_model += u64::from(is_warned && !is_persistent);
            only_persistence += u64::from(is_persistent && !is_warned);
        }
    }
    Some(Skill {
        time_in_warning,
        event_recall,
        over_random: (event_recall - time_in_warning) / (1.0 - time_in_warning),
        random_p_value: binomial_tail(totals.caught() as u64, totals.episodes as u64, time_in_warning),
        persistence_recall: persistent as f64 / totals.episodes as f64,
        persistence_p_value: binomial_tail(only_model, only_model + only_persistence, 0.5),
    })
}

/// A warning after the end of each failure, for as long as makes a wanted time in warning.
pub(crate) struct Persistence {
    /// For how long, in milliseconds; `None` for not at all.
    patience: Option<i64>,
}

impl Persistence {
    /// The warning that is on in `wanted` of the scored windows. Where fewer follow a failure, it simply stays on
    /// after each.
    pub(crate) fn new(set: &ScoredSet, wanted: usize) -> Self {
        let mut since: Vec<i64> = set
            .series()
            .iter()
            .flat_map(|series| {
                let well = series.times().iter().filter(|&&time| !is_failing(series.episodes(), time));
                well.filter_map(|&time| since_failure(series.episodes(), time))
            })
            .collect();
        since.sort_unstable();
        let last = wanted.min(since.len()).checked_sub(1);
        Self { patience: last.map(|last| since[last]) }
    }

    /// Whether it is on when the failure at `onset` begins.
    pub(crate) fn warns_of(&self, episodes: &[Episode], onset: Timestamp) -> bool {
        let since = since_failure(episodes, onset);
        self.patience.zip(since).is_some_and(|(patience, since)| since <= patience)
    }
}

/// Milliseconds since the last failure that began before `time` ended; `None` where there was none.
fn since_failure(episodes: &[Episode], time: Timestamp) -> Option<i64> {
    let begun = episodes.partition_point(|episode| episode.onset() < time);
    let last = episodes.get(begun.checked_sub(1)?)?;
    Some(time.millis() - last.end().millis())
}

/// Probability of at least `hits` successes in `trials` of probability `p`.
fn binomial_tail(hits: u64, trials: u64, p: f64) -> f64 {
    match (hits, p) {
        (0, _) => 1.0,
        (_, p) if p <= 0.0 => 0.0,
        (_, p) if p >= 1.0 => 1.0,
        // The binomial tail is a regularised incomplete beta function.
        _ => beta_reg(hits as f64, (trials - hits) as f64 + 1.0, p),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn the_tail_is_the_binomials() {
        // 1 - binom.cdf(2, 10, 0.3) of SciPy.
        assert_abs_diff_eq!(binomial_tail(3, 10, 0.3), 0.617_217_213_6, epsilon = 1e-9);
        assert_abs_diff_eq!(binomial_tail(10, 10, 0.5), 0.5f64.powi(10), epsilon = 1e-15);
        assert_eq!(
            (binomial_tail(0, 10, 0.3), binomial_tail(1, 10, 0.0), binomial_tail(0, 0, 0.5)),
            (1.0, 0.0, 1.0)
        );
    }
}
