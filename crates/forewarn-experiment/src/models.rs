use crate::{
    Rows,
    fit::{Fitted, Scorer},
};
use forewarn_core::{AlarmPolicy, CoreError, Envelope, ModelFileError, Predictor, Save, WindowSpec};
use forewarn_ensemble::Combined;
use forewarn_live::{LiveError, Serving};
use forewarn_schema::{Schema, Step};
use forewarn_window::Pipeline;

/// The models of an experiment as they were fitted, with what makes their rows.
pub(super) struct Models {
    /// In the order of the experiment.
    pub(super) fitted: Vec<Fitted>,
    pub(super) pipeline: Pipeline,
    /// Metrics of the raw frames, without outcomes.
    pub(super) metrics: Schema,
    pub(super) step: Step,
    pub(super) window: WindowSpec,
    /// Whether features are made of a service graph's columns too.
    pub(super) has_topology: bool,
}

/// Why a model of an experiment cannot be saved, or not be served from a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSaved {
    /// The model has no way to be saved.
    #[error(
        "the model has no save function: implement `Save` for it, and return it from `Predictor::as_save`"
    )]
    Unknown,
    /// It is another model, by its states.
    #[error("it is another model's states that run on: save that model, which has them")]
    States,
    /// Its features need rows of other services.
    #[error(
        "it sees columns of a service graph, which are made of the rows of all services at once: a model with them cannot be served from a file yet"
    )]
    Topology,
    /// It goes by which service and which step a row is of.
    #[error(
        "it goes by the number of its service or the time of day, which a file does not make of a row of metrics yet"
    )]
    Context,
    /// Its members do not see the same columns.
    #[error(
        "it blends models of which some see metrics and others features: it cannot be served from a file yet"
    )]
    MixedRows,
    /// The model's own reason.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// Its members do not go together.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// What makes its rows cannot be saved with it.
    #[error(transparent)]
    Serve(#[from] LiveError),
}

impl Models {
    pub(super) fn predictor(&self, position: usize) -> Option<&dyn Predictor> {
        match &self.fitted[position].scorer {
            Scorer::Model { model, .. } => Some(&**model),
            Scorer::States { .. } | Scorer::Blend { .. } => None,
        }
    }

    /// A model with what makes its rows, and what its scores are compared with.
    pub(super) fn to_envelope(
        &self,
        position: usize,
        policy: Option<AlarmPolicy>,
    ) -> Result<Envelope, NotSaved> {
        let (rows, mut envelope) = self.alone(position)?;
        let pipeline = match rows {
            Rows::Metrics => None,
            Rows::Context => return Err(NotSaved::Context),
            Rows::Features if self.has_topology => return Err(NotSaved::Topology),
            Rows::Features => Some(&self.pipeline),
        };
        let serving = Serving { metrics: self.metrics.clone(), step: self.step, policy };
        serving.add_to(&mut envelope, pipeline)?;
        Ok(envelope)
    }

    /// A model without what makes its rows, and which rows those are.
    fn alone(&self, position: usize) -> Result<(Rows, Envelope), NotSaved> {
        match &self.fitted[position].scorer {
            Scorer::Model { rows, model } => {
                let save = model.as_save().ok_or(NotSaved::Unknown)?;
                Ok((*rows, save.to_envelope(self.window)?))
            }
            Scorer::States { .. } => Err(NotSaved::States),
            Scorer::Blend { blend, members } => {
                let (mut found, mut common) = (Vec::new(), None);
                for &member in members {
                    let Scorer::Model { rows, model } = &self.fitted[member].scorer else {
                        return Err(NotSaved::States);
                    };
                    if model.as_save().is_none() {
                        return Err(NotSaved::Unknown);
                    }
                    if *common.get_or_insert(*rows) != *rows {
                        return Err(NotSaved::MixedRows);
                    }
                    found.push(&**model);
                }
                let rows = common.ok_or(NotSaved::MixedRows)?;
                Ok((rows, Combined::new(found, blend.clone())?.to_envelope(self.window)?))
            }
        }
    }
}
