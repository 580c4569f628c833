use crate::LiveError;
use serde::{Deserialize, Serialize};

/// How an engine closes minutes, raises warnings and keeps its budget.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `settle_secs` | seconds after the end of a minute for which its samples are waited for | 60 | 0 to 3,600 |
/// | `expire_minutes` | minutes of silence after which a service is forgotten | 1,440 | 1 to 525,600 |
/// | `most_services` | services that are kept; those beyond are refused and counted | 1,000,000 | 1 to 10,000,000 |
/// | `most_metrics` | raw metrics a service | 10,000 | 1 to 1,000,000 |
/// | `lead_delay_secs` | seconds between a warning and a person who can act on it; net lead has it taken off | 60 | 0 to 3,600 |
/// | `incident_minutes` | minutes within which warnings of linked services are one incident | 10 | 1 to 1,440 |
/// | `far_deviations` | deviations from training beyond which a metric is far from it | 12 | above 0 |
/// | `budget` | how many false alarms are accepted, and how they are held to | see [`BudgetConfig`] | |
/// | `history_outcomes` | judged warnings and failures that are kept for figures | 100,000 | 1 to 10,000,000 |
///
/// It is checked when an [`Engine`](crate::Engine) is built of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Seconds after the end of a minute for which its samples are waited for.
    pub settle_secs: u32,
    /// Minutes of silence after which a service is forgotten.
    pub expire_minutes: u32,
    /// Services that are kept.
    pub most_services: usize,
    /// Raw metrics a service.
    pub most_metrics: usize,
    /// Seconds between a warning and a person who can act on it.
    pub lead_delay_secs: u32,
    /// Minutes within which warnings of linked services are one incident.
    pub incident_minutes: u32,
    /// Deviations from training beyond which a metric is far from it.
    pub far_deviations: f32,
    /// How many false alarms are accepted.
    pub budget: BudgetConfig,
    /// Judged warnings and failures that are kept for figures.
    pub history_outcomes: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            settle_secs: 60,
            expire_minutes: 1_440,
            most_services: 1_000_000,
            most_metrics: 10_000,
            lead_delay_secs: 60,
            incident_minutes: 10,
            far_deviations: 12.0,
            budget: BudgetConfig::default(),
            history_outcomes: 100_000,
        }
    }
}

/// How many false alarms an operator accepts, and how the engine holds to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetConfig {
    /// False alarms per service and week: 1 by default, above 0.
    pub per_service_week: f64,
    /// Whether the threshold moves: adaptive by default.
    pub mode: BudgetMode,
}

/// Whether the threshold moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BudgetMode {
    /// The threshold of the model's policy, whatever the realised rate.
    Static,
    /// The threshold as the controller has it now, which learns no more.
    Frozen,
    /// The controller moves it so that the long-run rate stays within the budget.
    #[default]
    Adaptive,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { per_service_week: 1.0, mode: BudgetMode::default() }
    }
}

impl EngineConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`LiveError::InvalidSetting`] for the first that is out of its range.
    pub fn check(&self) -> Result<(), LiveError> {
        let whole = [
            ("settle_secs", u64::from(self.settle_secs), 0, 3_600),
            ("expire_minutes", u64::from(self.expire_minutes), 1, 525_600),
            ("most_services", self.most_services as u64, 1, 10_000_000),
            ("most_metrics", self.most_metrics as u64, 1, 1_000_000),
            ("lead_delay_secs", u64::from(self.lead_delay_secs), 0, 3_600),
            ("incident_minutes", u64::from(self.incident_minutes), 1, 1_440),
            ("history_outcomes", self.history_outcomes as u64, 1, 10_000_000),
        ];
        for (name, value, least, most) in whole {
            if !(least..=most).contains(&value) {
                let expected = format!("{least} to {most}");
                return Err(LiveError::InvalidSetting { name, value: value.to_string(), expected });
            }
        }
        let positive = [
            ("far_deviations", f64::from(self.far_deviations)),
            ("budget.per_service_week", self.budget.per_service_week),
        ];
        for (name, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                let expected = "a number above 0".to_owned();
                return Err(LiveError::InvalidSetting { name, value: value.to_string(), expected });
            }
        }
        Ok(())
    }
}
