//! The bound that takes servers for independent.

use super::Cascade;

/// Iterations after which a cycle is left as it is: near the point where failures feed on themselves they converge
/// slowly.
const ITERATIONS: usize = 1000;
const SETTLED: f64 = 1e-12;

impl Cascade {
    pub(super) fn bounds(&self, own: &[f64]) -> Vec<f64> {
        let mut failing = own.to_vec();
        for component in self.components.iter() {
            for _ in 0..ITERATIONS {
                let mut moved: f64 = 0.0;
                for &client in component {
                    let probability = 1.0 - (1.0 - own[client]) * self.spared(client, &failing);
                    moved = moved.max((probability - failing[client]).abs());
                    failing[client] = probability;
                }
                if component.len() == 1 || moved <= SETTLED {
                    break;
                }
            }
        }
        failing
    }

    /// Probability that no server brings a client down, servers taken for independent.
    pub(super) fn spared(&self, client: usize, failing: &[f64]) -> f64 {
        let calls = self.graph.calls_by(client);
        calls.map(|call| 1.0 - self.strengths[call] * failing[self.graph.ends(call)[1]]).product()
    }
}
