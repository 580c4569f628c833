use crate::WindowError;
use forewarn_core::{CoreError, FrameStream, Piece, PieceOrder, Samples, Train};
use std::ops::Range;

/// Training windows that are looked at together.
const GROUP: usize = 64;

/// For each service the rows that lie in some training window, as disjoint runs in order.
pub(crate) fn train_rows(train: &Train<Samples>) -> Vec<Vec<Range<usize>>> {
    let observation = train.spec().observation();
    let mut rest = train.rows();
    let of_service = |end: usize| {
        let (mut last_rows, after) = rest.split_at(rest.partition_point(|&row| (row as usize) < end));
        rest = after;
        let mut runs: Vec<Range<usize>> = Vec::new();
        while let Some(&first) = last_rows.first() {
            // Rows ascend, so that where the last of a group is as far on as the group is long, no row is left out in
            // between.
            let group = last_rows.get(..GROUP).filter(|group| group[GROUP - 1] - first < GROUP as u32);
            let group = group.unwrap_or(&last_rows[..1]);
            let rows = first as usize + 1 - observation..first as usize + group.len();
            match runs.last_mut() {
                Some(run) if rows.start <= run.end => run.end = rows.end,
                _ => runs.push(rows),
            }
            last_rows = &last_rows[group.len()..];
        }
        runs
    };
    train.layout().services().iter().map(|place| place.rows().end).map(of_service).collect()
}

/// Shows every piece of `frames` in order, with the runs of training rows that lie in it, and an empty run at its end
/// where more training rows of the service follow: so rows behind the last run need no look.
pub(crate) fn for_each_piece(
    train: &Train<Samples>,
    frames: &mut dyn FrameStream,
    mut visit: impl FnMut(&Piece<'_>, &[Range<usize>]) -> Result<(), WindowError>,
) -> Result<(), WindowError> {
    if train.layout() != frames.layout() {
        return Err(CoreError::LayoutMismatch.into());
    }
    let runs = train_rows(train);
    // The first run of each service that does not lie before its next piece.
    let mut nexts = vec![0; runs.len()];
    let mut order = PieceOrder::start(frames)?;
    let mut here = Vec::new();
    while let Some(piece) = frames.next_piece()? {
        order.take(&piece)?;
        let (runs, next) = (&runs[piece.service], &mut nexts[piece.service]);
        here.clear();
        for run in &runs[*next..] {
            if run.start >= piece.rows.end {
                break;
            }
            here.push(run.start.max(piece.rows.start)..run.end.min(piece.rows.end));
        }
        *next += runs[*next..].iter().take_while(|run| run.end <= piece.rows.end).count();
        if *next < runs.len() {
            here.push(piece.rows.end..piece.rows.end);
        }
        visit(&piece, &here)?;
    }
    Ok(order.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Label, Labels, Split, Target, WindowSpec};
    use forewarn_schema::{Episodes, Layout, Step, Timestamp};
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn a_row_is_a_training_row_where_a_window_holds_it(
            gaps in proptest::collection::vec(prop_oneof![40 => Just(1usize), 1 => 2usize..9], 1..400),
            observation in 1usize..5,
        ) {
            let rows: usize = gaps.iter().sum::<usize>() + 100;
            let places = ["a", "b"].map(|name| (name.to_owned(), Timestamp::EPOCH, rows));
            let layout = Arc::new(Layout::new(Step::MINUTE, places).unwrap());
            let spec = WindowSpec::new(observation, 0, 1).unwrap();
            let (labels, none) = (vec![Label::Negative; 2 * rows], vec![Episodes::default(); 2]);
            let labels = Labels::new(Arc::clone(&layout), spec, Target::Onset, 1, labels, none).unwrap();
            // Training windows end in rows that are those gaps apart; the other parts lie behind them.
            let mut kept = vec![false; rows - 50];
            gaps.iter().fold(0, |row, gap| {
                kept[row + gap + 3] = true;
                row + gap
            });
            let minute = |time: Timestamp| (time.millis() / 60_000) as usize;
            let train = labels.samples(|_, time| kept.get(minute(time)) == Some(&true));
            let later = |from: usize| labels.samples(move |_, time| (from..from + 5).contains(&minute(time)));
            let split = Split::new(train, later(rows - 30), later(rows - 10), labels.purge()).unwrap();

            let mut held = vec![false; 2 * rows];
            for &row in split.train().rows() {
                held[row as usize + 1 - observation..=row as usize].fill(true);
            }
            let runs = train_rows(split.train());
            for runs in &runs {
                prop_assert!(runs.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", runs);
            }
            let mut found = vec![false; 2 * rows];
            runs.into_iter().flatten().for_each(|run| found[run].fill(true));
            prop_assert_eq!(found, held);
        }
    }
}
