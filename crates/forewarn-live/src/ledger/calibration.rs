//! How often failures followed scores of about one probability.

use forewarn_core::WindowSpec;
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Upper edges of the probabilities that are counted together.
const EDGES: [f64; 11] = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0];
const DAY: i64 = 86_400_000;
/// Steps after the end of a score's period in which a failure that began in it is confirmed.
const CONFIRMATION: usize = 15;
/// Failures of a service that are looked at.
const MOST_FAILURES: usize = 64;

/// How often failures followed scores of about one probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// Mean of the probabilities.
    pub predicted: f64,
    /// Share of the scores in whose prediction period a failure began.
    pub observed: f64,
    /// Scores.
    pub count: u64,
    /// Those of them that a failure followed.
    pub failures: u64,
}

/// Counts by model and day, and the scores that are not judged yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Calibration {
    windows: BTreeMap<u32, WindowSpec>,
    counts: BTreeMap<(u32, i64), [Count; EDGES.len()]>,
    /// Scores by time and model: service and probability.
    waiting: VecDeque<Minute>,
    /// Failures of each service: onset, and first time after it.
    failures: BTreeMap<u32, VecDeque<(Timestamp, Option<Timestamp>)>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Minute {
    time: Timestamp,
    model: u32,
    scores: Vec<(u32, f32)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Count {
    predicted: f64,
    failures: u64,
    count: u64,
}

impl Calibration {
    pub(super) fn add_window(&mut self, model: u32, window: WindowSpec) {
        self.windows.insert(model, window);
    }

    pub(super) fn score(
        &mut self,
        time: Timestamp,
        step: Step,
        (model, service): (u32, u32),
        probability: f64,
    ) {
        if !self.windows.contains_key(&model) {
            return;
        }
        match self.waiting.back_mut().filter(|last| last.time == time && last.model == model) {
            Some(last) => last.scores.push((service, probability as f32)),
            None => {
                self.judge_until(time, step);
                let scores = vec![(service, probability as f32)];
                self.waiting.push_back(Minute { time, model, scores });
            }
        }
    }

    pub(super) fn failure(&mut self, service: u32, onset: Timestamp, end: Option<Timestamp>) {
        let failures = self.failures.entry(service).or_default();
        match failures.back_mut().filter(|(_, end)| end.is_none()) {
            // Its onset is known for certain when it is over.
            Some(last) => *last = (onset, end),
            None => failures.push_back((onset, end)),
        }
        if failures.len() > MOST_FAILURES {
            failures.pop_front();
        }
    }

    pub(super) fn forget_before(&mut self, time: Timestamp) {
        let day = time.millis().div_euclid(DAY);
        self.counts.retain(|&(_, of), _| of >= day);
    }

    pub(super) fn bins(
        &self,
        model: u32,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
    ) -> Vec<CalibrationBin> {
        let day = |time: Timestamp| time.millis().div_euclid(DAY);
        let from = from.map_or(i64::MIN, day);
        let to = to.map_or(i64::MAX, |to| (to.millis() - 1).div_euclid(DAY));
        let mut sums = [Count::default(); EDGES.len()];
        let all = self.counts.iter().filter(|((of, day), _)| *of == model && (from..=to).contains(day));
        for (_, counts) in all {
            for (sum, count) in sums.iter_mut().zip(counts) {
                sum.predicted += count.predicted;
                sum.failures += count.failures;
                sum.count += count.count;
            }
        }
        let shown = sums.iter().filter(|sum| sum.count > 0).map(|sum| CalibrationBin {
            predicted: sum.predicted / sum.count as f64,
            observed: sum.failures as f64 / sum.count as f64,
            count: sum.count,
            failures: sum.failures,
        });
        shown.collect()
    }

    /// Judges the scores of which everything is known at this time.
    fn judge_until(&mut self, now: Timestamp, step: Step) {
        while let Some(first) = self.waiting.front() {
            let Some(&window) = self.windows.get(&first.model) else { break };
            let after = |steps: usize| first.time.checked_add(step, steps as i64);
            let known = after(window.horizon() + CONFIRMATION);
            if known.is_none_or(|known| known > now) {
                break;
            }
            let (Some(opens), Some(ends)) = (after(window.lead()), after(window.horizon())) else { break };
            let day = first.time.millis().div_euclid(DAY);
            let counts = self.counts.entry((first.model, day)).or_default();
            for &(service, probability) in &first.scores {
                let failures = self.failures.get(&service);
                let is_in = |&(onset, end): &(Timestamp, Option<Timestamp>)| {
                    onset <= first.time && end.is_none_or(|end| first.time < end)
                };
                if failures.is_some_and(|failures| failures.iter().any(is_in)) {
                    continue;
                }
                let follows = |&(onset, _): &(Timestamp, _)| opens < onset && onset <= ends;
                let probability = f64::from(probability);
                let place = EDGES.partition_point(|edge| *edge < probability).min(EDGES.len() - 1);
                let count = &mut counts[place];
                count.predicted += probability;
                count.count += 1;
                count.failures += u64::from(failures.is_some_and(|failures| failures.iter().any(follows)));
            }
            self.waiting.pop_front();
        }
    }
}
