//! What a call looks like from the client: attempts, time-outs, retries, breaker and connection pool.

use crate::fleet::{
    effects::Effects,
    latency::{Latency, cut_off},
    math::{ln, pow},
    plan::{CallPlan, TICK_SECONDS},
};

/// Packets of a call that can be lost, and seconds until a lost one is sent again.
const PACKETS: f64 = 4.0;
const RESEND_SECONDS: f64 = 0.2;
/// Seconds over which a breaker averages, as the share of a tick in them.
const BREAKER_SECONDS: f64 = 15.0;
/// Share of calls that a breaker lets through to see whether they succeed.
const PROBE: f64 = 0.1;

/// How a service answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response {
    /// Times as they would be without a deadline.
    pub(crate) latency: Latency,
    /// Mean and variance of the time until an answer, be it that the deadline has passed.
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    /// Share of answers that are errors.
    pub(crate) error: f64,
    /// Seconds after which it answers in any case.
    pub(crate) deadline: f64,
}

/// The state of a call between two services.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CallState {
    /// Share of attempts that failed of late.
    failing: f64,
    /// Ticks until the breaker lets calls through again.
    open: u32,
    /// Whether the tick is one in which it does so to see.
    is_probing: bool,
    /// Seconds that a call held a worker of late.
    hold: f64,
}

impl CallState {
    pub(crate) const FRESH: Self = Self { failing: 0.0, open: 0, is_probing: false, hold: 0.0 };
}

/// What a tick's calls come to, each call with all its attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// Attempts that reach the server.
    pub(crate) attempts: f64,
    /// Mean seconds from the first attempt to the last answer.
    pub(crate) hold: f64,
    /// Variance of that.
    pub(crate) variance: f64,
    /// Share that failed for good.
    pub(crate) failing: f64,
}

/// One attempt.
struct Attempt {
    seconds: f64,
    variance: f64,
    failing: f64,
    /// Share that comes to the server at all.
    reaching: f64,
}

fn attempt(plan: &CallPlan, response: &Response, client: &Effects, server: &Effects) -> Attempt {
    let delay = client.delay + server.delay;
    let loss = 1.0 - (1.0 - client.loss) * (1.0 - server.loss);
    let (resend, resend_variance) = if loss > 0.0 {
        let lost = PACKETS * loss / (1.0 - loss);
        (RESEND_SECONDS * lost, RESEND_SECONDS * RESEND_SECONDS * lost * (1.0 + loss))
    } else {
        (0.0, 0.0)
    };
    let added = delay + resend;
    let network = plan.network + added;
    let ln_patience = if added > 0.0 { ln((plan.timeout - network).max(1e-4)) } else { plan.ln_patience };
    // A server that answers at its deadline is never slower than a client which waits longer than that.
    let late = if plan.timeout - network > response.deadline && added <= 0.0 {
        0.0
    } else if resend_variance > 0.0 {
        Latency::new(response.mean + resend, response.variance + resend_variance)
            .beyond(ln((plan.timeout - plan.network - delay).max(1e-4)))
    } else {
        response.latency.beyond(ln_patience)
    };
    let patience = (plan.timeout - network).max(0.0);
    let (first, second) = cut_off(response.mean, response.variance + resend_variance, patience, late);
    let (mean, square) = (first + network.min(plan.timeout), second - first * first);
    // A connection needs three packets in a row to fail.
    let reachable = client.reachable * server.reachable * (1.0 - loss * loss * loss);
    let accepted = client.names * server.accepted;
    let seconds =
        accepted * (reachable * mean + (1.0 - reachable) * plan.timeout) + (1.0 - accepted) * network;
    let hung = accepted * (1.0 - reachable);
    let variance = square + hung * (1.0 - hung) * (plan.timeout - mean) * (plan.timeout - mean);
    let reaching = accepted * reachable;
    Attempt { seconds, variance, failing: 1.0 - reaching * (1.0 - late) * (1.0 - response.error), reaching }
}

