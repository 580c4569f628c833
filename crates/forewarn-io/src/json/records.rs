use super::tables::{self, Found, TableColumns};
use crate::{IoError, error::Origin};
use forewarn_core::table::ROW_LIMIT_BYTES;
use std::{
    io::{self, Read},
    ops::Range,
};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 17;

/// What is wrong with a table whose columns are named too late.
pub(super) const UNNAMED_ROWS: &str = "rows as arrays before the names of their columns, expected an object in which \
                                       \"columns\" come before \"data\"";

/// Cuts JSON into records: the outermost objects, whatever lies between them.
pub(super) struct Records<R> {
    from: R,
    origin: Origin,
    buffer: Vec<u8>,
    /// Bytes of the buffer that have been given out.
    begin: usize,
    line: u64,
    ended: bool,
    /// Whether the records are those of one array, which ends.
    of_array: bool,
    /// What the values of the records are, where these are arrays.
    columns: Option<TableColumns>,
}

/// The text of a record.
pub(super) struct RecordText<'a> {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) text: &'a [u8],
    /// What its values are, where it is an array.
    pub(super) columns: Option<&'a TableColumns>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(from: R, origin: &Origin) -> Self {
        Self {
            from,
            origin: origin.clone(),
            buffer: Vec::new(),
            begin: 0,
            line: 1,
            ended: false,
            of_array: false,
            columns: None,
        }
    }

    /// The rows of a table, each an array, from `line` on.
    pub(super) fn of_table(from: R, origin: &Origin, line: u64, columns: TableColumns) -> Self {
        Self { line, of_array: columns.in_array, columns: Some(columns), ..Self::new(from, origin) }
    }

    /// Goes to the rows of the next table behind those of one; false at the end of the text.
    fn next_table(&mut self) -> Result<bool, IoError> {
        loop {
            let rest = &self.buffer[self.begin..];
            let place = self.origin.at(self.line);
            let refuse = |text: &'static str| IoError::NotJson { place, source: text.into() };
            match tables::find_next(rest) {
                Found::Table(columns, at) => {
                    self.line += line_feeds(&rest[..at]);
                    self.begin += at;
                    self.columns = Some(columns);
                    return Ok(true);
                }
                Found::More if rest.len() > ROW_LIMIT_BYTES => {
                    return Err(refuse("no end of what follows the rows"));
                }
                Found::More if !self.fill()? => return Ok(false),
                Found::More => {}
                Found::Nothing => {
                    return Err(refuse("something behind the rows that is none of the object around them"));
                }
                Found::Unnamed => return Err(refuse(UNNAMED_ROWS)),
            }
        }
    }

    /// The next record, with what its values are.
    pub(super) fn advance_text(&mut self) -> Result<Option<RecordText<'_>>, IoError> {
        let Some((line, range)) = self.advance_to()? else { return Ok(None) };
        if let Some(TableColumns { index: Some((_, cells)), index_cell, .. }) = &mut self.columns {
            *index_cell = cells.pop_front();
        }
        Ok(Some(RecordText { line, text: &self.buffer[range], columns: self.columns.as_ref() }))
    }

    /// The records of one array, whose first lies on `line`; what comes after it must not hold records.
    pub(super) fn of_array(from: R, origin: &Origin, line: u64) -> Self {
        Self { line, of_array: true, ..Self::new(from, origin) }
    }

    /// Reads on to the end, which must hold no further array of records.
    fn expect_end(&mut self) -> Result<(), IoError> {
        let (mut quoted, mut escaped, mut in_array) = (false, false, false);
        loop {
            for &byte in &self.buffer[self.begin..] {
                self.line += u64::from(byte == b'\n');
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b'{' if in_array && !quoted => {
                        return Err(IoError::NotJson {
                            place: self.origin.at(self.line),
                            source: "a second array of records; expected one in a file".into(),
                        });
                    }
                    _ => {}
                }
                in_array = !quoted && (byte == b'[' || in_array && byte.is_ascii_whitespace());
            }
            self.begin = self.buffer.len();
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next record and the line on which it begins.
    pub(super) fn advance(&mut self) -> Result<Option<(u64, &[u8])>, IoError> {
        Ok(self.advance_to()?.map(|(line, range)| (line, &self.buffer[range])))
    }

    /// The line on which the next record begins, and where it lies in the buffer.
    fn advance_to(&mut self) -> Result<Option<(u64, Range<usize>)>, IoError> {
        // To the next brace.
        let opening = if self.columns.is_some() { b'[' } else { b'{' };
        loop {
            let rest = &self.buffer[self.begin..];
            let at = rest.iter().position(|byte| match byte {
                b'[' if opening == b'[' => true,
                b']' | b'[' => self.of_array,
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => false,
                _ => true,
            });
            let skipped = at.unwrap_or(rest.len());
            self.line += line_feeds(&rest[..skipped]);
            self.begin += skipped;
            match at {
                Some(_) if self.buffer[self.begin] == opening => break,
                Some(_) if self.of_array && self.buffer[self.begin] == b']' => {
                    self.begin += 1;
                    if self.columns.is_some() && self.next_table()? {
                        continue;
                    }
                    self.expect_end()?;
                    return Ok(None);
                }
                Some(_) => {
                    let place = self.origin.at(self.line);
                    let source =
                        format!("expected a record, which begins with {}", char::from(opening)).into();
                    return Err(IoError::NotJson { place, source });
                }
                None if !self.fill()? => return Ok(None),
                None => {}
            }
        }
        // To the brace that closes it.
        let (mut at, mut depth, mut quoted, mut escaped) = (self.begin, 0u32, false, false);
        loop {
            while at < self.buffer.len() {
                let byte = self.buffer[at];
                at += 1;
                if quoted {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => quoted = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            let (line, record) = (self.line, self.begin..at);
                            self.line += line_feeds(&self.buffer[record.clone()]);
                            self.begin = at;
                            return Ok(Some((line, record)));
                        }
                    }
                    _ => {}
                }
            }
            if at - self.begin > ROW_LIMIT_BYTES {
                return Err(IoError::LongRow {
                    place: self.origin.at(self.line),
                    limit_bytes: ROW_LIMIT_BYTES,
                });
            }
            let before = self.begin;
            if !self.fill()? {
                let place = self.origin.at(self.line);
                return Err(IoError::NotJson {
                    place,
                    source: "the file ends within this record: it was cut off".into(),
                });
            }
            at -= before - self.begin;
        }
    }

    /// Reads more bytes; false at the end.
    fn fill(&mut self) -> Result<bool, IoError> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.begin);
        self.begin = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK_BYTES, 0);
        let got = loop {
            match self.from.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                got => break got,
            }
        };
        let got = got.map_err(|source| IoError::Read { file: self.origin.file(), source })?;
        self.buffer.truncate(length + got);
        self.ended = got == 0;
        Ok(got > 0)
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn cut(text: &str) -> Result<Vec<(u64, String)>, String> {
        let origin = Origin::new("m.json", Format::Json);
        let mut records = Records::new(text.as_bytes(), &origin);
        let mut found = Vec::new();
        while let Some((line, record)) = records.advance().map_err(|error| error.to_string())? {
            found.push((line, String::from_utf8(record.to_vec()).unwrap()));
        }
        Ok(found)
    }

    #[test]
    fn an_array_of_records_ends() {
        let origin = Origin::new("m.json", Format::Json);
        let read = |text: &str| -> Result<usize, String> {
            let mut records = Records::of_array(text.as_bytes(), &origin, 1);
            let mut count = 0;
            while records.advance().map_err(|error| error.to_string())?.is_some() {
                count += 1;
            }
            Ok(count)
        };
        assert_eq!(read(r#"{"a":1},{"a":2}],"x":{"y":[1,"[{"]}}"#), Ok(2));
        assert!(read("{\"a\":1}],\n\"x\":[ {}]}").unwrap_err().starts_with("m.json, line 2: a second array"));
    }

    #[test]
    fn records_are_cut_where_they_end() {
        let expected: Vec<(u64, String)> =
            vec![(1, r#"{"a":"}\"{"}"#.into()), (2, r#"{"b":{"c":[1]}}"#.into())];
        for text in
            ["{\"a\":\"}\\\"{\"}\n{\"b\":{\"c\":[1]}}\n", "[{\"a\":\"}\\\"{\"},\r\n {\"b\":{\"c\":[1]}}]"]
        {
            assert_eq!(cut(text).unwrap(), expected, "{text}");
        }
        assert_eq!(cut(" \n").unwrap(), []);
        assert!(cut("{\"a\":1").unwrap_err().ends_with("it was cut off"));
        assert!(cut("{}\n5").unwrap_err().starts_with("m.json, line 2"));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(20 << 20));
        assert!(cut(&long).unwrap_err().contains("has no end within"));
    }
}
