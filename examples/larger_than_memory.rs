//! A fleet that does not fit into memory: written to Parquet service by service, then labelled, split, trained on and
//! scored piece by piece, with the scores that memory gives.
//!
//! `cargo run --release --example larger_than_memory`

use forewarn::{
    core::{Samples, Split, Validation},
    io::{
        ReadOptions,
        parquet::{self, ParquetStream, ParquetWriter},
    },
    label::label_pieces,
    prelude::*,
    window::{Metrics, Normalisation, Normaliser, Picked, downsample_negatives},
};
use std::{error::Error, path::Path, time::Instant};

/// A small fleet. A year of 200 services, 105 million rows, takes 4.8 GB in memory: try that size for the difference.
const SERVICES: u32 = 4;
const DAYS: u32 = 45;

/// PR-AUC and scores of all test windows.
type Judged = (f64, Vec<Score>);

/// One service: a daily wave with noise of its own, a rise of latency three times a day, and a failure after every
/// fourth of them.
fn service(number: u32) -> Result<Frame, Box<dyn Error>> {
    let (mut state, mut values) = (number.wrapping_mul(0x9E37_79B9) | 1, Vec::new());
    // Noise in 64 steps: real metrics have few digits, and files of them are small.
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 26) as f32 / 64.0
    };
    let rise = 480 + number % 97;
    for minute in 0..DAYS * 1440 {
        let wave = (minute % 1440) as f32 / 1440.0;
        let load = 0.5 + 2.0 * wave * (1.0 - wave);
        let left = rise - minute % rise;
        let strain = if left <= 12 { (12 - left) as f32 / 12.0 } else { 0.0 };
        let failing = minute % (4 * rise) < 6 && minute > 6;
        let latency = 80.0 + 40.0 * (strain + 2.0 * noise());
        let errors = if failing { 0.125 } else { noise() / 32.0 };
        values.extend([(1000.0 * load).round() + 64.0 * noise(), errors, latency, latency + 64.0]);
        values.extend([latency + 128.0, 0.25 + noise() / 4.0, 0.5 + noise() / 4.0]);
        values.extend([256.0 * noise(), 128.0 * noise(), 0.0]);
    }
    let start = "2025-01-01T00:00:00Z".parse()?;
    Ok(Frame::new(format!("service{number:03}"), Schema::v1(), start, Step::MINUTE, values)?)
}

/// Every failure and one of five hundred quiet minutes, which stands for five hundred.
fn thinned(split: &Split) -> Result<Picked, Box<dyn Error>> {
    Ok(downsample_negatives(split.train(), 0.002, 7)?)
}

/// Every 250th validation window: a model that stops early looks at copies of them.
fn some(validation: &Validation<Samples>) -> Result<Validation<Samples>, Box<dyn Error>> {
    let picks: Vec<u32> = (0..validation.len() as u32).step_by(250).collect();
    Ok(validation.select(&picks)?)
}

/// With a few thousand rows of the file in memory at a time.
fn piece_by_piece(path: &Path) -> Result<Judged, Box<dyn Error>> {
    let stage = stages();
    let mut fleet = ParquetStream::open(path, &ReadOptions::default())?;
    stage(&fleet.summary().to_string());
    let labels = label_pieces(&mut fleet, &Rule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    drop(labels);
    stage("labelled and split");
    let (features, method) = (Features::new().with(Metrics), Normalisation::ZScore);
    let pipeline = Pipeline::fit_pieces(features, split.train(), &mut fleet, method, Scope::Service)?;
    stage("normaliser fitted");
    // Only the windows that are trained on are copied.
    let (picked, validation) = (thinned(&split)?, some(split.validation())?);
    let train_copies = pipeline.copy_windows(&mut fleet, picked.samples())?;
    let validation_copies = pipeline.copy_windows(&mut fleet, &validation)?;
    let train = picked.samples().with_windows(train_copies.windows()?)?;
    let validation = validation.with_windows(validation_copies.windows()?)?;
    let model = LogisticRegression::default().fit(train, validation, &mut Silent)?;
    stage(&format!("a model fitted on {} windows", picked.samples().len()));
    let mut scores = vec![Score::ZERO; split.test().len()];
    let mut windows = pipeline.windows(&mut fleet, split.test())?;
    while let Some(piece) = windows.next_piece()? {
        model.score(piece.windows(), &mut scores[piece.samples.clone()])?;
    }
    stage(&format!("{} test windows scored", scores.len()));
    Ok((average_precision(&scores, split.test().positive())?, scores))
}

/// The same with everything in memory once: the metrics, normalised where they are.
fn in_memory(path: &Path) -> Result<Judged, Box<dyn Error>> {
    let stage = stages();
    let recording = parquet::read(path, &ReadOptions::default())?;
    stage(&recording.summary.to_string());
    let frames = recording.frames;
    let labels = label(&frames, &Rule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    drop(labels);
    stage("labelled and split");
    let normaliser = Normaliser::fit_with(split.train(), &frames, Normalisation::ZScore, Scope::Service, 2)?;
    let columns = normaliser.apply(frames)?;
    stage("normalised");
    let (picked, validation) = (thinned(&split)?, some(split.validation())?);
    let (train, validation) = (picked.samples().on(&columns)?, validation.on(&columns)?);
    let model = LogisticRegression::default().fit(train, validation, &mut Silent)?;
    stage(&format!("a model fitted on {} windows", picked.samples().len()));
    let scores = model.score_all(split.test().on(&columns)?.windows())?;
    stage(&format!("{} test windows scored", scores.len()));
    Ok((average_precision(&scores, split.test().positive())?, scores))
}

/// Prints what is done, when, and how much memory the program has had at most (on Linux).
fn stages() -> impl Fn(&str) {
    let begin = Instant::now();
    move |done| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or(" unknown");
        println!("{:7.1} s  {done} (peak memory {})", begin.elapsed().as_secs_f64(), peak.trim());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("fleet-{}.parquet", std::process::id()));
    let mut file = ParquetWriter::create(&path, &Schema::v1())?;
    for number in 0..SERVICES {
        file.write(service(number)?.view())?;
    }
    file.finish()?;
    // Pieces come first: the peak of memory never falls.
    println!("Piece by piece:");
    let pieces = piece_by_piece(&path)?;
    println!("In memory:");
    let whole = in_memory(&path)?;
    std::fs::remove_file(&path)?;
    println!("PR-AUC {:.3} both ways", whole.0);
    assert!(pieces == whole, "pieces and memory give the same scores");
    Ok(())
}