/// One tick of calls. `rate` is the client's calls a second of late, `connections` those that its pods have together.
pub(crate) fn outcome(
    plan: &CallPlan,
    state: &mut CallState,
    response: &Response,
    client: &Effects,
    server: &Effects,
    rate: f64,
    connections: f64,
) -> Outcome {
    let mut passing = 1.0;
    if let Some((limit, open)) = plan.breaker {
        if state.open > 0 {
            state.open -= 1;
            state.is_probing = state.open == 0;
            if !state.is_probing {
                state.hold = 0.0;
                return Outcome { attempts: 0.0, hold: 0.0, variance: 0.0, failing: 1.0 };
            }
            passing = PROBE;
        } else if state.failing > limit {
            state.open = open;
            state.hold = 0.0;
            return Outcome { attempts: 0.0, hold: 0.0, variance: 0.0, failing: 1.0 };
        }
    }
    let try_once = attempt(plan, response, client, server);
    let failing = try_once.failing;
    if plan.breaker.is_some() {
        let share = if state.is_probing { 1.0 } else { TICK_SECONDS / BREAKER_SECONDS };
        state.failing += (failing - state.failing) * share;
        state.is_probing = false;
    }
    // Retries that would be made, and the pauses before them, without a budget.
    let (mut again, mut pauses, mut power, mut backoff) = (0.0, 0.0, 1.0, plan.backoff);
    for _ in 0..plan.retries {
        power *= failing;
        again += power;
        pauses += power * backoff;
        backoff *= 2.0;
    }
    let allowed = if again > plan.budget { plan.budget / again } else { 1.0 };
    let mut attempts = 1.0 + allowed * again;
    let mut failed = failing - allowed * (failing - power * failing);
    let mut hold = try_once.seconds * attempts + allowed * pauses;
    let mut variance = try_once.variance * attempts;
    // The connection pool.
    let wanted = rate * attempts * passing * try_once.seconds / connections.max(1e-3);
    if wanted >= 1.0 {
        let served = 1.0 / wanted;
        attempts *= served;
        failed = 1.0 - (1.0 - failed) * served;
        hold = served * hold + plan.timeout;
    } else if wanted > 0.6 {
        let wait = pow(wanted, (2.0 * (connections + 1.0)).sqrt()) / (connections * (1.0 - wanted))
            * try_once.seconds;
        hold += wait.min(plan.timeout);
        variance += wait.min(plan.timeout) * wait.min(plan.timeout);
    }
    // Calls of the last tick are still under way: half of what holds workers is theirs.
    state.hold += 0.5 * (passing * hold - state.hold);
    Outcome {
        attempts: attempts * passing * try_once.reaching,
        hold: state.hold,
        variance,
        failing: 1.0 - (1.0 - failed) * passing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{PlannedCall, Retry};
    use approx::assert_relative_eq;

    fn response(mean: f64, error: f64) -> Response {
        let variance = 0.25 * mean * mean;
        Response { latency: Latency::new(mean, variance), mean, variance, error, deadline: 30.0 }
    }

    fn once(call: &PlannedCall, response: Response, server: Effects) -> Outcome {
        let plan = CallPlan::new(call, 1);
        let mut state = CallState::FRESH;
        outcome(&plan, &mut state, &response, &Effects::NONE, &server, 10.0, 1e6)
    }

    #[test]
    fn retries_are_the_geometric_series() {
        let call = PlannedCall::new("a", "b").with_retry(3, None);
        let got = once(&call, response(1e-3, 0.4), Effects::NONE);
        assert_relative_eq!(got.failing, 0.4f64.powi(4), max_relative = 1e-3);
        assert_relative_eq!(got.attempts, 1.0 + 0.4 + 0.16 + 0.064, max_relative = 1e-3);
        let budgeted =
            PlannedCall { retry: Some(Retry { budget: Some(0.312), ..call.retry.unwrap() }), ..call };
        let got = once(&budgeted, response(1e-3, 0.4), Effects::NONE);
        assert_relative_eq!(got.attempts, 1.312, max_relative = 1e-3);
        assert_relative_eq!(got.failing, 0.4 - 0.5 * (0.4 - 0.0256), max_relative = 1e-3);
    }

    #[test]
    fn slow_servers_fail_their_clients_at_the_time_out() {
        let call = PlannedCall { timeout_ms: 500.0, ..PlannedCall::new("a", "b") };
        assert!(once(&call, response(0.05, 0.0), Effects::NONE).failing < 0.001);
        let stuck = once(&call, response(20.0, 0.0), Effects::NONE);
        assert!(stuck.failing > 0.99 && stuck.attempts == 1.0);
        // Half of it, since the calls before took no time.
        assert!(stuck.hold <= 0.25 && stuck.hold > 0.24);
        let cut = Effects { reachable: 0.3, ..Effects::NONE };
        let parted = once(&call, response(0.05, 0.0), cut);
        assert_relative_eq!(parted.failing, 0.7, epsilon = 1e-3);
        assert_relative_eq!(parted.attempts, 0.3, epsilon = 1e-9);
        let slow = Effects { delay: 0.6, ..Effects::NONE };
        assert!(once(&call, response(0.05, 0.0), slow).failing > 0.99);
        let lossy = Effects { loss: 0.5, ..Effects::NONE };
        assert!(once(&call, response(0.05, 0.0), lossy).failing > 0.4);
    }

    #[test]
    fn a_breaker_opens_probes_and_closes() {
        let plan = CallPlan::new(&PlannedCall::new("a", "b").with_breaker(0.5, 20.0), 1);
        let mut state = CallState::FRESH;
        let mut tick = |error| {
            let response = response(1e-3, error);
            outcome(&plan, &mut state, &response, &Effects::NONE, &Effects::NONE, 10.0, 100.0).attempts
        };
        let broken: Vec<f64> = (0..9).map(|_| tick(1.0)).collect();
        assert_eq!(broken, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, PROBE, 0.0, 0.0]);
        let mended: Vec<f64> = (0..5).map(|_| tick(0.0)).collect();
        assert_eq!(mended, [0.0, 0.0, PROBE, 1.0, 1.0]);
    }

    #[test]
    fn a_pool_passes_on_no_more_than_it_has() {
        let plan = CallPlan::new(&PlannedCall { timeout_ms: 2_000.0, ..PlannedCall::new("a", "b") }, 1);
        let tick = |rate: f64| {
            let mut state = CallState::FRESH;
            outcome(&plan, &mut state, &response(0.5, 0.0), &Effects::NONE, &Effects::NONE, rate, 10.0)
        };
        // Ten connections, half a second each: 20 calls a second.
        assert!(tick(10.0).failing < 0.01);
        let full = tick(40.0);
        assert_relative_eq!(full.attempts, 0.5, epsilon = 0.01);
        assert_relative_eq!(full.failing, 0.5, epsilon = 0.02);
        assert!(tick(19.0).hold > tick(10.0).hold);
    }
}
