//! Saved models: the same bits back, and nothing else accepted.

use crate::support::{Data, gauges};
use forewarn_baseline::{
    BoostedTrees, FittedLogisticRegression, FittedRule, FittedTrees, Input, LogisticRegression, RollingMean,
    StaticThreshold, Trend, Watch,
};
use forewarn_core::{CoreError, Envelope, ModelFileError, Predictor, Registry, Save, Tensor, WindowSpec};

fn data() -> Data {
    let values: Vec<f32> = (0..900u32).map(|i| ((i * i * 7 + i * 13) % 101) as f32 / 7.0 - 3.0).collect();
    let positive: Vec<bool> =
        values.chunks(3).zip(0..).map(|(row, i)| row[0] + row[1] + (i % 5) as f32 > 17.0).collect();
    Data::new(&gauges(&["m0", "m1", "m2"]), 4, &values, &positive)
}

fn through_a_file(envelope: &Envelope) -> Envelope {
    let mut file = Vec::new();
    envelope.write(&mut file).unwrap();
    Envelope::from_bytes(&file).unwrap()
}

fn rules(data: &Data) -> [(&'static str, FittedRule); 4] {
    [
        ("static_threshold", data.fit(&StaticThreshold::new(Watch::Best)).unwrap()),
        ("rolling_mean", data.fit(&RollingMean::new(Watch::below("m1", 0.1)).with_rows(2)).unwrap()),
        ("trend", data.fit(&Trend::new(Watch::above("m0", 0.1)).with_horizon(7)).unwrap()),
        ("trend", data.fit(&Trend::new(Watch::Best)).unwrap()),
    ]
}

#[test]
fn reloaded_models_score_the_same_bits() {
    let data = data();
    let test = data.split.test().on(&data.frames).unwrap().windows();
    for (kind, rule) in rules(&data) {
        let envelope = rule.to_envelope(data.spec).unwrap();
        assert_eq!(envelope.kind, kind);
        let reloaded = FittedRule::from_envelope(through_a_file(&envelope)).unwrap();
        assert_eq!(reloaded, rule);
        assert_eq!(reloaded.score_all(test).unwrap(), rule.score_all(test).unwrap());
    }
    for input in [Input::Snapshot, Input::Aggregates] {
        let model = data.fit(&LogisticRegression::new(input)).unwrap();
        let envelope = model.to_envelope(data.spec).unwrap();
        assert_eq!(envelope.kind, "logistic_regression");
        let reloaded = FittedLogisticRegression::from_envelope(through_a_file(&envelope)).unwrap();
        assert!(reloaded.coefficients().eq(model.coefficients()));
        assert_eq!(reloaded.score_all(test).unwrap(), model.score_all(test).unwrap());
    }
}

#[test]
fn what_no_fit_makes_is_refused() {
    let data = data();
    let [(_, threshold), (_, mean), (_, trend), _] = rules(&data);
    let model = data.fit(&LogisticRegression::new(Input::Snapshot)).unwrap();
    let [threshold, mean, trend] = [threshold, mean, trend].map(|rule| rule.to_envelope(data.spec).unwrap());
    let model = model.to_envelope(data.spec).unwrap();

    let changed = |from: &Envelope, change: &dyn Fn(&mut Envelope)| {
        let mut envelope = from.clone();
        change(&mut envelope);
        envelope
    };
    let tensor = |values: &[f32]| Tensor::new(vec![values.len()], values.to_vec()).unwrap();
    let rule = |envelope: Envelope| FittedRule::from_envelope(envelope).unwrap_err();
    assert!(matches!(rule(model.clone()), ModelFileError::WrongKind { .. }));
    assert!(matches!(rule(changed(&mean, &|e| e.kind = "trend".into())), ModelFileError::WrongKind { .. }));
    assert!(matches!(
        rule(changed(&trend, &|e| e.schema = gauges(&["x"]))),
        ModelFileError::Core(CoreError::Schema(_))
    ));
    let long = serde_json::json!({"mean": {"rows": 5}});
    assert!(matches!(
        rule(changed(&mean, &|e| e.parameters["statistic"] = long.clone())),
        ModelFileError::NotAModel { .. }
    ));
    assert!(matches!(
        rule(changed(&mean, &|e| e.parameters["more"] = 1.into())),
        ModelFileError::NotAModel { .. }
    ));
    for curve in [[0.0, 1.0, -1.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0]] {
        let falling = changed(&trend, &|e| drop(e.tensors.insert("curve".into(), tensor(&curve))));
        assert!(matches!(rule(falling), ModelFileError::NotAModel { .. }), "{curve:?}");
    }
    let infinite = changed(&trend, &|e| drop(e.tensors.insert("threshold".into(), tensor(&[f32::INFINITY]))));
    assert!(matches!(rule(infinite), ModelFileError::NotFinite { .. }));
    let falling = changed(&threshold, &|e| drop(e.tensors.insert("sides".into(), tensor(&[0.5, 0.4]))));
    assert!(matches!(rule(falling), ModelFileError::NotAModel { .. }));
    let no_share = changed(&threshold, &|e| drop(e.tensors.insert("prevalence".into(), tensor(&[1.5]))));
    assert!(matches!(rule(no_share), ModelFileError::Core(CoreError::InvalidScore { .. })));

    let regression = |envelope: Envelope| FittedLogisticRegression::from_envelope(envelope).unwrap_err();
    assert!(matches!(regression(mean), ModelFileError::WrongKind { .. }));
    assert!(matches!(
        regression(changed(&model, &|e| e.schema = gauges(&["m0", "m1"]))),
        ModelFileError::TensorShape { .. }
    ));
    assert!(matches!(
        regression(changed(&model, &|e| e.parameters["input"] = "aggregates".into())),
        ModelFileError::TensorShape { .. }
    ));
    assert!(matches!(
        regression(changed(&model, &|e| drop(e.tensors.remove("at_centre")))),
        ModelFileError::MissingTensor { .. }
    ));
}

#[test]
fn a_window_of_another_length_is_refused() {
    let data = data();
    let other = WindowSpec::new(5, 0, 5).unwrap();
    let rule = data.fit(&Trend::new(Watch::Best)).unwrap();
    assert!(matches!(rule.to_envelope(other), Err(ModelFileError::Core(CoreError::LengthMismatch { .. }))));
    let model = data.fit(&LogisticRegression::default()).unwrap();
    assert!(matches!(model.to_envelope(other), Err(ModelFileError::Core(CoreError::LengthMismatch { .. }))));
}

#[test]
fn every_kind_is_read_by_the_registry() {
    let data = data();
    let registry = forewarn_baseline::register(Registry::new());
    let test = data.split.test().on(&data.frames).unwrap().windows();
    for (_, rule) in rules(&data) {
        let saved = Predictor::as_save(&rule).unwrap().to_envelope(data.spec).unwrap();
        let read = registry.predictor(through_a_file(&saved)).unwrap();
        assert_eq!(read.score_all(test).unwrap(), rule.score_all(test).unwrap());
        // What was read can be saved again, whatever its type.
        assert_eq!(read.as_save().unwrap().to_envelope(data.spec).unwrap(), saved);
    }
    let foreign = Envelope::new("lstm", gauges(&["m0"]), data.spec);
    let error = registry.predictor(foreign).err().unwrap().to_string();
    assert!(error.contains("\"lstm\"") && error.contains("boosted_trees, control, cusum"), "{error}");
}

#[test]
fn nodes_that_are_no_tree_are_refused() {
    let data = data();
    let trees = BoostedTrees::default().with_trees(3, 3).with_leaves(&[4]).with_threads(1);
    let good = data.fit(&trees).unwrap().to_envelope(data.spec).unwrap();
    let read = |envelope: &Envelope| FittedTrees::from_envelope(envelope.clone());
    assert!(read(&good).is_ok());
    let changed = |name: &str, at: usize, value: f32| {
        let mut envelope = good.clone();
        let mut values = good.tensors[name].values().to_vec();
        values[at] = value;
        envelope.tensors.insert(name.to_owned(), Tensor::flat(values));
        envelope
    };
    let left = good.tensors["node_left"].values();
    assert_eq!(left[..1], [1.0], "the root is split");
    // Beyond the tree, beyond what can be counted, between two nodes, back to the root, and to the children of
    // another split.
    for child in [f32::MAX, 1e9, 6.0, 1.5, -1.0] {
        let error = read(&changed("node_left", 0, child)).unwrap_err();
        assert!(matches!(error, ModelFileError::NotAModel { .. }), "{child}: {error}");
    }
    let split = (1..left.len()).find(|&at| left[at] > at as f32).unwrap();
    for child in [0.0, split as f32, 1.0] {
        let error = read(&changed("node_left", split, child)).unwrap_err();
        assert!(matches!(error, ModelFileError::NotAModel { .. }), "{child}: {error}");
    }
    for (name, wrong) in
        [("node_column", f32::MAX), ("node_column", 0.5), ("node_cover", 0.0), ("tree_nodes", f32::MAX)]
    {
        assert!(read(&changed(name, 0, wrong)).is_err(), "{name} {wrong}");
    }
}
