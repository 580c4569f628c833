use super::wrong;
use crate::ServerError;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How services are put on shards: `[sharding]`, the same for every shard. See
/// [`ShardPlan`](forewarn_live::ShardPlan).
///
/// | name | meaning | default |
/// |---|---|---|
/// | `graph` | file of who calls whom, in any form that `forewarn graph` reads: services that are connected share a shard | none: each service is on a shard by its name |
/// | `weights` | how heavy a service is | 1 each |
///
/// The plan is made when the service starts. A graph that a source tells later does not move services.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShardingConfig {
    /// File of who calls whom.
    pub graph: Option<PathBuf>,
    /// How heavy services are.
    pub weights: BTreeMap<String, f64>,
}

impl ShardingConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        let odd = self.weights.iter().find(|(_, weight)| !(weight.is_finite() && **weight > 0.0));
        odd.map_or(Ok(()), |(name, weight)| {
            let name = forewarn_schema::printable(name);
            Err(wrong(&format!("sharding.weights: {name:?} weighs {weight}: expected a number above 0")))
        })
    }

    pub(super) fn below(&mut self, folder: &Path) {
        self.graph.iter_mut().for_each(|path| *path = folder.join(&*path));
    }
}
