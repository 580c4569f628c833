#[cfg(feature = "libtorch")]
use crate::fit::libtorch::device::Device;
use crate::{
    Cell, Instructions,
    network::{
        pooling::Pooling,
        shape::{Embedding, Shape},
    },
};
use forewarn_core::CoreError;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Who computes the gradients. Everything else, from the first weights to the last update, is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trainer {
    /// Back-propagation through time in pure Rust, on [`threads`](Settings::threads) threads.
    #[default]
    Native,
    /// libtorch's automatic differentiation.
    #[cfg(feature = "libtorch")]
    Libtorch {
        /// Where it computes.
        device: Device,
    },
}

impl Trainer {
    /// The one that takes least time here: libtorch on a GPU, in a program that was built with it, where there is
    /// one; native otherwise, which is faster than libtorch on a processor.
    #[must_use]
    pub fn fastest() -> Self {
        #[cfg(feature = "libtorch")]
        if crate::fit::libtorch::cuda::has_gpu() {
            return Self::Libtorch { device: Device::Cuda };
        }
        Self::Native
    }
}

impl Trainer {
    /// `native` or `libtorch`, wherever that computes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            #[cfg(feature = "libtorch")]
            Self::Libtorch { .. } => "libtorch",
        }
    }
}

impl FromStr for Trainer {
    type Err = CoreError;

    /// `native`; `libtorch`, on a GPU where there is one, in a program that was built with it; `fastest`.
    fn from_str(text: &str) -> Result<Self, CoreError> {
        match text {
            "native" => Ok(Self::Native),
            "fastest" => Ok(Self::fastest()),
            #[cfg(feature = "libtorch")]
            "libtorch" => Ok(Self::Libtorch { device: Device::CudaIfAvailable }),
            _ => Err(CoreError::InvalidSetting {
                name: "trainer",
                value: format!("{text:?}"),
                expected: "fastest, native, or libtorch in a program that was built with it",
            }),
        }
    }
}

/// How the learning rate goes on from step to step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// The same throughout.
    Constant,
    /// Half a cosine, from the learning rate down to a hundredth of it at the last of `max_epochs`.
    #[default]
    Cosine,
    /// The same as long as it helps: times `factor` after each `patience` epochs without a better PR-AUC on validation.
    Plateau {
        /// What is left of the learning rate, between 0 and 1.
        factor: f64,
        /// Epochs to wait, fewer than the fit's own patience.
        patience: usize,
    },
}

/// What comes out of the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// The probability that the event comes within the prediction period.
    #[default]
    Probability,
    /// For each minute of the period the probability that the event comes in it, if not before: a
    /// [`Forecast`](crate::Forecast). The score is the probability of any, `1 - prod(1 - h)`. Windows whose period
    /// was observed in part are learnt from as well.
    Hazard,
}

