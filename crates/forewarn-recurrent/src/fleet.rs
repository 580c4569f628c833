use crate::{
    RecurrentModel, input,
    layer::Inputs,
    model::{CHUNK, describe, mean, within},
    network::{Before, Memory, Network},
    state::expect,
};
use forewarn_core::{CoreError, Predictor, Score};

/// What a model remembers of many streams: the states of a fleet in one block, stepped together.
///
/// A step of a stream in a fleet has the same bits as [`RecurrentModel::step`] and costs a fraction of it, because many streams share each
/// read of the weights.
#[derive(Clone, Debug)]
pub struct Fleet {
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

impl Fleet {
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

    /// Forgets what a stream has seen, after a break. One beyond the last is none.
    pub fn restart(&mut self, stream: usize) {
        if let Some(rows) = self.rows_seen.get_mut(stream) {
            *rows = 0;
        }
    }
}

impl RecurrentModel {
    /// One stream for each of these services, which the model knows or not, before their first rows.
    pub fn fleet<'a>(&self, services: impl IntoIterator<Item = &'a str>) -> Fleet {
        let services: Vec<u32> = services.into_iter().map(|name| self.services.number(name)).collect();
        let block = |network: &Network<f32>| vec![0.0; services.len() * network.remembered()];
        Fleet {
            rows_seen: vec![0; services.len()],
            networks: self.networks.iter().map(block).collect(),
            scratch: self.networks.iter().map(|network| Memory::new(network, CHUNK)).collect(),
            rows: vec![0.0; CHUNK * self.shape.row()],
            sums: vec![0.0; CHUNK],
            services,
        }
    }

    /// Takes one row of every stream, `[stream, feature]`, and scores what each has seen so far; see [`step`](Self::step). Nothing is
    /// allocated.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a wrong number of values or scores, or the fleet of another model, [`CoreError::NotFinite`] for a
    /// value that is infinite or beyond 1e30, with its feature's name. After an error the fleet is as it was.
    pub fn step_fleet(&self, fleet: &mut Fleet, rows: &[f32], scores: &mut [Score]) -> Result<(), CoreError> {
        let inputs = self.shape.inputs;
        expect("values of a fleet's rows", fleet.len() * inputs, rows.len())?;
        expect("scores", fleet.len(), scores.len())?;
        expect("networks of a fleet", self.networks.len(), fleet.networks.len())?;
        for (values, network) in fleet.networks.iter().zip(&self.networks) {
            expect("numbers of a fleet", fleet.len() * network.remembered(), values.len())?;
        }
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
            for (score, &sum) in scores[streams.clone()].iter_mut().zip(&*sums) {
                *score = mean(sum, self.networks.len())?;
            }
            for seen in &mut fleet.rows_seen[streams] {
                *seen = seen.saturating_add(1);
            }
        }
        Ok(())
    }
}
