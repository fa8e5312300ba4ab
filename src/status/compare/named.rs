//! Whether git says anything of a place where the prediction and the live object differ.
//!
//! In: what git says, the live object, a difference. Out: whether it is git's. The server changes more than what it is asked
//! to: it counts generations in annotations, webhooks have ideas of their own, and controllers write between the LIST and the
//! dry run. Where it is not known how a value is merged, all of it is taken for git's.
//!
//! Rule: KEP-555 (who applies an object says nothing of the fields that it does not name); Argo CD
//! gitops-engine/pkg/diff `removeWebhookMutation`.

use serde_json::Value;

use super::difference::{Difference, Pairs};
use super::shape::{Merge, Shape};
use crate::object::Object;

/// Whether git names the place, something in it, or a value that is applied as a whole and that the place is part of.
pub(super) fn is_named(spelled: &Value, live: &Object, difference: &Difference, shape: &Shape) -> bool {
    let tokens = difference.edit.path.tokens();
    let Some((first, rest)) = tokens.split_first() else { return true };
    let (Some(mut wanted), mut held) = (spelled.get(first), live.value().get(first)) else { return false };
    let mut shape = shape.child(first);
    for token in rest {
        let (next, below) = match (shape, wanted) {
            (Shape::Struct(_, Merge::Granular) | Shape::Map(Merge::Granular, _), Value::Object(map)) => {
                (map.get(token), held.and_then(|held| held.get(token)))
            }
            (Shape::List(..), Value::Array(wanted)) => {
                let live = held.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let index = token.parse::<usize>().ok().filter(|index| *index < live.len());
                // Items that cannot be distinguished are one value; a new item is one that git has.
                let (Some(pairs), Some(index)) = (Pairs::of(shape, wanted, live), index) else { return true };
                let same = pairs.other.iter().position(|other| *other == Some(index));
                (same.and_then(|same| wanted.get(same)), live.get(index))
            }
            _ => return true,
        };
        let Some(next) = next else { return false };
        shape = if matches!(shape, Shape::List(..)) { shape.item() } else { shape.child(token) };
        (wanted, held) = (next, below);
    }
    true
}
