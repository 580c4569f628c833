use forewarn_sim::SimError;
use forewarn_sim::fleet::{
    ChaosCommand, ChaosEntry, ChaosKind, ChaosSession, ExperimentId, FaultKind, FaultSchedule, Fleet,
    Injection, Simulation,
};

fn calm(seed: u64) -> Fleet {
    let fleet = Fleet::shop(seed).with_faults(FaultSchedule::none());
    fleet.with_on_call(None)
}

fn metrics(session: &ChaosSession) -> Vec<u32> {
    (0..4).flat_map(|service| session.simulation().metrics(service).map(f32::to_bits)).collect()
}

fn inject(session: &mut ChaosSession, kind: ChaosKind, service: &str, numbers: (f64, f64)) -> ChaosEntry {
    let entry =
        session.order_injection(kind, service, Some(numbers.0), Some(numbers.1)).expect("a sound order");
    session.carry_out(entry.clone());
    entry
}

#[test]
fn twelve_ticks_are_a_step() {
    let (mut ticked, mut stepped) =
        (Fleet::shop(3).simulation().unwrap(), Fleet::shop(3).simulation().unwrap());
    assert!(ticked.reading(0).is_none(), "nothing has happened yet");
    for _ in 0..600 {
        let whole: Vec<bool> = (0..Simulation::TICKS_A_MINUTE).map(|_| ticked.tick()).collect();
        assert!(whole[11] && !whole[..11].contains(&true));
        stepped.step();
        for service in 0..4 {
            assert_eq!(ticked.metrics(service).map(f32::to_bits), stepped.metrics(service).map(f32::to_bits));
        }
    }
    assert_eq!((ticked.minutes(), ticked.ticks()), (600, 7_200));
    // A minute that is half over ends with the step.
    for _ in 0..5 {
        ticked.tick();
    }
    ticked.step();
    assert_eq!(ticked.ticks(), 7_212);
}

/// The row of a minute is the mean of its ticks, but for the noise of measuring.
#[test]
fn readings_are_what_rows_are_measured_from() {
    let mut simulation = calm(5).simulation().unwrap();
    let user = simulation.blueprint().index_of("user").unwrap();
    for _ in 0..30 {
        let (mut cpu, mut requests) = (0.0, 0.0);
        for _ in 0..Simulation::TICKS_A_MINUTE {
            simulation.tick();
            let reading = simulation.reading(user).unwrap();
            cpu += reading.cpu / 12.0;
            requests += reading.requests_per_second * 5.0;
            assert!(reading.error_rate.unwrap() < 0.05 && reading.pods_up == 1.0 && reading.memory > 0.2);
            assert!((20.0..500.0).contains(&reading.p95_latency_ms.unwrap()), "{reading:?}");
        }
        let row = simulation.metrics(user);
        assert!((f64::from(row[5]) - cpu).abs() < 5.0 * 0.012, "{row:?}");
        assert!((f64::from(row[0]) - requests).abs() < 5.0 * requests.sqrt(), "{row:?}");
    }
}

/// Half a minute of chaos begins and ends between two rows.
#[test]
fn an_experiment_of_seconds_acts_on_ticks() {
    let mut session = ChaosSession::new(&calm(5)).unwrap();
    let user = session.simulation().blueprint().index_of("user").unwrap();
    (0..10).for_each(|_| session.step());
    for _ in 0..3 {
        session.tick();
    }
    inject(&mut session, ChaosKind::ServiceKill, "user", (1.0, 30.0));
    let up = |session: &mut ChaosSession| {
        session.tick();
        session.simulation().reading(user).unwrap().pods_up
    };
    let struck: Vec<f64> = (0..6).map(|_| up(&mut session)).collect();
    assert_eq!(struck, [0.0; 6]);
    let run = session.active().next().unwrap().clone();
    assert_eq!((run.began, run.ends, run.over), (123, 129, 130));
    // It recovers by itself: pods start.
    let back = (0..24).position(|_| up(&mut session) == 1.0);
    assert!(back.is_some_and(|ticks| ticks > 1), "{back:?}");
    assert_eq!(session.past().map(|run| run.is_stopped).collect::<Vec<_>>(), [false]);
}

