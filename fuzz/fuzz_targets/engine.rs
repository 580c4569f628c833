//! Whatever samples, clocks, operators and crashes come: an engine that is saved and restored anywhere says what one
//! says that never stopped, and what one says that is replayed from the journal; a snapshot of what was restored is
//! the same.
//!
//! `cargo +nightly fuzz run engine -- -max_total_time=3600 -max_len=512`

#![no_main]

use forewarn_label::{Indicator, Slo};
use forewarn_live::{Action, Engine, EngineConfig, EngineModels, Event, EventBody, Input, ServedModel, SourceStatus};
use forewarn_schema::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, OnceLock};

const MODEL: &[u8] = include_bytes!("../../crates/forewarn-live/tests/golden/model.safetensors");
const SERVICES: [&str; 4] = ["cart", "login", "a:b:2024-01-01T00:00:00Z", ""];

fn models() -> EngineModels {
    static SERVED: OnceLock<Arc<ServedModel>> = OnceLock::new();
    let served = SERVED.get_or_init(|| Arc::new(ServedModel::read(MODEL).expect("the golden model")));
    EngineModels::new("main", Arc::clone(served)).with_shadow("shadow", Arc::clone(served))
}

fn config() -> EngineConfig {
    let slo = Slo::new("answers", Indicator::default(), 0.99);
    EngineConfig { expire_minutes: 25, ahead_minutes: 30, slos: vec![slo], ..EngineConfig::default() }
}

fn shown(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| serde_json::to_string(event).expect("an event is JSON")).collect()
}

/// Numbers from the front of the input, 0 at its end.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, &[][..]), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    fn service(&mut self) -> String {
        SERVICES[usize::from(self.next()) % SERVICES.len()].to_owned()
    }

    fn value(&mut self) -> f64 {
        match self.next() {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -1.0,
            3 => 1e30,
            other => f64::from(other) / 64.0,
        }
    }

    /// A time some seconds around a minute.
    fn time(&mut self, minute: i64) -> Timestamp {
        let seconds = i64::from(self.next() as i8) * 3;
        Timestamp::from_millis(minute * 60_000 + seconds * 1000).unwrap_or(Timestamp::EPOCH)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut numbers = Numbers(bytes);
    let mut steady = Engine::new(config(), models()).expect("a good configuration");
    let mut crashing = Engine::new(config(), models()).expect("a good configuration");
    let (mut minute, mut warning, mut journal, mut said) = (1_i64, String::new(), Vec::new(), Vec::new());
    while !numbers.0.is_empty() {
        let input = match numbers.next() % 12 {
            0 => {
                let bytes = crashing.snapshot().expect("every feature can be saved");
                crashing = Engine::restore(config(), models(), &bytes).expect("its own snapshot");
                assert_eq!(crashing.snapshot().expect("saved again"), bytes);
                continue;
            }
            1 => {
                minute += i64::from(numbers.next() % 4);
                continue;
            }
            2 | 3 => {
                let metric = metric(numbers.next());
                Input::Sample { service: numbers.service(), metric, time: numbers.time(minute), value: numbers.value() }
            }
            4 => Input::Advance { now: numbers.time(minute) },
            5 => Input::Graph { calls: vec![(numbers.service(), numbers.service())] },
            6 => {
                let status = match numbers.next() % 3 {
                    0 => SourceStatus::Up,
                    1 => SourceStatus::Partial,
                    _ => SourceStatus::Down { reason: "down".to_owned() },
                };
                Input::Source { source: "s".to_owned(), status }
            }
            7 => Input::Action(match numbers.next() % 4 {
                0 => Action::Acted { warning: warning.clone() },
                1 => Action::Acknowledge { warning: warning.clone() },
                2 => Action::Silence { service: numbers.service(), until: numbers.time(minute + 3) },
                _ => Action::Promote { model: ["main", "shadow"][usize::from(numbers.next() % 2)].to_owned(), reason: String::new() },
            }),
            _ => {
                minute += i64::from(numbers.next() % 2);
                let values = (0..10).map(|_| numbers.value() as f32).collect();
                let millis = minute * 60_000;
                let time = Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH);
                Input::Row { service: numbers.service(), time, values }
            }
        };
        journal.push(input.clone());
        match (steady.apply(input.clone()), crashing.apply(input)) {
            (Ok(one), Ok(other)) => {
                assert_eq!(shown(&one), shown(&other));
                for (seq, event) in (said.len() as u64..).zip(&one) {
                    assert_eq!(event.seq, seq, "numbers have no gaps");
                    if let EventBody::Warning(raised) = &event.body {
                        warning.clone_from(&raised.id);
                    }
                }
                said.extend(shown(&one));
            }
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            (one, other) => panic!("{one:?} {other:?}"),
        }
    }
    assert_eq!(steady.counters().ledger_faults, 0);
    let mut replayed = Engine::new(config(), models()).expect("a good configuration");
    let again = journal.into_iter().flat_map(|input| replayed.apply(input).unwrap_or_default());
    assert_eq!(shown(&again.collect::<Vec<_>>()), said);
});

fn metric(number: u8) -> String {
    ["request_count", "error_rate", "p50_latency", "p95_latency", "cpu_usage", "unheard"][usize::from(number) % 6]
        .to_owned()
}
