//! A fault at every operation of a scripted run.

use crate::twin::{End, check_complete, options, run};
use forewarn_store::{
    Durability,
    disk::simulated::{Fault, SimulatedDisk},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
