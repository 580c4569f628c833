use super::ProbableKind;
use crate::{LiveError, ServedModel};
use forewarn_core::BudgetSettings;
use forewarn_label::{Rule, Slo};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How an engine closes minutes, raises warnings and keeps its budget.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `settle_secs` | seconds after the end of a minute for which its samples are waited for | 60 | 0 to 3,600 |
/// | `ahead_minutes` | minutes after the caller's clock beyond which a sample is refused | 60 | 1 to 1,440 |
/// | `expire_minutes` | minutes of silence after which a service is forgotten | 1,440 | 1 to 525,600 |
/// | `most_services` | services that are kept; those beyond are refused and counted | 1,000,000 | 1 to 10,000,000 |
/// | `most_samples` | samples of a service in a minute; more are refused and counted | 10,000 | 1 to 1,000,000 |
/// | `most_name_bytes` | bytes of a service's name; longer ones are refused and counted | 1,024 | 1 to 65,536 |
/// | `lead_delay_secs` | seconds from a warning to a person who can act, taken off net lead | 60 | 0 to 3,600 |
/// | `incident_minutes` | minutes within which warnings of linked services are one incident | 10 | 1 to 1,440 |
/// | `incident_calls` | calls in a row over which services are linked | 3 | 1 to 100 |
/// | `far_factor` | times beyond all of training at which a metric is [far](crate::ServedModel::far_from_training) | 10 | above 1 |
/// | `budget` | how many false alarms are accepted, and how they are held to | see [`BudgetSettings`] | |
/// | `rule` | what counts as failing | that of the main model's file | |
/// | `slos` | service level objectives, at most 1,000: see [`Slo`] | none | |
/// | `recommendations` | what may help, before what the engine says itself; the first that fits | none | |
///
/// It is checked when an [`Engine`](crate::Engine) is built of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Seconds after the end of a minute for which its samples are waited for.
    pub settle_secs: u32,
    /// Minutes after the caller's clock beyond which a sample is refused.
    pub ahead_minutes: u32,
    /// Minutes of silence after which a service is forgotten.
    pub expire_minutes: u32,
    /// Services that are kept.
    pub most_services: usize,
    /// Samples of a service in a minute.
    pub most_samples: usize,
    /// Bytes of a service's name.
    pub most_name_bytes: usize,
    /// Seconds between a warning and a person who can act on it.
    pub lead_delay_secs: u32,
    /// Minutes within which warnings of linked services are one incident.
    pub incident_minutes: u32,
    /// Calls in a row over which services are linked.
    pub incident_calls: u32,
    /// How many times beyond all of training a metric is far from it.
    pub far_factor: f32,
    /// How many false alarms are accepted.
    pub budget: BudgetSettings,
    /// What counts as failing; that of the main model's file unless set.
    pub rule: Option<Rule>,
    /// Service level objectives: budgets left and burn rates in the [view](crate::EngineView), events when one begins
    /// or ends to be violated.
    pub slos: Vec<Slo>,
    /// What may help.
    pub recommendations: Vec<RecommendationRule>,
}

/// What may help against some warnings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecommendationRule {
    /// For warnings of this kind; of every kind unless set.
    #[serde(default)]
    pub kind: Option<ProbableKind>,
    /// For warnings of this service; of every service unless set.
    #[serde(default)]
    pub service: Option<String>,
    /// What to do.
    pub text: String,
    /// Where to read more: a link.
    #[serde(default)]
    pub runbook: Option<String>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            settle_secs: 60,
            ahead_minutes: 60,
            expire_minutes: 1_440,
            most_services: 1_000_000,
            most_samples: 10_000,
            most_name_bytes: 1_024,
            lead_delay_secs: 60,
            incident_minutes: 10,
            incident_calls: 3,
            far_factor: 10.0,
            budget: BudgetSettings::default(),
            rule: None,
            slos: Vec::new(),
            recommendations: Vec::new(),
        }
    }
}

