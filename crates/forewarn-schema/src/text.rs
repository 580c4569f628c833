//! Text of others, made fit to be printed.

/// Most characters of a text that [`printable`] keeps.
const MOST: usize = 1_000;

/// A name or message that came from a file, fit for a terminal and for an error: control characters and marks that change the direction of
/// text are written as escapes (`\u{1b}`), and what is beyond 1,000 characters is cut off and counted.
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
}
