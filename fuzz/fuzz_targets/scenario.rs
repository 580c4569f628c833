//! Whatever is in a scenario, reading it ends in an error or in a fleet that can be written, read again and simulated
//! for some minutes without a value that is no number.
//!
//! `cargo +nightly fuzz run scenario fuzz/corpus/scenario fuzz/seeds_scenario -- -max_total_time=600`

#![no_main]

use forewarn_sim::Fleet;
use libfuzzer_sys::fuzz_target;

/// Larger fleets are not simulated: their minutes are alike, and take their time.
const MOST_SERVICES: usize = 20;
const MINUTES: usize = 3;

fuzz_target!(|text: &str| {
    let Ok(fleet) = Fleet::from_toml(text) else { return };
    if fleet.blueprint().services().len() > MOST_SERVICES {
        return;
    }
    let written = fleet.to_toml().expect("a scenario can be written");
    assert_eq!(Fleet::from_toml(&written).expect("a scenario that was written can be read"), fleet);
    let mut simulation = fleet.simulation().expect("a scenario that was read can be simulated");
    for _ in 0..MINUTES.min(fleet.minutes()) {
        simulation.step();
        for service in 0..fleet.blueprint().services().len() {
            let metrics = simulation.metrics(service);
            assert!(metrics.iter().all(|value| !value.is_infinite()), "{metrics:?}");
        }
    }
});
