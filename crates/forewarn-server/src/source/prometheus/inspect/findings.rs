use crate::RecipeMatch;
use serde::Serialize;

/// What a server has for forewarn.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PrometheusFindings {
    /// Where it is.
    pub url: String,
    /// Which server it is, with its version; empty where it does not answer.
    pub server: String,
    /// Seconds that its clock is ahead of ours; `None` where it does not say.
    pub clock_skew_secs: Option<f64>,
    /// Seconds after the end of a minute at which it will be asked.
    pub settle_secs: u32,
    /// Recipes and which of their series are there: those of the configuration, or all built-in ones.
    pub recipes: Vec<RecipeMatch>,
    /// Recipes that are asked, in order.
    pub chosen: Vec<String>,
    /// What tells their queries from others.
    pub fingerprint: String,
    /// Metrics in the order of rows.
    pub metrics: Vec<MetricFinding>,
    /// Services in order of their names.
    pub services: Vec<ServiceFinding>,
    /// What could be joined, as sentences with what to write.
    pub joins: Vec<String>,
    /// Seconds between two scrapes, as the server has them.
    pub scrape_interval_secs: Option<f64>,
    /// Seconds that rates are taken over.
    pub range_secs: f64,
    /// The service graph, where there is one.
    pub graph: Option<GraphMatch>,
    /// What the queries of one minute cost.
    pub tick: Option<TickCost>,
    /// What stands in the way.
    pub problems: Vec<String>,
    /// What to know before trusting the metrics.
    pub notes: Vec<String>,
    /// Whether rows would come.
    pub is_usable: bool,
}

/// One metric over the last hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MetricFinding {
    /// Its name.
    pub name: String,
    /// The recipe that makes it.
    pub recipe: String,
    /// Its unit.
    pub unit: String,
    /// Services that have it.
    pub services: usize,
    /// Share of their minutes without a value, 0 to 1.
    pub missing_share: Option<f64>,
    /// Median over services and minutes.
    pub median: Option<f64>,
    /// For a quantile: share of values at the highest finite bucket.
    pub at_ceiling_share: Option<f64>,
    /// Services whose values mostly lie there.
    pub blind: Vec<String>,
    /// Why there is no answer.
    pub failure: Option<String>,
}

/// One service over the last hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceFinding {
    /// Its name.
    pub name: String,
    /// Metrics that it has.
    pub metrics: Vec<String>,
    /// Metrics that it lacks.
    pub lacking: Vec<String>,
    /// What CPU and memory are shares of.
    pub basis: Vec<String>,
}

/// The service graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GraphMatch {
    /// Pairs of client and server.
    pub calls: usize,
    /// Names of it that no service has.
    pub unmatched: Vec<String>,
}

/// What the queries of one minute cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TickCost {
    /// Queries.
    pub queries: usize,
    /// Seconds that they took.
    pub seconds: f64,
    /// Bytes of their answers.
    pub bytes: u64,
}
