//! Everything that is tested through the public interface, as one program.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod audit;
mod budget;
mod correlated;
mod coverage;
mod events;
mod leaks;
mod self_tests;
mod sklearn;
mod uncertainty;

use forewarn_core::Score;
use forewarn_schema::Timestamp;

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

fn scores(values: &[f32]) -> Vec<Score> {
    values.iter().map(|&value| Score::new(value).unwrap()).collect()
}

/// A seed of a simulation: another one for each `FOREWARN_SEED`, so that whoever doubts a figure can draw their own.
fn seed(number: u64) -> u64 {
    let own = std::env::var("FOREWARN_SEED").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    number.wrapping_add(own.wrapping_mul(1_000_000_007))
}
