#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod fleet;
mod ledger;
mod live;
mod registry;
mod room;
mod served;
mod serving;
mod shard;
mod training;

pub use engine::{
    Action, AlertEvent, AlertState, BudgetEvent, CannotTell, Counters, Engine, EngineConfig, EngineModels,
    EngineView, Event, EventBody, EvidenceItem, FailureEvent, FailureState, IncidentEvent, IncidentState,
    IncidentView, Input, LedgerCounts, MissingReason, ModelView, Name, OutcomeEvent, OutcomeKind,
    ProbableKind, Recommendation, RecommendationRule, Risk, RiskLevel, RowEvent, RowValues, ScoreEvent,
    ServiceView, SloEvent, SloView, SourceStatus, WarningEvent, WarningState,
};
pub use error::LiveError;
pub use fleet::LiveFleet;
pub use ledger::{CalibrationBin, LedgerBook, LedgerComparison, LedgerFigures, LedgerQuery};
pub use live::LiveService;
pub use registry::standard_registry;
pub use served::ServedModel;
pub use serving::{GraphColumns, Serving};
pub use shard::{Shard, ShardPlan};
pub use training::{ActedOn, TrainingLeftOut, TrainingRows};
