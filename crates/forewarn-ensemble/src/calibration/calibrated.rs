use super::{CalibrationMethod, Calibrator, calibrator::log_loss};
use crate::nested;
use forewarn_core::{
    CoreError, Envelope, Estimator, Evidence, Explain, Forecast, History, LabelledWindows, ModelFileError,
    Monitor, NestedReader, Predictor, Save, Score, Snapshots, Train, Validation, WindowSpec, Windows,
};
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

pub(crate) const KIND: &str = "calibrated";

/// Any predictor with its scores made probabilities, by a curve that was fitted on validation windows.
///
/// The curve never falls: windows keep their order, though a curve may tie some. Where no curve of the family is more
/// likely than the scores as they are, they stay as they are: the validation log loss never rises.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrated<P> {
    predictor: P,
    calibrator: Calibrator,
    losses: Option<[f64; 2]>,
}

impl<P: Predictor> Calibrated<P> {
    /// Fits the curve on `validation`.
    ///
    /// Where the same windows also decided when to stop the fit of `predictor`, the curve is a little too sure; where
    /// that matters, fit with an earlier part of them and calibrate on a later one ([`Validation::select`]).
    ///
    /// # Errors
    /// [`CoreError::SingleClass`], and the predictor's own for windows that it was not fitted for.
    pub fn fit(
        predictor: P,
        method: CalibrationMethod,
        validation: Validation<LabelledWindows<'_>>,
    ) -> Result<Self, CoreError> {
        Self::fit_on(predictor, method, *validation)
    }

    /// Fits the curve on examples without a clock, which the predictor was not fitted on.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_snapshots(
        predictor: P,
        method: CalibrationMethod,
        validation: &Snapshots,
    ) -> Result<Self, CoreError> {
        Self::fit_on(predictor, method, validation.labelled())
    }

    fn fit_on(predictor: P, method: CalibrationMethod, on: LabelledWindows<'_>) -> Result<Self, CoreError> {
        on.expect_both_classes("validation")?;
        on.expect_unweighted("a calibration")?;
        let scores = predictor.score_all(on.windows())?;
        let calibrator = Calibrator::fit(method, &scores, on.positive())?;
        let calibrated: Vec<Score> =
            scores.iter().map(|&score| calibrator.apply(score)).collect::<Result<_, _>>()?;
        let losses = [log_loss(&scores, on.positive()), log_loss(&calibrated, on.positive())];
        Ok(Self { predictor, calibrator, losses: Some(losses) })
    }

    /// What is calibrated.
    #[must_use]
    pub fn inner(&self) -> &P {
        &self.predictor
    }

    /// What is calibrated, without its curve.
    #[must_use]
    pub fn into_inner(self) -> P {
        self.predictor
    }

    /// What a score of the inner predictor becomes, for scores that come another way than by windows, such as those
    /// of a state that runs along with a stream.
    ///
    /// # Errors
    /// [`CoreError::InvalidScore`] where the curve leaves 0..=1, which none that was fitted does.
    pub fn calibrate(&self, score: Score) -> Result<Score, CoreError> {
        self.calibrator.apply(score)
    }

    /// The map from the inner predictor's scores to probabilities.
    #[must_use]
    pub fn calibrator(&self) -> &Calibrator {
        &self.calibrator
    }

    /// Mean log loss of the validation windows before and after, in nats; `None` for a model that was read from a file.
    #[must_use]
    pub fn validation_log_loss(&self) -> Option<[f64; 2]> {
        self.losses
    }

    /// Whether scores are left as they are, because no curve of the family is more likely.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.calibrator.is_identity()
    }
}

impl Calibrated<Box<dyn Predictor>> {
    /// The model that [`to_envelope`](Save::to_envelope) saved; `inside` reads what is inside.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] for a curve that no fit makes, and those of the
    /// model inside.
    pub fn from_envelope(envelope: Envelope, inside: &NestedReader<'_>) -> Result<Self, ModelFileError> {
        let (Parameters { curve }, inner) = nested::unpack_one::<Parameters>(KIND, envelope)?;
        Ok(Self { predictor: inside.predictor(inner)?, calibrator: curve, losses: None })
    }
}

impl<P: Predictor> Save for Calibrated<P> {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        let settings = Parameters { curve: self.calibrator.clone() };
        let inner = nested::save_inner(KIND, &self.predictor, window)?;
        window.expect_observation(self.observation())?;
        nested::pack(KIND, &settings, self.input(), window, vec![inner])
    }
}

impl<P: Predictor> Predictor for Calibrated<P> {
    fn input(&self) -> &Schema {
        self.predictor.input()
    }

    fn observation(&self) -> usize {
        self.predictor.observation()
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.predictor.evidence(window)?.map(|inner| self.evidence_from(&inner)).transpose()
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.predictor.score(windows, scores)?;
        for score in scores {
            *score = self.calibrate(*score)?;
        }
        Ok(())
    }

    /// The inner forecasts of when, each with the calibrated probability that it comes within the period.
    fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        let Some(inner) = self.predictor.forecasts(windows)? else { return Ok(None) };
        let scores = self.score_all(windows)?;
        let calibrated = inner.iter().zip(scores).map(|(forecast, score)| forecast.with_probability(score));
        Ok(Some(calibrated.collect()))
    }

    fn history(&self) -> &[History] {
        self.predictor.history()
    }
}

impl<P: Explain> Explain for Calibrated<P> {
    /// The inner evidence with its contributions scaled alike, so that they add up to the calibrated score.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        self.evidence_from(&self.predictor.explain(window)?)
    }
}

impl<P> Calibrated<P> {
    fn evidence_from(&self, inner: &Evidence) -> Result<Evidence, CoreError> {
        let base = self.calibrator.log_odds(Score::from_logit(inner.base_log_odds())?);
        let log_odds = self.calibrator.log_odds(inner.score());
        scaled(inner, self.calibrator.apply(inner.score())?, base, log_odds)
    }
}

/// Evidence between other ends: contributions are scaled to bridge from `base` to `log_odds`.
fn scaled(inner: &Evidence, score: Score, base: f64, log_odds: f64) -> Result<Evidence, CoreError> {
    let moved = inner.log_odds() - inner.base_log_odds();
    let mut contributions = inner.contributions().to_vec();
    // Contributions that cancel out have nothing to be scaled by: the base takes what the curve adds.
    let (factor, base) =
        if moved.abs() > 1e-9 { ((log_odds - base) / moved, base) } else { (1.0, log_odds - moved) };
    for part in &mut contributions {
        part.log_odds *= factor;
    }
    Evidence::new(score, inner.attribution(), base, contributions)
}

/// Calibrates whatever `estimator` fits, on the validation windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibrate<E> {
    estimator: E,
    method: CalibrationMethod,
}

impl<E: Estimator> Calibrate<E> {
    /// Fits `estimator` and then the curve.
    #[must_use]
    pub fn new(estimator: E, method: CalibrationMethod) -> Self {
        Self { estimator, method }
    }
}

impl<E: Estimator> Estimator for Calibrate<E> {
    type Fitted = Calibrated<E::Fitted>;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<Self::Fitted, CoreError> {
        let predictor = self.estimator.fit(train, validation, monitor)?;
        Calibrated::fit_on(predictor, self.method, *validation)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    curve: Calibrator,
}
