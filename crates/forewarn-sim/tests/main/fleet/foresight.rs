use forewarn_core::{FailureRule, Target, V1Rule, WindowSpec};
use forewarn_sim::fleet::{FaultKind, FaultSchedule, Fleet, Injection, Load, RollOuts};

fn onset_rows(fleet: &Fleet, service: usize) -> Vec<usize> {
    let run = fleet.run().expect("a sound scenario");
    let frame = run.frames.frame(service).expect("a sound scenario");
    let episodes = V1Rule.assess(frame).expect("a sound scenario").episodes;
    episodes.iter().map(|episode| episode.onset().minutes_since(fleet.start()) as usize).collect()
}

#[test]
fn a_ceiling_does_not_depend_on_threads() {
    let fleet = Fleet::shop(9).with_minutes(700);
    let foresee = |threads| {
        let roll_outs = RollOuts { futures: 6, every: 3, threads, ..RollOuts::default() };
        fleet.ceiling(&V1Rule, WindowSpec::default(), Target::Onset, 100..650, roll_outs).unwrap()
    };
    let one = foresee(1);
    assert_eq!(one.len(), 184);
    assert!(one.iter().enumerate().all(|(index, foresight)| foresight.row == 100 + 3 * index));
    assert_eq!(one, foresee(3));
    let none = RollOuts { futures: 0, ..RollOuts::default() };
    assert!(fleet.ceiling(&V1Rule, WindowSpec::default(), Target::Onset, 0..5, none).is_err());
}

/// Over the days, what is foreseen happens as often as it should.
#[test]
fn what_is_foreseen_is_what_happens() {
    let fleet = Fleet::shop(12).with_minutes(5 * 1_440);
    let spec = WindowSpec::default();
    let roll_outs = RollOuts { futures: 20, every: 3, past: 10, ..RollOuts::default() };
    let found = fleet.ceiling(&V1Rule, spec, Target::Onset, 0..5 * 1_440 - 8, roll_outs).unwrap();
    let (mut foreseen, mut happened, mut hits, mut calls) = (0.0, 0.0, 0.0, 0.0);
    for service in 0..4 {
        let onsets = onset_rows(&fleet, service);
        for foresight in &found {
            let p = f64::from(foresight.probabilities[service].get());
            let is_near =
                onsets.iter().any(|&onset| (foresight.row + 1..=foresight.row + 5).contains(&onset));
            foreseen += p;
            happened += f64::from(u8::from(is_near));
            if p >= 0.5 {
                calls += 1.0;
                hits += f64::from(u8::from(is_near));
            }
        }
    }
    assert!(happened > 30.0, "{happened}");
    // Windows of one failure go together, so the sums stray by more than a root.
    assert!((foreseen / happened - 1.0f64).abs() < 0.35, "{foreseen} for {happened}");
    assert!(hits / calls > 0.5, "{hits} of {calls}");
}

/// The probability that whoever knows everything gives to the failure of `kind`, in the minute before its onset.
fn foreknowledge(kind: FaultKind, target: &str) -> f64 {
    let calm = Fleet::shop(1).with_minutes(200).with_load(Load::steady(1.0));
    let calm = calm.with_faults(FaultSchedule::none());
    let fault = Injection::new(kind, target).with_severity(1.0).with_duration_minutes(80.0);
    let fleet = calm.with_injection(60, fault);
    let service = fleet.blueprint().index_of(target).expect("a sound scenario");
    let onset = onset_rows(&fleet, service)[0];
    let roll_outs = RollOuts { futures: 30, ..RollOuts::default() };
    let found = fleet
        .ceiling(&V1Rule, WindowSpec::default(), Target::Onset, onset - 2..onset - 1, roll_outs)
        .expect("a sound scenario");
    f64::from(found[0].probabilities[service].get())
}

/// A leak shows minutes ahead; what is not yet decided cannot be foreseen.
#[test]
fn gradual_faults_can_be_foreseen_and_sudden_ones_cannot() {
    assert!(foreknowledge(FaultKind::ThreadLeak, "user") > 0.8);
    assert!(foreknowledge(FaultKind::DependencySlowdown, "user") > 0.5);
    assert_eq!(foreknowledge(FaultKind::PodFailure, "user"), 0.0);
    assert_eq!(foreknowledge(FaultKind::HttpAbort, "user"), 0.0);
}

#[test]
fn causes_are_found_across_services_and_time() {
    let calm = Fleet::shop(3).with_minutes(240).with_load(Load::steady(1.0));
    let calm = calm.with_faults(FaultSchedule::none());
    // A harmless neighbour beside the fault that matters, which is over before its last victim recovers.
    let fault =
        Injection::new(FaultKind::PodFailure, "database").with_severity(1.0).with_duration_minutes(5.0);
    let fleet = calm
        .with_injection(10, Injection::new(FaultKind::NoisyNeighbour, "auth").with_duration_minutes(200.0))
        .with_injection(60, fault);
    let causes = fleet.causes(&V1Rule).unwrap();
    let database = fleet.blueprint().index_of("database").unwrap();
    let failed: Vec<usize> = causes.failures.iter().map(|failure| failure.service).collect();
    assert!((0..4).all(|service| failed.contains(&service)), "all fall: {failed:?}");
    for failure in &causes.failures {
        let root = failure.root.and_then(|root| causes.fault(root)).unwrap();
        assert_eq!(root.injection.kind, FaultKind::PodFailure);
        assert_eq!(failure.root_service, Some(database));
        assert_eq!(failure.parent.is_none(), failure.service == database, "{failure:?}");
        if let Some(parent) = failure.parent {
            assert!(causes.failures[parent].episode.onset() <= failure.episode.onset());
        }
    }
    assert_eq!(causes.of(causes.failures[0].root.unwrap()).count(), causes.failures.len());
}

/// In rough weeks too, almost every failure has a fault but for which it would not have happened, and removing that
/// fault by hand does remove it.
#[test]
fn removing_the_root_removes_the_failure() {
    let fleet = Fleet::shop(21).with_minutes(4 * 1_440);
    let causes = fleet.causes(&V1Rule).unwrap();
    let explained = causes.failures.iter().filter(|failure| failure.root.is_some()).count();
    assert!(
        explained * 10 >= causes.failures.len() * 9 && explained > 10,
        "{explained} of {}",
        causes.failures.len()
    );
    assert_eq!(causes.log, fleet.run().unwrap().log);
}
