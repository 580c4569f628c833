use super::*;
use std::{fs, thread};

fn request(kind: &str, service: &str, seconds: f64) -> ChaosRequest {
    ChaosRequest {
        service: service.to_owned(),
        kind: kind.to_owned(),
        severity: None,
        seconds: Some(seconds),
    }
}

fn open(folder: &Path) -> SimulatorChaos {
    SimulatorChaos::open(&Fleet::shop(5), &folder.join("chaos.ndjson")).unwrap()
}

fn minute(chaos: &SimulatorChaos) -> Vec<u32> {
    while !chaos.tick() {}
    chaos
        .with(|simulation| (0..4).flat_map(|service| simulation.metrics(service).map(f32::to_bits)).collect())
}

/// What a kill leaves is the file; a simulation that is made of it again has the same future.
#[test]
fn it_goes_on_from_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let chaos = open(folder.path());
    let mut rows = Vec::new();
    for at in 0..60 {
        // Commands come in the middle of a minute too.
        (0..at % 5).for_each(|_| assert!(!chaos.tick()));
        match at {
            10 => drop(chaos.inject(&request("memory_leak", "user", 3_000.0)).unwrap()),
            11 => drop(chaos.inject(&request("network-latency", "database", 30.0)).unwrap()),
            20 => drop(chaos.inject(&request("cascade", "database", 1_800.0)).unwrap()),
            30 => drop(chaos.stop(1).unwrap()),
            40 => assert!(chaos.reset().unwrap() > 0),
            _ => {}
        }
        rows.push(minute(&chaos));
    }
    let before = chaos.state();
    drop(chaos);
    let chaos = open(folder.path());
    assert_eq!(chaos.state().active.iter().filter(|run| run.phase == ChaosPhase::Waiting).count(), 3);
    assert!(rows.iter().all(|row| *row == minute(&chaos)));
    assert_eq!(chaos.state(), before);
    assert_eq!(before.past.iter().map(|run| run.id).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(chaos.inject(&request("pod_kill", "auth", 60.0)).unwrap().id, 4, "ids are never used twice");
}

#[test]
fn what_cannot_be_is_refused_and_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let chaos = open(folder.path());
    let text = |request: &ChaosRequest| chaos.inject(request).unwrap_err().to_string();
    assert!(
        text(&request("meteor", "user", 60.0))
            .starts_with("there is no fault \"meteor\": expected one of cpu_spike")
    );
    assert!(
        text(&request("cpu_spike", "cart", 60.0)).contains("expected one of auth, database, gateway, user")
    );
    assert!(text(&request("cpu_spike", "user", 0.0)).contains("seconds is 0: expected 5 to 86,400"));
    assert!(text(&request("traffic_surge", "user", 60.0)).contains("no requests from outside"));
    assert!(matches!(chaos.stop(7), Err(ChaosError::NotFound { id: 7 })));
    assert!(chaos.stop_all().unwrap().is_empty());
    assert_eq!(fs::read_to_string(folder.path().join("chaos.ndjson")).unwrap().lines().count(), 1);
    assert!(chaos.state().active.is_empty() && chaos.readings().unwrap().services.is_empty());
}

/// Many threads at once: each injection has an id of its own, and none is lost.
#[test]
fn threads_break_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let chaos = open(folder.path());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..20 {
                    let begun = chaos.inject(&request("cpu_spike", "auth", 86_400.0)).unwrap();
                    if round % 2 == 0 {
                        assert!(chaos.stop(begun.id).unwrap().stopped);
                    }
                    chaos.state();
                }
            });
        }
        scope.spawn(|| (0..200).for_each(|_| drop(chaos.readings())));
        (0..200).for_each(|_| {
            chaos.tick();
        });
    });
    chaos.tick();
    let state = chaos.state();
    assert_eq!((state.active.len(), state.past.len()), (40, 40));
    let mut ids: Vec<u32> = state.active.iter().chain(&state.past).map(|run| run.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=80).collect::<Vec<_>>());
    assert_eq!(chaos.stop_all().unwrap().len(), 40);
}

#[test]
fn every_kind_says_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let chaos = open(folder.path());
    let kinds = chaos.kinds();
    assert_eq!(
        kinds[..5].iter().map(|kind| kind.label.as_str()).collect::<Vec<_>>(),
        ["Cpu spike", "Memory leak", "Network latency", "Service kill", "Cascade"]
    );
    for kind in kinds {
        for service in &kind.services {
            let request = ChaosRequest { seconds: None, ..request(&kind.kind, service, 0.0) };
            let begun = chaos.inject(&request).unwrap();
            assert_eq!(begun.seconds, kind.parameters.seconds.usual);
            chaos.stop(begun.id).unwrap();
            chaos.reset().unwrap();
        }
    }
    chaos.tick();
    let readings = chaos.readings().unwrap();
    assert_eq!(readings.services.len(), 4);
    let into = |server: &str| -> f64 {
        let calls = readings.calls.iter().filter(|call| call.server == server);
        calls.map(|call| call.requests).sum()
    };
    assert!(into("database") > 0.0 && into("gateway") == 0.0);
    for called in readings.services.iter().filter(|service| into(&service.service) > 0.0) {
        // Whatever is called from within gets no requests but those.
        let (requests, all) = (into(&called.service), called.throughput);
        assert!((requests - all).abs() <= 0.2 * all, "{}: {requests} of {all}", called.service);
    }
}
