use crate::ServerError;
use crate::runtime::{Clock, Handle, Reporter, Stop};
use forewarn_schema::{Schema, Step, Timestamp};
use std::{collections::BTreeSet, sync::Arc};

/// Gets rows or samples from somewhere and sends them to the engine. It runs on a thread of its own and may block.
///
/// It reports that it is [down](forewarn_live::SourceStatus), partial or up again as an
/// [`Input::Source`](forewarn_live::Input::Source), under its name, and goes on trying: an error ends the whole
/// service, and is only for what no later try can change.
///
/// `runtime::conformance` (feature `conformance`) checks the laws that each keeps, in the tests of your own.
pub trait Source: Send {
    /// Its name: unique in a service.
    fn name(&self) -> &str;

    /// Runs until there is nothing more, or it is asked to stop.
    ///
    /// # Errors
    /// [`ServerError`], which ends the service.
    fn run(&mut self, context: &SourceContext) -> Result<(), ServerError>;
}

/// What a source has.
#[derive(Clone)]
#[non_exhaustive]
pub struct SourceContext {
    /// Sends inputs under the source's name.
    pub handle: Handle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Asks it to end.
    pub stop: Stop,
    /// Tells the operator.
    pub reporter: Reporter,
    /// Metrics of a row, in order.
    pub metrics: Schema,
    /// Time between two rows.
    pub step: Step,
    /// What the journal has already.
    pub resume: Arc<Resume>,
}

/// What a journal had when the service was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resume {
    /// The minute that is closed next: earlier ones are closed for good. `None` before anything came.
    pub next: Option<Timestamp>,
    /// Rows after the last advance of the clock: time and service.
    pub taken: BTreeSet<(Timestamp, String)>,
}
