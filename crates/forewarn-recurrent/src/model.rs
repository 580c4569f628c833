use crate::{
    Cell, Forecast, History, Instructions, Output, Settings,
    ensemble::Ensemble,
    input::services::Services,
    network::{Network, shape::Shape},
    simd::processor::Processor,
};
use forewarn_core::{CoreError, LabelledWindows, Predictor, Save, Score, Stateful, WindowSpec, Windows};
use forewarn_numerics::Fnv1a;
use forewarn_schema::Schema;
use std::collections::BTreeMap;

/// A fitted LSTM or GRU: plain weights, scored by pure Rust code whichever trainer made them.
///
/// A value that is missing (NaN) is read as 0, the training mean of a normalised feature. The score of a window does
/// not depend on the windows beside it, bit for bit; nor do a [`PredictorState`](forewarn_core::PredictorState) and
/// [`step`](Self::step) give other bits.
#[derive(Clone)]
pub struct RecurrentModel {
    pub(crate) shape: Shape,
    pub(crate) schema: Schema,
    pub(crate) observation: usize,
    /// The windows that it was fitted on, where they knew their lead time and period.
    pub(crate) window: Option<WindowSpec>,
    pub(crate) output: Output,
    pub(crate) services: Services,
    /// The weights of each network, as [`Shape::parts`] lays them out.
    pub(crate) members: Vec<Vec<f32>>,
    /// The same, packed.
    pub(crate) networks: Vec<Network<f32>>,
    pub(crate) processor: Processor,
    /// Tells its states from those of other models.
    pub(crate) identity: u64,
    pub(crate) history: Vec<History>,
    /// What else is saved along.
    pub(crate) metadata: BTreeMap<String, serde_json::Value>,
}

