//! Strings.

use super::super::convert::{length, size};
use super::super::text::{find, first_rune, last_rune, push_rune, replace, runes, split};
use super::super::unicode::{is_digit, is_letter, is_space, to_lower, to_title, to_upper};
use super::cast::{to_int, to_text, to_texts};
use super::words::{camel_case, hyphenated, swap_case, uncapitalize, wrap};
use super::{A, ANY, Args, Context, Fault, I, List, Map, Result, T, TableEntry, Text, Type, Value};

pub(super) const TABLE: &[TableEntry] = &[
    ("hello", &[], None, |_, _| Ok(Value::text("Hello!"))),
    ("abbrev", &[I, T], None, abbrev),
    ("abbrevboth", &[I, I, T], None, abbrevboth),
    ("trunc", &[I, T], None, trunc),
    ("trim", &[T], None, |_, args| Ok(Value::text(trim_by(args.text(0), is_space)))),
    ("upper", &[T], None, |_, args| Ok(mapped(args.text(0), to_upper))),
    ("lower", &[T], None, |_, args| Ok(mapped(args.text(0), to_lower))),
    ("title", &[T], None, title),
    ("untitle", &[T], None, |_, args| Ok(Value::text(uncapitalize(args.text(0))))),
    ("substr", &[I, I, T], None, substr),
    ("repeat", &[I, T], None, repeat),
    ("trimall", &[T, T], None, trim_all),
    ("trimAll", &[T, T], None, trim_all),
    ("trimSuffix", &[T, T], None, |_, args| {
        let text = args.text(1);
        Ok(Value::text(text.strip_suffix(args.text(0)).unwrap_or(text)))
    }),
    ("trimPrefix", &[T, T], None, |_, args| {
        let text = args.text(1);
        Ok(Value::text(text.strip_prefix(args.text(0)).unwrap_or(text)))
    }),
    ("nospace", &[T], None, nospace),
    ("initials", &[T], None, initials),
    ("swapcase", &[T], None, |_, args| Ok(Value::text(swap_case(args.text(0))))),
    ("snakecase", &[T], None, |_, args| Ok(Value::text(hyphenated(args.text(0), '_')))),
    ("camelcase", &[T], None, |_, args| Ok(Value::text(camel_case(args.text(0))))),
    ("kebabcase", &[T], None, |_, args| Ok(Value::text(hyphenated(args.text(0), '-')))),
    ("wrap", &[I, T], None, |_, args| Ok(Value::text(wrap(args.text(1), args.int(0), b"", false)))),
    ("wrapWith", &[I, T, T], None, wrap_with),
    ("contains", &[T, T], None, |_, args| Ok(Value::Bool(find(args.text(1), args.text(0)).is_some()))),
    ("hasPrefix", &[T, T], None, |_, args| Ok(Value::Bool(args.text(1).starts_with(args.text(0))))),
    ("hasSuffix", &[T, T], None, |_, args| Ok(Value::Bool(args.text(1).ends_with(args.text(0))))),
    ("quote", &[], ANY, quote),
    ("squote", &[], ANY, squote),
    ("cat", &[], ANY, cat),
    ("indent", &[I, T], None, |context, args| Ok(Value::text(indented(context, args)?))),
    ("nindent", &[I, T], None, nindent),
    ("replace", &[T, T, T], None, replace_all),
    ("plural", &[T, T, I], None, |_, args| Ok(args.value(usize::from(args.int(2) != 1)).clone())),
    ("toString", &[A], None, |_, args| Ok(Value::Text(to_text(args.value(0))?))),
    ("split", &[T, T], None, |_, args| Ok(numbered(split(args.text(1), args.text(0), -1)))),
    ("splitList", &[T, T], None, split_list),
    ("splitn", &[T, I, T], None, |_, args| Ok(numbered(split(args.text(2), args.text(0), args.int(1))))),
    ("toStrings", &[A], None, to_strings),
    ("join", &[T, A], None, join),
    ("sortAlpha", &[A], None, sort_alpha),
    ("fail", &[T], None, |_, args| Err(Fault::Message(String::from_utf8_lossy(args.text(0)).into_owned()))),
    ("shuffle", &[T], None, shuffle),
    ("randAlphaNum", &[I], None, |context, args| random(context, args, |byte| byte.is_ascii_alphanumeric())),
    ("randAlpha", &[I], None, |context, args| random(context, args, |byte| byte.is_ascii_alphabetic())),
    ("randAscii", &[I], None, |context, args| random(context, args, |byte| (b' '..=b'~').contains(&byte))),
    ("randNumeric", &[I], None, |context, args| random(context, args, |byte| byte.is_ascii_digit())),
];

