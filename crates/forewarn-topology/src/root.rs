pub(crate) mod ranking_quality;
pub(crate) mod root_search;

use crate::{
    ServiceGraph, TopologyError,
    error::{probability, refuse_unless, same_length},
};
use forewarn_schema::Timestamp;
use serde::Serialize;

/// Ranks services by how likely a group of anomalous ones started from each: personalised `PageRank` on the call graph.
///
/// A walker looks for the culprit. From a service with anomaly *a* it goes to a server with weight *a(server)*, back
/// to a client with weight *back · a(client)*, and stays with weight *a(service) - max over servers of a(server)*
/// where that is positive: a service that is more anomalous than all it depends on is suspicious itself. Now and then
/// (1 - damping) it starts again at a service drawn by anomaly. The share of time that it spends at a service is its
/// score; scores add up to 1.
///
/// ```
/// use forewarn_topology::{RootRanking, ServiceGraph};
///
/// let graph = ServiceGraph::from_edge_list("gateway auth\n gateway user\n user database")?;
/// // auth, database, gateway, user: the gateway's errors are worst, and come from the database.
/// let ranked = RootRanking::default().rank(&graph, &[0.0, 0.7, 0.9, 0.6])?;
/// assert_eq!(graph.name(ranked[0].service), Some("database"));
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
///
/// # References
/// M. Kim, R. Sumbaly, S. Shah, *Root cause detection in a service-oriented architecture* (`MonitorRank`), SIGMETRICS
/// 2013. L. Wu, J. Tordsson, E. Elmroth, O. Kao, *`MicroRCA`: root cause localization of performance issues in
/// microservices*, NOMS 2020. G. Jeh, J. Widom, *Scaling personalized web search*, WWW 2003.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RootRanking {
    damping: f64,
    back: f64,
}

/// A service and how suspicious it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Suspect {
    /// Number of the service.
    pub service: usize,
    /// Share of the walker's time, 0 to 1.
    pub score: f64,
}

impl Default for RootRanking {
    /// A damping of 0.85 and steps back with a tenth of the weight.
    fn default() -> Self {
        Self { damping: 0.85, back: 0.1 }
    }
}

const ITERATIONS: usize = 200;
const SETTLED: f64 = 1e-10;

