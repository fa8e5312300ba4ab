//! The parameters and the result of the functions in the tables.

use super::super::error::Fault;
use super::super::function::Param;
use super::super::value::Value;

pub(super) type Result = std::result::Result<Value, Fault>;

pub(super) const ANY: Option<Param> = Some(Param::Any);
pub(super) const T: Param = Param::Text;
pub(super) const I: Param = Param::Int;
pub(super) const A: Param = Param::Any;

/// Go's panic message for a type assertion on a nil interface.
pub(super) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";
