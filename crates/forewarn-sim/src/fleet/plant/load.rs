use crate::SimError;
use crate::fleet::{check::Check, math::exp, random::Draws};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// How many users there are, as a factor on each entry's `arrivals_per_second`: a day, a week, and noise that lasts.
///
/// Noise is two Ornstein-Uhlenbeck processes on the logarithm: a slow one (news, weather) and a fast one (bursts).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Factor on everything.
    pub level: f64,
    /// Factor at each full hour of a day in UTC, straight lines in between.
    pub daily: [f64; 24],
    /// Factor at noon of each day from Monday to Sunday, straight lines in between.
    pub weekly: [f64; 7],
    /// Standard deviation of the slow noise.
    pub slow_noise: f64,
    /// Minutes in which it forgets two thirds of where it was.
    pub slow_minutes: f64,
    /// Standard deviation of the fast noise.
    pub fast_noise: f64,
    /// Minutes in which it forgets.
    pub fast_minutes: f64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            level: 1.0,
            daily: [
                0.44, 0.37, 0.32, 0.30, 0.31, 0.36, 0.46, 0.62, 0.79, 0.91, 0.97, 1.0, 1.02, 0.98, 0.95,
                0.94, 0.96, 1.0, 1.07, 1.12, 1.10, 0.96, 0.76, 0.57,
            ],
            weekly: [1.0, 1.0, 0.99, 1.02, 1.04, 0.86, 0.82],
            slow_noise: 0.07,
            slow_minutes: 60.0,
            fast_noise: 0.03,
            fast_minutes: 3.0,
        }
    }
}

impl Load {
    /// The same load all day, without noise: for experiments in which nothing else should move.
    #[must_use]
    pub fn steady(level: f64) -> Self {
        Self {
            level,
            daily: [1.0; 24],
            weekly: [1.0; 7],
            slow_noise: 0.0,
            fast_noise: 0.0,
            ..Self::default()
        }
    }

    pub(crate) fn check(&self) -> Result<(), SimError> {
        let check = Check("load");
        check.within("level", self.level, 1e-6..=1e6, "a factor from 0.000001 to 1,000,000")?;
        let factor = |field, factor: f64| check.within(field, factor, 0.0..=1e3, "a factor from 0 to 1,000");
        self.daily.iter().try_for_each(|&value| factor("daily", value))?;
        self.weekly.iter().try_for_each(|&value| factor("weekly", value))?;
        for (field, noise) in [("slow_noise", self.slow_noise), ("fast_noise", self.fast_noise)] {
            check.within(field, noise, 0.0..=5.0, "a standard deviation of the logarithm from 0 to 5")?;
        }
        check.positive("slow_minutes", self.slow_minutes)?;
        check.positive("fast_minutes", self.fast_minutes)
    }

    /// The factor at `time` but for noise.
    pub(crate) fn season(&self, time: Timestamp) -> f64 {
        const DAY: i64 = 86_400_000;
        let millis = time.millis();
        let hours = millis.rem_euclid(DAY) as f64 / 3_600_000.0;
        let hour = (hours as usize).min(23);
        let (from, to) = (self.daily[hour], self.daily[(hour + 1) % 24]);
        // 1970-01-01 was a Thursday. A day's factor holds at noon, straight lines in between.
        let noons = hours / 24.0 + 2.5;
        let whole = (noons as i64).clamp(2, 3);
        let noon = |later: i64| self.weekly[(millis.div_euclid(DAY) + whole + later).rem_euclid(7) as usize];
        let week = noon(0) + (noon(1) - noon(0)) * (noons - whole as f64);
        self.level * week * (from + (to - from) * (hours - hour as f64))
    }

    /// What the noises need to go on by a minute.
    pub(crate) fn noises(&self) -> [Drift; 2] {
        [Drift::new(self.slow_noise, self.slow_minutes), Drift::new(self.fast_noise, self.fast_minutes)]
    }
}

/// One minute of an Ornstein-Uhlenbeck process around 0, exactly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drift {
    keep: f64,
    new: f64,
}

impl Drift {
    pub(crate) fn new(deviation: f64, minutes: f64) -> Self {
        let keep = exp(-1.0 / minutes);
        Self { keep, new: deviation * (1.0 - keep * keep).sqrt() }
    }

    pub(crate) fn step(self, value: f64, draws: &mut Draws) -> f64 {
        value * self.keep + self.new * draws.normal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::random::Stream;

    #[test]
    fn days_and_weeks_repeat() {
        let load = Load::default();
        let at = |text: &str| load.season(text.parse().unwrap());
        // A Monday, a Sunday, and the night between them.
        assert_eq!(at("2024-01-01T12:00:00Z"), 1.02);
        assert_eq!(at("2024-01-07T12:00:00Z"), 1.02 * 0.82);
        assert!((at("2024-01-08T00:00:00Z") - 0.44 * 0.91).abs() < 1e-12);
        assert!((at("2024-01-02T12:30:00Z") - 1.0 * (1.0 + 0.5 / 24.0 * -0.01)).abs() < 1e-3);
        assert!((at("2024-01-07T23:59:59Z") - at("2024-01-08T00:00:00Z")).abs() < 1e-3);
        assert!(Load { level: f64::NAN, ..Load::default() }.check().is_err());
    }

    #[test]
    fn noise_has_its_deviation_and_memory() {
        let (drift, mut draws) = (Drift::new(0.1, 10.0), Draws::new(1, Stream::WORLD));
        let mut value = 0.0;
        let values: Vec<f64> = (0..200_000)
            .map(|_| {
                value = drift.step(value, &mut draws);
                value
            })
            .collect();
        let covariance = |lag: usize| {
            let pairs = values.iter().zip(&values[lag..]);
            pairs.map(|(a, b)| a * b).sum::<f64>() / (values.len() - lag) as f64
        };
        assert!((covariance(0) / 0.01 - 1.0).abs() < 0.05);
        assert!((covariance(10) / covariance(0) - (-1.0f64).exp()).abs() < 0.03);
    }
}
