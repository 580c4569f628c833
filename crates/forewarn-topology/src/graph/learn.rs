use crate::{
    ServiceGraph, Strengths, TopologyError,
    error::{probability, refuse_unless, same_length},
};
use forewarn_schema::{Episodes, Step, Timestamp};

/// Learns [`Strengths`] from failure episodes: how often did a client follow when its server failed?
///
/// Each onset of a server's failure exposes every client that is not failing then; the client *follows* if its own
/// failure begins within the lag. Where several servers, or none, had failed within the lag before a client's onset,
/// it is not known which passed the failure on; each is held responsible in proportion (expectation-maximisation for
/// a noisy-or with a leak):
///
/// ```text
/// responsibility of server j for an onset of client i:  r(j) = s(i, j) / (1 - (1 - b(i)) * product over exposures k of (1 - s(i, k)))
/// strength:   s(i, j) = (sum of r(j) over onsets of i + weight * prior) / (exposures of i to j + weight)
/// leak:       b(i)    = (sum of the leak's responsibilities + weight * rate) / (lags in which i was not failing + weight)
/// ```
///
/// where *b*, the leak, is the chance that a client fails within a lag for a reason of its own, and *rate* is the
/// share of its lags in which it failed. The prior counts like `weight` exposures: a call of which nothing was seen
/// keeps it, and one exposure never makes a certainty.
///
/// # References
/// K. Saito, R. Nakano, M. Kimura, *Prediction of information diffusion probabilities for independent cascade model*,
/// KES 2008 (the responsibilities). A. P. Dempster, N. M. Laird, D. B. Rubin, *Maximum likelihood from incomplete
/// data via the EM algorithm*, JRSS B 39, 1977.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnStrengths {
    lag_minutes: u32,
    prior: f64,
    weight: f64,
}

impl Default for LearnStrengths {
    /// A lag of 5 minutes, and [`Strengths::USUAL`] with the weight of two exposures.
    fn default() -> Self {
        Self { lag_minutes: 5, prior: Strengths::USUAL, weight: 2.0 }
    }
}

/// Steps of expectation-maximisation; each makes the episodes more likely.
const ITERATIONS: usize = 200;
const SETTLED: f64 = 1e-9;

impl LearnStrengths {
    /// How long after a server's onset a client's onset counts as following it, 1 to 1440 minutes; the same minute
    /// counts.
    #[must_use]
    pub fn with_lag_minutes(self, lag_minutes: u32) -> Self {
        Self { lag_minutes, ..self }
    }

    /// What is thought of a call before anything was seen, a probability, and how many exposures that counts for, a
    /// positive number.
    #[must_use]
    pub fn with_prior(self, prior: f64, weight: f64) -> Self {
        Self { prior, weight, ..self }
    }

    fn check(&self) -> Result<(), TopologyError> {
        let fine = (1..=24 * 60).contains(&self.lag_minutes);
        refuse_unless(fine, "lag in minutes", f64::from(self.lag_minutes), "1 to 1440")?;
        probability("prior", self.prior)?;
        let fine = self.weight > 0.0 && self.weight < f64::INFINITY;
        refuse_unless(fine, "weight of the prior", self.weight, "a positive number")
    }

    /// Learns from the episodes of every service (empty for one that was not watched) in the time from `from` to `to`.
    ///
    /// Linear in calls times episodes times iterations (at most 200).
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] for a setting out of range, [`TopologyError::LengthMismatch`] unless there are
    /// episodes for each service.
    pub fn learn(
        &self,
        graph: &ServiceGraph,
        episodes: &[Episodes],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Strengths, TopologyError> {
        self.check()?;
        same_length("lists of episodes", graph.len(), episodes.len())?;
        let mut strengths = vec![self.prior; graph.calls()];
        for client in 0..graph.len() {
            let evidence = self.evidence(graph, client, episodes, from, to);
            let first = graph.calls_by(client).start;
            for (offset, strength) in self.fit(&evidence).into_iter().enumerate() {
                strengths[first + offset] = strength;
            }
        }
        Strengths::new(graph, strengths)
    }

    /// What was seen of one client.
    fn evidence(
        &self,
        graph: &ServiceGraph,
        client: usize,
        episodes: &[Episodes],
        from: Timestamp,
        to: Timestamp,
    ) -> Evidence {
        let lag_millis = i64::from(self.lag_minutes) * Step::MINUTE.millis();
        let (own, calls) = (&episodes[client], graph.calls_by(client));
        let mut exposures = vec![0.0; calls.len()];
        let mut followed: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
        for (offset, call) in calls.enumerate() {
            for onset in episodes[graph.ends(call)[1]].iter().map(forewarn_schema::Episode::onset) {
                // The client's first failure that is not over when the server's begins.
                let next = own.partition_point(|episode| episode.end() <= onset);
                let failing = own.get(next).is_some_and(|episode| episode.onset() < onset);
                if failing {
                    continue;
                }
                exposures[offset] += 1.0;
                if own
                    .get(next)
                    .is_some_and(|episode| episode.onset().millis() - onset.millis() <= lag_millis)
                {
                    followed[next].push(offset);
                }
            }
        }
        let span = |from: Timestamp, to: Timestamp| (to.millis() - from.millis()).max(0) as f64;
        let failing: f64 = own.iter().map(|episode| span(episode.onset(), episode.end())).sum();
        let lags = ((span(from, to) - failing) / lag_millis as f64).max(own.len() as f64).max(1.0);
        Evidence { exposures, followed, lags }
    }

    fn fit(&self, evidence: &Evidence) -> Vec<f64> {
        let Evidence { exposures, followed, lags } = evidence;
        let mut strengths = vec![self.prior; exposures.len()];
        let rate = followed.len() as f64 / lags;
        let mut leak = rate;
        for _ in 0..ITERATIONS {
            let (mut credit, mut leaked) = (vec![0.0; exposures.len()], 0.0);
            for causes in followed {
                let spared: f64 = causes.iter().map(|&cause| 1.0 - strengths[cause]).product();
                let likelihood = 1.0 - (1.0 - leak) * spared;
                if likelihood > 0.0 {
                    causes.iter().for_each(|&cause| credit[cause] += strengths[cause] / likelihood);
                    leaked += leak / likelihood;
                }
            }
            let mut moved: f64 = 0.0;
            for ((strength, credit), exposures) in strengths.iter_mut().zip(credit).zip(exposures) {
                // Two onsets of a server may both be followed by one of the client: no more than a certainty.
                let better = ((credit + self.weight * self.prior) / (exposures + self.weight)).min(1.0);
                moved = moved.max((better - *strength).abs());
                *strength = better;
            }
            leak = ((leaked + self.weight * rate) / (lags + self.weight)).min(1.0);
            if moved <= SETTLED {
                break;
            }
        }
        strengths
    }
}

