//! The fields of one map, taken one by one as the types that they must have.
//!
//! In: a map of a document. Out: typed values; what is of another type, missing though required, or left over at the end is
//! reported to the [`Reading`], and decoding goes on. `null` is as absent.
//!
//! Rule: what the API server does with Argo CD's own definition of the kind: it converts no type into another, and drops
//! fields that it does not know.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::names;
use super::reading::{FieldPart, Reading};
use crate::object::{Pointer, type_name};

/// The fields of one map; [`Fields::finish`] reports those that nobody asked for.
#[must_use = "`finish` reports unknown fields"]
pub(super) struct Fields<'doc> {
    reading: &'doc Reading<'doc>,
    map: &'doc Map<String, Value>,
    place: Pointer,
    known: Vec<&'static str>,
}

/// A place to report a fault at, after the fields have been given away.
pub(super) struct FaultPlace<'doc> {
    reading: &'doc Reading<'doc>,
    place: Pointer,
}

impl FaultPlace<'_> {
    /// The place as people write it, from the Application's root.
    pub(super) fn shown(&self) -> String {
        self.reading.shown(&self.place)
    }

    pub(super) fn fault(&self, fault: &Fault) {
        self.reading.report(fault, &self.place, FieldPart::Value);
    }
}

impl<'doc> Fields<'doc> {
    pub(super) fn new(reading: &'doc Reading<'doc>, map: &'doc Map<String, Value>) -> Self {
        Self { reading, map, place: reading.base().clone(), known: Vec::new() }
    }

    /// Text; empty when it is not given, as Argo CD makes no difference.
    pub(super) fn text(&mut self, name: &'static str) -> String {
        self.given_text(name).unwrap_or_default()
    }

    /// Text that is not empty.
    pub(super) fn non_empty_text(&mut self, name: &'static str) -> Option<String> {
        self.given_text(name).filter(|text| !text.is_empty())
    }

