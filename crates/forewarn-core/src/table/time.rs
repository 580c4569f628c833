//! Times as files write them.

pub use calendar::DateOrder;
pub use calendar::{ShownOrder, shown_order};
use calendar::{civil_millis, compact_millis};
use forewarn_schema::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use zone::{Zone, zone_of};

mod calendar;
mod zone;

/// Numbers that fit into 64 bits.
const WHOLE: std::ops::Range<f64> = -9e18..9e18;

/// Digits of a number with an exponent that tell minutes since 1970 apart: programs that round keep fewer.
const SHARP_DIGITS: usize = 8;

/// Days of the years 1982 to 2064, as spreadsheets count them.
const SPREADSHEET_DAYS: std::ops::Range<f64> = 30_000.0..60_000.0;

/// The first day of 1970, as spreadsheets count them.
const FIRST_DAY: f64 = 25_569.0;

/// A time that a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub time: Timestamp,
    /// The other time that it may be: the same hour of the clock, after it was put back.
    pub repeated: Option<Timestamp>,
}

impl Moment {
    /// Which of both times a row is of that comes after another, or at the same time: the first that is not before it.
    #[must_use]
    pub fn not_before(self, previous: Option<Timestamp>) -> Timestamp {
        let is_before = previous.is_some_and(|previous| self.time < previous);
        self.repeated.filter(|_| is_before).unwrap_or(self.time)
    }
}

/// The name of a zone that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a time zone: expected {}", Self::EXPECTED)]
pub struct UnknownZone {
    /// What was given.
    pub name: String,
}

impl UnknownZone {
    /// What a zone is called.
    pub const EXPECTED: &'static str = "an IANA name such as Europe/Berlin, or an offset such as +02:00";
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self { time, repeated: None }
    }
}

/// How the times of one file are written. The first row decides, every other must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeForm {
    /// With a zone.
    Zoned,
    /// Without one.
    Naive,
    Epoch(EpochUnit),
    /// Days as spreadsheets count them, without a zone.
    Days,
}

/// What a number counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
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
    #[must_use]
    pub fn time(self, number: i64) -> Option<Timestamp> {
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

/// Reads the times of one column of a file: RFC 3339; a date and a time of day as programs and people write them, with
/// or without a zone; or a number since 1970, whose size says of which unit. The first row decides, and every other
/// must agree.
///
/// ```
/// use forewarn_core::table::TimeReader;
///
/// let mut times = TimeReader::new(Some("Europe/Berlin"), None)?;
/// let moment = times.text("31.01.2024 09:05").ok_or("a time")?;
/// assert_eq!(moment.time.to_string(), "2024-01-31T08:05:00Z");
/// assert_eq!(times.text("1706691900"), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct TimeReader {
    form: Option<TimeForm>,
    /// The zone of times that name none, and its name; UTC where there is none.
    zone: Option<(String, TimeZone)>,
    /// The order of day and month, and whether it was only found.
    order: Option<(DateOrder, Found)>,
    /// Rows of many services at one time repeat its text, and a calendar costs more than a comparison.
    last: Option<(String, Moment)>,
    /// Abbreviations of zones that were taken without one being given, and their offsets in minutes.
    abbreviations: Vec<(&'static str, i64)>,
    /// The first number, where times are numbers.
    first_number: Option<f64>,
    /// Most digits of a number with an exponent so far.
    exponent_digits: usize,
}

/// How something became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Given,
    InTheFile,
}

impl TimeReader {
    /// A reader of times that are in `zone` where they name none, UTC by default: an IANA name, or an offset such as
    /// `+02:00`. `order` says which number of dates such as `1/2/2024` is the day.
    ///
    /// # Errors
    /// [`UnknownZone`].
    pub fn new(zone: Option<&str>, order: Option<DateOrder>) -> Result<Self, UnknownZone> {
        let zone = zone.map(|name| Ok((name.to_owned(), find_zone(name)?))).transpose()?;
        Ok(Self { zone, order: order.map(|order| (order, Found::Given)), ..Self::default() })
    }

