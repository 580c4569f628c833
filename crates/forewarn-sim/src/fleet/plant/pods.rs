use crate::fleet::{
    effects::Effects,
    plan::{ServicePlan, TICK_SECONDS},
};

/// Seconds until the load balancer knows that a pod is gone; until then its requests fail.
const DETECTION_SECONDS: f64 = 10.0;
/// Seconds between two pods of a rolling restart, at least.
const ROLLING_SECONDS: f64 = 50.0;
/// Most of the processor that garbage collection takes.
const GARBAGE_MOST: f64 = 0.6;

/// One pod.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pod {
    /// Seconds until it takes requests; 0 while it does.
    down: f64,
    /// Seconds in which it still gets requests though it is down.
    unnoticed: f64,
    /// Seconds until it is replaced on purpose; infinite where that is not planned.
    planned: f64,
    /// How full its cache is, 0..=1.
    warmth: f64,
    leaked_mb: f64,
}

impl Pod {
    pub(crate) const WARM: Self =
        Self { down: 0.0, unnoticed: 0.0, planned: f64::INFINITY, warmth: 1.0, leaked_mb: 0.0 };

    fn end(&mut self, plan: &ServicePlan, unnoticed: f64) {
        *self = Self {
            down: plan.start_seconds.max(0.1),
            unnoticed,
            planned: f64::INFINITY,
            warmth: 0.0,
            leaked_mb: 0.0,
        };
    }

    pub(crate) fn is_close_to(&self, other: &Self) -> bool {
        (self.down, self.unnoticed.max(0.0)) == (other.down, other.unnoticed.max(0.0))
            && self.planned.is_finite() == other.planned.is_finite()
            && (self.warmth - other.warmth).abs() < 1e-3
            && (self.leaked_mb - other.leaked_mb).abs() < 1e-3
    }

    fn is_up(&self) -> bool {
        self.down <= 0.0
    }
}

/// What the pods of a service amount to in a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crew {
    /// Pods that take requests.
    pub(crate) up: f64,
    /// Share of requests that go to pods that are gone.
    pub(crate) misrouted: f64,
    /// Mean warmth of those that are up.
    pub(crate) warmth: f64,
    /// Mean share of the memory limit in use.
    pub(crate) memory: f64,
    /// Share of the processor that collecting garbage takes.
    pub(crate) garbage: f64,
    /// Pods that restarted.
    pub(crate) restarts: f64,
    /// Share of the requests in the system that went down with their pod.
    pub(crate) lost: f64,
}

/// Lets a tick pass for the pods of a service that has `number` requests in the system.
pub(crate) fn tick(pods: &mut [Pod], plan: &ServicePlan, effects: &Effects, number: f64) -> Crew {
    let all = pods.len() as f64;
    let out = (effects.pods_out * all).ceil() as usize;
    let up_before = pods.iter().filter(|pod| pod.is_up()).count() as f64;
    // What is stuck keeps its memory.
    let stuck_mb = plan.request_mb * plan.workers * (1.0 - effects.workers);
    let used_by_all = stuck_mb
        + plan.resident_mb
        + effects.memory * plan.memory_mb
        + plan.request_mb * number / up_before.max(1.0);
    let mut crew =
        Crew { up: 0.0, misrouted: 0.0, warmth: 0.0, memory: 0.0, garbage: 0.0, restarts: 0.0, lost: 0.0 };
    let (mut unnoticed, mut ended) = (0.0, 0.0);
    for (index, pod) in pods.iter_mut().enumerate() {
        if index < out {
            if pod.is_up() {
                ended += 1.0;
                pod.end(plan, DETECTION_SECONDS);
            }
            pod.down = pod.down.max(2.0 * TICK_SECONDS);
        }
        if pod.is_up() {
            // Code and traffic differ a little from pod to pod, so they do not run full in the same second.
            let unevenness = 1.0 + 0.12 * (index as f64 - 0.5 * (all - 1.0));
            pod.leaked_mb += effects.leak * unevenness.max(0.2) * TICK_SECONDS;
            pod.warmth += (1.0 - pod.warmth) * plan.warming;
            pod.planned -= TICK_SECONDS;
            let memory = (used_by_all + plan.cache_mb * pod.warmth + pod.leaked_mb) / plan.memory_mb;
            if memory >= 1.0 {
                // Out of memory: killed in the middle of its work.
                pod.end(plan, DETECTION_SECONDS);
                crew.restarts += 1.0;
                ended += 1.0;
            } else {
                if pod.planned <= 0.0 {
                    // Its successor takes over when it is ready, so nothing is lost but what is in memory.
                    *pod = Pod { warmth: 0.0, ..Pod::WARM };
                    crew.restarts += 1.0;
                }
                crew.up += 1.0;
                crew.warmth += pod.warmth;
                crew.garbage += (plan.garbage * memory / (1.0 - memory)).min(GARBAGE_MOST);
            }
            crew.memory += memory.min(1.0);
        } else {
            unnoticed += f64::from(u8::from(pod.unnoticed > 0.0));
            pod.unnoticed -= TICK_SECONDS;
            pod.down = (pod.down - TICK_SECONDS).max(0.0);
            // A process that starts has less than it will have.
            crew.memory += 0.5 * plan.resident_mb / plan.memory_mb + effects.memory.min(1.0);
        }
    }
    if crew.up > 0.0 {
        crew.warmth /= crew.up;
        crew.garbage /= crew.up;
    }
    crew.memory /= all;
    crew.lost = if up_before > 0.0 { ended / up_before } else { 0.0 };
    crew.misrouted = if unnoticed > 0.0 { unnoticed / (unnoticed + crew.up) } else { 0.0 };
    crew
}

/// Kills a share of the pods that are up, at least one. Returns how many, and which share of those up they were.
pub(crate) fn kill(pods: &mut [Pod], plan: &ServicePlan, share: f64) -> (f64, f64) {
    let up = pods.iter().filter(|pod| pod.is_up()).count();
    let count = ((share * pods.len() as f64 - 1e-9).ceil() as usize).clamp(1, pods.len()).min(up);
    pods.iter_mut().filter(|pod| pod.is_up()).take(count).for_each(|pod| pod.end(plan, DETECTION_SECONDS));
    (count as f64, if up > 0 { count as f64 / up as f64 } else { 0.0 })
}

/// Replaces one pod after another, each by a new one that has started beside it.
pub(crate) fn roll(pods: &mut [Pod], plan: &ServicePlan) {
    let pause = ROLLING_SECONDS.max(plan.start_seconds);
    for (index, pod) in pods.iter_mut().enumerate() {
        pod.planned = pod.planned.min((index + 1) as f64 * pause);
    }
}

/// Empties a share of the pods' caches.
pub(crate) fn chill(pods: &mut [Pod], share: f64) {
    pods.iter_mut().for_each(|pod| pod.warmth *= 1.0 - share);
}
