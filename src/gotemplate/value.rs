//! Values as Go keeps them: kinds apart, maps and lists shared and changed in place.
//!
//! A [`Value`] is what an `interface{}` holds, an [`Operand`] what a `reflect.Value` is: it also knows whether its static
//! type is `interface{}`, which decides what Go prints in errors.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::function::Function;
use super::text::Text;
pub use super::types::{IntType, Type, UintType};

/// The value that an `interface{}` holds.
#[derive(Clone)]
pub enum Value {
    /// `nil`.
    Nil,
    /// A bool.
    Bool(bool),
    /// A signed integer.
    Int(IntType, i64),
    /// An unsigned integer.
    Uint(UintType, u64),
    /// A `float32`.
    Float32(f32),
    /// A `float64`: what every number of JSON and YAML becomes.
    Float64(f64),
    /// A `complex128`.
    Complex128(f64, f64),
    /// A string.
    Text(Text),
    /// A `[]byte`.
    Bytes(Text),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// A struct, or a pointer to one.
    Object(Rc<dyn GoObject>),
}

/// A slice, shared by all who hold it.
#[derive(Clone)]
pub struct List(Rc<ListData>);

struct ListData {
    element: Type,
    is_nil: bool,
    items: RefCell<Vec<Value>>,
}

/// A map, shared by all who hold it: `set` changes it for everybody.
#[derive(Clone)]
pub struct Map(Rc<MapData>);

struct MapData {
    element: Type,
    is_nil: bool,
    entries: RefCell<BTreeMap<Text, Value>>,
}

/// A value with methods and fields: a time, a version, a chart's files.
pub trait GoObject: Any {
    /// The Go type, such as `*semver.Version`.
    fn type_name(&self) -> &str;

    /// Whether it is a pointer to a struct.
    fn is_pointer(&self) -> bool {
        false
    }

    /// The result of `String()` or `Error()`, for the types that have it.
    fn to_text(&self) -> Option<Text> {
        None
    }

    /// The method of that name, bound to this value.
    fn method(self: Rc<Self>, _name: &str) -> Option<Function> {
        None
    }

    /// The fields in order; templates see those whose name starts with a capital letter, `fmt` prints all.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The result of `MarshalJSON`, for the types that have it.
    fn to_json(&self) -> Option<String> {
        None
    }

    /// Go's `==` on two values of this type.
    fn equals(&self, _other: &dyn GoObject) -> bool {
        false
    }

    /// For the functions that know the type.
    fn as_any(&self) -> &dyn Any;
}

impl List {
    /// A `[]interface{}`.
    pub fn new(items: Vec<Value>) -> Self {
        Self::of(Type::Interface, items)
    }

    /// A slice of one type.
    pub fn of(element: Type, items: Vec<Value>) -> Self {
        Self(Rc::new(ListData { element, is_nil: false, items: RefCell::new(items) }))
    }

    /// A nil slice, which prints as an empty one and is `null` in JSON.
    pub fn nil(element: Type) -> Self {
        Self(Rc::new(ListData { element, is_nil: true, items: RefCell::default() }))
    }

