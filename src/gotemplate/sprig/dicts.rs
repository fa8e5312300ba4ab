//! Maps, which are shared and changed in place.

use super::super::error::Limit;
use super::cast::to_text;
use super::{A, ANY, Args, Context, Fault, List, Map, Param, Result, T, TableEntry, Type, Value};

const M: Param = Param::Map;

/// How deep maps are merged and copied.
const MAX_DEPTH: usize = 200;

pub(super) const TABLE: &[TableEntry] = &[
    ("dict", &[], ANY, dict),
    ("get", &[M, T], None, |_, args| Ok(args.map(0).get(args.text(1)).unwrap_or_else(|| Value::text("")))),
    ("set", &[M, T, A], None, set),
    ("unset", &[M, T], None, |_, args| {
        args.map(0).remove(args.text(1));
        Ok(args.value(0).clone())
    }),
    ("hasKey", &[M, T], None, |_, args| Ok(Value::Bool(args.map(0).contains(args.text(1))))),
    ("pluck", &[T], Some(M), pluck),
    ("keys", &[], Some(M), keys),
    ("pick", &[M], Some(T), pick),
    ("omit", &[M], Some(T), omit),
    ("values", &[M], None, |_, args| {
        Ok(Value::list(args.map(0).entries().into_iter().map(|(_, value)| value).collect()))
    }),
    ("merge", &[M], Some(M), |context, args| merge(context, args, false)),
    ("mustMerge", &[M], Some(M), |context, args| merge(context, args, false)),
    ("mergeOverwrite", &[M], Some(M), |context, args| merge(context, args, true)),
    ("mustMergeOverwrite", &[M], Some(M), |context, args| merge(context, args, true)),
    ("deepCopy", &[A], None, |context, args| copy(context, args.value(0), 0)),
    ("mustDeepCopy", &[A], None, |context, args| copy(context, args.value(0), 0)),
    ("dig", &[], ANY, dig),
];

fn dict(_: &mut dyn Context, args: Args<'_>) -> Result {
    let map = Map::new();
    for at in (0..args.len()).step_by(2) {
        let value = if at + 1 < args.len() { args.value(at + 1).clone() } else { Value::text("") };
        map.insert(to_text(args.value(at))?, value);
    }
    Ok(Value::Map(map))
}

fn set(_: &mut dyn Context, args: Args<'_>) -> Result {
    let map = args.map(0);
    if map.is_nil() {
        return Err("assignment to entry in nil map".into());
    }
    map.insert(args.text(1).into(), args.value(2).clone());
    Ok(args.value(0).clone())
}

fn maps(args: Args<'_>, from: usize) -> impl Iterator<Item = Map> {
    (from..args.len()).map(move |at| args.map(at))
}

fn pluck(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::list(maps(args, 1).filter_map(|map| map.get(args.text(0))).collect()))
}

/// In order, where Go's are in none.
fn keys(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::List(List::of_texts(maps(args, 0).flat_map(|map| map.keys()))))
}

fn pick(_: &mut dyn Context, args: Args<'_>) -> Result {
    let (map, picked) = (args.map(0), Map::new());
    for at in 1..args.len() {
        if let Some(value) = map.get(args.text(at)) {
            picked.insert(args.text(at).into(), value);
        }
    }
    Ok(Value::Map(picked))
}

fn omit(_: &mut dyn Context, args: Args<'_>) -> Result {
    let kept = Map::new();
    for (key, value) in args.map(0).entries() {
        if !(1..args.len()).any(|at| args.text(at) == key.bytes()) {
            kept.insert(key, value);
        }
    }
    Ok(Value::Map(kept))
}

fn merge(context: &mut dyn Context, args: Args<'_>, overwrites: bool) -> Result {
    let mut target = args.map(0);
    for source in maps(args, 1) {
        if target.is_nil() && !source.is_nil() {
            target = Map::new();
        }
        merge_into(context, &target, &source, overwrites, 0)?;
    }
    Ok(Value::Map(target))
}

/// mergo's `deepMerge` on maps.
fn merge_into(
    context: &mut dyn Context,
    target: &Map,
    source: &Map,
    overwrites: bool,
    depth: usize,
) -> std::result::Result<(), Fault> {
    // Counted, because maps that hold each other have no end.
    context.charge(source.len().saturating_mul(64))?;
    if depth > MAX_DEPTH {
        return Err(Limit::Depth(MAX_DEPTH).into());
    }
    for (key, value) in source.entries() {
        let old = target.get(key.bytes());
        let is_nil = match &value {
            Value::Nil => true,
            Value::Map(map) => *source.element() != Type::Interface && map.is_nil(),
            _ => false,
        };
        if is_nil {
            if overwrites {
                target.insert(key, value);
            }
            continue;
        }
        if let (Some(Value::Map(old)), Value::Map(new)) = (&old, &value) {
            if target.is_nil() && !new.is_nil() {
                continue;
            }
            merge_into(context, old, new, overwrites, depth + 1)?;
            if !old.is_empty() {
                continue;
            }
        }
        if overwrites || old.as_ref().is_none_or(is_empty) {
            target.insert(key, value);
        }
    }
    Ok(())
}

/// mergo's `isEmptyValue`: structs are never empty.
fn is_empty(value: &Value) -> bool {
    !value.is_true()
}

fn copy(context: &mut dyn Context, value: &Value, depth: usize) -> Result {
    if depth == 0 && matches!(value, Value::Nil) {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    if depth > MAX_DEPTH {
        return Err(Limit::Depth(MAX_DEPTH).into());
    }
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            let items = list.items();
            context.charge(items.len().saturating_mul(32))?;
            let copied =
                items.iter().map(|item| copy(context, item, depth + 1)).collect::<std::result::Result<_, _>>()?;
            Value::List(List::of(list.element().clone(), copied))
        }
        Value::Map(map) if !map.is_nil() => {
            let entries = map.entries();
            context.charge(entries.len().saturating_mul(64))?;
            let mut copied = std::collections::BTreeMap::new();
            for (key, value) in entries {
                copied.insert(key, copy(context, &value, depth + 1)?);
            }
            Value::Map(Map::of(map.element().clone(), copied))
        }
        _ => value.clone(),
    })
}

/// Go's panic message for a type assertion that fails.
fn not_a(value: &Value, wanted: &str) -> Fault {
    let found = if let Value::Nil = value { "nil".to_owned() } else { value.type_name() };
    Fault::Message(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
}

fn dig(_: &mut dyn Context, args: Args<'_>) -> Result {
    const MAP: &str = "map[string]interface {}";
    let Some(last) = args.len().checked_sub(1).filter(|last| *last >= 2) else {
        return Err("dig needs at least three arguments".into());
    };
    let as_map = |value: &Value| match value {
        Value::Map(map) if *map.element() == Type::Interface => Ok(map.clone()),
        _ => Err(not_a(value, MAP)),
    };
    let mut map = as_map(args.value(last))?;
    let mut keys = Vec::new();
    for key in args.rest(0).take(last - 1) {
        let Value::Text(key) = key else { return Err(not_a(key, "string")) };
        keys.push(key);
    }
    for (at, key) in keys.iter().enumerate() {
        let Some(value) = map.get(key.bytes()) else { return Ok(args.value(last - 1).clone()) };
        if at + 1 == keys.len() {
            return Ok(value);
        }
        map = as_map(&value)?;
    }
    Ok(Value::Nil)
}
