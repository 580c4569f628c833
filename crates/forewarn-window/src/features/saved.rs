//! A feature as data: `{ kind: settings }`, or the kind alone where it has no settings.

use serde::Serialize;
use serde_json::Value;

/// A feature without settings.
pub(crate) fn kind(kind: &str) -> Option<Value> {
    Some(Value::from(kind))
}

/// A feature with settings; nothing where JSON cannot express them.
pub(crate) fn settings(kind: &str, settings: impl Serialize) -> Option<Value> {
    let settings = serde_json::to_value(settings).ok()?;
    Some(Value::Object([(kind.to_owned(), settings)].into_iter().collect()))
}

/// Settings of one metric by itself: a struct of the fields, with no name of its own.
macro_rules! fields {
    ($($field:ident : $value:expr),* $(,)?) => {{
        let mut fields = serde_json::Map::new();
        $(fields.insert(stringify!($field).to_owned(), serde_json::to_value($value).ok()?);)*
        fields
    }};
}

pub(crate) use fields;
