use crate::{
    Cell, History, Settings, input,
    shape::Shape,
    workspace::{Start, Workspace},
};
use forewarn_core::{CoreError, Predictor, Score, Windows, sigmoid};
use forewarn_schema::Schema;
use std::collections::BTreeMap;

/// A fitted LSTM or GRU: plain weights, scored by pure Rust code whichever trainer made them.
///
/// A value that is missing (NaN) is read as 0, the training mean of a normalised feature. The score of a window does not depend on
/// the windows beside it, to the bit; nor do a [`Stream`](forewarn_core::Stream) and [`step`](Self::step) give other bits.
#[derive(Clone, PartialEq)]
pub struct RecurrentModel {
    pub(crate) shape: Shape,
    pub(crate) schema: Schema,
    pub(crate) observation: usize,
    /// The weights of each network, as [`Shape::parts`] lays them out.
    pub(crate) members: Vec<Vec<f32>>,
    pub(crate) history: Vec<History>,
    /// What else is saved along.
    pub(crate) metadata: BTreeMap<String, serde_json::Value>,
}

/// Windows that are scored at once: enough for the kernels to run at full speed, few enough for the cache.
const CHUNK: usize = 64;
/// Most numbers in one activation of a batch: 1 GiB of them.
const ACTIVATION_LIMIT: usize = 1 << 28;

impl RecurrentModel {
    pub(crate) fn fitted(
        settings: &Settings,
        windows: Windows<'_>,
        shape: Shape,
        members: Vec<Vec<f32>>,
        history: Vec<History>,
    ) -> Result<Self, CoreError> {
        let settings =
            serde_json::to_value(settings).map_err(|error| CoreError::outside("saving settings", error))?;
        Ok(Self {
            shape,
            schema: windows.schema().clone(),
            observation: windows.observation(),
            members,
            history,
            metadata: BTreeMap::from([("settings".to_owned(), settings)]),
        })
    }

    /// Refuses a network whose activations would not fit into memory.
    pub(crate) fn expect_size(shape: Shape, steps: usize, batch: usize) -> Result<(), CoreError> {
        let widest = shape.gate_rows().max(shape.inputs);
        match widest.checked_mul(steps + 1).and_then(|size| size.checked_mul(batch)) {
            Some(size) if size <= ACTIVATION_LIMIT => Ok(()),
            _ => Err(CoreError::InvalidSetting {
                name: "batch size times steps times gates",
                value: format!("{batch} * {steps} * {widest}"),
                expected: "a product of at most 2^28",
            }),
        }
    }

    /// LSTM or GRU.
    #[must_use]
    pub fn cell(&self) -> Cell {
        self.shape.cell
    }

    /// Units of the recurrent layer.
    #[must_use]
    pub fn hidden(&self) -> usize {
        self.shape.hidden
    }

    /// Number of networks whose probabilities are averaged.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// How the fit of each network went; empty for weights that were made elsewhere.
    #[must_use]
    pub fn history(&self) -> &[History] {
        &self.history
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
    /// [`CoreError::FeatureMismatch`], [`CoreError::LengthMismatch`]; [`CoreError::NotFinite`] for an infinite value, with its
    /// feature's name; [`CoreError::InvalidScore`] when finite values are so large that their products are not.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        score_with(self.shape, &self.members, windows, scores)
    }
}

/// Scores windows, which have been checked, with the mean of these networks.
pub(crate) fn score_with(
    shape: Shape,
    members: &[Vec<f32>],
    windows: Windows<'_>,
    scores: &mut [Score],
) -> Result<(), CoreError> {
    let steps = windows.observation();
    // Very long windows are taken one by one rather than with gigabytes of scratch.
    let chunk = (ACTIVATION_LIMIT / 16 / steps / shape.gate_rows().max(shape.inputs)).clamp(1, CHUNK);
    let mut space = Workspace::new(shape, steps, chunk.min(windows.len()));
    let mut sums = [0.0; CHUNK];
    for (number, scores) in scores.chunks_mut(chunk).enumerate() {
        let first = number * chunk;
        input::fill(windows, first..first + scores.len(), space.begin(scores.len()))?;
        let sums = &mut sums[..scores.len()];
        sums.fill(0.0);
        for weights in members {
            space.forward(weights, Start::Zero);
            add_probabilities(&space, sums);
        }
        for (score, &sum) in scores.iter_mut().zip(&*sums) {
            *score = mean(sum, members.len())?;
        }
    }
    Ok(())
}

/// Adds one network's probabilities.
pub(crate) fn add_probabilities(space: &Workspace<f32>, sums: &mut [f64]) {
    for (sum, &logit) in sums.iter_mut().zip(space.logits()) {
        *sum += sigmoid(f64::from(logit));
    }
}

/// The mean of the networks' probabilities.
pub(crate) fn mean(sum: f64, members: usize) -> Result<Score, CoreError> {
    Score::new((sum / members as f64) as f32)
}
