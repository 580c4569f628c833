//! Filling queries with ranges, labels and matchers.

use std::collections::BTreeMap;

use super::{Matchers, QuerySettings, Recipe};
use crate::PrometheusError;

/// Placeholders that no fragment may be called.
pub(super) const RESERVED: &[&str] = &["range", "step", "step_seconds", "service", "selector"];

/// Bytes of a query after filling: servers refuse longer ones.
const LONGEST: usize = 32 << 10;

/// What queries are filled with.
pub(super) struct Filler<'a> {
    recipe: &'a Recipe,
    selector: &'a Matchers,
    range: String,
    pub(super) step_seconds: String,
    /// By placeholder.
    values: BTreeMap<&'a str, String>,
}

impl<'a> Filler<'a> {
    /// Fills the fragments, and every query of the recipe once.
    pub(super) fn new(recipe: &'a Recipe, settings: &'a QuerySettings) -> Result<Self, PrometheusError> {
        let range = duration(settings.range_millis());
        let step_seconds = (settings.step.millis() as f64 / 1000.0).to_string();
        let values = BTreeMap::from([
            ("range", range.clone()),
            ("step", duration(settings.step.millis())),
            ("step_seconds", step_seconds.clone()),
            ("service", recipe.service().labels.join(", ")),
            ("selector", settings.selector.to_string()),
        ]);
        let mut filler = Self { recipe, selector: &settings.selector, range, step_seconds, values };
        // Fragments use no fragments: they are all filled before one of them is at hand.
        let fragments: Result<Vec<_>, PrometheusError> = recipe
            .file
            .fragments
            .iter()
            .map(|(name, text)| Ok((name.as_str(), filler.fill(text)?)))
            .collect();
        filler.values.extend(fragments?);
        for (_, formula) in recipe.metrics() {
            formula.expression(&filler)?;
        }
        Ok(filler)
    }

    /// `text` with each `{{name}}` replaced.
    pub(super) fn fill(&self, text: &str) -> Result<String, PrometheusError> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.trim();
        while let Some(at) = rest.find("{{") {
            // Of three braces the first is PromQL's.
            let at = if rest[at..].starts_with("{{{") { at + 1 } else { at };
            filled.push_str(&rest[..at]);
            let inner = &rest[at + 2..];
            let Some(end) = inner.find("}}") else {
                return Err(self.recipe.refuse("a query", &rest[at..], "}} after each {{"));
            };
            let name = inner[..end].trim();
            let Some(value) = self.values.get(name) else {
                let known: Vec<&str> = self.values.keys().copied().collect();
                return Err(self.recipe.refuse(
                    "a placeholder",
                    name,
                    &format!("one of {}", known.join(", ")),
                ));
            };
            filled.push_str(value);
            if filled.len() > LONGEST {
                return Err(self.recipe.refuse("a query", "over 32 KiB", "a shorter one"));
            }
            rest = &inner[end + 2..];
        }
        filled.push_str(rest);
        // One line, so that it can be logged and compared.
        Ok(filled.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// `sum by (LABELS) (rate(SERIES{MATCHERS}[RANGE]))`.
    pub(super) fn sum_of_rates(&self, series: &str, matching: &Matchers, also_by: &str) -> String {
        let (labels, range) = (&self.values["service"], &self.range);
        format!("sum by ({labels}{also_by}) (rate({}[{range}]))", self.select(series, matching))
    }

    /// `sum by (LABELS) (SERIES{MATCHERS})`.
    pub(super) fn sum(&self, series: &str, matching: &Matchers, also_by: &str) -> String {
        format!("sum by ({}{also_by}) ({})", self.values["service"], self.select(series, matching))
    }

    fn select(&self, series: &str, matching: &Matchers) -> String {
        let matchers = matching.and(self.selector);
        if matchers.is_empty() { series.to_owned() } else { format!("{series}{{{matchers}}}") }
    }
}

/// As PromQL writes a length of time.
pub(super) fn duration(millis: i64) -> String {
    if millis % 1000 == 0 { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}
