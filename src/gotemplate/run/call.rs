//! Calls functions and methods: counts and checks the arguments, and reports what the function reports.

use super::super::builtins;
use super::super::error::{ErrorKind, Fault};
use super::super::fmt::quote;
use super::super::function::{Args, Body, Function, Param};
use super::super::parse::{Node, NodeRef};
use super::super::value::{Operand, Value};
use super::eval::Final;
use super::{Result, TemplateRun};

impl<'t> TemplateRun<'t> {
    pub(super) fn function(
        &mut self,
        dot: &Operand,
        name: &str,
        node: NodeRef<'t>,
        args: &'t [Node],
        last: Final,
    ) -> Result<Operand> {
        let functions = &self.templates.functions;
        if let Some(function) = functions.get(name) {
            return self.call(dot, function, node, name, args, last);
        }
        let Some(function) = builtins::get(name) else {
            return self.fail(format!("{} is not a defined function", quote(name.as_bytes())));
        };
        self.call(dot, &function, node, name, args, last)
    }

    /// The arguments start with the function's own node, if there are any.
    pub(super) fn call(
        &mut self,
        dot: &Operand,
        function: &Function,
        node: NodeRef<'t>,
        name: &str,
        args: &'t [Node],
        last: Final,
    ) -> Result<Operand> {
        let args = args.get(1..).unwrap_or_default();
        let given = args.len() + usize::from(last.is_some());
        let fixed = function.params.len();
        if function.variadic.is_some() {
            if given < fixed {
                let got = args.len();
                return self.fail(format!("wrong number of args for {name}: want at least {fixed} got {got}"));
            }
        } else if given != fixed {
            return self.fail(format!("wrong number of args for {name}: want {fixed} got {given}"));
        }
        if let Body::And | Body::Or = function.body {
            return self.and_or(dot, matches!(function.body, Body::Or), args, last);
        }
        let mut values = Vec::with_capacity(given);
        for (index, arg) in args.iter().enumerate() {
            values.push(self.argument(dot, function.param(index), arg)?);
        }
        if let Some(last) = last {
            values.push(self.validated(last, function.param(args.len()))?);
        }
        let result = match &function.body {
            Body::Native(native) => native(self, Args(&values)),
            Body::Bound(bound) => bound(self, Args(&values)),
            Body::And | Body::Or => Ok(Value::Nil),
            Body::Call => Err(not_callable(args, &values)),
        };
        match result.and_then(|value| self.charge_value(&value).map(|()| value)) {
            Ok(value) => Ok(Operand::typed(value)),
            Err(Fault::Message(cause)) => {
                self.node = Some(node);
                self.fail(format!("error calling {name}: {cause}"))
            }
            Err(Fault::Limit(limit)) => {
                self.node = Some(node);
                Err(Box::new(self.error(ErrorKind::Limit(limit), format!("error calling {name}: {limit}"))))
            }
        }
    }

    /// `and` and `or` evaluate no more arguments than they need.
    fn and_or(&mut self, dot: &Operand, is_or: bool, args: &'t [Node], last: Final) -> Result<Operand> {
        let mut value = Operand::invalid();
        for arg in args {
            value = self.argument(dot, Param::Reflect, arg)?;
            if value.value.is_true() == is_or {
                return Ok(value);
            }
        }
        match last {
            Some(last) => self.validated(last, Param::Reflect),
            None => Ok(value),
        }
    }
}

/// No value is a function, so `call` always fails.
fn not_callable(args: &[Node], values: &[Operand]) -> Fault {
    let Some(first) = values.first() else { return Fault::new("call of nil") };
    if let Value::Nil = first.value {
        return Fault::new("call of nil");
    }
    let kind = first.value.type_name();
    let name = match (args.first(), &first.value) {
        (Some(node), _) => node.shown(),
        (None, Value::Text(text)) => text.lossy().into_owned(),
        (None, _) => format!("<{kind} Value>"),
    };
    Fault::new(format!("non-function {name} of type {kind}"))
}
