use crate::{Experiment, ExperimentError, Rows};
use forewarn_baseline::Context;
use forewarn_core::Split;
use forewarn_schema::{FrameSet, Schema};
use forewarn_window::{
    Calendar, FeatureExt as _, Features, Impute, Imputed, Method, Metrics, Pipeline, Select,
};
use std::borrow::Cow;

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
    pub(super) pipeline: Pipeline,
}

impl Experiment {
    /// The features that this experiment was given, of metrics whose short gaps took the last value before them; after them what the rule says of
    /// each row, without anything filled in, if models are shown that, and the columns of the service graph, if there is one.
    ///
    /// All of it is one list that begins with the metrics as they were measured, so that it can be saved, and served, as it is.
    pub(super) fn take_features(&mut self, metrics: &Schema) -> Result<Features, ExperimentError> {
        let of_metrics = Select::Only(metrics.names().map(str::to_owned).collect());
        let filled = self.impute()?.of(of_metrics);
        let mut features = Features::new().with(filled.then(std::mem::take(&mut self.features)));
        if let Some(verdicts) = self.shown.take() {
            features = features.with(verdicts);
        }
        if let Some(topology) = &self.topology {
            let columns = topology.columns().into_iter().map(|column| column.name).collect();
            features = features.with(Impute::none().of(Select::Only(columns)));
        }
        Ok(features)
    }

    /// Fits what [`take_features`](Self::take_features) gave on the training rows of `split`.
    pub(super) fn prepare(
        &self,
        features: Features,
        metrics: &FrameSet,
        split: &Split,
    ) -> Result<Prepared, ExperimentError> {
        let rows = self.rows(metrics)?;
        let pipeline = Pipeline::fit(features, split.train(), &rows, Method::ZScore, self.scope, 1)?
            .with_limit(Self::DEVIATION_LIMIT)?;
        let derived = Derived { features: pipeline.apply(&rows)?, context: self.context(metrics)? };
        Ok(Prepared { derived, pipeline })
    }

    /// The same of other metrics of the same services, as fitted.
    pub(super) fn prepare_again(
        &self,
        pipeline: &Pipeline,
        metrics: &FrameSet,
    ) -> Result<Derived, ExperimentError> {
        let features = pipeline.apply(&*self.rows(metrics)?)?;
        Ok(Derived { features, context: self.context(metrics)? })
    }

    /// What becomes of missing cells of metrics on their way to features.
    pub(super) fn carried(&self, metrics: &FrameSet) -> Result<Imputed, ExperimentError> {
        Ok(self.impute()?.fill(metrics.clone())?.1)
    }

    fn impute(&self) -> Result<Impute, ExperimentError> {
        Ok(match self.carry_steps {
            0 => Impute::none(),
            steps => Impute::last(steps)?,
        })
    }

    /// What features are computed from: metrics as they were measured, and behind them the columns of the service graph, if there is one, which
    /// see gaps filled.
    fn rows<'a>(&self, metrics: &'a FrameSet) -> Result<Cow<'a, FrameSet>, ExperimentError> {
        let Some(topology) = &self.topology else { return Ok(Cow::Borrowed(metrics)) };
        let columns = topology.compute(&self.impute()?.fill(metrics.clone())?.0)?;
        let schema = Schema::new([metrics.schema().metrics(), columns.schema().metrics()].concat())?;
        Ok(Cow::Owned(metrics.beside(&[&columns], schema)?))
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
