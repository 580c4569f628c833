//! How the metrics of a schema are asked for in PromQL.

mod built_in;
mod ceiling;
mod fingerprint;
mod formula;
mod matchers;
mod query;
mod reads;
mod rules;
mod settings;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use forewarn_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::{PrometheusError, ServiceLabels, text};
pub use built_in::BUILT_IN;
pub use ceiling::{BLIND_SHARE, CeilingCheck};
pub use formula::{Formula, SourceUnit};
pub use matchers::Matchers;
pub(crate) use matchers::is_series_name;
pub use query::{Query, QuerySet};
pub use settings::QuerySettings;

/// Queries that make metrics of a schema from what one kind of exporter has: Istio, Spring, kube-state-metrics.
///
/// A recipe is a TOML file, the built-in ones ([`BUILT_IN`]) included. Where it says what is counted ([`Formula`]), the
/// guards are added for it; a whole query is left as it is, but for its placeholders.
///
/// ```
/// use forewarn_prometheus::{QuerySettings, Recipe};
/// use forewarn_schema::Schema;
///
/// let recipe = Recipe::from_toml(r#"
///     name = "shop"
///     about = "the shop's own counters"
///     service = { labels = ["app"] }
///
///     [metrics.error_rate]
///     form = "share"
///     series = "shop_requests_total"
///     failed = 'outcome="error"'
/// "#)?;
/// let queries = recipe.queries(&Schema::v1(), &QuerySettings::default())?;
/// assert_eq!(
///     queries.queries()[0].expression,
///     "clamp_max(((sum by (app) (rate(shop_requests_total{outcome=\"error\"}[60s]))) \
///      or (0 * sum by (app) (rate(shop_requests_total[60s])))) \
///      / (sum by (app) (rate(shop_requests_total[60s])) > 0), 1)",
/// );
/// # Ok::<(), forewarn_prometheus::PrometheusError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RecipeFile", into = "RecipeFile")]
pub struct Recipe {
    file: RecipeFile,
}

/// A recipe as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeFile {
    /// Short and lower-case.
    name: String,
    /// One sentence.
    about: String,
    /// How the answers name a service.
    service: ServiceLabels,
    /// PromQL that whole queries use as `{{name}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fragments: BTreeMap<String, String>,
    /// By metric of the schema.
    metrics: BTreeMap<String, Formula>,
}

impl Recipe {
    /// Reads a recipe and checks it.
    ///
    /// # Errors
    /// [`PrometheusError::RecipeSyntax`] with the line, [`PrometheusError::RecipeField`],
    /// [`PrometheusError::Matchers`].
    pub fn from_toml(toml: &str) -> Result<Self, PrometheusError> {
        let file: RecipeFile = toml::from_str(toml)
            .map_err(|error| PrometheusError::RecipeSyntax { reason: error.to_string().trim().to_owned() })?;
        Self::try_from(file)
    }

    /// The built-in recipe of this name.
    ///
    /// # Errors
    /// [`PrometheusError::UnknownRecipe`], which lists the names.
    pub fn built_in(name: &str) -> Result<Self, PrometheusError> {
        match BUILT_IN.iter().find(|(own, _)| *own == name) {
            Some((_, toml)) => Self::from_toml(toml),
            None => {
                let available = BUILT_IN.iter().map(|(name, _)| *name).collect();
                Err(PrometheusError::UnknownRecipe { name: text::quoted(name), available })
            }
        }
    }

    /// The recipe's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.file.about
    }

    /// How its answers name a service.
    #[must_use]
    pub fn service(&self) -> &ServiceLabels {
        &self.file.service
    }

    /// The metrics that it makes, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Formula)> {
        self.file.metrics.iter().map(|(metric, formula)| (metric.as_str(), formula))
    }

    /// Names of the series that it reads: a server that has none of them has no use for the recipe. In a whole query
    /// they are the names before a brace or a bracket.
    #[must_use]
    pub fn series(&self) -> BTreeSet<String> {
        let queries =
            self.file.fragments.values().chain(self.file.metrics.values().filter_map(Formula::query));
        let formulas = self.file.metrics.values().flat_map(Formula::series);
        formulas
            .map(|(_, name)| name.to_owned())
            .chain(queries.flat_map(|query| reads::names(query)))
            .collect()
    }

    /// Names services by other labels: those that a system of its own relabelling has.
    ///
    /// # Errors
    /// [`PrometheusError::RecipeField`] for no labels or one that is no label name.
    pub fn with_service(self, service: ServiceLabels) -> Result<Self, PrometheusError> {
        Self::try_from(RecipeFile { service, ..self.file })
    }

    /// The queries of this recipe alone. [`QuerySet::new`] joins several.
    ///
    /// # Errors
    /// As [`QuerySet::new`].
    pub fn queries(&self, schema: &Schema, settings: &QuerySettings) -> Result<QuerySet, PrometheusError> {
        QuerySet::new(std::slice::from_ref(self), schema, settings)
    }

    fn refuse(&self, field: &str, found: &str, expected: &str) -> PrometheusError {
        PrometheusError::RecipeField {
            recipe: text::quoted(&self.file.name),
            field: text::quoted(field),
            found: text::quoted(found),
            expected: expected.to_owned(),
        }
    }

    fn check(&self) -> Result<(), PrometheusError> {
        let file = &self.file;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if file.name.is_empty() || !file.name.chars().all(plain) {
            return Err(self.refuse("name", &file.name, "lower-case letters, digits, - and _"));
        }
        if file.service.labels.is_empty() {
            return Err(self.refuse("service.labels", "[]", "at least one label"));
        }
        for label in &file.service.labels {
            if !matchers::is_label_name(label) {
                return Err(self.refuse("service.labels", label, "label names of letters, digits and _"));
            }
        }
        if file.metrics.is_empty() {
            return Err(self.refuse("metrics", "{}", "at least one metric"));
        }
        for name in file.fragments.keys() {
            if !matchers::is_label_name(name) || template::RESERVED.contains(&name.as_str()) {
                let expected =
                    format!("a name of letters, digits and _, none of {}", template::RESERVED.join(", "));
                return Err(self.refuse("fragments", name, &expected));
            }
        }
        for (metric, formula) in &file.metrics {
            if !matchers::is_label_name(metric) {
                return Err(self.refuse("metrics", metric, "names of letters, digits and _"));
            }
            formula.check(self, metric)?;
        }
        // Every template is filled once, so that a wrong placeholder shows when the recipe is read.
        template::Filler::new(self, &QuerySettings::default())?;
        Ok(())
    }
}

impl TryFrom<RecipeFile> for Recipe {
    type Error = PrometheusError;

    fn try_from(file: RecipeFile) -> Result<Self, PrometheusError> {
        let recipe = Self { file };
        recipe.check()?;
        Ok(recipe)
    }
}

impl From<Recipe> for RecipeFile {
    fn from(recipe: Recipe) -> Self {
        recipe.file
    }
}

#[cfg(test)]
mod tests;
