//! A disk that fails for a while: the caller goes on, nothing is lost, everything is counted.

use crate::twin::{EVENTS, FOLDER, Run, expected_log, options, record};
use forewarn_store::{
    Condition, Durability, EventId, Store, StoreError, StoreOptions,
    disk::simulated::{Fault, Outage, SimulatedDisk},
};
use std::{path::Path, sync::Arc};

fn open(disk: &SimulatedDisk, options: &StoreOptions) -> Run {
    Run::open(Arc::new(disk.clone()), Path::new(FOLDER), options).unwrap()
}

#[test]
fn an_outage_is_told_and_ends_without_loss() {
    for outage in [Outage::ReadOnly, Outage::Full { capacity: 2_500 }, Outage::SyncFails] {
        for durability in [Durability::Each, Durability::Group] {
            let disk = SimulatedDisk::default();
            let options = options(durability);
            let mut run = open(&disk, &options);
            for _ in 0..9 {
                run.step().unwrap();
            }
            assert_eq!(run.store.commit().unwrap(), 9);
            assert!(!run.store.health().journal.is_degraded());

            disk.set_outage(outage);
            for _ in 0..30 {
                run.step().unwrap();
            }
            run.store.commit().unwrap_err();
            let failure = run.store.commit().unwrap_err().to_string();
            let health = run.store.health();
            let since_seq = run.store.kept_seq();
            assert!(since_seq < 39, "{outage:?}");
            assert_eq!((health.pending_records, health.refused_records), (39 - since_seq, 0));
            assert!(health.pending_events > 0);
            let Condition::Degraded { since_seq: since, failures, reason } = health.journal else {
                panic!("{outage:?} went unnoticed")
            };
            assert!(since == since_seq && failures >= 2 && reason == failure, "{reason}, {failure}");
            assert!(run.checkpoint().is_err(), "no checkpoint passes over records that are not on disk");

            disk.set_outage(Outage::None);
            assert_eq!(run.store.commit().unwrap(), 39);
            let health = run.store.health();
            assert!(!health.journal.is_degraded() && !health.events.is_degraded());
            assert_eq!((health.pending_records, health.pending_bytes, health.pending_events), (0, 0, 0));
            drop(run);
            disk.power_loss(|| false);
            assert_eq!(open(&disk, &options).store.next_seq(), 39);
            assert_eq!(String::from_utf8(disk.content(EVENTS).unwrap()).unwrap(), expected_log(39));
        }
    }
}

#[test]
fn a_crash_during_an_outage_keeps_what_was_acknowledged() {
    for outage in [Outage::ReadOnly, Outage::Full { capacity: 2_500 }, Outage::SyncFails] {
        let disk = SimulatedDisk::default();
        let options = options(Durability::Group);
        let mut run = open(&disk, &options);
        for _ in 0..9 {
            run.step().unwrap();
        }
        run.store.commit().unwrap();
        disk.set_outage(outage);
        for _ in 0..20 {
            run.step().unwrap();
            run.store.commit().ok();
        }
        let acknowledged = run.store.kept_seq();
        drop(run);
        disk.power_loss(|| true);
        disk.set_outage(Outage::None);
        assert!(open(&disk, &options).store.next_seq() >= acknowledged);
    }
}

#[test]
fn memory_has_a_bound_and_what_comes_beyond_is_counted() {
    let disk = SimulatedDisk::default();
    let options = options(Durability::Group).with_buffer_bytes(17 << 20);
    let mut store = Store::open_on(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    let megabyte = vec![7; 1 << 20];
    disk.set_outage(Outage::ReadOnly);
    let mut taken = 0;
    let refusal = loop {
        match store.append(&megabyte) {
            Ok(seq) => taken = seq + 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refusal, StoreError::BufferFull { limit: 17_825_792, .. }), "{refusal}");
    assert_eq!(taken, 16);
    let operations = disk.operations();
    assert!(store.append(&megabyte).is_err());
    assert_eq!(disk.operations(), operations, "only a commit tries the disk again");
    assert_eq!((store.health().refused_records, store.health().pending_records), (2, 16));
    assert!(store.append(b"a small one").is_ok(), "what fits is taken");

    disk.set_outage(Outage::None);
    assert_eq!(store.commit().unwrap(), 17);
    assert_eq!(store.append(&megabyte).unwrap(), 17);
    assert_eq!(store.health().refused_records, 2);
}

#[test]
fn a_healthy_journal_writes_by_itself_before_memory_runs_out() {
    let disk = SimulatedDisk::default();
    let options = options(Durability::Group).with_buffer_bytes(17 << 20);
    let mut store = Store::open_on(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    for _ in 0..40 {
        store.append(&vec![7; 1 << 20]).unwrap();
    }
    assert!(store.kept_seq() > 0 && store.health().pending_bytes < 17 << 20);
}

#[test]
fn events_beyond_memory_stop_the_log_until_they_are_given_again() {
    let disk = SimulatedDisk::default();
    let options = options(Durability::Group).with_buffer_bytes(17 << 20);
    let mut store = Store::open_on(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    store.append(&record(0)).unwrap();
    let large = "x".repeat(10 << 20);
    let id = |index| EventId { seq: 0, index };
    store.write_event(id(0), &large).unwrap();
    for refused in 1..4 {
        let error = store.write_event(id(refused as u32), &large).unwrap_err();
        assert!(
            matches!(error, StoreError::EventsBehind { first, refused: count } if first == id(1) && count == refused)
        );
    }
    store.commit().unwrap();
    assert_eq!(store.health().refused_events, 3);
    let checkpoint = store.checkpoint(1, forewarn_store::Fingerprints::default(), |_| Ok(()));
    assert!(matches!(checkpoint, Err(StoreError::EventsUnwritten { next_seq: 1 })), "events are missing");
    // Not a later one, although there is room: the log has no gaps.
    assert!(matches!(store.write_event(id(2), &1), Err(StoreError::EventsBehind { refused: 4, .. })));
    store.write_event(id(1), &1).unwrap();
    store.write_event(id(2), &2).unwrap();
    store.commit().unwrap();
    assert_eq!((store.health().refused_events, store.last_event()), (0, Some(id(2))));
}

/// A sync that fails can leave bytes in the page cache as if they were on disk; the next process must not believe it.
#[test]
fn a_sync_that_failed_before_a_restart_is_made_up_for() {
    let options = options(Durability::Group);
    // The process ends at one of the operations of a commit: writing and syncing records, then events. The next one
    // meets an error while it opens the store.
    for (last, error) in (0..4).flat_map(|last| (0..40).map(move |error| (last, error))) {
        let disk = SimulatedDisk::default();
        let mut run = open(&disk, &options);
        for _ in 0..9 {
            run.step().unwrap();
        }
        run.store.commit().unwrap();
        for _ in 0..9 {
            run.step().unwrap();
        }
        disk.fail_at(disk.operations() + last, Fault::Stop);
        run.store.commit().unwrap_err();
        disk.kill();
        disk.fail_at(disk.operations() + error, Fault::Error);
        Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options).ok();
        disk.kill();
        let mut run = open(&disk, &options);
        let count = run.store.next_seq();
        assert!(last == 0 || count == 18, "they are in the page cache");
        run.checkpoint().unwrap();
        drop(run);
        disk.power_loss(|| false);
        assert_eq!(open(&disk, &options).store.next_seq(), count, "they were read, so they must stay");
        assert_eq!(String::from_utf8(disk.content(EVENTS).unwrap()).unwrap(), expected_log(count));
    }
}