    /// A row that comes later shows which number of a date is the day.
    pub fn learn(&mut self, order: Option<DateOrder>) {
        if let (None, Some(order)) = (self.order, order) {
            self.order = Some((order, Found::InTheFile));
        }
    }

    /// Rows that come later show that numbers are days as spreadsheets count them.
    pub fn learn_days(&mut self) {
        self.form.get_or_insert(TimeForm::Days);
    }

    /// Rows that come later show numbers with an exponent and this many digits; see [`exponent_digits`].
    pub fn learn_exponent_digits(&mut self, digits: usize) {
        self.exponent_digits = self.exponent_digits.max(digits);
    }

    /// Whether a number was written with so few digits, and an exponent, that times within hours are the same: some
    /// programs do that to each number, and others to few, whose last digits are zeros.
    fn is_blurred(&self, text: &str) -> bool {
        exponent_digits(text).is_some() && self.exponent_digits < SHARP_DIGITS
    }

    fn date_order(&self) -> Option<DateOrder> {
        self.order.map(|(order, _)| order)
    }

    /// The time that `text` says; `None` when it says none in this file's form.
    pub fn text(&mut self, text: &str) -> Option<Moment> {
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
        if matches!(self.form, None | Some(TimeForm::Epoch(_))) {
            self.learn_exponent_digits(exponent_digits(text).unwrap_or(0));
            if self.is_blurred(text) {
                return None;
            }
        }
        match self.form {
            Some(TimeForm::Epoch(_)) if self.are_days_after_all(text) => None,
            Some(TimeForm::Epoch(unit)) => epoch(text, Some(unit)).map(|(time, _)| time.into()),
            Some(TimeForm::Days) => self.days(text),
            Some(TimeForm::Zoned) => self.zoned(text),
            Some(TimeForm::Naive) => self.naive(text),
            None => {
                if let Some(ShownOrder::Order(order)) = shown_order(text) {
                    self.learn(Some(order));
                }
                // 20240131 is a date: as a number of seconds it would be of 1970.
                let is_compact = compact_millis(text).is_some();
                let (form, moment) = if is_compact {
                    (TimeForm::Naive, self.naive(text)?)
                } else if is_spreadsheet_time(text) {
                    (TimeForm::Days, self.days(text)?)
                } else if let Some((time, unit)) = epoch(text, None) {
                    self.first_number = text.parse::<f64>().ok();
                    (TimeForm::Epoch(unit), time.into())
                } else if let Some(moment) = self.zoned(text) {
                    (TimeForm::Zoned, moment)
                } else {
                    (TimeForm::Naive, self.naive(text)?)
                };
                self.form = Some(form);
                Some(moment)
            }
        }
    }

    /// The time of a number of days, to the second: spreadsheets often write no more digits than tell seconds apart.
    fn days(&self, text: &str) -> Option<Moment> {
        let days: f64 = text.replacen(',', ".", 1).parse().ok()?;
        self.days_of(days)
    }

    fn days_of(&self, days: f64) -> Option<Moment> {
        let seconds = ((days - FIRST_DAY) * 86_400.0).round();
        if WHOLE.contains(&(seconds * 1e3)) { self.local(seconds as i64 * 1000) } else { None }
    }

    /// Whether numbers were taken for seconds since 1970, and this one shows that they are days of a spreadsheet.
    fn are_days_after_all(&self, text: &str) -> bool {
        self.first_number.is_some_and(|first| SPREADSHEET_DAYS.contains(&first) && first.fract() == 0.0)
            && is_spreadsheet_time(text)
    }

    /// The time of a clock of the file's zone; `None` for an hour that the clock leaves out, too.
    fn naive(&self, text: &str) -> Option<Moment> {
        let (millis, rest) = civil_millis(text, self.date_order())?;
        if rest.is_empty() { self.local(millis) } else { None }
    }

