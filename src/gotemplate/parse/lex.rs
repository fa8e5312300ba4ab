//! Splits a template into items (Go's `lex.go`).

use std::rc::Rc;

use super::super::fmt::{quote, quote_truncated};
use super::super::text::{RUNE_ERROR, first_rune, last_rune};
use super::super::unicode::{is_digit, is_letter, is_print};

/// The kinds of items; those from `Block` on are keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

#[derive(Debug, Clone)]
pub(super) struct LexItem {
    pub(super) kind: Kind,
    pub(super) at: usize,
    pub(super) text: Rc<str>,
    pub(super) line: usize,
}

impl LexItem {
    pub(super) fn empty() -> Self {
        Self { kind: Kind::Eof, at: 0, text: "".into(), line: 0 }
    }

    /// How errors print it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.text.to_string(),
            kind if kind >= Kind::Block => format!("<{}>", self.text),
            _ if self.text.len() > 10 => format!("{}...", quote_truncated(&self.text, 10)),
            _ => quote(self.text.as_bytes()),
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "they are the states of Go's lexer")]
pub(super) struct Lexer<'t> {
    input: &'t str,
    left: &'t str,
    right: &'t str,
    at: usize,
    start: usize,
    at_eof: bool,
    parens: isize,
    line: usize,
    start_line: usize,
    inside_action: bool,
    /// Whether `break` and `continue` are keywords; a function of that name takes their place.
    pub(super) break_is_keyword: bool,
    pub(super) continue_is_keyword: bool,
}

/// The step after a state.
enum LexStep {
    Item(LexItem),
    Text,
    LeftDelim,
    Comment,
    RightDelim,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(input: &'t str, left: &'t str, right: &'t str) -> Self {
        Self {
            input,
            left: if left.is_empty() { "{{" } else { left },
            right: if right.is_empty() { "}}" } else { right },
            at: 0,
            start: 0,
            at_eof: false,
            parens: 0,
            line: 1,
            start_line: 1,
            inside_action: false,
            break_is_keyword: true,
            continue_is_keyword: true,
        }
    }

    pub(super) fn next_item(&mut self) -> LexItem {
        let mut step = if self.inside_action { self.inside_action() } else { LexStep::Text };
        loop {
            step = match step {
                LexStep::Item(item) => return item,
                LexStep::Text => self.text(),
                LexStep::LeftDelim => self.left_delim(),
                LexStep::Comment => self.comment(),
                LexStep::RightDelim => self.right_delim(),
            };
        }
    }

