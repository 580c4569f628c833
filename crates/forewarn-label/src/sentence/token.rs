//! The words of a sentence.

use std::borrow::Cow;

/// What is wrong in a sentence, and at which byte.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a number, a key word.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A comparison, bracket, comma or stroke.
    Sign,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// Without quotes, escapes as they are written.
    pub(super) text: &'a str,
    /// The byte at which it begins.
    pub(super) at: usize,
}

/// Words that are part of the grammar: a metric that is called so needs quotes.
const KEY_WORDS: [&str; 18] = [
    "and", "or", "not", "for", "in", "of", "is", "while", "within", "its", "times", "mean", "change",
    "increase", "over", "plus", "weighted", "by",
];

impl Token<'_> {
    pub(super) fn is_name(&self) -> bool {
        match self.kind {
            Kind::Quoted => !self.text.is_empty(),
            Kind::Word => !KEY_WORDS.contains(&self.text),
            Kind::Sign => false,
        }
    }

    pub(super) fn name(&self) -> String {
        if self.kind != Kind::Quoted {
            return self.text.to_owned();
        }
        let (mut name, mut is_escaped) = (String::new(), false);
        for character in self.text.chars() {
            is_escaped = !is_escaped && character == '\\';
            if !is_escaped {
                name.push(character);
            }
        }
        name
    }

    /// Bytes at the beginning that are a number.
    pub(super) fn digits(&self) -> usize {
        let bytes = self.text.as_bytes();
        let run = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
        let whole = run(sign);
        let end = if bytes.get(whole) == Some(&b'.') { run(whole + 1) } else { whole };
        // An exponent is part of it, the e of a unit is not.
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = run(sign);
            if exponent > sign {
                return exponent;
            }
        }
        end
    }
}

/// Whether a name reads back as itself without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let of_words = |c: char| !(c.is_whitespace() || c.is_control() || is_sign(c) || c == '"');
    !name.is_empty() && name.chars().all(of_words) && name != "/" && !KEY_WORDS.contains(&name)
}

fn is_sign(character: char) -> bool {
    matches!(character, '<' | '>' | '=' | '!' | '(' | ')' | ',')
}

/// A sentence in words and signs.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Wrong> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, skipped, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '"' => {
                let end = closing_quote(rest).ok_or_else(|| Wrong {
                    at,
                    reason: "the quote that begins here is not closed".to_owned(),
                })?;
                (Kind::Quoted, 1, end - 1)
            }
            '(' | ')' | ',' => (Kind::Sign, 0, 1),
            _ if is_sign(first) => {
                // All comparisons that stand together, so that `>>` is found as it is written.
                let signs = rest.find(|c: char| !matches!(c, '<' | '>' | '=' | '!')).unwrap_or(rest.len());
                (Kind::Sign, 0, signs)
            }
            _ => {
                let end =
                    rest.find(|c: char| c.is_whitespace() || is_sign(c) || c == '"').unwrap_or(rest.len());
                (if &rest[..end] == "/" { Kind::Sign } else { Kind::Word }, 0, end)
            }
        };
        let token = Token { kind, text: &rest[skipped..skipped + length], at };
        at += length + 2 * skipped;
        tokens.push(token);
    }
    Ok(tokens)
}

/// Where the text in quotes ends: the byte of its closing quote.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !is_escaped => return Some(at),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    None
}

/// The name of a metric as a sentence has it: in double quotes where it would not be read as one word.
pub(crate) fn named(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
    }
}
