//! A small engine whose every event depends on all records before it, and a run of it on a store.

use forewarn_store::{
    Durability, EventId, Fingerprints, Store, StoreError, StoreOptions,
    disk::{Disk, simulated::SimulatedDisk},
};
use serde::Serialize;
use std::{fmt::Write as _, io::Read, path::Path, sync::Arc};

pub(crate) const FOLDER: &str = "store";
pub(crate) const EVENTS: &str = "out/events.ndjson";

/// Record `seq`, of a length between 0 and 1,100 bytes, so that some span sectors.
pub(crate) fn record(seq: u64) -> Vec<u8> {
    let size = if seq % 13 == 5 { 1_000 + seq % 100 } else { seq * 37 % 150 };
    (0..size).map(|at| (seq * 31 + at * 7) as u8).collect()
}

#[derive(Default)]
pub(crate) struct Twin {
    hash: u64,
    pub(crate) next_seq: u64,
}

#[derive(Serialize)]
pub(crate) struct Event {
    hash: u64,
}

impl Twin {
    pub(crate) fn apply(
        &mut self,
        seq: u64,
        record: &[u8],
    ) -> impl Iterator<Item = (EventId, Event)> + use<> {
        assert_eq!(seq, self.next_seq, "a record is missing or comes twice");
        self.next_seq += 1;
        for &byte in seq.to_le_bytes().iter().chain(record) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let hash = self.hash;
        (0..seq as u32 % 3).map(move |index| (EventId { seq, index }, Event { hash }))
    }

    fn state(&self) -> [u8; 16] {
        let mut state = [0; 16];
        state[..8].copy_from_slice(&self.hash.to_le_bytes());
        state[8..].copy_from_slice(&self.next_seq.to_le_bytes());
        state
    }

    fn restore(state: &[u8]) -> Self {
        let number = |at: usize| u64::from_le_bytes(state[at..at + 8].try_into().unwrap());
        Self { hash: number(0), next_seq: number(8) }
    }
}

/// The log that a run of `count` records without any crash writes.
pub(crate) fn expected_log(count: u64) -> String {
    let (mut twin, mut log) = (Twin::default(), String::new());
    for seq in 0..count {
        for (id, Event { hash }) in twin.apply(seq, &record(seq)) {
            writeln!(log, "{{\"seq\":{},\"index\":{},\"event\":{{\"hash\":{hash}}}}}", id.seq, id.index)
                .unwrap();
        }
    }
    log
}

/// An engine with its store.
pub(crate) struct Run {
    pub(crate) store: Store,
    twin: Twin,
}

impl Run {
    /// Opens the store, restores the last checkpoint and replays the tail.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let mut store = Store::open_on(disk, folder, options)?;
        let mut twin = Twin::default();
        if let Some(checkpoint) = &store.recovery().checkpoint {
            let mut state = Vec::new();
            if let Err(source) = checkpoint.state()?.read_to_end(&mut state) {
                return Err(StoreError::File { file: "checkpoint".to_owned(), action: "reading", source });
            }
            twin = Twin::restore(&state);
            assert_eq!(twin.next_seq, checkpoint.next_seq());
        }
        for kept in store.tail()? {
            let kept = kept?;
            assert_eq!(kept.bytes, record(kept.seq), "record {} came back otherwise", kept.seq);
            for (id, event) in twin.apply(kept.seq, &kept.bytes) {
                store.write_event(id, &event)?;
            }
        }
        assert_eq!(twin.next_seq, store.next_seq());
        Ok(Self { store, twin })
    }

    /// Appends a record and hands over its events at once, committed or not.
    pub(crate) fn step(&mut self) -> Result<u64, StoreError> {
        let bytes = record(self.twin.next_seq);
        let seq = self.store.append(&bytes)?;
        for (id, event) in self.twin.apply(seq, &bytes) {
            self.store.write_event(id, &event)?;
        }
        Ok(seq)
    }

    pub(crate) fn checkpoint(&mut self) -> Result<(), StoreError> {
        let state = self.twin.state();
        let next_seq = self.twin.next_seq;
        // In two pieces: the writer is not called with the state as one.
        let saved = self.store.checkpoint(next_seq, Fingerprints::default(), |out| {
            out.write_all(&state[..5])?;
            out.write_all(&state[5..])
        })?;
        assert_eq!((saved.next_seq, saved.state_bytes), (next_seq, 16));
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All records and events are on disk.
    Done,
    /// Nothing works any more.
    Stuck,
}

/// Runs until the store has `target` records, in groups of 1 to 4, with a checkpoint after every fifth group. Goes
/// on after failures until several in a row; `acknowledged` follows what may be acknowledged.
pub(crate) fn run(disk: &SimulatedDisk, options: &StoreOptions, target: u64, acknowledged: &mut u64) -> End {
    let mut opened = Err(None);
    for _ in 0..3 {
        opened = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), options).map_err(Some);
        if opened.is_ok() {
            break;
        }
    }
    let mut run = match opened {
        Ok(run) => run,
        Err(Some(StoreError::File { .. })) => return End::Stuck,
        Err(error) => panic!("{}", error.unwrap()),
    };
    assert!(run.store.next_seq() >= *acknowledged, "acknowledged records are lost");
    // Records that were never acknowledged may have survived; now they are kept like all others.
    *acknowledged = run.store.kept_seq();
    let (mut failures, mut groups) = (0, 0);
    while run.store.kept_seq() < target || run.store.health().pending_events > 0 {
        let group = (target - run.store.next_seq().min(target)).min(1 + groups % 4);
        for _ in 0..group {
            run.step().unwrap();
        }
        failures = match run.store.commit() {
            Ok(kept_seq) => {
                assert_eq!(kept_seq, run.store.next_seq());
                0
            }
            Err(StoreError::File { .. }) => failures + 1,
            Err(other) => panic!("{other}"),
        };
        *acknowledged = (*acknowledged).max(run.store.kept_seq());
        if failures > 2 {
            return End::Stuck;
        }
        groups += 1;
        if groups % 5 == 0 {
            match run.checkpoint() {
                Ok(()) | Err(StoreError::File { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    }
    End::Done
}

pub(crate) fn options(durability: Durability) -> StoreOptions {
    StoreOptions::default().with_durability(durability).with_segment_bytes(4 << 10).with_events(EVENTS)
}

/// Checks that a store of `target` records lacks nothing, even after a loss of power.
#[track_caller]
pub(crate) fn check_complete(disk: &SimulatedDisk, options: &StoreOptions, target: u64) {
    if options.durability != Durability::None {
        disk.power_loss(|| false);
    }
    let run = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), options).unwrap();
    assert_eq!(run.store.next_seq(), target);
    drop(run);
    let log = String::from_utf8(disk.content(EVENTS).unwrap()).unwrap();
    assert_eq!(log, expected_log(target));
}
