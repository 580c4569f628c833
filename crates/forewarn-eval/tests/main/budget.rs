//! Alarm budgets, skill over chance and what more alarms buy.

use crate::minute;
use forewarn_core::AlarmPolicy;
use forewarn_core::{Score, WindowSpec};
use forewarn_eval::{AlarmBudget, EvalError, Events, ScoredSeries, ScoredSet, Tradeoff, skill_over_chance};
use forewarn_schema::{Episode, Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const WEEK: i64 = 7 * 1440;

/// Weeks of minutes with a failure every 400 at a random minute, scored by
/// `score(onset within five minutes, minutes since the last onset, a uniform number)`.
fn scored(weeks: i64, seed: u64, mut score: impl FnMut(bool, i64, f32) -> f32) -> ScoredSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let onsets: Vec<i64> = (0..weeks * WEEK / 400).map(|i| 400 * i + random.random_range(20..380)).collect();
    let (mut times, mut scores, mut positive) = (Vec::new(), Vec::new(), Vec::new());
    for t in 0..weeks * WEEK {
        let next = onsets.partition_point(|&onset| onset <= t);
        let since = if next > 0 { t - onsets[next - 1] } else { i64::MAX };
        if since < 3 {
            continue;
        }
        let is_near = onsets.get(next).is_some_and(|onset| onset - t <= 5);
        times.push(minute(t));
        scores.push(Score::new(score(is_near, since, random.random())).unwrap());
        positive.push(is_near);
    }
    let failures = onsets
        .iter()
        .map(|&onset| Episode::new(minute(onset), minute(onset + 1), minute(onset + 3)).unwrap());
    let series =
        ScoredSeries::new("a", times, scores, positive, Episodes::new(failures.collect()).unwrap()).unwrap();
    ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
}

fn policy() -> AlarmPolicy {
    AlarmPolicy::for_window(Score::new(0.5).unwrap(), WindowSpec::default())
}

#[test]
fn a_budget_is_kept_as_often_as_promised() {
    // False alarms come at random. Long data with the same threshold shows the true rate.
    let noise = |near: bool, _, u: f32| if near { 0.5 } else { u.powi(2) };
    let budget = AlarmBudget { per_service_week: 20.0, confidence: 0.8 };
    let truth = scored(30, 99, noise);
    let (mut kept, mut rates) = (0, 0.0);
    for seed in 0..40 {
        let choice = budget.choose(&scored(1, seed, noise), policy()).unwrap();
        assert!(choice.validation_rate <= 20.0 && choice.dispersion >= 1.0, "{choice:?}");
        let rate = Events::new(&truth, policy().at(choice.threshold)).totals().false_alarms_per_service_day();
        rates += 7.0 * rate.unwrap() / 40.0;
        kept += usize::from(7.0 * rate.unwrap() <= 20.0);
    }
    // At least 32 of 40 promised; and the budget is used, not thrown away.
    assert!(kept >= 32, "{kept}");
    assert!(rates > 8.0, "{rates}");
}

#[test]
fn a_short_validation_part_proves_nothing() {
    let set = scored(1, 1, |_, _, u| u);
    let budget = AlarmBudget { per_service_week: 1.0, confidence: 0.9 };
    let error = budget.choose(&set, policy()).unwrap_err();
    assert!(matches!(error, EvalError::BudgetNotProvable { .. }));
    assert!(error.to_string().contains("2.30 are needed at a confidence of 0.9"), "{error}");
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(AlarmBudget { per_service_week: wrong, ..budget }.choose(&set, policy()).is_err());
        assert!(AlarmBudget { confidence: wrong, ..budget }.choose(&set, policy()).is_err());
    }
}

