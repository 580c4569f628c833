use super::WindowFigures;
use super::tally::{Tally, leads, tallies};
use crate::uncertainty::BlockBootstrap;
use crate::uncertainty::{Areas, RankedBlocks, effective};
use crate::{Delays, EvalError, Events, Interval, ScoredSet};
use forewarn_core::Score;
use forewarn_numerics::quantile;
use serde::{Deserialize, Serialize};

/// Where a model's figures lie, by blocks of time.
///
/// - Areas under curves: `logit(a) ± t se`, with the standard error by leaving out one block at a time (jackknife).
/// - Shares of failures and alarms: Wilson's interval, with their number divided by how much more the share varies over
///   blocks than independent ones would.
/// - False alarms a day: the interval of a Poisson count, widened by how much more the count varies over blocks.
/// - All others: percentiles of [`BlockBootstrap`]'s resamples, moved for bias and skewness (`BCa`), and widened for
///   the number of blocks that the figure rests on: all failures in three of thirty days count as three blocks.
///
/// `None` where the data cannot tell: positive windows in a single block or worth fewer than two (of areas), nothing
/// counted (of shares), or fewer than half of the resamples with a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ModelIntervals {
    /// Blocks of time. With fewer than ten the intervals by resampling are a little too narrow.
    pub blocks: usize,
    /// Length of a block, in hours.
    pub block_hours: f64,
    /// Number of resamples.
    pub resamples: usize,
    /// Of the average precision.
    pub pr_auc: Option<Interval>,
    /// Of the area under the precision-recall curve by straight lines.
    pub pr_auc_trapezoid: Option<Interval>,
    /// Of the area under the ROC curve.
    pub roc_auc: Option<Interval>,
    /// Of the partial area under the ROC curve.
    pub partial_roc_auc: Option<Interval>,
    /// Of the precision of windows.
    pub precision: Option<Interval>,
    /// Of the recall of windows.
    pub recall: Option<Interval>,
    /// Of F1.
    pub f1: Option<Interval>,
    /// Of F-beta with beta 2.
    pub f2: Option<Interval>,
    /// Of F-beta with beta 0.5.
    pub f_half: Option<Interval>,
    /// Of Matthews' correlation coefficient.
    pub mcc: Option<Interval>,
    /// Of the highest recall at half precision.
    pub recall_at_half_precision: Option<Interval>,
    /// Of the Brier score.
    pub brier: Option<Interval>,
    /// Of the log loss.
    pub log_loss: Option<Interval>,
    /// Of the share of failures detected.
    pub event_recall: Option<Interval>,
    /// Of the false alarms per service and day.
    pub false_alarms_per_service_day: Option<Interval>,
    /// Of the share of alarms that were right.
    pub alarm_precision: Option<Interval>,
    /// Of the minutes in warning per service and day.
    pub minutes_in_warning_per_service_day: Option<Interval>,
    /// Of the skill over random warnings; the time in warning is drawn along.
    pub skill_over_random: Option<Interval>,
    /// Of the share of failures that persistence catches.
    pub persistence_recall: Option<Interval>,
    /// Of the share of failures for which the warning arrived in time.
    pub net_event_recall: Option<Interval>,
    /// Of the mean achieved lead time, in minutes.
    pub lead_time_mean_minutes: Option<Interval>,
    /// Of the median achieved lead time, in minutes.
    pub lead_time_median_minutes: Option<Interval>,
    /// Of the lower decile of achieved lead times, in minutes.
    pub lead_time_p10_minutes: Option<Interval>,
    /// Of the median net lead time, in minutes.
    pub net_lead_time_median_minutes: Option<Interval>,
}

/// Where the main figures of one service lie, by the same draws of its own blocks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceIntervals {
    /// Blocks of time in which the service was scored.
    pub blocks: usize,
    /// Of the average precision.
    pub pr_auc: Option<Interval>,
    /// Of the area under the ROC curve.
    pub roc_auc: Option<Interval>,
    /// Of the share of failures detected.
    pub event_recall: Option<Interval>,
    /// Of the false alarms a day.
    pub false_alarms_per_service_day: Option<Interval>,
    /// Of the median achieved lead time, in minutes.
    pub lead_time_median_minutes: Option<Interval>,
}

