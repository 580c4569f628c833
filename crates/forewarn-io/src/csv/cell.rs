/// The number in a cell: NaN for a missing one, `None` for text that is neither.
///
/// Missing is an empty or blank cell, and `NaN`, `null`, `NA`, `N/A` or `None` in any case. Blanks around a number are fine.
/// An infinity is a number here, and outside every range.
pub(super) fn number(text: &str) -> Option<f32> {
    // What a file mostly has: digits without blanks.
    if let Ok(value) = text.parse::<f32>() {
        return Some(if value.is_nan() { f32::NAN } else { value });
    }
    let text = text.trim();
    if text.is_empty() || ["null", "na", "n/a", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(f32::NAN);
    }
    text.parse().ok().map(|value: f32| if value.is_nan() { f32::NAN } else { value })
}

/// As [`number`], and `true` and `false` are 1 and 0.
pub(super) fn outcome(text: &str) -> Option<f32> {
    number(text).or_else(|| match text.trim() {
        word if word.eq_ignore_ascii_case("true") => Some(1.0),
        word if word.eq_ignore_ascii_case("false") => Some(0.0),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_text() {
        for missing in ["", " ", "NaN", "nan", " nan\r", "-nan", "null", "NULL", "NA", "n/a", "None"] {
            assert!(number(missing).unwrap().is_nan(), "{missing:?}");
        }
        for text in ["-", "n a", "1,5", "1 000", "0x10", "1_000", "true", "\u{a0}five"] {
            assert_eq!(number(text), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_rounded_once() {
        assert_eq!(number(" +1.5e-3\r"), Some(0.0015));
        assert_eq!(number("1e39"), Some(f32::INFINITY));
        assert_eq!(number("-inf"), Some(f32::NEG_INFINITY));
        // Half-way cases that a detour by f64 would round twice, to 1.0.
        assert_eq!(number("1.00000005960464477540"), Some(1.000_000_1));
        assert_eq!(outcome("True"), Some(1.0));
        assert_eq!(outcome("falsch"), None);
    }
}
