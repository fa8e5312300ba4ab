//! A place inside an object: an RFC 6901 pointer.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// A path into a JSON value, as RFC 6901 tokens; displayed as `/spec/template/metadata/labels/app~1name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The whole value.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads `/a/b~1c`; the empty text is the whole value, anything else must start with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::root());
        }
        let rest = text.strip_prefix('/')?;
        Some(Self(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// The same path, one step deeper.
    #[must_use]
    pub fn child(&self, token: impl Into<String>) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(token.into());
        Self(tokens)
    }

    /// The same path, one step deeper into a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.child(index.to_string())
    }

    /// The path without its last step; nothing for the whole value.
    pub fn parent(&self) -> Option<Self> {
        let (_, init) = self.0.split_last()?;
        Some(Self(init.to_vec()))
    }

    /// The steps, unescaped.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// The last step, unescaped.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Whether this path is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The order of places in an object, in which the items of a list follow each other by their number.
    #[must_use]
    pub fn place_order(&self, other: &Self) -> Ordering {
        let steps = |place: &'_ Self| -> Vec<(Option<usize>, String)> {
            place.0.iter().map(|token| (token.parse().ok(), token.clone())).collect()
        };
        steps(self).cmp(&steps(other))
    }

    /// The value at this path.
    pub fn get<'value>(&self, value: &'value Value) -> Option<&'value Value> {
        self.0.iter().try_fold(value, |value, token| match value {
            Value::Object(map) => map.get(token),
            Value::Array(list) => list.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The path as people write it: `spec.template.containers[0].image`; keys with dots stand in quotes.
    pub fn dotted(&self) -> String {
        let mut text = String::new();
        for token in &self.0 {
            if token.parse::<usize>().is_ok() {
                text.push('[');
                text.push_str(token);
                text.push(']');
            } else if token.is_empty() || token.contains(['.', '[', ']', '"', '/', ' ']) {
                text.push_str("[\"");
                text.push_str(token);
                text.push_str("\"]");
            } else {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(token);
            }
        }
        text
    }
}

impl FromIterator<String> for Pointer {
    fn from_iter<Tokens: IntoIterator<Item = String>>(tokens: Tokens) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(formatter, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}
