//! Features that are fitted on training rows, and lists of features that are saved.

use crate::support::labels;
use approx::assert_relative_eq;
use forewarn_core::{Feature, InPieces, WindowSpec};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, UtcOffset};
use forewarn_window::{
    Calendar, Cycle, Deltas, Ewma, FeatureExt, Features, Fractions, Impute, Logs, Normalisation, Pipeline,
    Profile, RatioOf, RecentNormal, Rolling, Scope, SeasonalProfile, SeasonalResidual, Select, Statistic,
    chronological,
};

const DAY: usize = 1440;

/// A daily wave of its own in each of two services, with noise and gaps, over eight days; the step is a minute.
fn waves() -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y"), Metric::outcome("f")]).unwrap();
    let frame = |(name, level, start): (&str, f32, &str)| {
        let row = |row: usize| {
            let noise = ((row as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0;
            let x = if row % 17 == 3 { f32::NAN } else { level + (row % DAY) as f32 / 10.0 + noise };
            [x, 5.0 + noise, 0.0]
        };
        let values = (0..8 * DAY).flat_map(row).collect();
        Frame::new(name, schema.clone(), start.parse().unwrap(), Step::MINUTE, values).unwrap()
    };
    let services = [("a", 10.0, "2024-01-01T05:30:00Z"), ("b", 500.0, "2024-01-02T00:00:00Z")];
    FrameSet::from_frames(services.map(frame).into()).unwrap()
}

fn shown(values: &[f32]) -> Vec<Option<u32>> {
    values.iter().map(|value| (!value.is_nan()).then_some(value.to_bits())).collect()
}

#[test]
fn a_profile_is_the_mean_of_training_rows_at_that_time() {
    let frames = waves();
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let train = split.train();
    // Rows that lie in a training window, from the definition.
    let mut is_train = vec![false; frames.layout().rows()];
    for &row in train.rows() {
        is_train[row as usize - 9..=row as usize].fill(true);
    }
    let profile = Profile::new(Cycle::Day, 30).unwrap().with_metrics(Select::only(&["x"]));
    let fitted = profile.clone().fit(train, &frames).unwrap();
    let global = profile.clone().with_scope(Scope::Global).fit(train, &frames).unwrap();
    let mean = |service: Option<usize>, bin: usize| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (row, _) in is_train.iter().enumerate().filter(|&(_, &is_train)| is_train) {
            let (of, time) = frames.layout().locate(row).unwrap();
            let minute = time.millis() / 60_000 % DAY as i64;
            let value = frames.values()[row * 3];
            if service.is_none_or(|service| of == service) && minute / 30 == bin as i64 && !value.is_nan() {
                sum += f64::from(value);
                count += 1.0;
            }
        }
        sum / count
    };
    for (bin, normal) in fitted.normal("b", "x").enumerate() {
        assert_relative_eq!(normal.unwrap(), mean(Some(1), bin), max_relative = 1e-12);
    }
    for (bin, normal) in global.normal("b", "x").enumerate() {
        assert_relative_eq!(normal.unwrap(), mean(None, bin), max_relative = 1e-12);
    }
    // A service that was not there has the normal of all.
    assert!(fitted.normal("elsewhere", "x").eq(global.normal("a", "x")));

    let columns = Features::new().with(fitted.clone()).apply(&frames).unwrap();
    assert_eq!(columns.schema().names().collect::<Vec<_>>(), ["profile_day(x)"]);
    for row in [0, 4, 701, 8 * DAY, 16 * DAY - 1] {
        let (service, time) = frames.layout().locate(row).unwrap();
        let bin = (time.millis() / 60_000 % DAY as i64 / 30) as usize;
        let expected = f64::from(frames.values()[row * 3]) - mean(Some(service), bin);
        assert_relative_eq!(f64::from(columns.values()[row]), expected, epsilon = 1e-4);
    }

    // What is no training row changes nothing.
    let mut later = frames.values().to_vec();
    for (row, _) in is_train.iter().enumerate().filter(|&(_, &is_train)| !is_train) {
        later[row * 3] = 1e6;
    }
    let changed = frames.derive(frames.schema().clone(), later).unwrap();
    assert_eq!(profile.clone().fit(train, &changed).unwrap(), fitted);
    for rows in [1, 97, 100_000] {
        assert_eq!(profile.clone().fit_pieces(train, &mut InPieces::new(&frames, rows)).unwrap(), fitted);
    }
}

