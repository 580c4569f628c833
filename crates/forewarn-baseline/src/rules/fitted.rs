use super::{
    Direction, Watch, Watched,
    severity::Platt,
    statistic::{Plan, Statistic},
};
use forewarn_core::{
    Attribution, Contribution, CoreError, Envelope, Evidence, Explain, FitProgress, LabelledWindows,
    ModelFileError, Monitor, Predictor, Save, Score, Tensor, WindowSpec, Windows,
};
use forewarn_schema::{Kind, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Least difference in log-odds between the two sides of a threshold.
const LEAST_GAP: f64 = 0.01;

/// A fitted rule, such as [`StaticThreshold`](crate::StaticThreshold), [`Trend`](crate::Trend) or
/// [`Cusum`](crate::Cusum): one statistic of one metric, and the probability that goes with it.
///
/// A window with the worse statistic never has the lower score; statistics closer than about a millionth of their
/// standard deviation can share one, because scores are `f32`. Windows without a sample that the statistic needs
/// score the share of positive training windows.
///
/// Scoring takes `O(observation)` time a window and no memory.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedRule {
    schema: Schema,
    observation: usize,
    statistic: Statistic,
    watched: Watched,
    prevalence: Score,
    calibrator: Calibrator,
}

/// What saved rules are called.
pub(crate) const KINDS: [&str; 9] = [
    "static_threshold",
    "rolling_mean",
    "trend",
    "theil_sen",
    "double_exponential",
    "ewma",
    "rolling_z_score",
    "cusum",
    "seasonal_band",
];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Calibrator {
    /// One score on either side of the threshold.
    Sides { calm: Score, alarming: Score },
    /// A score that rises with the statistic.
    Curve(Platt),
}

