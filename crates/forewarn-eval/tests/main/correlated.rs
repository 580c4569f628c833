//! What becomes of a budget's promise where days are alike, by simulation: kept, or said to be doubtful.
//!
//! The long run: `cargo test --release -p forewarn-eval --test main correlated -- --ignored --nocapture`.

use crate::minute;
use forewarn_core::{AlarmPolicy, Score, WindowSpec};
use forewarn_eval::{AlarmBudget, DayAssumption, Events, ScoredSeries, ScoredSet};
use forewarn_schema::{Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Days of two services without failures, a score every ten minutes, whose level of a day has a deviation of half a
/// unit of log-odds and this correlation with the next.
fn quiet(days: i64, correlation: f64, seed: u64) -> ScoredSet {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let series = ["a", "b"].map(|name| {
        let mut level = normal();
        let (mut times, mut scores) = (Vec::new(), Vec::new());
        for day in 0..days {
            level = correlation * level + (1.0 - correlation * correlation).sqrt() * normal();
            for step in 0..144 {
                let logit = normal() + 0.5 * level - 4.0;
                times.push(minute(10 * (144 * day + step)));
                scores.push(Score::new((1.0 / (1.0 + (-logit).exp())) as f32).unwrap());
            }
        }
        let positive = vec![false; times.len()];
        ScoredSeries::new(name, times, scores, positive, Episodes::default()).unwrap()
    });
    ScoredSet::new(WindowSpec::default(), Step::from_millis(600_000).unwrap(), series.into()).unwrap()
}

/// Shares of fits whose true rate is above the budget, whose days are said to be correlated, and of those above
/// without a word.
fn broken(correlation: f64, fits: u64) -> [f64; 3] {
    let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), WindowSpec::default());
    let truth = quiet(3000, correlation, 1);
    let budget = AlarmBudget { per_service_week: 2.0, confidence: 0.9 };
    let (mut counts, mut made) = ([0.0; 3], 0.0);
    for seed in 0..fits {
        let Ok(choice) = budget.choose(&quiet(28, correlation, 100 + seed), policy) else { continue };
        made += 1.0;
        let rate = Events::new(&truth, policy.at(choice.threshold)).totals().false_alarms_per_service_day();
        let is_over = 7.0 * rate.unwrap() > budget.per_service_week;
        let is_said = choice.days == DayAssumption::Correlated;
        for (count, is) in counts.iter_mut().zip([is_over, is_said, is_over && !is_said]) {
            *count += f64::from(u8::from(is));
        }
    }
    println!("correlation {correlation}: of {made} fits");
    counts.map(|count| count / made)
}

#[test]
fn a_promise_is_kept_or_said_to_be_doubtful() {
    let [over, said, _] = broken(0.0, 20);
    assert!(over <= 0.3 && said <= 0.3, "{over} {said}");
    let [_, said, unsaid] = broken(0.9, 20);
    assert!(said >= 0.5 && unsaid <= 0.3, "{said} {unsaid}");
}

/// Of 200 fits of 28 days: independent days over the budget in 6.5 %, said to be correlated in 4.5 %; at a
/// correlation of 0.9 over in 30.7 %, said to be correlated in 66.7 %, over without a word in 13.0 %.
#[test]
#[ignore = "minutes; run in release"]
fn a_promise_is_kept_or_said_to_be_doubtful_in_many_fits() {
    for correlation in [0.0, 0.9] {
        println!("{:.3?}", broken(correlation, 200));
    }
}
