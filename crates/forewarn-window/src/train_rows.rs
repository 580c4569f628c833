use crate::WindowError;
use forewarn_core::{CoreError, FrameStream, Piece, PieceOrder, Samples, Train};
use std::ops::Range;

/// For each service the rows that lie in some training window, as disjoint runs in order.
pub(crate) fn train_rows(train: &Train<Samples>) -> Vec<Vec<Range<usize>>> {
    let observation = train.spec().observation();
    let mut last_rows = train.rows().iter().map(|&row| row as usize).peekable();
    let of_service = |end: usize| {
        let mut runs: Vec<Range<usize>> = Vec::new();
        while let Some(last_row) = last_rows.next_if(|&row| row < end) {
            let window = last_row + 1 - observation..last_row + 1;
            match runs.last_mut() {
                Some(run) if window.start <= run.end => run.end = window.end,
                _ => runs.push(window),
            }
        }
        runs
    };
    train.layout().services().iter().map(|place| place.rows().end).map(of_service).collect()
}

/// Shows every piece of `frames` in order, with the runs of training rows that lie in it, and an empty run at its end where more training
/// rows of the service follow: so rows behind the last run need no look.
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
