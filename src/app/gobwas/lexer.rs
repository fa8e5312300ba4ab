//! A pattern as tokens.

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Any,
    Super,
    Single,
    Not,
    Separator,
    RangeOpen,
    RangeClose,
    RangeLo(char),
    RangeHi(char),
    TermsOpen,
    TermsClose,
}

/// The end of the text, and, as in the library, a NUL in it.
const END: char = '\0';

struct Lexer<'pattern> {
    pattern: &'pattern str,
    at: usize,
    terms: usize,
    tokens: Vec<Token>,
}

/// Every token, or the library's error.
pub(super) fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer { pattern, at: 0, terms: 0, tokens: Vec::new() };
    while lexer.item()? {}
    Ok(lexer.tokens)
}

impl Lexer<'_> {
    fn peek(&self) -> Result<char, String> {
        match self.pattern[self.at..].chars().next() {
            Some('\u{FFFD}') => Err("could not read rune".to_owned()),
            character => Ok(character.unwrap_or(END)),
        }
    }

    fn read(&mut self) -> Result<char, String> {
        let character = self.peek()?;
        if self.at < self.pattern.len() {
            self.at += character.len_utf8();
        }
        Ok(character)
    }

    /// The next token; `false` at the end.
    fn item(&mut self) -> Result<bool, String> {
        let start = self.at;
        let token = match self.read()? {
            END => return Ok(false),
            '{' => {
                self.terms += 1;
                Token::TermsOpen
            }
            ',' if self.terms > 0 => Token::Separator,
            '}' if self.terms > 0 => {
                self.terms -= 1;
                Token::TermsClose
            }
            '[' => {
                self.tokens.push(Token::RangeOpen);
                return self.range().map(|()| true);
            }
            '?' => Token::Single,
            '*' if self.peek()? == '*' => {
                self.read()?;
                Token::Super
            }
            '*' => Token::Any,
            _ => {
                self.at = start;
                let breakers: &[char] =
                    if self.terms > 0 { &['?', '*', '[', '{', '}', ','] } else { &['?', '*', '[', '{'] };
                return self.text(breakers).map(|()| true);
            }
        };
        self.tokens.push(token);
        Ok(true)
    }

    fn range(&mut self) -> Result<(), String> {
        let mut seen_not = false;
        loop {
            let start = self.at;
            let first = self.read()?;
            if first == END {
                return Err("unexpected end of input".to_owned());
            }
            if !seen_not && first == '!' {
                self.tokens.push(Token::Not);
                seen_not = true;
                continue;
            }
            if self.peek()? == '-' {
                self.read()?;
                self.tokens.push(Token::RangeLo(first));
                let high = self.read()?;
                if high == END {
                    return Err("unexpected end of input".to_owned());
                }
                self.tokens.push(Token::RangeHi(high));
            } else {
                self.at = start;
                self.text(&[']'])?;
            }
            return match self.read()? {
                ']' => {
                    self.tokens.push(Token::RangeClose);
                    Ok(())
                }
                END => Err("unexpected end of input".to_owned()),
                _ => Err("expected close range character".to_owned()),
            };
        }
    }

    fn text(&mut self, breakers: &[char]) -> Result<(), String> {
        let mut text = String::new();
        let mut is_escaped = false;
        loop {
            let start = self.at;
            let character = self.read()?;
            if character == END {
                break;
            }
            if !is_escaped && character == '\\' {
                is_escaped = true;
                continue;
            }
            if !is_escaped && breakers.contains(&character) {
                self.at = start;
                break;
            }
            is_escaped = false;
            text.push(character);
        }
        if !text.is_empty() {
            self.tokens.push(Token::Text(text));
        }
        Ok(())
    }
}
