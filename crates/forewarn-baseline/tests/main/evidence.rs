//! Why a score is what it is: contributions add up, and name what was there to be found.

use crate::support::{Data, noisy};
use forewarn_baseline::{
    BoostedTrees, Control, Cusum, Input, LogisticRegression, RollingMean, StaticThreshold, Trend, Watch,
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
    vec![
        Box::new(data.fit(&StaticThreshold::new(Watch::Best)).unwrap()),
        Box::new(data.fit(&RollingMean::new(Watch::Best)).unwrap()),
        Box::new(data.fit(&Trend::new(Watch::below("m2", 0.5))).unwrap()),
        Box::new(data.fit(&Cusum::new(Watch::below("m0", -2.0))).unwrap()),
        Box::new(data.fit(&LogisticRegression::new(Input::Snapshot)).unwrap()),
        Box::new(data.fit(&LogisticRegression::new(Input::Aggregates)).unwrap()),
        Box::new(trees()),
        Box::new(data.fit(&Control::Prevalence).unwrap()),
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
