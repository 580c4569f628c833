use super::*;
use crate::SloLevel;
use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};

fn frame(rows: &[[f32; 3]]) -> Frame {
    let schema = Schema::new(["requests", "errors", "latency"].map(Metric::gauge).to_vec()).unwrap();
    Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, rows.concat()).unwrap()
}

fn availability() -> Slo {
    let (requests, error_rate) = ("requests".into(), "errors".into());
    Slo::new("up", Indicator::Availability { requests, error_rate }, 0.99).with_windows_minutes(vec![2, 100])
}

#[test]
fn requests_are_counted_and_budgets_burn() {
    let missing = [f32::NAN, 0.5, 1.0];
    let rows = [[1000.0, 0.0, 1.0], [1000.0, 0.0, 1.0], [0.0, 1.0, 1.0], missing, [1000.0, 0.04, 1.0]];
    let report = availability().assess(frame(&rows).view()).unwrap();
    assert_eq!((report.rows, report.violations), (3, 1));
    // 40 of 3000 requests were bad where 30 were allowed.
    assert!((report.achieved.unwrap() - (1.0 - 40.0 / 3000.0)).abs() < 1e-6);
    assert!((report.budget_spent.unwrap() - 40.0 / 30.0).abs() < 1e-5);
    let rates: Vec<f64> = report.burn_rates.iter().map(|burn| burn.rate.unwrap()).collect();
    assert!((rates[0] - 4.0).abs() < 1e-5 && (rates[1] - 40.0 / 30.0).abs() < 1e-5, "{rates:?}");
    let nothing = availability().assess(frame(&[missing]).view()).unwrap();
    assert_eq!((nothing.achieved, nothing.burn_rates[0].rate), (None, None));
}

#[test]
fn rows_are_judged_by_their_limits() {
    let rows = [[5.0, 0.1, 200.0], [50.0, 0.2, 700.0], [500.0, 0.01, f32::NAN]];
    let violations = |indicator| {
        let slo = Slo::new("x", indicator, 0.9);
        let report = slo.assess(frame(&rows).view()).unwrap();
        (report.violations, report.rows)
    };
    assert_eq!(violations(Indicator::Latency { metric: "latency".into(), at_most: 500.0 }), (1, 2));
    assert_eq!(violations(Indicator::Errors { error_rate: "errors".into(), at_most: 0.05 }), (2, 3));
    assert_eq!(violations(Indicator::Throughput { requests: "requests".into(), at_least: 50.0 }), (1, 3));
}

#[test]
fn a_window_forgets_what_lies_before_it() {
    let mut state = availability().start(frame(&[]).view().schema(), Step::MINUTE).unwrap();
    assert_eq!(state.burn_rates().next().unwrap().rate, None);
    for minute in 0..500 {
        let errors = if minute < 400 { 0.5 } else { 0.0 };
        state.push(&[100.0, errors, 0.0]).unwrap();
    }
    let rates: Vec<_> = state.burn_rates().map(|burn| burn.rate.unwrap()).collect();
    assert_eq!(rates, [0.0, 0.0]);
    assert_eq!(state.report().violations, 400);
}

/// A row of any size is gone when it has left the window: sums are not taken back from a number that has
/// swallowed the small ones.
#[test]
fn a_huge_row_blinds_no_window() {
    let mut state = availability().start(frame(&[]).view().schema(), Step::MINUTE).unwrap();
    state.push(&[1e38, 0.0, 0.0]).unwrap();
    for _ in 0..200 {
        state.push(&[100.0, 0.5, 0.0]).unwrap();
    }
    let rates: Vec<f64> = state.burn_rates().map(|burn| burn.rate.unwrap()).collect();
    assert!(rates.iter().all(|rate| (rate - 50.0).abs() < 1e-9), "{rates:?}");
}

