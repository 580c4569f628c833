use crate::WindowError;
use forewarn_core::{Samples, Train};
use forewarn_schema::{FrameSet, Kind, Metric, Schema, Unit, ValidRange};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose mean and deviation a value is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those of its own service; of all services together for a service that was not trained on.
    #[default]
    Service,
    /// Those of all services together.
    Global,
}

/// Standard scores: each column minus its mean, over its standard deviation, both from training rows.
///
/// A training row is one that lies in some training window. The deviation is that of the population (`n` in the denominator, as in
/// scikit-learn's `StandardScaler`). A column that is constant in training is centred and not scaled. Missing values stay missing.
///
/// A metric that hardly moves in training can be thousands of deviations away later. [`with_limit`](Self::with_limit) keeps such values
/// from drowning all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct ZScore {
    columns: Vec<String>,
    limit: Option<f32>,
    global: Vec<Moments>,
    services: BTreeMap<String, Vec<Moments>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    columns: Vec<String>,
    limit: Option<f32>,
    global: Vec<Moments>,
    services: BTreeMap<String, Vec<Moments>>,
}

/// One column's centre and scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    mean: f64,
    deviation: f64,
}

/// Sums over the present values of one column, shifted by the first of them so that no digits are lost.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    shift: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, value: f32) {
        let value = f64::from(value);
        if value.is_nan() {
            return;
        }
        if self.count == 0.0 {
            self.shift = value;
        }
        self.count += 1.0;
        self.sum += value - self.shift;
        self.squares += (value - self.shift) * (value - self.shift);
    }

    /// `None` without a value.
    fn moments(&self) -> Option<Moments> {
        if self.count == 0.0 {
            return None;
        }
        let offset = self.sum / self.count;
        let variance = (self.squares / self.count - offset * offset).max(0.0);
        // What is left of a constant column is rounding: relative to the column's own size, not absolute.
        let rounding = f64::from(f32::EPSILON) * (self.shift + offset).abs();
        let deviation = if variance.sqrt() > rounding { variance.sqrt() } else { 1.0 };
        Some(Moments { mean: self.shift + offset, deviation })
    }
}

impl ZScore {
    /// Fits on the training rows of `frames`. One pass; memory for one row of sums.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::LayoutMismatch`] for frames of other services or times than the split has.
    pub fn fit(train: &Train<Samples>, frames: &FrameSet, scope: Scope) -> Result<Self, WindowError> {
        train.on(frames)?;
        let (schema, observation) = (frames.schema(), train.spec().observation());
        let mut last_rows = train.rows().iter().map(|&row| row as usize).peekable();
        let mut services = BTreeMap::new();
        let mut all = vec![Sums::default(); schema.len()];
        for place in frames.layout().services() {
            let mut sums = vec![Sums::default(); schema.len()];
            let mut seen = place.rows().start;
            while let Some(last_row) = last_rows.next_if(|&row| row < place.rows().end) {
                // Windows overlap: rows that an earlier one has are not counted again.
                let from = seen.max(last_row + 1 - observation);
                let rows = &frames.values()[from * schema.len()..(last_row + 1) * schema.len()];
                for row in rows.chunks_exact(schema.len()) {
                    for ((sums, all), &value) in sums.iter_mut().zip(&mut all).zip(row) {
                        sums.add(value);
                        all.add(value);
                    }
                }
                seen = last_row + 1;
            }
            services.insert(place.name().to_owned(), sums);
        }
        let unseen = Moments { mean: 0.0, deviation: 1.0 };
        let global: Vec<Moments> = all.iter().map(|sums| sums.moments().unwrap_or(unseen)).collect();
        let own = |sums: Vec<Sums>| -> Vec<Moments> {
            sums.iter().zip(&global).map(|(sums, &global)| sums.moments().unwrap_or(global)).collect()
        };
        let services = match scope {
            Scope::Service => services.into_iter().map(|(name, sums)| (name, own(sums))).collect(),
            Scope::Global => BTreeMap::new(),
        };
        Ok(Self { columns: schema.names().map(str::to_owned).collect(), limit: None, global, services })
    }

    /// The same normaliser with standard scores cut off at `limit` deviations on both sides.
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
        let own: Vec<&[Moments]> =
            frames.layout().services().iter().map(|place| self.of(place.name())).collect();
        Ok(frames.map_rows(schema, |service, row| self.normalise(own[service], row))?)
    }

    /// Normalises one row of `service` in place, with the same bits as [`apply`](Self::apply).
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::LengthMismatch`] for a row of another width.
    pub fn apply_row(&self, service: &str, row: &mut [f32]) -> Result<(), WindowError> {
        if row.len() != self.columns.len() {
            let (expected, got) = (self.columns.len(), row.len());
            return Err(
                forewarn_core::CoreError::LengthMismatch { what: "values of a row", expected, got }.into()
            );
        }
        self.normalise(self.of(service), row);
        Ok(())
    }

    fn of(&self, service: &str) -> &[Moments] {
        self.services.get(service).unwrap_or(&self.global)
    }

    fn normalise(&self, moments: &[Moments], row: &mut [f32]) {
        for (value, moments) in row.iter_mut().zip(moments) {
            *value = ((f64::from(*value) - moments.mean) / moments.deviation) as f32;
        }
        if let Some(limit) = self.limit {
            row.iter_mut().for_each(|value| *value = value.clamp(-limit, limit));
        }
    }
}

impl TryFrom<Parts> for ZScore {
    type Error = WindowError;

    fn try_from(parts: Parts) -> Result<Self, WindowError> {
        let damaged = |reason: String| WindowError::DamagedNormaliser { reason };
        let lists = || {
            std::iter::once(("all services", &parts.global))
                .chain(parts.services.iter().map(|(n, m)| (&**n, m)))
        };
        for (service, moments) in lists() {
            if moments.len() != parts.columns.len() {
                return Err(damaged(format!(
                    "{service}: {} columns, expected {}",
                    moments.len(),
                    parts.columns.len()
                )));
            }
            for (column, moments) in parts.columns.iter().zip(moments) {
                if !(moments.mean.is_finite() && moments.deviation.is_finite() && moments.deviation > 0.0) {
                    let Moments { mean, deviation } = moments;
                    return Err(damaged(format!(
                        "{service}: {column} has mean {mean}, deviation {deviation}"
                    )));
                }
            }
        }
        let Parts { columns, limit, global, services } = parts;
        let zscore = Self { columns, limit: None, global, services };
        match limit {
            Some(limit) => zscore.with_limit(limit),
            None => Ok(zscore),
        }
    }
}

impl From<ZScore> for Parts {
    fn from(zscore: ZScore) -> Self {
        Self {
            columns: zscore.columns,
            limit: zscore.limit,
            global: zscore.global,
            services: zscore.services,
        }
    }
}
