use serde::{Deserialize, Serialize};
use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// A number of a rule. Compared and hashed by its bits, so that rules can be keys; -0 is written, kept and compared
/// as 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(from = "f32", into = "f32")]
pub struct Number(f32);

impl Number {
    /// The number.
    #[must_use]
    pub fn get(self) -> f32 {
        self.0
    }

    pub(crate) fn wide(self) -> f64 {
        f64::from(self.0)
    }
}

impl From<f32> for Number {
    fn from(value: f32) -> Self {
        // Adding zero turns -0 into 0 and changes nothing else.
        Self(value + 0.0)
    }
}

impl From<Number> for f32 {
    fn from(number: Number) -> Self {
        number.0
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