    /// A time with a zone: RFC 3339, or one that is followed by `UTC`, an offset or the abbreviation of a zone, blanks
    /// and parentheses around it.
    fn zoned(&mut self, text: &str) -> Option<Moment> {
        let Some((millis, rest)) = civil_millis(text, self.date_order()) else {
            return text.parse().ok().map(|time: Timestamp| time.into());
        };
        match zone_of(rest) {
            // Times without a zone are not of this form.
            Some(Zone::None) => None,
            Some(Zone::Offset { millis: offset }) => {
                Timestamp::from_millis(millis - offset).map(Moment::from)
            }
            Some(Zone::Abbreviation(name)) if self.zone.is_some() => self.local_called(millis, name),
            Some(Zone::Abbreviation(name)) => {
                let known = zone::usual(name)?;
                if !self.abbreviations.contains(&known) {
                    self.abbreviations.push(known);
                }
                Timestamp::from_millis(millis - known.1 * 60_000).map(Moment::from)
            }
            None => text.parse().ok().map(|time: Timestamp| time.into()),
        }
    }

    /// The moment at which a clock of the file's zone shows this, and calls its zone by this abbreviation.
    fn local_called(&self, millis: i64, name: &str) -> Option<Moment> {
        let (_, zone) = self.zone.as_ref()?;
        let is_called = |time: &Timestamp| {
            jiff::Timestamp::from_millisecond(time.millis())
                .is_ok_and(|time| zone.to_offset_info(time).abbreviation().eq_ignore_ascii_case(name))
        };
        let moment = self.local(millis)?;
        [Some(moment.time), moment.repeated].into_iter().flatten().find(is_called).map(Moment::from)
    }

