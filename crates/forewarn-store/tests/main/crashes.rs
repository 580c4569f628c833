//! Random histories of faults, outages and crashes.

use crate::twin::{check_complete, options, run};
use forewarn_store::{
    Durability,
    disk::simulated::{Fault, Outage, SimulatedDisk},
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Debug)]
struct Life {
    records: u64,
    fault: Option<(u64, Fault)>,
    outage: Outage,
    /// The share of unsynced pieces that survives; `None` for a process that is only killed.
    power_loss: Option<f64>,
}

fn life() -> impl Strategy<Value = Life> {
    let fault =
        prop_oneof![Just(Fault::Error), Just(Fault::TornError), Just(Fault::ShortWrite), Just(Fault::Stop),];
    let outage = prop_oneof![
        6 => Just(Outage::None),
        1 => Just(Outage::SyncFails),
        1 => (0_u64..20_000).prop_map(|capacity| Outage::Full { capacity }),
    ];
    let share = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    (1_u64..40, proptest::option::of((0_u64..400, fault)), outage, proptest::option::of(share))
        .prop_map(|(records, fault, outage, power_loss)| Life { records, fault, outage, power_loss })
}

proptest! {
    #[test]
    fn whatever_happens_nothing_acknowledged_is_lost_and_no_event_comes_twice(
        lives in proptest::collection::vec(life(), 1..8),
        each in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let options = options(if each { Durability::Each } else { Durability::Group });
        let (disk, mut acknowledged) = (SimulatedDisk::default(), 0);
        for life in &lives {
            if let Some((after, fault)) = life.fault {
                disk.fail_at(disk.operations() + after, fault);
            }
            disk.set_outage(life.outage);
            let target = acknowledged + life.records;
            run(&disk, &options, target, &mut acknowledged);
            match life.power_loss {
                Some(share) => disk.power_loss(|| random.random_bool(share)),
                None => disk.kill(),
            }
        }
        disk.set_outage(Outage::None);
        let target = acknowledged + 10;
        run(&disk, &options, target, &mut acknowledged);
        prop_assert!(acknowledged >= target);
        check_complete(&disk, &options, acknowledged);
    }
}
