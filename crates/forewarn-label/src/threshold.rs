mod scan;

use crate::{Comparison, LabelError, Rule, sentence::token::named, watch::difference};
use forewarn_core::{Assessment, CoreError, FailureRule, Feature};
use forewarn_schema::{Episode, Episodes, FrameSet, FrameView, Schema};
use scan::{Scan, runs};
use serde::{Deserialize, Serialize};
use std::{ops::Range, str::FromStr};

/// A metric beyond a limit for a number of consecutive steps.
///
/// The onset is the first step of the run, the failure is confirmed in its `consecutive`-th step, and ends with the
/// first step that does not violate the limit. A missing sample never violates: it ends the run, and where the run
/// could have gone on the rows are reported as unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct ThresholdRule {
    metric: String,
    comparison: Comparison,
    limit: f32,
    consecutive: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    metric: String,
    comparison: Comparison,
    limit: f32,
    consecutive: usize,
}

impl ThresholdRule {
    /// The rule `metric comparison limit for consecutive steps`.
    ///
    /// # Errors
    /// [`LabelError::InvalidLimit`] for a limit that is not finite, [`LabelError::NeverSustained`] for zero steps.
    pub fn new(
        metric: impl Into<String>,
        comparison: Comparison,
        limit: f32,
        consecutive: usize,
    ) -> Result<Self, LabelError> {
        let metric = metric.into();
        if !limit.is_finite() {
            return Err(LabelError::InvalidLimit { metric, limit });
        }
        if consecutive == 0 {
            return Err(LabelError::NeverSustained { metric });
        }
        Ok(Self { metric, comparison, limit, consecutive })
    }

    /// forewarn's first definition of failure: an error rate of at least 5 % for 2 consecutive steps.
    #[must_use]
    pub fn v1() -> Self {
        Self { metric: "error_rate".to_owned(), comparison: Comparison::AtLeast, limit: 0.05, consecutive: 2 }
    }

    /// Failures that someone else has found: a column that is 1 while the service fails and 0 while it does not.
    #[must_use]
    pub fn outcome(column: impl Into<String>) -> Self {
        Self { metric: column.into(), comparison: Comparison::AtLeast, limit: 1.0, consecutive: 1 }
    }

    /// The metric that is compared.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// How it is compared.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// What it is compared with, in the metric's unit.
    #[must_use]
    pub fn limit(&self) -> f32 {
        self.limit
    }

    /// Steps in a row that make a failure.
    #[must_use]
    pub fn consecutive(&self) -> usize {
        self.consecutive
    }
}

impl FailureRule for ThresholdRule {
    fn describe(&self) -> String {
        let Self { metric, comparison, limit, consecutive } = self;
        let metric = named(metric);
        match consecutive {
            1 => format!("{metric} {comparison} {limit}"),
            _ => format!("{metric} {comparison} {limit} for {consecutive} consecutive steps"),
        }
    }

    fn confirmation(&self) -> usize {
        self.consecutive
    }

    fn verdicts(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        Rule::from(self.clone()).verdicts(schema)
    }

    fn history(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        Rule::from(self.clone()).history(schema)
    }

    fn nearness(&self, frames: &FrameSet, rows: &[u32]) -> Result<Option<Vec<f32>>, CoreError> {
        Rule::from(self.clone()).nearness(frames, rows)
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        Ok(self.assess_with_gaps(frame)?.0)
    }

    /// One pass over the frame, on all processors where it is long.
    fn assess_with_gaps(&self, frame: FrameView<'_>) -> Result<(Assessment, Vec<Range<usize>>), CoreError> {
        let column = frame.schema().index_of(&self.metric)?;
        let scan = Scan::new(frame.values(), frame.schema().len(), column, self.comparison, self.limit);
        let certain = runs(scan.violating.iter().copied(), self.consecutive);
        let episodes = certain
            .iter()
            .map(|run| {
                let confirmed = run.start + self.consecutive - 1;
                Episode::new(frame.time(run.start), frame.time(confirmed), frame.time(run.end))
            })
            .collect::<Result<_, _>>()?;
        let episodes = Episodes::new(episodes)?;
        if scan.missing.iter().all(|&word| word == 0) {
            return Ok((Assessment { episodes, unknown: Vec::new() }, Vec::new()));
        }
        let either = scan.violating.iter().zip(&scan.missing).map(|(violating, missing)| violating | missing);
        let possible = runs(either, self.consecutive);
        let is_empty = |row: usize| frame.row(row).is_some_and(|row| row.iter().all(|value| value.is_nan()));
        let mut gaps: Vec<Range<usize>> = Vec::new();
        for row in runs(scan.missing.iter().copied(), 1).into_iter().flatten().filter(|&row| is_empty(row)) {
            match gaps.last_mut() {
                Some(gap) if gap.end == row => gap.end += 1,
                _ => gaps.push(row..row + 1),
            }
        }
        Ok((Assessment { episodes, unknown: difference(&possible, &certain) }, gaps))
    }
}

/// Reads the sentence that [`describe`](FailureRule::describe) writes: `p99_latency > 500`, or
/// `error_rate >= 0.05 for 2 consecutive steps` (`consecutive` may be left out).
impl FromStr for ThresholdRule {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let rule: Rule = text.parse()?;
        rule.as_threshold().ok_or_else(|| LabelError::UnreadableRule {
            text: text.to_owned(),
            reason: "expected one metric and one number, such as METRIC >= LIMIT for COUNT steps".to_owned(),
        })
    }
}

impl TryFrom<Parts> for ThresholdRule {
    type Error = LabelError;

    fn try_from(parts: Parts) -> Result<Self, LabelError> {
        Self::new(parts.metric, parts.comparison, parts.limit, parts.consecutive)
    }
}

