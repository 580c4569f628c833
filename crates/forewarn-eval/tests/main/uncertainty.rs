//! Intervals and comparisons against what theory and brute force say.

use crate::minute;
use forewarn_core::AlarmPolicy;
use forewarn_core::{Score, WindowSpec};
use forewarn_eval::{
    BlockBootstrap, Delays, EvalError, Events, Interval, ModelComparison, ModelIntervals, ScoredSeries,
    ScoredSet,
};
use forewarn_schema::{Episode, Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Days of hourly windows; one in ten is positive, and a failure begins right after each of them.
fn windows(days: i64, seed: u64) -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..24 * days).map(|_| random.random_bool(0.1)).collect()
}

/// Scores the windows by `score(is positive, a uniform number)`.
fn scored(positive: &[bool], seed: u64, score: impl Fn(bool, f32) -> f32) -> ScoredSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let times = (0..positive.len() as i64).map(|hour| minute(60 * hour)).collect();
    let scores = positive.iter().map(|&label| Score::new(score(label, random.random())).unwrap()).collect();
    let failures = positive.iter().enumerate().filter(|(_, positive)| **positive).map(|(hour, _)| {
        let onset = 60 * hour as i64 + 3;
        Episode::new(minute(onset), minute(onset), minute(onset + 1)).unwrap()
    });
    let episodes = Episodes::new(failures.collect()).unwrap();
    let series = ScoredSeries::new("a", times, scores, positive.to_vec(), episodes).unwrap();
    ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
}

fn intervals(set: &ScoredSet, bootstrap: &BlockBootstrap) -> ModelIntervals {
    let threshold = Score::new(0.5).unwrap();
    let events = Events::new(set, AlarmPolicy::new(threshold, 1));
    ModelIntervals::new(set, threshold, &events, &Delays::default(), bootstrap).unwrap().unwrap()
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    // Alarms on 60 % of the positive windows: event recall is 0.6, and the share of positives that are called too.
    let day = BlockBootstrap::default().block();
    let bootstrap = BlockBootstrap::new(day, 300, 0.9, 3).unwrap();
    let mut held = [0; 2];
    for seed in 0..200 {
        let set = scored(
            &windows(60, seed),
            seed + 1000,
            |positive, u| if positive && u < 0.6 { 0.9 } else { 0.1 },
        );
        let found = intervals(&set, &bootstrap);
        for (held, interval) in held.iter_mut().zip([found.event_recall, found.recall]) {
            *held += usize::from(interval.unwrap().contains(0.6));
        }
    }
    // 180 of 200 expected; three standard errors are 13, and percentile intervals are a little narrow.
    assert!(held.iter().all(|held| (162..=194).contains(held)), "{held:?}");
}

#[test]
fn an_interval_is_as_wide_as_the_binomial_says() {
    let set = scored(&windows(400, 5), 6, |positive, u| if positive && u < 0.6 { 0.9 } else { 0.1 });
    let failures = set.positives() as f64;
    let Interval { low, high, level } = intervals(&set, &BlockBootstrap::default()).event_recall.unwrap();
    let expected = 2.0 * 1.96 * (0.24 / failures).sqrt();
    assert_eq!(level, 0.95);
    assert!(((high - low) / expected - 1.0).abs() < 0.12, "{} instead of {expected}", high - low);
}

#[test]
fn days_that_are_alike_within_make_wider_intervals() {
    // Whole days are found or missed: 24 windows of a day say as much as one.
    let positive = [true, false].repeat(12 * 100);
    let times = (0..positive.len() as i64).map(|hour| minute(60 * hour)).collect();
    let scores = (0..positive.len()).map(|hour| {
        let found = (hour / 24 * 7919) % 10 < 5;
        Score::new(if found && positive[hour] { 0.9 } else { 0.1 }).unwrap()
    });
    let series =
        ScoredSeries::new("a", times, scores.collect(), positive.clone(), Episodes::default()).unwrap();
    let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
    let width = |block: i64| {
        let bootstrap = BlockBootstrap::new(Step::from_millis(block).unwrap(), 1000, 0.95, 1).unwrap();
        let interval = intervals(&set, &bootstrap).recall.unwrap();
        interval.high - interval.low
    };
    let ratio = width(86_400_000) / width(7_200_000);
    assert!((ratio - 12f64.sqrt()).abs() < 0.35, "{ratio}");
}

