//! The inside of actions: pipelines, commands, operands.

use std::rc::Rc;

use super::super::fmt::quote;
use super::lex::Kind;
use super::number::number;
use super::parser::{Result, TemplateParser};
use super::tree::{CommandNode, Node, Pipe};

impl TemplateParser<'_, '_> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let at = self.peek_non_space().at;
        let mut pipe = Pipe { at, is_assignment: false, variables: Vec::new(), commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => {
                    self.check(&pipe, context)?;
                    return Ok(pipe);
                }
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Result<()> {
        while self.peek_non_space().kind == Kind::Variable {
            let variable = self.next();
            let adjacent = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.is_assignment = next.kind == Kind::Assign;
                    self.next_non_space();
                    self.declare(pipe, variable.text);
                    return Ok(());
                }
                Kind::Char if &*next.text == "," => {
                    self.next_non_space();
                    self.declare(pipe, variable.text);
                    if context != "range" || pipe.variables.len() >= 2 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    if !matches!(self.peek_non_space().kind, Kind::Variable | Kind::RightDelim | Kind::RightParen) {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ => {
                    if adjacent.kind == Kind::Space {
                        self.back_three(variable, adjacent);
                    } else {
                        self.back_two(variable);
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn declare(&mut self, pipe: &mut Pipe, name: Rc<str>) {
        pipe.variables.push(Rc::clone(&name));
        self.variables.push(name);
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.args.first(),
                Some(
                    Node::Bool { .. } | Node::Dot { .. } | Node::Nil { .. } | Node::Number { .. } | Node::String { .. }
                )
            ) {
                return self.fail(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<CommandNode> {
        let mut command = CommandNode { at: self.peek_non_space().at, args: Vec::new() };
        loop {
            self.peek_non_space();
            command.args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.back();
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if command.args.is_empty() { self.fail("empty command") } else { Ok(command) }
    }

    fn operand(&mut self) -> Result<Option<Node>> {
        let Some(node) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(node));
        }
        let mut fields: Vec<Rc<str>> = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.next().text[1..].into());
        }
        let at = first.at;
        Ok(Some(match node {
            Node::Field { mut names, .. } => {
                names.append(&mut fields);
                Node::Field { at, names }
            }
            Node::Variable { mut names, .. } => {
                names.append(&mut fields);
                Node::Variable { at, names }
            }
            Node::Bool { .. } | Node::String { .. } | Node::Number { .. } | Node::Nil { .. } | Node::Dot { .. } => {
                return self.fail(format!("unexpected . after term {}", quote(node.shown().as_bytes())));
            }
            node => Node::Chain { at, node: Box::new(node), fields },
        }))
    }

    fn term(&mut self) -> Result<Option<Node>> {
        let token = self.next_non_space();
        let at = token.at;
        Ok(Some(match token.kind {
            Kind::Identifier => {
                if !(self.shared.is_function)(&token.text) {
                    return self.fail(format!("function {} not defined", quote(token.text.as_bytes())));
                }
                Node::Identifier { at, name: token.text }
            }
            Kind::Dot => Node::Dot { at },
            Kind::Nil => Node::Nil { at },
            Kind::Variable => {
                if !self.variables.contains(&token.text) {
                    return self.fail(format!("undefined variable {}", quote(token.text.as_bytes())));
                }
                Node::Variable { at, names: vec![token.text] }
            }
            Kind::Field => Node::Field { at, names: vec![token.text[1..].into()] },
            Kind::Bool => Node::Bool { at, value: &*token.text == "true" },
            Kind::CharConstant | Kind::Complex | Kind::Number => match number(&token.text, token.kind) {
                Ok(number) => Node::Number { at, number },
                Err(cause) => return self.fail(cause),
            },
            Kind::LeftParen => {
                let pipe = self.deeper(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                Node::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let text = self.unquoted(&token.text)?;
                Node::String { at, quoted: token.text, text }
            }
            _ => {
                self.back();
                return Ok(None);
            }
        }))
    }
}
