//! Columns computed a block of rows at a time, by as many threads as are given.

use super::FrameSet;
use crate::{FrameView, Schema, SchemaError, frame::Limits};
use std::sync::Arc;

/// A service, its state, and where its rows go.
struct Job<'a, S> {
    input: FrameView<'a>,
    state: S,
    output: &'a mut [f32],
}

pub(super) fn derive<S: Send>(
    set: &FrameSet,
    memory: Vec<f32>,
    schema: Schema,
    states: Vec<S>,
    threads: usize,
    fill: impl Fn(&mut S, &[f32], &mut [f32]) + Sync,
) -> Result<FrameSet, SchemaError> {
    let services = set.layout.services();
    if states.len() != services.len() {
        return Err(SchemaError::StateCount { states: states.len(), services: services.len() });
    }
    let size = set.layout.rows() * schema.len();
    let mut values = memory;
    if values.capacity() < size {
        // Zeroed by the system when it is first touched.
        values = vec![0.0; size];
    } else {
        values.resize(size, 0.0);
    }
    let mut rest = values.as_mut_slice();
    let mut jobs = Vec::with_capacity(services.len());
    for (input, state) in set.frames().zip(states) {
        let (output, after) = rest.split_at_mut(input.rows() * schema.len());
        jobs.push(Job { input, state, output });
        rest = after;
    }
    let limits = Limits::new(&schema);
    let run = |jobs: Vec<Job<'_, S>>| jobs.into_iter().try_for_each(|job| job.run(&schema, &limits, &fill));
    let mut jobs = jobs.into_iter();
    let groups: Vec<Vec<_>> = set
        .layout
        .share_out(threads)
        .into_iter()
        .map(|services| jobs.by_ref().take(services.len()).collect())
        .collect();
    let mut groups = groups.into_iter();
    // The first group runs here: with one thread none is started.
    let first = groups.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = groups.map(|group| scope.spawn(|| run(group))).collect();
        let mut result = run(first);
        for other in others {
            let other = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(other);
        }
        result
    })?;
    Ok(FrameSet { schema, layout: Arc::clone(&set.layout), values })
}

impl<S> Job<'_, S> {
    fn run(
        mut self,
        schema: &Schema,
        limits: &Limits,
        fill: &impl Fn(&mut S, &[f32], &mut [f32]),
    ) -> Result<(), SchemaError> {
        let samples = self.input.values().chunks(Limits::ROWS * self.input.schema().len());
        let width = schema.len();
        let (mut done, mut sound) = (0, true);
        for (samples, rows) in samples.zip(self.output.chunks_mut(Limits::ROWS * width)) {
            fill(&mut self.state, samples, rows);
            done += rows.len();
            if !limits.hold(rows) {
                sound = false;
                break;
            }
        }
        if sound {
            return Ok(());
        }
        // Which value it was takes the slow way.
        FrameView { schema, values: &self.output[..done], ..self.input }.check_ranges()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frame, Metric, Step, Timestamp};

    fn set(rows: &[usize]) -> FrameSet {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = |(service, &rows): (usize, &usize)| {
            let values = (0..rows).map(|row| row as f32).collect();
            Frame::new(format!("s{service}"), schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
        };
        FrameSet::from_frames(rows.iter().enumerate().map(frame).collect()).unwrap()
    }

    /// Running sums, which start again with each service.
    fn sums(set: &FrameSet, threads: usize) -> Result<FrameSet, SchemaError> {
        let states = vec![0.0f32; set.layout().services().len()];
        set.derive_blocks(set.schema().clone(), states, threads, |sum, samples, rows| {
            for (sample, row) in samples.iter().zip(rows) {
                *sum += sample;
                *row = *sum;
            }
        })
    }

    #[test]
    fn any_number_of_threads_gives_the_same() {
        let set = set(&[100, 0, 33, 64, 1, 500]);
        let alone = sums(&set, 1).unwrap();
        assert_eq!(alone.frame(0).unwrap().values()[99], 4950.0);
        assert_eq!(alone.frame(2).unwrap().values()[32], 528.0);
        for threads in [0, 2, 3, 16] {
            assert_eq!(sums(&set, threads).unwrap().values(), alone.values());
        }
    }

    #[test]
    fn the_first_value_out_of_range_is_named_whoever_finds_it() {
        let set = set(&[100, 100, 100]);
        for threads in [1, 2, 3] {
            let states = vec![0; 3];
            let wrong = set.derive_blocks(set.schema().clone(), states, threads, |_, samples, rows| {
                for (sample, row) in samples.iter().zip(rows) {
                    *row = if *sample == 70.0 { f32::INFINITY } else { *sample };
                }
            });
            let error = wrong.unwrap_err().to_string();
            assert!(error.starts_with("s0 at 1970-01-01T01:10:00Z: x is inf"), "{error}");
        }
        let few = set.derive_blocks(set.schema().clone(), vec![0; 2], 1, |_, _, _| ());
        assert_eq!(few.unwrap_err(), SchemaError::StateCount { states: 2, services: 3 });
    }
}
