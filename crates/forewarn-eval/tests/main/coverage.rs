//! Whether 95 % intervals hold the truth in 95 % of data sets, and whether equal models are called different in 5 %.
//!
//! The long runs are left out unless asked for, with seeds of your own where you like:
//! `FOREWARN_SEED=7 cargo test --release -p forewarn-eval --test main coverage -- --ignored --nocapture`.

use crate::{minute, seed};
use forewarn_core::{AlarmPolicy, Score, WindowSpec, average_precision};
use forewarn_eval::{
    BlockBootstrap, Delays, Events, Interval, ModelComparison, ModelIntervals, ScoredSeries, ScoredSet,
};
use forewarn_schema::{Episode, Episodes, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Minutes of a step.
const STEP: i64 = 5;
/// Steps of a day.
const DAY: i64 = 1440 / STEP;
/// Days of the data set that says what is true, in long runs.
const LONG: i64 = 3000;

/// A world of independent days, with some failures a day and service on average, 60 % of them foreseeable.
#[derive(Clone, Copy, Debug)]
struct World {
    name: &'static str,
    services: usize,
    failures_a_day: f64,
    /// Standard deviations of a day's level of scores, in log-odds, and of the logarithm of its failure rate.
    uneven: [f64; 2],
    /// Probability that a failure brings others within half an hour.
    bursts: f64,
    threshold: f32,
}

const COMMON: World =
    World { name: "common", services: 1, failures_a_day: 2.5, uneven: [0.0; 2], bursts: 0.0, threshold: 0.3 };
const RARE: World = World { name: "rare", failures_a_day: 0.6, ..COMMON };
const UNEVEN: World = World { name: "uneven days", uneven: [0.5, 0.7], ..COMMON };
const BURSTS: World = World { name: "bursts", failures_a_day: 1.2, bursts: 0.6, ..COMMON };
const SEVERAL: World =
    World { name: "several services", services: 4, failures_a_day: 1.0, uneven: [0.3, 0.0], ..COMMON };
const QUIET: World = World { name: "few alarms", failures_a_day: 1.0, threshold: 0.5, ..COMMON };
const ALL: [World; 6] = [COMMON, RARE, UNEVEN, BURSTS, SEVERAL, QUIET];

/// A sum of twelve uniform numbers is normal enough.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

impl World {
    /// The scores of some equally good models, whose noise remembers an hour and differs between them.
    fn models(self, days: i64, seed: u64, models: usize) -> Vec<ScoredSet> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let [level, rate] = self.uneven;
        let day: Vec<[f64; 2]> = (0..days)
            .map(|_| [level * normal(&mut random), (rate * normal(&mut random) - 0.5 * rate * rate).exp()])
            .collect();
        let mut series: Vec<Vec<ScoredSeries>> = vec![Vec::new(); models];
        for service in 0..self.services {
            let onsets = self.onsets(&day, &mut random);
            for series in &mut series {
                series.push(scored(&service.to_string(), &day, &onsets, &mut random));
            }
        }
        let step = Step::from_millis(STEP * 60_000).unwrap();
        series.into_iter().map(|list| ScoredSet::new(WindowSpec::default(), step, list).unwrap()).collect()
    }

    /// When failures begin, and whether they can be foreseen.
    fn onsets(self, day: &[[f64; 2]], random: &mut ChaCha8Rng) -> Vec<(i64, bool)> {
        let (mut onsets, mut hot): (Vec<(i64, bool)>, i64) = (Vec::new(), 0);
        for step in 10..day.len() as i64 * DAY {
            let is_free = onsets.last().is_none_or(|&(last, _)| step > last + 6);
            let calm = self.failures_a_day / DAY as f64 * day[(step / DAY) as usize][1];
            let rate = calm + if hot > step { 0.05 } else { 0.0 };
            if is_free && random.random_bool(rate.min(1.0)) {
                onsets.push((step, random.random_bool(0.6)));
                if random.random_bool(self.bursts) {
                    hot = step + 36;
                }
            }
        }
        onsets
    }

    fn one(self, days: i64, seed: u64) -> ScoredSet {
        self.models(days, seed, 1).remove(0)
    }

    /// Shares of `sets` data sets whose intervals hold the truth (PR-AUC, event recall, false alarms), and shares
    /// that have such an interval at all.
    fn coverage(self, days: i64, sets: u64, long: i64) -> ([f64; 3], [f64; 3]) {
        let threshold = Score::new(self.threshold).unwrap();
        let policy = AlarmPolicy::for_window(threshold, WindowSpec::default());
        let long = self.one(long, seed(1));
        let totals = Events::new(&long, policy).totals();
        let (scores, positive) = long.pooled("long").unwrap();
        let truth = [
            average_precision(&scores, &positive).unwrap(),
            totals.recall().unwrap(),
            totals.false_alarms_per_service_day().unwrap(),
        ];
        // None of the three is resampled.
        let bootstrap = BlockBootstrap::new(BlockBootstrap::default().block(), 100, 0.95, 7).unwrap();
        let (mut held, mut made) = ([0.0; 3], [0.0; 3]);
        for set in 0..sets {
            let set = self.one(days, seed(1000 + set));
            let events = Events::new(&set, policy);
            let Ok(Some(found)) =
                ModelIntervals::new(&set, threshold, &events, &Delays::default(), &bootstrap)
            else {
                continue;
            };
            let intervals = [found.pr_auc, found.event_recall, found.false_alarms_per_service_day];
            for (place, interval) in intervals.into_iter().enumerate() {
                let Some(interval): Option<Interval> = interval else { continue };
                made[place] += 1.0;
                held[place] += f64::from(u8::from(interval.contains(truth[place])));
            }
        }
        let covered = [0, 1, 2].map(|place| held[place] / made[place]);
        let made = made.map(|made| made / sets as f64);
        println!("{}, {days} days: truth {truth:.3?}, covered {covered:.3?}, made {made:.3?}", self.name);
        (covered, made)
    }

    /// Share of `sets` data sets in which some difference between three equally good models is called real.
    fn called_real(self, days: i64, sets: u64, resamples: usize) -> f64 {
        let bootstrap = BlockBootstrap::new(BlockBootstrap::default().block(), resamples, 0.95, 7).unwrap();
        let (mut real, mut made) = (0.0, 0.0);
        for set in 0..sets {
            let sets = self.models(days, seed(9_000_000 + set), 3);
            let models: Vec<(&str, &ScoredSet)> = ["a", "b", "c"].into_iter().zip(&sets).collect();
            let Ok(Some(found)) = ModelComparison::new(&models, &bootstrap) else { continue };
            made += 1.0;
            real += f64::from(u8::from(found.differences.iter().any(|difference| difference.is_real)));
        }
        println!("{}, {days} days: a difference called real in {:.3} of {made}", self.name, real / made);
        real / made
    }
}

