use crate::{
    ServiceGraph, TopologyError,
    error::{probability, same_length},
};

/// For each call of a graph, the probability that a failure of the server brings the client down.
///
/// Given in the graph's file, or learnt: see [`LearnStrengths`](crate::LearnStrengths).
#[derive(Clone, Debug, PartialEq)]
pub struct Strengths(Vec<f64>);

impl Strengths {
    /// Strength of a call that has none, unless said otherwise.
    pub const USUAL: f64 = 0.3;

    /// The strengths that the graph's calls have, and `otherwise` for those that have none.
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] unless `otherwise` is in 0..=1.
    pub fn given(graph: &ServiceGraph, otherwise: f64) -> Result<Self, TopologyError> {
        let otherwise = probability("strength", otherwise)?;
        Ok(Self(graph.edges().map(|(_, _, traffic)| traffic.strength.unwrap_or(otherwise)).collect()))
    }

    /// These strengths, one for each call in the graph's order.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`], [`TopologyError::InvalidNumber`] for one outside 0..=1.
    pub fn new(graph: &ServiceGraph, strengths: Vec<f64>) -> Result<Self, TopologyError> {
        same_length("strengths", graph.calls(), strengths.len())?;
        for ((client, server, _), &strength) in graph.edges().zip(&strengths) {
            let name = |service| graph.name(service).unwrap_or_default();
            probability(format!("strength of {} -> {}", name(client), name(server)), strength)?;
        }
        Ok(Self(strengths))
    }

    /// One for each call, in the graph's order.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The graph with these strengths on its calls, to be written to a file.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`] for a graph of another number of calls.
    pub fn onto(&self, graph: &ServiceGraph) -> Result<ServiceGraph, TopologyError> {
        same_length("strengths", graph.calls(), self.0.len())?;
        Ok(graph.with_strengths(&self.0))
    }
}
