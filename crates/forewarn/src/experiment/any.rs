//! Estimators and predictors of any kind, with recurrent ones by their own type: they have states, which no other has.

use forewarn_core::{
    CoreError, DynEstimator, Estimator, LabelledWindows, Monitor, Predictor, Train, Validation,
};
use forewarn_recurrent::{Recurrent, RecurrentModel};

/// What is fitted.
pub(super) enum AnyEstimator {
    Boxed(Box<dyn DynEstimator>),
    Recurrent(Recurrent),
}

/// What became of it.
pub(super) enum AnyPredictor {
    Boxed(Box<dyn Predictor>),
    Recurrent(Box<RecurrentModel>),
}

impl AnyEstimator {
    pub(super) fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<AnyPredictor, CoreError> {
        Ok(match self {
            Self::Boxed(estimator) => AnyPredictor::Boxed(estimator.fit_boxed(train, validation, monitor)?),
            Self::Recurrent(recurrent) => {
                AnyPredictor::Recurrent(Box::new(recurrent.fit(train, validation, monitor)?))
            }
        })
    }
}

impl AnyPredictor {
    pub(super) fn get(&self) -> &dyn Predictor {
        match self {
            Self::Boxed(predictor) => &**predictor,
            Self::Recurrent(model) => &**model,
        }
    }
}
