use crate::{Deltas, Metrics, WindowError, saved::Saved};
use forewarn_core::{Columns, Feature, FeatureState, Origin, Rows};
use forewarn_schema::{FrameSet, Layout, Metric, Schema, SchemaError, ServiceRows, Step, Timestamp};

/// A list of features, computed once a row: the columns of one after those of another.
///
/// [`Features::default`] is [`Metrics`] and [`Deltas`]: 19 columns for the v1 schema.
///
/// A list is data: it is written and read by serde, with what was fitted in it. See [`from_saved`](Self::from_saved) for lists with features of
/// your own.
pub struct Features {
    parts: Vec<Box<dyn Feature>>,
}

impl Default for Features {
    fn default() -> Self {
        Self::new().with(Metrics).with(Deltas::default())
    }
}

impl Features {
    /// No features yet.
    #[must_use]
    pub fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// These features and one more.
    #[must_use]
    pub fn with(mut self, feature: impl Feature + 'static) -> Self {
        self.parts.push(Box::new(feature));
        self
    }

    /// The columns, for frames of `input`.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a metric that a feature needs, [`SchemaError::DuplicateMetric`] when two features make
    /// columns of one name, [`SchemaError::NoMetrics`] without any.
    pub fn schema(&self, input: &Schema) -> Result<Schema, SchemaError> {
        let outputs: Vec<Vec<Metric>> =
            self.parts.iter().map(|part| part.outputs(input)).collect::<Result<_, _>>()?;
        Schema::new(outputs.concat())
    }

    /// Computes the columns of every row of every service. Linear in rows; allocates the result only.
    ///
    /// # Errors
    /// As [`schema`](Self::schema); [`SchemaError::OutOfRange`] when a feature writes infinity.
    pub fn apply(&self, frames: &FrameSet) -> Result<FrameSet, WindowError> {
        self.apply_with(frames, 1)
    }

    /// [`apply`](Self::apply) with the services shared out to at most `threads` threads; the same bits for any number of them.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_with(&self, frames: &FrameSet, threads: usize) -> Result<FrameSet, WindowError> {
        let schema = self.schema(frames.schema())?;
        let states = self.streams(frames, &schema)?;
        Ok(frames.derive_blocks(schema, states, threads, FeatureStream::write_rows)?)
    }

    /// What [`Feature::saved`] gives for each; `None` when it gives nothing for one.
    pub(crate) fn values(&self) -> Option<Vec<serde_json::Value>> {
        self.parts.iter().map(|part| part.saved()).collect()
    }

    /// A fresh stream for each service.
    pub(crate) fn streams(
        &self,
        frames: &FrameSet,
        schema: &Schema,
    ) -> Result<Vec<FeatureStream>, SchemaError> {
        self.streams_of(frames.layout(), frames.schema(), schema)
    }

    /// A fresh stream for each service of `layout`, from rows of `input` to rows of `schema`.
    pub(crate) fn streams_of(
        &self,
        layout: &Layout,
        input: &Schema,
        schema: &Schema,
    ) -> Result<Vec<FeatureStream>, SchemaError> {
        let stream = |place: &ServiceRows| {
            let origin = Origin { service: place.name(), start: place.start(), step: layout.step() };
            FeatureStream::new(self, input, origin, schema)
        };
        layout.services().iter().map(stream).collect()
    }

    /// The same columns for one service, a row at a time; `origin` says which service and when its first row is.
    ///
    /// # Errors
    /// As [`schema`](Self::schema).
    pub fn stream(&self, input: &Schema, origin: Origin<'_>) -> Result<FeatureStream, SchemaError> {
        FeatureStream::new(self, input, origin, &self.schema(input)?)
    }
}

/// A list of features is a feature, so it can follow another.
impl Feature for Features {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        Ok(self.schema(input)?.metrics().to_vec())
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(self.stream(input, origin)?))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Saved::List(self.values()?).into_value()
    }
}

impl FeatureState for FeatureStream {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        self.write(row, out);
    }
}

/// Features of one service's live rows; equal to [`Features::apply`] to the bit.
pub struct FeatureStream {
    service: String,
    start: Timestamp,
    step: Step,
    /// Rows so far.
    rows: i64,
    input: Schema,
    schema: Schema,
    states: Vec<(Box<dyn FeatureState>, usize)>,
    row: Vec<f32>,
}

