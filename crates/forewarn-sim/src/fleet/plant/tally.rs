use crate::fleet::{
    Reading,
    hidden::HIDDEN,
    latency::Latency,
    math::exp,
    plan::{ServicePlan, TICK_SECONDS, TICKS},
    random::Draws,
};

/// Log-odds of .5, .95 and .99.
const LOGITS: [f64; 3] = [0.0, 2.944_438_979_166_440_5, 4.595_119_850_134_59];
const PROBABILITIES: [f64; 3] = [0.5, 0.95, 0.99];
/// Noise of what is scraped: cpu and memory as shares, traffic relative.
const CPU_NOISE: f64 = 0.012;
const MEMORY_NOISE: f64 = 0.006;
const TRAFFIC_NOISE: f64 = 0.03;
/// Share of the processor that a pod takes for itself.
const IDLE: f64 = 0.02;

/// What a service did in the ticks of one minute: sums that its metrics are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Requests that came, and those that failed.
    pub(crate) requests: f64,
    pub(crate) errors: f64,
    /// Requests that were done, and first and second moment of their times.
    pub(crate) done: f64,
    pub(crate) seconds: f64,
    pub(crate) seconds2: f64,
    /// Shares, summed over ticks.
    pub(crate) cpu: f64,
    pub(crate) memory: f64,
    pub(crate) restarts: f64,
    /// Calls that were made.
    pub(crate) calls: f64,
    /// Requests in the system, summed over ticks.
    pub(crate) number: f64,
    pub(crate) utilisation: f64,
    /// Calls that were wanted, before retries.
    pub(crate) wanted: f64,
}

impl Tally {
    /// The share of requests that failed, as it really was.
    pub(crate) fn error(&self) -> f64 {
        if self.requests > 1e-9 { (self.errors / self.requests).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// What was done after `earlier`, a tally of the same minute.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            errors: self.errors - earlier.errors,
            done: self.done - earlier.done,
            seconds: self.seconds - earlier.seconds,
            seconds2: self.seconds2 - earlier.seconds2,
            cpu: self.cpu - earlier.cpu,
            memory: self.memory - earlier.memory,
            restarts: self.restarts - earlier.restarts,
            calls: self.calls - earlier.calls,
            number: self.number - earlier.number,
            utilisation: self.utilisation - earlier.utilisation,
            wanted: self.wanted - earlier.wanted,
        }
    }

    /// One tick, where a share `up` of the pods takes requests.
    pub(crate) fn reading(&self, plan: &ServicePlan, up: f64) -> Reading {
        let mean = self.seconds / self.done;
        let latency = || Latency::new(mean, self.seconds2 / self.done - mean * mean).quantile(LOGITS[1]);
        Reading {
            cpu: (self.cpu + IDLE).clamp(0.0, 1.0),
            memory: self.memory.clamp(0.0, 1.0),
            p95_latency_ms: (self.done > 1e-6).then(|| 1e3 * latency().min(2.0 * plan.deadline)),
            error_rate: (self.requests > 1e-9).then(|| self.error()),
            requests_per_second: self.requests / TICK_SECONDS,
            pods_up: up,
        }
    }

    /// What monitoring measures, in the order of the v1 schema. Takes nine draws, whatever happened.
    pub(crate) fn sample(&self, plan: &ServicePlan, draws: &mut Draws) -> [f32; 10] {
        let count = draws.poisson(self.requests);
        let share = self.error();
        // Errors of that many requests: Poisson where they are few, as many as there are at most.
        let errors = if share > 0.5 {
            count - draws.poisson(count * (1.0 - share))
        } else {
            draws.poisson(count * share)
        };
        let errors = errors.clamp(0.0, count);
        let noise: [f64; 3] = std::array::from_fn(|_| draws.normal());
        let rest: [f64; 4] = std::array::from_fn(|_| draws.normal());
        let ticks = TICKS as f64;
        let cpu = (self.cpu / ticks + IDLE + CPU_NOISE * rest[0]).clamp(0.0, 1.0);
        let memory = (self.memory / ticks + MEMORY_NOISE * rest[1]).clamp(0.0, 1.0);
        let kb = |sent: f64, calls: f64, noise: f64| (sent + calls) / 60.0 * exp(TRAFFIC_NOISE * noise);
        // A call is as large as a request, its answer half as large as what is answered to clients.
        let incoming = kb(self.requests * plan.request_kb, 0.5 * self.calls * plan.response_kb, rest[2]);
        let outgoing = kb(self.done * plan.response_kb, self.calls * plan.request_kb, rest[3]);
        let mut latencies = [f32::NAN; 3];
        if self.done > 0.5 && count > 0.0 {
            let mean = self.seconds / self.done;
            let latency = Latency::new(mean, self.seconds2 / self.done - mean * mean);
            let mut least = 0.0f64;
            for (index, value) in latencies.iter_mut().enumerate() {
                // Quantiles of one sample are in order, and their errors go together.
                let error = if index == 0 {
                    noise[0]
                } else {
                    (noise[0] + noise[index]) * std::f64::consts::FRAC_1_SQRT_2
                };
                let spread = latency.quantile_noise(PROBABILITIES[index], count).min(0.5);
                let seconds = latency.quantile(LOGITS[index]) * exp(spread * error);
                least = least.max(1e3 * seconds.min(2.0 * plan.deadline));
                *value = least as f32;
            }
        }
        let error_rate = if count > 0.0 { (errors / count) as f32 } else { f32::NAN };
        [
            count as f32,
            error_rate,
            latencies[0],
            latencies[1],
            latencies[2],
            cpu as f32,
            memory as f32,
            incoming as f32,
            outgoing as f32,
            self.restarts as f32,
        ]
    }

    /// The hidden state, in the order of [`hidden_schema`](crate::fleet::hidden_schema).
    pub(crate) fn hidden(&self, number: f64, warmth: f64, up: f64, intensity: f64) -> [f32; HIDDEN] {
        let (minute, ticks) = (TICK_SECONDS * TICKS as f64, TICKS as f64);
        let mean = if self.done > 1e-9 { self.seconds / self.done } else { 0.0 };
        [
            (self.utilisation / ticks) as f32,
            number as f32,
            (self.number / ticks) as f32,
            (self.done / minute) as f32,
            (mean * 1e3) as f32,
            self.error() as f32,
            (if self.wanted > 1e-9 { self.calls / self.wanted } else { 1.0 }) as f32,
            warmth as f32,
            up as f32,
            intensity as f32,
        ]
    }
}
