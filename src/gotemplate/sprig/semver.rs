//! Versions and ranges of versions: `Masterminds/semver` v3.3.0, which takes more than Semantic Versioning does.

use std::any::Any;
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::LazyLock;

use ::regex::{Captures, Regex};

use super::super::function::Function;
use super::super::value::{GoObject, UintType};
use super::{Args, Context, Fault, Param, Result, T, TableEntry, Text, Value};

pub(super) const TABLE: &[TableEntry] =
    &[("semver", &[T], None, semver), ("semverCompare", &[T, T], None, semver_compare)];

const TYPE: &str = "*semver.Version";
const SUFFIX: &str = r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SemanticVersion {
    parts: [u64; 3],
    prerelease: String,
    metadata: String,
    original: String,
    /// `semver` returns a pointer, `IncMajor` a value.
    is_value: bool,
}

fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

fn range_part() -> String {
    format!(r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?{SUFFIX}")
}

static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(&format!(r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?{SUFFIX}$")));
static CONSTRAINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(&format!(r"^[\t\n\x0C\r ]*({OPERATORS})[\t\n\x0C\r ]*({})[\t\n\x0C\r ]*$", range_part()))
});
static HYPHEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let part = range_part();
    compiled(&format!(r"[\t\n\x0C\r ]*({part})[\t\n\x0C\r ]+-[\t\n\x0C\r ]+({part})[\t\n\x0C\r ]*"))
});
static FIND: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(&format!(r"({OPERATORS})[\t\n\x0C\r ]*({})", range_part())));
static VALID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let one = format!(r"({OPERATORS})[\t\n\x0C\r ]*({})[\t\n\x0C\r ]*", range_part());
    compiled(&format!(r"^([\t\n\x0C\r ]*{one})((?:[\t\n\x0C\r ]+|,[\t\n\x0C\r ]*){one})*$"))
});

fn group<'t>(captures: &Captures<'t>, index: usize) -> &'t str {
    captures.get(index).map_or("", |found| found.as_str())
}

impl SemanticVersion {
    fn parse(text: &str) -> std::result::Result<Self, Fault> {
        let captures = VERSION.as_ref().and_then(|regex| regex.captures(text)).ok_or("Invalid Semantic Version")?;
        let number = |index: usize| {
            let digits = group(&captures, index).trim_start_matches('.');
            if digits.is_empty() {
                return Ok(0);
            }
            digits.parse::<u64>().ok().ok_or_else(|| {
                let reason = format!("strconv.ParseUint: parsing \"{digits}\": value out of range");
                Fault::Message(format!("Error parsing version segment: {reason}"))
            })
        };
        let prerelease = group(&captures, 5);
        let starts_with_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = [number(1)?, number(2)?, number(3)?];
        if prerelease.split('.').any(starts_with_zero) {
            return Err("Version segment starts with 0".into());
        }
        Ok(Self {
            parts,
            prerelease: prerelease.to_owned(),
            metadata: group(&captures, 8).to_owned(),
            original: text.to_owned(),
            is_value: false,
        })
    }

    fn shown(&self) -> String {
        let [major, minor, patch] = self.parts;
        let mut text = format!("{major}.{minor}.{patch}");
        for (mark, extra) in [('-', &self.prerelease), ('+', &self.metadata)] {
            if !extra.is_empty() {
                text.push(mark);
                text.push_str(extra);
            }
        }
        text
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts).then_with(|| match (self.prerelease.as_str(), other.prerelease.as_str()) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (one, other) => compare_prereleases(one, other),
        })
    }

    fn increased(&self, at: usize) -> Self {
        let mut parts = self.parts;
        // A prerelease comes before its version, so that the next patch is the version itself.
        if at < 2 || self.prerelease.is_empty() {
            parts[at] = parts[at].wrapping_add(1);
        }
        parts[at + 1..].fill(0);
        let mut next =
            Self { parts, prerelease: String::new(), metadata: String::new(), original: String::new(), is_value: true };
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        next.original = format!("{prefix}{}", next.shown());
        next
    }
}

