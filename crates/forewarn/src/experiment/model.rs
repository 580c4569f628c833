use super::prepare::Derived;
use forewarn_core::DynEstimator;
use forewarn_schema::FrameSet;

/// Which rows a model's windows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The metrics as they were measured, in their units: what a rule with a limit needs.
    Metrics,
    /// The same, followed by service, step and time of day as columns: what controls and seasonal rules go by.
    Context,
    /// Features, normalised by training rows: what a fitted model needs.
    Features,
}

impl Rows {
    pub(super) fn of<'a>(self, metrics: &'a FrameSet, derived: &'a Derived) -> &'a FrameSet {
        match self {
            Self::Metrics => metrics,
            Self::Context => derived.context.as_ref().unwrap_or(metrics),
            Self::Features => &derived.features,
        }
    }
}

/// An estimator with what a report says of it.
pub struct Model {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) trainer: Option<String>,
    pub(super) rows: Rows,
    pub(super) estimator: Box<dyn DynEstimator>,
}

impl Model {
    /// A model under a `name` that no other model of the experiment has, with a sentence on what it does.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        rows: Rows,
        estimator: impl DynEstimator + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            trainer: None,
            rows,
            estimator: Box::new(estimator),
        }
    }

    /// Says which trainer fits it, for models that have more than one.
    #[must_use]
    pub fn trained_by(mut self, trainer: impl Into<String>) -> Self {
        self.trainer = Some(trainer.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
