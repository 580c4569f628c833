use super::{Experiment, ExperimentError};
use forewarn_core::{BoxError, Split};
use forewarn_schema::FrameSet;
use forewarn_window::{Features, Impute, Imputed, Method, Pipeline};

/// What fitted models see: features of every row, normalised by training rows.
pub(super) struct Prepared {
    pub(super) features: FrameSet,
    /// What became of missing cells.
    pub(super) carried: Imputed,
    impute: Impute,
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
        let impute = match self.carry_steps {
            0 => Impute::none(),
            steps => Impute::last(steps)?,
        };
        let (filled, carried) = impute.fill(metrics.clone())?;
        let pipeline = Pipeline::fit(features, split.train(), &filled, Method::ZScore, self.scope, 1)?
            .with_limit(Self::DEVIATION_LIMIT)?;
        Ok(Prepared { features: pipeline.apply(&filled)?, carried, impute, pipeline })
    }
}

impl Prepared {
    /// The features of other metrics of the same services, as fitted.
    pub(super) fn again(&self, metrics: &FrameSet) -> Result<FrameSet, BoxError> {
        let (filled, _) = self.impute.fill(metrics.clone())?;
        Ok(self.pipeline.apply(&filled)?)
    }

    /// Gives the list of features back, to be fitted anew.
    pub(super) fn into_list(self) -> Features {
        self.pipeline.into_features()
    }
}
