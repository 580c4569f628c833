//! The numbers of a failure rule, for a chart of each metric.

use forewarn_label::{Comparison, Condition, Limit, Measure, Rule};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// From where on a metric counts as failing, by itself or with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct MetricLimit {
    /// Failing at or above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) above: Option<f64>,
    /// Failing at or below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) below: Option<f64>,
}

/// The constants that the rule compares metrics with. What it says of changes, means and ratios is no line in a chart
/// of the metric, and is left out; so is what stands under a negation.
pub(crate) fn limits(rule: &Rule) -> BTreeMap<String, MetricLimit> {
    let mut limits = BTreeMap::new();
    collect(rule.when(), &mut limits);
    limits
}

fn collect(condition: &Condition, limits: &mut BTreeMap<String, MetricLimit>) {
    match condition {
        Condition::Compare(compare) => {
            let (Measure::Metric(metric), Limit::Number(number)) = (&compare.measure, &compare.limit) else {
                return;
            };
            let value = Some(shown(number.get()));
            match compare.is {
                Comparison::AtLeast | Comparison::Above => set(limits, metric).above = value,
                Comparison::AtMost | Comparison::Below => set(limits, metric).below = value,
                _ => {}
            }
        }
        Condition::Significant(significant) => {
            set(limits, &significant.rate).above = Some(shown(significant.limit.get()));
        }
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| collect(part, limits)),
        Condition::Sustained(sustained) => collect(&sustained.of, limits),
        Condition::Frequent(frequent) => collect(&frequent.of, limits),
        _ => {}
    }
}

fn set<'a>(limits: &'a mut BTreeMap<String, MetricLimit>, metric: &str) -> &'a mut MetricLimit {
    limits.entry(metric.to_owned()).or_default()
}

/// 0.05 rather than 0.05000000074505806.
fn shown(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_label::{Normal, Span};

    #[test]
    fn constants_of_metrics_are_limits_and_nothing_else_is() {
        let rule = Rule::new(
            Measure::metric("error_rate")
                .at_least(0.05)
                .when_at_least("request_count", 20.0)
                .lasting(Span::steps(2))
                .or(Measure::metric("p99_latency").above(Normal::median(Span::hours(1)).times(3.0)))
                .or(Measure::metric("availability").below(0.9))
                .or(Measure::metric("memory").above(0.5).negated()),
        );
        let limits = limits(&rule.unwrap());
        assert_eq!(limits["error_rate"], MetricLimit { above: Some(0.05), below: None });
        assert_eq!(limits["availability"], MetricLimit { above: None, below: Some(0.9) });
        assert!(!limits.contains_key("p99_latency") && !limits.contains_key("memory"));
    }
}
