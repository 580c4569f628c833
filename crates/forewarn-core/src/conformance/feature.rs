use super::{Breach, bits, holds, places, rows_of, same, works};
use crate::{Columns, CoreError, Feature, FeatureState, Origin, Rows};
use forewarn_schema::{FrameView, Schema};

/// Most stops, and most damaged bytes, that are tried.
const STOPS: usize = 12;

/// Checks the laws that every feature keeps on the rows of one service:
///
/// - columns have names that differ, and all of them are written in every row, with a number or NaN, never infinity;
/// - the same rows give the same columns;
/// - rows in pieces, by [`push_rows`](FeatureState::push_rows), give the columns of rows one by one;
/// - a copy goes on as the original does, and neither moves the other;
/// - a state that is saved in any row and restored, into a new state or a used one, goes on with the same bits, and
///   takes no byte more than were written; a feature that says it is [not savable](CoreError::NotSavable) is passed
///   over;
/// - bytes that are cut off or changed make nothing panic, and where they are refused the state is as it was.
///
/// That no feature sees a later row needs no check: a state is given one row after another.
///
/// # Errors
/// The first [`Breach`].
pub fn feature<F: Feature + ?Sized>(feature: &F, frame: FrameView<'_>) -> Result<(), Breach> {
    let law = "columns have names that differ";
    let outputs =
        works(feature.outputs(frame.schema()), "a feature has columns on metrics that it can read")?;
    let width = outputs.len();
    if width > 0 {
        works(Schema::new(outputs), law)?;
    }
    let start =
        || works(feature.start(frame.schema(), Origin::from(frame)), "a feature starts on its metrics");

    let expected = columns(&mut *start()?, frame, 0, width, 7.0);
    let law = "every column is written in every row, and the same rows give the same";
    same(&columns(&mut *start()?, frame, 0, width, -7.0), &expected, law, "the second time")?;
    let infinite = expected.iter().position(|&value| f32::from_bits(value).is_infinite());
    holds(infinite.is_none(), "a column is a number or NaN", || {
        format!("infinity in row {}", infinite.unwrap_or(0) / width.max(1))
    })?;
    for rows_a_piece in [1, 2, 7, frame.rows().max(1)] {
        let law = "rows in pieces give the columns of rows one by one";
        let found = in_pieces(&mut *start()?, frame, rows_a_piece, width)?;
        same(&found, &expected, law, &format!("pieces of {rows_a_piece}"))?;
    }
    for stop in places(frame.rows(), STOPS) {
        let mut state = start()?;
        rows_of(frame).take(stop).for_each(|row| drop(push(&mut *state, row, width, 7.0)));
        let rest = &expected[stop * width..];
        let copied = columns(&mut *state.clone_state(), frame, stop, width, 7.0);
        same(&copied, &rest.to_vec(), "a copy goes on as the original", &format!("after row {stop}"))?;
        let mut saved = Vec::new();
        match state.save(&mut saved) {
            Err(CoreError::NotSavable { .. }) => continue,
            saved => works(saved, "a state can be saved, or says that it is not")?,
        }
        let mut used = state.clone_state();
        rows_of(frame).for_each(|row| drop(push(&mut *used, row, width, 7.0)));
        for (kind, mut restored) in [("new", start()?), ("used", used)] {
            let at = format!("a {kind} state, after row {stop}");
            let bytes = [&saved[..], &[7, 7]].concat();
            let mut from = &bytes[..];
            works(restored.restore(&mut from), "a state can be restored")?;
            same(&from.len(), &2, "a state takes the bytes that were saved, and no more", &at)?;
            let law = "a restored state goes on with the same bits";
            same(&columns(&mut *restored, frame, stop, width, 7.0), &rest.to_vec(), law, &at)?;
        }
        damaged(&*state, &saved, frame, stop, width, rest)?;
        same(
            &columns(&mut *state, frame, stop, width, 7.0),
            &rest.to_vec(),
            "nothing moves a state but rows",
            "the original",
        )?;
    }
    Ok(())
}

