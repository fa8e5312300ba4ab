//! `string.find`, `match`, `gmatch` and `gsub`, within limits.
//!
//! In: Lua's arguments. Out: `true` and the results, or `false` and the words of an error: prelude.lua raises it.
//!
//! Rule: Lua 5.1 reference manual, 5.4.

use std::sync::Mutex;

use mlua::{Function, Lua, LuaString, MultiValue, Result, Table, Value};

use super::limits::MEMORY;
use super::machine::Deadline;
use super::pattern::{Capture, Match, Matcher, PatternError};

/// Adds the functions to the table that prelude.lua takes them from.
pub(super) fn add_to(natives: &Table, lua: &Lua, deadline: &Deadline) -> Result<()> {
    for (name, function) in [
        ("find", find as fn(&Lua, &FunctionCall<'_>) -> CallResult),
        ("match", first_match),
        ("gmatch", all_matches),
        ("gsub", substitute),
    ] {
        let deadline = deadline.clone();
        let native = lua.create_function(move |lua, arguments: MultiValue| {
            let arguments: Vec<Value> = arguments.into_iter().collect();
            settle(lua, function(lua, &FunctionCall { name, arguments: &arguments, deadline: &deadline }))
        })?;
        natives.raw_set(name, native)?;
    }
    Ok(())
}

/// A call of one of the functions.
struct FunctionCall<'call> {
    name: &'static str,
    arguments: &'call [Value],
    deadline: &'call Deadline,
}

/// The results, or the words of an error that a script may catch.
type CallResult = std::result::Result<Vec<Value>, CallFailure>;

enum CallFailure {
    /// A script's own mistake.
    Words(String),
    /// Lua's: no memory, no time.
    Lua(mlua::Error),
}

impl From<mlua::Error> for CallFailure {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

impl From<PatternError> for CallFailure {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Malformed(words) => Self::Words(words.to_owned()),
            PatternError::OutOfTime => Self::Lua(mlua::Error::runtime("the time is over")),
        }
    }
}

fn settle(lua: &Lua, answer: CallResult) -> Result<MultiValue> {
    Ok(match answer {
        Ok(values) => std::iter::once(Value::Boolean(true)).chain(values).collect(),
        Err(CallFailure::Words(words)) => {
            [Value::Boolean(false), Value::String(lua.create_string(words)?)].into_iter().collect()
        }
        Err(CallFailure::Lua(error)) => return Err(error),
    })
}

impl FunctionCall<'_> {
    fn argument(&self, place: usize) -> &Value {
        self.arguments.get(place).unwrap_or(&Value::Nil)
    }

    /// A text, or a number as text, as Lua takes it.
    fn text(&self, lua: &Lua, place: usize) -> std::result::Result<LuaString, CallFailure> {
        let given = self.argument(place);
        let text = if matches!(given, Value::String(_) | Value::Integer(_) | Value::Number(_)) {
            lua.coerce_string(given.clone())?
        } else {
            None
        };
        text.ok_or_else(|| {
            let (place, name, found) = (place + 1, self.name, given.type_name());
            CallFailure::Words(format!("bad argument #{place} to '{name}' (string expected, got {found})"))
        })
    }

    /// Where to begin: counted from one, or from the end.
    fn start(&self, lua: &Lua, place: usize, length: usize) -> std::result::Result<usize, CallFailure> {
        let Some(given) = lua.coerce_number(self.argument(place).clone())? else { return Ok(0) };
        #[expect(clippy::cast_possible_truncation, reason = "what is out of range is clamped")]
        let given = given as i64;
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let start = if given < 0 { length.saturating_add(given) } else { given.saturating_sub(1) };
        Ok(usize::try_from(start.clamp(0, length)).unwrap_or(0))
    }
}

fn find(lua: &Lua, call: &FunctionCall<'_>) -> CallResult {
    let (subject, pattern) = (call.text(lua, 0)?, call.text(lua, 1)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let start = call.start(lua, 2, subject.len())?;
    let is_plain = !matches!(call.argument(3), Value::Nil | Value::Boolean(false));
    let found = if is_plain || !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte)) {
        plain(&subject, &pattern, start, call.deadline)?
    } else {
        Matcher::new(&subject, &pattern, &|| call.deadline.is_over()).find(start)?
    };
    let Some(found) = found else { return Ok(vec![Value::Nil]) };
    let mut results = vec![number(found.start + 1), number(found.end)];
    results.extend(values(lua, &subject, &found.captures)?);
    Ok(results)
}

