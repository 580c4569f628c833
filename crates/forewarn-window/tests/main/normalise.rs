use crate::support::{frames, labels};
use approx::assert_relative_eq;
use forewarn_core::WindowSpec;
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use forewarn_window::{
    Deltas, Features, Fractions, Normalisation, Normaliser, Pipeline, Rolling, Scope, Statistic, ZScore,
    chronological,
};

#[test]
fn moments_are_those_of_training_rows_alone() {
    let frames = frames(&[400, 200]);
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::new(0.5, 0.25, 0.25).unwrap()).unwrap();
    // Training windows end in rows 9 ..= 9 + 195 - 17 of each service, so rows 0 ..= 187 are seen.
    let (mean, deviation) = (187.0 / 2.0, ((188.0 * 188.0 - 1.0) / 12.0f64).sqrt());
    for scope in [Scope::Service, Scope::Global] {
        let zscore = ZScore::fit(split.train(), &frames, scope).unwrap();
        let scored = zscore.apply(frames.clone()).unwrap();
        for (row, sample) in scored.frame(0).unwrap().values().chunks(2).enumerate() {
            assert_relative_eq!(f64::from(sample[0]), (row as f64 - mean) / deviation, epsilon = 1e-5);
            assert_eq!(sample[1], 0.0);
        }
        let mut row = [12.0, 0.1];
        zscore.apply_row("a", &mut row).unwrap();
        assert_eq!(row, scored.frame(0).unwrap().row(12).unwrap());
        // What comes after the training rows changes nothing.
        let mut later = frames.values().to_vec();
        later[188 * 2..400 * 2].fill(1e6);
        let changed = frames.derive(frames.schema().clone(), later).unwrap();
        assert_eq!(ZScore::fit(split.train(), &changed, scope).unwrap(), zscore);
        let json = serde_json::to_string(&zscore).unwrap();
        assert_eq!(serde_json::from_str::<Normaliser>(&json).unwrap(), zscore);
        assert!(serde_json::from_str::<Normaliser>(&json.replace("\"scale\":1.0", "\"scale\":0.0")).is_err());
        assert!(zscore.apply_row("a", &mut [1.0]).is_err());
        let mut far = [1e6, f32::NAN];
        zscore.clone().with_limit(4.0).unwrap().apply_row("a", &mut far).unwrap();
        assert!(far[0] == 4.0 && far[1].is_nan());
        assert!(zscore.with_limit(f32::NAN).is_err());
    }
}

const METHODS: [Normalisation; 4] = [
    Normalisation::ZScore,
    Normalisation::Robust,
    Normalisation::MinMax,
    Normalisation::Quantile { knots: 21 },
];