#[test]
fn seeds_decide_and_a_perfect_model_has_no_doubt() {
    let positive = windows(40, 1);
    let set = scored(&positive, 2, |positive, u| if positive { 0.3 + 0.7 * u } else { 0.7 * u });
    let once = intervals(&set, &BlockBootstrap::default());
    assert_eq!(once, intervals(&set, &BlockBootstrap::default()));
    let day = BlockBootstrap::default().block();
    assert_ne!(once, intervals(&set, &BlockBootstrap::new(day, 1000, 0.95, 2).unwrap()));
    let perfect = intervals(
        &scored(&positive, 2, |positive, _| f32::from(u8::from(positive))),
        &BlockBootstrap::default(),
    );
    let certain = Some(Interval { low: 1.0, high: 1.0, level: 0.95 });
    assert_eq!([perfect.pr_auc, perfect.roc_auc, perfect.f1], [certain; 3]);
    // That all of some hundred failures were detected does not say that all of the next hundred will be.
    let recall = perfect.event_recall.unwrap();
    assert!(recall.high == 1.0 && (0.95..0.98).contains(&recall.low), "{recall:?}");
    assert_eq!(perfect.lead_time_median_minutes, Some(Interval { low: 3.0, high: 3.0, level: 0.95 }));
    let silent = intervals(&scored(&positive, 2, |_, _| 0.0), &BlockBootstrap::default());
    assert_eq!(silent.lead_time_median_minutes, None);
}

#[test]
fn a_single_day_has_no_interval() {
    let set = scored(&windows(1, 4), 2, |_, u| u);
    let events = Events::new(&set, AlarmPolicy::new(Score::ONE, 1));
    let none = ModelIntervals::new(&set, Score::ONE, &events, &Delays::default(), &BlockBootstrap::default())
        .unwrap();
    assert_eq!(none, None);
}

#[test]
fn real_differences_are_told_from_chance() {
    let positive = windows(60, 8);
    let good = |positive, u: f32| if positive { 0.4 + 0.6 * u } else { 0.6 * u };
    let sets = [
        scored(&positive, 1, |_, u| u),
        scored(&positive, 2, good),
        scored(&positive, 3, |_, u| u),
        scored(&positive, 4, good),
    ];
    let models: Vec<_> = ["guess", "good", "another guess", "as good"].into_iter().zip(&sets).collect();
    let comparison = ModelComparison::new(&models, &BlockBootstrap::default()).unwrap().unwrap();
    assert_eq!(comparison.differences.len(), 6);
    for difference in &comparison.differences {
        let of_a_kind = difference.better.contains("guess") == difference.worse.contains("guess");
        assert_eq!(difference.is_real, !of_a_kind, "{difference:?}");
        assert!(difference.interval.unwrap().contains(difference.pr_auc), "{difference:?}");
    }
    let ranks: Vec<_> = comparison.ranks.iter().map(|rank| rank.rank_interval.unwrap()).collect();
    assert!(ranks[..2].iter().all(|interval| interval.high <= 2.0), "{ranks:?}");
    assert!(ranks[2..].iter().all(|interval| interval.low >= 3.0), "{ranks:?}");
    assert_eq!(comparison.ranks[3].best_share, 0.0);
}

#[test]
fn a_model_does_not_differ_from_itself() {
    let set = scored(&windows(30, 8), 1, |_, u| u);
    let comparison =
        ModelComparison::new(&[("a", &set), ("b", &set)], &BlockBootstrap::default()).unwrap().unwrap();
    let difference = &comparison.differences[0];
    assert_eq!((difference.pr_auc, difference.is_real), (0.0, false));
    assert_eq!(difference.interval, Some(Interval { low: 0.0, high: 0.0, level: 0.95 }));
    assert!(ModelComparison::new(&[("a", &set)], &BlockBootstrap::default()).unwrap().is_none());
}

#[test]
fn models_of_other_windows_are_not_compared() {
    let (a, b) = (scored(&windows(30, 8), 1, |_, u| u), scored(&windows(30, 9), 1, |_, u| u));
    let error = ModelComparison::new(&[("a", &a), ("b", &b)], &BlockBootstrap::default()).unwrap_err();
    assert!(matches!(error, EvalError::Core(_)) && error.to_string().contains("\"b\""), "{error}");
}
