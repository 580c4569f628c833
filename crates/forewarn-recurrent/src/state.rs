use crate::{
    RecurrentModel, input,
    model::{add_probabilities, mean},
    workspace::{Start, Workspace},
};
use forewarn_core::{CoreError, Predictor, Score};

/// What a model remembers of a stream of rows: a value beside the model, one for each stream. Clone it to try what-ifs.
#[derive(Clone, Debug)]
pub struct RecurrentState {
    networks: Vec<Workspace<f32>>,
    rows: usize,
}

impl RecurrentState {
    /// Rows seen since the start.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl RecurrentModel {
    /// The state before the first row.
    #[must_use]
    pub fn start(&self) -> RecurrentState {
        RecurrentState { networks: vec![Workspace::new(self.shape, 1, 1); self.members.len()], rows: 0 }
    }

    /// Takes one row and scores what `state` has seen so far: one step of work, whatever the window's length, and no allocation.
    ///
    /// After exactly [`observation`](Predictor::observation) rows from [`start`](Self::start) the score has the same bits as the
    /// window of these rows. Beyond that the state remembers more than a window; the model was not fitted on so much, so it is a
    /// grade rather than the probability that a [`Stream`](forewarn_core::Stream) gives.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width or a state of another model, [`CoreError::NotFinite`] for an
    /// infinite value, with its feature's name, [`CoreError::InvalidScore`] when finite values are so large that their products
    /// are not. After an error the state is as it was.
    pub fn step(&self, state: &mut RecurrentState, row: &[f32]) -> Result<Score, CoreError> {
        let expect = |what, expected, got| match expected == got {
            true => Ok(()),
            false => Err(CoreError::LengthMismatch { what, expected, got }),
        };
        expect("values of a row", self.shape.inputs, row.len())?;
        expect("networks of a state", self.members.len(), state.networks.len())?;
        for space in &state.networks {
            expect("weights that a state is for", self.shape.weights(), space.shape.weights())?;
        }
        if let Some(at) = row.iter().position(|value| value.is_infinite()) {
            return Err(input::infinite(self.input().names().nth(at)));
        }
        let mut sum = [0.0];
        for (space, weights) in state.networks.iter_mut().zip(&self.members) {
            input::copy_row(row, space.begin(1));
            space.forward(weights, Start::Carried);
            add_probabilities(space, &mut sum);
        }
        let score = mean(sum[0], self.members.len())?;
        for space in &mut state.networks {
            space.carry();
        }
        state.rows += 1;
        Ok(score)
    }
}
