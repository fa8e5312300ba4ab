//! Texts to times by a layout (`time.ParseInLocation`), with Go's errors.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::super::super::fmt::quote;
use super::super::layout::{LayoutPart, next_part};
use super::{DAYS, GoTime, MONTHS, fixed};

/// The fields that are read so far.
#[derive(Default)]
struct DateFields {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    is_pm: Option<bool>,
    is_utc: bool,
    offset: Option<i32>,
    zone_name: Option<String>,
}

/// Why a part could not be read.
enum Wrong {
    Bad,
    OutOfRange(&'static str),
}

type ReadPart<'t> = Result<&'t str, Wrong>;

pub(super) fn parse(layout: &str, text: &str, local: &TimeZone) -> Result<GoTime, String> {
    let mut fields = DateFields::default();
    let (mut rest_of_layout, mut rest) = (layout, text);
    loop {
        let (prefix, part, after) = next_part(rest_of_layout);
        let failed = |what: &str, at: &str| {
            let (text, layout) = (quote(text.as_bytes()), quote(layout.as_bytes()));
            format!(
                "parsing time {text} as {layout}: cannot parse {} as {}",
                quote(at.as_bytes()),
                quote(what.as_bytes())
            )
        };
        rest = skip(rest, prefix).map_err(|at| failed(prefix, at))?;
        let Some((part, name)) = part else {
            if rest.is_empty() {
                break;
            }
            return Err(format!("parsing time {}: extra text: {}", quote(text.as_bytes()), quote(rest.as_bytes())));
        };
        rest_of_layout = after;
        rest = match fields.read(part, rest, after) {
            Ok(rest) => rest,
            Err(Wrong::Bad) => return Err(failed(name, rest)),
            Err(Wrong::OutOfRange(what)) => {
                return Err(format!("parsing time {}: {what} out of range", quote(text.as_bytes())));
            }
        };
    }
    fields.time(local).ok_or_else(|| format!("parsing time {}: day out of range", quote(text.as_bytes())))
}

/// Skips a literal; one space stands for any number of them.
fn skip<'t>(mut text: &'t str, mut prefix: &str) -> Result<&'t str, &'t str> {
    while let Some(wanted) = prefix.chars().next() {
        if wanted == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return Err(text);
            }
            prefix = prefix.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(wanted).ok_or(text)?;
        prefix = &prefix[wanted.len_utf8()..];
    }
    Ok(text)
}

/// One or two digits; exactly two when that is asked for.
fn number(text: &str, is_fixed: bool) -> Result<(i8, &str), Wrong> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits == 0 || (is_fixed && digits < 2) {
        return Err(Wrong::Bad);
    }
    Ok((text[..digits].parse().or(Err(Wrong::Bad))?, &text[digits..]))
}

fn within(number: i8, range: std::ops::RangeInclusive<i8>, what: &'static str) -> Result<i8, Wrong> {
    if range.contains(&number) { Ok(number) } else { Err(Wrong::OutOfRange(what)) }
}

fn name<'t>(text: &'t str, names: &[&str], length: Option<usize>) -> Result<(usize, &'t str), Wrong> {
    for (at, name) in names.iter().enumerate() {
        let name = length.map_or(*name, |length| &name[..length]);
        if text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return Ok((at, &text[name.len()..]));
        }
    }
    Err(Wrong::Bad)
}