/// What was seen of one client.
struct Evidence {
    /// Of each call that it makes: onsets of the server while the client was not failing.
    exposures: Vec<f64>,
    /// Of each of its onsets: the calls (positions in `exposures`), once an exposure, that it may have followed.
    followed: Vec<Vec<usize>>,
    /// Lags in which it was not failing.
    lags: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;
    use forewarn_schema::Episode;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000).unwrap()
    }

    fn episodes(onsets: &[i64]) -> Episodes {
        let episode = |&onset| Episode::new(at(onset), at(onset + 1), at(onset + 3)).unwrap();
        Episodes::new(onsets.iter().map(episode).collect()).unwrap()
    }

    fn learn(graph: &ServiceGraph, episodes: &[Episodes]) -> Vec<f64> {
        let learnt = LearnStrengths::default().learn(graph, episodes, at(0), at(1_000_000)).unwrap();
        learnt.as_slice().to_vec()
    }

    #[test]
    fn with_one_server_it_is_the_smoothed_share() {
        let graph = ServiceGraph::new([Call::new("client", "server")]).unwrap();
        // Ten onsets of the server, four of them followed within 5 minutes; two late, none without cause.
        let server: Vec<i64> = (0..10).map(|i| 1000 * i + 10).collect();
        let client: Vec<i64> =
            [0, 1, 2, 3].map(|i| 1000 * i + 10 + i).into_iter().chain([4016, 5016]).collect();
        let found = learn(&graph, &[episodes(&client), episodes(&server)])[0];
        // The leak is about 6 in 200 000 lags.
        assert!((found - (4.0 + 2.0 * 0.3) / (10.0 + 2.0)).abs() < 1e-3, "{found}");
        assert_eq!(learn(&graph, &[episodes(&[]), episodes(&[])]), [0.3]);
    }

    #[test]
    fn a_client_that_is_failing_already_teaches_nothing() {
        let graph = ServiceGraph::new([Call::new("client", "server")]).unwrap();
        let found = learn(&graph, &[episodes(&[99]), episodes(&[100])])[0];
        assert_eq!(found, 0.3);
    }

    #[test]
    fn strengths_of_simulated_cascades_are_found_again() {
        let truth = [("client", "a", 0.8), ("client", "b", 0.2), ("client", "c", 0.5)];
        let graph = ServiceGraph::new(truth.map(|(client, server, _)| Call::new(client, server))).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut onsets = [const { Vec::new() }; 4];
        for trial in 0..4000 {
            // Half the time two servers fail at once, so that it is not plain whom the client followed.
            let now = trial * 100;
            let first = random.random_range(0..3);
            let mut failed = vec![first];
            if random.random_bool(0.5) {
                failed.push((first + 1) % 3);
            }
            let mut down = random.random_bool(0.01);
            for server in failed {
                onsets[server].push(now);
                down |= random.random_bool(truth[server].2);
            }
            if down {
                onsets[3].push(now + random.random_range(0..4));
            }
        }
        // Services in order of name: a, b, c, client.
        let found = LearnStrengths::default()
            .learn(&graph, &onsets.map(|onsets| episodes(&onsets)), at(0), at(400_000))
            .unwrap();
        for (found, (_, server, strength)) in found.as_slice().iter().zip(truth) {
            assert!((found - strength).abs() < 0.04, "{server}: {found} for {strength}");
        }
        let on_graph = found.onto(&graph).unwrap();
        assert_eq!(Strengths::given(&on_graph, 0.0).unwrap(), found);
    }

    #[test]
    fn settings_are_checked() {
        let graph = ServiceGraph::new([Call::new("a", "b")]).unwrap();
        let usual = LearnStrengths::default();
        let watched = [Episodes::default(), Episodes::default()];
        assert!(usual.learn(&graph, &watched, at(0), at(1)).is_ok());
        assert!(usual.learn(&graph, &[], at(0), at(1)).is_err());
        for wrong in [usual.with_lag_minutes(0), usual.with_prior(1.2, 1.0), usual.with_prior(0.5, 0.0)] {
            assert!(wrong.learn(&graph, &watched, at(0), at(1)).is_err(), "{wrong:?}");
        }
    }
}
