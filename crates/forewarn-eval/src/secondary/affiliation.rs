use super::runs::runs;
use crate::uncertainty::parts::{Part, total};
use crate::{EvalError, ScoredSet};
use forewarn_core::Score;
use std::ops::Range;

/// How near calls are to the windows before failures, against calls thrown at random.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AffiliationFigures {
    /// Mean over the failures with a call in their zone; `None` where nothing is called.
    pub precision: Option<f64>,
    /// Mean over all runs of positive windows; a run without a call in its zone counts 0.
    pub recall: f64,
}

/// Affiliation precision and recall at a threshold.
///
/// The truth is the time from which a warning would be right: the runs of positive windows. Each run owns the zone of
/// time that is nearer to it than to any other of its service. A call's precision is the probability that a moment
/// drawn from the zone is no nearer to the run; a moment of the run is recalled with the probability that a moment
/// drawn from the zone is no nearer to it than the nearest call. Random alarms therefore get about 0.5, not 0.
///
/// Secondary: a service without a failure has no zone, so that its false alarms cost nothing here, and a call inside
/// a failure is near the truth although it is late. `O(n)` time.
///
/// # Errors
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
///
/// # References
/// A. Huet, J. M. Navarro and D. Rossi, *Local evaluation of time series anomaly detection algorithms*, KDD 2022.
pub fn affiliation(set: &ScoredSet, threshold: Score) -> Result<AffiliationFigures, EvalError> {
    set.pooled("the data")?;
    let [precision, recall] = affiliation_parts(set, threshold);
    Ok(AffiliationFigures { precision: total(&precision), recall: total(&recall).unwrap_or_default() })
}

/// What each run of positive windows adds to precision and to recall.
pub(crate) fn affiliation_parts(set: &ScoredSet, threshold: Score) -> [Vec<Part>; 2] {
    let (mut precision, mut recall) = (Vec::new(), Vec::new());
    for series in set.series() {
        let (Some(first), Some(last)) = (series.times().first(), series.times().last()) else { continue };
        let since = |index: usize| (series.times()[index].millis() - first.millis()) as f64;
        let step = set.step().millis() as f64;
        let span = |run: &Range<usize>| (since(run.start), since(run.end - 1) + step);
        let positive = runs(series, set.step(), |index| series.positive()[index]);
        let called = runs(series, set.step(), |index| series.scores()[index] >= threshold);
        let truth: Vec<Span> = positive.iter().map(span).collect();
        let calls: Vec<Span> = called.iter().map(span).collect();
        let whole = (0.0, (last.millis() - first.millis()) as f64 + step);
        for (run, zone) in positive.iter().zip(zones(&truth, &calls, whole)) {
            let time = series.times()[run.start];
            precision.extend(zone.precision.map(|value| Part { time, value, weight: 1.0 }));
            recall.push(Part { time, value: zone.recall, weight: 1.0 });
        }
    }
    [precision, recall]
}

/// From a time to a later one.
type Span = (f64, f64);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Zone {
    precision: Option<f64>,
    recall: f64,
}

/// The figures of each zone. `truth` and `calls` are disjoint and in order, within `whole`.
fn zones(truth: &[Span], calls: &[Span], whole: Span) -> Vec<Zone> {
    let mut first = 0;
    (0..truth.len())
        .map(|index| {
            let start = if index == 0 { whole.0 } else { f64::midpoint(truth[index - 1].1, truth[index].0) };
            let end = truth.get(index + 1).map_or(whole.1, |next| f64::midpoint(truth[index].1, next.0));
            // A call may reach into the next zone, so only those that end before this one are done with.
            first += calls[first..].iter().take_while(|call| call.1 <= start).count();
            let inside: Vec<Span> = calls[first..]
                .iter()
                .take_while(|call| call.0 < end)
                .map(|call| (call.0.max(start), call.1.min(end)))
                .collect();
            Zone {
                precision: precision(truth[index], &inside, (start, end)),
                recall: recall(truth[index], &inside, (start, end)),
            }
        })
        .collect()
}