#[test]
fn validation_without_windows_proves_nothing_at_all() {
    let of = |series| ScoredSet::new(WindowSpec::default(), Step::MINUTE, series).unwrap();
    let silent = ScoredSeries::new("a", vec![], vec![], vec![], Episodes::default()).unwrap();
    for set in [of(vec![]), of(vec![silent])] {
        // So little certainty that 1 - confidence is 1, and every count would do.
        for confidence in [0.9, 1e-18] {
            let budget = AlarmBudget { per_service_week: 1.0, confidence };
            let error = budget.choose(&set, policy()).unwrap_err();
            assert!(matches!(error, EvalError::BudgetNotProvable { service_weeks: 0.0, .. }), "{error}");
            assert_eq!(AlarmBudget::choose_each(&[budget; 2], &set, policy()).unwrap(), [None, None]);
        }
    }
}

#[test]
fn budgets_beyond_all_measure_are_answered_too() {
    let set = scored(1, 1, |_, _, u| u);
    let of = |per_service_week| AlarmBudget { per_service_week, confidence: 0.9 }.choose(&set, policy());
    for tiny in [f64::MIN_POSITIVE, 5e-324] {
        assert!(matches!(of(tiny), Err(EvalError::BudgetNotProvable { .. })));
    }
    // Whoever accepts any number of false alarms may have the lowest threshold.
    assert!(of(f64::MAX).unwrap().threshold.get() < 1e-6);
}

#[test]
fn warnings_at_random_have_no_skill_and_an_oracle_has_all() {
    let guess = scored(20, 5, |_, _, u| if u < 0.02 { 1.0 } else { 0.0 });
    let skill = skill_over_chance(&guess, &Events::new(&guess, policy())).unwrap();
    // An alarm in fifty minutes, outside the refractory period, five minutes of warning each: 1 - 1/1.1 of the time
    // or so.
    assert!((skill.time_in_warning - 0.0926).abs() < 0.008, "{skill:?}");
    assert!(skill.over_random.abs() < 0.05 && skill.random_p_value > 0.01, "{skill:?}");
    let oracle = scored(20, 5, |near, _, _| f32::from(u8::from(near)));
    let skill = skill_over_chance(&oracle, &Events::new(&oracle, policy())).unwrap();
    assert_eq!((skill.event_recall, skill.over_random), (1.0, 1.0));
    assert!(skill.random_p_value < 1e-12 && skill.persistence_p_value < 1e-12, "{skill:?}");
    let always = scored(1, 5, |_, _, _| 1.0);
    let skill = skill_over_chance(&always, &Events::new(&always, policy())).unwrap();
    assert!(skill.time_in_warning > 0.99 && skill.random_p_value > 0.5, "{skill:?}");
}

#[test]
fn persistence_is_as_good_as_persistence() {
    // The score knows only how long ago the last failure was: exactly what persistence knows.
    let set = scored(20, 6, |_, since, _| if since < 250 { 1.0 } else { 0.0 });
    let skill = skill_over_chance(&set, &Events::new(&set, policy())).unwrap();
    assert!((skill.persistence_recall - skill.event_recall).abs() < 0.05, "{skill:?}");
    assert!(skill.persistence_p_value > 0.05, "{skill:?}");
}

#[test]
fn more_alarms_buy_more_failures() {
    let set = scored(8, 3, |near, _, u| if near { 0.3 + 0.7 * u } else { 0.7 * u });
    let tradeoff = Tradeoff::new(&set, policy()).unwrap().unwrap();
    let points = &tradeoff.points;
    assert!(points.len() > 30 && points.windows(2).all(|pair| pair[0].threshold > pair[1].threshold));
    assert!(points[0].event_recall < 0.05 && points[points.len() - 1].event_recall == 1.0);
    assert!(tradeoff.sensitivity_area > 0.6 && tradeoff.sensitivity_area < 1.0, "{tradeoff:?}");
    let guess = Tradeoff::new(&scored(20, 3, |_, _, u| u), policy()).unwrap().unwrap();
    // The area without skill varies by some 0.3 / sqrt(500 failures).
    assert!((guess.sensitivity_area - 0.5).abs() < 0.04, "{}", guess.sensitivity_area);
}
