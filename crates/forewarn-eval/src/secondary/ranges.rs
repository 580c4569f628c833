use super::runs::runs;
use crate::uncertainty::parts::{Part, total};
use crate::{EvalError, ScoredSet, uncertainty::invalid};
use forewarn_core::Score;
use std::ops::Range;

/// Precision and recall over runs of windows instead of single ones.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RangeFigures {
    /// Mean over the called runs of how much of each is positive; 0 where nothing is called.
    pub precision: f64,
    /// Mean over the positive runs of how well each was found.
    pub recall: f64,
}

/// Range-based precision and recall, with flat positional bias and a cardinality factor of one over the number of
/// runs that share a run: what is broken up counts less.
///
/// A run is a stretch of scored windows of one service that are positive, or called positive at `threshold`.
/// `existence` is the weight of a positive run's being hit at all in its recall; the rest is how much of it was hit.
/// Secondary to event recall: here for comparison with work on anomaly detection. `O(n)` time.
///
/// # Errors
/// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for an existence weight outside 0..=1;
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
///
/// # References
/// N. Tatbul, T. J. Lee, S. Zdonik, M. Alam and J. Gottschlich, *Precision and recall for time series*, NeurIPS 2018.
#[allow(clippy::doc_markdown, reason = "NeurIPS is a conference")]
pub fn range_precision_recall(
    set: &ScoredSet,
    threshold: Score,
    existence: f64,
) -> Result<RangeFigures, EvalError> {
    if !(0.0..=1.0).contains(&existence) {
        return Err(invalid("existence weight", existence.to_string(), "within 0..=1").into());
    }
    set.pooled("the data")?;
    let [precision, recall] = range_parts(set, threshold, existence);
    Ok(RangeFigures {
        precision: total(&precision).unwrap_or_default(),
        recall: total(&recall).unwrap_or_default(),
    })
}

/// What each called run adds to precision, and each positive run to recall.
pub(crate) fn range_parts(set: &ScoredSet, threshold: Score, existence: f64) -> [Vec<Part>; 2] {
    let (mut precision, mut recall) = (Vec::new(), Vec::new());
    for series in set.series() {
        let positive = runs(series, set.step(), |index| series.positive()[index]);
        let called = runs(series, set.step(), |index| series.scores()[index] >= threshold);
        let part = |run: &Range<usize>, value| Part { time: series.times()[run.start], value, weight: 1.0 };
        precision.extend(called.iter().map(|run| part(run, overlap(run, &positive))));
        recall.extend(positive.iter().map(|run| {
            let hit = overlap(run, &called);
            // A run that is hit at all overlaps.
            part(run, existence * f64::from(u8::from(hit > 0.0)) + (1.0 - existence) * hit)
        }));
    }
    [precision, recall]
}

fn shared(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

/// Share of `run` that `others` cover, divided by how many of them do. `others` are disjoint and in order.
fn overlap(run: &Range<usize>, others: &[Range<usize>]) -> f64 {
    let first = others.partition_point(|other| other.end <= run.start);
    let touching = others[first..].iter().take_while(|other| other.start < run.end);
    let (covered, count) =
        touching.fold((0, 0usize), |(covered, count), other| (covered + shared(run, other), count + 1));
    if count == 0 { 0.0 } else { covered as f64 / run.len() as f64 / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};

    fn figures(called: &str, positive: &str, existence: f64) -> RangeFigures {
        let is_one = |text: &str| text.chars().map(|c| c == '1').collect::<Vec<bool>>();
        let values: Vec<f32> = is_one(called).into_iter().map(|called| f32::from(u8::from(called))).collect();
        let times = (0..values.len() as i64).map(minute).collect();
        let series =
            ScoredSeries::new("a", times, scores(&values), is_one(positive), Episodes::default()).unwrap();
        let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
        range_precision_recall(&set, Score::ONE, existence).unwrap()
    }

    #[test]
    fn known_values() {
        // Called 1..3 lies wholly inside, 5..9 half. Positive 0..7 is hit by two runs: (2 + 2) / 7 / 2.
        let found = figures("011001111000", "111111100000", 0.0);
        assert_eq!((found.precision, found.recall), ((1.0 + 0.5) / 2.0, 4.0 / 7.0 / 2.0));
        assert_eq!(figures("011001111000", "111111100000", 1.0).recall, 1.0);
        assert_eq!(figures("0110", "0110", 0.5), RangeFigures { precision: 1.0, recall: 1.0 });
        assert_eq!(figures("1001", "0110", 0.5), RangeFigures { precision: 0.0, recall: 0.0 });
        assert_eq!(figures("0000", "0110", 0.5), RangeFigures { precision: 0.0, recall: 0.0 });
    }

    #[test]
    fn the_cases_of_the_python_packages_own_tests() {
        // Tests of PRTS 1.0: labels beside what was called, and what it gives.
        assert_eq!(figures("01000", "11000", 0.0).precision, 1.0);
        assert_eq!(figures("00111", "11000", 0.0).precision, 0.0);
        assert_eq!(figures("11110", "11000", 0.0).recall, 1.0);
    }

    #[test]
    fn the_simple_example_of_the_authors_program() {
        // TSAD-Evaluator, `examples/simple`: runs of 2, 3 and 4 labels; called are runs of 2, 8, 1 and 1, of which two
        // reach a run of labels, by 1 of 2 and 3 of 8. `evaluate -t` gives this for existence weights of 0, 0.5 and 1.
        let real = "00000000000000000000110001110000000000000000111100";
        let called = "00000000000000000001100111111110000001000000000001";
        for (existence, recall) in [(0.0, 0.5), (0.5, 7.0 / 12.0), (1.0, 2.0 / 3.0)] {
            let found = figures(called, real, existence);
            assert_eq!(found.precision, 0.218_75);
            assert!((found.recall - recall).abs() < 1e-15, "{existence}: {}", found.recall);
        }
    }

    #[test]
    fn runs_of_one_window_are_windows() {
        // With runs of single windows the figures are those of windows: 2 of 3 called are right, 2 of 4 positive are
        // found.
        let found = figures("101000010", "101010100", 0.3);
        assert_eq!((found.precision, found.recall), (2.0 / 3.0, 0.5));
    }
}
