//! Rules from and to files.

use crate::{LabelError, Rule};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use serde::de::DeserializeOwned;
use std::path::Path;

/// As JSON and TOML write a rule:
///
/// ```
/// use forewarn_label::Rule;
///
/// let rule = Rule::from_toml(r#"
///     [when]
///     any = [
///         "error_rate >= 0.05 for 2 steps",
///         { sustained = { for = "5 min", of = { compare = {
///             measure = "p99_latency", is = ">", limit = { normal = { median = "1 h" }, times = 3 } } } } },
///     ]
///
///     [episodes]
///     merge_gaps_below = "3 min"
/// "#)?;
/// assert_eq!(
///     rule.to_string(),
///     "error_rate >= 0.05 for 2 consecutive steps, or p99_latency > 3 times its median of the last 1 h for 5 min; \
///      gaps shorter than 3 min are bridged"
/// );
///
/// let error = Rule::from_json(r#"{"when": {"any": ["cpu_usage >= 0.9", {"absent": 7}]}}"#).unwrap_err();
/// assert!(error.to_string().starts_with("no failure rule in this JSON, at when.any[1].absent: invalid type"));
/// # Ok::<(), forewarn_label::LabelError>(())
/// ```
impl Rule {
    /// Reads a rule from TOML.
    ///
    /// # Errors
    /// [`LabelError::UnreadableFile`], which names the field.
    pub fn from_toml(text: &str) -> Result<Self, LabelError> {
        from_toml(WHAT, text)
    }

    /// Reads a rule from JSON.
    ///
    /// # Errors
    /// [`LabelError::UnreadableFile`], which names the field.
    pub fn from_json(text: &str) -> Result<Self, LabelError> {
        from_json(WHAT, text)
    }

    /// Reads a rule from a file of at most 16 MiB: JSON if it is called so, else TOML.
    ///
    /// # Errors
    /// [`LabelError::UnreadablePath`], and as [`from_toml`](Self::from_toml).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, LabelError> {
        let path = path.as_ref();
        let unreadable = |source| LabelError::UnreadablePath { path: path.to_owned(), source };
        let text = read_text_file(path, SMALL_FILE_BYTES).map_err(unreadable)?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        if is_json { Self::from_json(&text) } else { Self::from_toml(&text) }
    }

    /// Writes the rule as TOML.
    ///
    /// # Errors
    /// [`LabelError::UnwritableRule`] for a tree too deep for the format.
    pub fn to_toml(&self) -> Result<String, LabelError> {
        toml::to_string(self).map_err(|error| LabelError::UnwritableRule { reason: error.to_string() })
    }

    /// Writes the rule as JSON.
    ///
    /// # Errors
    /// [`LabelError::UnwritableRule`].
    pub fn to_json(&self) -> Result<String, LabelError> {
        serde_json::to_string(self).map_err(|error| LabelError::UnwritableRule { reason: error.to_string() })
    }
}

const WHAT: &str = "failure rule";

/// A value of TOML, with the path and the line of what is wrong.
pub(crate) fn from_toml<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, LabelError> {
    let unreadable = |field: String, error: &toml::de::Error| {
        let place = error.span().map_or(String::new(), |span| {
            let line = text[..span.start].matches('\n').count() + 1;
            format!(" (line {line})")
        });
        let reason = format!("{}{place}", error.message().trim_end());
        LabelError::UnreadableFile { what, format: "TOML", field, reason }
    };
    let document = toml::Deserializer::parse(text).map_err(|error| unreadable(".".to_owned(), &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| unreadable(error.path().to_string(), error.inner()))
}

fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, LabelError> {
    let unreadable = |field: String, error: &serde_json::Error| LabelError::UnreadableFile {
        what,
        format: "JSON",
        field,
        reason: error.to_string(),
    };
    let mut document = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut document, &mut track);
    match T::deserialize(tracked) {
        Ok(value) => document.end().map(|()| value).map_err(|error| unreadable(".".to_owned(), &error)),
        Err(error) => Err(unreadable(track.path().to_string(), &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toml(text: &str) -> String {
        Rule::from_toml(text).unwrap_err().to_string()
    }

    fn json(text: &str) -> String {
        Rule::from_json(text).unwrap_err().to_string()
    }

    #[track_caller]
    fn says(error: &str, parts: &[&str]) {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }

    #[test]
    fn errors_point_at_the_field() {
        says(&toml("when = 7"), &["TOML", "at when", "invalid type", "line 1"]);
        says(&toml("when = 'x >= 1'\nepisode = {}"), &["unknown field `episode`", "line 2"]);
        says(&toml("when = 'x ~ 1'"), &["at when", "at character 3: found \"~\"", "expected >=, >"]);
        says(&toml("when = 'x >= 1 for 0 min'"), &["at when", "found \"0\"", "expected a span"]);
        says(
            &toml(
                "[when.sustained]\nfor = '5 min'\nof = { compare = { measure = 'x', is = '>', limit = true } }",
            ),
            &["at when.sustained.of.compare.limit", "line 3"],
        );
        says(&toml("[when"), &["TOML", "line 1"]);
        says(&json(r#"{"when": {"any": []}}"#), &["when.any is empty", "at least one"]);
        says(
            &json(
                r#"{"when": {"all": ["a > 1", {"frequent": {"of": "b > 1", "times": 6, "within": "5 steps"}}]}}"#,
            ),
            &["when.all[1].frequent.times is 6"],
        );
        says(
            &json(
                r#"{"when": {"compare": {"measure": {"mean": {"of": "", "over": "1 h"}}, "is": ">", "limit": 1}}}"#,
            ),
            &["when.compare.measure.mean.of"],
        );
        says(&json(r#"{"when": {"not": {"absent": "x", "any": ["x > 1"]}}}"#), &["when.not"]);
        says(
            &json(r#"{"when": "x > 1", "episodes": {"cool_down": "soon"}}"#),
            &["episodes.cool_down", "\"soon\""],
        );
        says(&json(r#"{"when": "x > 1"} {}"#), &["trailing"]);
        says(
            &json(
                r#"{"when": {"significant": {"rate": "e", "events": "n", "limit": 0.05, "confidence": 1}}}"#,
            ),
            &["when.significant.confidence is 1"],
        );
        says(
            &json(r#"{"when": {"compare": {"measure": "x", "is": ">", "limit": 1e99}}}"#),
            &["when.compare.limit is inf"],
        );
    }

    #[test]
    fn what_serde_would_not_check_is_checked_in_rust_too() {
        let nan = crate::Measure::metric("x").above(f32::NAN);
        says(&Rule::new(nan.negated()).unwrap_err().to_string(), &["when.not.compare.limit is NaN"]);
    }
}
