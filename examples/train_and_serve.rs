//! Train once, serve elsewhere: a fit that survives an interruption, one file, and a stream scored from it.
//!
//! `cargo run --release --example train_and_serve` needs nothing but Rust, neither to train nor to serve.

use forewarn::{
    core::{Envelope, Save},
    eval::TimingReliability,
    label::Verdicts,
    live::standard_registry,
    prelude::*,
    recurrent::{Cell, Checkpoint, Output, RecurrentModel, Settings},
    window::{Normalisation, WindowState},
};
use std::{error::Error, fs::File, path::Path, process::ExitCode};

fn run() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("target/train_and_serve");
    std::fs::create_dir_all(folder)?;
    let (model, checkpoint) = (folder.join("model.safetensors"), folder.join("checkpoint.safetensors"));
    train(&model, &checkpoint)?;
    serve(&model)
}

/// What runs at night: two weeks of metrics in, a model file out.
fn train(model_file: &Path, checkpoint_file: &Path) -> Result<(), Box<dyn Error>> {
    let run = StressWalk::new(14 * 24 * 60, 7).run()?;
    let metrics = FrameSet::from_frames(vec![run.frame])?;
    let spec = WindowSpec::default();
    let labels = label(&metrics, &Rule::v1(), spec, Target::Active)?;
    let split = chronological(&labels, Fractions::default())?;
    // Where the rule's limit lies need not be learnt.
    let told = Features::default().with(Verdicts::of(&Rule::v1(), metrics.schema()));
    let pipeline = Pipeline::fit(told, split.train(), &metrics, Normalisation::ZScore, Scope::Service, 1)?;
    let features = pipeline.apply(&metrics)?;
    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);

    // A hazard says not only whether a failure comes, but in which minute.
    let settings = Settings {
        cell: Cell::Gru,
        output: Output::Hazard,
        hidden: 32,
        max_epochs: 4,
        seed: 7,
        ..Settings::default()
    };
    let recurrent = Recurrent::new(settings)?;

    // The night is short: after two epochs the machine goes away, all that is left is a file.
    let mut training = recurrent.start(train, validation)?;
    for _ in 0..2 {
        training.epoch()?;
    }
    training.checkpoint().write(File::create(checkpoint_file)?)?;
    drop(training);

    // The next night it goes on, and makes the model that it would have made.
    let mut training =
        recurrent.resume(train, validation, Checkpoint::read(File::open(checkpoint_file)?)?)?;
    while let Some(epoch) = training.epoch()? {
        println!("loss {:.4}, validation PR-AUC {:.3}", epoch.loss, epoch.validation_pr_auc);
    }
    let model = training.finish()?;
    assert_eq!(model, recurrent.fit(train, validation, &mut Silent)?, "interrupted or not");

    let test = split.test().on(&features)?;
    let scores = model.score_all(test.windows())?;
    let prevalence = test.positives() as f64 / scores.len() as f64;
    let pr_auc = average_precision(&scores, test.positive())?;
    println!("PR-AUC on test {pr_auc:.3}, no skill has {prevalence:.3}");
    let forecasts = model.forecast(test.windows())?;
    if let Some(outcomes) = test.outcomes()
        && let Some(timing) = TimingReliability::new(&forecasts, outcomes, TimingReliability::BINS)?
    {
        println!(
            "minutes to failure are off by {:.2} on average, those of always saying the mean by {:.2}",
            timing.mean_absolute_error_minutes, timing.mean_absolute_error_of_the_mean_minutes
        );
    }
    assert!(pr_auc > 3.0 * prevalence);
    let mut envelope = model.to_envelope(spec)?;
    envelope.pipeline = Some(serde_json::to_value(&pipeline)?);
    envelope.write(File::create(model_file)?)?;
    Ok(())
}

/// What runs all day: the file in, a score a minute out. `Envelope` refuses a file that is damaged, foreign or too
/// large.
fn serve(model_file: &Path) -> Result<(), Box<dyn Error>> {
    let envelope = Envelope::read(File::open(model_file)?)?;
    let saved = envelope.pipeline.as_ref().ok_or("the file does not say how features are made")?;
    let pipeline = Pipeline::from_saved(saved, &standard_registry())?;
    let model = RecurrentModel::from_envelope(envelope)?;
    println!("{} with {} units, {} weights", model.cell(), model.hidden(), model.weights());

    // One row of metrics a minute. Each is needed once: pipeline and model keep what they need of the past.
    let hour = StressWalk::new(60, 11).run()?.frame;
    let metrics = hour.view();
    let mut rows = pipeline.bind(metrics.schema(), 1)?.start(metrics.into())?;
    let mut state = model.start();
    let (mut minute, mut score) = (Vec::new(), None);
    for (index, values) in metrics.values().chunks_exact(metrics.schema().len()).enumerate() {
        minute = values.to_vec();
        score = model.step(&mut state, row_of(&mut rows, metrics.time(index), &minute)?)?;
    }
    // None until a whole window has been seen.
    let score = score.ok_or("an hour is shorter than the model's window")?;
    println!("after an hour: {:.4}", score.get());

    // The process is replaced; its successor goes on from a few hundred numbers.
    let saved = serde_json::to_string(&state.save())?;
    let mut successor = model.restore(&serde_json::from_str(&saved)?)?;

    // What if one request in ten failed in the next minute? Clones tell, the states themselves do not notice.
    let mut what_if_rows = rows.clone();
    let row = row_of(&mut rows, metrics.end(), &minute)?;
    minute[metrics.schema().index_of("error_rate")?] = 0.1;
    let bad = row_of(&mut what_if_rows, metrics.end(), &minute)?;
    let mut worse = successor.clone();
    let (what_if, next) = (model.step(&mut worse, bad)?, model.step(&mut successor, row)?);
    assert_eq!(next, model.step(&mut state, row)?, "saved and restored, bit for bit");
    let (what_if, next) = what_if.zip(next).ok_or("a state goes on after a full window")?;
    println!("another such minute: {:.4}; had errors risen: {:.4}", next.get(), what_if.get());
    if let Some(minutes) = model.forecast_state(&mut worse)?.expected_steps() {
        println!("if that came to a failure: in {minutes:.1} minutes");
    }
    assert!(what_if > next && score < Score::new(0.2)?);
    Ok(())
}

/// The features of a minute: a window of one row.
fn row_of<'a>(
    rows: &'a mut WindowState,
    time: Timestamp,
    minute: &[f32],
) -> Result<&'a [f32], Box<dyn Error>> {
    let window = rows.push_at(time, minute)?.result;
    Ok(window.and_then(|window| window.get(0)).ok_or("a window of one row")?)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
