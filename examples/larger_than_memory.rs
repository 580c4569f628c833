//! A fleet that does not fit into memory: written to Parquet service by service, then labelled, split, trained on and scored piece by piece.
//!
//! `cargo run --release --example larger_than_memory` makes a small fleet and checks that memory would give the same bits. A year of 200 services:
//!
//! ```text
//! cargo run --release --example larger_than_memory -- write fleet.parquet 200 365
//! cargo run --release --example larger_than_memory -- stream fleet.parquet
//! cargo run --release --example larger_than_memory -- memory fleet.parquet
//! ```

use forewarn::core::{Samples, Split, Validation};
use forewarn::io::ReadOptions;
use forewarn::window::{Metrics, Normalisation, Normaliser};
use forewarn::{
    io::parquet::{self, ParquetStream, ParquetWriter},
    label::label_pieces,
    prelude::*,
    window::{Picked, downsample_negatives},
};
use std::{error::Error, path::Path, time::Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One service: a daily wave with noise of its own, a rise of latency three times a day, and a failure after every fourth of them.
fn service(number: u32, days: u32) -> Outcome<Frame> {
    let (mut state, mut values) = (number.wrapping_mul(0x9E37_79B9) | 1, Vec::new());
    // Noise in 64 steps: real metrics have few digits, and files of them are small.
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 26) as f32 / 64.0
    };
    let rise = 480 + number % 97;
    for minute in 0..days * 1440 {
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

fn write(path: &Path, services: u32, days: u32) -> Outcome<()> {
    let mut file = ParquetWriter::create(path, &Schema::v1())?;
    for number in 0..services {
        file.write(service(number, days)?.view())?;
    }
    Ok(file.finish()?)
}

/// Every failure and one of five hundred quiet minutes, which stands for five hundred.
fn thinned(split: &Split) -> Outcome<Picked> {
    Ok(downsample_negatives(split.train(), 0.002, 7)?)
}

/// Every 250th validation window: a model that stops early looks at copies of them.
fn some(validation: &Validation<Samples>) -> Outcome<Validation<Samples>> {
    let picks: Vec<u32> = (0..validation.len() as u32).step_by(250).collect();
    Ok(validation.select(&picks)?)
}

/// PR-AUC and scores of all test windows, with a few thousand rows of the file in memory at a time.
fn stream(path: &Path, features: Features) -> Outcome<(f64, Vec<Score>)> {
    let stage = stages();
    let mut fleet = ParquetStream::open(path, &ReadOptions::default())?;
    stage(&fleet.summary().to_string());
    let labels = label_pieces(&mut fleet, &Rule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    drop(labels);
    stage("labelled and split");
    let (method, scope) = (Normalisation::ZScore, Scope::Service);
    let pipeline = Pipeline::fit_pieces(features, split.train(), &mut fleet, method, scope)?;
    stage("normaliser fitted");
    let (picked, validation) = (thinned(&split)?, some(split.validation())?);
    let copies = [picked.samples(), &*validation as &Samples];
    let copies =
        [pipeline.copy_windows(&mut fleet, copies[0])?, pipeline.copy_windows(&mut fleet, copies[1])?];
    let train = picked.samples().with_windows(copies[0].windows()?)?;
    let validation = validation.with_windows(copies[1].windows()?)?;
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
fn memory(path: &Path) -> Outcome<(f64, Vec<Score>)> {
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

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", path, services, days] => match (services.parse(), days.parse()) {
            (Ok(services), Ok(days)) => write(path.as_ref(), services, days)?,
            _ => return Err(format!("{services:?} services, {days:?} days: expected two numbers").into()),
        },
        ["stream", path] => println!("PR-AUC {:.3}", stream(path.as_ref(), Features::default())?.0),
        ["memory", path] => println!("PR-AUC {:.3}", memory(path.as_ref())?.0),
        [] => {
            let path = std::env::temp_dir().join(format!("fleet-{}.parquet", std::process::id()));
            write(&path, 4, 45)?;
            println!("The ten metrics, piece by piece:");
            let pieces = stream(&path, Features::new().with(Metrics))?;
            println!("The ten metrics, in memory:");
            let whole = memory(&path)?;
            println!("Nineteen features, piece by piece:");
            let (precision, _) = stream(&path, Features::default())?;
            std::fs::remove_file(&path)?;
            println!("PR-AUC {:.3} by ten metrics, {precision:.3} by nineteen features", whole.0);
            assert!(pieces == whole, "pieces and memory give the same scores");
        }
        _ => return Err("expected: write FILE SERVICES DAYS, stream FILE, memory FILE, or nothing".into()),
    }
    Ok(())
}
