//! Models of different types in one list, and how each is saved.

use forewarn_core::{
    CoreError, Envelope, LabelledWindows, Monitor, Predictor, Train, Validation, WindowSpec,
};
use forewarn_recurrent::RecurrentModel;

/// Fits a model on so many threads, where its estimator can use several.
pub(super) type Fit = Box<
    dyn Fn(
            usize,
            Train<LabelledWindows<'_>>,
            Validation<LabelledWindows<'_>>,
            &mut dyn Monitor,
        ) -> Result<Box<dyn FittedModel>, CoreError>
        + Send
        + Sync,
>;

/// A fitted model of any type.
pub(super) trait FittedModel: Send + Sync {
    fn predictor(&self) -> &dyn Predictor;

    /// The model as a file has it; `None` where nobody said how it is saved.
    fn to_envelope(&self, window: WindowSpec) -> Option<Result<Envelope, CoreError>>;

    /// The model whose states can run on, where it has some.
    fn recurrent(&self) -> Option<&RecurrentModel> {
        None
    }
}

/// A model of which it is not known how it is saved.
impl FittedModel for Box<dyn Predictor> {
    fn predictor(&self) -> &dyn Predictor {
        &**self
    }

    fn to_envelope(&self, _: WindowSpec) -> Option<Result<Envelope, CoreError>> {
        None
    }
}

impl FittedModel for RecurrentModel {
    fn predictor(&self) -> &dyn Predictor {
        self
    }

    fn to_envelope(&self, window: WindowSpec) -> Option<Result<Envelope, CoreError>> {
        Some(self.to_envelope(window))
    }

    fn recurrent(&self) -> Option<&RecurrentModel> {
        Some(self)
    }
}

/// A model and what makes an envelope of it.
pub(super) struct Savable<P, S> {
    pub(super) predictor: P,
    pub(super) save: S,
}

impl<P, S> FittedModel for Savable<P, S>
where
    P: Predictor,
    S: Fn(&P, WindowSpec) -> Result<Envelope, CoreError> + Send + Sync,
{
    fn predictor(&self) -> &dyn Predictor {
        &self.predictor
    }

    fn to_envelope(&self, window: WindowSpec) -> Option<Result<Envelope, CoreError>> {
        Some((self.save)(&self.predictor, window))
    }
}
