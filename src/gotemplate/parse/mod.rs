//! Templates as Go parses them (package `text/template/parse`): text in, trees or Go's own error out.

mod lex;
mod number;
mod parser;
mod pipeline;
mod tree;
mod unquote;

pub(super) use number::{NotANumber, parse_decimal, parse_float, parse_int};
pub(super) use parser::{is_empty, parse};
pub(super) use tree::{Branch, CommandNode, Node, NodeRef, Number, Pipe, Tree};
