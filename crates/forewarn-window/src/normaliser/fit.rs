//! Fitting: tallies of each service's training rows, joined in the order of the services.

use super::{
    Column, Normalisation, Normaliser, Scope,
    tally::{Ends, Everything, Sums, Tally},
};
use crate::{
    Features, WindowError,
    features::ListState,
    settings::setting,
    splits::train_rows::{for_each_piece, train_rows},
};
use forewarn_core::{FrameStream, Samples, Train};
use forewarn_schema::{FrameSet, Layout, Schema};
use std::{collections::BTreeMap, ops::Range};

/// Rows that are computed and counted at a time: few enough to stay in the first-level cache.
const BLOCK_ROWS: usize = 64;

/// Most quantiles that are kept of a column.
const MOST_KNOTS: usize = 65_536;

pub(super) fn on_frames(
    train: &Train<Samples>,
    frames: &FrameSet,
    method: Normalisation,
    scope: Scope,
    threads: usize,
) -> Result<Normaliser, WindowError> {
    train.on(frames)?;
    check(method)?;
    let (schema, width) = (frames.schema(), frames.schema().len());
    let count = |runs: &[Range<usize>], (), tally: &mut dyn FnMut(&[f32])| {
        for run in runs {
            tally(&frames.values()[run.start * width..run.end * width]);
        }
    };
    let states = vec![(); frames.layout().services().len()];
    Ok(tallied(train, schema, method, scope, threads, states, count))
}

/// Fits on the columns that `features` makes of `frames`, a block at a time, without keeping them.
pub(crate) fn on_features(
    train: &Train<Samples>,
    frames: &FrameSet,
    features: &Features,
    method: Normalisation,
    scope: Scope,
    threads: usize,
) -> Result<Normaliser, WindowError> {
    train.on(frames)?;
    check(method)?;
    let schema = features.schema(frames.schema())?;
    let (from, width) = (frames.schema().len(), schema.len());
    let layout = frames.layout();
    let starts: Vec<usize> = layout.services().iter().map(|place| place.rows().start).collect();
    let states: Vec<(usize, ListState)> =
        starts.into_iter().zip(features.columns(layout, frames.schema())?).collect();
    let count = |runs: &[Range<usize>], state: (usize, ListState), tally: &mut dyn FnMut(&[f32])| {
        let (mut next, mut columns) = state;
        let mut block = vec![0.0; BLOCK_ROWS * width];
        for run in runs {
            // Rows between runs are not counted, but features remember them.
            for counted in [false, true] {
                let end = if counted { run.end } else { run.start };
                while next < end {
                    let rows = BLOCK_ROWS.min(end - next);
                    let block = &mut block[..rows * width];
                    columns.write_rows(&frames.values()[next * from..(next + rows) * from], block);
                    if counted {
                        tally(block);
                    }
                    next += rows;
                }
            }
        }
    };
    Ok(tallied(train, &schema, method, scope, threads, states, count))
}

/// Fits on the columns that `features` makes of frames that come piece by piece. The same rows in the same order as
/// [`on_features`], so the same bits.
pub(crate) fn on_pieces(
    train: &Train<Samples>,
    frames: &mut dyn FrameStream,
    features: &Features,
    method: Normalisation,
    scope: Scope,
) -> Result<Normaliser, WindowError> {
    check(method)?;
    let schema = features.schema(frames.schema())?;
    let job = Job { train, schema: &schema, method, scope, threads: 1 };
    match method {
        Normalisation::ZScore => job.run_on_pieces::<Sums>(frames, features),
        Normalisation::MinMax => job.run_on_pieces::<Ends>(frames, features),
        Normalisation::Robust | Normalisation::Quantile { .. } => {
            Err(WindowError::NeedsEveryValue { method })
        }
    }
}

fn check(method: Normalisation) -> Result<(), WindowError> {
    match method {
        Normalisation::Quantile { knots } if !(2..=MOST_KNOTS).contains(&knots) => {
            Err(setting("quantiles", &knots, "2 to 65,536"))
        }
        _ => Ok(()),
    }
}

