//! Schedules in cron's five fields, and when they come next in a time zone.
//!
//! A day matches when the day of the month or the day of the week does; where one of them begins with `*`, both have to. A time
//! that a change to summer time skips does not come that day; one that comes twice counts twice.
//!
//! Rules: robfig/cron v3, parser.go and spec.go (the version that Argo CD links), with Go's `time.Date` for times that a zone
//! has twice or not at all; a test compares both.

use std::fmt;
use std::time::Duration;

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::app::duration;

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    text: String,
    times: CronTimes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CronTimes {
    Fields(CronFields),
    /// `@every 1h30m`, counted from any time.
    Every(Duration),
}

/// The values of each field that match, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CronFields {
    minute: u64,
    hour: u64,
    day_of_month: u64,
    month: u64,
    day_of_week: u64,
}

/// Set in a field of days that is `*` or `?`.
const STAR: u64 = 1 << 63;

/// The values of a field, and their names.
struct CronBounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: CronBounds = CronBounds { min: 0, max: 59, names: &[] };
const HOURS: CronBounds = CronBounds { min: 0, max: 23, names: &[] };
const DAYS_OF_MONTH: CronBounds = CronBounds { min: 1, max: 31, names: &[] };
const MONTHS: CronBounds = CronBounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: CronBounds =
    CronBounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl CronSchedule {
    /// Reads five fields, or a descriptor such as `@daily`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let times = match text.strip_prefix('@') {
            Some(_) => descriptor(text)?,
            None => CronTimes::Fields(CronFields::parse(text)?),
        };
        Ok(Self { text: text.to_owned(), times })
    }

    /// Whether it is a descriptor, which Argo CD does not take.
    pub fn is_descriptor(&self) -> bool {
        self.text.starts_with('@')
    }

    /// The first time after `after`; nothing where it never comes within five years.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match &self.times {
            CronTimes::Fields(fields) => fields.next(after, zone),
            CronTimes::Every(every) => {
                let start = Timestamp::from_second(after.as_second()).ok()?;
                start.checked_add(SignedDuration::try_from(*every).ok()?).ok()
            }
        }
    }
}

impl fmt::Display for CronSchedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn descriptor(text: &str) -> Result<CronTimes, String> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let every = text.strip_prefix("@every ").ok_or_else(|| format!("`{text}` is not a descriptor"))?;
            // Go reads no bare numbers here.
            let is_number = every.parse::<i64>().is_ok_and(|number| number != 0);
            let every = if is_number { Err("it has no unit") } else { duration::parse(every) }?;
            // As robfig/cron has it, less than a second is a second.
            return Ok(CronTimes::Every(Duration::from_secs(every.as_secs().max(1))));
        }
    };
    CronFields::parse(fields).map(CronTimes::Fields)
}

impl CronFields {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = fields[..] else {
            return Err(format!("it has {} fields, not 5", fields.len()));
        };
        Ok(Self {
            minute: field(minute, &MINUTES)?,
            hour: field(hour, &HOURS)?,
            day_of_month: field(day_of_month, &DAYS_OF_MONTH)?,
            month: field(month, &MONTHS)?,
            day_of_week: field(day_of_week, &DAYS_OF_WEEK)?,
        })
    }

    fn is_day(&self, at: &Zoned) -> bool {
        let is_in_month = has(self.day_of_month, at.day());
        let is_in_week = has(self.day_of_week, day_of_week(at.weekday()));
        if (self.day_of_month | self.day_of_week) & STAR > 0 {
            is_in_month && is_in_week
        } else {
            is_in_month || is_in_week
        }
    }

    /// Goes from field to field, the largest first, and begins again where one wraps around.
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = Timestamp::from_second(after.as_second()).ok()?.checked_add(1.second()).ok()?;
        let mut at = start.to_zoned(zone.clone());
        let last_year = at.year() + 5;
        // Whether a field was moved, so that all smaller ones begin at their first value.
        let mut is_moved = false;
        'wrap: loop {
            if at.year() > last_year {
                return None;
            }
            while !has(self.month, at.month()) {
                if !is_moved {
                    is_moved = true;
                    at = date(&at, 0, at.day() - 1, (0, 0), zone)?;
                }
                at = date(&at, 1, 0, (at.hour(), at.minute()), zone)?;
                if at.month() == 1 {
                    continue 'wrap;
                }
            }
            while !self.is_day(&at) {
                if !is_moved {
                    is_moved = true;
                    at = date(&at, 0, 0, (0, 0), zone)?;
                }
                at = next_midnight(&at, zone)?;
                if at.day() == 1 {
                    continue 'wrap;
                }
            }
            while !has(self.hour, at.hour()) {
                if !is_moved {
                    is_moved = true;
                    at = date(&at, 0, 0, (at.hour(), 0), zone)?;
                }
                at = at.checked_add(1.hour()).ok()?;
                if at.hour() == 0 {
                    continue 'wrap;
                }
            }
            while !has(self.minute, at.minute()) {
                if !is_moved {
                    is_moved = true;
                    at = truncated(&at, zone)?;
                }
                at = at.checked_add(1.minute()).ok()?;
                if at.minute() == 0 {
                    continue 'wrap;
                }
            }
            // Second 0 alone.
            while at.second() != 0 {
                is_moved = true;
                at = at.checked_add(1.second()).ok()?;
                if at.second() == 0 {
                    continue 'wrap;
                }
            }
            return Some(at.timestamp());
        }
    }
}