fn plain(
    subject: &[u8],
    wanted: &[u8],
    start: usize,
    deadline: &Deadline,
) -> std::result::Result<Option<Match>, PatternError> {
    let found = |start| Some(Match { start, end: start + wanted.len(), captures: Vec::new() });
    if wanted.is_empty() {
        return Ok(found(start));
    }
    for (place, window) in (start..).zip(subject[start..].windows(wanted.len())) {
        if place.is_multiple_of(64) && deadline.is_over() {
            return Err(PatternError::OutOfTime);
        }
        if window == wanted {
            return Ok(found(place));
        }
    }
    Ok(None)
}

fn first_match(lua: &Lua, call: &FunctionCall<'_>) -> CallResult {
    let (subject, pattern) = (call.text(lua, 0)?, call.text(lua, 1)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let start = call.start(lua, 2, subject.len())?;
    let found = Matcher::new(&subject, &pattern, &|| call.deadline.is_over()).find(start)?;
    match found {
        Some(found) => Ok(values(lua, &subject, &found.captures_or_whole())?),
        None => Ok(vec![Value::Nil]),
    }
}

/// The iterator of `gmatch`. It keeps Lua's own texts, so that they count for the limit of memory.
fn all_matches(lua: &Lua, call: &FunctionCall<'_>) -> CallResult {
    let (subject, pattern) = (call.text(lua, 0)?, call.text(lua, 1)?);
    let (deadline, from) = (call.deadline.clone(), Mutex::new(0_usize));
    let next = move |lua: &Lua, (): ()| -> Result<MultiValue> {
        let mut from = from.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
        if *from > subject.len() {
            return Ok(MultiValue::from_iter([Value::Nil]));
        }
        let found = Matcher::without_anchor(&subject, &pattern, &|| deadline.is_over()).find(*from);
        match found.map_err(CallFailure::from) {
            Ok(None) => {
                *from = subject.len() + 1;
                Ok(MultiValue::from_iter([Value::Nil]))
            }
            Ok(Some(found)) => {
                // An empty match would be found again for ever.
                *from = if found.end == found.start { found.end + 1 } else { found.end };
                Ok(values(lua, &subject, &found.captures_or_whole())?.into_iter().collect())
            }
            Err(CallFailure::Words(words)) => Err(mlua::Error::runtime(words)),
            Err(CallFailure::Lua(error)) => Err(error),
        }
    };
    Ok(vec![Value::Function(lua.create_function(next)?)])
}

fn substitute(lua: &Lua, call: &FunctionCall<'_>) -> CallResult {
    let (subject, pattern) = (call.text(lua, 0)?, call.text(lua, 1)?);
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let replacement = Replacement::of(lua, call)?;
    let limit = match lua.coerce_number(call.argument(3).clone())? {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a negative limit means no limit")]
        Some(limit) => limit.max(0.0) as usize,
        None => usize::MAX,
    };
    let is_over = || call.deadline.is_over();
    let mut matcher = Matcher::new(&subject, &pattern, &is_over);
    let (mut place, mut count, mut result) = (0, 0, Vec::new());
    while count < limit {
        let found = matcher.at(place)?;
        if let Some(found) = &found {
            count += 1;
            replacement.add(lua, &subject, found, &mut result)?;
        }
        match found {
            Some(found) if found.end > place => place = found.end,
            _ if place < subject.len() => {
                result.push(subject[place]);
                place += 1;
            }
            _ => break,
        }
        if result.len() > MEMORY {
            return Err(CallFailure::Lua(mlua::Error::MemoryError("not enough memory".to_owned())));
        }
        if matcher.is_anchored() {
            break;
        }
    }
    result.extend_from_slice(&subject[place.min(subject.len())..]);
    Ok(vec![Value::String(lua.create_string(result)?), number(count)])
}

/// The replacement that `gsub` uses for a match.
enum Replacement {
    Text(LuaString),
    Table(Table),
    Function(Function),
}

impl Replacement {
    fn of(lua: &Lua, call: &FunctionCall<'_>) -> std::result::Result<Self, CallFailure> {
        Ok(match call.argument(2) {
            Value::Table(table) => Self::Table(table.clone()),
            Value::Function(function) => Self::Function(function.clone()),
            Value::String(_) | Value::Integer(_) | Value::Number(_) => Self::Text(call.text(lua, 2)?),
            _ => {
                return Err(CallFailure::Words(
                    "bad argument #3 to 'gsub' (string/function/table expected)".to_owned(),
                ));
            }
        })
    }

    fn add(
        &self,
        lua: &Lua,
        subject: &[u8],
        found: &Match,
        result: &mut Vec<u8>,
    ) -> std::result::Result<(), CallFailure> {
        let captures = found.captures_or_whole();
        let value = match self {
            Self::Text(text) => return expand(&text.as_bytes(), subject, found, result),
            Self::Table(table) => {
                let key = values(lua, subject, &captures[..1])?.swap_remove(0);
                nested(lua, || table.get::<Value>(key))?
            }
            Self::Function(function) => {
                let arguments: MultiValue = values(lua, subject, &captures)?.into_iter().collect();
                nested(lua, || function.call::<Value>(arguments))?
            }
        };
        match &value {
            // Nothing to put there: what was there stays.
            Value::Nil | Value::Boolean(false) => result.extend_from_slice(&subject[found.start..found.end]),
            Value::String(text) => result.extend_from_slice(&text.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                let text = lua.coerce_string(value)?;
                result.extend(text.iter().flat_map(|text| text.as_bytes().to_vec()));
            }
            other => return Err(CallFailure::Words(format!("invalid replacement value (a {})", other.type_name()))),
        }
        Ok(())
    }
}

/// How deep `gsub` may be inside of a replacement of `gsub`: each takes some of the thread's stack.
const NESTING: usize = 16;

/// Calls back into Lua, if the stack allows it.
fn nested<Found>(lua: &Lua, call: impl FnOnce() -> Result<Found>) -> std::result::Result<Found, CallFailure> {
    let depth = lua.app_data_ref::<GsubDepth>().map_or(0, |depth| depth.0);
    if depth >= NESTING {
        return Err(CallFailure::Words("stack overflow".to_owned()));
    }
    lua.set_app_data(GsubDepth(depth + 1));
    let found = call();
    lua.set_app_data(GsubDepth(depth));
    Ok(found?)
}

/// How deep `gsub` is at the moment.
struct GsubDepth(usize);

/// `%0` is the match, `%1` a capture, `%%` a percent sign.
fn expand(text: &[u8], subject: &[u8], found: &Match, result: &mut Vec<u8>) -> std::result::Result<(), CallFailure> {
    let captures = found.captures_or_whole();
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, if byte == b'%' { bytes.next() } else { None }) {
            (b'%', Some(b'0')) => result.extend_from_slice(&subject[found.start..found.end]),
            (b'%', Some(digit @ b'1'..=b'9')) => match captures.get(usize::from(digit - b'1')) {
                Some(Capture::Text(start, end)) => result.extend_from_slice(&subject[*start..*end]),
                Some(Capture::Position(place)) => result.extend_from_slice((place + 1).to_string().as_bytes()),
                Some(Capture::Open(_)) | None => return Err(CallFailure::Words("invalid capture index".to_owned())),
            },
            (b'%', Some(other)) | (other, _) => result.push(other),
        }
    }
    Ok(())
}

fn values(lua: &Lua, subject: &[u8], captures: &[Capture]) -> Result<Vec<Value>> {
    let value = |capture: &Capture| {
        Ok(match *capture {
            Capture::Position(place) => number(place + 1),
            Capture::Text(start, end) => Value::String(lua.create_string(&subject[start..end])?),
            Capture::Open(_) => Value::Nil,
        })
    };
    captures.iter().map(value).collect()
}

fn number(count: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a place in a text of at most 32 MiB")]
    Value::Number(count as f64)
}
