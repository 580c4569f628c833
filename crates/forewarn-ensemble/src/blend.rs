use forewarn_core::{CoreError, Score, expect_both_classes};
use forewarn_numerics::fit_logistic;
use serde::{Deserialize, Serialize};

/// Strength with which stacking pulls its weights towards the average: that of a hundredth of a nat, so that few
/// failures cannot drive weights far apart.
const STACKING_RIDGE: f64 = 0.01;

/// How scores of several models become one: a weighted sum of their log-odds.
///
/// Log-odds rather than probabilities, so that one model that is sure counts as such, and contributions add up. A
/// blend knows scores and nothing of the models behind them, which may see different rows;
/// [`Combined`](crate::Combined) is a blend with its models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Blend {
    weights: Vec<f64>,
    shift: f64,
}

impl Blend {
    /// The mean of the log-odds of a number of models.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no models.
    pub fn average(models: usize) -> Result<Self, CoreError> {
        Self::new(vec![1.0 / models as f64; models], 0.0)
    }

    /// Weights that make the labels most likely, none of them negative: stacking.
    ///
    /// `scores` holds for each model its scores of the same windows, of which `positive` are positive, and which no
    /// model learnt its weights from: those of a validation span, which comes after train. Scores of windows that a
    /// model was fitted on are those of a better model than there is, and would give it too much weight. Weights are
    /// pulled towards the average a little.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no models, [`CoreError::LengthMismatch`] unless there is a score for each
    /// window, [`CoreError::SingleClass`].
    ///
    /// # References
    /// D. Wolpert, *Stacked generalization*, Neural Networks 5, 1992; L. Breiman, *Stacked regressions*, Machine
    /// Learning 24, 1996, for why weights are not negative.
    pub fn stacked(scores: &[&[Score]], positive: &[bool]) -> Result<Self, CoreError> {
        let start = Self::average(scores.len())?;
        for scores in scores {
            expect_scores(positive.len(), scores.len())?;
        }
        expect_both_classes("validation", positive)?;
        Self::stacked_from(start, scores, positive, STACKING_RIDGE)
    }

    /// Weights that make the labels most likely, none of them negative, drawn to those of `start` with the strength
    /// `ridge`, for as many scores as there are labels.
    pub(crate) fn stacked_from(
        start: Self,
        scores: &[&[Score]],
        positive: &[bool],
        ridge: f64,
    ) -> Result<Self, CoreError> {
        let (weights, shift) = stack(scores, positive, start, ridge);
        Self::new(weights, shift)
    }

    /// Weights and shift that are known.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no weight, [`CoreError::NotFinite`] for one that is negative or not finite.
    pub fn new(weights: Vec<f64>, shift: f64) -> Result<Self, CoreError> {
        if weights.is_empty() {
            return Err(CoreError::InvalidSetting {
                name: "models to combine",
                value: "0".to_owned(),
                expected: "at least 1",
            });
        }
        if !(weights.iter().all(|&weight| weight >= 0.0 && weight.is_finite()) && shift.is_finite()) {
            return Err(CoreError::NotFinite { what: format!("a weight of {weights:?} and {shift}") });
        }
        Ok(Self { weights, shift })
    }

    /// The weight of each model's log-odds.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// What is added to the weighted sum.
    #[must_use]
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// One score for each window, of as many scores of each model, in the order of the weights.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for another number of models, or of scores of one.
    pub fn apply(&self, scores: &[&[Score]]) -> Result<Vec<Score>, CoreError> {
        let (expected, got) = (self.weights.len(), scores.len());
        if got != expected {
            return Err(CoreError::LengthMismatch { what: "models to combine", expected, got });
        }
        let windows = scores.first().map_or(0, |scores| scores.len());
        let mut sums = self.sums(windows);
        for (model, scores) in scores.iter().enumerate() {
            expect_scores(windows, scores.len())?;
            self.add(model, scores, &mut sums);
        }
        sums.into_iter().map(Score::from_logit).collect()
    }

    /// Where the sums of a number of windows begin.
    pub(crate) fn sums(&self, windows: usize) -> Vec<f64> {
        vec![self.shift; windows]
    }

