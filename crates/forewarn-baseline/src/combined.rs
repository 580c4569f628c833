use crate::{nested, newton};
use forewarn_core::{
    Attribution, CoreError, Envelope, Evidence, Explain, LabelledWindows, Predictor, Score, Validation,
    Windows,
};
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

const KIND: &str = "combined";

/// Strength with which stacking pulls its weights towards the average: that of a hundredth of a nat, so that few failures cannot drive weights
/// far apart.
const STACKING_RIDGE: f64 = 0.01;

/// Several predictors as one: a weighted sum of their log-odds.
///
/// Log-odds rather than probabilities, so that one member that is sure counts as such, and contributions add up. Members see the same windows.
/// Combine members of different types as `Box<dyn Explain>`, `Box<dyn Predictor>` or [`Baseline`](crate::Baseline), which can be saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined<P> {
    members: Vec<P>,
    weights: Vec<f64>,
    shift: f64,
}

impl<P: Predictor> Combined<P> {
    /// The mean of the members' log-odds.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for no members; [`CoreError::FeatureMismatch`] or [`CoreError::LengthMismatch`] unless all see the same
    /// windows.
    pub fn average(members: Vec<P>) -> Result<Self, CoreError> {
        let weights = vec![1.0 / members.len() as f64; members.len()];
        Self::new(members, weights, 0.0)
    }

    /// Weights that make `validation` most likely, none of them negative: stacking.
    ///
    /// It respects time: the members were fitted on train, and their weights come from what follows. Where validation windows already decided on
    /// something in a member's fit, give later ones here ([`Validation::select`]). Weights are pulled towards the average a little.
    ///
    /// # Errors
    /// As [`average`](Self::average); [`CoreError::SingleClass`].
    ///
    /// # References
    /// D. Wolpert, *Stacked generalization*, Neural Networks 5, 1992; L. Breiman, *Stacked regressions*, Machine Learning 24, 1996, for why
    /// weights are not negative.
    pub fn stacked(members: Vec<P>, validation: Validation<LabelledWindows<'_>>) -> Result<Self, CoreError> {
        validation.expect_both_classes("validation")?;
        validation.expect_unweighted("stacking")?;
        let average = Self::average(members)?;
        let scores = average.members.iter().map(|member| member.score_all(validation.windows()));
        let scores: Vec<Vec<Score>> = scores.collect::<Result<_, _>>()?;
        let (weights, shift) = stack(&scores, validation.positive());
        Self::new(average.members, weights, shift)
    }

    fn new(members: Vec<P>, weights: Vec<f64>, shift: f64) -> Result<Self, CoreError> {
        let Some(first) = members.first() else {
            return Err(CoreError::InvalidSetting {
                name: "members",
                value: "0".to_owned(),
                expected: "at least 1",
            });
        };
        for member in &members {
            Windows::new(member.input(), &[], member.observation(), &[])?
                .expect(first.input(), first.observation())?;
        }
        Ok(Self { members, weights, shift })
    }

    /// The members, with the weight of each one's log-odds.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&P, f64)> {
        self.members.iter().zip(self.weights.iter().copied())
    }

    /// The model as a saved one around those that `save` makes of its members.
    ///
    /// # Errors
    /// Those of `save`.
    pub fn to_envelope(
        &self,
        save: impl FnMut(&P) -> Result<Envelope, CoreError>,
    ) -> Result<Envelope, CoreError> {
        let settings = Parameters { weights: self.weights.clone(), shift: self.shift };
        nested::pack(KIND, &settings, self.members.iter().map(save).collect::<Result<_, _>>()?)
    }

    /// The model that [`to_envelope`](Self::to_envelope) saved; `read` reads a member.
    ///
    /// # Errors
    /// [`CoreError::WrongModelKind`], [`CoreError::NotAModel`] for weights that no fit makes, and those of `read`.
    pub fn from_envelope(
        envelope: Envelope,
        read: impl FnMut(Envelope) -> Result<P, CoreError>,
    ) -> Result<Self, CoreError> {
        let (Parameters { weights, shift }, inner) = nested::unpack::<Parameters>(KIND, envelope)?;
        let is_valid = weights.iter().all(|&weight| weight >= 0.0 && weight.is_finite()) && shift.is_finite();
        if !is_valid || weights.len() != inner.len() {
            let reason = format!("weights {weights:?} for {} models", inner.len());
            return Err(CoreError::NotAModel { reason });
        }
        Self::new(inner.into_iter().map(read).collect::<Result<_, _>>()?, weights, shift)
    }
}

