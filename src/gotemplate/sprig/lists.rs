//! Lists. Sprig reads slices of every type, and makes `[]interface{}`.

use std::rc::Rc;

use super::super::compare::deep_equal;
use super::super::convert::{float_of_int, length, size};
use super::cast::{elements, to_int};
use super::{A, ANY, Args, Context, Fault, I, List, NIL_DEREFERENCE, Result, TableEntry, Type, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("list", &[], ANY, list),
    ("tuple", &[], ANY, list),
    ("append", &[A, A], None, push),
    ("push", &[A, A], None, push),
    ("mustAppend", &[A, A], None, push),
    ("mustPush", &[A, A], None, push),
    ("prepend", &[A, A], None, prepend),
    ("mustPrepend", &[A, A], None, prepend),
    ("first", &[A], None, first),
    ("mustFirst", &[A], None, first),
    ("rest", &[A], None, rest),
    ("mustRest", &[A], None, rest),
    ("last", &[A], None, last),
    ("mustLast", &[A], None, last),
    ("initial", &[A], None, initial),
    ("mustInitial", &[A], None, initial),
    ("reverse", &[A], None, reverse),
    ("mustReverse", &[A], None, reverse),
    ("compact", &[A], None, compact),
    ("mustCompact", &[A], None, compact),
    ("uniq", &[A], None, uniq),
    ("mustUniq", &[A], None, uniq),
    ("without", &[A], ANY, without),
    ("mustWithout", &[A], ANY, without),
    ("has", &[A, A], None, has),
    ("mustHas", &[A, A], None, has),
    ("slice", &[A], ANY, slice),
    ("mustSlice", &[A], ANY, slice),
    ("concat", &[], ANY, concat),
    ("chunk", &[I, A], None, chunk),
    ("mustChunk", &[I, A], None, chunk),
];

/// The elements, or what sprig says of what has none.
fn items(value: &Value, message: impl FnOnce(String) -> String) -> std::result::Result<Vec<Value>, Fault> {
    match elements(value) {
        Some(items) => Ok(items),
        None if matches!(value, Value::Nil) => Err(NIL_DEREFERENCE.into()),
        None => Err(Fault::Message(message(value.kind_name()))),
    }
}

fn items_for(value: &Value, verb: &str) -> std::result::Result<Vec<Value>, Fault> {
    items(value, |kind| format!("Cannot {verb} type {kind}"))
}

fn list(_: &mut dyn Context, args: Args<'_>) -> Result {
    if args.is_empty() {
        return Ok(Value::List(List::new(Vec::new())));
    }
    Ok(Value::list(args.rest(0).cloned().collect()))
}

fn push(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "push on")?;
    items.push(args.value(1).clone());
    Ok(Value::list(items))
}

fn prepend(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "prepend on")?;
    items.insert(0, args.value(1).clone());
    Ok(Value::list(items))
}

fn first(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(items_for(args.value(0), "find first on")?.into_iter().next().unwrap_or(Value::Nil))
}

fn last(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(items_for(args.value(0), "find last on")?.pop().unwrap_or(Value::Nil))
}

fn rest(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "find rest on")?;
    if items.is_empty() {
        return Ok(Value::List(List::nil(Type::Interface)));
    }
    items.remove(0);
    Ok(Value::list(items))
}

fn initial(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "find initial on")?;
    if items.pop().is_none() {
        return Ok(Value::List(List::nil(Type::Interface)));
    }
    Ok(Value::list(items))
}

fn reverse(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "find reverse on")?;
    items.reverse();
    Ok(Value::list(items))
}

fn compact(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut items = items_for(args.value(0), "compact on")?;
    items.retain(Value::is_true);
    Ok(Value::list(items))
}

fn contains(items: &[Value], wanted: &Value) -> std::result::Result<bool, Fault> {
    for item in items {
        if deep_equal(wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(context: &mut dyn Context, args: Args<'_>) -> Result {
    let items = items_for(args.value(0), "find uniq on")?;
    // Every element is compared with every other.
    context.charge(items.len().saturating_mul(items.len()) / 8)?;
    let mut unique = Vec::new();
    for item in items {
        if !contains(&unique, &item)? {
            unique.push(item);
        }
    }
    Ok(Value::list(unique))
}

fn without(context: &mut dyn Context, args: Args<'_>) -> Result {
    let items = items_for(args.value(0), "find without on")?;
    context.charge(items.len().saturating_mul(args.len()) / 8)?;
    let omitted: Vec<Value> = args.rest(1).cloned().collect();
    let mut kept = Vec::new();
    for item in items {
        if !contains(&omitted, &item)? {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn has(_: &mut dyn Context, args: Args<'_>) -> Result {
    if let Value::Nil = args.value(1) {
        return Ok(Value::Bool(false));
    }
    Ok(Value::Bool(contains(&items_for(args.value(1), "find has on")?, args.value(0))?))
}

fn slice(_: &mut dyn Context, args: Args<'_>) -> Result {
    let items = items(args.value(0), |kind| format!("list should be type of slice or array but {kind}"))?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = if args.len() > 1 { to_int(args.value(1)) } else { 0 };
    let end = if args.len() > 2 { to_int(args.value(2)) } else { length(items.len()) };
    if start < 0 || start > end || end > length(items.len()) {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    }
    let (start, end) = (size(start), size(end));
    Ok(match args.value(0) {
        Value::Bytes(bytes) => Value::Bytes(bytes.bytes()[start..end].into()),
        Value::List(list) => Value::List(List::of(list.element().clone(), items[start..end].to_vec())),
        _ => Value::Nil,
    })
}

fn concat(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut all = Vec::new();
    for value in args.rest(0) {
        all.append(&mut items(value, |kind| format!("Cannot concat type {kind} as list"))?);
    }
    Ok(Value::List(if all.is_empty() { List::nil(Type::Interface) } else { List::new(all) }))
}

fn chunk(_: &mut dyn Context, args: Args<'_>) -> Result {
    let items = items_for(args.value(1), "chunk")?;
    let (width, count) = (args.int(0), length(items.len()));
    // Go counts the chunks with floats before it looks at their width.
    let chunks = (float_of_int(count - 1) / float_of_int(width)).floor() + 1.0;
    if chunks.is_nan() || chunks < 0.0 || (width <= 0 && chunks > 0.0) {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let inner = Type::List(Rc::new(Type::Interface));
    let chunks = if width <= 0 {
        Vec::new()
    } else {
        items.chunks(size(width)).map(|chunk| Value::list(chunk.to_vec())).collect()
    };
    Ok(Value::List(List::of(inner, chunks)))
}
