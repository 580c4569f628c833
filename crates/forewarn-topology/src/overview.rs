use crate::{
    Cascade, CascadeEstimate, CascadeMethod, CriticalPath, CriticalPaths, DependencyHealth, LatencyKind,
    RootRanking, ServiceGraph, Status, Strengths, Suspect, SystemHealth, TopologyError,
};
use serde::Serialize;

/// Every score of a service graph, recomputed with each new health and latency.
///
/// What depends on the graph alone (orders, shares, blast radii) is computed once.
#[derive(Clone, Debug)]
pub struct Overview {
    dependency: DependencyHealth,
    cascade: Cascade,
    paths: CriticalPaths,
    ranking: RootRanking,
    method: CascadeMethod,
    blast_radii: Vec<CascadeEstimate>,
    entries: Vec<usize>,
}

/// The scores of one moment; lists have one entry for each service.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// Status by own health.
    pub status: Vec<Status>,
    /// Health with that of all servers, and of the system.
    pub dependency: SystemHealth,
    /// Probability of failing, by itself or by its servers.
    pub failing: Vec<CascadeEstimate>,
    /// Services from the most to the least suspicious of being where the trouble began.
    pub suspects: Vec<Suspect>,
    /// Latency with all waiting, in milliseconds; `None` where nothing is known.
    pub latencies_millis: Vec<Option<f64>>,
    /// The critical path of the slowest entry service; `None` where no latency is known.
    pub critical_path: Option<CriticalPath>,
}

impl Overview {
    /// Prepares the scores of a graph; `method` is how failure probabilities are computed, `radii` how blast radii
    /// are, which take longer.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`] for strengths of another graph, [`TopologyError::TooManyOutcomes`] for
    /// [`CascadeMethod::Exact`].
    pub fn new(
        graph: &ServiceGraph,
        strengths: &Strengths,
        latencies: LatencyKind,
        method: CascadeMethod,
        radii: CascadeMethod,
    ) -> Result<Self, TopologyError> {
        let cascade = Cascade::new(graph, strengths)?;
        Ok(Self {
            dependency: DependencyHealth::new(graph),
            blast_radii: cascade.blast_radii(radii)?,
            cascade,
            paths: CriticalPaths::new(graph, latencies),
            ranking: RootRanking::default(),
            method,
            entries: graph.entries(),
        })
    }

    /// With other settings of dependency health, for the same graph.
    #[must_use]
    pub fn with_dependency(self, dependency: DependencyHealth) -> Self {
        Self { dependency, ..self }
    }

    /// With other settings of the root ranking.
    #[must_use]
    pub fn with_ranking(self, ranking: RootRanking) -> Self {
        Self { ranking, ..self }
    }

    /// How many services the failure of each is expected to bring down.
    #[must_use]
    pub fn blast_radii(&self) -> &[CascadeEstimate] {
        &self.blast_radii
    }

    /// All scores, from the own health of every service (0 to 1, NaN where unknown), the probability that it fails on
    /// its own, and its latency in milliseconds (NaN where unknown).
    ///
    /// # Errors
    /// Those of the parts, for lists of another length and numbers out of range.
    pub fn update(
        &self,
        health: &[f64],
        own_failure: &[f64],
        latencies_millis: &[f64],
    ) -> Result<Scores, TopologyError> {
        let dependency = self.dependency.evaluate(health)?;
        let anomalies: Vec<f64> = health.iter().map(|health| 1.0 - health).collect();
        let latencies = self.paths.latencies(latencies_millis)?;
        let slowest = self
            .entries
            .iter()
            .copied()
            .filter(|&entry| latencies[entry].is_some())
            .reduce(|slowest, entry| if latencies[entry] > latencies[slowest] { entry } else { slowest });
        let path = |entry| self.paths.from(entry, latencies_millis);
        Ok(Scores {
            status: health.iter().copied().map(Status::of).collect(),
            dependency,
            failing: self.cascade.failure_probabilities(own_failure, self.method)?,
            suspects: self.ranking.rank(self.cascade.graph(), &anomalies)?,
            critical_path: slowest.map(path).transpose()?,
            latencies_millis: latencies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_gives_every_score() {
        let graph = ServiceGraph::from_edge_list("gateway auth\ngateway user\nuser database").unwrap();
        let strengths = Strengths::given(&graph, 0.5).unwrap();
        let overview = Overview::new(
            &graph,
            &strengths,
            LatencyKind::Inclusive,
            CascadeMethod::Exact,
            CascadeMethod::Exact,
        )
        .unwrap();
        // auth, database, gateway, user.
        let scores = overview
            .update(&[1.0, 0.0, 0.9, f64::NAN], &[0.0, 1.0, 0.0, 0.0], &[10.0, 70.0, 100.0, 90.0])
            .unwrap();
        assert_eq!(scores.status, [Status::Healthy, Status::Down, Status::Healthy, Status::Unknown]);
        assert_eq!(scores.failing.iter().map(|p| p.value).collect::<Vec<_>>(), [0.0, 1.0, 0.25, 0.5]);
        assert_eq!(overview.blast_radii()[1].value, 0.75);
        assert_eq!(scores.suspects[0].service, 1);
        assert_eq!(scores.critical_path.unwrap().stops.len(), 3);
        let nothing = ServiceGraph::new([]).unwrap();
        let strengths = Strengths::given(&nothing, 0.5).unwrap();
        let nothing = Overview::new(
            &nothing,
            &strengths,
            LatencyKind::Exclusive,
            CascadeMethod::default(),
            CascadeMethod::default(),
        );
        assert!(nothing.unwrap().update(&[], &[], &[]).unwrap().critical_path.is_none());
    }
}
