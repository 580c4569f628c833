use super::{
    FittedLogisticRegression, Input,
    design::Design,
    minimise::{Stop, minimise},
    objective::Objective,
    pilot::Pilot,
};
use forewarn_core::{
    CoreError, Estimator, LabelledWindows, Monitor, Predictor, Score, Snapshots, Train, Validation,
};
use forewarn_numerics::logistic_loss;
use serde::{Deserialize, Serialize};

/// How much a window counts in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClassWeight {
    /// Each window the same. Scores are probabilities.
    #[default]
    None,
    /// Each class the same: `windows / (2 windows of the class)`, counted by their weights. Scores are no longer
    /// probabilities of the data as they are.
    Balanced,
}

impl ClassWeight {
    /// Weight of a negative and of a positive window.
    pub(crate) fn weights(self, train: LabelledWindows<'_>) -> [f64; 2] {
        match self {
            Self::None => [1.0; 2],
            Self::Balanced => {
                let weight = |index| f64::from(train.weight(index));
                let (mut windows, mut positives) = (0.0, 0.0);
                for (index, &positive) in train.positive().iter().enumerate() {
                    windows += weight(index);
                    positives += if positive { weight(index) } else { 0.0 };
                }
                [windows / (2.0 * (windows - positives)), windows / (2.0 * positives)]
            }
        }
    }
}

/// Logistic regression with an L2 penalty on the last row of a window or on aggregates of it.
///
/// Minimises `w'w / 2 + C sum_i s_i log(1 + exp(-y_i (b + w'x_i)))`, the objective of scikit-learn's
/// `LogisticRegression`: the intercept `b` is not penalised, the weights `s_i` are those of the windows times
/// [`ClassWeight`], and `C` is 1 unless said otherwise. The minimum is unique. Features must be normalised, because
/// the penalty treats all alike; see [`Input`] for missing samples.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `input` | the last row of a window, or aggregates of it | given | |
/// | [`c`](Self::with_c) | inverse strength `C` of the penalty; smaller shrinks more | 1 | above 0 |
/// | [`class_weight`](Self::with_class_weight) | how much a window of each class counts | each the same | |
/// | [`tolerance`](Self::with_tolerance) | norm of the gradient at which the fit ends, over `sqrt(1 + loss)` | 1e-7, or where no prediction changes | above 0 |
/// | [`max_iterations`](Self::with_max_iterations) | iterations after which the fit fails | 1,000 | at least 1 |
///
/// A value out of range is [`CoreError::InvalidSetting`] from `fit`, which names the first such setting.
///
/// Time is about `2 windows terms` multiplications an iteration, tens to a few hundreds of iterations; memory is 4
/// bytes for each window and term. From a million windows on a pilot on about a hundred thousand of them comes first,
/// where there are at most 256 terms: its minimum and its curvature leave about ten iterations to the fit on all
/// windows, which ends at the same minimum.
///
/// # References
/// T. Hastie, R. Tibshirani and J. Friedman, *The Elements of Statistical Learning*, 2nd edition, 2009, section 4.4.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    input: Input,
    c: Vec<f64>,
    class_weight: ClassWeight,
    stop: Stop,
    max_iterations: usize,
}

impl LogisticRegression {
    /// A regression on `input` with C = 1, no class weights, and at most 1,000 iterations to a tolerance of 1e-7, or
    /// to where no prediction changes any more: a gradient within a hundredth of a standard error of 0, and 25
    /// iterations that gain less than 0.001 nat.
    #[must_use]
    pub fn new(input: Input) -> Self {
        Self {
            input,
            c: vec![1.0],
            class_weight: ClassWeight::None,
            stop: Stop::Settled,
            max_iterations: 1000,
        }
    }

    /// With this inverse strength of the penalty: smaller shrinks more.
    #[must_use]
    pub fn with_c(self, c: f64) -> Self {
        Self { c: vec![c], ..self }
    }

    /// With whichever of these inverse strengths has the least log loss on the validation windows, counted by their
    /// weights, the first among equals; a fit for each. Which one it was is in
    /// [`Convergence::c`](crate::Convergence::c).
    #[must_use]
    pub fn with_c_from_validation(self, candidates: &[f64]) -> Self {
        Self { c: candidates.to_vec(), ..self }
    }

    /// With these class weights.
    #[must_use]
    pub fn with_class_weight(self, class_weight: ClassWeight) -> Self {
        Self { class_weight, ..self }
    }

