//! Columns made comparable, by what training rows say about them.

mod column;
mod fit;
mod method;
mod parts;
mod row;
mod tally;
mod zscore;

use crate::WindowError;
use column::Column;
pub(crate) use fit::{on_features as fit_features, on_pieces as fit_pieces};
use forewarn_core::{CoreError, Samples, Train};
use forewarn_schema::{FrameSet, Kind, Metric, Schema, Unit, ValidRange};
pub use method::{Normalisation, Scope};
pub use row::RowNormaliser;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
pub use zscore::ZScore;

/// A fitted normaliser. It is made from training rows only: those that lie in some training window.
///
/// A column that is constant in training is centred and not scaled (its quantile is 0.5). A column without any value
/// in training is left as it is, or takes its values from all services where only its own has none. Missing values
/// stay missing. A metric that hardly moves in training can be thousands of deviations away later;
/// [`with_limit`](Self::with_limit) keeps such values from drowning all others.
///
/// It is saved as JSON beside a model's weights; damaged numbers are refused when it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "parts::Parts", into = "parts::Parts")]
pub struct Normaliser {
    method: Normalisation,
    columns: Vec<String>,
    limit: Option<f32>,
    global: Vec<Column>,
    services: BTreeMap<String, Vec<Column>>,
}

impl Normaliser {
    /// Fits on the training rows of `frames`.
    ///
    /// [`Normalisation::ZScore`] and [`Normalisation::MinMax`] take one pass and the memory of a few rows; the other
    /// two copy and sort the training rows.
    ///
    /// # Errors
    /// [`CoreError::LayoutMismatch`] for frames of other services or times than the split has,
    /// [`CoreError::InvalidSetting`] for fewer than two or more than 65,536 quantiles.
    pub fn fit(
        train: &Train<Samples>,
        frames: &FrameSet,
        method: Normalisation,
        scope: Scope,
    ) -> Result<Self, WindowError> {
        Self::fit_with(train, frames, method, scope, 1)
    }

    /// [`fit`](Self::fit) with the services shared out to at most `threads` threads; the same bits for any number of
    /// them.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_with(
        train: &Train<Samples>,
        frames: &FrameSet,
        method: Normalisation,
        scope: Scope,
        threads: usize,
    ) -> Result<Self, WindowError> {
        fit::on_frames(train, frames, method, scope, threads)
    }

    /// A normaliser that leaves the values of these columns as they are, for models that read metrics in their units.
    #[must_use]
    pub fn identity(schema: &Schema) -> Self {
        Self {
            method: Normalisation::ZScore,
            columns: schema.names().map(str::to_owned).collect(),
            limit: None,
            global: vec![Column::UNSEEN; schema.len()],
            services: BTreeMap::new(),
        }
    }

    /// How values are normalised.
    #[must_use]
    pub fn method(&self) -> Normalisation {
        self.method
    }

    /// The same normaliser with its results cut off at `limit` on both sides of zero.
    ///
    /// # Errors
    /// [`WindowError::InvalidLimit`] unless `limit` is positive.
    pub fn with_limit(self, limit: f32) -> Result<Self, WindowError> {
        if limit > 0.0 {
            Ok(Self { limit: Some(limit), ..self })
        } else {
            Err(WindowError::InvalidLimit { limit })
        }
    }

    /// The columns after normalisation: the same names, without a unit.
    ///
    /// # Errors
    /// [`WindowError::ColumnMismatch`] for other columns than those of the fit.
    pub fn schema(&self, input: &Schema) -> Result<Schema, WindowError> {
        if !input.names().eq(self.columns.iter()) {
            let got = input.names().map(str::to_owned).collect();
            return Err(WindowError::ColumnMismatch { expected: self.columns.clone(), got });
        }
        let score = |name: &String| Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE);
        Ok(Schema::new(self.columns.iter().map(score).collect())?)
    }

    /// Normalises every row in place.
    ///
    /// # Errors
    /// As [`schema`](Self::schema); out of range when a value is too far away for an `f32`.
    pub fn apply(&self, frames: FrameSet) -> Result<FrameSet, WindowError> {
        let schema = self.schema(frames.schema())?;
        let own: Vec<RowNormaliser> =
            frames.layout().services().iter().map(|place| self.of_service(place.name())).collect();
        Ok(frames.map_blocks(schema, |service, block| own[service].apply(block))?)
    }

    /// Normalises one row of `service` in place, with the same bits as [`apply`](Self::apply). A stream of many rows
    /// of one service looks the service up once with [`of_service`](Self::of_service).
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width.
    pub fn apply_row(&self, service: &str, row: &mut [f32]) -> Result<(), WindowError> {
        if row.len() != self.columns.len() {
            let (expected, got) = (self.columns.len(), row.len());
            return Err(CoreError::LengthMismatch { what: "values of a row", expected, got }.into());
        }
        self.of_service(service).apply(row);
        Ok(())
    }

    /// What normalises the rows of one service.
    #[must_use]
    pub fn of_service(&self, service: &str) -> RowNormaliser {
        RowNormaliser::new(self.columns_of(service), self.limit.unwrap_or(f32::INFINITY))
    }

    /// What normalises the live rows of a service; `None` for one that was not trained on, which has the columns of
    /// all.
    pub(crate) fn of_live_service(&self, service: Option<&str>) -> Option<RowNormaliser> {
        let columns = match service {
            Some(service) => self.services.get(service)?,
            None => &self.global,
        };
        Some(RowNormaliser::of_single_rows(columns, self.limit.unwrap_or(f32::INFINITY)))
    }

    fn columns_of(&self, service: &str) -> &[Column] {
        self.services.get(service).unwrap_or(&self.global)
    }
}
