#![doc = include_str!("../README.md")]

mod alarms;
mod both;
mod error;
mod events;
mod files;
mod leaks;
mod report;
mod secondary;
mod series;
#[cfg(test)]
mod testing;
mod uncertainty;
mod windows;

pub use alarms::{AdaptiveOutcome, AlarmBudget, BudgetChoice, DayAssumption, Tradeoff, TradeoffPoint};
pub use error::EvalError;
pub use events::{
    Delays, EpisodeClasses, EventCounts, Events, LeadTimes, ServiceEvents, Skill, skill_over_chance,
};
pub use files::{
    EpisodeFile, FileSettings, JudgedScores, KnownFailures, LabelMeaning, ScoreFile, predictions_csv,
};
pub use leaks::{Finding, LeakAudit, LeakCheck, LeakFindings, ShuffledFuture};
pub use report::{
    Bound, BudgetHeadline, BudgetOutcome, Ceiling, ClassReport, Difference, FoldFigures, InputSummary,
    LeadCurve, LeftOut, LeftOutReason, ModelComparison, ModelIntervals, ModelRank, ModelReport, ModelRun,
    OperationReport, PartSummary, RecallAtLead, Report, SecondaryFigures, ServiceCounts, ServiceIntervals,
    ServiceReport, SplitSummary, TestSummary, ValidationReport, WalkFold, WalkForwardReport, WalkModel,
    WalkRun, WindowFigures, WindowSummary, WorstCase, WorstCases, WorstKind,
};
pub use secondary::{
    AffiliationFigures, Buffer, NabProfile, RangeFigures, VusFigures, affiliation, nab_score,
    range_precision_recall, vus, vus_pr,
};
pub use series::{ScoredSeries, ScoredSet};
pub use uncertainty::{BlockBootstrap, Interval, IntervalEstimate, RatioPart};
pub use windows::{
    Confusion, Counts, PrPoint, RankedWindows, Reliability, ReliabilityBin, TimingBin, TimingReliability,
    WithinReliability, best_f1_threshold, brier, log_loss, precision_recall_curve, roc_auc,
};