fn tallied<S: Send>(
    train: &Train<Samples>,
    schema: &Schema,
    method: Normalisation,
    scope: Scope,
    threads: usize,
    states: Vec<S>,
    count: impl Fn(&[Range<usize>], S, &mut dyn FnMut(&[f32])) + Sync,
) -> Normaliser {
    let job = Job { train, schema, method, scope, threads };
    match method {
        Normalisation::ZScore => job.run::<S, Sums>(states, count),
        Normalisation::MinMax => job.run::<S, Ends>(states, count),
        Normalisation::Robust | Normalisation::Quantile { .. } => job.run::<S, Everything>(states, count),
    }
}

struct Job<'a> {
    train: &'a Train<Samples>,
    schema: &'a Schema,
    method: Normalisation,
    scope: Scope,
    threads: usize,
}

impl Job<'_> {
    fn run<S: Send, T: Tally>(
        &self,
        states: Vec<S>,
        count: impl Fn(&[Range<usize>], S, &mut dyn FnMut(&[f32])) + Sync,
    ) -> Normaliser {
        let width = self.schema.len();
        let jobs: Vec<_> = train_rows(self.train).into_iter().zip(states).collect();
        let tallies: Vec<T> = map_services(self.train.layout(), self.threads, jobs, |(runs, state)| {
            let mut tally = T::new(width);
            count(&runs, state, &mut |rows| tally.add(rows));
            tally
        });
        self.normaliser(&tallies)
    }

    fn run_on_pieces<T: Tally>(
        &self,
        frames: &mut dyn FrameStream,
        features: &Features,
    ) -> Result<Normaliser, WindowError> {
        let width = self.schema.len();
        let from = frames.schema().len();
        let mut tallies = vec![T::new(width); frames.layout().services().len()];
        let mut states = features.columns(frames.layout(), frames.schema())?;
        let mut block = vec![0.0; BLOCK_ROWS * width];
        for_each_piece(self.train, frames, |piece, runs| {
            let mut next = piece.rows.start;
            // Rows between runs are not counted, but features remember them.
            for run in runs {
                for (end, counted) in [(run.start, false), (run.end, true)] {
                    while next < end {
                        let rows = BLOCK_ROWS.min(end - next);
                        let block = &mut block[..rows * width];
                        let samples = (next - piece.rows.start) * from;
                        let samples = &piece.values[samples..samples + rows * from];
                        states[piece.service].write_rows(samples, block);
                        if counted {
                            tallies[piece.service].add(block);
                        }
                        next += rows;
                    }
                }
            }
            Ok(())
        })?;
        Ok(self.normaliser(&tallies))
    }

    /// What the tallies of all services say.
    fn normaliser<T: Tally>(&self, tallies: &[T]) -> Normaliser {
        let mut all = T::new(self.schema.len());
        tallies.iter().for_each(|tally| all.join(tally));
        let unseen = || match self.method {
            Normalisation::Quantile { knots } => Column::quantiles(&[0.0], knots),
            Normalisation::ZScore | Normalisation::Robust | Normalisation::MinMax => Column::UNSEEN,
        };
        let global: Vec<Column> =
            all.columns(self.method).into_iter().map(|column| column.unwrap_or_else(unseen)).collect();
        let own = |tally: &T| -> Vec<Column> {
            let columns = tally.columns(self.method).into_iter().zip(&global);
            columns.map(|(column, global)| column.unwrap_or_else(|| global.clone())).collect()
        };
        let places = self.train.layout().services().iter().zip(tallies);
        let services = match self.scope {
            Scope::Service => places.map(|(place, tally)| (place.name().to_owned(), own(tally))).collect(),
            Scope::Global => BTreeMap::new(),
        };
        let columns = self.schema.names().map(str::to_owned).collect();
        Normaliser { method: self.method, columns, limit: None, global, services }
    }
}

/// `work` on each service's job, by at most `threads` threads; results in the order of the services.
fn map_services<J: Send, T: Send>(
    layout: &Layout,
    threads: usize,
    jobs: Vec<J>,
    work: impl Fn(J) -> T + Sync,
) -> Vec<T> {
    let mut jobs = jobs.into_iter();
    let groups: Vec<Vec<J>> = layout
        .share_out(threads)
        .into_iter()
        .map(|services| jobs.by_ref().take(services.len()).collect())
        .collect();
    let run = |group: Vec<J>| group.into_iter().map(&work).collect::<Vec<T>>();
    let mut groups = groups.into_iter();
    let first = groups.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = groups.map(|group| scope.spawn(|| run(group))).collect();
        let mut results = run(first);
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}
