use crate::{
    Cell, Forecast, History, Instructions, Settings,
    aligned::Aligned,
    input,
    layer::{Inputs, Projected},
    network::{Before, Memory, Network},
    processor::Processor,
    services::{Services, number_of},
    shape::Shape,
    shared::SharedRows,
};
use forewarn_core::{CoreError, LabelledWindows, Predictor, Score, Windows, sigmoid};
use forewarn_schema::Schema;
use std::collections::BTreeMap;

/// A fitted LSTM or GRU: plain weights, scored by pure Rust code whichever trainer made them.
///
/// A value that is missing (NaN) is read as 0, the training mean of a normalised feature. The score of a window does not depend on
/// the windows beside it, to the bit; nor do a [`Stream`](forewarn_core::Stream) and [`step`](Self::step) give other bits.
#[derive(Clone)]
pub struct RecurrentModel {
    pub(crate) shape: Shape,
    pub(crate) schema: Schema,
    pub(crate) observation: usize,
    pub(crate) services: Services,
    /// The weights of each network, as [`Shape::parts`] lays them out.
    pub(crate) members: Vec<Vec<f32>>,
    /// The same, packed.
    pub(crate) networks: Vec<Network<f32>>,
    pub(crate) processor: Processor,
    pub(crate) history: Vec<History>,
    /// What else is saved along.
    pub(crate) metadata: BTreeMap<String, serde_json::Value>,
}

/// Windows that are scored at once: enough for the kernels to run at full speed, few enough for the cache.
pub(crate) const CHUNK: usize = 64;
/// Most numbers in one activation of a batch: 1 GiB of them.
const ACTIVATION_LIMIT: usize = 1 << 28;
/// Most that the absolute weights of a unit may add up to, so that nothing overflows: with inputs up to [`input::LARGEST`] sums stay
/// below 1e37.
const WEIGHT_LIMIT: f64 = 1e6;

impl RecurrentModel {
    pub(crate) fn fitted(
        settings: &Settings,
        train: LabelledWindows<'_>,
        shape: Shape,
        services: Services,
        members: Vec<Vec<f32>>,
        history: Vec<History>,
    ) -> Result<Self, CoreError> {
        let save = |value: Result<serde_json::Value, serde_json::Error>| {
            value.map_err(|error| CoreError::outside("saving settings", error))
        };
        let windows = train.windows();
        let times: Vec<_> = windows.layout().map_or_else(Vec::new, |_| {
            (0..windows.len()).filter_map(|index| windows.place(index).map(|(_, time)| time)).collect()
        });
        let data = serde_json::json!({
            "windows": windows.len(),
            "positives": train.positives(),
            "from": times.iter().min().map(ToString::to_string),
            "to": times.iter().max().map(ToString::to_string),
        });
        let metadata = BTreeMap::from([
            ("settings".to_owned(), save(serde_json::to_value(settings))?),
            ("trained_on".to_owned(), data),
        ]);
        let schema = windows.schema().clone();
        let observation = windows.observation();
        Self { history, metadata, ..Self::new(shape, schema, observation, services, members)? }
            .with_instructions(settings.instructions)
    }

    /// A model of these weights, with no history.
    ///
    /// # Errors
    /// [`CoreError::NotFinite`] for weights so large that sums may overflow.
    pub(crate) fn new(
        shape: Shape,
        schema: Schema,
        observation: usize,
        services: Services,
        members: Vec<Vec<f32>>,
    ) -> Result<Self, CoreError> {
        for weights in &members {
            for part in shape.parts() {
                let row = part.shape.last().copied().unwrap_or(1).max(1);
                let sum = |row: &[f32]| row.iter().map(|&weight| f64::from(weight).abs()).sum::<f64>();
                // Written so that NaN is refused.
                if !weights[part.range].chunks(row).map(sum).all(|sum| sum <= WEIGHT_LIMIT) {
                    return Err(CoreError::NotFinite { what: format!("a sum over {:?}", part.name) });
                }
            }
        }
        Ok(Self {
            networks: members.iter().map(|weights| Network::packed(shape, weights)).collect(),
            shape,
            schema,
            observation,
            services,
            members,
            processor: Processor::best(),
            history: Vec::new(),
            metadata: BTreeMap::new(),
        })
    }

