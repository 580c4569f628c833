use crate::{
    ModelRows, NotSaved,
    run::{
        fit::{Fitted, Member, Scorer},
        material::context_columns,
    },
};
use forewarn_core::{AlarmPolicy, CoreError, Envelope, Predictor, Save, WindowSpec};
use forewarn_ensemble::Combined;
use forewarn_live::{GraphColumns, Serving};
use forewarn_schema::{Schema, Step};
use forewarn_topology::TopologyFeatures;
use forewarn_window::{Impute, Normaliser, Pipeline};

/// The models of an experiment as they were fitted, with their features and pipelines.
pub(crate) struct Models {
    /// In the order of the experiment.
    pub(crate) fitted: Vec<Fitted>,
    pub(crate) pipeline: Pipeline,
    /// The same of wide features, with the topology columns behind the metrics, and gaps filled before them.
    pub(crate) wide: Option<(Pipeline, Option<(TopologyFeatures, Impute)>)>,
    /// Metrics of the raw frames, without outcomes.
    pub(crate) metrics: Schema,
    pub(crate) step: Step,
    pub(crate) window: WindowSpec,
    /// Columns of a service graph that features are made of too, and what fills gaps before them.
    pub(crate) topology: Option<(TopologyFeatures, Impute)>,
    /// Services, in the order of their numbers in the context of a row.
    pub(crate) services: Vec<String>,
    /// The failure rule as data, where it can be written so.
    pub(crate) rule: Option<serde_json::Value>,
    /// Smallest and largest value of each metric in training rows.
    pub(crate) ranges: Vec<Option<[f32; 2]>>,
}

impl Models {
    pub(crate) fn predictor(&self, position: usize) -> Option<&dyn Predictor> {
        match &self.fitted[position].scorer {
            Scorer::Model { model, .. } => Some(&**model),
            Scorer::States { .. } | Scorer::Blend { .. } => None,
        }
    }

    /// A model with what makes its rows, and what its scores are compared with.
    pub(crate) fn to_envelope(
        &self,
        position: usize,
        policy: Option<AlarmPolicy>,
    ) -> Result<Envelope, NotSaved> {
        let (rows, mut envelope) = self.alone(position)?;
        let context;
        let (pipeline, graph) = match rows {
            ModelRows::Metrics => (None, None),
            ModelRows::Context => {
                let columns = context_columns(self.services.iter().map(String::as_str));
                let schema = columns.schema(&self.metrics).map_err(CoreError::from)?;
                context = Pipeline::new(columns, Normaliser::identity(&schema));
                (Some(&context), None)
            }
            ModelRows::Wide => {
                let (pipeline, topology) = self.wide.as_ref().ok_or(NotSaved::Unknown)?;
                let graph = topology.as_ref().map(|(columns, filling)| GraphColumns::new(filling, columns));
                (Some(pipeline), graph.transpose()?)
            }
            ModelRows::Features => {
                let graph =
                    self.topology.as_ref().map(|(columns, filling)| GraphColumns::new(filling, columns));
                (Some(&self.pipeline), graph.transpose()?)
            }
        };
        let (rule, ranges) = (self.rule.clone(), self.ranges.clone());
        let serving =
            Serving { policy, graph, rule, ranges, ..Serving::new(self.metrics.clone(), self.step) };
        serving.add_to(&mut envelope, pipeline)?;
        Ok(envelope)
    }

    /// A model without what makes its rows, and which rows those are.
    fn alone(&self, position: usize) -> Result<(ModelRows, Envelope), NotSaved> {
        match &self.fitted[position].scorer {
            Scorer::Model { rows, model } => {
                let save = model.as_save().ok_or(NotSaved::Unknown)?;
                Ok((*rows, save.to_envelope(self.window)?))
            }
            Scorer::States { .. } => Err(NotSaved::States),
            Scorer::Blend { blend, members } => {
                let (mut found, mut common) = (Vec::new(), None);
                for member in members {
                    let (rows, model) = match member {
                        Member::Own { rows, model } => (rows, model),
                        Member::Of(of) => match &self.fitted[*of].scorer {
                            Scorer::Model { rows, model } => (rows, model),
                            Scorer::States { .. } | Scorer::Blend { .. } => return Err(NotSaved::States),
                        },
                    };
                    if model.as_save().is_none() {
                        return Err(NotSaved::Unknown);
                    }
                    common = Some(
                        common
                            .map_or(Some(*rows), |common: ModelRows| common.joint(*rows))
                            .ok_or(NotSaved::MixedRows)?,
                    );
                    found.push(&**model);
                }
                let rows = common.ok_or(NotSaved::MixedRows)?;
                Ok((rows, Combined::new(found, blend.clone())?.to_envelope(self.window)?))
            }
        }
    }
}