impl FeatureStream {
    fn new(
        features: &Features,
        input: &Schema,
        origin: Origin<'_>,
        schema: &Schema,
    ) -> Result<Self, SchemaError> {
        let states =
            features.parts.iter().map(|part| Ok((part.start(input, origin)?, part.outputs(input)?.len())));
        Ok(Self {
            service: origin.service.to_owned(),
            start: origin.start,
            step: origin.step,
            rows: 0,
            input: input.clone(),
            schema: schema.clone(),
            states: states.collect::<Result<_, SchemaError>>()?,
            row: vec![f32::NAN; schema.len()],
        })
    }

    /// The columns that a row has.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Takes the next sample (all NaN for a missed step) and gives the row of features.
    ///
    /// # Errors
    /// As [`Schema::check_row`], in its [row](SchemaError::InRow): for a sample that no frame could hold, which leaves the stream as it was, and for
    /// a feature too large for an `f32`, when the sample has been taken in.
    pub fn push(&mut self, sample: &[f32]) -> Result<&[f32], SchemaError> {
        let mut row = std::mem::take(&mut self.row);
        let taken = self.take_in(sample, &mut row);
        self.row = row;
        taken?;
        self.check_made(&self.schema, &self.row)?;
        Ok(&self.row)
    }

    /// Writes the features of the next sample to `row`, unless the sample is refused.
    pub(crate) fn take_in(&mut self, sample: &[f32], row: &mut [f32]) -> Result<(), SchemaError> {
        self.input.check_row(sample).map_err(|error| self.in_row(self.rows, error))?;
        self.write(sample, row);
        self.rows += 1;
        Ok(())
    }

    /// Refuses what was made of the last sample if no frame could hold it.
    pub(crate) fn check_made(&self, schema: &Schema, row: &[f32]) -> Result<(), SchemaError> {
        schema.check_row(row).map_err(|error| self.in_row(self.rows - 1, error))
    }

    /// An error with its place; without one beyond the calendar.
    fn in_row(&self, row: i64, error: SchemaError) -> SchemaError {
        match self.start.checked_add(self.step, row) {
            Some(time) => error.in_row(&self.service, time),
            None => error,
        }
    }

    /// Computes the rows of `block` from so many rows of `samples`.
    pub(crate) fn write_rows(&mut self, samples: &[f32], block: &mut [f32]) {
        let (samples, mut column) = (Rows::new(samples, self.input.len()), 0);
        for (state, width) in &mut self.states {
            let mut columns = Columns::new(block, self.schema.len(), column..column + *width)
                .expect("the columns of all parts are those of the schema");
            state.push_rows(samples, &mut columns);
            column += *width;
        }
    }

