use super::support::{hidden, pair, steps};
use forewarn_core::FailureRule;
use forewarn_core::V1Rule;
use forewarn_sim::fleet::{FaultKind, FaultSchedule, Fleet, Injection, Load, PlannedCall, Simulation};

/// The shop at noon, nothing moving but what is injected.
fn noon() -> Fleet {
    let fleet = Fleet::shop(3).with_minutes(300).with_load(Load::steady(1.0));
    fleet.with_faults(FaultSchedule::none())
}

fn index(simulation: &Simulation, name: &str) -> usize {
    simulation.blueprint().index_of(name).expect("a sound scenario")
}

/// Each kind, at full severity, moves the metric that it should.
#[test]
fn every_fault_shows_where_it_should() {
    // Kind, target, service that shows it, column, and at least how many times as much (below 1: at most).
    let signs = [
        (FaultKind::PodKill, "user", "user", 9, 1e9),
        (FaultKind::PodFailure, "user", "gateway", 1, 20.0),
        (FaultKind::NetworkDelay, "user", "gateway", 3, 3.0),
        (FaultKind::NetworkLoss, "user", "gateway", 3, 1.5),
        (FaultKind::NetworkPartition, "database", "user", 1, 20.0),
        (FaultKind::CpuStress, "user", "user", 5, 1.4),
        (FaultKind::MemoryStress, "database", "database", 6, 1.4),
        (FaultKind::MemoryLeak, "user", "user", 6, 1.2),
        (FaultKind::IoDelay, "database", "database", 2, 3.0),
        (FaultKind::DnsError, "user", "user", 1, 20.0),
        (FaultKind::HttpAbort, "auth", "auth", 1, 20.0),
        (FaultKind::BadDeploy, "auth", "auth", 1, 20.0),
        (FaultKind::TrafficSurge, "gateway", "gateway", 0, 2.0),
        (FaultKind::DependencySlowdown, "auth", "auth", 2, 2.0),
        (FaultKind::CertificateExpiry, "database", "database", 0, 0.6),
        (FaultKind::ConnectionLeak, "user", "user", 1, 20.0),
        (FaultKind::ThreadLeak, "auth", "auth", 1, 20.0),
        (FaultKind::CacheFlush, "database", "database", 5, 1.2),
        (FaultKind::FlashCrowd, "gateway", "gateway", 0, 1.3),
        (FaultKind::Deploy, "database", "database", 9, 1e9),
        (FaultKind::BatchJob, "database", "database", 0, 1.25),
        (FaultKind::NoisyNeighbour, "user", "user", 5, 1.3),
    ];
    assert_eq!(signs.len(), FaultKind::ALL.len());
    for (kind, target, shown_by, column, factor) in signs {
        let (mut struck, mut calm) = (noon().simulation().unwrap(), noon().simulation().unwrap());
        let fault = Injection::new(kind, target)
            .with_severity(1.0)
            .with_ramp_minutes(2.0)
            .with_duration_minutes(12.0);
        let fault = if kind == FaultKind::MemoryStress { fault.with_severity(0.3) } else { fault };
        struck.inject(&fault).unwrap();
        let service = index(&struck, shown_by);
        let (mut with, mut without) = (0.0, 0.0);
        for _ in 0..12 {
            steps(&mut struck, 1);
            steps(&mut calm, 1);
            with += f64::from(struck.metrics(service)[column]).max(0.0);
            without += f64::from(calm.metrics(service)[column]);
        }
        let times = with / without.max(1e-9);
        assert!(if factor > 1.0 { times >= factor } else { times <= factor }, "{kind}: {times}");
    }
}

#[test]
fn routine_breaks_nothing_by_itself() {
    for kind in FaultKind::ALL.into_iter().filter(|kind| kind.is_routine()) {
        for service in ["gateway", "user", "auth", "database"] {
            let fleet = noon().with_injection(30, Injection::new(kind, service).with_severity(1.0));
            if fleet.check().is_err() {
                continue;
            }
            let run = fleet.run().unwrap();
            let failures: usize =
                run.frames.frames().map(|frame| V1Rule.assess(frame).unwrap().episodes.len()).sum();
            assert_eq!(failures, 0, "{kind} on {service}");
        }
    }
}

#[test]
fn a_leak_ends_in_kills_and_cold_caches() {
    let mut simulation = noon().simulation().unwrap();
    let user = index(&simulation, "user");
    simulation
        .inject(&Injection::new(FaultKind::MemoryLeak, "user").with_severity(1.0).with_duration_minutes(60.0))
        .unwrap();
    let (mut memory, mut restarts, mut coldest) = (Vec::new(), 0.0, 1.0f64);
    for _ in 0..45 {
        simulation.step();
        memory.push(simulation.metrics(user)[6]);
        restarts += simulation.metrics(user)[9];
        coldest = coldest.min(hidden(&simulation, user, "warmth"));
    }
    let peak = memory.iter().copied().fold(0.0, f32::max);
    assert!(peak > 0.85 && memory[12] > memory[2] + 0.15, "{memory:?}");
    assert!(restarts >= 3.0 && coldest < 0.9, "{restarts} {coldest}");
}

#[test]
fn faults_are_injected_side_by_side_stopped_early_and_recover_by_themselves() {
    let mut simulation = noon().simulation().unwrap();
    let [auth, user] = ["auth", "user"].map(|name| index(&simulation, name));
    let abort =
        |name: &str| Injection::new(FaultKind::HttpAbort, name).with_severity(0.5).with_recovery_minutes(0.0);
    let long = simulation.inject(&abort("user").with_duration_minutes(1e4)).unwrap();
    let short = simulation.inject(&abort("auth").with_duration_minutes(3.0)).unwrap();
    steps(&mut simulation, 3);
    assert!(simulation.metrics(user)[1] > 0.3 && simulation.metrics(auth)[1] > 0.3);
    steps(&mut simulation, 2);
    assert!(simulation.metrics(user)[1] > 0.3 && simulation.metrics(auth)[1] < 0.05, "the short one is over");
    assert!(simulation.stop(long) && !simulation.stop(long) && !simulation.stop(short));
    steps(&mut simulation, 2);
    assert!(simulation.metrics(user)[1] < 0.05);
    let log = simulation.log();
    assert_eq!((log.len(), log[0].id, log[1].id), (2, long, short));
    assert!(log.iter().all(|record| record.is_injected && record.ended.is_some()));
    let wrong = simulation.inject(&abort("cart")).unwrap_err().to_string();
    assert!(wrong.contains("no service \"cart\""), "{wrong}");
}

#[test]
fn an_engineer_ends_what_would_not_end() {
    // A storm of retries whose trigger is gone after four minutes.
    let bad = |on_call: Option<f64>| {
        let retried = |call: PlannedCall| PlannedCall { timeout_ms: 400.0, ..call }.with_retry(3, None);
        let fault = Injection::new(FaultKind::CpuStress, "server")
            .with_severity(0.8)
            .with_ramp_minutes(0.0)
            .with_duration_minutes(4.0);
        let fleet = pair(1.4, retried, 200).with_on_call(on_call).with_injection(10, fault);
        let run = fleet.run().unwrap();
        run.frames.frame(0).unwrap().column("error_rate").unwrap().filter(|rate| *rate > 0.25).count()
    };
    let (alone, helped) = (bad(None), bad(Some(6.0)));
    assert!(alone > 180, "{alone}");
    assert!((8..60).contains(&helped), "{helped}");
}
