use super::runs::runs;
use crate::uncertainty::{BlockBootstrap, Blocks, effective, invalid};
use crate::{EvalError, Interval, IntervalEstimate, ScoredSet};
use forewarn_core::Score;

/// Where the labels of a volume under the surface fade out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Buffer {
    /// Before each run of positive windows only: a warning that comes a little too early is worth something, one that
    /// comes too late is worth nothing.
    Before,
    /// On both sides, as the measure is published for the detection of anomalies.
    Around,
}

/// Volumes under the surfaces of precision over recall and of the ROC, in the definitions that published tables use.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct VusFigures {
    /// VUS-PR as releases up to 0.0.5 of the authors' package `vus` have it: points joined by straight lines, from
    /// precision 1 at recall 0, and recall divided by the labels half-way between sharp and faded. Equal to release
    /// 0.0.5; earlier ones begin the left buffer one step off.
    pub pr_by_lines: f64,
    /// VUS-PR as release 0.0.6, the authors' repository and the benchmark TSB-AD have it: points joined by steps, and
    /// only the buffer that is called counts in the divisor of recall. Compare this one with current tables; it is
    /// often a tenth above the other.
    pub pr_by_steps: f64,
    /// VUS-ROC of the same release; 0.5 for scores that say nothing, more with wide buffers around many runs.
    pub roc: f64,
}

/// Volumes under the surface: the area under a curve with labels that fade out, averaged over how far they do.
///
/// For each width from 0 to `widest` steps, windows up to half of it away from a run of positive ones count as
/// positive in part: `sqrt(1 - distance / width)` at this distance in steps. Recall is multiplied by the share of the
/// runs that are hit at all. Every distinct score is a threshold, where the authors' code takes 250 of them.
///
/// Secondary to event recall and PR-AUC. `O(n log n)` time, and a width's share of the windows near positive ones for
/// each width.
///
/// # Errors
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass);
/// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a width of more than 1000 steps.
///
/// # References
/// J. Paparrizos, P. Boniol, T. Palpanas, R. S. Tsay, A. Elmore and M. J. Franklin, *Volume under the surface: a new
/// accuracy evaluation measure for time-series anomaly detection*, PVLDB 15(11), 2022. Q. Liu and J. Paparrizos, *The
/// elephant in the room: towards a reliable time-series anomaly detection benchmark*, Advances in Neural Information
/// Processing Systems 37, 2024 (`TSB-AD`).
pub fn vus(set: &ScoredSet, widest: usize, buffer: Buffer) -> Result<VusFigures, EvalError> {
    let one = Blocks::whole();
    // Both classes are there, so every curve has points.
    Ok(Surface::new(set, &one, widest, buffer)?.volumes(&[1]).unwrap_or(VusFigures::NONE))
}

/// [`VusFigures::pr_by_lines`] alone.
///
/// # Errors
/// As [`vus`].
pub fn vus_pr(set: &ScoredSet, widest: usize, buffer: Buffer) -> Result<f64, EvalError> {
    Ok(vus(set, widest, buffer)?.pr_by_lines)
}

/// [`vus`] and where each of its figures lies, in their order.
pub(crate) fn vus_estimates(
    set: &ScoredSet,
    widest: usize,
    buffer: Buffer,
    bootstrap: &BlockBootstrap,
) -> Result<[IntervalEstimate; 3], EvalError> {
    let parts = |found: &VusFigures| [found.pr_by_lines, found.pr_by_steps, found.roc];
    let values = parts(&vus(set, widest, buffer)?);
    let mut estimates = values.map(|value| IntervalEstimate { value: Some(value), interval: None });
    let blocks = bootstrap.blocks(set);
    if blocks.len() < 2 {
        return Ok(estimates);
    }
    let surface = Surface::new(set, &blocks, widest, buffer)?;
    let drawn: Vec<VusFigures> =
        bootstrap.draws(blocks.len()).filter_map(|weights| surface.volumes(&weights)).collect();
    let failures = surface.effective_blocks(blocks.len());
    for (place, estimate) in estimates.iter_mut().enumerate() {
        let values = drawn.iter().map(|found| parts(found)[place]).collect();
        estimate.interval = Interval::expanded(values, failures, bootstrap.resamples(), bootstrap.level());
    }
    Ok(estimates)
}

