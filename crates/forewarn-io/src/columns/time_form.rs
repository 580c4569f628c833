use crate::IoError;
use forewarn_schema::Timestamp;
use jiff::{
    civil,
    tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase},
};

/// Numbers that fit into 64 bits.
const WHOLE: std::ops::Range<f64> = -9e18..9e18;

/// A time that a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    /// The other time that it may be: the same hour of the clock, after it was put back.
    pub(crate) repeated: Option<Timestamp>,
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self { time, repeated: None }
    }
}

/// How the times of one file are written. The first row decides, every other must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// With a zone.
    Zoned,
    /// Without one.
    Naive,
    Epoch(EpochUnit),
}

/// What a number counts since 1970.
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
    /// The zone of times that name none, and its name; UTC where there is none.
    zone: Option<(String, TimeZone)>,
    /// Rows of many services at one time repeat its text, and a calendar costs more than a comparison.
    last: Option<(String, Moment)>,
}

impl TimeReader {
    /// A reader for a zone's name or offset.
    pub(crate) fn new(zone: Option<&str>) -> Result<Self, IoError> {
        let zone = zone.map(|name| Ok((name.to_owned(), find_zone(name)?))).transpose()?;
        Ok(Self { zone, ..Self::default() })
    }

    /// The time that `text` says; `None` when it says none in this file's form.
    pub(crate) fn text(&mut self, text: &str) -> Option<Moment> {
        if let Some((last, moment)) = &self.last
            && last == text
        {
            return Some(*moment);
        }
        let moment = self.parse(text.trim())?;
        let (last, last_moment) = self.last.get_or_insert_with(|| (String::new(), moment));
        last.clear();
        last.push_str(text);
        *last_moment = moment;
        Some(moment)
    }

    fn parse(&mut self, text: &str) -> Option<Moment> {
        match self.form {
            Some(TimeForm::Epoch(unit)) => epoch(text, Some(unit)).map(|(time, _)| time.into()),
            Some(TimeForm::Zoned) => zoned(text).map(Moment::from),
            Some(TimeForm::Naive) => self.naive(text),
            None => {
                let (form, moment) = if let Some((time, unit)) = epoch(text, None) {
                    (TimeForm::Epoch(unit), time.into())
                } else if let Some(time) = zoned(text) {
                    (TimeForm::Zoned, time.into())
                } else {
                    (TimeForm::Naive, self.naive(text)?)
                };
                self.form = Some(form);
                Some(moment)
            }
        }
    }

    /// The time of a clock of the file's zone; `None` for an hour that the clock leaves out, too.
    fn naive(&self, text: &str) -> Option<Moment> {
        let (millis, rest) = civil_millis(text)?;
        if rest.is_empty() { self.local(millis) } else { None }
    }

