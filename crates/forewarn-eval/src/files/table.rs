//! CSV files with named columns, whose errors name the line.

use crate::EvalError;
use csv::StringRecord;
use forewarn_core::Score;
use forewarn_schema::Timestamp;
use std::{
    borrow::Cow,
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Most rows of a file.
const MOST_ROWS: usize = 100_000_000;
/// Most bytes of a line.
const LONGEST_LINE: usize = 1 << 20;
/// Most characters of a cell that an error repeats.
const SHOWN: usize = 80;

/// Reads the file at `path`; errors name it.
pub(crate) fn open<T>(path: &Path, read: impl Fn(File) -> Result<T, EvalError>) -> Result<T, EvalError> {
    let read = File::open(path).map_err(EvalError::Open).and_then(read);
    read.map_err(|source| EvalError::File { path: path.to_owned(), source: Box::new(source) })
}

/// A CSV file that is being read.
pub(crate) struct Table<R> {
    reader: csv::Reader<ShortLines<R>>,
    header: Vec<String>,
    record: StringRecord,
    rows: usize,
}

/// One row of it.
pub(crate) struct Row<'a> {
    record: &'a StringRecord,
    line: u64,
}

impl<R: Read> Table<R> {
    pub(crate) fn open(reader: R) -> Result<Self, EvalError> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(ShortLines { reader, length: 0 });
        let header = reader
            .headers()
            .map_err(refused)?
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        Ok(Self { reader, header, record: StringRecord::new(), rows: 0 })
    }

    pub(crate) fn column(&self, column: &'static str) -> Result<usize, EvalError> {
        let found = self.header.iter().position(|name| name == column);
        found.ok_or_else(|| EvalError::MissingColumn { column, available: self.header.clone() })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, EvalError> {
        if !self.reader.read_record(&mut self.record).map_err(refused)? {
            return Ok(None);
        }
        self.rows += 1;
        if self.rows > MOST_ROWS {
            return Err(EvalError::FileTooLarge { what: "rows", limit: MOST_ROWS });
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(Row { record: &self.record, line }))
    }
}

impl Row<'_> {
    pub(crate) fn text(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or_default()
    }

    /// A name, without the apostrophe that keeps a spreadsheet from taking it for a formula.
    pub(crate) fn name(&self, index: usize) -> &str {
        let text = self.text(index);
        text.strip_prefix('\'').filter(|name| needs_apostrophe(name)).unwrap_or(text)
    }

    pub(crate) fn time(&self, index: usize, column: &'static str) -> Result<Timestamp, EvalError> {
        let text = self.text(index);
        let time = match text.parse::<i64>() {
            // Below 1e11 a number is seconds (until the year 5138), else milliseconds (from 1973).
            Ok(number) if number.unsigned_abs() < 100_000_000_000 => Timestamp::from_millis(number * 1000),
            Ok(number) => Timestamp::from_millis(number),
            Err(_) => text.parse().ok(),
        };
        time.ok_or_else(|| self.cell(index, column, "a time such as 2024-01-01T00:00:00Z"))
    }

    pub(crate) fn score(&self, index: usize) -> Result<Score, EvalError> {
        let score = self.text(index).parse::<f32>().ok().and_then(|value| Score::new(value).ok());
        score.ok_or_else(|| self.cell(index, "score", "a number in 0..=1"))
    }

    pub(crate) fn label(&self, index: usize) -> Result<bool, EvalError> {
        match self.text(index) {
            "0" => Ok(false),
            "1" => Ok(true),
            _ => Err(self.cell(index, "label", "0 or 1")),
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

/// A reader that refuses a line of any length, so that a file without an end of line is not taken into memory.
struct ShortLines<R> {
    reader: R,
    /// Bytes since the last end of line.
    length: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.length = match buffer[..read].iter().rposition(|&byte| byte == b'\n') {
            Some(end) => read - end - 1,
            None => self.length + read,
        };
        if self.length > LONGEST_LINE { Err(io::Error::other(LineTooLong)) } else { Ok(read) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a line is longer than {LONGEST_LINE} bytes")]
struct LineTooLong;

fn refused(error: csv::Error) -> EvalError {
    let is_long = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<LineTooLong>());
    match error.kind() {
        csv::ErrorKind::Io(error) if is_long(error) => {
            EvalError::FileTooLarge { what: "bytes in a line", limit: LONGEST_LINE }
        }
        _ => EvalError::Csv(error),
    }
}