impl VusFigures {
    const NONE: Self = Self { pr_by_lines: 0.0, pr_by_steps: 0.0, roc: 0.0 };

    fn plus(self, other: Self) -> Self {
        Self {
            pr_by_lines: self.pr_by_lines + other.pr_by_lines,
            pr_by_steps: self.pr_by_steps + other.pr_by_steps,
            roc: self.roc + other.roc,
        }
    }

    fn over(self, count: f64) -> Self {
        Self {
            pr_by_lines: self.pr_by_lines / count,
            pr_by_steps: self.pr_by_steps / count,
            roc: self.roc / count,
        }
    }
}

/// Windows in order of score, with what those near a positive run count as at every width.
struct Surface {
    /// The block of each window, from the highest score on.
    ranked: Vec<u32>,
    /// Distinct scores that a window near a positive run has. At all others only precision changes, and no area is
    /// added.
    stops: Vec<Stop>,
    /// Windows near a positive run at the widest width, in order of score.
    near: Vec<Near>,
    /// For each width the block of each run; runs whose buffers overlap are one.
    runs: Vec<Vec<u32>>,
}

/// The windows of one score: `ranked[start..end]`, the near ones among them `near[first..last]`.
struct Stop {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
}

/// A window near a positive run.
struct Near {
    block: u32,
    is_positive: bool,
    /// What it counts as at each width, and which run it hits; 0 at widths that do not reach it.
    labels: Vec<(f64, u32)>,
}

/// Widest buffer, in steps.
const WIDEST: usize = 1000;

impl Surface {
    fn new(set: &ScoredSet, blocks: &Blocks, widest: usize, buffer: Buffer) -> Result<Self, EvalError> {
        if widest > WIDEST {
            return Err(invalid("widest buffer", widest.to_string(), "at most 1000 steps").into());
        }
        set.pooled("the data")?;
        let step = set.step().millis();
        let mut runs_by_width = vec![Vec::new(); widest + 1];
        let mut all: Vec<(Score, u32, Option<Near>)> = Vec::with_capacity(set.windows());
        for series in set.series() {
            let times = series.times();
            let spans: Vec<Span> = runs(series, set.step(), |index| series.positive()[index])
                .into_iter()
                .map(|run| Span {
                    first: times[run.start].millis(),
                    last: times[run.end - 1].millis(),
                    block: blocks.of(times[run.start]) as u32,
                })
                .collect();
            let merged: Vec<Vec<u32>> = runs_by_width
                .iter_mut()
                .enumerate()
                .map(|(width, runs)| merge(&spans, width, step, buffer, runs))
                .collect();
            for ((time, score), &is_positive) in series.scored().zip(series.positive()) {
                let block = blocks.of(time) as u32;
                let distances = distances(&spans, time.millis(), step, widest, buffer);
                let near = (!distances.is_empty()).then(|| {
                    let label = |width: usize| {
                        let parts = distances.iter().map(|&(_, distance)| faded(distance, width));
                        (parts.sum::<f64>().min(1.0), merged[width][distances[0].0])
                    };
                    Near { block, is_positive, labels: (0..=widest).map(label).collect() }
                });
                all.push((score, block, near));
            }
        }
        all.sort_by_key(|window| std::cmp::Reverse(window.0));
        let mut surface = Self {
            ranked: Vec::with_capacity(all.len()),
            stops: Vec::new(),
            near: Vec::new(),
            runs: runs_by_width,
        };
        let (mut start, mut first, mut previous) = (0, 0, None);
        for (score, block, near) in all {
            if previous.is_some_and(|previous| previous != score) {
                surface.stop(start, first);
                (start, first) = (surface.ranked.len(), surface.near.len());
            }
            previous = Some(score);
            surface.ranked.push(block);
            surface.near.extend(near);
        }
        surface.stop(start, first);
        Ok(surface)
    }

    /// Ends the windows of one score.
    fn stop(&mut self, start: usize, first: usize) {
        let (end, last) = (self.ranked.len(), self.near.len());
        if last > first {
            self.stops.push(Stop { start, end, first, last });
        }
    }

    /// Number of equal blocks that say as much, by their positive windows.
    fn effective_blocks(&self, blocks: usize) -> f64 {
        let mut positives = vec![0.0; blocks];
        self.near
            .iter()
            .filter(|near| near.is_positive)
            .for_each(|near| positives[near.block as usize] += 1.0);
        effective(positives)
    }