/// Makes an [`Estimator`](forewarn_core::Estimator) of a type with a field `watch: Watch`: what is to be said of its
/// fit, the type, and the statistic that its settings ask for.
macro_rules! rule {
    ($(#[doc = $doc:expr])* $rule:ident, $plan:expr) => {
        impl forewarn_core::Estimator for $rule {
            type Fitted = crate::FittedRule;

            $(#[doc = $doc])*
            fn fit(
                &self,
                train: forewarn_core::Train<forewarn_core::LabelledWindows<'_>>,
                _: forewarn_core::Validation<forewarn_core::LabelledWindows<'_>>,
                monitor: &mut dyn forewarn_core::Monitor,
            ) -> Result<Self::Fitted, forewarn_core::CoreError> {
                let plan: fn(&Self) -> Plan = $plan;
                crate::FittedRule::fit(&self.watch, &plan(self), *train, monitor)
            }
        }
    };
}
pub(crate) use rule;

impl FittedRule {
    pub(crate) fn fit(
        watch: &Watch,
        plan: &Plan,
        train: LabelledWindows<'_>,
        monitor: &mut dyn Monitor,
    ) -> Result<Self, CoreError> {
        train.expect_both_classes("train")?;
        train.expect_unweighted("a rule on one statistic")?;
        plan.check(train.windows().observation())?;
        let resolved = watch.resolve(plan, train)?;
        let (watched, positive) = (resolved.watched, train.positive());
        let mut severities = resolved.statistics;
        for statistic in &mut severities {
            *statistic = watched.direction.severity(*statistic);
        }
        let calibrator = match resolved.statistic {
            Statistic::Last => sides(watched.direction.severity(watched.threshold), &severities, positive)?,
            _ => Calibrator::Curve(Platt::fit(&severities, positive)),
        };
        let prevalence = Score::new((train.positives() as f64 / positive.len() as f64) as f32)?;
        let measures = [("train_pr_auc", resolved.average_precision)];
        monitor.report(FitProgress { iteration: 1, max_iterations: 1, measures: &measures });
        let windows = train.windows();
        let (schema, observation) = (windows.schema().clone(), windows.observation());
        Ok(Self { schema, observation, statistic: resolved.statistic, watched, prevalence, calibrator })
    }

    /// The metric, direction and threshold, as given or as chosen on the training windows.
    #[must_use]
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    /// The score of a window whose statistic lies exactly at the threshold. An alarm at this score or above is the
    /// rule as an operator would write it, such as `mean error rate of 3 minutes >= 5 %`.
    ///
    /// # Errors
    /// None for a rule that was fitted or read.
    pub fn alarm_score(&self) -> Result<Score, CoreError> {
        self.score_of(self.watched.threshold)
    }

    /// The score that a statistic gets; NaN stands for a missing one.
    fn score_of(&self, statistic: f32) -> Result<Score, CoreError> {
        if statistic.is_nan() {
            return Ok(self.prevalence);
        }
        let severity = self.watched.direction.severity(statistic);
        match &self.calibrator {
            Calibrator::Sides { calm, alarming } => {
                let reached = severity >= self.watched.direction.severity(self.watched.threshold);
                Ok(if reached { *alarming } else { *calm })
            }
            Calibrator::Curve(platt) => platt.score(severity),
        }
    }

    /// What the rule compares with its threshold, in the unit of the metric: for [`Trend`](crate::Trend) the number that
    /// `predict_linear` of `PromQL` gives. `None` where the samples that it needs are missing.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a window of another shape.
    pub fn statistic(&self, window: &[f32]) -> Result<Option<f32>, CoreError> {
        self.expect_window(window)?;
        let value = self.statistic.of(window, self.schema.len(), self.watched.column);
        Ok(Some(value).filter(|value| !value.is_nan()))
    }

    /// Steps until the metric crosses the threshold as it is heading, for a rule that looks ahead: 0 where it is
    /// beyond it already, `None` where it is not heading there, cannot be told, or the rule does not look ahead.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a window of another shape.
    pub fn steps_to_threshold(&self, window: &[f32]) -> Result<Option<f64>, CoreError> {
        self.expect_window(window)?;
        let course = self.statistic.course(window, self.schema.len(), self.watched.column);
        let sign = f64::from(self.watched.direction.severity(1.0));
        Ok(course.and_then(|(now, slope)| {
            let rest = sign * (f64::from(self.watched.threshold) - now);
            let steps = if rest <= 0.0 { 0.0 } else { rest / (sign * slope).max(0.0) };
            steps.is_finite().then_some(steps)
        }))
    }

    /// What a saved rule is called.
    fn kind(&self) -> &'static str {
        match self.statistic {
            Statistic::Last => "static_threshold",
            Statistic::Mean { .. } => "rolling_mean",
            Statistic::Line { .. } => "trend",
            Statistic::TheilSen { .. } => "theil_sen",
            Statistic::Holt { .. } => "double_exponential",
            Statistic::Ewma { .. } => "ewma",
            Statistic::ZScore { .. } => "rolling_z_score",
            Statistic::Cusum { .. } => "cusum",
            Statistic::Band(_) => "seasonal_band",
        }
    }

    /// The rule that [`to_envelope`](Save::to_envelope) saved; its scores are identical.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`], [`ModelFileError::NotAModel`] for parameters that no fit makes,
    /// [`CoreError::Schema`] for a metric that the schema lacks, [`ModelFileError::MissingTensor`],
    /// [`ModelFileError::TensorShape`], [`CoreError::NotFinite`], [`CoreError::InvalidScore`].
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        let refuse = |reason: String| ModelFileError::not_a_model(reason);
        if !KINDS.contains(&envelope.kind.as_str()) {
            let expected = KINDS.join(", ");
            return Err(ModelFileError::WrongKind { expected, got: envelope.kind });
        }
        let parameters: Parameters = envelope.take_parameters()?;
        let column = envelope.schema.index_of(&parameters.metric)?;
        if envelope.schema.metrics()[column].kind == Kind::Outcome {
            return Err(refuse(format!("it watches the outcome {:?}", parameters.metric)));
        }
        let calibrator = match parameters.statistic {
            Statistic::Last => {
                let values = envelope.take_tensor("sides", &[2])?;
                let (calm, alarming) = (Score::new(values[0])?, Score::new(values[1])?);
                if alarming < calm {
                    return Err(refuse("the score beyond the threshold is the lower one".to_owned()));
                }
                Calibrator::Sides { calm, alarming }
            }
            _ => {
                let values = envelope.take_tensor("curve", &[4])?;
                let platt =
                    Platt { mean: values[0], scale: values[1], slope: values[2], intercept: values[3] };
                if !platt.is_valid() {
                    return Err(refuse(format!("its curve does not rise: {platt:?}")));
                }
                Calibrator::Curve(platt)
            }
        };
        let observation = envelope.window.observation();
        if !parameters.statistic.is_valid(observation, envelope.schema.len()) {
            let statistic = parameters.statistic;
            return Err(refuse(format!("no fit on windows of {observation} rows makes {statistic:?}")));
        }
        let prevalence = Score::new(envelope.take_tensor("prevalence", &[1])?[0])?;
        let threshold = envelope.take_tensor("threshold", &[1])?[0];
        let rule = Self {
            schema: envelope.schema,
            observation,
            statistic: parameters.statistic,
            watched: Watched {
                metric: parameters.metric,
                column,
                direction: parameters.direction,
                threshold,
            },
            prevalence,
            calibrator,
        };
        if rule.kind() != envelope.kind {
            return Err(ModelFileError::WrongKind { expected: rule.kind().to_owned(), got: envelope.kind });
        }
        Ok(rule)
    }
}

