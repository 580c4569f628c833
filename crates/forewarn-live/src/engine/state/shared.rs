//! What the events of a minute share, so that none of them takes memory of its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// A name that is shared: a copy takes no memory. It reads and writes as a string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for Name {
    fn eq(&self, other: &String) -> bool {
        *self.0 == **other
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Values of a row, of which any may be missing: a part of the rows of a minute, which all its events share. It reads
/// and writes as a list of numbers and nulls.
#[derive(Clone)]
pub struct RowValues {
    rows: Arc<[f32]>,
    from: usize,
    len: usize,
}

impl RowValues {
    /// Row number `row` of `rows`, one after another with `width` values each, NaN where missing. Without values where
    /// there is no such row.
    pub(crate) fn of(rows: &Arc<[f32]>, row: usize, width: usize) -> Self {
        let from = row.saturating_mul(width);
        let len = if from.saturating_add(width) <= rows.len() { width } else { 0 };
        Self { rows: Arc::clone(rows), from: from.min(rows.len()), len }
    }

    /// The values, NaN where missing.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.rows[self.from..self.from + self.len]
    }

    /// The values, `None` where missing.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<f32>> + '_ {
        self.as_slice().iter().map(|value| Some(*value).filter(|value| !value.is_nan()))
    }

    /// Number of values, missing ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no metric.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl FromIterator<Option<f32>> for RowValues {
    fn from_iter<I: IntoIterator<Item = Option<f32>>>(values: I) -> Self {
        let rows: Arc<[f32]> = values.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        Self { from: 0, len: rows.len(), rows }
    }
}

impl From<Vec<Option<f32>>> for RowValues {
    fn from(values: Vec<Option<f32>>) -> Self {
        values.into_iter().collect()
    }
}

impl PartialEq for RowValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for RowValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for RowValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for RowValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Option<f32>>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_read_and_write_as_plain_values() {
        let name = Name::from("cart");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"cart\"");
        assert_eq!(serde_json::from_str::<Name>("\"cart\"").unwrap(), name);
        let rows: Arc<[f32]> = [1.0, f32::NAN, 2.0, 3.0].into();
        let values = RowValues::of(&rows, 0, 2);
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(json, "[1.0,null]");
        assert_eq!(serde_json::from_str::<RowValues>(&json).unwrap(), values);
        assert_eq!(RowValues::of(&rows, 1, 2).as_slice(), [2.0, 3.0]);
        assert!(RowValues::of(&rows, 2, 2).is_empty() && RowValues::of(&rows, usize::MAX, 2).is_empty());
    }
}
