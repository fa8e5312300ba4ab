//! A value as text and as JSON.

use std::fmt;

use super::error::Fault;
use super::fmt::{DEBUG_LIMIT, print};
use super::json;
use super::limits::MAX_TEXT;
use super::value::Value;

impl Value {
    /// The JSON of a value: what Go's `json.Marshal` and back would make of it.
    pub fn to_json(&self) -> Result<serde_json::Value, Fault> {
        let json = json::encode(self, json::Style::default(), usize::MAX)?;
        serde_json::from_slice(&json).map_err(|error| Fault::Message(error.to_string()))
    }
}

impl fmt::Display for Value {
    /// As `%v` prints it, cut where it becomes very long.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&print(self, MAX_TEXT)))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&print(self, DEBUG_LIMIT)))
    }
}
