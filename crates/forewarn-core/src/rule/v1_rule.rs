use crate::{Assessment, CoreError, FailureRule};
use forewarn_schema::{Episodes, FrameView};
use std::ops::Range;

/// forewarn's first definition of failure, as a rule that needs no other crate: `error_rate` of at least 5 % for 2
/// consecutive steps.
///
/// It is what `Rule::v1()` of forewarn-label says, sentence for sentence and episode for episode, for those who only
/// simulate or only window. All other rules (limits, guards, burn rates, files) are in forewarn-label.
///
/// # Examples
/// ```
/// use forewarn_core::{FailureRule, V1Rule};
///
/// assert_eq!(V1Rule.describe(), "error_rate >= 0.05 for 2 consecutive steps");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct V1Rule;

impl V1Rule {
    /// The metric that it looks at.
    pub const METRIC: &'static str = "error_rate";
    /// The error rate from which on a step violates the rule.
    pub const LIMIT: f32 = 0.05;
    /// Violations in a row that make a failure.
    pub const CONSECUTIVE: usize = 2;
}

impl FailureRule for V1Rule {
    fn describe(&self) -> String {
        format!("{} >= {} for {} consecutive steps", Self::METRIC, Self::LIMIT, Self::CONSECUTIVE)
    }

    fn confirmation(&self) -> usize {
        Self::CONSECUTIVE
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        let column = || frame.column(Self::METRIC);
        let violates = column()?.map(|rate| rate >= Self::LIMIT);
        let episodes = Episodes::from_flags(frame.start(), frame.step(), Self::CONSECUTIVE, violates)?;
        // Rows that fail only if missing rates are violations.
        let possible = runs(column()?.map(|rate| rate >= Self::LIMIT || rate.is_nan()));
        let (mut unknown, mut certain) = (Vec::new(), runs(column()?.map(|rate| rate >= Self::LIMIT)));
        certain.retain(|run| run.len() >= Self::CONSECUTIVE);
        for run in possible.into_iter().filter(|run| run.len() >= Self::CONSECUTIVE) {
            let mut from = run.start;
            for inside in certain.iter().filter(|inside| run.start <= inside.start && inside.end <= run.end) {
                unknown.push(from..inside.start);
                from = inside.end;
            }
            unknown.push(from..run.end);
        }
        unknown.retain(|rows| !rows.is_empty());
        Ok(Assessment { episodes, unknown })
    }
}

/// The runs of rows that are so.
fn runs(rows: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (row, _) in rows.enumerate().filter(|&(_, is_so)| is_so) {
        match runs.last_mut() {
            Some(run) if run.end == row => run.end += 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}
