pub(crate) mod fleet;

use crate::{
    Forecast, RecurrentModel,
    ensemble::{describe, forecast, mean, within},
    input,
    network::{Before, Memory, layer::Inputs},
};
use forewarn_core::{CoreError, Predictor, RunningState, Score, Stateful};
use serde::{Deserialize, Serialize};

/// What a model remembers of a stream of rows: a value beside the model, one for each stream. Clone it to try
/// what-ifs, [`save`](Self::save) it to go on in another process. It belongs to the model that started it, however
/// often that was saved and loaded: a refitted model refuses it.
#[derive(Clone, Debug)]
pub struct RecurrentState {
    model: u64,
    networks: Vec<Memory<f32>>,
    /// The last row as networks read it.
    row: Vec<f32>,
    service: u32,
    rows: usize,
}

/// A [`RecurrentState`] as plain numbers, for any serde format; [`RecurrentModel::restore`] takes it up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedState {
    /// What tells the model's states from those of others.
    pub model: u64,
    /// Rows seen since the start.
    pub rows: usize,
    /// The number that the model has for the stream's service, 0 for one that it does not know.
    pub service: u32,
    /// What each network remembers; nothing before the first row.
    pub networks: Vec<Vec<f32>>,
}

impl RecurrentState {
    /// Rows seen since the start.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The state as plain numbers.
    #[must_use]
    pub fn save(&self) -> SavedState {
        let save = |memory: &Memory<f32>| {
            let mut values = vec![0.0; memory.remembered()];
            memory.store(0, &mut values);
            values
        };
        let networks = if self.rows == 0 { Vec::new() } else { self.networks.iter().map(save).collect() };
        SavedState { model: self.model, rows: self.rows, service: self.service, networks }
    }
}

impl RecurrentModel {
    /// The state before the first row of a service that the model does not know.
    #[must_use]
    pub fn start(&self) -> RecurrentState {
        let row = vec![0.0; self.shape.row()];
        let networks = self.networks.iter().map(|network| Memory::new(network, 1)).collect();
        RecurrentState { model: self.identity, networks, row, service: 0, rows: 0 }
    }

    /// The state before the first row of a service, which the model knows or not.
    #[must_use]
    pub fn start_for(&self, service: &str) -> RecurrentState {
        RecurrentState { service: self.services.number(service), ..self.start() }
    }

    /// A state that was saved.
    ///
    /// # Errors
    /// [`CoreError::OtherModel`] for a state of another model; [`CoreError::NoSuch`], [`CoreError::LengthMismatch`] and
    /// [`CoreError::TooLarge`] for one that no stream can reach, as a damaged file may have it.
    pub fn restore(&self, saved: &SavedState) -> Result<RecurrentState, CoreError> {
        self.expect_own("a saved state", saved.model)?;
        let mut state = self.start();
        (state.rows, state.service) = (saved.rows, saved.service);
        let (index, count) = (saved.service as usize, self.services.len() + 1);
        if index >= count {
            return Err(CoreError::NoSuch { what: "service", index, count });
        }
        if saved.rows == 0 && saved.networks.is_empty() {
            return Ok(state);
        }
        expect("networks of a state", state.networks.len(), saved.networks.len())?;
        for (memory, values) in state.networks.iter_mut().zip(&saved.networks) {
            expect("numbers of a state", memory.remembered(), values.len())?;
            memory.load(0, values);
            if !memory.is_reachable(saved.rows) {
                let what = format!("what a saved state remembers of {} rows", saved.rows);
                return Err(CoreError::TooLarge { what, limit: saved.rows as f64 });
            }
        }
        Ok(state)
    }

    /// Takes one row and scores what `state` has seen so far: one step of work, whatever the window's length, and no
    /// allocation. `None` until it has seen a whole window, [`observation`](Predictor::observation) rows: the model
    /// was fitted on no shorter one.
    ///
    /// The first score has the same bits as that of the window of these rows. Beyond that the state remembers more
    /// than a window, which the model was not fitted on: measure it on data of your own, and choose a threshold on
    /// scores of states. A [`PredictorState`](forewarn_core::PredictorState) gives the scores of windows.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width, [`CoreError::OtherModel`] for a state of another
    /// model, [`CoreError::TooLarge`] for a value that is infinite or beyond 1e30, with its feature's name. After an
    /// error the state is as it was.
    pub fn step(&self, state: &mut RecurrentState, row: &[f32]) -> Result<Option<Score>, CoreError> {
        expect("values of a row", self.shape.inputs, row.len())?;
        self.expect_own("the state", state.model)?;
        if input::copy_row(row, &mut state.row) {
            let at = row.iter().position(|value| value.abs() > input::LARGEST).unwrap_or_default();
            return Err(input::too_large(self.input().names().nth(at)));
        }
        let mut sum = 0.0;
        for (memory, network) in state.networks.iter_mut().zip(&self.networks) {
            describe(network, &[state.service], &mut state.row);
            let inputs = Inputs::Rows(network.inputs(&state.row));
            memory.advance(self.processor, network, inputs, 1, Before::States);
            sum += memory.read(self.processor, network, 1).map(within).sum::<f64>();
        }
        state.rows = state.rows.saturating_add(1);
        if state.rows < self.observation() {
            return Ok(None);
        }
        mean(sum, self.networks.len()).map(Some)
    }

    /// When the event will come, as of the last row that `state` has seen: [`forecast`](Self::forecast) for a stream.
    ///
    /// # Errors
    /// [`CoreError::OtherModel`]; [`CoreError::LengthMismatch`] until the state has seen a whole window.
    pub fn forecast_state(&self, state: &mut RecurrentState) -> Result<Forecast, CoreError> {
        self.expect_own("the state", state.model)?;
        let (expected, got) = (self.observation(), state.rows);
        if got < expected {
            return Err(CoreError::LengthMismatch { what: "rows of a state", expected, got });
        }
        let of_networks = state.networks.iter_mut().zip(&self.networks).flat_map(|(memory, network)| {
            memory.read(self.processor, network, 1).map(forecast).collect::<Vec<_>>()
        });
        Forecast::mean(&of_networks.collect::<Result<Vec<_>, _>>()?)
    }

    /// Refuses what another model has started.
    pub(crate) fn expect_own(&self, what: &'static str, model: u64) -> Result<(), CoreError> {
        if model == self.identity { Ok(()) } else { Err(CoreError::OtherModel { what }) }
    }
}

pub(crate) fn expect(what: &'static str, expected: usize, got: usize) -> Result<(), CoreError> {
    if expected == got { Ok(()) } else { Err(CoreError::LengthMismatch { what, expected, got }) }
}

impl Stateful for RecurrentModel {
    fn start_state(&self, service: &str) -> Box<dyn RunningState + '_> {
        Box::new(Running { model: self, state: self.start_for(service) })
    }
}

/// A state with its model.
struct Running<'a> {
    model: &'a RecurrentModel,
    state: RecurrentState,
}

impl RunningState for Running<'_> {
    fn step(&mut self, row: &[f32]) -> Result<Option<Score>, CoreError> {
        self.model.step(&mut self.state, row)
    }
}
