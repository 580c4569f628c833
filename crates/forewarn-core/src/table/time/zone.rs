//! Zones behind a time, as people and programs write them.

/// What follows a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone<'a> {
    None,
    /// How far its clocks are ahead of UTC.
    Offset {
        millis: i64,
    },
    /// Letters that stand for a zone, such as `CEST`.
    Abbreviation(&'a str),
}

/// Abbreviations that stand for one zone, and its minutes ahead of UTC. Those of several zones in use are not here:
/// CST, IST, BST, AST.
const USUAL: [(&str, i64); 23] = [
    ("EST", -300),
    ("EDT", -240),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("WET", 0),
    ("WEST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("SGT", 480),
    ("HKT", 480),
    ("JST", 540),
    ("KST", 540),
    ("AEST", 600),
    ("AEDT", 660),
];

/// An abbreviation that stands for one zone.
pub(super) fn usual(name: &str) -> Option<(&'static str, i64)> {
    USUAL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// The zone that `rest` writes: `Z`, `UTC`, `+0200`, `-03:30`, `+0800 CST`, `GMT+1`, `+0000 UTC m=+0.1`, `CEST`,
/// `GMT+0100 (Central European Standard Time)`. `None` where it is none of these.
pub(super) fn zone_of(rest: &str) -> Option<Zone<'_>> {
    let rest = rest.trim();
    let rest = match rest.split_once('(') {
        Some((zone, words)) if words.ends_with(')') && !zone.trim().is_empty() => zone.trim_end(),
        _ => rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest),
    };
    if rest.is_empty() {
        return Some(Zone::None);
    }
    let mut words = rest.split_ascii_whitespace();
    let first = words.next()?;
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    let named = words.next().is_none_or(is_word);
    let clock = words.next().is_none_or(|clock| clock.starts_with("m="));
    if !named || !clock || words.next().is_some() {
        return None;
    }
    if ["Z", "UTC", "GMT", "UT"].iter().any(|name| first.eq_ignore_ascii_case(name)) {
        return Some(Zone::Offset { millis: 0 });
    }
    let offset = first.strip_prefix("UTC").or_else(|| first.strip_prefix("GMT"));
    if let Some(millis) = offset_millis(offset.unwrap_or(first), offset.is_some()) {
        return Some(Zone::Offset { millis });
    }
    (is_word(first) && (2..=5).contains(&first.len()) && first == rest).then_some(Zone::Abbreviation(first))
}

/// `+0200`, `-03:30`, and `+1` or `+01` where `short` ones are fine.
fn offset_millis(text: &str, short: bool) -> Option<i64> {
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    if !text.starts_with(['+', '-']) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = match digits.len() {
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        1 | 2 if short => (digits.parse().ok()?, 0),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let millis = (hours * 60 + minutes) * 60_000;
    Some(if text.starts_with('-') { -millis } else { millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_in_many_forms() {
        let hours = |hours: i64| Some(Zone::Offset { millis: hours * 3_600_000 });
        for (text, expected) in [
            ("", Some(Zone::None)),
            ("Z", hours(0)),
            ("utc", hours(0)),
            ("+0200", hours(2)),
            ("-03:00 BRT", hours(-3)),
            ("+0000 UTC m=+0.1", hours(0)),
            ("GMT+1", hours(1)),
            ("UTC-05:00", hours(-5)),
            ("GMT+0100 (Central European Standard Time)", hours(1)),
            ("CEST", Some(Zone::Abbreviation("CEST"))),
            ("(CEST)", Some(Zone::Abbreviation("CEST"))),
            ("+9", None),
            ("+25:00", None),
            ("somewhere", None),
            ("+0800 CST or so", None),
            ("CET CET", None),
            ("+\u{e9}99", None),
        ] {
            assert_eq!(zone_of(text), expected, "{text}");
        }
        assert_eq!((usual("cet"), usual("CST")), (Some(("CET", 60)), None));
    }
}
