use crate::fleet::FaultId;
use forewarn_schema::Episode;
use serde::Serialize;

/// One failure episode with why it happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// The service that failed, by its position in the graph.
    pub service: usize,
    /// When.
    pub episode: Episode,
    /// Every fault but for which it would not have happened, in the order in which they began. Empty where no single
    /// fault was needed: chance, or more than enough of everything.
    pub causes: Vec<FaultId>,
    /// The one of them that counts as the root: the last to begin, routine only if there is nothing else.
    pub root: Option<FaultId>,
    /// The service that the root fault struck.
    pub root_service: Option<usize>,
    /// The failure that this one followed from, by its position in [`failures`](crate::fleet::Causes::failures): a
    /// neighbour in the graph that failed before of the same root. `None` where the fault itself did it.
    pub parent: Option<usize>,
}