impl RootRanking {
    /// With another damping and another weight of steps from a server back to its clients.
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] unless `damping` is at least 0 and below 1, and `back` a share.
    pub fn new(damping: f64, back: f64) -> Result<Self, TopologyError> {
        refuse_unless((0.0..1.0).contains(&damping), "damping", damping, "at least 0 and below 1")?;
        Ok(Self { damping, back: probability("weight of steps back", back)? })
    }

    /// All services, the most suspicious first; equal scores in order of name. Linear in services and calls, for some
    /// dozen iterations.
    ///
    /// `anomalies` says of each service how anomalous it is, 0 (or NaN, where nothing is known) for not at all; only
    /// ratios count. One minus the health will do; see also [`earliness`](Self::earliness).
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`], [`TopologyError::InvalidNumber`] for a negative or infinite anomaly.
    pub fn rank(&self, graph: &ServiceGraph, anomalies: &[f64]) -> Result<Vec<Suspect>, TopologyError> {
        same_length("anomalies", graph.len(), anomalies.len())?;
        let mut most: f64 = 0.0;
        for &anomaly in anomalies {
            let fine = anomaly.is_nan() || (0.0..f64::INFINITY).contains(&anomaly);
            refuse_unless(fine, "anomaly", anomaly, "a finite number, 0 or more, or NaN")?;
            most = most.max(anomaly);
        }
        // Only ratios count; without any anomaly everyone is as suspicious.
        let scaled = |&anomaly: &f64| if most > 0.0 { anomaly.max(0.0) / most } else { 1.0 };
        let anomalies: Vec<f64> = anomalies.iter().map(scaled).collect();
        let scores = self.walk(graph, &anomalies);
        let mut suspects: Vec<Suspect> =
            scores.into_iter().enumerate().map(|(service, score)| Suspect { service, score }).collect();
        suspects.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.service.cmp(&b.service)));
        Ok(suspects)
    }

    fn walk(&self, graph: &ServiceGraph, anomalies: &[f64]) -> Vec<f64> {
        let total: f64 = anomalies.iter().sum();
        let preference: Vec<f64> = anomalies.iter().map(|anomaly| anomaly / total).collect();
        let stay: Vec<f64> = (0..graph.len())
            .map(|service| {
                let servers = graph.servers_of(service).map(|(server, _)| anomalies[server]);
                (anomalies[service] - servers.fold(0.0, f64::max)).max(0.0)
            })
            .collect();
        let mut leaving = stay.clone();
        for (client, server, _) in graph.edges() {
            leaving[client] += anomalies[server];
            leaving[server] += self.back * anomalies[client];
        }
        let mut scores = preference.clone();
        for _ in 0..ITERATIONS {
            // What arrives, per unit of weight; who has nowhere to go starts again.
            let per_weight: Vec<f64> = scores
                .iter()
                .zip(&leaving)
                .map(|(score, &leaving)| if leaving > 0.0 { score / leaving } else { 0.0 })
                .collect();
            let lost: f64 = scores
                .iter()
                .zip(&leaving)
                .filter(|(_, leaving)| **leaving <= 0.0)
                .map(|(score, _)| score)
                .sum();
            let again = 1.0 - self.damping + self.damping * lost;
            let mut next: Vec<f64> = preference.iter().map(|preference| again * preference).collect();
            for (service, next) in next.iter_mut().enumerate() {
                *next += self.damping * per_weight[service] * stay[service];
            }
            for (client, server, _) in graph.edges() {
                next[server] += self.damping * per_weight[client] * anomalies[server];
                next[client] += self.damping * per_weight[server] * self.back * anomalies[client];
            }
            let moved: f64 = next.iter().zip(&scores).map(|(next, score)| (next - score).abs()).sum();
            scores = next;
            if moved <= SETTLED {
                break;
            }
        }
        scores
    }

    /// A factor for the anomaly of each service from when its anomaly began: 1 for the first, half after every
    /// `half_life_minutes`, 0 for a service without one. In a cascade the root is, more often than not, the first to
    /// suffer.
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] unless the half-life is positive.
    pub fn earliness(
        onsets: &[Option<Timestamp>],
        half_life_minutes: f64,
    ) -> Result<Vec<f64>, TopologyError> {
        let positive = half_life_minutes > 0.0;
        refuse_unless(positive, "half-life in minutes", half_life_minutes, "a positive number")?;
        let first = onsets.iter().flatten().min();
        let factor = |onset: &Option<Timestamp>| match (onset, first) {
            (Some(onset), Some(first)) => 0.5f64.powf(onset.minutes_since(*first) / half_life_minutes),
            _ => 0.0,
        };
        Ok(onsets.iter().map(factor).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies;
    use proptest::prelude::*;

    fn at(minute: i64) -> Option<Timestamp> {
        Timestamp::from_millis(minute * 60_000)
    }

    #[test]
    fn a_group_that_shares_a_server_points_at_it() {
        let graph =
            ServiceGraph::from_edge_list("a db\nb db\nc db\na cache\ngate a\ngate b\ngate c").unwrap();
        // a, b, c, cache, db, gate: everyone above the database suffers alike.
        let ranked = RootRanking::default().rank(&graph, &[0.5, 0.5, 0.5, 0.0, 0.5, 0.5]).unwrap();
        assert_eq!(graph.name(ranked[0].service), Some("db"));
        assert_eq!(ranked.iter().find(|suspect| suspect.service == 3).unwrap().score, 0.0);
    }

    #[test]
    fn without_calls_the_most_anomalous_leads() {
        let graph = ServiceGraph::with_services(["a", "b", "c"], []).unwrap();
        let ranked = RootRanking::default().rank(&graph, &[0.2, f64::NAN, 0.6]).unwrap();
        assert_eq!(ranked.iter().map(|suspect| suspect.service).collect::<Vec<_>>(), [2, 0, 1]);
        assert!((ranked[0].score - 0.75).abs() < 1e-9);
        let calm = RootRanking::default().rank(&graph, &[0.0; 3]).unwrap();
        assert!(calm.iter().all(|suspect| (suspect.score - 1.0 / 3.0).abs() < 1e-9));
    }

    #[test]
    fn the_first_to_suffer_weighs_most() {
        let factors = RootRanking::earliness(&[at(10), None, at(12), at(14)], 2.0).unwrap();
        assert_eq!(factors, [1.0, 0.0, 0.5, 0.25]);
        assert!(RootRanking::earliness(&[], 0.0).is_err());
        assert!(RootRanking::new(1.0, 0.1).is_err() && RootRanking::new(0.5, 1.2).is_err());
    }

    proptest! {
        #[test]
        fn scores_are_the_stationary_shares_of_the_walk(
            graph in strategies::graph(7, 20),
            anomalies in proptest::collection::vec(0.0f64..1.0, 7),
        ) {
            let ranking = RootRanking::default();
            let a = &anomalies[..graph.len()];
            prop_assume!(a.iter().any(|a| *a > 0.0));
            let n = graph.len();
            let mut scores = vec![0.0; n];
            ranking.rank(&graph, a).unwrap().iter().for_each(|suspect| scores[suspect.service] = suspect.score);
            prop_assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            // The dense transition matrix, written down from the definition.
            let most = a.iter().copied().fold(0.0, f64::max);
            let a: Vec<f64> = a.iter().map(|a| a / most).collect();
            let total: f64 = a.iter().sum();
            let calls = |i: usize, j: usize| graph.traffic(i, j).is_ok();
            let mut moved = vec![0.0; n];
            for i in 0..n {
                let mut row: Vec<f64> = (0..n)
                    .map(|j| f64::from(u8::from(calls(i, j))) * a[j] + f64::from(u8::from(calls(j, i))) * 0.1 * a[j])
                    .collect();
                let worst = (0..n).filter(|&j| calls(i, j)).map(|j| a[j]).fold(0.0, f64::max);
                row[i] += (a[i] - worst).max(0.0);
                let sum: f64 = row.iter().sum();
                let (row, sum) = if sum > 0.0 { (row, sum) } else { (a.clone(), total) };
                for j in 0..n {
                    moved[j] += 0.85 * scores[i] * row[j] / sum;
                }
            }
            for j in 0..n {
                prop_assert!((moved[j] + 0.15 * a[j] / total - scores[j]).abs() < 1e-8);
            }
        }
    }
}
