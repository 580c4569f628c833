//! Tables of text as other programs write them: rows of cells under a header, with line numbers and limits.
//!
//! A [`Table`] finds out the separator, copes with byte order marks, quotes, comments and line ends of any kind, and
//! refuses what has no end. It gives text; what a cell means is its caller's business, for which [`number`], [`flag`]
//! and [`is_missing`] are the common words.
//!
//! ```
//! use forewarn_core::table::{Table, TableSettings};
//!
//! let text = "Source;Target;Weight\nweb;api;3\n";
//! let mut table = Table::open(text.as_bytes(), &TableSettings::default())?;
//! let client = table.column(&["client", "source", "caller"]);
//! assert_eq!(client, Some(0));
//! assert!(table.advance()?);
//! assert_eq!((table.line(), table.text(1)?), (2, "api"));
//! assert!(!table.advance()?);
//! # Ok::<(), forewarn_core::table::TableError>(())
//! ```

mod cell;
mod content;
mod dialect;
mod error;
mod guard;
mod packed;
mod rows;
pub(crate) mod text_file;
mod time;

pub use cell::{NotANumber, flag, is_missing, number, number_f32};
pub use content::{Content, PREFIX_BYTES, sniff, take_prefix};
pub use dialect::{Decimal, Dialect};
pub use error::TableError;
pub use guard::ROW_LIMIT_BYTES;
pub use packed::{Unpacked, unpack};
pub use rows::{SeenRows, TableRows};
pub use time::{
    DateOrder, EpochUnit, Moment, ShownOrder, TimeReader, UnknownZone, is_compact_date, is_text_time,
    shown_order,
};

use csv::{ByteRecord, ReaderBuilder, Terminator};
use guard::Guard;
use std::io::{Cursor, Read};

/// How a table is to be read, where that is not to be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSettings {
    /// Between two cells. Found from the header by default.
    pub separator: Option<u8>,
    /// How numbers are written. Found from the first rows by default.
    pub decimal: Option<Decimal>,
    /// Most rows; as many as there are by default.
    pub max_rows: Option<u64>,
    /// Lines of the file before the first of the table.
    pub lines_before: u64,
}

impl TableSettings {
    /// With this separator.
    #[must_use]
    pub fn with_separator(mut self, separator: u8) -> Self {
        self.separator = Some(separator);
        self
    }

    /// With numbers written in this way.
    #[must_use]
    pub fn with_decimal(mut self, decimal: Decimal) -> Self {
        self.decimal = Some(decimal);
        self
    }

    /// With lines counted from behind this many.
    #[must_use]
    pub fn with_lines_before(mut self, lines: u64) -> Self {
        self.lines_before = lines;
        self
    }

    /// With at most this many rows; more are an error.
    #[must_use]
    pub fn with_max_rows(mut self, rows: u64) -> Self {
        self.max_rows = Some(rows);
        self
    }
}

/// The rows of a table, blank ones left out, each with its line number.
pub struct Table<R> {
    reader: csv::Reader<Guard<std::io::Chain<Cursor<Vec<u8>>, R>>>,
    dialect: Dialect,
    header: Vec<String>,
    header_line: u64,
    record: ByteRecord,
    /// Line on which the current row begins, from 1.
    line: u64,
    rows: u64,
    max_rows: u64,
    lines_before: u64,
    /// Whether the current row ends with the file and not with a line break.
    unended: bool,
    headers_again: u64,
}