    /// A `[]string`.
    pub fn of_texts<T: Into<Text>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::of(Type::Text, texts.into_iter().map(|text| Value::Text(text.into())).collect())
    }

    /// The type of the elements.
    pub fn element(&self) -> &Type {
        &self.0.element
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.0.items.borrow().len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at an index.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.0.items.borrow().get(index).cloned()
    }

    /// The elements as they are now.
    pub fn items(&self) -> Vec<Value> {
        self.0.items.borrow().clone()
    }

    /// Puts the elements in another order, for everybody who holds the slice.
    pub(super) fn sort_by(&self, compare: impl FnMut(&Value, &Value) -> std::cmp::Ordering) {
        self.0.items.borrow_mut().sort_by(compare);
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Map {
    /// An empty `map[string]interface{}`.
    pub fn new() -> Self {
        Self::of(Type::Interface, BTreeMap::new())
    }

    /// A map to one type.
    pub fn of(element: Type, entries: BTreeMap<Text, Value>) -> Self {
        Self(Rc::new(MapData { element, is_nil: false, entries: RefCell::new(entries) }))
    }

    /// A nil map: it reads as an empty one and cannot be written to.
    pub fn nil(element: Type) -> Self {
        Self(Rc::new(MapData { element, is_nil: true, entries: RefCell::default() }))
    }

    /// The type of the values.
    pub fn element(&self) -> &Type {
        &self.0.element
    }

    /// Whether it is a nil map.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.entries.borrow().get(key).cloned()
    }

    /// Sets the value of a key, for everybody who holds the map.
    pub fn insert(&self, key: Text, value: Value) {
        self.0.entries.borrow_mut().insert(key, value);
    }

    /// Removes a key.
    pub fn remove(&self, key: &[u8]) {
        self.0.entries.borrow_mut().remove(key);
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.0.entries.borrow().contains_key(key)
    }

    /// The entries as they are now, by key.
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.0.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The keys as they are now, in order.
    pub fn keys(&self) -> Vec<Text> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// Drops what is inside one after the other: a chain of a million maps must not need a million stack frames.
fn drop_all(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => {
                if let Some(data) = Rc::into_inner(list.0) {
                    pending.append(&mut data.items.borrow_mut());
                }
            }
            Value::Map(map) => {
                if let Some(data) = Rc::into_inner(map.0) {
                    pending.extend(std::mem::take(&mut *data.entries.borrow_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

impl Drop for ListData {
    fn drop(&mut self) {
        let items = std::mem::take(self.items.get_mut());
        if items.iter().any(is_container) {
            drop_all(items);
        }
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        let entries = std::mem::take(self.entries.get_mut());
        if entries.values().any(is_container) {
            drop_all(entries.into_values().collect());
        }
    }
}

/// Whether Go shows a field outside of its package.
pub(super) fn is_exported(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// Go's `reflect.Value`. A nil value that is not an interface is Go's zero `reflect.Value`.
#[derive(Clone)]
pub struct Operand {
    /// Its value.
    pub value: Value,
    /// Whether its static type is `interface{}`.
    pub is_interface: bool,
}

impl Operand {
    /// A value whose static type is its own.
    pub(super) fn typed(value: Value) -> Self {
        Self { value, is_interface: false }
    }

    /// An element of a container of that type.
    pub(super) fn element(value: Value, container: &Type) -> Self {
        Self { value, is_interface: *container == Type::Interface }
    }

    /// Go's zero `reflect.Value`.
    pub(super) fn invalid() -> Self {
        Self::typed(Value::Nil)
    }

    /// Whether it is not Go's zero `reflect.Value`.
    pub(super) fn is_valid(&self) -> bool {
        self.is_interface || !matches!(self.value, Value::Nil)
    }

    /// The static type, as Go prints it.
    pub(super) fn type_name(&self) -> String {
        if self.is_interface { Type::Interface.to_string() } else { self.value.type_name() }
    }
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(IntType::Int, value)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(IntType::I64, value)
    }

    /// A string.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// A list of any values.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A map of any values.
    pub fn map(entries: impl IntoIterator<Item = (Text, Self)>) -> Self {
        Self::Map(Map::of(Type::Interface, entries.into_iter().collect()))
    }

    /// JSON as `json.Unmarshal` reads it: every number is a `float64`.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Float64(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::text(text.as_str()),
            serde_json::Value::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(entries) => {
                Self::map(entries.iter().map(|(key, value)| (Text::from(key.as_str()), Self::from_json(value))))
            }
        }
    }

    /// The dynamic type; nil has none.
    pub fn go_type(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(int, _) => Type::Int(*int),
            Self::Uint(uint, _) => Type::Uint(*uint),
            Self::Float32(_) => Type::Float32,
            Self::Float64(_) => Type::Float64,
            Self::Complex128(..) => Type::Complex128,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
            Self::List(list) => Type::List(Rc::new(list.element().clone())),
            Self::Map(map) => Type::Map(Rc::new(map.element().clone())),
            Self::Object(object) => Type::Named(object.type_name().into()),
        })
    }

    /// The dynamic type as `%T` prints it.
    pub(super) fn type_name(&self) -> String {
        self.go_type().map_or_else(|| "<nil>".to_owned(), |found| found.to_string())
    }

    /// The kind as `reflect.Kind` prints it.
    pub(super) fn kind_name(&self) -> String {
        match self {
            Self::Nil => "invalid".to_owned(),
            Self::Bytes(_) | Self::List(_) => "slice".to_owned(),
            Self::Map(_) => "map".to_owned(),
            Self::Object(object) if object.is_pointer() => "ptr".to_owned(),
            Self::Object(_) => "struct".to_owned(),
            _ => self.type_name(),
        }
    }

    /// The truth of `if`, `and`, `or`, `not`.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, value) => *value != 0,
            Self::Uint(_, value) => *value != 0,
            Self::Float32(value) => *value != 0.0,
            Self::Float64(value) => *value != 0.0,
            Self::Complex128(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Text(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => true,
        }
    }
}
