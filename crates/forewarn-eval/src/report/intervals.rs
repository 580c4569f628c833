use crate::bootstrap::{BlockBootstrap, Blocks};
use crate::probability::surprise;
use crate::{
    Counts, EvalError, Events, Interval, Outcome, ScoredSet, Verdict, lead::quantile, resample::RankedBlocks,
};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// Where a model's figures lie, by [`BlockBootstrap`]. A figure that fewer than half of the resamples have (no failure in
/// them, nothing caught) is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelIntervals {
    /// Blocks of time that were drawn from. With fewer than some twenty the intervals are too narrow.
    pub blocks: usize,
    /// Length of a block, in hours.
    pub block_hours: f64,
    /// Number of resamples.
    pub resamples: usize,
    /// Of the average precision.
    pub pr_auc: Option<Interval>,
    /// Of the area under the ROC curve.
    pub roc_auc: Option<Interval>,
    /// Of the precision of windows.
    pub precision: Option<Interval>,
    /// Of the recall of windows.
    pub recall: Option<Interval>,
    /// Of F1.
    pub f1: Option<Interval>,
    /// Of Matthews' correlation coefficient.
    pub mcc: Option<Interval>,
    /// Of the Brier score.
    pub brier: Option<Interval>,
    /// Of the log loss.
    pub log_loss: Option<Interval>,
    /// Of the share of failures that were warned of.
    pub event_recall: Option<Interval>,
    /// Of the false alarms per service and day.
    pub false_alarms_per_service_day: Option<Interval>,
    /// Of the share of alarms that were right.
    #[serde(default)]
    pub alarm_precision: Option<Interval>,
    /// Of the mean achieved lead time, in minutes.
    pub lead_time_mean_minutes: Option<Interval>,
    /// Of the median achieved lead time, in minutes.
    pub lead_time_median_minutes: Option<Interval>,
    /// Of the lower decile of achieved lead times, in minutes.
    pub lead_time_p10_minutes: Option<Interval>,
}

impl ModelIntervals {
    /// Draws blocks of the set and measures each resample. `events` are those of the set, at `threshold`.
    ///
    /// `None` with fewer than two blocks, from which nothing can be said. `O(n log n)` to begin with and `O(n)` a resample,
    /// some two nanoseconds a window: for 88,000 windows and 1,000 resamples a fifth of a second.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(
        set: &ScoredSet,
        threshold: Score,
        events: &Events,
        bootstrap: &BlockBootstrap,
    ) -> Result<Option<Self>, EvalError> {
        let blocks = bootstrap.blocks(set);
        if blocks.len() < 2 {
            return Ok(None);
        }
        let ranked = RankedBlocks::new(set, &blocks)?;
        let tallies = tallies(set, threshold, events, &blocks);
        let leads = leads(events, &blocks);
        let step_days = set.step().days();
        let mut figures: [Vec<f64>; 14] = Default::default();
        for weights in bootstrap.draws(blocks.len()) {
            let areas = ranked.areas(&weights);
            let mut sum = Tally::default();
            for (&weight, tally) in weights.iter().zip(&tallies) {
                sum.add(f64::from(weight), tally);
            }
            let drawn: Vec<f64> = leads
                .iter()
                .flat_map(|&(minutes, block)| std::iter::repeat_n(minutes, weights[block] as usize))
                .collect();
            let values = [
                areas.map(|areas| areas.pr),
                areas.map(|areas| areas.roc),
                areas.map(|_| sum.counts().precision()),
                ratio(sum.hits, sum.hits + sum.misses),
                areas.map(|_| sum.counts().f_beta(1.0)),
                areas.map(|_| sum.counts().mcc()),
                ratio(sum.squared_error, sum.windows),
                ratio(sum.surprise, sum.windows),
                ratio(sum.caught, sum.episodes),
                ratio(sum.false_alarms, sum.windows * step_days),
                ratio(sum.right_alarms, sum.right_alarms + sum.false_alarms),
                ratio(drawn.iter().sum(), drawn.len() as f64),
                quantile(&drawn, 0.5),
                quantile(&drawn, 0.1),
            ];
            for (figure, value) in figures.iter_mut().zip(values) {
                figure.extend(value);
            }
        }
        let interval = |values| Interval::percentile(values, bootstrap.resamples(), bootstrap.level());
        let [
            pr_auc,
            roc_auc,
            precision,
            recall,
            f1,
            mcc,
            brier,
            log_loss,
            event_recall,
            rate,
            alarm_precision,
            mean,
            median,
            p10,
        ] = figures.map(interval);
        Ok(Some(Self {
            blocks: blocks.len(),
            block_hours: bootstrap.block().minutes() / 60.0,
            resamples: bootstrap.resamples(),
            pr_auc,
            roc_auc,
            precision,
            recall,
            f1,
            mcc,
            brier,
            log_loss,
            event_recall,
            false_alarms_per_service_day: rate,
            alarm_precision,
            lead_time_mean_minutes: mean,
            lead_time_median_minutes: median,
            lead_time_p10_minutes: p10,
        }))
    }
}

