use crate::fleet::{
    CallReading, FaultKind,
    attempt::{CallState, Response, outcome},
    effects::Effects,
    latency::{Latency, cut_off},
    plan::{Plan, ServicePlan, TICK_SECONDS},
    pods::{self, Crew, Pod},
    station::Station,
    tally::Tally,
};

/// Most requests a second that reach a service. Far beyond what any has, and within what a metric of 32 bits can say.
const MOST_ARRIVALS: f64 = 1e15;

/// Everything that the next tick depends on but chance, faults and load.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) services: Vec<ServiceState>,
    calls: Vec<CallState>,
    /// What went over each call in the last tick: wanted calls and tries a second, and the share that failed.
    flows: Vec<[f64; 3]>,
    pods: Vec<Pod>,
    pub(crate) effects: Vec<Effects>,
    pub(crate) tallies: Vec<Tally>,
}

/// One service between two ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceState {
    /// Requests being served or waiting.
    pub(crate) number: f64,
    /// Requests a second on their way to it.
    inflow: f64,
    /// Requests a second that it did, and how busy it was.
    done: f64,
    utilisation: f64,
    response: Response,
    /// Requests that went down with a pod and have not been counted yet.
    lost: f64,
    restarts: f64,
    /// A factor on its own time that wanders, and its logarithm.
    pub(crate) noise: f64,
    pub(crate) drift: f64,
    pub(crate) crew: Crew,
}

impl State {
    pub(crate) fn new(plan: &Plan) -> Self {
        let service = |plan: &ServicePlan| {
            let mean = plan.cpu_seconds + plan.io_seconds;
            let latency = Latency::new(mean, plan.variation2 * mean * mean);
            let response = Response {
                latency,
                mean,
                variance: latency.variance,
                error: plan.error_rate,
                deadline: plan.deadline,
            };
            let up = plan.pods.len() as f64;
            let crew =
                Crew { up, misrouted: 0.0, warmth: 1.0, memory: 0.0, garbage: 0.0, restarts: 0.0, lost: 0.0 };
            ServiceState {
                number: 0.0,
                inflow: 0.0,
                done: 0.0,
                utilisation: 0.0,
                response,
                lost: 0.0,
                restarts: 0.0,
                noise: 1.0,
                drift: 0.0,
                crew,
            }
        };
        Self {
            services: plan.services.iter().map(service).collect(),
            calls: vec![CallState::FRESH; plan.calls.len()],
            flows: vec![[0.0; 3]; plan.calls.len()],
            pods: vec![Pod::WARM; plan.pods],
            effects: vec![Effects::NONE; plan.services.len()],
            tallies: vec![Tally::default(); plan.services.len()],
        }
    }

