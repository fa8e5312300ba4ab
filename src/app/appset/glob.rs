//! The globs of git generators: Go's `path.Match` for directories; git's pathspec or doublestar for files.

/// Go's `path.Match`: `*` and `?` stop at `/`; `None` when the pattern is invalid.
pub(in crate::app) fn path_match(pattern: &str, path: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    is_valid(&pattern).then(|| matches(&pattern, &path, Dialect::Path))
}

/// The files that `git ls-files -- PATTERN` lists: `*` crosses `/`, and a folder stands for what is in it.
pub(super) fn pathspec_match(pattern: &str, path: &str) -> bool {
    let folder = pattern.trim_end_matches('/');
    if path == pattern || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')) {
        return true;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    matches(&pattern, &path, Dialect::Pathspec)
}

/// Doublestar: `*` stops at `/`, `**` between slashes does not.
pub(super) fn doublestar_match(pattern: &str, path: &str) -> bool {
    fn segments(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), None) => segments(rest, path),
            (Some((&"**", rest)), Some((_, below))) => segments(rest, path) || segments(pattern, below),
            (Some((own, rest)), Some((name, below))) => path_match(own, name) == Some(true) && segments(rest, below),
            _ => false,
        }
    }
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    segments(&pattern, &path)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Path,
    Pathspec,
}

/// One character, or a class of them, and how much of the pattern it takes.
fn one(pattern: &[char], character: char, dialect: Dialect) -> Option<usize> {
    match *pattern.first()? {
        '?' => (dialect == Dialect::Pathspec || character != '/').then_some(1),
        '[' => {
            let end = class_end(pattern)?;
            in_class(&pattern[1..end], character, dialect).then_some(end + 1)
        }
        '\\' => (*pattern.get(1)? == character).then_some(2),
        literal => (literal == character).then_some(1),
    }
}

/// Goes back to the last star alone, so that it takes no more than the product of both lengths.
fn matches(pattern: &[char], path: &[char], dialect: Dialect) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < path.len() {
        if pattern.get(at) == Some(&'*') {
            at += 1;
            star = Some((at, from));
        } else if let Some(width) = one(&pattern[at..], path[from], dialect) {
            at += width;
            from += 1;
        } else if let Some((after, start)) = star
            && (dialect == Dialect::Pathspec || path[start] != '/')
        {
            at = after;
            from = start + 1;
            star = Some((after, from));
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

fn class_end(pattern: &[char]) -> Option<usize> {
    let mut at = 1;
    if matches!(pattern.get(at), Some('^' | '!')) {
        at += 1;
    }
    let first = at;
    while at < pattern.len() {
        match pattern[at] {
            ']' if at > first => return Some(at),
            '\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn in_class(class: &[char], character: char, dialect: Dialect) -> bool {
    let (is_negated, mut rest) = match class {
        ['^', rest @ ..] => (true, rest),
        ['!', rest @ ..] if dialect == Dialect::Pathspec => (true, rest),
        rest => (false, rest),
    };
    let mut is_in = false;
    while let Some((low, after)) = class_character(rest) {
        let (high, after) = match after {
            ['-', more @ ..] => class_character(more).unwrap_or((low, after)),
            _ => (low, after),
        };
        is_in |= (low..=high).contains(&character);
        rest = after;
    }
    is_in != is_negated
}

fn class_character(class: &[char]) -> Option<(char, &[char])> {
    match class {
        ['\\', character, rest @ ..] | [character, rest @ ..] => Some((*character, rest)),
        [] => None,
    }
}

fn is_valid(pattern: &[char]) -> bool {
    let mut at = 0;
    while let Some(character) = pattern.get(at) {
        match character {
            '[' => match class_end(&pattern[at..]) {
                Some(end) => at += end + 1,
                None => return false,
            },
            '\\' if at + 1 >= pattern.len() => return false,
            '\\' => at += 2,
            _ => at += 1,
        }
    }
    true
}
