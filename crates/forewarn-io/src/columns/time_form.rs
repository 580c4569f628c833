use crate::{IoError, ReadOptions};
pub use calendar::DateOrder;
use calendar::civil_millis;
pub(crate) use calendar::{Shown, shown_order};
use forewarn_schema::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

mod calendar;

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
    /// The order of day and month, and whether it was only found.
    order: Option<(DateOrder, Found)>,
    /// Rows of many services at one time repeat its text, and a calendar costs more than a comparison.
    last: Option<(String, Moment)>,
}

/// How something became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Given,
    InTheFile,
}

impl TimeReader {
    /// A reader by the settings.
    pub(crate) fn new(options: &ReadOptions) -> Result<Self, IoError> {
        let zone = options.timezone.as_deref();
        let zone = zone.map(|name| Ok((name.to_owned(), find_zone(name)?))).transpose()?;
        Ok(Self { zone, order: options.date_order.map(|order| (order, Found::Given)), ..Self::default() })
    }

    /// A row that comes later shows which number of a date is the day.
    pub(crate) fn learn(&mut self, order: Option<DateOrder>) {
        if let (None, Some(order)) = (self.order, order) {
            self.order = Some((order, Found::InTheFile));
        }
    }

    fn date_order(&self) -> Option<DateOrder> {
        self.order.map(|(order, _)| order)
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
            Some(TimeForm::Zoned) => zoned(text, self.date_order()).map(Moment::from),
            Some(TimeForm::Naive) => self.naive(text),
            None => {
                if let Some(Shown::Order(order)) = shown_order(text) {
                    self.learn(Some(order));
                }
                let (form, moment) = if let Some((time, unit)) = epoch(text, None) {
                    (TimeForm::Epoch(unit), time.into())
                } else if let Some(time) = zoned(text, self.date_order()) {
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
        let (millis, rest) = civil_millis(text, self.date_order())?;
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

    /// What a time of this file looks like, for an error about `text`.
    pub(crate) fn expected(&self, text: &str) -> &'static str {
        match (shown_order(text), self.order) {
            (Some(Shown::Nothing), None) => {
                return "a date of which it is known which number is the day: give the `date_order` (--date-order day-first or month-first)";
            }
            (Some(_), Some((DateOrder::DayFirst, _))) => {
                return "a date with the day first, such as 31/01/2024 13:05, as in other rows; the `date_order` (--date-order) says otherwise";
            }
            (Some(_), Some((DateOrder::MonthFirst, _))) => {
                return "a date with the month first, such as 01/31/2024 13:05, as in other rows; the `date_order` (--date-order) says otherwise";
            }
            _ => {}
        }
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

    /// Which number of the dates was taken for the day, where only the file said so.
    pub(crate) fn order_note(&self) -> Option<String> {
        let (order, found) = self.order?;
        let order = match order {
            DateOrder::DayFirst => "day",
            DateOrder::MonthFirst => "month",
        };
        (found == Found::InTheFile)
            .then(|| format!("dates were read with the {order} first, as some of them show"))
    }

    /// Which zone was taken for times that name none.
    pub(crate) fn zone_note(&self) -> String {
        let zone = self.zone.as_ref().map_or("UTC", |(name, _)| name.as_str());
        format!("the timestamps have no zone and were read as {zone}")
    }
}

/// Whether a cell looks like a time that is written as text.
pub(crate) fn is_text_time(text: &str) -> bool {
    // In either order: which it is, other rows may show.
    civil_millis(text.trim(), Some(DateOrder::DayFirst)).is_some()
        || civil_millis(text.trim(), None).is_some()
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
fn zoned(text: &str, order: Option<DateOrder>) -> Option<Timestamp> {
    match civil_millis(text, order) {
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

#[cfg(test)]
mod tests;
