//! The names that most programs need: `use forewarn::prelude::*;`.

pub use forewarn_core::{
    Assessment, CoreError, Estimator, Evidence, Explain, FailureRule, Feature, FeatureState, Label,
    LabelledWindows, Labels, Monitor, Predictor, PredictorState, RowBuffer, Samples, Score, Silent,
    Snapshots, Source, Split, Target, Test, Train, Validation, WindowSpec, Windows,
};
pub use forewarn_schema::{
    Episode, Episodes, Frame, FrameSet, FrameView, Kind, Metric, RawSample, Schema, Step, Timestamp, Unit,
    ValidRange,
};

#[cfg(feature = "experiment")]
pub use crate::experiment::{Blending, Data, Experiment, Model, Rows};
#[cfg(feature = "baseline")]
pub use forewarn_baseline::{
    BoostedTrees, Calibrate, Calibrated, Calibration, ColdStart, Combined, LogisticRegression, Occlusion,
    RollingMean, StaticThreshold, Trend, Watch,
};
#[cfg(feature = "eval")]
pub use forewarn_eval::{AlarmPolicy, Report, ScoredSet, average_precision, roc_auc};
#[cfg(feature = "io")]
pub use forewarn_io::{ReadOptions, Recording};
#[cfg(feature = "label")]
pub use forewarn_label::{
    Comparison, Condition, LabelStream, Measure, Normal, Rule, RuleStream, Shape, Span, ThresholdRule,
    Verdicts, label,
};
#[cfg(feature = "recurrent")]
pub use forewarn_recurrent::{Cell, Recurrent};
#[cfg(feature = "sim")]
pub use forewarn_sim::{Fleet, StressWalk};
#[cfg(feature = "topology")]
pub use forewarn_topology::{ServiceGraph, TopologyFeatures};
#[cfg(feature = "window")]
pub use forewarn_window::{
    Deltas, Features, Fractions, Method, Metrics, Normaliser, Pipeline, Scope, ZScore, chronological,
};
