use super::{Breach, bits, holds, same, works};
use crate::{FrameStream, PieceOrder, Source};
use forewarn_schema::{FrameSet, printable};
use std::sync::Arc;

/// Checks the laws that every source of frames keeps:
///
/// - its description is one line of [printable] text, and reading does not change it;
/// - it has frames;
/// - read again it gives the same frames, or says that it cannot be read twice.
///
/// That rows lie on one clock and that all services have the same metrics needs no check: a [`FrameSet`] holds nothing
/// else.
///
/// # Errors
/// The first [`Breach`].
pub fn source(source: &mut dyn Source) -> Result<(), Breach> {
    let described = source.describe();
    let law = "a description is one line of printable text";
    holds(!described.trim().is_empty(), law, || "it is empty".to_owned())?;
    same(&printable(&described), &described, law, "control characters are written as escapes")?;
    let frames = works(source.frames(), "a source has frames")?;
    same(&source.describe(), &described, "reading does not change a description", "after reading")?;
    if let Ok(again) = source.frames() {
        same_frames(&again, &frames, "a source that can be read again gives the same frames")?;
    }
    same(&source.describe(), &described, "reading does not change a description", "after reading twice")
}

/// Checks the laws that every [`FrameStream`] keeps:
///
/// - pieces are rows that follow one another in each service, as long as they say, and at the end none is missing;
/// - after the last piece no more come, however often one asks;
/// - from wherever it is rewound it gives the same rows;
/// - metrics and layout stay the same on the way.
///
/// With `whole`, the same frames in memory: the stream has their metrics, layout and values.
///
/// # Errors
/// The first [`Breach`].
pub fn frame_stream(stream: &mut dyn FrameStream, whole: Option<&FrameSet>) -> Result<(), Breach> {
    let (schema, layout) = (stream.schema().clone(), Arc::clone(stream.layout()));
    let (expected, pieces) = read(stream)?;
    if let Some(whole) = whole {
        let law = "a stream has the metrics, services and rows of the frames that it stands for";
        same(&schema, whole.schema(), law, "metrics")?;
        same(&*layout, &**whole.layout(), law, "services")?;
        same(&expected, &bits(whole.values()), law, "values")?;
    }
    for stop in [0, 1, pieces / 2, pieces] {
        works(stream.rewind(), "a stream can be rewound")?;
        for _ in 0..stop {
            works(stream.next_piece().map(drop), "a stream gives its pieces")?;
        }
        let law = "a stream that is rewound gives the same rows";
        same(&read(stream)?.0, &expected, law, &format!("after {stop} of {pieces} pieces"))?;
    }
    let law = "reading changes neither metrics nor services";
    same(stream.schema(), &schema, law, "metrics")?;
    same(&**stream.layout(), &*layout, law, "services")
}

/// The values of all rows in the order of the layout, and how many pieces they came in.
fn read(stream: &mut dyn FrameStream) -> Result<(Vec<u32>, usize), Breach> {
    let (width, rows) = (stream.schema().len(), stream.layout().rows());
    let law = "pieces are rows that follow one another, and none is missing";
    let mut order = works(PieceOrder::start(stream), "a stream can be rewound")?;
    let (mut values, mut pieces) = (vec![0; rows * width], 0);
    while let Some(piece) = works(stream.next_piece(), "a stream gives its pieces")? {
        works(order.take(&piece), law)?;
        values[piece.rows.start * width..piece.rows.end * width].copy_from_slice(&bits(piece.values));
        pieces += 1;
    }
    works(order.finish(), law)?;
    for _ in 0..2 {
        let more = works(stream.next_piece(), "a stream gives its pieces")?.is_some();
        holds(!more, "no piece comes after the last one", || "there was one more".to_owned())?;
    }
    Ok((values, pieces))
}

