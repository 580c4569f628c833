//! What every predictor promises: no influence of batch mates, streams equal batches, NaN does no harm.

use crate::support::{Data, gauges};
use forewarn_baseline::{
    Baseline, BoostedTrees, Control, Cusum, Direction, DoubleExponential, Ewma, FittedControl,
    FittedLogisticRegression, FittedRule, FittedTrees, Input, LogisticRegression, RollingMean, RollingZScore,
    SeasonalBand, StaticThreshold, TheilSen, Trend, View, Watch,
};
use forewarn_core::{CoreError, DynEstimator, Origin, Predictor, PredictorState, Score, Silent, Windows};
use forewarn_schema::{Step, Timestamp};
use proptest::prelude::*;

fn trees() -> BoostedTrees {
    BoostedTrees::default().with_trees(5, 5).with_shrinkage(0.1, 0.1).with_leaves(&[3]).with_threads(1)
}

pub(crate) fn baselines() -> Vec<Box<dyn DynEstimator>> {
    let watch = || Watch::above("m1", 0.2);
    vec![
        Box::new(StaticThreshold::new(watch())),
        Box::new(RollingMean::new(watch())),
        Box::new(Trend::new(watch())),
        Box::new(StaticThreshold::new(Watch::Best)),
        Box::new(RollingMean::new(Watch::Best)),
        Box::new(Trend::new(Watch::Best)),
        Box::new(LogisticRegression::new(Input::Snapshot)),
        Box::new(LogisticRegression::new(Input::Aggregates).with_c_from_validation(&[0.1, 1.0])),
        Box::new(Ewma::new(watch())),
        Box::new(RollingZScore::new(watch()).with_rows(2)),
        Box::new(Cusum::new(watch())),
        Box::new(TheilSen::new(watch())),
        Box::new(DoubleExponential::new(watch())),
        Box::new(trees()),
        Box::new(trees().with_views(View::rows(4))),
        Box::new(Control::Prevalence),
        Box::new(Control::Persistence { metric: "m2".into(), threshold: 1.0, direction: Direction::Above }),
        Box::new(Control::ServiceRate),
        Box::new(Control::Poisson { rate: 0.2, steps: 2, seed: 5 }),
        Box::new(Control::Periodic { every: 7, steps: 2 }),
        Box::new(SeasonalBand::new(watch()).with_parts(4)),
    ]
}

/// Columns of the contract's data: three metrics, and what controls and seasonal rules go by.
pub(crate) const COLUMNS: [&str; 7] =
    ["m0", "m1", "m2", "service_number", "step_number", "sin(day)", "cos(day)"];

/// Rows of three metrics as rows of all columns: a minute after the other of one service.
pub(crate) fn with_place(metrics: &[f32]) -> Vec<f32> {
    let place = |minute: usize| {
        let turn = std::f32::consts::TAU * (minute % 12) as f32 / 12.0;
        [0.0, minute as f32, turn.sin(), turn.cos()]
    };
    let rows = metrics.chunks(3).enumerate();
    rows.flat_map(|(minute, row)| row.iter().copied().chain(place(minute)).collect::<Vec<f32>>()).collect()
}

/// Rows of all columns that look random, always the same.
pub(crate) fn of_rows(rows: u32) -> Data {
    let values: Vec<f32> = (0..3 * rows).map(|i| ((i * i * 7 + i * 13) % 101) as f32 / 50.0 - 1.0).collect();
    let positive: Vec<bool> = (0..rows).map(|i| (i * 31) % 17 < 4).collect();
    Data::new(&gauges(&COLUMNS), 4, &with_place(&values), &positive)
}

pub(crate) fn fit(data: &Data, estimator: &dyn DynEstimator) -> Box<dyn Predictor> {
    let (train, validation) = (data.split.train(), data.split.validation());
    let (train, validation) = (train.on(&data.frames).unwrap(), validation.on(&data.frames).unwrap());
    estimator.fit_boxed(train, validation, &mut Silent).unwrap()
}

pub(crate) fn values(rows: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![1 => Just(f32::NAN), 6 => -3f32..3.0];
    prop::collection::vec(prop::collection::vec(value, 3), rows).prop_map(|rows| rows.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn streaming_is_batch_and_batch_is_one_by_one(mut train in values(12..40), live in values(0..30)) {
        (train[10], train[13]) = (1.0, -1.0);
        let positive: Vec<bool> = (0..train.len() / 3).map(|row| row % 4 == 0).collect();
        let (train, live) = (with_place(&train), with_place(&live));
        let data = Data::new(&gauges(&COLUMNS), 4, &train, &positive);
        let last_rows: Vec<u32> = (3..(live.len() / COLUMNS.len()).max(3)).map(|row| row as u32).collect();
        for estimator in baselines() {
            let model = fit(&data, &*estimator);
            let schema = model.input().clone();
            let batch = model.score_all(Windows::new(&schema, &live, 4, &last_rows).unwrap()).unwrap();
            for (&row, &score) in last_rows.iter().zip(&batch) {
                let alone = model.score_all(Windows::new(&schema, &live, 4, &[row]).unwrap()).unwrap();
                prop_assert_eq!(alone[0].get().to_bits(), score.get().to_bits());
            }
            let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
            let mut state = PredictorState::start(model, origin).unwrap();
            let streamed: Vec<Score> = live
                .chunks(COLUMNS.len())
                .filter_map(|row| state.push_at(state.next(), row).unwrap().result)
                .collect();
            prop_assert_eq!(streamed, batch);
        }
    }
}

#[test]
fn windows_of_another_shape_are_refused() {
    let values: Vec<f32> = (0..60u8).map(|i| f32::from(i % 11)).collect();
    let positive: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
    let values = with_place(&values);
    let data = Data::new(&gauges(&COLUMNS), 4, &values, &positive);
    let mut turned = COLUMNS;
    turned.swap(1, 2);
    let other = gauges(&turned);
    for estimator in baselines() {
        let model = fit(&data, &*estimator);
        let turned = model.score_all(Windows::new(&other, &values, 4, &[5]).unwrap());
        assert!(matches!(turned, Err(CoreError::FeatureMismatch { .. })));
        let short = model.score_all(Windows::new(model.input(), &values, 3, &[5]).unwrap());
        assert!(matches!(short, Err(CoreError::LengthMismatch { .. })));
        let windows = Windows::new(model.input(), &values, 4, &[5]).unwrap();
        assert!(model.score(windows, &mut []).is_err());
        // Nothing but missing samples, and infinities that no frame holds: an answer or an error.
        for value in [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN] {
            let window = [value; 4 * COLUMNS.len()];
            let scored = model.score_all(Windows::new(model.input(), &window, 4, &[3]).unwrap());
            assert!(scored.is_ok() || value.is_infinite());
        }
    }
}

fn is_shared<T: Send + Sync>() {}

#[test]
fn everything_fitted_is_shared_by_threads() {
    is_shared::<Baseline>();
    is_shared::<FittedControl>();
    is_shared::<FittedLogisticRegression>();
    is_shared::<FittedRule>();
    is_shared::<FittedTrees>();
    is_shared::<RollingMean>();
    is_shared::<BoostedTrees>();
}

#[test]
fn the_same_fit_has_the_same_bits() {
    let data = of_rows(1000);
    let windows = data.split.test().on(&data.frames).unwrap();
    for estimator in baselines() {
        let [once, again] = [(), ()].map(|()| fit(&data, &*estimator).score_all(windows.windows()).unwrap());
        assert_eq!(once, again);
    }
}
