//! The thirty names that most programs need: `use forewarn::prelude::*;`.

#[doc(no_inline)]
pub use forewarn_core::{
    AlarmPolicy, Estimator, FailureRule, Feature, Predictor, Score, Silent, Source, Target, WindowSpec,
    average_precision,
};
#[doc(no_inline)]
pub use forewarn_schema::{Episodes, Frame, FrameSet, Metric, Schema, Step, Timestamp};

#[cfg(feature = "baseline")]
#[doc(no_inline)]
pub use forewarn_baseline::{BoostedTrees, LogisticRegression};
#[cfg(feature = "experiment")]
#[doc(no_inline)]
pub use forewarn_experiment::{Experiment, Model};
#[cfg(feature = "label")]
#[doc(no_inline)]
pub use forewarn_label::{Rule, ThresholdRule, label};
#[cfg(feature = "recurrent")]
#[doc(no_inline)]
pub use forewarn_recurrent::Recurrent;
#[cfg(feature = "sim")]
#[doc(no_inline)]
pub use forewarn_sim::StressWalk;
#[cfg(feature = "window")]
#[doc(no_inline)]
pub use forewarn_window::{Features, Fractions, Pipeline, Scope, ZScore, chronological};
