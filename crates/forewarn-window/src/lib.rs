#![doc = include_str!("../README.md")]

mod alignment;
mod error;
mod features;
mod impute;
mod normaliser;
mod pipeline;
mod recent;
mod registry;
mod sampling;
mod seasons;
mod settings;
mod splits;
mod window_pieces;

pub use alignment::{AlignedRow, Aligner, Alignment, AlignmentCounts, Duplicates, GaugeRule};
pub use error::WindowError;
pub use features::{
    BoundFeatures, Deltas, FeatureExt, Features, FeaturesState, LONGEST_GAP_ROWS, Logs, Metrics, RatioOf,
    Select, Then,
};
pub use impute::{Hindsight, Impute, Imputed, ImputedMask, interpolate};
pub use normaliser::{Normalisation, Normaliser, RowNormaliser, Scope, ZScore};
pub use pipeline::{BoundPipeline, Pipeline, WindowState};
pub use recent::{Ewma, RecentNormal, Rolling, Statistic};
pub use registry::register;
pub use sampling::{BalancedBatches, Picked, Skip, downsample_negatives, hard_negatives, stride};
pub use seasons::{Calendar, Cycle, Profile, SeasonalProfile, SeasonalResidual};
pub use splits::{
    Fractions, TestSpan, TrainSpan, WalkForward, chronological, chronological_without_test,
    grouped_by_incident, leave_each_out, leave_services_out,
};
pub use window_pieces::{WindowCopies, WindowPiece, WindowPieces};
