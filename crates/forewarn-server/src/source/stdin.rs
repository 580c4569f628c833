//! Standard input as a source.

use super::{Minute, Minutes, Row, growing::GrowingText};
use crate::ServerError;
use forewarn_live::ServedModel;
use forewarn_schema::{Schema, Step};
use std::{
    io::Read,
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
};

/// Pieces that wait to be read.
const PIECES: usize = 16;
const PIECE_BYTES: usize = 256 << 10;

/// CSV or JSON lines from standard input, as they come. A thread of its own waits for them, so that the source can be
/// asked to stop meanwhile.
pub(super) struct StandardInput {
    pieces: Receiver<Result<Vec<u8>, std::io::Error>>,
    text: GrowingText,
    has_ended: bool,
}

impl StandardInput {
    pub(super) fn open(model: &ServedModel) -> Result<Self, ServerError> {
        Self::of(std::io::stdin(), model.metrics(), model.step())
    }

    /// The same from anything that gives bytes.
    fn of(from: impl Read + Send + 'static, metrics: &Schema, step: Step) -> Result<Self, ServerError> {
        let (sender, pieces) = sync_channel(PIECES);
        let mut from = from;
        let read = move || loop {
            let mut piece = vec![0; PIECE_BYTES];
            let read = from.read(&mut piece);
            if read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted) {
                continue;
            }
            let is_last = !matches!(read, Ok(1..));
            let sent = sender.send(read.map(|bytes| {
                piece.truncate(bytes);
                piece
            }));
            if is_last || sent.is_err() {
                return;
            }
        };
        let builder = thread::Builder::new().name("standard input".to_owned());
        builder.spawn(read).map_err(|source| ServerError::Thread { source })?;
        let text = GrowingText::new("standard input".to_owned(), metrics.clone(), step);
        Ok(Self { pieces, text, has_ended: false })
    }
}

impl Minutes for StandardInput {
    fn next(&mut self) -> Result<Option<Minute>, ServerError> {
        loop {
            if let Some(minute) = self.text.next(self.has_ended) {
                return Ok(Some(minute));
            }
            match self.pieces.try_recv() {
                Ok(Ok(piece)) if !piece.is_empty() => {
                    self.text.push(&piece)?;
                    // What is late goes on before more is read, however much that is.
                    if self.text.has_late() {
                        return Ok(None);
                    }
                }
                Ok(Err(source)) => return Err(ServerError::File { path: "standard input".into(), source }),
                Err(TryRecvError::Empty) => return Ok(None),
                Ok(Ok(_)) | Err(TryRecvError::Disconnected) if !self.has_ended => {
                    self.has_ended = true;
                    self.text.end()?;
                }
                _ => return Ok(None),
            }
        }
    }

    fn take_late(&mut self) -> Vec<Row> {
        self.text.take_late()
    }

    fn is_followed(&self) -> bool {
        !self.has_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn minutes(input: &mut StandardInput) -> Result<usize, ServerError> {
        let mut minutes = 0;
        // Another thread reads: there is nothing to wait for but its end.
        while input.is_followed() {
            while input.next()?.is_some() {
                minutes += 1;
            }
            thread::yield_now();
        }
        while input.next()?.is_some() {
            minutes += 1;
        }
        Ok(minutes)
    }

    #[test]
    fn it_ends_with_its_input_and_gives_the_last_minute_too() {
        let mut text =
            Schema::v1().names().fold("timestamp,service".to_owned(), |text, name| text + "," + name);
        for minute in 0..7 {
            text += &format!("\n2026-01-01T00:0{minute}:00Z,web,1,0,1,1,1,0,0,1,1,0");
        }
        let mut input = StandardInput::of(Cursor::new(text), &Schema::v1(), Step::MINUTE).unwrap();
        assert_eq!(minutes(&mut input).unwrap(), 7);
        let mut empty = StandardInput::of(Cursor::new(""), &Schema::v1(), Step::MINUTE).unwrap();
        assert_eq!(minutes(&mut empty).unwrap(), 0);
        let wrong = Cursor::new("timestamp,service,cpu\n2026-01-01T00:00:00Z,web,1\n");
        let mut wrong = StandardInput::of(wrong, &Schema::v1(), Step::MINUTE).unwrap();
        assert!(minutes(&mut wrong).unwrap_err().to_string().starts_with("standard input"));
    }
}
