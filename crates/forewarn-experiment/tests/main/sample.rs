//! Models of a sample of windows beside models of all of them.

use crate::prelude::*;
use forewarn_core::BoxError;
use forewarn_experiment::{Progress, SampleQuestion, Sampled, StandardModels, Trained};
use forewarn_recurrent::Trainer;
use forewarn_window::{Fractions, chronological_without_test};

const DAYS: usize = 10;
const KEEP: f64 = 0.1;

/// Three services that fail about as often.
fn fleet() -> Result<FrameSet, BoxError> {
    let service = |(name, seed): (&str, u64)| -> Result<Frame, BoxError> {
        let walk = StressWalk::new(DAYS * 1440, seed).run()?.frame;
        let view = walk.view();
        Ok(Frame::new(name, view.schema().clone(), view.start(), view.step(), view.values().to_vec())?)
    };
    let frames = [("cart", 1), ("search", 2), ("web", 3)].into_iter().map(service);
    Ok(FrameSet::from_frames(frames.collect::<Result<_, _>>()?)?)
}

fn asked(frames: &FrameSet, seed: u64) -> Result<Sampled, BoxError> {
    let (window, target) = (WindowSpec::default(), Target::Onset);
    let rule = Rule::v1();
    let question = SampleQuestion { rule, window, target, keep_quiet: 1.0, keep_negatives: KEEP, seed };
    Ok(question.ask(frames)?)
}

fn train(frames: &FrameSet, weights: Option<Vec<f32>>, models: &[&str]) -> Result<Trained, BoxError> {
    let schema = frames.schema().clone();
    let (trainer, members) = (Trainer::Native, 1);
    let standard = StandardModels { trainer, members, ..StandardModels::new(Rule::v1(), schema) };
    let mut data = Data::from_source(&mut Memory(frames.clone()))?;
    if let Some(weights) = weights {
        data = data.with_window_weights(weights)?;
    }
    let experiment = models.iter().try_fold(Experiment::new(Rule::v1()), |experiment, &name| {
        let model = match name {
            "folds" => Ok(Model::blend(name, ["logistic_window", "logistic_snapshot"], Blending::Folds)),
            _ => standard.get(name),
        };
        Ok::<_, BoxError>(experiment.with_model(model?))
    })?;
    Ok(experiment.train(data, &|_: Progress<'_>| {})?)
}

/// The mean probability of a model over all windows of validation, and its PR-AUC there.
fn on_validation(frames: &FrameSet, trained: &Trained, model: &str) -> Result<(f64, f64), BoxError> {
    let labels = label(frames, &Rule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological_without_test(&labels, Fractions::default())?;
    let features = trained.pipeline().apply(frames)?;
    let windows = split.validation().on(&features)?.windows();
    let scores = trained.predictor(model).ok_or("a model")?.score_all(windows)?;
    let mean = scores.iter().map(|score| f64::from(score.get())).sum::<f64>() / scores.len() as f64;
    Ok((mean, average_precision(&scores, split.validation().positive())?))
}

#[test]
fn models_of_weighted_windows_give_the_probabilities_of_all() -> Result<(), BoxError> {
    let frames = fleet()?;
    let model = "logistic_snapshot";
    let (expected, pr_auc) = on_validation(&frames, &train(&frames, None, &[model])?, model)?;
    for seed in 0..4 {
        let sampled = asked(&frames, seed)?;
        let kept = sampled.about.services.iter().map(|service| service.negatives_kept).sum::<u64>();
        let ones = sampled.weights.iter().map(|&weight| f32::from(u8::from(weight > 0.0))).collect();
        let (mean, area) = on_validation(&frames, &train(&frames, Some(sampled.weights), &[model])?, model)?;
        // The intercept of a logistic regression on some of the negatives is off by one over the root of their number.
        let noise = (kept as f64).sqrt().recip();
        assert!((mean / expected - 1.0).abs() < 4.0 * noise, "seed {seed}: {mean} beside {expected}");
        assert!((area - pr_auc).abs() < 0.02, "seed {seed}: {area} beside {pr_auc}");
        // Without the weights failures seem about ten times as likely.
        let (unweighted, _) = on_validation(&frames, &train(&frames, Some(ones), &[model])?, model)?;
        assert!(unweighted > 4.0 * expected, "seed {seed}: {unweighted} beside {expected}");
    }
    Ok(())
}

#[test]
fn every_kind_of_model_is_fitted_on_a_sample_and_says_which_takes_no_weights() -> Result<(), BoxError> {
    let frames = fleet()?;
    let models = ["boosted_trees", "logistic_window", "logistic_snapshot", "static_threshold", "folds"];
    let (all, sampled) = (train(&frames, None, &models)?, asked(&frames, 7)?);
    let some = train(&frames, Some(sampled.weights), &models)?;
    for (all, some) in all.summary().models.iter().zip(&some.summary().models) {
        assert!(
            (all.pr_auc - some.pr_auc).abs() < 0.05,
            "{}: {} beside {}",
            all.name,
            some.pr_auc,
            all.pr_auc
        );
    }
    let (expected, _) = on_validation(&frames, &all, "boosted_trees")?;
    let (mean, _) = on_validation(&frames, &some, "boosted_trees")?;
    assert!((mean / expected - 1.0).abs() < 0.15, "{mean} beside {expected}");
    // It has all windows: its scores are those of a fit without a sample.
    let figures = |trained: &Trained| trained.summary().models[3].pr_auc.to_bits();
    assert_eq!(figures(&all), figures(&some));
    let notes = some.summary().notes.join("\n");
    assert!(notes.contains("learnt from all") && notes.contains(": static_threshold."), "{notes}");
    assert!(notes.contains("weighted by what each stands for"), "{notes}");
    assert!(!all.summary().notes.join("\n").contains("weight"));
    assert_eq!(all.summary().train, some.summary().train, "the split is that of all windows");
    Ok(())
}

#[test]
fn weights_that_are_none_are_refused() -> Result<(), BoxError> {
    let frames = fleet()?;
    let rows = frames.layout().rows();
    for wrong in [vec![1.0; rows - 1], vec![-1.0; rows], vec![f32::NAN; rows], vec![f32::INFINITY; rows]] {
        let data = Data::from_source(&mut Memory(frames.clone()))?;
        assert!(data.with_window_weights(wrong).is_err());
    }
    Ok(())
}
