//! Text cut into rows of cells. The grammar is that of the crate `csv`, which the tests compare with; a line without
//! quotes is cut in one pass.

use super::cut::{CutRows, Line};
use std::io::{self, Read};

/// Bytes that one row may have before its end is given up.
pub const ROW_LIMIT_BYTES: usize = 1 << 24;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 1 << 17;

const QUOTE: u8 = b'"';

/// Cuts what a reader gives.
///
/// A cell that begins with a quote ends at the next one that is not doubled, and may hold separators and line feeds;
/// what comes after that quote belongs to the cell as it is, and so do quotes within other cells. Empty lines are no
/// rows, nor are those that begin with the mark of comments.
pub(super) struct Cutter<R> {
    from: R,
    separator: u8,
    comment: Option<u8>,
    buffer: Vec<u8>,
    /// What has been read and not been cut.
    begin: usize,
    end: usize,
    /// Line on which that begins, from 1.
    line: u64,
    has_begun: bool,
    ended: bool,
    overrun: bool,
}

/// A row that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// The line on which it begins.
    pub(super) line: u64,
    /// Whether the text ends with it, and not a line feed.
    pub(super) unended: bool,
}

/// How far a row reaches.
struct Reach {
    bytes: usize,
    line_feeds: u64,
    unended: bool,
}

impl<R: Read> Cutter<R> {
    pub(super) fn new(from: R, separator: u8, comment: Option<u8>) -> Self {
        Self {
            from,
            separator,
            comment,
            buffer: vec![0; PIECE_BYTES],
            begin: 0,
            end: 0,
            line: 1,
            has_begun: false,
            ended: false,
            overrun: false,
        }
    }

    /// Whether cutting failed because a row has no end within [`ROW_LIMIT_BYTES`].
    pub(super) fn overrun(&self) -> bool {
        self.overrun
    }

    /// Line on which the next row begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Adds the cells of the next row to `rows`; `None` at the end.
    pub(super) fn cut(&mut self, rows: &mut CutRows) -> io::Result<Option<Cut>> {
        if !self.has_begun {
            self.skip_mark()?;
        }
        loop {
            let rest = &self.buffer[self.begin..self.end];
            match rest.first().copied() {
                None => {
                    if !self.fill()? {
                        return Ok(None);
                    }
                }
                Some(b'\n') => self.skip(1, 1),
                Some(first) if Some(first) == self.comment => {
                    match rest.iter().position(|byte| *byte == b'\n') {
                        Some(at) => self.skip(at + 1, 1),
                        // It goes on; what it holds is nothing to be kept.
                        None => {
                            self.begin = self.end - 1;
                            self.buffer[self.begin] = first;
                            if !self.fill()? {
                                self.begin = self.end;
                                return Ok(None);
                            }
                        }
                    }
                }
                Some(_) => {
                    let reach = match rows.push_line(rest, self.ended, self.separator) {
                        Line::Quoted => cut_quoted(rest, self.ended, self.separator, rows),
                        Line::Added(bytes) => {
                            let unended = rest[bytes - 1] != b'\n';
                            Some(Reach { bytes, line_feeds: u64::from(!unended), unended })
                        }
                        Line::Unended => None,
                    };
                    let Some(Reach { bytes, line_feeds, unended }) = reach else {
                        self.fill()?;
                        continue;
                    };
                    let cut = Cut { line: self.line, unended };
                    self.skip(bytes, line_feeds);
                    return Ok(Some(cut));
                }
            }
        }
    }

    fn skip(&mut self, bytes: usize, line_feeds: u64) {
        self.begin += bytes;
        self.line += line_feeds;
    }

    /// Leaves out a byte order mark.
    fn skip_mark(&mut self) -> io::Result<()> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        while self.end - self.begin < MARK.len() && self.fill()? {}
        if self.buffer[self.begin..self.end].starts_with(MARK) {
            self.begin += MARK.len();
        }
        self.has_begun = true;
        Ok(())
    }

    /// Reads more behind what has not been cut; false at the end. A row that does not end has as much again read, so
    /// that its length decides how long it takes, up to the limit: a quote that is never closed would otherwise make one
    /// row, and one allocation, of the rest of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        let before = self.end;
        if before > ROW_LIMIT_BYTES {
            self.overrun = true;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row without an end"));
        }
        let wanted = (2 * before).clamp(PIECE_BYTES, ROW_LIMIT_BYTES + PIECE_BYTES);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < wanted {
            match self.from.read(&mut self.buffer[self.end..wanted]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(got) => self.end += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end > before)
    }
}

