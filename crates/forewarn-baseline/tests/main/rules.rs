//! What the rules promise: the statistic's order, the user's direction, and a sensible choice.

use crate::support::{Data, gauges};
use forewarn_baseline::{BaselineError, Direction, RollingMean, StaticThreshold, Trend, Watch};
use forewarn_core::{CoreError, Predictor, Score, Windows, average_precision};
use forewarn_schema::{Kind, Metric, Schema};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Three metrics, of which `signal` falls before a failure, with heavy tails; one sample in thirty is missing.
fn data(rows: usize) -> Data {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut values, mut positive) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let failing = random.random::<f64>() < 0.1;
        let tail = (1.0 / (random.random::<f32>() + 1e-2)).powi(2);
        let signal = 100.0 - if failing { 4.0 * tail } else { tail };
        for value in [random.random::<f32>(), signal, random.random::<f32>() - 40.0] {
            values.push(if random.random::<f64>() < 1.0 / 30.0 { f32::NAN } else { value });
        }
        positive.push(failing);
    }
    Data::new(&gauges(&["noise", "signal", "other"]), 6, &values, &positive)
}

/// The statistics of `signal` in each window, written again: last, mean of three, line five steps ahead.
fn statistics(data: &Data) -> [Vec<f64>; 3] {
    let mut statistics = [const { Vec::new() }; 3];
    for window in data.values.windows(18).step_by(3) {
        let series: Vec<f64> = window.iter().skip(1).step_by(3).map(|&x| f64::from(x)).collect();
        let points: Vec<(f64, f64)> =
            (0..).map(f64::from).zip(series.iter().copied()).filter(|point| !point.1.is_nan()).collect();
        let recent: Vec<f64> = series[3..].iter().copied().filter(|x| !x.is_nan()).collect();
        let n = points.len() as f64;
        let sum = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>();
        let slope = (n * sum(&|p| p.0 * p.1) - sum(&|p| p.0) * sum(&|p| p.1))
            / (n * sum(&|p| p.0 * p.0) - sum(&|p| p.0).powi(2));
        statistics[0].push(series[5]);
        statistics[1].push(recent.iter().sum::<f64>() / recent.len() as f64);
        statistics[2].push(sum(&|p| p.1) / n + slope * (10.0 - sum(&|p| p.0) / n));
    }
    statistics
}

fn scored(model: &impl Predictor, data: &Data) -> Vec<Score> {
    let test = data.split.test().on(&data.frames).unwrap();
    model.score_all(test.windows()).unwrap()
}

/// Average precision by definition: for each distinct value, precision among all windows at least as bad.
fn brute_average_precision(severity: &[f64], positive: &[bool]) -> f64 {
    let positives = positive.iter().filter(|&&label| label).count() as f64;
    let mut area = 0.0;
    for (&at, _) in severity.iter().zip(positive).filter(|(_, label)| **label) {
        let alarms = severity.iter().filter(|&&other| other >= at).count() as f64;
        let hits =
            severity.iter().zip(positive).filter(|&(&other, &label)| label && other >= at).count() as f64;
        area += hits / alarms;
    }
    area / positives
}

#[test]
fn scores_rank_like_the_statistic() {
    let data = data(3000);
    let statistics = statistics(&data);
    let watch = Watch::below("signal", 95.0);
    let models = [
        data.fit(&StaticThreshold::new(watch.clone())).unwrap(),
        data.fit(&RollingMean::new(watch.clone())).unwrap(),
        data.fit(&Trend::new(watch)).unwrap(),
    ];
    for (index, (model, statistics)) in models.iter().zip(&statistics).enumerate() {
        let scores = scored(model, &data);
        let present: Vec<usize> = (0..scores.len()).filter(|&i| !statistics[i].is_nan()).collect();
        assert!(present.len() > 2800);
        let severity: Vec<f64> = present
            .iter()
            .map(|&i| if index == 0 { f64::from(u8::from(statistics[i] <= 95.0)) } else { -statistics[i] })
            .collect();
        let positive: Vec<bool> = present.iter().map(|&i| data.positive()[i]).collect();
        let ranked: Vec<Score> = present.iter().map(|&i| scores[i]).collect();
        let expected = brute_average_precision(&severity, &positive);
        let got = average_precision(&ranked, &positive).unwrap();
        assert!((got - expected).abs() < 1e-6, "{index}: {got} {expected}");
        // Windows without a sample score the prevalence, which all calibrations also have as their mean.
        let prevalence = data.split.train().positives() as f32 / data.split.train().len() as f32;
        for (i, score) in scores.iter().enumerate().filter(|&(i, _)| statistics[i].is_nan()) {
            assert_eq!(score.get(), prevalence, "window {i}");
        }
        let mean = ranked.iter().map(|score| f64::from(score.get())).sum::<f64>() / ranked.len() as f64;
        assert!((mean - f64::from(prevalence)).abs() < 0.01, "{index}: {mean} {prevalence}");
    }
}

