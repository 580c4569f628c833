//! A journal that every version of the engine replays to the same bytes.
//!
//! The files under `tests/golden` are a model, a journal (inputs one after another, as postcard) and the checksum of
//! the events that come of them. Events that change on purpose are a change that users see: say so in the changelog,
//! and write the checksum again with `cargo test -p forewarn-live --test main -- --ignored write_the_golden_journal`.

use crate::world::{BoxError, at, golden_envelope, rows, walk};
use forewarn_label::{Indicator, Slo};
use forewarn_live::{
    Action, Engine, EngineConfig, EngineModels, EventBody, Input, ServedModel, SourceStatus, WarningState,
};
use forewarn_schema::{Schema, Timestamp};
use std::{fs, path::PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn models() -> EngineModels {
    let file = fs::File::open(path("model.safetensors")).unwrap();
    EngineModels::new("golden", ServedModel::read(file).unwrap())
}

fn config() -> EngineConfig {
    let answers = Slo::new("answers", Indicator::default(), 0.99);
    EngineConfig { slos: vec![answers], expire_minutes: 60, ..EngineConfig::default() }
}

fn golden_engine() -> Engine {
    Engine::new(config(), models()).unwrap()
}

fn inputs() -> Vec<Input> {
    let bytes = fs::read(path("journal.postcard")).unwrap();
    let (mut rest, mut inputs) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let (input, after) = postcard::take_from_bytes(rest).unwrap();
        inputs.push(input);
        rest = after;
    }
    inputs
}

/// Number of lines, their bytes, and their FNV-1a hash.
fn checksum(lines: &[String]) -> String {
    let bytes = || lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    let hash = bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("events {}\nbytes {}\nfnv1a64 {hash:016x}\n", lines.len(), bytes().count())
}

/// All events as lines; `restart_every` saves and restores the engine after this many inputs.
fn replay(restart_every: usize) -> Vec<String> {
    let (mut engine, mut lines) = (golden_engine(), Vec::new());
    for (number, input) in inputs().into_iter().enumerate() {
        lines.extend(engine.apply(input).unwrap().iter().map(|event| serde_json::to_string(event).unwrap()));
        if number % restart_every == restart_every - 1 {
            engine = Engine::restore(config(), models(), &engine.snapshot().unwrap()).unwrap();
        }
    }
    lines
}

#[test]
fn the_golden_journal_gives_the_same_bytes() {
    let lines = replay(usize::MAX);
    for kind in [
        "service_appeared",
        "service_expired",
        "row",
        "score",
        "warning",
        "incident",
        "failure",
        "outcome",
        "budget",
        "slo",
        "source",
        "late",
        "action",
    ] {
        let tag = format!("\"event\":\"{kind}\"");
        assert!(lines.iter().any(|line| line.contains(&tag)), "no event of the kind {kind}");
    }
    assert_eq!(
        checksum(&lines),
        fs::read_to_string(path("events.txt")).unwrap(),
        "the events of the golden journal have changed"
    );
    assert!(replay(97) == lines, "restarts change nothing");
}

/// Rows of two services over half a day, samples, a graph, a source that fails, operators, a clock that jumps.
#[test]
#[ignore = "writes the files of the golden journal"]
fn write_the_golden_journal() -> Result<(), BoxError> {
    let mut engine = golden_engine();
    let mut journal = Vec::new();
    let mut take = |input: Input| -> Result<Vec<EventBody>, BoxError> {
        journal.extend(postcard::to_allocvec(&input)?);
        Ok(engine.apply(input)?.into_iter().map(|event| event.body).collect())
    };
    take(Input::Graph { calls: vec![("cart".into(), "login".into())] })?;
    take(Input::Source { source: "shop".into(), status: SourceStatus::Up })?;
    let frames = [walk("cart", 720, 1), walk("login", 720, 2)];
    let mut acted = 0;
    for (number, input) in rows(&frames).into_iter().enumerate() {
        let minute = number as i64 / 2;
        for body in take(input)? {
            if let EventBody::Warning(warning) = body
                && warning.state == WarningState::Firing
                && acted < 2
            {
                acted += 1;
                take(Input::Action(Action::Acknowledge { warning: warning.id.clone() }))?;
                take(Input::Action(Action::Acted { warning: warning.id }))?;
            }
        }
        match minute {
            100 => {
                take(Input::Source {
                    source: "shop".into(),
                    status: SourceStatus::Down { reason: "connection refused".into() },
                })?;
            }
            110 => drop(take(Input::Source { source: "shop".into(), status: SourceStatus::Up })?),
            200 => drop(take(Input::Action(Action::Silence { service: "login".into(), until: at(230) }))?),
            _ => {}
        }
        if minute % 60 == 30 {
            let time = Timestamp::from_millis(minute * 60_000 - 20_000).ok_or("a time")?;
            let metric = Schema::v1().names().nth(5).ok_or("a metric")?.to_owned();
            take(Input::Sample { service: "basket".into(), metric, time, value: 0.5 })?;
            take(Input::Row { service: "cart".into(), time: at(minute - 5), values: vec![1.0; 10] })?;
        }
    }
    take(Input::Advance { now: at(721) })?;
    take(Input::Advance { now: at(700) })?;
    take(Input::Advance { now: at(800) })?;
    fs::write(path("journal.postcard"), &journal)?;
    fs::write(path("events.txt"), checksum(&replay(usize::MAX)))?;
    Ok(())
}

/// Only for a model file of a new format: the journal's scores come of this one.
#[test]
#[ignore = "writes the model of the golden journal"]
fn write_the_golden_model() -> Result<(), BoxError> {
    golden_envelope()?.write(fs::File::create(path("model.safetensors"))?)?;
    Ok(())
}
