use crate::{ServiceGraph, TopologyError};
use serde::Serialize;
use std::collections::BTreeSet;

/// Which services a graph and metrics have in common, and which only one of them has; each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NameComparison {
    /// In both.
    pub shared: Vec<String>,
    /// In the graph alone: nothing is known of their health.
    pub only_in_graph: Vec<String>,
    /// In the metrics alone: they count as services without calls.
    pub only_in_metrics: Vec<String>,
}

impl ServiceGraph {
    /// Compares the graph's services with those of metrics.
    ///
    /// # Errors
    /// [`TopologyError::NoSharedName`], which names both sets, where they have no service in common and neither is
    /// empty: names that are spelt otherwise, or a graph of another system.
    ///
    /// # Examples
    /// ```
    /// use forewarn_topology::ServiceGraph;
    ///
    /// let graph = ServiceGraph::from_edge_list("web api\napi database")?;
    /// let names = graph.compare_names(["api", "web", "batch"])?;
    /// assert_eq!((names.shared.len(), names.only_in_graph, names.only_in_metrics), (2, vec!["database".into()], vec!["batch".into()]));
    /// let error = graph.compare_names(["prod/web", "prod/api"]).unwrap_err();
    /// assert!(error.to_string().ends_with("the graph has api, database, web; the metrics have prod/api, prod/web"));
    /// # Ok::<(), forewarn_topology::TopologyError>(())
    /// ```
    pub fn compare_names<'a>(
        &self,
        metrics: impl IntoIterator<Item = &'a str>,
    ) -> Result<NameComparison, TopologyError> {
        let metrics: BTreeSet<&str> = metrics.into_iter().collect();
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let (shared, only_in_graph): (Vec<&str>, Vec<&str>) =
            self.services().partition(|name| metrics.contains(name));
        if shared.is_empty() && !self.is_empty() && !metrics.is_empty() {
            let metrics = owned(metrics.into_iter().collect());
            return Err(TopologyError::NoSharedName { graph: owned(only_in_graph), metrics });
        }
        let only_in_metrics = metrics.into_iter().filter(|name| self.find(name).is_none()).collect();
        Ok(NameComparison {
            shared: owned(shared),
            only_in_graph: owned(only_in_graph),
            only_in_metrics: owned(only_in_metrics),
        })
    }
}
