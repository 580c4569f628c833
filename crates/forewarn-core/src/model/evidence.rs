use crate::{CoreError, Predictor, Score, sigmoid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far the log-odds of evidence may be from its score, as a probability: the rounding of an `f32` and of a sum.
const ROUNDING: f64 = 1e-5;

/// Why a score is what it is: how its log-odds come from those of a window of which nothing is known, part by part.
///
/// `base_log_odds` and the contributions add up to `log_odds`, and the logistic function of that is the score;
/// [`Evidence::new`] and reading refuse anything else. The serialised form is stable: fields are added, never
/// renamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Evidence {
    score: Score,
    attribution: Attribution,
    base_log_odds: f64,
    log_odds: f64,
    contributions: Vec<Contribution>,
}

#[derive(Deserialize)]
struct Parts {
    score: Score,
    attribution: Attribution,
    base_log_odds: f64,
    contributions: Vec<Contribution>,
}

impl TryFrom<Parts> for Evidence {
    type Error = CoreError;

    fn try_from(parts: Parts) -> Result<Self, CoreError> {
        Self::new(parts.score, parts.attribution, parts.base_log_odds, parts.contributions)
    }
}

/// By which rule a score was shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Attribution {
    /// Coefficient times distance from the training mean: exact, and the Shapley values of independent terms.
    Linear,
    /// Shapley values of trees, exact for what training rows say of an unknown column.
    TreeShap,
    /// A rule looks at one metric, which bears all.
    Rule,
    /// Parts of the window were replaced by what is normal, one after another in several orders, and each bears what
    /// its replacement changed, on average.
    Occlusion,
    /// Evidence of several models, or of one behind a calibration, put together.
    Combined,
}

/// What one part of a window did to the log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Feature that the part is of.
    pub metric: String,
    /// What is looked at, in words, such as `"last"`, `"mean"` or `"change over 4 steps"`.
    pub view: String,
    /// First row that was looked at, in steps before the last row of the window.
    pub oldest_steps_ago: u32,
    /// Last row that was looked at, in steps before the last row of the window.
    pub newest_steps_ago: u32,
    /// What was seen; `None` where it is missing.
    pub value: Option<f32>,
    /// What is normal: the mean over training windows, if the model knows it.
    pub normal: Option<f32>,
    /// How far apart training windows are: their standard deviation, if the model knows it.
    pub deviation: Option<f32>,
    /// What it adds to the log-odds of a failure; negative where it speaks against one.
    pub log_odds: f64,
}

impl Contribution {
    /// Distance of the value from normal, in deviations; `None` where one of them is not known or nothing ever
    /// deviated.
    #[must_use]
    pub fn deviations(&self) -> Option<f32> {
        let (value, normal, deviation) = (self.value?, self.normal?, self.deviation?);
        (deviation > 0.0).then(|| (value - normal) / deviation)
    }
}

impl Evidence {
    /// Evidence from its parts, which are put in order: what moved the score most comes first, and equals stay as
    /// they were.
    ///
    /// # Errors
    /// [`CoreError::EvidenceSum`] unless base and contributions add up to the score.
    pub fn new(
        score: Score,
        attribution: Attribution,
        base_log_odds: f64,
        mut contributions: Vec<Contribution>,
    ) -> Result<Self, CoreError> {
        contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        // In this order, so that reading adds up to the same bits.
        let log_odds = base_log_odds + contributions.iter().map(|part| part.log_odds).sum::<f64>();
        let sum = sigmoid(log_odds);
        let adds_up = (sum - f64::from(score.get())).abs() <= ROUNDING;
        if !adds_up {
            return Err(CoreError::EvidenceSum { sum, score: score.get() });
        }
        Ok(Self { score, attribution, base_log_odds, log_odds, contributions })
    }

    /// The score that is explained.
    #[must_use]
    pub fn score(&self) -> Score {
        self.score
    }

    /// By which rule.
    #[must_use]
    pub fn attribution(&self) -> Attribution {
        self.attribution
    }

    /// The log-odds of a window of which nothing is known.
    #[must_use]
    pub fn base_log_odds(&self) -> f64 {
        self.base_log_odds
    }

    /// The log-odds of the score: base and contributions, added up.
    #[must_use]
    pub fn log_odds(&self) -> f64 {
        self.log_odds
    }

    /// The parts, the most moving first.
    #[must_use]
    pub fn contributions(&self) -> &[Contribution] {
        &self.contributions
    }

