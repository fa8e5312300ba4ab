//! A pattern as a tree, and what choices have in common.

use super::lexer::{Token, tokens};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Nothing,
    Pattern(Vec<Node>),
    List { not: bool, characters: String },
    Range { not: bool, low: char, high: char },
    Text(String),
    Any,
    Super,
    Single,
    AnyOf(Vec<Node>),
}

/// A choice that is open: what stands before it, and its alternatives.
struct Open {
    before: Vec<Node>,
    alternatives: Vec<Node>,
}

impl Open {
    /// What stands before it and, as its last part, the whole choice.
    fn close(mut self, last: Vec<Node>) -> Vec<Node> {
        self.alternatives.push(Node::Pattern(last));
        self.before.push(Node::AnyOf(self.alternatives));
        self.before
    }
}

pub(super) fn parse(pattern: &str) -> Result<Node, String> {
    let mut current: Vec<Node> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut rest = tokens(pattern)?.into_iter();
    while let Some(token) = rest.next() {
        match token {
            Token::Text(text) => current.push(Node::Text(text)),
            Token::Any => current.push(Node::Any),
            Token::Super => current.push(Node::Super),
            Token::Single => current.push(Node::Single),
            Token::RangeOpen => current.push(range(&mut rest)?),
            Token::TermsOpen => {
                open.push(Open { before: std::mem::take(&mut current), alternatives: Vec::new() });
            }
            Token::Separator => match open.last_mut() {
                Some(choice) => choice.alternatives.push(Node::Pattern(std::mem::take(&mut current))),
                None => return Err("unexpected token: ,".to_owned()),
            },
            Token::TermsClose => match open.pop() {
                Some(choice) => current = choice.close(std::mem::take(&mut current)),
                None => return Err("unexpected token: }".to_owned()),
            },
            other => return Err(format!("unexpected token: {other:?}")),
        }
    }
    // What is still open ends here.
    while let Some(choice) = open.pop() {
        current = choice.close(current);
    }
    Ok(Node::Pattern(current))
}

fn range(rest: &mut impl Iterator<Item = Token>) -> Result<Node, String> {
    let (mut not, mut low, mut high, mut characters) = (false, END, END, String::new());
    for token in rest {
        match token {
            Token::Not => not = true,
            Token::RangeLo(character) => low = character,
            Token::RangeHi(character) if character < low => {
                return Err(format!("hi character '{character}' should be greater than lo '{low}'"));
            }
            Token::RangeHi(character) => high = character,
            Token::Text(text) => characters = text,
            Token::RangeClose => {
                let is_range = low != END && high != END;
                return match (is_range, characters.is_empty()) {
                    (true, true) => Ok(Node::Range { not, low, high }),
                    (false, false) => Ok(Node::List { not, characters }),
                    _ => Err("could not parse range".to_owned()),
                };
            }
            _ => {}
        }
    }
    Err("unexpected end".to_owned())
}

const END: char = '\0';

/// A choice with what all its alternatives begin and end with outside of it; nothing where they have nothing in common.
pub(super) fn minimized(alternatives: &[Node]) -> Option<Node> {
    let children: Option<Vec<&[Node]>> = alternatives
        .iter()
        .map(|node| match node {
            Node::Pattern(children) => Some(children.as_slice()),
            _ => None,
        })
        .collect();
    let children = children?;
    let (left, right) = common(&children);
    if left == 0 && right == 0 {
        return None;
    }
    let first = children.first()?;
    let mut result = Vec::new();
    if left > 0 {
        result.push(Node::Pattern(first[..left].to_vec()));
    }
    let mut any_of: Vec<Node> = Vec::new();
    for child in &children {
        let reused = &child[left..child.len() - right];
        let node = if reused.is_empty() { Node::Nothing } else { Node::Pattern(reused.to_vec()) };
        if !any_of.contains(&node) {
            any_of.push(node);
        }
    }
    match any_of.len() {
        1 => result.extend(any_of.into_iter().filter(|node| *node != Node::Nothing)),
        0 => {}
        _ => result.push(Node::AnyOf(any_of)),
    }
    if right > 0 {
        result.push(Node::Pattern(first[first.len() - right..].to_vec()));
    }
    Some(Node::Pattern(result))
}

/// How many parts all have in common at the left and at the right.
fn common(nodes: &[&[Node]]) -> (usize, usize) {
    if nodes.len() <= 1 {
        return (0, 0);
    }
    let Some(least) = (0..nodes.len()).min_by_key(|index| nodes[*index].len()) else { return (0, 0) };
    let tree = nodes[least];
    let length = tree.len();
    let (mut break_left, mut break_right) = (false, false);
    let (mut left, mut right) = (0, 0);
    for at in 0..length {
        if left + right >= length || (break_left && break_right) {
            break;
        }
        let from_end = length - 1 - at;
        for (index, node) in nodes.iter().enumerate() {
            if break_left && break_right {
                break;
            }
            if index == least {
                continue;
            }
            break_left = break_left || tree[at] != node[at];
            // What the left part reaches is not taken from the right.
            break_right = break_right || (!break_left && from_end <= at);
            break_right = break_right || tree[from_end] != node[from_end + node.len() - length];
        }
        left += usize::from(!break_left);
        right += usize::from(!break_right);
    }
    (left, right)
}
