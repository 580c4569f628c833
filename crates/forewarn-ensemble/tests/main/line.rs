//! A model to be wrapped: a line of log-odds through the last row of a window, or through the means over it.

use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Estimator, Evidence, Explain, LabelledWindows,
    ModelFileError, Monitor, Predictor, Registry, Save, Score, Tensor, Train, Validation, WindowSpec,
    Windows, sigmoid,
};
use forewarn_numerics::fit_logistic;
use forewarn_schema::Schema;

pub(crate) const KIND: &str = "line";

/// What a line looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// Means over the window instead of its last row.
    pub(crate) of_means: bool,
    /// Log-odds by which its scores are off.
    pub(crate) off: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FittedLine {
    schema: Schema,
    observation: usize,
    of_means: bool,
    /// One a column, and the intercept.
    weights: Vec<f32>,
    /// Mean of each column over the training windows, and 1.
    centre: Vec<f32>,
}

impl Estimator for Line {
    type Fitted = FittedLine;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<FittedLine, CoreError> {
        let windows = train.windows();
        let (schema, observation) = (windows.schema().clone(), windows.observation());
        let weights = vec![0.0; schema.len() + 1];
        let centre = weights.clone();
        let mut fitted = FittedLine { schema, observation, of_means: self.of_means, weights, centre };
        let rows: Vec<f64> = windows.iter().flat_map(|window| fitted.terms(window)).collect();
        let size = fitted.weights.len();
        let weights = fit_logistic(&rows, train.positive(), &vec![0.0; size], &vec![true; size], 1e-3);
        fitted.weights = weights.into_iter().map(|weight| weight as f32).collect();
        fitted.weights[size - 1] += self.off as f32;
        let mean = |column| rows.iter().skip(column).step_by(size).sum::<f64>() / windows.len() as f64;
        fitted.centre = (0..size).map(|column| mean(column) as f32).collect();
        Ok(fitted)
    }
}

impl FittedLine {
    /// A missing value counts as 0.
    fn terms(&self, window: &[f32]) -> Vec<f64> {
        let width = self.schema.len();
        let rows = if self.of_means { self.observation } else { 1 };
        let mut terms = vec![0.0; width + 1];
        for row in window.chunks_exact(width).rev().take(rows) {
            for (term, value) in terms.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                *term += f64::from(*value) / rows as f64;
            }
        }
        terms[width] = 1.0;
        terms
    }

    fn parts(&self, window: &[f32]) -> Vec<f64> {
        let terms = self.terms(window);
        terms.iter().zip(&self.weights).map(|(term, &weight)| term * f64::from(weight)).collect()
    }

    fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        envelope.expect_kind(KIND)?;
        let weights = envelope.take_tensor("weights", &[envelope.schema.len() + 1])?;
        let centre = envelope.take_tensor("centre", &[weights.len()])?;
        let of_means = envelope.take_parameters()?;
        let observation = envelope.window.observation();
        Ok(Self { schema: envelope.schema, observation, of_means, weights, centre })
    }
}

/// Knows the ensemble's kinds and the line.
pub(crate) fn registry() -> Registry {
    forewarn_ensemble::register(Registry::new())
        .with_predictor(KIND, |envelope, _| Ok(Box::new(FittedLine::from_envelope(envelope)?)))
}

impl Save for FittedLine {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let envelope = Envelope::new(KIND, self.schema.clone(), window).with_parameters(&self.of_means)?;
        Ok(envelope
            .with_tensor("weights", Tensor::flat(self.weights.clone()))
            .with_tensor("centre", Tensor::flat(self.centre.clone())))
    }
}

impl Predictor for FittedLine {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (window, score) in windows.iter().zip(scores) {
            *score = Score::new(sigmoid(self.parts(window).iter().sum()) as f32)?;
        }
        Ok(())
    }
}

impl Explain for FittedLine {
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let normal =
            self.centre.iter().zip(&self.weights).map(|(&x, &weight)| f64::from(x) * f64::from(weight));
        let normal: Vec<f64> = normal.collect();
        let base = normal.iter().sum();
        let parts: Vec<f64> =
            self.parts(window).iter().zip(&normal).map(|(part, normal)| part - normal).collect();
        let contribution = |(metric, &log_odds): (&str, &f64)| Contribution {
            metric: metric.to_owned(),
            view: if self.of_means { "mean" } else { "last" }.to_owned(),
            oldest_steps_ago: if self.of_means { self.observation as u32 - 1 } else { 0 },
            newest_steps_ago: 0,
            value: None,
            normal: None,
            deviation: None,
            log_odds,
        };
        let parts = self.schema.names().zip(&parts).map(contribution).collect();
        Evidence::new(score, Attribution::Linear, base, parts)
    }
}