impl From<ThresholdRule> for Parts {
    fn from(rule: ThresholdRule) -> Self {
        Self {
            metric: rule.metric,
            comparison: rule.comparison,
            limit: rule.limit,
            consecutive: rule.consecutive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};
    use proptest::prelude::*;

    const N: f32 = f32::NAN;

    fn frame(values: &[f32]) -> Frame {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values.to_vec()).unwrap()
    }

    fn rule(limit: f32, consecutive: usize) -> ThresholdRule {
        ThresholdRule::new("x", Comparison::AtLeast, limit, consecutive).unwrap()
    }

    /// Onset, confirmation and end in minutes, and the unknown rows.
    fn assess(rule: &ThresholdRule, values: &[f32]) -> (Vec<[i64; 3]>, Vec<Range<usize>>) {
        let found = rule.assess(frame(values).view()).unwrap();
        let minutes = |e: &Episode| [e.onset(), e.confirmed_at(), e.end()].map(|time| time.millis() / 60_000);
        (found.episodes.iter().map(minutes).collect(), found.unknown)
    }

    #[test]
    fn the_definition() {
        let (episodes, unknown) = assess(&rule(1.0, 2), &[0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        assert_eq!(episodes, [[1, 2, 4], [7, 8, 9]]);
        assert!(unknown.is_empty());
        assert_eq!(assess(&rule(1.0, 1), &[1.0, 0.0, 1.0]).0, [[0, 0, 1], [2, 2, 3]]);
    }

    #[test]
    fn a_missing_sample_is_unknown_only_where_it_could_matter() {
        assert_eq!(assess(&rule(1.0, 2), &[0.0, N, 0.0]), (vec![], vec![]));
        assert_eq!(assess(&rule(1.0, 2), &[0.0, N, 1.0, 0.0]).1, std::slice::from_ref(&(1..3)));
        assert_eq!(assess(&rule(1.0, 2), &[N, 1.0, 1.0, N, N, 0.0]), (vec![[1, 2, 3]], vec![0..1, 3..5]));
    }

    #[test]
    fn sentences_and_checks() {
        assert_eq!(ThresholdRule::v1().describe(), "error_rate >= 0.05 for 2 consecutive steps");
        assert_eq!(ThresholdRule::outcome("failure").describe(), "failure >= 1");
        assert!(ThresholdRule::new("x", Comparison::Above, N, 1).is_err());
        assert!(ThresholdRule::new("x", Comparison::Above, 1.0, 0).is_err());
        for rule in [ThresholdRule::v1(), ThresholdRule::outcome("failure")] {
            assert_eq!(rule.describe().parse::<ThresholdRule>().unwrap(), rule);
        }
        for wrong in
            ["", "x", "x >= fast", "x ~ 3", "x >= 3 for two steps", "x >= 3 for 0 steps", "x >= 3 or 4"]
        {
            assert!(wrong.parse::<ThresholdRule>().is_err(), "{wrong}");
        }
        let json = serde_json::to_string(&ThresholdRule::v1()).unwrap();
        assert_eq!(serde_json::from_str::<ThresholdRule>(&json).unwrap(), ThresholdRule::v1());
        assert!(serde_json::from_str::<ThresholdRule>(&json.replace(":2", ":0")).is_err());
        let missing = ThresholdRule::v1().assess(frame(&[1.0]).view()).unwrap_err().to_string();
        assert!(missing.contains("error_rate"), "{missing}");
    }

    fn samples() -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(prop_oneof![1 => Just(N), 9 => (0u8..6).prop_map(f32::from)], 0..80)
    }

    /// Whether each row fails, from the definition: some `consecutive` violations in a row include it.
    fn failing(values: &[f32], limit: f32, consecutive: usize, nan_violates: bool) -> Vec<bool> {
        let violates: Vec<bool> =
            values.iter().map(|v| *v >= limit || (v.is_nan() && nan_violates)).collect();
        (0..values.len())
            .map(|row| {
                (0..consecutive).any(|back| {
                    row >= back
                        && violates
                            .get(row - back..row - back + consecutive)
                            .is_some_and(|run| run.iter().all(|&v| v))
                })
            })
            .collect()
    }

    proptest! {
        #[test]
        fn equals_a_twin_written_from_the_definition(values in samples(), limit in 1u8..6, consecutive in 1usize..5) {
            let limit = f32::from(limit);
            let (episodes, unknown) = assess(&rule(limit, consecutive), &values);
            let certain = failing(&values, limit, consecutive, false);
            let possible = failing(&values, limit, consecutive, true);
            for row in 0..values.len() {
                let inside = episodes.iter().any(|[onset, _, end]| (*onset..*end).contains(&(row as i64)));
                prop_assert_eq!(inside, certain[row], "row {}", row);
                let open = unknown.iter().any(|range| range.contains(&row));
                prop_assert_eq!(open, possible[row] && !certain[row], "row {}", row);
            }
            for [onset, confirmed, _] in episodes {
                prop_assert_eq!(confirmed - onset + 1, consecutive as i64);
            }
        }

        #[test]
        fn a_stricter_rule_never_finds_more(values in samples(), limit in 1u8..5, consecutive in 1usize..4) {
            let count = |limit: u8, consecutive| {
                let found = assess(&rule(f32::from(limit), consecutive), &values).0;
                (found.len(), found.iter().map(|[onset, _, end]| end - onset).sum::<i64>())
            };
            prop_assert!(count(limit + 1, consecutive).1 <= count(limit, consecutive).1);
            prop_assert!(count(limit, consecutive + 1).0 <= count(limit, consecutive).0);
        }
    }
}
