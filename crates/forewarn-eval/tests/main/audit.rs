//! What the audit of scores finds, and that it finds nothing where there is nothing, by simulation.
//!
//! The long run over 1,000 null series is left out unless asked for, with seeds of your own where you like:
//! `FOREWARN_SEED=7 cargo test --release -p forewarn-eval --test main audit -- --ignored --nocapture`.

use crate::{minute, seed as drawn};
use forewarn_core::{Score, WindowSpec, average_precision};
use forewarn_eval::{Finding, LeakAudit, LeakFindings, ScoredSeries, ScoredSet, roc_auc};
use forewarn_schema::{Episode, Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Steps of five minutes in an hour and in a day.
const HOUR: i64 = 12;
const DAY: i64 = 24 * HOUR;
const PERIOD: i64 = 5;

/// What is known of one window.
struct Window {
    service: usize,
    hour: i64,
    /// Steps to the next failure.
    ahead: i64,
    /// Noise that remembers an hour, and noise that remembers nothing; standard deviation 1.
    slow: f64,
    quick: f64,
}

impl Window {
    fn is_positive(&self) -> bool {
        self.ahead <= PERIOD
    }

    /// An honest sign of failures: it rises over the ten steps before them.
    fn honest(&self) -> f64 {
        self.slow + 2.5 * (1.0 - self.ahead as f64 / 12.0).max(0.0)
    }
}

/// Two weeks of four services, of which `rate` says how many failures a day they have at an hour.
fn scored(seed: u64, rate: impl Fn(usize, i64) -> f64, score: impl Fn(&Window) -> f64) -> ScoredSet {
    let mut random = ChaCha8Rng::seed_from_u64(drawn(seed));
    let steps = 14 * DAY;
    let at = |step: i64| minute(5 * step);
    let series = (0..4).map(|service| {
        let mut onsets: Vec<i64> = Vec::new();
        for step in 20..steps {
            let is_free = onsets.last().is_none_or(|&last| step > last + 6);
            if is_free && random.random_bool(rate(service, step / HOUR % 24) / DAY as f64) {
                onsets.push(step);
            }
        }
        let mut slow = 0.0;
        let (mut times, mut scores, mut positive) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..steps {
            let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            slow = 0.92 * slow + 0.392 * normal();
            let next = onsets.partition_point(|&onset| onset <= step);
            if next > 0 && onsets[next - 1] == step || onsets.binary_search(&step).is_ok() {
                continue;
            }
            let ahead = onsets.get(next).map_or(1_000_000, |onset| onset - step);
            let window = Window { service, hour: step / HOUR % 24, ahead, slow, quick: normal() };
            times.push(at(step));
            scores.push(Score::new((1.0 / (1.0 + (3.0 - score(&window)).exp())) as f32).unwrap());
            positive.push(window.is_positive());
        }
        let episode = |&onset: &i64| Episode::new(at(onset), at(onset), at(onset + 1)).unwrap();
        let episodes = Episodes::new(onsets.iter().map(episode).collect()).unwrap();
        ScoredSeries::new(service.to_string(), times, scores, positive, episodes).unwrap()
    });
    let step = Step::from_millis(300_000).unwrap();
    ScoredSet::new(WindowSpec::default(), step, series.collect()).unwrap()
}

fn audited(set: &ScoredSet) -> LeakFindings {
    LeakAudit::new().with_scores(set).run().unwrap()
}

fn suspects(found: &LeakFindings) -> Vec<&str> {
    let suspects = found.checks.iter().filter(|check| check.finding == Finding::Suspect);
    suspects.map(|check| check.name.as_str()).collect()
}

/// PR-AUC over the prevalence.
fn times_no_skill(set: &ScoredSet) -> f64 {
    let (scores, positive) = set.pooled("test").unwrap();
    average_precision(&scores, &positive).unwrap() * set.windows() as f64 / set.positives() as f64
}

/// Failures in eleven hours of the day only.
fn by_hour(_: usize, hour: i64) -> f64 {
    if hour < 11 { 6.0 } else { 0.0 }
}

/// Failures of two services only.
fn by_service(service: usize, _: i64) -> f64 {
    if service < 2 { 4.0 } else { 0.0 }
}

#[test]
fn what_knows_only_the_hour_or_only_the_service_is_found() {
    hours_and_services_are_found(0..12);
}

#[test]
#[ignore = "a minute in release"]
fn what_knows_only_the_hour_or_only_the_service_is_found_in_many_series() {
    hours_and_services_are_found(1_000..1_200);
}

fn hours_and_services_are_found(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let hour =
            scored(seed, by_hour, |window| if window.hour < 11 { 2.0 } else { 0.0 } + 0.3 * window.slow);
        let times = times_no_skill(&hour);
        assert!((1.5..3.0).contains(&times), "{times}");
        let found = audited(&hour);
        assert_eq!(suspects(&found), ["shifted labels"], "{seed}: {found}");
        assert!(found.to_string().contains("tells hours of the day apart"), "{found}");
        let service =
            scored(seed, by_service, |window| if window.service < 2 { 2.0 } else { 0.0 } + 0.3 * window.slow);
        let times = times_no_skill(&service);
        assert!((1.5..3.0).contains(&times), "{times}");
        let found = audited(&service);
        assert_eq!(suspects(&found), ["service alone"], "{seed}: {found}");
        assert!(found.to_string().contains("tells services apart"), "{found}");
    }
}

