//! Times and durations. The clock and the zone called `Local` are the host's.

mod parsing;

use std::any::Any;
use std::rc::Rc;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

use super::super::convert::{float_of_uint, truncated};
use super::super::fmt::quote;
use super::super::function::{Bound, Function};
use super::super::parse::parse_decimal;
use super::super::value::GoObject;
use super::layout::{LayoutPart, next_part};
use super::{A, Args, Context, Fault, Param, Result, T, TableEntry, Text, Value};

const TIME: Param = Param::Object(TYPE);
const TYPE: &str = "time.Time";

pub(super) const TABLE: &[TableEntry] = &[
    ("now", &[], None, |context, _| Ok(GoTime::now(context).value())),
    ("ago", &[A], None, ago),
    ("date", &[T, A], None, |context, args| in_zone(context, args.text(0), args.value(1), b"Local")),
    ("dateInZone", &[T, A, T], None, date_in_zone),
    ("date_in_zone", &[T, A, T], None, date_in_zone),
    ("dateModify", &[T, TIME], None, |_, args| Ok(modified(args).unwrap_or_else(|_| args.value(1).clone()))),
    ("date_modify", &[T, TIME], None, |_, args| Ok(modified(args).unwrap_or_else(|_| args.value(1).clone()))),
    ("mustDateModify", &[T, TIME], None, |_, args| Ok(modified(args)?)),
    ("must_date_modify", &[T, TIME], None, |_, args| Ok(modified(args)?)),
    ("duration", &[A], None, duration),
    ("durationRound", &[A], None, duration_round),
    ("htmlDate", &[A], None, |context, args| in_zone(context, b"2006-01-02", args.value(0), b"Local")),
    ("htmlDateInZone", &[A, T], None, |context, args| in_zone(context, b"2006-01-02", args.value(0), args.text(1))),
    ("toDate", &[T, T], None, |context, args| Ok(to_date(context, args).unwrap_or_else(|_| GoTime::zero()).value())),
    ("mustToDate", &[T, T], None, |context, args| Ok(to_date(context, args)?.value())),
    ("unixEpoch", &[TIME], None, |_, args| Ok(Value::text(time_of(args.value(0)).at.as_second().to_string()))),
];

const SECOND: i128 = 1_000_000_000;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A `time.Time`.
#[derive(Debug, Clone)]
struct GoTime {
    at: Timestamp,
    zone: TimeZone,
    /// The name of a zone that has nothing but an offset.
    name: Option<String>,
}

impl GoTime {
    fn new(at: Timestamp, zone: TimeZone) -> Self {
        Self { at, zone, name: None }
    }

    fn now(context: &mut dyn Context) -> Self {
        Self::new(context.host().now(), context.host().zone())
    }

    /// Go's zero time: the first of January of the year 1.
    fn zero() -> Self {
        Self::new(Timestamp::from_second(-62_135_596_800).unwrap_or(Timestamp::UNIX_EPOCH), TimeZone::UTC)
    }

    fn value(self) -> Value {
        Value::Object(Rc::new(self))
    }

    fn civil(&self) -> DateTime {
        self.zone.to_datetime(self.at)
    }

    fn offset_seconds(&self) -> i32 {
        self.zone.to_offset(self.at).seconds()
    }

