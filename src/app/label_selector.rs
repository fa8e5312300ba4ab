//! Kubernetes' label selectors: `env in (prod, stage), tier!=cache, !legacy, version > 3`.
//!
//! In: the selector's text. Out: a [`LabelSelector`] that judges labels, or a [`SelectorError`] with the place in the text.
//!
//! Rule: apimachinery/pkg/labels/selector.go (the grammar), pkg/util/validation (keys and values).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use miette::{LabeledSpan, NamedSource, SourceCode};

/// A label selector: labels match when they meet every requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    condition: LabelRequirement,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelRequirement {
    Exists,
    Absent,
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    GreaterThan(i64),
    LessThan(i64),
}

/// A fault in a selector, and its position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the selector `{}` {fact}", text.inner())]
pub struct SelectorError {
    text: NamedSource<String>,
    fact: String,
    offset: usize,
    length: usize,
}

impl miette::Diagnostic for SelectorError {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new("trueup::app::selector"))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new("write it as for `kubectl get -l`, such as `env in (prod, stage), tier!=cache, !legacy`"))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(Some("here".to_owned()), self.offset, self.length);
        Some(Box::new(std::iter::once(label)))
    }
}

impl LabelSelector {
    /// Whether labels meet every requirement.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.condition {
            LabelRequirement::Exists => value.is_some(),
            LabelRequirement::Absent => value.is_none(),
            LabelRequirement::In(values) => value.is_some_and(|value| values.contains(value)),
            // Kubernetes: what has no such label is not in the set either.
            LabelRequirement::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            LabelRequirement::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            LabelRequirement::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Parser { text, position: 0 }.selector()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'text> {
    Word(&'text str),
    Symbol(&'static str),
    End,
}

struct Parser<'text> {
    text: &'text str,
    position: usize,
}

/// A token, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Lexeme<'text> {
    token: Token<'text>,
    offset: usize,
    length: usize,
}