/// A label among what the score knows: noisy, or a step late, beside an honest sign.
#[test]
fn labels_under_noise_or_a_step_late_are_found() {
    let even = |_: usize, _: i64| 4.0;
    let is = |is: bool| f64::from(u8::from(is));
    for seed in 20..32 {
        let honest = scored(seed, even, Window::honest);
        assert!(audited(&honest).is_clean(), "{seed}: {}", audited(&honest));
        // The copy alone has a ROC-AUC of 0.92: the normal distribution function at 2 / sqrt(2).
        let copy = scored(seed, even, |window| 2.0 * is(window.is_positive()) + window.quick);
        let (scores, positive) = copy.pooled("test").unwrap();
        assert!((roc_auc(&scores, &positive).unwrap() - 0.92).abs() < 0.02);
        let noisy = scored(seed, even, |window| {
            window.honest() + 2.0 * (2.0 * is(window.is_positive()) + window.quick)
        });
        assert_eq!(suspects(&audited(&noisy)), ["label edge"], "{seed}: {}", audited(&noisy));
        let late = scored(seed, even, |window| window.honest() + 5.0 * is(window.ahead < PERIOD));
        assert!(suspects(&audited(&late)).contains(&"label edge"), "{seed}: {}", audited(&late));
    }
}

/// Series in which the score says nothing of failures, though it has a daily pattern, memory, and services of levels
/// of their own, and though failures prefer hours or services. Gives what was found.
fn null(series: u64) -> Vec<String> {
    let mut found = Vec::new();
    for seed in 0..series {
        let mut random = ChaCha8Rng::seed_from_u64(drawn(77_000 + seed));
        let (daily, phase) = (random.random_range(0.0..2.0), random.random_range(0.0..std::f64::consts::TAU));
        let a_day = random.random_range(1.0..5.0);
        // Either the score has a daily pattern or failures have one: both together would be knowledge of the hour.
        let uneven = if seed % 2 == 0 { 0.0 } else { 1.0 };
        let angle = |hour: i64| phase + std::f64::consts::TAU * hour as f64 / 24.0;
        let set = scored(
            seed,
            |service, hour| {
                a_day * (1.0 + 0.8 * uneven * angle(hour).sin()) * (1.0 + uneven * service as f64 / 3.0)
            },
            |window| window.slow + daily * (1.0 - uneven) * angle(window.hour).cos(),
        );
        let verdict = audited(&set);
        found.extend(suspects(&verdict).iter().map(|name| format!("{seed}: {name}")));
    }
    found
}

#[test]
fn nothing_is_found_where_nothing_is() {
    assert_eq!(null(40), Vec::<String>::new());
}

#[test]
#[ignore = "a minute in release"]
fn nothing_is_found_in_a_thousand_null_series() {
    let found = null(1000);
    println!("{found:?}");
    assert!(found.is_empty());
}
