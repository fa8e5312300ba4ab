//! Kubernetes objects as Lua tables, and what a script returns as a verdict.
//!
//! Rule: Argo CD util/lua `decodeValue` and `ExecuteHealthLua`: `null` is nil, lists count from one, every number is a
//! floating-point one, and an empty list or map is an empty table.

use mlua::{Lua, Result, Table, Value};
use serde_json::{Map, Value as Json};

use super::super::{Health, HealthStatus};

pub(super) fn to_lua(lua: &Lua, value: &Json) -> Result<Value> {
    Ok(match value {
        Json::Null => Value::Nil,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::String(lua.create_string(text)?),
        Json::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            // A null leaves no hole, as Argo CD appends what there is.
            for (place, item) in (1..).zip(items.iter().filter(|item| !item.is_null())) {
                table.raw_set(place, to_lua(lua, item)?)?;
            }
            Value::Table(table)
        }
        Json::Object(map) => Value::Table(map_to_lua(lua, map)?),
    })
}

pub(super) fn map_to_lua(lua: &Lua, map: &Map<String, Json>) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, map.len())?;
    for (key, value) in map {
        table.raw_set(key.as_str(), to_lua(lua, value)?)?;
    }
    Ok(table)
}

/// The verdict in what a script returned: none for nothing and for an empty table.
pub(super) fn verdict(returned: &Value) -> Option<Health> {
    let table = match returned {
        Value::Nil => return None,
        Value::Table(table) => table,
        other => {
            return Some(Health::unknown(format!("expect table output from Lua script, not {}", other.type_name())));
        }
    };
    if table.is_empty() {
        return None;
    }
    let status = match field(table, "status") {
        Ok(text) => text.parse::<HealthStatus>(),
        Err(wrong) => return Some(wrong),
    };
    let message = match field(table, "message") {
        Ok(text) => text,
        Err(wrong) => return Some(wrong),
    };
    Some(match status {
        Ok(status) => Health::new(status, message),
        Err(_not_a_status) => Health::unknown("Lua returned an invalid health status"),
    })
}

/// A text of the returned table, empty if it is not there. Read raw: a script's metatables are done by now.
fn field(table: &Table, name: &str) -> std::result::Result<String, Health> {
    match table.raw_get::<Value>(name) {
        Ok(Value::Nil) | Err(_) => Ok(String::new()),
        Ok(Value::String(text)) => Ok(text.to_string_lossy()),
        Ok(other) => {
            Err(Health::unknown(format!("Lua returned a {name} that is a {}, not a string", other.type_name())))
        }
    }
}
