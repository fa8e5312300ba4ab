//! `std.parseYaml`, exactly as kubectl reads YAML.
//!
//! In: text. Out: a value; of a stream, which is what has a line `---`, a list of values.
//!
//! Rules: go-jsonnet yaml.go; sigs.k8s.io/yaml for each document.

use rsjsonnet_lang::program::{Program, Value};

use crate::object::yaml::{self, Limits, WithPositions};

/// The name that the standard library's replacement calls the function by.
pub(super) const FUNCTION: &str = "trueup.parseYaml";

/// Registers the function.
pub(super) fn register(machine: &mut Program<'_>) {
    let name = machine.intern_str(FUNCTION);
    let parameter = machine.intern_str("str");
    machine.register_native_func(name, &[parameter]);
}

/// Reads the text that the function was called with.
pub(super) fn parse<'p>(machine: &mut Program<'p>, arguments: &[Value<'p>]) -> Result<Value<'p>, String> {
    let Some(text) = arguments.first().and_then(Value::to_string) else {
        return Err("`std.parseYaml` takes text".to_owned());
    };
    let (pieces, is_stream) = pieces(&text);
    let mut values = Vec::new();
    for piece in pieces {
        let document = yaml::read(&piece, &Limits::default(), WithPositions::No).into_iter().next().transpose();
        let document = document.map_err(|error| format!("text given to `std.parseYaml` is not YAML: {error}"))?;
        values.push(document.map_or(serde_json::Value::Null, |document| document.value));
    }
    let value =
        if is_stream { serde_json::Value::Array(values) } else { values.into_iter().next().unwrap_or_default() };
    Ok(converted(machine, &value))
}

/// The documents, each from one marker `---` to the next, and whether there is a marker. A document may start on the marker's line.
fn pieces(text: &str) -> (Vec<String>, bool) {
    let mut pieces = vec![String::new()];
    let mut is_stream = false;
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("---") {
            Some(rest) if rest.is_empty() || rest.starts_with(['\n', ' ', '\t']) => {
                is_stream = true;
                // Spaces in place of the marker keep every column.
                pieces.push(format!("   {rest}"));
            }
            _ => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push_str(line);
                }
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    (pieces, is_stream)
}

/// A JSON value as one of Jsonnet's.
pub(super) fn converted<'p>(machine: &mut Program<'p>, value: &serde_json::Value) -> Value<'p> {
    match value {
        serde_json::Value::Null => Value::null(),
        serde_json::Value::Bool(value) => Value::bool(*value),
        serde_json::Value::Number(value) => Value::number(value.as_f64().unwrap_or_default()),
        serde_json::Value::String(value) => Value::string(value),
        serde_json::Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| converted(machine, item)).collect();
            machine.make_array(&items)
        }
        serde_json::Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| (machine.intern_str(name), converted(machine, value))).collect();
            machine.make_object(&fields)
        }
    }
}
