//! Paths with slashes (Go's `path`); the `os…` functions are the same here, and on every system that Argo CD runs on.

use super::super::function::GoFunction;
use super::super::text::rfind;
use super::{Args, Context, Result, T, TableEntry, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("base", &[T], None, base),
    ("dir", &[T], None, dir),
    ("clean", &[T], None, CLEAN),
    ("ext", &[T], None, ext),
    ("isAbs", &[T], None, is_abs),
    ("osBase", &[T], None, base),
    ("osClean", &[T], None, CLEAN),
    ("osDir", &[T], None, dir),
    ("osExt", &[T], None, ext),
    ("osIsAbs", &[T], None, is_abs),
    ("urlParse", &[T], None, super::url::parse),
    ("urlJoin", &[super::Param::Map], None, super::url::join),
];

const CLEAN: GoFunction = |_, args| Ok(Value::text(clean(args.text(0))));

fn base(_: &mut dyn Context, args: Args<'_>) -> Result {
    let path = args.text(0);
    if path.is_empty() {
        return Ok(Value::text("."));
    }
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let path = &path[..end];
    let name = rfind(path, b"/").map_or(path, |at| &path[at + 1..]);
    Ok(if name.is_empty() { Value::text("/") } else { Value::text(name) })
}

fn dir(_: &mut dyn Context, args: Args<'_>) -> Result {
    let path = args.text(0);
    Ok(Value::text(clean(&path[..rfind(path, b"/").map_or(0, |at| at + 1)])))
}

fn ext(_: &mut dyn Context, args: Args<'_>) -> Result {
    let path = args.text(0);
    let name = rfind(path, b"/").map_or(path, |at| &path[at + 1..]);
    Ok(Value::text(rfind(name, b".").map_or(&b""[..], |at| &name[at..])))
}

fn is_abs(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::Bool(args.text(0).starts_with(b"/")))
}

/// The shortest path that means the same.
fn clean(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if is_rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
