use crate::CoreError;
use forewarn_schema::{FrameSet, Layout, Schema};
use std::{ops::Range, sync::Arc};

/// Some consecutive rows of one service.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    /// The service, a position in [`Layout::services`].
    pub service: usize,
    /// The rows, as numbers in the whole layout.
    pub rows: Range<usize>,
    /// Their values, row-major.
    pub values: &'a [f32],
}

/// Frames that come piece by piece, for what does not fit into memory.
///
/// Services and times are known from the start, since they are small; values come in pieces, those of a service in
/// order of time. Services may come after one another or take turns. Labels, normalisers and features are made of
/// pieces with the same bits as of a whole [`FrameSet`]; they go over the frames once or twice, each time after a
/// [`rewind`](Self::rewind).
pub trait FrameStream: Send {
    /// The metrics of each row.
    fn schema(&self) -> &Schema;

    /// Services and times of all rows.
    fn layout(&self) -> &Arc<Layout>;

    /// Goes back to the first piece.
    ///
    /// # Errors
    /// [`CoreError::Outside`] for an error of the stream's own.
    fn rewind(&mut self) -> Result<(), CoreError>;

    /// The next piece; `None` after the last one.
    ///
    /// # Errors
    /// [`CoreError::Outside`] for an error of the stream's own.
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, CoreError>;
}

/// A [`FrameSet`] as a [`FrameStream`]: what is in memory, for code that is written for streams.
#[derive(Clone, Debug)]
pub struct InPieces<'a> {
    frames: &'a FrameSet,
    rows_a_piece: usize,
    next: usize,
}

impl<'a> InPieces<'a> {
    /// Pieces of `rows_a_piece` rows (at least one; fewer where a service ends), service after service.
    #[must_use]
    pub fn new(frames: &'a FrameSet, rows_a_piece: usize) -> Self {
        Self { frames, rows_a_piece: rows_a_piece.max(1), next: 0 }
    }
}

impl FrameStream for InPieces<'_> {
    fn schema(&self) -> &Schema {
        self.frames.schema()
    }

    fn layout(&self) -> &Arc<Layout> {
        self.frames.layout()
    }

    fn rewind(&mut self) -> Result<(), CoreError> {
        self.next = 0;
        Ok(())
    }

    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, CoreError> {
        let Some((service, _)) = self.frames.layout().locate(self.next) else { return Ok(None) };
        let end = self.frames.layout().services()[service].rows().end;
        let rows = self.next..end.min(self.next.saturating_add(self.rows_a_piece));
        self.next = rows.end;
        let width = self.frames.schema().len();
        let values = &self.frames.values()[rows.start * width..rows.end * width];
        Ok(Some(Piece { service, rows, values }))
    }
}

/// Checks that pieces come as a [`FrameStream`] promises: for whoever takes them in.
#[derive(Clone, Debug)]
pub struct PieceOrder {
    width: usize,
    /// The rows of each service that are still to come.
    left: Vec<Range<usize>>,
    names: Vec<String>,
}

impl PieceOrder {
    /// Nothing has come yet of `stream`, which is rewound.
    ///
    /// # Errors
    /// As [`FrameStream::rewind`].
    pub fn start(stream: &mut dyn FrameStream) -> Result<Self, CoreError> {
        stream.rewind()?;
        let (width, services) = (stream.schema().len(), stream.layout().services());
        let left = services.iter().map(|place| place.rows()).collect();
        Ok(Self { width, left, names: services.iter().map(|place| place.name().to_owned()).collect() })
    }

    /// Takes a piece in, and says whether it was the last of its service.
    ///
    /// # Errors
    /// [`CoreError::WrongPiece`] unless its rows follow the last ones of the service and its values are as many.
    pub fn take(&mut self, piece: &Piece<'_>) -> Result<bool, CoreError> {
        let wrong = |service: String, expected| CoreError::WrongPiece {
            service,
            expected,
            got: piece.rows.clone(),
            values: piece.values.len(),
        };
        let Some(left) = self.left.get_mut(piece.service) else {
            return Err(wrong(format!("service {}", piece.service), 0..0));
        };
        let follows = piece.rows.start == left.start && (left.start..=left.end).contains(&piece.rows.end);
        if !follows || piece.values.len() != piece.rows.len() * self.width {
            return Err(wrong(self.names[piece.service].clone(), left.clone()));
        }
        left.start = piece.rows.end;
        Ok(left.start == left.end)
    }

    /// No more pieces come.
    ///
    /// # Errors
    /// [`CoreError::WrongPiece`] for a service of which rows are missing.
    pub fn finish(self) -> Result<(), CoreError> {
        match self.left.into_iter().zip(self.names).find(|(left, _)| !left.is_empty()) {
            Some((expected, service)) => {
                let got = expected.start..expected.start;
                Err(CoreError::WrongPiece { service, expected, got, values: 0 })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Step, Timestamp};

    fn frames() -> FrameSet {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        let frame = |(service, rows): (&str, u8)| {
            let values = (0..2 * rows).map(f32::from).collect();
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        FrameSet::from_frames([("s", 5), ("t", 0), ("u", 2)].map(frame).into()).unwrap()
    }

    #[test]
    fn pieces_are_the_rows_of_the_set() {
        let frames = frames();
        for rows_a_piece in [0, 1, 2, 3, 100] {
            let mut stream = InPieces::new(&frames, rows_a_piece);
            for _ in 0..2 {
                let mut order = PieceOrder::start(&mut stream).unwrap();
                let (mut values, mut ended) = (Vec::new(), Vec::new());
                while let Some(piece) = stream.next_piece().unwrap() {
                    if order.take(&piece).unwrap() {
                        ended.push(piece.service);
                    }
                    values.extend_from_slice(piece.values);
                }
                order.finish().unwrap();
                assert_eq!(values, frames.values());
                assert_eq!(ended, [0, 2]);
            }
        }
    }

    #[test]
    fn pieces_out_of_order_are_refused() {
        let frames = frames();
        let mut stream = InPieces::new(&frames, 2);
        let mut order = PieceOrder::start(&mut stream).unwrap();
        let piece =
            |service, rows: Range<usize>| Piece { service, values: &[0.0; 64][..rows.len() * 2], rows };
        for wrong in [piece(0, 1..2), piece(0, 0..6), piece(1, 0..1), piece(3, 0..1), piece(2, 0..2)] {
            assert!(order.take(&wrong).is_err(), "{wrong:?}");
        }
        assert!(order.take(&Piece { values: &[0.0; 3], ..piece(0, 0..2) }).is_err());
        // Services may take turns.
        assert!(!order.take(&piece(0, 0..2)).unwrap());
        assert!(order.take(&piece(2, 5..7)).unwrap());
        let error = order.take(&piece(0, 3..5)).unwrap_err().to_string();
        assert_eq!(error, "a piece of s has rows 3..5 and 4 values, expected rows from 2 on, up to 5");
        assert!(order.finish().is_err());
    }
}
