//! Models that are fitted on all there is.

use crate::prelude::*;
use forewarn_core::BoxError;
use forewarn_experiment::{
    ExperimentError, Phase, Progress, StandardModels, Trained, TrainingSummary, write_model,
};
use forewarn_live::ServedModel;
use forewarn_recurrent::Trainer;
use forewarn_window::Fractions;
use std::{fs::File, sync::Mutex};

const DAYS: usize = 12;

fn walk() -> StressWalk {
    StressWalk::new(DAYS * 1440, 7)
}

fn experiment(models: &[&str]) -> Result<Experiment, ExperimentError> {
    let standard = StandardModels {
        rule: Rule::v1(),
        schema: Schema::v1(),
        spec: WindowSpec::default(),
        seed: 7,
        trainer: Trainer::Native,
        members: 1,
    };
    let experiment = Experiment::new(Rule::v1()).with_target(Target::Active);
    models.iter().try_fold(experiment, |experiment, name| Ok(experiment.with_model(standard.get(name)?)))
}

fn train(experiment: Experiment) -> Result<Trained, ExperimentError> {
    experiment.train(Data::from_stress_walk(walk().run()?)?, &|_: Progress<'_>| {})
}

#[test]
fn all_time_is_used_but_for_a_purge() -> Result<(), BoxError> {
    let trained = train(experiment(&["rolling_mean"])?)?;
    let TrainingSummary { train, validation, purge, .. } = trained.summary();
    let frames = FrameSet::from_frames(vec![walk().run()?.frame])?;
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Active)?;
    assert_eq!(*purge, labels.purge());
    // The first and the last window that has a label.
    let labelled: Vec<Timestamp> = labels
        .windows()
        .filter(|(.., label)| !matches!(label, forewarn_core::Label::Excluded(_)))
        .map(|(_, _, time, _)| time)
        .collect();
    assert_eq!((Some(&train.start), Some(&validation.end)), (labelled.first(), labelled.last()));
    let gap = validation.start.minutes_since(train.end);
    assert_eq!(gap, labels.purge() as f64, "the steps of a purge lie between the parts, and no more");
    let share = validation.windows as f64 / labelled.len() as f64;
    assert!((share - 0.15).abs() < 1e-3, "{share}");

    let standard = experiment(&["rolling_mean"])?;
    let evaluated = standard.run(Data::from_stress_walk(walk().run()?)?, &|_: Progress<'_>| {})?;
    let before = evaluated.report().split.train.ok_or("a part")?;
    assert!(train.windows > before.windows + validation.windows / 2, "it trains on what was test as well");
    Ok(())
}

#[test]
fn the_saved_model_gives_the_scores_that_were_measured() -> Result<(), BoxError> {
    let trained = train(experiment(&["trend", "logistic_window", "boosted_trees"])?)?;
    let summary = trained.summary();
    let folder = tempfile::tempdir()?;
    let frames = FrameSet::from_frames(vec![walk().run()?.frame])?;
    let frame = frames.frame(0).ok_or("a frame")?;
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Active)?;
    for model in &summary.models {
        let path = folder.path().join(&model.name);
        write_model(&path, &trained.to_envelope(&model.name)?, &[])?;
        let served = ServedModel::read(File::open(&path)?)?;
        assert_eq!(served.policy(), Some(model.policy));
        let mut live = served.start(frame.service(), frame.start())?;
        let (mut scores, mut positive) = (Vec::new(), Vec::new());
        for row in 0..frame.rows() {
            let (time, label) = (frame.time(row), labels.as_slice()[row]);
            let score = served.push_at(&mut live, time, frame.row(row).ok_or("a row")?)?.result;
            let is_measured = (summary.validation.start..=summary.validation.end).contains(&time);
            let known = !matches!(label, forewarn_core::Label::Excluded(_));
            if let Some(score) = score.filter(|_| is_measured && known) {
                scores.push(score);
                positive.push(label == forewarn_core::Label::Positive);
            }
        }
        assert_eq!(scores.len(), summary.validation.windows);
        assert_eq!(
            average_precision(&scores, &positive)?.to_bits(),
            model.pr_auc.to_bits(),
            "{}",
            model.name
        );
        let called = scores.iter().map(|score| *score >= model.policy.threshold());
        let hits = called.zip(&positive).filter(|&(called, &positive)| called && positive).count();
        assert!((model.recall - hits as f64 / summary.validation.positives as f64).abs() < 1e-12);
        assert!(model.failures_detected <= model.failures && model.failures > 0);
    }
    let best = summary.models.iter().map(|model| model.pr_auc).fold(0.0, f64::max);
    assert_eq!(summary.chosen().ok_or("a model")?.pr_auc, best);
    let error = trained.to_envelope("lstm").err().ok_or("not fitted")?.to_string();
    assert!(error.contains("\"lstm\"") && error.contains("it fitted trend, logistic_window"), "{error}");
    Ok(())
}

