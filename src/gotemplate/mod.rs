//! Go's `text/template` with Masterminds sprig v3: templates and values in, text or Go's own error out.
//!
//! [`Templates`] holds parsed templates that know each other by name, and the [`Functions`] that they may call. A run takes
//! one of them and a [`Value`], within [`TemplateLimits`]; what only the world knows (clock, zone, randomness, whether to stop)
//! comes from the [`Host`]. Nothing here touches the world.
//!
//! Exact where templates can see it: the kinds of numbers, maps that are changed in place, what `fmt` prints, the texts of
//! errors. Rules: Go 1.26 `text/template`, `fmt`, `strconv`, `encoding/json`; sprig v3.3.0 and what it links.

mod builtins;
mod compare;
mod convert;
mod error;
mod fmt;
mod function;
mod host;
mod json;
mod limits;
mod parse;
mod printed;
mod run;
mod sprig;
mod templates;
mod text;
mod types;
mod unicode;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use error::{Error, ErrorKind, Fault, Limit};
pub use function::{Args, Bound, Context, Function, Functions, GoFunction, Param, TableEntry};
pub use host::{Host, NoHost};
pub use limits::TemplateLimits;
pub use templates::{MissingKey, Templates};
pub use text::Text;
pub use value::{GoObject, IntType, List, Map, Operand, Type, UintType, Value};

use parse::Tree;

impl Templates {
    /// Parses a text and adds its templates. As in Go, one of the same name is replaced, unless the new one is empty.
    pub fn parse(&mut self, name: &str, text: &str) -> Result<(), Box<Error>> {
        let is_function = |name: &str| self.functions.get(name).is_some() || builtins::get(name).is_some();
        let delims = (self.delims.0.as_str(), self.delims.1.as_str());
        let trees: BTreeMap<Rc<str>, Tree> = parse::parse(name, text, delims, &is_function, self.limits.depth)?;
        for (name, tree) in trees {
            if !parse::is_empty(&tree.root) || !self.trees.contains_key(&name) {
                self.trees.insert(name, Rc::new(tree));
            }
        }
        Ok(())
    }

    /// Whether there is a template of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.trees.contains_key(name)
    }

    /// Runs a template on a value.
    pub fn execute(&self, name: &str, dot: &Value, host: &dyn Host) -> Result<Vec<u8>, Box<Error>> {
        run::run(self, name, dot, host)
    }
}

/// Compiles a regular expression as Go's `regexp` reads it.
pub fn go_regex(pattern: &str) -> Result<regex::Regex, String> {
    sprig::compile_regex(pattern)
}

/// Parses and runs one template.
pub fn render(
    functions: &Rc<Functions>,
    name: &str,
    text: &str,
    dot: &Value,
    host: &dyn Host,
) -> Result<Vec<u8>, Box<Error>> {
    let mut templates = Templates::sharing(Rc::clone(functions));
    templates.parse(name, text)?;
    templates.execute(name, dot, host)
}