#[test]
fn a_score_at_the_alarm_score_is_the_rule_as_written() {
    let data = data(2000);
    let [last, mean, line] = statistics(&data);
    let watch = Watch::below("signal", 90.0);
    for (model, statistics) in [
        (data.fit(&StaticThreshold::new(watch.clone())).unwrap(), last),
        (data.fit(&RollingMean::new(watch.clone())).unwrap(), mean),
        (data.fit(&Trend::new(watch)).unwrap(), line),
    ] {
        let alarm = model.alarm_score().unwrap();
        let test = data.split.test().on(&data.frames).unwrap();
        for (window, statistic) in test.windows().iter().zip(&statistics) {
            let own = model.statistic(window).unwrap().map_or(f64::NAN, f64::from);
            let is_same = (own - statistic).abs() <= 1e-3 * statistic.abs().max(1.0);
            assert!(is_same || own.is_nan() && statistic.is_nan(), "{own} {statistic}");
        }
        for (score, statistic) in scored(&model, &data).iter().zip(statistics) {
            if !statistic.is_nan() && (statistic - 90.0).abs() > 1e-3 {
                assert_eq!(*score >= alarm, statistic <= 90.0, "{statistic}");
            }
        }
    }
}

#[test]
fn the_best_metric_is_found_with_its_direction() {
    let data = data(2000);
    let statistics = statistics(&data);
    for (model, statistics) in [
        (data.fit(&StaticThreshold::new(Watch::Best)).unwrap(), &statistics[0]),
        (data.fit(&RollingMean::new(Watch::Best)).unwrap(), &statistics[1]),
        (data.fit(&Trend::new(Watch::Best)).unwrap(), &statistics[2]),
    ] {
        let watched = model.watched();
        assert_eq!((watched.metric(), watched.direction()), ("signal", Direction::Below));
        // No other threshold has a higher F1.
        let positives = data.positive().iter().filter(|&&label| label).count() as f64;
        let f1 = |threshold: f64| {
            let alarms = statistics.iter().filter(|&&x| x <= threshold).count() as f64;
            let hits = statistics
                .iter()
                .zip(data.positive())
                .filter(|&(&x, &label)| label && x <= threshold)
                .count();
            2.0 * hits as f64 / (alarms + positives)
        };
        let chosen = f1(f64::from(watched.threshold()) + 1e-4);
        let best = statistics.iter().filter(|x| !x.is_nan()).map(|&x| f1(x)).fold(0.0, f64::max);
        assert!((chosen - best).abs() < 1e-3 && best > 0.2, "{chosen} {best}");
    }
}

#[test]
fn equals_are_settled_by_the_order_of_the_schema() {
    let column: Vec<f32> = (0..40u8).map(|i| f32::from(i % 10)).collect();
    let positive: Vec<bool> = column.iter().map(|&x| x > 7.0).collect();
    let values: Vec<f32> = column.iter().flat_map(|&x| [5.0, -x, x, f32::NAN]).collect();
    let schema = gauges(&["constant", "mirror", "metric", "absent"]);
    let data = Data::new(&schema, 1, &values, &positive);
    let model = data.fit(&StaticThreshold::new(Watch::Best)).unwrap();
    assert_eq!(model.watched().metric(), "mirror");
    assert_eq!(model.watched().direction(), Direction::Below);
    assert_eq!(model.watched().threshold(), -8.0);
    // A constant ranks as badly from above as from below.
    let constant = Data::new(&gauges(&["constant"]), 1, &[5.0; 40], &positive);
    let model = constant.fit(&StaticThreshold::new(Watch::Best)).unwrap();
    assert_eq!(model.watched().direction(), Direction::Above);
}