fn day_of_week(day: Weekday) -> i8 {
    day.to_sunday_zero_offset()
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits & (1 << value) > 0)
}

/// The day after, at midnight, or at the hour that is nearest to it.
fn next_midnight(at: &Zoned, zone: &TimeZone) -> Option<Zoned> {
    let next = date(at, 0, -1, (at.hour(), at.minute()), zone)?;
    let next = match next.hour() {
        0 => Some(next),
        hour if hour > 12 => next.checked_add((24 - i64::from(hour)).hours()).ok(),
        hour => next.checked_add((-i64::from(hour)).hours()).ok(),
    }?;
    // A zone may leave out a whole day, at which robfig/cron never ends.
    if next > *at { Some(next) } else { at.checked_add(24.hours()).ok() }
}

/// The minute begun, by the clock of UTC.
fn truncated(at: &Zoned, zone: &TimeZone) -> Option<Zoned> {
    let second = at.timestamp().as_second();
    Some(Timestamp::from_second(second - second.rem_euclid(60)).ok()?.to_zoned(zone.clone()))
}

/// Go's `time.Date`: so many months later and days earlier at a time of the clock. A time that a zone has not, or twice, is one
/// of the two that it may be.
fn date(at: &Zoned, months: i8, days_earlier: i8, (hour, minute): (i8, i8), zone: &TimeZone) -> Option<Zoned> {
    let first = at.date().first_of_month().checked_add(i64::from(months).months()).ok()?;
    let day = first.checked_add((i64::from(at.day()) - 1 - i64::from(days_earlier)).days()).ok()?;
    let clock: DateTime = day.at(hour, minute, 0, 0);
    let as_utc = Offset::UTC.to_timestamp(clock).ok()?;
    let guess = zone.to_offset(as_utc);
    let found = zone.to_offset(guess.to_timestamp(clock).ok()?);
    Some(found.to_timestamp(clock).ok()?.to_zoned(zone.clone()))
}

/// A list of ranges.
fn field(text: &str, bounds: &CronBounds) -> Result<u64, String> {
    let ranges = text.split(',').filter(|range| !range.is_empty());
    ranges.map(|expression| range(expression, bounds)).try_fold(0, |bits, range| Ok(bits | range?))
}

/// `5`, `1-5`, `*`, `?`, and each with a step: `*/15`.
fn range(text: &str, bounds: &CronBounds) -> Result<u64, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let (ends, step) = match parts[..] {
        [ends] => (ends, None),
        [ends, step] => (ends, Some(number(step, &[])?)),
        _ => return Err(format!("`{text}` has several `/`")),
    };
    let ends: Vec<&str> = ends.split('-').collect();
    let is_star = matches!(ends[0], "*" | "?");
    let (low, mut high) = match ends[..] {
        _ if is_star => (bounds.min, bounds.max),
        [one] => (number(one, bounds.names)?, number(one, bounds.names)?),
        [low, high] => (number(low, bounds.names)?, number(high, bounds.names)?),
        _ => return Err(format!("`{text}` has several `-`")),
    };
    if step.is_some() && ends.len() == 1 {
        high = bounds.max;
    }
    let step = step.unwrap_or(1);
    if low < bounds.min || high > bounds.max {
        return Err(format!("`{text}` is not within {}-{}", bounds.min, bounds.max));
    }
    if low > high {
        return Err(format!("`{text}` ends before it begins"));
    }
    let step_by = usize::try_from(step).ok().filter(|step| *step > 0);
    let step_by = step_by.ok_or_else(|| format!("the step of `{text}` is 0"))?;
    let bits = (low..=high).step_by(step_by).fold(0, |bits, value| bits | 1 << value);
    Ok(if is_star && step <= 1 { bits | STAR } else { bits })
}