/// Refuses frames that are not the same in metrics, services, times and bits.
fn same_frames(found: &FrameSet, expected: &FrameSet, law: &'static str) -> Result<(), Breach> {
    same(found.schema(), expected.schema(), law, "metrics")?;
    same(&**found.layout(), &**expected.layout(), law, "services")?;
    let (found, expected) = (bits(found.values()), bits(expected.values()));
    let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    holds(found == expected, law, || format!("value {}", differs.unwrap_or(found.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CoreError, InPieces, Piece};
    use forewarn_schema::{Frame, Layout, Metric, Schema, Step, Timestamp};

    fn frames(first: f32) -> FrameSet {
        let schema = Schema::new(["a", "b"].map(Metric::gauge).to_vec()).unwrap();
        let frame = |(service, rows): (&str, u8)| {
            let values = (0..2 * rows).map(|i| if i == 0 { first } else { f32::from(i) }).collect();
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        FrameSet::from_frames([("s", 5), ("t", 0), ("u", 3)].map(frame).into()).unwrap()
    }

    /// A name, and what is given each time it is read; nothing more after that.
    struct Memory(&'static str, Vec<f32>);

    impl Source for Memory {
        fn describe(&self) -> String {
            if self.1.len() == 7 { "another".to_owned() } else { self.0.to_owned() }
        }

        fn frames(&mut self) -> Result<FrameSet, CoreError> {
            let empty = || CoreError::NotFinite { what: "a source that was read".to_owned() };
            Ok(frames(self.1.pop().ok_or_else(empty)?))
        }
    }

    #[test]
    fn sources_that_break_a_law_are_found() {
        assert_eq!(source(&mut Memory("a shop", vec![1.0; 2])), Ok(()));
        assert_eq!(source(&mut Memory("a shop", vec![f32::NAN; 2])), Ok(()));
        assert_eq!(source(&mut Memory("a pipe", vec![1.0])), Ok(()), "it says that it cannot be read twice");
        for (mut wrong, law) in [
            (Memory(" ", vec![1.0; 2]), "one line"),
            (Memory("a\nshop", vec![1.0; 2]), "one line"),
            (Memory("a shop", Vec::new()), "has frames"),
            (Memory("a shop", vec![1.0, 2.0]), "gives the same frames"),
            (Memory("a shop", vec![1.0; 8]), "does not change a description"),
        ] {
            let breach = source(&mut wrong).unwrap_err();
            assert!(breach.law.contains(law), "{breach}");
        }
    }

    /// Pieces of a frame set; each kind but the first breaks a law.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Right,
        LosesTheLastRow,
        GoesOnAfterTheEnd,
        RewindsNothing,
        ReadsOtherValues,
    }

    struct Pieces<'a> {
        kind: Kind,
        pieces: InPieces<'a>,
        has_ended: bool,
    }

    impl FrameStream for Pieces<'_> {
        fn schema(&self) -> &Schema {
            self.pieces.schema()
        }

        fn layout(&self) -> &Arc<Layout> {
            self.pieces.layout()
        }

        fn rewind(&mut self) -> Result<(), CoreError> {
            self.has_ended = false;
            if self.kind == Kind::RewindsNothing { Ok(()) } else { self.pieces.rewind() }
        }

        fn next_piece(&mut self) -> Result<Option<Piece<'_>>, CoreError> {
            if self.kind == Kind::GoesOnAfterTheEnd && self.has_ended {
                self.pieces.rewind()?;
            }
            let rows = self.layout().rows();
            let piece = self.pieces.next_piece()?;
            self.has_ended = piece.is_none();
            Ok(piece.filter(|piece| self.kind != Kind::LosesTheLastRow || piece.rows.end < rows))
        }
    }

    #[test]
    fn streams_that_break_a_law_are_found() {
        let (frames, others) = (frames(1.0), frames(2.0));
        let stream = |kind, rows_a_piece| {
            let pieces =
                InPieces::new(if kind == Kind::ReadsOtherValues { &others } else { &frames }, rows_a_piece);
            Pieces { kind, pieces, has_ended: false }
        };
        for rows_a_piece in [1, 2, 100] {
            assert_eq!(frame_stream(&mut stream(Kind::Right, rows_a_piece), Some(&frames)), Ok(()));
            assert_eq!(frame_stream(&mut InPieces::new(&frames, rows_a_piece), None), Ok(()));
        }
        for (wrong, law) in [
            (Kind::LosesTheLastRow, "none is missing"),
            (Kind::GoesOnAfterTheEnd, "after the last one"),
            (Kind::RewindsNothing, "none is missing"),
            (Kind::ReadsOtherValues, "that it stands for"),
        ] {
            let breach = frame_stream(&mut stream(wrong, 2), Some(&frames)).unwrap_err();
            assert!(breach.law.contains(law), "{wrong:?}: {breach}");
        }
    }
}
