//! The functions that every Go template has (`funcs.go`).

use super::compare::{equals_any, less, less_or_equal};
use super::convert::size;
use super::error::Fault;
use super::fmt::{sprint, sprintf, sprintln};
use super::function::{Args, Body, Context, Function, GoFunction, Param};
use super::limits::MAX_TEXT;
use super::run::zero_value;
use super::text::{first_rune, replace};
use super::unicode::is_print;
use super::value::{List, UintType, Value};

type Result = std::result::Result<Value, Fault>;

/// The function of that name.
pub(super) fn get(name: &str) -> Option<Function> {
    const REFLECT: Option<Param> = Some(Param::Reflect);
    let (params, variadic, body): (&[Param], Option<Param>, Body) = match name {
        "and" => (&[Param::Reflect], REFLECT, Body::And),
        "or" => (&[Param::Reflect], REFLECT, Body::Or),
        "call" => (&[Param::Reflect], REFLECT, Body::Call),
        _ => {
            let (params, variadic, body): (&[Param], Option<Param>, GoFunction) = match name {
                "html" => (&[], Some(Param::Any), html),
                "index" => (&[Param::Reflect], REFLECT, index),
                "slice" => (&[Param::Reflect], REFLECT, slice),
                "js" => (&[], Some(Param::Any), js),
                "len" => (&[Param::Reflect], None, len),
                "not" => (&[Param::Reflect], None, |_, args| Ok(Value::Bool(!args.value(0).is_true()))),
                "print" => (&[], Some(Param::Any), |_, args| Ok(Value::text(sprint(args.rest(0), MAX_TEXT)?))),
                "printf" => (&[Param::Text], Some(Param::Any), printf),
                "println" => (&[], Some(Param::Any), |_, args| Ok(Value::text(sprintln(args.rest(0), MAX_TEXT)?))),
                "urlquery" => (&[], Some(Param::Any), urlquery),
                "eq" => {
                    (&[Param::Reflect], REFLECT, |_, args| Ok(Value::Bool(equals_any(args.value(0), args.rest(1))?)))
                }
                "ne" => (&[Param::Reflect, Param::Reflect], None, |_, args| {
                    Ok(Value::Bool(!equals_any(args.value(0), args.rest(1))?))
                }),
                "lt" => (&[Param::Reflect, Param::Reflect], None, |_, args| {
                    Ok(Value::Bool(less(args.value(0), args.value(1))?))
                }),
                "le" => (&[Param::Reflect, Param::Reflect], None, |_, args| {
                    Ok(Value::Bool(less_or_equal(args.value(0), args.value(1))?))
                }),
                "gt" => (&[Param::Reflect, Param::Reflect], None, |_, args| {
                    Ok(Value::Bool(!less_or_equal(args.value(0), args.value(1))?))
                }),
                "ge" => (&[Param::Reflect, Param::Reflect], None, |_, args| {
                    Ok(Value::Bool(!less(args.value(0), args.value(1))?))
                }),
                _ => return None,
            };
            (params, variadic, Body::Native(body))
        }
    };
    Some(Function { params, variadic, body })
}

fn printf(_: &mut dyn Context, args: Args<'_>) -> Result {
    let values: Vec<Value> = args.rest(1).cloned().collect();
    Ok(Value::text(sprintf(args.text(0), &values, MAX_TEXT)?))
}

/// Go's `indexArg`: the index may be as large as the length.
fn index_argument(index: &Value, length: usize) -> std::result::Result<usize, Fault> {
    let number = match index {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => number.cast_signed(),
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        _ => return Err(Fault::Message(format!("cannot index slice/array with type {}", index.type_name()))),
    };
    if number < 0 || size(number) > length {
        return Err(Fault::Message(format!("index out of range: {number}")));
    }
    Ok(size(number))
}