    /// Text, where empty is not the same as not given.
    pub(super) fn given_text(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()),
            other => self.wrong_type(name, other, "text"),
        }
    }

    /// Text that must be given, though it may be empty.
    pub(super) fn required_text(&mut self, name: &'static str) -> String {
        let text = self.text(name);
        self.require(name);
        text
    }

    /// `true` or `false`; false when it is not given.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.given_flag(name).unwrap_or_default()
    }

    /// `true`, `false`, or not given.
    pub(super) fn given_flag(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(*flag),
            other => self.wrong_type(name, other, "`true` or `false`"),
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.value(name)?;
        match value.as_i64() {
            Some(number) => Some(number),
            None => self.wrong_type(name, value, "a whole number"),
        }
    }

    /// A whole number that must be given, as a number or as text (Kubernetes' `IntOrString`).
    pub(super) fn required_integer_or_text(&mut self, name: &'static str) -> i64 {
        let value = self.value(name);
        self.require(name);
        let number = match value {
            None => return 0,
            Some(Value::String(text)) => text.parse().ok(),
            Some(other) => other.as_i64(),
        };
        match (number, value) {
            (None, Some(value)) => self.wrong_type(name, value, "a whole number").unwrap_or_default(),
            (number, _) => number.unwrap_or_default(),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.texts_with_index(name).into_iter().map(|(_, text)| text).collect()
    }

    /// A list of texts, each with its place in the list.
    pub(super) fn texts_with_index(&mut self, name: &'static str) -> Vec<(usize, String)> {
        let items = self.items(name).into_iter().enumerate();
        items
            .filter_map(|(index, (place, item))| match item {
                Value::String(text) => Some((index, text.clone())),
                other => self.wrong_type_at(&place, other, "text"),
            })
            .collect()
    }

    /// A map of any keys to texts.
    pub(super) fn text_map(&mut self, name: &'static str) -> BTreeMap<String, String> {
        self.free_map(name, "text", |value| value.as_str().map(str::to_owned))
    }

    /// A map of any keys to flags.
    pub(super) fn flag_map(&mut self, name: &'static str) -> BTreeMap<String, bool> {
        self.free_map(name, "`true` or `false`", Value::as_bool)
    }

    /// A map of any content.
    pub(super) fn map(&mut self, name: &'static str) -> Option<&'doc Map<String, Value>> {
        match self.value(name)? {
            Value::Object(map) => Some(map),
            other => self.wrong_type(name, other, "a map"),
        }
    }

    /// A map of known fields.
    pub(super) fn fields(&mut self, name: &'static str) -> Option<Self> {
        let map = self.map(name)?;
        Some(Self { reading: self.reading, map, place: self.place.child(name), known: Vec::new() })
    }

    /// A map of known fields that must be given.
    pub(super) fn required_fields(&mut self, name: &'static str) -> Option<Self> {
        let fields = self.fields(name);
        self.require(name);
        fields
    }

    /// A list of maps of known fields.
    pub(super) fn list(&mut self, name: &'static str) -> Vec<Self> {
        self.items(name)
            .into_iter()
            .filter_map(|(place, item)| match item {
                Value::Object(map) => Some(Self { reading: self.reading, map, place, known: Vec::new() }),
                other => self.wrong_type_at(&place, other, "a map"),
            })
            .collect()
    }

    /// Some fields as they were written.
    pub(super) fn copied(&self, names: &[&str]) -> Map<String, Value> {
        let wanted = self.map.iter().filter(|(name, value)| names.contains(&name.as_str()) && !value.is_null());
        wanted.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// All fields as they were written, those among them that nobody knows.
    pub(super) fn whole(&self) -> Map<String, Value> {
        self.map.clone()
    }

    /// Fields that may be there and are not looked into.
    pub(super) fn know(&mut self, names: &[&'static str]) {
        for name in names {
            if !self.known.contains(name) {
                self.known.push(name);
            }
        }
    }

    /// Whether a field is there and not `null`.
    pub(super) fn is_given(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether something was already found about a field.
    pub(super) fn has_fault(&self, name: &str) -> bool {
        self.reading.has_fault(&self.place.child(name))
    }

    /// Reports a fault of the whole map, at its key.
    pub(super) fn fault(&self, fault: &Fault) {
        self.reading.report(fault, &self.place, FieldPart::Key);
    }

    /// Reports a fault of a field's value.
    pub(super) fn fault_at(&self, name: &str, fault: &Fault) {
        self.reading.report(fault, &self.place.child(name), FieldPart::Value);
    }

    /// Reports a fault of an item of a field's list.
    pub(super) fn fault_at_item(&self, name: &str, index: usize, fault: &Fault) {
        self.reading.report(fault, &self.place.child(name).index(index), FieldPart::Value);
    }

    /// Reports a fault of a key in a field's map.
    pub(super) fn fault_at_key(&self, name: &str, key: &str, fault: &Fault) {
        self.reading.report(fault, &self.place.child(name).child(key), FieldPart::Key);
    }

    /// The line of the map, counted from 1.
    pub(super) fn line(&self) -> usize {
        self.reading.line(&self.place)
    }

    /// The line of a field, counted from 1.
    pub(super) fn line_of(&self, name: &str) -> usize {
        self.reading.line(&self.place.child(name))
    }

    /// The line of an item of a field's list, counted from 1.
    pub(super) fn line_of_item(&self, name: &str, index: usize) -> usize {
        self.reading.line(&self.place.child(name).index(index))
    }

    /// The map as people write its path: `spec.source`.
    pub(super) fn shown(&self) -> String {
        self.reading.shown(&self.place)
    }

    /// A field as people write its path: `spec.source.path`.
    pub(super) fn shown_field(&self, name: &str) -> String {
        self.reading.shown(&self.place.child(name))
    }

    /// A field's place, to report a fault at later.
    pub(super) fn place_of(&self, name: &str) -> FaultPlace<'doc> {
        FaultPlace { reading: self.reading, place: self.place.child(name) }
    }

    /// Reports every field that nobody asked for.
    pub(super) fn finish(self) {
        let path = self.shown();
        for name in self.map.keys().filter(|name| !self.known.contains(&name.as_str())) {
            let guess = names::guess(name, &path, &self.known);
            let fault = Fault::UnknownField { field: name.clone(), path: path.clone(), guess };
            self.reading.report(&fault, &self.place.child(name.as_str()), FieldPart::Key);
        }
    }

    fn value(&mut self, name: &'static str) -> Option<&'doc Value> {
        self.know(&[name]);
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn require(&self, name: &str) {
        if !self.is_given(name) {
            self.fault(&Fault::Missing { path: self.shown(), field: name.to_owned() });
        }
    }

    fn items(&mut self, name: &'static str) -> Vec<(Pointer, &'doc Value)> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let place = self.place.child(name);
                items.iter().enumerate().map(|(index, item)| (place.index(index), item)).collect()
            }
            Some(other) => self.wrong_type(name, other, "a list").unwrap_or_default(),
        }
    }

    fn free_map<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let Some(map) = self.map(name) else { return BTreeMap::new() };
        let place = self.place.child(name);
        // `null` is as an absent key.
        map.iter()
            .filter(|(_, value)| !value.is_null())
            .filter_map(|(key, value)| match read(value) {
                Some(read) => Some((key.clone(), read)),
                None => self.wrong_type_at(&place.child(key.as_str()), value, expected),
            })
            .collect()
    }

    fn wrong_type<T>(&self, name: &str, value: &Value, expected: &'static str) -> Option<T> {
        self.wrong_type_at(&self.place.child(name), value, expected)
    }

    fn wrong_type_at<T>(&self, place: &Pointer, value: &Value, expected: &'static str) -> Option<T> {
        let path = self.reading.shown(place);
        let advice = names::advice_on_type(&path, value, expected);
        let fault = Fault::WrongType { path, found: type_name(value), expected, advice };
        self.reading.report(&fault, place, FieldPart::Value);
        None
    }
}
