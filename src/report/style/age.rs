//! How long ago something was, as kubectl says it: `45s ago`, `5m ago`, `2h ago`, `3d ago`.

use jiff::Timestamp;

/// The age of an RFC 3339 time; the time itself where it is in the future or cannot be read.
pub(in crate::report) fn age(time: &str, now: Timestamp) -> String {
    let Ok(then) = time.parse::<Timestamp>() else { return time.to_owned() };
    let seconds = now.as_second() - then.as_second();
    match seconds {
        // Clocks of two machines are never quite the same.
        -60..=0 => "just now".to_owned(),
        1..120 => format!("{seconds}s ago"),
        120..7200 => format!("{}m ago", seconds / 60),
        7200..172_800 => format!("{}h ago", seconds / 3600),
        172_800.. => format!("{}d ago", seconds / 86_400),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_one_number_and_one_unit() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        for (time, expected) in [
            ("2026-03-10T12:00:00Z", "just now"),
            ("2026-03-10T12:00:30Z", "just now"),
            ("2026-03-10T11:59:15Z", "45s ago"),
            ("2026-03-10T11:50:00Z", "10m ago"),
            ("2026-03-10T09:59:00Z", "2h ago"),
            ("2026-03-10T10:00:00+02:00", "4h ago"),
            ("2026-03-07T11:00:00Z", "3d ago"),
            ("2024-03-10T12:00:00Z", "730d ago"),
            ("2026-03-10T13:00:00Z", "2026-03-10T13:00:00Z"),
            ("yesterday", "yesterday"),
            ("", ""),
        ] {
            assert_eq!(age(time, now), expected, "{time}");
        }
    }
}
