use super::{Envelope, ModelFileError, error::name};
use crate::{Feature, Predictor};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// Makes a model of an envelope of its kind. Models inside it are read by the [`NestedReader`].
pub type PredictorReader = fn(Envelope, &NestedReader<'_>) -> Result<Box<dyn Predictor>, ModelFileError>;

/// Makes a feature of what [`Feature::saved`] gave, `{ kind: settings }` or the kind alone. Features inside it are
/// read by the [`NestedReader`].
pub type FeatureReader = fn(&Value, &NestedReader<'_>) -> Result<Box<dyn Feature>, ModelFileError>;

/// Which kinds of model and feature a program can read, and how.
///
/// A value that is passed to where files are read. Each crate with kinds of its own adds them by a function
/// `register`; an outside crate's kinds are added in the same way.
///
/// ```
/// use forewarn_core::{CoreError, Envelope, ModelFileError, NestedReader, Predictor, Registry, Score, WindowSpec, Windows};
/// use forewarn_schema::Schema;
///
/// /// Scores every window one half.
/// struct Half(Schema, usize);
///
/// impl Predictor for Half {
///     fn input(&self) -> &Schema {
///         &self.0
///     }
///     fn observation(&self) -> usize {
///         self.1
///     }
///     fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
///         self.expect_shapes(windows, scores)?;
///         scores.fill(Score::new(0.5)?);
///         Ok(())
///     }
/// }
///
/// let read = |file: Envelope, _: &NestedReader<'_>| {
///     Ok(Box::new(Half(file.schema, file.window.observation())) as Box<dyn Predictor>)
/// };
/// let registry = Registry::new().with_predictor("half", read);
/// let model = registry.predictor(Envelope::new("half", Schema::v1(), WindowSpec::default()))?;
/// assert_eq!(model.score_one(&[0.0; 100])?.get(), 0.5);
///
/// let error = registry.predictor(Envelope::new("prophet", Schema::v1(), WindowSpec::default())).err();
/// assert!(matches!(error, Some(ModelFileError::UnknownKind { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    predictors: BTreeMap<String, PredictorReader>,
    features: BTreeMap<String, FeatureReader>,
}

impl Registry {
    /// Knows no kind yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a kind of model more; a reader that it had for the kind is replaced.
    #[must_use]
    pub fn with_predictor(mut self, kind: impl Into<String>, reader: PredictorReader) -> Self {
        self.predictors.insert(kind.into(), reader);
        self
    }

    /// The same with a kind of feature more; a reader that it had for the kind is replaced.
    #[must_use]
    pub fn with_feature(mut self, kind: impl Into<String>, reader: FeatureReader) -> Self {
        self.features.insert(kind.into(), reader);
        self
    }

    /// Kinds of model, in order.
    pub fn predictor_kinds(&self) -> impl ExactSizeIterator<Item = &str> {
        self.predictors.keys().map(String::as_str)
    }

    /// Kinds of feature, in order.
    pub fn feature_kinds(&self) -> impl ExactSizeIterator<Item = &str> {
        self.features.keys().map(String::as_str)
    }

    /// The model in an envelope, whichever kind it is.
    ///
    /// # Errors
    /// As [`NestedReader::predictor`].
    pub fn predictor(&self, envelope: Envelope) -> Result<Box<dyn Predictor>, ModelFileError> {
        self.reader().predictor(envelope)
    }

    /// The feature that [`Feature::saved`] described.
    ///
    /// # Errors
    /// As [`NestedReader::feature`].
    pub fn feature(&self, saved: &Value) -> Result<Box<dyn Feature>, ModelFileError> {
        self.reader().feature(saved)
    }

    /// What reads models and features that lie in nothing else.
    #[must_use]
    pub fn reader(&self) -> NestedReader<'_> {
        NestedReader { registry: self, depth: 0 }
    }
}

/// Reads what lies inside a model or a feature that is being read: a [`Registry`] that knows how deep it is.
///
/// Nothing lies in more than [`MOST_NESTED`](Self::MOST_NESTED) others. A small file could otherwise ask for more
/// memory and stack than there is.
#[derive(Clone, Copy, Debug)]
pub struct NestedReader<'a> {
    registry: &'a Registry,
    depth: usize,
}

impl NestedReader<'_> {
    /// Most models around a model, or features around a feature.
    pub const MOST_NESTED: usize = 16;

    /// The model in an envelope, whichever kind it is.
    ///
    /// # Errors
    /// [`ModelFileError::UnknownKind`], [`ModelFileError::TooDeep`], and those of the kind's reader.
    pub fn predictor(&self, envelope: Envelope) -> Result<Box<dyn Predictor>, ModelFileError> {
        let Some(read) = self.registry.predictors.get(&envelope.kind) else {
            return Err(unknown("model", &envelope.kind, self.registry.predictor_kinds()));
        };
        read(envelope, &self.deeper("models")?)
    }

    /// The feature that [`Feature::saved`] described.
    ///
    /// # Errors
    /// [`ModelFileError::UnknownKind`], [`ModelFileError::NotAModel`] for a value that names no single kind,
    /// [`ModelFileError::TooDeep`], and those of the kind's reader.
    pub fn feature(&self, saved: &Value) -> Result<Box<dyn Feature>, ModelFileError> {
        let kind = match saved {
            Value::String(kind) => Some(kind),
            Value::Object(fields) if fields.len() == 1 => fields.keys().next(),
            _ => None,
        };
        let kind = kind.ok_or_else(|| {
            ModelFileError::not_a_model(
                "a saved feature is neither the name of its kind nor a table of the kind with its settings",
            )
        })?;
        let Some(read) = self.registry.features.get(kind) else {
            return Err(unknown("feature", kind, self.registry.feature_kinds()));
        };
        read(saved, &self.deeper("features")?)
    }

    fn deeper(&self, what: &'static str) -> Result<Self, ModelFileError> {
        if self.depth > Self::MOST_NESTED {
            return Err(ModelFileError::TooDeep { what, limit: Self::MOST_NESTED });
        }
        Ok(Self { depth: self.depth + 1, ..*self })
    }
}

fn unknown<'a>(what: &'static str, got: &str, known: impl Iterator<Item = &'a str>) -> ModelFileError {
    ModelFileError::UnknownKind { what, got: name(got), known: known.map(str::to_owned).collect() }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("predictors", &self.predictors.keys())
            .field("features", &self.features.keys())
            .finish()
    }
}