    /// The moment at which a clock of the file's zone shows this number of milliseconds since 1970.
    pub(crate) fn local(&self, millis: i64) -> Option<Moment> {
        let Some((_, zone)) = &self.zone else { return Timestamp::from_millis(millis).map(Moment::from) };
        let shown = Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(millis).ok()?);
        let at = |offset: Offset| Timestamp::from_millis(millis - i64::from(offset.seconds()) * 1000);
        match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).map(Moment::from),
            AmbiguousOffset::Gap { .. } => None,
            AmbiguousOffset::Fold { before, after } => {
                let (a, b) = (at(before)?, at(after)?);
                Some(Moment { time: a.min(b), repeated: Some(a.max(b)) })
            }
        }
    }

    /// The time that an integer stands for; `None` beyond the calendar.
    pub(crate) fn integer(&mut self, number: i64) -> Option<Timestamp> {
        match *self.form.get_or_insert(TimeForm::Epoch(EpochUnit::of_magnitude(number))) {
            TimeForm::Epoch(unit) => unit.time(number),
            TimeForm::Zoned | TimeForm::Naive => None,
        }
    }

    /// The time that a number with a fraction stands for.
    pub(crate) fn float(&mut self, number: f64) -> Option<Timestamp> {
        let whole = number.floor();
        if !WHOLE.contains(&whole) {
            return None;
        }
        let time = self.integer(whole as i64)?;
        match self.form {
            Some(TimeForm::Epoch(EpochUnit::Seconds)) => {
                Timestamp::from_millis(time.millis() + ((number - whole) * 1e3).round() as i64)
            }
            _ => Some(time),
        }
    }

    /// What a time of this file looks like, for an error.
    pub(crate) fn expected(&self) -> &'static str {
        match self.form {
            None => {
                "a time such as 2024-01-01T00:00:00Z or 2024-01-01 00:00:00, or a count of seconds or a finer unit since 1970"
            }
            Some(TimeForm::Zoned) => {
                "RFC 3339 with a zone, such as 2024-01-01T00:00:00Z, as in the rows before"
            }
            Some(TimeForm::Naive) if self.zone.is_some() => {
                "a time without a zone, such as 2024-01-01 00:00:00, as in the rows before, which the clocks of the time zone show"
            }
            Some(TimeForm::Naive) => {
                "a time without a zone, such as 2024-01-01 00:00:00, as in the rows before"
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

    /// What was assumed about the times.
    pub(crate) fn note(&self) -> Option<String> {
        match self.form? {
            TimeForm::Zoned => None,
            TimeForm::Naive => Some(self.zone_note()),
            TimeForm::Epoch(unit) => {
                Some(format!("numeric timestamps were read as {} since 1970", unit.name()))
            }
        }
    }

    /// Which zone was taken for times that name none.
    pub(crate) fn zone_note(&self) -> String {
        let zone = self.zone.as_ref().map_or("UTC", |(name, _)| name.as_str());
        format!("the timestamps have no zone and were read as {zone}")
    }
}

/// Whether a cell looks like a time that is written as text.
pub(crate) fn is_text_time(text: &str) -> bool {
    civil_millis(text.trim()).is_some()
}

fn find_zone(name: &str) -> Result<TimeZone, IoError> {
    let refuse = || IoError::Setting {
        option: "timezone",
        value: name.to_owned(),
        expected: "an IANA name such as Europe/Berlin, or an offset such as +02:00".to_owned(),
    };
    if name.starts_with(['+', '-']) {
        let (hours, minutes) = name[1..].split_once(':').ok_or_else(refuse)?;
        let (hours, minutes): (i32, i32) = hours.parse().ok().zip(minutes.parse().ok()).ok_or_else(refuse)?;
        if !(0..=23).contains(&hours) || !(0..=59).contains(&minutes) {
            return Err(refuse());
        }
        let seconds = (hours * 60 + minutes) * 60;
        let offset = Offset::from_seconds(if name.starts_with('-') { -seconds } else { seconds });
        return offset.map(Offset::to_time_zone).map_err(|_| refuse());
    }
    TimeZoneDatabase::bundled().get(name).map_err(|_| refuse())
}

/// A time that is a number: an integer, or one with a fraction or an exponent.
fn epoch(text: &str, unit: Option<EpochUnit>) -> Option<(Timestamp, EpochUnit)> {
    if let Ok(number) = text.parse::<i64>() {
        let unit = unit.unwrap_or_else(|| EpochUnit::of_magnitude(number));
        return Some((unit.time(number)?, unit));
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E')) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    // 2024-01-01 is not a number, but 2e5 and .5 are.
    let whole = number.floor();
    if !WHOLE.contains(&whole) {
        return None;
    }
    let unit = unit.unwrap_or_else(|| EpochUnit::of_magnitude(whole as i64));
    let millis = match unit {
        EpochUnit::Seconds => (number * 1e3).round() as i64,
        EpochUnit::Milliseconds => number.round() as i64,
        _ => return Some((unit.time(whole as i64)?, unit)),
    };
    Some((Timestamp::from_millis(millis)?, unit))
}

/// A time with a zone: RFC 3339, with ` UTC` or ` GMT` at its end, or with an offset that blanks or the zone's name
/// surround.
fn zoned(text: &str) -> Option<Timestamp> {
    match civil_millis(text) {
        Some((millis, "Z" | "z" | "UTC" | "GMT")) => Timestamp::from_millis(millis),
        // Times without a zone are not of this form.
        Some((_, "")) => None,
        Some((millis, rest)) => match offset_millis(rest) {
            Some(offset) => Timestamp::from_millis(millis - offset),
            None => text.parse().ok(),
        },
        None => text.parse().ok(),
    }
}

/// How far a clock with this after its time is ahead of UTC: `+0200`, `-03:30`, `+0800 CST`, `+0000 UTC m=+0.1`.
fn offset_millis(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let offset = words.next()?;
    let digits: String = offset.get(1..)?.chars().filter(|c| *c != ':').collect();
    if !offset.starts_with(['+', '-'])
        || digits.len() != 4
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let named = words.next().is_none_or(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let clock = words.next().is_none_or(|clock| clock.starts_with("m="));
    let (hours, minutes): (i64, i64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    if !named || !clock || words.next().is_some() || hours > 23 || minutes > 59 {
        return None;
    }
    let millis = (hours * 60 + minutes) * 60_000;
    Some(if offset.starts_with('-') { -millis } else { millis })
}

/// Milliseconds from 1970 to a date with or without a time of day, on the same clock, and what follows: `2024-01-31`,
/// `2024-01-31 9:05`, `2024/01/31T09:05:00.25`, `31.01.2024 09:05`.
fn civil_millis(text: &str) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    let number = |at: usize, digits: usize| -> Option<i64> {
        let part = bytes.get(at..at + digits)?;
        part.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let (year, month, day) = match (at(2), at(4)) {
        (b'.', _) if at(5) == b'.' => (number(6, 4)?, number(3, 2)?, number(0, 2)?),
        (_, mark @ (b'-' | b'/')) if at(7) == mark => (number(0, 4)?, number(5, 2)?, number(8, 2)?),
        _ => return None,
    };
    let date =
        civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    date.ok()?;
    let days = days_from_civil(year, month, day);
    let mut next = 10;
    let mut millis = 0;
    if matches!(at(next), b'T' | b't' | b' ') && at(next + 1).is_ascii_digit() {
        next += 1;
        let digits = if at(next + 1) == b':' { 1 } else { 2 };
        let hour = number(next, digits)?;
        next += digits;
        if at(next) != b':' {
            return None;
        }
        let minute = number(next + 1, 2)?;
        next += 3;
        let mut second = 0;
        if at(next) == b':' {
            second = number(next + 1, 2)?;
            next += 3;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        millis = ((hour * 60 + minute) * 60 + second) * 1000;
        if matches!(at(next), b'.' | b',') && at(next + 1).is_ascii_digit() {
            next += 1;
            for weight in [100, 10, 1] {
                if at(next).is_ascii_digit() {
                    millis += weight * i64::from(at(next) - b'0');
                    next += 1;
                }
            }
            while at(next).is_ascii_digit() {
                next += 1;
            }
        }
    }
    Some((days * 86_400_000 + millis, text.get(next..)?.trim()))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have the leap day at their end.
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests;
