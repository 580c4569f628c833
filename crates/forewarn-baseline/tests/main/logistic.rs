//! Logistic regression against scikit-learn and against theory.

use crate::support::{Data, gauges};
use forewarn_baseline::{
    BaselineError, ClassWeight, FittedLogisticRegression, Input, LogisticRegression, RollingMean, Watch,
};
use forewarn_core::{
    CoreError, Estimator, FitProgress, Predictor, Samples, Silent, Snapshots, Validation, average_precision,
};
use forewarn_schema::{Metric, Schema};

const ROWS: u32 = 240;
const OBSERVATION: usize = 4;

/// The data set of `certify_logistic.py`: values that `f32` holds exactly.
fn certified() -> Data {
    let value = |row: u32, feature: u32| {
        ((row * row * (7 + 2 * feature) + row * (13 + 10 * feature)) % 67) as f32 / 16.0 - 2.0
    };
    let (mut values, mut positive) = (Vec::new(), Vec::new());
    for row in 0..ROWS {
        let x = [0, 1, 2].map(|feature| value(row, feature));
        let noise = ((row * 53) % 97) as f32 / 24.0 - 2.0;
        values.extend(x);
        positive.push(x[0] - 0.5 * x[1] + noise > 1.5);
    }
    Data::new(&gauges(&["x0", "x1", "x2"]), OBSERVATION, &values, &positive)
}

/// Printed by `certify_logistic.py` with scikit-learn 1.9.1: coefficients, then the intercept.
const CERTIFIED: [(Input, ClassWeight, f64, &[f64]); 8] = [
    (Input::Snapshot, ClassWeight::None, 1.0, &[1.300611698, -0.563174629, 0.188077975, -2.072347056]),
    (Input::Snapshot, ClassWeight::None, 0.01, &[0.286274551, -0.124832134, 0.054338068, -1.511625957]),
    (Input::Snapshot, ClassWeight::Balanced, 1.0, &[1.527698379, -0.718470753, 0.19762001, -0.73951779]),
    (Input::Snapshot, ClassWeight::Balanced, 0.01, &[0.413459789, -0.181442535, 0.078004574, -0.1786379]),
    (
        Input::Aggregates,
        ClassWeight::None,
        1.0,
        &[
            1.083936833,
            0.47562544,
            0.507283471,
            -0.825865508,
            0.09515828,
            -0.260823675,
            -0.023095347,
            0.497415338,
            -0.029345849,
            -3.182565695,
        ],
    ),
    (
        Input::Aggregates,
        ClassWeight::None,
        0.01,
        &[
            0.063130833,
            0.047844964,
            0.18421729,
            -0.055478997,
            -0.028188925,
            -0.041636905,
            0.026058973,
            0.035323928,
            -0.014876806,
            -1.575012211,
        ],
    ),
    (
        Input::Aggregates,
        ClassWeight::Balanced,
        1.0,
        &[
            1.261994405,
            0.678720193,
            0.620708326,
            -0.89609845,
            0.055346205,
            -0.322509287,
            0.059591565,
            0.631259021,
            -0.014967428,
            -2.243285425,
        ],
    ),
    (
        Input::Aggregates,
        ClassWeight::Balanced,
        0.01,
        &[
            0.105260484,
            0.079301804,
            0.246722858,
            -0.086076217,
            -0.045663555,
            -0.07267732,
            0.04611987,
            0.058445828,
            -0.013986516,
            -0.216404687,
        ],
    ),
];

fn parameters(model: &FittedLogisticRegression) -> Vec<f64> {
    model.coefficients().map(|(_, w)| f64::from(w)).chain([model.intercept()]).collect()
}

#[test]
fn the_optimum_is_that_of_scikit_learn() {
    let data = certified();
    for (input, class_weight, c, expected) in CERTIFIED {
        let model =
            data.fit(&LogisticRegression::new(input).with_c(c).with_class_weight(class_weight)).unwrap();
        let got = parameters(&model);
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            let close = (got - expected).abs() <= 1e-5 * expected.abs();
            assert!(close, "{input:?} {class_weight:?} {c}: {got} {expected}");
        }
    }
}

