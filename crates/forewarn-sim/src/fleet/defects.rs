use crate::SimError;
use crate::fleet::{
    check::Check,
    random::{Draws, Stream},
};
use forewarn_schema::{FrameSet, FrameView, Kind, RawSample, Schema, Timestamp};
use serde::{Deserialize, Serialize};

/// What goes wrong between a service and whoever stores its metrics. All off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defects {
    /// Gaps a day: times in which a service is not scraped at all.
    pub gaps_per_day: f64,
    /// Mean length of a gap, in minutes.
    pub gap_minutes: f64,
    /// Share of single values that are missing.
    pub missing: f64,
    /// Times a day that one metric of a service vanishes, for an hour in the mean.
    pub vanishings_per_day: f64,
    /// Share of samples that come late, by up to five minutes, and so out of order.
    pub late: f64,
    /// Share of samples that come twice.
    pub duplicate: f64,
    /// Seconds a day by which a service's clock runs fast.
    pub drift_seconds_per_day: f64,
    /// How often a day a service's counters restart at 0.
    pub resets_per_day: f64,
}

/// Minutes that a metric which vanished stays away, in the mean.
const VANISHED_MINUTES: f64 = 60.0;
/// Minutes after which every late sample is there.
const LATE_MINUTES: f64 = 5.0;

impl Defects {
    /// Everything that happens, now and then.
    #[must_use]
    pub fn some() -> Self {
        Self {
            gaps_per_day: 0.5,
            gap_minutes: 8.0,
            missing: 0.002,
            vanishings_per_day: 0.05,
            late: 0.01,
            duplicate: 0.005,
            drift_seconds_per_day: 0.5,
            resets_per_day: 0.3,
        }
    }

    fn check(&self) -> Result<(), SimError> {
        let check = Check("telemetry defects");
        for (field, value) in [
            ("gaps_per_day", self.gaps_per_day),
            ("gap_minutes", self.gap_minutes),
            ("vanishings_per_day", self.vanishings_per_day),
            ("resets_per_day", self.resets_per_day),
        ] {
            check.not_negative(field, value)?;
        }
        for (field, value) in [("missing", self.missing), ("late", self.late), ("duplicate", self.duplicate)]
        {
            check.share(field, value)?;
        }
        check.within(
            "drift_seconds_per_day",
            self.drift_seconds_per_day,
            -86_000.0..=86_000.0,
            "a number of seconds from -86,000 to 86,000",
        )
    }

    /// Frames with what a regular table can show of it: gaps, missing values and vanished metrics, as NaN.
    ///
    /// # Errors
    /// [`SimError::InvalidField`].
    pub fn degrade(&self, frames: FrameSet, seed: u64) -> Result<FrameSet, SimError> {
        self.check()?;
        let schema = frames.schema().clone();
        let mut holes: Vec<Holes> =
            (0..frames.layout().services().len()).map(|service| Holes::new(self, seed, service)).collect();
        Ok(frames.map_rows(schema, |service, row| holes[service].punch(row))?)
    }

    /// One service's samples in the order in which they arrive, with all that is wrong with them; missing values do
    /// not arrive. Metrics of kind [`Kind::Delta`] become counters.
    ///
    /// # Errors
    /// [`SimError::InvalidField`].
    pub fn arrivals(&self, frame: FrameView<'_>, seed: u64) -> Result<Vec<RawSample>, SimError> {
        self.check()?;
        let service = frame
            .service()
            .bytes()
            .fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let mut holes = Holes::new(self, seed, service);
        let mut draws = Draws::new(seed ^ 0x5eed, Stream(Stream::DEFECTS.0 + ((service as u64) << 8)));
        let counters = counters(frame.schema());
        let mut totals = vec![0.0f64; counters.len()];
        let per_step = frame.step().days();
        let mut arrivals: Vec<(f64, RawSample)> = Vec::with_capacity(frame.values().len());
        for row in 0..frame.rows() {
            let Some(values) = frame.row(row) else { break };
            let mut values = values.to_vec();
            if draws.uniform() < self.resets_per_day * per_step {
                totals.fill(0.0);
            }
            for (metric, is_counter) in counters.iter().enumerate() {
                if *is_counter && !values[metric].is_nan() {
                    totals[metric] += f64::from(values[metric]);
                }
            }
            holes.punch(&mut values);
            let days = row as f64 * per_step;
            let drift = (self.drift_seconds_per_day * days * 1e3) as i64;
            let drifted = frame.time(row).millis().saturating_add(drift);
            let time = Timestamp::from_millis(drifted).unwrap_or(frame.time(row));
            for (metric, value) in values.into_iter().enumerate() {
                let [late, by, twice] = std::array::from_fn(|_| draws.uniform());
                if value.is_nan() {
                    continue;
                }
                let value = if counters[metric] { totals[metric] } else { f64::from(value) };
                let delay = if late < self.late { by * LATE_MINUTES } else { 0.0 };
                let at = row as f64 * frame.step().minutes() + delay;
                arrivals.push((at, RawSample { metric, time, value }));
                if twice < self.duplicate {
                    arrivals.push((at + by, RawSample { metric, time, value }));
                }
            }
        }
        arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(arrivals.into_iter().map(|(_, arrival)| arrival).collect())
    }
}

