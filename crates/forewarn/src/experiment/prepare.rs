use super::{
    Experiment, ExperimentError, Rows,
    added::{Added, OfMetrics},
};
use forewarn_baseline::Context;
use forewarn_core::{Feature as _, Split};
use forewarn_schema::{FrameSet, Schema};
use forewarn_topology::TopologyFeatures;
use forewarn_window::{Calendar, Features, Impute, Imputed, Method, Metrics, Pipeline};

/// What is derived from metrics for the models of an experiment.
pub(super) struct Derived {
    /// Features of every row, normalised by training rows.
    pub(super) features: FrameSet,
    /// Metrics with service, step and time of day beside them, where a model asks for them.
    pub(super) context: Option<FrameSet>,
}

/// What fitted models see, and how it was made.
pub(super) struct Prepared {
    pub(super) derived: Derived,
    /// What became of missing cells.
    pub(super) carried: Imputed,
    pipeline: Pipeline,
}

impl Experiment {
    /// The features that this experiment was given, and after them the columns that are [added](Self::fill) to the metrics.
    pub(super) fn take_features(&mut self, metrics: &Schema) -> Result<Features, ExperimentError> {
        let features = std::mem::take(&mut self.features);
        let mut added = match &self.shown {
            Some(verdicts) => verdicts.outputs(metrics)?,
            None => Vec::new(),
        };
        added.extend(self.topology.iter().flat_map(TopologyFeatures::columns));
        if added.is_empty() {
            return Ok(features);
        }
        // Features of the metrics stay what they are, so that with and without differ by the added columns alone.
        Ok(Features::new()
            .with(OfMetrics { features, metrics: metrics.clone() })
            .with(Added { columns: added }))
    }

    /// Fits what [`take_features`](Self::take_features) gave on the training rows of `split`.
    pub(super) fn prepare(
        &self,
        features: Features,
        metrics: &FrameSet,
        split: &Split,
    ) -> Result<Prepared, ExperimentError> {
        let (filled, carried) = self.fill(metrics)?;
        let pipeline = Pipeline::fit(features, split.train(), &filled, Method::ZScore, self.scope, 1)?
            .with_limit(Self::DEVIATION_LIMIT)?;
        let derived = Derived { features: pipeline.apply(&filled)?, context: self.context(metrics)? };
        Ok(Prepared { derived, carried, pipeline })
    }

    /// The same of other metrics of the same services, as fitted.
    pub(super) fn prepare_again(
        &self,
        prepared: &Prepared,
        metrics: &FrameSet,
    ) -> Result<Derived, ExperimentError> {
        let (filled, _) = self.fill(metrics)?;
        Ok(Derived { features: prepared.pipeline.apply(&filled)?, context: self.context(metrics)? })
    }

    /// Metrics whose short gaps took the last value before them. After them what the rule says of each row, without anything filled in, if models
    /// are shown that, and the columns of the service graph, if there is one.
    fn fill(&self, metrics: &FrameSet) -> Result<(FrameSet, Imputed), ExperimentError> {
        let impute = match self.carry_steps {
            0 => Impute::none(),
            steps => Impute::last(steps)?,
        };
        let (mut filled, carried) = impute.fill(metrics.clone())?;
        if let Some(verdicts) = &self.shown {
            let verdicts = verdicts.apply(metrics)?;
            let schema = Schema::new([filled.schema().metrics(), verdicts.schema().metrics()].concat())?;
            filled = filled.beside(&[&verdicts], schema)?;
        }
        if let Some(topology) = &self.topology {
            filled = topology.append(&filled)?;
        }
        Ok((filled, carried))
    }

    fn context(&self, metrics: &FrameSet) -> Result<Option<FrameSet>, ExperimentError> {
        if !self.models.iter().any(|model| model.reads(Rows::Context)) {
            return Ok(None);
        }
        let services = metrics.layout().services().iter().map(|place| place.name());
        let features =
            Features::new().with(Metrics).with(Context::new(services)).with(Calendar::time_of_day());
        Ok(Some(features.apply(metrics)?))
    }
}

impl Prepared {
    /// Gives the list of features back, to be fitted anew.
    pub(super) fn into_list(self) -> Features {
        self.pipeline.into_features()
    }
}
