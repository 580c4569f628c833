/// What a service does in one tick, as it really is: finer than the rows that monitoring makes of a minute, and
/// without their noise.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// Share of the processor in use.
    pub cpu: f64,
    /// Share of the memory in use.
    pub memory: f64,
    /// 95 % of the answers came within this many milliseconds; `None` where there were none.
    pub p95_latency_ms: Option<f64>,
    /// Share of the requests that failed; `None` where there were none.
    pub error_rate: Option<f64>,
    /// Requests a second.
    pub requests_per_second: f64,
    /// Share of the pods that take requests.
    pub pods_up: f64,
}

/// What goes over a call in one tick, as it really is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallReading {
    /// Requests a second, each try counted.
    pub requests_per_second: f64,
    /// Share of the calls that failed for good, after all tries; `None` where there were none.
    pub error_rate: Option<f64>,
}
