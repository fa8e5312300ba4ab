//! Semver constraints as Argo CD reads them: `1.x`, `~1.2`, `^1.2.3`, `>=1.2 <2 || 3`, `1.1 - 2.3`.
//!
//! In: a constraint and versions. Out: whether they satisfy it. A prerelease satisfies only a constraint that has one.
//! Rule: Masterminds/semver v3, `constraints.go`; the table of its own answers is in `version_range_cases.tsv`.

use std::cmp::Ordering;

use semver::{BuildMetadata, Prerelease, Version};

/// A constraint: alternatives of conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    alternatives: Vec<Vec<VersionCondition>>,
}

impl VersionRange {
    /// Reads a constraint; `None` when it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let alternatives: Option<Vec<_>> = text.split("||").map(conditions).collect();
        Some(Self { alternatives: alternatives? })
    }

    /// Whether a version satisfies it.
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|conditions| {
            // A prerelease is wanted where one of the conditions names one.
            let wanted = version.pre.is_empty() || conditions.iter().any(|condition| !condition.version.pre.is_empty());
            wanted && conditions.iter().all(|condition| condition.matches(version))
        })
    }
}

/// Reads a version as a tag writes it: with or without `v`, with one, two or three numbers.
pub(super) fn parse_version(text: &str) -> Option<Version> {
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut numbers = [0u64; 3];
    for (index, number) in numbers.iter_mut().enumerate() {
        if index > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        *number = rest[..end].parse().ok()?;
        rest = &rest[end..];
    }
    let (pre, build, rest) = suffixes(rest)?;
    rest.is_empty().then_some(Version { major: numbers[0], minor: numbers[1], patch: numbers[2], pre, build })
}

/// `-alpha.1` and `+build.5`, each optional, and what comes after them.
fn suffixes(text: &str) -> Option<(Prerelease, BuildMetadata, &str)> {
    let word_end =
        |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).unwrap_or(text.len());
    let mut rest = text;
    let mut pre = Prerelease::EMPTY;
    let mut build = BuildMetadata::EMPTY;
    if let Some(after) = rest.strip_prefix('-') {
        let end = word_end(after);
        pre = Prerelease::new(&after[..end]).ok().filter(|pre| !pre.is_empty())?;
        rest = &after[end..];
    }
    if let Some(after) = rest.strip_prefix('+') {
        let end = word_end(after);
        build = BuildMetadata::new(&after[..end]).ok().filter(|build| !build.is_empty())?;
        rest = &after[end..];
    }
    Some((pre, build, rest))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// How much of a condition's version is written; the rest is `x`, or missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VersionPrecision {
    Nothing,
    Major,
    Minor,
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct VersionCondition {
    operator: Operator,
    version: Version,
    written: VersionPrecision,
}

/// Reads conditions that must all hold, apart by spaces or a comma.
fn conditions(text: &str) -> Option<Vec<VersionCondition>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (operator, after) = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((Some(*operator), rest.strip_prefix(sign)?)))
            .unwrap_or((None, rest));
        let (version, written, after) = partial_version(after.trim_start())?;
        let (second, after) = match operator {
            None => hyphen(after)?,
            Some(_) => (None, after),
        };
        if let Some((upper, upper_written)) = second {
            // `1.1 - 2.3` is `>=1.1 <=2.3`.
            found.push(VersionCondition { operator: Operator::GreaterOrEqual, version, written });
            found.push(VersionCondition { operator: Operator::LessOrEqual, version: upper, written: upper_written });
        } else {
            let operator = operator.unwrap_or(Operator::TildeOrEqual);
            found.push(VersionCondition { operator, version, written });
        }
        let next = after.trim_start();
        if next.is_empty() {
            return Some(found);
        }
        match next.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if next.len() < after.len() => rest = next,
            None => return None,
        }
    }
}

/// The upper end of a hyphen range, if there is one: the hyphen stands between spaces.
fn hyphen(text: &str) -> Option<(Option<(Version, VersionPrecision)>, &str)> {
    let inner = text.trim_start();
    let upper = inner.strip_prefix('-').filter(|_| inner.len() < text.len());
    let Some(upper) = upper.filter(|upper| upper.starts_with(char::is_whitespace)) else {
        return Some((None, text));
    };
    let (version, written, after) = partial_version(upper.trim_start())?;
    Some((Some((version, written)), after))
}

