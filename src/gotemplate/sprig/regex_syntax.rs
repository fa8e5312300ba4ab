//! RE2's syntax in the words of the `regex` crate, with Go's errors for what is wrong.
//!
//! The two engines match alike; they differ in what is ASCII (`\d`, `\w`, `\s`, `\b`), in what brackets may hold, and in
//! what the crate knows and RE2 does not.

use std::iter::Peekable;
use std::str::CharIndices;

/// The sets of POSIX.
const SETS: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

struct Translator<'p> {
    pattern: &'p str,
    rest: Peekable<CharIndices<'p>>,
    translated: String,
    /// Where each group starts that is still open.
    groups: usize,
    /// Where the last operand starts, if a repetition may follow.
    operand: Option<usize>,
    /// Where the last repetition starts, if one was just read.
    repetition: Option<usize>,
}

/// A pattern for the `regex` crate, or what Go says of it after `error parsing regexp: `.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        pattern,
        rest: pattern.char_indices().peekable(),
        translated: String::new(),
        groups: 0,
        operand: None,
        repetition: None,
    };
    while let Some((at, character)) = translator.rest.next() {
        translator.character(at, character)?;
    }
    if translator.groups > 0 {
        return Err(format!("missing closing ): `{pattern}`"));
    }
    Ok(translator.translated)
}

