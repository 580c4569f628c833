use crate::LabelError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a sample is compared with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `>`
    #[serde(rename = ">")]
    Above,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `<`
    #[serde(rename = "<")]
    Below,
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
}

impl Comparison {
    /// Whether `value` compares so with `limit`. NaN never does.
    #[must_use]
    pub fn holds(self, value: f32, limit: f32) -> bool {
        self.holds_wide(f64::from(value), f64::from(limit))
    }

    pub(crate) fn holds_wide(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtLeast => value >= limit,
            Self::Above => value > limit,
            Self::AtMost => value <= limit,
            Self::Below => value < limit,
            Self::Equal => value == limit,
            // NaN differs from everything, and compares with nothing.
            Self::NotEqual => !value.is_nan() && value != limit,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        })
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl std::str::FromStr for Comparison {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        [Self::AtLeast, Self::Above, Self::AtMost, Self::Below, Self::Equal, Self::NotEqual]
            .into_iter()
            .find(|candidate| candidate.to_string() == text)
            .ok_or_else(|| LabelError::UnknownComparison { text: text.to_owned() })
    }
}