/// Rune by rune; a byte that starts none becomes U+FFFD, as `strings.Map` makes it.
pub(super) fn mapped(bytes: &[u8], map: impl Fn(char) -> char) -> Value {
    let mut text = Vec::with_capacity(bytes.len());
    runes(bytes).for_each(|(_, rune, _)| push_rune(&mut text, map(rune)));
    Value::text(text)
}

fn trim_by(mut bytes: &[u8], is_cut: impl Fn(char) -> bool) -> &[u8] {
    while let (rune, width @ 1..) = first_rune(bytes)
        && is_cut(rune)
    {
        bytes = &bytes[width..];
    }
    while let (rune, width @ 1..) = last_rune(bytes)
        && is_cut(rune)
    {
        bytes = &bytes[..bytes.len() - width];
    }
    bytes
}

fn trim_all(_: &mut dyn Context, args: Args<'_>) -> Result {
    let cut: Vec<char> = runes(args.text(0)).map(|(_, rune, _)| rune).collect();
    Ok(Value::text(trim_by(args.text(1), |rune| cut.contains(&rune))))
}

fn abbreviated(text: &[u8], mut offset: i64, width: i64) -> Vec<u8> {
    let full = length(text.len());
    if text.is_empty() || width < 4 {
        return Vec::new();
    }
    if full <= width {
        return text.to_vec();
    }
    offset = offset.min(full);
    if full - offset < width - 3 {
        offset = full - (width - 3);
    }
    let kept = size(width - 3);
    if offset <= 4 {
        return [&text[..kept], b"..."].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < full {
        return [b"...".to_vec(), abbreviated(&text[size(offset)..], 0, width - 3)].concat();
    }
    [b"...", &text[text.len() - kept..]].concat()
}

fn abbrev(_: &mut dyn Context, args: Args<'_>) -> Result {
    let (width, text) = (args.int(0), args.text(1));
    Ok(if width < 4 { args.value(1).clone() } else { Value::text(abbreviated(text, 0, width)) })
}

fn abbrevboth(_: &mut dyn Context, args: Args<'_>) -> Result {
    let (left, right) = (args.int(0), args.int(1));
    let is_unchanged = right < 4 || (left > 0 && right < 7);
    Ok(if is_unchanged { args.value(2).clone() } else { Value::text(abbreviated(args.text(2), left, right)) })
}

fn trunc(_: &mut dyn Context, args: Args<'_>) -> Result {
    let (count, text) = (args.int(0), args.text(1));
    let full = length(text.len());
    Ok(match count {
        ..0 if full.saturating_add(count) > 0 => Value::text(&text[size(full + count)..]),
        0.. if full > count => Value::text(&text[..size(count)]),
        _ => args.value(1).clone(),
    })
}

fn title(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut text = Vec::new();
    let mut before = ' ';
    for (_, rune, _) in runes(args.text(0)) {
        push_rune(&mut text, if is_separator(before) { to_title(rune) } else { rune });
        before = rune;
    }
    Ok(Value::text(text))
}

fn is_separator(rune: char) -> bool {
    if rune.is_ascii() {
        !(rune.is_ascii_alphanumeric() || rune == '_')
    } else {
        !is_letter(rune) && !is_digit(rune) && is_space(rune)
    }
}

fn substr(_: &mut dyn Context, args: Args<'_>) -> Result {
    let (start, end, text) = (args.int(0), args.int(1), args.text(2));
    let full = length(text.len());
    let out_of_range = |what: String| Err(Fault::Message(format!("runtime error: slice bounds out of range [{what}")));
    if start < 0 {
        return match end {
            ..0 => out_of_range(format!(":{end}]")),
            _ if end > full => out_of_range(format!(":{end}] with length {full}")),
            _ => Ok(Value::text(&text[..size(end)])),
        };
    }
    let end = if end < 0 || end > full { full } else { end };
    if start > end {
        return out_of_range(format!("{start}:{end}]"));
    }
    Ok(Value::text(&text[size(start)..size(end)]))
}

/// Go's `strings.Repeat`.
fn repeated(context: &mut dyn Context, text: &[u8], count: i64) -> std::result::Result<Vec<u8>, Fault> {
    let count = usize::try_from(count).or(Err("strings: negative Repeat count"))?;
    context.charge(text.len().saturating_mul(count))?;
    Ok(text.repeat(count))
}

fn repeat(context: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::text(repeated(context, args.text(1), args.int(0))?))
}

