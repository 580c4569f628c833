//! The log of events: order, form, and a file that is not the one it was.

use crate::twin::{EVENTS, FOLDER, Run, expected_log, options};
use forewarn_store::{Durability, EventFate, EventId, Store, StoreError, disk::simulated::SimulatedDisk};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, path::Path, sync::Arc};

fn open(disk: &SimulatedDisk) -> Result<Store, StoreError> {
    Store::open_on(Arc::new(disk.clone()), Path::new(FOLDER), &options(Durability::Group))
}

fn id(seq: u64, index: u32) -> EventId {
    EventId { seq, index }
}

#[test]
fn events_are_taken_in_order_and_passed_over_when_a_replay_gives_them_again() {
    let disk = SimulatedDisk::default();
    let mut store = open(&disk).unwrap();
    assert!(matches!(store.write_event(id(0, 0), &1), Err(StoreError::EventWithoutRecord { next: 0, .. })));
    store.append(b"a").unwrap();
    store.append(b"b").unwrap();
    assert_eq!(store.write_event(id(0, 3), &1).unwrap(), EventFate::Taken);
    assert!(matches!(store.write_event(id(0, 3), &1), Err(StoreError::EventOrder { .. })));
    assert!(matches!(store.write_event(id(0, 2), &1), Err(StoreError::EventOrder { .. })));
    assert_eq!(store.last_event(), None, "not on disk yet");
    store.commit().unwrap();
    assert_eq!(store.last_event(), Some(id(0, 3)));
    drop(store);

    let mut store = open(&disk).unwrap();
    assert_eq!(store.recovery().last_event, Some(id(0, 3)));
    assert_eq!(store.write_event(id(0, 0), &9).unwrap(), EventFate::AlreadyThere);
    assert_eq!(store.write_event(id(0, 3), &9).unwrap(), EventFate::AlreadyThere);
    assert_eq!(store.write_event(id(1, 0), &[2]).unwrap(), EventFate::Taken);
    store.commit().unwrap();
    let expected = "{\"seq\":0,\"index\":3,\"event\":1}\n{\"seq\":1,\"index\":0,\"event\":[2]}\n";
    assert_eq!(disk.content(EVENTS).unwrap(), expected.as_bytes());
}

#[test]
fn no_event_reaches_the_disk_before_its_record() {
    let disk = SimulatedDisk::default();
    let mut store = open(&disk).unwrap();
    store.append(b"a").unwrap();
    store.write_event(id(0, 0), &1).unwrap();
    // The journal's next write and its new segment fail; the log could be written.
    disk.fail_at(disk.operations(), forewarn_store::disk::simulated::Fault::Error);
    store.commit().unwrap_err();
    assert_eq!(disk.content(EVENTS).unwrap(), b"");
    assert_eq!(store.health().pending_events, 1);
    assert!(!store.health().events.is_degraded(), "it waits, it does not fail");
    store.commit().unwrap();
    assert_eq!(store.health().pending_events, 0);
}

#[test]
fn what_is_no_line_of_json_is_refused() {
    let disk = SimulatedDisk::default();
    let mut store = open(&disk).unwrap();
    store.append(b"a").unwrap();
    let raw = RawValue::from_string("[1,\n2]".to_owned()).unwrap();
    let refused = store.write_event(id(0, 0), &raw).unwrap_err().to_string();
    assert!(refused.starts_with("event 0.0 cannot be written as JSON: it contains raw text"), "{refused}");
    let keys = BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(store.write_event(id(0, 0), &keys), Err(StoreError::EventJson { .. })));
    let large = "x".repeat(16 << 20);
    assert!(matches!(store.write_event(id(0, 0), &large), Err(StoreError::TooLarge { what: "event", .. })));
    assert_eq!(store.write_event(id(0, 0), "line\nbreaks in text are escaped").unwrap(), EventFate::Taken);
}

#[test]
fn a_log_cut_at_any_length_after_the_checkpoint_is_completed_by_the_replay() {
    let disk = SimulatedDisk::default();
    let mut run = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options(Durability::Group)).unwrap();
    for seq in 0..24 {
        assert_eq!(run.step().unwrap(), seq);
        if seq == 11 {
            run.checkpoint().unwrap();
        }
    }
    run.store.commit().unwrap();
    drop(run);
    let (whole, at_checkpoint) = (expected_log(24), expected_log(12).len());
    for size in at_checkpoint..=whole.len() {
        let mut content = whole.as_bytes()[..size].to_vec();
        // Garbage of the length that was lost: sectors that came without the ones before.
        content.resize(whole.len(), 0);
        for content in [&whole.as_bytes()[..size], &content] {
            disk.set_content(EVENTS, content);
            let mut run =
                Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options(Durability::Group)).unwrap();
            run.store.commit().unwrap();
            assert_eq!(disk.content(EVENTS).unwrap(), whole.as_bytes(), "{size} bytes");
        }
    }
    // What the checkpoint had made durable cannot be missing.
    for size in 1..at_checkpoint {
        disk.set_content(EVENTS, &whole.as_bytes()[..size]);
        let error = open(&disk).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "{EVENTS}: the last checkpoint knows {at_checkpoint} bytes of it, it is shorter; put the file back, or \
                 move it away to begin a new one"
            )
        );
    }
    disk.set_content(EVENTS, &vec![b'x'; whole.len()]);
    assert!(matches!(open(&disk), Err(StoreError::EventLogReplaced { found: "no line ends there", .. })));
}

#[test]
fn a_log_that_was_moved_away_is_begun_again() {
    let disk = SimulatedDisk::default();
    let options = options(Durability::Group);
    let mut run = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    for _ in 0..12 {
        run.step().unwrap();
    }
    run.checkpoint().unwrap();
    drop(run);
    let first = disk.content(EVENTS).unwrap();
    forewarn_store::disk::Disk::remove(&disk, Path::new(EVENTS)).unwrap();
    let mut run = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    assert!(run.store.recovery().events_begun_again);
    for _ in 0..12 {
        run.step().unwrap();
    }
    run.checkpoint().unwrap();
    drop(run);
    let both = [first, disk.content(EVENTS).unwrap()].concat();
    assert_eq!(String::from_utf8(both).unwrap(), expected_log(24));
    let run = Run::open(Arc::new(disk.clone()), Path::new(FOLDER), &options).unwrap();
    assert!(!run.store.recovery().events_begun_again);
}