/// Most numbers in the activations of a batch: 1 GiB of them.
const ACTIVATION_LIMIT: usize = 1 << 28;
/// Most numbers in all copies of the weights: 4 GiB of them.
const WEIGHTS_LIMIT: usize = 1 << 30;
/// Most that the absolute weights of a unit may add up to, so that nothing overflows: with inputs up to
/// [`input::LARGEST`] sums stay below 1e37.
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
        let windows = train.windows();
        let times = || (0..windows.len()).filter_map(|index| windows.place(index).map(|(_, time)| time));
        let data = serde_json::json!({
            "windows": windows.len(),
            "positives": train.positives(),
            "from": times().min().as_ref().map(ToString::to_string),
            "to": times().max().as_ref().map(ToString::to_string),
        });
        let mut saved =
            serde_json::to_value(settings).map_err(|error| CoreError::outside("saving settings", error))?;
        if let Some(saved) = saved.as_object_mut() {
            // Which machine it was, and changes no bit of the weights. What is left out is read as the default.
            saved.remove("threads");
            saved.remove("instructions");
        }
        let metadata = BTreeMap::from([("settings".to_owned(), saved), ("trained_on".to_owned(), data)]);
        let schema = windows.schema().clone();
        let model = Self::new(shape, settings.output, schema, windows.observation(), services, members)?;
        let window = train.outcomes().map(|outcomes| outcomes.spec());
        Self { history, metadata, window, ..model }.with_instructions(settings.instructions)
    }

    /// A model of these weights, with no history.
    ///
    /// # Errors
    /// [`CoreError::TooLarge`] for weights so large that sums may overflow, [`CoreError::NotFinite`] for weights that
    /// have.
    pub(crate) fn new(
        shape: Shape,
        output: Output,
        schema: Schema,
        observation: usize,
        services: Services,
        members: Vec<Vec<f32>>,
    ) -> Result<Self, CoreError> {
        for weights in &members {
            for part in shape.parts() {
                let row = part.shape.last().copied().unwrap_or(1).max(1);
                let sum = |row: &[f32]| row.iter().map(|&weight| f64::from(weight).abs()).sum::<f64>();
                for sum in weights[part.range].chunks(row).map(sum) {
                    let what = || format!("a sum of absolute weights in {:?}", part.name);
                    if !sum.is_finite() {
                        return Err(CoreError::NotFinite { what: what() });
                    }
                    if sum > WEIGHT_LIMIT {
                        return Err(CoreError::TooLarge { what: what(), limit: WEIGHT_LIMIT });
                    }
                }
            }
        }
        Ok(Self {
            networks: members.iter().map(|weights| Network::packed(shape, weights)).collect(),
            identity: identity(shape, &services, &members),
            shape,
            output,
            schema,
            observation,
            window: None,
            services,
            members,
            processor: Processor::best(),
            history: Vec::new(),
            metadata: BTreeMap::new(),
        })
    }

    /// Refuses what would not fit into memory: the activations of a batch, and that number of copies of a network's
    /// weights.
    pub(crate) fn expect_size(
        shape: Shape,
        steps: usize,
        batch: usize,
        copies: usize,
    ) -> Result<(), CoreError> {
        let activations = shape.activations(steps);
        let refuse = |name, value, expected| Err(CoreError::InvalidSetting { name, value, expected });
        if activations.saturating_mul(batch) > ACTIVATION_LIMIT {
            let value = format!("{batch} windows of {steps} rows and {activations} numbers");
            return refuse("size of a batch", value, "at most 2^28 numbers");
        }
        let packed = shape.packed();
        if packed.saturating_mul(copies) > WEIGHTS_LIMIT {
            let value = format!("{packed} numbers, {copies} times");
            return refuse("size of the network", value, "at most 2^30 numbers");
        }
        Ok(())
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

    fn ensemble(&self) -> Ensemble<'_> {
        Ensemble::of(self.shape, &self.networks, &self.services, self.processor)
    }

    /// When the event will come, for each window, by a model with [`Output::Hazard`](crate::Output::Hazard). Its
    /// probability within the period is the window's score, but for rounding. A model with a plain head forecasts a
    /// period of one step. Live, see [`forecast_state`](Self::forecast_state).
    ///
    /// # Errors
    /// As [`score`](Predictor::score).
    pub fn forecast(&self, windows: Windows<'_>) -> Result<Vec<Forecast>, CoreError> {
        windows.expect(&self.schema, self.observation)?;
        self.ensemble().forecast(windows)
    }
}

impl PartialEq for RecurrentModel {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.schema == other.schema
            && self.observation == other.observation
            && self.window == other.window
            && self.output == other.output
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
    /// [`CoreError::FeatureMismatch`], [`CoreError::LengthMismatch`]; [`CoreError::TooLarge`] for a value that is
    /// infinite or beyond 1e30, with the names of its feature and, where it is known, its service.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        self.ensemble().score(windows, scores)
    }

    /// Those of [`forecast`](Self::forecast), by a model with [`Output::Hazard`](crate::Output::Hazard); a plain head
    /// says only whether.
    fn forecasts(&self, windows: Windows<'_>) -> Result<Option<Vec<Forecast>>, CoreError> {
        match self.output {
            Output::Probability => Ok(None),
            Output::Hazard => self.forecast(windows).map(Some),
        }
    }

    fn history(&self) -> &[History] {
        &self.history
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn as_stateful(&self) -> Option<&dyn Stateful> {
        Some(self)
    }
}

/// What tells a model's states from those of another.
fn identity(shape: Shape, services: &Services, members: &[Vec<f32>]) -> u64 {
    let mut hash = Fnv1a::new();
    // The names and sides of the tensors are those of the cell, the pooling and the head.
    for part in shape.parts() {
        hash.add_text(&part.name);
        part.shape.iter().for_each(|&side| hash.add_size(side));
    }
    services.names().for_each(|name| hash.add_text(name));
    members.iter().flatten().for_each(|weight| hash.add(weight.to_bits()));
    hash.value()
}
