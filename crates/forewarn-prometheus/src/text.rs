//! Words of others, made fit for a message.

/// Characters that are quoted at most.
const LONGEST: usize = 200;

/// The first characters of `text`, each control character as a blank.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| if c.is_control() || is_direction(c) { ' ' } else { c };
    let mut chars = text.chars().map(plain).skip_while(|c| c.is_whitespace());
    let short: String = chars.by_ref().take(LONGEST).collect();
    let more = chars.any(|c| !c.is_whitespace());
    if more { short + "..." } else { short.trim_end().to_owned() }
}

/// As [`quoted`], of bytes that should be text.
pub(crate) fn quoted_bytes(bytes: &[u8]) -> String {
    // A character takes four bytes at most.
    let end = bytes.len().min(LONGEST * 4 + 4);
    quoted(&String::from_utf8_lossy(&bytes[..end]))
}

/// Characters that turn the direction of text and so could hide what a log line says.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_and_plain() {
        assert_eq!(quoted(" a\u{1b}[31mb\nc\u{202e} "), "a [31mb c");
        assert_eq!(quoted(&"ä".repeat(500)).chars().count(), LONGEST + 3);
        assert_eq!(quoted_bytes(&[0xff, b'a', 0]), "\u{fffd}a");
    }
}
