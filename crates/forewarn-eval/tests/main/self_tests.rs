//! Predictors whose scores theory knows.

use crate::minute;
use approx::assert_abs_diff_eq;
use forewarn_core::{AlarmPolicy, average_precision};
use forewarn_core::{Score, WindowSpec};
use forewarn_eval::{
    BlockBootstrap, EventCounts, Events, ScoredSeries, ScoredSet, SecondaryFigures, best_f1_threshold, brier,
    roc_auc,
};
use forewarn_schema::{Episode, Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const MINUTES: i64 = 50_000;

/// A service that fails every 97 minutes for three: 49,997 minutes is a whole number of neither.
fn failures() -> Episodes {
    let episodes = (1..=MINUTES / 97)
        .map(|i| Episode::new(minute(97 * i), minute(97 * i + 1), minute(97 * i + 3)).unwrap());
    Episodes::new(episodes.collect()).unwrap()
}

/// Every minute scored by `score(onset in the next five minutes?, minutes since the last onset)`, failing ones too.
fn scored(mut score: impl FnMut(bool, i64) -> f32) -> ScoredSet {
    let (mut times, mut scores, mut positive) = (Vec::new(), Vec::new(), Vec::new());
    for t in 0..MINUTES {
        let is_positive = (t + 1..=t + 5).any(|ahead| ahead % 97 == 0 && ahead <= MINUTES / 97 * 97);
        times.push(minute(t));
        scores.push(Score::new(score(is_positive, t % 97)).unwrap());
        positive.push(is_positive);
    }
    let series = ScoredSeries::new("a", times, scores, positive, failures()).unwrap();
    ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
}

fn totals(set: &ScoredSet, refractory: usize) -> EventCounts {
    Events::new(set, AlarmPolicy::new(Score::new(0.5).unwrap(), refractory)).totals()
}

#[test]
fn random_scores_are_worth_the_prevalence() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let set = scored(|_, _| random.random());
    let (scores, positive) = set.pooled("test").unwrap();
    let prevalence = set.positives() as f64 / set.windows() as f64;
    assert_abs_diff_eq!(prevalence, 5.0 / 97.0, epsilon = 1e-3);
    // Four standard errors: of ROC-AUC sqrt((n + 1) / (12 P N)) = 0.0058, of average precision some 2 %.
    assert_abs_diff_eq!(roc_auc(&scores, &positive).unwrap(), 0.5, epsilon = 0.024);
    assert_abs_diff_eq!(
        average_precision(&scores, &positive).unwrap(),
        prevalence,
        epsilon = 0.08 * prevalence
    );
    // The mean of (u - y)^2 for uniform u is 1/3, whatever y.
    assert_abs_diff_eq!(brier(&scores, &positive).unwrap(), 1.0 / 3.0, epsilon = 0.006);
}

#[test]
fn constant_scores_are_worth_exactly_the_prevalence() {
    for value in [0.0, 0.3, 1.0] {
        let set = scored(|_, _| value);
        let (scores, positive) = set.pooled("test").unwrap();
        let prevalence = set.positives() as f64 / set.windows() as f64;
        assert_abs_diff_eq!(average_precision(&scores, &positive).unwrap(), prevalence, epsilon = 1e-16);
        assert_eq!(roc_auc(&scores, &positive).unwrap(), 0.5);
        let (threshold, f1) = best_f1_threshold(&scores, &positive).unwrap();
        assert_eq!(threshold.get(), value);
        assert_abs_diff_eq!(f1, 2.0 * prevalence / (1.0 + prevalence), epsilon = 1e-15);
    }
}

#[test]
fn an_oracle_is_perfect() {
    let set = scored(|positive, _| if positive { 1.0 } else { 0.0 });
    let (scores, positive) = set.pooled("test").unwrap();
    assert_eq!(average_precision(&scores, &positive).unwrap(), 1.0);
    assert_eq!(roc_auc(&scores, &positive).unwrap(), 1.0);
    assert_eq!(best_f1_threshold(&scores, &positive).unwrap(), (Score::ONE, 1.0));
    assert_eq!(brier(&scores, &positive).unwrap(), 0.0);
    let totals = totals(&set, 5);
    assert_eq!(totals.recall(), Some(1.0));
    assert_eq!((totals.false_alarms, totals.late_alarms, totals.out_of_reach), (0, 0, 0));
    assert_eq!(totals.alarms, totals.episodes);
    assert!(totals.leads_minutes.iter().all(|&minutes| minutes == 5.0));
}

