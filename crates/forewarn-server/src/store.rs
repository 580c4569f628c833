//! What is kept on disk beside what a running service writes: whole small files, the journal as it is read, services
//! that change their store.

mod handover;
mod journal;
mod whole_file;

pub use handover::{Imported, StoppedService};
pub use journal::journal_inputs;
pub(crate) use whole_file::{Readers, replace};