impl DateFields {
    fn read<'t>(&mut self, part: LayoutPart, text: &'t str, layout_after: &str) -> ReadPart<'t> {
        match part {
            LayoutPart::Year => {
                let (year, rest) = number(text, true)?;
                self.year = i16::from(year) + if year >= 69 { 1900 } else { 2000 };
                Ok(rest)
            }
            LayoutPart::LongYear => {
                let year = text.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
                self.year = year.and_then(|year| year.parse().ok()).ok_or(Wrong::Bad)?;
                Ok(&text[4..])
            }
            LayoutPart::Month | LayoutPart::LongMonth => {
                let (month, rest) = name(text, &MONTHS, (part == LayoutPart::Month).then_some(3))?;
                self.month = i8::try_from(month + 1).ok();
                Ok(rest)
            }
            LayoutPart::NumMonth | LayoutPart::ZeroMonth => {
                let (month, rest) = number(text, part == LayoutPart::ZeroMonth)?;
                self.month = Some(within(month, 1..=12, "month")?);
                Ok(rest)
            }
            LayoutPart::WeekDay | LayoutPart::LongWeekDay => {
                Ok(name(text, &DAYS, (part == LayoutPart::WeekDay).then_some(3))?.1)
            }
            LayoutPart::Day | LayoutPart::UnderDay | LayoutPart::ZeroDay => {
                let text = if part == LayoutPart::UnderDay { text.strip_prefix(' ').unwrap_or(text) } else { text };
                let (day, rest) = number(text, part == LayoutPart::ZeroDay)?;
                self.day = Some(day);
                Ok(rest)
            }
            LayoutPart::UnderYearDay | LayoutPart::ZeroYearDay => {
                self.read_year_day(text, part == LayoutPart::ZeroYearDay)
            }
            LayoutPart::UpperPm | LayoutPart::LowerPm => self.read_pm(text, part == LayoutPart::UpperPm),
            LayoutPart::Zone => self.read_zone(text),
            LayoutPart::Offset { is_iso, has_colons, parts } => self.read_offset(text, is_iso, has_colons, parts),
            LayoutPart::Fraction { digits, is_trimmed, .. } => self.read_fraction(text, digits, is_trimmed),
            _ => self.read_clock(part, text, layout_after),
        }
    }

    fn read_clock<'t>(&mut self, part: LayoutPart, text: &'t str, layout_after: &str) -> ReadPart<'t> {
        let is_fixed = matches!(part, LayoutPart::ZeroHour12 | LayoutPart::ZeroMinute | LayoutPart::ZeroSecond);
        let (value, mut rest) = number(text, is_fixed)?;
        match part {
            LayoutPart::Hour => self.hour = within(value, 0..=23, "hour")?,
            LayoutPart::Hour12 | LayoutPart::ZeroHour12 => self.hour = within(value, 0..=12, "hour")?,
            LayoutPart::Minute | LayoutPart::ZeroMinute => self.minute = within(value, 0..=59, "minute")?,
            _ => {
                self.second = within(value, 0..=59, "second")?;
                let is_expected = matches!(next_part(layout_after).1, Some((LayoutPart::Fraction { .. }, _)));
                let mut characters = rest.chars();
                let has_fraction = matches!(characters.next(), Some('.' | ','))
                    && characters.next().is_some_and(|next| next.is_ascii_digit());
                if has_fraction && !is_expected {
                    rest = self.read_fraction(rest, 0, true)?;
                }
            }
        }
        Ok(rest)
    }

    fn read_year_day<'t>(&mut self, text: &'t str, is_fixed: bool) -> ReadPart<'t> {
        let text = if is_fixed { text } else { text.trim_start_matches(' ') };
        let digits = text.bytes().take(3).take_while(u8::is_ascii_digit).count();
        if digits == 0 || (is_fixed && digits < 3) {
            return Err(Wrong::Bad);
        }
        let day: i16 = text[..digits].parse().or(Err(Wrong::Bad))?;
        if !(1..=366).contains(&day) {
            return Err(Wrong::OutOfRange("day-of-year"));
        }
        self.year_day = Some(day);
        Ok(&text[digits..])
    }

    fn read_pm<'t>(&mut self, text: &'t str, is_upper: bool) -> ReadPart<'t> {
        let (pm, am) = if is_upper { ("PM", "AM") } else { ("pm", "am") };
        if let Some(rest) = text.strip_prefix(pm) {
            self.is_pm = Some(true);
            Ok(rest)
        } else {
            self.is_pm = Some(false);
            text.strip_prefix(am).ok_or(Wrong::Bad)
        }
    }

    fn read_zone<'t>(&mut self, text: &'t str) -> ReadPart<'t> {
        if let Some(rest) = text.strip_prefix("UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let upper = text.bytes().take(6).take_while(u8::is_ascii_uppercase).count();
        let length = match upper {
            _ if text.starts_with("ChST") || text.starts_with("MeST") => 4,
            3 => 3,
            4 if text.as_bytes()[3] == b'T' || text.starts_with("WITA") => 4,
            5 if text.as_bytes()[4] == b'T' => 5,
            _ => return Err(Wrong::Bad),
        };
        self.zone_name = Some(text[..length].to_owned());
        Ok(&text[length..])
    }

    fn read_offset<'t>(&mut self, text: &'t str, is_iso: bool, has_colons: bool, parts: u8) -> ReadPart<'t> {
        if is_iso && let Some(rest) = text.strip_prefix('Z') {
            self.is_utc = true;
            return Ok(rest);
        }
        let sign = match text.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(Wrong::Bad),
        };
        let mut rest = &text[1..];
        let mut seconds = 0;
        for at in 0..parts {
            if at > 0 && has_colons {
                rest = rest.strip_prefix(':').ok_or(Wrong::Bad)?;
            }
            let (value, after) = number(rest, true)?;
            let (most, what, scale) = match at {
                0 => (24, "time zone offset hour", 3600),
                1 => (60, "time zone offset minute", 60),
                _ => (60, "time zone offset second", 1),
            };
            seconds += i32::from(within(value, 0..=most, what)?) * scale;
            rest = after;
        }
        self.offset = Some(sign * seconds);
        Ok(rest)
    }

    fn read_fraction<'t>(&mut self, text: &'t str, digits: usize, is_trimmed: bool) -> ReadPart<'t> {
        let starts = text.starts_with(['.', ',']);
        let found = text.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        if is_trimmed && (!starts || found == 0) {
            return Ok(text);
        }
        let digits = if is_trimmed { found } else { digits };
        if !starts || found < digits {
            return Err(Wrong::Bad);
        }
        let nanoseconds = format!("{:0<9.9}", &text[1..=digits]);
        self.nanosecond = nanoseconds.parse().or(Err(Wrong::Bad))?;
        Ok(&text[digits + 1..])
    }

    fn time(&self, local: &TimeZone) -> Option<GoTime> {
        let hour = match self.is_pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date = match self.year_day {
            Some(day) => {
                let first = Date::new(self.year, 1, 1).ok()?;
                first
                    .checked_add(jiff::Span::new().days(i64::from(day) - 1))
                    .ok()
                    .filter(|date| date.year() == self.year)?
            }
            None => Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?,
        };
        let civil: DateTime = date.at(hour, self.minute, self.second, self.nanosecond);
        let at = |zone: &TimeZone| -> Option<Timestamp> { zone.to_ambiguous_timestamp(civil).compatible().ok() };
        if self.is_utc {
            return Some(GoTime::new(at(&TimeZone::UTC)?, TimeZone::UTC));
        }
        if let Some(seconds) = self.offset {
            let zone = fixed(seconds)?;
            let instant = at(&zone)?;
            let is_local = local.to_offset(instant).seconds() == seconds;
            return Some(if is_local {
                GoTime::new(instant, local.clone())
            } else {
                GoTime { at: instant, zone, name: Some(self.zone_name.clone().unwrap_or_default()) }
            });
        }
        if let Some(name) = &self.zone_name {
            let instant = at(local)?;
            if local.to_offset_info(instant).abbreviation() == name {
                return Some(GoTime::new(instant, local.clone()));
            }
            return Some(GoTime { at: at(&TimeZone::UTC)?, zone: fixed(0)?, name: Some(name.clone()) });
        }
        Some(GoTime::new(at(local)?, local.clone()))
    }
}
