//! Says what a CSV or Parquet file of metrics holds, and what is missing from it.
//!
//! ```sh
//! cargo run --release -p forewarn-io --features parquet --example inspect -- metrics.parquet [outcome column]
//! ```

use forewarn_io::{ReadOptions, read};
use std::{error::Error, process::ExitCode, time::Instant};

fn inspect() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: inspect FILE [OUTCOME COLUMN]")?;
    let mut options = ReadOptions::default();
    if let Some(outcome) = arguments.next() {
        options = options.with_outcome_column(outcome);
    }
    let begun = Instant::now();
    let recording = read(&path, &options)?;
    let summary = &recording.summary;
    println!("{summary}, read in {:.2} s", begun.elapsed().as_secs_f64());
    for note in &summary.notes {
        println!("note: {note}");
    }
    for service in &summary.services {
        println!(
            "{}: {} rows from {} to {}, {} missing",
            service.name, service.rows, service.start, service.end, service.gap_rows
        );
    }
    for metric in recording.frames.schema().metrics() {
        println!("{} ({}, {:?}) in {}", metric.name, metric.unit, metric.kind, metric.range);
    }
    Ok(())
}

fn main() -> ExitCode {
    match inspect() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
