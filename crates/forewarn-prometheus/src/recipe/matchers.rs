use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PrometheusError, text};

/// Label matchers as PromQL has them between braces: `namespace="shop", code=~"5.."`. May be empty.
///
/// Checked, so that a query that is made with them is the query that was meant, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matchers {
    /// Name, operator, value with its quotes.
    parts: Vec<(String, &'static str, String)>,
}

/// Whether `name` can stand in PromQL without quotes.
pub(super) fn is_label_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether `name` can be a series' name in PromQL without quotes.
pub(crate) fn is_series_name(name: &str) -> bool {
    let mut chars = name.chars();
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    chars.next().is_some_and(first) && chars.all(|c| first(c) || c.is_ascii_digit())
}

impl Matchers {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// One matcher for equality; `value` with its quotes.
    pub(super) fn equal(name: &str, value: &str) -> Self {
        Self { parts: vec![(name.to_owned(), "=", value.to_owned())] }
    }

    /// These and then those.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self { parts: self.parts.iter().chain(&others.parts).cloned().collect() }
    }
}

impl FromStr for Matchers {
    type Err = PrometheusError;

    fn from_str(whole: &str) -> Result<Self, PrometheusError> {
        let wrong = |reason| PrometheusError::Matchers { text: text::quoted(whole), reason };
        let mut parts = Vec::new();
        let mut rest = whole.trim();
        while !rest.is_empty() {
            let end = rest.find(['=', '!']).ok_or_else(|| wrong("a matcher has no operator"))?;
            let name = rest[..end].trim();
            if !is_label_name(name) {
                return Err(wrong("a label's name is not of letters, digits and _"));
            }
            rest = &rest[end..];
            let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| rest.starts_with(operator));
            let operator = operator.ok_or_else(|| wrong("an operator is none of =, !=, =~, !~"))?;
            rest = rest[operator.len()..].trim_start();
            let length = quoted_length(rest).ok_or_else(|| wrong("a value is not in double quotes"))?;
            parts.push((name.to_owned(), operator, rest[..length].to_owned()));
            rest = rest[length..].trim_start();
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None if rest.is_empty() => {}
                None => return Err(wrong("a comma is missing between two matchers")),
            }
        }
        Ok(Self { parts })
    }
}

/// Bytes of the quoted text that `text` begins with. Its escapes are left to the server, but for those of quotes.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if at == 0 => {}
            _ if at == 0 => return None,
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, operator, value)) in self.parts.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{name}{operator}{value}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Matchers {
    type Error = PrometheusError;

    fn try_from(text: String) -> Result<Self, PrometheusError> {
        text.parse()
    }
}

impl From<Matchers> for String {
    fn from(matchers: Matchers) -> Self {
        matchers.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_and_written_in_one_way() {
        let written = |text: &str| text.parse::<Matchers>().map(|matchers| matchers.to_string());
        assert_eq!(written(r#" a = "b",code=~"5..", "#).unwrap(), r#"a="b", code=~"5..""#);
        assert_eq!(written(r#"a!="x\"},{",b!~"y""#).unwrap(), r#"a!="x\"},{", b!~"y""#);
        assert_eq!(written("").unwrap(), "");
    }

    #[test]
    fn what_could_break_out_of_the_braces_is_refused() {
        for wrong in
            [r#"a="b"} or vector(1) #"#, r#"a="b" c="d""#, "a=b", "a", r#"1a="b""#, r#"a=="b""#, "a=\"b\n\""]
        {
            assert!(matches!(wrong.parse::<Matchers>(), Err(PrometheusError::Matchers { .. })), "{wrong}");
        }
    }
}
