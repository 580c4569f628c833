use crate::events::Persistence;
use crate::events::is_warned;
use crate::uncertainty::Blocks;
use crate::windows::surprise;
use crate::{Counts, Delays, Events, ScoredSet};
use forewarn_core::Score;
use forewarn_core::{AlarmOutcome, FailureOutcome};

/// What a block of time adds to the figures that are ratios of sums.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) windows: f64,
    pub(super) warned_windows: f64,
    pub(super) hits: f64,
    pub(super) false_calls: f64,
    pub(super) misses: f64,
    pub(super) squared_error: f64,
    pub(super) surprise: f64,
    pub(super) false_alarms: f64,
    pub(super) right_alarms: f64,
    pub(super) episodes: f64,
    pub(super) caught: f64,
    /// Caught by a warning that arrived in time.
    pub(super) net_caught: f64,
    /// Caught by warning after each failure.
    pub(super) persistent: f64,
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            true_positives: self.hits,
            false_positives: self.false_calls,
            false_negatives: self.misses,
            true_negatives: self.windows - self.hits - self.false_calls - self.misses,
        }
    }

    /// Blocks, each as often as it was drawn.
    pub(super) fn sum(blocks: &[Self], weights: &[u32]) -> Self {
        let mut sum = Self::default();
        for (block, &weight) in blocks.iter().zip(weights) {
            sum.add(f64::from(weight), block);
        }
        sum
    }

    fn add(&mut self, weight: f64, block: &Self) {
        self.windows += weight * block.windows;
        self.warned_windows += weight * block.warned_windows;
        self.hits += weight * block.hits;
        self.false_calls += weight * block.false_calls;
        self.misses += weight * block.misses;
        self.squared_error += weight * block.squared_error;
        self.surprise += weight * block.surprise;
        self.false_alarms += weight * block.false_alarms;
        self.right_alarms += weight * block.right_alarms;
        self.episodes += weight * block.episodes;
        self.caught += weight * block.caught;
        self.net_caught += weight * block.net_caught;
        self.persistent += weight * block.persistent;
    }
}

/// What each block adds. `events` are those of the set.
pub(super) fn tallies(
    set: &ScoredSet,
    threshold: Score,
    events: &Events,
    delays: &Delays,
    blocks: &Blocks,
) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); blocks.len()];
    let persistence = Persistence::new(set, events.totals().warned_windows);
    for (series, service) in set.series().iter().zip(&events.services) {
        for ((time, score), &positive) in series.scored().zip(series.positive()) {
            let tally = &mut tallies[blocks.of(time)];
            tally.windows += 1.0;
            if is_warned(&service.alarms, time, set.spec(), set.step()) {
                tally.warned_windows += 1.0;
            }
            match (score >= threshold, positive) {
                (true, true) => tally.hits += 1.0,
                (true, false) => tally.false_calls += 1.0,
                (false, true) => tally.misses += 1.0,
                (false, false) => {}
            }
            let miss = f64::from(score.get()) - f64::from(u8::from(positive));
            tally.squared_error += miss * miss;
            tally.surprise += surprise(f64::from(score.get()), positive);
        }
        for (alarm, outcome) in &service.alarms {
            let tally = &mut tallies[blocks.of(alarm.time)];
            match outcome {
                AlarmOutcome::False => tally.false_alarms += 1.0,
                AlarmOutcome::Hit { .. } => tally.right_alarms += 1.0,
                AlarmOutcome::Late | AlarmOutcome::Censored => {}
            }
        }
        for (episode, outcome) in &service.episodes {
            let tally = &mut tallies[blocks.of(episode.onset())];
            if *outcome == FailureOutcome::OutOfReach {
                continue;
            }
            tally.episodes += 1.0;
            if let FailureOutcome::Detected(time) = outcome {
                tally.caught += 1.0;
                if episode.onset().minutes_since(*time) > delays.total_minutes() {
                    tally.net_caught += 1.0;
                }
            }
            if persistence.warns_of(series.episodes(), episode.onset()) {
                tally.persistent += 1.0;
            }
        }
    }
    tallies
}

/// Achieved lead times in ascending order, each with the block in which its failure began.
pub(super) fn leads(events: &Events, blocks: &Blocks) -> Vec<(f64, usize)> {
    let episodes = events.services.iter().flat_map(|service| &service.episodes);
    let mut leads: Vec<(f64, usize)> = episodes
        .filter_map(|(episode, outcome)| match outcome {
            FailureOutcome::Detected(time) => {
                Some((episode.onset().minutes_since(*time), blocks.of(episode.onset())))
            }
            FailureOutcome::Missed | FailureOutcome::OutOfReach => None,
        })
        .collect();
    leads.sort_by(|a, b| a.0.total_cmp(&b.0));
    leads
}
