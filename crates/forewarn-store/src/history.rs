//! History: tables of rows by service and time, in daily Parquet files (feature `history`).

mod files;
mod read;
mod reader;
mod write;

pub use reader::HistoryReader;

use crate::{
    StoreError,
    disk::{Disk, RealDisk, remove},
    error::failed,
};
use files::{DAY, Kind, Piece, day_of};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Pieces of a day that are joined to one while it goes on.
const JOINED: usize = 8;

/// A table of a [`History`]: its name and the columns that its rows have beside time and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTable {
    /// Lower-case letters, digits and `_`, at most 32; part of file names.
    pub name: String,
    /// Columns of numbers.
    pub numbers: Vec<String>,
    /// Columns of text.
    pub texts: Vec<String>,
}

/// A row of a [`HistoryTable`].
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// Milliseconds since 1970, UTC.
    pub time_millis: i64,
    /// Whose row it is.
    pub service: String,
    /// One for each column of numbers, NaN where missing.
    pub numbers: Vec<f32>,
    /// One for each column of text.
    pub texts: Vec<String>,
}

/// Settings of a [`History`], checked when it is opened.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `keep_days` | days that are kept, the newest included | 90 | 1 to 36,500 |
/// | `keep_bytes` | bytes of all files; the oldest days go first | 10 GiB | 1 MiB and more |
/// | `buffer_rows` | rows of a table that wait in memory; more are refused and counted | 4,000,000 | 1,000 to 100,000,000 |
/// | `group_rows` | rows that are read at once to find one service's | 65,536 | 128 to 1,048,576 |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryOptions {
    /// Days that are kept.
    pub keep_days: u32,
    /// Bytes of all files.
    pub keep_bytes: u64,
    /// Rows of a table that wait in memory.
    pub buffer_rows: usize,
    /// Rows of a row group.
    pub group_rows: usize,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self { keep_days: 90, keep_bytes: 10 << 30, buffer_rows: 4_000_000, group_rows: 1 << 16 }
    }
}

impl HistoryOptions {
    /// Sets [`keep_days`](Self::keep_days).
    #[must_use]
    pub fn with_keep_days(self, keep_days: u32) -> Self {
        Self { keep_days, ..self }
    }

    /// Sets [`keep_bytes`](Self::keep_bytes).
    #[must_use]
    pub fn with_keep_bytes(self, keep_bytes: u64) -> Self {
        Self { keep_bytes, ..self }
    }

    /// Sets [`buffer_rows`](Self::buffer_rows).
    #[must_use]
    pub fn with_buffer_rows(self, buffer_rows: usize) -> Self {
        Self { buffer_rows, ..self }
    }

    /// Sets [`group_rows`](Self::group_rows).
    #[must_use]
    pub fn with_group_rows(self, group_rows: usize) -> Self {
        Self { group_rows, ..self }
    }

