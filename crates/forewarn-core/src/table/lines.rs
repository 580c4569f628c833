use std::io::{self, Read};

/// Puts line ends and blanks between cells right before rows are cut.
pub(super) struct Lines<R> {
    inner: R,
    line_ends: LineEnds,
    /// Where cells are separated by any number of blanks.
    blanks: Option<Blanks>,
}

/// What is open between two pieces of a text whose cells are separated by blanks.
#[derive(Clone, Copy, Debug, Default)]
struct Blanks {
    quoted: bool,
    /// A cell has begun on this line.
    within_line: bool,
    /// Blanks that are one separator if a cell follows on the line.
    held: bool,
}

/// What ends the lines of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// A line feed; a carriage return before it is a blank at the end of the last field.
    LineFeed,
    /// A carriage return alone.
    CarriageReturn,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(inner: R, line_ends: LineEnds, blank_separated: bool) -> Self {
        let blanks = blank_separated.then(Blanks::default);
        Self { inner, line_ends, blanks }
    }

    /// Reads a piece with one blank between two cells.
    fn read_cells(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut blanks) = self.blanks else { return self.inner.read(buffer) };
        loop {
            // A blank that is held may come before the first byte of this piece.
            let room = usize::from(blanks.held);
            let got = self.inner.read(&mut buffer[room..])?;
            if got == 0 {
                return Ok(0);
            }
            let mut end = 0;
            for at in room..room + got {
                let byte = buffer[at];
                let is_blank = !blanks.quoted && matches!(byte, b' ' | b'\t' | b'\r');
                if is_blank {
                    blanks.held = blanks.within_line;
                    continue;
                }
                if byte == b'\n' && !blanks.quoted {
                    (blanks.held, blanks.within_line) = (false, false);
                } else {
                    blanks.within_line = true;
                }
                if blanks.held {
                    buffer[end] = b' ';
                    end += 1;
                    blanks.held = false;
                }
                blanks.quoted ^= byte == b'"';
                buffer[end] = byte;
                end += 1;
            }
            self.blanks = Some(blanks);
            if end > 0 {
                return Ok(end);
            }
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.read_cells(buffer)?;
        if self.line_ends == LineEnds::CarriageReturn {
            buffer[..got].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_cells_become_one_wherever_pieces_end() {
        let text = b"  a   b\t c  \r\n\n1 \"x  y\"   3\n";
        for piece in 1..text.len() {
            let mut lines = Lines::new(text.as_slice(), LineEnds::LineFeed, true);
            let (mut found, mut buffer) = (Vec::new(), vec![0; piece + 1]);
            loop {
                let got = lines.read(&mut buffer).unwrap();
                if got == 0 {
                    break;
                }
                found.extend_from_slice(&buffer[..got]);
            }
            assert_eq!(found, b"a b c\n\n1 \"x  y\" 3\n", "{piece}");
        }
    }
}