#[test]
fn a_window_that_stands_for_several_counts_as_so_many() {
    // Printed by `certify_logistic.py`, by weights and by repeating windows alike.
    let certified_weighted = [
        (ClassWeight::None, [1.375887826, -0.662637165, 0.227092729, -2.047976637]),
        (ClassWeight::Balanced, [1.648150804, -0.82237708, 0.230159259, -0.7964365]),
    ];
    let data = certified();
    let weights = (0..data.split.train().len()).map(|window| 1.0 + (window % 4) as f32).collect();
    let train = data.split.train().clone().with_weights(weights).unwrap();
    for (class_weight, expected) in certified_weighted {
        let model = LogisticRegression::new(Input::Snapshot).with_class_weight(class_weight);
        let validation = data.split.validation().on(&data.frames).unwrap();
        let model = model.fit(train.on(&data.frames).unwrap(), validation, &mut Silent).unwrap();
        for (got, expected) in parameters(&model).iter().zip(expected) {
            assert!((got - expected).abs() <= 1e-5 * expected.abs(), "{class_weight:?}: {got} {expected}");
        }
    }
    let rule = RollingMean::new(Watch::above("x0", 0.5));
    let validation = data.split.validation().on(&data.frames).unwrap();
    let error = rule.fit(train.on(&data.frames).unwrap(), validation, &mut Silent).err().unwrap();
    assert!(matches!(error, CoreError::WeightsUnsupported { .. }), "{error}");
}

/// The penalty that validation asks for is that of its windows by weight.
#[test]
fn validation_windows_that_stand_for_several_count_as_so_many() {
    let data = certified();
    let train = data.split.train().on(&data.frames).unwrap();
    let candidates = [1e-4, 1.0];
    let chosen = |validation: &Validation<Samples>| {
        let model = LogisticRegression::new(Input::Snapshot).with_c_from_validation(&candidates);
        let model = model.fit(train, validation.on(&data.frames).unwrap(), &mut Silent).unwrap();
        model.convergence().unwrap().c
    };
    // Validation holds the rows that were trained on, so that the fit that follows them closest is best; but not
    // where most windows are those of which it says less than the prevalence does, which is all that the strongest
    // penalty leaves.
    let line = data.fit(&LogisticRegression::new(Input::Snapshot)).unwrap();
    let windows = data.split.validation().on(&data.frames).unwrap();
    let prevalence = windows.positives() as f32 / windows.positive().len() as f32;
    let scores = line.score_all(windows.windows()).unwrap();
    let misled = scores.iter().zip(windows.positive());
    let misled = misled.map(|(score, &positive)| (score.get() > prevalence) != positive);
    let weights: Vec<f32> = misled.map(|is_misled| if is_misled { 1000.0 } else { 1.0 }).collect();
    let validation = data.split.validation();
    assert_eq!(chosen(validation), 1.0);
    assert_eq!(chosen(&validation.clone().with_weights(weights.clone()).unwrap()), 1e-4);
    assert_eq!(chosen(&validation.clone().with_weights(vec![7.0; weights.len()]).unwrap()), 1.0);
}

/// The terms of a window, written again.
fn terms(input: Input, window: &[f32]) -> Vec<f64> {
    let series = |feature: usize| window.iter().skip(feature).step_by(3).map(|&x| f64::from(x));
    match input {
        Input::Snapshot => window[9..].iter().map(|&x| f64::from(x)).collect(),
        _ => (0..3)
            .flat_map(|feature| {
                let sum: f64 = series(feature).sum();
                let highest = series(feature).fold(f64::NEG_INFINITY, f64::max);
                [sum / 4.0, highest, series(feature).next_back().unwrap() - series(feature).next().unwrap()]
            })
            .collect(),
    }
}

#[test]
fn the_optimum_has_no_gradient() {
    let data = certified();
    for (input, class_weight, c, _) in CERTIFIED {
        let model =
            data.fit(&LogisticRegression::new(input).with_c(c).with_class_weight(class_weight)).unwrap();
        let weights = parameters(&model);
        let (intercept, coefficients) = weights.split_last().unwrap();
        let windows = data.positive().len() as f64;
        let positives = data.positive().iter().filter(|&&label| label).count() as f64;
        let mut gradient: Vec<f64> = coefficients.iter().copied().chain([0.0]).collect();
        for (window, &label) in data.values.windows(12).step_by(3).zip(data.positive()) {
            let x = terms(input, window);
            let logit: f64 = intercept + x.iter().zip(coefficients).map(|(x, w)| x * w).sum::<f64>();
            let class = if label { positives } else { windows - positives };
            let weight = if class_weight == ClassWeight::None { 1.0 } else { windows / (2.0 * class) };
            let residual = c * weight * (1.0 / (1.0 + (-logit).exp()) - f64::from(u8::from(label)));
            for (slope, x) in gradient.iter_mut().zip(x.iter().chain([&1.0])) {
                *slope += residual * x;
            }
        }
        // Coefficients are rounded to f32; the Hessian's entries are up to about a hundred.
        assert!(
            gradient.iter().all(|slope| slope.abs() < 1e-4),
            "{input:?} {class_weight:?} {c}: {gradient:?}"
        );
        let convergence = model.convergence().unwrap();
        assert!(convergence.gradient_norm <= 1e-7 * (1.0 + convergence.loss).sqrt());
    }
}

