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
pub enum ShownOrder {
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
/// `Jan 31, 2024 9:05`, `Wed, 31 Jan 2024 09:05:00`, `31/Jan/2024:09:05:00`, `31-JAN-24 09.05.00.000000 PM`. `None`,
/// too, for a date of numbers whose order neither they nor `order` say.
pub(super) fn civil_millis(text: &str, order: Option<DateOrder>) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    if let Some(millis) = compact_millis(text) {
        return Some((millis, ""));
    }
    let date = iso_date(bytes).or_else(|| compact_date(bytes));
    let date = date.or_else(|| numeric_date(bytes, order)).or_else(|| named_date(text));
    let Some(date) = date else { return dated_at_the_end(text) };
    let day = day_millis(date.year, date.month, date.day)?;
    let (millis, end) = time_of_day(bytes, date.end)?;
    Some((day + millis, text.get(end..)?.trim()))
}

/// Milliseconds of a day's beginning since 1970; `None` for one that the calendar lacks.
fn day_millis(year: i64, month: i64, day: i64) -> Option<i64> {
    civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(days_from_civil(year, month, day) * 86_400_000)
}

/// `20240131`, `202401310905`, `20240131090500`, `20240131090500250`: digits alone, of the years 1900 to 2199. Numbers
/// of these lengths would be times before 1980 or after 2500.
pub(super) fn compact_millis(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if !matches!(bytes.len(), 8 | 12 | 14 | 17) || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let part = |at: usize, digits: usize| match at < bytes.len() {
        true => number(bytes, at, digits),
        false => Some(0),
    };
    let year = part(0, 4).filter(|year| (1900..2200).contains(year))?;
    let day = day_millis(year, part(4, 2)?, part(6, 2)?)?;
    let (hour, minute, second) = (part(8, 2)?, part(10, 2)?, part(12, 2)?);
    let is_sound = hour < 24 && minute < 60 && second < 60;
    is_sound.then(|| day + ((hour * 60 + minute) * 60 + second) * 1000 + part(14, 3).unwrap_or(0))
}

/// `Wed Jan 31 09:05:00 2024`, `Wed Jan 31 09:05:00 CET 2024`: the year behind the time, as C and Java write it; and
/// the zone.
fn dated_at_the_end(text: &str) -> Option<(i64, &str)> {
    let bytes = text.as_bytes();
    let at = weekday_end(text);
    let (name, end) = word(text, at)?;
    let month = is_short_for(name, &MONTHS)? as i64 + 1;
    let (day, end) = short_number(bytes, blanks(bytes, end))?;
    let (millis, end) = time_of_day(bytes, end)?;
    let (zone, year) = text.get(end..)?.trim().rsplit_once(' ').unwrap_or(("", text.get(end..)?.trim()));
    let year = Some(year).filter(|year| year.len() == 4).and_then(|year| number(year.as_bytes(), 0, 4))?;
    Some((day_millis(year, month, day)? + millis, zone.trim()))
}

/// Where the rest begins behind the name of a weekday, if there is one.
fn weekday_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    match word(text, 0) {
        Some((word, end)) if is_short_for(word, &DAYS).is_some() => {
            blanks(bytes, end + usize::from(byte(bytes, end) == b','))
        }
        _ => 0,
    }
}

