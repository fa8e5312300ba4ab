//! Defaults, logic and reflection.

use super::super::compare::deep_equal;
use super::{A, ANY, Args, Context, Param, Result, T, TableEntry, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("default", &[A], ANY, default),
    ("empty", &[A], None, |_, args| Ok(Value::Bool(!args.value(0).is_true()))),
    ("coalesce", &[], ANY, |_, args| Ok(args.rest(0).find(|value| value.is_true()).cloned().unwrap_or(Value::Nil))),
    ("all", &[], ANY, |_, args| Ok(Value::Bool(args.rest(0).all(Value::is_true)))),
    ("any", &[], ANY, |_, args| Ok(Value::Bool(args.rest(0).any(Value::is_true)))),
    ("ternary", &[A, A, Param::Bool], None, |_, args| Ok(args.value(usize::from(!args.bool(2))).clone())),
    ("typeOf", &[A], None, |_, args| Ok(Value::text(args.value(0).type_name()))),
    ("typeIs", &[T, A], None, |_, args| Ok(Value::Bool(args.value(1).type_name().as_bytes() == args.text(0)))),
    ("typeIsLike", &[T, A], None, type_is_like),
    ("kindOf", &[A], None, |_, args| Ok(Value::text(args.value(0).kind_name()))),
    ("kindIs", &[T, A], None, |_, args| Ok(Value::Bool(args.value(1).kind_name().as_bytes() == args.text(0)))),
    ("deepEqual", &[A, A], None, |_, args| Ok(Value::Bool(deep_equal(args.value(0), args.value(1))?))),
];

fn default(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(args.rest(1).next().filter(|given| given.is_true()).unwrap_or(args.value(0)).clone())
}

fn type_is_like(_: &mut dyn Context, args: Args<'_>) -> Result {
    let found = args.value(1).type_name();
    let wanted = args.text(0);
    Ok(Value::Bool(found.as_bytes() == wanted || [b"*", wanted].concat() == found.as_bytes()))
}
