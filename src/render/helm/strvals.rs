//! Reads a parameter as Helm reads `--set name=value` and `--set-string name=value`, and sets it in a tree of values.
//!
//! In: the text `name=value` and the values that were given before it. Out: the values with it. What it may leave behind on
//! an error is Helm's, too: a parameter without a value that ends the text is none.
//!
//! Rules: helm pkg/strvals/parser.go; the functions have the names of that file.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Number, Value};

/// The largest index of a list.
const LARGEST_INDEX: usize = 65_536;
/// How deep names may nest.
const DEEPEST: usize = 30;

/// A value as Helm's templates see it. A whole number of a parameter is an `int64`, every other number a `float64`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HelmValue {
    Null,
    Bool(bool),
    /// Of a parameter.
    Int(i64),
    /// Of a values file.
    Number(Number),
    Text(String),
    List(Vec<HelmValue>),
    Map(HelmMap),
}

pub(super) type HelmMap = BTreeMap<String, HelmValue>;

/// How the values of a parameter are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typing {
    /// `--set`: `true`, `null` and whole numbers are what they look like.
    Guessed,
    /// `--set-string`: all values are text.
    Text,
}

/// Why reading ends.
enum ValueEnd {
    /// The text is over.
    OfText,
    /// Helm refuses it.
    Fault(String),
}

type ParsedText<T> = Result<T, ValueEnd>;

/// Sets `name=value` in a tree of values.
pub(super) fn parse_into(text: &str, values: &mut HelmMap, typing: Typing) -> Result<(), String> {
    let mut parser = StrvalsParser { text: text.chars().peekable(), typing };
    loop {
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(ValueEnd::OfText) => return Ok(()),
            Err(ValueEnd::Fault(why)) => return Err(why),
        }
    }
}

impl From<Value> for HelmValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Map(map.into_iter().map(|(name, value)| (name, value.into())).collect()),
        }
    }
}

struct StrvalsParser<'a> {
    text: Peekable<Chars<'a>>,
    typing: Typing,
}

/// The text up to a letter that ends it.
struct StrvalsWord {
    text: String,
    /// The letter; nothing at the end of the text.
    end: Option<char>,
}