    /// Adds the weighted log-odds of a model's scores.
    pub(crate) fn add(&self, model: usize, scores: &[Score], sums: &mut [f64]) {
        for (sum, score) in sums.iter_mut().zip(scores) {
            *sum += self.weights[model] * score.log_odds();
        }
    }
}

fn expect_scores(expected: usize, got: usize) -> Result<(), CoreError> {
    if got == expected {
        return Ok(());
    }
    Err(CoreError::LengthMismatch { what: "scores of a model", expected, got })
}

/// Weights, none negative, and a shift, by which the models' log-odds make the labels most likely.
fn stack(scores: &[&[Score]], positive: &[bool], start: Blend, ridge: f64) -> (Vec<f64>, f64) {
    let models = scores.len();
    let rows: Vec<f64> = (0..positive.len())
        .flat_map(|row| scores.iter().map(move |scores| scores[row].log_odds()).chain([1.0]))
        .collect();
    let Blend { weights: mut start, shift } = start;
    start.push(shift);
    let mut is_free = vec![true; models + 1];
    loop {
        let weights = fit_logistic(&rows, positive, &start, &is_free, ridge);
        let negative: Vec<usize> = (0..models)
            .filter(|&model| is_free[model] && (weights[model] < 0.0 || weights[model].is_nan()))
            .collect();
        if negative.is_empty() {
            return (weights[..models].to_vec(), weights[models]);
        }
        for model in negative {
            (start[model], is_free[model]) = (0.0, false);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    weights: Vec<f64>,
    shift: f64,
}

impl TryFrom<Parts> for Blend {
    type Error = CoreError;

    fn try_from(parts: Parts) -> Result<Self, CoreError> {
        Self::new(parts.weights, parts.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn score(log_odds: f64) -> Score {
        Score::from_logit(log_odds).unwrap()
    }

    #[test]
    fn stacking_trusts_who_knows() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut scores, mut positive) = (vec![Vec::new(); 3], Vec::new());
        for _ in 0..20_000 {
            let truth: f64 = random.random_range(-4.0..2.0);
            positive.push(random.random::<f64>() < forewarn_core::sigmoid(truth));
            // One knows, one guesses, one knows and says the opposite.
            scores[0].push(score(truth));
            scores[1].push(score(random.random_range(-4.0..2.0)));
            scores[2].push(score(-truth + random.random_range(-1.0..1.0)));
        }
        let scores: Vec<&[Score]> = scores.iter().map(Vec::as_slice).collect();
        let blend = Blend::stacked(&scores, &positive).unwrap();
        let weights = blend.weights();
        assert!(weights[0] > 0.8 && weights[1].abs() < 0.1 && weights[2] == 0.0, "{weights:?}");
        let text = serde_json::to_string(&blend).unwrap();
        assert_eq!(serde_json::from_str::<Blend>(&text).unwrap(), blend);
    }

    #[test]
    fn an_average_is_that_of_log_odds() {
        let (low, high) = ([score(-3.0), score(0.5)], [score(1.0), score(0.5)]);
        let blend = Blend::average(2).unwrap();
        let mean = blend.apply(&[&low, &high]).unwrap();
        assert!((mean[0].log_odds() + 1.0).abs() < 1e-5 && (mean[1].log_odds() - 0.5).abs() < 1e-5);
        assert!(blend.apply(&[&low]).is_err() && blend.apply(&[&low, &high[..1]]).is_err());
    }

    #[test]
    fn what_no_fit_makes_is_refused() {
        assert!(Blend::average(0).is_err());
        let scores = [score(0.0), score(1.0)];
        assert!(matches!(Blend::stacked(&[&scores], &[true, true]), Err(CoreError::SingleClass { .. })));
        assert!(matches!(Blend::stacked(&[&scores], &[true]), Err(CoreError::LengthMismatch { .. })));
        for text in [r#"{"weights":[],"shift":0}"#, r#"{"weights":[-1],"shift":0}"#, r#"{"weights":[1]}"#] {
            assert!(serde_json::from_str::<Blend>(text).is_err(), "{text}");
        }
    }
}
