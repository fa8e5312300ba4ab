//! Lua's patterns, within limits: a hostile pattern takes hours inside of one call of C, where no hook reaches it.
//!
//! In: a subject and a pattern, as bytes. Out: where it matches and what it captures, or why it cannot be reported; every
//! step may be stopped.
//!
//! Rule: Lua 5.1 reference manual, 5.4.1 "Patterns" (with `%f`), as `LuaJIT` has it; a test compares the two.

/// As many captures as Lua allows.
const CAPTURES: usize = 32;
/// How deep a pattern may branch, as in `LuaJIT`.
const DEPTH: usize = 200;

/// Why a match cannot be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatternError {
    /// The pattern is none, in Lua's words.
    Malformed(&'static str),
    /// The time is over.
    OutOfTime,
}

type Result<Found> = std::result::Result<Found, PatternError>;

fn malformed<Found>(words: &'static str) -> Result<Found> {
    Err(PatternError::Malformed(words))
}

/// A capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    /// `()`: a position, counted from zero.
    Position(usize),
    /// Bytes from a start to an end.
    Text(usize, usize),
    /// Its closing parenthesis has not come yet.
    Open(usize),
}

/// Where a pattern matched, and its captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) captures: Vec<Capture>,
}

impl Match {
    /// The captures, or the whole match where there are none.
    pub(super) fn captures_or_whole(&self) -> Vec<Capture> {
        if self.captures.is_empty() { vec![Capture::Text(self.start, self.end)] } else { self.captures.clone() }
    }
}

/// A pattern on its way through a subject.
pub(super) struct Matcher<'text> {
    subject: &'text [u8],
    pattern: &'text [u8],
    is_anchored: bool,
    captures: Vec<Capture>,
    depth: usize,
    steps: u32,
    is_over: &'text dyn Fn() -> bool,
}

impl<'text> Matcher<'text> {
    /// A pattern for a subject; `^` at its start is an anchor.
    pub(super) fn new(subject: &'text [u8], pattern: &'text [u8], is_over: &'text dyn Fn() -> bool) -> Self {
        let (is_anchored, pattern) = match pattern.strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        Self { subject, pattern, is_anchored, captures: Vec::new(), depth: 0, steps: 0, is_over }
    }

    /// Takes the whole pattern as it is: `gmatch` knows no anchor.
    pub(super) fn without_anchor(subject: &'text [u8], pattern: &'text [u8], is_over: &'text dyn Fn() -> bool) -> Self {
        Self { pattern, is_anchored: false, ..Self::new(subject, b"", is_over) }
    }

    pub(super) fn is_anchored(&self) -> bool {
        self.is_anchored
    }