/// Restores bytes that are cut off, or of which one is changed.
fn damaged(
    state: &dyn FeatureState,
    saved: &[u8],
    frame: FrameView<'_>,
    stop: usize,
    width: usize,
    rest: &[u32],
) -> Result<(), Breach> {
    let Some(last) = saved.len().checked_sub(1) else { return Ok(()) };
    for place in places(last, STOPS) {
        let changed = [0, 1, 0x7f, 0xff].map(|byte| {
            let mut bytes = saved.to_vec();
            bytes[place] ^= byte;
            bytes
        });
        for bytes in changed.iter().skip(1).map(Vec::as_slice).chain([&saved[..place]]) {
            let mut other = state.clone_state();
            let (mut from, before) = (bytes, bytes.len());
            let refused = other.restore(&mut from).is_err();
            let found = columns(&mut *other, frame, stop, width, 7.0);
            if refused {
                let at = format!("byte {place} of {} after row {stop}", saved.len());
                let law = "a state that is refused damaged bytes is as it was";
                same(&found, &rest.to_vec(), law, &at)?;
                same(&from.len(), &before, law, &at)?;
            }
        }
    }
    Ok(())
}

fn push(state: &mut dyn FeatureState, row: &[f32], width: usize, unwritten: f32) -> Vec<u32> {
    let mut out = vec![unwritten; width];
    state.push(row, &mut out);
    bits(&out)
}

/// The columns of the rows from `first` on.
fn columns(
    state: &mut dyn FeatureState,
    frame: FrameView<'_>,
    first: usize,
    width: usize,
    unwritten: f32,
) -> Vec<u32> {
    rows_of(frame).skip(first).flat_map(|row| push(state, row, width, unwritten)).collect()
}

fn in_pieces(
    state: &mut dyn FeatureState,
    frame: FrameView<'_>,
    rows_a_piece: usize,
    width: usize,
) -> Result<Vec<u32>, Breach> {
    let mut found = Vec::new();
    if width == 0 {
        return Ok(found);
    }
    let inputs = frame.schema().len();
    for piece in frame.values().chunks(rows_a_piece * inputs) {
        // Among columns of others, which must stay as they are.
        let wide = width + 2;
        let mut block = vec![7.0; piece.len() / inputs * wide];
        let mut out = works(Columns::new(&mut block, wide, 1..wide - 1), "columns fit between others")?;
        state.push_rows(Rows::new(piece, inputs), &mut out);
        for row in block.chunks_exact(wide) {
            let law = "a feature writes no column but its own";
            same(&bits(&[row[0], row[wide - 1]]), &bits(&[7.0; 2]), law, "its neighbours")?;
            found.extend(bits(&row[1..wide - 1]));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{restore_part, save_part};
    use forewarn_schema::{Frame, Metric, SchemaError, Step, Timestamp};

    /// The sum of all samples; each kind but the first breaks a law.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        Right,
        WritesNothingAtFirst,
        ForgetsToSave,
        IsInfinite,
        TakesAll,
        BreaksWhenRefused,
    }

    #[derive(Clone, Debug)]
    struct Sum(Kind, f32);

    impl Feature for Kind {
        fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
            Ok(vec![Metric::gauge("sum")])
        }

        fn start(&self, _: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
            Ok(Box::new(Sum(*self, 0.0)))
        }
    }

    impl FeatureState for Sum {
        fn push(&mut self, row: &[f32], out: &mut [f32]) {
            let first = self.1 == 0.0;
            self.1 += row[0];
            match self.0 {
                Kind::WritesNothingAtFirst if first => {}
                Kind::IsInfinite => out[0] = f32::INFINITY,
                _ => out[0] = self.1,
            }
        }

        fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
            let sum = if self.0 == Kind::ForgetsToSave { 0.0 } else { self.1 };
            save_part(&sum, out)
        }

        fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
            if self.0 == Kind::BreaksWhenRefused {
                self.1 = 0.0;
            }
            let mut rest = *from;
            let sum: f32 = restore_part(&mut rest)?;
            if !sum.is_finite() {
                return Err(CoreError::damaged_state("no sum"));
            }
            (self.1, *from) = (sum, if self.0 == Kind::TakesAll { &[] } else { rest });
            Ok(())
        }
    }

    #[test]
    fn features_that_break_a_law_are_found() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let samples = (1..30u8).map(f32::from).collect();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, samples).unwrap();
        assert_eq!(feature(&Kind::Right, frame.view()), Ok(()));
        for (wrong, law) in [
            (Kind::WritesNothingAtFirst, "written in every row"),
            (Kind::ForgetsToSave, "goes on with the same bits"),
            (Kind::IsInfinite, "a number or NaN"),
            (Kind::TakesAll, "and no more"),
            (Kind::BreaksWhenRefused, "is as it was"),
        ] {
            let breach = feature(&wrong, frame.view()).unwrap_err();
            assert!(breach.law.contains(law), "{wrong:?}: {breach}");
        }
    }
}
