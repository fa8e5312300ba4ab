//! The tree of a parsed template, and how Go prints its nodes in errors.

use std::rc::Rc;

use super::super::fmt::quote;
use super::super::text::Text;

/// One template: what runs, and the text it was parsed from.
#[derive(Debug)]
pub(in super::super) struct Tree {
    pub(in super::super) name: Rc<str>,
    /// The name of the text that the template stands in.
    pub(in super::super) parse_name: Rc<str>,
    pub(in super::super) source: Rc<str>,
    pub(in super::super) root: Vec<Node>,
}

#[derive(Debug)]
pub(in super::super) struct Pipe {
    pub(in super::super) at: usize,
    pub(in super::super) is_assignment: bool,
    /// The names of the variables, with their `$`.
    pub(in super::super) variables: Vec<Rc<str>>,
    pub(in super::super) commands: Vec<CommandNode>,
}

#[derive(Debug)]
pub(in super::super) struct CommandNode {
    pub(in super::super) at: usize,
    pub(in super::super) args: Vec<Node>,
}

/// `if`, `with` or `range`.
#[derive(Debug)]
pub(in super::super) struct Branch {
    pub(in super::super) at: usize,
    pub(in super::super) pipe: Pipe,
    pub(in super::super) list: Vec<Node>,
    pub(in super::super) otherwise: Option<Vec<Node>>,
}

/// A number under every type that can hold it.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Number {
    pub(in super::super) text: Rc<str>,
    pub(in super::super) int: Option<i64>,
    pub(in super::super) uint: Option<u64>,
    pub(in super::super) float: Option<f64>,
    pub(in super::super) complex: Option<(f64, f64)>,
}

#[derive(Debug)]
pub(in super::super) enum Node {
    Text {
        at: usize,
        text: Rc<str>,
    },
    Action {
        at: usize,
        pipe: Pipe,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    Break {
        at: usize,
    },
    Continue {
        at: usize,
    },
    Template {
        at: usize,
        name: Rc<str>,
        pipe: Option<Pipe>,
    },
    // What follows stands inside of pipelines.
    Bool {
        at: usize,
        value: bool,
    },
    Chain {
        at: usize,
        node: Box<Node>,
        fields: Vec<Rc<str>>,
    },
    Dot {
        at: usize,
    },
    Field {
        at: usize,
        names: Vec<Rc<str>>,
    },
    Identifier {
        at: usize,
        name: Rc<str>,
    },
    Nil {
        at: usize,
    },
    Number {
        at: usize,
        number: Number,
    },
    Pipe(Box<Pipe>),
    String {
        at: usize,
        quoted: Rc<str>,
        text: Text,
    },
    /// The first name is the variable's, with its `$`.
    Variable {
        at: usize,
        names: Vec<Rc<str>>,
    },
}

/// The place where an error happens.
#[derive(Clone, Copy)]
pub(in super::super) enum NodeRef<'t> {
    Node(&'t Node),
    Pipe(&'t Pipe),
    Command(&'t CommandNode),
}

impl NodeRef<'_> {
    pub(in super::super) fn at(self) -> usize {
        match self {
            Self::Node(node) => node.at(),
            Self::Pipe(pipe) => pipe.at,
            Self::Command(command) => command.at,
        }
    }

    pub(in super::super) fn shown(self) -> String {
        let mut text = String::new();
        match self {
            Self::Node(node) => node.write(&mut text),
            Self::Pipe(pipe) => pipe.write(&mut text),
            Self::Command(command) => command.write(&mut text),
        }
        text
    }
}

impl Node {
    fn at(&self) -> usize {
        match self {
            Self::Text { at, .. }
            | Self::Action { at, .. }
            | Self::Break { at }
            | Self::Continue { at }
            | Self::Template { at, .. }
            | Self::Bool { at, .. }
            | Self::Chain { at, .. }
            | Self::Dot { at }
            | Self::Field { at, .. }
            | Self::Identifier { at, .. }
            | Self::Nil { at }
            | Self::Number { at, .. }
            | Self::String { at, .. }
            | Self::Variable { at, .. } => *at,
            Self::If(branch) | Self::With(branch) | Self::Range(branch) => branch.at,
            Self::Pipe(pipe) => pipe.at,
        }
    }

    pub(in super::super) fn shown(&self) -> String {
        NodeRef::Node(self).shown()
    }

    /// Inside of a command or a chain, where a pipeline has its parentheses.
    fn write_operand(&self, text: &mut String) {
        if let Self::Pipe(pipe) = self {
            text.push('(');
            pipe.write(text);
            text.push(')');
        } else {
            self.write(text);
        }
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Text { text: own, .. } => text.push_str(own),
            Self::Action { pipe, .. } => {
                text.push_str("{{");
                pipe.write(text);
                text.push_str("}}");
            }
            Self::If(branch) => branch.write("if", text),
            Self::With(branch) => branch.write("with", text),
            Self::Range(branch) => branch.write("range", text),
            Self::Break { .. } => text.push_str("{{break}}"),
            Self::Continue { .. } => text.push_str("{{continue}}"),
            Self::Template { name, pipe, .. } => {
                text.push_str("{{template ");
                text.push_str(&quote(name.as_bytes()));
                if let Some(pipe) = pipe {
                    text.push(' ');
                    pipe.write(text);
                }
                text.push_str("}}");
            }
            Self::Bool { value, .. } => text.push_str(if *value { "true" } else { "false" }),
            Self::Chain { node, fields, .. } => {
                node.write_operand(text);
                write_fields(fields, text);
            }
            Self::Dot { .. } => text.push('.'),
            Self::Field { names, .. } => write_fields(names, text),
            Self::Identifier { name, .. } => text.push_str(name),
            Self::Nil { .. } => text.push_str("nil"),
            Self::Number { number, .. } => text.push_str(&number.text),
            Self::Pipe(pipe) => pipe.write(text),
            Self::String { quoted, .. } => text.push_str(quoted),
            Self::Variable { names, .. } => text.push_str(&names.join(".")),
        }
    }
}

fn write_fields(names: &[Rc<str>], text: &mut String) {
    for name in names {
        text.push('.');
        text.push_str(name);
    }
}

impl Branch {
    fn write(&self, keyword: &str, text: &mut String) {
        text.push_str("{{");
        text.push_str(keyword);
        text.push(' ');
        self.pipe.write(text);
        text.push_str("}}");
        for node in &self.list {
            node.write(text);
        }
        if let Some(otherwise) = &self.otherwise {
            text.push_str("{{else}}");
            for node in otherwise {
                node.write(text);
            }
        }
        text.push_str("{{end}}");
    }
}

impl Pipe {
    fn write(&self, text: &mut String) {
        if !self.variables.is_empty() {
            text.push_str(&self.variables.join(", "));
            text.push_str(if self.is_assignment { " = " } else { " := " });
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                text.push_str(" | ");
            }
            command.write(text);
        }
    }
}

impl CommandNode {
    fn write(&self, text: &mut String) {
        for (index, arg) in self.args.iter().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            arg.write_operand(text);
        }
    }
}
