use super::{
    Decimal,
    dialect::{could_be_thousands, split_fraction},
};

/// Words for a value that is not there, in lower case.
const MISSING: [&str; 38] = [
    "nan",
    "-nan",
    "+nan",
    "null",
    "na",
    "n/a",
    "none",
    "-",
    "--",
    "\u{2013}",
    "\u{2014}",
    "<na>",
    "<nan>",
    "<null>",
    "(null)",
    "nil",
    "nat",
    "undefined",
    "unknown",
    "missing",
    "no data",
    "nodata",
    "\\n",
    "#n/a",
    "#na",
    "#n/a n/a",
    "#div/0!",
    "#value!",
    "#num!",
    "#null!",
    "#name?",
    "#ref!",
    "1.#qnan",
    "-1.#ind",
    "nan(ind)",
    "-nan(ind)",
    "?",
    ".",
];

/// Whether a cell holds no value: it is empty or blank, or a word such as `NaN`, `null`, `N/A`, `<NA>`,
/// `None`, `-`, `\N`, `No data` or `#N/A` in any case.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    // No word is longer.
    text.is_empty() || (text.len() <= 9 && MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// What a cell of yes or no says: `1`, `true`, `yes`, `y`, `t`, `on` and their opposites in any case, and numbers
/// that equal 0 or 1. `None` for anything else, a missing word too.
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["1", "true", "yes", "y", "t", "on"]) {
        return Some(true);
    }
    if is(&["0", "false", "no", "n", "f", "off"]) {
        return Some(false);
    }
    match text.parse::<f64>() {
        Ok(1.0) => Some(true),
        Ok(0.0) => Some(false),
        _ => None,
    }
}

/// Why a cell holds no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotANumber {
    /// Text that is no number in any way of writing one.
    Text,
    /// `1,234` in a table whose other numbers do not say whether that is above one thousand or below two.
    Ambiguous,
}

/// The number that a cell holds, without its missing words: digits with a point or a comma as `decimal` says, an
/// exponent, groups of three digits apart by what cannot be the decimal mark. Blanks around it are fine. An infinity
/// is a number here.
///
/// Where `decimal` is not known, a comma is the decimal mark wherever it cannot separate thousands.
///
/// # Errors
/// [`NotANumber`].
pub fn number(text: &str, decimal: Option<Decimal>) -> Result<f64, NotANumber> {
    plain(text, decimal).and_then(|text| text.parse().map_err(|_| NotANumber::Text))
}

/// The same number in single precision, rounded once.
///
/// # Errors
/// [`NotANumber`].
pub fn number_f32(text: &str, decimal: Option<Decimal>) -> Result<f32, NotANumber> {
    plain(text, decimal).and_then(|text| text.parse().map_err(|_| NotANumber::Text))
}

/// The number with a decimal point and nothing between its digits.
fn plain(text: &str, decimal: Option<Decimal>) -> Result<String, NotANumber> {
    let text = text.trim();
    let text = text.strip_prefix('\u{2212}').map_or_else(|| text.to_owned(), |digits| format!("-{digits}"));
    if text == "\u{221e}" || text == "+\u{221e}" {
        return Ok("inf".to_owned());
    }
    let has = |mark: char| text.contains(mark);
    let ungroup = |mark: char, group: &[char]| ungrouped(&text, mark, group).ok_or(NotANumber::Text);
    const BLANKS: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\''];
    match decimal {
        Some(Decimal::Comma) if has('.') || has(',') || has(' ') => {
            ungroup(',', &['.', ' ', '\u{a0}', '\u{202f}', '\''])
        }
        None if has(',') && !has('.') => match split_fraction(&text, ',') {
            Some((whole, fraction)) if could_be_thousands(whole, fraction) => Err(NotANumber::Ambiguous),
            Some(_) => Ok(text.replace(',', ".")),
            None => ungroup('.', &[',']).or_else(|_| ungroup(',', &BLANKS)),
        },
        // The mark that comes last is the decimal one: `1.234,5`.
        None if has(',') && text.rfind(',') > text.rfind('.') => ungroup(',', &['.']),
        _ if has(',') => ungroup('.', &[',']),
        _ if BLANKS.into_iter().any(has) => ungroup('.', &BLANKS),
        _ => Ok(text),
    }
}

