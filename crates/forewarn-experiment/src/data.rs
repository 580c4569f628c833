pub(crate) mod fleet_graph;
pub(crate) mod ground_truth;
pub(crate) mod simulated;
pub(crate) mod truth;

use crate::{ExperimentError, data::truth::Truth, fleet_graph};
use forewarn_core::{CoreError, Labels, Source};
use forewarn_eval::{EpisodeClasses, InputSummary, ServiceCounts};
use forewarn_io::{ReadOptions, Recording};
use forewarn_schema::FrameSet;
use forewarn_sim::{Fleet, StressWalkRun};
use forewarn_topology::ServiceGraph;
use std::path::{Path, PathBuf};

/// Metrics with what a report says of where they come from.
pub struct Data {
    pub(crate) frames: FrameSet,
    pub(crate) provenance: Provenance,
    pub(crate) truth: Option<Truth>,
    pub(crate) classes: Vec<EpisodeClasses>,
    /// How many windows the one that ends in each row stands for in a fit.
    pub(crate) weights: Option<Vec<f32>>,
}

/// Where metrics come from.
#[derive(Default)]
pub(crate) struct Provenance {
    pub(crate) description: String,
    pub(crate) format: String,
    pub(crate) notes: Vec<String>,
    /// The file that was read, which results must not replace.
    pub(crate) path: Option<PathBuf>,
}

impl Provenance {
    /// The data as a report has it, with what is counted in its `metrics`.
    pub(crate) fn summary(
        &self,
        metrics: &FrameSet,
        labels: &Labels,
    ) -> Result<InputSummary, ExperimentError> {
        let mut input = InputSummary::new(&self.description, &self.format, metrics)?;
        input.by_service = ServiceCounts::of_labels(labels);
        input.notes.clone_from(&self.notes);
        Ok(input)
    }
}

impl Data {
    fn new(frames: FrameSet, description: String, format: impl Into<String>) -> Self {
        let provenance = Provenance { description, format: format.into(), ..Provenance::default() };
        Self { frames, provenance, truth: None, classes: Vec::new(), weights: None }
    }

    /// Metrics from any source.
    ///
    /// # Errors
    /// The source's own.
    pub fn from_source(source: &mut dyn Source) -> Result<Self, ExperimentError> {
        let frames = source.frames()?;
        Ok(Self::new(frames, source.describe(), "source"))
    }

    /// Metrics of a CSV or Parquet file, which the report calls by its name, and which its results will not replace.
    ///
    /// # Errors
    /// [`ExperimentError::Read`] with what is wrong with the file.
    pub fn from_path(path: &Path, options: &ReadOptions) -> Result<Self, ExperimentError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let recording =
            forewarn_io::read(path, options).map_err(|error| ExperimentError::Read(Box::new(error)))?;
        let mut data = Self::from_recording(recording, name);
        data.provenance.path = Some(path.to_owned());
        Ok(data)
    }

    /// Metrics that were read from a file; `description` is what the report calls it, usually its name.
    pub fn from_recording(recording: Recording, description: impl Into<String>) -> Self {
        let Recording { frames, summary, .. } = recording;
        let mut data = Self::new(frames, description.into(), summary.format.to_string());
        data.provenance.notes = summary.notes;
        data
    }

    /// A simulation, whose truth is known: the report then shows the ceiling.
    ///
    /// # Errors
    /// None for a run as the simulator makes it.
    pub fn from_stress_walk(run: StressWalkRun) -> Result<Self, ExperimentError> {
        let frames = FrameSet::from_frames(vec![run.frame.clone()])?;
        let description = format!("simulated stress walk of {} minutes", run.stress.len());
        Ok(Self { truth: Some(Truth::StressWalk(run)), ..Self::new(frames, description, "simulation") })
    }

    /// A simulated fleet, whose truth is known: the report then shows the ceiling.
    ///
    /// # Errors
    /// [`ExperimentError::Core`] for more rows than a frame set holds.
    pub fn from_fleet(mut fleet: Fleet) -> Result<Self, ExperimentError> {
        let (frames, description) = (fleet.frames()?, fleet.describe());
        Ok(Self {
            truth: Some(Truth::Fleet(Box::new(fleet))),
            ..Self::new(frames, description, "simulation")
        })
    }

    /// The same, and which failures are of which class, such as the fault behind each: the report then tells them
    /// apart.
    #[must_use]
    pub fn with_classes(mut self, classes: EpisodeClasses) -> Self {
        self.classes.push(classes);
        self
    }

    /// The same, of which models learn from some windows: `weights` says of each row how many windows the one that ends
    /// there stands for, 0 for one that no model learns from.
    ///
    /// Only training windows are weighed. Features are normalised by all rows of the training span; thresholds,
    /// stopping and figures go by every window of theirs. A model that takes no weights is fitted on every training window, and
    /// a note of the result names it.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is a weight for each row, [`CoreError::InvalidSetting`] for one that
    /// is negative or not finite.
    pub fn with_window_weights(mut self, weights: Vec<f32>) -> Result<Self, ExperimentError> {
        let (expected, got) = (self.frames.layout().rows(), weights.len());
        if expected != got {
            return Err(CoreError::LengthMismatch { what: "weights of rows", expected, got }.into());
        }
        if let Some(weight) = weights.iter().find(|&&weight| !(weight >= 0.0 && weight.is_finite())) {
            let (name, value) = ("weight of a window", weight.to_string());
            return Err(CoreError::InvalidSetting { name, value, expected: "0 or a positive number" }.into());
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// Who calls whom, where the metrics are those of a simulated fleet.
    ///
    /// # Errors
    /// As [`fleet_graph`].
    pub fn service_graph(&self) -> Result<Option<ServiceGraph>, ExperimentError> {
        match &self.truth {
            Some(Truth::Fleet(fleet)) => fleet_graph(fleet.blueprint()).map(Some),
            _ => Ok(None),
        }
    }

    /// The frames as they were read.
    #[must_use]
    pub fn frames(&self) -> &FrameSet {
        &self.frames
    }
}
