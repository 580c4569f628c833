//! Lists of features.

mod delta;
mod metrics;
pub(crate) mod per_column;
pub(crate) mod saved;
mod scratch;
mod select;
mod state;
mod then;
mod transform;

use crate::{WindowError, settings::limited};
pub use delta::Deltas;
use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{FrameSet, Layout, Metric, Schema, SchemaError, ServiceRows};
pub use metrics::Metrics;
pub use select::Select;
pub(crate) use state::ListState;
pub use state::{BoundFeatures, FeaturesState, LONGEST_GAP_ROWS};
use std::sync::Arc;
pub use then::{FeatureExt, Then};
pub use transform::{Logs, RatioOf};

/// A list of features, computed once a row: the columns of one after those of another.
///
/// [`Features::default`] is [`Metrics`] and [`Deltas`]: 19 columns for the v1 schema.
///
/// A list is data: it is written and read by serde, with what was fitted in it. See [`from_saved`](Self::from_saved)
/// for lists with features of your own. A copy shares the features.
#[derive(Clone)]
pub struct Features {
    parts: Vec<Arc<dyn Feature>>,
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
        self.parts.push(Arc::new(feature));
        self
    }

    /// The columns, for frames of `input`.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a metric that a feature needs, [`SchemaError::DuplicateMetric`] when two
    /// features make columns of one name, [`SchemaError::NoMetrics`] without any, [`SchemaError::TooManyColumns`] for
    /// more than 65,536.
    pub fn schema(&self, input: &Schema) -> Result<Schema, SchemaError> {
        let mut outputs = Vec::new();
        for part in &self.parts {
            outputs.extend(part.outputs(input)?);
            limited(outputs.len())?;
        }
        Schema::new(outputs)
    }

    /// Computes the columns of every row of every service. Linear in rows; allocates the result only.
    ///
    /// # Errors
    /// As [`schema`](Self::schema); [`SchemaError::OutOfRange`] when a feature writes infinity.
    pub fn apply(&self, frames: &FrameSet) -> Result<FrameSet, WindowError> {
        self.apply_with(frames, 1)
    }

    /// [`apply`](Self::apply) with the services shared out to at most `threads` threads; the same bits for any number
    /// of them.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_with(&self, frames: &FrameSet, threads: usize) -> Result<FrameSet, WindowError> {
        let schema = self.schema(frames.schema())?;
        let states = self.columns(frames.layout(), frames.schema())?;
        Ok(frames.derive_blocks(schema, states, threads, ListState::write_rows)?)
    }

    /// What [`Feature::saved`] gives for each; `None` when it gives nothing for one.
    pub(crate) fn values(&self) -> Option<Vec<serde_json::Value>> {
        self.parts.iter().map(|part| part.saved()).collect()
    }

    /// Fresh columns for each service of `layout`, from rows of `input`.
    pub(crate) fn columns(&self, layout: &Layout, input: &Schema) -> Result<Vec<ListState>, SchemaError> {
        let start = |place: &ServiceRows| {
            let origin = Origin { service: place.name(), start: place.start(), step: layout.step() };
            ListState::start(self, input, origin)
        };
        layout.services().iter().map(start).collect()
    }

    /// These features on rows of `input`: what the live states of all services share.
    ///
    /// # Errors
    /// As [`schema`](Self::schema).
    pub fn bind(&self, input: &Schema) -> Result<BoundFeatures, WindowError> {
        BoundFeatures::new(self, input)
    }
}

