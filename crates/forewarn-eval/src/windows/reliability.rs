use crate::windows::{expect_both_classes, ranking};
use crate::{
    BlockBootstrap, EvalError, Interval, ScoredSet,
    uncertainty::{effective, invalid},
};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// Whether scores are probabilities: of the windows that score 0.2, does a failure follow in a fifth?
///
/// Windows are put into bins of about equal number by score, ties together, so that rare high scores are not drowned
/// and no bin is empty. Bins with fixed edges would hold nearly all windows in the first one where failures are rare.
///
/// Not quite `calibration_curve(strategy="quantile")` of scikit-learn, which cuts at percentiles of the scores,
/// interpolated between two of them: where the number of bins does not divide the number of windows, or scores tie at
/// an edge, a window next to an edge may lie in the other bin there. Here a tie goes to the bin that holds its
/// middle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reliability {
    /// Expected calibration error: mean distance between score and share of failures over the bins, weighted by
    /// windows.
    pub ece: f64,
    /// Where it lies. Resampling adds noise that a distance counts as error, so this tends to lie above `ece`.
    pub ece_interval: Option<Interval>,
    /// Largest such distance of any bin.
    pub largest_error: f64,
    /// Part of the Brier score that recalibrating would save: squared distance between score and share. 0 is best.
    pub reliability: f64,
    /// Part of the Brier score gained by telling windows apart. Higher is better.
    pub resolution: f64,
    /// Brier score of always answering the prevalence: what there was to be gained.
    pub uncertainty: f64,
    /// The bins, from the lowest scores to the highest: the reliability curve.
    pub bins: Vec<ReliabilityBin>,
}

/// Windows of about the same score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReliabilityBin {
    /// Windows in it.
    pub windows: usize,
    /// Lowest score.
    pub lowest: Score,
    /// Highest score.
    pub highest: Score,
    /// Mean score: the share of failures that was announced.
    pub announced: f64,
    /// Share of positive windows: what happened.
    pub happened: f64,
    /// Where that share lies.
    pub interval: Option<Interval>,
}

impl Reliability {
    /// Bins used where nothing else is asked for.
    pub const BINS: usize = 10;

    /// Puts windows into at most `bins` bins. `reliability - resolution + uncertainty` is the Brier score, exactly:
    /// what scores of one bin differ by is counted as resolution. `O(n log n)` time.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch),
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass),
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for no bin.
    ///
    /// # References
    /// A. H. Murphy, *A new vector partition of the probability score*, Journal of Applied Meteorology 12, 1973. D.
    /// B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, *Two extra components in the Brier score decomposition*,
    /// Weather and Forecasting 23,
    /// 2008. K. Nguyen and B. O'Connor, *Posterior calibration and exploratory analysis for natural language
    ///       processing models*,
    /// EMNLP 2015 (adaptive bins).
    pub fn new(scores: &[Score], positive: &[bool], bins: usize) -> Result<Self, EvalError> {
        expect_both_classes("the data", scores, positive)?;
        if bins == 0 {
            return Err(invalid("bins", bins.to_string(), "at least 1").into());
        }
        let ranking = ranking(scores, positive)?;
        let windows = scores.len();
        let mut binned: Vec<Sums> = Vec::new();
        let mut below = 0;
        for tie in ranking.ties().iter().rev() {
            // A tie goes to the bin in which its middle lies, so that bins stay about equal and ties together.
            let count = tie.len() as usize;
            let place = (2 * below + count) * bins / (2 * windows);
            below += count;
            if binned.last().is_none_or(|last| last.place != place) {
                binned.push(Sums { place, lowest: tie.value, ..Sums::default() });
            }
            if let Some(last) = binned.last_mut() {
                last.highest = tie.value;
                last.windows += count;
                last.positives += tie.positives as f64;
                last.scores += count as f64 * f64::from(tie.value.get());
            }
        }
        let prevalence = ranking.positives() as f64 / windows as f64;
        let bins: Vec<ReliabilityBin> = binned.iter().map(Sums::bin).collect();
        let share = |bin: &ReliabilityBin| bin.windows as f64 / windows as f64;
        let distance = |bin: &ReliabilityBin| (bin.announced - bin.happened).abs();
        let reliability = bins.iter().map(|bin| share(bin) * distance(bin).powi(2)).sum();
        let uncertainty = prevalence * (1.0 - prevalence);
        Ok(Self {
            ece: bins.iter().map(|bin| share(bin) * distance(bin)).sum(),
            ece_interval: None,
            largest_error: bins.iter().map(distance).fold(0.0, f64::max),
            reliability,
            resolution: reliability + uncertainty - crate::brier(scores, positive)?,
            uncertainty,
            bins,
        })
    }

    /// The same with intervals, by drawing blocks of time; the bins stay as they are. `None` for the intervals with
    /// fewer than two blocks. `O(n log n)` time, and bins times blocks for each resample.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_intervals(
        set: &ScoredSet,
        bins: usize,
        bootstrap: &BlockBootstrap,
    ) -> Result<Self, EvalError> {
        let (scores, positive) = set.pooled("test")?;
        let mut found = Self::new(&scores, &positive, bins)?;
        let blocks = bootstrap.blocks(set);
        if blocks.len() < 2 {
            return Ok(found);
        }
        let mut sums = vec![Sums::default(); found.bins.len() * blocks.len()];
        let times = set.series().iter().flat_map(|series| series.times());
        for (&time, (&score, &positive)) in times.zip(scores.iter().zip(&positive)) {
            let bin = found.bins.partition_point(|bin| bin.highest < score);
            let cell = &mut sums[bin * blocks.len() + blocks.of(time)];
            cell.windows += 1;
            cell.positives += f64::from(u8::from(positive));
            cell.scores += f64::from(score.get());
        }
        let mut errors = Vec::with_capacity(bootstrap.resamples());
        let mut shares = vec![Vec::with_capacity(bootstrap.resamples()); found.bins.len()];
        for weights in bootstrap.draws(blocks.len()) {
            let (mut error, mut total) = (0.0, 0.0);
            for (cells, shares) in sums.chunks_exact(blocks.len()).zip(&mut shares) {
                let (mut windows, mut positives, mut announced) = (0.0, 0.0, 0.0);
                for (cell, &weight) in cells.iter().zip(&weights) {
                    let weight = f64::from(weight);
                    windows += weight * cell.windows as f64;
                    positives += weight * cell.positives;
                    announced += weight * cell.scores;
                }
                if windows > 0.0 {
                    shares.push(positives / windows);
                    error += (announced - positives).abs();
                    total += windows;
                }
            }
            errors.push(error / total);
        }
        let interval = |values, windows: f64| {
            Interval::expanded(values, windows, bootstrap.resamples(), bootstrap.level())
        };
        let mut by_block = vec![0.0; blocks.len()];
        for ((bin, shares), cells) in found.bins.iter_mut().zip(shares).zip(sums.chunks_exact(blocks.len())) {
            bin.interval = interval(shares, effective(cells.iter().map(|cell| cell.windows as f64)));
            by_block.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell.windows as f64);
        }
        found.ece_interval = interval(errors, effective(by_block));
        Ok(found)
    }
}

