//! Names come from files: a terminal must not obey them.

use std::borrow::Cow;

/// A name that stands within a line.
pub(crate) use forewarn::schema::printable as name;

/// `text` without control characters but line breaks and tabs, and without characters that turn the direction of text
/// around; each is shown as a replacement character.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_unsafe(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_turned_text_are_shown_not_obeyed() {
        assert_eq!(text("a\u{1b}[31mred\tb\nc"), "a\u{fffd}[31mred\tb\nc");
        assert_eq!(text("\u{202e}gnp.exe"), "\u{fffd}gnp.exe");
        assert_eq!(text("plain äöü"), "plain äöü");
        assert_eq!(name("two\nlines\u{7f}"), "two\\nlines\\u{7f}");
    }
}
