//! Boosted trees: what they learn, what stops them, and that nothing but the data and the settings decides.

use crate::support::{Data, gauges, noisy, through_a_file};
use forewarn_baseline::{
    Baseline, BaselineError, BoostedTrees, ClassWeight, FittedTrees, LogisticRegression, View,
};
use forewarn_core::{
    CoreError, Estimator, Predictor, Save, Score, Silent, Snapshots, Tensor, average_precision,
};
use forewarn_schema::{Metric, Schema};

fn plain() -> BoostedTrees {
    BoostedTrees::default().with_shares(1.0, 1.0).with_shrinkage(1.0, 1.0).with_trees(60, 60)
}

fn scores(model: &impl Predictor, data: &Data) -> Vec<Score> {
    model.score_all(data.split.test().on(&data.frames).unwrap().windows()).unwrap()
}

/// Mean log loss in nats.
fn log_loss(scores: &[Score], positive: &[bool]) -> f64 {
    let losses = scores.iter().zip(positive).map(|(score, &positive)| {
        let probability = f64::from(score.get());
        -if positive { probability.ln() } else { (1.0 - probability).ln() }
    });
    losses.sum::<f64>() / positive.len() as f64
}

#[test]
fn an_interaction_that_no_line_has_is_learnt() {
    let data = noisy(6000);
    let positive = data.positive();
    let trees = scores(&data.fit(&plain()).unwrap(), &data);
    let line = scores(&data.fit(&LogisticRegression::default()).unwrap(), &data);
    assert!(log_loss(&trees, positive) < log_loss(&line, positive) - 0.05);
    assert!(
        average_precision(&trees, positive).unwrap() > average_precision(&line, positive).unwrap() + 0.02
    );
}

#[test]
fn validation_ends_the_growth() {
    // Labels that nothing tells anything of: no tree helps.
    let values: Vec<f32> = (0..1500u32).map(|i| ((i * i * 7 + i * 13) % 101) as f32).collect();
    let positive: Vec<bool> = (0..1500u32).map(|i| i.wrapping_mul(2_654_435_761) >> 30 == 0).collect();
    let schema = gauges(&["m0"]);
    let train = Snapshots::new(schema.clone(), values[..1000].to_vec(), positive[..1000].to_vec()).unwrap();
    let validation = Snapshots::new(schema, values[1000..].to_vec(), positive[1000..].to_vec()).unwrap();
    let model = plain().with_trees(300, 10).fit_snapshots(&train, &validation, &mut Silent).unwrap();
    let fit = model.fit_summary().unwrap();
    assert!(fit.trees < 20 && fit.grown <= fit.trees + 10 && model.trees() == fit.trees, "{fit:?}");
    let loss = log_loss(&model.score_all(validation.labelled().windows()).unwrap(), validation.positive());
    assert!((loss - fit.validation_log_loss).abs() < 1e-5, "{loss} {fit:?}");
}

/// Windows `[n, 3, 1]`, positive where the middle value is high: no row alone tells.
#[test]
fn windows_that_are_cut_already_are_fitted_on_as_such() {
    let number = |i: u32| (i.wrapping_mul(2_654_435_761) >> 8) % 100;
    let cut = |windows: std::ops::Range<u32>| {
        let values =
            windows.clone().flat_map(|window| (0..3).map(move |row| number(3 * window + row) as f32));
        let positive = windows.map(|window| number(3 * window + 1) > 60).collect();
        Snapshots::from_windows(gauges(&["m0"]), 3, values.collect(), positive).unwrap()
    };
    let (train, validation, test) = (cut(0..600), cut(600..800), cut(800..1000));
    let model = plain().fit_snapshots(&train, &validation, &mut Silent).unwrap();
    assert_eq!(model.observation(), 3);
    let scores = model.score_all(test.labelled().windows()).unwrap();
    assert!(average_precision(&scores, test.positive()).unwrap() > 0.99);
    let rows = Snapshots::new(gauges(&["m0"]), vec![0.0; 2], vec![true, false]).unwrap();
    assert!(plain().fit_snapshots(&train, &rows, &mut Silent).is_err(), "a validation set of other windows");
}

