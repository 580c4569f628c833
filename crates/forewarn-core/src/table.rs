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
mod cut;
mod cutter;
mod dialect;
mod error;
mod footer;
mod lines;
mod packed;
mod rows;
pub(crate) mod text_file;
mod time;

pub use cell::{NotANumber, flag, is_missing, number, number_f32};
pub use content::{Content, PREFIX_BYTES, sniff, take_prefix};
pub use cut::{CutRow, CutRows};
pub use cutter::ROW_LIMIT_BYTES;
pub use dialect::{Decimal, Dialect, Surplus};
pub use error::TableError;
pub use footer::Footer;
pub use packed::{Unpacked, unpack};
pub use rows::{SeenRows, TableRows};
pub use time::{
    DateOrder, EpochUnit, Moment, ShownOrder, TimeReader, UnknownZone, exponent_digits, is_compact_date,
    is_spreadsheet_time, is_text_time, shown_order,
};

use cut::Mark;
use cutter::Cutter;
use lines::Lines;
use std::{
    io::{self, Chain, Cursor, Read},
    mem,
};

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
    cutter: Cutter<Lines<Chain<Cursor<Vec<u8>>, R>>>,
    dialect: Dialect,
    header: Vec<String>,
    header_line: u64,
    /// The current row; none behind rows that were cut together.
    row: CutRows,
    /// Line on which the current row begins, from 1.
    line: u64,
    rows: u64,
    max_rows: u64,
    lines_before: u64,
    /// Whether the current row ends with the file and not with a line break.
    unended: bool,
    headers_again: u64,
    restarts: u64,
    footer: Footer,
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
        // Only the line feed ends a row. A carriage return before it is a blank at the end of the last cell.
        let text = Lines::new(Cursor::new(prefix).chain(from), dialect.line_ends, dialect.separator == b' ');
        let mut table = Self {
            cutter: Cutter::new(text, dialect.separator, dialect.comments.then_some(b'#')),
            dialect,
            header: Vec::new(),
            header_line: 0,
            row: CutRows::default(),
            line: 0,
            rows: 0,
            max_rows: settings.max_rows.unwrap_or(u64::MAX),
            lines_before: settings.lines_before,
            unended: false,
            headers_again: 0,
            restarts: 0,
            footer: Footer::default(),
        };
        let mut row = CutRows::default();
        let begin = row.mark();
        for _ in 0..=dialect.rows_before_header {
            row.drop_from(begin);
            if !table.next_row(&mut row)? {
                return Err(TableError::Empty);
            }
        }
        table.header_line = table.line;
        table.header = table.names(row.row_from(begin, table.line))?;
        if let Surplus::OfHeader(cells) = dialect.surplus {
            table.header.truncate(table.header.len().saturating_sub(cells));
        }
        Ok(table)
    }

    fn names(&self, row: CutRow<'_>) -> Result<Vec<String>, TableError> {
        let last = row.len().saturating_sub(1);
        let name = |(index, field)| match str::from_utf8(field) {
            Ok(name) if index == 0 && self.dialect.marked_header => Ok(unmarked(name).to_owned()),
            // What `sadf` writes where the columns of several devices follow.
            Ok(name) if index == last && self.dialect.marked_header => {
                Ok(name.trim().trim_end_matches("[...]").to_owned())
            }
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => {
                Err(TableError::InvalidUtf8 { line: self.line, column: format!("column {}", index + 1) })
            }
        };
        row.cells().enumerate().map(name).collect()
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

    /// Lines so far that say that a system was restarted, as `sadf` writes them among the rows, or that are its comments.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// What stands below the rows; known at the end.
    #[must_use]
    pub fn footer(&self) -> &Footer {
        &self.footer
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
        let mut row = mem::take(&mut self.row);
        row.clear(self.header.len());
        let more = self.add_row(&mut row);
        self.row = row;
        more
    }

    /// Cuts the next rows into `rows`, which lose what they held: as many as hold about this many bytes. False where the
    /// table ends with them.
    ///
    /// # Errors
    /// As [`advance`](Self::advance); `rows` are those before the one that is refused.
    pub fn cut(&mut self, rows: &mut CutRows, bytes: usize) -> Result<bool, TableError> {
        self.row.clear(self.header.len());
        rows.clear(self.header.len());
        while rows.bytes() < bytes {
            if !self.add_row(rows)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the next row to `rows`; false at the end.
    fn add_row(&mut self, rows: &mut CutRows) -> Result<bool, TableError> {
        let (mark, expected) = (rows.mark(), self.header.len());
        loop {
            if !self.next_row(rows)? {
                return Ok(false);
            }
            let row = rows.row_from(mark, self.line);
            let got = row.len();
            let surplus = match self.dialect.surplus {
                Surplus::OfRows(cells) => cells,
                Surplus::None | Surplus::OfHeader(_) => 0,
            };
            // One that lacks a separator, or has one more elsewhere, is told from the others by this.
            let is_empty = |column| row.cell(column).trim_ascii().is_empty();
            if got == expected + surplus && (expected..got).all(is_empty) {
                rows.drop_cells(surplus);
                break;
            }
            if self.dialect.marked_header && says_restart(row) {
                self.restarts += 1;
                rows.drop_from(mark);
                continue;
            }
            // A comment that no row of this table could be.
            if !row.cell(0).starts_with(b"#") {
                let (line, cut) = (self.line, got < expected && self.unended);
                let error = TableError::FieldCount { line, expected: expected + surplus, got, cut };
                return self.expect_footer(error, rows, mark);
            }
            rows.drop_from(mark);
        }
        rows.end_row(self.line);
        self.rows += 1;
        if self.rows > self.max_rows {
            return Err(TableError::TooManyRows { line: self.line, limit: self.max_rows });
        }
        Ok(true)
    }

    /// Looks at a row that is none of the table, and at those behind it: where all of them may stand below a table, it
    /// ends there.
    fn expect_footer(
        &mut self,
        error: TableError,
        rows: &mut CutRows,
        mark: Mark,
    ) -> Result<bool, TableError> {
        let mut footer = Footer::default();
        loop {
            let is_footer = footer.take(rows.row_from(mark, self.line), self.dialect.decimal);
            rows.drop_from(mark);
            if !is_footer {
                return Err(error);
            }
            match self.next_row(rows) {
                Ok(true) => {}
                Ok(false) => {
                    // What may have been cut off is none of the rows.
                    (self.footer, self.unended) = (footer, false);
                    return Ok(false);
                }
                Err(_) => return Err(error),
            }
        }
    }

    /// Cuts the next row behind those of `rows`; one that is blank, or the header again, is none.
    fn next_row(&mut self, rows: &mut CutRows) -> Result<bool, TableError> {
        let mark = rows.mark();
        loop {
            let cut = match self.cutter.cut(rows) {
                Ok(Some(cut)) => cut,
                Ok(None) => return Ok(false),
                Err(error) => {
                    rows.drop_from(mark);
                    return Err(self.refuse(error));
                }
            };
            let row = rows.row_from(mark, self.lines_before + cut.line);
            // Annotated text begins each of its tables with the header, and so do files that were put together.
            let is_header_again = self.header.len() > 1
                && row.len() == self.header.len()
                && row.cells().zip(&self.header).all(|(cell, name)| self.is_name(cell, name));
            self.headers_again += u64::from(is_header_again);
            if is_header_again || row.is_blank() {
                rows.drop_from(mark);
                continue;
            }
            (self.line, self.unended) = (row.line(), cut.unended);
            return Ok(true);
        }
    }

    /// Whether a cell is the name of a column once more.
    fn is_name(&self, cell: &[u8], name: &str) -> bool {
        let cell = cell.trim_ascii();
        let marked = || {
            let cell = str::from_utf8(cell).unwrap_or_default();
            self.dialect.marked_header && (unmarked(cell) == name || cell.trim_end_matches("[...]") == name)
        };
        cell == name.as_bytes() || marked()
    }

    fn refuse(&mut self, error: io::Error) -> TableError {
        if self.cutter.overrun() {
            let line = self.lines_before + self.cutter.line();
            return TableError::LongRow { line, limit_bytes: ROW_LIMIT_BYTES };
        }
        TableError::Read(error)
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
        self.row.get(0).into_iter().flat_map(|row| row.cells())
    }

    /// A cell of the current row without blanks around it; empty beyond the last column.
    ///
    /// # Errors
    /// [`TableError::InvalidUtf8`].
    pub fn text(&self, column: usize) -> Result<&str, TableError> {
        let cell = self.row.get(0).map_or(&[][..], |row| row.cell(column));
        str::from_utf8(cell).map(str::trim).map_err(|_| self.invalid(column))
    }

    fn invalid(&self, column: usize) -> TableError {
        let column = self.header.get(column).cloned().unwrap_or_default();
        TableError::InvalidUtf8 { line: self.line, column }
    }
}

/// The first name of a header that begins with `#`.
fn unmarked(name: &str) -> &str {
    name.trim_start_matches('#').trim()
}

/// Whether `sadf` wrote this line among its rows: behind host, interval and time, what happened to the system.
fn says_restart(row: CutRow<'_>) -> bool {
    let text = row.cell(3).trim_ascii();
    row.len() > 3 && (text.starts_with(b"LINUX-RESTART") || text.starts_with(b"COM "))
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
            ("# a;b\n1;x y\n# a;b\n2;\n", [1, 2, 4]),
            ("a,b\n1,x y,\n2,,\n", [1, 2, 3]),
            ("a;b\n1;x y;;\n2;;;\n", [1, 2, 3]),
            ("a,b,\n1,x y\n2,\n", [1, 2, 3]),
            ("a,b\n1,x y\na,b\n2,\n", [1, 2, 4]),
            ("May\n\na,b\n1,x y\n2,\n", [3, 4, 5]),
            (" a | b \n---+-----\n 1 | x y\n 2 | \n(2 rows)\n\n", [1, 3, 4]),
            (" a   b\n1 \"x y\"\n2  \"\"\n", [1, 2, 3]),
            ("#group,false\n#datatype,string\na,b\n1,x y\n\n#group,false\na,b\n2,\n", [3, 4, 8]),
        ] {
            let rows = rows(text);
            assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{text:?}");
            assert!(rows.iter().map(|(_, cells)| cells).eq(&expected), "{text:?}: {rows:?}");
        }
    }

    #[test]
    fn what_stands_below_a_table_is_none_of_it() {
        for (below, footer) in [
            ("Total,\n", 0),
            ("Total\n", 1),
            ("Grand total:,2,3\n", 1),
            ("(2 rows)", 1),
            ("+----+----+\n2 rows in set (0.02 sec)\n", 1),
            ("\n\nGenerated by Acme, at noon, by hand\nEnd of report", 2),
            (",\n , \n", 0),
            ("\u{1a}", 1),
        ] {
            let text = format!("a,b\n1,x y\n2,\n{below}");
            let mut table = Table::open(text.as_bytes(), &TableSettings::default()).unwrap();
            let mut rows = 0;
            while table.advance().unwrap() {
                rows += 1;
            }
            assert_eq!(
                (rows, table.footer().rows),
                (2 + u64::from(below == "Total,\n"), footer),
                "{below:?}"
            );
        }
        let refused = |text: &str| {
            let mut table = Table::open(text.as_bytes(), &TableSettings::default()).unwrap();
            loop {
                match table.advance() {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => return Some(error.to_string()),
                }
            }
        };
        // A row that is cut off, or is followed by others, is an error.
        for (text, line) in [
            ("a,b,c\n1,2,3\nweb\n", 3),
            ("a,b,c\n1,2,3\nweb,2\n", 3),
            ("a,b,c\n1,2,3\n2024-01-01 00:\n", 3),
            ("a,b,c\n1,2,3\nthe end\n1,2,3\n", 3),
            ("a,b,c\n1,2,3\nat noon,12\n", 3),
        ] {
            let message = refused(text).unwrap();
            assert!(message.starts_with(&format!("line {line}: has ")), "{text:?}: {message}");
        }
        assert_eq!(refused(&format!("a,b\n1,2\n{}", "the end\n".repeat(20))), None);
        assert!(refused(&format!("a,b\n1,2\n{}", "the end\n".repeat(21))).is_some());
    }

    #[test]
    fn rows_cut_together_are_those_cut_one_by_one() {
        let text = "a,b\n1,\"x\ny\"\n\n2,\n3,\"\"\"\"\n4\n";
        for bytes in [1, 4, 1000] {
            let mut table = Table::open(text.as_bytes(), &TableSettings::default()).unwrap();
            let (mut rows, mut found) = (CutRows::default(), Vec::new());
            let end = loop {
                let more = table.cut(&mut rows, bytes);
                let cells = |row: CutRow<'_>| (row.line(), row.cell(0).to_vec(), row.cell(1).to_vec());
                found.extend((0..rows.len()).filter_map(|index| rows.get(index)).map(cells));
                match more {
                    Ok(true) => {}
                    end => break end,
                }
            };
            let row = |line, a: &str, b: &str| (line, a.as_bytes().to_vec(), b.as_bytes().to_vec());
            assert_eq!(found, [row(2, "1", "x\ny"), row(5, "2", ""), row(6, "3", "\"")]);
            assert!(matches!(end, Err(TableError::FieldCount { line: 7, .. })), "{end:?}");
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