impl EngineConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`LiveError::InvalidSetting`] for the first that is out of its range, [`LiveError::Core`] for one of the
    /// budget, [`LiveError::Label`] for one of an objective.
    pub fn check(&self) -> Result<(), LiveError> {
        let whole = [
            ("settle_secs", u64::from(self.settle_secs), 0, 3_600),
            ("ahead_minutes", u64::from(self.ahead_minutes), 1, 1_440),
            ("expire_minutes", u64::from(self.expire_minutes), 1, 525_600),
            ("most_services", self.most_services as u64, 1, 10_000_000),
            ("most_samples", self.most_samples as u64, 1, 1_000_000),
            ("most_name_bytes", self.most_name_bytes as u64, 1, 65_536),
            ("lead_delay_secs", u64::from(self.lead_delay_secs), 0, 3_600),
            ("incident_minutes", u64::from(self.incident_minutes), 1, 1_440),
            ("incident_calls", u64::from(self.incident_calls), 1, 100),
        ];
        for (name, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                let expected = format!("{least} to {most}");
                return Err(LiveError::InvalidSetting { name, value: value.to_string(), expected });
            }
        }
        if !self.far_factor.is_finite() || self.far_factor <= 1.0 {
            let (value, expected) = (self.far_factor.to_string(), "a number above 1".to_owned());
            return Err(LiveError::InvalidSetting { name: "far_factor", value, expected });
        }
        self.check_slos()?;
        Ok(self.budget.check()?)
    }

    /// Refuses objectives that reports could not tell apart.
    fn check_slos(&self) -> Result<(), LiveError> {
        const MOST: usize = 1_000;
        let refuse = |value: String, expected: &str| {
            Err(LiveError::InvalidSetting { name: "slos", value, expected: expected.to_owned() })
        };
        if self.slos.len() > MOST {
            return refuse(format!("a list of {}", self.slos.len()), "at most 1,000 objectives");
        }
        for (index, slo) in self.slos.iter().enumerate() {
            slo.check()?;
            let is_like = |other: &&Slo| {
                other.name() == slo.name()
                    && (other.service().is_none()
                        || slo.service().is_none()
                        || other.service() == slo.service())
            };
            if let Some(other) = self.slos[..index].iter().find(is_like) {
                return refuse(
                    format!("{:?} twice", other.name()),
                    "names of their own for a service's objectives",
                );
            }
        }
        Ok(())
    }
}

/// The models of an engine: one that warns, and others that run beside it and are judged on the same rows.
#[derive(Clone, Debug)]
pub struct EngineModels {
    pub(crate) main: (String, Arc<ServedModel>),
    pub(crate) shadows: Vec<(String, Arc<ServedModel>)>,
}

impl EngineModels {
    /// A main model, under a name that events have.
    pub fn new(name: impl Into<String>, model: impl Into<Arc<ServedModel>>) -> Self {
        Self { main: (name.into(), model.into()), shadows: Vec::new() }
    }

    /// One more model, which raises no warnings.
    #[must_use]
    pub fn with_shadow(mut self, name: impl Into<String>, model: impl Into<Arc<ServedModel>>) -> Self {
        self.shadows.push((name.into(), model.into()));
        self
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &(String, Arc<ServedModel>)> {
        std::iter::once(&self.main).chain(&self.shadows)
    }

    /// All models, the main one first.
    pub(crate) fn into_all(self) -> Vec<(String, Arc<ServedModel>)> {
        std::iter::once(self.main).chain(self.shadows).collect()
    }

    /// Refuses models that do not read the same rows.
    pub(crate) fn check(&self) -> Result<(), LiveError> {
        let refuse = |reason: String| Err(LiveError::Models { reason });
        let (first, main) = &self.main;
        for (index, (name, model)) in self.all().enumerate() {
            if self.all().take(index).any(|(earlier, _)| earlier == name) {
                return refuse(format!("{name:?} is there twice"));
            }
            if model.policy().is_none() {
                return refuse(format!("the file of {name:?} has no alarm policy"));
            }
            if model.metrics() != main.metrics() || model.step() != main.step() {
                return refuse(format!("{name:?} reads other metrics, or at another step, than {first:?}"));
            }
        }
        Ok(())
    }
}