    /// The contributions of each metric added up, the most moving first.
    #[must_use]
    pub fn by_metric(&self) -> Vec<(&str, f64)> {
        let mut sums: Vec<(&str, f64)> = Vec::new();
        for part in &self.contributions {
            match sums.iter_mut().find(|(metric, _)| *metric == part.metric) {
                Some((_, sum)) => *sum += part.log_odds,
                None => sums.push((&part.metric, part.log_odds)),
            }
        }
        sums.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        sums
    }
}

/// The five parts that moved the score most, a line each.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |log_odds: f64| 100.0 * sigmoid(log_odds);
        write!(f, "{:.2} %, where {:.2} % is usual", percent(self.log_odds), percent(self.base_log_odds))?;
        for part in self.contributions.iter().take(5) {
            let Contribution { metric, view, value, log_odds, .. } = part;
            write!(f, "\n  {log_odds:+.2}  {metric}, {view}: ")?;
            match value {
                Some(value) => write!(f, "{}", Short(*value))?,
                None => write!(f, "missing")?,
            }
            if let Some(normal) = part.normal {
                write!(f, ", normally {}", Short(normal))?;
            }
            if let Some(deviations) = part.deviations() {
                write!(f, " ({deviations:+.1} deviations)")?;
            }
        }
        Ok(())
    }
}

/// A number with about three digits that tell.
struct Short(f32);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        match value.abs() {
            size if size >= 100.0 => write!(f, "{value:.0}"),
            size if size >= 1.0 || size == 0.0 => write!(f, "{value:.2}"),
            size if size >= 0.001 => write!(f, "{value:.4}"),
            _ => write!(f, "{value:.2e}"),
        }
    }
}

/// A predictor that can say why.
pub trait Explain: Predictor {
    /// The evidence for the score of one window, row-major `[observation, feature]`. Its score equals that of
    /// [`Predictor::score`], bit for bit.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a window of another shape, and the errors of [`Predictor::score`].
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError>;
}

impl<P: Explain + ?Sized> Explain for Box<P> {
    fn explain(&self, window: &[f32]) -> Result<Evidence, CoreError> {
        (**self).explain(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(metric: &str, log_odds: f64) -> Contribution {
        Contribution {
            metric: metric.into(),
            view: "last".into(),
            oldest_steps_ago: 0,
            newest_steps_ago: 0,
            value: Some(3.0),
            normal: Some(1.0),
            deviation: Some(0.5),
            log_odds,
        }
    }

    fn evidence() -> Evidence {
        let parts = vec![part("a", 0.5), part("b", -2.0), part("a", 1.0)];
        Evidence::new(Score::from_logit(-1.5).unwrap(), Attribution::Linear, -1.0, parts).unwrap()
    }

    #[test]
    fn parts_are_in_order_and_add_up() {
        let evidence = evidence();
        let order: Vec<f64> = evidence.contributions().iter().map(|part| part.log_odds).collect();
        assert_eq!(order, [-2.0, 1.0, 0.5]);
        assert_eq!(evidence.by_metric(), [("b", -2.0), ("a", 1.5)]);
        assert_eq!(evidence.log_odds(), -1.5);
        assert_eq!(evidence.contributions()[0].deviations(), Some(4.0));
        let wrong = Evidence::new(Score::ONE, Attribution::Linear, -1.0, vec![part("a", 0.5)]);
        assert!(matches!(wrong, Err(CoreError::EvidenceSum { .. })));
        assert!(Evidence::new(Score::ONE, Attribution::Linear, f64::NAN, Vec::new()).is_err());
    }

    #[test]
    fn the_form_is_stable_and_checked() {
        let text = serde_json::to_string(&evidence()).unwrap();
        assert!(text.starts_with(concat!(
            r#"{"score":0.18242553,"attribution":"linear","base_log_odds":-1.0,"log_odds":-1.5,"contributions":["#,
            r#"{"metric":"b","view":"last","oldest_steps_ago":0,"newest_steps_ago":0,"value":3.0,"normal":1.0,"deviation":0.5,"log_odds":-2.0}"#
        )));
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence());
        assert!(serde_json::from_str::<Evidence>(&text.replace("-2.0", "2.0")).is_err());
        let with_more = text.replacen('{', r#"{"later_field":1,"#, 1);
        assert!(serde_json::from_str::<Evidence>(&with_more).is_ok());
    }

    #[test]
    fn it_reads_well() {
        let text = evidence().to_string();
        assert!(
            text.starts_with(
                "18.24 %, where 26.89 % is usual\n  -2.00  b, last: 3.00, normally 1.00 (+4.0 deviations)\n"
            ),
            "{text}"
        );
    }
}