impl<R: Read> Table<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`TableError::Read`], [`TableError::Empty`], [`TableError::NotText`], [`TableError::LongRow`],
    /// [`TableError::InvalidUtf8`].
    pub fn open(mut from: R, settings: &TableSettings) -> Result<Self, TableError> {
        let prefix = take_prefix(&mut from).map_err(TableError::Read)?;
        Self::after_prefix(prefix, from, settings)
    }

    /// The same for a text whose first bytes have been taken already, [`PREFIX_BYTES`] of them or all there are.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn after_prefix(prefix: Vec<u8>, from: R, settings: &TableSettings) -> Result<Self, TableError> {
        match sniff(&prefix) {
            Content::Empty => return Err(TableError::Empty),
            Content::Text | Content::Json => {}
            content => return Err(TableError::NotText { looks_like: content.looks_like() }),
        }
        let dialect = Dialect::sniff(&prefix, settings.separator, settings.decimal);
        // Only the line feed ends a row: the parser then counts lines as an editor does. A carriage return before it
        // is a blank at the end of the last field.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.separator)
            .comment(dialect.comments.then_some(b'#'))
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 17)
            .from_reader(Guard::new(
                Cursor::new(prefix).chain(from),
                dialect.line_ends,
                dialect.separator == b' ',
            ));
        let mut table = Self {
            reader,
            dialect,
            header: Vec::new(),
            header_line: 0,
            record: ByteRecord::new(),
            line: 0,
            rows: 0,
            max_rows: settings.max_rows.unwrap_or(u64::MAX),
            lines_before: settings.lines_before,
            unended: false,
            headers_again: 0,
        };
        for _ in 0..=dialect.rows_before_header {
            if !table.next_row()? {
                return Err(TableError::Empty);
            }
        }
        table.header_line = table.line;
        table.header = table.names()?;
        Ok(table)
    }

    fn names(&self) -> Result<Vec<String>, TableError> {
        let name = |(index, field)| match str::from_utf8(field) {
            Ok(name) if index == 0 && self.dialect.marked_header => {
                Ok(name.trim_start_matches('#').trim().to_owned())
            }
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => {
                Err(TableError::InvalidUtf8 { line: self.line, column: format!("column {}", index + 1) })
            }
        };
        self.record.iter().enumerate().map(name).collect()
    }

    /// How the table is written.
    #[must_use]
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The names of the columns, without blanks around them.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Rows so far that repeat the header, and were left out.
    #[must_use]
    pub fn headers_again(&self) -> u64 {
        self.headers_again
    }

    /// Line of the header.
    #[must_use]
    pub fn header_line(&self) -> u64 {
        self.header_line
    }

    /// The first column that has one of these names, in any case; the earlier names come first.
    #[must_use]
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|found| found.eq_ignore_ascii_case(name)))
    }

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// [`TableError::FieldCount`] for a row that has not one field for each column, [`TableError::LongRow`],
    /// [`TableError::TooManyRows`], [`TableError::Read`].
    pub fn advance(&mut self) -> Result<bool, TableError> {
        let expected = self.header.len();
        // A comment that no row of this table could be.
        let is_comment = |record: &ByteRecord| {
            record.len() != expected && record.get(0).is_some_and(|cell| cell.starts_with(b"#"))
        };
        loop {
            if !self.next_row()? {
                return Ok(false);
            }
            if !is_comment(&self.record) {
                break;
            }
        }
        let got = self.record.len();
        if got != expected {
            let (line, cut) = (self.line, got < expected && self.unended);
            return Err(TableError::FieldCount { line, expected, got, cut });
        }
        self.rows += 1;
        if self.rows > self.max_rows {
            return Err(TableError::TooManyRows { line: self.line, limit: self.max_rows });
        }
        Ok(true)
    }

    fn next_row(&mut self) -> Result<bool, TableError> {
        loop {
            self.reader.get_mut().end_row();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => return Err(self.refuse(error)),
            }
            let end = self.reader.position();
            self.unended = self.reader.get_ref().ended_without_break(end.byte());
            let breaks = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.line = self.lines_before + end.line() - u64::from(!self.unended) - breaks;
            let is_blank = self.record.len() == 1 && self.record[0].trim_ascii().is_empty();
            // Annotated text begins each of its tables with the header, and so do files that were put together.
            let is_header_again = self.header.len() > 1
                && self.record.len() == self.header.len()
                && self
                    .record
                    .iter()
                    .zip(&self.header)
                    .all(|(cell, name)| cell.trim_ascii() == name.as_bytes());
            self.headers_again += u64::from(is_header_again);
            if !is_blank && !is_header_again {
                return Ok(true);
            }
        }
    }

    fn refuse(&self, error: csv::Error) -> TableError {
        if self.reader.get_ref().overrun() {
            let line = self.record.position().map_or(self.line, |place| self.lines_before + place.line());
            return TableError::LongRow { line, limit_bytes: ROW_LIMIT_BYTES };
        }
        TableError::Read(error.into())
    }

    /// Line on which the current row begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether the current row ends with the text and not with a line break: where it is the last one, the text may
    /// have been cut.
    #[must_use]
    pub fn is_unended(&self) -> bool {
        self.unended
    }

    /// The cells of the current row as they are.
    pub fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.record.iter()
    }

    /// A cell of the current row without blanks around it; empty beyond the last column.
    ///
    /// # Errors
    /// [`TableError::InvalidUtf8`].
    pub fn text(&self, column: usize) -> Result<&str, TableError> {
        let cell = self.record.get(column).unwrap_or_default();
        str::from_utf8(cell).map(str::trim).map_err(|_| self.invalid(column))
    }

    /// The error for a cell that is not UTF-8.
    #[must_use]
    pub fn invalid(&self, column: usize) -> TableError {
        let column = self.header.get(column).cloned().unwrap_or_default();
        TableError::InvalidUtf8 { line: self.line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut table = Table::open(text.as_bytes(), &TableSettings::default()).unwrap();
        let mut rows = vec![(table.header_line(), table.header().to_vec())];
        while table.advance().unwrap() {
            let cells = (0..table.header().len()).map(|at| table.text(at).unwrap().to_owned()).collect();
            rows.push((table.line(), cells));
        }
        rows
    }

    #[test]
    fn one_table_in_many_dialects() {
        let expected = [["a", "b"], ["1", "x y"], ["2", ""]];
        for (text, lines) in [
            ("a,b\n1,x y\n2,\n", [1, 2, 3]),
            ("\u{feff}a;b\r\n1;x y\r\n\r\n2;\r\n", [1, 2, 4]),
            ("a\tb\r1\tx y\r2\t", [1, 2, 3]),
            ("sep=;\na;b\n1;x y\n2;\n", [2, 3, 4]),
            ("# made by hand\na,b\n1,\"x y\"\n2, \n", [2, 3, 4]),
            ("a,b\n1,x y\n2,\n# the end\n", [1, 2, 3]),
            ("#a,b\n1,x y\n2,\n", [1, 2, 3]),
            ("a,b\n1,x y\na,b\n2,\n", [1, 2, 4]),
            ("May\n\na,b\n1,x y\n2,\n", [3, 4, 5]),
            (" a   b\n1 \"x y\"\n2  \"\"\n", [1, 2, 3]),
            ("#group,false\n#datatype,string\na,b\n1,x y\n\n#group,false\na,b\n2,\n", [3, 4, 8]),
        ] {
            let rows = rows(text);
            assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{text:?}");
            assert!(rows.iter().map(|(_, cells)| cells).eq(&expected), "{text:?}: {rows:?}");
        }
    }

    #[test]
    fn lines_are_counted_from_behind_those_before() {
        let settings = TableSettings::default().with_lines_before(10);
        let mut table = Table::open(b"a,b\n1,2\n3\n".as_slice(), &settings).unwrap();
        assert_eq!((table.header_line(), table.advance().unwrap(), table.line()), (11, true, 12));
        assert!(table.advance().unwrap_err().to_string().starts_with("line 13"));
    }

    #[test]
    fn what_has_no_end_or_no_sense_is_refused() {
        let settings = TableSettings::default().with_max_rows(1);
        let message = |text: &[u8]| {
            let mut table = match Table::open(text, &settings) {
                Ok(table) => table,
                Err(error) => return error.to_string(),
            };
            loop {
                match table.advance() {
                    Ok(true) => {}
                    Ok(false) => return "fine".to_owned(),
                    Err(error) => return error.to_string(),
                }
            }
        };
        assert_eq!(message(b"\n \n"), "is empty");
        assert_eq!(message(b"PAR1"), "looks like a Parquet file, expected text in UTF-8");
        assert_eq!(message(b"a,b\n1,2\n3,4\n"), "line 3: more than 1 rows");
        assert_eq!(message(b"a,b\n1\n"), "line 2: has 1 fields where the header has 2");
        assert!(message(b"a,b\n1").ends_with("it was cut off"));
        assert_eq!(message(b"a,b\n1,2\n"), "fine");
        let endless = [&b"a,b\n1,\""[..], &vec![b'x'; 20 << 20]].concat();
        assert!(message(&endless).starts_with("line 2: this row has no end within"), "{}", message(&endless));
    }
}
