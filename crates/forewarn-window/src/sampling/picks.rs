//! Fewer training windows, with what it takes to undo the choice.

use crate::{WindowError, settings::setting};
use forewarn_core::{CoreError, Samples, Score, Train};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Training windows that were picked, each with what it stands for.
///
/// [`samples`](Self::samples) carry the weights to the estimator, so that a fit is, on average, one on all windows; a
/// model that takes no weights is fitted on [`unweighted`](Self::unweighted) samples, and [`correct`](Self::correct)
/// undoes the choice in its scores.
#[derive(Clone, Debug)]
pub struct Picked {
    samples: Train<Samples>,
    negative_weight: f64,
}

impl Picked {
    /// Picks of `train` in which a negative stands for `negative_weight` negatives.
    fn new(train: &Train<Samples>, picks: &[u32], negative_weight: f64) -> Result<Self, WindowError> {
        let samples = train.select(picks)?;
        if negative_weight == 1.0 {
            return Ok(Self { samples, negative_weight });
        }
        // What is picked from picked windows stands for what those stand for.
        let stood_for = |index: usize| samples.weights().map_or(1.0, |weights| weights[index]);
        let weight = |(index, &positive): (usize, &bool)| {
            stood_for(index) * if positive { 1.0 } else { negative_weight as f32 }
        };
        let weights = samples.positive().iter().enumerate().map(weight).collect();
        Ok(Self { samples: samples.with_weights(weights)?, negative_weight })
    }

    /// The picked windows, still a training part, weighted by how many windows each stands for.
    #[must_use]
    pub fn samples(&self) -> &Train<Samples> {
        &self.samples
    }

    /// The picked windows, each standing for itself.
    #[must_use]
    pub fn unweighted(&self) -> Train<Samples> {
        self.samples.clone().without_weights()
    }

    /// The score that a model fitted on all windows would give, from that of a model fitted on these without weights.
    ///
    /// # Errors
    /// None for a score; the type is that of [`Score::new`].
    ///
    /// # References
    /// C. Elkan, *The foundations of cost-sensitive learning*, IJCAI 2001, theorem 2.
    pub fn correct(&self, score: Score) -> Result<Score, CoreError> {
        let (odds_for, odds_against) = (f64::from(score.get()), 1.0 - f64::from(score.get()));
        Score::new((odds_for / (odds_for + self.negative_weight * odds_against)) as f32)
    }
}

/// Keeps every positive window and each negative one with probability `share`; the same seed keeps the same.
///
/// # Errors
/// [`CoreError::InvalidSetting`] unless `share` is above 0 and at most 1.
pub fn downsample_negatives(train: &Train<Samples>, share: f64, seed: u64) -> Result<Picked, WindowError> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(setting("share of negatives", &share, "more than 0, at most 1"));
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let picks: Vec<u32> = numbered(train)
        .filter(|&(_, positive)| positive || random.random::<f64>() < share)
        .map(|(pick, _)| pick)
        .collect();
    Picked::new(train, &picks, share.recip())
}

/// Which windows a stride skips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skip {
    /// Negatives only: positives are rare.
    #[default]
    Negatives,
    /// Positives too, which leaves their share as it is.
    Any,
}

/// Keeps the windows of every `steps`-th row of the frames: neighbouring windows share most of their rows.
///
/// # Errors
/// [`CoreError::InvalidSetting`] for a stride of zero.
pub fn stride(train: &Train<Samples>, steps: usize, skip: Skip) -> Result<Picked, WindowError> {
    if steps == 0 {
        return Err(setting("stride", &steps, "1 or more steps"));
    }
    let picks: Vec<u32> = numbered(train)
        .zip(train.rows())
        .filter(|&((_, positive), &row)| {
            (row as usize).is_multiple_of(steps) || (positive && skip == Skip::Negatives)
        })
        .map(|((pick, _), _)| pick)
        .collect();
    let negative_weight = match skip {
        Skip::Negatives => steps as f64,
        Skip::Any => 1.0,
    };
    Picked::new(train, &picks, negative_weight)
}

/// Keeps every positive window, the `hardest` negative ones by `scores` (those that a model of the round before was
/// surest of), and `random` others, so that the model does not forget what is easy. Hard ones are no sample of all,
/// and get no weights.
///
/// # Errors
/// [`CoreError::LengthMismatch`] unless there is one score for each window.
pub fn hard_negatives(
    train: &Train<Samples>,
    scores: &[Score],
    hardest: usize,
    random: usize,
    seed: u64,
) -> Result<Picked, WindowError> {
    if scores.len() != train.len() {
        let (expected, got) = (train.len(), scores.len());
        return Err(CoreError::LengthMismatch { what: "scores", expected, got }.into());
    }
    let mut negatives: Vec<u32> =
        numbered(train).filter(|&(_, positive)| !positive).map(|(pick, _)| pick).collect();
    // Ties are broken by position, so that the same scores pick the same windows.
    let by_score = |&a: &u32, &b: &u32| scores[b as usize].cmp(&scores[a as usize]).then(a.cmp(&b));
    let hardest = hardest.min(negatives.len());
    if hardest < negatives.len() {
        negatives.select_nth_unstable_by(hardest, by_score);
    }
    let (_, easy) = negatives.split_at_mut(hardest);
    easy.sort_unstable();
    let random = random.min(easy.len());
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    for place in 0..random {
        let other = generator.random_range(place..easy.len());
        easy.swap(place, other);
    }
    negatives.truncate(hardest + random);
    let positives = numbered(train).filter(|&(_, positive)| positive).map(|(pick, _)| pick);
    let mut picks: Vec<u32> = positives.chain(negatives).collect();
    picks.sort_unstable();
    Picked::new(train, &picks, 1.0)
}

/// Positions of the samples, and whether each is positive.
fn numbered(train: &Train<Samples>) -> impl Iterator<Item = (u32, bool)> + '_ {
    (0..).zip(train.positive().iter().copied())
}
