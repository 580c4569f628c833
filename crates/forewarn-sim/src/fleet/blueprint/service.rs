use crate::SimError;
use crate::fleet::check::Check;
use serde::{Deserialize, Serialize};

/// One service: equal pods behind a load balancer, each with workers, processor cores, memory and a queue.
///
/// Every field has a default, so a file names only what matters: `[[graph.services]]`, `name = "user"`, `cpu_ms = 12`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Name, unique in its blueprint.
    pub name: String,
    /// Requests a second that come from outside when load is 1: above 0 for an entry of the system.
    #[serde(default)]
    pub arrivals_per_second: f64,
    /// Pods, 1 to 64.
    #[serde(default = "defaults::pods")]
    pub pods: u32,
    /// Requests that a pod works on at a time: threads that wait while a call is under way.
    #[serde(default = "defaults::workers")]
    pub workers: u32,
    /// Processor cores of a pod.
    #[serde(default = "defaults::cores")]
    pub cores: f64,
    /// Processor time of a request, in milliseconds.
    #[serde(default = "defaults::cpu_ms")]
    pub cpu_ms: f64,
    /// Time of a request on disk or with a third party, in milliseconds.
    #[serde(default = "defaults::io_ms")]
    pub io_ms: f64,
    /// Coefficient of variation of a request's own time.
    #[serde(default = "defaults::variation")]
    pub variation: f64,
    /// Requests that may wait in a pod; more are refused.
    #[serde(default = "defaults::queue")]
    pub queue: u32,
    /// After this many milliseconds a request is answered with an error, though its work goes on.
    #[serde(default = "defaults::deadline_ms")]
    pub deadline_ms: f64,
    /// Share of requests that fail when all is well.
    #[serde(default = "defaults::error_rate")]
    pub error_rate: f64,
    /// Memory limit of a pod, in MB: beyond it the pod is killed.
    #[serde(default = "defaults::memory_mb")]
    pub memory_mb: f64,
    /// Memory of a pod that does nothing, in MB.
    #[serde(default = "defaults::resident_mb")]
    pub resident_mb: f64,
    /// Memory of a warm cache, in MB.
    #[serde(default = "defaults::cache_mb")]
    pub cache_mb: f64,
    /// Memory of a request in the system, in MB.
    #[serde(default = "defaults::request_mb")]
    pub request_mb: f64,
    /// Share of processor time that collecting garbage takes when half of the memory is in use; it grows as used over
    /// free memory. 0 for programs without a collector.
    #[serde(default = "defaults::garbage")]
    pub garbage: f64,
    /// Seconds from a pod's end until it takes requests again.
    #[serde(default = "defaults::start_seconds")]
    pub start_seconds: f64,
    /// Seconds in which a new pod gets two thirds warm.
    #[serde(default = "defaults::warm_up_seconds")]
    pub warm_up_seconds: f64,
    /// How many times the processor time a request takes in a pod that has just started.
    #[serde(default = "defaults::cold_factor")]
    pub cold_factor: f64,
    /// Kilobytes of a request.
    #[serde(default = "defaults::request_kb")]
    pub request_kb: f64,
    /// Kilobytes of a response.
    #[serde(default = "defaults::response_kb")]
    pub response_kb: f64,
}

/// What a field is where nothing else is said: a small stateless service.
mod defaults {
    pub(crate) fn pods() -> u32 {
        3
    }
    pub(crate) fn workers() -> u32 {
        32
    }
    pub(crate) fn cores() -> f64 {
        2.0
    }
    pub(crate) fn cpu_ms() -> f64 {
        10.0
    }
    pub(crate) fn io_ms() -> f64 {
        5.0
    }
    pub(crate) fn variation() -> f64 {
        0.7
    }
    pub(crate) fn queue() -> u32 {
        200
    }
    pub(crate) fn deadline_ms() -> f64 {
        5_000.0
    }
    pub(crate) fn error_rate() -> f64 {
        0.0015
    }
    pub(crate) fn memory_mb() -> f64 {
        1_024.0
    }
    pub(crate) fn resident_mb() -> f64 {
        350.0
    }
    pub(crate) fn cache_mb() -> f64 {
        150.0
    }
    pub(crate) fn request_mb() -> f64 {
        0.5
    }
    pub(crate) fn garbage() -> f64 {
        0.012
    }
    pub(crate) fn start_seconds() -> f64 {
        40.0
    }
    pub(crate) fn warm_up_seconds() -> f64 {
        180.0
    }
    pub(crate) fn cold_factor() -> f64 {
        1.8
    }
    pub(crate) fn request_kb() -> f64 {
        2.0
    }
    pub(crate) fn response_kb() -> f64 {
        8.0
    }
}

impl Service {
    /// A service called `name` with every field at its default.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arrivals_per_second: 0.0,
            pods: defaults::pods(),
            workers: defaults::workers(),
            cores: defaults::cores(),
            cpu_ms: defaults::cpu_ms(),
            io_ms: defaults::io_ms(),
            variation: defaults::variation(),
            queue: defaults::queue(),
            deadline_ms: defaults::deadline_ms(),
            error_rate: defaults::error_rate(),
            memory_mb: defaults::memory_mb(),
            resident_mb: defaults::resident_mb(),
            cache_mb: defaults::cache_mb(),
            request_mb: defaults::request_mb(),
            garbage: defaults::garbage(),
            start_seconds: defaults::start_seconds(),
            warm_up_seconds: defaults::warm_up_seconds(),
            cold_factor: defaults::cold_factor(),
            request_kb: defaults::request_kb(),
            response_kb: defaults::response_kb(),
        }
    }

    /// # Errors
    /// [`SimError::InvalidField`], which names the service and the field.
    pub(crate) fn check(&self) -> Result<(), SimError> {
        let place = format!("service {:?}", self.name);
        let check = Check(&place);
        check.count("pods", self.pods, 64, "1 to 64")?;
        check.count("workers", self.workers, 100_000, "1 to 100,000")?;
        for (field, value) in [
            ("cores", self.cores),
            ("cpu_ms", self.cpu_ms),
            ("deadline_ms", self.deadline_ms),
            ("memory_mb", self.memory_mb),
            ("warm_up_seconds", self.warm_up_seconds),
        ] {
            check.positive(field, value)?;
        }
        for (field, value) in [
            ("arrivals_per_second", self.arrivals_per_second),
            ("io_ms", self.io_ms),
            ("variation", self.variation),
            ("resident_mb", self.resident_mb),
            ("cache_mb", self.cache_mb),
            ("request_mb", self.request_mb),
            ("garbage", self.garbage),
            ("start_seconds", self.start_seconds),
            ("request_kb", self.request_kb),
            ("response_kb", self.response_kb),
        ] {
            check.not_negative(field, value)?;
        }
        check.share("error_rate", self.error_rate)?;
        check.within("cold_factor", self.cold_factor, 1.0..=1e6, "a factor from 1 to 1,000,000")?;
        let least = self.resident_mb + self.cache_mb;
        if least >= self.memory_mb {
            return Err(SimError::InvalidField {
                place: place.clone(),
                field: "memory_mb",
                value: self.memory_mb.to_string(),
                expected: "more than resident_mb + cache_mb",
            });
        }
        Ok(())
    }
}
