//! The names that most tests type, and metrics from memory.

pub(crate) use forewarn_baseline::{BoostedTrees, LogisticRegression};
pub(crate) use forewarn_core::{
    CoreError, Estimator, Feature, LabelledWindows, Monitor, Predictor, Score, Source, Target, Train,
    Validation, WindowSpec, Windows, average_precision,
};
pub(crate) use forewarn_ensemble::{Calibrate, CalibrationMethod};
pub(crate) use forewarn_experiment::{Blending, Data, Experiment, Model, ModelRows};
pub(crate) use forewarn_label::{Condition, Rule, ThresholdRule, label};
pub(crate) use forewarn_recurrent::{Cell, Recurrent};
pub(crate) use forewarn_schema::{Frame, FrameSet, Kind, Metric, Schema, Step, Timestamp, Unit};
pub(crate) use forewarn_sim::{Fleet, StressWalk};
pub(crate) use forewarn_topology::{ServiceGraph, TopologyFeatures};
pub(crate) use forewarn_window::Features;

/// A source of metrics that are there already.
pub(crate) struct Memory(pub(crate) FrameSet);

impl Source for Memory {
    fn describe(&self) -> String {
        "metrics in memory".to_owned()
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        Ok(self.0.clone())
    }
}
