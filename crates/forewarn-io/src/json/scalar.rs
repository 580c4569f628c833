use super::{records::RecordText, tables::TableColumns};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::{borrow::Cow, fmt};

/// Most fields of objects within one record.
const NESTED_FIELDS: usize = 10_000;

/// Longest name of such a field, in bytes: those of the objects around it are in it.
const NESTED_NAME_BYTES: usize = 256;

/// The fields of a JSON object, in order. Those of an object within it are fields of their own, called as in
/// `service.name`.
pub(super) struct Record<'a> {
    pub(super) fields: Vec<(Cow<'a, str>, Scalar<'a>)>,
}

/// What a field holds.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    /// An array, or an object without fields.
    Nested,
}

impl Scalar<'_> {
    /// As a cell of text; empty for null.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(value) => Cow::Owned(value.to_string()),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Float(value) => Cow::Owned(value.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Nested => Cow::Borrowed("an array or object"),
        }
    }
}

/// A text that is borrowed where it has no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

impl<'a> Record<'a> {
    /// Reads a record, or a row of a table, in which `NaN` and `Infinity` may stand for numbers, as Python writes them;
    /// `buffer` holds it without them.
    pub(super) fn parse(
        RecordText { text, columns, .. }: RecordText<'a>,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Self, serde_json::Error> {
        let error = match Self::of(text, columns) {
            Ok(record) => return Ok(record),
            Err(error) => error,
        };
        if !put_words_right(text, buffer) {
            return Err(error);
        }
        Self::of(buffer, columns).map_err(|_| error)
    }

    fn of(text: &'a [u8], columns: Option<&'a TableColumns>) -> Result<Self, serde_json::Error> {
        let Some(columns) = columns else { return serde_json::from_slice(text) };
        let mut from = serde_json::Deserializer::from_slice(text);
        let mut fields = Row(columns).deserialize(&mut from)?;
        from.end()?;
        let text = |text: &'a str| Scalar::Text(Cow::Borrowed(text));
        if let (Some((name, _)), Some(cell)) = (&columns.index, &columns.index_cell) {
            let number = cell.parse().map(Scalar::Integer);
            fields.push((Cow::Borrowed(name), number.unwrap_or_else(|_| text(cell))));
        }
        fields.extend(columns.tags.iter().map(|(name, tag)| (Cow::Borrowed(name.as_str()), text(tag))));
        Ok(Self { fields })
    }
}

/// The fields of a row of a table.
struct Row<'a>(&'a TableColumns);

impl<'de> DeserializeSeed<'de> for Row<'de> {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'de> {
    type Value = Vec<(Cow<'de, str>, Scalar<'de>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a row of {} values", self.0.names.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Self::Value, A::Error> {
        let (names, mut fields, mut nested) = (&self.0.names, Vec::new(), 0);
        for (index, name) in names.iter().enumerate() {
            let field = Field { name: Cow::Borrowed(name), fields: &mut fields, nested: &mut nested };
            if row.next_element_seed(field)?.is_none() {
                return Err(A::Error::invalid_length(index, &self));
            }
        }
        match row.next_element::<IgnoredAny>()? {
            None => Ok(fields),
            Some(_) => Err(A::Error::custom(format!("a row of more than {} values", names.len()))),
        }
    }
}

/// Copies JSON with `null` for `NaN` and text for infinities; whether there was any.
fn put_words_right(text: &[u8], buffer: &mut Vec<u8>) -> bool {
    const WORDS: [(&[u8], &[u8]); 4] =
        [(b"NaN", b"null"), (b"-Infinity", b"\"-inf\""), (b"Infinity", b"\"inf\""), (b"-NaN", b"null")];
    buffer.clear();
    let (mut quoted, mut escaped, mut found, mut at) = (false, false, false, 0);
    while let Some(&byte) = text.get(at) {
        if !quoted
            && matches!(byte, b'N' | b'I' | b'-')
            && let Some((word, instead)) = WORDS.iter().find(|(word, _)| text[at..].starts_with(word))
        {
            buffer.extend_from_slice(instead);
            (found, at) = (true, at + word.len());
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        buffer.push(byte);
        at += 1;
    }
    found
}

impl<'de> Deserialize<'de> for Record<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Record<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut fields, mut nested) = (Vec::new(), 0);
                while let Some(Key(name)) = map.next_key()? {
                    map.next_value_seed(Field { name, fields: &mut fields, nested: &mut nested })?;
                }
                Ok(Record { fields })
            }
        }
        from.deserialize_map(Fields)
    }
}

/// A field whose value is read, with those of an object.
struct Field<'a, 'f> {
    name: Cow<'a, str>,
    fields: &'f mut Vec<(Cow<'a, str>, Scalar<'a>)>,
    nested: &'f mut usize,
}

impl<'a> Field<'a, '_> {
    fn put<E>(self, value: Scalar<'a>) -> Result<(), E> {
        self.fields.push((self.name, value));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Field<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.put(Scalar::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.put(Scalar::Bool(value))
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.put(Scalar::Integer(value))
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.put(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Integer))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.put(Scalar::Float(value))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.put(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.put(Scalar::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.put(Scalar::Nested)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let before = self.fields.len();
        while let Some(Key(key)) = map.next_key()? {
            *self.nested += 1;
            if *self.nested > NESTED_FIELDS {
                return Err(A::Error::custom(format!(
                    "more than {NESTED_FIELDS} fields in objects within a record"
                )));
            }
            if self.name.len() + key.len() >= NESTED_NAME_BYTES {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let name = Cow::Owned(format!("{}.{key}", self.name));
            map.next_value_seed(Field { name, fields: &mut *self.fields, nested: &mut *self.nested })?;
        }
        if self.fields.len() == before { self.put(Scalar::Nested) } else { Ok(()) }
    }
}