/// Adds the cells of the first row of a text to `rows`; nothing where the row goes on behind the text.
fn cut_quoted(text: &[u8], ended: bool, separator: u8, rows: &mut CutRows) -> Option<Reach> {
    let mark = rows.mark();
    let mut line_feeds = 0;
    let mut at = 0;
    loop {
        // A cell begins.
        if text.get(at) == Some(&QUOTE) {
            at += 1;
            loop {
                let Some(length) = text[at..].iter().position(|byte| *byte == QUOTE) else {
                    // The quote is not closed.
                    if !ended {
                        rows.drop_from(mark);
                        return None;
                    }
                    rows.push_text(&text[at..]);
                    at = text.len();
                    break;
                };
                let part = &text[at..at + length];
                rows.push_text(part);
                at += length + 1;
                if text.get(at) != Some(&QUOTE) {
                    break;
                }
                rows.push_text(&[QUOTE]);
                at += 1;
            }
        }
        let rest = &text[at.min(text.len())..];
        let length = rest.iter().position(|byte| *byte == separator || *byte == b'\n');
        rows.push_text(&rest[..length.unwrap_or(rest.len())]);
        match length {
            Some(length) => {
                rows.end_cell();
                at += length + 1;
                if rest[length] == b'\n' {
                    line_feeds += text[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
                    return Some(Reach { bytes: at, line_feeds, unended: false });
                }
            }
            None if ended => {
                rows.end_cell();
                line_feeds += text.iter().filter(|byte| **byte == b'\n').count() as u64;
                return Some(Reach { bytes: text.len(), line_feeds, unended: true });
            }
            None => {
                rows.drop_from(mark);
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::{ByteRecord, ReaderBuilder, Terminator};
    use proptest::{collection::vec, prelude::*, sample::select};

    type Rows = Vec<(Vec<Vec<u8>>, u64)>;

    /// Gives a few bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(buffer.len()).min(self.0.len());
            buffer[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    fn cut(text: &[u8], piece: usize, comment: Option<u8>) -> Rows {
        let mut cutter = Cutter::new(Pieces(text, piece), b',', comment);
        let (mut rows, mut found) = (CutRows::default(), Vec::new());
        loop {
            let mark = rows.mark();
            let Some(cut) = cutter.cut(&mut rows).unwrap() else { return found };
            let row = rows.row_from(mark, cut.line);
            found.push((row.cells().map(<[u8]>::to_vec).collect(), cut.line));
        }
    }

    fn by_csv(text: &[u8], comment: Option<u8>) -> Vec<Vec<Vec<u8>>> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(comment)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(text);
        let (mut record, mut found) = (ByteRecord::new(), Vec::new());
        while reader.read_byte_record(&mut record).unwrap() {
            found.push(record.iter().map(<[u8]>::to_vec).collect());
        }
        found
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_crate_csv(
            text in vec(select(b"\"\"\",,\n\na#\r ".to_vec()), 0..60), piece in 1usize..9, comments in any::<bool>()
        ) {
            let comment = comments.then_some(b'#');
            let found: Vec<Vec<Vec<u8>>> = cut(&text, piece, comment).into_iter().map(|(cells, _)| cells).collect();
            let mut expected = by_csv(&text, comment);
            // It makes an empty row of a comment that ends with the text.
            if expected.len() > found.len() && expected.last().is_some_and(|last| last.concat().is_empty()) {
                expected.pop();
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn lines_are_those_on_which_rows_begin() {
        let text = b"\xef\xbb\xbfa,b\n\n\"1\n\n2\",x\n# no\n3,\"y\"z\n\"4\n";
        let lines: Vec<u64> = cut(text, 2, Some(b'#')).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, [1, 3, 7, 8]);
    }

    #[test]
    fn a_row_is_as_long_as_it_is_wherever_it_begins() {
        let row = |bytes: usize| "x".repeat(bytes);
        for before in [0, 5 << 20, 11 << 20, 15 << 20] {
            let text = format!("{}\n{}\n", row(before.max(1)), row(13 << 20));
            assert_eq!(cut(text.as_bytes(), 1 << 16, None).len(), 2, "{before}");
        }
        let text = format!("{}\n{}\nx\n", row(1 << 20), row(ROW_LIMIT_BYTES + PIECE_BYTES));
        let mut cutter = Cutter::new(text.as_bytes(), b',', None);
        let mut rows = CutRows::default();
        assert!(matches!(cutter.cut(&mut rows), Ok(Some(_))));
        assert!(cutter.cut(&mut rows).is_err() && cutter.overrun());
    }

    #[test]
    fn long_rows_and_comments_pass() {
        let long = "x".repeat(3 * PIECE_BYTES);
        let text = format!("#{long}\n{long},\"{long}\n{long}\"\n#{long}");
        let found = cut(text.as_bytes(), usize::MAX, Some(b'#'));
        assert_eq!((found.len(), found[0].1), (1, 2));
        assert_eq!(found[0].0.iter().map(Vec::len).collect::<Vec<_>>(), [long.len(), 2 * long.len() + 1]);
    }
}