impl StrvalsParser<'_> {
    fn key(&mut self, data: &mut HelmMap, level: usize) -> ParsedText<()> {
        let StrvalsWord { text: key, end } = self.until(&['=', '[', ',', '.']);
        match end {
            None if key.is_empty() => Err(ValueEnd::OfText),
            None => fault("a key has no value"),
            Some('[') => self.list(data, key, level),
            Some('=') => self.value(data, key),
            Some(',') => fault("a key has no value (it cannot end with a comma)"),
            Some(_) => self.map(data, key, level + 1),
        }
    }

    fn list(&mut self, data: &mut HelmMap, key: String, level: usize) -> ParsedText<()> {
        let index = self.key_index()?;
        let mut list = match data.get(&key) {
            None => Vec::new(),
            Some(HelmValue::List(list)) => list.clone(),
            Some(_) => return fault("a key with an index is no list in the values before it"),
        };
        let result = self.list_item(&mut list, index, level);
        set(data, key, HelmValue::List(list));
        result
    }

    fn value(&mut self, data: &mut HelmMap, key: String) -> ParsedText<()> {
        let value = self.val_list()?;
        let result = if value.is_some() { Ok(()) } else { Err(ValueEnd::OfText) };
        set(data, key, value.unwrap_or(HelmValue::Text(String::new())));
        result
    }

    fn map(&mut self, data: &mut HelmMap, key: String, level: usize) -> ParsedText<()> {
        if level > DEEPEST {
            return fault("its name nests too deep");
        }
        let mut inner = match data.get(&key) {
            None => HelmMap::new(),
            Some(HelmValue::Map(inner)) => inner.clone(),
            Some(_) => return fault("a key with further keys is no map in the values before it"),
        };
        let result = self.key(&mut inner, level);
        if inner.is_empty() {
            return result.and_then(|()| fault("a key has no value"));
        }
        set(data, key, HelmValue::Map(inner));
        result
    }

    fn key_index(&mut self) -> ParsedText<usize> {
        let StrvalsWord { text, end } = self.until(&[']']);
        if end.is_none() {
            return fault("an index has no `]`");
        }
        match text.parse::<i64>() {
            Ok(index) => match usize::try_from(index) {
                Ok(index) if index <= LARGEST_INDEX => Ok(index),
                Ok(_) => fault("an index is greater than 65536"),
                Err(_) => fault("an index is negative"),
            },
            Err(_) => fault("an index is not a number"),
        }
    }

    fn list_item(&mut self, list: &mut Vec<HelmValue>, index: usize, level: usize) -> ParsedText<()> {
        let StrvalsWord { text, end } = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return fault("there is something between an index and what follows it");
        }
        match end {
            None => Err(ValueEnd::OfText),
            Some('=') => {
                let value = self.val_list()?.unwrap_or(HelmValue::Text(String::new()));
                set_index(list, index, value);
                Ok(())
            }
            Some('[') => {
                let next = self.key_index()?;
                let mut inner = match list.get(index) {
                    None | Some(HelmValue::Null) => Vec::new(),
                    Some(HelmValue::List(inner)) => inner.clone(),
                    Some(_) => return fault("a key with two indexes is no list of lists in the values before it"),
                };
                let result = self.list_item(&mut inner, next, level);
                // What is there is changed where it is, also when the text ends; what is new is set afterwards.
                if result.is_ok() || list.len() > index {
                    set_index(list, index, HelmValue::List(inner));
                }
                result
            }
            Some(_) => {
                let mut inner = match list.get(index) {
                    Some(HelmValue::Map(inner)) => inner.clone(),
                    _ => HelmMap::new(),
                };
                let result = self.key(&mut inner, level);
                if result.is_ok() || list.len() > index {
                    set_index(list, index, HelmValue::Map(inner));
                }
                result
            }
        }
    }

    /// A list in braces, or one value up to a comma; nothing where the text ends before it.
    fn val_list(&mut self) -> ParsedText<Option<HelmValue>> {
        match self.text.peek() {
            None => Ok(None),
            Some('{') => {
                self.text.next();
                self.items().map(|items| Some(HelmValue::List(items)))
            }
            Some(_) => {
                let StrvalsWord { text, .. } = self.until(&[',']);
                Ok(Some(typed_val(text, self.typing)))
            }
        }
    }

    fn items(&mut self) -> ParsedText<Vec<HelmValue>> {
        let mut items = Vec::new();
        loop {
            let StrvalsWord { text, end } = self.until(&[',', '}']);
            let Some(end) = end else { return fault("a list does not end with `}`") };
            items.push(typed_val(text, self.typing));
            if end == '}' {
                self.text.next_if_eq(&',');
                return Ok(items);
            }
        }
    }

    /// `runesUntil`: a backslash takes the letter after it as it is.
    fn until(&mut self, stop: &[char]) -> StrvalsWord {
        let mut text = String::new();
        while let Some(letter) = self.text.next() {
            match letter {
                letter if stop.contains(&letter) => return StrvalsWord { text, end: Some(letter) },
                '\\' => text.extend(self.text.next()),
                letter => text.push(letter),
            }
        }
        StrvalsWord { text, end: None }
    }
}

fn fault<T>(why: &str) -> ParsedText<T> {
    Err(ValueEnd::Fault(why.to_owned()))
}

/// A value without a name is not set.
fn set(data: &mut HelmMap, key: String, value: HelmValue) {
    if !key.is_empty() {
        data.insert(key, value);
    }
}

fn set_index(list: &mut Vec<HelmValue>, index: usize, value: HelmValue) {
    if list.len() <= index {
        list.resize(index + 1, HelmValue::Null);
    }
    if let Some(item) = list.get_mut(index) {
        *item = value;
    }
}

fn typed_val(text: String, typing: Typing) -> HelmValue {
    if typing == Typing::Text {
        return HelmValue::Text(text);
    }
    match text.to_lowercase().as_str() {
        "true" => return HelmValue::Bool(true),
        "false" => return HelmValue::Bool(false),
        "null" => return HelmValue::Null,
        "0" => return HelmValue::Int(0),
        _ => {}
    }
    match text.parse() {
        Ok(number) if !text.starts_with('0') => HelmValue::Int(number),
        _ => HelmValue::Text(text),
    }
}
