#![doc = include_str!("../README.md")]

mod affiliation;
mod bootstrap;
mod budget;
mod calibration;
mod chance;
mod classes;
mod confusion;
mod counts;
mod curve;
mod episode_file;
mod error;
mod events;
mod interval;
mod lead;
mod leak;
mod nab;
mod parts;
mod probability;
mod ranges;
mod rank;
mod ranked;
mod ranking;
mod report;
mod resample;
mod runs;
mod score_file;
mod series;
mod table;
#[cfg(test)]
mod testing;
mod threshold;
mod timing;
mod tradeoff;
mod vus;

pub use affiliation::{AffiliationFigures, affiliation};
pub use bootstrap::BlockBootstrap;
pub use budget::{AlarmBudget, BudgetChoice};
pub use calibration::{Calibration, ReliabilityBin};
pub use chance::{Skill, skill_over_chance};
pub use classes::EpisodeClasses;
pub use confusion::Confusion;
pub use counts::Counts;
pub use curve::{PrPoint, precision_recall_curve};
pub use episode_file::EpisodeFile;
pub use error::EvalError;
pub use events::{EventCounts, Events, ServiceEvents};
pub use forewarn_core::{Alarm, AlarmMachine, AlarmOutcome, AlarmPolicy, FailureOutcome, average_precision};
pub use interval::{Estimate, Interval};
pub use lead::{Delays, LeadTimes};
pub use leak::{Finding, LeakAudit, LeakCheck, LeakVerdict, ShuffledFuture};
pub use nab::{NabProfile, nab_score};
pub use probability::{brier, log_loss};
pub use ranges::{RangeFigures, range_precision_recall};
pub use rank::roc_auc;
pub use ranked::RankedWindows;
pub use report::{
    Bound, BudgetOutcome, Ceiling, ClassReport, Comparison, Curve, CurveKind, Difference, FoldFigures,
    GivenScores, InputSummary, Mark, MetricTrack, ModelIntervals, ModelRank, ModelReport, ModelRun,
    OperationReport, PartSummary, Pictures, Report, SecondaryFigures, ServiceIntervals, ServiceOnsets,
    ServiceReport, SplitSummary, TestSummary, Timeline, ValidationReport, WalkFold, WalkForwardReport,
    WalkModel, WalkRun, WindowFigures, WindowSummary, WorstCase, WorstCases, WorstKind, predictions_csv,
};
pub use score_file::{Outside, ScoreFile};
pub use series::{ScoredSeries, ScoredSet};
pub use threshold::best_f1_threshold;
pub use timing::{TimingBin, TimingCalibration, WithinCalibration};
pub use tradeoff::{Tradeoff, TradeoffPoint};
pub use vus::{Buffer, vus_pr};
