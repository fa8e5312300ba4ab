//! Whether text is a timestamp. Only a tag, and the writer's quotes, depend on it: the reader keeps timestamps as text.
//!
//! Rule: go-yaml v2 resolve.go `parseTimestamp`, on Go's `time.Parse`.

/// Whether text has one of the forms `2001-12-14`, `2001-12-14 21:59:43.1`, `2001-12-14t21:59:43.1-05:00`.
pub(super) fn is_timestamp(text: &str) -> bool {
    timestamp(text.as_bytes()).is_some()
}

fn timestamp(text: &[u8]) -> Option<()> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits != 4 {
        return None;
    }
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_of(month, year) {
        return None;
    }
    let (separator, rest) = match rest {
        [] => return Some(()),
        [separator @ (b'T' | b't' | b' '), rest @ ..] => (*separator, rest),
        _ => return None,
    };
    // Quirk: after a blank, Go's format skips any number of them.
    let blanks = if separator == b' ' { rest.iter().take_while(|byte| **byte == b' ').count() } else { 0 };
    let rest = &rest[blanks..];
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let rest = match rest {
        [b'.' | b',', first, ..] if first.is_ascii_digit() => {
            let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            &rest[1 + digits..]
        }
        _ => rest,
    };
    if separator == b' ' { rest.is_empty().then_some(()) } else { zone(rest) }
}

/// `Z`, or `+hh:mm`.
fn zone(text: &[u8]) -> Option<()> {
    match text {
        [b'Z'] => Some(()),
        [b'+' | b'-', hour @ .., b':', m1, m2] if hour.len() == 2 => {
            let (hours, _) = number(hour, 2).filter(|(_, rest)| rest.is_empty())?;
            let (minutes, _) = number(&[*m1, *m2], 2).filter(|(_, rest)| rest.is_empty())?;
            (hours <= 24 && minutes <= 60).then_some(())
        }
        _ => None,
    }
}

/// A number of at most so many digits, and what follows it.
fn number(text: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    (digits > 0).then_some((value, &text[digits..]))
}

fn days_of(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_that_go_takes() {
        for text in [
            "2001-12-14",
            "2001-1-2",
            "2024-02-29",
            "2001-12-14T21:59:43Z",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14 21:59:43.10",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
        for text in [
            "2001-13-14",
            "2023-02-29",
            "2001-12-14T21:59:43",
            "2001-12-14 21:59:43.10 -5",
            "201-1-1",
            "12345-1-1",
            "2001-12-14x",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