    /// Refuses a network whose activations would not fit into memory.
    pub(crate) fn expect_size(shape: Shape, steps: usize, batch: usize) -> Result<(), CoreError> {
        let widest = (4 * shape.stride()).max(shape.row()).max(shape.outputs);
        match widest.checked_mul(steps + 1).and_then(|size| size.checked_mul(batch)) {
            Some(size) if size <= ACTIVATION_LIMIT => Ok(()),
            _ => Err(CoreError::InvalidSetting {
                name: "batch size times steps times gates",
                value: format!("{batch} * {steps} * {widest}"),
                expected: "a product of at most 2^28",
            }),
        }
    }

    /// The same model, scored with these instructions rather than the best of the processor.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for instructions that the processor does not have.
    pub fn with_instructions(self, instructions: Instructions) -> Result<Self, CoreError> {
        Ok(Self { processor: Processor::new(instructions)?, ..self })
    }

    /// LSTM or GRU.
    #[must_use]
    pub fn cell(&self) -> Cell {
        self.shape.cell
    }

    /// Units of each recurrent layer.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.shape.hidden
    }

    /// Recurrent layers.
    #[must_use]
    pub fn layers(&self) -> usize {
        self.shape.layers
    }

    /// Number of networks whose probabilities are averaged.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// Number of weights of each network.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.shape.weights()
    }

    pub(crate) fn ensemble(&self) -> Ensemble<'_> {
        Ensemble {
            shape: self.shape,
            networks: Networks::Packed(&self.networks),
            services: &self.services,
            processor: self.processor,
        }
    }

    /// When the event will come, for each window, by a model with [`Output::Hazard`](crate::Output::Hazard). Its probability within the
    /// period is the window's score, but for rounding. A model with a plain head forecasts a period of one step.
    ///
    /// # Errors
    /// As [`score`](Predictor::score).
    pub fn forecast(&self, windows: Windows<'_>) -> Result<Vec<Forecast>, CoreError> {
        windows.expect(&self.schema, self.observation)?;
        let mut members = vec![Vec::with_capacity(self.members.len()); windows.len()];
        self.ensemble().each(windows, |window, logits| {
            let hazards: Vec<f64> = logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect();
            members[window].push(Forecast::from_hazards(&hazards));
        })?;
        Ok(members.iter().map(|of_window| Forecast::mean(of_window)).collect())
    }
}

impl PartialEq for RecurrentModel {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.schema == other.schema
            && self.observation == other.observation
            && self.services == other.services
            && self.members == other.members
            && self.history == other.history
            && self.metadata == other.metadata
    }
}

impl std::fmt::Debug for RecurrentModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecurrentModel")
            .field("shape", &self.shape)
            .field("observation", &self.observation)
            .field("members", &self.members.len())
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}

impl Predictor for RecurrentModel {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    /// Writes one score for each window.
    ///
    /// # Errors
    /// [`CoreError::FeatureMismatch`], [`CoreError::LengthMismatch`]; [`CoreError::NotFinite`] for a value that is infinite or beyond
    /// 1e30, with the names of its feature and, where it is known, its service.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        self.ensemble().score(windows, scores)
    }

    /// Those of [`forecast`](Self::forecast), by a model with [`Output::Hazard`](crate::Output::Hazard); a plain head says only whether.
    fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        if self.shape.outputs == 1 { Ok(None) } else { self.forecast(windows).map(Some) }
    }

    fn history(&self) -> &[History] {
        &self.history
    }
}

/// Networks whose probabilities are averaged.
pub(crate) struct Ensemble<'a> {
    shape: Shape,
    networks: Networks<'a>,
    services: &'a Services,
    processor: Processor,
}

/// Networks, packed already or for the occasion.
enum Networks<'a> {
    Packed(&'a [Network<f32>]),
    Own(Vec<Network<f32>>),
}

impl<'a> Ensemble<'a> {
    pub(crate) fn new(
        shape: Shape,
        weights: &[Vec<f32>],
        services: &'a Services,
        processor: Processor,
    ) -> Self {
        let networks = weights.iter().map(|weights| Network::packed(shape, weights)).collect();
        Self { shape, networks: Networks::Own(networks), services, processor }
    }

    fn networks(&self) -> &[Network<f32>] {
        match &self.networks {
            Networks::Packed(networks) => networks,
            Networks::Own(networks) => networks,
        }
    }

