//! Dates and times of day, as programs and people write them.

use jiff::civil;
use serde::{Deserialize, Serialize};

/// Which number of a date such as `1/2/2024` is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 1 February.
    DayFirst,
    /// 2 January.
    MonthFirst,
}

/// What a date of numbers says of their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// One of them is no month.
    Order(DateOrder),
    /// Both may be either.
    Nothing,
}

/// A date, and where it ends.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    end: usize,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Milliseconds from 1970 to a date with or without a time of day, on the same clock, and what follows: `2024-01-31`,
/// `2024-01-31 9:05`, `2024/01/31T09:05:00.25`, `31.01.2024 09:05`, `1/31/2024 9:05 PM`, `31 Jan 2024 09:05:00`,
/// `Jan 31, 2024 9:05`, `Wed, 31 Jan 2024 09:05:00`, `31/Jan/2024:09:05:00`. `None`, too, for a date of numbers whose
/// order neither they nor `order` say.
pub(super) fn civil_millis(text: &str, order: Option<DateOrder>) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    let date = iso_date(bytes).or_else(|| numeric_date(bytes, order)).or_else(|| named_date(text))?;
    let (year, month, day) = (date.year, date.month, date.day);
    civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (millis, end) = time_of_day(bytes, date.end)?;
    Some((days_from_civil(year, month, day) * 86_400_000 + millis, text.get(end..)?.trim()))
}

/// What the order of a text's date is, if it is one of numbers with the year at the end.
pub(crate) fn shown_order(text: &str) -> Option<Shown> {
    let bytes = text.trim().as_bytes();
    let (first, second, ..) = three_numbers(bytes).filter(|(.., mark)| *mark != b'.')?;
    match (first > 12, second > 12) {
        (true, false) => Some(Shown::Order(DateOrder::DayFirst)),
        (false, true) => Some(Shown::Order(DateOrder::MonthFirst)),
        (false, false) => Some(Shown::Nothing),
        (true, true) => None,
    }
}

/// The number that `digits` digits from `at` on write.
fn number(bytes: &[u8], at: usize, digits: usize) -> Option<i64> {
    let part = bytes.get(at..at.checked_add(digits)?)?;
    part.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// The number of one or two digits at a place, and where it ends.
fn short_number(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let digits = if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
    Some((number(bytes, at, digits)?, at + digits))
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// `2024-01-31`, `2024/01/31`.
fn iso_date(bytes: &[u8]) -> Option<Date> {
    let mark = byte(bytes, 4);
    if !matches!(mark, b'-' | b'/') || byte(bytes, 7) != mark {
        return None;
    }
    Some(Date { year: number(bytes, 0, 4)?, month: number(bytes, 5, 2)?, day: number(bytes, 8, 2)?, end: 10 })
}

/// Two numbers and a year with the same mark between them, and where they end.
fn three_numbers(bytes: &[u8]) -> Option<(i64, i64, i64, usize, u8)> {
    let (first, next) = short_number(bytes, 0)?;
    let mark = byte(bytes, next);
    if !matches!(mark, b'.' | b'/' | b'-') {
        return None;
    }
    let (second, next) = short_number(bytes, next + 1)?;
    if byte(bytes, next) != mark || byte(bytes, next + 5).is_ascii_digit() {
        return None;
    }
    Some((first, second, number(bytes, next + 1, 4)?, next + 5, mark))
}

/// `31.1.2024`, and `31/1/2024` or `1-31-2024` where it is known or seen which is the day.
fn numeric_date(bytes: &[u8], order: Option<DateOrder>) -> Option<Date> {
    let (first, second, year, end, mark) = three_numbers(bytes)?;
    let order = match (mark, order) {
        (b'.', _) => DateOrder::DayFirst,
        (_, Some(order)) => order,
        _ if first > 12 => DateOrder::DayFirst,
        _ if second > 12 => DateOrder::MonthFirst,
        _ => return None,
    };
    let (day, month) = if order == DateOrder::DayFirst { (first, second) } else { (second, first) };
    Some(Date { year, month, day, end })
}

/// A date with the name of its month, in English.
fn named_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let mut at = 0;
    if let Some((word, end)) = word(text, at)
        && is_short_for(word, &DAYS).is_some()
    {
        at = blanks(bytes, end + usize::from(byte(bytes, end) == b','));
    }
    let part =
        |at: usize| blanks(bytes, at + usize::from(matches!(byte(bytes, at), b'-' | b'/' | b',' | b'.')));
    let (day, month) = match word(text, at) {
        Some((name, end)) => {
            let month = is_short_for(name, &MONTHS)?;
            let (day, end) = short_number(bytes, part(end))?;
            at = end;
            (day, month)
        }
        None => {
            let (day, end) = short_number(bytes, at)?;
            let (name, end) = word(text, part(end))?;
            at = end;
            (day, is_short_for(name, &MONTHS)?)
        }
    };
    let at = part(at);
    Some(Date { year: number(bytes, at, 4)?, month: month as i64 + 1, day, end: at + 4 })
}

/// The letters at a place, and where they end.
fn word(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    (length > 0).then(|| (&rest[..length], at + length))
}

/// Which of the names a word is, or the first three letters of it or more.
fn is_short_for(word: &str, names: &[&str]) -> Option<usize> {
    let is_begin = |name: &&str| {
        name.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)) && word.len() >= 3
    };
    names.iter().position(is_begin)
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while byte(bytes, at) == b' ' {
        at += 1;
    }
    at
}

