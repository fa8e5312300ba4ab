//! Reads an object's fields without believing in them: a status is written by any controller, in any shape.
//!
//! In: a map of an object. Out: its fields, missing ones as their empty value; the first field of a wrong type is kept
//! as a fault, so that a rule reads like the rule and still never takes nonsense for health.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::object::type_name;

/// The first field that was not what it should be.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Option<String>>);

impl Faults {
    pub(super) fn into_first(self) -> Option<String> {
        self.0.into_inner()
    }

    fn note(&self, fault: impl FnOnce() -> String) {
        let mut first = self.0.borrow_mut();
        if first.is_none() {
            *first = Some(fault());
        }
    }
}

/// A map of an object, or its absence, which reads as an empty map.
#[derive(Clone, Copy)]
pub(super) struct Node<'object> {
    map: Option<&'object Map<String, Value>>,
    name: &'static str,
    faults: &'object Faults,
}

impl<'object> Node<'object> {
    pub(super) fn root<'faults: 'object>(map: &'object Map<String, Value>, faults: &'faults Faults) -> Self {
        Self { map: Some(map), name: "", faults }
    }

    /// The value of a field; `null` is as good as none.
    pub(super) fn get(self, field: &str) -> Option<&'object Value> {
        self.map?.get(field).filter(|value| !value.is_null())
    }

    /// All of its fields.
    pub(super) fn fields(self) -> impl Iterator<Item = (&'object String, &'object Value)> {
        self.map.into_iter().flatten()
    }

    pub(super) fn has(self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(super) fn child(self, field: &'static str) -> Self {
        let map = self.typed(field, "a map", Value::as_object);
        Self { map, name: field, faults: self.faults }
    }

    /// A whole number, if it is there.
    pub(super) fn integer(self, field: &'static str) -> Option<i64> {
        self.typed(field, "a whole number", whole_number)
    }

    /// A whole number, zero if it is not there, as Go has it.
    pub(super) fn count(self, field: &'static str) -> i64 {
        self.integer(field).unwrap_or(0)
    }

    /// A generation: some write it as text. Whatever else it is says nothing, and is no fault.
    pub(super) fn generation(self, field: &str) -> Option<i64> {
        let value = self.get(field)?;
        whole_number(value).or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// A text, empty if it is not there.
    pub(super) fn text(self, field: &'static str) -> &'object str {
        self.typed(field, "text", Value::as_str).unwrap_or_default()
    }

    /// A boolean, false if it is not there.
    pub(super) fn flag(self, field: &'static str) -> bool {
        self.typed(field, "a boolean", Value::as_bool).unwrap_or(false)
    }

    /// A list, empty if it is not there.
    pub(super) fn list(self, field: &'static str) -> &'object [Value] {
        self.typed(field, "a list", |value| value.as_array().map(Vec::as_slice)).unwrap_or_default()
    }

    /// A list of maps; what is no map reads as an empty one.
    pub(super) fn items(self, field: &'static str) -> impl Iterator<Item = Self> {
        self.list(field).iter().map(move |item| {
            let map = item.as_object();
            if map.is_none() {
                self.faults.note(|| format!("an item of `{}` is {}, not a map", self.path(field), type_name(item)));
            }
            Self { map, name: field, faults: self.faults }
        })
    }

    fn typed<Kind>(
        self,
        field: &'static str,
        expected: &str,
        read: impl FnOnce(&'object Value) -> Option<Kind>,
    ) -> Option<Kind> {
        let value = self.get(field)?;
        let read = read(value);
        if read.is_none() {
            self.faults.note(|| format!("`{}` is {}, not {expected}", self.path(field), shown(value)));
        }
        read
    }

    fn path(self, field: &str) -> String {
        if self.name.is_empty() { field.to_owned() } else { format!("{}.{field}", self.name) }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        other => type_name(other).to_owned(),
    }
}

/// YAML and scripts write `1e3` and `3.0` for whole numbers, too.
fn whole_number(value: &Value) -> Option<i64> {
    /// Up to here every whole number is one in floating point.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within what is exact")]
        Some(number as i64)
    })
}