/// The scores of a service by a model.
fn scored(name: &str, day: &[[f64; 2]], onsets: &[(i64, bool)], random: &mut ChaCha8Rng) -> ScoredSeries {
    let at = |step: i64| minute(STEP * step);
    let (mut times, mut scores, mut positive) = (Vec::new(), Vec::new(), Vec::new());
    let (mut noise, mut next) = (0.0f64, 0);
    for step in 0..day.len() as i64 * DAY {
        noise = 0.92 * noise + 0.392 * normal(random);
        if onsets.get(next).is_some_and(|&(onset, _)| onset == step) {
            next += 1;
            continue;
        }
        let ahead = onsets.get(next).filter(|(onset, _)| onset - step <= 5);
        let known = ahead.is_some_and(|&(_, foreseeable)| foreseeable);
        let logit = noise + day[(step / DAY) as usize][0] - 3.0 + if known { 2.5 } else { 0.0 };
        times.push(at(step));
        scores.push(Score::new((1.0 / (1.0 + (-logit).exp())) as f32).unwrap());
        positive.push(ahead.is_some());
    }
    let episode = |&(onset, _): &(i64, bool)| Episode::new(at(onset), at(onset), at(onset + 1)).unwrap();
    let episodes = Episodes::new(onsets.iter().map(episode).collect()).unwrap();
    ScoredSeries::new(name, times, scores, positive, episodes).unwrap()
}

/// A few sets, for the normal run; three standard errors of 50 sets are ten points.
#[test]
fn intervals_hold_the_truth_in_a_few_sets() {
    for (world, days) in [(COMMON, 30), (RARE, 10)] {
        let (found, _) = world.coverage(days, 50, 600);
        assert!(found.iter().all(|&share| share >= 0.84), "{}: {found:?}", world.name);
    }
}

#[test]
#[ignore = "minutes; run in release"]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let mut wrong = Vec::new();
    for world in ALL {
        // A standard error of 1,000 sets is half a point at 97 %: two of them above, as some seeds have them.
        for (days, within) in [(10, 0.90..=1.0), (30, 0.93..=0.98)] {
            let (found, made) = world.coverage(days, 1000, LONG);
            wrong.extend(
                found.into_iter().filter(|share| !within.contains(share)).map(|share| (world.name, share)),
            );
            assert!(made.iter().all(|&share| share >= 0.9), "{}: {made:?}", world.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
#[ignore = "minutes; run in release"]
fn equal_models_are_called_different_as_seldom_as_promised() {
    let found: Vec<f64> = [(COMMON, 30), (COMMON, 10), (RARE, 30), (UNEVEN, 30)]
        .into_iter()
        .map(|(world, days)| world.called_real(days, 1000, 400))
        .collect();
    // Three standard errors of 1,000 sets are two points.
    assert!(found.iter().all(|&share| share <= 0.07), "{found:?}");
}
