//! Serves the model that `early_warning --save FILE` saved: one row of metrics a minute in, alarms out.
//!
//! `cargo run --release --example serve -- model.safetensors metrics.csv`; without metrics it watches a simulated day of the shop.

use forewarn::{
    eval::AlarmMachine,
    experiment::{Data, Simulated},
    io,
    prelude::*,
    serve::ServedModel,
};
use std::{env, error::Error, fs::File, path::Path, process::ExitCode};

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let file =
        arguments.next().ok_or("which model? cargo run --release --example serve -- MODEL [METRICS]")?;
    let model = ServedModel::read(File::open(&file)?)?;
    let frames = match arguments.next() {
        Some(metrics) => io::read(Path::new(&metrics), &ReadOptions::default())?.frames,
        None => Data::simulated(Simulated::Shop, 24 * 60, 11)?.frames().clone(),
    };
    if frames.layout().step() != model.step() {
        return Err("the model is for rows that are further apart, or closer together".into());
    }
    let policy = model.policy().ok_or("the file does not say when to raise an alarm")?;
    println!("an alarm means: a failure within {} minutes", model.window().horizon());

    // Metrics come as their source has them; the model says which it reads, and in which order.
    let columns: Vec<usize> =
        model.metrics().names().map(|name| frames.schema().index_of(name)).collect::<Result<_, _>>()?;
    let mut alarms = 0;
    for service in frames.frames() {
        // What is kept of a service: its last rows, and what stands between a score and a telephone that rings.
        let mut live = model.start(service.service(), service.start())?;
        let mut machine = AlarmMachine::new(policy, model.step());
        for (row, metrics) in service.values().chunks_exact(frames.schema().len()).enumerate() {
            let metrics: Vec<f32> = columns.iter().map(|&column| metrics[column]).collect();
            let Some(score) = model.push_at(&mut live, service.time(row), &metrics)?.result else { continue };
            if let Some(alarm) = machine.push(service.time(row), score)? {
                println!("{} {}: {:.3}", alarm.time, service.service(), alarm.score.get());
                alarms += 1;
            }
        }
    }
    println!("{alarms} alarms");
    Ok(())
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
