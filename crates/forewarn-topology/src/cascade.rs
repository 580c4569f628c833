use crate::{
    ServiceGraph, Strengths, TopologyError,
    error::{probability, same_length},
    graph::Components,
};
use serde::Serialize;

mod blast;
mod bound;
mod exact;
mod worlds;

pub use worlds::Worlds;

/// How failures spread: a failed server brings each of its clients down with the strength of the call, independently.
///
/// A service fails on its own with some probability, or because a server that it calls failed and the call passed
/// that on; so a service is down exactly when a chain of calls that pass failures on leads from it to a service that
/// failed on its own. For one client this is a noisy-or of its servers; over the whole graph it is the independent
/// cascade model, which is defined on cycles too. The chance that at least one such chain exists is two-terminal
/// network reliability, which takes exponential time in general, hence two [`CascadeMethod`]s.
///
/// ```
/// use forewarn_topology::{Call, Cascade, CascadeMethod, ServiceGraph, Strengths};
///
/// let graph = ServiceGraph::new([
///     Call::new("gateway", "auth").with_strength(0.5),
///     Call::new("gateway", "user").with_strength(0.5),
///     Call::new("auth", "database").with_strength(0.8),
///     Call::new("user", "database").with_strength(0.8),
/// ])?;
/// let cascade = Cascade::new(&graph, &Strengths::given(&graph, 0.3)?)?;
/// let (database, gateway) = (graph.index_of("database")?, graph.index_of("gateway")?);
///
/// // Two ways of 0.4 each: 1 - 0.6 * 0.6.
/// let risk = cascade.risk_of(database, CascadeMethod::Exact)?[gateway];
/// assert!((risk.value - 0.64).abs() < 1e-12 && risk.standard_error == 0.0);
/// # Ok::<(), forewarn_topology::TopologyError>(())
/// ```
///
/// # References
/// J. Pearl, *Probabilistic Reasoning in Intelligent Systems*, 1988, section 4.3 (noisy-or). D. Kempe, J. Kleinberg,
/// E. Tardos, *Maximizing the spread of influence through a social network*, KDD 2003 (independent cascades and their
/// live-edge graphs). M. O. Ball, *Computational complexity of network reliability analysis*, IEEE Transactions on
/// Reliability 35, 1986.
#[derive(Clone, Debug)]
pub struct Cascade {
    graph: ServiceGraph,
    strengths: Vec<f64>,
    components: Components,
}

/// A probability or an expectation, and how uncertain it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CascadeEstimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error; 0 where the value is exact.
    pub standard_error: f64,
}

impl CascadeEstimate {
    fn exact(value: f64) -> Self {
        Self { value, standard_error: 0.0 }
    }
}

/// How a probability is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CascadeMethod {
    /// By all ways in which a failure can spread, put together round by round. Refuses a question that takes more
    /// than [`EXACT_STEPS`](Self::EXACT_STEPS) steps: a dozen services that all call one another are fine, as are
    /// several dozen in layers of a few.
    Exact,
    /// By Monte-Carlo.
    Worlds(Worlds),
    /// Exact for graphs of up to [`AUTO_SERVICES`](Self::AUTO_SERVICES) services where it takes up to
    /// [`AUTO_STEPS`](Self::AUTO_STEPS) steps a service, Monte-Carlo for any other.
    Auto(Worlds),
}

impl Default for CascadeMethod {
    fn default() -> Self {
        Self::Auto(Worlds::default())
    }
}

impl CascadeMethod {
    /// Steps that one exact answer may take: some seconds.
    pub const EXACT_STEPS: usize = 1 << 22;
    /// Services up to which [`Auto`](Self::Auto) tries to be exact.
    pub const AUTO_SERVICES: usize = 64;
    /// Steps that an exact answer may take in [`Auto`](Self::Auto): some milliseconds.
    pub const AUTO_STEPS: usize = 1 << 14;
}

/// Which way a chain of calls is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    /// From clients to servers.
    Servers,
    /// From servers to clients.
    Clients,
}

