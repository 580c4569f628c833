//! A fault at every operation of a scripted run.

use crate::twin::{End, check_complete, options, record, run};
use forewarn_store::{
    Durability, Journal, Retention, StoreOptions,
    disk::{
        Disk,
        simulated::{Fault, SimulatedDisk},
    },
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{path::Path, sync::Arc};

const TARGET: u64 = 70;

fn operations(durability: Durability) -> u64 {
    let (disk, mut acknowledged) = (SimulatedDisk::default(), 0);
    assert_eq!(run(&disk, &options(durability), TARGET, &mut acknowledged), End::Done);
    assert_eq!(acknowledged, TARGET);
    let operations = disk.operations();
    check_complete(&disk, &options(durability), TARGET);
    operations
}

#[test]
fn a_failure_at_any_operation_loses_nothing_and_needs_no_restart() {
    for durability in [Durability::Each, Durability::Group] {
        let options = options(durability);
        for operation in 0..operations(durability) {
            for fault in [Fault::Error, Fault::TornError, Fault::ShortWrite] {
                let (disk, mut acknowledged) = (SimulatedDisk::default(), 0);
                disk.fail_at(operation, fault);
                let end = run(&disk, &options, TARGET, &mut acknowledged);
                assert_eq!(end, End::Done, "{fault:?} at {operation}");
                check_complete(&disk, &options, TARGET);
            }
        }
    }
}

#[test]
fn a_crash_at_any_operation_loses_nothing_acknowledged() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for durability in [Durability::Each, Durability::Group] {
        let options = options(durability);
        for operation in 0..operations(durability) {
            for crash in 0..5 {
                let (disk, mut acknowledged) = (SimulatedDisk::default(), 0);
                disk.fail_at(operation, Fault::Stop);
                run(&disk, &options, TARGET, &mut acknowledged);
                match crash {
                    0 => disk.kill(),
                    1 => disk.power_loss(|| false),
                    2 => disk.power_loss(|| true),
                    _ => disk.power_loss(|| random.random_bool(0.5)),
                }
                assert_eq!(run(&disk, &options, TARGET, &mut acknowledged), End::Done);
                check_complete(&disk, &options, TARGET);
            }
        }
    }
}

#[test]
fn without_syncs_a_killed_process_loses_nothing_and_a_loss_of_power_only_a_tail() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let options = options(Durability::None);
    for operation in 0..operations(Durability::None) {
        for crash in 0..4 {
            let (disk, mut acknowledged) = (SimulatedDisk::default(), 0);
            disk.fail_at(operation, Fault::Stop);
            run(&disk, &options, TARGET, &mut acknowledged);
            match crash {
                0 => disk.kill(),
                1 => disk.power_loss(|| false),
                _ => disk.power_loss(|| random.random_bool(0.5)),
            }
            if crash > 0 {
                acknowledged = 0;
            }
            assert_eq!(run(&disk, &options, TARGET, &mut acknowledged), End::Done);
            check_complete(&disk, &options, TARGET);
        }
    }
}

/// Segments are removed from the oldest on; a loss of power that keeps only some of the removals leaves no gap.
#[test]
fn a_crash_while_segments_are_dropped_leaves_no_gap() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let options = StoreOptions::default().with_segment_bytes(4 << 10);
    let open = |disk: &SimulatedDisk| {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        Journal::open(disk, Path::new("journal"), &options).unwrap()
    };
    for operation in 0..12 {
        for _ in 0..8 {
            let disk = SimulatedDisk::default();
            let mut journal = open(&disk);
            for seq in 0..160 {
                journal.append(&record(seq)).unwrap();
                journal.commit().unwrap();
            }
            assert!(journal.segments() > 4);
            disk.fail_at(disk.operations() + operation, Fault::Stop);
            journal.retain_from(160, Retention::Needed).ok();
            disk.power_loss(|| random.random_bool(0.5));
            let journal = open(&disk);
            let records: Vec<_> =
                journal.read_from(journal.oldest_seq()).unwrap().map(Result::unwrap).collect();
            assert_eq!(records.len() as u64, 160 - journal.oldest_seq());
        }
    }
}
