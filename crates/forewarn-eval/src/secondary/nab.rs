use crate::events::span;
use crate::uncertainty::parts::{Part, total};
use crate::{Events, ScoredSet};
use forewarn_core::AlarmOutcome;
use forewarn_core::FailureOutcome;
use forewarn_schema::Timestamp;

/// What hits, false alarms and misses count in a [`nab_score`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NabProfile {
    /// A failure detected at the first moment possible.
    pub hit: f64,
    /// A false alarm far from any failure.
    pub false_alarm: f64,
    /// A failure missed.
    pub miss: f64,
}

impl NabProfile {
    /// The benchmark's `standard` profile.
    pub const STANDARD: Self = Self { hit: 1.0, false_alarm: 0.11, miss: 1.0 };
    /// Its `reward_low_FP_rate`: false alarms weigh twice as much.
    pub const FEW_FALSE_ALARMS: Self = Self { hit: 1.0, false_alarm: 0.22, miss: 1.0 };
    /// Its `reward_low_FN_rate`: misses weigh twice as much.
    pub const FEW_MISSES: Self = Self { hit: 1.0, false_alarm: 0.11, miss: 2.0 };
}

/// The score of the Numenta Anomaly Benchmark: 100 for a warning of every failure at the first moment possible and no
/// false alarm, 0 for silence, below 0 for less than that. `None` without a failure within reach.
///
/// An anomaly's window is here the time from which a warning of a failure would be right, and a detection is an
/// alarm. The first alarm in a window counts, the earlier the more, along a sigmoid that falls to 0 at the window's
/// end; an alarm outside any window costs, the more the longer ago the last window ended, and a late one costs by the
/// same rule. No part of the data is a probation, and the threshold is not chosen on the data scored, which the
/// benchmark does.
///
/// Secondary: the price of a false alarm is built in. Read alarm budgets instead. `O(a + e)` time for `a` alarms and
/// `e` failures.
///
/// # References
/// A. Lavin and S. Ahmad, *Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark*, ICMLA
/// 2015.
#[must_use]
pub fn nab_score(set: &ScoredSet, events: &Events, profile: NabProfile) -> Option<f64> {
    total(&nab_parts(set, events, profile))
}

/// What each failure and each alarm outside a window adds, scaled so that their sum over the number of failures is
/// the score.
pub(crate) fn nab_parts(set: &ScoredSet, events: &Events, profile: NabProfile) -> Vec<Part> {
    let (spec, step) = (set.spec(), set.step());
    let NabProfile { hit, false_alarm, miss } = profile;
    let scale = 100.0 / (hit + miss);
    let steps = |from: i64, to: i64| (to - from) as f64 / step.millis() as f64;
    let width = spec.period() as f64;
    let last_right = |onset: Timestamp| onset.millis().saturating_sub(span(step, spec.lead() + 1));
    let mut parts = Vec::new();
    for service in &events.services {
        for (episode, outcome) in &service.episodes {
            let value = match outcome {
                FailureOutcome::OutOfReach => continue,
                FailureOutcome::Missed => -miss,
                FailureOutcome::Detected(time) => {
                    let place = -(steps(time.millis(), last_right(episode.onset())) + 1.0) / width;
                    hit * sigmoid(place) / sigmoid(-1.0)
                }
            };
            // Silence is -miss a failure and is to be worth 0.
            parts.push(Part { time: episode.onset(), value: scale * (value + miss), weight: 1.0 });
        }
        for (alarm, _) in
            service.alarms.iter().filter(|(_, outcome)| !matches!(outcome, AlarmOutcome::Hit { .. }))
        {
            let ended = service
                .episodes
                .partition_point(|(episode, _)| last_right(episode.onset()) <= alarm.time.millis());
            let place = ended.checked_sub(1).map_or(f64::INFINITY, |last| {
                steps(last_right(service.episodes[last].0.onset()), alarm.time.millis())
                    / (width - 1.0).max(1.0)
            });
            parts.push(Part { time: alarm.time, value: scale * false_alarm * sigmoid(place), weight: 0.0 });
        }
    }
    parts
}

/// Beyond this many window widths after a window, a false alarm costs in full.
const FAR: f64 = 3.0;

