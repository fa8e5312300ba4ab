//! A tree as matchers, in the library's own way, which decides what the odd cases match.

use super::matcher::{Matcher, Tree};
use super::tree::{Node, minimized};

pub(super) fn compile(node: &Node, separators: &[char]) -> Result<Matcher, String> {
    let matcher = match node {
        Node::AnyOf(alternatives) => {
            return match minimized(alternatives) {
                Some(node) => compile(&node, separators),
                None => Ok(Matcher::AnyOf(children(alternatives, separators)?)),
            };
        }
        Node::Pattern(parts) if parts.is_empty() => return Ok(Matcher::Nothing),
        Node::Pattern(parts) => joined(minimize(children(parts, separators)?))?,
        Node::Any => Matcher::Any(separators.to_vec()),
        Node::Super => Matcher::Super,
        Node::Single => Matcher::Single(separators.to_vec()),
        Node::Nothing => Matcher::Nothing,
        Node::List { not, characters } => Matcher::List { list: characters.chars().collect(), not: *not },
        Node::Range { not, low, high } => Matcher::Range { low: *low, high: *high, not: *not },
        Node::Text(text) => Matcher::Text(text.clone()),
    };
    Ok(optimized(matcher))
}

fn children(nodes: &[Node], separators: &[char]) -> Result<Vec<Matcher>, String> {
    nodes.iter().map(|node| Ok(optimized(compile(node, separators)?))).collect()
}

fn optimized(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::Any(separators) if separators.is_empty() => Matcher::Super,
        Matcher::AnyOf(mut matchers) if matchers.len() == 1 => matchers.remove(0),
        Matcher::List { list, not: false } if list.len() == 1 => Matcher::Text(list.into_iter().collect()),
        Matcher::Tree(mut tree) => {
            tree.left = tree.left.map(|left| Box::new(optimized(*left)));
            tree.right = tree.right.map(|right| Box::new(optimized(*right)));
            let Matcher::Text(text) = tree.value.as_ref() else { return Matcher::Tree(tree) };
            around(text, tree.left.as_deref(), tree.right.as_deref()).unwrap_or(Matcher::Tree(tree))
        }
        matcher => matcher,
    }
}

/// A text and what stands around it as one matcher, where there is one.
fn around(text: &str, left: Option<&Matcher>, right: Option<&Matcher>) -> Option<Matcher> {
    use Matcher::{Any, Prefix, Suffix, Super};
    Some(match (left, right) {
        (None, None) => Matcher::Text(text.to_owned()),
        (Some(Super), Some(Super)) => Matcher::Contains { needle: text.to_owned(), not: false },
        (Some(Super), None) => Suffix(text.to_owned()),
        (None, Some(Super)) => Prefix(text.to_owned()),
        (None, Some(Suffix(suffix))) => Matcher::PrefixSuffix { prefix: text.to_owned(), suffix: suffix.clone() },
        (Some(Prefix(prefix)), None) => Matcher::PrefixSuffix { prefix: prefix.clone(), suffix: text.to_owned() },
        (Some(Any(separators)), None) => Matcher::SuffixAny { suffix: text.to_owned(), separators: separators.clone() },
        (None, Some(Any(separators))) => Matcher::PrefixAny { prefix: text.to_owned(), separators: separators.clone() },
        _ => return None,
    })
}

fn joined(mut matchers: Vec<Matcher>) -> Result<Matcher, String> {
    if matchers.len() <= 1 {
        return matchers.pop().ok_or_else(|| "compile error: need at least one matcher".to_owned());
    }
    if let Some(glued) = glued(&matchers) {
        return Ok(glued);
    }
    // The longest of those with a length of their own, the last of equals, is looked for first.
    let longest = matchers.iter().enumerate().filter_map(|(index, matcher)| Some((matcher.length()?, index))).max();
    let (index, left, right) = match longest {
        None => (0, Vec::new(), matchers.split_off(1)),
        Some((_, index)) => {
            let right = matchers.split_off(index + 1);
            let value = matchers.split_off(index);
            let left = std::mem::replace(&mut matchers, value);
            (0, left, right)
        }
    };
    let side = |side: Vec<Matcher>| (!side.is_empty()).then(|| joined(side).map(Box::new)).transpose();
    Ok(Matcher::Tree(Tree::new(matchers.swap_remove(index), side(left)?, side(right)?)))
}

fn glued(matchers: &[Matcher]) -> Option<Matcher> {
    if matchers.len() <= 1 {
        return None;
    }
    as_every(matchers).or_else(|| as_row(matchers))
}

fn as_row(matchers: &[Matcher]) -> Option<Matcher> {
    let length = matchers.iter().map(Matcher::length).sum::<Option<usize>>()?;
    Some(Matcher::Row { length, matchers: matchers.to_vec() })
}

fn as_every(matchers: &[Matcher]) -> Option<Matcher> {
    let (mut has_any, mut has_super, mut has_single, mut least) = (false, false, false, 0);
    let mut separators: &[char] = &[];
    for (index, matcher) in matchers.iter().enumerate() {
        let own: &[char] = match matcher {
            Matcher::Super => {
                has_super = true;
                &[]
            }
            Matcher::Any(separators) => {
                has_any = true;
                separators
            }
            Matcher::Single(separators) | Matcher::List { list: separators, not: true } => {
                has_single = true;
                least += 1;
                separators
            }
            _ => return None,
        };
        if index == 0 {
            separators = own;
        }
        if own != separators {
            return None;
        }
    }
    if has_super && !has_any && !has_single {
        return Some(Matcher::Super);
    }
    if has_any && !has_super && !has_single {
        return Some(Matcher::Any(separators.to_vec()));
    }
    if (has_any || has_super) && least > 0 && separators.is_empty() {
        return Some(Matcher::Min(least));
    }
    let mut every = Vec::new();
    if least > 0 {
        every.push(Matcher::Min(least));
        if !has_any && !has_super {
            every.push(Matcher::Max(least));
        }
    }
    if !separators.is_empty() {
        every.push(Matcher::Contains { needle: separators.iter().collect(), not: true });
    }
    Some(Matcher::EveryOf(every))
}

/// The matchers with the longest runs that can be one matcher as one.
fn minimize(matchers: Vec<Matcher>) -> Vec<Matcher> {
    struct Run {
        matcher: Matcher,
        left: usize,
        right: usize,
    }
    let mut done: Option<Run> = None;
    for left in 0..matchers.len() {
        for right in (left + 1..=matchers.len()).rev() {
            let Some(matcher) = glued(&matchers[left..right]) else { continue };
            let is_better = done.as_ref().is_none_or(|done| {
                let is_longer = done.matcher.length().zip(matcher.length()).is_some_and(|(before, now)| now > before);
                is_longer || done.right - done.left < right - left
            });
            if is_better {
                done = Some(Run { matcher, left, right });
            }
        }
    }
    let Some(Run { matcher, left, right }) = done else { return matchers };
    let count = matchers.len();
    let mut next = matchers;
    next.splice(left..right, [matcher]);
    if next.len() == count { next } else { minimize(next) }
}
