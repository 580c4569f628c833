use crate::{
    IoError, ReadOptions,
    error::{Origin, Place},
};
use forewarn_schema::{Kind, Metric, Schema};
use std::collections::BTreeMap;

pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SERVICE: &str = "service";

/// What a column of the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Time,
    Service,
    /// The metric at this position of the schema.
    Metric(usize),
}

/// The columns of a file and the schema that they make.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) schema: Schema,
    /// One for each column, in the file's order.
    pub(crate) roles: Vec<Role>,
    /// Columns of the file, in order.
    pub(crate) names: Vec<String>,
}

impl Columns {
    /// Gives each column its role.
    ///
    /// All ten metrics of [`Schema::v1`] and no others make a schema in v1's order, an outcome last; any other
    /// metrics keep the file's order.
    pub(crate) fn new(origin: &Origin, names: Vec<String>, options: &ReadOptions) -> Result<Self, IoError> {
        let file = || origin.file();
        let mut seen = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            if name.is_empty() {
                return Err(IoError::EmptyColumnName { file: file(), position: index + 1 });
            }
            if let Some(first) = seen.insert(name.as_str(), index + 1) {
                return Err(IoError::DuplicateColumn {
                    file: file(),
                    column: name.clone(),
                    first,
                    second: index + 1,
                });
            }
        }
        if !seen.contains_key(TIMESTAMP) {
            return Err(IoError::NoTimestamp { file: file(), columns: names });
        }
        let is_metric = |name: &str| name != TIMESTAMP && name != SERVICE;
        let outcome = options.outcome_column.as_deref();
        if let Some(outcome) = outcome
            && !(is_metric(outcome) && seen.contains_key(outcome))
        {
            let available = names.into_iter().filter(|name| is_metric(name)).collect();
            return Err(IoError::UnknownOutcome { file: file(), column: outcome.to_owned(), available });
        }

        let v1 = Schema::v1();
        let define = |name: &str| match v1.index_of(name) {
            _ if outcome == Some(name) => Metric::outcome(name),
            Ok(index) => v1.metrics()[index].clone(),
            Err(_) => Metric::gauge(name),
        };
        let mut metrics: Vec<Metric> =
            names.iter().filter(|name| is_metric(name)).map(|name| define(name)).collect();
        if metrics.iter().all(|metric| metric.kind == Kind::Outcome) {
            return Err(IoError::NoMetrics { file: file(), columns: names });
        }
        // An outcome, and any metric that is not of v1, sorts behind the ten.
        let rank = |metric: &Metric| v1.metrics().iter().position(|known| known == metric);
        let known = metrics.iter().filter(|metric| rank(metric).is_some()).count();
        let others = metrics.iter().filter(|metric| metric.kind != Kind::Outcome).count() - known;
        if known == v1.len() && others == 0 {
            metrics.sort_by_key(|metric| rank(metric).unwrap_or(v1.len()));
        }
        let schema = Schema::new(metrics).map_err(|source| IoError::Schema { file: file(), source })?;
        let role = |name: &String| match name.as_str() {
            TIMESTAMP => Ok(Role::Time),
            SERVICE => Ok(Role::Service),
            metric => schema.index_of(metric).map(Role::Metric),
        };
        let roles = names
            .iter()
            .map(role)
            .collect::<Result<_, _>>()
            .map_err(|source| IoError::Schema { file: file(), source })?;
        Ok(Self { schema, roles, names })
    }

    /// Why the metric at `slot` cannot have `value`, which is not missing; `text` is how the file writes it.
    pub(crate) fn check(
        &self,
        slot: usize,
        value: f32,
        place: impl FnOnce() -> Place,
        text: impl FnOnce() -> String,
    ) -> Result<(), IoError> {
        let metric = &self.schema.metrics()[slot];
        if metric.kind == Kind::Outcome && value != 0.0 && value != 1.0 {
            return Err(IoError::InvalidOutcome {
                place: place(),
                column: metric.name.clone(),
                value: text(),
            });
        }
        if metric.range.contains(value) {
            return Ok(());
        }
        Err(IoError::OutOfRange {
            place: place(),
            column: metric.name.clone(),
            value: text(),
            range: metric.range,
            unit: metric.unit.clone(),
        })
    }
}
