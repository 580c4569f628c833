use super::{Convergence, Input, objective::dot};
use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Evidence, Explain, ModelFileError, Predictor, Save,
    Score, Tensor, WindowSpec, Windows,
};
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) const KIND: &str = "logistic_regression";

/// A fitted [`LogisticRegression`](crate::LogisticRegression).
///
/// The log-odds of a window are `a + w'(x - centre)`, with the mean `centre` of the training windows' terms, so that
/// columns far from zero lose nothing to `f32`. Scoring takes `O(observation features)` time a window for aggregates,
/// `O(features)` for a snapshot, and one row of scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLogisticRegression {
    schema: Schema,
    observation: usize,
    input: Input,
    coefficients: Vec<f64>,
    centre: Vec<f32>,
    at_centre: f32,
    convergence: Option<Convergence>,
}

impl FittedLogisticRegression {
    pub(crate) fn new(
        windows: Windows<'_>,
        input: Input,
        coefficients: Vec<f32>,
        centre: Vec<f32>,
        at_centre: f32,
        convergence: Option<Convergence>,
    ) -> Result<Self, CoreError> {
        let schema = windows.schema().clone();
        if let Some(term) = coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
            let what = format!("the coefficient of {}", input.name(&schema, term));
            return Err(CoreError::NotFinite { what });
        }
        if !at_centre.is_finite() {
            return Err(CoreError::NotFinite { what: "the intercept".to_owned() });
        }
        let coefficients = coefficients.into_iter().map(f64::from).collect();
        Ok(Self {
            schema,
            observation: windows.observation(),
            input,
            coefficients,
            centre,
            at_centre,
            convergence,
        })
    }

    /// Change of the log-odds with one unit of each term, with the term's name: `error_rate` for a snapshot, `mean of
    /// error_rate`, `maximum of error_rate` and `change of error_rate` for aggregates.
    pub fn coefficients(&self) -> impl ExactSizeIterator<Item = (String, f32)> + '_ {
        self.coefficients.iter().enumerate().map(|(term, &w)| (self.input.name(&self.schema, term), w as f32))
    }

    /// The log-odds where every term is 0.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        f64::from(self.at_centre) - dot(&self.coefficients, &self.centre)
    }

    /// How the fit ended; `None` for a model that was read from a file.
    #[must_use]
    pub fn convergence(&self) -> Option<Convergence> {
        self.convergence
    }

    /// The model that [`to_envelope`](Save::to_envelope) saved; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] for foreign parameters,
    /// [`ModelFileError::MissingTensor`], [`ModelFileError::TensorShape`] for weights of another schema,
    /// [`CoreError::NotFinite`].
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        envelope.expect_kind(KIND)?;
        let Parameters { input } = envelope.take_parameters()?;
        let terms = input.terms(envelope.schema.len());
        let coefficients = envelope.take_tensor("coefficients", &[terms])?;
        let centre = envelope.take_tensor("centre", &[terms])?;
        let at_centre = envelope.take_tensor("at_centre", &[1])?[0];
        Ok(Self {
            schema: envelope.schema,
            observation: envelope.window.observation(),
            input,
            coefficients: coefficients.into_iter().map(f64::from).collect(),
            centre,
            at_centre,
            convergence: None,
        })
    }
}

impl Save for FittedLogisticRegression {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let terms = self.coefficients.len();
        let coefficients = self.coefficients.iter().map(|&w| w as f32).collect();
        let envelope = Envelope::new(KIND, self.schema.clone(), window)
            .with_parameters(&Parameters { input: self.input })?;
        Ok(Envelope {
            tensors: BTreeMap::from([
                ("coefficients".to_owned(), Tensor::new(vec![terms], coefficients)?),
                ("centre".to_owned(), Tensor::new(vec![terms], self.centre.clone())?),
                ("at_centre".to_owned(), Tensor::new(vec![1], vec![self.at_centre])?),
            ]),
            ..envelope
        })
    }
}

impl Predictor for FittedLogisticRegression {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.explain(window).map(Some)
    }

    /// Scores windows one after another.
    ///
    /// # Errors
    /// As [`Predictor::score`]; [`CoreError::NotFinite`] for infinite features, which no frame holds.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        let intercept = self.intercept();
        let mut terms = vec![0.0; self.coefficients.len()];
        for (index, (window, score)) in windows.iter().zip(scores).enumerate() {
            self.input.write(window, &mut terms);
            let logit = intercept + dot(&self.coefficients, &terms);
            if logit.is_nan() {
                return Err(CoreError::NotFinite { what: format!("a feature of window {index}") });
            }
            *score = Score::from_logit(logit)?;
        }
        Ok(())
    }
}

impl Explain for FittedLogisticRegression {
    /// Each coefficient times its term's distance from the training mean: exact.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let mut terms = vec![0.0; self.coefficients.len()];
        self.input.write(window, &mut terms);
        let width = self.schema.len();
        let contributions = self.coefficients.iter().zip(&self.centre).zip(&terms).enumerate();
        let contributions = contributions.map(|(term, ((&coefficient, &normal), &value))| {
            let (feature, view, oldest_steps_ago) = self.input.place(term, self.observation);
            // A term that was made of no sample counts as 0, and is shown as missing.
            let is_missing = window[feature..]
                .iter()
                .step_by(width)
                .rev()
                .take(oldest_steps_ago as usize + 1)
                .all(|x| x.is_nan());
            Contribution {
                metric: self.schema.metrics()[feature].name.clone(),
                view: view.to_owned(),
                oldest_steps_ago,
                newest_steps_ago: 0,
                value: (!is_missing).then_some(value),
                normal: Some(normal),
                deviation: None,
                log_odds: coefficient * (f64::from(value) - f64::from(normal)),
            }
        });
        Evidence::new(score, Attribution::Linear, f64::from(self.at_centre), contributions.collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    input: Input,
}