impl ModelIntervals {
    /// Draws blocks of the set and measures each resample. `events` are those of the set, at `threshold`; `delays`
    /// are those of the net figures.
    ///
    /// `None` with fewer than two blocks, from which nothing can be said. `O(n log n)` to begin with and `O(n)` a
    /// resample, some two nanoseconds a window: for 88,000 windows and 1,000 resamples a fifth of a second.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(
        set: &ScoredSet,
        threshold: Score,
        events: &Events,
        delays: &Delays,
        bootstrap: &BlockBootstrap,
    ) -> Result<Option<Self>, EvalError> {
        set.pooled("test")?;
        drawn(set, threshold, events, delays, bootstrap)
    }
}

impl ServiceIntervals {
    /// The same for one service, which may lack windows of one class.
    pub(super) fn new(
        service: &ScoredSet,
        threshold: Score,
        events: &Events,
        bootstrap: &BlockBootstrap,
    ) -> Result<Option<Self>, EvalError> {
        let found = drawn(service, threshold, events, &Delays::default(), bootstrap)?;
        Ok(found.map(|found| Self {
            blocks: found.blocks,
            pr_auc: found.pr_auc,
            roc_auc: found.roc_auc,
            event_recall: found.event_recall,
            false_alarms_per_service_day: found.false_alarms_per_service_day,
            lead_time_median_minutes: found.lead_time_median_minutes,
        }))
    }
}

/// What one resample gave.
struct Resample {
    areas: Option<Areas>,
    sum: Tally,
    mean: Option<f64>,
    median: Option<f64>,
    p10: Option<f64>,
    net_median: Option<f64>,
}