#[test]
fn a_given_direction_is_never_reversed() {
    let data = data(2000);
    // The wrong way round.
    let watch = Watch::above("signal", 95.0);
    for model in [
        data.fit(&StaticThreshold::new(watch.clone())).unwrap(),
        data.fit(&RollingMean::new(watch.clone())).unwrap(),
        data.fit(&Trend::new(watch)).unwrap(),
    ] {
        let window = |value: f32| [0.5, value, -40.0].repeat(6);
        let score = |value: f32| {
            let window = window(value);
            model.score_all(Windows::new(model.input(), &window, 6, &[5]).unwrap()).unwrap()[0]
        };
        assert!(score(96.0) > score(-3000.0));
        assert!(score(96.0).get() - score(94.0).get() < 0.01, "next to the prevalence");
    }
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let metrics = vec![Metric::gauge("load"), Metric::gauge("absent"), Metric::outcome("failure")];
    let schema = Schema::new(metrics).unwrap();
    let positive: Vec<bool> = (0..30).map(|i| i % 7 == 0).collect();
    let values: Vec<f32> = positive
        .iter()
        .zip(0u8..)
        .flat_map(|(&p, i)| [f32::from(i), f32::NAN, f32::from(u8::from(p))])
        .collect();
    let data = Data::new(&schema, 2, &values, &positive);
    let source = |error: CoreError| match error {
        CoreError::Outside { source, .. } => source.downcast_ref::<BaselineError>().cloned(),
        _ => None,
    };
    let refused = |watch| data.fit(&StaticThreshold::new(watch)).unwrap_err();
    assert!(matches!(refused(Watch::above("lod", 1.0)), CoreError::Schema(_)));
    assert!(matches!(refused(Watch::above("load", f32::NAN)), CoreError::InvalidSetting { .. }));
    assert!(matches!(
        source(refused(Watch::above("absent", 1.0))),
        Some(BaselineError::NoSamples { windows: 29, .. })
    ));
    assert!(matches!(
        source(refused(Watch::above("failure", 0.5))),
        Some(BaselineError::OutcomeAsInput { .. })
    ));
    // The outcome would rank best.
    let best = data.fit(&StaticThreshold::new(Watch::Best)).unwrap();
    assert_eq!(best.watched().metric(), "load");
    assert_eq!(schema.metrics()[2].kind, Kind::Outcome);
    for rows in [0, 3] {
        let model = RollingMean::new(Watch::Best).with_rows(rows);
        assert!(matches!(data.fit(&model), Err(CoreError::InvalidSetting { .. })), "{rows}");
    }
    let calm = Data::new(&schema, 2, &values, &[false; 30]);
    assert!(matches!(calm.fit(&StaticThreshold::new(Watch::Best)), Err(CoreError::SingleClass { .. })));
}

proptest! {
    #[test]
    fn a_worse_statistic_never_scores_less(
        train in prop::collection::vec((-50f32..50.0, any::<bool>()), 10..60), a in -1e4f32..1e4, b in -1e4f32..1e4
    ) {
        let (mut values, mut positive): (Vec<f32>, Vec<bool>) = train.into_iter().unzip();
        (positive[4], positive[5]) = (true, false);
        (values[4], values[5]) = (0.0, 1.0);
        let data = Data::new(&gauges(&["m"]), 4, &values, &positive);
        for direction in [Direction::Above, Direction::Below] {
            let watch = Watch::Metric { name: "m".into(), threshold: 3.0, direction };
            let (low, high) = (a.min(b), a.max(b));
            let (mild, bad) = if direction == Direction::Above { (low, high) } else { (high, low) };
            for model in [
                data.fit(&StaticThreshold::new(watch.clone())).unwrap(),
                data.fit(&RollingMean::new(watch.clone())).unwrap(),
                data.fit(&Trend::new(watch.clone())).unwrap(),
            ] {
                // Constant windows, of which every statistic is the value itself.
                let score = |value: f32| {
                    let window = [value; 4];
                    model.score_all(Windows::new(model.input(), &window, 4, &[3]).unwrap()).unwrap()[0]
                };
                prop_assert!(score(bad) >= score(mild), "{:?} {} {}", model, mild, bad);
            }
        }
    }
}