// The longest first, so that `==` is not read as `=` twice.
const SYMBOLS: &[&str] = &["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
const SPACES: &[char] = &[' ', '\t', '\r', '\n'];

impl<'text> Parser<'text> {
    fn peek(&self) -> Lexeme<'text> {
        let rest = &self.text[self.position..];
        let trimmed = rest.trim_start_matches(SPACES);
        let offset = self.text.len() - trimmed.len();
        if trimmed.is_empty() {
            return Lexeme { token: Token::End, offset, length: 0 };
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| trimmed.starts_with(**symbol)) {
            return Lexeme { token: Token::Symbol(symbol), offset, length: symbol.len() };
        }
        let is_end = |letter: char| SPACES.contains(&letter) || "=!(),><".contains(letter);
        let length = trimmed.find(is_end).unwrap_or(trimmed.len());
        Lexeme { token: Token::Word(&trimmed[..length]), offset, length }
    }

    fn next(&mut self) -> Lexeme<'text> {
        let lexeme = self.peek();
        self.position = lexeme.offset + lexeme.length;
        lexeme
    }

    fn wrong(&self, lexeme: Lexeme<'text>, fact: impl Into<String>) -> SelectorError {
        SelectorError {
            text: NamedSource::new("--selector", self.text.to_owned()),
            fact: fact.into(),
            offset: lexeme.offset,
            length: lexeme.length,
        }
    }

    fn unexpected(&self, lexeme: Lexeme<'text>, expected: &str) -> SelectorError {
        let found = match lexeme.token {
            Token::End => "ends".to_owned(),
            Token::Word(text) | Token::Symbol(text) => format!("has `{text}`"),
        };
        self.wrong(lexeme, format!("{found} where {expected} is expected"))
    }

    fn selector(mut self) -> Result<LabelSelector, SelectorError> {
        let mut requirements = Vec::new();
        if self.peek().token == Token::End {
            return Ok(LabelSelector { requirements });
        }
        loop {
            requirements.push(self.requirement()?);
            let lexeme = self.next();
            match lexeme.token {
                Token::End => return Ok(LabelSelector { requirements }),
                Token::Symbol(",") => {}
                _ => return Err(self.unexpected(lexeme, "`,`")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let is_absent = self.peek().token == Token::Symbol("!");
        if is_absent {
            self.next();
        }
        let lexeme = self.next();
        let Token::Word(key) = lexeme.token else { return Err(self.unexpected(lexeme, "a label's name")) };
        if let Some(why) = why_no_key(key) {
            return Err(self.wrong(lexeme, format!("has a label's name that {why}")));
        }
        let condition = match self.peek().token {
            _ if is_absent => LabelRequirement::Absent,
            Token::End | Token::Symbol(",") => LabelRequirement::Exists,
            _ => self.condition()?,
        };
        Ok(Requirement { key: key.to_owned(), condition })
    }

    fn condition(&mut self) -> Result<LabelRequirement, SelectorError> {
        let operator = self.next();
        Ok(match operator.token {
            Token::Symbol("=" | "==") => LabelRequirement::In(BTreeSet::from([self.value()?])),
            Token::Symbol("!=") => LabelRequirement::NotIn(BTreeSet::from([self.value()?])),
            Token::Symbol(">") => LabelRequirement::GreaterThan(self.number()?),
            Token::Symbol("<") => LabelRequirement::LessThan(self.number()?),
            Token::Word("in") => LabelRequirement::In(self.values()?),
            Token::Word("notin") => LabelRequirement::NotIn(self.values()?),
            _ => return Err(self.unexpected(operator, "one of =, ==, !=, in, notin, >, <")),
        })
    }

    // `key=` asks for the empty value.
    fn value(&mut self) -> Result<String, SelectorError> {
        let lexeme = self.peek();
        match lexeme.token {
            Token::End | Token::Symbol(",") => Ok(String::new()),
            Token::Word(value) => {
                self.next();
                self.checked(lexeme, value)
            }
            Token::Symbol(_) => Err(self.unexpected(lexeme, "a value")),
        }
    }

    fn number(&mut self) -> Result<i64, SelectorError> {
        let lexeme = self.next();
        match lexeme.token {
            Token::Word(text) => {
                self.checked(lexeme, text)?;
                text.parse()
                    .map_err(|_error| self.wrong(lexeme, format!("has `{text}` where a whole number is expected")))
            }
            _ => Err(self.unexpected(lexeme, "a whole number")),
        }
    }

    // `in ()`, `in (a,)` and `in (,a)` hold the empty value, as in Kubernetes.
    fn values(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        let open = self.next();
        if open.token != Token::Symbol("(") {
            return Err(self.unexpected(open, "`(`"));
        }
        let mut values = BTreeSet::new();
        loop {
            let lexeme = self.peek();
            match lexeme.token {
                Token::Word(value) => {
                    self.next();
                    values.insert(self.checked(lexeme, value)?);
                }
                Token::Symbol("," | ")") => {
                    values.insert(String::new());
                }
                _ => return Err(self.unexpected(lexeme, "a value or `)`")),
            }
            let lexeme = self.next();
            match lexeme.token {
                Token::Symbol(",") => {}
                Token::Symbol(")") => return Ok(values),
                _ => return Err(self.unexpected(lexeme, "`,` or `)`")),
            }
        }
    }

    fn checked(&self, lexeme: Lexeme<'text>, value: &str) -> Result<String, SelectorError> {
        match why_no_value(value) {
            Some(why) => Err(self.wrong(lexeme, format!("has a value that {why}"))),
            None => Ok(value.to_owned()),
        }
    }
}

/// Why a text is no label name: `[prefix/]name`, the prefix a DNS-1123 subdomain.
fn why_no_key(key: &str) -> Option<&'static str> {
    let (prefix, name) = match key.split_once('/') {
        None => (None, key),
        Some((prefix, name)) => (Some(prefix), name),
    };
    let is_prefix = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|part| {
                let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
                part.starts_with(is_plain)
                    && part.ends_with(is_plain)
                    && part.chars().all(|letter| is_plain(letter) || letter == '-')
            })
    };
    if name.contains('/') {
        Some("has more than one `/`")
    } else if name.is_empty() {
        Some("is empty")
    } else if name.len() > 63 {
        Some("has more than 63 characters")
    } else if !is_label_text(name) || prefix.is_some_and(|prefix| !is_prefix(prefix)) {
        Some("Kubernetes does not allow")
    } else {
        None
    }
}

fn why_no_value(value: &str) -> Option<&'static str> {
    if value.len() > 63 {
        Some("has more than 63 characters")
    } else if is_label_text(value) {
        None
    } else {
        Some("Kubernetes does not allow")
    }
}

// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_label_text(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric();
    text.starts_with(is_plain)
        && text.ends_with(is_plain)
        && text.chars().all(|letter| is_plain(letter) || matches!(letter, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    /// The result of labels.Parse of k8s.io/apimachinery v0.36.3 says of each selector, for five sets of labels: `x` matches, `-`
    /// does not; nothing where it refuses the selector.
    const ORACLE: &[(&str, Option<&str>)] = &[
        ("", Some("xxxxx")),
        ("  ", Some("xxxxx")),
        ("env", Some("-xxx-")),
        ("!env", Some("x---x")),
        ("env=prod", Some("-x---")),
        ("env==prod", Some("-x---")),
        ("env = prod", Some("-x---")),
        ("env!=prod", Some("x-xxx")),
        ("env=", Some("---x-")),
        ("env!=", Some("xxx-x")),
        ("env in (prod,stage)", Some("-xx--")),
        ("env in (prod, stage), tier", Some("--x--")),
        ("env notin (prod)", Some("x-xxx")),
        ("env notin ()", Some("xxx-x")),
        ("env in ()", Some("---x-")),
        ("env in (,prod)", Some("-x-x-")),
        ("env in (prod,)", Some("-x-x-")),
        ("env in (a,,b)", Some("---x-")),
        ("env in (,)", Some("---x-")),
        ("!legacy, env!=prod", Some("x-xx-")),
        ("version>3", Some("---x-")),
        ("version > 3, version<5", Some("---x-")),
        ("version<4", Some("-----")),
        ("version>3.5", None),
        ("version>-1", None),
        ("version>", None),
        ("shop.example.com/team=a", Some("----x")),
        ("shop.example.com/team in (a,b)", Some("----x")),
        ("in in (a)", Some("-----")),
        ("in=in", Some("-----")),
        ("notin", Some("-----")),
        ("env,tier", Some("--x--")),
        ("env,", None),
        (",env", None),
        ("env tier", None),
        ("env=prod stage", None),
        ("env in prod", None),
        ("env in (prod", None),
        ("env in (prod stage)", None),
        ("env in prod)", None),
        ("env prod", None),
        ("=prod", None),
        ("!", None),
        ("!!env", None),
        ("!env=prod", None),
        ("env=!prod", None),
        ("env=(prod)", None),
        ("env=prod=stage", None),
        ("env=pro*d", None),
        ("env=-prod", None),
        ("env=prod.", None),
        ("env_x=prod", Some("-----")),
        ("-env=prod", None),
        ("a/b/c=d", None),
        ("/team=a", None),
        ("Shop.example.com/team=a", None),
        ("env/=a", None),
        ("env=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", None),
        ("env in (prod)(stage)", None),
        ("env\t=\tprod", Some("-x---")),
        ("env=>prod", None),
        ("env=ünicode", None),
    ];

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn selectors_match_as_in_kubernetes() {
        let sets = [
            labels(&[]),
            labels(&[("env", "prod")]),
            labels(&[("env", "stage"), ("tier", "web")]),
            labels(&[("env", ""), ("version", "4")]),
            labels(&[("shop.example.com/team", "a"), ("version", "x"), ("legacy", "true")]),
        ];
        for (text, expected) in ORACLE {
            let parsed = text.parse::<LabelSelector>();
            let judged = parsed.ok().map(|selector| {
                sets.iter().map(|labels| if selector.matches(labels) { 'x' } else { '-' }).collect::<String>()
            });
            assert_eq!(judged.as_deref(), *expected, "{text:?}");
        }
    }

    #[test]
    fn an_error_says_where() {
        for (text, message, offset, length) in [
            ("env in prod", "the selector `env in prod` has `prod` where `(` is expected", 7, 4),
            ("env in (prod", "the selector `env in (prod` ends where `,` or `)` is expected", 12, 0),
            (
                "env ~ prod",
                "the selector `env ~ prod` has `~` where one of =, ==, !=, in, notin, >, < is expected",
                4,
                1,
            ),
            ("env=pro*d", "the selector `env=pro*d` has a value that Kubernetes does not allow", 4, 5),
        ] {
            let error = text.parse::<LabelSelector>().unwrap_err();
            let label = error.labels().into_iter().flatten().next().unwrap();
            assert_eq!((error.to_string().as_str(), label.offset(), label.len()), (message, offset, length));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-z!=<>(), /\t.é-]{0,30}") {
            let _parsed = text.parse::<LabelSelector>();
        }
    }
}
