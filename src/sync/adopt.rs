//! Stand-in.
use crate::object::Object;
use serde_json::Value;
/// The patch.
pub fn patch(_live: &Object, _managers: &[String]) -> Option<Value> {
    None
}