#[test]
fn times_without_a_training_row_have_no_normal() {
    let frames = waves();
    let labels = labels(&frames, WindowSpec::default());
    // Train is about 0.35 of nine days: Monday to Thursday.
    let split = chronological(&labels, Fractions::new(0.35, 0.3, 0.35).unwrap()).unwrap();
    let fitted = Profile::new(Cycle::Week, 60).unwrap().fit(split.train(), &frames).unwrap();
    let known: Vec<bool> = fitted.normal("a", "y").map(|normal| normal.is_some()).collect();
    assert_eq!(known.len(), 168);
    // From Monday 05:30 on.
    assert!(!known[4] && known[5] && known[60] && !known[120]);
    let columns = Features::new().with(fitted).apply(&frames).unwrap();
    assert_eq!(columns.schema().names().collect::<Vec<_>>(), ["profile_week(x)", "profile_week(y)"]);
    let y = |row: usize| columns.frame(0).unwrap().row(row).unwrap()[1];
    assert!(!y(0).is_nan() && y(5 * DAY).is_nan() && !y(7 * DAY).is_nan());
    for wrong in [0, 7, 100_000] {
        assert!(Profile::new(Cycle::Day, wrong).is_err(), "{wrong}");
        // Nor can one be read.
        let mut saved = serde_json::to_value(Profile::new(Cycle::Day, 60).unwrap()).unwrap();
        saved["bin_minutes"] = wrong.into();
        assert!(serde_json::from_value::<Profile>(saved).is_err(), "{wrong}");
    }
    assert!(
        Profile::new(Cycle::Day, 60)
            .unwrap()
            .with_metrics(Select::only(&["f"]))
            .fit(split.train(), &frames)
            .is_err()
    );
}

#[test]
fn a_saved_pipeline_gives_the_same_bits() {
    let frames = waves();
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let profile =
        Profile::new(Cycle::Day, 60).unwrap().with_utc_offset(UtcOffset::from_minutes(-90).unwrap());
    let mut features = Features::default()
        .with(profile.fit(split.train(), &frames).unwrap())
        .with(Deltas::except(&[]).with_steps(3).unwrap().with_metrics(Select::except(&["y"])))
        .with(Ewma::half_life(2.5).unwrap())
        .with(RecentNormal::new(4).unwrap().with_limit(3.0).unwrap())
        .with(SeasonalResidual::new(5).unwrap().with_memory(3).unwrap())
        .with(Calendar::day_and_week().with_utc_offset(UtcOffset::from_minutes(60).unwrap()))
        .with(Logs::default())
        .with(RatioOf::new("x", "y"))
        .with(Deltas::default().then(Rolling::new(Statistic::Max, 3).unwrap()))
        .with(Impute::last(2).unwrap().then(Features::new().with(Ewma::half_life(3.0).unwrap())))
        .with(
            Impute::seasonal(5).unwrap().then(Rolling::new(Statistic::Min, 2).unwrap().with_least_samples(2)),
        )
        .with(Impute::none().mask());
    for statistic in [Statistic::Mean, Statistic::Std, Statistic::Slope] {
        features = features.with(Rolling::new(statistic, 4).unwrap().with_metrics(Select::only(&["x"])));
    }
    let pipeline =
        Pipeline::fit(features, split.train(), &frames, Normalisation::ZScore, Scope::Service, 2).unwrap();
    let pipeline = pipeline.with_limit(8.0).unwrap();
    let text = serde_json::to_string(&pipeline).unwrap();
    let read: Pipeline = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let (made, expected) = (read.apply(&frames).unwrap(), pipeline.apply(&frames).unwrap());
    assert_eq!(made.schema(), expected.schema());
    assert_eq!(shown(made.values()), shown(expected.values()));

    // A profile of another length than its bins was damaged.
    let fitted = Profile::new(Cycle::Day, 720).unwrap().fit(split.train(), &frames).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<SeasonalProfile>(&text).unwrap(), fitted);
    assert!(
        serde_json::from_str::<SeasonalProfile>(&text.replace("\"bin_minutes\":720", "\"bin_minutes\":360"))
            .is_err()
    );
    assert!(
        serde_json::from_str::<SeasonalProfile>(&text.replace("\"bin_minutes\":720", "\"bin_minutes\":7"))
            .is_err()
    );
    assert!(fitted.saved().is_some());
}