/// Two services of different size and level with gaps, a column that is constant and one that is never there.
fn uneven() -> FrameSet {
    let schema = Schema::new(["x", "y", "constant", "absent", "z"].map(Metric::gauge).to_vec()).unwrap();
    let frame = |name: &str, rows: u32, level: f32| {
        let row = |row: u32| {
            let noise = (row.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0;
            let gap = if row.is_multiple_of(11) { f32::NAN } else { level + noise };
            [level + row as f32 * 0.01, gap, 0.1, f32::NAN, noise * noise]
        };
        Frame::new(name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, (0..rows).flat_map(row).collect())
            .unwrap()
    };
    FrameSet::from_frames(vec![frame("a", 400, 0.0), frame("b", 333, 1e6), frame("c", 90, -50.0)]).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn one_pass_equals_features_then_normaliser_and_live_rows() {
    let frames = uneven();
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    let features = || Features::default().with(Rolling::new(Statistic::Mean, 7).unwrap());
    for (method, scope) in METHODS.into_iter().flat_map(|m| [(m, Scope::Service), (m, Scope::Global)]) {
        let block = features().apply(&frames).unwrap();
        let normaliser = Normaliser::fit(split.train(), &block, method, scope).unwrap();
        let pipelines = [1, 2, 3].map(|threads| {
            Pipeline::fit(features(), split.train(), &frames, method, scope, threads).unwrap()
        });
        let expected = normaliser.with_limit(8.0).unwrap().apply(block).unwrap();
        for pipeline in pipelines {
            let pipeline = pipeline.with_limit(8.0).unwrap();
            let made = pipeline.apply(&frames).unwrap();
            assert_eq!(bits(made.values()), bits(expected.values()), "{method:?} {scope:?}");
            assert_eq!(made.schema(), expected.schema());
            for memory in [vec![7.0; 3], vec![7.0; 1_000_000]] {
                let again = pipeline.apply_in(memory, &frames).unwrap();
                assert_eq!(bits(again.values()), bits(expected.values()));
            }
            let frame = frames.frame(1).unwrap();
            let mut live = pipeline.bind(frames.schema(), 10).unwrap().start(frame.into()).unwrap();
            let (width, made) = (made.schema().len(), made.frame(1).unwrap());
            for (row, sample) in frame.values().chunks(frames.schema().len()).enumerate() {
                // What a frame refuses, a live state refuses, and stays as it was.
                let (now, mut wrong) = (frame.time(row), sample.to_vec());
                wrong[0] = f32::INFINITY;
                assert!(live.push_at(now, &wrong).is_err() && live.push_at(now, &[1.0]).is_err());
                match live.push_at(now, sample).unwrap().result {
                    None => assert!(row < 9),
                    Some(window) => {
                        let window = window.get(0).unwrap();
                        assert_eq!(bits(window), bits(&made.values()[(row - 9) * width..(row + 1) * width]));
                    }
                }
            }
        }
    }
}

#[test]
fn a_column_too_large_for_a_number_is_missing_from_the_window() {
    let frames = uneven();
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    let features = Features::new().with(Deltas::default());
    let pipeline =
        Pipeline::fit(features, split.train(), &frames, Normalisation::ZScore, Scope::Global, 1).unwrap();
    let frame = frames.frame(0).unwrap();
    let mut live = pipeline.bind(frames.schema(), 2).unwrap().start(frame.into()).unwrap();
    let width = frames.schema().len();
    live.push_at(frame.time(0), &vec![f32::MIN; width]).unwrap();
    assert!(live.push_at(frame.time(1), &vec![f32::MAX; width]).is_err());
    let window = live.push_at(frame.time(2), &vec![f32::MAX; width]).unwrap().result.unwrap();
    let window = window.get(0).unwrap();
    assert!(
        window[..width].iter().all(|value| value.is_nan()) && window[width..].iter().all(|v| v.is_finite())
    );
}

#[test]
fn every_method_centres_what_it_was_fitted_on() {
    let frames = uneven();
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    for method in METHODS {
        let normaliser = Normaliser::fit(split.train(), &frames, method, Scope::Service).unwrap();
        let made = normaliser.apply(frames.clone()).unwrap();
        for service in 0..2 {
            let place = frames.layout().services()[service].rows();
            let last =
                split.train().rows().iter().rev().find(|&&row| place.contains(&(row as usize))).unwrap();
            let rows = *last as usize + 1 - place.start;
            let view = made.frame(service).unwrap();
            let column = |name| -> Vec<f64> {
                let values = view.column(name).unwrap().take(rows);
                values.filter(|value| !value.is_nan()).map(f64::from).collect()
            };
            let y = column("y");
            assert_eq!(y.len(), rows - rows.div_ceil(11));
            let mean = y.iter().sum::<f64>() / y.len() as f64;
            let deviation = (y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / y.len() as f64).sqrt();
            let (min, max) = y.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
            match method {
                Normalisation::ZScore => {
                    assert!(mean.abs() < 1e-4, "{mean}");
                    assert_relative_eq!(deviation, 1.0, epsilon = 1e-4);
                }
                // Uniform noise: its quartiles are half of the range apart, and the range is 1.349 / 0.5 scales.
                Normalisation::Robust => assert_relative_eq!(max - min, 2.698, epsilon = 0.25),
                Normalisation::MinMax => {
                    assert_eq!(min, 0.0);
                    assert_relative_eq!(max, 1.0, epsilon = 2e-7);
                }
                Normalisation::Quantile { .. } => {
                    assert_eq!((min, max), (0.0, 1.0));
                    assert_relative_eq!(mean, 0.5, epsilon = 0.01);
                }
                other => panic!("no figures are known of {other:?}"),
            }
            let still = if matches!(method, Normalisation::Quantile { .. }) { 0.5 } else { 0.0 };
            assert!(column("constant").iter().all(|&value| value == still));
            assert!(column("absent").is_empty());
        }
        // A service that was not trained on is measured against all.
        let (mut own, mut other) = ([3.0; 5], [3.0; 5]);
        normaliser.apply_row("nowhere", &mut own).unwrap();
        Normaliser::fit(split.train(), &frames, method, Scope::Global)
            .unwrap()
            .apply_row("a", &mut other)
            .unwrap();
        assert_eq!(bits(&own), bits(&other));
    }
    let few = Normaliser::fit(split.train(), &frames, Normalisation::Quantile { knots: 1 }, Scope::Global);
    assert!(few.is_err());
}

#[test]
fn what_is_saved_is_read_back_and_damage_is_refused() {
    let frames = uneven();
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    for method in METHODS {
        let normaliser =
            Normaliser::fit(split.train(), &frames, method, Scope::Service).unwrap().with_limit(5.0).unwrap();
        let json = serde_json::to_value(&normaliser).unwrap();
        assert_eq!(serde_json::from_value::<Normaliser>(json.clone()).unwrap(), normaliser);
        let damaged = |place: &str, value: serde_json::Value| {
            let mut json = json.clone();
            *json.pointer_mut(place).unwrap() = value;
            serde_json::from_value::<Normaliser>(json).unwrap_err().to_string()
        };
        let quantile = serde_json::json!({"quantiles": [2.0, 1.0]});
        let flat = serde_json::json!({"linear": {"centre": 0.0, "scale": 0.0}});
        let wrong = if matches!(method, Normalisation::Quantile { .. }) { &quantile } else { &flat };
        assert!(damaged("/services/a/1", wrong.clone()).contains("a: y has"));
        let other = if matches!(method, Normalisation::Quantile { .. }) { flat } else { quantile };
        assert!(damaged("/global/0", other).contains("another method"));
        assert!(damaged("/services/b", serde_json::json!([])).contains("b: 0 columns, expected 5"));
        damaged("/limit", (-1).into());
        damaged("/method", "guess".into());
    }
}
