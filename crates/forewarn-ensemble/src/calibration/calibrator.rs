use forewarn_core::{CoreError, Score, expect_both_classes};
use forewarn_numerics::{fit_logistic, logistic_loss};
use serde::{Deserialize, Serialize};

/// Which family of curves a score is calibrated by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CalibrationMethod {
    /// A straight line of log-odds: two parameters, safe with few failures.
    ///
    /// J. Platt, *Probabilistic outputs for support vector machines*, 1999.
    #[default]
    Platt,
    /// The most likely curve of all that never fall: needs some hundreds of failures, and ties what it cannot tell
    /// apart.
    ///
    /// B. Zadrozny and C. Elkan, *Transforming classifier scores into accurate multiclass probability estimates*, KDD
    /// 2002.
    Isotonic,
    /// A line in `ln s` and `ln (1 - s)`: three parameters, for scores that are off differently at both ends.
    ///
    /// M. Kull, T. Silva Filho and P. Flach, *Beta calibration*, AISTATS 2017.
    Beta,
}

/// Log-odds by which the steepest part of a curve rises at least with those of the score: it never reverses, and ties
/// as little as it can.
const LEAST_SLOPE: f64 = 1e-3;

/// A fitted map from scores to probabilities; it never falls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Curve", into = "Curve")]
pub struct Calibrator(Curve);

/// The curve of log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Curve {
    /// Scores as they are: no curve of the family is more likely.
    Identity,
    /// `rise ln s - fall ln (1 - s) + shift`; Platt's line where rise and fall are equal.
    Beta { rise: f64, fall: f64, shift: f64 },
    /// Log-odds at ascending scores, straight between them.
    Isotonic { scores: Vec<f32>, log_odds: Vec<f64> },
}

impl Calibrator {
    /// The most likely map of the family, or the identity where that is more likely: the log loss of `scores` does
    /// not rise.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a label for each score, [`CoreError::SingleClass`].
    pub fn fit(method: CalibrationMethod, scores: &[Score], positive: &[bool]) -> Result<Self, CoreError> {
        if scores.len() != positive.len() {
            let (expected, got) = (scores.len(), positive.len());
            return Err(CoreError::LengthMismatch { what: "labels", expected, got });
        }
        expect_both_classes("validation", positive)?;
        Ok(Self(Curve::fit(method, scores, positive)))
    }

    /// The probability that a score becomes.
    ///
    /// # Errors
    /// None for a map that was fitted or read.
    pub fn apply(&self, score: Score) -> Result<Score, CoreError> {
        self.0.apply(score)
    }

    /// The log-odds that a score becomes, before rounding.
    #[must_use]
    pub fn log_odds(&self, score: Score) -> f64 {
        self.0.log_odds(score)
    }

    /// Whether scores are left as they are, because no curve of the family is more likely.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.0 == Curve::Identity
    }
}

impl TryFrom<Curve> for Calibrator {
    type Error = &'static str;

    fn try_from(curve: Curve) -> Result<Self, &'static str> {
        if curve.is_valid() { Ok(Self(curve)) } else { Err("its calibration curve is not one that rises") }
    }
}

impl From<Calibrator> for Curve {
    fn from(calibrator: Calibrator) -> Self {
        calibrator.0
    }
}

impl Curve {
    /// The most likely curve, or the identity where that is more likely: the log loss of `scores` does not rise.
    fn fit(method: CalibrationMethod, scores: &[Score], positive: &[bool]) -> Self {
        let curve = match method {
            CalibrationMethod::Platt => platt(scores, positive),
            CalibrationMethod::Beta => beta(scores, positive),
            CalibrationMethod::Isotonic => isotonic(scores, positive),
        };
        let loss = |curve: &Self| log_loss_of(scores.iter().map(|&score| curve.log_odds(score)), positive);
        if loss(&curve) < loss(&Self::Identity) { curve } else { Self::Identity }
    }

    /// The log-odds that a score becomes.
    fn log_odds(&self, score: Score) -> f64 {
        match self {
            Self::Identity => score.log_odds(),
            Self::Beta { rise, fall, shift } => {
                let [rising, falling] = logs(score);
                rise * rising - fall * falling + shift
            }
            Self::Isotonic { scores, log_odds } => {
                let above = scores.partition_point(|&knot| knot <= score.get());
                if above == 0 {
                    return log_odds[0];
                }
                let below = above - 1;
                let Some(&next) = scores.get(above) else { return log_odds[below] };
                let way = (f64::from(score.get()) - f64::from(scores[below]))
                    / (f64::from(next) - f64::from(scores[below]));
                log_odds[below] + way * (log_odds[above] - log_odds[below])
            }
        }
    }