#[test]
fn scores_are_the_logistic_of_the_terms() {
    let data = certified();
    let model = data.fit(&LogisticRegression::new(Input::Aggregates)).unwrap();
    let weights = parameters(&model);
    let test = data.split.test().on(&data.frames).unwrap();
    let scores = model.score_all(test.windows()).unwrap();
    for (window, score) in data.values.windows(12).step_by(3).zip(scores) {
        let x = terms(Input::Aggregates, window);
        let logit = weights[9] + x.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
        assert!((f64::from(score.get()) - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6);
    }
}

#[test]
fn bad_columns_do_not_hurt() {
    // Raw units: bytes, a share, a constant, a column with itself twice, and a column without a sample.
    let count = 600u32;
    let (mut values, mut positive) = (Vec::new(), Vec::new());
    for i in 0..count {
        let share = ((i * 37) % 101) as f32 / 1e4;
        let bytes = 3e9 + ((i * i * 7) % 89) as f32 * 4e6;
        values.extend([bytes, share, 7.0, bytes, f32::NAN]);
        positive.push(share > 0.007 && (i * 53) % 97 > 30 || (i * 11) % 83 < 5);
    }
    let data = Data::new(&gauges(&["bytes", "share", "constant", "again", "absent"]), 1, &values, &positive);
    let model = data.fit(&LogisticRegression::new(Input::Snapshot).with_c(1e6)).unwrap();
    let coefficients: Vec<f32> = model.coefficients().map(|(_, w)| w).collect();
    assert!(coefficients[1] > 100.0, "{coefficients:?}");
    assert_eq!(coefficients[4], 0.0);
    assert!((coefficients[0] - coefficients[3]).abs() <= 1e-3 * coefficients[0].abs(), "{coefficients:?}");
    // With an intercept the mean score is the share of positive windows, at any scale of the columns.
    let scores = model.score_all(data.split.test().on(&data.frames).unwrap().windows()).unwrap();
    let mean = scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / f64::from(count);
    let share = data.positive().iter().filter(|&&label| label).count() as f64 / f64::from(count);
    assert!((mean - share).abs() < 1e-5, "{mean} {share}");
}

#[test]
fn separable_classes_have_a_minimum() {
    let values: Vec<f32> = (0..100u8).map(f32::from).collect();
    let positive: Vec<bool> = values.iter().map(|&x| x > 60.5).collect();
    let data = Data::new(&gauges(&["x"]), 1, &values, &positive);
    let model = data.fit(&LogisticRegression::default()).unwrap();
    let middle = -model.intercept() / f64::from(model.coefficients().next().unwrap().1);
    assert!((middle - 60.5).abs() < 0.1, "{middle}");
}

#[test]
fn no_convergence_is_an_error_with_its_numbers() {
    let data = certified();
    let error = data.fit(&LogisticRegression::new(Input::Aggregates).with_max_iterations(3)).unwrap_err();
    let CoreError::Outside { source, .. } = error else { panic!("{error}") };
    let Some(BaselineError::NotConverged { iterations: 3, gradient_norm, tolerance }) = source.downcast_ref()
    else {
        panic!("{source}")
    };
    assert!(gradient_norm > tolerance && *tolerance > 1e-7);
    // A tolerance below what f64 can tell apart ends as well, at the minimum.
    let strict = data.fit(&LogisticRegression::new(Input::Aggregates).with_tolerance(1e-300)).unwrap();
    assert!(strict.convergence().unwrap().gradient_norm < 1e-6);
}

/// Two columns that are nearly one make a valley in which a loss hardly falls: the fit goes on as long as it was
/// asked to.
#[test]
fn a_tolerance_that_was_set_is_reached() {
    let values: Vec<f32> = (0..800u16)
        .flat_map(|i| {
            let x = f32::from(i * 37 % 101) / 25.0 - 2.0;
            [x, x + 2e-4 * (f32::from(i * 53 % 97) / 97.0 - 0.5)]
        })
        .collect();
    let positive: Vec<bool> =
        (0..800u16).map(|i| values[2 * usize::from(i)] + f32::from(i * 71 % 89) / 30.0 > 1.5).collect();
    let data = Data::new(&gauges(&["x", "y"]), 1, &values, &positive);
    let fit = |tolerance: f64| {
        let strict = LogisticRegression::default().with_c(1e4).with_tolerance(tolerance);
        data.fit(&strict.with_max_iterations(20_000)).unwrap().convergence().unwrap()
    };
    for tolerance in [1e-4, 1e-6] {
        let found = fit(tolerance);
        assert!(found.gradient_norm <= tolerance * (1.0 + found.loss).sqrt(), "{tolerance}: {found:?}");
    }
}

#[test]
fn progress_is_reported() {
    let data = certified();
    let mut losses = Vec::new();
    let mut monitor = |progress: FitProgress<'_>| losses.push((progress.iteration, progress.measures[0].1));
    let (train, validation) = (data.split.train(), data.split.validation());
    let model = LogisticRegression::default()
        .fit(train.on(&data.frames).unwrap(), validation.on(&data.frames).unwrap(), &mut monitor)
        .unwrap();
    let convergence = model.convergence().unwrap();
    assert_eq!(losses.len(), convergence.iterations);
    assert!(losses.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1 && pair[1].1 < pair[0].1 + 1e-9));
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let data = certified();
    for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = data.fit(&LogisticRegression::default().with_c(c));
        assert!(matches!(refused, Err(CoreError::InvalidSetting { name: "C", .. })), "{c}");
    }
    let refused = data.fit(&LogisticRegression::default().with_tolerance(f64::NAN));
    assert!(matches!(refused, Err(CoreError::InvalidSetting { name: "tolerance", .. })));
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::outcome("failure")]).unwrap();
    let leaked = Data::new(&schema, 1, &[0.0, 0.0, 1.0, 1.0], &[false, true]);
    let error = leaked.fit(&LogisticRegression::default()).unwrap_err().to_string();
    assert!(error.contains("\"failure\" states what failed"), "{error}");
}

