//! Numbers of JSON that may be written as text.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use crate::text;

/// A number, or one as text: integers of 64 bits, and what JSON has no number for (`"NaN"`, `"Infinity"`).
struct Number<T>(T);

impl<'de, T: Deserialize<'de> + FromStr> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Number(T),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(word) => word
                .parse()
                .map(Self)
                .map_err(|_| de::Error::custom(format!("{:?} is not a number", text::quoted(&word)))),
        }
    }
}

pub(super) fn number<'de, D: Deserializer<'de>, T: Deserialize<'de> + FromStr>(
    deserializer: D,
) -> Result<T, D::Error> {
    Number::deserialize(deserializer).map(|Number(number)| number)
}

pub(super) fn some_number<'de, D: Deserializer<'de>, T: Deserialize<'de> + FromStr>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Number<T>>::deserialize(deserializer)?.map(|Number(number)| number))
}

pub(super) fn numbers<'de, D: Deserializer<'de>, T: Deserialize<'de> + FromStr>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Number<T>>::deserialize(deserializer)?.into_iter().map(|Number(number)| number).collect())
}
