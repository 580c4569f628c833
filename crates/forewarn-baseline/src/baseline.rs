use crate::{
    FittedControl, FittedLogisticRegression, FittedRule, FittedTrees, context, control, logistic, rules,
    trees,
};
use forewarn_core::{
    CoreError, Envelope, Evidence, Explain, ModelFileError, NestedReader, Predictor, Registry, Save, Score,
    WindowSpec, Windows,
};
use forewarn_schema::Schema;

/// Any fitted baseline, for lists of different ones that are saved and read: which one a file holds is decided by its
/// kind.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Baseline {
    /// A [`Control`](crate::Control).
    Control(FittedControl),
    /// A rule on one metric.
    Rule(FittedRule),
    /// A [`LogisticRegression`](crate::LogisticRegression).
    Logistic(FittedLogisticRegression),
    /// [`BoostedTrees`](crate::BoostedTrees).
    Trees(FittedTrees),
}

macro_rules! each {
    ($self:expr, $model:ident => $body:expr) => {
        match $self {
            Baseline::Control($model) => $body,
            Baseline::Rule($model) => $body,
            Baseline::Logistic($model) => $body,
            Baseline::Trees($model) => $body,
        }
    };
}

impl Baseline {
    /// The model in an envelope, whichever baseline it is; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`] for a model that is not a baseline, and those of the kind's own `from_envelope`.
    pub fn from_envelope(envelope: Envelope) -> Result<Self, ModelFileError> {
        let kind = envelope.kind.as_str();
        match kind {
            control::KIND => FittedControl::from_envelope(envelope).map(Self::Control),
            logistic::KIND => FittedLogisticRegression::from_envelope(envelope).map(Self::Logistic),
            trees::KIND => FittedTrees::from_envelope(envelope).map(Self::Trees),
            _ if rules::KINDS.contains(&kind) => FittedRule::from_envelope(envelope).map(Self::Rule),
            _ => Err(ModelFileError::WrongKind { expected: "a baseline".to_owned(), got: envelope.kind }),
        }
    }
}

impl Save for Baseline {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        each!(self, model => model.to_envelope(window))
    }
}

impl Predictor for Baseline {
    fn input(&self) -> &Schema {
        each!(self, model => model.input())
    }

    fn observation(&self) -> usize {
        each!(self, model => model.observation())
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.explain(window).map(Some)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        each!(self, model => model.score(windows, scores))
    }
}

impl Explain for Baseline {
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        each!(self, model => model.explain(window))
    }
}

macro_rules! from {
    ($($variant:ident($model:ty)),*) => {
        $(impl From<$model> for Baseline {
            fn from(model: $model) -> Self {
                Self::$variant(model)
            }
        })*
    };
}

from!(Control(FittedControl), Rule(FittedRule), Logistic(FittedLogisticRegression), Trees(FittedTrees));

/// The registry with all baselines more.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    let kinds = [control::KIND, logistic::KIND, trees::KIND];
    kinds
        .into_iter()
        .chain(rules::KINDS)
        .fold(context::register(registry), |registry, kind| registry.with_predictor(kind, read))
}

fn read(envelope: Envelope, _: &NestedReader<'_>) -> Result<Box<dyn Predictor>, ModelFileError> {
    Ok(match Baseline::from_envelope(envelope)? {
        Baseline::Control(model) => Box::new(model),
        Baseline::Rule(model) => Box::new(model),
        Baseline::Logistic(model) => Box::new(model),
        Baseline::Trees(model) => Box::new(model),
    })
}
