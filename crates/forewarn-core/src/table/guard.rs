use std::io::{self, Read};

/// Bytes that one row may have before its end is given up.
pub const ROW_LIMIT_BYTES: usize = 1 << 24;

/// Watches the bytes that go into the CSV parser: how the file ends, and that no row goes on forever.
///
/// A quote that is never closed would otherwise make one row, and one allocation, of the rest of the file.
pub(super) struct Guard<R> {
    inner: R,
    total_bytes: u64,
    row_bytes: usize,
    last_byte: Option<u8>,
    overrun: bool,
    line_ends: LineEnds,
}

/// What ends the lines of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// A line feed; a carriage return before it is a blank at the end of the last field.
    LineFeed,
    /// A carriage return alone.
    CarriageReturn,
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R, line_ends: LineEnds) -> Self {
        Self { inner, total_bytes: 0, row_bytes: 0, last_byte: None, overrun: false, line_ends }
    }

    /// A row has ended.
    pub(super) fn end_row(&mut self) {
        self.row_bytes = 0;
    }

    /// Whether the parser, which is at `position_bytes`, ended a row there without a line break: at the end of the
    /// file.
    pub(super) fn ended_without_break(&self, position_bytes: u64) -> bool {
        position_bytes >= self.total_bytes && self.last_byte.is_some_and(|byte| byte != b'\n')
    }

    /// Whether reading failed because a row had no end.
    pub(super) fn overrun(&self) -> bool {
        self.overrun
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.row_bytes > ROW_LIMIT_BYTES {
            self.overrun = true;
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row without an end"));
        }
        let got = self.inner.read(buffer)?;
        if self.line_ends == LineEnds::CarriageReturn {
            buffer[..got].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        self.total_bytes += got as u64;
        self.row_bytes += got;
        if let Some(&last) = buffer[..got].last() {
            self.last_byte = Some(last);
        }
        Ok(got)
    }
}
