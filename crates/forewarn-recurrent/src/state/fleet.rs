use crate::{
    Forecast, RecurrentModel, SavedState,
    ensemble::{CHUNK, describe, mean, within},
    input,
    network::{Before, Memory, Network, layer::Inputs},
    state::expect,
};
use forewarn_core::{CoreError, Predictor, Score};
use std::ops::Range;

/// What a model remembers of many streams: the states of a fleet in one block, stepped together.
///
/// A step of a stream in a fleet has the same bits as [`RecurrentModel::step`] and costs a fraction of it, because
/// many streams share each read of the weights. Streams have numbers, from 0; each can be [saved](Self::save),
/// restored, added and [removed](Self::swap_remove) by itself.
#[derive(Clone, Debug)]
pub struct FleetState {
    model: u64,
    /// The number that the model has for each stream's service.
    services: Vec<u32>,
    /// Rows seen by each stream.
    rows_seen: Vec<u32>,
    /// For each network `[stream, number]`.
    networks: Vec<Vec<f32>>,
    scratch: Vec<Memory<f32>>,
    rows: Vec<f32>,
    sums: Vec<f64>,
}

impl FleetState {
    /// Number of streams.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there is no stream.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// Bytes that the streams' states take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.networks.iter().map(|values| size_of_val(&values[..])).sum::<usize>() + self.len() * 8
    }

    /// Rows that a stream has seen since its start.
    ///
    /// # Errors
    /// [`CoreError::NoSuch`].
    pub fn rows(&self, stream: usize) -> Result<usize, CoreError> {
        self.expect_stream(stream)?;
        Ok(self.rows_seen[stream] as usize)
    }

    /// Forgets what a stream has seen, after a break.
    ///
    /// # Errors
    /// [`CoreError::NoSuch`].
    pub fn restart(&mut self, stream: usize) -> Result<(), CoreError> {
        self.expect_stream(stream)?;
        self.rows_seen[stream] = 0;
        Ok(())
    }

    /// What is remembered of a stream, as plain numbers: the same as its [`RecurrentState`](crate::RecurrentState)
    /// would save.
    ///
    /// # Errors
    /// [`CoreError::NoSuch`].
    pub fn save(&self, stream: usize) -> Result<SavedState, CoreError> {
        let rows = self.rows(stream)?;
        let networks = match rows {
            0 => Vec::new(),
            _ => {
                self.networks.iter().map(|values| values[self.numbers_of(stream, values)].to_vec()).collect()
            }
        };
        Ok(SavedState { model: self.model, rows, service: self.services[stream], networks })
    }

    /// Takes a stream out. The last one gets its number.
    ///
    /// # Errors
    /// [`CoreError::NoSuch`].
    pub fn swap_remove(&mut self, stream: usize) -> Result<(), CoreError> {
        self.expect_stream(stream)?;
        let last = self.len() - 1;
        for values in &mut self.networks {
            let width = values.len() / (last + 1);
            values.copy_within(last * width.., stream * width);
            values.truncate(last * width);
        }
        self.services.swap_remove(stream);
        self.rows_seen.swap_remove(stream);
        Ok(())
    }

    /// Where the numbers of a stream lie among those of a network.
    fn numbers_of(&self, stream: usize, values: &[f32]) -> Range<usize> {
        let width = values.len() / self.len();
        stream * width..(stream + 1) * width
    }

    fn expect_stream(&self, stream: usize) -> Result<(), CoreError> {
        let (index, count) = (stream, self.len());
        if index < count { Ok(()) } else { Err(CoreError::NoSuch { what: "stream", index, count }) }
    }
}