#[test]
fn a_window_that_stands_for_several_counts_as_so_many() {
    let number = |row: u32| row.wrapping_mul(2_654_435_761) >> 8;
    let values: Vec<f32> = (0..2000).flat_map(|row| [(number(row) % 7) as f32, (row % 5) as f32]).collect();
    let positive: Vec<bool> =
        (0..2000).map(|row| number(row) % 7 + row % 5 > 4 + number(row + 9) % 5).collect();
    let data = Data::new(&gauges(&["m0", "m1"]), 1, &values, &positive);
    let count = |row: usize| 1 + row % 3;
    let train =
        data.split.train().clone().with_weights((0..2000).map(|row| count(row) as f32).collect()).unwrap();
    let validation = data.split.validation().on(&data.frames).unwrap();
    let settings = plain().with_trees(20, 20);
    let weighted = settings.fit(train.on(&data.frames).unwrap(), validation, &mut Silent).unwrap();

    let rows = (0..2000).flat_map(|row| std::iter::repeat_n(row, count(row)));
    let (mut repeated, mut labels) = (Vec::new(), Vec::new());
    for row in rows {
        repeated.extend_from_slice(&values[2 * row..2 * row + 2]);
        labels.push(positive[row]);
    }
    let table = |values, positive| Snapshots::new(gauges(&["m0", "m1"]), values, positive).unwrap();
    let (repeated, whole) = (table(repeated, labels), table(values.clone(), positive));
    let repeated = settings.fit_snapshots(&repeated, &whole, &mut Silent).unwrap();
    let apart = |other: &FittedTrees| {
        let pairs = scores(&weighted, &data).into_iter().zip(scores(other, &data));
        pairs.map(|(a, b)| (a.get() - b.get()).abs()).fold(0.0, f32::max)
    };
    assert!(apart(&repeated) < 2e-3, "{}", apart(&repeated));
    let unweighted = data.fit(&settings).unwrap();
    assert!(apart(&unweighted) > 1e-2, "{}", apart(&unweighted));
}

#[test]
fn patience_may_be_endless() {
    let values: Vec<f32> = (0..600u32).map(|row| (row.wrapping_mul(2_654_435_761) >> 9) as f32).collect();
    let positive: Vec<bool> = values.iter().map(|value| value % 3.0 < 1.0).collect();
    let data = Snapshots::new(gauges(&["m"]), values, positive).unwrap();
    let fit = |patience| plain().with_trees(30, patience).fit_snapshots(&data, &data, &mut Silent).unwrap();
    let (endless, all) = (fit(usize::MAX), fit(30));
    assert!(all.trees() > 1);
    assert_eq!(endless.trees(), all.trees());
}

#[test]
fn missing_values_go_where_they_fit() {
    let missing = |row: u32| row.is_multiple_of(3);
    let values: Vec<f32> =
        (0..3000).map(|row| if missing(row) { f32::NAN } else { (row % 7) as f32 }).collect();
    let positive: Vec<bool> = (0..3000).map(missing).collect();
    let data = Snapshots::new(gauges(&["m"]), values, positive).unwrap();
    let model = plain().with_trees(100, 100).fit_snapshots(&data, &data, &mut Silent).unwrap();
    let score = |value: f32| model.score_one(&[value]).unwrap().get();
    assert!(score(f32::NAN) > 0.95 && score(0.0) < 0.05 && score(6.0) < 0.05 && score(1e9) < 0.05);
}

#[test]
fn threads_change_nothing_and_seeds_do() {
    let data = noisy(20_000);
    let settings = BoostedTrees::default().with_trees(10, 10).with_shares(0.8, 0.7).with_views(View::rows(4));
    let [alone, together, other] = [
        settings.clone().with_threads(1),
        settings.clone().with_threads(3),
        settings.with_threads(1).with_seed(8),
    ]
    .map(|settings| data.fit(&settings).unwrap());
    assert_eq!(alone, together);
    assert_ne!(alone, other);
}

#[test]
fn the_fit_is_a_promise() {
    let data = noisy(600);
    let model = data.fit(&plain().with_trees(5, 5).with_leaves(&[4])).unwrap();
    let pinned: Vec<u32> = scores(&model, &data)[..4].iter().map(|score| score.get().to_bits()).collect();
    assert_eq!(pinned, PINNED, "{pinned:?}");
}

/// Scores of a fit with a fixed seed, as bits.
const PINNED: [u32; 4] = [1_051_732_635, 1_057_081_649, 1_051_732_635, 1_057_143_537];

#[test]
fn class_weights_raise_the_scores() {
    let data = noisy(2000);
    let mean = |settings: BoostedTrees| {
        let scores = scores(&data.fit(&settings).unwrap(), &data);
        scores.iter().map(|score| score.get()).sum::<f32>() / scores.len() as f32
    };
    let prevalence = data.split.train().positives() as f32 / data.split.train().len() as f32;
    assert!((mean(plain()) - prevalence).abs() < 0.02);
    let balanced = mean(plain().with_class_weight(ClassWeight::Balanced));
    assert!(balanced > prevalence + 0.01, "{balanced} {prevalence}");
}

