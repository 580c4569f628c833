//! CSV files with named columns, whose errors name the line.

use crate::EvalError;
use csv::StringRecord;
use forewarn_core::Score;
use forewarn_schema::Timestamp;
use std::{fs::File, io::Read, path::Path};

/// Reads the file at `path`; errors name it.
pub(crate) fn open<T>(path: &Path, read: impl Fn(File) -> Result<T, EvalError>) -> Result<T, EvalError> {
    let read = File::open(path).map_err(EvalError::Open).and_then(read);
    read.map_err(|source| EvalError::File { path: path.to_owned(), source: Box::new(source) })
}

/// A CSV file that is being read.
pub(crate) struct Table<R> {
    reader: csv::Reader<R>,
    header: Vec<String>,
    record: StringRecord,
}

/// One row of it.
pub(crate) struct Row<'a> {
    record: &'a StringRecord,
    line: u64,
}

impl<R: Read> Table<R> {
    pub(crate) fn open(reader: R) -> Result<Self, EvalError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        let header =
            reader.headers()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        Ok(Self { reader, header, record: StringRecord::new() })
    }

    pub(crate) fn column(&self, column: &'static str) -> Result<usize, EvalError> {
        let found = self.header.iter().position(|name| name == column);
        found.ok_or_else(|| EvalError::MissingColumn { column, available: self.header.clone() })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, EvalError> {
        if !self.reader.read_record(&mut self.record)? {
            return Ok(None);
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(Some(Row { record: &self.record, line }))
    }
}

impl Row<'_> {
    pub(crate) fn text(&self, index: usize) -> &str {
        self.record.get(index).unwrap_or_default()
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
        EvalError::Cell { line: self.line, column, text: self.text(index).to_owned(), expected }
    }
}