    fn apply(&self, score: Score) -> Result<Score, CoreError> {
        match self {
            Self::Identity => Ok(score),
            curve => Score::from_logit(curve.log_odds(score)),
        }
    }

    /// Whether the curve is one that a fit can make: it never falls.
    fn is_valid(&self) -> bool {
        match self {
            Self::Identity => true,
            Self::Beta { rise, fall, shift } => {
                [rise, fall, shift].iter().all(|x| x.is_finite())
                    && *rise >= 0.0
                    && *fall >= 0.0
                    && rise + fall > 0.0
            }
            Self::Isotonic { scores, log_odds } => {
                !scores.is_empty()
                    && scores.len() == log_odds.len()
                    && scores.iter().all(|score| (0.0..=1.0).contains(score))
                    && log_odds.iter().all(|x| x.is_finite())
                    && scores.windows(2).all(|pair| pair[0] < pair[1])
                    && log_odds.windows(2).all(|pair| pair[0] <= pair[1])
            }
        }
    }
}

/// `ln s` and `ln (1 - s)`, finite for 0 and 1 too.
fn logs(score: Score) -> [f64; 2] {
    let log_odds = score.log_odds();
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    [-softplus(-log_odds), -softplus(log_odds)]
}

fn platt(scores: &[Score], positive: &[bool]) -> Curve {
    let rows: Vec<f64> = scores.iter().flat_map(|score| [score.log_odds(), 1.0]).collect();
    let mut line = fit_logistic(&rows, positive, &[1.0, 0.0], &[true, true], 0.0);
    if line[0] < LEAST_SLOPE || line[0].is_nan() {
        line = fit_logistic(&rows, positive, &[LEAST_SLOPE, 0.0], &[false, true], 0.0);
    }
    Curve::Beta { rise: line[0], fall: line[0], shift: line[1] }
}

fn beta(scores: &[Score], positive: &[bool]) -> Curve {
    let rows: Vec<f64> = scores
        .iter()
        .flat_map(|&score| {
            let [rising, falling] = logs(score);
            [rising, -falling, 1.0]
        })
        .collect();
    let mut curve = fit_logistic(&rows, positive, &[1.0, 1.0, 0.0], &[true; 3], 0.0);
    // As in the paper: what would fall is left out, and the rest is fitted again.
    for side in 0..2 {
        if curve[side] < 0.0 || curve[side].is_nan() {
            let (mut start, mut free) = ([1.0, 1.0, 0.0], [true; 3]);
            (start[side], free[side]) = (0.0, false);
            curve = fit_logistic(&rows, positive, &start, &free, 0.0);
        }
    }
    if !(curve[0] >= 0.0 && curve[1] >= 0.0 && curve[0] + curve[1] >= LEAST_SLOPE) {
        return platt(scores, positive);
    }
    Curve::Beta { rise: curve[0], fall: curve[1], shift: curve[2] }
}

/// Pools neighbours until the shares of positives rise, and joins the middles of the pools.
///
/// A pool without positives, or of positives alone, has half of one: no finite data make certain. Between two pools
/// the curve is straight rather than a step, so that fewer scores tie.
fn isotonic(scores: &[Score], positive: &[bool]) -> Curve {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by_key(|&index| scores[index]);
    /// Windows, positives, and first and last score.
    struct Pool(f64, f64, f32, f32);
    let mut pools: Vec<Pool> = Vec::new();
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let positives = tied.iter().filter(|&&index| positive[index]).count() as f64;
        let score = scores[tied[0]].get();
        pools.push(Pool(tied.len() as f64, positives, score, score));
        while let [.., before, last] = &pools[..]
            && before.1 / before.0 >= last.1 / last.0
        {
            let pooled = Pool(before.0 + last.0, before.1 + last.1, before.2, last.3);
            pools.truncate(pools.len() - 2);
            pools.push(pooled);
        }
    }
    let (mut knots, mut log_odds) = (Vec::new(), Vec::new());
    for Pool(windows, positives, first, last) in pools {
        let share = positives.clamp(0.5, (windows - 0.5).max(0.5)) / windows.max(1.0);
        let level = if windows <= 1.0 { positives.clamp(0.25, 0.75) } else { share };
        let level = (level / (1.0 - level)).ln().max(log_odds.last().copied().unwrap_or(f64::NEG_INFINITY));
        let ends = if first < last { vec![first, last] } else { vec![first] };
        for knot in ends {
            knots.push(knot);
            log_odds.push(level);
        }
    }
    if knots.is_empty() { Curve::Identity } else { Curve::Isotonic { scores: knots, log_odds } }
}