fn number(text: &str, names: &[&str]) -> Result<u32, String> {
    let lower = text.to_lowercase();
    if let Some(place) = names.iter().position(|name| *name == lower) {
        // Months are counted from 1, days of the week from 0.
        let first = u32::from(names.len() == MONTHS.names.len());
        return u32::try_from(place)
            .map(|place| place + first)
            .map_err(|_too_long| format!("`{text}` is not a number"));
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    digits.parse().map_err(|_not_a_number| format!("`{text}` is not a number"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;

    use super::*;

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
        let next = CronSchedule::parse(schedule).unwrap().next(after.parse().unwrap(), &zone);
        next.map_or_else(|| "never".to_owned(), |next| next.to_zoned(zone).strftime("%FT%T%z").to_string())
    }

    /// Expected values: robfig/cron v3 `TestNext`, and its answers for both days on which the clock changes.
    #[test]
    fn the_next_time_is_the_one_of_robfig_cron() {
        for (schedule, zone, after, expected) in [
            ("0/15 * * * *", "UTC", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00+0000"),
            ("20-35/15 * * * *", "UTC", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00+0000"),
            ("0 0 29 2 *", "UTC", "2013-07-09T23:35:00Z", "2016-02-29T00:00:00+0000"),
            ("0 0 31 4 *", "UTC", "2013-07-09T23:35:00Z", "never"),
            ("* * 9 jul fri", "UTC", "2012-07-09T23:59:50Z", "2012-07-13T00:00:00+0000"),
            ("* * 9 jul *", "UTC", "2012-07-09T23:59:50Z", "2013-07-09T00:00:00+0000"),
            // The clock goes from 2:00 to 3:00.
            ("30 2 11 mar ?", "America/New_York", "2012-03-11T05:00:00Z", "2013-03-11T02:30:00-0400"),
            ("0 * * * ?", "America/New_York", "2012-03-11T06:00:00Z", "2012-03-11T03:00:00-0400"),
            ("0 2 * * ?", "America/New_York", "2012-03-11T05:00:00Z", "2012-03-12T02:00:00-0400"),
            // … and from 2:00 back to 1:00.
            ("30 2 4 nov ?", "America/New_York", "2012-11-04T04:00:00Z", "2012-11-04T02:30:00-0500"),
            ("45 1 4 nov ?", "America/New_York", "2012-11-04T05:45:00Z", "2012-11-04T01:45:00-0500"),
            ("0 * * * ?", "America/New_York", "2012-11-04T05:00:00Z", "2012-11-04T01:00:00-0500"),
            // Midnight that there is not.
            ("0 0 * * ?", "America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-05T00:00:00-0200"),
        ] {
            assert_eq!(next(schedule, zone, after), expected, "{schedule} {zone} {after}");
        }
    }

    /// Samoa had no 30 December 2011: robfig/cron looks for it without end.
    #[test]
    fn a_day_that_a_zone_leaves_out_is_passed_over() {
        for (schedule, expected) in [
            ("0 9 1 * *", "2012-01-01T09:00:00+1400"),
            ("0 9 31 * *", "2011-12-31T09:00:00+1400"),
            ("0 9 * * mon", "2012-01-02T09:00:00+1400"),
        ] {
            assert_eq!(next(schedule, "Pacific/Apia", "2011-12-29T12:00:00Z"), expected, "{schedule}");
        }
    }

    #[test]
    fn what_robfig_cron_refuses_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "1-2-3 * * * *",
            "@often",
        ] {
            assert!(CronSchedule::parse(text).is_err(), "{text}");
        }
    }
}
