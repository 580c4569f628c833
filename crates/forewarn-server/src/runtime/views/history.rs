//! The history on disk: a thread that keeps events as daily Parquet files, and what the API reads of them.
//!
//! The engine's thread hands events over and never waits. Before each checkpoint the rows of closed minutes are
//! written, so that what a crash takes comes again from the journal; [`History`] passes over what is in its files.

mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use writer::HistoryWriter;

use crate::runtime::MinuteBlock;
use forewarn_live::Event;
use forewarn_schema::Timestamp;
use forewarn_store::{HistoryReader, StoreError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tables::Tables;

#[cfg(doc)]
use forewarn_store::History;

/// What is on disk of the time before that in memory: rows and scores by service, and warnings, incidents, failures
/// and entries of the ledger. Reading blocks.
#[derive(Debug)]
pub struct Past {
    tables: Tables,
    current: Mutex<Current>,
    /// Held while files are written, joined and dropped, until readers are told.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Current {
    reader: HistoryReader,
    /// Number of the reader: files of an older one may be gone.
    generation: u64,
    error: Option<String>,
    lost: u64,
}

/// What happened, apart from rows and scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// Warnings.
    Warnings,
    /// Incidents.
    Incidents,
    /// Failures.
    Failures,
    /// Entries of the ledger.
    Outcomes,
}

impl Past {
    /// The rows and scores of a service from one time to before another, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the files cannot be read.
    pub fn minutes(
        &self,
        service: &str,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<MinuteBlock>, StoreError> {
        let span = (span.0.millis(), span.1.millis());
        let (rows, scores) = self.read(|reader| {
            Ok((reader.query(Tables::ROWS, service, span)?, reader.query(Tables::SCORES, service, span)?))
        })?;
        Ok(self.tables.minutes(rows, scores))
    }

    /// Events of one kind from one time to before another, of a service or of all, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the files cannot be read.
    pub fn events(
        &self,
        what: Happened,
        service: Option<&str>,
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<Event>, StoreError> {
        let (table, span) = (Tables::of(what), (span.0.millis(), span.1.millis()));
        let rows = self.read(|reader| match service {
            Some(service) => reader.query(table, service, span),
            None => reader.query_all(table, span),
        })?;
        Ok(rows.iter().filter_map(tables::event).collect())
    }

    /// First row time on disk, and the first time after the last; `None` while there is no file.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let (from, until) = self.current().reader.span(Tables::ROWS)?;
        Some((Timestamp::from_millis(from)?, Timestamp::from_millis(until)?))
    }

    /// Why the last rows could not be written, if so: they wait in memory.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.current().error.clone()
    }

    /// Rows that there was no room for.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.current().lost
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads; once more where files were joined or dropped meanwhile.
    fn read<T>(&self, read: impl Fn(&HistoryReader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        loop {
            let (reader, generation) = {
                let current = self.current();
                (current.reader.clone(), current.generation)
            };
            let found = read(&reader);
            if found.is_err() {
                // A file that is gone was joined with others, of which readers hear at the end of the writing.
                drop(self.writing.lock().unwrap_or_else(PoisonError::into_inner));
                if self.current().generation != generation {
                    continue;
                }
            }
            return found;
        }
    }
}
