//! Reading a history beside the thread that writes it.

use super::{HistoryRow, HistoryTable, files::Piece, read};
use crate::{StoreError, disk::Disk};
use std::{path::PathBuf, sync::Arc};

/// The files of a [`History`](super::History) as they were when it was taken: for threads that read while another one
/// writes. A clone shares them.
///
/// A file that has been joined with others since, or is too old to be kept, is gone: a query gives the error of the
/// system then, and one with a newer reader finds the rows.
#[derive(Clone, Debug)]
pub struct HistoryReader {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    tables: Vec<(HistoryTable, Vec<Piece>)>,
}

impl HistoryReader {
    pub(super) fn new(disk: Arc<dyn Disk>, folder: PathBuf, tables: Vec<(HistoryTable, Vec<Piece>)>) -> Self {
        Self { inner: Arc::new(Inner { disk, folder, tables }) }
    }

    /// Rows of a service from one time to before another, in order of time. A column that a file lacks is missing in
    /// its rows.
    ///
    /// # Errors
    /// [`StoreError::HistoryRow`] for a table that is not there, [`StoreError::File`], [`StoreError::History`].
    pub fn query(
        &self,
        table: usize,
        service: &str,
        span: (i64, i64),
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let read = |(path, spec): (PathBuf, &HistoryTable)| {
            read::of_service(&*self.inner.disk, &path, spec, service)
        };
        self.collect(table, span, read)
    }

    /// Rows of all services from one time to before another, in order of time: for tables of few rows.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub fn query_all(&self, table: usize, span: (i64, i64)) -> Result<Vec<HistoryRow>, StoreError> {
        let read = |(path, spec): (PathBuf, &HistoryTable)| {
            let mut rows = Vec::new();
            let mut source = [read::Services::open(&*self.inner.disk, &path, spec)?];
            read::merge(&mut source, |some| {
                rows.extend_from_slice(some);
                Ok(())
            })?;
            Ok(rows)
        };
        self.collect(table, span, read)
    }

    fn collect(
        &self,
        table: usize,
        (from_millis, to_millis): (i64, i64),
        read: impl Fn((PathBuf, &HistoryTable)) -> Result<Vec<HistoryRow>, StoreError>,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let Some((spec, pieces)) = self.inner.tables.get(table) else {
            return Err(StoreError::HistoryRow { reason: "there is no such table" });
        };
        let mut rows = Vec::new();
        for piece in pieces.iter().filter(|piece| piece.from < to_millis && piece.until > from_millis) {
            rows.extend(read((self.inner.folder.join(piece.name(&spec.name)), spec))?);
        }
        rows.retain(|row| (from_millis..to_millis).contains(&row.time_millis));
        rows.sort_by_key(|row| row.time_millis);
        Ok(rows)
    }

    /// First and last time, in milliseconds, that a table may have rows of; the last is not among them. `None` without
    /// any file.
    #[must_use]
    pub fn span(&self, table: usize) -> Option<(i64, i64)> {
        let (_, pieces) = self.inner.tables.get(table)?;
        let from = pieces.iter().map(|piece| piece.from).min()?;
        Some((from, pieces.iter().map(|piece| piece.until).max()?))
    }
}
