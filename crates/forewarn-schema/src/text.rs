//! Text of others, made fit to be printed.

/// Most characters of a text that [`printable`] keeps.
const MOST: usize = 1_000;

/// A name or message that came from a file, fit for a terminal and for an error: control characters and marks that
/// change the direction of text are written as escapes (`\u{1b}`), and what is beyond 1,000 characters is cut off and
/// counted.
///
/// # Examples
/// ```
/// use forewarn_schema::printable;
///
/// assert_eq!(printable("checkout"), "checkout");
/// assert_eq!(printable("\u{1b}[31mred"), "\\u{1b}[31mred");
/// assert!(printable(&"x".repeat(5_000)).ends_with("... (4000 more characters)"));
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MOST));
    let mut characters = text.chars();
    for character in characters.by_ref().take(MOST) {
        if character.is_control() || changes_direction(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    match characters.count() {
        0 => shown,
        more => format!("{shown}... ({more} more characters)"),
    }
}

/// Most names that [`printable_names`] keeps.
const MOST_NAMES: usize = 20;

/// Names that came from a file, for an error: the first twenty, each [`printable`], and how many more there are.
///
/// # Examples
/// ```
/// use forewarn_schema::printable_names;
///
/// assert_eq!(printable_names(&["cpu", "memory"]), "cpu, memory");
/// assert!(printable_names(&["cpu"; 40]).ends_with("cpu, cpu and 20 more"));
/// assert_eq!(printable_names::<&str>(&[]), "none");
/// ```
#[must_use]
pub fn printable_names<N: AsRef<str>>(names: &[N]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| printable(name.as_ref())).collect();
    match names.len().saturating_sub(MOST_NAMES) {
        _ if names.is_empty() => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How a list of names differs from the one expected, for an error: both lists, shortened, and the first place where
/// they differ.
///
/// # Examples
/// ```
/// use forewarn_schema::name_difference;
///
/// assert_eq!(
///     name_difference(&["cpu", "memory"], &["cpu", "disk"]),
///     "expected 2 (cpu, memory), found 2 (cpu, disk); number 2 is disk instead of memory"
/// );
/// ```
#[must_use]
pub fn name_difference<E: AsRef<str>, F: AsRef<str>>(expected: &[E], found: &[F]) -> String {
    let lists = format!(
        "expected {} ({}), found {} ({})",
        expected.len(),
        printable_names(expected),
        found.len(),
        printable_names(found)
    );
    let differs = |(expected, found): (&E, &F)| expected.as_ref() != found.as_ref();
    match expected.iter().zip(found).position(differs) {
        Some(place) => {
            let [found, expected] = [found[place].as_ref(), expected[place].as_ref()].map(printable);
            format!("{lists}; number {} is {found} instead of {expected}", place + 1)
        }
        None => lists,
    }
}

fn changes_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let shown = printable("a\u{1b}]0;title\u{7}b\r\n\u{9b}1m\u{202e}c");
        assert_eq!(shown, "a\\u{1b}]0;title\\u{7}b\\r\\n\\u{9b}1m\\u{202e}c");
        assert!(!printable(&"\u{1b}".repeat(2_000)).contains('\u{1b}'));
        assert_eq!(printable("größe %"), "größe %");
    }

    #[test]
    fn lists_of_a_hostile_file_stay_short() {
        let names: Vec<String> = (0..65_536).map(|column| format!("{column}{}", "x".repeat(5_000))).collect();
        let mut other = names.clone();
        other[40_000] = "y".to_owned();
        let text = name_difference(&names, &other);
        assert!(text.len() < 50_000, "{}", text.len());
        assert!(text.contains("and 65516 more") && text.contains("number 40001 is y instead of 40000x"));
        assert!(!name_difference(&["a\u{1b}"], &["a\u{1b}", "b"]).contains('\u{1b}'));
        assert_eq!(name_difference(&["a"], &["a", "b"]), "expected 1 (a), found 2 (a, b)");
    }
}
