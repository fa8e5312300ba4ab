//! What a scalar means: text, a number, a boolean, nothing.
//!
//! Rule: go-yaml v2 resolve.go, which is YAML 1.1 with `0o17` and without base 60; then JSON as sigs.k8s.io/yaml makes it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Number, Value};

use super::number::{self, Integer};
use super::timestamp;

/// The prefix of the tags that YAML itself defines: `!!str` is `tag:yaml.org,2002:str`.
const YAML_TAG: &str = "tag:yaml.org,2002:";

/// A scalar, resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// `null`, `~`, nothing at all.
    Null,
    /// `true`, `yes`, `on`, `y` and their opposites.
    Bool(bool),
    /// A whole number.
    Integer(Integer),
    /// A number with a fraction or an exponent, infinity, or not a number.
    Float(f64),
    /// Anything else.
    Text(String),
}

impl Scalar {
    /// The scalar as a JSON value, or what it is that JSON cannot say.
    pub(super) fn into_value(self) -> Result<Value, &'static str> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(Integer::Signed(value)) => Value::Number(Number::from(value)),
            Self::Integer(Integer::Unsigned(value)) => Value::Number(Number::from(value)),
            Self::Float(value) => {
                Value::Number(number::json_number(value).ok_or("infinity and `.nan` cannot be written as JSON")?)
            }
            Self::Text(text) => Value::String(text),
        })
    }

    /// The scalar as the key of a JSON object, or why it cannot be one.
    ///
    /// Rule: sigs.k8s.io/yaml `convertToJSONableObject`.
    pub(super) fn into_key(self) -> Result<String, &'static str> {
        Ok(match self {
            Self::Text(text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Integer(Integer::Signed(value)) => value.to_string(),
            Self::Float(value) => number::key_of_float(value),
            Self::Integer(Integer::Unsigned(_)) => return Err("a key is a number beyond 64 bits"),
            Self::Null => return Err("a key is null"),
        })
    }
}

/// Resolves a scalar by its tag, its style and its text.
///
/// `tag` is the tag in full, if there is one; `plain` is true for text without quotes.
pub(super) fn resolve(tag: Option<&str>, plain: bool, text: String) -> Result<Scalar, String> {
    let Some(tag) = tag else {
        return Ok(if plain { resolve_plain(text) } else { Scalar::Text(text) });
    };
    match tag.strip_prefix(YAML_TAG) {
        Some("binary") => binary(&text).map(Scalar::Text),
        Some(kind @ ("bool" | "int" | "float" | "null" | "timestamp")) => typed(kind, text),
        // `!!str`, and tags that mean nothing here.
        _ => Ok(Scalar::Text(text)),
    }
}

fn typed(kind: &str, text: String) -> Result<Scalar, String> {
    if kind == "timestamp" {
        return if timestamp::is_timestamp(&text) {
            Ok(Scalar::Text(text))
        } else {
            Err("a value is not a timestamp, as its tag says".to_owned())
        };
    }
    match (kind, resolve_plain(text)) {
        ("bool", scalar @ Scalar::Bool(_))
        | ("int", scalar @ Scalar::Integer(_))
        | ("float", scalar @ Scalar::Float(_))
        | ("null", scalar @ Scalar::Null) => Ok(scalar),
        #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
        ("float", Scalar::Integer(Integer::Signed(value))) => Ok(Scalar::Float(value as f64)),
        _ => Err(format!("a value is not {}, as its tag says", named(kind))),
    }
}

fn named(kind: &str) -> &'static str {
    match kind {
        "bool" => "a boolean",
        "int" => "a whole number",
        "float" => "a number",
        _ => "null",
    }
}

/// Resolves text without quotes.
fn resolve_plain(text: String) -> Scalar {
    let Some(first) = text.as_bytes().first() else { return Scalar::Null };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match text.as_str() {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            _ => {
                let digits = without_underscores_between_digits(&text);
                digits.and_then(|digits| number::float(&digits)).map_or(Scalar::Text(text), Scalar::Float)
            }
        },
        b'+' | b'-' | b'0'..=b'9' => numeric(text),
        _ => Scalar::Text(text),
    }
}

fn word(text: String) -> Scalar {
    match text.as_str() {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        _ => Scalar::Text(text),
    }
}

fn numeric(text: String) -> Scalar {
    match text.as_str() {
        "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let without_underscores;
    let digits = if text.contains('_') {
        without_underscores = text.replace('_', "");
        without_underscores.as_str()
    } else {
        text.as_str()
    };
    if let Some(integer) = number::integer(digits) {
        return Scalar::Integer(integer);
    }
    if let Some(float) = number::float(digits) {
        return Scalar::Float(float);
    }
    number::binary_with_inner_sign(digits).map_or(Scalar::Text(text), Scalar::Integer)
}

/// Rule: Go's `strconv.ParseFloat`, which takes `.5_1`, and not `.5__1`; go-yaml asks it only about text that starts with
/// a point.
fn without_underscores_between_digits(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let has_digits_around = |(at, _): (usize, &str)| {
        let bytes = text.as_bytes();
        at > 0 && bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    text.match_indices('_').all(has_digits_around).then(|| Cow::Owned(text.replace('_', "")))
}

/// Decodes `!!binary`; what is not UTF-8 becomes U+FFFD byte by byte, as `encoding/json` writes it.
fn binary(text: &str) -> Result<String, String> {
    // Go's `base64.StdEncoding` skips line breaks, wants padding, and takes any trailing bits.
    const STANDARD: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );
    let text: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    let bytes = STANDARD.decode(text).map_err(|_not_base64| "`!!binary` holds what is not base64".to_owned())?;
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(decoded)
}

/// Whether the reader would take this plain text for anything but that text.
///
/// Rule: go-yaml v2 encode.go `stringv`, with base 60 numbers, which other readers know.
pub(super) fn means_something_else(text: &str) -> bool {
    text == "<<"
        || timestamp::is_timestamp(text)
        || is_base60(text)
        || !matches!(resolve_plain(text.to_owned()), Scalar::Text(_))
}

/// `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let is_first = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let is_later = |part: &str| match part.as_bytes() {
        [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    whole.contains(':')
        && parts.next().is_some_and(is_first)
        && parts.all(is_later)
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}