impl Translator<'_> {
    fn offset(&mut self) -> usize {
        self.rest.peek().map_or(self.pattern.len(), |(at, _)| *at)
    }

    fn skip_to(&mut self, offset: usize) {
        while self.rest.next_if(|(at, _)| *at < offset).is_some() {}
    }

    fn operand(&mut self, at: usize, text: &str) {
        self.translated.push_str(text);
        self.operand = Some(at);
        self.repetition = None;
    }

    fn character(&mut self, at: usize, character: char) -> Result<(), String> {
        match character {
            '(' => return self.open(at),
            ')' => {
                self.groups = self.groups.checked_sub(1).ok_or(format!("unexpected ): `{}`", self.pattern))?;
                self.operand(at, ")");
            }
            '|' => {
                self.translated.push('|');
                self.operand = None;
                self.repetition = None;
            }
            '[' => return self.class(at),
            '*' | '+' | '?' => return self.repeat(at, at + 1),
            '{' => match repeat_end(&self.pattern[at..]) {
                Some(end) => {
                    let bounds = &self.pattern[at..at + end];
                    check_bounds(bounds)?;
                    self.skip_to(at + end);
                    return self.repeat(at, at + end);
                }
                None => self.operand(at, r"\{"),
            },
            '}' => self.operand(at, r"\}"),
            ']' => self.operand(at, r"\]"),
            '^' | '$' | '.' => self.operand(at, character.encode_utf8(&mut [0; 4])),
            '\\' => return self.escape(at),
            _ => self.operand(at, &literal(character)),
        }
        Ok(())
    }

    fn repeat(&mut self, at: usize, mut end: usize) -> Result<(), String> {
        if self.pattern[end..].starts_with('?') {
            end += 1;
        }
        if let Some(before) = self.repetition {
            return Err(format!("invalid nested repetition operator: `{}`", &self.pattern[before..end]));
        }
        if self.operand.is_none() {
            let operator = &self.pattern[at..end];
            let operator = if operator.len() == 2 && operator.ends_with('?') { &operator[..1] } else { operator };
            return Err(format!("missing argument to repetition operator: `{operator}`"));
        }
        self.translated.push_str(&self.pattern[at..end]);
        self.skip_to(end);
        self.repetition = Some(at);
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<(), String> {
        let rest = &self.pattern[at..];
        self.operand = None;
        self.repetition = None;
        if !rest.starts_with("(?") {
            self.groups += 1;
            self.translated.push('(');
            return Ok(());
        }
        if rest.starts_with("(?P<") || rest.starts_with("(?<") {
            let name_at = if rest.starts_with("(?P<") { 4 } else { 3 };
            let Some(end) = rest.find('>') else { return Err(format!("invalid named capture: `{rest}`")) };
            let name = &rest[name_at..end];
            let is_name = !name.is_empty() && name.chars().all(|next| next == '_' || next.is_alphanumeric());
            if !is_name {
                return Err(format!("invalid named capture: `{}`", &rest[..=end]));
            }
            // Go takes a name twice, which the crate does not; the first group has it.
            let group = format!("(?P<{name}>");
            let is_taken = self.translated.contains(&group);
            self.translated.push_str(if is_taken { "(" } else { &group });
            self.groups += 1;
            self.skip_to(at + end + 1);
            return Ok(());
        }
        self.flags(at, rest)
    }

    /// `(?i)` and `(?i:`.
    fn flags(&mut self, at: usize, rest: &str) -> Result<(), String> {
        let mut is_negative = false;
        let mut has_flag = false;
        for (offset, character) in rest.char_indices().skip(2) {
            match character {
                'i' | 'm' | 's' | 'U' => has_flag = true,
                '-' if !is_negative => {
                    is_negative = true;
                    has_flag = false;
                }
                ':' | ')' if !is_negative || has_flag => {
                    self.translated.push_str(&rest[..=offset]);
                    self.groups += usize::from(character == ':');
                    self.skip_to(at + offset + 1);
                    return Ok(());
                }
                _ => {
                    let end = offset + character.len_utf8();
                    return Err(format!("invalid or unsupported Perl syntax: `{}`", &rest[..end]));
                }
            }
        }
        Err(format!("invalid or unsupported Perl syntax: `{rest}`"))
    }

    fn escape(&mut self, at: usize) -> Result<(), String> {
        let Some((_, character)) = self.rest.next() else {
            return Err("trailing backslash at end of expression: ``".to_owned());
        };
        let translated = match character {
            'b' => r"(?-u:\b)".to_owned(),
            'B' => r"(?-u:\B)".to_owned(),
            'A' => r"\A".to_owned(),
            'z' => r"\z".to_owned(),
            'Q' => {
                let from = self.offset();
                let quoted = self.pattern[from..].find(r"\E").map_or(self.pattern.len(), |end| from + end);
                for (offset, character) in self.pattern[from..quoted].char_indices() {
                    self.operand(from + offset, &literal(character));
                }
                self.skip_to((quoted + 2).min(self.pattern.len()));
                return Ok(());
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => format!("[{}]", perl_class(character)),
            'p' | 'P' => self.unicode_class(at)?,
            _ => {
                let code = self.code(at, character)?;
                literal(code)
            }
        };
        self.operand(at, &translated);
        Ok(())
    }

    /// `\pN` and `\p{Greek}`; the first letter is read.
    fn unicode_class(&mut self, at: usize) -> Result<String, String> {
        let from = self.offset();
        let rest = &self.pattern[from..];
        let end = match rest.chars().next() {
            Some('{') => rest.find('}').map(|end| end + 1),
            Some(character) => Some(character.len_utf8()),
            None => None,
        };
        let Some(end) = end else { return Err(format!("invalid character class range: `{}`", &self.pattern[at..])) };
        let class = &self.pattern[at..from + end];
        self.skip_to(from + end);
        if ::regex::Regex::new(class).is_err() {
            return Err(format!("invalid character class range: `{class}`"));
        }
        Ok(class.to_owned())
    }

    /// The character that an escape stands for.
    fn code(&mut self, at: usize, character: char) -> Result<char, String> {
        let from = self.offset();
        let rest = &self.pattern[from..];
        let invalid = |end: usize| format!("invalid escape sequence: `{}`", &self.pattern[at..end]);
        Ok(match character {
            'a' => '\u{7}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{B}',
            '0'..='7' if character == '0' || rest.starts_with(|next| ('0'..='7').contains(&next)) => {
                let digits = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let code = u32::from_str_radix(&format!("{character}{}", &rest[..digits]), 8).unwrap_or(0);
                self.skip_to(from + digits);
                char::from_u32(code).unwrap_or('\0')
            }
            'x' => {
                let (digits, end) = match rest.strip_prefix('{') {
                    Some(inside) => {
                        let end = inside.find('}').ok_or_else(|| invalid(from + 1))?;
                        (&inside[..end], end + 2)
                    }
                    None => (rest.get(..2).ok_or_else(|| invalid(self.pattern.len()))?, 2),
                };
                let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                let code = code.ok_or_else(|| invalid(from + end))?;
                self.skip_to(from + end);
                code
            }
            _ if character.is_ascii_punctuation() => character,
            _ => return Err(invalid(at + 1 + character.len_utf8())),
        })
    }

    fn class(&mut self, at: usize) -> Result<(), String> {
        let missing = format!("missing closing ]: `{}`", &self.pattern[at..]);
        let mut class = String::from("[");
        if self.rest.next_if(|(_, next)| *next == '^').is_some() {
            class.push('^');
        }
        let mut is_first = true;
        loop {
            let Some(&(start, next)) = self.rest.peek() else { return Err(missing) };
            if next == ']' && !is_first {
                self.rest.next();
                break;
            }
            if next == '-' && !is_first && !self.pattern[start + 1..].starts_with(']') {
                // A hyphen stands first or last, or makes a range.
                let end =
                    self.pattern[start + 1..].chars().next().map_or(start + 1, |next| start + 1 + next.len_utf8());
                return Err(format!("invalid character class range: `{}`", &self.pattern[start..end]));
            }
            is_first = false;
            if let Some(set) = self.set(start)? {
                class.push_str(&set);
                continue;
            }
            let low = self.class_character(start).ok_or_else(|| missing.clone())??;
            class.push_str(&class_literal(low));
            let after = self.offset();
            let rest = &self.pattern[after..];
            if rest.starts_with('-') && !rest[1..].starts_with(']') && rest.len() > 1 {
                self.rest.next();
                let high_at = self.offset();
                let high = self.class_character(high_at).ok_or_else(|| missing.clone())??;
                if high < low {
                    let end = self.offset();
                    return Err(format!("invalid character class range: `{}`", &self.pattern[start..end]));
                }
                class.push('-');
                class.push_str(&class_literal(high));
            }
        }
        class.push(']');
        self.operand(at, &class);
        Ok(())
    }

    /// `[:alpha:]`, `\d` and `\pL` inside of brackets.
    fn set(&mut self, start: usize) -> Result<Option<String>, String> {
        let rest = &self.pattern[start..];
        if rest.starts_with("[:")
            && let Some(end) = rest.find(":]")
        {
            let name = &rest[..end + 2];
            if !SETS.contains(&name[2..end].trim_start_matches('^')) {
                return Err(format!("invalid character class range: `{name}`"));
            }
            self.skip_to(start + end + 2);
            return Ok(Some(name.to_owned()));
        }
        let Some(class) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) else { return Ok(None) };
        match class {
            'd' | 's' | 'w' => {
                self.skip_to(start + 2);
                Ok(Some(perl_class(class).to_owned()))
            }
            'D' | 'S' | 'W' => {
                self.skip_to(start + 2);
                Ok(Some(format!("[{}]", perl_class(class))))
            }
            'p' | 'P' => {
                self.skip_to(start + 2);
                self.unicode_class(start).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn class_character(&mut self, at: usize) -> Option<Result<char, String>> {
        let (_, character) = self.rest.next()?;
        if character != '\\' {
            return Some(Ok(character));
        }
        let Some((_, escaped)) = self.rest.next() else {
            return Some(Err("trailing backslash at end of expression: ``".to_owned()));
        };
        Some(self.code(at, escaped))
    }
}

fn literal(character: char) -> String {
    if character.is_ascii_alphanumeric() || !character.is_ascii() || character == ' ' {
        character.to_string()
    } else if character.is_ascii_control() {
        format!("\\x{:02x}", u32::from(character))
    } else {
        ::regex::escape(character.encode_utf8(&mut [0; 4]))
    }
}

fn class_literal(character: char) -> String {
    if character.is_ascii() && !character.is_ascii_alphanumeric() {
        format!("\\x{:02x}", u32::from(character))
    } else {
        character.to_string()
    }
}

/// The inside of a class; a capital letter's starts with `^`.
fn perl_class(letter: char) -> &'static str {
    match letter {
        'd' => "0-9",
        'D' => "^0-9",
        's' => r"\t\n\x0C\r ",
        'S' => r"^\t\n\x0C\r ",
        'w' => "0-9A-Za-z_",
        _ => "^0-9A-Za-z_",
    }
}

/// Where `{2}`, `{2,}` or `{2,3}` ends, if it is one.
fn repeat_end(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let (low, high) = text[1..end].split_once(',').unwrap_or((&text[1..end], ""));
    let is_number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() < 2 || !text.starts_with('0'));
    (!low.is_empty() && is_number(low) && is_number(high)).then_some(end + 1)
}

fn check_bounds(bounds: &str) -> Result<(), String> {
    let inside = &bounds[1..bounds.len() - 1];
    let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
    let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
    let is_too_large = number(low) > 1000 || (!high.is_empty() && number(high) > 1000);
    if is_too_large || (!high.is_empty() && number(high) < number(low)) {
        return Err(format!("invalid repeat count: `{bounds}`"));
    }
    Ok(())
}
