//! Go's types, as errors and `%T` print them.

use std::fmt;
use std::rc::Rc;

/// Go's signed integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntType {
    /// `int`, 64 bits wide.
    Int,
    /// `int8`.
    I8,
    /// `int16`.
    I16,
    /// `int32`.
    I32,
    /// `int64`.
    I64,
}

/// Go's unsigned integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UintType {
    /// `uint`, 64 bits wide.
    Uint,
    /// `uint8`.
    U8,
    /// `uint16`.
    U16,
    /// `uint32`.
    U32,
    /// `uint64`.
    U64,
}

/// A Go type, displayed as `%T` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`.
    Interface,
    /// `bool`.
    Bool,
    /// A signed integer.
    Int(IntType),
    /// An unsigned integer.
    Uint(UintType),
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// `complex128`.
    Complex128,
    /// `string`.
    Text,
    /// `[]uint8`.
    Bytes,
    /// A slice of these.
    List(Rc<Type>),
    /// A map from strings to these.
    Map(Rc<Type>),
    /// The type of an [`Object`].
    Named(Rc<str>),
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interface => "interface {}",
            Self::Bool => "bool",
            Self::Int(IntType::Int) => "int",
            Self::Int(IntType::I8) => "int8",
            Self::Int(IntType::I16) => "int16",
            Self::Int(IntType::I32) => "int32",
            Self::Int(IntType::I64) => "int64",
            Self::Uint(UintType::Uint) => "uint",
            Self::Uint(UintType::U8) => "uint8",
            Self::Uint(UintType::U16) => "uint16",
            Self::Uint(UintType::U32) => "uint32",
            Self::Uint(UintType::U64) => "uint64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::Text => "string",
            Self::Bytes => "[]uint8",
            Self::List(element) => return write!(formatter, "[]{element}"),
            Self::Map(element) => return write!(formatter, "map[string]{element}"),
            Self::Named(name) => name,
        })
    }
}