    /// The volumes where block `b` counts `weights[b]` times; `None` where no positive window is drawn.
    fn volumes(&self, weights: &[u32]) -> Option<VusFigures> {
        let weight = |block: u32| f64::from(weights[block as usize]);
        let positive = self.near.iter().filter(|near| near.is_positive);
        let positives: f64 = positive.map(|near| weight(near.block)).sum();
        if positives <= 0.0 {
            return None;
        }
        // What is called before and at each stop is the same for all widths.
        let (mut called, mut sum, mut from) = (Vec::with_capacity(self.stops.len()), 0.0, 0);
        let add = |range: &[u32]| range.iter().map(|&block| weight(block)).sum::<f64>();
        for stop in &self.stops {
            let before = sum + add(&self.ranked[from..stop.start]);
            sum = before + add(&self.ranked[stop.start..stop.end]);
            called.push((before, sum));
            from = stop.end;
        }
        let all = sum + add(&self.ranked[from..]);
        let sums = (0..self.runs.len()).map(|width| self.areas(width, &called, (positives, all), &weight));
        Some(sums.fold(VusFigures::NONE, VusFigures::plus).over(self.runs.len() as f64))
    }

    /// Areas under the curves at one width, of `(positives, all)` windows.
    fn areas(
        &self,
        width: usize,
        called: &[(f64, f64)],
        (positives, all): (f64, f64),
        weight: &impl Fn(u32) -> f64,
    ) -> VusFigures {
        let labels: f64 = self.near.iter().map(|near| weight(near.block) * near.labels[width].0).sum();
        // Half-way between the labels as they are and as they fade out, as published: recall is neither too strict
        // nor too lax.
        let wanted = f64::midpoint(positives, labels);
        let all_runs: f64 = self.runs[width].iter().map(|&block| weight(block)).sum();
        let mut is_hit = vec![false; self.runs[width].len()];
        let (mut found, mut found_beside, mut hit, mut recall) = (0.0, 0.0, 0.0, 0.0);
        let (mut stepped, mut areas) = (Stepped::default(), VusFigures::NONE);
        for (stop, &(before, until)) in self.stops.iter().zip(called) {
            let precision_before = if before > 0.0 { found / before } else { 1.0 };
            areas.roc += stepped.to(stepped.recall, before - found, all - positives - 0.5 * found_beside);
            for near in &self.near[stop.first..stop.last] {
                let (label, run) = near.labels[width];
                found += weight(near.block) * label;
                if !near.is_positive {
                    found_beside += weight(near.block) * label;
                }
                if label > 0.0
                    && weight(near.block) > 0.0
                    && !std::mem::replace(&mut is_hit[run as usize], true)
                {
                    hit += weight(self.runs[width][run as usize]);
                }
            }
            if until > before && all_runs > 0.0 {
                let share = hit / all_runs;
                let next = (found / wanted).min(1.0) * share;
                areas.pr_by_lines += (next - recall) * f64::midpoint(precision_before, found / until);
                recall = next;
                let called_labels = positives + 0.5 * found_beside;
                let next = (found / called_labels).min(1.0) * share;
                areas.pr_by_steps += (next - stepped.recall) * found / until;
                areas.roc += stepped.to(next, until - found, all - called_labels);
            }
        }
        areas.roc += stepped.to(stepped.recall, all - found, all - positives - 0.5 * found_beside);
        areas.roc += (1.0 - stepped.rate) * f64::midpoint(stepped.recall, 1.0);
        areas
    }
}

/// Where the ROC curve has come to.
#[derive(Clone, Copy, Debug, Default)]
struct Stepped {
    recall: f64,
    rate: f64,
}

impl Stepped {
    /// Goes on to a recall and a number of false calls and of windows, and gives the area below the way.
    fn to(&mut self, recall: f64, false_calls: f64, negatives: f64) -> f64 {
        let rate = if negatives > 0.0 { false_calls / negatives } else { 1.0 };
        let area = (rate - self.rate) * f64::midpoint(self.recall, recall);
        *self = Self { recall, rate };
        area
    }
}

/// A run of positive windows: the times of its first and last window.
struct Span {
    first: i64,
    last: i64,
    block: u32,
}