/// A list of features is a feature, so it can follow another.
impl Feature for Features {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        Ok(self.schema(input)?.metrics().to_vec())
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        self.schema(input)?;
        Ok(Box::new(ListState::start(self, input, origin)?))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        saved::settings("list", self.values()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Calendar, Ewma, FeatureExt, Impute, Logs, RatioOf, RecentNormal, Rolling, SeasonalResidual, Select,
        Statistic,
    };
    use forewarn_core::CoreError;
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
            .with(Deltas::except(&[]).with_steps(3).unwrap())
            .with(Ewma::half_life(2.0).unwrap().with_metrics(any()))
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
            let mut live = features.bind(view.schema()).unwrap().start(view.into()).unwrap();
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            for (time, (sample, row)) in view.values().chunks(width).zip(whole.values().chunks(wide)).enumerate() {
                // What no frame could hold is refused with its place, and leaves no trace in any feature.
                let mut wrong = sample.to_vec();
                wrong[time % width] = [f32::INFINITY, f32::NEG_INFINITY][time % 2];
                let now = view.time(time);
                let place = format!("s at {now}: m{} is ", time % width);
                prop_assert!(live.push_at(now, &wrong).unwrap_err().to_string().starts_with(&place));
                prop_assert!(live.push_at(now, &wrong[1..]).is_err());
                // A row of which nothing is known may as well not come.
                if time % 3 == 1 && sample.iter().all(|value| value.is_nan()) {
                    continue;
                }
                let made = live.push_at(now, sample).unwrap();
                prop_assert!(!made.restarted);
                prop_assert_eq!(bits(made.result), bits(row));
            }
            let kept = (view.rows() as f64 * cut) as usize;
            let mut changed = view.values().to_vec();
            changed[kept * width..].fill(0.5);
            let changed = features.apply(&set.derive(view.schema().clone(), changed).unwrap()).unwrap();
            prop_assert_eq!(bits(&changed.values()[..kept * wide]), bits(&whole.values()[..kept * wide]));
        }
    }

    /// A state that is saved in any row and restored goes on with the same bits; damage is an error, never a panic,
    /// and changes nothing.
    fn assert_restores(
        features: &dyn Feature,
        view: forewarn_schema::FrameView<'_>,
        stop: usize,
        damage: &[(prop::sample::Index, u8)],
    ) -> Result<(), TestCaseError> {
        let (schema, width) = (view.schema(), features.outputs(view.schema()).unwrap().len());
        let bits = |state: &mut dyn FeatureState, row: &[f32]| {
            let mut out = vec![7.0; width];
            state.push(row, &mut out);
            out.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        let mut state = features.start(schema, view.into()).unwrap();
        let rows: Vec<&[f32]> = view.values().chunks(schema.len()).collect();
        for row in &rows[..stop] {
            bits(&mut *state, row);
        }
        let mut saved = vec![1];
        state.save(&mut saved).unwrap();
        saved.push(2);
        let mut restored = features.start(schema, view.into()).unwrap();
        let mut from = &saved[1..];
        restored.restore(&mut from).unwrap();
        prop_assert_eq!(from, [2]);
        let whole = &saved[1..saved.len() - 1];
        let mut copy = restored.clone();
        for (at, value) in damage.iter().filter(|_| !whole.is_empty()) {
            let at = at.index(whole.len());
            let mut changed = whole.to_vec();
            changed[at] = *value;
            for mut bytes in [&changed[..], &whole[..at]] {
                let before = bytes;
                let mut other = restored.clone();
                // Some changes give another state that can be: it must be able to go on.
                match other.restore(&mut bytes) {
                    Ok(()) => rows.iter().for_each(|row| drop(bits(&mut *other, row))),
                    Err(CoreError::DamagedState { .. }) => {
                        prop_assert_eq!(bytes, before);
                        let (mut a, mut b) = (Vec::new(), Vec::new());
                        other.save(&mut a).unwrap();
                        restored.save(&mut b).unwrap();
                        prop_assert_eq!(a, b);
                    }
                    Err(other) => prop_assert!(false, "{other}"),
                }
            }
        }
        for row in &rows[stop..] {
            let expected = bits(&mut *state, row);
            prop_assert_eq!(&bits(&mut *restored, row), &expected);
            prop_assert_eq!(&bits(&mut *copy, row), &expected);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_restored_state_goes_on_as_if_it_had_not_stopped(
            frame in strategies::schema(3).prop_flat_map(|schema| strategies::frame("s", schema, 60)),
            stop in any::<prop::sample::Index>(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 6),
        ) {
            let stop = stop.index(frame.view().rows() + 1);
            for part in &everything().parts {
                assert_restores(part, frame.view(), stop, &damage)?;
            }
            assert_restores(&everything(), frame.view(), stop, &damage)?;
        }
    }

    #[test]
    fn a_long_gap_begins_again_and_a_short_one_is_filled() {
        let schema = Schema::new(vec![Metric::gauge("m0"), Metric::gauge("m1")]).unwrap();
        let at = |minute: i64| Timestamp::EPOCH.checked_add(Step::MINUTE, minute).unwrap();
        let bound = everything().bind(&schema).unwrap();
        let origin = |minute| Origin { service: "s", start: at(minute), step: Step::MINUTE };
        let start = |minute| bound.start(origin(minute)).unwrap().with_longest_gap(10);
        let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let [mut short, mut filled, mut long, mut fresh] = [start(0), start(0), start(0), start(12)];
        for live in [&mut short, &mut filled, &mut long] {
            live.push_at(at(0), &[1.0, 2.0]).unwrap();
        }
        for minute in 1..11 {
            filled.push_at(at(minute), &[f32::NAN; 2]).unwrap();
        }
        let pushed = short.push_at(at(11), &[3.0, 5.0]).unwrap();
        assert_eq!((pushed.missing_rows, pushed.restarted), (10, false));
        assert_eq!(bits(pushed.result), bits(filled.push_at(at(11), &[3.0, 5.0]).unwrap().result));
        let pushed = long.push_at(at(12), &[3.0, 5.0]).unwrap();
        assert_eq!((pushed.missing_rows, pushed.restarted), (11, true));
        assert_eq!(bits(pushed.result), bits(fresh.push_at(at(12), &[3.0, 5.0]).unwrap().result));
        // Ten years are no more work than eleven minutes.
        let pushed = long.push_at(at(5_260_000), &[3.0, 5.0]).unwrap();
        assert_eq!((pushed.missing_rows, pushed.restarted), (5_259_987, true));
        // A late row, a repeated one and one between two minutes change nothing.
        let between = Timestamp::from_millis(60_001).unwrap();
        let mut live = start(0);
        live.push_at(at(0), &[1.0, 2.0]).unwrap();
        for wrong in [at(-1), at(0), between] {
            assert!(live.push_at(wrong, &[3.0, 5.0]).is_err());
        }
        assert_eq!(live.next(), at(1));
    }

    #[test]
    fn nested_lists_are_refused_before_they_are_built() {
        // Of other steps each time, so that no two columns have one name.
        let doubling =
            |level| Features::new().with(Metrics).with(Deltas::default().with_steps(level).unwrap());
        let schema = Schema::new((0..10).map(|i| Metric::gauge(format!("m{i}"))).collect()).unwrap();
        let mut bomb: Box<dyn Feature> = Box::new(doubling(1));
        for level in 2..40 {
            bomb = Box::new(bomb.then(doubling(level)));
        }
        let bomb = Features::new().with(bomb);
        let error = bomb.schema(&schema).unwrap_err();
        assert!(matches!(error, SchemaError::TooManyColumns { columns: 81_920, most: 65_536 }), "{error}");
        assert!(bomb.bind(&schema).is_err());
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        assert!(bomb.start(&schema, origin).is_err());
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
        let mut live = features.bind(&schema).unwrap().start(set.frame(0).unwrap().into()).unwrap();
        let at = |minute: i64| Timestamp::EPOCH.checked_add(Step::MINUTE, minute).unwrap();
        assert!(live.push_at(at(0), &[f32::MIN]).unwrap().result[0].is_nan());
        assert_eq!(live.push_at(at(1), &[f32::MAX]).unwrap_err().to_string(), batch);
        // The sample was taken in.
        assert_eq!(live.push_at(at(2), &[f32::MAX]).unwrap().result, [0.0]);
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
