//! Durations as people write them, and counts of steps.

use forewarn::schema::Step;
use std::str::FromStr;

/// Milliseconds of `500ms`, `15s`, `10m`, `1h` or `1d`; `None` for anything else, also without a unit.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: i64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// A number of steps, given as such or as a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steps {
    Count(usize),
    Millis(i64),
}

impl Steps {
    /// How many steps of data on this clock.
    pub(crate) fn of(self, step: Step) -> Result<usize, String> {
        match self {
            Self::Count(steps) => Ok(steps),
            Self::Millis(millis) if millis % step.millis() == 0 => {
                usize::try_from(millis / step.millis()).map_err(|error| error.to_string())
            }
            Self::Millis(millis) => Err(format!(
                "{} s is not a whole number of steps of {} s",
                millis as f64 / 1000.0,
                step.millis() as f64 / 1000.0
            )),
        }
    }
}

impl FromStr for Steps {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = text.trim().parse().ok().map(Self::Count);
        count
            .or_else(|| millis(text).map(Self::Millis))
            .ok_or_else(|| format!("{text:?}: expected a number of steps, or a duration such as 10m or 1h"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_steps() {
        let read = |text: &str| text.parse::<Steps>().unwrap().of(Step::from_millis(300_000).unwrap());
        assert_eq!(read("10"), Ok(10));
        assert_eq!(read("10m"), Ok(2));
        assert_eq!(read("1h"), Ok(12));
        assert!(read("7m").is_err());
        assert!(
            "10x".parse::<Steps>().is_err()
                && "".parse::<Steps>().is_err()
                && "1.5h".parse::<Steps>().is_err()
        );
    }
}