/// Settings of a [`Recurrent`]. Start from the default and change what you mean to:
///
/// ```
/// use forewarn_recurrent::{Cell, Recurrent, Settings};
///
/// let gru = Recurrent::new(Settings { cell: Cell::Gru, seed: 7, ..Settings::default() })?;
/// assert!(Recurrent::new(Settings { hidden: 0, ..Settings::default() }).is_err());
/// # Ok::<(), forewarn_core::CoreError>(())
/// ```
///
/// The fit minimises the mean negative log-likelihood `-(w y ln p + (1 - y) ln (1 - p))`, where `w` is
/// `positive_weight`; for [`Output::Hazard`] it is the likelihood of discrete-time survival, with the score
/// `1 - prod(1 - h)`. A setting out of its range is [`CoreError::InvalidSetting`] of [`Recurrent::new`], which names
/// the first one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// LSTM or GRU. Default LSTM.
    pub cell: Cell,
    /// Units of a recurrent layer. Default 64, range 1 to 4096.
    pub hidden: usize,
    /// Units of a hidden `ReLU` layer in the head; `None` for a head that is one linear unit. Default 32, range 1 to
    /// 4096.
    pub head: Option<usize>,
    /// Recurrent layers, one over the other. Default 1, range 1 to 8.
    pub layers: usize,
    /// How states become what the head reads. Default [`Pooling::LastState`].
    pub pooling: Pooling,
    /// What comes out of the head. Default [`Output::Probability`].
    pub output: Output,
    /// Numbers that describe a window's service to the network, learnt with it; `None` for a network that does not
    /// ask whose window it is. Default none, range 1 to 64.
    ///
    /// The table of descriptions has one row more than there are services: **row 0 is any other service**, for windows
    /// of services that the fit has not seen. The services of the fit follow in the order of their names.
    pub service_embedding: Option<usize>,
    /// Step size of `AdamW` at the start. Default 0.0015, above 0.
    pub learning_rate: f64,
    /// How it goes on from there. Default [`Schedule::Cosine`].
    pub schedule: Schedule,
    /// How much every weight matrix shrinks a step, as a share of the learning rate; biases do not. Default 0.01,
    /// range 0 to below 1 / `learning_rate`.
    pub weight_decay: f64,
    /// Share of the last hidden state's units that a training step leaves out. Default 0.3, range 0 to below 1.
    pub dropout: f64,
    /// Windows in a training step. Default 64, range 1 to 65,536. Larger steps cost a little less time for each
    /// window, and rank windows worse: steps of 256 came out behind steps of 64 over as many windows.
    pub batch_size: usize,
    /// Most epochs. Default 12, range 1 to 1,000,000.
    pub max_epochs: usize,
    /// Epochs without a better PR-AUC on validation after which to stop. The weights of the best epoch are kept.
    /// Default 4, at least 1.
    pub patience: usize,
    /// Most windows in an epoch: when there are more, an epoch takes the next ones of a shuffled pass over all.
    /// Default 131,072, at least 1.
    pub windows_per_epoch: usize,
    /// Largest Euclidean norm of a whole gradient; a longer one is scaled down to it. Default 1, above 0.
    pub gradient_clip: f64,
    /// How many times a positive window counts in the loss. Default 1, above 0. More than 1 makes every probability
    /// too high, and did not rank windows better.
    pub positive_weight: f64,
    /// Steps on either side of the period's end over which a label goes from 1 to 0 with the time to the event,
    /// rather than at once. Default 0: labels as they are. Only for [`Output::Probability`].
    pub label_smoothing_steps: usize,
    /// Networks that are fitted from different first weights and whose probabilities are averaged. Default 1, range 1
    /// to 64.
    pub members: usize,
    /// Seed of first weights, order of windows and dropout. Default 0.
    pub seed: u64,
    /// Who computes the gradients. Default [`Trainer::Native`].
    pub trainer: Trainer,
    /// Threads of the native trainer. Default 1, range 1 to 256. However many, the model has the same bits.
    pub threads: usize,
    /// Vector instructions of the native trainer and of scoring while fitting. Default [`Instructions::Best`].
    pub instructions: Instructions,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cell: Cell::Lstm,
            hidden: 64,
            head: Some(32),
            layers: 1,
            pooling: Pooling::LastState,
            output: Output::Probability,
            service_embedding: None,
            learning_rate: 1.5e-3,
            schedule: Schedule::Cosine,
            weight_decay: 1e-2,
            dropout: 0.3,
            batch_size: 64,
            max_epochs: 12,
            patience: 4,
            windows_per_epoch: 131_072,
            gradient_clip: 1.0,
            positive_weight: 1.0,
            label_smoothing_steps: 0,
            members: 1,
            seed: 0,
            trainer: Trainer::Native,
            threads: 1,
            instructions: Instructions::Best,
        }
    }
}

impl Settings {
    /// Most threads of the native trainer.
    pub const MOST_THREADS: usize = 256;

    fn check(&self) -> Result<(), CoreError> {
        let refuse = |name, value: String, expected| Err(CoreError::InvalidSetting { name, value, expected });
        let counts = [
            ("hidden", self.hidden, SIDE_LIMIT, "1 to 4096"),
            ("head", self.head.unwrap_or(1), SIDE_LIMIT, "none, or 1 to 4096"),
            ("batch_size", self.batch_size, 65_536, "1 to 65536"),
            ("max_epochs", self.max_epochs, 1_000_000, "1 to 1000000"),
            ("patience", self.patience, usize::MAX, "at least 1"),
            ("windows_per_epoch", self.windows_per_epoch, usize::MAX, "at least 1"),
            ("members", self.members, MEMBER_LIMIT, "1 to 64"),
            ("layers", self.layers, LAYER_LIMIT, "1 to 8"),
            ("service_embedding", self.service_embedding.unwrap_or(1), EMBEDDING_LIMIT, "none, or 1 to 64"),
            ("threads", self.threads, Self::MOST_THREADS, "1 to 256"),
        ];
        for (name, value, limit, expected) in counts {
            if !(1..=limit).contains(&value) {
                return refuse(name, value.to_string(), expected);
            }
        }
        let positive = [
            ("learning_rate", self.learning_rate),
            ("gradient_clip", self.gradient_clip),
            ("positive_weight", self.positive_weight),
        ];
        for (name, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return refuse(name, value.to_string(), "a positive number");
            }
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay * self.learning_rate < 1.0) {
            let expected = "a number from 0 to below 1 / learning_rate";
            return refuse("weight_decay", self.weight_decay.to_string(), expected);
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout", self.dropout.to_string(), "0 to below 1");
        }
        if let Schedule::Plateau { factor, patience } = self.schedule
            && !(factor > 0.0 && factor < 1.0 && (1..self.patience).contains(&patience))
        {
            let expected = "a factor between 0 and 1 and fewer epochs than the fit's patience";
            return refuse("schedule", format!("{factor}, {patience} epochs"), expected);
        }
        if self.output == Output::Hazard && self.label_smoothing_steps > 0 {
            let expected = "0 for a hazard, which knows the time to the event";
            return refuse("label_smoothing_steps", self.label_smoothing_steps.to_string(), expected);
        }
        Ok(())
    }
}

