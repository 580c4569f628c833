#![doc = include_str!("../README.md")]

mod alarm;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
mod evidence;
mod feature;
mod forecast;
mod history;
mod label;
mod live;
mod model;
mod model_file;
mod outcome;
mod piece;
mod rank;
mod rule;
mod sample;
mod score;
mod snapshot;
mod source;
mod split;
mod stateful;
pub mod table;
mod text_file;
mod v1_rule;
mod window;

pub use alarm::{
    Alarm, AlarmMachine, AlarmOutcome, AlarmPolicy, BudgetController, BudgetMode, BudgetSettings,
    FailureOutcome, Fixed, JudgedAlarm, JudgedFailure, OutcomeMatcher, Settled, Shift, Threshold,
    judge_alarms, match_alarms, match_outcomes,
};
pub use error::{BoxError, CoreError};
pub use evidence::{Attribution, Contribution, Evidence, Explain};
pub use feature::{CloneState, Columns, Feature, FeatureState, Origin, Rows};
pub use forecast::Forecast;
pub use history::{Epoch, History};
pub use label::{Exclusion, ExclusionCounts, Label, Labels, Settling, Target};
pub use live::{
    Fingerprint, PredictorState, Pushed, RowBuffer, RowClock, RowsState, restore_part, save_part, seal,
    unseal,
};
pub use model::{DynEstimator, Estimator, FitProgress, Monitor, Predictor, Silent};
pub use model_file::{
    Envelope, FeatureReader, ModelFileError, NestedReader, PredictorReader, Registry, Save, Tensor,
};
pub use outcome::{Outcome, Outcomes};
pub use piece::{FrameStream, InPieces, Piece, PieceOrder};
pub use rank::{average_precision, expect_both_classes};
pub use rule::{Assessment, FailureRule, rows_without_samples};
pub use sample::{LabelledWindows, Samples};
pub use score::Score;
pub use snapshot::Snapshots;
pub use source::Source;
pub use split::{Separation, Split, Test, Train, Validation};
pub use stateful::{RunningState, Stateful};
pub use text_file::{SMALL_FILE_BYTES, read_text, read_text_file};
pub use v1_rule::V1Rule;
pub use window::{WindowSpec, Windows};

pub use forewarn_numerics::sigmoid;