#[test]
fn a_row_that_no_frame_could_hold_leaves_a_state_as_it_was() {
    let schema = frame(&[]).view().schema().clone();
    let [mut state, mut twin] = [(); 2].map(|()| availability().start(&schema, Step::MINUTE).unwrap());
    for row in [[1000.0, 0.01, 1.0], [500.0, 0.5, f32::NAN], [0.0, 0.0, 1.0]] {
        for wrong in [&[f32::INFINITY, 0.0, 1.0][..], &[9.0, f32::NEG_INFINITY, 1.0], &row[1..]] {
            assert!(state.push(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(state.push(&row).unwrap(), twin.push(&row).unwrap());
        assert_eq!(state.report(), twin.report());
    }
    assert!(state.burn_rates().all(|burn| burn.rate.is_some()));
}

/// Blocks against sums over the rows themselves, and a state that is saved and restored again and again.
#[test]
fn long_windows_are_sums_of_blocks_and_states_are_saved() {
    let slo = availability().with_windows_minutes(vec![3, 60, 119, 360, 4320]);
    let schema = frame(&[]).view().schema().clone();
    let start = || slo.start(&schema, Step::MINUTE).unwrap();
    let (mut state, mut events) = (start(), Vec::new());
    for minute in 0..6000_usize {
        let rate = if minute % 700 < 40 { 0.25 } else { 0.0 };
        let requests = if minute % 11 == 0 { f32::NAN } else { (minute % 13 * 10) as f32 };
        events.push(if requests.is_nan() {
            [0.0; 2]
        } else {
            [f64::from(requests) * rate, f64::from(requests)]
        });
        state.push(&[requests, rate as f32, 1.0]).unwrap();
        if minute % 97 == 0 {
            let mut bytes = Vec::new();
            state.save(&mut bytes).unwrap();
            let mut restored = start();
            restored.restore(&mut &bytes[..]).unwrap();
            assert_eq!(restored.report(), state.report());
            state = restored;
            let mut other = slo.clone().with_period_days(29).start(&schema, Step::MINUTE).unwrap();
            assert!(other.restore(&mut &bytes[..]).is_err());
            assert!(start().restore(&mut &bytes[..bytes.len() - 1]).is_err());
        }
        for burn in state.burn_rates() {
            let window = burn.window_minutes as usize;
            let block = match window {
                ..120 => 1,
                120..1440 => 5,
                _ => 60,
            };
            // The window without the rows of a block that it has only a part of.
            let rows = (minute + 1).min(window / block * block - (block - (minute + 1) % block) % block);
            let sum = |column: usize| events[minute + 1 - rows..].iter().map(|row| row[column]).sum::<f64>();
            let expected = (sum(1) > 0.0).then(|| sum(0) / sum(1) / 0.01);
            assert!(
                burn.rate.zip(expected).is_none_or(|(a, b)| (a - b).abs() < 1e-4)
                    && burn.rate.is_some() == expected.is_some(),
                "{minute} {window} {:?} {expected:?}",
                burn.rate
            );
        }
    }
}

#[test]
fn levels_follow_the_workbook_and_budgets_run_out() {
    let (requests, error_rate) = ("requests".into(), "errors".into());
    let slo = Slo::new("up", Indicator::Availability { requests, error_rate }, 0.999);
    let schema = frame(&[]).view().schema().clone();
    let mut state = slo.start(&schema, Step::MINUTE).unwrap();
    let mut push = |minutes: usize, errors: f32| -> Vec<SloLevel> {
        (0..minutes)
            .map(|_| {
                state.push(&[1000.0, errors, 1.0]).unwrap();
                state.level()
            })
            .collect()
    };
    assert!(push(360, 0.0).iter().all(|level| *level == SloLevel::Met));
    // As in the rule of the same windows: 9 minutes of 10 % errors in an hour are 15 times the budget.
    let burning = push(9, 0.1);
    assert!(burning[..8].iter().all(|level| *level == SloLevel::Met) && burning[8] == SloLevel::Page);
    let after = push(10, 0.0);
    assert!(after[3] == SloLevel::Page && after[4] == SloLevel::Met, "the short window says that it is over");
    let left = state.budget_left().unwrap();
    assert!((left - (1.0 - 0.9 / 379.0 / 0.001)).abs() < 1e-4, "{left}");
    assert_eq!(state.minutes_to_exhaustion(), Some(0.0));
    // 30 days of one error in 2000 leave half of the budget, and an hour at twice its pace two weeks of it.
    let mut state = slo.start(&schema, Step::MINUTE).unwrap();
    for minute in 0..30 * 1440 {
        let errors = if minute < 30 * 1440 - 60 { 0.0005 } else { 0.002 };
        state.push(&[1000.0, errors, 1.0]).unwrap();
    }
    let (left, minutes) = (state.budget_left().unwrap(), state.minutes_to_exhaustion().unwrap());
    assert!((left - 0.498).abs() < 0.002 && (minutes - left * 21_600.0).abs() < 1.0, "{left} {minutes}");
}

#[test]
fn files_with_a_wrong_field_say_where() {
    let says = |text: &str, parts: &[&str]| {
        let error = Slo::list_from_toml(text).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    let latency = "indicator.latency = { metric = 'x', at_most = 5 }";
    says(&format!("[[slo]]\nname = 'a'\nobjective = 1.0\n{latency}"), &["slo[0]", "objective of \"a\" is 1"]);
    says(
        "[[slo]]\nname = 'a'\nobjective = 0.9\nindicator.speed = 7",
        &["slo[0].indicator", "unknown variant `speed`"],
    );
    says(
        &format!("[[slo]]\nname = 'a'\nobjektive = 0.9\n{latency}"),
        &["slo[0]", "unknown field `objektive`"],
    );
    says(
        &format!("[[slo]]\nname = 'a'\nobjective = 0.9\nwindows_minutes = [0]\n{latency}"),
        &["window of \"a\" in minutes is 0"],
    );
    let slo = &Slo::v1()[0];
    assert!(slo.assess(frame(&[]).view()).unwrap_err().to_string().contains("\"request_count\" is missing"));
    let json = serde_json::to_string(slo).unwrap();
    assert_eq!(serde_json::from_str::<Slo>(&json).unwrap(), *slo);
}
