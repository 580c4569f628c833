#![doc = include_str!("../README.md")]

mod alarm;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod error;
mod feature;
mod label;
mod live;
mod model;
mod model_file;
mod rule;
mod sample;
mod score;
mod source;
mod split;
pub mod table;
mod window;

pub use alarm::{
    Alarm, AlarmMachine, AlarmOutcome, AlarmPolicy, AlarmSettings, BudgetController, BudgetMode,
    BudgetSettings, FailureOutcome, Fixed, JudgedAlarm, JudgedFailure, Ladder, OutcomeMatcher, Settled,
    Shift, SupposedAlarms, Threshold, judge_alarms, match_alarms, match_outcomes,
};
pub use error::{BoxError, CoreError};
pub use feature::{CloneState, Columns, Feature, FeatureState, Origin, Rows};
pub use label::outcome::{Outcome, Outcomes};
pub use label::{Exclusion, ExclusionCounts, Label, Labels, Settling, Target};
pub use live::{
    Fingerprint, PredictorState, Pushed, RowBuffer, RowClock, RowsState, restore_part, save_part, seal,
    unseal,
};
pub use model::evidence::{Attribution, Contribution, Evidence, Explain};
pub use model::forecast::Forecast;
pub use model::history::{Epoch, History};
pub use model::stateful::{RunningState, Stateful};
pub use model::{DynEstimator, Estimator, FitProgress, Monitor, Predictor, Silent};
pub use model_file::{
    Envelope, FeatureReader, ModelFileError, NestedReader, PredictorReader, Registry, Save, Tensor,
};
pub use rule::v1_rule::V1Rule;
pub use rule::{Assessment, FailureRule, rows_without_samples};
pub use sample::snapshot::Snapshots;
pub use sample::{LabelledWindows, Samples};
pub use score::Score;
pub use score::rank::{average_precision, expect_both_classes};
pub use source::Source;
pub use source::piece::{FrameStream, InPieces, Piece, PieceOrder};
pub use split::{Separation, Split, Test, Train, Validation};
pub use table::text_file::{SMALL_FILE_BYTES, read_small_file, read_text, read_text_file};
pub use window::{WindowSpec, Windows};

pub use forewarn_numerics::sigmoid;