impl Cascade {
    /// The cascades of a graph with these strengths. Linear in services and calls.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`] for strengths of another graph.
    pub fn new(graph: &ServiceGraph, strengths: &Strengths) -> Result<Self, TopologyError> {
        same_length("strengths", graph.calls(), strengths.as_slice().len())?;
        let components = graph.servers_first();
        Ok(Self { graph: graph.clone(), strengths: strengths.as_slice().to_vec(), components })
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &ServiceGraph {
        &self.graph
    }

    /// For every service, the probability that a failure of `server` brings it down; 1 for `server` itself.
    ///
    /// # Errors
    /// [`TopologyError::UnknownService`], [`TopologyError::TooManyOutcomes`] for [`CascadeMethod::Exact`].
    pub fn risk_of(
        &self,
        server: usize,
        method: CascadeMethod,
    ) -> Result<Vec<CascadeEstimate>, TopologyError> {
        self.expect_service(server)?;
        self.by(
            method,
            |limit| {
                let outcomes = self.reached(server, Towards::Clients, limit)?;
                Ok(outcomes.marginals(self.graph.len()).into_iter().map(CascadeEstimate::exact).collect())
            },
            |worlds| self.sampled_risk_of(server, worlds),
        )
    }

    /// For every service, the probability that it fails, given the probability of each to fail on its own.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`], [`TopologyError::InvalidNumber`] for a number that is not a probability,
    /// [`TopologyError::TooManyOutcomes`] for [`CascadeMethod::Exact`].
    pub fn failure_probabilities(
        &self,
        own: &[f64],
        method: CascadeMethod,
    ) -> Result<Vec<CascadeEstimate>, TopologyError> {
        self.expect_probabilities(own)?;
        self.by(
            method,
            |limit| {
                let probability = |service| {
                    let outcomes = self.reached(service, Towards::Servers, limit)?;
                    Ok(CascadeEstimate::exact(1.0 - outcomes.none_of(own)))
                };
                (0..self.graph.len()).map(probability).collect()
            },
            |worlds| self.sampled_failures(own, worlds),
        )
    }

    /// For every service, how many other services its failure is expected to bring down. Sampled standard errors are
    /// those that the worlds show: what happened in none of them shows none.
    ///
    /// # Errors
    /// [`TopologyError::TooManyOutcomes`] for [`CascadeMethod::Exact`].
    pub fn blast_radii(&self, method: CascadeMethod) -> Result<Vec<CascadeEstimate>, TopologyError> {
        self.by(
            method,
            |limit| {
                let radius = |server| {
                    let outcomes = self.reached(server, Towards::Clients, limit)?;
                    Ok(CascadeEstimate::exact(outcomes.expected_size() - 1.0))
                };
                (0..self.graph.len()).map(radius).collect()
            },
            |worlds| self.sampled_blast_radii(worlds),
        )
    }

    /// An upper bound of [`failure_probabilities`](Self::failure_probabilities) in one pass over the calls: every
    /// client takes its servers for independent.
    ///
    /// ```text
    /// P(i) = 1 - (1 - own(i)) * product over servers j of (1 - strength(i, j) * P(j))
    /// ```
    ///
    /// Equal to the probability where no two ways lead from one service to another, too high where servers share a
    /// cause or stand on a cycle. Cycles are iterated from below until nothing moves by more than 1e-12, at most a
    /// thousand times.
    ///
    /// # Errors
    /// As [`failure_probabilities`](Self::failure_probabilities).
    pub fn failure_bounds(&self, own: &[f64]) -> Result<Vec<f64>, TopologyError> {
        self.expect_probabilities(own)?;
        Ok(self.bounds(own))
    }

    /// For every service the probability that its servers bring it down, whatever it does itself, from
    /// [`failure_bounds`](Self::failure_bounds): `1 - product over servers j of (1 - strength(i, j) * P(j))`.
    ///
    /// # Errors
    /// As [`failure_bounds`](Self::failure_bounds).
    pub fn risks_from_servers(&self, own: &[f64]) -> Result<Vec<f64>, TopologyError> {
        let failing = self.failure_bounds(own)?;
        Ok((0..self.graph.len()).map(|client| 1.0 - self.spared(client, &failing)).collect())
    }

    /// The answer by a method.
    fn by(
        &self,
        method: CascadeMethod,
        exact: impl Fn(usize) -> Result<Vec<CascadeEstimate>, TopologyError>,
        sampled: impl Fn(Worlds) -> Vec<CascadeEstimate>,
    ) -> Result<Vec<CascadeEstimate>, TopologyError> {
        match method {
            CascadeMethod::Exact => exact(CascadeMethod::EXACT_STEPS),
            CascadeMethod::Worlds(worlds) => Ok(sampled(worlds)),
            CascadeMethod::Auto(worlds) if self.graph.len() > CascadeMethod::AUTO_SERVICES => {
                Ok(sampled(worlds))
            }
            CascadeMethod::Auto(worlds) => match exact(CascadeMethod::AUTO_STEPS) {
                Err(TopologyError::TooManyOutcomes { .. }) => Ok(sampled(worlds)),
                answer => answer,
            },
        }
    }

    fn expect_service(&self, service: usize) -> Result<(), TopologyError> {
        if service < self.graph.len() {
            return Ok(());
        }
        let available = self.graph.services().map(str::to_owned).collect();
        Err(TopologyError::UnknownService { service: format!("number {service}"), available })
    }

    fn expect_probabilities(&self, own: &[f64]) -> Result<(), TopologyError> {
        same_length("failure probabilities", self.graph.len(), own.len())?;
        for (name, &own) in self.graph.services().zip(own) {
            if !(0.0..=1.0).contains(&own) {
                probability(format!("failure probability of {name}"), own)?;
            }
        }
        Ok(())
    }

    /// The calls of a service in one direction: who is at the other end, and which call it is.
    fn neighbours(&self, service: usize, towards: Towards) -> impl Iterator<Item = (usize, usize)> + '_ {
        let made = if towards == Towards::Servers { self.graph.calls_by(service) } else { 0..0 };
        let taken = if towards == Towards::Clients { self.graph.calls_to(service) } else { &[] };
        let made = made.map(|call| (self.graph.ends(call)[1], call));
        made.chain(taken.iter().map(|&call| (self.graph.ends(call as usize)[0], call as usize)))
    }
}

#[cfg(test)]
mod tests;
