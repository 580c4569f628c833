use super::{ExperimentError, Model, Rows};
use forewarn_baseline::{Input, LogisticRegression, RollingMean, StaticThreshold, Trend, Watch};
use forewarn_core::WindowSpec;
use forewarn_label::{Comparison, Rule, ThresholdRule};
use forewarn_recurrent::{Cell, Recurrent, Settings, Trainer};
use forewarn_schema::{Kind, Schema};

/// The models that forewarn brings, fitted for one question.
pub struct StandardModels {
    /// The failure rule. Where it is one metric beyond one limit, and that metric can be observed, baselines watch the same metric at the
    /// same limit; for any other rule, and for failures from outside (an outcome column), they watch the metric that ranks the
    /// training windows best.
    pub rule: Rule,
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
        let threshold = self.watched();
        let watch = || threshold.as_ref().map_or(Watch::Best, watch);
        let watched = match &threshold {
            Some(rule) => format!("{}, against the rule's {}", rule.metric(), rule.limit()),
            None => "the metric that ranks the training windows best".to_owned(),
        };
        let horizon = u32::try_from(self.spec.horizon()).unwrap_or(u32::MAX);
        Ok(match name {
            "static_threshold" => {
                let sentence = format!("last sample of {watched}");
                Model::new(name, sentence, Rows::Metrics, StaticThreshold::new(watch()))
            }
            "rolling_mean" => {
                let sentence = format!("mean of the last 3 samples of {watched}");
                Model::new(name, sentence, Rows::Metrics, RollingMean::new(watch()))
            }
            "trend" => {
                let sentence =
                    format!("line through the window, drawn on to the end of the period, of {watched}");
                Model::new(name, sentence, Rows::Metrics, Trend::new(watch()).with_horizon(horizon))
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

    /// The rule as a limit on a metric that a model may see, if it is one.
    fn watched(&self) -> Option<ThresholdRule> {
        let rule = self.rule.as_threshold()?;
        let mut metrics = self.schema.metrics().iter();
        metrics.any(|metric| metric.name == rule.metric() && metric.kind != Kind::Outcome).then_some(rule)
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

fn watch(rule: &ThresholdRule) -> Watch {
    match rule.comparison() {
        Comparison::AtLeast | Comparison::Above => Watch::above(rule.metric(), rule.limit()),
        Comparison::AtMost | Comparison::Below => Watch::below(rule.metric(), rule.limit()),
    }
}