/// Mean over the called time of the share of the zone that is at least as far from the truth.
fn precision(truth: Span, calls: &[Span], zone: Span) -> Option<f64> {
    let called: f64 = calls.iter().map(|call| call.1 - call.0).sum();
    let (before, after) = (truth.0 - zone.0, zone.1 - truth.1);
    // Time of the zone that is at least `distance` from the truth, summed over the distances from `near` to `far`.
    let farther = |near: f64, far: f64| {
        let side = |length: f64| area_above_zero(length - near, length - far, far - near);
        (side(before) + side(after)) / (zone.1 - zone.0)
    };
    let sum: f64 = calls
        .iter()
        .map(|&(start, end)| {
            let within = (end.min(truth.1) - start.max(truth.0)).max(0.0);
            let early =
                if start < truth.0 { farther(truth.0 - end.min(truth.0), truth.0 - start) } else { 0.0 };
            let late = if end > truth.1 { farther(start.max(truth.1) - truth.1, end - truth.1) } else { 0.0 };
            within + early + late
        })
        .sum();
    (called > 0.0).then(|| sum / called)
}

/// Mean over the truth of the share of the zone that is at least as far from a moment as the nearest call.
fn recall(truth: Span, calls: &[Span], zone: Span) -> f64 {
    if calls.is_empty() {
        return 0.0;
    }
    // Between these moments the distance to the nearest call is a straight line.
    let mut bends = vec![truth.0, truth.1];
    bends.extend(calls.iter().flat_map(|call| [call.0, call.1]));
    bends.extend(calls.windows(2).map(|pair| f64::midpoint(pair[0].1, pair[1].0)));
    bends.retain(|&bend| truth.0 <= bend && bend <= truth.1);
    bends.sort_by(f64::total_cmp);
    let distance = |moment: f64| {
        let to = |call: &Span| (call.0 - moment).max(moment - call.1).max(0.0);
        calls.iter().map(to).fold(f64::INFINITY, f64::min)
    };
    let sum: f64 = bends
        .windows(2)
        .map(|pair| {
            let (from, to) = (distance(pair[0]), distance(pair[1]));
            let before = area_above_zero(pair[0] - zone.0 - from, pair[1] - zone.0 - to, pair[1] - pair[0]);
            let after = area_above_zero(zone.1 - pair[0] - from, zone.1 - pair[1] - to, pair[1] - pair[0]);
            before + after
        })
        .sum();
    sum / (zone.1 - zone.0) / (truth.1 - truth.0)
}