/// Weights, none negative, and a shift, by which the members' log-odds make the labels most likely.
fn stack(scores: &[Vec<Score>], positive: &[bool]) -> (Vec<f64>, f64) {
    let members = scores.len();
    let rows: Vec<f64> = (0..positive.len())
        .flat_map(|row| scores.iter().map(move |scores| scores[row].log_odds()).chain([1.0]))
        .collect();
    let mut start = vec![1.0 / members as f64; members];
    start.push(0.0);
    let mut is_free = vec![true; members + 1];
    loop {
        let weights = newton::minimise(&rows, positive, &start, &is_free, STACKING_RIDGE);
        let negative: Vec<usize> = (0..members)
            .filter(|&member| is_free[member] && (weights[member] < 0.0 || weights[member].is_nan()))
            .collect();
        if negative.is_empty() {
            return (weights[..members].to_vec(), weights[members]);
        }
        for member in negative {
            (start[member], is_free[member]) = (0.0, false);
        }
    }
}

impl<P: Predictor> Predictor for Combined<P> {
    fn input(&self) -> &Schema {
        self.members[0].input()
    }

    fn observation(&self) -> usize {
        self.members[0].observation()
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        let mut log_odds = vec![self.shift; scores.len()];
        for (member, weight) in self.members() {
            member.score(windows, scores)?;
            for (sum, score) in log_odds.iter_mut().zip(&*scores) {
                *sum += weight * score.log_odds();
            }
        }
        for (score, log_odds) in scores.iter_mut().zip(log_odds) {
            *score = Score::from_logit(log_odds)?;
        }
        Ok(())
    }
}

impl<P: Explain> Explain for Combined<P> {
    /// The members' contributions by weight; those of the same view of the same metric are added up.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let (mut base, mut parts) = (self.shift, Vec::<forewarn_core::Contribution>::new());
        for (member, weight) in self.members() {
            let evidence = member.explain(window)?;
            base += weight * evidence.base_log_odds();
            for part in evidence.contributions() {
                let log_odds = weight * part.log_odds;
                match parts.iter_mut().find(|known| known.metric == part.metric && known.view == part.view) {
                    Some(known) => known.log_odds += log_odds,
                    None => parts.push(forewarn_core::Contribution { log_odds, ..part.clone() }),
                }
            }
        }
        Evidence::new(score, Attribution::Combined, base, parts)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    weights: Vec<f64>,
    shift: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn stacking_trusts_who_knows() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let score = |log_odds: f64| Score::from_logit(log_odds).unwrap();
        let (mut scores, mut positive) = (vec![Vec::new(); 3], Vec::new());
        for _ in 0..20_000 {
            let truth: f64 = random.random_range(-4.0..2.0);
            positive.push(random.random::<f64>() < forewarn_core::sigmoid(truth));
            // One knows, one guesses, one knows and says the opposite.
            scores[0].push(score(truth));
            scores[1].push(score(random.random_range(-4.0..2.0)));
            scores[2].push(score(-truth + random.random_range(-1.0..1.0)));
        }
        let (weights, _) = stack(&scores, &positive);
        assert!(weights[0] > 0.8 && weights[1].abs() < 0.1 && weights[2] == 0.0, "{weights:?}");
    }
}