/// Failures in the first days only: enough for training, none to choose by.
#[test]
fn a_part_of_one_class_is_refused_by_name() -> Result<(), BoxError> {
    let fails_until = |days: usize| -> Result<FrameSet, BoxError> {
        let frame = walk().run()?.frame;
        let width = frame.view().schema().len();
        let mut values = frame.view().values().to_vec();
        values.chunks_exact_mut(width).skip(days * 1440).for_each(|row| row[1] = 0.001);
        let view = frame.view();
        let frame = Frame::new(view.service(), view.schema().clone(), view.start(), view.step(), values)?;
        Ok(FrameSet::from_frames(vec![frame])?)
    };
    let train = |days| -> Result<Option<ExperimentError>, BoxError> {
        let data = Data::from_source(&mut Memory(fails_until(days)?))?;
        Ok(experiment(&["rolling_mean"])?.train(data, &|_: Progress<'_>| {}).err())
    };
    assert!(matches!(train(0)?, Some(ExperimentError::NoFailures { .. })));
    let error = train(8)?.ok_or("validation has no failure")?;
    assert!(
        matches!(error, ExperimentError::SingleClass { part: "validation", positives: 0, .. }),
        "{error}"
    );
    assert!(train(DAYS)?.is_none(), "with failures to the end all is well");
    Ok(())
}

#[test]
fn settings_are_those_of_the_experiment() -> Result<(), BoxError> {
    let seen = Mutex::new(Vec::new());
    let observer = |progress: Progress<'_>| {
        if let Progress::Phase { phase, done: 0, .. } = progress {
            seen.lock().unwrap().push(phase);
        }
    };
    let models = ["logistic_snapshot", "rolling_mean"];
    let experiment = experiment(&models)?
        .with_split(Fractions::new(0.5, 0.3, 0.2)?)
        .with_model(Model::blend("both", models, Blending::Stacked))
        .with_walk_forward(1);
    let trained = experiment.train(Data::from_stress_walk(walk().run()?)?, &observer)?;
    let summary = trained.summary();
    let windows = (summary.train.windows + summary.validation.windows) as f64;
    assert!((summary.validation.windows as f64 / windows - 0.3).abs() < 1e-3);
    assert_eq!(summary.features.last().ok_or("features")?, "verdict(error_rate >= 0.05)");
    assert_eq!(summary.models.len(), 3);
    assert_eq!(seen.into_inner()?, [Phase::Labelling, Phase::Features, Phase::Evaluation]);
    Ok(())
}

/// What an experiment would need is told before anything is fitted.
#[test]
fn more_memory_than_there_is_is_refused_with_what_it_takes() -> Result<(), BoxError> {
    let train = |bytes: u64| -> Result<Option<ExperimentError>, BoxError> {
        let data = Data::from_stress_walk(walk().run()?)?;
        let limited = experiment(&["rolling_mean"])?.with_memory_limit(bytes);
        Ok(limited.train(data, &|_: Progress<'_>| {}).err())
    };
    let error = train(1_000_000)?.ok_or("a megabyte is too little")?;
    let ExperimentError::TooLarge { needed_bytes, available_bytes: 1_000_000 } = error else {
        return Err(error.into());
    };
    // Nineteen columns of four bytes and some more for each row.
    let rows = (DAYS * 1440) as u64;
    assert!((rows * 4 * 19..rows * 400).contains(&needed_bytes), "{needed_bytes}");
    assert!(train(1 << 40)?.is_none());
    Ok(())
}