#[test]
fn an_alarm_that_is_always_on_warns_of_everything_and_is_mostly_false() {
    let set = scored(|_, _| 1.0);
    let totals = totals(&set, 5);
    assert_eq!(totals.alarms as i64, MINUTES / 5);
    // One alarm a period, end to end: no onset falls between two of them, unless the one before it was raised in a
    // failure.
    assert_eq!(totals.recall(), Some(1.0));
    // 3 of 97 minutes fail, and the 5 before an onset hold one alarm: late 3/97, right 1/5 x 5/97 of the minutes.
    let per_cycle = |count: usize| count as f64 * 97.0 / MINUTES as f64;
    assert_abs_diff_eq!(per_cycle(totals.late_alarms), 3.0 / 5.0, epsilon = 0.01);
    assert_abs_diff_eq!(per_cycle(totals.false_alarms), (97.0 - 3.0 - 5.0) / 5.0, epsilon = 0.02);
    let a_day = totals.false_alarms_per_service_day().unwrap();
    assert_abs_diff_eq!(a_day, 1440.0 / 5.0 * 89.0 / 97.0, epsilon = 0.5);
}

#[test]
fn an_alarm_that_is_always_off_warns_of_nothing() {
    let totals = totals(&scored(|_, _| 0.0), 5);
    assert_eq!((totals.alarms, totals.caught(), totals.recall()), (0, 0, Some(0.0)));
    assert_eq!(totals.false_alarms_per_service_day(), Some(0.0));
}

#[test]
fn an_oracle_that_speaks_after_the_fact_is_late_and_not_right() {
    // Score 1 in the failing minutes only: always true, never a warning.
    let totals = totals(&scored(|_, since| if since < 3 { 1.0 } else { 0.0 }), 5);
    assert_eq!((totals.caught(), totals.recall()), (0, Some(0.0)));
    // Minute 0 is `since == 0` too, and there is no failure then.
    assert_eq!((totals.late_alarms, totals.false_alarms), (totals.episodes, 1));
}

#[test]
fn a_delayed_oracle_is_right_but_later() {
    // It knows, and says so two minutes after it could: three before the onset.
    let set = scored(|_, since| if since >= 94 { 1.0 } else { 0.0 });
    let totals = totals(&set, 5);
    assert_eq!(totals.recall(), Some(1.0));
    assert!(totals.leads_minutes.iter().all(|&minutes| minutes == 3.0));
    let (scores, positive) = set.pooled("test").unwrap();
    let counts = forewarn_eval::Confusion::at(Score::ONE, &scores, &positive).unwrap();
    assert_abs_diff_eq!(counts.recall(), 3.0 / 5.0, epsilon = 1e-12);
}

#[test]
fn secondary_figures_are_as_theory_says() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let figures = |set: &ScoredSet| {
        let threshold = Score::new(0.5).unwrap();
        let events = Events::new(set, AlarmPolicy::new(threshold, 5));
        SecondaryFigures::new(set, threshold, &events, &BlockBootstrap::default()).unwrap()
    };
    let oracle = figures(&scored(|positive, _| f32::from(u8::from(positive))));
    for figure in
        [oracle.range_precision, oracle.range_recall, oracle.affiliation_precision, oracle.affiliation_recall]
    {
        assert_abs_diff_eq!(figure.value.unwrap(), 1.0, epsilon = 1e-12);
        assert_abs_diff_eq!(figure.interval.unwrap().low, 1.0, epsilon = 1e-12);
    }
    assert_abs_diff_eq!(oracle.nab.value.unwrap(), 100.0, epsilon = 1e-9);
    assert!(oracle.vus_pr.value.unwrap() > 0.7, "{:?}", oracle.vus_pr);
    let silent = figures(&scored(|_, _| 0.0));
    assert_eq!((silent.range_precision.value, silent.range_recall.value), (None, Some(0.0)));
    assert_eq!((silent.affiliation_precision.value, silent.affiliation_recall.value), (None, Some(0.0)));
    assert_abs_diff_eq!(silent.nab.value.unwrap(), 0.0, epsilon = 1e-12);
    // A random alarm is as near to a failure as any other moment of its zone: one half.
    let guess = figures(&scored(|_, _| random.random::<f32>().powi(8)));
    assert_abs_diff_eq!(guess.affiliation_precision.value.unwrap(), 0.5, epsilon = 0.06);
    assert!(guess.nab.value.unwrap() < 0.0 && guess.vus_pr.value.unwrap() < 0.2);
}