/// Byte by byte, as sprig's library does it: outside of ASCII it damages the text.
fn nospace(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut text = Vec::new();
    let mut count = 0;
    for byte in args.text(0) {
        if !is_space(char::from(*byte)) {
            push_rune(&mut text, char::from(*byte));
            count += 1;
        }
    }
    Ok(if count == args.text(0).len() { args.value(0).clone() } else { Value::text(text) })
}

/// Byte by byte, too.
fn initials(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut text = Vec::new();
    let mut is_start = true;
    for byte in args.text(0) {
        if is_space(char::from(*byte)) {
            is_start = true;
        } else if std::mem::take(&mut is_start) {
            push_rune(&mut text, char::from(*byte));
        }
    }
    Ok(Value::text(text))
}

fn wrap_with(context: &mut dyn Context, args: Args<'_>) -> Result {
    let (width, separator, text) = (args.int(0), args.text(1), args.text(2));
    let lines = text.len() / size(width.max(1)) + 1;
    context.charge(lines.saturating_mul(separator.len().max(1)))?;
    Ok(Value::text(wrap(text, width, separator, true)))
}

fn not_nil(args: Args<'_>) -> impl Iterator<Item = &Value> {
    args.rest(0).filter(|value| !matches!(value, Value::Nil))
}

fn quote(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut parts = Vec::new();
    for value in not_nil(args) {
        parts.push(super::super::fmt::quote(to_text(value)?.bytes()));
    }
    Ok(Value::text(parts.join(" ")))
}

fn squote(_: &mut dyn Context, args: Args<'_>) -> Result {
    let mut parts = Vec::new();
    for value in not_nil(args) {
        parts.push([b"'", printed(value)?.as_slice(), b"'"].concat());
    }
    Ok(Value::text(parts.join(&b' ')))
}

fn printed(value: &Value) -> std::result::Result<Vec<u8>, Fault> {
    Ok(super::super::fmt::sprint(std::iter::once(value), super::super::limits::MAX_TEXT)?)
}

fn cat(_: &mut dyn Context, args: Args<'_>) -> Result {
    let parts: Vec<Vec<u8>> = not_nil(args).map(printed).collect::<std::result::Result<_, _>>()?;
    Ok(Value::text(parts.join(&b' ')))
}

