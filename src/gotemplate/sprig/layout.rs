//! Go's layouts of times, such as `2006-01-02 15:04:05`, split into their parts.

/// A part of a layout that stands for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayoutPart {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Zone,
    /// An offset: whether zero is `Z`, whether there are colons, and how many of hours, minutes and seconds there are.
    Offset {
        is_iso: bool,
        has_colons: bool,
        parts: u8,
    },
    /// Fractions of a second: the separator, how many digits, and whether zeros at the end go.
    Fraction {
        separator: char,
        digits: usize,
        is_trimmed: bool,
    },
}

/// Fixed texts; of two that fit, the first counts.
const TEXTS: [(&str, LayoutPart); 29] = [
    ("January", LayoutPart::LongMonth),
    ("Monday", LayoutPart::LongWeekDay),
    ("MST", LayoutPart::Zone),
    ("01", LayoutPart::ZeroMonth),
    ("02", LayoutPart::ZeroDay),
    ("03", LayoutPart::ZeroHour12),
    ("04", LayoutPart::ZeroMinute),
    ("05", LayoutPart::ZeroSecond),
    ("06", LayoutPart::Year),
    ("002", LayoutPart::ZeroYearDay),
    ("15", LayoutPart::Hour),
    ("1", LayoutPart::NumMonth),
    ("2006", LayoutPart::LongYear),
    ("2", LayoutPart::Day),
    ("__2", LayoutPart::UnderYearDay),
    ("3", LayoutPart::Hour12),
    ("4", LayoutPart::Minute),
    ("5", LayoutPart::Second),
    ("PM", LayoutPart::UpperPm),
    ("-070000", LayoutPart::Offset { is_iso: false, has_colons: false, parts: 3 }),
    ("-07:00:00", LayoutPart::Offset { is_iso: false, has_colons: true, parts: 3 }),
    ("-0700", LayoutPart::Offset { is_iso: false, has_colons: false, parts: 2 }),
    ("-07:00", LayoutPart::Offset { is_iso: false, has_colons: true, parts: 2 }),
    ("-07", LayoutPart::Offset { is_iso: false, has_colons: false, parts: 1 }),
    ("Z070000", LayoutPart::Offset { is_iso: true, has_colons: false, parts: 3 }),
    ("Z07:00:00", LayoutPart::Offset { is_iso: true, has_colons: true, parts: 3 }),
    ("Z0700", LayoutPart::Offset { is_iso: true, has_colons: false, parts: 2 }),
    ("Z07:00", LayoutPart::Offset { is_iso: true, has_colons: true, parts: 2 }),
    ("Z07", LayoutPart::Offset { is_iso: true, has_colons: false, parts: 1 }),
];

/// The text before the first part, the part with its own text, and the rest.
pub(super) fn next_part(layout: &str) -> (&str, Option<(LayoutPart, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        let (literal, part, width) = if rest.starts_with("_2006") {
            (at + 1, Some(LayoutPart::LongYear), 4)
        } else if rest.starts_with("_2") {
            (at, Some(LayoutPart::UnderDay), 2)
        } else if let Some((part, width)) = fraction(rest).or_else(|| short_name(rest)) {
            (at, Some(part), width)
        } else if let Some((text, part)) = TEXTS.iter().find(|(text, _)| rest.starts_with(text)) {
            (at, Some(*part), text.len())
        } else if rest.starts_with("pm") {
            (at, Some(LayoutPart::LowerPm), 2)
        } else {
            continue;
        };
        let after = &layout[literal..];
        return (&layout[..literal], part.map(|part| (part, &after[..width])), &after[width..]);
    }
    (layout, None, "")
}

/// `Jan` and `Mon`, unless a longer word starts with them.
fn short_name(rest: &str) -> Option<(LayoutPart, usize)> {
    let part = if rest.starts_with("Jan") && !rest.starts_with("January") {
        LayoutPart::Month
    } else if rest.starts_with("Mon") && !rest.starts_with("Monday") {
        LayoutPart::WeekDay
    } else {
        return None;
    };
    (!rest[3..].starts_with(|next: char| next.is_ascii_lowercase())).then_some((part, 3))
}

fn fraction(rest: &str) -> Option<(LayoutPart, usize)> {
    let separator = rest.chars().next().filter(|first| matches!(first, '.' | ','))?;
    let digit = rest[1..].chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = rest[1..].chars().take_while(|next| *next == digit).count();
    if rest[1 + digits..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    Some((LayoutPart::Fraction { separator, digits, is_trimmed: digit == '9' }, 1 + digits))
}
