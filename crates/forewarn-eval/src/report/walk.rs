use super::{ModelComparison, PartSummary};
use crate::uncertainty::RankedBlocks;
use crate::{
    BlockBootstrap, EvalError, EventCounts, Events, Interval, IntervalEstimate, ScoredSet, WindowFigures,
};
use forewarn_core::{AlarmPolicy, average_precision};
use forewarn_core::{CoreError, Score};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Quality over time, of models that were refitted every few days and of the same models left as they were.
///
/// Each fold's models have seen nothing of the fold, and all that came before it; thresholds are chosen on the time
/// right before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WalkForwardReport {
    /// Days from one fit to the next.
    pub refit_days: f64,
    /// The folds in order of time.
    pub folds: Vec<WalkFold>,
    /// One entry a model, in the order of the report.
    pub models: Vec<WalkModel>,
}

/// One fit, and the time scored with it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WalkFold {
    /// First window that models were fitted on.
    pub train_start: Timestamp,
    /// Last of them.
    pub train_end: Timestamp,
    /// How many.
    pub train_windows: usize,
    /// First window scored.
    pub start: Timestamp,
    /// Last of them.
    pub end: Timestamp,
    /// How many.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Failures within reach.
    pub episodes: usize,
}

/// One model over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WalkModel {
    /// Its name.
    pub model: String,
    /// Refitted: one entry a fold.
    pub refitted: Vec<FoldFigures>,
    /// Fitted once, before the first fold: one entry a fold.
    pub fixed: Vec<FoldFigures>,
    /// Refitted: all folds together.
    pub refitted_total: FoldFigures,
    /// Fitted once: all folds together.
    pub fixed_total: FoldFigures,
    /// What refitting gains: the difference of the PR-AUC of all folds together, and where it lies.
    pub gain: IntervalEstimate,
    /// Whether 0 lies outside that interval.
    pub gain_is_real: bool,
}

/// What a model is worth on one fold, or on all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FoldFigures {
    /// The threshold of its alarms; `None` for several.
    pub threshold: Option<Score>,
    /// Average precision; `None` without windows of both classes.
    pub pr_auc: Option<f64>,
    /// Where that lies; `None` for fewer than two blocks of time.
    pub pr_auc_interval: Option<Interval>,
    /// Share of the failures within reach that were detected; `None` where there is none.
    pub event_recall: Option<f64>,
    /// False alarms per service and day.
    pub false_alarms_per_service_day: Option<f64>,
}

/// One model's scores over time: what a [`WalkForwardReport`] is made of.
#[derive(Clone, Debug)]
pub struct WalkRun<'a> {
    /// Its name.
    pub name: &'a str,
    /// Fitted once: scores that hold the windows of every fold, and the policy.
    pub fixed: (&'a ScoredSet, AlarmPolicy),
    /// Refitted: the scores of each fold, and the policy that was chosen for it.
    pub refitted: Vec<(ScoredSet, AlarmPolicy)>,
}

impl WalkForwardReport {
    /// Measures every fold. `trained` says what the models of each fold were fitted on.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for other numbers of folds; [`CoreError::InvalidSetting`], which names the
    /// model, where its two sets of scores are not of the same windows; [`CoreError::EmptyPart`] for a fold without a
    /// window.
    pub fn new(
        refit_days: f64,
        trained: &[PartSummary],
        runs: &[WalkRun<'_>],
        bootstrap: &BlockBootstrap,
    ) -> Result<Self, EvalError> {
        let mut models = Vec::with_capacity(runs.len());
        for run in runs {
            if run.refitted.len() != trained.len() {
                let (expected, got) = (trained.len(), run.refitted.len());
                return Err(CoreError::LengthMismatch { what: "folds", expected, got }.into());
            }
            models.push(WalkModel::new(run, bootstrap)?);
        }
        let folds = runs.first().map_or(Ok(Vec::new()), |run| {
            trained
                .iter()
                .zip(&run.refitted)
                .map(|(part, (set, policy))| WalkFold::new(part, set, *policy))
                .collect()
        })?;
        Ok(Self { refit_days, folds, models })
    }
}

impl WalkFold {
    fn new(trained: &PartSummary, set: &ScoredSet, policy: AlarmPolicy) -> Result<Self, EvalError> {
        let (start, end) = set.span().ok_or(CoreError::EmptyPart { part: "fold" })?;
        Ok(Self {
            train_start: trained.start,
            train_end: trained.end,
            train_windows: trained.windows,
            start,
            end,
            windows: set.windows(),
            positives: set.positives(),
            episodes: Events::new(set, policy).totals().episodes,
        })
    }
}

impl WalkModel {
    fn new(run: &WalkRun<'_>, bootstrap: &BlockBootstrap) -> Result<Self, EvalError> {
        let mut fixed = Vec::with_capacity(run.refitted.len());
        for (set, _) in &run.refitted {
            let (first, last) = set.span().ok_or(CoreError::EmptyPart { part: "fold" })?;
            fixed.push((run.fixed.0.between(first, last)?, run.fixed.1));
        }
        let together = |folds: &[(ScoredSet, AlarmPolicy)]| {
            ScoredSet::join(&folds.iter().map(|(set, _)| set).collect::<Vec<_>>())
        };
        let (refitted, once) = (together(&run.refitted)?, together(&fixed)?);
        if !refitted.has_same_windows(&once) {
            let (value, expected) =
                (format!("{:?}", run.name), "the same windows when refitted and when fitted once");
            return Err(
                CoreError::InvalidSetting { name: "windows of a walk forward", value, expected }.into()
            );
        }
        let (gain, gain_is_real) = gain(&refitted, &once, bootstrap)?;
        Ok(Self {
            model: run.name.to_owned(),
            refitted_total: total(&refitted, &run.refitted, bootstrap)?,
            fixed_total: total(&once, &fixed, bootstrap)?,
            refitted: run
                .refitted
                .iter()
                .map(|fold| FoldFigures::new(fold, bootstrap))
                .collect::<Result<_, _>>()?,
            fixed: fixed.iter().map(|fold| FoldFigures::new(fold, bootstrap)).collect::<Result<_, _>>()?,
            gain,
            gain_is_real,
        })
    }
}

impl FoldFigures {
    fn new((set, policy): &(ScoredSet, AlarmPolicy), bootstrap: &BlockBootstrap) -> Result<Self, EvalError> {
        let totals = Events::new(set, *policy).totals();
        Self::of(set, Some(policy.threshold()), &totals, bootstrap)
    }

