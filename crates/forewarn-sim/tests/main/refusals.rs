use forewarn_core::{Target, WindowSpec};
use forewarn_schema::{Frame, Schema, Step, Timestamp};
use forewarn_sim::{SimError, StressWalk, bayes_filter, ceiling, oracle, stress_walk::MAX_MINUTES};

#[test]
fn settings_are_checked_on_every_way_in() {
    for minutes in [0, MAX_MINUTES + 1, usize::MAX] {
        assert!(matches!(StressWalk::new(minutes, 1).run(), Err(SimError::Minutes { .. })), "{minutes}");
    }
    let walk = StressWalk::new(10, 1);
    assert!(walk.clone().with_service("").run().is_err());
    let late: Timestamp = "9999-12-30T21:59:00Z".parse().unwrap();
    assert!(walk.clone().with_start(late).run().is_err());
    assert_eq!(walk.start().to_string(), "2024-01-01T00:00:00Z");
    let json = serde_json::to_string(&walk).unwrap();
    assert_eq!(serde_json::from_str::<StressWalk>(&json).unwrap(), walk);
    let none = json.replace("\"minutes\":10", "\"minutes\":0");
    assert!(serde_json::from_str::<StressWalk>(&none).unwrap_err().to_string().contains("got 0"));
}

#[test]
fn a_run_that_was_changed_is_refused() {
    let (run, spec) = (StressWalk::new(10, 1).run().unwrap(), WindowSpec::default());
    let mut short = run.clone();
    short.stress.pop();
    assert!(matches!(ceiling(&short, spec, Target::Active), Err(SimError::LengthMismatch { got: 9, .. })));
    for wrong in [f64::NAN, -0.1, 1.1] {
        let mut run = run.clone();
        run.stress[3] = wrong;
        assert!(matches!(oracle(&run, spec, Target::Active), Err(SimError::StressOutOfRange { row: 3, .. })));
    }
}

#[test]
fn a_frame_of_another_process_is_refused() {
    let run = StressWalk::new(10, 1).run().unwrap();
    let spec = WindowSpec::default();
    let score = |frame: &Frame| bayes_filter(frame.view(), spec, Target::Onset);
    assert_eq!(score(&run.frame).unwrap().len(), 10);
    let values = run.frame.view().values();
    let frame = |step, values| {
        let start = run.frame.view().start();
        Frame::new("other", Schema::v1(), start, step, values).unwrap()
    };
    let hourly = frame(Step::from_millis(3_600_000).unwrap(), values.to_vec());
    assert!(matches!(score(&hourly), Err(SimError::WrongStep { .. })));
    let mut restarts = values.to_vec();
    restarts[39] = 7.0;
    let error = score(&frame(Step::MINUTE, restarts)).unwrap_err().to_string();
    assert_eq!(error, "other at 2024-01-01T00:03:00Z (row 3): the process cannot have made these metrics");
    let far = WindowSpec::new(10, 1_440, 1).unwrap();
    assert!(matches!(
        bayes_filter(run.frame.view(), far, Target::Onset),
        Err(SimError::HorizonTooLong { .. })
    ));
}
