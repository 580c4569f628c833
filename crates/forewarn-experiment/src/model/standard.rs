use crate::{Blending, ExperimentError, Model, ModelRows};
use forewarn_baseline::{
    BoostedTrees, Control, Cusum, Direction, DoubleExponential, Ewma, FittedRule, Input, LogisticRegression,
    RollingMean, RollingZScore, SeasonalBand, StaticThreshold, TheilSen, Trend, Watch,
};
use forewarn_core::{Estimator, FailureRule, Feature as _, WindowSpec};
use forewarn_ensemble::{Calibrate, CalibrationMethod, Novelty};
use forewarn_label::{Comparison, Rule, ThresholdRule};
use forewarn_recurrent::{Cell, Output, Recurrent, Settings, Trainer};
use forewarn_schema::{Kind, Schema};
use forewarn_window::Features;

/// The models that forewarn brings, fitted for one question.
pub struct StandardModels {
    /// The failure rule. Where it is one metric beyond one limit, and that metric can be observed, baselines watch
    /// the same metric at the same limit; for any other rule, and for failures from outside (an outcome column), they
    /// watch the metric that ranks the training windows best.
    pub rule: Rule,
    /// Metrics of the raw frames.
    pub schema: Schema,
    /// The window.
    pub spec: WindowSpec,
    /// Seed of everything random.
    pub seed: u64,
    /// Who trains LSTM and GRU.
    pub trainer: Trainer,
    /// Networks of different seeds whose probabilities are averaged in each of `lstm`, `gru` and their variants;
    /// [`MEMBERS`](Self::MEMBERS) unless there is a reason. A fit takes as many times as long.
    pub members: usize,
}

impl StandardModels {
    /// Their names, in the order in which they are fitted: the GRU first, because it takes longest. The last one is
    /// `auto`, which weighs the five before the rules.
    pub const NAMES: [&str; 9] = [
        "gru",
        "boosted_trees_wide",
        "boosted_trees",
        "logistic_wide",
        "logistic_window",
        "static_threshold",
        "rolling_mean",
        "trend",
        "auto",
    ];

    /// More models, for those who ask for them by name: controls that anything must beat, further rules, and
    /// variants. `lstm_running` and `gru_running` are `lstm` and `gru`, which the experiment has to fit too, served
    /// by states that run on.
    pub const FURTHER: [&str; 22] = [
        "prevalence",
        "service_rate",
        "persistence",
        "poisson_warnings",
        "periodic_warnings",
        "ewma",
        "rolling_z_score",
        "cusum",
        "theil_sen",
        "double_exponential",
        "seasonal_band",
        "novelty",
        "logistic_snapshot",
        "logistic_tuned",
        "boosted_trees_calibrated",
        "lstm",
        "lstm_hazard",
        "gru_hazard",
        "lstm_running",
        "gru_running",
        "ensemble",
        "ensemble_stacked",
    ];

    /// Models that `ensemble` and `ensemble_stacked` blend; the experiment has to fit them too.
    pub const ENSEMBLE: [&str; 2] = ["boosted_trees", "lstm"];

    /// Models that `auto` weighs by walk-forward folds; the experiment has to fit them too. An LSTM is not among
    /// them: it costs what a GRU costs, and ranks windows as well.
    pub const AUTO: [&str; 5] =
        ["gru", "boosted_trees_wide", "boosted_trees", "logistic_wide", "logistic_window"];

