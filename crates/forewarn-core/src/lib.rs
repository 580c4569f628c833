#![doc = include_str!("../README.md")]

mod envelope;
mod error;
mod evidence;
mod feature;
mod forecast;
mod history;
mod label;
mod live;
mod model;
mod outcome;
mod piece;
mod rank;
mod rule;
mod sample;
mod score;
mod snapshot;
mod source;
mod split;
mod window;

pub use envelope::{Envelope, Tensor};
pub use error::{BoxError, CoreError};
pub use evidence::{Attribution, Contribution, Evidence, Explain};
pub use feature::{CloneState, Columns, Feature, FeatureState, Origin, Rows};
pub use forecast::Forecast;
pub use history::{Epoch, History};
pub use label::{Exclusion, ExclusionCounts, Label, Labels, Target};
pub use live::{
    Fingerprint, PredictorState, Pushed, RowBuffer, RowClock, RowsState, restore_part, save_part, seal,
    unseal,
};
pub use model::{DynEstimator, Estimator, FitProgress, Monitor, Predictor, Silent};
pub use outcome::{Outcome, Outcomes};
pub use piece::{FrameStream, InPieces, Piece, PieceOrder};
pub use rank::{average_precision, expect_both_classes};
pub use rule::{Assessment, FailureRule, rows_without_samples};
pub use sample::{LabelledWindows, Samples};
pub use score::{Score, sigmoid};
pub use snapshot::Snapshots;
pub use source::Source;
pub use split::{Separation, Split, Test, Train, Validation};
pub use window::{WindowSpec, Windows};
