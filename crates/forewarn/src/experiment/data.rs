use super::{ExperimentError, truth::Truth};
use forewarn_core::Source;
use forewarn_io::Recording;
use forewarn_schema::FrameSet;
use forewarn_sim::{Fleet, StressWalkRun};

/// Metrics with what a report says of where they come from.
pub struct Data {
    pub(super) frames: FrameSet,
    pub(super) description: String,
    pub(super) format: String,
    pub(super) notes: Vec<String>,
    pub(super) truth: Option<Truth>,
}

impl Data {
    /// Metrics from any source.
    ///
    /// # Errors
    /// The source's own.
    pub fn from_source(source: &mut dyn Source) -> Result<Self, ExperimentError> {
        let frames = source.frames()?;
        Ok(Self {
            frames,
            description: source.describe(),
            format: "source".to_owned(),
            notes: Vec::new(),
            truth: None,
        })
    }

    /// Metrics that were read from a file; `description` is what the report calls it, usually its name.
    pub fn from_recording(recording: Recording, description: impl Into<String>) -> Self {
        let Recording { frames, summary, .. } = recording;
        Self {
            frames,
            description: description.into(),
            format: summary.format.to_string(),
            notes: summary.notes,
            truth: None,
        }
    }

    /// A simulation, whose truth is known: the report then shows the ceiling.
    ///
    /// # Errors
    /// None for a run as the simulator makes it.
    pub fn from_stress_walk(run: StressWalkRun) -> Result<Self, ExperimentError> {
        Ok(Self {
            frames: FrameSet::from_frames(vec![run.frame.clone()])?,
            description: format!("simulated stress walk of {} minutes", run.stress.len()),
            format: "simulation".to_owned(),
            notes: Vec::new(),
            truth: Some(Truth::StressWalk(run)),
        })
    }

    /// A simulated fleet, whose truth is known: the report then shows the ceiling.
    ///
    /// # Errors
    /// [`ExperimentError::Core`] for more rows than a frame set holds.
    pub fn from_fleet(mut fleet: Fleet) -> Result<Self, ExperimentError> {
        let frames = fleet.frames()?;
        Ok(Self {
            frames,
            description: fleet.describe(),
            format: "simulation".to_owned(),
            notes: Vec::new(),
            truth: Some(Truth::Fleet(Box::new(fleet))),
        })
    }

    /// The frames as they were read.
    #[must_use]
    pub fn frames(&self) -> &FrameSet {
        &self.frames
    }
}