/// A bin under construction.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    place: usize,
    lowest: Score,
    highest: Score,
    windows: usize,
    positives: f64,
    scores: f64,
}

impl Sums {
    fn bin(&self) -> ReliabilityBin {
        ReliabilityBin {
            windows: self.windows,
            lowest: self.lowest,
            highest: self.highest,
            announced: self.scores / self.windows as f64,
            happened: self.positives / self.windows as f64,
            interval: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{brier, testing::labelled_scores, testing::scores};
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        // Two bins of two: announced 0.25 and 0.75, happened 0.5 and 1.
        let found =
            Reliability::new(&scores(&[0.25, 0.75, 0.25, 0.75]), &[false, true, true, true], 2).unwrap();
        assert_eq!((found.ece, found.largest_error), (0.25, 0.25));
        assert_eq!((found.reliability, found.uncertainty), (0.0625, 0.1875));
        assert_eq!(found.resolution, 0.0625);
        let right = Reliability::new(&scores(&[0.5, 0.5, 1.0, 1.0]), &[false, true, true, true], 5).unwrap();
        assert_eq!((right.ece, right.reliability), (0.0, 0.0));
        assert!(Reliability::new(&scores(&[0.5, 0.1]), &[false, true], 0).is_err());
    }

    proptest! {
        #[test]
        fn bins_hold_every_window_once_and_parts_add_up(
            (scores, positive) in labelled_scores(80), bins in 1usize..12
        ) {
            let found = Reliability::new(&scores, &positive, bins).unwrap();
            prop_assert!(found.bins.len() <= bins && !found.bins.is_empty());
            prop_assert!(found.bins.windows(2).all(|pair| pair[0].highest < pair[1].lowest));
            for bin in &found.bins {
                let inside = || (0..scores.len()).filter(|&i| bin.lowest <= scores[i] && scores[i] <= bin.highest);
                prop_assert_eq!(inside().count(), bin.windows);
                let share = inside().filter(|&i| positive[i]).count() as f64 / bin.windows as f64;
                prop_assert_eq!(share, bin.happened);
            }
            prop_assert_eq!(found.bins.iter().map(|bin| bin.windows).sum::<usize>(), scores.len());
            let whole = found.reliability - found.resolution + found.uncertainty;
            assert_abs_diff_eq!(whole, brier(&scores, &positive).unwrap(), epsilon = 1e-12);
            prop_assert!(found.ece <= found.largest_error + 1e-12);
        }
    }
}