    fn abbreviation(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.zone.to_offset_info(self.at).abbreviation().to_owned())
    }

    fn format(&self, mut layout: &str) -> String {
        let civil = self.civil();
        let mut text = String::new();
        while !layout.is_empty() {
            let (prefix, part, rest) = next_part(layout);
            text.push_str(prefix);
            let Some((part, _)) = part else { break };
            text.push_str(&self.part(&civil, part));
            layout = rest;
        }
        text
    }

    fn part(&self, civil: &DateTime, part: LayoutPart) -> String {
        let month = MONTHS[usize::try_from(civil.month() - 1).unwrap_or(0)];
        let weekday = DAYS[usize::try_from(civil.weekday().to_sunday_zero_offset()).unwrap_or(0)];
        let hour12 = if civil.hour() % 12 == 0 { 12 } else { civil.hour() % 12 };
        match part {
            LayoutPart::LongMonth => month.to_owned(),
            LayoutPart::Month => month[..3].to_owned(),
            LayoutPart::NumMonth => civil.month().to_string(),
            LayoutPart::ZeroMonth => format!("{:02}", civil.month()),
            LayoutPart::LongWeekDay => weekday.to_owned(),
            LayoutPart::WeekDay => weekday[..3].to_owned(),
            LayoutPart::Day => civil.day().to_string(),
            LayoutPart::UnderDay => format!("{:2}", civil.day()),
            LayoutPart::ZeroDay => format!("{:02}", civil.day()),
            LayoutPart::UnderYearDay => format!("{:3}", civil.day_of_year()),
            LayoutPart::ZeroYearDay => format!("{:03}", civil.day_of_year()),
            LayoutPart::Hour => format!("{:02}", civil.hour()),
            LayoutPart::Hour12 => hour12.to_string(),
            LayoutPart::ZeroHour12 => format!("{hour12:02}"),
            LayoutPart::Minute => civil.minute().to_string(),
            LayoutPart::ZeroMinute => format!("{:02}", civil.minute()),
            LayoutPart::Second => civil.second().to_string(),
            LayoutPart::ZeroSecond => format!("{:02}", civil.second()),
            LayoutPart::LongYear => format!("{:04}", civil.year()),
            LayoutPart::Year => format!("{:02}", civil.year().abs() % 100),
            LayoutPart::UpperPm => if civil.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
            LayoutPart::LowerPm => if civil.hour() >= 12 { "pm" } else { "am" }.to_owned(),
            LayoutPart::Zone => self.zone_name(),
            LayoutPart::Offset { is_iso, has_colons, parts } => self.offset(is_iso, has_colons, parts),
            LayoutPart::Fraction { separator, digits, is_trimmed } => {
                fraction(civil.subsec_nanosecond(), separator, digits, is_trimmed)
            }
        }
    }

    /// Go counts on: two months after December 31 is March 3, where February has no 31st.
    fn moved(&self, years: i64, months: i64, days: i64) -> Option<Timestamp> {
        let civil = self.civil();
        let first = civil.first_of_month();
        let span = Span::new().try_years(years).ok()?.try_months(months).ok()?;
        let days = Span::new().try_days(days.checked_add(i64::from(civil.day()) - 1)?).ok()?;
        let moved = first.checked_add(span).ok()?.checked_add(days).ok()?;
        self.zone.to_ambiguous_timestamp(moved).compatible().ok()
    }

    fn zone_name(&self) -> String {
        let name = self.abbreviation();
        if name.is_empty() { self.offset(false, false, 2) } else { name }
    }

    fn offset(&self, is_iso: bool, has_colons: bool, parts: u8) -> String {
        let seconds = self.offset_seconds();
        if is_iso && seconds == 0 {
            return "Z".to_owned();
        }
        let sign = if seconds / 60 < 0 { '-' } else { '+' };
        let seconds = seconds.unsigned_abs();
        let numbers = [seconds / 3600, seconds / 60 % 60, seconds % 60];
        let texts: Vec<String> = numbers[..usize::from(parts)].iter().map(|number| format!("{number:02}")).collect();
        format!("{sign}{}", texts.join(if has_colons { ":" } else { "" }))
    }
}

fn fraction(nanoseconds: i32, separator: char, digits: usize, is_trimmed: bool) -> String {
    if is_trimmed && nanoseconds == 0 {
        return String::new();
    }
    let mut text = format!("{separator}{nanoseconds:09}");
    text.truncate(1 + digits.min(9));
    if is_trimmed {
        text.truncate(text.trim_end_matches('0').len());
        if text.len() == 1 {
            text.clear();
        }
    }
    text
}

fn time_of(value: &Value) -> GoTime {
    match value {
        Value::Object(object) => object.as_any().downcast_ref::<GoTime>().cloned().unwrap_or_else(GoTime::zero),
        _ => GoTime::zero(),
    }
}

/// A zone by its name, from the database that is built in; what is unknown is UTC.
fn zone(context: &mut dyn Context, name: &[u8]) -> TimeZone {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    match std::str::from_utf8(name) {
        Ok("Local") => context.host().zone(),
        Ok("" | "UTC") | Err(_) => TimeZone::UTC,
        Ok(name) => ZONES.get(name).unwrap_or(TimeZone::UTC),
    }
}