/// Area between zero and a straight line from `from` to `to` over `length`, where the line is above zero.
fn area_above_zero(from: f64, to: f64, length: f64) -> f64 {
    match (from > 0.0, to > 0.0) {
        (true, true) => (from + to) / 2.0 * length,
        (false, false) => 0.0,
        _ => {
            let (high, low) = (from.max(to), from.min(to));
            high * high / (2.0 * (high - low)) * length
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn the_example_of_the_paper() {
        let truth = [(0.0, 10.0), (50.0, 70.0), (170.0, 175.0)];
        let calls = [
            (5.0, 6.0),
            (7.0, 10.0),
            (11.0, 12.0),
            (40.0, 60.0),
            (115.0, 130.0),
            (135.0, 140.0),
            (165.0, 170.0),
        ];
        let found = zones(&truth, &calls, (0.0, 180.0));
        // Published with the authors' code: 0.672222222 and 0.944444444.
        assert_abs_diff_eq!(found[1].precision.unwrap(), 0.672_222_222, epsilon = 1e-9);
        assert_abs_diff_eq!(found[1].recall, 0.944_444_444, epsilon = 1e-9);
    }

    #[test]
    fn calls_that_hit_or_are_not_there() {
        let truth = [(1.0, 8.0), (16.0, 17.0), (25.0, 28.0), (29.0, 31.0)];
        let found = zones(&truth, &[(1.0, 3.0), (6.0, 18.0), (25.0, 26.0)], (1.0, 40.0));
        assert_eq!((found[2].precision, found[1].recall), (Some(1.0), 1.0));
        assert_eq!(found[3], Zone { precision: None, recall: 0.0 });
    }

    #[test]
    fn the_cases_of_the_authors_own_tests() {
        // Of affiliation-metrics-py: one failure, whose zone is given, with the paper's probabilities.
        let found = zones(&[(21.0, 41.0)], &[(11.0, 31.0), (86.0, 91.0)], (1.0, 91.0));
        assert_abs_diff_eq!(found[0].precision.unwrap(), 0.672_222_222, epsilon = 1e-9);
        assert_abs_diff_eq!(found[0].recall, 0.944_444_444, epsilon = 1e-9);
        // In seconds instead of minutes, the same.
        let found = zones(&[(3000.0, 4200.0)], &[(2400.0, 3600.0), (6900.0, 7200.0)], (1800.0, 7200.0));
        assert_abs_diff_eq!(found[0].precision.unwrap(), 0.672_222_222, epsilon = 1e-9);
        assert_abs_diff_eq!(found[0].recall, 0.944_444_444, epsilon = 1e-9);
        // Nothing is called.
        assert_eq!(zones(&[(1.0, 10.0)], &[], (1.0, 10.0)), [Zone { precision: None, recall: 0.0 }]);
    }

    /// Disjoint spans on whole numbers, from gaps and lengths.
    fn spans() -> impl Strategy<Value = Vec<Span>> {
        vec((1u8..9, 1u8..6), 1..6).prop_map(|parts| {
            let mut now = 0.0;
            let span = |(gap, length): (u8, u8)| {
                let start = now + f64::from(gap);
                now = start + f64::from(length);
                (start, now)
            };
            parts.into_iter().map(span).collect()
        })
    }

    /// Both figures by drawing every moment of a fine grid and comparing it with every other: no formula in common.
    fn by_brute_force(truth: &[Span], calls: &[Span], whole: Span) -> Vec<Zone> {
        const FINE: usize = 20;
        let count = (whole.1 - whole.0) as usize * FINE;
        let grid: Vec<f64> = (0..count).map(|i| whole.0 + (i as f64 + 0.5) / FINE as f64).collect();
        let to = |moment: f64, span: &Span| (span.0 - moment).max(moment - span.1).max(0.0);
        let owner = |moment: f64| {
            let nearer = |a: &usize, b: &usize| to(moment, &truth[*a]).total_cmp(&to(moment, &truth[*b]));
            (0..truth.len()).min_by(nearer).unwrap()
        };
        let is_in = |moment: f64, spans: &[Span]| spans.iter().any(|span| span.0 < moment && moment < span.1);
        (0..truth.len())
            .map(|index| {
                let zone: Vec<f64> = grid.iter().copied().filter(|&at| owner(at) == index).collect();
                let called: Vec<f64> = zone.iter().copied().filter(|&at| is_in(at, calls)).collect();
                let mean = |shares: Vec<f64>| shares.iter().sum::<f64>() / shares.len() as f64;
                let share = |is: &dyn Fn(f64) -> bool| {
                    zone.iter().filter(|at| is(**at)).count() as f64 / zone.len() as f64
                };
                if called.is_empty() {
                    return Zone { precision: None, recall: 0.0 };
                }
                let precise = called.iter().map(|&at| {
                    let far = to(at, &truth[index]);
                    share(&|other| to(other, &truth[index]) >= far)
                });
                let recalled = zone.iter().filter(|at| is_in(**at, &truth[index..=index])).map(|&at| {
                    let near = called.iter().map(|call| (call - at).abs()).fold(f64::INFINITY, f64::min);
                    share(&|other| (other - at).abs() >= near)
                });
                Zone { precision: Some(mean(precise.collect())), recall: mean(recalled.collect()) }
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn closed_forms_are_what_drawing_every_moment_gives(truth in spans(), calls in spans()) {
            let whole = (0.0, truth.last().unwrap().1.max(calls.last().unwrap().1) + 3.0);
            for (found, expected) in zones(&truth, &calls, whole).iter().zip(by_brute_force(&truth, &calls, whole)) {
                prop_assert_eq!(found.precision.is_some(), expected.precision.is_some());
                if let Some((found, expected)) = found.precision.zip(expected.precision) {
                    prop_assert!((found - expected).abs() < 0.03, "precision {} {}", found, expected);
                }
                prop_assert!((found.recall - expected.recall).abs() < 0.03, "{} {}", found.recall, expected.recall);
            }
        }
    }
}
