//! Regular expressions in RE2's syntax, as Go reads and applies them.

use ::regex::bytes::{Captures, Regex, RegexBuilder};

use super::super::text::push_rune;
use super::regex_syntax::translate;
use super::{Args, Context, Fault, I, List, Result, T, TableEntry, Type, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("regexMatch", &[T, T], None, |_, args| {
        Ok(Value::Bool(compiled(args).is_ok_and(|regex| regex.is_match(args.text(1)))))
    }),
    ("mustRegexMatch", &[T, T], None, |_, args| Ok(Value::Bool(compiled(args)?.is_match(args.text(1))))),
    ("regexFindAll", &[T, T, I], None, |_, args| find_all(args, panicking(args)?)),
    ("mustRegexFindAll", &[T, T, I], None, |_, args| find_all(args, compiled(args)?)),
    ("regexFind", &[T, T], None, |_, args| Ok(find(args, &panicking(args)?))),
    ("mustRegexFind", &[T, T], None, |_, args| Ok(find(args, &compiled(args)?))),
    ("regexReplaceAll", &[T, T, T], None, |context, args| replace(context, args, &panicking(args)?, true)),
    ("mustRegexReplaceAll", &[T, T, T], None, |context, args| replace(context, args, &compiled(args)?, true)),
    ("regexReplaceAllLiteral", &[T, T, T], None, |context, args| replace(context, args, &panicking(args)?, false)),
    ("mustRegexReplaceAllLiteral", &[T, T, T], None, |context, args| replace(context, args, &compiled(args)?, false)),
    ("regexSplit", &[T, T, I], None, |_, args| split(args, panicking(args)?)),
    ("mustRegexSplit", &[T, T, I], None, |_, args| split(args, compiled(args)?)),
    ("regexQuoteMeta", &[T], None, |_, args| Ok(Value::text(quote_meta(args.text(0))))),
];

fn compiled(args: Args<'_>) -> std::result::Result<Regex, Fault> {
    let pattern = std::str::from_utf8(args.text(0)).or(Err("error parsing regexp: invalid UTF-8"))?;
    let translated = translate(pattern).map_err(|error| Fault::Message(format!("error parsing regexp: {error}")))?;
    RegexBuilder::new(&translated).build().map_err(|error| match error {
        ::regex::Error::CompiledTooBig(_) => Fault::Message("error parsing regexp: expression too large".to_owned()),
        _ => Fault::Message(format!("error parsing regexp: invalid expression: `{pattern}`")),
    })
}

/// A pattern in Go's syntax, for other users than templates.
pub(in crate::gotemplate) fn of_pattern(pattern: &str) -> std::result::Result<::regex::Regex, String> {
    let translated = translate(pattern).map_err(|error| format!("error parsing regexp: {error}"))?;
    ::regex::Regex::new(&translated).map_err(|error| format!("error parsing regexp: {error}"))
}

/// The message that Go's `MustCompile` panics with.
fn panicking(args: Args<'_>) -> std::result::Result<Regex, Fault> {
    compiled(args).map_err(|fault| match fault {
        Fault::Message(message) => {
            let pattern = String::from_utf8_lossy(args.text(0));
            let quoted = if pattern.contains('`') || pattern.contains(char::is_control) {
                super::super::fmt::quote(args.text(0))
            } else {
                format!("`{pattern}`")
            };
            Fault::Message(format!("regexp: Compile({quoted}): {message}"))
        }
        limit @ Fault::Limit(_) => limit,
    })
}

/// How many of the matches are wanted: all, when the number is below zero.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn find(args: Args<'_>, regex: &Regex) -> Value {
    Value::text(regex.find(args.text(1)).map_or(&b""[..], |found| found.as_bytes()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is compiled for this call alone")]
fn find_all(args: Args<'_>, regex: Regex) -> Result {
    let found: Vec<&[u8]> =
        regex.find_iter(args.text(1)).take(count(args.int(2))).map(|found| found.as_bytes()).collect();
    Ok(Value::List(if found.is_empty() { List::nil(Type::Text) } else { List::of_texts(found) }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is compiled for this call alone")]
fn split(args: Args<'_>, regex: Regex) -> Result {
    let (text, limit) = (args.text(1), args.int(2));
    if limit == 0 {
        return Ok(Value::List(List::nil(Type::Text)));
    }
    if !args.text(0).is_empty() && text.is_empty() {
        return Ok(Value::List(List::of_texts([""])));
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for found in regex.find_iter(text).take(count(limit)) {
        if limit > 0 && parts.len() + 1 == count(limit) {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&text[start..end]);
        }
        start = found.end();
    }
    if end != text.len() {
        parts.push(&text[start..]);
    }
    Ok(Value::List(List::of_texts(parts)))
}

fn replace(context: &mut dyn Context, args: Args<'_>, regex: &Regex, expands: bool) -> Result {
    let (text, replacement) = (args.text(1), args.text(2));
    let mut replaced = Vec::new();
    let mut after = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        let before = replaced.len();
        replaced.extend_from_slice(&text[after..found.start()]);
        if expands {
            expand(&mut replaced, replacement, &captures);
        } else {
            replaced.extend_from_slice(replacement);
        }
        context.charge(replaced.len() - before)?;
        after = found.end();
    }
    replaced.extend_from_slice(&text[after..]);
    Ok(Value::text(replaced))
}

/// Go's templates of replacements: `$1`, `$name`, `${name}`, `$$`.
fn expand(replaced: &mut Vec<u8>, replacement: &[u8], captures: &Captures<'_>) {
    let template = String::from_utf8_lossy(replacement);
    let mut rest = &*template;
    while let Some(dollar) = rest.find('$') {
        replaced.extend_from_slice(&rest.as_bytes()[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            push_rune(replaced, '$');
            rest = after;
            continue;
        }
        let is_braced = rest.starts_with('{');
        let inside = &rest[usize::from(is_braced)..];
        let length = inside.find(|next: char| !(next.is_alphanumeric() || next == '_')).unwrap_or(inside.len());
        let (name, after) = inside.split_at(length);
        if name.is_empty() || (is_braced && !after.starts_with('}')) {
            push_rune(replaced, '$');
            continue;
        }
        rest = &after[usize::from(is_braced)..];
        let group = match name.parse::<usize>() {
            Ok(number) if name.len() == 1 || !name.starts_with('0') => captures.get(number),
            _ => captures.name(name),
        };
        if let Some(group) = group {
            replaced.extend_from_slice(group.as_bytes());
        }
    }
    replaced.extend_from_slice(rest.as_bytes());
}

fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted
}