fn indented(context: &mut dyn Context, args: Args<'_>) -> std::result::Result<Vec<u8>, Fault> {
    let text = args.text(1);
    let spaces = usize::try_from(args.int(0)).or(Err("strings: negative Repeat count"))?;
    let lines = text.split(|byte| *byte == b'\n').count();
    context.charge(lines.saturating_mul(spaces))?;
    let pad = b" ".repeat(spaces);
    let newline = [b"\n", pad.as_slice()].concat();
    Ok([pad, replace(text, b"\n", &newline)].concat())
}

fn nindent(context: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::text([b"\n".to_vec(), indented(context, args)?].concat()))
}

fn replace_all(context: &mut dyn Context, args: Args<'_>) -> Result {
    let (old, new, text) = (args.text(0), args.text(1), args.text(2));
    let most = (text.len() / old.len().max(1) + 1).saturating_mul(new.len());
    context.charge(most)?;
    Ok(Value::text(replace(text, old, new)))
}

fn numbered(parts: Option<Vec<&[u8]>>) -> Value {
    let parts = parts.unwrap_or_default();
    let entries = parts.into_iter().enumerate();
    Value::Map(Map::of(Type::Text, entries.map(|(at, part)| (format!("_{at}").into(), Value::text(part))).collect()))
}

fn split_list(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::List(List::of_texts(split(args.text(1), args.text(0), -1).unwrap_or_default())))
}

fn to_strings(_: &mut dyn Context, args: Args<'_>) -> Result {
    match args.value(0) {
        Value::List(list) if *list.element() == Type::Text => Ok(Value::List(list.clone())),
        value => Ok(Value::List(List::of_texts(to_texts(value)?))),
    }
}

fn join(_: &mut dyn Context, args: Args<'_>) -> Result {
    let texts = to_texts(args.value(1))?;
    let parts: Vec<&[u8]> = texts.iter().map(Text::bytes).collect();
    Ok(Value::text(parts.join(args.text(0))))
}

/// A `[]string` is sorted in place, as Go does it.
fn sort_alpha(_: &mut dyn Context, args: Args<'_>) -> Result {
    let by_text = |one: &Value, other: &Value| match (one, other) {
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        _ => std::cmp::Ordering::Equal,
    };
    match args.value(0) {
        Value::List(list) if *list.element() == Type::Text => {
            list.sort_by(by_text);
            Ok(Value::List(list.clone()))
        }
        value @ (Value::List(_) | Value::Bytes(_)) => {
            let mut texts = to_texts(value)?;
            texts.sort();
            Ok(Value::List(List::of_texts(texts)))
        }
        value => Ok(Value::List(List::of_texts([to_text(value)?]))),
    }
}

/// A number below a bound, from the host.
pub(super) fn random_below(context: &mut dyn Context, bound: u64) -> std::result::Result<u64, Fault> {
    let mut bytes = [0; 8];
    context.host().fill_random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes) % bound.max(1))
}

fn shuffle(context: &mut dyn Context, args: Args<'_>) -> Result {
    let mut shuffled: Vec<char> = runes(args.text(0)).map(|(_, rune, _)| rune).collect();
    for at in (1..shuffled.len()).rev() {
        let other = random_below(context, u64::try_from(at + 1).unwrap_or(1))?;
        shuffled.swap(at, usize::try_from(other).unwrap_or(at));
    }
    Ok(Value::text(shuffled.into_iter().collect::<String>()))
}

fn random(context: &mut dyn Context, args: Args<'_>, is_wanted: fn(u8) -> bool) -> Result {
    let count = size(to_int(args.value(0)));
    context.charge(count)?;
    let mut text = Vec::with_capacity(count);
    let mut block = [0; 64];
    let mut attempts = 0;
    while text.len() < count {
        context.host().fill_random(&mut block)?;
        text.extend(block.iter().map(|byte| byte & 0x7F).filter(|byte| is_wanted(*byte)).take(count - text.len()));
        attempts += 1;
        if attempts > 16 * (count + 64) {
            return Err("the source of randomness yields nothing to use".into());
        }
    }
    Ok(Value::text(text))
}