/// Adds the runs of one service at one width, and says which each span has become part of.
fn merge(spans: &[Span], width: usize, step: i64, buffer: Buffer, runs: &mut Vec<u32>) -> Vec<u32> {
    let before = (width / 2) as i64 * step;
    let after = if buffer == Buffer::Around { before } else { 0 };
    let mut end = None;
    let mut place = |span: &Span| {
        if end.is_none_or(|end| end < span.first - before) {
            runs.push(span.block);
        }
        end = Some(span.last + after);
        (runs.len() - 1) as u32
    };
    spans.iter().map(&mut place).collect()
}

/// The spans near a time and how many steps away they are, the nearest first.
fn distances(spans: &[Span], time: i64, step: i64, widest: usize, buffer: Buffer) -> Vec<(usize, usize)> {
    let reach = (widest / 2) as i64 * step;
    let next = spans.partition_point(|span| span.last < time);
    let ahead = (next..spans.len()).map(|span| (span, (spans[span].first - time).max(0)));
    let behind =
        (0..next).rev().filter(|_| buffer == Buffer::Around).map(|span| (span, time - spans[span].last));
    let within = |&(_, millis): &(usize, i64)| millis <= reach;
    let near = ahead.take_while(within).chain(behind.take_while(within));
    let mut near: Vec<(usize, usize)> = near.map(|(span, millis)| (span, (millis / step) as usize)).collect();
    near.sort_by_key(|&(_, distance)| distance);
    near
}

