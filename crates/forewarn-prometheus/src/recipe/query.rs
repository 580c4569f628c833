use forewarn_schema::Schema;

use super::fingerprint::fingerprint;
use super::template::{Filler, duration};
use super::{Matchers, QuerySettings, Recipe};
use crate::{Answer, Placed, PrometheusError, QueryData, ServiceLabels, text};

/// One metric's query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The metric, by its name in the schema.
    pub metric: String,
    /// Its position in the schema.
    pub index: usize,
    /// The recipe that it is from.
    pub recipe: String,
    /// PromQL that gives the metric by service, in the schema's unit.
    pub expression: String,
    /// For a quantile: PromQL that gives the highest finite bound of the buckets by service, in the same unit.
    pub ceiling: Option<String>,
    /// How the answer names a service.
    pub service: ServiceLabels,
}

impl Query {
    /// Adds the answer's samples to what other queries gave.
    ///
    /// # Errors
    /// [`PrometheusError::OtherResult`] unless the answer is a vector or a matrix.
    pub fn place(&self, answer: Answer<QueryData>, placed: &mut Placed) -> Result<(), PrometheusError> {
        placed.add(&answer.data.into_series()?, &self.service, self.index);
        Ok(())
    }
}

/// The queries of one or more recipes for a schema: HTTP metrics from one, CPU and memory from another.
#[derive(Clone, Debug, PartialEq)]
pub struct QuerySet {
    queries: Vec<Query>,
    missing: Vec<String>,
    interval_millis: i64,
    fingerprint: String,
}

impl QuerySet {
    /// Queries for the metrics of `schema` in its order. A metric that several recipes make is taken from the first of
    /// them; one that none makes is named by [`missing`](Self::missing).
    ///
    /// # Errors
    /// [`PrometheusError::UnknownMetric`] for a recipe's metric that the schema lacks, [`PrometheusError::RecipeField`]
    /// for one in another unit than the schema's, [`PrometheusError::Setting`].
    pub fn new(
        recipes: &[Recipe],
        schema: &Schema,
        settings: &QuerySettings,
    ) -> Result<Self, PrometheusError> {
        settings.check()?;
        let plain = QuerySettings { selector: Matchers::default(), ..settings.clone() };
        let mut queries: Vec<Option<Query>> = vec![None; schema.len()];
        let mut unselected = Vec::new();
        for recipe in recipes {
            let filler = Filler::new(recipe, settings)?;
            let without_selector = Filler::new(recipe, &plain)?;
            for (metric, formula) in recipe.metrics() {
                let index = schema.index_of(metric).map_err(|_| PrometheusError::UnknownMetric {
                    recipe: recipe.name().to_owned(),
                    metric: text::quoted(metric),
                    available: schema.names().map(str::to_owned).collect(),
                })?;
                let expected = &schema.metrics()[index].unit;
                if formula.unit() != expected {
                    let (field, found) = (format!("metrics.{metric}.unit"), formula.unit().to_string());
                    return Err(recipe.refuse(&field, &found, &format!("{expected}, as in the schema")));
                }
                if queries[index].is_some() {
                    continue;
                }
                unselected.push((index, formula.expression(&without_selector)?));
                queries[index] = Some(Query {
                    metric: metric.to_owned(),
                    index,
                    recipe: recipe.name().to_owned(),
                    expression: formula.expression(&filler)?,
                    ceiling: formula.ceiling(&filler),
                    service: recipe.service().clone(),
                });
            }
        }
        let missing = schema.names().zip(&queries).filter(|(_, query)| query.is_none());
        let missing = missing.map(|(name, _)| name.to_owned()).collect();
        unselected.sort_by_key(|(index, _)| *index);
        let step = duration(settings.step.millis());
        let named = unselected
            .iter()
            .flat_map(|(index, expression)| [schema.metrics()[*index].name.as_str(), expression.as_str()]);
        let fingerprint = fingerprint(std::iter::once(step.as_str()).chain(named));
        let interval_millis = settings.step.millis();
        Ok(Self { queries: queries.into_iter().flatten().collect(), missing, interval_millis, fingerprint })
    }

    /// The queries in the schema's order.
    #[must_use]
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// The schema's metrics that no recipe makes.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// 16 hexadecimal digits that change with any query, its range or the step, and that belong into the file of a
    /// model that is trained on the answers. The selector is left out: it chooses services, not how their numbers
    /// are made.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn interval(&self) -> String {
        duration(self.interval_millis)
    }
}
