//! Says what files of metrics hold, how they are understood, and what is missing from them.
//!
//! ```sh
//! cargo run --release -p forewarn-io --features parquet --example inspect -- metrics.parquet [outcome column]
//! ```

use forewarn_io::{ReadOptions, inspect, inspect_from};
use std::{error::Error, process::ExitCode, time::Instant};

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: inspect FILE [OUTCOME COLUMN], with - for standard input")?;
    let mut options = ReadOptions::default();
    if let Some(outcome) = arguments.next() {
        options = options.with_outcome_column(outcome);
    }
    let begun = Instant::now();
    let summary = match path.as_str() {
        "-" => inspect_from(std::io::stdin(), "standard input", &options)?,
        path => inspect(&[path], &options)?,
    };
    println!("{summary}, read in {:.2} s", begun.elapsed().as_secs_f64());
    for note in &summary.notes {
        println!("note: {note}");
    }
    for service in &summary.services {
        println!(
            "{:?}: {} rows from {} to {}, {} missing",
            service.name, service.rows, service.start, service.end, service.gap_rows
        );
    }
    for metric in &summary.metrics {
        println!("{:?} ({}, {:?}) in {}", metric.name, metric.unit, metric.kind, metric.range);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
