//! The parameters of a source, as a values file: what stands in arguments every process of the machine can read.
//!
//! In: the parameters as `--set` and `--set-string` would take them, and the values of the files before them. Out: a file to
//! be read after those, and arguments for whole numbers alone: Helm's templates see `int64` only where `--set` has it, and a
//! number of a values file is a `float64`, which is printed as `1e+06` from a million on. A number under a name that secrets
//! have goes into the file all the same: as a number while Helm prints both alike, else as text.
//!
//! Rules: helm pkg/cli/values/options.go `MergeValues`: files first, then `--set`, then `--set-string`, then `--set-file`.

use serde_json::{Map, Value};

use super::strvals::{HelmMap, HelmValue, Typing, parse_into};
use crate::app::source::is_secret_name;

/// Whole numbers from here on are printed with an exponent where they come from a values file.
const FIRST_WITH_EXPONENT: u64 = 1_000_000;

/// One parameter, as Argo CD passes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// With its commas escaped.
    pub(super) value: String,
    pub(super) typing: Typing,
}

/// The parameters in the form in which Helm gets them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct SetValues {
    /// The content of the values file; empty where there is nothing to set.
    pub(super) file: Map<String, Value>,
    /// The arguments of `--set`.
    pub(super) numbers: Vec<String>,
}

impl SetValues {
    /// Sets the parameters, in order, in the values that are given before them. An error names the parameter.
    pub(super) fn of(parameters: &[Parameter], before: &HelmMap) -> Result<Self, (String, String)> {
        let mut values = before.clone();
        for Parameter { name, value, typing } in parameters {
            let text = format!("{name}={value}");
            parse_into(&text, &mut values, *typing).map_err(|why| (name.clone(), why))?;
        }
        let mut numbers = Vec::new();
        numbers_of_map(&values, "", &mut numbers);
        Ok(Self { file: difference(before, &values, false), numbers })
    }
}

/// Whether parameters set items of lists: a values file replaces a list as a whole, so the list has to be known.
pub(super) fn need_lists(parameters: &[Parameter]) -> bool {
    // After a comma that is not escaped, a value goes on with another name.
    let goes_on = |value: &str| value.contains(',') && value.contains('[');
    parameters.iter().any(|parameter| parameter.name.contains('[') || goes_on(&parameter.value))
}

/// The difference that, merged into values, gives others: maps by key, everything else as a whole.
fn difference(before: &HelmMap, after: &HelmMap, is_secret: bool) -> Map<String, Value> {
    let mut different = Map::new();
    for (name, value) in after {
        let is_secret = is_secret || is_secret_name(name);
        match (before.get(name), value) {
            (Some(before), value) if before == value => {}
            (Some(HelmValue::Map(before)), HelmValue::Map(after)) => {
                different.insert(name.clone(), Value::Object(difference(before, after, is_secret)));
            }
            (_, value) => {
                different.insert(name.clone(), json(value, is_secret));
            }
        }
    }
    different
}

/// A value as a values file has it.
fn json(value: &HelmValue, is_secret: bool) -> Value {
    match value {
        HelmValue::Null => Value::Null,
        HelmValue::Bool(value) => Value::Bool(*value),
        HelmValue::Int(number) if is_secret && number.unsigned_abs() >= FIRST_WITH_EXPONENT => {
            Value::String(number.to_string())
        }
        HelmValue::Int(number) => Value::Number((*number).into()),
        HelmValue::Number(number) => Value::Number(number.clone()),
        HelmValue::Text(text) => Value::String(text.clone()),
        HelmValue::List(items) => items.iter().map(|item| json(item, is_secret)).collect(),
        HelmValue::Map(map) => {
            let is_secret = |name: &str| is_secret || is_secret_name(name);
            map.iter().map(|(name, value)| (name.clone(), json(value, is_secret(name)))).collect()
        }
    }
}

fn numbers_of_map(map: &HelmMap, prefix: &str, numbers: &mut Vec<String>) {
    for (name, value) in map.iter().filter(|(name, _)| !is_secret_name(name)) {
        let dot = if prefix.is_empty() { "" } else { "." };
        numbers_of(value, &format!("{prefix}{dot}{}", escaped(name)), numbers);
    }
}

fn numbers_of(value: &HelmValue, place: &str, numbers: &mut Vec<String>) {
    match value {
        HelmValue::Int(number) => numbers.push(format!("{place}={number}")),
        HelmValue::List(items) => {
            for (index, item) in items.iter().enumerate() {
                numbers_of(item, &format!("{place}[{index}]"), numbers);
            }
        }
        HelmValue::Map(map) => numbers_of_map(map, place, numbers),
        HelmValue::Null | HelmValue::Bool(_) | HelmValue::Number(_) | HelmValue::Text(_) => {}
    }
}

/// A key as `--set` takes it.
fn escaped(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for letter in key.chars() {
        if matches!(letter, '\\' | '=' | '[' | ']' | ',' | '.') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(before: Value, parameters: &[(&str, &str, Typing)]) -> SetValues {
        let HelmValue::Map(before) = HelmValue::from(before) else { panic!("a map") };
        let parameters = parameters.iter().map(|(name, value, typing)| Parameter {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            typing: *typing,
        });
        SetValues::of(&parameters.collect::<Vec<_>>(), &before).unwrap()
    }

    #[test]
    fn only_whole_numbers_are_arguments() {
        let set = set(
            json!({"list": [{"name": "a", "port": 1}]}),
            &[
                ("text", "swordfish", Typing::Guessed),
                ("port", "8080", Typing::Guessed),
                ("a\\.b.c", "7", Typing::Guessed),
                ("list[0].name", "b", Typing::Guessed),
                ("list[1]", "5", Typing::Guessed),
                ("code", "017", Typing::Guessed),
                ("digits", "12", Typing::Text),
            ],
        );
        let file = json!({"text": "swordfish", "port": 8080, "a.b": {"c": 7}, "list": [{"name": "b", "port": 1}, 5],
            "code": "017", "digits": "12"});
        assert_eq!(Value::Object(set.file), file);
        assert_eq!(set.numbers, ["a\\.b.c=7", "list[1]=5", "port=8080"]);
    }

    #[test]
    fn a_number_that_may_be_a_password_is_no_argument() {
        let parameters = [("db.password", "123456"), ("token", "12345678"), ("tokenTTL", "12345678")];
        let set = set(json!({}), &parameters.map(|(name, value)| (name, value, Typing::Guessed)));
        let file = json!({"db": {"password": 123_456}, "token": "12345678", "tokenTTL": 12_345_678});
        assert_eq!(Value::Object(set.file), file);
        assert_eq!(set.numbers, ["tokenTTL=12345678"]);
    }
}
