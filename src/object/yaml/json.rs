//! Text that is JSON, read as JSON: one document, or several one after the other.
//!
//! Rule: apimachinery `YAMLOrJSONDecoder`: text that starts with `{` is tried as JSON first. Numbers become what the same
//! text would be as YAML: `1.0` is the whole number 1.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::number;

/// A JSON document and where it stands.
pub(super) struct JsonDocument {
    pub(super) value: Value,
    pub(super) range: Range<usize>,
    /// Whether a key stands twice in one map; the later one holds.
    pub(super) has_duplicates: bool,
}

/// The documents of a text that is JSON throughout; nothing if it is not, or nests deeper than `serde_json` goes.
pub(super) fn documents(text: &str) -> Option<Vec<JsonDocument>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<JsonRead>();
    let mut documents = Vec::new();
    let mut end = 0;
    while let Some(read) = stream.next() {
        let JsonRead { value, has_duplicates } = read.ok()?;
        // Only maps may follow one another: kubectl takes `{} 1` for YAML.
        if !value.is_object() {
            return None;
        }
        let start = text.len() - text[end..].trim_start().len();
        end = stream.byte_offset();
        documents.push(JsonDocument { value, range: start..end, has_duplicates });
    }
    Some(documents)
}

/// A value, and whether any map in it had a key twice.
struct JsonRead {
    value: Value,
    has_duplicates: bool,
}

impl<'de> Deserialize<'de> for JsonRead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadValue)
    }
}

struct ReadValue;

fn only(value: Value) -> JsonRead {
    JsonRead { value, has_duplicates: false }
}

impl<'de> Visitor<'de> for ReadValue {
    type Value = JsonRead;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<JsonRead, E> {
        Ok(only(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<JsonRead, E> {
        Ok(only(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<JsonRead, E> {
        Ok(only(Value::Number(Number::from(value))))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<JsonRead, E> {
        Ok(only(Value::Number(Number::from(value))))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<JsonRead, E> {
        // `-0` and `-0.0` look the same from here, and not in YAML.
        if value == 0.0 && value.is_sign_negative() {
            return Err(E::custom("minus zero is left to YAML"));
        }
        number::json_number(value).map(|number| only(Value::Number(number))).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<JsonRead, E> {
        Ok(only(Value::String(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<JsonRead, E> {
        Ok(only(Value::String(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JsonRead, A::Error> {
        let mut list = Vec::new();
        let mut has_duplicates = false;
        while let Some(item) = items.next_element::<JsonRead>()? {
            has_duplicates |= item.has_duplicates;
            list.push(item.value);
        }
        Ok(JsonRead { value: Value::Array(list), has_duplicates })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<JsonRead, A::Error> {
        let mut map = Map::new();
        let mut has_duplicates = false;
        while let Some(key) = entries.next_key::<String>()? {
            let entry = entries.next_value::<JsonRead>()?;
            has_duplicates |= entry.has_duplicates;
            match map.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(entry.value);
                }
                Entry::Occupied(mut place) => {
                    place.insert(entry.value);
                    has_duplicates = true;
                }
            }
        }
        Ok(JsonRead { value: Value::Object(map), has_duplicates })
    }
}
