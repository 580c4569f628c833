use forewarn_schema::Step;
use serde::{Deserialize, Serialize};

/// How the time between rows became known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepSource {
    /// By the settings.
    Given,
    /// From the times of the rows.
    Found,
    /// No service has two rows: a minute was taken.
    #[default]
    Assumed,
}

/// Intervals after which the step is looked for.
const ENOUGH_INTERVALS: usize = 512;

/// Rows in no order after which no more are waited for.
const MANY_ROWS: usize = 1 << 18;

/// Steps that people choose, in seconds: where rows are not exactly regular, the nearest of these is meant.
const USUAL_SECS: [i64; 24] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400,
    21_600, 28_800, 43_200, 86_400,
];

/// Finds the time between the rows of services from the first of them.
#[derive(Debug, Default)]
pub(crate) struct StepFinder {
    /// Service and time of each row.
    times: Vec<(u32, i64)>,
    /// Time of each service's last row.
    last: Vec<Option<i64>>,
    forwards: usize,
    backwards: usize,
}

impl StepFinder {
    /// A row of a service.
    pub(crate) fn push(&mut self, service: usize, millis: i64) {
        if service >= self.last.len() {
            self.last.resize(service + 1, None);
        }
        if let Some(last) = self.last[service].replace(millis) {
            self.forwards += usize::from(millis > last);
            self.backwards += usize::from(millis < last);
        }
        self.times.push((u32::try_from(service).unwrap_or(u32::MAX), millis));
    }

    /// Whether these rows say enough. Few rows in no order never do: those between come later.
    pub(crate) fn is_enough(&self) -> bool {
        let (less, more) = (self.forwards.min(self.backwards), self.forwards.max(self.backwards));
        let is_many = self.times.len() >= MANY_ROWS && more + less >= ENOUGH_INTERVALS;
        is_many || (more >= ENOUGH_INTERVALS && less * 10 <= more)
    }

    /// The step of these rows; `None` where no service has two.
    ///
    /// # Errors
    /// The interval that was found, in milliseconds, where it is below a second or above a day.
    pub(crate) fn find(mut self) -> Result<Option<Step>, i64> {
        self.times.sort_unstable();
        let mut intervals: Vec<i64> = self
            .times
            .windows(2)
            .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
            .map(|pair| pair[1].1 - pair[0].1)
            .collect();
        if intervals.is_empty() {
            return Ok(None);
        }
        intervals.sort_unstable();
        // Gaps make intervals longer, and hardly anything makes them shorter.
        let usual = intervals[intervals.len() / 4];
        let near = intervals
            .iter()
            .filter(|&&interval| interval >= usual / 2 && interval <= usual.saturating_add(usual / 2));
        let (count, sum) =
            near.clone().fold((0, 0i64), |(count, sum), interval| (count + 1, sum.saturating_add(*interval)));
        let exact = near.clone().all(|&interval| interval == usual);
        let odd = intervals.iter().filter(|&&interval| interval % usual != 0).count();
        let divisor = intervals.iter().fold(0, |a, &b| greatest_divisor(a, b));
        let millis = if exact && odd * 100 <= intervals.len() {
            usual
        } else if divisor >= 1000 && divisor * 12 >= usual {
            // Rows at 0, 2 and 5 minutes are on a clock of one minute.
            divisor
        } else {
            let mean = sum as f64 / f64::from(count);
            let nearest = USUAL_SECS
                .into_iter()
                .map(|secs| secs * 1000)
                .min_by(|a, b| (*a as f64 - mean).abs().total_cmp(&(*b as f64 - mean).abs()));
            match nearest {
                Some(nearest) if (nearest as f64 - mean).abs() <= 0.1 * nearest as f64 => nearest,
                _ if mean >= 1000.0 => ((mean / 1000.0).round() as i64) * 1000,
                _ => mean.round() as i64,
            }
        };
        match Step::from_millis(millis) {
            Ok(step) if (1000..=86_400_000).contains(&millis) => Ok(Some(step)),
            _ => Err(millis),
        }
    }
}

fn greatest_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(times: &[i64]) -> Result<Option<i64>, i64> {
        let mut finder = StepFinder::default();
        times.iter().for_each(|&time| finder.push(0, time));
        finder.find().map(|step| step.map(Step::millis))
    }

    #[test]
    fn steps_are_found_through_gaps_and_jitter() {
        for (times, expected) in [
            (vec![0, 15_000, 30_000, 90_000], 15_000),
            (vec![0, 60_000, 180_000, 240_000, 600_000], 60_000),
            (vec![0, 120_000, 300_000], 60_000),
            (vec![90_000, 0, 180_000], 90_000),
            (vec![410, 60_447, 120_484, 180_431, 240_468], 60_000),
            (vec![0, 59_000, 120_000, 179_000, 240_000, 301_000], 60_000),
            (vec![0, 3_600_000], 3_600_000),
            (vec![0, 7000, 14_000], 7000),
            (vec![0, 0, 60_000, 60_000], 60_000),
        ] {
            assert_eq!(find(&times), Ok(Some(expected)), "{times:?}");
        }
        assert_eq!(find(&[5, 5]), Ok(None));
        assert_eq!(find(&[0, 100, 200]), Err(100));
        assert_eq!(find(&[0, 604_800_000]), Err(604_800_000));
        assert_eq!(find(&[i64::MIN / 4, i64::MAX / 4]).map_err(|_| ()), Err(()));
    }

    #[test]
    fn rows_in_no_order_say_enough_late() {
        let (mut ordered, mut mixed) = (StepFinder::default(), StepFinder::default());
        for row in 0..2000i64 {
            ordered.push(0, -row);
            mixed.push(0, row * 1009 % 2000);
        }
        assert!(ordered.is_enough() && !mixed.is_enough());
        (2000..MANY_ROWS as i64).for_each(|row| mixed.push(0, row * 1009 % 2000));
        assert!(mixed.is_enough());
    }
}
