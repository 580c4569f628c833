use crate::uncertainty::{BlockBootstrap, Blocks, effective};
use crate::{Interval, IntervalEstimate, ScoredSet};
use forewarn_schema::Timestamp;

/// What one moment adds to a figure that is a sum of values over a sum of weights, so that blocks of time can be
/// drawn from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RatioPart {
    /// When.
    pub time: Timestamp,
    /// What it adds to the upper sum.
    pub value: f64,
    /// What it adds to the lower sum.
    pub weight: f64,
}

pub(crate) use RatioPart as Part;

impl BlockBootstrap {
    /// A figure that is a sum of values over a sum of weights, and where it lies: as in a report, for what is counted
    /// elsewhere. Blocks are those in which something was `watched`.
    ///
    /// No value without weight, no interval with fewer than two blocks. Use [`share`](Self::share) and
    /// [`rate`](Self::rate) for counts: where there are few, drawing blocks knows too little of them.
    pub fn ratio(
        &self,
        parts: &[RatioPart],
        watched: impl IntoIterator<Item = Timestamp>,
    ) -> IntervalEstimate {
        let blocks = self.blocks_of(watched);
        let interval = interval_over(parts, &blocks, self);
        IntervalEstimate { value: total(parts), interval }
    }

    /// The same for a share of counted things, such as failures detected: each part has a weight of 1 and a value of
    /// 0 or 1. Wilson's interval, wider where things of a block go together.
    pub fn share(
        &self,
        parts: &[RatioPart],
        watched: impl IntoIterator<Item = Timestamp>,
    ) -> IntervalEstimate {
        let sums = sums(parts, &self.blocks_of(watched));
        IntervalEstimate { value: total(parts), interval: Interval::share(&sums, self.level()) }
    }

    /// The same for a number of counted things over time, such as false alarms a week: the interval of a Poisson
    /// count, wider where blocks differ more than that. It has an upper end above 0 where nothing was counted.
    pub fn rate(
        &self,
        parts: &[RatioPart],
        watched: impl IntoIterator<Item = Timestamp>,
    ) -> IntervalEstimate {
        let sums = sums(parts, &self.blocks_of(watched));
        IntervalEstimate { value: total(parts), interval: Interval::rate(&sums, self.level()) }
    }
}

/// The figure that all parts make; `None` without weight.
pub(crate) fn total(parts: &[Part]) -> Option<f64> {
    let (value, weight) =
        parts.iter().fold((0.0, 0.0), |(value, weight), part| (value + part.value, weight + part.weight));
    (weight > 0.0).then(|| value / weight)
}

/// Where that figure lies. Blocks are those of `set`, whichever parts there are.
pub(crate) fn interval(parts: &[Part], set: &ScoredSet, bootstrap: &BlockBootstrap) -> Option<Interval> {
    interval_over(parts, &bootstrap.blocks(set), bootstrap)
}

/// Where a share of counted things lies; as [`interval`].
pub(crate) fn share_interval(
    parts: &[Part],
    set: &ScoredSet,
    bootstrap: &BlockBootstrap,
) -> Option<Interval> {
    Interval::share(&sums(parts, &bootstrap.blocks(set)), bootstrap.level())
}

/// Where a number of counted things over time lies; as [`interval`].
pub(crate) fn rate_interval(parts: &[Part], set: &ScoredSet, bootstrap: &BlockBootstrap) -> Option<Interval> {
    Interval::rate(&sums(parts, &bootstrap.blocks(set)), bootstrap.level())
}

fn interval_over(parts: &[Part], blocks: &Blocks, bootstrap: &BlockBootstrap) -> Option<Interval> {
    if blocks.len() < 2 {
        return None;
    }
    let sums = sums(parts, blocks);
    let drawn = |weights: Vec<u32>| {
        let (mut value, mut weight) = (0.0, 0.0);
        for (&times, block) in weights.iter().zip(&sums) {
            value += f64::from(times) * block.0;
            weight += f64::from(times) * block.1;
        }
        (weight > 0.0).then(|| value / weight)
    };
    let values: Vec<f64> = bootstrap.draws(blocks.len()).filter_map(drawn).collect();
    let whole = effective(sums.iter().map(|sum| sum.1));
    let blocks = match effective(sums.iter().map(|sum| sum.0.abs())) {
        0.0 => whole,
        blocks => blocks.min(whole),
    };
    Interval::expanded(values, blocks, bootstrap.resamples(), bootstrap.level())
}

fn sums(parts: &[Part], blocks: &Blocks) -> Vec<(f64, f64)> {
    if blocks.len() == 0 {
        return Vec::new();
    }
    let mut sums = vec![(0.0, 0.0); blocks.len()];
    for part in parts {
        let sum = &mut sums[blocks.of(part.time)];
        sum.0 += part.value;
        sum.1 += part.weight;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};

    #[test]
    fn a_figure_that_is_the_same_on_all_days_is_certain() {
        let times: Vec<Timestamp> = (0..10).map(|day| minute(1440 * day)).collect();
        let parts: Vec<Part> = times.iter().map(|&time| Part { time, value: 0.5, weight: 2.0 }).collect();
        let series =
            ScoredSeries::new("a", times, scores(&[0.5; 10]), vec![false; 10], Episodes::default()).unwrap();
        let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
        let bootstrap = BlockBootstrap::default();
        assert_eq!(total(&parts), Some(0.25));
        let found = interval(&parts, &set, &bootstrap).unwrap();
        assert_eq!((found.low, found.high), (0.25, 0.25));
        assert_eq!((total(&[]), interval(&[], &set, &bootstrap)), (None, None));
        // A single part that one draw in e lacks: the others all give the same.
        assert_eq!(interval(&parts[..1], &set, &bootstrap), Some(found));
    }
}
