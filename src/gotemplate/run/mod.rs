//! Runs a template (Go's `exec.go`): walks its nodes and writes text.

mod call;
mod eval;

pub(super) use eval::zero_value;

use std::rc::Rc;

use super::convert::length;
use super::error::{Error, ErrorKind, Fault, Limit};
use super::fmt::{quote, sprint, verb};
use super::function::Context;
use super::host::Host;
use super::parse::{Branch, Node, NodeRef, Tree};
use super::templates::Templates;
use super::text::Text;
use super::value::{Operand, UintType, Value};

type Result<T> = std::result::Result<T, Box<Error>>;

/// How the walk goes on after a node.
enum Flow {
    Next,
    Break,
    Continue,
}

/// One run.
pub(super) struct TemplateRun<'t> {
    templates: &'t Templates,
    host: &'t dyn Host,
    /// The template that runs now.
    tree: &'t Tree,
    /// The node that errors name.
    node: Option<NodeRef<'t>>,
    variables: Vec<(&'t str, Operand)>,
    output: Vec<u8>,
    depth: usize,
    steps: u64,
    memory: usize,
}

/// Runs the template of that name.
pub(super) fn run(templates: &Templates, name: &str, dot: &Value, host: &dyn Host) -> Result<Vec<u8>> {
    let Some(tree) = templates.trees.get(name) else {
        let cause = format!("no template {} associated with template {}", quote(name.as_bytes()), quote(b""));
        return Err(Box::new(Error {
            kind: ErrorKind::Execute,
            template: name.to_owned(),
            line: 0,
            column: None,
            message: format!("template: {cause}"),
            cause,
        }));
    };
    let dot = Operand::typed(dot.clone());
    let mut run = TemplateRun {
        templates,
        host,
        tree,
        node: None,
        variables: vec![("$", dot.clone())],
        output: Vec::new(),
        depth: 0,
        steps: 0,
        memory: 0,
    };
    run.walk_list(&dot, &tree.root)?;
    Ok(run.output)
}

impl<'t> TemplateRun<'t> {
    fn at(&mut self, node: &'t Node) {
        self.node = Some(NodeRef::Node(node));
    }

    fn error(&self, kind: ErrorKind, cause: String) -> Error {
        let tree = self.tree;
        let name = quote(tree.name.as_bytes());
        let Some(node) = self.node else {
            let message = format!("template: {}: {cause}", tree.name);
            let template = tree.parse_name.to_string();
            return Error { kind, template, line: 0, column: None, message, cause };
        };
        let before = tree.source.get(..node.at()).unwrap_or("");
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.matches('\n').count();
        let message =
            format!("template: {}:{line}:{column}: executing {name} at <{}>: {cause}", tree.parse_name, node.shown());
        Error { kind, template: tree.parse_name.to_string(), line, column: Some(column), message, cause }
    }

    fn fail<T>(&self, cause: impl Into<String>) -> Result<T> {
        Err(Box::new(self.error(ErrorKind::Execute, cause.into())))
    }

    fn limit<T>(&self, limit: Limit) -> Result<T> {
        Err(Box::new(self.error(ErrorKind::Limit(limit), limit.to_string())))
    }

