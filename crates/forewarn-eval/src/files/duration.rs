//! Durations as lists of incidents write them.

/// Milliseconds of a unit.
fn unit(word: &str) -> Option<f64> {
    Some(match word.to_ascii_lowercase().as_str() {
        "ms" | "milliseconds" | "millis" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "mins" | "minute" | "minutes" => 60e3,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600e3,
        "d" | "day" | "days" => 86_400e3,
        _ => return None,
    })
}

/// The unit that a column's name ends in, such as `duration_minutes` or `Duration (min)`.
pub(super) fn unit_of_column(name: &str) -> Option<f64> {
    let last = name.trim_end_matches(')').rsplit(['_', ' ', '(', '-']).next()?;
    unit(last)
}

/// Milliseconds of `90`, where the column says the unit; `45m`, `1h30m`, `2 hours 5 min`, `PT45M`, `0:45:00`,
/// `1 day, 2:00:00`. `None` for anything else.
pub(super) fn millis(text: &str, column: Option<f64>) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number * column?)
            .filter(|millis| (0.0..1e15).contains(millis))
            .map(|millis| millis as i64);
    }
    let iso = text.strip_prefix(['P', 'p']).map(|rest| rest.replace(['T', 't'], " "));
    let mut rest = iso.as_deref().unwrap_or(text).trim();
    let (mut sum, mut parts) = (0.0, 0);
    while !rest.is_empty() {
        let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ':');
        let (number, after) = rest.split_at(rest.find(|c| !is_of_number(c)).unwrap_or(rest.len()));
        if number.contains(':') {
            sum += clock(number)?;
            rest = after;
        } else {
            let after = after.trim_start();
            let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            sum += number.parse::<f64>().ok()? * unit(&after[..end])?;
            rest = &after[end..];
        }
        rest = rest.trim_start_matches([' ', ',']);
        parts += 1;
    }
    (parts > 0 && (0.0..1e15).contains(&sum)).then_some(sum as i64)
}

/// Milliseconds of `h:mm:ss` or `h:mm`.
fn clock(text: &str) -> Option<f64> {
    let parts: Option<Vec<f64>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts?.as_slice() {
        [hours, minutes] => Some((hours * 60.0 + minutes) * 60e3),
        [hours, minutes, seconds] => Some((hours * 60.0 + minutes) * 60e3 + seconds * 1e3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        let minutes = |minutes: i64| Some(minutes * 60_000);
        for (text, expected) in [
            ("45m", minutes(45)),
            ("45 min", minutes(45)),
            ("1h30m", minutes(90)),
            ("2 hours 5 minutes", minutes(125)),
            ("PT45M", minutes(45)),
            ("P1DT1H", minutes(1500)),
            ("0:45:00", minutes(45)),
            ("1:05", minutes(65)),
            ("1 day, 2:00:00", minutes(1560)),
            ("90s", Some(90_000)),
            ("45", None),
            ("", None),
            ("soon", None),
            ("45 apples", None),
            ("-5m", None),
            ("m", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(millis(text, None), expected, "{text}");
        }
        for (name, expected) in [
            ("duration_minutes", Some(60e3)),
            ("Duration (min)", Some(60e3)),
            ("duration_s", Some(1e3)),
            ("duration", None),
        ] {
            assert_eq!(unit_of_column(name), expected, "{name}");
        }
        assert_eq!(millis("1.5", Some(60e3)), Some(90_000));
    }
}
