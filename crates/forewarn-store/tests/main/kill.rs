//! A child process is killed with SIGKILL at random points, again and again, on the real disk.
//!
//! The child is this test binary, which runs only its test `child`. Set `FOREWARN_KILL_POINTS` for more than 100
//! points and `FOREWARN_KILL_SEED` for others.

use crate::twin::{Run, expected_log};
use forewarn_store::{Durability, StoreOptions, disk::RealDisk};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

const FOLDER: &str = "FOREWARN_KILL_FOLDER";
const NO_SYNC: &str = "FOREWARN_KILL_NO_SYNC";

fn options(folder: &Path, durability: Durability) -> StoreOptions {
    let options = StoreOptions::default().with_durability(durability).with_segment_bytes(4 << 10);
    options.with_events(folder.join("events.ndjson"))
}

fn open(folder: &Path, durability: Durability) -> Run {
    Run::open(Arc::new(RealDisk), &folder.join("store"), &options(folder, durability)).unwrap()
}

fn group(run: &mut Run, number: u64) {
    for _ in 0..=number % 4 {
        run.step().unwrap();
    }
    run.store.commit().unwrap();
    if number % 5 == 4 {
        run.checkpoint().unwrap();
    }
}

/// Appends until it is killed, and says on standard output what is acknowledged.
#[test]
#[ignore = "runs as a child process of the kill test, until it is killed"]
fn child() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let durability = if env::var_os(NO_SYNC).is_some() { Durability::None } else { Durability::Group };
    let mut run = open(folder.as_ref(), durability);
    for number in 0.. {
        group(&mut run, number);
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {}", run.store.kept_seq()).unwrap();
        out.flush().unwrap();
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// The number in a line of a child. The test's own name may precede it, and the kill may cut it: then it is smaller
/// or none.
fn acknowledgement(line: &str) -> Option<u64> {
    line.rsplit_once("acknowledged ")?.1.parse().ok()
}

fn kill_again_and_again(durability: Durability, points: u64, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut acknowledged = 0;
    for _ in 0..points {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "kill::child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(FOLDER, folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if durability == Durability::None {
            command.env(NO_SYNC, "1");
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some are killed while they open the store, the others at any place of a later group.
        let groups = if random.random_bool(0.2) { 0 } else { random.random_range(1..8) };
        let mut seen = 0;
        while seen < groups {
            let Some(line) = lines.next() else {
                panic!("the child ended: {:?}", child.wait_with_output().unwrap())
            };
            if let Some(kept_seq) = acknowledgement(&line.unwrap()) {
                acknowledged = acknowledged.max(kept_seq);
                seen += 1;
            }
        }
        thread::sleep(Duration::from_micros(random.random_range(0..5_000)));
        child.kill().unwrap();
        // What it acknowledged up to its end counts.
        let rest = lines.map_while(Result::ok).filter_map(|line| acknowledgement(&line));
        acknowledged = rest.fold(acknowledged, u64::max);
        child.wait().unwrap();
        let run = open(folder.path(), durability);
        assert!(run.store.next_seq() >= acknowledged, "acknowledged records are lost");
        acknowledged = run.store.next_seq();
    }
    let mut run = open(folder.path(), durability);
    for number in 0..10 {
        group(&mut run, number);
    }
    assert!(acknowledged > points, "the children came to nothing");
    let log = fs::read_to_string(folder.path().join("events.ndjson")).unwrap();
    assert!(log == expected_log(run.store.next_seq()), "the log is not that of a run without kills");
}

#[test]
fn kills_lose_nothing_and_repeat_nothing() {
    let points = number("FOREWARN_KILL_POINTS", 100);
    kill_again_and_again(Durability::Group, points, number("FOREWARN_KILL_SEED", 1));
}

#[test]
fn kills_lose_nothing_even_without_syncs() {
    let points = number("FOREWARN_KILL_POINTS", 100) / 4;
    kill_again_and_again(Durability::None, points, number("FOREWARN_KILL_SEED", 2));
}