#[test]
fn an_early_end_takes_fewer_steps_and_ranks_as_well() {
    // Columns that nearly repeat one another: hundreds of steps lie between a good line and the minimum.
    let rows = 3000;
    let number = |row: u32, salt: u32| {
        (row.wrapping_add(salt * 7919).wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0
    };
    let sample = |row: u32| {
        let base: Vec<f32> = (0..8).map(|salt| number(row, salt) - 0.5).collect();
        let near = (0..8).map(|at| base[at] + 0.001 * (number(row, 20 + at as u32) - 0.5));
        base.iter().copied().chain(near).collect::<Vec<f32>>()
    };
    let values: Vec<f32> = (0..rows).flat_map(sample).collect();
    let positive: Vec<bool> =
        (0..rows).map(|row| sample(row)[..3].iter().sum::<f32>() + number(row, 50) - 0.5 > 0.6).collect();
    let names: Vec<String> = (0..16).map(|at| format!("m{at}")).collect();
    let schema = gauges(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let cut = |from: usize, to: usize| {
        Snapshots::new(schema.clone(), values[16 * from..16 * to].to_vec(), positive[from..to].to_vec())
            .unwrap()
    };
    let (train, test) = (cut(0, 2000), cut(2000, 3000));
    let fit = |line: LogisticRegression| line.with_c(1e4).fit_snapshots(&train, &test, &mut Silent).unwrap();
    let (whole, early) =
        (fit(LogisticRegression::default()), fit(LogisticRegression::default().with_early_end()));
    let steps = |line: &FittedLogisticRegression| line.convergence().unwrap().iterations;
    assert!(3 * steps(&early) <= 2 * steps(&whole), "{} of {}", steps(&early), steps(&whole));
    let precision = |line: &FittedLogisticRegression| {
        average_precision(&line.score_all(test.labelled().windows()).unwrap(), test.positive()).unwrap()
    };
    assert!((precision(&early) - precision(&whole)).abs() < 0.01);
}