    fn rest(&self) -> &'t str {
        self.input.get(self.at..).unwrap_or("")
    }

    fn pending(&self) -> &'t str {
        self.input.get(self.start..self.at).unwrap_or("")
    }

    fn next(&mut self) -> Option<char> {
        let Some(rune) = self.rest().chars().next() else {
            self.at_eof = true;
            return None;
        };
        self.at += rune.len_utf8();
        self.line += usize::from(rune == '\n');
        Some(rune)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn back(&mut self) {
        if !self.at_eof && self.at > 0 {
            let (rune, width) = last_rune(&self.input.as_bytes()[..self.at]);
            self.at -= width;
            self.line -= usize::from(rune == '\n');
        }
    }

    fn item(&mut self, kind: Kind) -> LexItem {
        let item = LexItem { kind, at: self.start, text: self.pending().into(), line: self.start_line };
        self.start = self.at;
        self.start_line = self.line;
        item
    }

    fn emit(&mut self, kind: Kind) -> LexStep {
        LexStep::Item(self.item(kind))
    }

    fn ignore(&mut self) {
        self.line += newlines(self.pending());
        self.start = self.at;
        self.start_line = self.line;
    }

    /// An item that is an error ends the input.
    fn error(&mut self, message: impl Into<Rc<str>>) -> LexStep {
        let item = LexItem { kind: Kind::Error, at: self.start, text: message.into(), line: self.start_line };
        self.start = 0;
        self.at = 0;
        self.input = "";
        LexStep::Item(item)
    }

    fn text(&mut self) -> LexStep {
        let Some(found) = self.rest().find(self.left) else {
            self.at = self.input.len();
            if self.at > self.start {
                self.line += newlines(self.pending());
                return self.emit(Kind::Text);
            }
            return self.emit(Kind::Eof);
        };
        if found > 0 {
            self.at += found;
            let after = self.input.get(self.at + self.left.len()..).unwrap_or("");
            let trimmed = if has_left_trim(after) { trailing_spaces(self.pending()) } else { 0 };
            self.at -= trimmed;
            self.line += newlines(self.pending());
            let item = self.item(Kind::Text);
            self.at += trimmed;
            self.ignore();
            if !item.text.is_empty() {
                return LexStep::Item(item);
            }
        }
        LexStep::LeftDelim
    }

    /// Whether here is a right delimiter, and whether it trims.
    fn at_right_delim(&self) -> (bool, bool) {
        let rest = self.rest();
        if has_right_trim(rest) && rest[2..].starts_with(self.right) {
            return (true, true);
        }
        (rest.starts_with(self.right), false)
    }

    fn left_delim(&mut self) -> LexStep {
        self.at += self.left.len();
        let marker = if has_left_trim(self.rest()) { 2 } else { 0 };
        if self.rest()[marker..].starts_with("/*") {
            self.at += marker;
            self.ignore();
            return LexStep::Comment;
        }
        let item = self.item(Kind::LeftDelim);
        self.inside_action = true;
        self.at += marker;
        self.ignore();
        self.parens = 0;
        LexStep::Item(item)
    }

    fn comment(&mut self) -> LexStep {
        self.at += 2;
        let Some(end) = self.rest().find("*/") else { return self.error("unclosed comment") };
        self.at += end + 2;
        let (delim, trims) = self.at_right_delim();
        if !delim {
            return self.error("comment ends before closing delimiter");
        }
        self.line += newlines(self.pending());
        self.item(Kind::Text);
        self.at += self.right.len() + if trims { 2 } else { 0 };
        if trims {
            self.at += leading_spaces(self.rest());
        }
        self.ignore();
        LexStep::Text
    }

    fn right_delim(&mut self) -> LexStep {
        let trims = self.at_right_delim().1;
        if trims {
            self.at += 2;
            self.ignore();
        }
        self.at += self.right.len();
        let item = self.item(Kind::RightDelim);
        if trims {
            self.at += leading_spaces(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        LexStep::Item(item)
    }

    fn inside_action(&mut self) -> LexStep {
        if self.at_right_delim().0 {
            return if self.parens == 0 { LexStep::RightDelim } else { self.error("unclosed left paren") };
        }
        let Some(rune) = self.next() else { return self.error("unclosed action") };
        match rune {
            ' ' | '\t' | '\r' | '\n' => {
                self.back();
                self.space()
            }
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => self.error("expected :="),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string"),
            '`' => self.raw_string(),
            '$' if self.at_terminator() => self.emit(Kind::Variable),
            '$' => self.field_or_variable(Kind::Variable),
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '.' if self.rest().bytes().next().is_some_and(|next| !next.is_ascii_digit()) => {
                self.field_or_variable(Kind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.back();
                self.number()
            }
            _ if is_alphanumeric(rune) => {
                self.back();
                self.identifier()
            }
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' => {
                self.parens -= 1;
                if self.parens < 0 { self.error("unexpected right paren") } else { self.emit(Kind::RightParen) }
            }
            _ if rune.is_ascii() && is_print(rune) => self.emit(Kind::Char),
            _ => self.error(format!("unrecognized character in action: {}", code_point(rune))),
        }
    }

    fn space(&mut self) -> LexStep {
        let mut count = 0;
        while self.peek().is_some_and(is_space) {
            self.next();
            count += 1;
        }
        let from_last = self.input.get(self.at - 1..).unwrap_or("");
        if has_right_trim(from_last) && from_last[2..].starts_with(self.right) {
            self.back();
            if count == 1 {
                return LexStep::RightDelim;
            }
        }
        self.emit(Kind::Space)
    }

    fn identifier(&mut self) -> LexStep {
        let bad = self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.error(format!("bad character {}", code_point_or_eof(bad)));
        }
        let kind = match self.pending() {
            "block" => Kind::Block,
            "break" if self.break_is_keyword => Kind::Break,
            "continue" if self.continue_is_keyword => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind)
    }

    fn field_or_variable(&mut self, kind: Kind) -> LexStep {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Variable { Kind::Variable } else { Kind::Dot });
        }
        let bad = self.skip_alphanumeric();
        if self.at_terminator() {
            self.emit(kind)
        } else {
            self.error(format!("bad character {}", code_point_or_eof(bad)))
        }
    }

    /// Skips letters, digits and underscores; returns what follows.
    fn skip_alphanumeric(&mut self) -> Option<char> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        if self.peek().is_none() {
            self.at_eof = true;
        }
        self.peek()
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(self.right),
        }
    }

    fn quoted(&mut self, end: char, kind: Kind, unterminated: &'static str) -> LexStep {
        loop {
            match self.next() {
                Some('\\') => {
                    if matches!(self.next(), None | Some('\n')) {
                        return self.error(unterminated);
                    }
                }
                None | Some('\n') => return self.error(unterminated),
                Some(rune) if rune == end => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_string(&mut self) -> LexStep {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string"),
                Some('`') => return self.emit(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> LexStep {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.pending().ends_with('i') {
                return self.bad_number();
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn bad_number(&mut self) -> LexStep {
        let message = format!("bad number syntax: {}", quote(self.pending().as_bytes()));
        self.error(message)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|rune| valid.contains(rune));
        if accepted {
            self.next();
        }
        accepted
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn is_space(rune: char) -> bool {
    matches!(rune, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(rune: char) -> bool {
    rune == '_' || is_letter(rune) || is_digit(rune)
}

fn trailing_spaces(text: &str) -> usize {
    text.len() - text.trim_end_matches(is_space).len()
}

fn leading_spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_space).len()
}

fn has_left_trim(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', space, ..] if is_space(char::from(*space)))
}

fn has_right_trim(text: &str) -> bool {
    matches!(text.as_bytes(), [space, b'-', ..] if is_space(char::from(*space)))
}

/// `%#U`.
fn code_point(rune: char) -> String {
    let number = format!("U+{:04X}", u32::from(rune));
    if is_print(rune) { format!("{number} '{rune}'") } else { number }
}

/// Go's end of file is the rune -1.
fn code_point_or_eof(rune: Option<char>) -> String {
    rune.map_or_else(|| "U+FFFFFFFFFFFFFFFF".to_owned(), code_point)
}

/// The first rune of bytes, for those who unquote.
pub(super) fn rune_at(bytes: &[u8]) -> Option<(char, usize)> {
    let (rune, width) = first_rune(bytes);
    (width > 0 && !(rune == RUNE_ERROR && width == 1)).then_some((rune, width))
}
