//! Controls know what they say they know, and no more.

use crate::support::{Data, gauges, through_a_file};
use forewarn_baseline::{Baseline, Control, Direction, SeasonalBand, Watch};
use forewarn_core::{CoreError, Predictor, Save, Score};
use forewarn_schema::{Metric, Schema};

/// 20 days of hours of two services in turn, half a day each; `x` follows the hour; failures of service 1 are four
/// times as common.
fn data() -> Data {
    let hours = 20 * 24;
    let row = |hour: usize| {
        let turn = std::f32::consts::TAU * (hour % 24) as f32 / 24.0;
        [
            (hour / 12 % 2) as f32,
            hour as f32,
            turn.sin(),
            turn.cos(),
            10.0 * turn.sin() + (hour * 7 % 5) as f32,
        ]
    };
    let values: Vec<f32> = (0..hours).flat_map(row).collect();
    let positive: Vec<bool> =
        (0..hours).map(|hour| hour * 13 % 20 < if hour / 12 % 2 == 1 { 8 } else { 2 }).collect();
    Data::new(&gauges(&["service_number", "step_number", "sin(day)", "cos(day)", "x"]), 3, &values, &positive)
}

fn scores(model: &impl Predictor, data: &Data) -> Vec<f32> {
    let windows = data.split.test().on(&data.frames).unwrap();
    model.score_all(windows.windows()).unwrap().into_iter().map(Score::get).collect()
}

#[test]
fn rates_are_shares() {
    let data = data();
    let share =
        data.positive().iter().filter(|&&positive| positive).count() as f32 / data.positive().len() as f32;
    let flat = scores(&data.fit(&Control::Prevalence).unwrap(), &data);
    assert!(flat.iter().all(|&score| (score - share).abs() < 1e-6));
    let by_service = data.fit(&Control::ServiceRate).unwrap();
    let found = scores(&by_service, &data);
    let (low, high) = (found.iter().copied().fold(1.0, f32::min), found.iter().copied().fold(0.0, f32::max));
    assert!((low - 0.1).abs() < 0.03 && (high - 0.4).abs() < 0.03, "{low} {high}");
    for unknown in [f32::NAN, -1.0, 7.0] {
        let window = [unknown, 0.0, 0.0, 0.0, 0.0].repeat(3);
        assert!((by_service.score_one(&window).unwrap().get() - share).abs() < 1e-6);
    }
}

#[test]
fn persistence_never_grows_with_the_time_since() {
    let data = data();
    let control = Control::Persistence { metric: "x".into(), threshold: 12.0, direction: Direction::Above };
    let model = data.fit(&control).unwrap();
    let score = |since: Option<usize>| {
        let mut window = [0.0; 15];
        if let Some(steps) = since {
            window[5 * (2 - steps) + 4] = 12.0;
        }
        model.score_one(&window).unwrap()
    };
    let course = [score(Some(0)), score(Some(1)), score(Some(2)), score(None)];
    assert!(course.windows(2).all(|pair| pair[0] >= pair[1]), "{course:?}");
}

#[test]
fn warnings_come_as_often_as_they_should() {
    let data = data();
    let warned = |control: Control| {
        let model = data.fit(&control).unwrap();
        let read = Baseline::from_envelope(through_a_file(&model.to_envelope(data.spec).unwrap())).unwrap();
        let found: Vec<bool> = (0..20_000u16)
            .map(|step| {
                let window = [0.0, f32::from(step), 0.0, 0.0, 0.0].repeat(3);
                let score = model.score_one(&window).unwrap();
                assert_eq!(read.score_one(&window).unwrap(), score);
                score > data.fit(&Control::Prevalence).map(|m| m.score_one(&window).unwrap()).unwrap()
            })
            .collect();
        let starts = found.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        (found.iter().filter(|&&on| on).count(), starts)
    };
    assert_eq!(warned(Control::Periodic { every: 100, steps: 5 }), (1000, 199));
    let (on, starts) = warned(Control::Poisson { rate: 0.01, steps: 5, seed: 3 });
    // 1 - 0.99^5 of the time; 200 beginnings less those within a warning.
    assert!((on as f64 / 20_000.0 - 0.049).abs() < 0.01 && (150..230).contains(&starts), "{on} {starts}");
}

#[test]
fn what_is_normal_depends_on_the_hour() {
    let data = data();
    let model = data.fit(&SeasonalBand::new(Watch::above("x", 3.0)).with_parts(4)).unwrap();
    let score = |hour: usize, x: f32| {
        let turn = std::f32::consts::TAU * hour as f32 / 24.0;
        model.score_one(&[0.0, 0.0, turn.sin(), turn.cos(), x].repeat(3)).unwrap()
    };
    // 12 is normal at six in the morning and far off at six in the evening.
    assert!(score(18, 12.0) > score(6, 12.0) && score(18, 12.0) > score(18, -8.0));
    let read = Baseline::from_envelope(through_a_file(&model.to_envelope(data.spec).unwrap())).unwrap();
    assert_eq!(scores(&read, &data), scores(&model, &data));
    let plain = Data::new(&gauges(&["x"]), 3, &[1.0; 30], &[[true, false]; 15].concat());
    assert!(matches!(plain.fit(&SeasonalBand::new(Watch::above("x", 3.0))), Err(CoreError::Schema(_))));
}

#[test]
fn settings_out_of_range_are_refused() {
    let data = data();
    for control in [
        Control::Poisson { rate: f64::NAN, steps: 1, seed: 1 },
        Control::Periodic { every: 0, steps: 1 },
        Control::Persistence { metric: "x".into(), threshold: f32::NAN, direction: Direction::Above },
    ] {
        assert!(matches!(data.fit(&control), Err(CoreError::InvalidSetting { .. })), "{control:?}");
    }
    let plain = Data::new(
        &Schema::new(vec![Metric::gauge("x")]).unwrap(),
        1,
        &[1.0; 30],
        &[[true, false]; 15].concat(),
    );
    assert!(matches!(plain.fit(&Control::ServiceRate), Err(CoreError::Schema(_))));
}
