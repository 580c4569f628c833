use crate::ServerError;
use forewarn_live::Input;
use forewarn_store::Store;
use std::path::Path;

/// The inputs in the journal of a store, from the oldest that it has, while a service writes it or not: what an engine
/// needs to say again what it said, or what another model would have said.
///
/// # Errors
/// [`ServerError::Store`] for a folder that is no store; then, for each record, that or [`ServerError::Record`].
pub fn journal_inputs(
    folder: impl AsRef<Path>,
) -> Result<impl Iterator<Item = Result<Input, ServerError>>, ServerError> {
    let records = Store::read_only_records(folder)?;
    Ok(records.map(|record| {
        let record = record?;
        postcard::from_bytes(&record.bytes).map_err(|source| ServerError::Record { seq: record.seq, source })
    }))
}
