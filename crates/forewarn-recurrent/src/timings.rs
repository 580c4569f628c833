//! What training steps and scores take, and how much of what the processor can do: measurements, to be run alone.
//!
//! `cargo test --release -p forewarn-recurrent -- --ignored --nocapture --test-threads 1 times`; with
//! `--features libtorch` beside libtorch.

use crate::{
    Cell, Instructions, Output, RecurrentModel,
    fit::gradient::{
        Gradient, Native,
        tests::{Case, numbers, single},
    },
    input::services::Services,
    network::shape::strategies::plain,
    simd::{
        arithmetic::Arithmetic,
        processor::{Processor, Task},
    },
};
use forewarn_core::{Predictor, Score, Windows};
use forewarn_schema::{Metric, Schema};
use std::{hint::black_box, time::Instant};

const STEPS: usize = 10;
const FEATURES: usize = 19;
const HIDDEN: usize = 64;
const HEAD: usize = 32;

/// Sums that are kept in registers and nothing else: the most that a processor can do.
struct Peak {
    rounds: usize,
}

impl Task for Peak {
    type Output = f32;

    #[inline(always)]
    fn run<A: Arithmetic<Number = f32>>(self, a: A) -> f32 {
        let (x, y) = (a.splat(black_box(0.999)), a.splat(black_box(1e-3)));
        let mut sums = [a.splat(1.0); 12];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = a.mul_add(*sum, x, y);
            }
        }
        sums.into_iter().map(|sum| a.sum(sum)).sum()
    }
}

/// Multiply-adds a second, times two.
fn peak(processor: Processor) -> f64 {
    let rounds = 100_000;
    (rounds * 12 * 16 * 2) as f64 / fastest(50, || processor.run(Peak { rounds }))
}

/// Seconds of the fastest of a number of runs.
fn fastest<T>(times: usize, mut work: impl FnMut() -> T) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    };
    (0..times).map(time).fold(f64::INFINITY, f64::min)
}

/// A gradient's seconds, without the update.
fn step(case: &Case, gradient: &mut dyn Gradient) -> f64 {
    let mut grads = vec![0.0; case.parameters.len()];
    fastest(300, || gradient.gradient(&case.parameters, case.batch(), &mut grads).unwrap())
}

#[test]
#[ignore = "a measurement, to be run alone"]
fn step_times() {
    for instructions in Instructions::available() {
        let processor = Processor::new(instructions).unwrap();
        let peak = peak(processor);
        println!("{instructions:?}: peak {:.0} GFLOP/s", peak * 1e-9);
        for (cell, windows) in [(Cell::Lstm, 64), (Cell::Gru, 64), (Cell::Lstm, 256), (Cell::Gru, 256)] {
            let case = Case::new(plain(cell, FEATURES, HIDDEN, Some(HEAD)), STEPS, windows, 3);
            let times = [1, 2].map(|threads| {
                step(&case, &mut Native::new(case.shape, STEPS, windows, threads, processor).unwrap())
            });
            // Inputs and states forward, the same for the gradient, states again on the way back.
            let products = 2 * FEATURES * STEPS + 3 * HIDDEN * (STEPS - 1);
            let flops = (2 * products * cell.gates() * HIDDEN * windows) as f64 / times[0];
            println!(
                "  {cell} {windows} windows: {:.3} ms, {:.0} % of the peak; with two threads {:.3} ms, {:.2} times as fast",
                times[0] * 1e3,
                100.0 * flops / peak,
                times[1] * 1e3,
                times[0] / times[1]
            );
        }
    }
}

#[cfg(feature = "libtorch")]
#[test]
#[ignore = "a measurement, to be run alone"]
fn step_times_beside_libtorch() {
    use crate::fit::libtorch::tests::with;
    for (cell, windows) in [(Cell::Lstm, 64), (Cell::Gru, 64), (Cell::Lstm, 256), (Cell::Gru, 256)] {
        let case = Case::new(plain(cell, FEATURES, HIDDEN, Some(HEAD)), STEPS, windows, 3);
        let native = step(&case, &mut Native::new(case.shape, STEPS, windows, 1, Processor::best()).unwrap());
        let libtorch = with(&case, |mut libtorch| step(&case, &mut libtorch));
        println!(
            "{cell} {windows} windows, one thread: native {:.3} ms, libtorch {:.3} ms, {:.2} times as long",
            native * 1e3,
            libtorch * 1e3,
            libtorch / native
        );
    }
}

#[test]
#[ignore = "a measurement, to be run alone"]
fn score_times() {
    let windows = 4096;
    let rows = windows + STEPS - 1;
    let values = single(&numbers(rows * FEATURES, 5, 2.0));
    let schema = Schema::new((0..FEATURES).map(|i| Metric::gauge(format!("m{i}"))).collect()).unwrap();
    let following: Vec<u32> = (STEPS as u32 - 1..rows as u32).collect();
    // No two beside each other share a row.
    let apart: Vec<u32> = (0..windows).map(|window| (window * 37 % windows + STEPS - 1) as u32).collect();
    let mut scores = vec![Score::ZERO; windows];
    for instructions in Instructions::available() {
        let peak = peak(Processor::new(instructions).unwrap());
        println!("{instructions:?}: peak {:.0} GFLOP/s", peak * 1e-9);
        for cell in [Cell::Lstm, Cell::Gru] {
            let shape = plain(cell, FEATURES, HIDDEN, Some(HEAD));
            let weights = single(&numbers(shape.weights(), 3, 0.125));
            let model = RecurrentModel::new(
                shape,
                Output::Probability,
                schema.clone(),
                STEPS,
                Services::default(),
                vec![weights],
            );
            let model = model.unwrap().with_instructions(instructions).unwrap();
            let mut window = |last_rows: &[u32], times: usize| {
                let of = Windows::new(&schema, &values, STEPS, last_rows).unwrap();
                let scores = &mut scores[..last_rows.len()];
                fastest(times, || model.score(of, scores).unwrap()) / last_rows.len() as f64
            };
            let (following_time, apart_time) = (window(&following, 60), window(&apart, 60));
            let one = window(&following[..1], 3000);
            let mut state = model.start();
            let stream = fastest(50, || {
                values.chunks_exact(FEATURES).for_each(|row| {
                    black_box(model.step(&mut state, row).unwrap());
                });
            });
            let products = (FEATURES * STEPS + HIDDEN * (STEPS - 1)) * cell.gates() * HIDDEN + HIDDEN * HEAD;
            println!(
                "  {cell}: {:.2} us a window of a batch, {:.2} us where they share no rows ({:.0} % of the peak), {:.2} us one window, {:.2} us a row of a stream",
                following_time * 1e6,
                apart_time * 1e6,
                100.0 * 2.0 * products as f64 / apart_time / peak,
                one * 1e6,
                stream / rows as f64 * 1e6
            );
        }
    }
}
