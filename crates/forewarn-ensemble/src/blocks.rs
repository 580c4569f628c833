//! Weights by several blocks of time instead of one span.

use crate::Blend;
use forewarn_core::{CoreError, Score, average_precision};
use forewarn_numerics::fit_logistic;

/// Strength that draws the slope of a calibration to 1.
const CALIBRATION_RIDGE: f64 = 0.01;
/// Members whose PR-AUC is behind the best one's by no more than this share of it help the mean, however little blocks
/// spread: they are wrong elsewhere.
const AS_GOOD: f64 = 1.0 / 3.0;
/// How far a weight is expected to lie from that of the mean of the good members before a label is seen: the standard
/// deviation of a normal distribution.
const SPREAD_OF_WEIGHTS: f64 = 0.025;

/// What [`Blend::by_blocks`] chose.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BlockChoice {
    /// The weights, 0 for members that blocks speak against.
    pub blend: Blend,
    /// How each member did, in order.
    pub members: Vec<JudgedMember>,
}

/// How a member did in several blocks of time.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct JudgedMember {
    /// Mean of the blocks' average precisions.
    pub pr_auc: f64,
    /// Standard deviation of them.
    pub spread: f64,
    /// Whether it is near enough to the best to have a weight.
    pub is_good: bool,
}

impl Blend {
    /// Weights from the scores of several blocks of time, each by models that were fitted on what came before.
    ///
    /// `scores` holds for each member its scores of each block, `blocks` the labels. Members are good whose PR-AUC is
    /// behind the best one's by no more than a standard error of the difference over blocks, or a third of it. The good
    /// ones are calibrated (log-odds to `a x + b`, `a` not negative) on all blocks together, and the mean of these is
    /// where their weights begin. The weights are the most likely ones by the labels, none negative, where each is
    /// taken, before any label is seen, for normal around the mean's with a standard deviation of 0.025. The blend is
    /// calibrated like its members in the end, since a mean of log-odds is less sure than its members are together.
    /// Without a block all members weigh the same.
    ///
    /// A few failures decide between members by luck, and models of different kinds err at different times: the fewer
    /// there are, the nearer the weights stay to the mean.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no member, [`CoreError::LengthMismatch`] unless each has a score for each
    /// label, [`CoreError::SingleClass`] for a block without both classes.
    ///
    /// # References
    /// L. Breiman, *Stacked regressions*, Machine Learning 24, 1996. R. T. Clemen, *Combining forecasts: a review and
    /// annotated bibliography*, International Journal of Forecasting 5(4), 1989.
    pub fn by_blocks(scores: &[Vec<&[Score]>], blocks: &[&[bool]]) -> Result<BlockChoice, CoreError> {
        let average = Self::average(scores.len())?;
        if blocks.is_empty() {
            let unknown = JudgedMember { pr_auc: f64::NAN, spread: f64::NAN, is_good: true };
            return Ok(BlockChoice { blend: average, members: vec![unknown; scores.len()] });
        }
        let by_block = scores.iter().map(|of| precisions(of, blocks)).collect::<Result<Vec<_>, _>>()?;
        let means: Vec<f64> = by_block.iter().map(|found| mean(found)).collect();
        let best = (0..means.len()).reduce(|a, b| if means[b] > means[a] { b } else { a }).unwrap_or(0);
        let members: Vec<JudgedMember> = by_block
            .iter()
            .map(|found| {
                let behind: Vec<f64> =
                    by_block[best].iter().zip(found).map(|(best, own)| best - own).collect();
                let error = spread(&behind) / (behind.len() as f64).sqrt();
                let is_good = mean(&behind) <= error.max(AS_GOOD * means[best]);
                JudgedMember { pr_auc: mean(found), spread: spread(found), is_good }
            })
            .collect();
        let blend = weigh(scores, blocks, &members)?;
        Ok(BlockChoice { blend, members })
    }
}

/// A member's average precision in each block.
fn precisions(scores: &[&[Score]], blocks: &[&[bool]]) -> Result<Vec<f64>, CoreError> {
    if scores.len() != blocks.len() {
        let (expected, got) = (blocks.len(), scores.len());
        return Err(CoreError::LengthMismatch { what: "blocks of a model", expected, got });
    }
    scores.iter().zip(blocks).map(|(scores, positive)| average_precision(scores, positive)).collect()
}

