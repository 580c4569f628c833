use forewarn_schema::{Kind, Metric, Schema, Unit, ValidRange};

/// Columns of the hidden state.
pub(crate) const HIDDEN: usize = 10;

/// What is true of a service in a minute and never measured, as columns of a frame.
///
/// | column | meaning |
/// |---|---|
/// | `utilisation` | share of its capacity in use, whatever limits it: cores or workers |
/// | `in_system_end` | requests being served or waiting at the end of the minute |
/// | `in_system` | the same, averaged over the minute |
/// | `throughput` | requests done a second |
/// | `latency` | mean time until an answer, in milliseconds |
/// | `error_share` | probability that a request fails |
/// | `amplification` | attempts for each call that was wanted: above 1 where there are retries |
/// | `warmth` | how full the caches are, 0..=1 |
/// | `pods_up` | pods that take requests at the end of the minute |
/// | `fault_intensity` | the strongest fault on the service: its severity, times how far its ramp has come |
#[must_use]
pub fn hidden_schema() -> Schema {
    let column = |name, unit, range| Metric::new(name, unit, Kind::Gauge, range);
    let (count, share) = (ValidRange::NON_NEGATIVE, ValidRange::UNIT);
    Schema::new(vec![
        column("utilisation", Unit::Ratio, share),
        column("in_system_end", Unit::Dimensionless, count),
        column("in_system", Unit::Dimensionless, count),
        column("throughput", Unit::Dimensionless, count),
        column("latency", Unit::Milliseconds, count),
        column("error_share", Unit::Ratio, share),
        column("amplification", Unit::Dimensionless, count),
        column("warmth", Unit::Ratio, share),
        column("pods_up", Unit::Dimensionless, count),
        column("fault_intensity", Unit::Ratio, share),
    ])
    .expect("names differ")
}