    fn of(
        set: &ScoredSet,
        threshold: Option<Score>,
        totals: &EventCounts,
        bootstrap: &BlockBootstrap,
    ) -> Result<Self, EvalError> {
        let (pr_auc, pr_auc_interval) = ranking(set, bootstrap)?.unzip();
        Ok(Self {
            threshold,
            pr_auc,
            pr_auc_interval: pr_auc_interval.flatten(),
            event_recall: totals.recall(),
            false_alarms_per_service_day: totals.false_alarms_per_service_day(),
        })
    }
}

/// All folds together: ranked as one, with alarms as each fold raised them.
fn total(
    set: &ScoredSet,
    folds: &[(ScoredSet, AlarmPolicy)],
    bootstrap: &BlockBootstrap,
) -> Result<FoldFigures, EvalError> {
    let totals = folds
        .iter()
        .map(|(set, policy)| Events::new(set, *policy).totals())
        .fold(EventCounts::default(), EventCounts::plus);
    FoldFigures::of(set, None, &totals, bootstrap)
}

/// Average precision and where it lies; `None` without windows of both classes.
fn ranking(
    set: &ScoredSet,
    bootstrap: &BlockBootstrap,
) -> Result<Option<(f64, Option<Interval>)>, EvalError> {
    if set.positives() == 0 || set.positives() == set.windows() {
        return Ok(None);
    }
    let (scores, positive) = set.pooled("fold")?;
    let pr_auc = average_precision(&scores, &positive)?;
    let blocks = bootstrap.blocks(set);
    if blocks.len() < 2 {
        return Ok(Some((pr_auc, None)));
    }
    let ranked = RankedBlocks::new(set, &blocks)?;
    let rate = WindowFigures::HIGHEST_FALSE_POSITIVE_RATE;
    let values = bootstrap
        .draws(blocks.len())
        .filter_map(|weights| ranked.areas(&weights, rate))
        .map(|found| found.pr);
    let values = values.collect();
    let interval =
        Interval::expanded(values, ranked.effective_blocks(), bootstrap.resamples(), bootstrap.level());
    Ok(Some((pr_auc, interval)))
}

/// PR-AUC of `refitted` minus that of `once`, paired.
fn gain(
    refitted: &ScoredSet,
    once: &ScoredSet,
    bootstrap: &BlockBootstrap,
) -> Result<(IntervalEstimate, bool), EvalError> {
    if refitted.positives() == 0 || refitted.positives() == refitted.windows() {
        return Ok((IntervalEstimate { value: None, interval: None }, false));
    }
    let compared = ModelComparison::new(&[("refitted", refitted), ("once", once)], bootstrap)?;
    let Some(found) = compared.and_then(|compared| compared.differences.into_iter().next()) else {
        return Ok((IntervalEstimate { value: None, interval: None }, false));
    };
    let turned = |interval: Interval| Interval { low: -interval.high, high: -interval.low, ..interval };
    let (value, interval) = match found.better.as_str() {
        "refitted" => (found.pr_auc, found.interval),
        _ => (-found.pr_auc, found.interval.map(turned)),
    };
    let is_real = interval.is_some_and(|interval| !interval.contains(0.0));
    Ok((IntervalEstimate { value: Some(value), interval }, is_real))
}
