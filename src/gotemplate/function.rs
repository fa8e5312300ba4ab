//! Functions: a name, typed parameters, and one Rust function; a set of them is what a template may call.

use std::collections::HashMap;
use std::rc::Rc;

use super::error::Fault;
use super::text::Text;
use super::value::{IntType, List, Map, Operand, Type, UintType, Value};

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// `interface{}`: anything, nil too.
    Any,
    /// `reflect.Value`: anything, and the function sees whether it was an interface.
    Reflect,
    /// `string`.
    Text,
    /// `bool`.
    Bool,
    /// `int`.
    Int,
    /// `uint32`.
    Uint32,
    /// `float64`.
    Float64,
    /// `map[string]interface{}`.
    Map,
    /// `[]interface{}`.
    List,
    /// `[]string`.
    Texts,
    /// An [`Object`](super::Object) of that type.
    Object(&'static str),
}

impl Param {
    /// The type as Go prints it.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint32 => "uint32",
            Self::Float64 => "float64",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Texts => "[]string",
            Self::Object(name) => name,
        }
    }

    /// The value that nil becomes, for the types that can be nil.
    pub(super) fn nil(self) -> Option<Operand> {
        Some(match self {
            Self::Any => Operand { value: Value::Nil, is_interface: true },
            Self::Reflect => Operand::invalid(),
            Self::Map => Operand::typed(Value::Map(Map::nil(Type::Interface))),
            Self::List => Operand::typed(Value::List(List::nil(Type::Interface))),
            Self::Texts => Operand::typed(Value::List(List::nil(Type::Text))),
            _ => return None,
        })
    }

    /// Whether a value of that dynamic type can be given.
    pub(super) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any | Self::Reflect, _)
            | (Self::Text, Value::Text(_))
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(IntType::Int, _))
            | (Self::Uint32, Value::Uint(UintType::U32, _))
            | (Self::Float64, Value::Float64(_)) => true,
            (Self::Map, Value::Map(map)) => *map.element() == Type::Interface,
            (Self::List, Value::List(list)) => *list.element() == Type::Interface,
            (Self::Texts, Value::List(list)) => *list.element() == Type::Text,
            (Self::Object(name), Value::Object(object)) => object.type_name() == name,
            _ => false,
        }
    }
}

/// The arguments of a call, checked against the parameters. What is not there reads as the zero value of its type.
#[derive(Clone, Copy)]
pub struct Args<'a>(pub(super) &'a [Operand]);

impl<'a> Args<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Any argument.
    pub fn value(&self, index: usize) -> &'a Value {
        self.0.get(index).map_or(&Value::Nil, |operand| &operand.value)
    }

    /// An argument as a `reflect.Value`.
    pub(super) fn operand(&self, index: usize) -> Operand {
        self.0.get(index).cloned().unwrap_or_else(Operand::invalid)
    }

    /// A `string`.
    pub fn text(&self, index: usize) -> &'a [u8] {
        match self.value(index) {
            Value::Text(text) => text.bytes(),
            _ => &[],
        }
    }

    /// An integer of any type.
    pub fn int(&self, index: usize) -> i64 {
        match self.value(index) {
            Value::Int(_, value) => *value,
            Value::Uint(_, value) => value.cast_signed(),
            _ => 0,
        }
    }

    /// A `float64`.
    pub fn float(&self, index: usize) -> f64 {
        match self.value(index) {
            Value::Float64(value) => *value,
            _ => 0.0,
        }
    }

    /// A `bool`.
    pub fn bool(&self, index: usize) -> bool {
        matches!(self.value(index), Value::Bool(true))
    }

    /// A `map[string]interface{}`.
    pub fn map(&self, index: usize) -> Map {
        match self.value(index) {
            Value::Map(map) => map.clone(),
            _ => Map::nil(Type::Interface),
        }
    }

    /// The arguments from an index on.
    pub fn rest(&self, from: usize) -> impl DoubleEndedIterator<Item = &'a Value> + Clone + use<'a> {
        self.0.get(from..).unwrap_or_default().iter().map(|operand| &operand.value)
    }
}

/// The context that a function may use besides its arguments.
pub trait Context {
    /// Counts bytes that the function is about to make, before it makes them.
    fn charge(&mut self, bytes: usize) -> Result<(), Fault>;

    /// The clock, the zone and the randomness of the run.
    fn host(&self) -> &dyn super::Host;

    /// Runs a named template, as Helm's `include` does.
    fn execute(&mut self, template: &str, dot: Value) -> Result<Text, Fault>;
}

/// The Rust side of a function.
pub type GoFunction = fn(&mut dyn Context, Args<'_>) -> Result<Value, Fault>;

/// The Rust side of a function that holds something, such as the value whose method it is.
pub type Bound = Rc<dyn Fn(&mut dyn Context, Args<'_>) -> Result<Value, Fault>>;

#[derive(Clone)]
pub(super) enum Body {
    Native(GoFunction),
    Bound(Bound),
    And,
    Or,
    Call,
}

/// A function or a method.
#[derive(Clone)]
pub struct Function {
    pub(super) params: &'static [Param],
    pub(super) variadic: Option<Param>,
    pub(super) body: Body,
}

impl Function {
    /// A function with a fixed number of parameters.
    pub fn new(params: &'static [Param], body: GoFunction) -> Self {
        Self { params, variadic: None, body: Body::Native(body) }
    }

    /// A function that holds something.
    pub fn bound(params: &'static [Param], body: Bound) -> Self {
        Self { params, variadic: None, body: Body::Bound(body) }
    }

    /// The same function, with any number of further arguments of one type.
    #[must_use]
    pub fn variadic(mut self, param: Param) -> Self {
        self.variadic = Some(param);
        self
    }

    /// The type of an argument, by its position.
    pub(super) fn param(&self, index: usize) -> Param {
        self.params.get(index).copied().or(self.variadic).unwrap_or(Param::Any)
    }
}

/// One line of a table of functions: name, parameters, the type of further ones, and the function.
pub type TableEntry = (&'static str, &'static [Param], Option<Param>, GoFunction);

/// The functions that templates may call, besides Go's own.
#[derive(Clone, Default)]
pub struct Functions(HashMap<Rc<str>, Function>);

impl Functions {
    /// Adds a function; one of the same name is replaced.
    pub fn add(&mut self, name: &str, function: Function) {
        self.0.insert(name.into(), function);
    }

    /// Adds the functions of a table.
    pub fn add_table(&mut self, table: &[TableEntry]) {
        for (name, params, variadic, body) in table {
            self.add(name, Function { params, variadic: *variadic, body: Body::Native(*body) });
        }
    }

    /// Removes functions by name.
    pub fn remove(&mut self, names: &[&str]) {
        for name in names {
            self.0.remove(*name);
        }
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }
}
