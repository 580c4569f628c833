//! Hours of kills and fuzzing: what is too long for every run of the tests.

use std::path::Path;
use std::process::Command;

use crate::command::{cargo, run as run_command};
use crate::error::XtaskError;

pub(crate) const HELP: &str = "\
Kill a store at many points, and fuzz the engine and every reader.

Usage: cargo xtask soak [OPTIONS]

Options:
      --kills N         Points at which a process that writes a store is killed [default: 1000]
      --seed N          Seed of the points, and of the random histories of the engine [default: 1]
      --fuzz-minutes N  Minutes of fuzzing for each target of fuzz/, such as 60; needs a nightly compiler and
                        cargo-fuzz [default: 0]
      --fuzz-target T   Fuzz this target alone, such as metrics_text
  -h, --help            Show this help

The kills lose no record that was acknowledged, repeat no event, and leave the log of a run without kills. The engine that
is saved, restored and replayed anywhere says what one says that never stopped. The first step runs for some minutes.
Fuzzing begins with the seeds that are kept in the repository, goes on with what earlier runs left below fuzz/corpus,
and stops at the first input that ends in a panic, takes longer than 10 seconds or more than 2 GiB.
";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Soak {
    pub(crate) kills: u64,
    pub(crate) seed: u64,
    pub(crate) fuzz_minutes: u64,
    /// The one target that is fuzzed; all where there is none.
    pub(crate) fuzz_target: Option<Target>,
}

impl Soak {
    pub(crate) const USUAL: Self = Self { kills: 1_000, seed: 1, fuzz_minutes: 0, fuzz_target: None };
}

/// A target of `fuzz/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    name: &'static str,
    /// Folder of its seeds; empty where it begins with nothing.
    seeds: &'static str,
    /// Longest input in bytes.
    most_bytes: u32,
}

/// All targets: what reads files first.
const TARGETS: [Target; 13] = [
    Target { name: "metrics_text", seeds: "fuzz/seeds_text", most_bytes: 4096 },
    Target { name: "metrics_parquet", seeds: "fuzz/seeds_parquet", most_bytes: 16_384 },
    Target { name: "rule", seeds: "fuzz/seeds_rule", most_bytes: 4096 },
    Target { name: "graph", seeds: "fuzz/seeds_graph", most_bytes: 4096 },
    Target { name: "scenario", seeds: "fuzz/seeds_scenario", most_bytes: 4096 },
    Target { name: "scores", seeds: "fuzz/seeds_scores", most_bytes: 4096 },
    Target { name: "served_model", seeds: "fuzz/seeds_model", most_bytes: 16_384 },
    Target { name: "model_file", seeds: "crates/forewarn-recurrent/tests/seeds", most_bytes: 16_384 },
    Target {
        name: "exposition",
        seeds: "crates/forewarn-prometheus/tests/seeds/exposition",
        most_bytes: 4096,
    },
    Target { name: "otlp", seeds: "crates/forewarn-prometheus/tests/seeds/otlp", most_bytes: 4096 },
    Target {
        name: "query_answer",
        seeds: "crates/forewarn-prometheus/tests/seeds/query_answer",
        most_bytes: 4096,
    },
    Target {
        name: "remote_write",
        seeds: "crates/forewarn-prometheus/tests/seeds/remote_write",
        most_bytes: 4096,
    },
    Target { name: "engine", seeds: "", most_bytes: 512 },
];

impl Target {
    /// The target of that name.
    pub(crate) fn named(name: &str) -> Result<Self, XtaskError> {
        TARGETS.into_iter().find(|target| target.name == name).ok_or_else(|| {
            let names = TARGETS.map(|target| target.name).join(", ");
            XtaskError::Usage {
                message: format!("there is no fuzz target {name:?}: expected one of {names}"),
            }
        })
    }
}

/// # Errors
/// A program that cannot be started, or fails.
pub(crate) fn run(root: &Path, soak: Soak) -> Result<(), XtaskError> {
    let Soak { kills, seed, fuzz_minutes, fuzz_target } = soak;
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
        for target in TARGETS.into_iter().filter(|target| fuzz_target.is_none_or(|only| only == *target)) {
            fuzz(root, target, fuzz_minutes)?;
        }
    }
    Ok(())
}

/// Fuzzes one target from its seeds and from what earlier runs found.
fn fuzz(root: &Path, target: Target, minutes: u64) -> Result<(), XtaskError> {
    let corpus = root.join("fuzz/corpus").join(target.name);
    std::fs::create_dir_all(&corpus).map_err(XtaskError::io("create", &corpus))?;
    // The `cargo` of a toolchain does not know `+nightly`; rustup does.
    let mut fuzz = Command::new("rustup");
    fuzz.current_dir(root).args(["run", "nightly", "cargo", "fuzz", "run", target.name]);
    fuzz.arg(&corpus);
    if !target.seeds.is_empty() {
        fuzz.arg(target.seeds);
    }
    fuzz.arg("--")
        .arg(format!("-max_total_time={}", minutes.saturating_mul(60)))
        .arg(format!("-max_len={}", target.most_bytes))
        .args(["-timeout=10", "-rss_limit_mb=2048"]);
    run_command(&mut fuzz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_the_folder_is_fuzzed_from_seeds_that_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = std::fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap();
        let mut there: Vec<String> = files
            .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        let mut known: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
        there.sort();
        known.sort();
        assert_eq!(there, known);
        for target in TARGETS {
            assert_eq!(Target::named(target.name).unwrap(), target);
            assert!(root.join(target.seeds).is_dir(), "{}", target.seeds);
        }
        assert!(Target::named("metrics").unwrap_err().to_string().contains("metrics_text, metrics_parquet"));
    }
}
