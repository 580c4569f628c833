//! Attention over the states of a window: what the head reads is their mean, each weighted by how much it matters.
//!
//! ```text
//! e_t = w h_t      alpha_t = exp(e_t) / sum of exp(e)      features = sum of alpha_t h_t
//! ```

use crate::simd::{
    aligned::Aligned,
    arithmetic::{Arithmetic, LANES},
    kernel::{lanes, lanes_mut},
    real::Real,
};

/// The weighted sum so far, of each window of a batch. It goes on step by step, so that a stream and a batch do the
/// same.
///
/// # References
/// M. Milakov and N. Gimelshein, *Online normalizer calculation for softmax*, 2018.
#[derive(Clone, Debug)]
pub(crate) struct Attended<T> {
    /// `[window, unit]`: the sum of `exp(e - most) h`.
    pub(crate) sums: Aligned<T>,
    /// `[window]`: the sum of `exp(e - most)`.
    pub(crate) totals: Vec<T>,
    /// `[window]`: the largest `e`.
    pub(crate) most: Vec<T>,
}

impl<T: Real> Attended<T> {
    pub(crate) fn new(windows: usize, stride: usize) -> Self {
        let mut new = Self {
            sums: Aligned::new(windows * stride),
            totals: vec![T::ZERO; windows],
            most: vec![T::ZERO; windows],
        };
        new.clear();
        new
    }

    /// Back to before the first step.
    pub(crate) fn clear(&mut self) {
        self.sums.fill(T::ZERO);
        self.totals.fill(T::ZERO);
        self.most.fill(T::from_f64(f64::NEG_INFINITY));
    }

    /// Takes in the states of one step; `scores` becomes each window's `e`.
    #[inline(always)]
    pub(crate) fn step<A: Arithmetic<Number = T>>(
        &mut self,
        a: A,
        weight: &[T],
        states: &[T],
        mut score: impl FnMut(usize, T),
    ) {
        let stride = weight.len();
        for (window, state) in states.chunks_exact(stride).enumerate() {
            let mut sum = a.splat(T::ZERO);
            for at in (0..stride).step_by(LANES) {
                sum = a.mul_add(a.load(lanes(weight, at)), a.load(lanes(state, at)), sum);
            }
            let e = a.sum(sum);
            score(window, e);
            let before = self.most[window];
            // Written so that NaN goes on.
            let most = if e < before { before } else { e };
            let kept = exp(before - most);
            let share = exp(e - most);
            self.most[window] = most;
            self.totals[window] = self.totals[window] * kept + share;
            let (kept, share) = (a.splat(kept), a.splat(share));
            let sums = &mut self.sums[window * stride..][..stride];
            for at in (0..stride).step_by(LANES) {
                let sum = lanes_mut(sums, at);
                let scaled = a.mul(a.load(sum), kept);
                a.store(a.mul_add(a.load(lanes(state, at)), share, scaled), sum);
            }
        }
    }

    /// The mean of the states, `[window, unit]`.
    #[inline(always)]
    pub(crate) fn read<A: Arithmetic<Number = T>>(&self, a: A, windows: usize, to: &mut [T]) {
        let stride = to.len() / windows;
        for window in 0..windows {
            let scale = a.splat(T::from_f64(1.0 / self.totals[window].to_f64()));
            for at in (window * stride..(window + 1) * stride).step_by(LANES) {
                a.store(a.mul(a.load(lanes(&self.sums, at)), scale), lanes_mut(to, at));
            }
        }
    }

    /// From the derivatives by the features to those by the weight, which are added to `grads`, and by each state,
    /// which are written to `state_grads`. `states` are those after each step, `scores` their `e`; time comes first.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "one call, inlined: a struct would only rename them")]
    pub(crate) fn backward<A: Arithmetic<Number = T>>(
        &self,
        a: A,
        weight: &[T],
        states: &[T],
        scores: &[T],
        feature_grads: &[T],
        grads: &mut [T],
        state_grads: &mut [T],
    ) {
        let stride = weight.len();
        let windows = feature_grads.len() / stride;
        let steps = states.len() / feature_grads.len();
        for window in 0..windows {
            let of_window = |step: usize| (step * windows + window) * stride;
            let by_features = &feature_grads[window * stride..][..stride];
            let total = self.totals[window].to_f64();
            let alpha = |step: usize| {
                let e = scores[step * windows + window] - self.most[window];
                T::from_f64(e.to_f64().exp() / total)
            };
            // The derivative by alpha, whose mean falls out because alphas add up to 1.
            let by_alpha = |step: usize| {
                let mut sum = a.splat(T::ZERO);
                for at in (0..stride).step_by(LANES) {
                    let state = a.load(lanes(states, of_window(step) + at));
                    sum = a.mul_add(a.load(lanes(by_features, at)), state, sum);
                }
                a.sum(sum)
            };
            let mut mean = T::ZERO;
            for step in 0..steps {
                mean += alpha(step) * by_alpha(step);
            }
            for step in 0..steps {
                let share = alpha(step);
                let by_score = a.splat(share * (by_alpha(step) - mean));
                let share = a.splat(share);
                for at in (0..stride).step_by(LANES) {
                    let state = a.load(lanes(states, of_window(step) + at));
                    let through = a.mul(by_score, a.load(lanes(weight, at)));
                    let by_state = a.mul_add(share, a.load(lanes(by_features, at)), through);
                    a.store(by_state, lanes_mut(state_grads, of_window(step) + at));
                    let grad = lanes_mut(grads, at);
                    a.store(a.mul_add(by_score, state, a.load(grad)), grad);
                }
            }
        }
    }
}

fn exp<T: Real>(x: T) -> T {
    T::from_f64(x.to_f64().exp())
}