fn weigh(scores: &[Vec<&[Score]>], blocks: &[&[bool]], members: &[JudgedMember]) -> Result<Blend, CoreError> {
    let positive = blocks.concat();
    let good: Vec<usize> = (0..scores.len()).filter(|&member| members[member].is_good).collect();
    let pooled: Vec<Vec<Score>> = good.iter().map(|&member| scores[member].concat()).collect();
    let pooled: Vec<&[Score]> = pooled.iter().map(Vec::as_slice).collect();
    let share = 1.0 / good.len() as f64;
    let calibrations: Vec<[f64; 2]> = pooled.iter().map(|scores| calibration(scores, &positive)).collect();
    let mean = Blend::new(
        calibrations.iter().map(|[slope, _]| share * slope).collect(),
        calibrations.iter().map(|[_, intercept]| share * intercept).sum(),
    )?;
    let ridge = 1.0 / (positive.len() as f64 * SPREAD_OF_WEIGHTS.powi(2));
    let blend = Blend::stacked_from(mean, &pooled, &positive, ridge)?;
    let [slope, intercept] = calibration(&blend.apply(&pooled)?, &positive);
    let mut weights = vec![0.0; scores.len()];
    for (&member, weight) in good.iter().zip(blend.weights()) {
        weights[member] = slope * weight;
    }
    Blend::new(weights, slope * blend.shift() + intercept)
}

/// Slope, not negative, and intercept that make the labels most likely.
fn calibration(scores: &[Score], positive: &[bool]) -> [f64; 2] {
    let rows: Vec<f64> = scores.iter().flat_map(|score| [score.log_odds(), 1.0]).collect();
    let found = fit_logistic(&rows, positive, &[1.0, 0.0], &[true, true], CALIBRATION_RIDGE);
    if found[0] >= 0.0 {
        return [found[0], found[1]];
    }
    // Scores that point the wrong way say nothing but how often.
    let flat = fit_logistic(&rows, positive, &[0.0, 0.0], &[false, true], CALIBRATION_RIDGE);
    [0.0, flat[1]]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a sample; 0 of one value.
fn spread(values: &[f64]) -> f64 {
    let (mean, count) = (mean(values), values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if count > 1.0 { (squares / (count - 1.0)).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn score(log_odds: f64) -> Score {
        Score::from_logit(log_odds).unwrap()
    }

    /// Three blocks with one model that knows, one that knows with half of the slope, and one that guesses.
    fn blocks() -> (Vec<Vec<Vec<Score>>>, Vec<Vec<bool>>) {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut scores, mut labels) = (vec![Vec::new(); 3], Vec::new());
        for _ in 0..3 {
            let truth: Vec<f64> = (0..4000).map(|_| random.random_range(-5.0..1.0)).collect();
            labels.push(
                truth.iter().map(|&truth| random.random::<f64>() < forewarn_core::sigmoid(truth)).collect(),
            );
            let noisy = |random: &mut ChaCha8Rng, slope: f64| {
                truth.iter().map(|truth| score(slope * truth + random.random_range(-0.4..0.4))).collect()
            };
            let (one, two) = (noisy(&mut random, 1.0), noisy(&mut random, 0.5));
            scores[0].push(one);
            scores[1].push(two);
            scores[2].push(truth.iter().map(|_| score(random.random_range(-5.0..1.0))).collect());
        }
        (scores, labels)
    }

    fn choose(scores: &[Vec<Vec<Score>>], labels: &[Vec<bool>]) -> BlockChoice {
        let scores: Vec<Vec<&[Score]>> =
            scores.iter().map(|of| of.iter().map(Vec::as_slice).collect()).collect();
        Blend::by_blocks(&scores, &labels.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn members_that_guess_weigh_nothing_and_the_good_are_calibrated() {
        let (scores, labels) = blocks();
        let found = choose(&scores, &labels);
        let good: Vec<bool> = found.members.iter().map(|member| member.is_good).collect();
        assert_eq!(good, [true, true, false]);
        assert_eq!(found.blend.weights()[2], 0.0);
        assert!(found.blend.weights().iter().all(|&weight| weight >= 0.0));
        // The blend's log-odds have the slope of the truth: half of it comes from a model of slope 1, half from one
        // of 0.5.
        let pooled: Vec<Vec<Score>> = scores.iter().map(|of| of.concat()).collect();
        let blended = found.blend.apply(&pooled.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        let [slope, intercept] = calibration(&blended, &labels.concat());
        assert!((slope - 1.0).abs() < 0.1 && intercept.abs() < 0.2, "{slope} {intercept}");
    }

    #[test]
    fn without_blocks_all_weigh_the_same() {
        let found = Blend::by_blocks(&[Vec::new(), Vec::new()], &[]).unwrap();
        assert_eq!(found.blend.weights(), [0.5, 0.5]);
        assert!(Blend::by_blocks(&[], &[]).is_err());
        let (scores, labels) = ([score(0.0), score(1.0)], [true, false]);
        assert!(Blend::by_blocks(&[vec![&scores[..]], Vec::new()], &[&labels[..]]).is_err());
    }
}