    fn write(&mut self, sample: &[f32], row: &mut [f32]) {
        let mut rest = row;
        for (state, width) in &mut self.states {
            let (out, after) = rest.split_at_mut(*width);
            state.push(sample, out);
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Calendar, Ewma, FeatureExt, Impute, Logs, RatioOf, RecentNormal, Rolling, SeasonalResidual, Select,
        Statistic,
    };
    use forewarn_schema::{Frame, Metric, Step, Timestamp, strategies};
    use proptest::prelude::*;

    #[test]
    fn nineteen_columns_for_the_v1_schema() {
        let names: Vec<_> =
            Features::default().schema(&Schema::v1()).unwrap().names().map(str::to_owned).collect();
        assert_eq!(names.len(), 19);
        assert_eq!(
            (&*names[0], &*names[10], &*names[18]),
            ("request_count", "delta(request_count)", "delta(network_out)")
        );
        assert!(!names.contains(&"delta(pod_restarts)".to_owned()));
    }

    #[test]
    fn outcomes_are_no_features() {
        let schema = Schema::new(vec![Metric::gauge("x"), Metric::outcome("failure")]).unwrap();
        let made = Features::default().schema(&schema).unwrap();
        assert_eq!(made.names().collect::<Vec<_>>(), ["x", "delta(x)"]);
        assert!(Features::new().schema(&schema).is_err());
        assert!(Features::new().with(Metrics).with(Metrics).schema(&schema).is_err());
    }

    #[test]
    fn deltas_start_anew_with_each_service() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = |service: &str, values: Vec<f32>| {
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        let set =
            FrameSet::from_frames(vec![frame("a", vec![1.0, 3.0]), frame("b", vec![10.0, f32::NAN, 5.0])])
                .unwrap();
        let made = Features::new().with(Deltas::default()).apply(&set).unwrap();
        let shown: Vec<_> =
            made.values().iter().map(|v| if v.is_nan() { "?".into() } else { v.to_string() }).collect();
        assert_eq!(shown, ["?", "2", "?", "?", "?"]);
    }

    /// One of everything that is computed from the past alone.
    fn everything() -> Features {
        let any = || Select::All;
        let mut all = Features::default()
            .with(Deltas::except(&[]).over(3).unwrap())
            .with(Ewma::half_life(2.0).unwrap().of(any()))
            .with(RecentNormal::new(4).unwrap())
            .with(SeasonalResidual::new(5).unwrap())
            .with(Calendar::day_and_week())
            .with(Logs::default())
            .with(RatioOf::new("m0", "m0"))
            .with(Deltas::default().then(Rolling::new(Statistic::Max, 3).unwrap()))
            .with(Impute::last(2).unwrap().then(Ewma::half_life(3.0).unwrap()))
            .with(Impute::seasonal(5).unwrap().then(Rolling::new(Statistic::Min, 2).unwrap()))
            .with(Impute::none().mask());
        for statistic in [Statistic::Mean, Statistic::Std, Statistic::Min, Statistic::Max, Statistic::Slope] {
            all = all.with(Rolling::new(statistic, 4).unwrap());
        }
        all
    }

    proptest! {
        #[test]
        fn streaming_equals_batch_and_the_future_moves_nothing(
            frame in strategies::schema(3).prop_flat_map(|schema| strategies::frame("s", schema, 100)),
            cut in 0.0f64..1.0,
        ) {
            let features = everything();
            let set = FrameSet::from_frames(vec![frame.clone()]).unwrap();
            let whole = features.apply(&set).unwrap();
            let view = set.frame(0).unwrap();
            let (width, wide) = (view.schema().len(), whole.schema().len());
            let mut stream = features.stream(view.schema(), view.into()).unwrap();
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            for (time, (sample, row)) in view.values().chunks(width).zip(whole.values().chunks(wide)).enumerate() {
                // What no frame could hold is refused with its place, and leaves no trace in any feature.
                let mut wrong = sample.to_vec();
                wrong[time % width] = [f32::INFINITY, f32::NEG_INFINITY][time % 2];
                let place = format!("s at {}: m{} is ", view.time(time), time % width);
                prop_assert!(stream.push(&wrong).unwrap_err().to_string().starts_with(&place));
                prop_assert!(stream.push(&wrong[1..]).is_err());
                prop_assert_eq!(bits(stream.push(sample).unwrap()), bits(row));
            }
            let kept = (view.rows() as f64 * cut) as usize;
            let mut changed = view.values().to_vec();
            changed[kept * width..].fill(0.5);
            let changed = features.apply(&set.derive(view.schema().clone(), changed).unwrap()).unwrap();
            prop_assert_eq!(bits(&changed.values()[..kept * wide]), bits(&whole.values()[..kept * wide]));
        }
    }

    #[test]
    fn a_feature_too_large_for_a_number_is_refused_live_as_in_a_batch() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = Frame::new("s", schema.clone(), Timestamp::EPOCH, Step::MINUTE, vec![f32::MIN, f32::MAX]);
        let set = FrameSet::from_frames(vec![frame.unwrap()]).unwrap();
        let features = Features::new().with(Deltas::default());
        let batch = features.apply(&set).unwrap_err().to_string();
        assert_eq!(
            batch,
            "s at 1970-01-01T00:01:00Z: delta(x) is inf, outside the finite numbers (dimensionless)"
        );
        let mut stream = features.stream(&schema, set.frame(0).unwrap().into()).unwrap();
        assert!(stream.push(&[f32::MIN]).unwrap()[0].is_nan());
        assert_eq!(stream.push(&[f32::MAX]).unwrap_err().to_string(), batch);
        // The sample was taken in.
        assert_eq!(stream.push(&[f32::MAX]).unwrap(), [0.0]);
    }

    #[test]
    fn threads_change_nothing() {
        let schema = Schema::new(vec![Metric::gauge("m0"), Metric::gauge("m1")]).unwrap();
        let frame = |service: &str, rows: usize| {
            let values = (0..2 * rows).map(|i| ((i * 37) % 101) as f32).collect();
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        let set =
            FrameSet::from_frames(vec![frame("a", 200), frame("b", 70), frame("c", 0), frame("d", 333)])
                .unwrap();
        let features = everything();
        let bits = |set: FrameSet| set.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let alone = bits(features.apply(&set).unwrap());
        for threads in [2, 3, 8] {
            assert_eq!(bits(features.apply_with(&set, threads).unwrap()), alone);
        }
    }
}