/// A version of which the end may be `x`, `X`, `*` or missing, and what comes after it.
fn partial_version(text: &str) -> Option<(Version, VersionPrecision, &str)> {
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut numbers = [0u64; 3];
    let mut known = 0;
    let mut open = false;
    for (index, number) in numbers.iter_mut().enumerate() {
        if index > 0 {
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*'))).unwrap_or(rest.len());
        let part = &rest[..end];
        rest = &rest[end..];
        match part {
            "" => return None,
            "x" | "X" | "*" => open = true,
            // After an `x`, nothing counts any more.
            _ if open => {}
            _ => {
                *number = part.parse().ok()?;
                known = index + 1;
            }
        }
    }
    let (pre, build, rest) = suffixes(rest)?;
    let written =
        [VersionPrecision::Nothing, VersionPrecision::Major, VersionPrecision::Minor, VersionPrecision::All][known];
    Some((Version { major: numbers[0], minor: numbers[1], patch: numbers[2], pre, build }, written, rest))
}

impl VersionCondition {
    fn matches(&self, version: &Version) -> bool {
        let against = &self.version;
        let order = version.cmp_precedence(against);
        match self.operator {
            Operator::TildeOrEqual if self.written == VersionPrecision::All => order == Ordering::Equal,
            Operator::TildeOrEqual | Operator::Tilde => self.tilde(version, order),
            Operator::NotEqual => self.not_equal(version, order),
            Operator::Greater => self.greater(version, order),
            Operator::Less => order == Ordering::Less,
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::LessOrEqual => self.less_or_equal(version, order),
            Operator::Caret => self.caret(version, order),
        }
    }

    /// `~1` is `>=1 <2`, `~1.2` and `~1.2.3` stay below 1.3; `~*` and `~0.0.0` are anything.
    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        let against = &self.version;
        if order == Ordering::Less {
            return false;
        }
        let zero = (against.major, against.minor, against.patch) == (0, 0, 0);
        if zero && matches!(self.written, VersionPrecision::Nothing | VersionPrecision::All) {
            return true;
        }
        version.major == against.major && (version.minor == against.minor || self.written == VersionPrecision::Major)
    }

    /// `^1.2.3` is `>=1.2.3 <2`; below 1 the first number that is not zero must stay.
    fn caret(&self, version: &Version, order: Ordering) -> bool {
        let against = &self.version;
        if order == Ordering::Less {
            return false;
        }
        if against.major > 0 || self.written == VersionPrecision::Major {
            return version.major == against.major;
        }
        if version.major > 0 {
            return false;
        }
        if against.minor > 0 || self.written == VersionPrecision::Minor {
            return version.minor == against.minor;
        }
        version.minor == 0 && version.patch == against.patch
    }

    fn not_equal(&self, version: &Version, order: Ordering) -> bool {
        let against = &self.version;
        match self.written {
            VersionPrecision::All | VersionPrecision::Nothing => order != Ordering::Equal,
            VersionPrecision::Major => version.major != against.major,
            VersionPrecision::Minor => {
                (version.major, version.minor) != (against.major, against.minor) || version.pre != against.pre
            }
        }
    }

    /// `>11` begins at 12, `>11.1` at 11.2.
    fn greater(&self, version: &Version, order: Ordering) -> bool {
        let against = &self.version;
        match self.written {
            VersionPrecision::Major => version.major > against.major,
            VersionPrecision::Minor => (version.major, version.minor) > (against.major, against.minor),
            VersionPrecision::All => order == Ordering::Greater,
            VersionPrecision::Nothing => version.major > against.major || order == Ordering::Greater,
        }
    }

    /// `<=11` ends before 12, `<=11.1` before 11.2.
    fn less_or_equal(&self, version: &Version, order: Ordering) -> bool {
        let against = &self.version;
        match self.written {
            VersionPrecision::All => order != Ordering::Greater,
            VersionPrecision::Major => version.major <= against.major,
            VersionPrecision::Nothing | VersionPrecision::Minor => {
                (version.major, version.minor) <= (against.major, against.minor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Masterminds/semver 3.4.0 itself, for every pair of these constraints and versions.
    #[test]
    fn constraints_mean_what_argo_cd_means() {
        let cases = include_str!("version_range_cases.tsv");
        let rows: Vec<Vec<&str>> = cases.lines().map(|line| line.split('\t').collect()).collect();
        let versions: Vec<(&str, &str)> =
            rows.iter().filter(|row| row[0] == "version").map(|row| (row[1], row[2])).collect();
        let mut wrong = Vec::new();
        for (text, expected) in &versions {
            let read = parse_version(text).map_or_else(|| "invalid".to_owned(), |version| version.to_string());
            if read != *expected {
                wrong.push(format!("version {text}: {read}, not {expected}"));
            }
        }
        for row in rows.iter().filter(|row| row[0] == "constraint") {
            let constraint: String = serde_json::from_str(row[1]).unwrap();
            let found = VersionRange::parse(&constraint).map_or_else(
                || "invalid".to_owned(),
                |range| {
                    let satisfied = versions
                        .iter()
                        .filter(|(text, _)| parse_version(text).is_some_and(|version| range.matches(&version)));
                    satisfied.map(|(text, _)| *text).collect::<Vec<_>>().join(" ")
                },
            );
            if found != row[2] {
                wrong.push(format!("constraint {}:\n  ours   {found}\n  theirs {}", row[1], row[2]));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_fall(text in ".{0,40}") {
            let _ = VersionRange::parse(&text);
            let _ = parse_version(&text);
        }
    }
}
