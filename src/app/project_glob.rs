//! Globs in the dialect of gobwas/glob, in which the rules of projects and sync windows are written.
//!
//! In: a pattern, and the characters that `*` and `?` do not cross. Out: a [`ProjectGlob`] that matches texts, or why it is invalid.
//! `**` crosses separators, `[abc]`, `[!abc]` and `[a-z]` stand for one character (a separator, too), `{a,b*}` for one of several
//! patterns, `\` takes the next character as it is. A brace that is not closed ends with the pattern.
//!
//! Rules: gobwas/glob 0.2.3, syntax/lexer and syntax/ast; a test compares it with that library. Kept: `ab*ba` matches `aba`,
//! because start and end are looked at on their own, and a lone `?` or `[!a]` matches the empty text.

use std::fmt;

/// A pattern, compiled.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectGlob {
    text: String,
    separators: Vec<char>,
    shape: Shape,
}

/// Why a pattern is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProjectGlobError {
    /// `[` without `]`.
    #[error("`[` is not closed")]
    OpenClass,
    /// `[]`, `[!]`, or text after a range.
    #[error("`[…]` is neither a list of characters nor one range")]
    Class,
    /// `[z-a]`.
    #[error("a range of characters ends before it begins")]
    Range,
}

/// How a pattern is matched.
#[derive(Clone, PartialEq, Eq)]
enum Shape {
    /// The text alone.
    Text(String),
    /// Anything between a start and an end.
    Around(String, String),
    /// Anything else.
    Tokens(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(Vec<char>),
    /// `*`
    Any,
    /// `**`
    Super,
    /// `?`
    Single,
    /// `[abc]`, `[!abc]`
    List(Vec<char>, bool),
    /// `[a-z]`, `[!a-z]`
    Range(char, char, bool),
    /// `{…}`
    AnyOf(Vec<Vec<Token>>),
}

impl ProjectGlob {
    /// Compiles a pattern; `*` and `?` do not match separators.
    pub fn new(pattern: &str, separators: &[char]) -> Result<Self, ProjectGlobError> {
        let mut parser = Parser { rest: pattern.chars().collect(), at: 0 };
        let tokens = parser.sequence(false)?;
        let shape = Shape::of(tokens, separators);
        Ok(Self { text: pattern.to_owned(), separators: separators.to_vec(), shape })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a text matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Text(own) => own == text,
            Shape::Around(start, end) => text.starts_with(start.as_str()) && text.ends_with(end.as_str()),
            Shape::Tokens(tokens) => self.matches(tokens, text),
        }
    }

    fn matches(&self, tokens: &[Token], text: &str) -> bool {
        if text.is_empty() && matches!(tokens, [Token::Single | Token::List(_, true) | Token::Range(_, _, true)]) {
            return true;
        }
        let text: Vec<char> = text.chars().collect();
        let mut reached = vec![false; text.len() + 1];
        reached[0] = true;
        self.step_all(tokens, &text, reached).last().copied().unwrap_or_default()
    }

    /// The positions that all tokens lead to, from these.
    fn step_all(&self, tokens: &[Token], text: &[char], from: Vec<bool>) -> Vec<bool> {
        tokens.iter().fold(from, |reached, token| self.step(token, text, &reached))
    }

    fn step(&self, token: &Token, text: &[char], from: &[bool]) -> Vec<bool> {
        let mut reached = vec![false; from.len()];
        match token {
            Token::Text(own) => {
                for start in positions(from) {
                    if text[start..].starts_with(own) {
                        reached[start + own.len()] = true;
                    }
                }
            }
            Token::Any | Token::Super => {
                let mut is_open = false;
                for position in 0..from.len() {
                    is_open |= from[position];
                    reached[position] = is_open;
                    let is_wall = text.get(position).is_some_and(|letter| self.separators.contains(letter));
                    is_open &= !(is_wall && *token == Token::Any);
                }
            }
            Token::AnyOf(alternatives) => {
                for alternative in alternatives {
                    for position in positions(&self.step_all(alternative, text, from.to_vec())) {
                        reached[position] = true;
                    }
                }
            }
            one => {
                for start in positions(from) {
                    if text.get(start).is_some_and(|letter| self.is_one(one, *letter)) {
                        reached[start + 1] = true;
                    }
                }
            }
        }
        reached
    }

    fn is_one(&self, token: &Token, letter: char) -> bool {
        match token {
            Token::Single => !self.separators.contains(&letter),
            Token::List(letters, is_not) => letters.contains(&letter) != *is_not,
            Token::Range(low, high, is_not) => (*low..=*high).contains(&letter) != *is_not,
            Token::Text(_) | Token::Any | Token::Super | Token::AnyOf(_) => false,
        }
    }
}

impl fmt::Debug for ProjectGlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProjectGlob({:?})", self.text)
    }
}

impl fmt::Display for ProjectGlob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn positions(reached: &[bool]) -> impl Iterator<Item = usize> {
    reached.iter().enumerate().filter(|(_, is_reached)| **is_reached).map(|(position, _)| position)
}

impl Shape {
    fn of(tokens: Vec<Token>, separators: &[char]) -> Self {
        let crosses = |token: &Token| *token == Token::Super || *token == Token::Any && separators.is_empty();
        let text = |letters: &[char]| letters.iter().collect::<String>();
        match tokens.as_slice() {
            [] => Self::Text(String::new()),
            [Token::Text(own)] => Self::Text(text(own)),
            [star] if crosses(star) => Self::Around(String::new(), String::new()),
            [Token::Text(start), star] if crosses(star) => Self::Around(text(start), String::new()),
            [star, Token::Text(end)] if crosses(star) => Self::Around(String::new(), text(end)),
            [Token::Text(start), star, Token::Text(end)] if crosses(star) => Self::Around(text(start), text(end)),
            _ => Self::Tokens(tokens),
        }
    }
}

