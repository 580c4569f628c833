//! The words of one line.

use std::borrow::Cow;

use crate::PrometheusError;
use crate::text;

/// A place in a line.
pub(super) struct Scanner<'a> {
    line: usize,
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(line: usize, text: &'a str) -> Self {
        Self { line, rest: text }
    }

    /// An error that quotes what is left of the line.
    pub(super) fn expected(&self, expected: &'static str) -> PrometheusError {
        self.wrong(self.rest, expected)
    }

    pub(super) fn wrong(&self, found: &str, expected: &'static str) -> PrometheusError {
        let found =
            if found.trim().is_empty() { "the end of the line".to_owned() } else { text::quoted(found) };
        PrometheusError::Line { line: self.line, found, expected }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes `word` if the rest begins with it.
    pub(super) fn take(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Up to the next blank, or brace where one may follow.
    pub(super) fn word(&mut self, ends: &[char]) -> &'a str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A name: of letters, digits, `_` and `:`, or any text in quotes.
    pub(super) fn name(&mut self, ends: &[char]) -> Result<Cow<'a, str>, PrometheusError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let word = self.rest;
        let name = self.word(ends).trim_end_matches([' ', '\t']);
        if crate::recipe::is_series_name(name) {
            return Ok(Cow::Borrowed(name));
        }
        Err(self.wrong(word, "a name of letters, digits, _ and :, or one in quotes"))
    }

    /// Text in double quotes, with `\\`, `\"` and `\n` in it.
    pub(super) fn quoted(&mut self) -> Result<Cow<'a, str>, PrometheusError> {
        let whole = self.rest;
        let Some(inner) = whole.strip_prefix('"') else {
            return Err(self.expected("text in double quotes"));
        };
        let mut escaped = false;
        let mut has_escapes = false;
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => (escaped, has_escapes) = (true, true),
                b'"' => {
                    self.rest = &inner[at + 1..];
                    let text = &inner[..at];
                    return Ok(if has_escapes { Cow::Owned(unescape(text)) } else { Cow::Borrowed(text) });
                }
                _ => {}
            }
        }
        Err(self.wrong(whole, "a closing quote"))
    }
}

/// Text without its escapes. Others than those of the formats stay as they are, as Prometheus has it.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some(c @ ('\\' | '"')) => plain.push(c),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}