    /// The first match at or after a place.
    pub(super) fn find(&mut self, from: usize) -> Result<Option<Match>> {
        let last = if self.is_anchored { from } else { self.subject.len() };
        for start in from..=last {
            if let Some(found) = self.at(start)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The match that starts just here.
    pub(super) fn at(&mut self, start: usize) -> Result<Option<Match>> {
        self.captures.clear();
        self.depth = 0;
        let Some(end) = self.run(start, 0)? else { return Ok(None) };
        if self.captures.iter().any(|capture| matches!(capture, Capture::Open(_))) {
            return malformed("unfinished capture");
        }
        Ok(Some(Match { start, end, captures: self.captures.clone() }))
    }

    fn step(&mut self) -> Result<()> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(1024) && (self.is_over)() { Err(PatternError::OutOfTime) } else { Ok(()) }
    }

    fn run(&mut self, subject: usize, pattern: usize) -> Result<Option<usize>> {
        self.depth += 1;
        if self.depth > DEPTH {
            return malformed("pattern too complex");
        }
        let end = self.sequence(subject, pattern);
        self.depth -= 1;
        end
    }

    /// Item by item, as long as nothing has to be tried in more than one way.
    fn sequence(&mut self, mut subject: usize, mut pattern: usize) -> Result<Option<usize>> {
        loop {
            self.step()?;
            let next = self.pattern.get(pattern + 1).copied();
            match self.pattern.get(pattern) {
                None => return Ok(Some(subject)),
                Some(b'(') if next == Some(b')') => return self.open(subject, pattern + 2, Capture::Position(subject)),
                Some(b'(') => return self.open(subject, pattern + 1, Capture::Open(subject)),
                Some(b')') => return self.close(subject, pattern + 1),
                Some(b'$') if next.is_none() => return Ok((subject == self.subject.len()).then_some(subject)),
                Some(b'%') if next == Some(b'b') => match self.balanced(subject, pattern + 2)? {
                    Some(end) => (subject, pattern) = (end, pattern + 4),
                    None => return Ok(None),
                },
                Some(b'%') if next == Some(b'f') => match self.frontier(subject, pattern + 2)? {
                    Some(end) => pattern = end,
                    None => return Ok(None),
                },
                Some(b'%') if next.is_some_and(|digit| digit.is_ascii_digit()) => {
                    match self.repeated(subject, next.unwrap_or_default())? {
                        Some(end) => (subject, pattern) = (end, pattern + 2),
                        None => return Ok(None),
                    }
                }
                Some(_) => {
                    let end = self.item_end(pattern)?;
                    let matches = self.matches(subject, pattern, end);
                    match self.pattern.get(end) {
                        Some(b'?') => {
                            if matches && let Some(found) = self.run(subject + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            pattern = end + 1;
                        }
                        Some(b'*') => return self.most(subject, pattern, end),
                        Some(b'+') if matches => return self.most(subject + 1, pattern, end),
                        Some(b'-') => return self.least(subject, pattern, end),
                        Some(b'+') => return Ok(None),
                        _ if matches => (subject, pattern) = (subject + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    /// As many as there are, and fewer where the rest asks for it.
    fn most(&mut self, subject: usize, item: usize, end: usize) -> Result<Option<usize>> {
        let mut count = 0;
        while self.matches(subject + count, item, end) {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.run(subject + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    /// As few as the rest allows.
    fn least(&mut self, mut subject: usize, item: usize, end: usize) -> Result<Option<usize>> {
        loop {
            if let Some(found) = self.run(subject, end + 1)? {
                return Ok(Some(found));
            }
            if !self.matches(subject, item, end) {
                return Ok(None);
            }
            subject += 1;
        }
    }

    fn open(&mut self, subject: usize, pattern: usize, capture: Capture) -> Result<Option<usize>> {
        if self.captures.len() >= CAPTURES {
            return malformed("too many captures");
        }
        self.captures.push(capture);
        let level = self.captures.len();
        let end = self.run(subject, pattern)?;
        if end.is_none() {
            self.captures.truncate(level - 1);
        }
        Ok(end)
    }

    fn close(&mut self, subject: usize, pattern: usize) -> Result<Option<usize>> {
        let open = self.captures.iter().rposition(|capture| matches!(capture, Capture::Open(_)));
        let Some((level, start)) = open.and_then(|level| match self.captures[level] {
            Capture::Open(start) => Some((level, start)),
            Capture::Position(_) | Capture::Text(..) => None,
        }) else {
            return malformed("invalid pattern capture");
        };
        self.captures[level] = Capture::Text(start, subject);
        let end = self.run(subject, pattern)?;
        if end.is_none() {
            self.captures[level] = Capture::Open(start);
        }
        Ok(end)
    }

    /// `%bxy`
    fn balanced(&mut self, subject: usize, pattern: usize) -> Result<Option<usize>> {
        let (Some(&open), Some(&close)) = (self.pattern.get(pattern), self.pattern.get(pattern + 1)) else {
            return malformed("unbalanced pattern");
        };
        if self.subject.get(subject) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for place in subject + 1..self.subject.len() {
            self.step()?;
            let byte = self.subject[place];
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(place + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: the end of the set, where one begins here.
    fn frontier(&self, subject: usize, pattern: usize) -> Result<Option<usize>> {
        if self.pattern.get(pattern) != Some(&b'[') {
            return malformed("missing '[' after '%f' in pattern");
        }
        let end = self.item_end(pattern)?;
        let before = subject.checked_sub(1).and_then(|place| self.subject.get(place)).copied().unwrap_or(0);
        let here = self.subject.get(subject).copied().unwrap_or(0);
        let is_edge = !self.in_set(before, pattern, end) && self.in_set(here, pattern, end);
        Ok(is_edge.then_some(end))
    }

    /// `%1`: what a capture took, again.
    fn repeated(&mut self, subject: usize, digit: u8) -> Result<Option<usize>> {
        let level = usize::from(digit).wrapping_sub(usize::from(b'1'));
        let Some(Capture::Text(start, end)) = self.captures.get(level).copied() else {
            return malformed("invalid capture index");
        };
        let taken = &self.subject[start..end];
        Ok(self.subject[subject..].starts_with(taken).then_some(subject + taken.len()))
    }

    /// The end of the item that starts here: a byte, a class, a set.
    fn item_end(&self, start: usize) -> Result<usize> {
        match self.pattern.get(start) {
            Some(b'%') if self.pattern.get(start + 1).is_none() => malformed("malformed pattern (ends with '%')"),
            Some(b'%') => Ok(start + 2),
            Some(b'[') => {
                let mut place = start + 1;
                if self.pattern.get(place) == Some(&b'^') {
                    place += 1;
                }
                // A bracket that comes first is one of the set.
                let first = place;
                loop {
                    match self.pattern.get(place) {
                        None => return malformed("malformed pattern (missing ']')"),
                        Some(b']') if place > first => return Ok(place + 1),
                        Some(b'%') => place += 2,
                        Some(_) => place += 1,
                    }
                }
            }
            _ => Ok(start + 1),
        }
    }

    fn matches(&self, subject: usize, item: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(subject) else { return false };
        match self.pattern[item] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[item + 1]),
            b'[' => self.in_set(byte, item, end),
            literal => literal == byte,
        }
    }

    /// Whether a byte is in the set from `[` to before `end`.
    fn in_set(&self, byte: u8, start: usize, end: usize) -> bool {
        let set = &self.pattern[start + 1..end - 1];
        let (is_wanted, set) = match set.strip_prefix(b"^") {
            Some(rest) => (false, rest),
            None => (true, set),
        };
        let mut place = 0;
        while place < set.len() {
            let (is_in, length) = match (set[place], set.get(place + 1), set.get(place + 2)) {
                (b'%', Some(&class), _) => (in_class(byte, class), 2),
                (low, Some(b'-'), Some(&high)) => ((low..=high).contains(&byte), 3),
                (literal, _, _) => (literal == byte, 1),
            };
            if is_in {
                return is_wanted;
            }
            place += length;
        }
        !is_wanted
    }
}

/// `%a` and its like; in upper case the opposite; anything else is itself.
fn in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0B,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use mlua::{Lua, Value};
    use proptest::prelude::*;

    use super::*;

    /// The result of Lua's own `string.find`: positions and captures, or its error.
    fn of_lua(subject: &[u8], pattern: &[u8]) -> std::result::Result<Vec<String>, String> {
        let lua = Lua::new();
        let find: mlua::Function = lua.load("return function(s, p) return string.find(s, p) end").eval().unwrap();
        let arguments = (lua.create_string(subject).unwrap(), lua.create_string(pattern).unwrap());
        let found: mlua::Result<mlua::Variadic<Value>> = find.call(arguments);
        found.map(|found| found.iter().map(shown).collect()).map_err(|error| error.to_string())
    }

    fn shown(value: &Value) -> String {
        match value {
            Value::String(text) => format!("{:?}", text.as_bytes().to_vec()),
            Value::Nil => String::new(),
            other => other.to_string().unwrap().trim_end_matches(".0").to_owned(),
        }
    }

    /// Without any of these, Lua's `find` takes the text as it is.
    fn is_pattern(pattern: &str) -> bool {
        pattern.contains(|letter| "^$*+?.([%-".contains(letter))
    }

    fn of_ours(subject: &[u8], pattern: &[u8]) -> std::result::Result<Vec<String>, String> {
        let found = Matcher::new(subject, pattern, &|| false).find(0);
        match found {
            Ok(None) => Ok(vec![String::new()]),
            Ok(Some(found)) => {
                let places = [(found.start + 1).to_string(), found.end.to_string()];
                let captures = found.captures.iter().map(|capture| match *capture {
                    Capture::Position(place) => (place + 1).to_string(),
                    Capture::Text(start, end) => format!("{:?}", &subject[start..end]),
                    Capture::Open(_) => unreachable!(),
                });
                Ok(places.into_iter().chain(captures).collect())
            }
            Err(PatternError::Malformed(words)) => Err(words.to_owned()),
            Err(PatternError::OutOfTime) => Err("out of time".to_owned()),
        }
    }

    /// A script that works in Argo CD must find the same things here.
    #[test]
    fn patterns_match_as_in_lua() {
        for (subject, pattern) in [
            ("hello world", "o w"),
            ("hello world", "^h(%a+)"),
            ("hello world", "(o)(.)"),
            ("key = value", "^(%w+)%s*=%s*(%w+)$"),
            ("f(a(b)c)d", "%b()"),
            ("THE (quick) fox", "%f[%a]%a+%f[%A]"),
            ("\"it\" and 'that'", "([\"'])(.-)%1"),
            ("abc", "()b()"),
            ("a.b", "a%.b"),
            ("aaa", "a-b"),
            ("aaab", "a-b"),
            ("a]b", "[]]"),
            ("a^b", "[%^x]"),
            ("a-b", "[a%-]+"),
            ("x", "[^%d]?$"),
            ("", "^$"),
            ("abc", "%"),
            ("abc", "[a"),
            ("abc", "(a"),
            ("abc", "(a))"),
            ("abc", "%1"),
            ("abc", "%f"),
            ("abc", "%b"),
        ] {
            let (theirs, ours) =
                (of_lua(subject.as_bytes(), pattern.as_bytes()), of_ours(subject.as_bytes(), pattern.as_bytes()));
            match (theirs, ours) {
                (Ok(theirs), Ok(ours)) => assert_eq!(ours, theirs, "{subject:?} {pattern:?}"),
                (Err(_), Err(_)) => {}
                (theirs, ours) => panic!("{subject:?} {pattern:?}: {theirs:?} in Lua, {ours:?} here"),
            }
        }
    }

    proptest! {
        /// Whatever a script searches for: the answer is Lua's own.
        #[test]
        fn any_pattern_matches_as_in_lua(subject in "[ab1(). ]{0,12}", pattern in r"[ab1%().\[\]^$*+?wdf-]{0,10}") {
            prop_assume!(is_pattern(&pattern));
            match (of_lua(subject.as_bytes(), pattern.as_bytes()), of_ours(subject.as_bytes(), pattern.as_bytes())) {
                (Ok(theirs), Ok(ours)) => prop_assert_eq!(ours, theirs),
                (Err(_), Err(_)) => {}
                (theirs, ours) => prop_assert!(false, "{:?} in Lua, {:?} here", theirs, ours),
            }
        }
    }

    /// Sixty seconds inside of C became an error.
    #[test]
    fn a_hostile_pattern_is_stopped() {
        let subject = vec![b'a'; 5000];
        let pattern = b".-.-.-.-.-.-.-.-b";
        let asked = std::cell::Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() > 10
        };
        assert_eq!(Matcher::new(&subject, pattern, &is_over).find(0), Err(PatternError::OutOfTime));
    }
}