fn compare_prereleases(one: &str, other: &str) -> Ordering {
    let mut ones = one.split('.');
    let mut others = other.split('.');
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[derive(Debug)]
struct Constraint {
    version: SemanticVersion,
    operator: String,
    is_minor_open: bool,
    is_patch_open: bool,
    is_open: bool,
}

impl Constraint {
    fn parse(text: &str) -> std::result::Result<Self, Fault> {
        let improper = || Fault::Message(format!("improper constraint: {text}"));
        if text.is_empty() {
            return Ok(Self {
                version: SemanticVersion::parse("0.0.0")?,
                operator: String::new(),
                is_minor_open: false,
                is_patch_open: false,
                is_open: true,
            });
        }
        let captures = CONSTRAINT.as_ref().and_then(|regex| regex.captures(text)).ok_or_else(improper)?;
        let is_open_part = |part: &str| matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*");
        let (major, minor, patch, suffix) =
            (group(&captures, 3), group(&captures, 4), group(&captures, 5), group(&captures, 6));
        let (is_major_open, is_minor_open, is_patch_open) = if is_open_part(major) {
            (true, false, false)
        } else if is_open_part(minor) {
            (false, true, false)
        } else {
            (false, false, is_open_part(patch))
        };
        let version = if is_major_open {
            format!("0.0.0{suffix}")
        } else if is_minor_open {
            format!("{major}.0.0{suffix}")
        } else if is_patch_open {
            format!("{major}{minor}.0{suffix}")
        } else {
            group(&captures, 2).to_owned()
        };
        Ok(Self {
            version: SemanticVersion::parse(&version).or(Err("constraint Parser Error"))?,
            operator: group(&captures, 1).to_owned(),
            is_minor_open,
            is_patch_open,
            is_open: is_major_open || is_minor_open || is_patch_open,
        })
    }

    fn allows(&self, version: &SemanticVersion) -> bool {
        let own = &self.version;
        let is_only_prerelease = !version.prerelease.is_empty() && own.prerelease.is_empty();
        let order = version.compare(own);
        if self.operator != "!=" && is_only_prerelease {
            return false;
        }
        let ([major, minor, _], [own_major, own_minor, _]) = (version.parts, own.parts);
        match self.operator.as_str() {
            "!=" => self.differs(version, is_only_prerelease),
            ">" if self.is_open => match major.cmp(&own_major) {
                Ordering::Greater => true,
                Ordering::Less => false,
                Ordering::Equal if self.is_minor_open => false,
                Ordering::Equal if self.is_patch_open => minor > own_minor,
                Ordering::Equal => order.is_gt(),
            },
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" if self.is_open => {
                major < own_major || (major == own_major && (minor <= own_minor || self.is_minor_open))
            }
            "<=" | "=<" => order.is_le(),
            "~" | "~>" => self.allows_tilde(version),
            "^" => self.allows_caret(version),
            _ if self.is_open => self.allows_tilde(version),
            _ => order.is_eq(),
        }
    }

    fn differs(&self, version: &SemanticVersion, is_only_prerelease: bool) -> bool {
        let ([major, minor, patch], [own_major, own_minor, own_patch]) = (version.parts, self.version.parts);
        if self.is_open {
            if is_only_prerelease {
                return false;
            }
            if major != own_major || (minor != own_minor && !self.is_minor_open) {
                return true;
            }
            if self.is_minor_open {
                return false;
            }
            if patch != own_patch && !self.is_patch_open {
                return true;
            }
            if self.is_patch_open {
                return (!version.prerelease.is_empty() || !self.version.prerelease.is_empty())
                    && version.prerelease != self.version.prerelease;
            }
        }
        version.compare(&self.version).is_ne()
    }

    fn allows_tilde(&self, version: &SemanticVersion) -> bool {
        let ([major, minor, _], own) = (version.parts, self.version.parts);
        if version.compare(&self.version).is_lt() {
            return false;
        }
        if own == [0; 3] && !self.is_minor_open && !self.is_patch_open {
            return true;
        }
        major == own[0] && (minor == own[1] || self.is_minor_open)
    }

    fn allows_caret(&self, version: &SemanticVersion) -> bool {
        let ([major, minor, patch], [own_major, own_minor, own_patch]) = (version.parts, self.version.parts);
        if version.compare(&self.version).is_lt() {
            return false;
        }
        if own_major > 0 || self.is_minor_open {
            return major == own_major;
        }
        if major > 0 {
            return false;
        }
        if own_minor > 0 || self.is_patch_open {
            return minor == own_minor;
        }
        minor == 0 && patch == own_patch
    }
}