    /// Pieces of a day have smaller groups, so that a query of today reads little of each.
    fn rows_of_group(&self, kind: Kind) -> usize {
        match kind {
            Kind::Day => self.group_rows,
            Kind::Part => (self.group_rows / 8).max(128),
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let settings = [
            ("keep_days", u64::from(self.keep_days), 1..=36_500, "1 to 36500"),
            ("keep_bytes", self.keep_bytes, 1 << 20..=u64::MAX, "1048576 (1 MiB) and more"),
            ("buffer_rows", self.buffer_rows as u64, 1_000..=100_000_000, "1000 to 100000000"),
            ("group_rows", self.group_rows as u64, 128..=1 << 20, "128 to 1048576"),
        ];
        for (name, value, range, expected) in settings {
            if !range.contains(&value) {
                return Err(StoreError::Option { name, value: value.to_string(), expected });
            }
        }
        Ok(())
    }
}

/// Rows by service and time: those of finished days in one Parquet file a day and table, those of today in pieces, and
/// those of the last minutes in memory.
///
/// Rows come in order of time. [`flush`](Self::flush) writes whole minutes: a row of a time that was flushed before is
/// passed over, so after a crash the rows of a replay can be pushed again and none is there twice. A program that
/// flushes before each checkpoint loses none either: what was in memory comes again from the journal.
///
/// Files are written beside their place, synced and renamed; a crash leaves whole files only. Rows within a file are
/// in order of service, then time, so that a query reads one group of rows a day, found by its statistics.
///
/// While the disk fails, rows wait in memory up to `buffer_rows`, flushes give the error and try again, and
/// [`last_error`](Self::last_error) says so.
#[derive(Debug)]
pub struct History {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    options: HistoryOptions,
    tables: Vec<Table>,
    last_error: Option<String>,
    refused_rows: u64,
}

#[derive(Debug)]
struct Table {
    spec: HistoryTable,
    /// Files, in order of their first time.
    pieces: Vec<Piece>,
    /// Rows that are in no file, in order of time.
    buffer: Vec<HistoryRow>,
    /// All rows before this time are in files.
    until: i64,
    /// Files whose rows are elsewhere or no longer kept, and that could not be removed yet.
    stale: Vec<Piece>,
}

impl History {
    /// Opens the history in a folder of this machine, or begins one.
    ///
    /// # Errors
    /// As [`open_on`](Self::open_on).
    pub fn open(
        folder: impl AsRef<Path>,
        tables: Vec<HistoryTable>,
        options: HistoryOptions,
    ) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(RealDisk), folder.as_ref(), tables, options)
    }

    /// Opens the history in a folder of any disk, or begins one. Files that a crash left half written are removed.
    ///
    /// # Errors
    /// [`StoreError::Option`] for settings out of range and names that no file can have, [`StoreError::File`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        tables: Vec<HistoryTable>,
        options: HistoryOptions,
    ) -> Result<Self, StoreError> {
        options.check()?;
        for (index, table) in tables.iter().enumerate() {
            let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let is_new = tables[..index].iter().all(|other| other.name != table.name);
            if table.name.is_empty() || table.name.len() > 32 || !table.name.chars().all(is_fine) || !is_new {
                let expected = "1 to 32 lower-case letters, digits and _, no two the same";
                return Err(StoreError::Option { name: "table", value: table.name.clone(), expected });
            }
        }
        disk.create_folder(folder).map_err(failed(folder, "creating"))?;
        let mut found: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
        for name in disk.list(folder).map_err(failed(folder, "listing"))? {
            if files::is_temporary(&name) {
                remove(&*disk, &folder.join(&name))?;
            } else if let Some((table, piece)) = Piece::parse(&name) {
                found.entry(table.to_owned()).or_default().push(piece);
            }
        }
        let tables = tables.into_iter().map(|spec| {
            let mut pieces = found.remove(&spec.name).unwrap_or_default();
            pieces.sort_unstable();
            let until = pieces.iter().map(|piece| piece.until).max().unwrap_or(i64::MIN);
            Table { spec, pieces, buffer: Vec::new(), until, stale: Vec::new() }
        });
        let tables = tables.collect();
        let mut history =
            Self { disk, folder: folder.to_owned(), options, tables, last_error: None, refused_rows: 0 };
        (0..history.tables.len()).try_for_each(|table| history.drop_superseded(table))?;
        Ok(history)
    }

    /// Takes a row of the table with this number. Gives whether it was taken: not one of a time that was flushed
    /// before, and not one that there is no room for, which is [counted](Self::refused_rows).
    ///
    /// # Errors
    /// [`StoreError::HistoryRow`] for a table that is not there, other columns than the table's, or a row before the
    /// one that came last.
    pub fn push(&mut self, table: usize, row: HistoryRow) -> Result<bool, StoreError> {
        let refuse = |reason| Err(StoreError::HistoryRow { reason });
        let Some(table) = self.tables.get_mut(table) else { return refuse("there is no such table") };
        if row.numbers.len() != table.spec.numbers.len() || row.texts.len() != table.spec.texts.len() {
            return refuse("it has other columns than its table");
        }
        if row.time_millis < table.until {
            return Ok(false);
        }
        if table.buffer.last().is_some_and(|last| row.time_millis < last.time_millis) {
            return refuse("it is of a time before that of the row that came last");
        }
        if table.buffer.len() >= self.options.buffer_rows {
            self.refused_rows += 1;
            return Ok(false);
        }
        table.buffer.push(row);
        Ok(true)
    }

    /// Writes all rows of times before this one, joins the pieces of days that are over, and drops what is too old or
    /// too much. Call it before each checkpoint, with the row time of the minute that is closed next.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::History`]; rows stay in memory then, and the next flush tries again.
    pub fn flush(&mut self, before_millis: i64) -> Result<(), StoreError> {
        let result = (0..self.tables.len()).try_for_each(|table| {
            self.flush_table(table, before_millis)?;
            self.remove_stale(table)?;
            self.join_days(table, before_millis)?;
            self.join_parts(table)
        });
        let result = result.and_then(|()| self.retain());
        self.last_error = result.as_ref().err().map(ToString::to_string);
        result
    }

    /// Rows of a service from one time to before another, in order of time: from files and memory. A column that a file
    /// lacks is missing in its rows.
    ///
    /// # Errors
    /// [`StoreError::HistoryRow`] for a table that is not there, [`StoreError::File`], [`StoreError::History`].
    pub fn query(
        &self,
        table: usize,
        service: &str,
        (from_millis, to_millis): (i64, i64),
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let mut rows = self.reader().query(table, service, (from_millis, to_millis))?;
        // A table that is not there has been refused.
        let buffer = self.tables.get(table).map_or(&[][..], |table| &table.buffer);
        let is_in =
            |row: &&HistoryRow| row.service == service && (from_millis..to_millis).contains(&row.time_millis);
        rows.extend(buffer.iter().filter(is_in).cloned());
        Ok(rows)
    }

    /// What other threads read the files with while this one writes: the files as they are now, without the rows in
    /// memory. Take another one after each [`flush`](Self::flush).
    #[must_use]
    pub fn reader(&self) -> HistoryReader {
        let tables = self.tables.iter().map(|table| (table.spec.clone(), table.pieces.clone()));
        HistoryReader::new(Arc::clone(&self.disk), self.folder.clone(), tables.collect())
    }

    /// Rows that are in no file yet, of the table that has the most.
    #[must_use]
    pub fn waiting_rows(&self) -> usize {
        self.tables.iter().map(|table| table.buffer.len()).max().unwrap_or(0)
    }

    /// Why the last flush failed, if it did.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Rows that there was no room for.
    pub const fn refused_rows(&self) -> u64 {
        self.refused_rows
    }

    /// Bytes of all files.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let all = self.tables.iter().flat_map(|table| table.pieces.iter().map(move |piece| (table, piece)));
        all.map(|(table, piece)| self.size(table, piece)).sum()
    }

    /// The first and last day that a table has files of, in days since 1970.
    pub fn days(&self, table: usize) -> Option<(i64, i64)> {
        let pieces = &self.tables.get(table)?.pieces;
        Some((pieces.first()?.day(), pieces.iter().map(Piece::day).max()?))
    }

    fn size(&self, table: &Table, piece: &Piece) -> Result<u64, StoreError> {
        let path = self.folder.join(piece.name(&table.spec.name));
        let file = self.disk.open(&path, crate::disk::Access::Read).map_err(failed(&path, "opening"));
        file?.size().map_err(failed(&path, "reading"))
    }

    /// Writes the buffered rows before a time, a piece for each day.
    fn flush_table(&mut self, table: usize, before_millis: i64) -> Result<(), StoreError> {
        let Self { disk, folder, options, tables, .. } = self;
        let table = &mut tables[table];
        loop {
            let Some(first) = table.buffer.first().map(|row| row.time_millis) else { return Ok(()) };
            let day_end = (day_of(first) + 1) * DAY;
            let end = before_millis.min(day_end);
            let count = table.buffer.partition_point(|row| row.time_millis < end);
            if count == 0 {
                return Ok(());
            }
            let piece = Piece { from: first, until: end, kind: Kind::Part };
            let path = folder.join(piece.name(&table.spec.name));
            table.buffer[..count]
                .sort_by(|a, b| (&a.service, a.time_millis).cmp(&(&b.service, b.time_millis)));
            let written =
                write::file(&**disk, &path, &table.spec, options.rows_of_group(Kind::Part), |out| {
                    table.buffer[..count].iter().try_for_each(|row| out.push(row))
                });
            if written.is_err() {
                // They wait in the order in which they came.
                table.buffer[..count].sort_by_key(|row| row.time_millis);
            }
            written?;
            table.buffer.drain(..count);
            table.until = end;
            table.pieces.push(piece);
            table.pieces.sort_unstable();
        }
    }

    /// Joins the pieces of each day that is over to one file.
    fn join_days(&mut self, table: usize, before_millis: i64) -> Result<(), StoreError> {
        loop {
            let Table { pieces, .. } = &self.tables[table];
            let is_over = |piece: &&Piece| (piece.day() + 1) * DAY <= before_millis;
            let open = pieces.iter().filter(is_over).find(|piece| piece.kind == Kind::Part);
            let Some(day) = open.map(Piece::day) else { return Ok(()) };
            let parts: Vec<Piece> = pieces.iter().filter(|piece| piece.day() == day).copied().collect();
            self.join(table, &parts, Kind::Day)?;
        }
    }

    /// Joins the last pieces of a day that goes on, as soon as there are [`JOINED`] that are no more than that many
    /// times as long as the last: a day has few pieces however often it is flushed, and each row is written again only
    /// a few times.
    fn join_parts(&mut self, table: usize) -> Result<(), StoreError> {
        loop {
            let pieces = &self.tables[table].pieces;
            let Some(last) = pieces.last().filter(|last| last.kind == Kind::Part) else { return Ok(()) };
            let most = (last.until - last.from).saturating_mul(JOINED as i64);
            let is_alike = |piece: &&Piece| {
                piece.kind == Kind::Part && piece.day() == last.day() && piece.until - piece.from < most
            };
            let alike = pieces.iter().rev().take_while(is_alike).count();
            if alike < JOINED {
                return Ok(());
            }
            let parts = pieces[pieces.len() - alike..].to_vec();
            self.join(table, &parts, Kind::Part)?;
        }
    }

    /// Writes one file with the rows of some pieces of one day, and drops these.
    fn join(&mut self, table: usize, parts: &[Piece], kind: Kind) -> Result<(), StoreError> {
        let (Some(from), Some(until)) =
            (parts.iter().map(|piece| piece.from).min(), parts.iter().map(|piece| piece.until).max())
        else {
            return Ok(());
        };
        let spec = &self.tables[table].spec;
        let whole = Piece { from, until, kind };
        let path = self.folder.join(whole.name(&spec.name));
        let mut sources = Vec::new();
        for part in parts {
            let path = self.folder.join(part.name(&spec.name));
            sources.push(read::Services::open(&*self.disk, &path, spec)?);
        }
        write::file(&*self.disk, &path, spec, self.options.rows_of_group(kind), |out| {
            read::merge(&mut sources, |rows| rows.iter().try_for_each(|row| out.push(row)))
        })?;
        drop(sources);
        self.tables[table].pieces.push(whole);
        self.tables[table].pieces.sort_unstable();
        self.drop_superseded(table)
    }

    /// Removes pieces whose rows are in another: in the file of their day, or in one that was written again over a
    /// longer time after the first try had failed at its end.
    fn drop_superseded(&mut self, table: usize) -> Result<(), StoreError> {
        let Table { pieces, stale, .. } = &mut self.tables[table];
        let is_in = |piece: &Piece, other: &Piece| {
            let is_within = other.from <= piece.from && piece.until <= other.until;
            let is_longer = (other.from, other.until) != (piece.from, piece.until);
            is_within && piece != other && (is_longer || other.kind == Kind::Day)
        };
        let (superseded, kept): (Vec<Piece>, Vec<Piece>) =
            pieces.iter().copied().partition(|piece| pieces.iter().any(|other| is_in(piece, other)));
        *pieces = kept;
        stale.extend(superseded);
        self.remove_stale(table)
    }

    /// Tries to remove the files that are no longer needed.
    fn remove_stale(&mut self, table: usize) -> Result<(), StoreError> {
        let Self { disk, folder, tables, .. } = self;
        let Table { spec, stale, .. } = &mut tables[table];
        while let Some(piece) = stale.last() {
            remove(&**disk, &folder.join(piece.name(&spec.name)))?;
            stale.pop();
        }
        Ok(())
    }

    /// Drops the oldest days while there are too many or they are too large.
    fn retain(&mut self) -> Result<(), StoreError> {
        loop {
            let pieces = || self.tables.iter().flat_map(|table| &table.pieces);
            let (Some(oldest), Some(newest)) =
                (pieces().map(Piece::day).min(), pieces().map(Piece::day).max())
            else {
                return Ok(());
            };
            let is_old = newest - oldest >= i64::from(self.options.keep_days);
            // The newest day stays, however large it is.
            if !is_old && (oldest == newest || self.bytes()? <= self.options.keep_bytes) {
                return Ok(());
            }
            for table in &mut self.tables {
                table.stale.extend(table.pieces.iter().filter(|piece| piece.day() == oldest));
                table.pieces.retain(|piece| piece.day() != oldest);
            }
            (0..self.tables.len()).try_for_each(|table| self.remove_stale(table))?;
        }
    }
}