    /// The moment at which a clock of the file's zone shows this number of milliseconds since 1970.
    #[must_use]
    pub fn local(&self, millis: i64) -> Option<Moment> {
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
    pub fn integer(&mut self, number: i64) -> Option<Moment> {
        match self.form {
            Some(TimeForm::Epoch(unit)) => unit.time(number).map(Moment::from),
            Some(TimeForm::Days) => self.days_of(number as f64),
            Some(TimeForm::Zoned) => None,
            Some(TimeForm::Naive) => self.naive(&number.to_string()),
            None => self.parse(&number.to_string()),
        }
    }

    /// The time that a number with a fraction stands for.
    pub fn float(&mut self, number: f64) -> Option<Moment> {
        let whole = number.floor();
        if !WHOLE.contains(&whole) {
            return None;
        }
        if self.form.is_none() && may_be_days(number) {
            self.learn_days();
        }
        if self.form == Some(TimeForm::Days) {
            return self.days_of(number);
        }
        if self.are_days_after_all(&number.to_string()) {
            return None;
        }
        let moment = self.integer(whole as i64)?;
        match self.form {
            Some(TimeForm::Epoch(EpochUnit::Seconds)) => {
                let millis = moment.time.millis() + ((number - whole) * 1e3).round() as i64;
                Timestamp::from_millis(millis).map(Moment::from)
            }
            _ => Some(moment),
        }
    }

    /// What a time of this file looks like, for an error about `text`.
    #[must_use]
    pub fn expected(&self, text: &str) -> &'static str {
        if self.is_blurred(text) {
            return "all digits of a number: those behind the exponent form are lost; export whole numbers or dates (in a \
                    spreadsheet, format the column as a number before)";
        }
        let rest = civil_millis(text, self.date_order().or(Some(DateOrder::DayFirst)));
        if let Some((_, rest)) = rest
            && let Some(Zone::Abbreviation(_)) = zone_of(rest)
        {
            return match self.zone {
                None => {
                    "a zone by its offset, for its abbreviation may stand for several: give the `timezone` (--timezone NAME) to say which"
                }
                Some(_) => "an abbreviation that the time zone has at that time",
            };
        }
        match (shown_order(text), self.order) {
            (Some(ShownOrder::Nothing), None) => {
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
        if self.are_days_after_all(text) {
            return "seconds since 1970, as in the rows before, or days as spreadsheets count them with a fraction in the first rows too: write dates in their place";
        }
        match self.form {
            Some(TimeForm::Days) => {
                "a number of days as spreadsheets count them, such as 45292.5, as in other rows"
            }
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
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self.form? {
            TimeForm::Zoned if self.abbreviations.is_empty() => None,
            TimeForm::Zoned => {
                let named = self.abbreviations.iter().map(|(name, minutes)| {
                    let (sign, size) = (if *minutes < 0 { '-' } else { '+' }, minutes.abs());
                    format!("{name} as UTC{sign}{:02}:{:02}", size / 60, size % 60)
                });
                let named: Vec<String> = named.collect();
                Some(format!("zones were read by their abbreviations: {}", named.join(", ")))
            }
            TimeForm::Naive => Some(self.zone_note()),
            TimeForm::Days => Some(format!(
                "the timestamps are days as spreadsheets count them, have no zone and were read as {}, to the second",
                self.zone_name()
            )),
            TimeForm::Epoch(EpochUnit::Seconds)
                if self.first_number.is_some_and(|first| SPREADSHEET_DAYS.contains(&first)) =>
            {
                Some(
                    "numeric timestamps were read as seconds since 1970, and begin on its first day: days as \
                     spreadsheets count them have to be written as dates"
                        .to_owned(),
                )
            }
            TimeForm::Epoch(unit) => {
                Some(format!("numeric timestamps were read as {} since 1970", unit.name()))
            }
        }
    }

    /// Which number of the dates was taken for the day, where only the file said so.
    #[must_use]
    pub fn order_note(&self) -> Option<String> {
        let (order, found) = self.order?;
        let order = match order {
            DateOrder::DayFirst => "day",
            DateOrder::MonthFirst => "month",
        };
        (found == Found::InTheFile)
            .then(|| format!("dates were read with the {order} first, as some of them show"))
    }

    /// Which zone was taken for times that name none.
    #[must_use]
    pub fn zone_note(&self) -> String {
        format!("the timestamps have no zone and were read as {}", self.zone_name())
    }

    fn zone_name(&self) -> &str {
        self.zone.as_ref().map_or("UTC", |(name, _)| name.as_str())
    }
}

/// Digits of a number with an exponent; `None` for one without, and for one that is below 1e9 and no time of a file.
#[must_use]
pub fn exponent_digits(text: &str) -> Option<usize> {
    let (digits, exponent) = text.trim().split_once(['e', 'E'])?;
    let is_large =
        exponent.strip_prefix('+').unwrap_or(exponent).parse::<u32>().is_ok_and(|power| power >= 9);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',');
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    (is_large && is_number && count > 0).then_some(count)
}

/// Whether a cell looks like a time that is written as text, and not with digits alone.
#[must_use]
pub fn is_text_time(text: &str) -> bool {
    let text = text.trim();
    // In either order: which it is, other rows may show.
    compact_millis(text).is_none()
        && (civil_millis(text, Some(DateOrder::DayFirst)).is_some() || civil_millis(text, None).is_some())
}

/// Whether a cell is a date of eight digits, such as `20240131`, which may also be a number.
#[must_use]
pub fn is_compact_date(text: &str) -> bool {
    let text = text.trim();
    text.len() == 8 && compact_millis(text).is_some()
}

/// Whether a cell is a number of days as spreadsheets count them, such as `45292.5`: with a fraction, for a whole number
/// may be many things.
#[must_use]
pub fn is_spreadsheet_time(text: &str) -> bool {
    let text = text.trim();
    let is_digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b','));
    // A number of seconds has ten digits.
    is_digits && text.find(['.', ',']) == Some(5) && text.replacen(',', ".", 1).parse().is_ok_and(may_be_days)
}

fn may_be_days(number: f64) -> bool {
    SPREADSHEET_DAYS.contains(&number) && number.fract() != 0.0
}

fn find_zone(name: &str) -> Result<TimeZone, UnknownZone> {
    let refuse = || UnknownZone { name: name.to_owned() };
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

#[cfg(test)]
mod tests;
