//! `os.time` and `os.date`, all that a script may know of the system.
//!
//! In: Lua's arguments, and the clock. Out: `true` and the result, or `false` and the words of an error. The zone is always
//! UTC, that of the timestamps in an object: the same object is judged alike everywhere.
//!
//! Rule: Lua 5.1 reference manual, 5.8; Argo CD `util/lua/oslib_safe.go`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mlua::{Lua, MultiValue, Result, Table, Value};

/// Adds the functions to the table that prelude.lua takes them from.
pub(super) fn add_to(natives: &Table, lua: &Lua, unix: fn() -> i64) -> Result<()> {
    let time = lua.create_function(move |lua, fields: Option<Value>| match fields {
        None | Some(Value::Nil) => answer(lua, Ok(number(unix()))),
        Some(Value::Table(fields)) => answer(lua, of_fields(&fields).map(number)),
        Some(other) => {
            let words = format!("bad argument #1 to 'time' (table expected, got {})", other.type_name());
            answer(lua, Err(words))
        }
    })?;
    natives.raw_set("time", time)?;
    let date = lua.create_function(move |lua, (format, at): (Option<mlua::LuaString>, Option<f64>)| {
        #[expect(clippy::cast_possible_truncation, reason = "a time that is out of range is refused below")]
        let at = at.map_or_else(unix, |at| at as i64);
        let format = format.map_or_else(|| "%c".to_owned(), |format| format.to_string_lossy());
        answer(lua, date(lua, &format, at)?)
    })?;
    natives.raw_set("date", date)
}

fn answer(lua: &Lua, value: std::result::Result<Value, String>) -> Result<MultiValue> {
    Ok(match value {
        Ok(value) => MultiValue::from_iter([Value::Boolean(true), value]),
        Err(words) => MultiValue::from_iter([Value::Boolean(false), Value::String(lua.create_string(words)?)]),
    })
}

/// The time of a table with `year`, `month`, `day` and perhaps `hour`, `min`, `sec`; what is over carries, as in C.
fn of_fields(fields: &Table) -> std::result::Result<i64, String> {
    let field = |name: &str, default: Option<i64>| {
        let given = fields.raw_get::<Option<f64>>(name).ok().flatten();
        #[expect(clippy::cast_possible_truncation, reason = "what is out of range is refused below")]
        given.map(|given| given as i64).or(default).ok_or_else(|| format!("field '{name}' missing in date table"))
    };
    let (year, month, day) = (field("year", None)?, field("month", None)?, field("day", None)?);
    let (hour, minute, second) = (field("hour", Some(12))?, field("min", Some(0))?, field("sec", Some(0))?);
    let unreadable = || "the date is out of range".to_owned();
    let start = i16::try_from(year).ok().and_then(|year| DateTime::new(year, 1, 1, 0, 0, 0, 0).ok());
    let whole = start.and_then(|start| start.checked_add(jiff::Span::new().try_months(month - 1).ok()?).ok());
    let midnight = whole.and_then(|start| start.checked_add(jiff::Span::new().try_days(day - 1).ok()?).ok());
    let midnight = midnight.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).ok_or_else(unreadable)?;
    let seconds = hour.checked_mul(3600).and_then(|seconds| seconds.checked_add(minute.checked_mul(60)?));
    let seconds = seconds.and_then(|seconds| seconds.checked_add(second)).ok_or_else(unreadable)?;
    midnight.timestamp().as_second().checked_add(seconds).ok_or_else(unreadable)
}

fn date(lua: &Lua, format: &str, at: i64) -> Result<std::result::Result<Value, String>> {
    // `!` asks for UTC, which it is anyway.
    let format = format.strip_prefix('!').unwrap_or(format);
    let Ok(zoned) = Timestamp::from_second(at).map(|time| time.to_zoned(TimeZone::UTC)) else {
        return Ok(Err("the time is out of range".to_owned()));
    };
    if !format.starts_with("*t") {
        let text = jiff::fmt::strtime::format(format, &zoned);
        return Ok(match text {
            Ok(text) => Ok(Value::String(lua.create_string(text)?)),
            Err(error) => Err(format!("bad argument #1 to 'date' ({error})")),
        });
    }
    let table = lua.create_table()?;
    for (name, value) in [
        ("year", i64::from(zoned.year())),
        ("month", i64::from(zoned.month())),
        ("day", i64::from(zoned.day())),
        ("hour", i64::from(zoned.hour())),
        ("min", i64::from(zoned.minute())),
        ("sec", i64::from(zoned.second())),
        ("wday", i64::from(zoned.weekday().to_sunday_one_offset())),
        ("yday", i64::from(zoned.day_of_year())),
    ] {
        table.raw_set(name, number(value))?;
    }
    table.raw_set("isdst", false)?;
    Ok(Ok(Value::Table(table)))
}

fn number(value: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "Lua has no other numbers")]
    Value::Number(value as f64)
}
