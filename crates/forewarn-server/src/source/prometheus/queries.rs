//! Which metrics are asked for, and whether a model was trained on the same.

use crate::{PrometheusConfig, ServerError, config::is_file};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use forewarn_live::ServedModel;
use forewarn_prometheus::{Formula, QuerySet, QuerySettings, Recipe};
use forewarn_schema::{Kind, Metric, Schema, Step, Unit, ValidRange, printable_names};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// The queries of one server.
#[derive(Clone, Debug)]
pub struct PrometheusQueries {
    recipes: Vec<Recipe>,
    schema: Schema,
    set: QuerySet,
    settings: QuerySettings,
}

/// Whether a model was trained on the answers to the queries that are asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainedOn {
    /// To these.
    TheseQueries,
    /// To others: the same names may hold other numbers.
    OtherQueries,
    /// Its file does not say.
    Unknown,
}

impl PrometheusQueries {
    /// Where a model's metadata say which queries it was trained on.
    pub const KEY: &str = "queries";

    /// The queries of the configuration's recipes. The metrics are those of the v1 schema that the recipes make, in its
    /// order, then their own by name.
    ///
    /// # Errors
    /// [`ServerError::File`] for a recipe that cannot be read, [`ServerError::Config`] for one that is none.
    pub fn new(config: &PrometheusConfig, step: Step) -> Result<Self, ServerError> {
        let recipes = config.recipes.iter().map(|recipe| {
            let read = read(recipe)?;
            let service = config.services.get(read.name()).cloned();
            match service {
                Some(service) => read.with_service(service).map_err(|error| refuse(&error)),
                None => Ok(read),
            }
        });
        let recipes: Vec<Recipe> = recipes.collect::<Result<_, ServerError>>()?;
        if let Some(unused) =
            config.services.keys().find(|name| !recipes.iter().any(|recipe| recipe.name() == name.as_str()))
        {
            let names: Vec<&str> = recipes.iter().map(Recipe::name).collect();
            let expected = printable_names(&names);
            return Err(refuse(&format!(
                "source.services.{unused}: expected the name of a recipe: {expected}"
            )));
        }
        let schema = schema(&recipes)?;
        let settings = QuerySettings {
            step,
            scrape_interval_millis: 1000 * i64::from(config.scrape_interval_secs),
            selector: config.selector.clone(),
        };
        let set = QuerySet::new(&recipes, &schema, &settings).map_err(|error| refuse(&error))?;
        Ok(Self { recipes, schema, set, settings })
    }

    /// Metrics of a row, in order.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The queries, in the order of the metrics.
    #[must_use]
    pub fn set(&self) -> &QuerySet {
        &self.set
    }

    /// The recipes, in the order of the configuration.
    #[must_use]
    pub fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// What the queries were made for.
    #[must_use]
    pub fn settings(&self) -> &QuerySettings {
        &self.settings
    }

    /// What a model's metadata are to hold under [`KEY`](Self::KEY) when it is trained on the answers of these servers.
    #[must_use]
    pub fn metadata(all: &[Self]) -> Value {
        let recipes = all.iter().flat_map(|one| one.recipes.iter().map(Recipe::name));
        let recipes: std::collections::BTreeSet<&str> = recipes.collect();
        let expressions: BTreeMap<&str, &str> = all
            .iter()
            .flat_map(|one| one.set.queries())
            .map(|query| (query.metric.as_str(), query.expression.as_str()))
            .collect();
        json!({
            "fingerprint": Self::fingerprint(all),
            "recipes": recipes,
            "scrape_interval_secs": all.first().map(|one| one.settings.scrape_interval_millis / 1000),
            "expressions": expressions,
        })
    }

    /// What tells these queries from others: 16 hexadecimal digits, or several times that many, joined by `+`, where
    /// servers are asked different ones.
    #[must_use]
    pub fn fingerprint(all: &[Self]) -> String {
        let unique: std::collections::BTreeSet<&str> = all.iter().map(|one| one.set.fingerprint()).collect();
        unique.into_iter().collect::<Vec<_>>().join("+")
    }

    /// Whether `model` was trained on the answers to these queries.
    #[must_use]
    pub fn trained_on(all: &[Self], model: &ServedModel) -> TrainedOn {
        let said = model.metadata().get(Self::KEY).and_then(|queries| queries.get("fingerprint"));
        match said.and_then(Value::as_str) {
            Some(said) if said == Self::fingerprint(all) => TrainedOn::TheseQueries,
            Some(_) => TrainedOn::OtherQueries,
            None => TrainedOn::Unknown,
        }
    }

    /// For each metric of these queries its position among those of a model; `None` for one that the model does not
    /// read.
    ///
    /// # Errors
    /// [`ServerError::Config`] for a metric in another unit than the model's.
    pub fn positions(&self, model: &Schema) -> Result<Vec<Option<usize>>, ServerError> {
        let position = |metric: &Metric| {
            let Some(at) = model.position(&metric.name) else { return Ok(None) };
            let theirs = &model.metrics()[at].unit;
            if *theirs == metric.unit {
                return Ok(Some(at));
            }
            Err(refuse(&format!(
                "the recipes make {} in {}, and the model reads it in {theirs}",
                metric.name, metric.unit
            )))
        };
        self.schema.metrics().iter().map(position).collect()
    }
}

