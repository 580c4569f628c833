use crate::{Metric, Schema, SchemaError, Step, Timestamp, ValidRange};

/// One service's metrics on a regular clock: a row-major `[time, metric]` block of `f32`, NaN where a sample is
/// missing.
///
/// Every value that is not NaN is finite and within its metric's range.
#[derive(Clone, Debug)]
pub struct Frame {
    service: String,
    schema: Schema,
    start: Timestamp,
    step: Step,
    values: Vec<f32>,
}

impl Frame {
    /// A frame from its parts; `values` is row-major, one row a step, first row at `start`.
    ///
    /// # Errors
    /// [`SchemaError::EmptyServiceName`], [`SchemaError::RaggedValues`], [`SchemaError::TimeOverflow`], or
    /// [`SchemaError::OutOfRange`] in its [row](SchemaError::InRow) for the first value outside its metric's range.
    pub fn new(
        service: impl Into<String>,
        schema: Schema,
        start: Timestamp,
        step: Step,
        values: Vec<f32>,
    ) -> Result<Self, SchemaError> {
        let service = service.into();
        if service.is_empty() {
            return Err(SchemaError::EmptyServiceName);
        }
        if !values.len().is_multiple_of(schema.len()) {
            return Err(SchemaError::RaggedValues { service, values: values.len(), metrics: schema.len() });
        }
        let rows = values.len() / schema.len();
        if i64::try_from(rows).ok().and_then(|rows| start.checked_add(step, rows)).is_none() {
            return Err(SchemaError::TimeOverflow { start, steps: rows, step_millis: step.millis() });
        }
        let frame = Self { service, schema, start, step, values };
        frame.view().check_ranges()?;
        Ok(frame)
    }

    /// A frame from values of 64 bits, each rounded to the nearest of 32 bits; NaN stays missing. Otherwise as
    /// [`new`](Self::new).
    ///
    /// A frame holds seven digits. A counter that has grown beyond 2^24 loses its increases by that: take differences
    /// in 64 bits first.
    ///
    /// # Errors
    /// As [`new`](Self::new): a value beyond the range of `f32` is an infinity, which no metric may have.
    pub fn from_f64(
        service: impl Into<String>,
        schema: Schema,
        start: Timestamp,
        step: Step,
        values: &[f64],
    ) -> Result<Self, SchemaError> {
        Self::new(service, schema, start, step, values.iter().map(|&value| value as f32).collect())
    }

    /// The frame as a borrowed view, which is what rules and features read.
    #[must_use]
    pub fn view(&self) -> FrameView<'_> {
        FrameView {
            service: &self.service,
            schema: &self.schema,
            start: self.start,
            step: self.step,
            values: &self.values,
        }
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }
}

/// A frame that lies somewhere else: in a [`Frame`] or in the block of a [`FrameSet`](crate::FrameSet).
#[derive(Clone, Copy, Debug)]
pub struct FrameView<'a> {
    pub(crate) service: &'a str,
    pub(crate) schema: &'a Schema,
    pub(crate) start: Timestamp,
    pub(crate) step: Step,
    pub(crate) values: &'a [f32],
}

impl<'a> FrameView<'a> {
    /// Service that the metrics are of.
    #[must_use]
    pub fn service(&self) -> &'a str {
        self.service
    }

    /// Which metrics a row has.
    #[must_use]
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// Time of the first row.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Time between rows.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// First time after the last row.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.time(self.rows())
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.schema.len()
    }

    /// Time of `row`.
    ///
    /// # Panics
    /// In debug builds when `row` is beyond [`rows`](Self::rows), which is allowed as the end.
    #[must_use]
    pub fn time(&self, row: usize) -> Timestamp {
        debug_assert!(row <= self.rows());
        self.start.on_clock(self.step, row)
    }

    /// All values, row-major `[time, metric]`.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The samples of `row`, one a metric; `None` beyond the last row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&'a [f32]> {
        let width = self.schema.len();
        self.values.get(row.checked_mul(width)?..row.checked_add(1)?.checked_mul(width)?)
    }

    /// One metric over time.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`].
    pub fn column(
        &self,
        metric: &str,
    ) -> Result<impl ExactSizeIterator<Item = f32> + Clone + use<'a>, SchemaError> {
        let index = self.schema.index_of(metric)?;
        Ok(self.values.iter().skip(index).step_by(self.schema.len()).copied())
    }

    /// The first value that is neither missing nor within its metric's range, as an error.
    pub(crate) fn check_ranges(self) -> Result<(), SchemaError> {
        let limits = Limits::new(self.schema);
        let width = self.schema.len();
        for (block, values) in self.values.chunks(Limits::ROWS * width).enumerate() {
            if limits.hold(values) {
                continue;
            }
            for (row, sample) in values.chunks_exact(width).enumerate() {
                let time = self.time(block * Limits::ROWS + row);
                self.schema.check_row(sample).map_err(|error| error.in_row(self.service, time))?;
            }
        }
        Ok(())
    }
}

/// The ends of every metric's range, repeated for a block of rows so that one loop without branches judges a block.
pub(crate) struct Limits {
    min: Vec<f32>,
    max: Vec<f32>,
    finite: bool,
}

impl Limits {
    /// Rows of a block: few enough to stay in the first-level cache.
    pub(crate) const ROWS: usize = 64;

    pub(crate) fn new(schema: &Schema) -> Self {
        // Infinity is never within a range, so an open end is the largest number.
        let ends = |end: fn(&Metric) -> f32| -> Vec<f32> {
            let row: Vec<f32> =
                schema.metrics().iter().map(|metric| end(metric).clamp(f32::MIN, f32::MAX)).collect();
            row.repeat(Self::ROWS)
        };
        let finite = schema.metrics().iter().all(|metric| metric.range == ValidRange::FINITE);
        Self { min: ends(|metric| metric.range.min()), max: ends(|metric| metric.range.max()), finite }
    }

    /// Whether every value of at most [`ROWS`](Self::ROWS) rows is missing or within its metric's range.
    pub(crate) fn hold(&self, values: &[f32]) -> bool {
        let outside = if self.finite {
            values.iter().fold(false, |outside, value| outside | value.is_infinite())
        } else {
            // Written so that NaN is not outside.
            let ends = self.min.iter().zip(&self.max);
            values
                .iter()
                .zip(ends)
                .fold(false, |outside, (&value, (&min, &max))| outside | (value < min) | (value > max))
        };
        !outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_64_bits_are_rounded_and_checked() {
        let schema = Schema::new(vec![Metric::gauge("load")]).unwrap();
        let frame =
            |values: &[f64]| Frame::from_f64("s", schema.clone(), Timestamp::EPOCH, Step::MINUTE, values);
        let rounded = frame(&[0.1, f64::NAN, 16_777_217.0]).unwrap();
        let values = rounded.view().values();
        assert_eq!((values[0], values[2]), (0.1f32, 16_777_216.0));
        assert!(values[1].is_nan());
        for beyond in [f64::INFINITY, 1e39, -1e39] {
            let error = frame(&[0.0, beyond]).unwrap_err();
            assert!(matches!(&error, SchemaError::InRow { time, .. } if time.millis() == 60_000), "{error}");
        }
    }
}