/// What one block adds to the figures that are ratios of sums.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    windows: f64,
    hits: f64,
    false_calls: f64,
    misses: f64,
    squared_error: f64,
    surprise: f64,
    false_alarms: f64,
    right_alarms: f64,
    episodes: f64,
    caught: f64,
}

impl Tally {
    fn counts(&self) -> Counts {
        Counts {
            true_positives: self.hits,
            false_positives: self.false_calls,
            false_negatives: self.misses,
            true_negatives: self.windows - self.hits - self.false_calls - self.misses,
        }
    }

    fn add(&mut self, weight: f64, block: &Self) {
        self.windows += weight * block.windows;
        self.hits += weight * block.hits;
        self.false_calls += weight * block.false_calls;
        self.misses += weight * block.misses;
        self.squared_error += weight * block.squared_error;
        self.surprise += weight * block.surprise;
        self.false_alarms += weight * block.false_alarms;
        self.right_alarms += weight * block.right_alarms;
        self.episodes += weight * block.episodes;
        self.caught += weight * block.caught;
    }
}

fn tallies(set: &ScoredSet, threshold: Score, events: &Events, blocks: &Blocks) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); blocks.len()];
    for series in set.series() {
        for ((time, score), &positive) in series.scored().zip(series.positive()) {
            let tally = &mut tallies[blocks.of(time)];
            tally.windows += 1.0;
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
    }
    for service in &events.services {
        for (alarm, verdict) in &service.alarms {
            let tally = &mut tallies[blocks.of(alarm.time)];
            match verdict {
                Verdict::False => tally.false_alarms += 1.0,
                Verdict::Right => tally.right_alarms += 1.0,
                Verdict::Late => {}
            }
        }
        for (episode, outcome) in &service.episodes {
            let tally = &mut tallies[blocks.of(episode.onset())];
            match outcome {
                Outcome::Warned(_) => {
                    tally.episodes += 1.0;
                    tally.caught += 1.0;
                }
                Outcome::Missed => tally.episodes += 1.0,
                Outcome::OutOfReach => {}
            }
        }
    }
    tallies
}

/// Achieved lead times in ascending order, each with the block in which its failure began.
fn leads(events: &Events, blocks: &Blocks) -> Vec<(f64, usize)> {
    let episodes = events.services.iter().flat_map(|service| &service.episodes);
    let mut leads: Vec<(f64, usize)> = episodes
        .filter_map(|(episode, outcome)| match outcome {
            Outcome::Warned(time) => Some((episode.onset().minutes_since(*time), blocks.of(episode.onset()))),
            Outcome::Missed | Outcome::OutOfReach => None,
        })
        .collect();
    leads.sort_by(|a, b| a.0.total_cmp(&b.0));
    leads
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