impl Save for FittedRule {
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let settings = Parameters {
            metric: self.watched.metric.clone(),
            direction: self.watched.direction,
            statistic: self.statistic.clone(),
        };
        let (name, values) = match &self.calibrator {
            Calibrator::Sides { calm, alarming } => ("sides", vec![calm.get(), alarming.get()]),
            Calibrator::Curve(platt) => {
                ("curve", vec![platt.mean, platt.scale, platt.slope, platt.intercept])
            }
        };
        let tensors = BTreeMap::from([
            (name.to_owned(), Tensor::new(vec![values.len()], values)?),
            ("prevalence".to_owned(), Tensor::new(vec![1], vec![self.prevalence.get()])?),
            ("threshold".to_owned(), Tensor::new(vec![1], vec![self.watched.threshold])?),
        ]);
        let envelope = Envelope::new(self.kind(), self.schema.clone(), window).with_parameters(&settings)?;
        Ok(Envelope { tensors, ..envelope })
    }
}

impl Predictor for FittedRule {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn as_save(&self) -> Option<&dyn Save> {
        Some(self)
    }

    fn evidence(&self, window: &[f32]) -> Result<Option<Evidence>, CoreError> {
        self.explain(window).map(Some)
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        let width = self.schema.len();
        for (window, score) in windows.iter().zip(scores) {
            *score = self.score_of(self.statistic.of(window, width, self.watched.column))?;
        }
        Ok(())
    }
}

impl Explain for FittedRule {
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        let score = self.score_one(window)?;
        let value = self.statistic.of(window, self.schema.len(), self.watched.column);
        let (view, oldest_steps_ago) = self.statistic.describe(self.observation);
        let normal = match &self.calibrator {
            Calibrator::Sides { .. } => None,
            Calibrator::Curve(curve) => Some((self.watched.direction.severity(curve.mean), curve.scale)),
        };
        let base = self.prevalence.log_odds();
        let contribution = Contribution {
            metric: self.watched.metric.clone(),
            view,
            oldest_steps_ago,
            newest_steps_ago: 0,
            value: Some(value).filter(|value| !value.is_nan()),
            normal: normal.map(|(mean, _)| mean),
            deviation: normal.map(|(_, deviation)| deviation),
            log_odds: score.log_odds() - base,
        };
        Evidence::new(score, Attribution::Rule, base, vec![contribution])
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    metric: String,
    direction: Direction,
    statistic: Statistic,
}

/// The share of positive windows on either side of the threshold, by Laplace's rule of succession. Where the alarming
/// side has the smaller share, or as good as the same, both are pooled (the most likely pair that does not fall) and
/// set [`LEAST_GAP`] apart, so that the order remains.
fn sides(threshold: f32, severities: &[f32], positive: &[bool]) -> Result<Calibrator, CoreError> {
    let share = |positives: usize, windows: usize| (positives as f64 + 1.0) / (windows as f64 + 2.0);
    let count = |alarming: bool| {
        let side =
            || severities.iter().zip(positive).filter(|(s, _)| !s.is_nan() && (**s >= threshold) == alarming);
        (side().filter(|&(_, &label)| label).count(), side().count())
    };
    let (calm, alarming) = (count(false), count(true));
    let logit = |share: f64| (share / (1.0 - share)).ln();
    let (mut low, mut high) = (logit(share(calm.0, calm.1)), logit(share(alarming.0, alarming.1)));
    if high < low + LEAST_GAP {
        let pooled = logit(share(calm.0 + alarming.0, calm.1 + alarming.1));
        (low, high) = (pooled - LEAST_GAP / 2.0, pooled + LEAST_GAP / 2.0);
    }
    Ok(Calibrator::Sides { calm: Score::from_logit(low)?, alarming: Score::from_logit(high)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_shares_that_rise() {
        let severities: Vec<f32> = (0..10u8).map(f32::from).collect();
        let positive: Vec<bool> = (0..10).map(|i| i == 2 || i >= 8).collect();
        let Calibrator::Sides { calm, alarming } = sides(7.0, &severities, &positive).unwrap() else {
            panic!("sides make sides")
        };
        // Below 7: 1 of 7; from 7 on: 2 of 3.
        assert!((calm.get() - 2.0 / 9.0).abs() < 1e-6 && (alarming.get() - 3.0 / 5.0).abs() < 1e-6);
        let reversed: Vec<bool> = (0..10).map(|i| i < 3).collect();
        let Calibrator::Sides { calm, alarming } = sides(7.0, &severities, &reversed).unwrap() else {
            panic!("sides make sides")
        };
        // Pooled: 3 of 10.
        assert!(calm < alarming && alarming.get() - calm.get() < 0.003);
        assert!((f64::from(calm.get() + alarming.get()) / 2.0 - 4.0 / 12.0).abs() < 1e-4);
    }
}