/// `1.2 - 3.4` is `>= 1.2, <= 3.4`.
fn without_hyphens(constraint: &str) -> String {
    let mut text = constraint.to_owned();
    let Some(regex) = HYPHEN.as_ref() else { return text };
    for captures in regex.captures_iter(constraint) {
        let range = format!(">= {}, <= {} ", group(&captures, 1), group(&captures, 11));
        text = text.replacen(group(&captures, 0), &range, 1);
    }
    text
}

fn constraints(text: &str) -> std::result::Result<Vec<Vec<Constraint>>, Fault> {
    let mut alternatives = Vec::new();
    for alternative in without_hyphens(text).split("||") {
        if !VALID.as_ref().is_some_and(|regex| regex.is_match(alternative)) {
            return Err(Fault::Message(format!("improper constraint: {alternative}")));
        }
        let mut all = Vec::new();
        for found in FIND.iter().flat_map(|regex| regex.find_iter(alternative)) {
            all.push(Constraint::parse(found.as_str())?);
        }
        alternatives.push(all);
    }
    Ok(alternatives)
}

fn semver_compare(_: &mut dyn Context, args: Args<'_>) -> Result {
    let alternatives = constraints(&String::from_utf8_lossy(args.text(0)))?;
    let version = SemanticVersion::parse(&String::from_utf8_lossy(args.text(1)))?;
    Ok(Value::Bool(alternatives.iter().any(|all| all.iter().all(|constraint| constraint.allows(&version)))))
}

fn semver(_: &mut dyn Context, args: Args<'_>) -> Result {
    Ok(Value::Object(Rc::new(SemanticVersion::parse(&String::from_utf8_lossy(args.text(0)))?)))
}

/// The version that an argument is.
fn version_of(value: &Value) -> Option<SemanticVersion> {
    match value {
        Value::Object(object) => object.as_any().downcast_ref::<SemanticVersion>().cloned(),
        _ => None,
    }
}

impl GoObject for SemanticVersion {
    fn type_name(&self) -> &str {
        if self.is_value { &TYPE[1..] } else { TYPE }
    }

    fn is_pointer(&self) -> bool {
        !self.is_value
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let [major, minor, patch] = self.parts.map(|part| Value::Uint(UintType::U64, part));
        let texts = [&self.prerelease, &self.metadata, &self.original].map(|text| Value::text(text.as_str()));
        let [prerelease, metadata, original] = texts;
        vec![
            ("major", major),
            ("minor", minor),
            ("patch", patch),
            ("pre", prerelease),
            ("metadata", metadata),
            ("original", original),
        ]
    }

    fn to_text(&self) -> Option<Text> {
        Some(self.shown().into())
    }

    fn to_json(&self) -> Option<String> {
        Some(format!("\"{}\"", self.shown()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn method(self: Rc<Self>, name: &str) -> Option<Function> {
        const OTHER: &[Param] = &[Param::Object(TYPE)];
        let number = |value: u64| Value::Uint(UintType::U64, value);
        let constant = |value: Value| Some(Function::bound(&[], Rc::new(move |_, _| Ok(value.clone()))));
        let comparison = |is_so: fn(Ordering) -> Value| {
            let own = Rc::clone(&self);
            Some(Function::bound(
                OTHER,
                Rc::new(move |_, args| {
                    let other = version_of(args.value(0)).ok_or("invalid version")?;
                    Ok(is_so(own.compare(&other)))
                }),
            ))
        };
        match name {
            "Major" => constant(number(self.parts[0])),
            "Minor" => constant(number(self.parts[1])),
            "Patch" => constant(number(self.parts[2])),
            "Prerelease" => constant(Value::text(self.prerelease.as_str())),
            "Metadata" => constant(Value::text(self.metadata.as_str())),
            "Original" | "Compare" | "Equal" | "LessThan" | "GreaterThan" if self.is_value => None,
            "Original" => constant(Value::text(self.original.as_str())),
            "String" => constant(Value::text(self.shown())),
            "IncMajor" => constant(Value::Object(Rc::new(self.increased(0)))),
            "IncMinor" => constant(Value::Object(Rc::new(self.increased(1)))),
            "IncPatch" => constant(Value::Object(Rc::new(self.increased(2)))),
            "Compare" => comparison(|order| Value::int(i64::from(order as i8))),
            "Equal" => comparison(|order| Value::Bool(order.is_eq())),
            "LessThan" => comparison(|order| Value::Bool(order.is_lt())),
            "GreaterThan" => comparison(|order| Value::Bool(order.is_gt())),
            _ => None,
        }
    }
}
