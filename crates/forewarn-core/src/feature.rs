use forewarn_schema::{Metric, Schema, SchemaError};

/// Numbers derived from a service's metrics, one row at a time.
///
/// A feature is a factory of [`FeatureState`]s, one for each service. Because a state sees one row after another and never a
/// later one, features are causal by construction, and a live stream computes the same bits as a whole frame.
pub trait Feature: Send {
    /// The columns that the feature adds, for frames of `input`.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a metric that the feature needs.
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError>;

    /// A fresh state, for the first row of a service.
    ///
    /// # Errors
    /// As [`outputs`](Self::outputs).
    fn start(&self, input: &Schema) -> Result<Box<dyn FeatureState>, SchemaError>;
}

/// A feature in the middle of one service's rows.
pub trait FeatureState: Send {
    /// Takes the next row (one value a metric of the input schema, NaN where missing) and writes the feature's columns of that
    /// row to `out`, which is as long as [`Feature::outputs`]. Writes NaN where it cannot tell.
    fn push(&mut self, row: &[f32], out: &mut [f32]);
}

impl<F: Feature + ?Sized> Feature for Box<F> {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        (**self).outputs(input)
    }

    fn start(&self, input: &Schema) -> Result<Box<dyn FeatureState>, SchemaError> {
        (**self).start(input)
    }
}