/// Milliseconds of the time of day that follows a date at `end`, and where it ends; midnight where there is none.
fn time_of_day(bytes: &[u8], end: usize) -> Option<(i64, usize)> {
    let at = |at: usize| byte(bytes, at);
    let mut next = end + usize::from(at(end) == b',');
    if !matches!(at(next), b'T' | b't' | b' ' | b':') || !at(next + 1).is_ascii_digit() {
        return Some((0, end));
    }
    let (mut hour, minute_mark) = short_number(bytes, next + 1)?;
    next = minute_mark;
    let (mut minute, mut second) = (0, 0);
    if at(next) == b':' {
        minute = number(bytes, next + 1, 2)?;
        next += 3;
        if at(next) == b':' {
            second = number(bytes, next + 1, 2)?;
            next += 3;
        }
    } else if half_of_day(bytes, next).is_none() {
        return None;
    }
    let mut fraction = 0;
    if matches!(at(next), b'.' | b',') && at(next + 1).is_ascii_digit() {
        next += 1;
        for weight in [100, 10, 1] {
            if at(next).is_ascii_digit() {
                fraction += weight * i64::from(at(next) - b'0');
                next += 1;
            }
        }
        while at(next).is_ascii_digit() {
            next += 1;
        }
    }
    if let Some((is_after_noon, end)) = half_of_day(bytes, next) {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if is_after_noon { 12 } else { 0 };
        next = end;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * 1000 + fraction, next))
}

/// Whether `AM` or `PM` stands there, and where it ends.
fn half_of_day(bytes: &[u8], at: usize) -> Option<(bool, usize)> {
    let at = blanks(bytes, at);
    let is_after_noon = match byte(bytes, at) {
        b'a' | b'A' => false,
        b'p' | b'P' => true,
        _ => return None,
    };
    let is_whole = matches!(byte(bytes, at + 1), b'm' | b'M') && !byte(bytes, at + 2).is_ascii_alphanumeric();
    is_whole.then_some((is_after_noon, at + 2))
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
mod tests {
    use super::*;

    /// Whole minutes of a text, and what follows.
    fn minutes(text: &str, order: Option<DateOrder>) -> Option<(i64, &str)> {
        civil_millis(text, order).map(|(millis, rest)| (millis / 60_000, rest))
    }

    #[test]
    fn one_minute_as_people_write_it() {
        // 2024-03-28 13:05.
        let expected = Some(((19_810 * 24 + 13) * 60 + 5, ""));
        for text in [
            "2024-03-28 13:05",
            "28/03/2024 13:05",
            "28/3/2024, 13:05:00",
            "3/28/2024 1:05 PM",
            "03-28-2024 01:05:00.250 pm",
            "28-03-2024 13:05",
            "28.3.2024 13:05",
            "28 Mar 2024 13:05:00",
            "28-Mar-2024 13:05",
            "28/Mar/2024:13:05:00",
            "Mar 28, 2024 1:05PM",
            "March 28 2024, 13:05",
            "Thu, 28 Mar 2024 13:05:00",
            "thursday 28 march 2024 13:05",
        ] {
            assert_eq!(minutes(text, None), expected, "{text}");
        }
        assert_eq!(minutes("3/28/2024 12:05 AM", None), Some((19_810 * 24 * 60 + 5, "")));
        assert_eq!(
            minutes("Thu, 28 Mar 2024 13:05:00 +0000", None),
            expected.map(|(minutes, _)| (minutes, "+0000"))
        );
    }

    #[test]
    fn an_order_that_nothing_says_is_asked_for() {
        assert_eq!(minutes("1/2/2024 13:05", None), None);
        let of = |order| minutes("1/2/2024", Some(order)).map(|(minutes, _)| minutes / 1440);
        assert_eq!((of(DateOrder::DayFirst), of(DateOrder::MonthFirst)), (Some(19_754), Some(19_724)));
        assert_eq!(minutes("28/03/2024", Some(DateOrder::MonthFirst)), None);
        let shown =
            ["28/03/2024", "03/28/2024 1:00", "1-2-2024", "1.2.2024", "2024-01-02", "31/31/2024", "x"];
        assert_eq!(
            shown.map(shown_order),
            [
                Some(Shown::Order(DateOrder::DayFirst)),
                Some(Shown::Order(DateOrder::MonthFirst)),
                Some(Shown::Nothing),
                None,
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for wrong in [
            "",
            "Mar",
            "28 Ma 2024",
            "28 Mar 24",
            "Foo 28, 2024",
            "28/13/2024",
            "3/28/20245",
            "3/28/2024 13:05 PM",
            "3/28/2024 0:05 AM",
            "3/28/2024 25:00",
            "3/28/2024 1",
            "30 Feb 2024",
            "28 M\u{e4}r 2024",
            "\u{e9}8/03/2024",
        ] {
            assert_eq!(minutes(wrong, Some(DateOrder::MonthFirst)), None, "{wrong}");
        }
    }
}