    /// Inverse strengths of the penalty that `logistic_tuned` chooses from on validation.
    pub const STRENGTHS: [f64; 6] = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0];

    /// The same of `logistic_wide`.
    pub const WIDE_STRENGTHS: [f64; 3] = [1e-4, 1e-3, 1e-2];

    /// A good number of [`members`](Self::members). Which weights a fit begins with moves its PR-AUC by several
    /// hundredths on a month of data; the mean of three moves less and scores more.
    pub const MEMBERS: usize = 3;

    /// Models for the default window, with seed 7, the fastest trainer of this machine and [`MEMBERS`](Self::MEMBERS)
    /// networks.
    #[must_use]
    pub fn new(rule: Rule, schema: Schema) -> Self {
        Self {
            rule,
            schema,
            spec: WindowSpec::default(),
            seed: 7,
            trainer: Trainer::fastest(),
            members: Self::MEMBERS,
        }
    }

    /// The model called `name`.
    ///
    /// # Errors
    /// [`ExperimentError::UnknownModel`]; [`ExperimentError::NothingToWatch`] for `persistence` of a failure that no
    /// metric shows; [`ExperimentError::Core`] for settings that a model refuses.
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
                a_rule(name, sentence, StaticThreshold::new(watch()))
            }
            "rolling_mean" => {
                let sentence = format!("mean of the last 3 samples of {watched}");
                a_rule(name, sentence, RollingMean::new(watch()))
            }
            "trend" => {
                let sentence =
                    format!("line through the window, drawn on to the end of the period, of {watched}");
                a_rule(name, sentence, Trend::new(watch()).with_horizon(horizon))
            }
            "logistic_snapshot" => a_line(
                name,
                "logistic regression on the last minute",
                LogisticRegression::new(Input::Snapshot),
            ),
            "logistic_window" => a_line(
                name,
                "logistic regression on mean, maximum and change over the window",
                LogisticRegression::new(Input::Aggregates),
            ),
            "boosted_trees" => {
                let sentence = "gradient-boosted trees on every minute, mean, deviation, range and changes";
                let trees = self.trees();
                let quick = quick(&trees);
                let trees = move |threads| trees.clone().with_threads(threads);
                Model::on_threads(name, sentence, ModelRows::Features, trees)
                    .with_quick(0.5, move |threads| quick.clone().with_threads(threads))
            }
            "lstm" => self.recurrent(name, Cell::Lstm, Output::Probability)?,
            "gru" => self.recurrent(name, Cell::Gru, Output::Probability)?,
            "lstm_hazard" => self.recurrent(name, Cell::Lstm, Output::Hazard)?,
            "gru_hazard" => self.recurrent(name, Cell::Gru, Output::Hazard)?,
            "persistence" if threshold.is_none() => {
                return Err(ExperimentError::NothingToWatch {
                    name: name.to_owned(),
                    rule: self.rule.describe(),
                });
            }
            _ => {
                return self.further(name, &watched, watch(), threshold.as_ref()).ok_or_else(|| {
                    let available = Self::NAMES.iter().chain(&Self::FURTHER).copied().collect();
                    ExperimentError::UnknownModel { name: name.to_owned(), available }
                });
            }
        })
    }

    /// One of [`FURTHER`](Self::FURTHER).
    fn further(
        &self,
        name: &str,
        watched: &str,
        watch: Watch,
        rule: Option<&ThresholdRule>,
    ) -> Option<Model> {
        let horizon = u32::try_from(self.spec.horizon()).unwrap_or(u32::MAX);
        let control =
            |sentence: &str, control: Control| Some(Model::new(name, sentence, ModelRows::Context, control));
        // Rules whose unit is deviations know no limit in the metric's own: they watch the metric at a usual number
        // of deviations.
        let deviations = |most: f32| match rule {
            Some(rule) if direction(rule) == Direction::Below => Watch::below(rule.metric(), -most),
            Some(rule) => Watch::above(rule.metric(), most),
            None => Watch::Best,
        };
        match name {
            "prevalence" => control("the share of positive training windows, always", Control::Prevalence),
            "service_rate" => {
                control("the share of positive training windows of the same service", Control::ServiceRate)
            }
            "persistence" => {
                let rule = rule?;
                let (metric, threshold, direction) =
                    (rule.metric().to_owned(), rule.limit(), direction(rule));
                let sentence = format!("how long ago in the window was {watched}");
                control(&sentence, Control::Persistence { metric, threshold, direction })
            }
            // One warning in two hours, as long as a prediction period.
            "poisson_warnings" => {
                let seed = self.seed;
                control(
                    "warnings at random moments, 12 a day",
                    Control::Poisson { rate: 1.0 / 120.0, steps: horizon, seed },
                )
            }
            "periodic_warnings" => {
                control("a warning every 120 steps", Control::Periodic { every: 120, steps: horizon })
            }
            "ewma" => {
                let sentence = format!("exponentially weighted mean of {watched}");
                Some(a_rule(name, sentence, Ewma::new(watch)))
            }
            "rolling_z_score" => {
                let sentence = format!("last 3 samples against those before of {watched}");
                Some(a_rule(name, sentence, RollingZScore::new(deviations(3.0))))
            }
            "cusum" => {
                let sentence = format!("cumulative sum of {watched}");
                Some(a_rule(name, sentence, Cusum::new(deviations(5.0))))
            }
            "theil_sen" => {
                let sentence = format!("median line, drawn on to the end of the period, of {watched}");
                Some(a_rule(name, sentence, TheilSen::new(watch).with_horizon(horizon)))
            }
            "double_exponential" => {
                let sentence =
                    format!("double exponential smoothing, drawn on to the end of the period, of {watched}");
                Some(a_rule(name, sentence, DoubleExponential::new(watch).with_horizon(horizon)))
            }
            "seasonal_band" => {
                let sentence = format!("distance from normal at this time of day of {watched}");
                let band = SeasonalBand::new(deviations(3.0));
                Some(Model::new(name, sentence, ModelRows::Context, band))
            }
            "novelty" => Some(Model::new(
                name,
                "distance from the training windows, without labels",
                ModelRows::Features,
                Novelty,
            )),
            "logistic_tuned" => Some(a_line(
                name,
                "logistic regression on the last minute, penalty chosen on validation",
                LogisticRegression::new(Input::Snapshot).with_c_from_validation(&Self::STRENGTHS),
            )),
            "boosted_trees_calibrated" => {
                let sentence = "boosted trees, calibrated by Platt's method on validation";
                let trees = self.trees();
                let calibrated = move |threads| {
                    Calibrate::new(trees.clone().with_threads(threads), CalibrationMethod::Platt)
                };
                Some(Model::on_threads(name, sentence, ModelRows::Features, calibrated))
            }
            "lstm_running" => Some(Model::running(name, "lstm")),
            "gru_running" => Some(Model::running(name, "gru")),
            "boosted_trees_wide" => {
                let sentence = "boosted trees on the window, failures so far, hours before, other services";
                // What looks back by itself stands behind the usual features.
                let usual = Features::default().outputs(&self.schema).unwrap_or_default();
                let usual: Vec<String> = usual.into_iter().map(|metric| metric.name).collect();
                // Columns are many and alike: a quarter of them for each tree costs less and ranks no worse.
                let trees = self.trees().with_views_of(usual).with_shares(0.5, 0.25);
                let quick = quick(&trees);
                let trees = move |threads| trees.clone().with_threads(threads);
                let model = Model::on_threads(name, sentence, ModelRows::Wide, trees);
                Some(model.with_quick(0.5, move |threads| quick.clone().with_threads(threads)))
            }
            "logistic_wide" => {
                let sentence =
                    "logistic regression on the last minute, failures so far, hours before, other services";
                let line = LogisticRegression::new(Input::Snapshot).with_early_end();
                let line = line.with_c_from_validation(&Self::WIDE_STRENGTHS);
                Some(Model::new(name, sentence, ModelRows::Wide, line))
            }
            "auto" => Some(Model::blend(name, Self::AUTO, Blending::Folds)),
            "ensemble" => Some(Model::blend(name, Self::ENSEMBLE, Blending::Average)),
            "ensemble_stacked" => Some(Model::blend(name, Self::ENSEMBLE, Blending::Stacked)),
            _ => None,
        }
    }

    fn trees(&self) -> BoostedTrees {
        BoostedTrees::default().with_seed(self.seed)
    }

    /// The rule as a limit on a metric that a model may see, if it is one.
    fn watched(&self) -> Option<ThresholdRule> {
        let rule = self.rule.as_threshold()?;
        let mut metrics = self.schema.metrics().iter();
        metrics.any(|metric| metric.name == rule.metric() && metric.kind != Kind::Outcome).then_some(rule)
    }

    fn recurrent(&self, name: &str, cell: Cell, output: Output) -> Result<Model, ExperimentError> {
        let settings = Settings {
            cell,
            output,
            members: self.members,
            seed: self.seed,
            trainer: self.trainer,
            ..Settings::default()
        };
        let says =
            if output == Output::Hazard { ", with a probability for each minute of the period" } else { "" };
        let sentence = format!(
            "mean of {} {cell}s with {} units each over the window{says}",
            settings.members, settings.hidden
        );
        let trainer = self.trainer.name();
        Ok(Model::recurrent(name, sentence, ModelRows::Features, Recurrent::new(settings)?)
            .with_trainer(trainer))
    }
}

