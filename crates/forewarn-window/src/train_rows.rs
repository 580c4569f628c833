use forewarn_core::{Samples, Train};
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