/// 0.987 at the left edge of a window (-1), 0 at its right edge, -1 far behind it.
fn sigmoid(place: f64) -> f64 {
    if place > FAR { -1.0 } else { 2.0 / (1.0 + (5.0 * place).exp()) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use approx::assert_abs_diff_eq;
    use forewarn_core::AlarmPolicy;
    use forewarn_core::{Score, WindowSpec};
    use forewarn_schema::{Episode, Episodes, Step};

    /// A minute a character: `1` for a score that raises an alarm. A failure begins at each of `onsets`, a minute long.
    fn score(alarms: &str, onsets: &[i64], period: usize, profile: NabProfile) -> Option<f64> {
        let values: Vec<f32> = alarms.chars().map(|c| f32::from(u8::from(c == '1'))).collect();
        let failures = onsets.iter().map(|&at| Episode::new(minute(at), minute(at), minute(at + 1)).unwrap());
        let episodes = Episodes::new(failures.collect()).unwrap();
        let times = (0..values.len() as i64).map(minute).collect();
        let positive = vec![false; values.len()];
        let series = ScoredSeries::new("a", times, scores(&values), positive, episodes).unwrap();
        let spec = WindowSpec::new(1, 0, period).unwrap();
        let set = ScoredSet::new(spec, Step::MINUTE, vec![series]).unwrap();
        let events = Events::new(&set, AlarmPolicy::new(Score::ONE, 0));
        nab_score(&set, &events, profile)
    }

    /// Points of the benchmark before they are scaled, from the score that they make.
    fn raw(score: f64, failures: f64, profile: NabProfile) -> f64 {
        (score / 100.0 * (profile.hit + profile.miss) - profile.miss) * failures
    }

    #[test]
    fn the_cases_of_the_benchmarks_own_tests() {
        // Windows of two minutes at 1..=2 and 4..=5, which here are two minutes before onsets at 3 and 6.
        let profile = NabProfile { hit: 1.1, false_alarm: 0.11, miss: 1.2 };
        let points = |alarms, onsets: &[i64]| {
            raw(score(alarms, onsets, 2, profile).unwrap(), onsets.len() as f64, profile)
        };
        let half = 0.848_283_639_957_513_1 * 1.1 / 0.986_614_298_151_430_5;
        assert_abs_diff_eq!(points("0000000", &[3, 6]), -2.4, epsilon = 1e-12);
        assert_abs_diff_eq!(points("0010000", &[3]), half, epsilon = 1e-12);
        assert_abs_diff_eq!(points("0010000", &[3, 6]), half - 1.2, epsilon = 1e-12);
        assert_abs_diff_eq!(points("0000100", &[6]), 1.1, epsilon = 1e-12);
        assert_abs_diff_eq!(points("0000110", &[6]), 1.1, epsilon = 1e-12);
        assert_abs_diff_eq!(points("0010100", &[3, 6]), half + 1.1, epsilon = 1e-12);
        // Two false alarms before any window cost in full.
        assert_abs_diff_eq!(points("0101000000", &[9]), -1.2 - 2.0 * 0.11, epsilon = 1e-12);
    }

    #[test]
    fn perfect_is_100_and_silence_is_0() {
        for profile in [NabProfile::STANDARD, NabProfile::FEW_FALSE_ALARMS, NabProfile::FEW_MISSES] {
            assert_abs_diff_eq!(score("00000100000000", &[10], 5, profile).unwrap(), 100.0, epsilon = 1e-9);
            assert_abs_diff_eq!(score("00000000000000", &[10], 5, profile).unwrap(), 0.0, epsilon = 1e-12);
        }
        assert_eq!(score("0000100", &[], 5, NabProfile::STANDARD), None);
    }

    #[test]
    fn the_longer_after_a_window_the_dearer() {
        let at = |alarms: &str| score(alarms, &[5], 5, NabProfile::STANDARD).unwrap();
        let silent = at("00000000000000000000");
        let (late, soon, far) =
            (at("00000100000000000000"), at("00000001000000000000"), at("00000000000000000001"));
        assert!(silent > late && late > soon && soon > far, "{silent} {late} {soon} {far}");
        assert_abs_diff_eq!(far, -5.5, epsilon = 1e-12);
    }

    #[test]
    fn a_false_alarm_three_widths_behind_a_window_is_on_the_sigmoid() {
        // The benchmark's `scaledSigmoid`: -1 for a place above 3.0, 2 / (1 + exp(5 * 3)) - 1 at 3.0 itself. With an
        // onset in minute 5 and a window of 5 minutes, the window ends in minute 4, and three widths of four steps
        // behind it is minute 16.
        let mut alarms = "0".repeat(20);
        alarms.replace_range(16..17, "1");
        let found = score(&alarms, &[5], 5, NabProfile::STANDARD).unwrap();
        assert_abs_diff_eq!(found, 50.0 * 0.11 * (2.0 / (1.0 + 15f64.exp()) - 1.0), epsilon = 1e-12);
        assert!(found > -5.5);
    }
}