fn in_zone(context: &mut dyn Context, layout: &[u8], date: &Value, name: &[u8]) -> Result {
    use super::super::value::IntType;
    let at = match date {
        Value::Object(object) if object.type_name() == TYPE => time_of(date).at,
        Value::Int(IntType::Int | IntType::I64 | IntType::I32, seconds) => {
            Timestamp::from_second(*seconds).or(Err("time is out of range"))?
        }
        _ => context.host().now(),
    };
    let time = GoTime::new(at, zone(context, name));
    Ok(Value::text(time.format(&String::from_utf8_lossy(layout))))
}

fn date_in_zone(context: &mut dyn Context, args: Args<'_>) -> Result {
    in_zone(context, args.text(0), args.value(1), args.text(2))
}

fn modified(args: Args<'_>) -> std::result::Result<Value, String> {
    let nanoseconds = parse_duration(&String::from_utf8_lossy(args.text(0)))?;
    let mut time = time_of(args.value(1));
    time.at = time.at.checked_add(Span::new().nanoseconds(nanoseconds)).or(Err("time is out of range"))?;
    Ok(time.value())
}

fn ago(context: &mut dyn Context, args: Args<'_>) -> Result {
    use super::super::value::IntType;
    let now = context.host().now();
    let at = match args.value(0) {
        Value::Object(object) if object.type_name() == TYPE => time_of(args.value(0)).at,
        Value::Int(IntType::Int | IntType::I64, seconds) => {
            Timestamp::from_second(*seconds).or(Err("time is out of range"))?
        }
        _ => now,
    };
    let nanoseconds = now.as_nanosecond() - at.as_nanosecond();
    let half = if nanoseconds < 0 { -SECOND / 2 } else { SECOND / 2 };
    let seconds = (nanoseconds + half) / SECOND;
    Ok(Value::text(shown_duration(i64::try_from(seconds * SECOND).unwrap_or(i64::MAX))))
}

fn duration(_: &mut dyn Context, args: Args<'_>) -> Result {
    use super::super::value::IntType;
    let seconds = match args.value(0) {
        Value::Text(text) => parse_decimal(&text.lossy()).unwrap_or(0),
        Value::Int(IntType::I64, seconds) => *seconds,
        _ => 0,
    };
    Ok(Value::text(shown_duration(seconds.wrapping_mul(1_000_000_000))))
}

fn duration_round(context: &mut dyn Context, args: Args<'_>) -> Result {
    use super::super::value::IntType;
    let nanoseconds = match args.value(0) {
        Value::Text(text) => parse_duration(&text.lossy()).unwrap_or(0),
        Value::Int(IntType::I64, nanoseconds) => *nanoseconds,
        Value::Object(object) if object.type_name() == TYPE => {
            let since = context.host().now().as_nanosecond() - time_of(args.value(0)).at.as_nanosecond();
            i64::try_from(since).unwrap_or(i64::MAX)
        }
        _ => 0,
    };
    let seconds = nanoseconds.unsigned_abs();
    let units = [(365 * 24 * 3600, "y"), (30 * 24 * 3600, "mo"), (24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let text = units
        .into_iter()
        .find(|(unit, _)| seconds > unit * 1_000_000_000)
        .map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", seconds / (unit * 1_000_000_000)));
    Ok(Value::text(text))
}

/// `Duration.String`.
fn shown_duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let with_fraction = |value: u64, digits: usize| {
        let power = 10_u64.pow(u32::try_from(digits).unwrap_or(0));
        let fraction = format!("{:0digits$}", value % power);
        let fraction = fraction.trim_end_matches('0');
        if digits == 0 || fraction.is_empty() {
            (value / power).to_string()
        } else {
            format!("{}.{fraction}", value / power)
        }
    };
    let text = match magnitude {
        0 => "0s".to_owned(),
        1..1_000 => format!("{magnitude}ns"),
        1_000..1_000_000 => format!("{}µs", with_fraction(magnitude, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", with_fraction(magnitude, 6)),
        _ => {
            let minutes = magnitude / 60_000_000_000;
            let seconds = format!("{}s", with_fraction(magnitude % 60_000_000_000, 9));
            match minutes {
                0 => seconds,
                1..60 => format!("{minutes}m{seconds}"),
                _ => format!("{}h{}m{seconds}", minutes / 60, minutes % 60),
            }
        }
    };
    format!("{sign}{text}")
}

/// `time.ParseDuration`, in nanoseconds.
fn parse_duration(text: &str) -> std::result::Result<i64, String> {
    let invalid = |what: &str| format!("time: {what} {}", quote(text.as_bytes()));
    let is_negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid("invalid duration"));
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = |text: &str| text.find(|next: char| !next.is_ascii_digit()).unwrap_or(text.len());
        let (whole, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid("invalid duration"));
        }
        let end = after.find(|next: char| next == '.' || next.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(invalid("missing unit in duration"));
        }
        let Some(scale) = unit_of(unit) else {
            return Err(invalid(&format!("unknown unit {} in duration", quote(unit.as_bytes()))));
        };
        let fraction: f64 = format!("0.{fraction}0").parse().unwrap_or(0.0);
        let extra = truncated(fraction * float_of_uint(scale)).unsigned_abs();
        let whole = if whole.is_empty() { Some(0) } else { whole.parse::<u64>().ok() };
        let value = whole.and_then(|whole| whole.checked_mul(scale)).and_then(|value| value.checked_add(extra));
        total = value
            .and_then(|value| total.checked_add(value))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(|| invalid("invalid duration"))?;
        rest = after;
    }
    if is_negative {
        return Ok(0_i64.wrapping_sub_unsigned(total));
    }
    i64::try_from(total).ok().ok_or_else(|| invalid("invalid duration"))
}

