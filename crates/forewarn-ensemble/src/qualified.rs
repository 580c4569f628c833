use crate::nested;
use forewarn_core::{
    Contribution, CoreError, Envelope, Evidence, Explain, Forecast, History, ModelFileError, NestedReader,
    Predictor, Save, Score, WindowSpec, Windows,
};
use forewarn_schema::{FrameSet, Metric, Schema};
use serde::{Deserialize, Serialize};

pub(crate) const KIND: &str = "qualified";

/// A predictor whose columns carry the name of where they come from, such as `measured.error_rate` and
/// `features.error_rate`.
///
/// So predictors of metrics as they were measured, of features and of columns for controls can be
/// [`Combined`](crate::Combined): rows that hold all of them side by side are made by [`side_by_side`], and live by
/// putting one row behind the other. Scores are those of the predictor itself, and nothing is copied.
#[derive(Clone, Debug, PartialEq)]
pub struct Qualified<P> {
    predictor: P,
    source: String,
    schema: Schema,
}

impl<P: Predictor> Qualified<P> {
    /// The predictor with `source` and a dot before the name of each of its columns.
    ///
    /// # Errors
    /// None: names that differ still do.
    pub fn new(predictor: P, source: impl Into<String>) -> Result<Self, CoreError> {
        let source = source.into();
        let schema = qualified(predictor.input(), &source)?;
        Ok(Self { predictor, source, schema })
    }

    /// The predictor itself.
    #[must_use]
    pub fn inner(&self) -> &P {
        &self.predictor
    }

    /// Where its columns come from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The windows as the predictor knows them.
    fn inside<'a>(&'a self, windows: Windows<'a>) -> Result<Windows<'a>, CoreError> {
        let (block, observation) = (windows.block(), windows.observation());
        let own = Windows::new(self.predictor.input(), block, observation, windows.last_rows())?;
        Ok(own.placed_as(windows))
    }
}

impl Qualified<Box<dyn Predictor>> {
    /// The model that [`to_envelope`](Save::to_envelope) saved; `inside` reads the predictor.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] unless there is one model inside, whose columns
    /// are those of the file with the source before their names, and those of the predictor.
    pub fn from_envelope(envelope: Envelope, inside: &NestedReader<'_>) -> Result<Self, ModelFileError> {
        let schema = envelope.schema.clone();
        let (Parameters { source }, inner) = nested::unpack_one::<Parameters>(KIND, envelope)?;
        // Names are compared with those in the file and never made: a long source times many columns would be more
        // than the file has.
        expect_qualified(&schema, &source, &inner.schema)?;
        let predictor = inside.predictor(inner)?;
        expect_qualified(&schema, &source, predictor.input())?;
        Ok(Self { predictor, source, schema })
    }
}

impl<P: Predictor> Save for Qualified<P> {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation())?;
        let settings = Parameters { source: self.source.clone() };
        let inner = nested::save_inner(KIND, &self.predictor, window)?;
        nested::pack(KIND, &settings, &self.schema, window, vec![inner])
    }
}

impl<P: Predictor> Predictor for Qualified<P> {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.predictor.observation()
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.expect_window(window)?;
        self.predictor.evidence(window)?.map(|found| self.renamed(&found)).transpose()
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        self.predictor.score(self.inside(windows)?, scores)
    }

    fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        windows.expect(&self.schema, self.observation())?;
        self.predictor.forecasts(self.inside(windows)?)
    }

    fn history(&self) -> &[History] {
        self.predictor.history()
    }
}

impl<P: Explain> Explain for Qualified<P> {
    /// The predictor's evidence, with the names of columns as they are here.
    ///
    /// # Errors
    /// As [`Explain::explain`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        self.expect_window(window)?;
        self.renamed(&self.predictor.explain(window)?)
    }
}

impl<P> Qualified<P> {
    fn renamed(&self, found: &Evidence) -> Result<Evidence, CoreError> {
        let parts = found.contributions().iter().cloned();
        let named = |part: Contribution| Contribution { metric: column(&self.source, &part.metric), ..part };
        Evidence::new(found.score(), found.attribution(), found.base_log_odds(), parts.map(named).collect())
    }
}

/// Frames of the same services and times as one, each row holding those of all `sources` one behind the other, with
/// the source and a dot before each column's name: what [`Qualified`] predictors read.
///
/// # Errors
/// [`CoreError::LayoutMismatch`] for frames of other services or times, [`CoreError::InvalidSetting`] for none, and
/// [`CoreError::Schema`] for two sources of one name.
pub fn side_by_side(sources: &[(&str, &FrameSet)]) -> Result<FrameSet, CoreError> {
    let Some(((_, first), others)) = sources.split_first() else {
        let value = "none".to_owned();
        return Err(CoreError::InvalidSetting { name: "sources", value, expected: "at least one" });
    };
    let mut columns = Vec::new();
    for (source, frames) in sources {
        if frames.layout() != first.layout() {
            return Err(CoreError::LayoutMismatch);
        }
        columns.extend_from_slice(qualified(frames.schema(), source)?.metrics());
    }
    let others: Vec<&FrameSet> = others.iter().map(|&(_, frames)| frames).collect();
    Ok(first.beside(&others, Schema::new(columns)?)?)
}

fn qualified(schema: &Schema, source: &str) -> Result<Schema, CoreError> {
    let mut metrics = schema.metrics().to_vec();
    for metric in &mut metrics {
        metric.name = column(source, &metric.name);
    }
    Ok(Schema::new(metrics)?)
}

/// Refuses columns that are not those of `inner` with the source before their names.
fn expect_qualified(outer: &Schema, source: &str, inner: &Schema) -> Result<(), ModelFileError> {
    let is_named = |outer: &str, inner: &str| {
        outer.strip_prefix(source).and_then(|rest| rest.strip_prefix('.')).is_some_and(|name| name == inner)
    };
    let is_same = |(outer, inner): (&Metric, &Metric)| {
        is_named(&outer.name, &inner.name)
            && (&outer.unit, outer.kind, outer.range) == (&inner.unit, inner.kind, inner.range)
    };
    if outer.len() == inner.len() && outer.metrics().iter().zip(inner.metrics()).all(is_same) {
        return Ok(());
    }
    let (outer, inner) = (outer.len(), inner.len());
    Err(ModelFileError::not_a_model(format!(
        "its {outer} columns are not the {inner} columns of the model inside with the source before their names"
    )))
}

fn column(source: &str, name: &str) -> String {
    format!("{source}.{name}")
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    source: String,
}
