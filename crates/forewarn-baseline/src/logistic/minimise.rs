use super::objective::Objective;
use crate::BaselineError;
use argmin::{
    core::{IterState, Problem, Solver, State},
    solver::{linesearch::MoreThuenteLineSearch, quasinewton::LBFGS},
};
use forewarn_core::{FitProgress, Monitor};

/// Steps that L-BFGS remembers.
const MEMORY: usize = 20;

/// Evaluations after which a line search is taken to be lost.
const LINE_SEARCH_EVALUATIONS: usize = 60;

/// Steps after which the gain in loss is looked at.
const CHECK_STEPS: usize = 25;

/// Gain in loss over [`CHECK_STEPS`] steps, in nats of the whole training set, below which going on changes no
/// prediction.
const NEGLIGIBLE_GAIN: f64 = 1e-3;

/// Share of the loss that [`CHECK_STEPS`] steps of [`Stop::Flat`] have to gain to go on.
const FLAT: f64 = 1e-3;

/// Gradient norm, in standard errors, at which a fit that gains no more counts as the minimum.
const CLOSE: f64 = 1e-2;

/// How a fit ended.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Convergence {
    /// Inverse strength of the penalty: as set, or as validation chose.
    pub c: f64,
    /// Steps of the minimiser.
    pub iterations: usize,
    /// The penalised loss at the end.
    pub loss: f64,
    /// Norm of the gradient at the end, in units in which the loss has a curvature of about 1 in each parameter:
    /// about how many standard errors are left to the minimum. After a pilot the curvature is about 1 in every direction.
    pub gradient_norm: f64,
}

impl Convergence {
    /// Largest gradient norm that counts as the minimum. The loss is known to within its rounding, which moves the
    /// gradient by the root of it: an absolute bound could not be reached for much data.
    fn bound(&self, tolerance: f64) -> f64 {
        tolerance * (1.0 + self.loss).sqrt()
    }

    fn has_reached(&self, tolerance: f64) -> bool {
        self.loss.is_finite() && self.gradient_norm <= self.bound(tolerance)
    }

    /// Whether the minimum is so close that no prediction tells the difference.
    fn is_close(&self) -> bool {
        self.loss.is_finite() && self.gradient_norm <= CLOSE
    }
}

type Search = IterState<Vec<f64>, Vec<f64>, (), (), (), f64>;

/// Where a fit ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stop {
    /// At a gradient norm of `tolerance sqrt(1 + loss)`, or where rounding lets no step gain anything.
    At(f64),
    /// There with [`Stop::DEFAULT`], or where predictions have stopped to change.
    Settled,
    /// Where [`CHECK_STEPS`] steps gain less than [`FLAT`] of the loss.
    Flat,
}

impl Stop {
    /// The tolerance of a fit for which none was set.
    pub(crate) const DEFAULT: f64 = 1e-7;

    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::At(tolerance) => tolerance,
            Self::Settled | Self::Flat => Self::DEFAULT,
        }
    }
}

/// Minimises by L-BFGS with a Moré-Thuente line search until the gradient's norm is at most `tolerance sqrt(1 + loss)`.
///
/// On ill-conditioned data the last digits of that can take thousands of steps. Unless a tolerance was set, a fit
/// within a hundredth of a standard error of the minimum also ends when 25 steps gain less than a thousandth of a nat
/// over all windows, or with `max_iterations`; where the objective knows its curvature, within a hundredth of a standard
/// error there is no more to gain. One whose monitor says that it should stop ends where it is.
///
/// Rounding can end a line search early: the search then restarts from the best point, and fails when it gains nothing.
///
/// # References
/// J. Nocedal and S. Wright, *Numerical Optimization*, 2nd edition, 2006, algorithm 7.5.
pub(crate) fn minimise(
    objective: &Objective,
    stop: Stop,
    max_iterations: usize,
    monitor: &mut dyn Monitor,
) -> Result<(Vec<f64>, Convergence), BaselineError> {
    let refuse = |error: argmin::core::Error| BaselineError::Minimiser { reason: error.to_string() };
    let tolerance = stop.tolerance();
    let may_settle = stop != Stop::At(tolerance);
    let mut best = objective.start();
    let mut end =
        Convergence { c: objective.c(), iterations: 0, loss: f64::INFINITY, gradient_norm: f64::INFINITY };
    let mut checked_loss = f64::INFINITY;
    loop {
        let line_search: MoreThuenteLineSearch<Vec<f64>, Vec<f64>, f64> = MoreThuenteLineSearch::new();
        let mut solver: LBFGS<_, Vec<f64>, Vec<f64>, f64> = LBFGS::new(line_search, MEMORY);
        let mut problem = Problem::new(objective);
        objective.limit_evaluations(LINE_SEARCH_EVALUATIONS);
        let (mut state, _) = solver.init(&mut problem, Search::new().param(best.clone())).map_err(refuse)?;
        let mut gained = false;
        loop {
            let reached =
                state.get_param().zip(state.get_gradient()).map(|(at, gradient)| (at, norm(gradient)));
            match reached.filter(|&(_, norm)| is_better((state.get_cost(), norm), &end)) {
                Some((parameters, norm)) => {
                    (end.loss, end.gradient_norm) = (state.get_cost(), norm);
                    best.clone_from(parameters);
                    gained = true;
                }
                None if state.get_iter() > 0 => break,
                None => {}
            }
            if end.has_reached(tolerance) || end.iterations >= max_iterations {
                break;
            }
            if may_settle && objective.knows_curvature() && end.is_close() {
                return Ok((best, end));
            }
            if end.iterations.is_multiple_of(CHECK_STEPS) {
                if may_settle && end.is_close() && checked_loss - end.loss < NEGLIGIBLE_GAIN {
                    return Ok((best, end));
                }
                if stop == Stop::Flat && checked_loss - end.loss < FLAT * end.loss {
                    return Ok((best, end));
                }
                checked_loss = end.loss;
            }
            if end.iterations > 0 && monitor.should_stop() {
                return Ok((best, end));
            }
            objective.limit_evaluations(LINE_SEARCH_EVALUATIONS);
            (state, _) = solver.next_iter(&mut problem, state).map_err(refuse)?;
            state.increment_iter();
            end.iterations += 1;
            let measures = [("loss", state.get_cost())];
            monitor.report(FitProgress { iteration: end.iterations, max_iterations, measures: &measures });
        }
        if end.has_reached(tolerance) {
            return Ok((best, end));
        }
        if !gained || end.iterations >= max_iterations {
            // Where no step gains anything, f64 has no smaller loss to tell.
            if stop == Stop::Flat || end.is_close() && (may_settle || !gained) {
                return Ok((best, end));
            }
            let Convergence { iterations, gradient_norm, .. } = end;
            let tolerance = end.bound(tolerance);
            return Err(BaselineError::NotConverged { iterations, gradient_norm, tolerance });
        }
    }
}

/// Whether loss and gradient norm beat those so far. Next to the minimum the loss is equal to within its rounding,
/// and the gradient tells more.
fn is_better((loss, norm): (f64, f64), so_far: &Convergence) -> bool {
    loss < so_far.loss || (loss <= so_far.loss * (1.0 + 1e-13) && norm < so_far.gradient_norm)
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
