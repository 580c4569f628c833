use super::{Experiment, ExperimentError, Rows};
use forewarn_baseline::Context;
use forewarn_core::Split;
use forewarn_schema::FrameSet;
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
    /// Fits the features that this experiment was given on the training rows of `split`.
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

    /// Metrics whose short gaps took the last value before them.
    fn fill(&self, metrics: &FrameSet) -> Result<(FrameSet, Imputed), ExperimentError> {
        let impute = match self.carry_steps {
            0 => Impute::none(),
            steps => Impute::last(steps)?,
        };
        Ok(impute.fill(metrics.clone())?)
    }

    fn context(&self, metrics: &FrameSet) -> Result<Option<FrameSet>, ExperimentError> {
        if !self.models.iter().any(|model| model.rows == Rows::Context) {
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
