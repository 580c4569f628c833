//! What of all inputs is this shard's.

use crate::{ServerError, WatchConfig};
use forewarn_live::{Input, ShardPlan};
use forewarn_topology::ServiceGraph;

/// One shard of a fleet.
pub(crate) struct Sharding {
    own: u32,
    plan: ShardPlan,
}

impl Sharding {
    /// That of a configuration; `None` where one process has all services.
    ///
    /// # Errors
    /// [`ServerError::Config`] for a graph that cannot be read.
    pub(crate) fn open(config: &WatchConfig) -> Result<Option<Self>, ServerError> {
        let Some(shard) = config.shard else { return Ok(None) };
        let graph = config.sharding.graph.as_deref().map(ServiceGraph::from_path).transpose();
        let graph =
            graph.map_err(|error| ServerError::Config { reason: format!("sharding.graph: {error}") })?;
        // A service without calls has its place too, as one of weight 1.
        let mut weights = config.sharding.weights.clone();
        for name in graph.iter().flat_map(ServiceGraph::services) {
            weights.entry(name.to_owned()).or_insert(1.0);
        }
        let name = |graph: &ServiceGraph, place: usize| graph.name(place).map(str::to_owned);
        let calls: Vec<(String, String)> = graph
            .iter()
            .flat_map(|graph| {
                (0..graph.len()).flat_map(move |client| {
                    let servers = graph.servers_of(client).map(|(server, _)| server);
                    servers.filter_map(move |server| Some((name(graph, client)?, name(graph, server)?)))
                })
            })
            .collect();
        let pairs = calls.iter().map(|(client, server)| (client.as_str(), server.as_str()));
        Ok(Some(Self { own: shard.number(), plan: ShardPlan::new(shard.count(), pairs, &weights) }))
    }

    /// Whether a service is this shard's.
    pub(crate) fn is_own(&self, service: &str) -> bool {
        self.plan.shard_of(service) == self.own
    }

    /// The part of an input that is this shard's; `None` for one that is another's.
    pub(crate) fn own_part(&self, input: Input) -> Option<Input> {
        match input {
            Input::Sample { ref service, .. }
            | Input::Row { ref service, .. }
            | Input::Alert { ref service, .. }
                if !self.is_own(service) =>
            {
                None
            }
            // Components are whole, but a source may know of calls that the file of the graph lacks.
            Input::Graph { mut calls } => {
                calls.retain(|(client, server)| self.is_own(client) && self.is_own(server));
                Some(Input::Graph { calls })
            }
            other => Some(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Timestamp;

    fn config(shard: &str, graph: &std::path::Path) -> WatchConfig {
        let text = format!(
            "shard = \"{shard}\"\n[sharding]\ngraph = {graph:?}\n[model]\npath = \"m\"\n[source]\nkind = \"file\"\n\
             path = \"f.csv\"\n[store]\npath = \"s\"\n[events]\npath = \"e\"\n"
        );
        WatchConfig::from_toml(&text).unwrap()
    }

    #[test]
    fn each_service_is_of_one_shard_and_its_graph_comes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let graph = folder.path().join("calls.csv");
        std::fs::write(&graph, "client,server\nweb,cart\ncart,database\nmail,queue\nbatch\n").unwrap();
        let shards: Vec<Sharding> = (1..=3)
            .map(|number| Sharding::open(&config(&format!("{number}/3"), &graph)).unwrap().unwrap())
            .collect();
        let row = |service: &str| Input::Row {
            service: service.to_owned(),
            time: Timestamp::EPOCH,
            values: Vec::new(),
        };
        for service in ["web", "cart", "database", "mail", "queue", "batch", "unheard of"] {
            let own = shards.iter().filter(|shard| shard.own_part(row(service)).is_some()).count();
            assert_eq!(own, 1, "{service}");
        }
        let pairs = [("web", "cart"), ("mail", "queue"), ("mail", "web")];
        let calls = || pairs.map(|(client, server)| (client.to_owned(), server.to_owned())).into();
        let kept: Vec<usize> = shards
            .iter()
            .map(|shard| match shard.own_part(Input::Graph { calls: calls() }) {
                Some(Input::Graph { calls }) => calls.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        let is_apart = !shards.iter().any(|shard| shard.is_own("web") && shard.is_own("mail"));
        assert_eq!(kept.iter().sum::<usize>(), if is_apart { 2 } else { 3 }, "{kept:?}");
        let time = Timestamp::EPOCH;
        assert!(shards.iter().all(|shard| shard.own_part(Input::Advance { now: time }).is_some()));
    }

    #[test]
    fn a_graph_that_is_none_is_told_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let graph = folder.path().join("calls.csv");
        std::fs::write(&graph, "web,web\n").unwrap();
        let error = Sharding::open(&config("1/2", &graph)).err().unwrap().to_string();
        assert!(error.contains("sharding.graph") && error.contains("calls.csv"), "{error}");
    }
}
