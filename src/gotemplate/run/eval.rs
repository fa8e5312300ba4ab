//! Evaluates pipelines, commands and their elements.

use super::super::function::Param;
use super::super::parse::{CommandNode, Node, NodeRef, Number, Pipe};
use super::super::value::{Operand, Type, UintType, Value, is_exported};
use super::super::{MissingKey, fmt::quote};
use super::{Result, TemplateRun};

/// The value that the command before hands over, if there is one.
pub(super) type Final = Option<Operand>;

impl<'t> TemplateRun<'t> {
    pub(super) fn pipeline(&mut self, dot: &Operand, pipe: &'t Pipe) -> Result<Operand> {
        self.node = Some(NodeRef::Pipe(pipe));
        let mut value: Final = None;
        for command in &pipe.commands {
            let mut result = self.command(dot, command, value)?;
            result.is_interface = false;
            value = Some(result);
        }
        let value = value.unwrap_or_else(Operand::invalid);
        for name in &pipe.variables {
            if pipe.is_assignment {
                self.set_variable(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    fn not_a_function(&self, args: &[Node], last: &Final) -> Result<()> {
        if args.len() > 1 || last.is_some() {
            let first = args.first().map(Node::shown).unwrap_or_default();
            return self.fail(format!("can't give argument to non-function {first}"));
        }
        Ok(())
    }

    fn command(&mut self, dot: &Operand, command: &'t CommandNode, last: Final) -> Result<Operand> {
        self.step()?;
        let args = &command.args[..];
        let Some(first) = args.first() else { return Ok(Operand::invalid()) };
        match first {
            Node::Field { .. } => return self.field_node(dot, first, args, last),
            Node::Chain { .. } => return self.chain_node(dot, first, args, last),
            Node::Identifier { name, .. } => {
                self.at(first);
                return self.function(dot, name, NodeRef::Command(command), args, last);
            }
            Node::Pipe(pipe) => {
                self.not_a_function(args, &last)?;
                return self.deeper(|run| run.pipeline(dot, pipe));
            }
            Node::Variable { .. } => return self.variable_node(dot, first, args, last),
            _ => {}
        }
        self.at(first);
        self.not_a_function(args, &last)?;
        match first {
            Node::Bool { value, .. } => Ok(Operand::typed(Value::Bool(*value))),
            Node::Dot { .. } => Ok(dot.clone()),
            Node::Nil { .. } => self.fail("nil is not a command"),
            Node::Number { number, .. } => self.ideal_constant(number),
            Node::String { text, .. } => Ok(Operand::typed(Value::Text(text.clone()))),
            _ => self.fail(format!("can't evaluate command {}", quote(first.shown().as_bytes()))),
        }
    }

    /// A number where no type is asked for: its syntax decides.
    fn ideal_constant(&self, number: &Number) -> Result<Operand> {
        let text = &*number.text;
        let is_hexadecimal =
            text.len() > 2 && (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
        let is_rune = text.starts_with('\'');
        let value = if let Some((real, imaginary)) = number.complex {
            Value::Complex128(real, imaginary)
        } else if let Some(float) = number.float
            && !is_hexadecimal
            && !is_rune
            && text.contains(['.', 'e', 'E', 'p', 'P'])
        {
            Value::Float64(float)
        } else if let Some(int) = number.int {
            Value::int(int)
        } else if number.uint.is_some() {
            return self.fail(format!("{text} overflows int"));
        } else {
            Value::Nil
        };
        Ok(Operand::typed(value))
    }

    fn field_node(&mut self, dot: &Operand, node: &'t Node, args: &'t [Node], last: Final) -> Result<Operand> {
        self.at(node);
        let Node::Field { names, .. } = node else { return Ok(Operand::invalid()) };
        self.field_chain(dot, dot.clone(), node, names, args, last)
    }

    fn chain_node(&mut self, dot: &Operand, node: &'t Node, args: &'t [Node], last: Final) -> Result<Operand> {
        self.at(node);
        let Node::Chain { node: inner, fields, .. } = node else { return Ok(Operand::invalid()) };
        if matches!(**inner, Node::Nil { .. }) {
            return self.fail(format!("indirection through explicit nil in {}", node.shown()));
        }
        let receiver = self.untyped_argument(dot, inner)?;
        self.field_chain(dot, receiver, node, fields, args, last)
    }

    fn variable_node(&mut self, dot: &Operand, node: &'t Node, args: &'t [Node], last: Final) -> Result<Operand> {
        self.at(node);
        let Node::Variable { names, .. } = node else { return Ok(Operand::invalid()) };
        let Some((name, fields)) = names.split_first() else { return Ok(Operand::invalid()) };
        let found = self.variables.iter().rev().find(|(known, _)| **known == **name);
        let Some((_, value)) = found.cloned() else {
            return self.fail(format!("undefined variable: {name}"));
        };
        if fields.is_empty() {
            self.not_a_function(args, &last)?;
            return Ok(value);
        }
        self.field_chain(dot, value, node, fields, args, last)
    }

    fn field_chain(
        &mut self,
        dot: &Operand,
        mut receiver: Operand,
        node: &'t Node,
        names: &'t [std::rc::Rc<str>],
        args: &'t [Node],
        last: Final,
    ) -> Result<Operand> {
        let Some((final_name, names)) = names.split_last() else { return Ok(receiver) };
        for name in names {
            receiver = self.field(dot, name, node, &[], None, &receiver)?;
        }
        self.field(dot, final_name, node, args, last, &receiver)
    }

    /// A method of the receiver, a field of a struct, or an entry of a map.
    fn field(
        &mut self,
        dot: &Operand,
        name: &str,
        node: &'t Node,
        args: &'t [Node],
        last: Final,
        receiver: &Operand,
    ) -> Result<Operand> {
        if !receiver.is_valid() {
            if self.templates.missing_key == MissingKey::Error {
                return self.fail(format!("nil data; no entry for key {}", quote(name.as_bytes())));
            }
            return Ok(Operand::invalid());
        }
        let has_args = args.len() > 1 || last.is_some();
        match &receiver.value {
            Value::Nil => return self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name())),
            Value::Object(object) => {
                if let Some(method) = object.clone().method(name) {
                    return self.call(dot, &method, NodeRef::Node(node), name, args, last);
                }
                if let Some((_, value)) = object.fields().into_iter().find(|(field, _)| *field == name) {
                    if !is_exported(name) {
                        let owner = receiver.type_name();
                        return self.fail(format!("{name} is an unexported field of struct type {owner}"));
                    }
                    if has_args {
                        return self.fail(format!("{name} has arguments but cannot be invoked as function"));
                    }
                    return Ok(Operand::typed(value));
                }
            }
            Value::Map(map) => {
                if has_args {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                return match (map.get(name.as_bytes()), self.templates.missing_key) {
                    (Some(value), _) => Ok(Operand::element(value, map.element())),
                    (None, MissingKey::Default) => Ok(Operand::invalid()),
                    (None, MissingKey::Zero) => Ok(zero(map.element())),
                    (None, MissingKey::Error) => {
                        self.fail(format!("map has no entry for key {}", quote(name.as_bytes())))
                    }
                };
            }
            _ => {}
        }
        self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name()))
    }

    /// An argument as its parameter takes it.
    pub(super) fn argument(&mut self, dot: &Operand, param: Param, node: &'t Node) -> Result<Operand> {
        self.step()?;
        self.at(node);
        match node {
            Node::Nil { .. } => {
                return param
                    .nil()
                    .map_or_else(|| self.fail(format!("cannot assign nil to {}", param.type_name())), Ok);
            }
            Node::Bool { .. } | Node::Number { .. } | Node::String { .. } => {}
            _ => {
                let value = self.untyped_argument(dot, node)?;
                return self.validated(value, param);
            }
        }
        let (value, expected) = match (param, node) {
            (Param::Any | Param::Reflect, Node::Number { number, .. }) => return self.ideal_constant(number),
            (Param::Any | Param::Reflect | Param::Bool, Node::Bool { value, .. }) => (Some(Value::Bool(*value)), ""),
            (Param::Any | Param::Reflect | Param::Text, Node::String { text, .. }) => {
                (Some(Value::Text(text.clone())), "")
            }
            (Param::Bool, _) => (None, "bool"),
            (Param::Text, _) => (None, "string"),
            (Param::Int, Node::Number { number, .. }) => (number.int.map(Value::int), "integer"),
            (Param::Int, _) => (None, "integer"),
            (Param::Uint32, Node::Number { number, .. }) => {
                let value = number.uint.map(|uint| Value::Uint(UintType::U32, uint & u64::from(u32::MAX)));
                (value, "unsigned integer")
            }
            (Param::Uint32, _) => (None, "unsigned integer"),
            (Param::Float64, Node::Number { number, .. }) => (number.float.map(Value::Float64), "float"),
            (Param::Float64, _) => (None, "float"),
            _ => return self.fail(format!("can't handle {} for arg of type {}", node.shown(), param.type_name())),
        };
        match value {
            Some(value) => Ok(Operand::typed(value)),
            None => self.fail(format!("expected {expected}; found {}", node.shown())),
        }
    }

    /// An argument that is no literal, before it meets its parameter.
    fn untyped_argument(&mut self, dot: &Operand, node: &'t Node) -> Result<Operand> {
        self.at(node);
        match node {
            Node::Dot { .. } => Ok(dot.clone()),
            Node::Field { .. } => self.field_node(dot, node, &[], None),
            Node::Variable { .. } => self.variable_node(dot, node, &[], None),
            Node::Pipe(pipe) => self.deeper(|run| run.pipeline(dot, pipe)),
            Node::Identifier { name, .. } => self.function(dot, name, NodeRef::Node(node), &[], None),
            Node::Chain { .. } => self.deeper(|run| run.chain_node(dot, node, &[], None)),
            _ => self.fail(format!("can't evaluate command {}", quote(node.shown().as_bytes()))),
        }
    }

    /// Go's `validateType`.
    pub(super) fn validated(&self, operand: Operand, param: Param) -> Result<Operand> {
        if !operand.is_valid() {
            let nil = param.nil();
            return nil.map_or_else(|| self.fail(format!("invalid value; expected {}", param.type_name())), Ok);
        }
        if param == Param::Reflect {
            return Ok(operand);
        }
        let is_nil = matches!(operand.value, Value::Nil);
        if param == Param::Any || (!is_nil && param.takes(&operand.value)) {
            return Ok(operand);
        }
        let got = if is_nil { Type::Interface.to_string() } else { operand.value.type_name() };
        self.fail(format!("wrong type for value; expected {}; got {got}", param.type_name()))
    }
}

/// Go's zero value of a map's element type.
fn zero(element: &Type) -> Operand {
    Operand { value: zero_value(element), is_interface: *element == Type::Interface }
}

pub(in super::super) fn zero_value(of: &Type) -> Value {
    use super::super::value::{List, Map};
    match of {
        Type::Interface | Type::Named(_) => Value::Nil,
        Type::Bool => Value::Bool(false),
        Type::Int(int) => Value::Int(*int, 0),
        Type::Uint(uint) => Value::Uint(*uint, 0),
        Type::Float32 => Value::Float32(0.0),
        Type::Float64 => Value::Float64(0.0),
        Type::Complex128 => Value::Complex128(0.0, 0.0),
        Type::Text => Value::text(""),
        Type::Bytes => Value::Bytes("".into()),
        Type::List(element) => Value::List(List::nil((**element).clone())),
        Type::Map(element) => Value::Map(Map::nil((**element).clone())),
    }
}
