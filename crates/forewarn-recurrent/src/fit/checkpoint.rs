use crate::{
    History, Settings,
    fit::{examples::Examples, optimiser::Moments},
};
use forewarn_core::{Envelope, LabelledWindows, ModelFileError, Tensor, WindowSpec};
use forewarn_numerics::Fnv1a;
use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

const KIND: &str = "recurrent-checkpoint";

/// Where a fit stands after an epoch: everything that it needs to go on as if it had never stopped, bit for bit.
///
/// Made by [`Training::checkpoint`](crate::Training::checkpoint), taken up by
/// [`Recurrent::resume`](crate::Recurrent::resume) with the same windows. Written as a safetensors file like a model;
/// it is none, and no model is a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub(crate) settings: Settings,
    pub(crate) schema: Schema,
    pub(crate) observation: usize,
    pub(crate) data: Fingerprint,
    /// Weights and history of the networks that are done.
    pub(crate) members: Vec<Vec<f32>>,
    pub(crate) history: Vec<History>,
    pub(crate) current: Member,
}

/// What tells windows from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) examples: usize,
    pub(crate) validation: usize,
    /// Of rows, labels, weights, outcomes, services and values.
    pub(crate) hash: u64,
}

impl Fingerprint {
    pub(crate) fn new(
        examples: &Examples<'_>,
        settings: &Settings,
        train: LabelledWindows<'_>,
        validation: LabelledWindows<'_>,
    ) -> Self {
        let mut hash = Fnv1a::new();
        for part in [train, validation] {
            let windows = part.windows();
            hash.add_size(windows.observation());
            for (&row, &positive) in windows.last_rows().iter().zip(part.positive()) {
                hash.add(row);
                hash.add(u32::from(positive));
            }
            part.weights().into_iter().flatten().for_each(|weight| hash.add(weight.to_bits()));
            for service in windows.layout().map_or(&[][..], |layout| layout.services()) {
                hash.add_text(service.name());
                hash.add_size(service.rows().end);
            }
            for value in windows.block() {
                hash.add(value.to_bits());
            }
        }
        examples.add_to(&mut hash, settings);
        Self { examples: examples.len(), validation: validation.windows().len(), hash: hash.value() }
    }
}

/// One network on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) weights: Vec<f32>,
    pub(crate) best_weights: Vec<f32>,
    pub(crate) moments: Moments,
    pub(crate) history: History,
    /// Times that a plateau has lowered the learning rate.
    pub(crate) reductions: i32,
    /// The epoch after which a plateau began.
    pub(crate) plateau_from: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    settings: Settings,
    data: Fingerprint,
    history: Vec<History>,
    current: History,
    step: i32,
    reductions: i32,
    plateau_from: usize,
}

impl Checkpoint {
    /// Epochs that are done of the network that is being fitted, and networks that are done.
    #[must_use]
    pub fn epochs_and_networks(&self) -> (usize, usize) {
        (self.current.history.epochs.len(), self.members.len())
    }

    /// Whether a fit with these settings, of networks with this number of weights, can have come here.
    pub(crate) fn is_reachable(&self, settings: &Settings, weights: usize) -> bool {
        let Member { weights: current, best_weights, moments, history, reductions, plateau_from } =
            &self.current;
        let mut lists = vec![current, best_weights, &moments.first, &moments.second];
        lists.extend(&self.members);
        let has_best = |of: &History| (1..=of.epochs.len()).contains(&of.best_epoch);
        let epochs = history.epochs.len();
        let begun = if epochs == 0 {
            *history == History::default() && (moments.step, *reductions, *plateau_from) == (0, 0, 0)
        } else {
            has_best(history)
                && epochs < settings.max_epochs
                && epochs - history.best_epoch < settings.patience
                && (history.best_epoch..=epochs).contains(plateau_from)
                && (0..=epochs as i32).contains(reductions)
                && moments.step > 0
        };
        begun
            && lists.iter().all(|list| list.len() == weights)
            && moments.second.iter().all(|&moment| moment >= 0.0)
            && self.members.len() == self.history.len()
            && self.history.iter().all(has_best)
            && self.members.len() + usize::from(epochs > 0) <= settings.members
    }

    /// Writes the checkpoint. The same one gives the same bytes. Write it beside the one before and rename it: then
    /// there is a whole one at any time.
    ///
    /// # Errors
    /// [`ModelFileError::Io`], [`ModelFileError::TooLarge`] beyond [`Envelope::SIZE_LIMIT`].
    pub fn write(&self, to: impl Write) -> Result<(), ModelFileError> {
        let Member { weights, best_weights, moments, history, reductions, plateau_from } = &self.current;
        let parameters = Parameters {
            settings: self.settings.clone(),
            data: self.data,
            history: self.history.clone(),
            current: history.clone(),
            step: moments.step,
            reductions: *reductions,
            plateau_from: *plateau_from,
        };
        let tensor = |values: &Vec<f32>| Tensor::new(vec![values.len()], values.clone());
        let mut tensors = BTreeMap::new();
        for (name, values) in [
            ("current.weights", weights),
            ("current.best_weights", best_weights),
            ("current.first_moments", &moments.first),
            ("current.second_moments", &moments.second),
        ] {
            tensors.insert(name.to_owned(), tensor(values)?);
        }
        for (number, weights) in self.members.iter().enumerate() {
            tensors.insert(format!("members.{number}"), tensor(weights)?);
        }
        let envelope = Envelope::new(KIND, self.schema.clone(), WindowSpec::new(self.observation, 0, 1)?);
        Envelope { tensors, ..envelope.with_parameters(&parameters)? }.write(to)
    }

    /// Reads a checkpoint, at most [`Envelope::SIZE_LIMIT`] bytes of it.
    ///
    /// # Errors
    /// Those of [`Envelope::read`]; [`ModelFileError::WrongKind`] for a model; [`ModelFileError::MissingTensor`],
    /// [`ModelFileError::TensorShape`] or [`ModelFileError::NotFinite`] for its numbers. Whether they fit a network
    /// is seen when a fit takes it up.
    pub fn read(from: impl Read) -> Result<Self, ModelFileError> {
        let mut envelope = Envelope::read(from)?;
        envelope.expect_kind(KIND)?;
        let parameters: Parameters = envelope.take_parameters()?;
        let mut take = |name: &str| {
            let shape = envelope.tensors.get(name).map(|tensor| vec![tensor.values().len()]);
            envelope.take_tensor(name, &shape.unwrap_or_default())
        };
        let current = Member {
            weights: take("current.weights")?,
            best_weights: take("current.best_weights")?,
            moments: Moments {
                first: take("current.first_moments")?,
                second: take("current.second_moments")?,
                step: parameters.step,
            },
            history: parameters.current,
            reductions: parameters.reductions,
            plateau_from: parameters.plateau_from,
        };
        let members = (0..parameters.history.len())
            .map(|number| take(&format!("members.{number}")))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            settings: parameters.settings,
            observation: envelope.window.observation(),
            schema: envelope.schema,
            data: parameters.data,
            members,
            history: parameters.history,
            current,
        })
    }
}
