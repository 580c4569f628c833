//! Generated graphs are well until something strikes them.

use forewarn_core::{FailureRule, V1Rule};
use forewarn_sim::fleet::{Blueprint, FaultSchedule, Fleet};

const DAY: usize = 1_440;

/// The service that fails in most minutes, and their share.
fn worst(fleet: &Fleet) -> (String, f64) {
    let run = fleet.run().expect("a sound scenario");
    let shares = run.frames.frames().map(|frame| {
        let episodes = V1Rule.assess(frame).expect("the metrics of version 1").episodes;
        let minutes: f64 = episodes.iter().map(|episode| episode.end().minutes_since(episode.onset())).sum();
        (frame.service().to_owned(), minutes / frame.rows() as f64)
    });
    shares.max_by(|a, b| a.1.total_cmp(&b.1)).expect("services")
}

/// The busiest days of the week, in graphs of several sizes.
#[test]
fn nothing_fails_where_nothing_strikes() {
    for (services, seeds) in [(2, 8), (12, 8), (30, 8), (100, 6), (300, 3)] {
        for seed in 0..seeds {
            let blueprint = Blueprint::layered(seed, services).unwrap();
            let friday = "2024-01-05T00:00:00Z".parse().unwrap();
            let fleet = Fleet::new(blueprint, DAY, seed).with_start(friday);
            let (service, share) = worst(&fleet.with_faults(FaultSchedule::none()));
            assert!(
                share <= 0.01,
                "{service} of {services} services, seed {seed}: {share:.3} of its minutes"
            );
        }
    }
}