struct Parser {
    rest: Vec<char>,
    at: usize,
}

impl Parser {
    fn next(&mut self) -> Option<char> {
        let letter = self.rest.get(self.at).copied();
        self.at += usize::from(letter.is_some());
        letter
    }

    /// The tokens up to the end, or within braces to the next `,` or `}`, which is left.
    fn sequence(&mut self, in_braces: bool) -> Result<Vec<Token>, ProjectGlobError> {
        let mut tokens = Vec::new();
        while let Some(letter) = self.rest.get(self.at).copied() {
            match letter {
                ',' | '}' if in_braces => break,
                '{' => {
                    self.at += 1;
                    tokens.push(self.braces()?);
                }
                '[' => {
                    self.at += 1;
                    tokens.push(self.class()?);
                }
                '?' => {
                    self.at += 1;
                    tokens.push(Token::Single);
                }
                '*' => {
                    self.at += 1;
                    let is_super = self.rest.get(self.at) == Some(&'*');
                    self.at += usize::from(is_super);
                    tokens.push(if is_super { Token::Super } else { Token::Any });
                }
                _ => {
                    let breakers: &[char] =
                        if in_braces { &['?', '*', '[', '{', '}', ','] } else { &['?', '*', '[', '{'] };
                    let text = self.text(breakers);
                    if !text.is_empty() {
                        tokens.push(Token::Text(text));
                    }
                }
            }
        }
        Ok(tokens)
    }

    fn braces(&mut self) -> Result<Token, ProjectGlobError> {
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.sequence(true)?);
            if self.next() != Some(',') {
                return Ok(Token::AnyOf(alternatives));
            }
        }
    }

    fn class(&mut self) -> Result<Token, ProjectGlobError> {
        let mut first = self.next().ok_or(ProjectGlobError::OpenClass)?;
        let is_not = first == '!';
        if is_not {
            first = self.next().ok_or(ProjectGlobError::OpenClass)?;
        }
        if self.rest.get(self.at) == Some(&'-') {
            self.at += 1;
            let high = self.next().ok_or(ProjectGlobError::OpenClass)?;
            return match self.next() {
                None => Err(ProjectGlobError::OpenClass),
                Some(']') if high < first => Err(ProjectGlobError::Range),
                Some(']') => Ok(Token::Range(first, high, is_not)),
                Some(_) => Err(ProjectGlobError::Class),
            };
        }
        self.at -= 1;
        let letters = self.text(&[']']);
        match self.next() {
            None => Err(ProjectGlobError::OpenClass),
            Some(_) if letters.is_empty() => Err(ProjectGlobError::Class),
            Some(_) => Ok(Token::List(letters, is_not)),
        }
    }

    /// Text up to one of these characters, which is left.
    fn text(&mut self, breakers: &[char]) -> Vec<char> {
        let mut text = Vec::new();
        while let Some(letter) = self.rest.get(self.at).copied() {
            if letter == '\\' {
                self.at += 1;
                text.extend(self.next());
                continue;
            }
            if breakers.contains(&letter) {
                break;
            }
            text.push(letter);
            self.at += 1;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: gobwas/glob 0.2.3.
    #[test]
    fn patterns_match_as_argo_cd_matches_them() {
        let url = "https://git.example.com/shop/infra";
        for (pattern, separators, text, is_match) in [
            ("*", "", "", true),
            ("*", "", "a/b", true),
            ("*", "/", "a/b", false),
            ("**", "/", "a/b", true),
            ("https://git.example.com/shop/*", "/", url, true),
            ("https://git.example.com/*", "/", url, false),
            ("https://git.example.com/**", "/", url, true),
            ("https://*/shop/*", "/", url, true),
            ("team-?", "", "team-a", true),
            ("team-?", "", "team-ab", false),
            ("team-[ab]", "", "team-b", true),
            ("team-[!ab]", "", "team-b", false),
            ("team-[a-c]", "", "team-b", true),
            ("{prod,stage}-*", "", "stage-eu", true),
            ("{prod,stage}-*", "", "dev-eu", false),
            ("prod,stage", "", "prod,stage", true),
            ("{prod,stage", "", "stage", true),
            (r"a\*b", "", "a*b", true),
            (r"a\*b", "", "axb", false),
            ("ab*ba", "", "aba", true),
            ("*-*-*", "", "a-b-c", true),
            ("*-*-*", "", "a-b", false),
            ("?", "", "", true),
            ("", "", "", true),
            ("", "", "a", false),
            ("ä?", "", "äö", true),
        ] {
            let separators: Vec<char> = separators.chars().collect();
            let glob = ProjectGlob::new(pattern, &separators).unwrap();
            assert_eq!(glob.is_match(text), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn what_gobwas_refuses_is_refused() {
        for (pattern, error) in [
            ("[", ProjectGlobError::OpenClass),
            ("[a", ProjectGlobError::OpenClass),
            ("[]", ProjectGlobError::Class),
            ("[!]", ProjectGlobError::Class),
            ("[z-a]", ProjectGlobError::Range),
            ("[a-cd]", ProjectGlobError::Class),
            ("[a-]", ProjectGlobError::OpenClass),
        ] {
            assert_eq!(ProjectGlob::new(pattern, &[]), Err(error), "{pattern}");
        }
    }
}
