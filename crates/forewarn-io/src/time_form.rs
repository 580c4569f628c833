use forewarn_schema::Timestamp;

/// How the times of one file are written. The first row decides, every other must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    Text,
    Epoch(EpochUnit),
}

/// What an integer time counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EpochUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl EpochUnit {
    /// The unit in which a number is a plausible time: below 1e11 seconds (until year 5138), below 1e14
    /// milliseconds (from 1973), below 1e17 microseconds, above it nanoseconds.
    fn of_magnitude(number: i64) -> Self {
        match number.unsigned_abs() {
            0..100_000_000_000 => Self::Seconds,
            100_000_000_000..100_000_000_000_000 => Self::Milliseconds,
            100_000_000_000_000..100_000_000_000_000_000 => Self::Microseconds,
            _ => Self::Nanoseconds,
        }
    }

    /// The time that `number` stands for, to the millisecond; `None` beyond the calendar.
    pub(crate) fn time(self, number: i64) -> Option<Timestamp> {
        Timestamp::from_millis(match self {
            Self::Seconds => number.checked_mul(1000)?,
            Self::Milliseconds => number,
            Self::Microseconds => number.div_euclid(1000),
            Self::Nanoseconds => number.div_euclid(1_000_000),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }
}

/// Reads the times of one file.
#[derive(Debug, Default)]
pub(crate) struct TimeReader {
    form: Option<TimeForm>,
    /// Rows of many services at one time repeat its text, and a calendar costs more than a comparison.
    last: Option<(String, Timestamp)>,
}

impl TimeReader {
    /// The time that `text` says; `None` when it says none in this file's form.
    pub(crate) fn text(&mut self, text: &str) -> Option<Timestamp> {
        if let Some((last, time)) = &self.last
            && last == text
        {
            return Some(*time);
        }
        let trimmed = text.trim();
        let time = match self.form {
            None => match trimmed.parse::<i64>() {
                Ok(number) => self.integer(number)?,
                Err(_) => trimmed.parse().ok()?,
            },
            Some(TimeForm::Text) => trimmed.parse().ok()?,
            Some(TimeForm::Epoch(unit)) => unit.time(trimmed.parse().ok()?)?,
        };
        self.form.get_or_insert(TimeForm::Text);
        let (last, last_time) = self.last.get_or_insert_with(|| (String::new(), time));
        last.clear();
        last.push_str(text);
        *last_time = time;
        Some(time)
    }

    /// The time that an integer stands for; `None` beyond the calendar.
    pub(crate) fn integer(&mut self, number: i64) -> Option<Timestamp> {
        match *self.form.get_or_insert(TimeForm::Epoch(EpochUnit::of_magnitude(number))) {
            TimeForm::Epoch(unit) => unit.time(number),
            TimeForm::Text => None,
        }
    }

    /// What a time of this file looks like, for an error.
    pub(crate) fn expected(&self) -> &'static str {
        match self.form {
            None => "RFC 3339 with a zone, such as 2024-01-01T00:00:00Z, or an integer count since 1970",
            Some(TimeForm::Text) => {
                "RFC 3339 with a zone, such as 2024-01-01T00:00:00Z, as in the rows before"
            }
            Some(TimeForm::Epoch(EpochUnit::Seconds)) => "seconds since 1970, as in the rows before",
            Some(TimeForm::Epoch(EpochUnit::Milliseconds)) => {
                "milliseconds since 1970, as in the rows before"
            }
            Some(TimeForm::Epoch(EpochUnit::Microseconds)) => {
                "microseconds since 1970, as in the rows before"
            }
            Some(TimeForm::Epoch(EpochUnit::Nanoseconds)) => "nanoseconds since 1970, as in the rows before",
        }
    }

    /// What was assumed about integer times.
    pub(crate) fn note(&self) -> Option<String> {
        match self.form? {
            TimeForm::Text => None,
            TimeForm::Epoch(unit) => {
                Some(format!("integer timestamps were read as {} since 1970", unit.name()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_in_five_forms() {
        let expected: Timestamp = "2024-01-01T00:01:00Z".parse().unwrap();
        for text in [
            "2024-01-01T00:01:00Z",
            " 2024-01-01 01:01:00+01:00 ",
            "1704067260",
            "1704067260000",
            "1704067260000000",
            "1704067260000000999",
        ] {
            assert_eq!(TimeReader::default().text(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_first_row_decides() {
        let mut seconds = TimeReader::default();
        assert_eq!(seconds.text("60").unwrap().millis(), 60_000);
        assert_eq!(seconds.text("1704067260000"), None, "no such year in seconds");
        assert_eq!(seconds.text("2024-01-01T00:00:00Z"), None);
        let mut text = TimeReader::default();
        assert!(text.text("2024-01-01T00:00:00Z").is_some());
        assert_eq!(text.text("1704067260"), None);
        assert_eq!(TimeReader::default().text(&i64::MAX.to_string()).unwrap().to_string()[..4], *"2262");
        for wrong in ["", "yesterday", "2024-01-01", "2024-01-01T00:00:00", "1.7e9", "99999999999999999999"] {
            assert_eq!(TimeReader::default().text(wrong), None, "{wrong}");
        }
    }
}
