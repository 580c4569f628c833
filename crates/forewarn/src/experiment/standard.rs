use super::{ExperimentError, Model, Rows};
use forewarn_baseline::{Input, LogisticRegression, RollingMean, StaticThreshold, Trend, Watch};
use forewarn_core::WindowSpec;
use forewarn_label::{Comparison, ThresholdRule};
use forewarn_recurrent::{Cell, Recurrent, Settings, Trainer};
use forewarn_schema::{Kind, Schema};

/// The models that forewarn brings, fitted for one question.
pub struct StandardModels {
    /// The failure rule. Where its metric can be observed, baselines watch the same metric at the same limit; where failures come
    /// from outside (an outcome column), they watch the metric that ranks the training windows best.
    pub rule: ThresholdRule,
    /// Metrics of the raw frames.
    pub schema: Schema,
    /// The window.
    pub spec: WindowSpec,
    /// Seed of everything random.
    pub seed: u64,
    /// Who trains LSTM and GRU.
    pub trainer: Trainer,
}

impl StandardModels {
    /// Their names, in the order in which they are fitted: LSTM first and GRU last, because they take longest, and on two
    /// processors each then has one to itself for most of the time.
    pub const NAMES: [&str; 7] =
        ["lstm", "static_threshold", "rolling_mean", "trend", "logistic_snapshot", "logistic_window", "gru"];

    /// Networks whose probabilities are averaged in `lstm` and `gru`. Which weights a fit begins with moves its PR-AUC by several
    /// hundredths on a month of data; the mean of three moves less and scores more.
    pub const MEMBERS: usize = 3;

    /// The model called `name`.
    ///
    /// # Errors
    /// [`ExperimentError::UnknownModel`]; [`ExperimentError::Core`] for settings that a model refuses.
    pub fn get(&self, name: &str) -> Result<Model, ExperimentError> {
        let watched = match self.watch() {
            Watch::Metric { .. } => {
                format!("{}, against the rule's {}", self.rule.metric(), self.rule.limit())
            }
            Watch::Best => "the metric that ranks the training windows best".to_owned(),
        };
        let horizon = u32::try_from(self.spec.horizon()).unwrap_or(u32::MAX);
        Ok(match name {
            "static_threshold" => {
                let sentence = format!("last sample of {watched}");
                Model::new(name, sentence, Rows::Metrics, StaticThreshold::new(self.watch()))
            }
            "rolling_mean" => {
                let sentence = format!("mean of the last 3 samples of {watched}");
                Model::new(name, sentence, Rows::Metrics, RollingMean::new(self.watch()))
            }
            "trend" => {
                let sentence =
                    format!("line through the window, drawn on to the end of the period, of {watched}");
                Model::new(name, sentence, Rows::Metrics, Trend::new(self.watch()).with_horizon(horizon))
            }
            "logistic_snapshot" => Model::new(
                name,
                "logistic regression on the last minute",
                Rows::Features,
                LogisticRegression::new(Input::Snapshot),
            ),
            "logistic_window" => Model::new(
                name,
                "logistic regression on mean, maximum and change over the window",
                Rows::Features,
                LogisticRegression::new(Input::Aggregates),
            ),
            "lstm" => self.recurrent(name, Cell::Lstm)?,
            "gru" => self.recurrent(name, Cell::Gru)?,
            _ => {
                return Err(ExperimentError::UnknownModel {
                    name: name.to_owned(),
                    available: Self::NAMES.to_vec(),
                });
            }
        })
    }

    /// The trainer to choose where nothing else is said: libtorch, on a GPU if there is one, in a program that was built with it, and native
    /// otherwise.
    #[must_use]
    pub fn preferred_trainer() -> Trainer {
        #[cfg(feature = "libtorch")]
        return Trainer::Libtorch { device: forewarn_recurrent::Device::CudaIfAvailable };
        #[cfg(not(feature = "libtorch"))]
        Trainer::Native
    }

    fn watch(&self) -> Watch {
        let observed = |metric: &&forewarn_schema::Metric| {
            metric.name == self.rule.metric() && metric.kind != Kind::Outcome
        };
        if !self.schema.metrics().iter().any(|metric| observed(&metric)) {
            return Watch::Best;
        }
        match self.rule.comparison() {
            Comparison::AtLeast | Comparison::Above => Watch::above(self.rule.metric(), self.rule.limit()),
            Comparison::AtMost | Comparison::Below => Watch::below(self.rule.metric(), self.rule.limit()),
        }
    }

    fn recurrent(&self, name: &str, cell: Cell) -> Result<Model, ExperimentError> {
        let settings = Settings {
            cell,
            members: Self::MEMBERS,
            seed: self.seed,
            trainer: self.trainer,
            ..Settings::default()
        };
        let sentence = format!(
            "mean of {} {}s with {} units each over the window",
            settings.members,
            name.to_uppercase(),
            settings.hidden
        );
        let trainer = match self.trainer {
            Trainer::Native => "native",
            #[cfg(feature = "libtorch")]
            Trainer::Libtorch { .. } => "libtorch",
        };
        Ok(Model::new(name, sentence, Rows::Features, Recurrent::new(settings)?).trained_by(trainer))
    }
}