/// The same trees at less cost: no large ones, by steps that are a little larger. Steps of 0.1 end on validation
/// after so few trees that they rank worse.
fn quick(trees: &BoostedTrees) -> BoostedTrees {
    trees.clone().with_leaves(&[4, 8]).with_learning_rate(0.07).with_trees(1000, 60)
}

/// A rule on one metric as it was measured.
fn a_rule(name: &str, sentence: String, rule: impl Estimator<Fitted = FittedRule> + 'static) -> Model {
    Model::new(name, sentence, ModelRows::Metrics, rule)
}

/// A line through features.
fn a_line(name: &str, sentence: &str, line: LogisticRegression) -> Model {
    Model::new(name, sentence, ModelRows::Features, line)
}

fn watch(rule: &ThresholdRule) -> Watch {
    match direction(rule) {
        Direction::Above => Watch::above(rule.metric(), rule.limit()),
        Direction::Below => Watch::below(rule.metric(), rule.limit()),
    }
}

fn direction(rule: &ThresholdRule) -> Direction {
    match rule.comparison() {
        // A metric that should have one value, or should not, has no side: the rule itself is still what is predicted.
        Comparison::AtLeast | Comparison::Above | Comparison::Equal | Comparison::NotEqual => {
            Direction::Above
        }
        Comparison::AtMost | Comparison::Below => Direction::Below,
    }
}
