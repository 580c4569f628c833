//! Annotated CSV, which may hold several tables one after another, each with columns of its own.

use super::reader::{Input, read_table};
use crate::{IoError, assemble::Assembler};
use forewarn_core::table::{ROW_LIMIT_BYTES, TableSettings, take_prefix};
use std::io::{self, BufRead, BufReader, Read};

/// What the lines above a header begin with.
const ANNOTATIONS: [&[u8]; 3] = [b"#group", b"#datatype", b"#default"];

/// Reads all tables of a text.
pub(super) fn read_into(
    from: impl Read,
    input: &Input<'_>,
    settings: &TableSettings,
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let refuse = |source| IoError::Read { file: input.origin.file(), source };
    let mut tables = Tables::new(from);
    while tables.advance().map_err(refuse)? {
        let settings = settings.clone().with_lines_before(tables.lines_before);
        let prefix = take_prefix(&mut tables).map_err(refuse)?;
        read_table(prefix, &mut tables, input, &settings, assembler)?;
    }
    Ok(())
}

/// Gives one table of a text after another.
struct Tables<R> {
    from: BufReader<R>,
    /// The present line, or a part of one that is long, and what of it has been given.
    line: Vec<u8>,
    given: usize,
    /// Lines that have been read, and those before the present table.
    lines: u64,
    lines_before: u64,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The line is the first of the next table.
    Begin,
    /// Above the header.
    Annotations,
    Rows,
    End,
}

impl<R: Read> Tables<R> {
    fn new(from: R) -> Self {
        let from = BufReader::with_capacity(1 << 17, from);
        Self { from, line: Vec::new(), given: 0, lines: 0, lines_before: 0, place: Place::Begin }
    }

    /// Goes to the next table; false where there is none.
    fn advance(&mut self) -> io::Result<bool> {
        if self.place == Place::End {
            return Ok(false);
        }
        self.place = Place::Annotations;
        self.lines_before = self.lines.saturating_sub(u64::from(self.given < self.line.len()));
        Ok(self.given < self.line.len() || !self.from.fill_buf()?.is_empty())
    }
}

impl<R: Read> Read for Tables<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.place, Place::Begin | Place::End) {
            return Ok(0);
        }
        if self.given == self.line.len() {
            let goes_on = self.line.last().is_some_and(|byte| *byte != b'\n');
            self.line.clear();
            self.given = 0;
            let limit = ROW_LIMIT_BYTES as u64;
            if self.from.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
                self.place = Place::End;
                return Ok(0);
            }
            self.lines += u64::from(self.line.ends_with(b"\n"));
            if !goes_on {
                let is_annotation = ANNOTATIONS.iter().any(|mark| self.line.starts_with(mark));
                if is_annotation && self.place == Place::Rows {
                    self.place = Place::Begin;
                    return Ok(0);
                }
                if !is_annotation && !self.line.trim_ascii().is_empty() {
                    self.place = Place::Rows;
                }
            }
        }
        let rest = &self.line[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_begin_with_their_annotations() {
        let text = "#group,a\n#datatype,b\n,x\n,1\n\n#group,a\n,y\n,2\n,3";
        let mut tables = Tables::new(text.as_bytes());
        let mut found = Vec::new();
        while tables.advance().unwrap() {
            let mut table = String::new();
            tables.read_to_string(&mut table).unwrap();
            found.push((tables.lines_before, table));
        }
        let expected =
            [(0, "#group,a\n#datatype,b\n,x\n,1\n\n".to_owned()), (5, "#group,a\n,y\n,2\n,3".to_owned())];
        assert_eq!(found, expected);
    }
}
