use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

use crate::PrometheusError;

/// The label that holds a series' name.
pub const NAME: &str = "__name__";

/// What identifies a series: labels in order of their names, each name once, no empty value.
///
/// To Prometheus an empty value is a label that is not there, so it is dropped. Any UTF-8 is a name or value, as since
/// Prometheus 3.0.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels {
    pairs: Vec<(String, String)>,
}

impl Labels {
    /// Labels in any order.
    ///
    /// # Errors
    /// [`PrometheusError::EmptyLabelName`], [`PrometheusError::DuplicateLabel`].
    pub fn new<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, PrometheusError> {
        let mut pairs: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        // Stable and quick on what is sorted already, as most senders do.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some((_, value)) = pairs.first().filter(|(name, _)| name.is_empty()) {
            return Err(PrometheusError::EmptyLabelName { value: crate::text::quoted(value) });
        }
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(PrometheusError::DuplicateLabel { name: crate::text::quoted(&twice[0].0) });
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self { pairs })
    }

    /// The series' name, the label [`NAME`].
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.get(NAME)
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.pairs.binary_search_by(|(own, _)| own.as_str().cmp(name)).ok()?;
        Some(&self.pairs[at].1)
    }

    /// The same labels but for one, which they may lack. Of a bucket without `le`, for example, the histogram is left.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self { pairs: self.pairs.iter().filter(|(own, _)| own != name).cloned().collect() }
    }

    /// Name and value in order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes them: `up{instance="a:9090", job="node"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or_default())?;
        let mut others = self.iter().filter(|(name, _)| *name != NAME).peekable();
        if others.peek().is_none() {
            return f.write_str(if self.name().is_none() { "{}" } else { "" });
        }
        f.write_str("{")?;
        for (position, (name, value)) in others.enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> de::Visitor<'de> for Pairs {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut pairs = Vec::<(String, String)>::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Labels::new(pairs).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_unique_and_never_empty() {
        let labels = Labels::new([("job", "web"), (NAME, "up"), ("zone", ""), ("instance", "a\"b")]).unwrap();
        assert_eq!(labels.to_string(), r#"up{instance="a\"b", job="web"}"#);
        assert_eq!((labels.name(), labels.get("job"), labels.get("zone")), (Some("up"), Some("web"), None));
        assert_eq!(labels.without("instance").to_string(), r#"up{job="web"}"#);
        assert_eq!(Labels::default().to_string(), "{}");
        assert_eq!(Labels::new([(NAME, "up")]).unwrap().to_string(), "up");
        // An empty value does not excuse a name that comes twice.
        let twice = Labels::new([("a", "1"), ("a", "")]).unwrap_err();
        assert_eq!(twice, PrometheusError::DuplicateLabel { name: "a".to_owned() });
        assert!(matches!(Labels::new([("", "x")]), Err(PrometheusError::EmptyLabelName { .. })));
    }

    #[test]
    fn order_of_writing_is_no_part_of_the_identity() {
        let one: Labels = serde_json::from_str(r#"{"b":"2","a":"1"}"#).unwrap();
        assert_eq!(one, Labels::new([("a", "1"), ("b", "2")]).unwrap());
        assert_eq!(serde_json::to_string(&one).unwrap(), r#"{"a":"1","b":"2"}"#);
        assert!(serde_json::from_str::<Labels>(r#"{"a":"1","a":"2"}"#).is_err());
    }
}
