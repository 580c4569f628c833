//! The header `Date`.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Milliseconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that HTTP still writes.
pub(crate) fn millis(text: &str) -> Option<i64> {
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = 1 + MONTHS.iter().position(|name| *name == month)? as i64;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let [hour, minute, second] = [clock.next()??, clock.next()??, clock.next()??];
    let sound = (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && words.next() == Some("GMT");
    sound.then(|| 1000 * (86_400 * days(year, month, day) + 3600 * hour + 60 * minute + second))
}

/// Days since 1970-01-01, in the calendar that begins its years in March, so that a leap day is the last of one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Timestamp;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(millis("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(millis("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        for day in (0..40_000i64).step_by(13) {
            let time = Timestamp::from_millis(day * 86_400_000 + 3_723_000).unwrap().to_string();
            let (date, _) = time.split_once('T').unwrap();
            let parts: Vec<&str> = date.split('-').collect();
            let month = MONTHS[parts[1].parse::<usize>().unwrap() - 1];
            let header = format!("Mon, {} {month} {} 01:02:03 GMT", parts[2], parts[0]);
            assert_eq!(millis(&header), Some(day * 86_400_000 + 3_723_000), "{header}");
        }
        for wrong in
            ["", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06T08:49:37Z"]
        {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