/// `1 234 567,8` as `1234567.8`: whole digits in groups of three, one mark of `groups` between them.
fn ungrouped(text: &str, mark: char, groups: &[char]) -> Option<String> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let (mantissa, exponent) = match digits.find(['e', 'E']) {
        Some(at) => digits.split_at(at),
        None => (digits, ""),
    };
    let (whole, fraction) = mantissa.split_once(mark).unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(fraction) {
        return None;
    }
    let between = whole.chars().find(|c| !c.is_ascii_digit());
    if let Some(between) = between {
        let mut parts = whole.split(between);
        let first = parts.next()?;
        let sound = groups.contains(&between)
            && (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && parts.all(|part| part.len() == 3 && all_digits(part));
        if !sound {
            return None;
        }
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(format!("{sign}{whole}.{fraction}{exponent}")).filter(|_| !whole.is_empty() || !fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing() {
        for text in [
            "",
            " ",
            "NaN",
            "-nan",
            "<NA>",
            "None",
            "null\r",
            "N/A",
            "-",
            "\\N",
            "No data",
            "#N/A",
            "?",
            ".",
            "-nan(ind)",
            "\u{2014}",
        ] {
            assert!(is_missing(text), "{text:?}");
        }
        for text in ["0", "inf", "nan5", "--5", "no", "a longer text"] {
            assert!(!is_missing(text), "{text:?}");
        }
    }

    #[test]
    fn yes_and_no() {
        for (text, expected) in
            [("YES", true), ("no", false), ("1.0", true), (" 0 ", false), ("T", true), ("False", false)]
        {
            assert_eq!(flag(text), Some(expected), "{text}");
        }
        for text in ["", "2", "0.5", "maybe", "-1", "nan"] {
            assert_eq!(flag(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_of_many_countries() {
        use Decimal::{Comma, Point};
        for (text, decimal, expected) in [
            (" 1.5 ", None, 1.5),
            ("1,5", None, 1.5),
            ("0,617", None, 0.617),
            ("1,234,567", None, 1_234_567.0),
            ("1,234.5", None, 1234.5),
            ("1.234,5", None, 1234.5),
            ("1,234", Some(Point), 1234.0),
            ("1,234", Some(Comma), 1.234),
            ("1.234", Some(Comma), 1234.0),
            ("-1.234.567,25", Some(Comma), -1_234_567.25),
            ("12 345,5", Some(Comma), 12345.5),
            ("1 234", None, 1234.0),
            ("1'234.5", Some(Point), 1234.5),
            ("\u{2212}3", None, -3.0),
            ("1,5e3", Some(Comma), 1500.0),
            ("7", Some(Comma), 7.0),
        ] {
            assert_eq!(number(text, decimal), Ok(expected), "{text} {decimal:?}");
            assert_eq!(number_f32(text, decimal), Ok(expected as f32), "{text} {decimal:?}");
        }
        assert_eq!(number("1,234", None), Err(NotANumber::Ambiguous));
        for (text, decimal) in [
            ("1,5", Some(Point)),
            ("0.617", Some(Comma)),
            ("1,23,456", None),
            ("1 23", None),
            ("12 3456", None),
            ("n a", None),
            (",", None),
            ("1.2.3", None),
            ("0x10", None),
            ("1_000", None),
            ("5 apples", None),
            ("", None),
            ("e5", Some(Comma)),
        ] {
            assert_eq!(number(text, decimal), Err(NotANumber::Text), "{text} {decimal:?}");
        }
    }
}
