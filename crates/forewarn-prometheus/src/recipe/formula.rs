use forewarn_schema::Unit;
use serde::{Deserialize, Serialize};

use super::{Matchers, Recipe, matchers, template::Filler};
use crate::PrometheusError;

/// How one metric is made. All forms but [`Query`](Self::Query) add their guards themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Formula {
    /// Events of a step, from a counter. In [`Unit::CountPerStep`].
    ///
    /// The counter's rate over the range, times the step. A range that is longer than the step makes it a mean over the
    /// range, so that two scrapes that fail do not make it missing.
    Count {
        /// Name of the counter.
        series: String,
        /// Which of its series. Default: all.
        #[serde(default)]
        matching: Matchers,
    },
    /// Growth a second of a counter, in [`Unit::KilobytesPerSecond`] of one in bytes.
    Rate {
        /// Name of the counter.
        series: String,
        /// Which of its series. Default: all.
        #[serde(default)]
        matching: Matchers,
        /// What it counts.
        unit: SourceUnit,
    },
    /// The share of events that failed, as a [`Unit::Ratio`].
    ///
    /// Failed over all. No series of failures yet is zero; no traffic is missing, not zero; a failure that is scraped
    /// before the event that it belongs to does not make more than 1.
    Share {
        /// Name of the counter of all events.
        series: String,
        /// Which of its series. Default: all.
        #[serde(default)]
        matching: Matchers,
        /// Name of the counter of failures. Default: that of all events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed_series: Option<String>,
        /// Which of its series, in addition to `matching`, are failures.
        failed: Matchers,
    },
    /// A quantile of a classic histogram's buckets, in [`Unit::Milliseconds`].
    ///
    /// No traffic is missing. It never exceeds the highest finite bucket, see [`CeilingCheck`](super::CeilingCheck).
    Quantile {
        /// Name of the buckets' series, which ends in `_bucket`.
        series: String,
        /// Which of its series. Default: all.
        #[serde(default)]
        matching: Matchers,
        /// Which quantile: above 0 and below 1.
        quantile: f64,
        /// Unit of the bounds `le`.
        unit: SourceUnit,
    },
    /// A whole query with placeholders, and no guards but its own.
    Query {
        /// PromQL. `{{range}}` is the range with its brackets' content such as `60s`, `{{step}}` the step likewise,
        /// `{{step_seconds}}` the step as a number, `{{service}}` the labels to group by, `{{selector}}` the
        /// matchers of the settings, which have to come last between their braces, and `{{name}}` the fragment `name`.
        query: String,
        /// Unit of its answer, which is the schema's.
        unit: Unit,
    },
}

/// Unit of what an exporter counts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Bytes.
    Bytes,
}

impl SourceUnit {
    const fn is_time(self) -> bool {
        matches!(self, Self::Seconds | Self::Milliseconds)
    }
}

impl Formula {
    /// The unit of what the formula makes.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        match self {
            Self::Count { .. } => &Unit::CountPerStep,
            Self::Rate { .. } => &Unit::KilobytesPerSecond,
            Self::Share { .. } => &Unit::Ratio,
            Self::Quantile { .. } => &Unit::Milliseconds,
            Self::Query { unit, .. } => unit,
        }
    }

    pub(super) fn check(&self, recipe: &Recipe, metric: &str) -> Result<(), PrometheusError> {
        let refuse = |field: &str, found: &str, expected: &str| {
            Err(recipe.refuse(&format!("metrics.{metric}.{field}"), found, expected))
        };
        for (field, name) in self.series() {
            if !matchers::is_series_name(name) {
                return refuse(field, name, "a series' name of letters, digits, _ and :");
            }
        }
        match self {
            Self::Quantile { quantile, .. } if !(*quantile > 0.0 && *quantile < 1.0) => {
                refuse("quantile", &quantile.to_string(), "above 0 and below 1")
            }
            Self::Quantile { unit, .. } if !unit.is_time() => {
                refuse("unit", "bytes", "seconds or milliseconds")
            }
            Self::Rate { unit, .. } if unit.is_time() => refuse("unit", "a time", "bytes"),
            Self::Share { failed_series: None, failed, .. } if failed.is_empty() => {
                refuse("failed", "", "matchers that only failures have, or failed_series")
            }
            _ => Ok(()),
        }
    }

    /// Names of series that it reads, by field.
    pub(super) fn series(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (series, failed) = match self {
            Self::Count { series, .. } | Self::Rate { series, .. } | Self::Quantile { series, .. } => {
                (Some(series), None)
            }
            Self::Share { series, failed_series, .. } => (Some(series), failed_series.as_ref()),
            Self::Query { .. } => (None, None),
        };
        let series = series.map(|name| ("series", name.as_str()));
        series.into_iter().chain(failed.map(|name| ("failed_series", name.as_str())))
    }

    /// A whole query as it is written.
    pub(super) fn query(&self) -> Option<&String> {
        match self {
            Self::Query { query, .. } => Some(query),
            _ => None,
        }
    }

    /// The query.
    pub(super) fn expression(&self, filler: &Filler<'_>) -> Result<String, PrometheusError> {
        let sum = |series: &str, matching: &Matchers| filler.sum_of_rates(series, matching, "");
        Ok(match self {
            Self::Count { series, matching } => {
                format!("{} * {}", sum(series, matching), filler.step_seconds)
            }
            Self::Rate { series, matching, .. } => format!("{} / 1000", sum(series, matching)),
            Self::Share { series, matching, failed_series, failed } => {
                let all = sum(series, matching);
                let failures = sum(failed_series.as_ref().unwrap_or(series), &matching.and(failed));
                format!("clamp_max((({failures}) or (0 * {all})) / ({all} > 0), 1)")
            }
            Self::Quantile { series, matching, quantile, unit } => {
                let buckets = filler.sum_of_rates(series, matching, ", le");
                // Without traffic the quantile is NaN, which no comparison lets through.
                format!("histogram_quantile({quantile}, {buckets}){} >= 0", to_milliseconds(*unit))
            }
            Self::Query { query, .. } => filler.fill(query)?,
        })
    }

    /// A query for the highest finite bound of the buckets, in the metric's unit: the quantile of a histogram of the
    /// same buckets whose only observation lies above them all.
    pub(super) fn ceiling(&self, filler: &Filler<'_>) -> Option<String> {
        let Self::Quantile { series, matching, unit, .. } = self else { return None };
        let last = Matchers::equal("le", "\"+Inf\"");
        let all = filler.sum(series, matching, ", le");
        let above = filler.sum(series, &matching.and(&last), ", le");
        let scale = to_milliseconds(*unit);
        Some(format!("histogram_quantile(1, ({above} * 0 + 1) or ({all} * 0)){scale}"))
    }
}

fn to_milliseconds(unit: SourceUnit) -> &'static str {
    if unit == SourceUnit::Seconds { " * 1000" } else { "" }
}