impl RecurrentModel {
    /// One stream for each of these services, which the model knows or not, before their first rows.
    pub fn fleet<'a>(&self, services: impl IntoIterator<Item = &'a str>) -> FleetState {
        let services: Vec<u32> = services.into_iter().map(|name| self.services.number(name)).collect();
        let block = |network: &Network<f32>| vec![0.0; services.len() * network.remembered()];
        FleetState {
            model: self.identity,
            rows_seen: vec![0; services.len()],
            networks: self.networks.iter().map(block).collect(),
            scratch: self.networks.iter().map(|network| Memory::new(network, CHUNK)).collect(),
            rows: vec![0.0; CHUNK * self.shape.row()],
            sums: vec![0.0; CHUNK],
            services,
        }
    }

    /// Adds a stream of a service, which the model knows or not, before its first row, and gives its number.
    ///
    /// # Errors
    /// [`CoreError::OtherModel`] for the fleet of another model.
    pub fn add_stream(&self, fleet: &mut FleetState, service: &str) -> Result<usize, CoreError> {
        self.expect_own("the fleet", fleet.model)?;
        fleet.services.push(self.services.number(service));
        fleet.rows_seen.push(0);
        for (values, network) in fleet.networks.iter_mut().zip(&self.networks) {
            values.resize(values.len() + network.remembered(), 0.0);
        }
        Ok(fleet.len() - 1)
    }

    /// Goes on with a stream as it was saved, by a fleet or by a state.
    ///
    /// # Errors
    /// As [`restore`](Self::restore); [`CoreError::NoSuch`] for a stream that is not there.
    pub fn restore_stream(
        &self,
        fleet: &mut FleetState,
        stream: usize,
        saved: &SavedState,
    ) -> Result<(), CoreError> {
        self.expect_own("the fleet", fleet.model)?;
        fleet.expect_stream(stream)?;
        self.restore(saved)?;
        fleet.services[stream] = saved.service;
        fleet.rows_seen[stream] = u32::try_from(saved.rows).unwrap_or(u32::MAX);
        for (network, from) in saved.networks.iter().enumerate() {
            let at = fleet.numbers_of(stream, &fleet.networks[network]);
            fleet.networks[network][at].copy_from_slice(from);
        }
        Ok(())
    }

    /// When the event will come, as of the last row that a stream has seen.
    ///
    /// # Errors
    /// [`CoreError::OtherModel`], [`CoreError::NoSuch`]; [`CoreError::LengthMismatch`] until the stream has seen a
    /// whole window.
    pub fn forecast_stream(&self, fleet: &FleetState, stream: usize) -> Result<Forecast, CoreError> {
        self.forecast_state(&mut self.restore(&fleet.save(stream)?)?)
    }

    /// Takes one row of every stream, `[stream, feature]`, and scores what each has seen so far; `None` for a stream
    /// that has not seen a whole window. See [`step`](Self::step). Nothing is allocated.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a wrong number of values or scores, [`CoreError::OtherModel`] for the fleet
    /// of another model, [`CoreError::TooLarge`] for a value that is infinite or beyond 1e30, with its feature's
    /// name. After an error the fleet is as it was.
    pub fn step_fleet(
        &self,
        fleet: &mut FleetState,
        rows: &[f32],
        scores: &mut [Option<Score>],
    ) -> Result<(), CoreError> {
        let inputs = self.shape.inputs;
        expect("values of a fleet's rows", fleet.len() * inputs, rows.len())?;
        expect("scores", fleet.len(), scores.len())?;
        self.expect_own("the fleet", fleet.model)?;
        if let Some(at) = rows.iter().position(|value| value.abs() > input::LARGEST) {
            return Err(input::too_large(self.input().names().nth(at % inputs)));
        }
        let row = self.shape.row();
        for first in (0..rows.len() / inputs).step_by(CHUNK) {
            let streams = first..fleet.services.len().min(first + CHUNK);
            let count = streams.len();
            for (to, from) in
                fleet.rows.chunks_exact_mut(row).zip(rows[first * inputs..].chunks_exact(inputs))
            {
                input::copy_row(from, &mut to[..inputs]);
            }
            let sums = &mut fleet.sums[..count];
            sums.fill(0.0);
            let parts = fleet.networks.iter_mut().zip(&mut fleet.scratch).zip(&self.networks);
            for ((values, memory), network) in parts {
                describe(network, &fleet.services[streams.clone()], &mut fleet.rows[..count * row]);
                let width = network.remembered();
                let values = &mut values[first * width..][..count * width];
                let seen = &fleet.rows_seen[streams.clone()];
                for (stream, (values, &seen)) in values.chunks_exact(width).zip(seen).enumerate() {
                    if seen > 0 { memory.load(stream, values) } else { memory.forget(stream) }
                }
                let inputs = Inputs::Rows(network.inputs(&fleet.rows[..count * row]));
                memory.advance(self.processor, network, inputs, count, Before::States);
                for (sum, logits) in sums.iter_mut().zip(memory.read(self.processor, network, count)) {
                    *sum += within(logits);
                }
                for (stream, values) in values.chunks_exact_mut(width).enumerate() {
                    memory.store(stream, values);
                }
            }
            let seen = &mut fleet.rows_seen[streams.clone()];
            for ((score, &sum), seen) in scores[streams].iter_mut().zip(&*sums).zip(seen) {
                *seen = seen.saturating_add(1);
                // A window is shorter than 2^31 rows.
                let full = *seen as usize >= self.observation();
                *score = if full { Some(mean(sum, self.networks.len())?) } else { None };
            }
        }
        Ok(())
    }
}