fn counters(schema: &Schema) -> Vec<bool> {
    schema.metrics().iter().map(|metric| metric.kind == Kind::Delta).collect()
}

/// Where the holes of one service are.
struct Holes {
    defects: Defects,
    draws: Draws,
    /// Rows that the gap still lasts.
    gap: f64,
    vanished: Option<(usize, f64)>,
}

impl Holes {
    fn new(defects: &Defects, seed: u64, service: usize) -> Self {
        let stream = Stream(Stream::DEFECTS.0 + ((service as u64) << 8) + (1 << 60));
        Self { defects: *defects, draws: Draws::new(seed, stream), gap: 0.0, vanished: None }
    }

    /// Makes holes in a row, a minute after the one before it.
    fn punch(&mut self, row: &mut [f32]) {
        let [gap, length, vanishing, which, hours] = std::array::from_fn(|_| self.draws.uniform());
        let exponential = |u: f64, mean: f64| -crate::fleet::math::ln(u) * mean;
        if self.gap <= 0.0 && gap < self.defects.gaps_per_day / 1_440.0 {
            self.gap = exponential(length, self.defects.gap_minutes).max(1.0);
        }
        if self.vanished.is_none() && vanishing < self.defects.vanishings_per_day / 1_440.0 {
            let metric = ((which * row.len() as f64) as usize).min(row.len() - 1);
            self.vanished = Some((metric, exponential(hours, VANISHED_MINUTES)));
        }
        for value in row.iter_mut() {
            if self.draws.uniform() < self.defects.missing {
                *value = f32::NAN;
            }
        }
        if let Some((metric, left)) = &mut self.vanished {
            row[*metric] = f32::NAN;
            *left -= 1.0;
            if *left <= 0.0 {
                self.vanished = None;
            }
        }
        if self.gap > 0.0 {
            row.fill(f32::NAN);
            self.gap -= 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Fleet;

    fn day() -> FrameSet {
        Fleet::shop(3).with_minutes(1_440 * 10).run().unwrap().frames
    }

    #[test]
    fn holes_are_as_many_as_asked_for() {
        let clean = day();
        let defects = Defects { gaps_per_day: 4.0, gap_minutes: 10.0, missing: 0.01, ..Defects::default() };
        let broken = defects.degrade(clean.clone(), 1).unwrap();
        let rows: Vec<&[f32]> = broken.values().chunks_exact(10).collect();
        let gone = rows.iter().filter(|row| row.iter().all(|value| value.is_nan())).count() as f64;
        // Forty days of services: 160 gaps, whose lengths are exponential.
        assert!((gone / 1_600.0 - 1.0).abs() < 0.3, "{gone}");
        let missing = broken.values().iter().filter(|value| value.is_nan()).count() as f64 - 10.0 * gone;
        assert!((missing / (0.01 * broken.values().len() as f64) - 1.0).abs() < 0.1);
        let same = Defects::default().degrade(clean.clone(), 1).unwrap();
        assert!(same.values().iter().map(|v| v.to_bits()).eq(clean.values().iter().map(|v| v.to_bits())));
    }

    #[test]
    fn arrivals_are_late_twice_and_counted_from_the_last_reset() {
        let frames = day();
        let frame = frames.frame(0).unwrap();
        let clean = Defects::default().arrivals(frame, 1).unwrap();
        let counts: Vec<f64> = clean.iter().filter(|a| a.metric == 0).map(|a| a.value).collect();
        assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "a counter");
        assert!(clean.windows(2).all(|pair| pair[0].time <= pair[1].time));
        let broken = Defects {
            late: 0.1,
            duplicate: 0.1,
            resets_per_day: 3.0,
            drift_seconds_per_day: 60.0,
            ..Defects::default()
        };
        let arrivals = broken.arrivals(frame, 1).unwrap();
        let more = arrivals.len() as f64 / clean.len() as f64;
        assert!((more - 1.1).abs() < 0.01, "{more}");
        let disorder = arrivals.windows(2).filter(|pair| pair[0].time > pair[1].time).count();
        assert!(disorder > clean.len() / 20);
        let last = arrivals.iter().map(|arrival| arrival.time).max().unwrap();
        assert!((last.minutes_since(frame.time(frame.rows() - 1)) - 10.0).abs() < 0.1, "a minute a day");
        let mut counts: Vec<(Timestamp, f64)> =
            arrivals.iter().filter(|a| a.metric == 0).map(|a| (a.time, a.value)).collect();
        counts.sort_by_key(|&(time, _)| time);
        let resets = counts.windows(2).filter(|pair| pair[0].1 > pair[1].1).count();
        assert!((10..60).contains(&resets), "{resets}");
        assert!(Defects { late: 1.2, ..broken }.arrivals(frame, 1).is_err());
    }
}
