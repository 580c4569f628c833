use super::support::{hidden, pair, steps};
use forewarn_sim::fleet::{FaultKind, Fleet, Injection, Simulation};

const SERVER: usize = 1;

/// Requests in the system are throughput times time in it, in every minute and service of ten rough days.
#[test]
fn littles_law_holds() {
    let mut simulation = Fleet::shop(5).simulation().expect("a sound fleet");
    let (mut worst, mut checked) = (0.0f64, 0);
    for _ in 0..10 * 1_440 {
        simulation.step();
        for service in 0..4 {
            let [number, throughput, latency] =
                ["in_system", "throughput", "latency"].map(|name| hidden(&simulation, service, name));
            // Answers that the deadline cuts short leave work behind which still counts as in the system.
            if hidden(&simulation, service, "error_share") < 0.01 && throughput > 1.0 {
                worst = worst.max((number / (throughput * latency / 1e3) - 1.0).abs());
                checked += 1;
            }
        }
    }
    assert!(checked > 50_000, "{checked}");
    assert!(worst < 0.1, "{worst}");
}

/// The share of the processor in use is throughput times processor time.
#[test]
fn the_utilisation_law_holds() {
    for level in [0.2, 0.5, 1.0, 1.6] {
        let mut simulation = pair(level, |call| call, 60).simulation().expect("a sound fleet");
        steps(&mut simulation, 30);
        let (mut cpu, mut expected) = (0.0, 0.0);
        for _ in 0..30 {
            simulation.step();
            cpu += f64::from(simulation.metrics(SERVER)[5]) / 30.0;
            expected += hidden(&simulation, SERVER, "throughput") * 0.010 / 2.0 / 30.0;
        }
        // Idling takes .02, garbage some .01; noise is .012 a minute.
        assert!((cpu - expected - 0.03).abs() < 0.015, "{level}: {cpu} for {expected}");
    }
}

fn latency_at(level: f64) -> f64 {
    let mut simulation = pair(level, |call| call, 60).simulation().expect("a sound fleet");
    steps(&mut simulation, 40);
    hidden(&simulation, SERVER, "latency")
}

#[test]
fn latency_grows_convexly_with_load() {
    let latencies: Vec<f64> = (1..=18).map(|step| latency_at(0.1 * f64::from(step))).collect();
    for (index, three) in latencies.windows(3).enumerate() {
        // The wandering of a service's own time is the same at each level: same seed, same luck.
        assert!(three[2] - three[1] >= three[1] - three[0] - 0.02, "{index}: {three:?}");
    }
    assert!(latencies[17] > 2.0 * latencies[0], "{latencies:?}");
}

/// A server that is cut off for a while, and what its client's retries make of it.
fn storm(retries: Option<(u32, Option<f64>)>, level: f64) -> (Vec<f64>, Simulation) {
    let fleet = pair(
        level,
        |call| {
            let call = forewarn_sim::fleet::PlannedCall { timeout_ms: 400.0, ..call };
            retries.map_or(call.clone(), |(attempts, budget)| call.with_retry(attempts, budget))
        },
        200,
    );
    let mut simulation = fleet.simulation().expect("a sound fleet");
    steps(&mut simulation, 10);
    let trigger = Injection::new(FaultKind::CpuStress, "server").with_severity(0.8).with_ramp_minutes(0.0);
    simulation
        .inject(&trigger.with_duration_minutes(4.0).with_recovery_minutes(0.0))
        .expect("a sound scenario");
    let errors = (0..60).map(|_| {
        simulation.step();
        hidden(&simulation, 0, "error_share")
    });
    (errors.collect(), simulation)
}

#[test]
fn retries_amplify_the_load() {
    let (_, mut calm) = storm(None, 1.4);
    let (_, mut stormy) = storm(Some((3, None)), 1.4);
    steps(&mut calm, 1);
    steps(&mut stormy, 1);
    assert!((hidden(&calm, 0, "amplification") - 1.0).abs() < 0.01);
    let amplification = hidden(&stormy, 0, "amplification");
    assert!(amplification > 2.5 && amplification <= 4.0, "{amplification}");
}

/// The trigger is gone after 4 minutes. Without retries the backlog drains; with them the overload feeds itself for
/// as long as the load lasts; a budget for retries prevents it; and at half the load it cannot last.
#[test]
fn a_metastable_state_outlives_its_trigger() {
    let late = |(errors, _): (Vec<f64>, Simulation)| errors[40..].iter().sum::<f64>() / 20.0;
    let early = storm(None, 1.4).0[3];
    assert!(early > 0.5, "the trigger works: {early}");
    assert!(late(storm(None, 1.4)) < 0.01);
    assert!(late(storm(Some((3, None)), 1.4)) > 0.9);
    assert!(late(storm(Some((3, Some(0.1))), 1.4)) < 0.01);
    assert!(late(storm(Some((3, None)), 0.4)) < 0.01);
}
