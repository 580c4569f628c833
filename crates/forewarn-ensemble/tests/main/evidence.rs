//! Why a score is what it is: contributions add up, and name what was there to be found.

use crate::line::Line;
use crate::support::{Data, noisy};
use forewarn_core::{Attribution, Evidence, Explain};
use forewarn_ensemble::{Calibrated, CalibrationMethod, Combined, Novelty, Occlusion, Part};

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

#[test]
fn contributions_add_up_to_the_score() {
    let data = noisy(1500);
    let line = |of_means| data.fit(&Line { of_means, off: 0.7 }).unwrap();
    let validation = || data.split.validation().on(&data.frames).unwrap();
    let members: Vec<Box<dyn Explain>> = vec![Box::new(line(false)), Box::new(line(true))];
    let calibrated = |method| Calibrated::fit(line(false), method, validation()).unwrap();
    let models: [Box<dyn Explain>; 4] = [
        Box::new(data.fit(&Novelty).unwrap()),
        Box::new(calibrated(CalibrationMethod::Beta)),
        Box::new(calibrated(CalibrationMethod::Isotonic)),
        Box::new(Combined::stacked(members, validation()).unwrap()),
    ];
    for model in models {
        assert!(!explained(&*model, &data).is_empty());
    }
}

#[test]
fn a_linear_model_is_explained_alike_by_occlusion() {
    let data = noisy(800);
    let model = data.fit(&Line::default()).unwrap();
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