/// What the order of a text's date is, if it is one of numbers with the year at the end.
#[must_use]
pub fn shown_order(text: &str) -> Option<ShownOrder> {
    let bytes = text.trim().as_bytes();
    let Numbers { first, second, is_unclear, .. } = three_numbers(bytes).filter(|date| date.mark != b'.')?;
    match (first > 12, second > 12) {
        _ if is_unclear => Some(ShownOrder::Nothing),
        (true, false) => Some(ShownOrder::Order(DateOrder::DayFirst)),
        (false, true) => Some(ShownOrder::Order(DateOrder::MonthFirst)),
        (false, false) => Some(ShownOrder::Nothing),
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

/// `2024-01-31`, `2024/1/31`, `2024.01.31`.
fn iso_date(bytes: &[u8]) -> Option<Date> {
    let (year, mark) = (number(bytes, 0, 4)?, byte(bytes, 4));
    if !matches!(mark, b'-' | b'/' | b'.') {
        return None;
    }
    let (month, next) = short_number(bytes, 5)?;
    if byte(bytes, next) != mark {
        return None;
    }
    let (day, end) = short_number(bytes, next + 1)?;
    Some(Date { year, month, day, end })
}

/// `20240131` before a time of day.
fn compact_date(bytes: &[u8]) -> Option<Date> {
    let is_date = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count() == 8;
    let year = number(bytes, 0, 4).filter(|year| is_date && (1900..2200).contains(year))?;
    Some(Date { year, month: number(bytes, 4, 2)?, day: number(bytes, 6, 2)?, end: 8 })
}

/// Three numbers with the same mark between them, the last of them the year, and where they end.
#[derive(Clone, Copy)]
struct Numbers {
    first: i64,
    second: i64,
    year: i64,
    end: usize,
    mark: u8,
    /// Whether the year has two digits, and the first number is not a month: `24/01/31` may begin with the year.
    is_unclear: bool,
}

/// The numbers of a date whose year is at the end. One of two digits is one from 1970 on.
fn three_numbers(bytes: &[u8]) -> Option<Numbers> {
    let (first, next) = short_number(bytes, 0)?;
    let mark = byte(bytes, next);
    if !matches!(mark, b'.' | b'/' | b'-') {
        return None;
    }
    let (second, next) = short_number(bytes, next + 1)?;
    if byte(bytes, next) != mark {
        return None;
    }
    let (year, end) = year(bytes, next + 1)?;
    let is_unclear = end == next + 3 && mark != b'.' && first > 12;
    Some(Numbers { first, second, year, end, mark, is_unclear })
}

/// The year of four digits or two at a place, and where it ends.
fn year(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let is_digit = |at: usize| byte(bytes, at).is_ascii_digit();
    if !is_digit(at + 2) {
        let year = number(bytes, at, 2)?;
        return Some((if year < 70 { 2000 + year } else { 1900 + year }, at + 2));
    }
    if is_digit(at + 4) { None } else { Some((number(bytes, at, 4)?, at + 4)) }
}

/// `31.1.2024`, and `31/1/2024` or `1-31-2024` where it is known or seen which is the day.
fn numeric_date(bytes: &[u8], order: Option<DateOrder>) -> Option<Date> {
    let Numbers { first, second, year, end, mark, is_unclear } = three_numbers(bytes)?;
    let order = match (mark, order) {
        (b'.', _) => DateOrder::DayFirst,
        (_, Some(order)) => order,
        _ if is_unclear => return None,
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
    let mut at = weekday_end(text);
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
    let begin = part(at);
    // Two digits behind nothing but blanks are an hour.
    let (year, end) = year(bytes, begin).filter(|(_, end)| {
        *end == begin + 4 || matches!(byte(bytes, begin - 1), b'-' | b'/') && byte(bytes, *end) != b':'
    })?;
    Some(Date { year, month: month as i64 + 1, day, end })
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
    // Kibana writes `Jan 31, 2024 @ 09:05`, others `at 09:05`.
    let word = blanks(bytes, next);
    for mark in [&b"@ "[..], b"at "] {
        if word > next && bytes.get(word..).is_some_and(|rest| rest.starts_with(mark)) {
            next = blanks(bytes, word + mark.len()) - 1;
        }
    }
    // A dash may begin an offset, unless seconds follow.
    let is_dashed = at(next) == b'-' && matches!((at(next + 3), at(next + 6)), (b':', b':') | (b'.', b'.'));
    if !is_dashed && !matches!(at(next), b'T' | b't' | b' ' | b':' | b'_') || !at(next + 1).is_ascii_digit() {
        return Some((0, end));
    }
    let (mut hour, minute_mark) = short_number(bytes, next + 1)?;
    next = minute_mark;
    let (mut minute, mut second) = (0, 0);
    // Oracle, Db2 and some countries write points between hour, minute and second.
    let mark = at(next);
    if mark == b':' || mark == b'.' && at(next + 2).is_ascii_digit() {
        minute = number(bytes, next + 1, 2)?;
        next += 3;
        if at(next) == mark {
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
    let dots = usize::from(byte(bytes, at + 1) == b'.');
    let end = at + 2 + dots;
    let is_whole =
        matches!(byte(bytes, at + 1 + dots), b'm' | b'M') && !byte(bytes, end).is_ascii_alphanumeric();
    is_whole.then(|| (is_after_noon, end + usize::from(dots > 0 && byte(bytes, end) == b'.')))
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
            "Thu Mar 28 13:05:00 2024",
            "Thu Mar 28 2024 13:05:00",
            "Thursday, 28-Mar-24 13:05:00",
            "Mar 28, 2024 @ 13:05:00.000",
            "March 28, 2024 at 1:05 PM",
            "2024.03.28 13:05:00",
            "2024/3/28 13:05",
            "2024-03-28_13:05:00",
            "2024-03-28-13:05:00",
            "2024-03-28 01:05:00 p.m.",
            "202403281305",
            "20240328130500",
            "20240328 13:05",
            "20240328T13:05:00",
            "20240328130500999",
            "3/28/24 13:05",
            "28.03.24 13:05",
        ] {
            assert_eq!(minutes(text, None), expected, "{text}");
        }
        assert_eq!(minutes("3/28/2024 12:05 AM", None), Some((19_810 * 24 * 60 + 5, "")));
        assert_eq!(
            minutes("Thu Mar 28 13:05:00 CET 2024", None),
            expected.map(|(minutes, _)| (minutes, "CET"))
        );
        assert_eq!(minutes("20240328", None), Some((19_810 * 24 * 60, "")));
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
        let of_year = |order| minutes("1/2/24", order).map(|(minutes, _)| minutes / 1440);
        assert_eq!((of_year(None), of_year(Some(DateOrder::DayFirst))), (None, Some(19_754)));
        let shown =
            ["28/03/2024", "03/28/2024 1:00", "1-2-2024", "1.2.2024", "2024-01-02", "31/31/2024", "x"];
        assert_eq!(
            shown.map(shown_order),
            [
                Some(ShownOrder::Order(DateOrder::DayFirst)),
                Some(ShownOrder::Order(DateOrder::MonthFirst)),
                Some(ShownOrder::Nothing),
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
            "20241328",
            "24/01/31",
            "18990101",
            "20240328250500",
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
