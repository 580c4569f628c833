use forewarn_label::Slo;
use serde::Deserialize;

/// A service level objective that is followed: `[[slo]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SloConfig {
    /// Of which service; of every service unless set.
    #[serde(default)]
    pub service: Option<String>,
    /// The objective.
    pub objective: Slo,
}
