//! CSV files with named columns, whose errors name the line.

use crate::EvalError;
use forewarn_core::{
    Score,
    table::{self, TableSettings},
};
use forewarn_schema::Timestamp;
use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Most rows of a file.
const MOST_ROWS: u64 = 100_000_000;
/// Most characters of a cell that an error repeats.
const SHOWN: usize = 80;

/// Reads the file at `path`, or standard input for `-`; errors name it.
pub(crate) fn open<T>(
    path: &Path,
    read: impl Fn(Box<dyn Read>) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let read = match path == Path::new("-") {
        true => read(Box::new(io::stdin().lock())),
        false => File::open(path).map_err(EvalError::Open).and_then(|file| read(Box::new(file))),
    };
    read.map_err(|source| EvalError::File { path: path.to_owned(), source: Box::new(source) })
}

/// Usual names of the columns, the likeliest first.
pub(crate) const SERVICE: &[&str] =
    &["service", "service_name", "app", "pod", "host", "instance", "node", "job"];
pub(crate) const TIME: &[&str] = &["timestamp", "time", "_time", "@timestamp", "datetime", "date", "ts"];
pub(crate) const SCORE: &[&str] =
    &["score", "probability", "prob", "proba", "prediction", "predicted", "anomaly_score", "p"];
pub(crate) const ONSET: &[&str] = &["onset", "start", "start_time", "started_at", "begin", "from"];
pub(crate) const END: &[&str] = &["end", "end_time", "ended_at", "resolved_at", "finish", "until", "to"];

/// The service of all rows where no column names one.
const ONE_SERVICE: &str = "service";

/// A CSV file that is being read.
pub(crate) struct Table<R> {
    table: table::Table<R>,
}

/// One row of it.
pub(crate) struct Row<'a, R> {
    table: &'a table::Table<R>,
    line: u64,
}

impl<R: Read> Table<R> {
    pub(crate) fn open(reader: R) -> Result<Self, EvalError> {
        let settings = TableSettings::default().with_max_rows(MOST_ROWS);
        Ok(Self { table: table::Table::open(reader, &settings).map_err(EvalError::Csv)? })
    }

    /// The column of the first of these names that there is, in any case and with blanks for underscores.
    pub(crate) fn column(&self, names: &[&'static str]) -> Result<usize, EvalError> {
        let words = |name: &str| name.to_lowercase().replace([' ', '-', '_'], "");
        let found = self.table.column(names).or_else(|| {
            let named =
                |name: &&str| self.table.header().iter().position(|found| words(found) == words(name));
            names.iter().find_map(named)
        });
        let missing = || EvalError::MissingColumn {
            column: names.first().copied().unwrap_or_default(),
            available: self.table.header().to_vec(),
        };
        found.ok_or_else(missing)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row<'_, R>>, EvalError> {
        if !self.table.advance().map_err(EvalError::Csv)? {
            return Ok(None);
        }
        if let Some(column) = self.table.cells().position(|cell| str::from_utf8(cell).is_err()) {
            return Err(EvalError::Csv(self.table.invalid(column)));
        }
        let line = self.table.line();
        Ok(Some(Row { table: &self.table, line }))
    }
}

impl<R: Read> Row<'_, R> {
    pub(crate) fn text(&self, index: usize) -> &str {
        // All cells are known to be UTF-8.
        self.table.text(index).unwrap_or_default()
    }

    /// A name, without the apostrophe that keeps a spreadsheet from taking it for a formula.
    pub(crate) fn name(&self, index: usize) -> &str {
        let text = self.text(index);
        text.strip_prefix('\'').filter(|name| needs_apostrophe(name)).unwrap_or(text)
    }

    /// The service of the row; that of all rows where there is no column of services.
    pub(crate) fn service(&self, index: Option<usize>) -> &str {
        index.map_or(ONE_SERVICE, |index| self.name(index))
    }

    /// A time: RFC 3339, a date and a time of day in UTC, or a number since 1970.
    pub(crate) fn time(&self, index: usize, column: &'static str) -> Result<Timestamp, EvalError> {
        let text = self.text(index);
        let time = match text.parse::<f64>() {
            // Below 1e11 a number is seconds (until the year 5138), else milliseconds (from 1973).
            Ok(number) if number.is_nan() || number.abs() > 1e15 => None,
            Ok(number) if number.abs() < 1e11 => Timestamp::from_millis((number * 1000.0).round() as i64),
            Ok(number) => Timestamp::from_millis(number as i64),
            Err(_) => text.parse().ok().or_else(|| without_zone(text)),
        };
        time.ok_or_else(|| self.cell(index, column, "a time such as 2024-01-01T00:00:00Z"))
    }

    /// The score; `None` where it is missing.
    pub(crate) fn score(&self, index: usize) -> Result<Option<Score>, EvalError> {
        let text = self.text(index);
        if table::is_missing(text) {
            return Ok(None);
        }
        let decimal = self.table.dialect().decimal;
        let value = match text.strip_suffix('%') {
            Some(percent) => table::number(percent, decimal).map(|value| (value / 100.0) as f32),
            None => table::number_f32(text, decimal),
        };
        let score = value.ok().and_then(|value| Score::new(value).ok());
        score.map(Some).ok_or_else(|| self.cell(index, "score", "a number in 0..=1"))
    }

    /// The label; `None` where it is missing.
    pub(crate) fn label(&self, index: usize) -> Result<Option<bool>, EvalError> {
        let text = self.text(index);
        match table::flag(text) {
            None if table::is_missing(text) => Ok(None),
            None => Err(self.cell(index, "label", "0 or 1, or yes or no")),
            label => Ok(label),
        }
    }

    /// What is wrong with this row, with its line.
    pub(crate) fn error(&self, source: EvalError) -> EvalError {
        EvalError::Row { line: self.line, source: Box::new(source) }
    }

    fn cell(&self, index: usize, column: &'static str, expected: &'static str) -> EvalError {
        EvalError::Cell {
            line: self.line,
            column,
            text: self.text(index).chars().take(SHOWN).collect(),
            expected,
        }
    }
}

/// A name as a cell, such that a spreadsheet takes it for text: an apostrophe goes before what begins a formula, and
/// before an apostrophe, so that [`Row::name`] gives the name back.
pub(crate) fn cell_of(name: &str) -> Cow<'_, str> {
    if needs_apostrophe(name) { format!("'{name}").into() } else { name.into() }
}

fn needs_apostrophe(name: &str) -> bool {
    name.starts_with(['=', '+', '-', '@', '\t', '\r', '\''])
}

/// The time that a clock of UTC shows.
fn without_zone(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let seconds = if time.len() == "00:00".len() { ":00" } else { "" };
    let has_zone = time.contains(['Z', 'z', '+', '-']);
    let zone = if has_zone { "" } else { "Z" };
    format!("{date}T{}{seconds}{zone}", time.trim()).parse().ok()
}