    /// Counts a step, and looks once in a while whether the run is to end.
    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > self.templates.limits.steps {
            return self.limit(Limit::Steps(self.templates.limits.steps));
        }
        if self.steps.is_multiple_of(1024) && self.host.is_stopped() {
            return self.limit(Limit::Stopped);
        }
        Ok(())
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= self.templates.limits.depth {
            return self.limit(Limit::Depth(self.templates.limits.depth));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.output.len() + bytes.len() > self.templates.limits.output {
            return self.limit(Limit::Output(self.templates.limits.output));
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    fn charge_value(&mut self, value: &Value) -> std::result::Result<(), Fault> {
        let size = match value {
            Value::Text(text) | Value::Bytes(text) => text.len(),
            Value::List(list) => list.len().saturating_mul(32),
            Value::Map(map) => map.len().saturating_mul(64),
            _ => 0,
        };
        self.charge(size)
    }

    fn walk_list(&mut self, dot: &Operand, nodes: &'t [Node]) -> Result<Flow> {
        for node in nodes {
            match self.walk(dot, node)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn walk(&mut self, dot: &Operand, node: &'t Node) -> Result<Flow> {
        self.step()?;
        self.at(node);
        match node {
            Node::Action { pipe, .. } => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.at(node);
                    self.print(&value)?;
                }
            }
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
            Node::If(branch) => return self.deeper(|run| run.walk_if(dot, branch, false)),
            Node::With(branch) => return self.deeper(|run| run.walk_if(dot, branch, true)),
            Node::Range(branch) => return self.deeper(|run| run.walk_range(dot, branch)),
            Node::Template { .. } => self.deeper(|run| run.walk_template(dot, node))?,
            Node::Text { text, .. } => self.write(text.as_bytes())?,
            _ => return self.fail(format!("unknown node: {}", node.shown())),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, operand: &Operand) -> Result<()> {
        match &operand.value {
            Value::Nil => self.write(b"<no value>"),
            Value::Text(text) => self.write(text.bytes()),
            value => {
                let limit = self.templates.limits.output;
                match sprint(std::iter::once(value), limit) {
                    Ok(text) => self.write(&text),
                    Err(Limit::Memory(_)) => self.limit(Limit::Output(limit)),
                    Err(limit) => self.limit(limit),
                }
            }
        }
    }

    fn walk_if(&mut self, dot: &Operand, branch: &'t Branch, is_with: bool) -> Result<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.value.is_true() {
            self.walk_list(if is_with { &value } else { dot }, &branch.list)
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk_list(dot, otherwise)
        } else {
            Ok(Flow::Next)
        };
        self.variables.truncate(mark);
        flow
    }

    fn walk_range(&mut self, dot: &Operand, branch: &'t Branch) -> Result<Flow> {
        let mark = self.variables.len();
        let ranged = self.pipeline(dot, &branch.pipe)?;
        let iterated = self.range_over(branch, &ranged.value)?;
        self.variables.truncate(mark);
        let Some(otherwise) = branch.otherwise.as_ref().filter(|_| !iterated) else { return Ok(Flow::Next) };
        let flow = self.walk_list(dot, otherwise)?;
        self.variables.truncate(mark);
        // Go takes a `break` of the else branch for one of this range, and a `continue` for one of the range around it.
        Ok(if let Flow::Break = flow { Flow::Next } else { flow })
    }

    /// Whether there was anything to iterate over.
    fn range_over(&mut self, branch: &'t Branch, ranged: &Value) -> Result<bool> {
        match ranged {
            Value::Int(..) | Value::Uint(..) if branch.pipe.variables.len() > 1 => {
                self.fail(format!("can't use {} to iterate over more than one variable", verb(ranged, 'v')))
            }
            Value::Int(int, count) => {
                let numbers = (0..*count).map(|number| (Operand::invalid(), Operand::typed(Value::Int(*int, number))));
                self.iterate_all(branch, numbers)
            }
            Value::Uint(uint, count) => {
                let numbers =
                    (0..*count).map(|number| (Operand::invalid(), Operand::typed(Value::Uint(*uint, number))));
                self.iterate_all(branch, numbers)
            }
            Value::List(list) => {
                let elements = (0..list.len()).map(|index| {
                    let element = Operand::element(list.get(index).unwrap_or(Value::Nil), list.element());
                    (Operand::typed(Value::int(length(index))), element)
                });
                self.iterate_all(branch, elements)
            }
            Value::Bytes(bytes) => {
                let elements = bytes.bytes().iter().enumerate().map(|(index, byte)| {
                    let byte = Value::Uint(UintType::U8, u64::from(*byte));
                    (Operand::typed(Value::int(length(index))), Operand::typed(byte))
                });
                self.iterate_all(branch, elements)
            }
            Value::Map(map) => {
                let entries = map
                    .entries()
                    .into_iter()
                    .map(|(key, value)| (Operand::typed(Value::Text(key)), Operand::element(value, map.element())));
                self.iterate_all(branch, entries)
            }
            Value::Nil => Ok(false),
            _ => self.fail(format!("range can't iterate over {}", verb(ranged, 'v'))),
        }
    }

    fn iterate_all(&mut self, branch: &'t Branch, elements: impl Iterator<Item = (Operand, Operand)>) -> Result<bool> {
        let mut iterated = false;
        for (index, element) in elements {
            iterated = true;
            if self.iterate(branch, index, &element)? {
                break;
            }
        }
        Ok(iterated)
    }

    /// One turn of a range; true when it was the last.
    fn iterate(&mut self, branch: &'t Branch, index: Operand, element: &Operand) -> Result<bool> {
        self.step()?;
        let mark = self.variables.len();
        let variables = &branch.pipe.variables;
        if branch.pipe.is_assignment {
            if let [first, second] = &variables[..] {
                self.set_variable(first, index)?;
                self.set_variable(second, element.clone())?;
            } else if let [only] = &variables[..] {
                self.set_variable(only, element.clone())?;
            }
        } else {
            if !variables.is_empty()
                && let Some(top) = self.variables.last_mut()
            {
                top.1 = element.clone();
            }
            if variables.len() > 1
                && let Some(below) = mark.checked_sub(2).and_then(|below| self.variables.get_mut(below))
            {
                below.1 = index;
            }
        }
        let flow = self.walk_list(element, &branch.list)?;
        self.variables.truncate(mark);
        Ok(matches!(flow, Flow::Break))
    }

    fn set_variable(&mut self, name: &str, value: Operand) -> Result<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, slot)) => {
                *slot = value;
                Ok(())
            }
            None => self.fail(format!("undefined variable: {name}")),
        }
    }

    fn walk_template(&mut self, dot: &Operand, node: &'t Node) -> Result<()> {
        let Node::Template { name, pipe, .. } = node else { return Ok(()) };
        let Some(tree) = self.templates.trees.get(name) else {
            return self.fail(format!("template {} not defined", quote(name.as_bytes())));
        };
        let dot = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Operand::invalid(),
        };
        self.within(tree, &dot)
    }

    /// Runs another template, which inherits no variables.
    fn within(&mut self, tree: &'t Rc<Tree>, dot: &Operand) -> Result<()> {
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let (outer, node) = (std::mem::replace(&mut self.tree, tree), self.node);
        let result = self.walk_list(dot, &tree.root);
        self.variables = variables;
        self.tree = outer;
        self.node = node;
        result.map(|_| ())
    }
}

impl Context for TemplateRun<'_> {
    fn charge(&mut self, bytes: usize) -> std::result::Result<(), Fault> {
        self.memory = self.memory.saturating_add(bytes);
        let limit = self.templates.limits.memory;
        if self.memory > limit { Err(Limit::Memory(limit).into()) } else { Ok(()) }
    }

    fn host(&self) -> &dyn Host {
        self.host
    }

    fn execute(&mut self, template: &str, dot: Value) -> std::result::Result<Text, Fault> {
        let Some(tree) = self.templates.trees.get(template) else {
            let name = quote(template.as_bytes());
            return Err(Fault::new(format!(
                "template: no template {name} associated with template {}",
                quote(self.tree.name.as_bytes())
            )));
        };
        let output = std::mem::take(&mut self.output);
        let result = self.deeper(|run| run.within(tree, &Operand::typed(dot)));
        let own = std::mem::replace(&mut self.output, output);
        match result {
            Ok(()) => Ok(own.into()),
            Err(error) => Err(match error.kind {
                ErrorKind::Limit(limit) => Fault::Limit(limit),
                _ => Fault::Message(error.message),
            }),
        }
    }
}