    /// Becomes another state of the same plan, in the memory it has.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.services.copy_from_slice(&other.services);
        self.calls.copy_from_slice(&other.calls);
        self.flows.copy_from_slice(&other.flows);
        self.pods.copy_from_slice(&other.pods);
        self.effects.copy_from_slice(&other.effects);
        self.tallies.copy_from_slice(&other.tallies);
    }

    /// What went over a call in the last tick.
    pub(crate) fn flow(&self, call: usize) -> CallReading {
        let [wanted, requests_per_second, failing] = self.flows[call];
        CallReading { requests_per_second, error_rate: (wanted > 1e-9).then(|| failing.clamp(0.0, 1.0)) }
    }

    /// Whether requests in the system, answers and pods are as in `other`, to a millionth.
    pub(crate) fn is_close_to(&self, other: &Self) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
        let services = self.services.iter().zip(&other.services).all(|(a, b)| {
            close(a.number, b.number) && close(a.done, b.done) && close(a.response.error, b.response.error)
        });
        services
            && self.effects == other.effects
            && self.pods.iter().zip(&other.pods).all(|(a, b)| a.is_close_to(b))
    }

    /// What a fault does in the moment it strikes.
    pub(crate) fn strike(&mut self, plan: &Plan, kind: FaultKind, service: usize, severity: f64) {
        let of = &plan.services[service];
        let pods = &mut self.pods[of.pods.clone()];
        match kind {
            FaultKind::PodKill => {
                let (killed, share) = pods::kill(pods, of, severity);
                let state = &mut self.services[service];
                state.restarts += killed;
                state.lost += share * state.number;
                state.number -= share * state.number;
            }
            FaultKind::CacheFlush => pods::chill(pods, severity),
            FaultKind::Deploy | FaultKind::BadDeploy => pods::roll(pods, of),
            _ => {}
        }
    }

    /// What is done about a fault when its recovery begins.
    pub(crate) fn mend(&mut self, plan: &Plan, kind: FaultKind, service: usize) {
        if matches!(kind, FaultKind::MemoryLeak | FaultKind::BadDeploy) {
            let of = &plan.services[service];
            pods::roll(&mut self.pods[of.pods.clone()], of);
        }
    }

    /// Lets a tick pass. `users` is the requests a second from outside of each entry, in the order of the plan.
    pub(crate) fn tick(&mut self, plan: &Plan, users: &[f64]) {
        for (&entry, &users) in plan.entries.iter().zip(users) {
            self.services[entry].inflow += users * self.effects[entry].users * self.effects[entry].accepted;
        }
        for &service in plan.blueprint.order() {
            self.serve(plan, service);
        }
    }

    /// A tick of one service: its pods, the calls it makes, its queue, its answers.
    fn serve(&mut self, plan: &Plan, service: usize) {
        let of = &plan.services[service];
        let effects = self.effects[service];
        let mut state = self.services[service];
        let crew = pods::tick(&mut self.pods[of.pods.clone()], of, &effects, state.number);
        state.crew = crew;
        state.lost += crew.lost * state.number;
        state.number -= crew.lost * state.number;
        let arrivals = (state.inflow + effects.job).min(MOST_ARRIVALS);
        state.inflow = 0.0;

        // Calls, as their servers answered in the last tick.
        let (mut holding, mut holding_variance, mut success) = (0.0, 0.0, 1.0);
        for index in of.calls.clone() {
            let call = &plan.calls[index];
            let calls = call.calls_a_request(crew.warmth);
            let connections = call.pool * crew.up * effects.connections;
            let server = &self.services[call.server].response;
            let got = outcome(
                call,
                &mut self.calls[index],
                server,
                &effects,
                &self.effects[call.server],
                state.done * calls,
                connections,
            );
            holding += calls * got.hold;
            // A request that calls or does not, and several calls one after another.
            holding_variance += calls * (got.variance + (1.0 - call.probability) * got.hold * got.hold);
            if call.is_required {
                let share = call.probability * (1.0 - call.cache_hit * crew.warmth);
                let one = 1.0 - share * got.failing;
                success *= (1..call.fan_out).fold(one, |product, _| product * one);
            }
            self.flows[index] = [state.done * calls, state.done * calls * got.attempts, got.failing];
            self.tallies[service].wanted += state.done * calls * TICK_SECONDS;
            self.tallies[service].calls += state.done * calls * got.attempts * TICK_SECONDS;
            self.services[call.server].inflow += state.done * calls * got.attempts;
        }

        // Its own work, and how much of it can be done.
        let noise = state.noise;
        let cold = 1.0 + (of.cold_factor - 1.0) * (1.0 - crew.warmth);
        let cpu = of.cpu_seconds * effects.cpu * cold * noise;
        let own = cpu + of.io_seconds * effects.io * noise + effects.io_seconds;
        let hold = own + holding;
        let cores = crew.up * of.cores * effects.cores * (1.0 - crew.garbage);
        let by_cores = cores / cpu;
        let by_workers = crew.up * of.workers * effects.workers / hold;
        let (less, more) = (by_cores.min(by_workers), by_cores.max(by_workers));
        let capacity = if more > 0.0 {
            // The fourth norm: either limit alone where they are far apart, a little less than both where they are not.
            let ratio = less / more;
            less / (1.0 + ratio * ratio * ratio * ratio).sqrt().sqrt()
        } else {
            0.0
        };
        let station = Station {
            capacity,
            hold,
            exponent: of.exponent,
            burst: of.burst,
            queue: of.queue * crew.up.max(1.0),
        };
        let routed = arrivals * (1.0 - crew.misrouted);
        let flow = station.step(state.number, state.utilisation, routed, TICK_SECONDS);

        // Answers.
        let waiting = if flow.done > 1e-6 { (flow.number / flow.done - hold).max(0.0) } else { of.deadline };
        let spread = 0.05 + 2.0 * (1.0 - flow.utilisation);
        let variance = of.variation2 * own * own + holding_variance + spread * waiting * waiting;
        let latency = Latency::new(hold + waiting, variance);
        let late = if crew.up > 0.0 { latency.beyond(of.ln_deadline) } else { 1.0 };
        let (mean, second) = cut_off(latency.mean, latency.variance, of.deadline, late);
        let own_success = (1.0 - of.error_rate) * effects.success;
        let refused = if routed > 1e-9 { (flow.rejected / routed).min(1.0) } else { 0.0 };
        let error = 1.0 - (1.0 - crew.misrouted) * (1.0 - refused) * (1.0 - late) * own_success * success;

        let tally = &mut self.tallies[service];
        let requests = arrivals * TICK_SECONDS;
        let done = flow.done * TICK_SECONDS;
        tally.requests += requests;
        tally.errors += requests * error + state.lost;
        tally.done += done;
        tally.seconds += done * mean;
        tally.seconds2 += done * second;
        let all = of.pods.len() as f64;
        let busy = flow.done * cpu + crew.up * of.cores * (1.0 - effects.cores * (1.0 - crew.garbage));
        tally.cpu += (busy / (all * of.cores)).min(1.0);
        tally.memory += crew.memory;
        tally.restarts += crew.restarts + state.restarts;
        tally.number += flow.number;
        tally.utilisation += flow.utilisation;

        state.lost = 0.0;
        state.restarts = 0.0;
        state.number = flow.number;
        state.done = flow.done;
        state.utilisation = flow.utilisation;
        let variance = (second - mean * mean).max(0.0);
        state.response = Response { latency, mean, variance, error, deadline: of.deadline };
        self.services[service] = state;
    }
}
