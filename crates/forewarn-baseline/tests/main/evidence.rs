//! Why a score is what it is: contributions add up, and name what was there to be found.

use crate::support::{Data, noisy};
use forewarn_baseline::{
    BoostedTrees, Calibrated, Calibration, Combined, Control, Cusum, Input, LogisticRegression, Novelty,
    Occlusion, Part, RollingMean, StaticThreshold, Trend, Watch,
};
use forewarn_core::{Attribution, Evidence, Explain};

fn explained(model: &dyn Explain, data: &Data) -> Vec<Evidence> {
    let windows = data.split.test().on(&data.frames).unwrap().windows();
    let scores = model.score_all(windows).unwrap();
    let evidence: Vec<Evidence> =
        windows.iter().step_by(7).map(|window| model.explain(window).unwrap()).collect();
    for (evidence, score) in evidence.iter().zip(scores.iter().step_by(7)) {
        assert_eq!(evidence.score(), *score);
        let sum =
            evidence.base_log_odds() + evidence.contributions().iter().map(|part| part.log_odds).sum::<f64>();
        assert!((sum - score.log_odds()).abs() < 2e-3 * (1.0 + sum.abs()), "{sum} {}", score.log_odds());
        let text = serde_json::to_string(evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), *evidence);
    }
    evidence
}

fn models(data: &Data) -> Vec<Box<dyn Explain>> {
    let trees = || data.fit(&BoostedTrees::default().with_trees(60, 60).with_shares(1.0, 1.0)).unwrap();
    let validation = || data.split.validation().on(&data.frames).unwrap();
    let combined: Vec<Box<dyn Explain>> =
        vec![Box::new(trees()), Box::new(data.fit(&LogisticRegression::default()).unwrap())];
    vec![
        Box::new(data.fit(&StaticThreshold::new(Watch::Best)).unwrap()),
        Box::new(data.fit(&RollingMean::new(Watch::Best)).unwrap()),
        Box::new(data.fit(&Trend::new(Watch::below("m2", 0.5))).unwrap()),
        Box::new(data.fit(&Cusum::new(Watch::below("m0", -2.0))).unwrap()),
        Box::new(data.fit(&LogisticRegression::new(Input::Snapshot)).unwrap()),
        Box::new(data.fit(&LogisticRegression::new(Input::Aggregates)).unwrap()),
        Box::new(trees()),
        Box::new(data.fit(&Novelty).unwrap()),
        Box::new(data.fit(&Control::Prevalence).unwrap()),
        Box::new(Calibrated::fit(trees(), Calibration::Beta, validation()).unwrap()),
        Box::new(Calibrated::fit(trees(), Calibration::Isotonic, validation()).unwrap()),
        Box::new(Combined::stacked(combined, validation()).unwrap()),
    ]
}

#[test]
fn contributions_add_up_to_the_score() {
    let data = noisy(1500);
    for model in models(&data) {
        assert!(!explained(&*model, &data).is_empty());
    }
}

#[test]
fn what_decides_is_named() {
    let data = noisy(4000);
    let trees = data.fit(&BoostedTrees::default().with_trees(60, 60).with_shares(1.0, 1.0)).unwrap();
    let mut share = [0.0f64; 3];
    for evidence in explained(&trees, &data) {
        assert_eq!(evidence.attribution(), Attribution::TreeShap);
        for part in evidence.contributions() {
            let metric: usize = part.metric[1..].parse().unwrap();
            share[metric] += part.log_odds.abs();
        }
    }
    assert!(share[0] > 5.0 * share[2] && share[1] > 5.0 * share[2], "{share:?}");
    let (first, importance) = &trees.importance()[0];
    assert!(["m0, last", "m1, change over 1 step"].contains(&first.as_str()), "{:?}", trees.importance());
    assert!(importance.splits > 0);
}

#[test]
fn a_linear_model_is_explained_alike_by_occlusion() {
    let data = noisy(800);
    let model = data.fit(&LogisticRegression::default()).unwrap();
    let (train, test) =
        (data.split.train().on(&data.frames).unwrap(), data.split.test().on(&data.frames).unwrap());
    let occlusion = Occlusion::fit(&train);
    for window in
        test.windows().iter().step_by(31).filter(|window| window.iter().all(|value| !value.is_nan()))
    {
        let (exact, found) = (model.explain(window).unwrap(), occlusion.explain(&model, window).unwrap());
        assert_eq!(found.attribution(), Attribution::Occlusion);
        for (metric, log_odds) in exact.by_metric() {
            let near = found
                .by_metric()
                .into_iter()
                .any(|(other, by)| other == metric && (by - log_odds).abs() < 0.02);
            assert!(near, "{metric} {log_odds}: {:?}", found.by_metric());
        }
        // Only the last step of each metric moves a snapshot.
        let steps = occlusion.clone().with_part(Part::MetricAndStep).explain(&model, window).unwrap();
        let moving = steps.contributions().iter().filter(|part| part.log_odds.abs() > 1e-6);
        assert!(moving.clone().count() > 0 && moving.into_iter().all(|part| part.newest_steps_ago == 0));
    }
    assert!(occlusion.explain(&model, &[0.0; 5]).is_err());
    assert!(model.explain(&[0.0; 13]).is_err());
}
