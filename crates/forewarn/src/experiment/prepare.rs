use super::{Experiment, ExperimentError};
use forewarn_core::{BoxError, Split};
use forewarn_schema::FrameSet;
use forewarn_window::{Carried, Features, Method, Pipeline, carry_forward};

/// What fitted models see: features of every row, normalised by training rows.
pub(super) struct Prepared {
    pub(super) features: FrameSet,
    /// What became of missing cells.
    pub(super) carried: Carried,
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
        let (filled, carried) = carry_forward(metrics.clone(), self.carry_steps)?;
        let pipeline = Pipeline::fit(features, split.train(), &filled, Method::ZScore, self.scope, 1)?
            .with_limit(Self::DEVIATION_LIMIT)?;
        Ok(Prepared { features: pipeline.apply(&filled)?, carried, pipeline })
    }
}

impl Prepared {
    /// The features of other metrics of the same services, as fitted.
    pub(super) fn again(&self, metrics: &FrameSet, carry_steps: usize) -> Result<FrameSet, BoxError> {
        let (filled, _) = carry_forward(metrics.clone(), carry_steps)?;
        Ok(self.pipeline.apply(&filled)?)
    }

    /// Gives the list of features back, to be fitted anew.
    pub(super) fn into_list(self) -> Features {
        self.pipeline.into_features()
    }
}