/// Refuses servers that together do not make what a model reads.
pub(crate) fn expect_all_metrics(all: &[PrometheusQueries], model: &Schema) -> Result<(), ServerError> {
    let made = |name: &str| all.iter().any(|one| one.schema.position(name).is_some());
    let missing: Vec<&str> = model.names().filter(|name| !made(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(refuse(&format!(
        "source.recipes: the model reads {}, which no recipe makes: name the recipes that it was trained with",
        printable_names(&missing)
    )))
}

fn read(recipe: &str) -> Result<Recipe, ServerError> {
    if !is_file(recipe) {
        return Recipe::built_in(recipe).map_err(|error| refuse(&format!("source.recipes: {error}")));
    }
    let path = Path::new(recipe);
    let text = read_text_file(path, SMALL_FILE_BYTES)
        .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
    Recipe::from_toml(&text).map_err(|error| refuse(&format!("{recipe}: {error}")))
}

fn refuse(reason: &dyn std::fmt::Display) -> ServerError {
    ServerError::Config { reason: reason.to_string() }
}

/// The metrics that all of them make together.
pub(crate) fn joint_schema<'a>(
    all: impl Iterator<Item = &'a PrometheusQueries>,
) -> Result<Schema, ServerError> {
    let recipes: Vec<Recipe> = all.flat_map(|one| one.recipes.iter().cloned()).collect();
    schema(&recipes)
}

/// The metrics that recipes make: those of v1 as they are there, others by what their formulas say.
fn schema(recipes: &[Recipe]) -> Result<Schema, ServerError> {
    let mut formulas: BTreeMap<&str, &Formula> = BTreeMap::new();
    for (name, formula) in recipes.iter().flat_map(Recipe::metrics) {
        formulas.entry(name).or_insert(formula);
    }
    let v1 = Schema::v1();
    let known = v1.metrics().iter().filter(|metric| formulas.contains_key(metric.name.as_str())).cloned();
    let others = formulas.iter().filter(|(name, _)| v1.position(name).is_none());
    let others = others.map(|(name, formula)| {
        let unit = formula.unit().clone();
        let kind = match unit {
            Unit::CountPerStep => Kind::Delta,
            Unit::Ratio => Kind::Ratio,
            _ => Kind::Gauge,
        };
        let range = match (&unit, formula) {
            (Unit::Ratio, _) => ValidRange::UNIT,
            (Unit::Dimensionless | Unit::Other(_), _) => ValidRange::FINITE,
            _ => ValidRange::NON_NEGATIVE,
        };
        Metric::new(*name, unit, kind, range)
    });
    Schema::new(known.chain(others).collect()).map_err(|error| refuse(&format!("source.recipes: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queries(config: &PrometheusConfig) -> PrometheusQueries {
        PrometheusQueries::new(config, Step::MINUTE).unwrap()
    }

    #[test]
    fn metrics_are_those_that_the_recipes_make_in_the_order_of_v1() {
        let both = queries(&PrometheusConfig::new("http://p", ["kubernetes", "opentelemetry"]));
        assert_eq!(both.schema(), &Schema::v1());
        let one = queries(&PrometheusConfig::new("http://p", ["opentelemetry"]));
        let expected = ["request_count", "error_rate", "p50_latency", "p95_latency", "p99_latency"];
        assert!(one.schema().names().eq(expected));
        assert_ne!(
            PrometheusQueries::fingerprint(std::slice::from_ref(&both)),
            PrometheusQueries::fingerprint(std::slice::from_ref(&one))
        );
        let joined = PrometheusQueries::fingerprint(&[one.clone(), both, one]);
        assert_eq!(joined.len(), 16 + 1 + 16);
        expect_all_metrics(&[queries(&PrometheusConfig::new("http://p", ["opentelemetry"]))], &Schema::v1())
            .unwrap_err();
    }

    #[test]
    fn an_own_recipe_adds_metrics_of_its_own_in_their_units() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        let recipe = "name = \"own\"\nabout = \"x\"\nservice = { labels = [\"app\"] }\n\
                      [metrics.queue]\nform = \"query\"\nunit = \"dimensionless\"\nquery = \"queue{a=\\\"b\\\"}\"\n\
                      [metrics.jobs]\nform = \"count\"\nseries = \"jobs_total\"\n\
                      [metrics.error_rate]\nform = \"share\"\nseries = \"jobs_total\"\nfailed = 'x=\"y\"'\n";
        std::fs::write(&path, recipe).unwrap();
        let mut config = PrometheusConfig::new("http://p", [path.to_string_lossy()]);
        let own = queries(&config);
        assert!(own.schema().names().eq(["error_rate", "jobs", "queue"]));
        assert_eq!(own.schema().metrics()[1].kind, Kind::Delta);
        let other =
            Schema::new(vec![Metric::new("jobs", Unit::Ratio, Kind::Ratio, ValidRange::UNIT)]).unwrap();
        assert!(own.positions(&other).unwrap_err().to_string().contains("jobs"));
        assert_eq!(own.positions(&Schema::v1()).unwrap(), [Some(1), None, None]);
        let labels = forewarn_prometheus::ServiceLabels::new(["team"]);
        config.services.insert("own".to_owned(), labels.clone());
        assert_eq!(queries(&config).recipes()[0].service(), &labels);
        config.services.insert("istio".to_owned(), labels);
        assert!(PrometheusQueries::new(&config, Step::MINUTE).unwrap_err().to_string().contains("istio"));
    }
}
