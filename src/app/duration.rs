//! Durations as Argo CD reads them: a bare number of seconds, or Go's `1h30m`.
//!
//! Rules: Argo CD types.go `parseStringToDuration`; Go time.ParseDuration.

use std::time::Duration;

/// Reads a duration; the error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    if let Ok(seconds) = text.parse::<i64>() {
        return u64::try_from(seconds).map(Duration::from_secs).map_err(|_negative| "it is negative");
    }
    let (is_negative, rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest.is_empty() {
        return Err("it is empty");
    }
    let mut nanoseconds: f64 = 0.0;
    let mut rest = rest;
    while !rest.is_empty() {
        let unit_start = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or("it has no unit")?;
        let (number, after) = rest.split_at(unit_start);
        let unit_end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let number = number.trim_end_matches('.');
        let number: f64 = number.parse().map_err(|_error| "it has a unit without a number")?;
        nanoseconds += number * nanoseconds_of(unit).ok_or("its unit is not one of `h`, `m`, `s`, `ms`, `us`, `ns`")?;
        rest = after;
    }
    if is_negative && nanoseconds > 0.0 {
        return Err("it is negative");
    }
    // Go counts in 64 bits of nanoseconds, which is 292 years.
    if nanoseconds > 9_223_372_036_854_775_807.0 {
        return Err("it is too long");
    }
    Duration::try_from_secs_f64(nanoseconds / 1e9).map_err(|_error| "it is too long")
}

fn nanoseconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" => 60e9,
        "h" => 3600e9,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: Go 1.26 `time.ParseDuration`, after `strconv.Atoi`.
    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("5", 5_000),
            ("0", 0),
            ("5s", 5_000),
            ("3m", 180_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("1.s", 1_000),
            ("+5s", 5_000),
            ("250ms", 250),
            ("1000us", 1),
            ("1000µs", 1),
            ("-0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in ["", "+", "-", "s", "5 s", "5x", "5sec", "1h30", ".s", "1..5s", "5S", "1d", "３s", "9999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
