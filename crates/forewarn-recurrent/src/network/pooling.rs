use serde::{Deserialize, Serialize};

/// How the states of a window become what the head reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pooling {
    /// The state after the last minute.
    #[default]
    LastState,
    /// The mean of all states, each weighted by how much it matters, which is learnt.
    Attention,
}
