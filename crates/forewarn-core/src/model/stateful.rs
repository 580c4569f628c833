use crate::{CoreError, Predictor, Score};

/// A model whose state can run along with a stream: it remembers every row since the stream began, not only those of
/// a window.
///
/// A type implements it together with [`Predictor::as_stateful`].
pub trait Stateful: Predictor {
    /// The state before the first row of a service; one that the model does not know is as good as any other unknown
    /// one.
    fn start_state(&self, service: &str) -> Box<dyn RunningState + '_>;
}

/// What a model remembers of one stream.
pub trait RunningState: Send {
    /// Takes the next row, one value a feature, NaN where missing, and gives the score of all that was seen so far;
    /// `None` until that is as much as the model's window.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width, and the model's own; the state is then as it was.
    fn step(&mut self, row: &[f32]) -> Result<Option<Score>, CoreError>;
}