fn drawn(
    set: &ScoredSet,
    threshold: Score,
    events: &Events,
    delays: &Delays,
    bootstrap: &BlockBootstrap,
) -> Result<Option<ModelIntervals>, EvalError> {
    let blocks = bootstrap.blocks(set);
    if blocks.len() < 2 {
        return Ok(None);
    }
    let has_both = set.positives() > 0 && set.positives() < set.windows();
    let ranked = has_both.then(|| RankedBlocks::new(set, &blocks)).transpose()?;
    let tallies = tallies(set, threshold, events, delays, &blocks);
    let leads = leads(events, &blocks);
    let resample = |weights: Vec<u32>| {
        let repeated =
            |&(minutes, block): &(f64, usize)| std::iter::repeat_n(minutes, weights[block] as usize);
        let lead: Vec<f64> = leads.iter().flat_map(repeated).collect();
        // Ascending still: a delay takes the same off each, and those that are left are the last ones.
        let late = lead.partition_point(|&minutes| minutes <= delays.total_minutes());
        Resample {
            areas: ranked
                .as_ref()
                .and_then(|ranked| ranked.areas(&weights, WindowFigures::HIGHEST_FALSE_POSITIVE_RATE)),
            sum: Tally::sum(&tallies, &weights),
            mean: ratio(lead.iter().sum(), lead.len() as f64),
            median: quantile(&lead, 0.5),
            p10: quantile(&lead, 0.1),
            net_median: quantile(&lead[late..], 0.5).map(|minutes| minutes - delays.total_minutes()),
        }
    };
    let whole = resample(vec![1; blocks.len()]);
    let without = |left_out: usize| (0..blocks.len()).map(|block| u32::from(block != left_out)).collect();
    let without_one: Vec<Resample> = (0..blocks.len()).map(|block| resample(without(block))).collect();
    let resamples: Vec<Resample> = bootstrap.draws(blocks.len()).map(resample).collect();
    // A figure is as sure as the blocks are many and even that hold what it counts, and what it is divided by.
    let of = |blocks: f64, figure: &dyn Fn(&Resample) -> Option<f64>| {
        let values = resamples.iter().filter_map(figure).collect();
        let left: Vec<f64> = without_one.iter().filter_map(figure).collect();
        let (count, level) = (bootstrap.resamples(), bootstrap.level());
        Interval::corrected(values, figure(&whole), &left, blocks, count, level)
    };
    let by = |weight: fn(&Tally) -> f64| effective(tallies.iter().map(weight));
    let both = |part: fn(&Tally) -> f64, whole: fn(&Tally) -> f64| match by(part) {
        // Nothing of the kind in any block: every draw says so.
        0.0 => by(whole),
        blocks => blocks.min(by(whole)),
    };
    let failures = both(|sum| sum.caught, |sum| sum.episodes);
    let positives = ranked.as_ref().map_or(0.0, RankedBlocks::effective_blocks);
    let all_positives = ranked.as_ref().map_or(0.0, RankedBlocks::blocks_of_positives);
    // Areas change smoothly with the weight of a block, so that leaving one out says how much they vary.
    let area = |figure: fn(&Areas) -> f64| {
        let figure = |one: &Resample| one.areas.as_ref().map(figure);
        let left: Vec<Option<f64>> = without_one.iter().map(figure).collect();
        Interval::left_out(figure(&whole), &left, all_positives, bootstrap.level())
    };
    // A resample of a single class has no figures of windows.
    let called = |figure: fn(&Tally) -> f64| of(positives, &|one| one.areas.map(|_| figure(&one.sum)));
    let mean = |part: fn(&Tally) -> f64, whole: fn(&Tally) -> f64| {
        of(both(part, whole), &|one| ratio(part(&one.sum), whole(&one.sum)))
    };
    let counted = |part: fn(&Tally) -> f64, whole: fn(&Tally) -> f64| {
        let blocks: Vec<(f64, f64)> = tallies.iter().map(|sum| (part(sum), whole(sum))).collect();
        Interval::share(&blocks, bootstrap.level())
    };
    let early = by(|sum| sum.caught);
    let step_days = set.step().days();
    Ok(Some(ModelIntervals {
        blocks: blocks.len(),
        block_hours: bootstrap.block().minutes() / 60.0,
        resamples: bootstrap.resamples(),
        pr_auc: area(|areas| areas.pr),
        pr_auc_trapezoid: area(|areas| areas.trapezoid),
        roc_auc: area(|areas| areas.roc),
        partial_roc_auc: area(|areas| areas.partial_roc),
        precision: called(|sum| sum.counts().precision()),
        recall: mean(|sum| sum.hits, |sum| sum.hits + sum.misses),
        f1: called(|sum| sum.counts().f_beta(1.0)),
        f2: called(|sum| sum.counts().f_beta(2.0)),
        f_half: called(|sum| sum.counts().f_beta(0.5)),
        mcc: called(|sum| sum.counts().mcc()),
        recall_at_half_precision: of(positives, &|one| {
            one.areas.as_ref().map(|areas| areas.recall_at_half_precision)
        }),
        brier: mean(|sum| sum.squared_error, |sum| sum.windows),
        log_loss: mean(|sum| sum.surprise, |sum| sum.windows),
        event_recall: counted(|sum| sum.caught, |sum| sum.episodes),
        false_alarms_per_service_day: {
            let blocks: Vec<(f64, f64)> =
                tallies.iter().map(|sum| (sum.false_alarms, sum.windows * step_days)).collect();
            Interval::rate(&blocks, bootstrap.level())
        },
        alarm_precision: counted(|sum| sum.right_alarms, |sum| sum.right_alarms + sum.false_alarms),
        minutes_in_warning_per_service_day: mean(|sum| 1440.0 * sum.warned_windows, |sum| sum.windows),
        skill_over_random: of(failures, &|one| skill(&one.sum)),
        persistence_recall: counted(|sum| sum.persistent, |sum| sum.episodes),
        net_event_recall: counted(|sum| sum.net_caught, |sum| sum.episodes),
        lead_time_mean_minutes: of(early, &|one| one.mean),
        lead_time_median_minutes: of(early, &|one| one.median),
        lead_time_p10_minutes: of(early, &|one| one.p10),
        net_lead_time_median_minutes: of(early, &|one| one.net_median),
    }))
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn skill(sum: &Tally) -> Option<f64> {
    let (recall, warned) = (ratio(sum.caught, sum.episodes)?, ratio(sum.warned_windows, sum.windows)?);
    ratio(recall - warned, 1.0 - warned)
}
