use forewarn_core::{Assessment, CoreError, FailureRule, Target, V1Rule, WindowSpec};
use forewarn_schema::FrameView;
use forewarn_sim::{
    SimError,
    fleet::{
        Blueprint, Defects, FaultKind, FaultSchedule, Fleet, Injection, Load, PlannedCall, RollOuts, Service,
    },
};
use proptest::prelude::*;

/// Any number that a setting takes, at both ends of its range in particular.
fn number(least: f64, most: f64) -> impl Strategy<Value = f64> {
    prop_oneof![Just(least), Just(most), least..=most]
}

prop_compose! {
    fn service(name: &'static str)(
        arrivals_per_second in number(0.0, 1e9), pods in 1u32..4, workers in prop_oneof![Just(1), Just(100_000)],
        cores in number(1e-6, 1e9), cpu_ms in number(1e-6, 1e9), io_ms in number(0.0, 1e9), variation in number(0.0, 1e9),
        deadline_ms in number(1e-6, 1e9), queue in prop_oneof![Just(0), Just(u32::MAX)], garbage in number(0.0, 1e9),
        (warm_up_seconds, start_seconds) in (number(1e-6, 1e9), number(0.0, 1e9)), cold_factor in number(1.0, 1e6),
    ) -> Service {
        Service {
            arrivals_per_second, pods, workers, cores, cpu_ms, io_ms, variation, deadline_ms, queue, garbage, warm_up_seconds,
            start_seconds, cold_factor, memory_mb: 1e9, request_mb: 1e9, request_kb: 1e9, response_kb: 1e9, ..Service::new(name)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is accepted can be simulated: a frame takes no infinite number, and only rates and latencies may be
    /// missing.
    #[test]
    fn what_is_accepted_gives_numbers(
        (a, b) in (service("a"), service("b")), level in number(1e-6, 1e6), noise in number(0.0, 5.0), fan_out in 1u32..=100,
        timeout_ms in number(1e-6, 1e9), kinds in proptest::collection::vec(proptest::sample::select(&FaultKind::ALL[..]), 0..40),
    ) {
        let a = Service { arrivals_per_second: a.arrivals_per_second.max(1e-6), ..a };
        let call = PlannedCall { fan_out, timeout_ms, ..PlannedCall::new("a", "b").with_retry(10, None) };
        let load = Load { level, slow_noise: noise, fast_noise: noise, ..Load::default() };
        let mut fleet = Fleet::new(Blueprint::new(vec![a, b], vec![call]).unwrap(), 12, 3)
            .with_load(load)
            .with_faults(FaultSchedule::none());
        for kind in kinds {
            for target in ["a", "b"] {
                let fault = Injection::new(kind, target).with_severity(1.0);
                let struck = fleet.clone().with_injection(2, fault);
                if struck.check().is_ok() {
                    fleet = struck;
                }
            }
        }
        let run = fleet.run().unwrap();
        for frame in run.frames.frames() {
            for row in 0..frame.rows() {
                let row = frame.row(row).unwrap();
                prop_assert!(row.iter().enumerate().all(|(metric, value)| !value.is_nan() || (1..5).contains(&metric)), "{row:?}");
            }
        }
        prop_assert!(run.hidden.values().iter().all(|value| value.is_finite()));
    }
}

/// The v1 rule, with a confirmation of its own.
struct Slow(usize);

impl FailureRule for Slow {
    fn describe(&self) -> String {
        format!("sure after {} steps", self.0)
    }

    fn confirmation(&self) -> usize {
        self.0
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        V1Rule.assess(frame)
    }
}

#[test]
fn roll_outs_of_any_size_are_done_or_refused() {
    let fleet = Fleet::shop(1).with_minutes(20);
    let spec = WindowSpec::default();
    let ceiling =
        |rule: &dyn FailureRule, roll_outs| fleet.ceiling(rule, spec, Target::Onset, 9..11, roll_outs);
    let few = RollOuts { futures: 2, ..RollOuts::default() };
    let all = ceiling(&V1Rule, RollOuts { past: usize::MAX, ..few }).unwrap();
    assert_eq!(all, ceiling(&V1Rule, RollOuts { past: 20, ..few }).unwrap());
    assert_eq!(
        ceiling(&V1Rule, RollOuts { every: usize::MAX, threads: usize::MAX, ..few }).unwrap().len(),
        1
    );
    assert!(ceiling(&V1Rule, RollOuts { futures: usize::MAX, ..few }).is_err());
    let far = ceiling(&Slow(usize::MAX), few).unwrap_err();
    assert!(matches!(far, SimError::HorizonTooLong { horizon: usize::MAX, .. }), "{far}");
}

#[test]
fn clocks_that_run_wild_are_refused() {
    let run = Fleet::shop(1).with_minutes(3).run().unwrap();
    let frame = run.frames.frame(0).unwrap();
    for drift_seconds_per_day in [1e300, f64::INFINITY, f64::NAN, -1e300] {
        let error = Defects { drift_seconds_per_day, ..Defects::default() }.arrivals(frame, 1).unwrap_err();
        assert!(error.to_string().contains("drift_seconds_per_day"), "{error}");
    }
}

#[test]
fn a_fault_begins_before_the_end_or_is_refused() {
    let fault = || Injection::new(FaultKind::PodKill, "user");
    let fleet = Fleet::shop(1).with_minutes(30).with_faults(FaultSchedule::none());
    for at in [30, 100, usize::MAX] {
        let error = fleet.clone().with_injection(at, fault()).run().unwrap_err();
        assert!(matches!(error, SimError::FaultAfterEnd { minutes: 30, .. }), "{error}");
    }
    let last = fleet.with_injection(29, fault());
    assert_eq!(last.run().unwrap().log.len(), 1);
    // In whatever order they were given.
    assert!(last.with_minutes(29).run().is_err());
}

#[test]
fn what_is_printed_obeys_no_name() {
    let service = |name: &str| Service { arrivals_per_second: 1.0, ..Service::new(name) };
    let evil = "\u{1b}[31ma";
    let errors = [
        Blueprint::new(vec![service(evil), service(evil)], vec![]),
        Blueprint::new(vec![service(evil)], vec![PlannedCall::new(evil, evil)]),
        Blueprint::new(vec![service(evil)], vec![PlannedCall::new(evil, "b\u{7}")]),
        Blueprint::new(
            vec![service(evil), service("b")],
            vec![PlannedCall::new(evil, "b"), PlannedCall::new(evil, "b")],
        ),
        Blueprint::new(
            vec![service(evil), service("b")],
            vec![PlannedCall::new(evil, "b"), PlannedCall::new("b", evil)],
        ),
        Blueprint::new(vec![Service { cores: 0.0, ..service(evil) }], vec![]),
    ];
    for error in errors {
        let text = error.unwrap_err().to_string();
        assert!(!text.contains(char::is_control) && text.contains("[31m"), "{text:?}");
    }
}