    /// Stops where the gradient's norm is at most `tolerance sqrt(1 + loss)`, which puts the loss within about
    /// `tolerance^2` of its minimum, relatively. Nothing else ends the fit but rounding (below 1e-8 or so); where the
    /// iterations do not suffice it fails with [`BaselineError::NotConverged`](crate::BaselineError::NotConverged).
    /// See [`Convergence::gradient_norm`](crate::Convergence::gradient_norm).
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { stop: Stop::At(tolerance), ..self }
    }

    /// Ends where 25 steps gain less than a thousandth of the loss, however far the minimum is: with hundreds of
    /// columns that depend on one another the rest takes most of the time, and changes no ranking that shows.
    #[must_use]
    pub fn with_early_end(self) -> Self {
        Self { stop: Stop::Flat, ..self }
    }

    /// Gives up after this many iterations.
    #[must_use]
    pub fn with_max_iterations(self, max_iterations: usize) -> Self {
        Self { max_iterations, ..self }
    }

    fn check(&self) -> Result<(), CoreError> {
        if self.c.is_empty() {
            return Err(CoreError::InvalidSetting {
                name: "C",
                value: "none".to_owned(),
                expected: "at least one number",
            });
        }
        let settings = self.c.iter().map(|&c| ("C", c)).chain([("tolerance", self.stop.tolerance())]);
        for (name, value) in settings {
            if !(value > 0.0 && value.is_finite()) {
                return Err(CoreError::InvalidSetting {
                    name,
                    value: value.to_string(),
                    expected: "a positive number",
                });
            }
        }
        Ok(())
    }
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self::new(Input::Snapshot)
    }
}

impl LogisticRegression {
    /// Fits on examples without a clock; whoever split them answers for `train` and `validation` sharing none.
    ///
    /// # Errors
    /// As [`Estimator::fit`], and [`CoreError::FeatureMismatch`] for a validation set of other features.
    pub fn fit_snapshots(
        &self,
        train: &Snapshots,
        validation: &Snapshots,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedLogisticRegression, CoreError> {
        self.fit_on(train.labelled(), validation.labelled(), monitor)
    }

    fn fit_on(
        &self,
        train: LabelledWindows<'_>,
        validation: LabelledWindows<'_>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedLogisticRegression, CoreError> {
        self.check()?;
        train.expect_both_classes("train")?;
        let mut design = Design::new(self.input, train, self.class_weight.weights(train))?;
        let mut best: Option<(f64, FittedLogisticRegression)> = None;
        for &c in &self.c {
            let objective =
                Pilot::USUAL.before(Objective::new(design, c), (self.stop, self.max_iterations), monitor);
            let (parameters, convergence) = minimise(&objective, self.stop, self.max_iterations, monitor)
                .map_err(|error| error.of("logistic regression"))?;
            let (coefficients, at_centre) = objective.coefficients(&parameters);
            let fitted = FittedLogisticRegression::new(
                train.windows(),
                self.input,
                coefficients.iter().map(|&w| w as f32).collect(),
                objective.centre().to_vec(),
                at_centre as f32,
                Some(convergence),
            )?;
            // The loss decides between several only.
            let loss = match self.c.len() {
                1 => 0.0,
                _ => weighted_log_loss(&fitted.score_all(validation.windows())?, validation),
            };
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, fitted));
            }
            design = objective.into_design();
        }
        Ok(best.expect("there is at least one strength").1)
    }
}

impl Estimator for LogisticRegression {
    type Fitted = FittedLogisticRegression;

    /// Fits on the training windows; the validation windows choose the strength of the penalty, where there is a
    /// choice.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`]; [`CoreError::InvalidSetting`] unless C and the tolerance are positive;
    /// [`CoreError::NotFinite`] for an infinite feature; [`CoreError::Outside`] with a
    /// [`BaselineError`](crate::BaselineError) for an outcome among the features or without convergence.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedLogisticRegression, CoreError> {
        self.fit_on(*train, *validation, monitor)
    }
}

/// Mean log loss, in nats, of windows that may stand for several; scores of 0 and 1 count as those next to them.
fn weighted_log_loss(scores: &[Score], on: LabelledWindows<'_>) -> f64 {
    let (mut sum, mut windows) = (0.0, 0.0);
    for (index, (score, &positive)) in scores.iter().zip(on.positive()).enumerate() {
        let weight = f64::from(on.weight(index));
        sum += weight * logistic_loss(score.log_odds(), positive);
        windows += weight;
    }
    if windows > 0.0 { sum / windows } else { 0.0 }
}
