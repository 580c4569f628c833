use forewarn_core::Source;
use forewarn_schema::FrameSet;
use forewarn_sim::fleet::{Blueprint, FaultKind, FaultSchedule, Fleet, Injection};

/// FNV-1a over the bits of all values.
fn hash(frames: &FrameSet) -> u64 {
    let bytes = frames.values().iter().flat_map(|value| value.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn seeded_values_are_a_promise() {
    let run = Fleet::shop(2024).with_minutes(3 * 1_440).run().unwrap();
    let row = run.frames.frame(2).unwrap().row(600).unwrap();
    let layered = Fleet::new(Blueprint::layered(1, 60).unwrap(), 240, 5).run().unwrap();
    let printed: Vec<String> = row.iter().map(|value| format!("{value:?}")).collect();
    let hashes = [&run.frames, &run.hidden, &layered.frames].map(|frames| format!("{:016x}", hash(frames)));
    assert_eq!(
        printed.join(" "),
        "3465.0 0.0 72.98714 177.3408 291.19736 0.5014797 0.6528181 935.16974 1335.3536 0.0"
    );
    assert_eq!(hashes, ["f6e5fefb8f50ff69", "b07f2fe72bba24ac", "fa919f917167107a"]);
}

#[test]
fn a_step_a_run_and_a_source_give_the_same_bytes() {
    let mut fleet = Fleet::twelve(5).with_minutes(700);
    let run = fleet.run().unwrap();
    let mut simulation = fleet.simulation().unwrap();
    for row in 0..700 {
        simulation.step();
        for (service, frame) in run.frames.frames().enumerate() {
            let stepped = simulation.metrics(service).map(f32::to_bits);
            assert_eq!(
                frame.row(row).unwrap().iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
                stepped,
                "{row}"
            );
        }
    }
    assert_eq!(simulation.log(), run.log);
    assert_eq!(hash(&fleet.frames().unwrap()), hash(&run.frames));
    let longer = fleet.clone().with_minutes(900).run().unwrap();
    let same = |a: &FrameSet, b: &FrameSet| {
        a.frame(3)
            .unwrap()
            .values()
            .iter()
            .zip(b.frame(3).unwrap().values())
            .all(|(a, b)| a.to_bits() == b.to_bits())
    };
    assert!(same(&run.frames, &longer.frames), "a longer run begins with the shorter one");
    assert_ne!(hash(&Fleet::twelve(6).with_minutes(700).run().unwrap().frames), hash(&run.frames));
}

#[test]
fn a_clone_goes_on_as_the_original_and_a_fork_does_not() {
    let mut simulation = Fleet::shop(8).simulation().unwrap();
    (0..500).for_each(|_| simulation.step());
    let (mut twin, mut fork, mut same_fork) = (simulation.clone(), simulation.fork(3), simulation.fork(3));
    let now = |simulation: &forewarn_sim::fleet::Simulation| {
        (0..4).map(|service| simulation.metrics(service)[0]).collect::<Vec<_>>()
    };
    assert_eq!(now(&fork), now(&simulation), "the same present");
    for _ in 0..50 {
        [&mut simulation, &mut twin, &mut fork, &mut same_fork]
            .into_iter()
            .for_each(|simulation| simulation.step());
        assert_eq!(now(&simulation), now(&twin));
        assert_eq!(now(&fork), now(&same_fork));
        assert_ne!(now(&simulation), now(&fork));
    }
}

/// What a fault does not touch has the same luck with it and without it.
#[test]
fn worlds_differ_by_causes_only() {
    let calm = Fleet::shop(4).with_minutes(400).with_faults(FaultSchedule::none());
    // No engineer who would turn users away.
    let calm = calm.with_on_call(None);
    let fault = Injection::new(FaultKind::CpuStress, "auth").with_severity(0.9).with_duration_minutes(20.0);
    let struck = calm.clone().with_injection(100, fault);
    let (calm, struck) = (calm.run().unwrap().frames, struck.run().unwrap().frames);
    let differs = |row: usize| {
        let bits = |frames: &FrameSet| {
            frames.frame(0).unwrap().row(row).unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        };
        bits(&calm) != bits(&struck)
    };
    assert!((0..100).all(|row| !differs(row)) && (101..120).all(differs));
    let requests = |frames: &FrameSet, row: usize| frames.frame(2).unwrap().row(row).unwrap()[0];
    // The same users come, whatever they find.
    assert!((0..400).all(|row| requests(&calm, row) == requests(&struck, row)));
}

/// A thousand services for as long as a test may take: each value in its range, and time linear in services.
#[test]
fn thousands_of_services_run() {
    let blueprint = Blueprint::layered(3, 1_000).unwrap();
    let calls = blueprint.calls().len();
    assert!((1_000..3_000).contains(&calls));
    let run = Fleet::new(blueprint, 30, 1).run().unwrap();
    assert_eq!(run.frames.layout().rows(), 30_000);
    let errors: Vec<f32> = run
        .frames
        .frames()
        .flat_map(|frame| frame.column("error_rate").unwrap().collect::<Vec<_>>())
        .collect();
    let healthy = errors.iter().filter(|rate| **rate < 0.05).count();
    assert!(healthy as f64 > 0.8 * errors.len() as f64, "{healthy} of {}", errors.len());
}
