//! Hours of kills and fuzzing: what is too long for every run of the tests.

use std::path::Path;

use crate::command::{cargo, run as run_command};
use crate::error::XtaskError;

pub(crate) const HELP: &str = "\
Kill a store at many points, and fuzz the engine.

Usage: cargo xtask soak [OPTIONS]

Options:
      --kills N         Points at which a process that writes a store is killed [default: 1000]
      --seed N          Seed of the points, and of the random histories of the engine [default: 1]
      --fuzz-minutes N  Minutes of fuzzing the engine against itself; needs a nightly compiler and cargo-fuzz [default: 0]
  -h, --help            Show this help

The kills lose no record that was acknowledged, repeat no event, and leave the log of a run without kills. The engine that
is saved, restored and replayed anywhere says what one says that never stopped. The first step runs for some minutes.
";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Soak {
    pub(crate) kills: u64,
    pub(crate) seed: u64,
    pub(crate) fuzz_minutes: u64,
}

impl Soak {
    pub(crate) const USUAL: Self = Self { kills: 1_000, seed: 1, fuzz_minutes: 0 };
}

/// # Errors
/// A program that cannot be started, or fails.
pub(crate) fn run(root: &Path, soak: Soak) -> Result<(), XtaskError> {
    let Soak { kills, seed, fuzz_minutes } = soak;
    let mut store = cargo();
    store
        .current_dir(root)
        .args(["test", "--release", "--package", "forewarn-store", "--test", "main", "--", "kill::"])
        .env("FOREWARN_KILL_POINTS", kills.to_string())
        .env("FOREWARN_KILL_SEED", seed.to_string());
    run_command(&mut store)?;
    let mut engine = cargo();
    engine
        .current_dir(root)
        .args(["test", "--release", "--package", "forewarn-live", "--test", "main", "--", "restarts::"])
        .env("PROPTEST_CASES", kills.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string());
    run_command(&mut engine)?;
    if fuzz_minutes > 0 {
        let mut fuzz = cargo();
        let limit = format!("-max_total_time={}", fuzz_minutes.saturating_mul(60));
        fuzz.current_dir(root).args([
            "+nightly",
            "fuzz",
            "run",
            "engine",
            "--",
            limit.as_str(),
            "-max_len=512",
        ]);
        run_command(&mut fuzz)?;
    }
    Ok(())
}
