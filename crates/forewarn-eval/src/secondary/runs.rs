use crate::ScoredSeries;
use forewarn_schema::{Step, Timestamp};
use std::ops::Range;

/// Stretches of windows of one service for which `is_in` holds, as positions. Windows that were left out, those
/// inside a failure for one, part two stretches: what precedes one failure is not what precedes the next.
pub(crate) fn runs(series: &ScoredSeries, step: Step, is_in: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let times = series.times();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in (0..times.len()).filter(|&index| is_in(index)) {
        match runs.last_mut() {
            Some(last) if last.end == index && follows(times[index - 1], times[index], step) => last.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

fn follows(before: Timestamp, after: Timestamp, step: Step) -> bool {
    after.millis() - before.millis() <= step.millis()
}