#[test]
fn several_run_side_by_side_and_stop_one_by_one() {
    let mut session = ChaosSession::new(&calm(5)).unwrap();
    session.step();
    inject(&mut session, ChaosKind::CpuSpike, "auth", (0.5, 600.0));
    inject(&mut session, ChaosKind::CpuSpike, "auth", (0.3, 1_200.0));
    inject(&mut session, ChaosKind::NetworkLatency, "database", (0.2, 60.0));
    assert_eq!(session.active().map(|run| run.experiment.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    (0..2).for_each(|_| session.step());
    assert_eq!(session.active().map(|run| run.experiment.id.0).collect::<Vec<_>>(), [1, 2]);
    let stop = session.order_stop(ExperimentId(1)).unwrap().unwrap();
    assert_eq!(session.carry_out(stop), 1);
    assert!(session.order_stop(ExperimentId(1)).unwrap().is_none(), "it recovers already");
    assert!(matches!(session.order_stop(ExperimentId(9)), Err(SimError::UnknownExperiment { id: 9 })));
    session.step();
    let (first, second) = (session.run(ExperimentId(1)).unwrap(), session.run(ExperimentId(2)).unwrap());
    assert!(first.is_stopped && first.ends == 36 && !second.is_stopped && second.ends == 252);
    let all = session.order_stop_all();
    assert_eq!(session.carry_out(all), 1);
    session.step();
    assert_eq!((session.active().count(), session.past().count()), (0, 3));
    assert!(session.simulation().log().iter().all(|record| record.ended.is_some()));
}

#[test]
fn a_reset_makes_services_whole_at_once() {
    let mut session = ChaosSession::new(&calm(6)).unwrap();
    (0..20).for_each(|_| session.step());
    inject(&mut session, ChaosKind::ServiceKill, "database", (1.0, 3_600.0));
    inject(&mut session, ChaosKind::MemoryLeak, "user", (1.0, 3_600.0));
    (0..10).for_each(|_| session.step());
    let errors = |session: &ChaosSession| {
        (0..4).map(|service| session.simulation().metrics(service)[1]).fold(0.0, f32::max)
    };
    assert!(errors(&session) > 0.5);
    for _ in 0..5 {
        session.tick();
    }
    let reset = session.order_reset();
    assert_eq!(session.carry_out(reset), 2);
    assert_eq!(session.active().count(), 0);
    session.step();
    session.step();
    assert!(errors(&session) < 0.05, "{}", errors(&session));
    assert!(session.past().all(|run| run.is_stopped && run.over == 365));
}

/// A session that is resumed from its log goes on as the one that was cut off, wherever that was.
#[test]
fn the_log_and_the_seed_are_the_session() {
    let fleet = Fleet::shop(11);
    let mut session = ChaosSession::new(&fleet).unwrap();
    let (mut log, mut rows) = (Vec::new(), Vec::new());
    let kinds: Vec<ChaosKind> = ChaosKind::all().collect();
    for minute in 0..400_usize {
        let extra = minute % 12;
        for tick in 0..12 {
            if tick == extra && minute % 7 == 0 {
                let kind = kinds[minute / 7 % kinds.len()];
                let target = kind.targets(session.simulation().blueprint()).next().unwrap().to_owned();
                log.push(inject(&mut session, kind, &target, (0.7, 60.0 + minute as f64)));
            }
            if tick == extra && minute % 23 == 5 {
                let command = if minute % 2 == 0 { session.order_stop_all() } else { session.order_reset() };
                session.carry_out(command.clone());
                log.push(command);
            }
            session.tick();
        }
        rows.push(metrics(&session));
    }
    for cut in [0, 1, 77, 399] {
        let mut resumed = ChaosSession::resume(&fleet, log.clone()).unwrap();
        (0..cut).for_each(|_| resumed.step());
        for (minute, row) in rows.iter().enumerate().skip(cut) {
            resumed.step();
            assert_eq!(&metrics(&resumed), row, "{minute}");
        }
        let ids = |session: &ChaosSession| {
            session.past().map(|run| (run.experiment.id, run.began, run.over)).collect::<Vec<_>>()
        };
        assert_eq!((ids(&resumed), resumed.waiting().count()), (ids(&session), 0));
    }
    let mut other = ChaosSession::new(&fleet).unwrap();
    assert!((0..400).any(|minute| {
        other.step();
        metrics(&other) != rows[minute]
    }));
}

#[test]
fn what_is_planned_begins_in_its_minute() {
    let mut session = ChaosSession::new(&calm(5)).unwrap();
    let entry = session.order_later(3, ChaosKind::CpuSpike, "auth", None, Some(60.0)).unwrap();
    assert_eq!(session.carry_out(entry.clone()), 0);
    let now = inject(&mut session, ChaosKind::CpuSpike, "user", (0.5, 60.0));
    assert_ne!(now, entry, "ids differ");
    assert_eq!(session.waiting().map(|(tick, one)| (tick, one.id.0)).collect::<Vec<_>>(), [(36, 1)]);
    for _ in 0..36 {
        assert!(session.run(ExperimentId(1)).is_none());
        session.tick();
    }
    assert_eq!(session.run(ExperimentId(1)).unwrap().began, 36);
    // A minute that is over is now.
    let late = session.order_later(1, ChaosKind::CpuSpike, "auth", None, None).unwrap();
    assert_eq!((late.tick, session.carry_out(late)), (36, 1));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut session = ChaosSession::new(&calm(1)).unwrap();
    let refusal = |kind, service: &str, severity, seconds| {
        session.order_injection(kind, service, Some(severity), Some(seconds)).unwrap_err().to_string()
    };
    assert!(refusal(ChaosKind::CpuSpike, "cart", 0.5, 60.0).contains("no service \"cart\", only auth"));
    assert!(refusal(ChaosKind::CpuSpike, "auth", 1.5, 60.0).contains("severity is 1.5, expected 0.01 to 1"));
    assert!(refusal(ChaosKind::CpuSpike, "auth", 0.5, f64::NAN).contains("seconds is NaN"));
    let surge = ChaosKind::Fault(FaultKind::TrafficSurge);
    assert!(refusal(surge, "database", 0.5, 60.0).contains("no requests from outside"));
    for _ in 0..ChaosSession::MOST_ACTIVE {
        inject(&mut session, ChaosKind::CpuSpike, "auth", (0.01, 60.0));
    }
    let full = session.order_injection(ChaosKind::CpuSpike, "auth", None, None).unwrap_err().to_string();
    assert!(full.contains("100 experiments are active"), "{full}");
}

#[test]
fn a_log_of_another_fleet_is_refused() {
    let mut session = ChaosSession::new(&calm(1)).unwrap();
    let entry = inject(&mut session, ChaosKind::CpuSpike, "auth", (0.5, 60.0));
    assert!(ChaosSession::resume(&calm(2), vec![entry.clone()]).is_ok());
    let twice = ChaosSession::resume(&calm(1), vec![entry.clone(), entry.clone()]).unwrap_err();
    assert!(matches!(twice, SimError::DuplicateExperiment { id: 1 }));
    let ChaosCommand::Inject(mut experiment) = entry.command else { panic!("an injection") };
    experiment.faults = vec![Injection::new(FaultKind::CpuStress, "cart")];
    let stranger = ChaosEntry { tick: 0, command: ChaosCommand::Inject(experiment) };
    assert!(ChaosSession::resume(&calm(1), vec![stranger]).is_err());
}

#[test]
fn entries_are_lines_of_json() {
    let session = ChaosSession::new(&calm(1)).unwrap();
    let entry = session.order_injection(ChaosKind::MemoryLeak, "user", Some(0.1 + 0.2), None).unwrap();
    let text = serde_json::to_string(&entry).unwrap();
    assert!(
        text.starts_with(r#"{"tick":0,"command":"inject","id":1,"kind":"memory_leak","service":"user""#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<ChaosEntry>(&text).unwrap(), entry);
    for entry in [session.order_stop_all(), session.order_reset()] {
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<ChaosEntry>(&text).unwrap(), entry);
    }
}

/// What the drills are for: a cascade reaches the services above, and a leak fills memory before pods die.
#[test]
fn drills_break_what_they_should() {
    let mut session = ChaosSession::new(&calm(9)).unwrap();
    (0..30).for_each(|_| session.step());
    inject(&mut session, ChaosKind::Cascade, "database", (0.9, 1_200.0));
    let reached = session.active().next().unwrap().experiment.reaches(session.simulation().blueprint());
    assert_eq!(reached, ["auth", "database", "gateway", "user"]);
    let mut worst = [0.0f32; 4];
    for _ in 0..25 {
        session.step();
        worst
            .iter_mut()
            .enumerate()
            .for_each(|(service, worst)| *worst = worst.max(session.simulation().metrics(service)[1]));
    }
    assert!(worst.iter().all(|rate| *rate > 0.05), "{worst:?}");

    for seconds in [2_700.0, 120.0] {
        let mut session = ChaosSession::new(&calm(9)).unwrap();
        (0..30).for_each(|_| session.step());
        inject(&mut session, ChaosKind::MemoryLeak, "user", (1.0, seconds));
        let user = session.simulation().blueprint().index_of("user").unwrap();
        let (mut restarts, mut fullest) = (0.0, 0.0f32);
        for _ in 0..50 {
            session.step();
            restarts += session.simulation().metrics(user)[9];
            fullest = fullest.max(session.simulation().metrics(user)[6]);
        }
        assert!(restarts > 0.0 && fullest > 0.75, "{seconds} s: {restarts} restarts, {fullest} full");
    }
}