/// Most units of a layer.
pub(crate) const SIDE_LIMIT: usize = 4096;
/// Most networks of a model.
pub(crate) const MEMBER_LIMIT: usize = 64;
/// Most recurrent layers.
pub(crate) const LAYER_LIMIT: usize = 8;
/// Longest description of a service.
pub(crate) const EMBEDDING_LIMIT: usize = 64;
/// Longest prediction period of a hazard.
pub(crate) const PERIOD_LIMIT: usize = 4096;

/// An LSTM or GRU before it is fitted: checked [`Settings`]. Fitting makes a [`RecurrentModel`](crate::RecurrentModel).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Recurrent {
    settings: Settings,
}

impl Recurrent {
    /// A model with these settings.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`], which names the first one out of range.
    pub fn new(settings: Settings) -> Result<Self, CoreError> {
        settings.check()?;
        Ok(Self { settings })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sides of the network for rows of `inputs` features, a period of `period` steps and `services` services.
    pub(crate) fn shape(&self, inputs: usize, period: usize, services: usize) -> Shape {
        let Settings { cell, hidden, layers, pooling, output, head, service_embedding, .. } = self.settings;
        let embedding = service_embedding.map(|width| Embedding { services, width });
        let outputs = match output {
            Output::Probability => 1,
            Output::Hazard => period,
        };
        Shape { cell, inputs, embedding, hidden, layers, pooling, head, outputs }
    }
}

impl TryFrom<Settings> for Recurrent {
    type Error = CoreError;

    fn try_from(settings: Settings) -> Result<Self, CoreError> {
        Self::new(settings)
    }
}

impl From<Recurrent> for Settings {
    fn from(recurrent: Recurrent) -> Self {
        recurrent.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let default = Settings::default;
        let wrong = [
            ("hidden", Settings { hidden: 0, ..default() }),
            ("hidden", Settings { hidden: 4097, ..default() }),
            ("head", Settings { head: Some(0), ..default() }),
            ("batch_size", Settings { batch_size: 0, ..default() }),
            ("max_epochs", Settings { max_epochs: 0, ..default() }),
            ("patience", Settings { patience: 0, ..default() }),
            ("windows_per_epoch", Settings { windows_per_epoch: 0, ..default() }),
            ("members", Settings { members: 65, ..default() }),
            ("learning_rate", Settings { learning_rate: f64::NAN, ..default() }),
            ("learning_rate", Settings { learning_rate: 0.0, ..default() }),
            ("gradient_clip", Settings { gradient_clip: f64::INFINITY, ..default() }),
            ("positive_weight", Settings { positive_weight: -1.0, ..default() }),
            ("weight_decay", Settings { weight_decay: f64::NAN, ..default() }),
            ("weight_decay", Settings { weight_decay: 1000.0, ..default() }),
            ("dropout", Settings { dropout: 1.0, ..default() }),
            ("layers", Settings { layers: 9, ..default() }),
            ("service_embedding", Settings { service_embedding: Some(0), ..default() }),
            ("threads", Settings { threads: 0, ..default() }),
            ("schedule", Settings { schedule: Schedule::Plateau { factor: 1.0, patience: 1 }, ..default() }),
            ("schedule", Settings { schedule: Schedule::Plateau { factor: 0.5, patience: 4 }, ..default() }),
            (
                "label_smoothing_steps",
                Settings { output: Output::Hazard, label_smoothing_steps: 1, ..default() },
            ),
        ];
        for (setting, settings) in wrong {
            let json = serde_json::to_string(&settings).unwrap();
            match Recurrent::new(settings) {
                Err(CoreError::InvalidSetting { name, .. }) => assert_eq!(name, setting),
                other => panic!("{setting}: {other:?}"),
            }
            assert!(serde_json::from_str::<Recurrent>(&json).is_err(), "{json}");
        }
    }

    #[test]
    fn trainers_have_names() {
        assert_eq!("native".parse::<Trainer>().unwrap(), Trainer::Native);
        assert_eq!("fastest".parse::<Trainer>().unwrap(), Trainer::fastest());
        assert_eq!("libtorch".parse::<Trainer>().is_ok(), cfg!(feature = "libtorch"));
        let error = "Native".parse::<Trainer>().unwrap_err().to_string();
        assert!(error.contains("\"Native\"") && error.contains("fastest"), "{error}");
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let gru = Recurrent::new(Settings { cell: Cell::Gru, head: None, ..Settings::default() }).unwrap();
        let json = serde_json::to_string(&gru).unwrap();
        assert_eq!(serde_json::from_str::<Recurrent>(&json).unwrap(), gru);
        assert_eq!(
            serde_json::from_str::<Recurrent>(r#"{"cell":"gru","head":null}"#).unwrap(),
            gru,
            "what is left out is the default"
        );
        assert!(serde_json::from_str::<Recurrent>(r#"{"hiden":8}"#).is_err());
        assert_eq!(Recurrent::new(Settings::default()).unwrap(), Recurrent::default());
    }
}