fn index(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut item = args.value(0).clone();
    if let Value::Nil = item {
        return Err("index of untyped nil".into());
    }
    for index in args.rest(1) {
        item = match &item {
            Value::Nil => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let at = index_argument(index, list.len())?;
                list.get(at).ok_or("reflect: slice index out of range")?
            }
            Value::Text(text) | Value::Bytes(text) => {
                let at = index_argument(index, text.len())?;
                let what = if matches!(item, Value::Text(_)) { "string" } else { "slice" };
                let byte = text.bytes().get(at).ok_or(format!("reflect: {what} index out of range"))?;
                Value::Uint(UintType::U8, u64::from(*byte))
            }
            Value::Map(map) => match index {
                Value::Text(key) => map.get(key.bytes()).unwrap_or_else(|| zero_value(map.element())),
                Value::Nil => return Err("value is nil; should be of type string".into()),
                _ => return Err(Fault::Message(format!("value has type {}; should be string", index.type_name()))),
            },
            _ => return Err(Fault::Message(format!("can't index item of type {}", item.type_name()))),
        };
    }
    Ok(item)
}

fn slice(_: &mut dyn Context, args: Args<'_>) -> Result {
    let item = args.value(0);
    let indexes = args.len() - 1;
    if let Value::Nil = item {
        return Err("slice of untyped nil".into());
    }
    if indexes > 3 {
        return Err(Fault::Message(format!("too many slice indexes: {indexes}")));
    }
    let length = match item {
        Value::Text(_) if indexes == 3 => return Err("cannot 3-index slice a string".into()),
        Value::Text(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        _ => return Err(Fault::Message(format!("can't slice item of type {}", item.type_name()))),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(args.rest(1)) {
        *bound = index_argument(index, length)?;
    }
    let [from, to, end] = bounds;
    for (low, high) in [(from, to), (to, end)] {
        if low > high {
            return Err(Fault::Message(format!("invalid slice index: {low} > {high}")));
        }
    }
    Ok(match item {
        Value::List(list) => Value::List(List::of(list.element().clone(), list.items()[from..to].to_vec())),
        Value::Bytes(bytes) => Value::Bytes(bytes.bytes()[from..to].into()),
        Value::Text(text) => Value::text(&text.bytes()[from..to]),
        _ => Value::Nil,
    })
}

fn len(_: &mut dyn Context, args: Args<'_>) -> Result {
    let length = match args.value(0) {
        Value::Nil if args.operand(0).is_interface => return Err("len of nil pointer".into()),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::Text(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        value => return Err(Fault::Message(format!("len of type {}", value.type_name().trim_start_matches('*')))),
    };
    Ok(Value::int(super::convert::length(length)))
}

/// The arguments as one text, printed as templates print them.
fn joined(args: Args<'_>) -> std::result::Result<Vec<u8>, Fault> {
    let no_value = Value::text("<no value>");
    let values = args.rest(0).map(|value| if let Value::Nil = value { &no_value } else { value });
    Ok(sprint(values, MAX_TEXT)?)
}

fn html(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut escaped = Vec::new();
    for byte in joined(args)? {
        match byte {
            0 => escaped.extend_from_slice("\u{FFFD}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            _ => escaped.push(byte),
        }
    }
    Ok(Value::text(escaped))
}

fn js(_: &mut dyn Context, args: Args<'_>) -> Result {
    let text = joined(args)?;
    let mut escaped = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (rune, width) = first_rune(&text[at..]);
        match rune {
            '\\' | '\'' | '"' => escaped.extend_from_slice(&[b'\\', text[at]]),
            '<' | '>' | '&' | '=' | '\0'..='\u{1F}' => {
                escaped.extend_from_slice(format!("\\u{:04X}", u32::from(rune)).as_bytes());
            }
            _ if rune.is_ascii() || is_print(rune) => escaped.extend_from_slice(&text[at..at + width]),
            _ => escaped.extend_from_slice(format!("\\u{:04X}", u32::from(rune)).as_bytes()),
        }
        at += width;
    }
    Ok(Value::text(escaped))
}

fn urlquery(_: &mut dyn Context, args: Args<'_>) -> Result {
    let escaped: String = form_urlencoded::byte_serialize(&joined(args)?).collect();
    // Go leaves the tilde as it is, and escapes the asterisk.
    let escaped = replace(&replace(escaped.as_bytes(), b"%7E", b"~"), b"*", b"%2A");
    Ok(Value::text(escaped))
}
