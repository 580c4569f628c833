//! Sources: where the inputs of an engine come from.

mod file;
mod simulator;

pub(crate) use file::FileSource;
pub(crate) use simulator::SimulatorSource;

use crate::ServerError;
use forewarn_schema::Timestamp;

/// The rows of one minute.
pub(crate) struct Minute {
    /// Row time.
    pub(crate) time: Timestamp,
    /// Service and values in the order of the model's metrics, for each service that has a row, in order of name.
    pub(crate) rows: Vec<(String, Vec<f32>)>,
}

/// Gives minutes in order of time. The same minutes, in the same order, whenever it is asked from the beginning.
pub(crate) trait Source {
    /// The next minute; `None` at the end.
    fn next(&mut self) -> Result<Option<Minute>, ServerError>;

    /// Whether more may come after the end.
    fn is_followed(&self) -> bool {
        false
    }
}