#[test]
fn a_saved_model_has_the_same_bits_and_no_other_is_accepted() {
    let data = noisy(1000);
    let model = data.fit(&plain().with_trees(30, 30)).unwrap();
    let envelope = model.to_envelope(data.spec).unwrap();
    let read = FittedTrees::from_envelope(through_a_file(&envelope)).unwrap();
    assert_eq!(scores(&read, &data), scores(&model, &data));
    assert_eq!(read.importance(), model.importance());
    assert!(matches!(Baseline::from_envelope(through_a_file(&envelope)).unwrap(), Baseline::Trees(_)));

    let refused = |name: &str, change: &dyn Fn(&mut [f32])| {
        let mut envelope = envelope.clone();
        let mut values = envelope.tensors[name].values().to_vec();
        change(&mut values);
        envelope
            .tensors
            .insert(name.into(), Tensor::new(envelope.tensors[name].shape().to_vec(), values).unwrap());
        FittedTrees::from_envelope(envelope).is_err()
    };
    // A child before its parent would be a way without an end.
    assert!(refused("node_left", &|left| left[1] = 1.0));
    assert!(refused("node_left", &|left| left[0] = 1e9));
    assert!(refused("node_column", &|column| column[0] = 1e6));
    assert!(refused("node_value", &|value| value[0] = f32::NAN));
    assert!(refused("node_cover", &|cover| cover[0] = 0.0));
    assert!(refused("tree_nodes", &|nodes| nodes[0] += 2.0));
    assert!(!refused("node_gain", &|_| {}));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let data = noisy(200);
    for settings in [
        plain().with_leaves(&[]),
        plain().with_leaves(&[1]),
        plain().with_learning_rate(f64::NAN),
        plain().with_trees(0, 1),
        plain().with_shrinkage(0.0, 1.0),
        plain().with_shares(0.0, 1.0),
        plain().with_bins(256),
        plain().with_views(vec![View::At(4)]),
        plain().with_views(Vec::new()),
    ] {
        assert!(matches!(data.fit(&settings), Err(CoreError::InvalidSetting { .. })), "{settings:?}");
    }
    let schema = Schema::new(vec![Metric::gauge("m"), Metric::outcome("failure")]).unwrap();
    let with_outcome = Data::new(&schema, 1, &[0.0; 40], &[[true, false]; 10].concat());
    match with_outcome.fit(&plain()) {
        Err(CoreError::Outside { source, .. }) => {
            assert!(matches!(source.downcast_ref(), Some(BaselineError::OutcomeAsInput { .. })));
        }
        other => panic!("{other:?}"),
    }
    let calm = Data::new(&gauges(&["m"]), 1, &[0.0; 20], &[false; 20]);
    assert!(matches!(calm.fit(&plain()), Err(CoreError::SingleClass { .. })));
}

/// One positive row in a hundred or so, by one of two columns.
fn rare(rows: u32) -> Snapshots {
    let number = |row: u32, salt: u32| {
        row.wrapping_mul(2_654_435_761).wrapping_add(salt).wrapping_mul(2_246_822_519) >> 16
    };
    let values = (0..rows).flat_map(|row| [(number(row, 1) % 100) as f32, (number(row, 2) % 7) as f32]);
    let is_positive = |row: u32| number(row, 3) % 1000 < if number(row, 1) % 100 > 90 { 80 } else { 2 };
    Snapshots::new(gauges(&["m0", "m1"]), values.collect(), (0..rows).map(is_positive).collect()).unwrap()
}

#[test]
fn scores_of_rare_events_are_probabilities_though_most_negative_rows_are_left_out() {
    let (train, validation) = (rare(150_000), rare(40_000));
    let trees = BoostedTrees::default().with_leaves(&[4]).with_trees(80, 80).with_shares(0.9, 1.0);
    let fitted = trees.fit_snapshots(&train, &validation, &mut Silent).unwrap();
    let mean = |snapshots: &Snapshots| {
        let scores = fitted.score_all(snapshots.labelled().windows()).unwrap();
        scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / scores.len() as f64
    };
    let share = |snapshots: &Snapshots| {
        let positives = snapshots.positive().iter().filter(|&&positive| positive).count();
        positives as f64 / snapshots.positive().len() as f64
    };
    assert!(share(&train) < 0.015, "rare: {}", share(&train));
    let ratio = mean(&train) / share(&train);
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
    let scores = fitted.score_all(validation.labelled().windows()).unwrap();
    assert!(average_precision(&scores, validation.positive()).unwrap() > 4.0 * share(&validation));
}

/// Tells a fit to stop after some iterations.
struct Until {
    iterations: usize,
    seen: usize,
}

impl forewarn_core::Monitor for Until {
    fn report(&mut self, progress: forewarn_core::FitProgress<'_>) {
        self.seen = progress.iteration;
    }

    fn should_stop(&self) -> bool {
        self.seen >= self.iterations
    }
}

#[test]
fn a_fit_stops_when_its_monitor_says_so() {
    let (train, validation) = (rare(4_000), rare(2_000));
    let mut until = Until { iterations: 5, seen: 0 };
    let fitted = plain().fit_snapshots(&train, &validation, &mut until).unwrap();
    assert!(until.seen == 5 && fitted.trees() <= 5, "{} {}", until.seen, fitted.trees());
    let mut until = Until { iterations: 3, seen: 0 };
    let line = LogisticRegression::default().fit_snapshots(&train, &validation, &mut until).unwrap();
    assert!(until.seen == 3 && line.score_all(train.labelled().windows()).is_ok());
}