/// Mean log loss, in nats; scores of 0 and 1 count as those next to them.
pub(super) fn log_loss(scores: &[Score], positive: &[bool]) -> f64 {
    log_loss_of(scores.iter().map(|score| score.log_odds()), positive)
}

fn log_loss_of(log_odds: impl Iterator<Item = f64>, positive: &[bool]) -> f64 {
    let losses = log_odds.zip(positive).map(|(log_odds, &positive)| logistic_loss(log_odds, positive));
    losses.sum::<f64>() / positive.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::sigmoid;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const ALL: [CalibrationMethod; 3] =
        [CalibrationMethod::Platt, CalibrationMethod::Isotonic, CalibrationMethod::Beta];

    /// Scores whose true log-odds are `truth` of theirs.
    fn draws(count: usize, truth: impl Fn(f64) -> f64) -> (Vec<Score>, Vec<bool>) {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        (0..count)
            .map(|_| {
                let log_odds = random.random_range(-6.0..3.0);
                (Score::from_logit(log_odds).unwrap(), random.random::<f64>() < sigmoid(truth(log_odds)))
            })
            .unzip()
    }

    #[test]
    fn the_curve_behind_the_scores_is_found() {
        let (scores, positive) = draws(40_000, |x| 0.5 * x - 1.0);
        for calibration in ALL {
            let curve = Curve::fit(calibration, &scores, &positive);
            for log_odds in [-4.0, -1.0, 2.0] {
                let found = sigmoid(curve.log_odds(Score::from_logit(log_odds).unwrap()));
                let truth = sigmoid(0.5 * log_odds - 1.0);
                assert!((found - truth).abs() < 0.04, "{calibration:?} {log_odds}: {found} {truth}");
            }
        }
    }

    #[test]
    fn isotonic_pools_by_hand() {
        let scores: Vec<Score> = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(|x| Score::new(x).unwrap()).into();
        let positive = [false, true, false, true, true, false];
        let Curve::Isotonic { scores: knots, log_odds } = isotonic(&scores, &positive) else {
            panic!("it is isotonic")
        };
        // Pools: {0.1}, {0.2, 0.3}: 1/2, {0.4, 0.5, 0.6}: 2/3.
        assert_eq!(knots, [0.1, 0.2, 0.3, 0.4, 0.6]);
        let shares: Vec<f64> = log_odds.iter().map(|&x| sigmoid(x)).collect();
        for (share, expected) in shares.iter().zip([0.25, 0.5, 0.5, 2.0 / 3.0, 2.0 / 3.0]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
    }

    proptest! {
        #[test]
        fn the_loss_does_not_rise_and_the_ranking_stays(
            draws in prop::collection::vec((0f32..=1.0, any::<bool>()), 1..120), at in prop::collection::vec(0f32..=1.0, 2..20)
        ) {
            let (scores, positive): (Vec<Score>, Vec<bool>) = draws.into_iter().map(|(s, y)| (Score::new(s).unwrap(), y)).unzip();
            let mut at: Vec<Score> = at.into_iter().map(|s| Score::new(s).unwrap()).collect();
            at.sort();
            for calibration in ALL {
                let curve = Curve::fit(calibration, &scores, &positive);
                prop_assert!(curve.is_valid(), "{:?}", curve);
                let calibrated: Vec<Score> = scores.iter().map(|&s| curve.apply(s).unwrap()).collect();
                prop_assert!(log_loss(&calibrated, &positive) <= log_loss(&scores, &positive) + 1e-6);
                let at: Vec<Score> = at.iter().map(|&s| curve.apply(s).unwrap()).collect();
                prop_assert!(at.windows(2).all(|pair| pair[0] <= pair[1]), "{:?} {:?}", curve, at);
            }
        }
    }
}