    /// Scores windows, which have been checked.
    pub(crate) fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        let mut sums = vec![0.0; scores.len()];
        self.each(windows, |window, logits| sums[window] += within(logits))?;
        for (score, sum) in scores.iter_mut().zip(sums) {
            *score = mean(sum, self.networks().len())?;
        }
        Ok(())
    }

    /// Calls `found` with the log-odds of each window by each network.
    fn each(&self, windows: Windows<'_>, mut found: impl FnMut(usize, &[f32])) -> Result<(), CoreError> {
        let (steps, row) = (windows.observation(), self.shape.row());
        // Very long windows are taken one by one rather than with gigabytes of scratch.
        let chunk = (ACTIVATION_LIMIT / 16 / steps / row).clamp(1, CHUNK).min(windows.len().max(1));
        let numbers = self.services.numbers(windows);
        let mut memories: Vec<_> =
            self.networks().iter().map(|network| Memory::new(network, chunk)).collect();
        let mut rows = vec![0.0; steps * chunk * row];
        let mut services = vec![0; chunk];
        let projected = self.networks().first().map_or(0, |network| network.layers[0].projected());
        let mut shared = SharedRows::new(chunk, steps, row, ACTIVATION_LIMIT / 16 / projected.max(1));
        let mut sums = Aligned::new(shared.capacity() * projected);
        for first in (0..windows.len()).step_by(chunk) {
            let count = chunk.min(windows.len() - first);
            if shared.take(windows.slice(first..first + count)?, &numbers) {
                for (network, memory) in self.networks().iter().zip(&mut memories) {
                    let (services, rows) = shared.rows();
                    describe(network, services, rows);
                    let sums = &mut sums[..services.len() * projected];
                    network.project(self.processor, rows, sums);
                    let (rows, places) = (services.len(), shared.places());
                    self.run(network, memory, steps, count, |step| {
                        Inputs::Projected(Projected { sums, rows, places, step })
                    });
                    for (window, logits) in memory.read(self.processor, network, count).enumerate() {
                        found(first + window, logits);
                    }
                }
                continue;
            }
            for (place, service) in services[..count].iter_mut().enumerate() {
                input::fill_one(windows, first + place, row, count, place, &mut rows)?;
                *service = number_of(windows, &numbers, first + place);
            }
            let rows = &mut rows[..steps * count * row];
            for (network, memory) in self.networks().iter().zip(&mut memories) {
                describe(network, &services[..count], rows);
                self.run(network, memory, steps, count, |step| {
                    Inputs::Rows(network.inputs(&rows[step * count * row..][..count * row]))
                });
                for (window, logits) in memory.read(self.processor, network, count).enumerate() {
                    found(first + window, logits);
                }
            }
        }
        Ok(())
    }

    /// All steps of so many windows.
    fn run<'b>(
        &self,
        network: &Network<f32>,
        memory: &mut Memory<f32>,
        steps: usize,
        windows: usize,
        inputs: impl Fn(usize) -> Inputs<'b, f32>,
    ) {
        memory.clear();
        for step in 0..steps {
            let before = if step == 0 { Before::Zero } else { Before::States };
            memory.advance(self.processor, network, inputs(step), windows, before);
        }
    }
}

/// Writes the descriptions of services to the ends of rows, `[step, window, feature]`.
pub(crate) fn describe(network: &Network<f32>, services: &[u32], rows: &mut [f32]) {
    let (row, inputs) = (network.shape.row(), network.shape.inputs);
    if row > inputs {
        for (row, &service) in rows.chunks_exact_mut(row).zip(services.iter().cycle()) {
            row[inputs..].copy_from_slice(network.describe(service as usize));
        }
    }
}

/// The probability of an event within the period by its log-odds, or by the log-odds of each step: `1 - prod(1 - h)`.
pub(crate) fn within(logits: &[f32]) -> f64 {
    match logits {
        [logit] => sigmoid(f64::from(*logit)),
        // ln(1 - h) is -ln(1 + exp(x)) with x the log-odds of h.
        _ => {
            let survived = logits.iter().map(|&logit| {
                let x = f64::from(logit);
                -x.max(0.0) - (-x.abs()).exp().ln_1p()
            });
            -survived.sum::<f64>().exp_m1()
        }
    }
}

/// The mean of the networks' probabilities.
pub(crate) fn mean(sum: f64, members: usize) -> Result<Score, CoreError> {
    Score::new((sum / members as f64) as f32)
}
