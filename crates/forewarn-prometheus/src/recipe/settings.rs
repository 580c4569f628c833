use forewarn_schema::Step;
use serde::{Deserialize, Serialize};

use super::Matchers;
use crate::PrometheusError;

/// Scrapes that a range holds at least: with two that fail, there are still two to make a rate of.
const SCRAPES: i64 = 4;

/// What queries are made for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuerySettings {
    /// Time between rows, in milliseconds. Default one minute.
    pub step: Step,
    /// Time between two scrapes, in milliseconds: 1 to 1 hour. Default 15,000. Ranges are four of them, and at least a
    /// step.
    pub scrape_interval_millis: i64,
    /// Matchers for every series of an application, such as `namespace="shop"`: they choose services. Default: none.
    pub selector: Matchers,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self { step: Step::MINUTE, scrape_interval_millis: 15_000, selector: Matchers::default() }
    }
}

impl QuerySettings {
    /// Length of the ranges that rates are taken over: four scrapes, and at least a step.
    #[must_use]
    pub fn range_millis(&self) -> i64 {
        self.step.millis().max(self.scrape_interval_millis.saturating_mul(SCRAPES))
    }

    pub(super) fn check(&self) -> Result<(), PrometheusError> {
        if (1..=3_600_000).contains(&self.scrape_interval_millis) {
            return Ok(());
        }
        Err(PrometheusError::Setting {
            setting: "scrape_interval_millis",
            found: self.scrape_interval_millis.to_string(),
            expected: "1 to 3600000",
        })
    }
}