/// What a window so far from a run counts as.
fn faded(distance: usize, width: usize) -> f64 {
    match distance {
        0 => 1.0,
        _ if distance > width / 2 => 0.0,
        _ => (1.0 - distance as f64 / width as f64).sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::labelled_scores, testing::minute, testing::scores};
    use approx::assert_abs_diff_eq;
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};
    use proptest::prelude::*;

    fn set(values: Vec<Score>, positive: Vec<bool>) -> ScoredSet {
        let times = (0..values.len() as i64).map(minute).collect();
        let series = ScoredSeries::new("a", times, values, positive, Episodes::default()).unwrap();
        ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
    }

    #[test]
    fn the_authors_code_gives_the_same() {
        // `RangeAUC_volume_opt` of the authors' code with as many thresholds as windows, before releases that join
        // points by steps.
        let positive = |i: usize| (40..=44).contains(&i) || (60..=61).contains(&i) || (66..=70).contains(&i);
        let values: Vec<f32> = (0..100).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0).collect();
        let set = set(scores(&values), (0..100).map(positive).collect());
        assert_abs_diff_eq!(vus_pr(&set, 0, Buffer::Around).unwrap(), PUBLISHED[0], epsilon = 1e-6);
        assert_abs_diff_eq!(vus_pr(&set, 4, Buffer::Around).unwrap(), PUBLISHED[1], epsilon = 1e-6);
        assert_abs_diff_eq!(vus_pr(&set, 10, Buffer::Around).unwrap(), PUBLISHED[2], epsilon = 1e-6);
    }

    const PUBLISHED: [f64; 3] = [0.103_424_877, 0.140_116_468, 0.218_050_734];

    #[test]
    fn the_current_release_gives_the_same_by_steps() {
        // `RangeAUC_volume_opt` of release 0.0.6, with as many thresholds as windows.
        let positive = |i: usize| (40..=44).contains(&i) || (60..=61).contains(&i) || (66..=70).contains(&i);
        let values: Vec<f32> = (0..100).map(|i| ((i * 37 + 11) % 101) as f32 / 101.0).collect();
        let set = set(scores(&values), (0..100).map(positive).collect());
        for (widest, [pr, roc]) in [0, 4, 10].into_iter().zip(CURRENT) {
            let found = vus(&set, widest, Buffer::Around).unwrap();
            assert_abs_diff_eq!(found.pr_by_steps, pr, epsilon = 1e-8);
            assert_abs_diff_eq!(found.roc, roc, epsilon = 1e-8);
        }
    }

    const CURRENT: [[f64; 2]; 3] =
        [[0.112_963_795, 0.387_310_606], [0.150_923_708, 0.514_895_144], [0.235_209_842, 0.643_353_054]];

    /// One curve after another, each point from its definition.
    fn by_brute_force(values: &[Score], positive: &[bool], widest: usize, buffer: Buffer) -> f64 {
        let n = values.len();
        let mut thresholds = values.to_vec();
        thresholds.sort_unstable_by(|a, b| b.cmp(a));
        thresholds.dedup();
        let mut sum = 0.0;
        for width in 0..=widest {
            let half = width / 2;
            let mut labels: Vec<f64> = positive.iter().map(|&is| f64::from(u8::from(is))).collect();
            // Each minute that some run's buffer covers, with the run of the label's own minute for those inside.
            let mut covered = vec![false; n];
            for i in 0..n {
                let (begins, ends) = (i == 0 || !positive[i - 1], i + 1 == n || !positive[i + 1]);
                covered[i] |= positive[i];
                for d in 1..=half {
                    let part = (1.0 - d as f64 / width as f64).sqrt();
                    if positive[i] && begins && i >= d {
                        labels[i - d] += part;
                        covered[i - d] = true;
                    }
                    if positive[i] && ends && i + d < n && buffer == Buffer::Around {
                        labels[i + d] += part;
                        covered[i + d] = true;
                    }
                }
            }
            let labels: Vec<f64> = labels.into_iter().map(|label| label.min(1.0)).collect();
            // Runs whose buffers share a minute are one; those that only touch are two.
            let mut starts: Vec<usize> = Vec::new();
            let mut last_end: Option<usize> = None;
            for i in (0..n).filter(|&i| positive[i] && (i == 0 || !positive[i - 1])) {
                let end = (i..n).find(|&j| j + 1 == n || !positive[j + 1]).unwrap();
                if last_end.is_none_or(|last| last + half < i) {
                    starts.push(i.saturating_sub(half));
                }
                last_end = Some(end + if buffer == Buffer::Around { half } else { 0 });
            }
            let run_of = |i: usize| starts.iter().rposition(|&start| start <= i).unwrap();
            let wanted =
                (positive.iter().filter(|is| **is).count() as f64 + labels.iter().sum::<f64>()) / 2.0;
            let (mut recall, mut precision, mut area) = (0.0, 1.0, 0.0);
            for &threshold in &thresholds {
                let called: Vec<usize> = (0..n).filter(|&i| values[i] >= threshold).collect();
                let found: f64 = called.iter().map(|&i| labels[i]).sum();
                let hit: std::collections::BTreeSet<usize> =
                    called.iter().filter(|&&i| covered[i]).map(|&i| run_of(i)).collect();
                let next = (found / wanted).min(1.0) * hit.len() as f64 / starts.len() as f64;
                let next_precision = found / called.len() as f64;
                area += (next - recall) * (precision + next_precision) / 2.0;
                (recall, precision) = (next, next_precision);
            }
            sum += area;
        }
        sum / (widest + 1) as f64
    }

    proptest! {
        #[test]
        fn equals_the_definition((values, positive) in labelled_scores(60), widest in 0usize..14) {
            for buffer in [Buffer::Before, Buffer::Around] {
                let found = vus_pr(&set(values.clone(), positive.clone()), widest, buffer).unwrap();
                let expected = by_brute_force(&values, &positive, widest, buffer);
                assert_abs_diff_eq!(found, expected, epsilon = 1e-12);
            }
        }
    }

    #[test]
    fn a_perfect_ranking_without_a_buffer_is_perfect() {
        let set = set(scores(&[0.1, 0.9, 0.8, 0.2]), vec![false, true, true, false]);
        assert_eq!(vus_pr(&set, 1, Buffer::Before).unwrap(), 1.0);
        assert!(vus_pr(&set, 1001, Buffer::Before).is_err());
    }

    #[test]
    fn too_early_is_worth_something_and_too_late_is_not() {
        let positive: Vec<bool> = (0..40).map(|i| (20..25).contains(&i)).collect();
        let peak_at = |at: usize| {
            let values: Vec<f32> = (0..40).map(|i| if i == at { 0.9 } else { 0.1 }).collect();
            vus_pr(&set(scores(&values), positive.clone()), 6, Buffer::Before).unwrap()
        };
        assert!(peak_at(18) > peak_at(26) + 0.01, "{} {}", peak_at(18), peak_at(26));
        assert_eq!(peak_at(26), peak_at(2));
    }
}