fn unit_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn to_date(context: &mut dyn Context, args: Args<'_>) -> std::result::Result<GoTime, Fault> {
    let local = context.host().zone();
    let (layout, text) = (String::from_utf8_lossy(args.text(0)), String::from_utf8_lossy(args.text(1)));
    Ok(parsing::parse(&layout, &text, &local)?)
}

impl GoObject for GoTime {
    fn type_name(&self) -> &str {
        TYPE
    }

    fn to_text(&self) -> Option<Text> {
        Some(self.format("2006-01-02 15:04:05.999999999 -0700 MST").into())
    }

    fn to_json(&self) -> Option<String> {
        Some(format!("\"{}\"", self.format("2006-01-02T15:04:05.999999999Z07:00")))
    }

    fn equals(&self, other: &dyn GoObject) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.at == other.at && self.zone == other.zone && self.name == other.name)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn method(self: Rc<Self>, name: &str) -> Option<Function> {
        let civil = self.civil();
        let constant = |value: Value| Function::bound(&[], Rc::new(move |_, _| Ok(value.clone())));
        let int = |value: i64| Some(constant(Value::int(value)));
        let comparison = |is_so: fn(Timestamp, Timestamp) -> bool| {
            let own = self.at;
            let body: Bound = Rc::new(move |_, args| Ok(Value::Bool(is_so(own, time_of(args.value(0)).at))));
            Some(Function::bound(&[TIME], body))
        };
        match name {
            "Year" => int(i64::from(civil.year())),
            "Day" => int(i64::from(civil.day())),
            "Hour" => int(i64::from(civil.hour())),
            "Minute" => int(i64::from(civil.minute())),
            "Second" => int(i64::from(civil.second())),
            "Nanosecond" => int(i64::from(civil.subsec_nanosecond())),
            "YearDay" => int(i64::from(civil.day_of_year())),
            "Unix" => Some(constant(Value::int64(self.at.as_second()))),
            "UnixMilli" => Some(constant(Value::int64(self.at.as_millisecond()))),
            "UnixMicro" => Some(constant(Value::int64(self.at.as_microsecond()))),
            "String" => Some(constant(Value::Text(self.to_text()?))),
            "IsZero" => Some(constant(Value::Bool(self.at == Self::zero().at))),
            "UTC" => Some(constant(Self::new(self.at, TimeZone::UTC).value())),
            "Before" => comparison(|own, other| own < other),
            "After" => comparison(|own, other| own > other),
            "Equal" => comparison(|own, other| own == other),
            "Format" => {
                let body: Bound =
                    Rc::new(move |_, args| Ok(Value::text(self.format(&String::from_utf8_lossy(args.text(0))))));
                Some(Function::bound(&[Param::Text], body))
            }
            "AddDate" => {
                let body: Bound = Rc::new(move |_, args| {
                    let moved = self.moved(args.int(0), args.int(1), args.int(2)).ok_or("time is out of range")?;
                    Ok(Self { at: moved, ..(*self).clone() }.value())
                });
                Some(Function::bound(&[Param::Int, Param::Int, Param::Int], body))
            }
            _ => None,
        }
    }
}

/// A zone that has nothing but an offset.
fn fixed(seconds: i32) -> Option<TimeZone> {
    Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
}
