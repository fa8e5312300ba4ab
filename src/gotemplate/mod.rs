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
mod json;
mod parse;
mod run;
mod sprig;
mod text;
mod types;
mod unicode;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

pub use error::{Error, ErrorKind, Fault, Limit};
pub use function::{Args, Bound, Context, Function, Functions, GoFunction, Param, TableEntry};
pub use text::Text;
pub use value::{GoObject, IntType, List, Map, Operand, Type, UintType, Value};

use parse::Tree;

/// How a missing key of a map is handled (Go's option `missingkey`). A field of nil is an error in every case but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// `default` or `invalid`: prints `<no value>`.
    #[default]
    Default,
    /// `zero`: the zero value of the map's element type.
    Zero,
    /// `error`: the run fails.
    Error,
}

impl MissingKey {
    /// The option's value in a list such as `["missingkey=error"]`; the last one counts.
    pub fn from_options<'o>(options: impl IntoIterator<Item = &'o str>) -> Result<Self, String> {
        options.into_iter().try_fold(Self::default(), |_, option| match option {
            "missingkey=default" | "missingkey=invalid" => Ok(Self::Default),
            "missingkey=zero" => Ok(Self::Zero),
            "missingkey=error" => Ok(Self::Error),
            "" => Err("empty option string".to_owned()),
            _ => Err(format!("unrecognized option: {option}")),
        })
    }
}

/// How much a template may need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateLimits {
    /// Nodes evaluated, calls and iterations.
    pub steps: u64,
    /// Nesting of actions, parentheses and templates together.
    pub depth: usize,
    /// Bytes of output.
    pub output: usize,
    /// Bytes of all the values that functions return.
    pub memory: usize,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { steps: 50_000_000, depth: 200, output: 64 << 20, memory: 256 << 20 }
    }
}

/// Clock, zone, randomness and cancellation. The default is fixed: 1970, UTC, no randomness, never stopped.
pub trait Host {
    /// The time.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    /// The zone that Go calls `Local`.
    fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::UTC
    }

    /// Fills the bytes with randomness; without a source it is an error.
    fn fill_random(&self, _bytes: &mut [u8]) -> Result<(), Fault> {
        Err(Fault::new("there is no source of randomness"))
    }

    /// Whether the run is to end: asked about once in a thousand steps.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// The host that knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl Host for NoHost {}

/// Templates that know each other by name, and the functions they may call.
#[derive(Clone, Default)]
pub struct Templates {
    functions: Rc<Functions>,
    trees: HashMap<Rc<str>, Rc<Tree>>,
    missing_key: MissingKey,
    delims: (String, String),
    limits: TemplateLimits,
}

impl Templates {
    /// No templates yet.
    pub fn new(functions: Functions) -> Self {
        Self::sharing(Rc::new(functions))
    }

    /// No templates yet, with functions that other templates use, too.
    pub fn sharing(functions: Rc<Functions>) -> Self {
        Self { functions, ..Self::default() }
    }

    /// Sets what a missing key is.
    #[must_use]
    pub fn missing_key(mut self, missing_key: MissingKey) -> Self {
        self.missing_key = missing_key;
        self
    }

    /// Sets the delimiters in place of `{{` and `}}`; an empty one stays as it is.
    #[must_use]
    pub fn delims(mut self, left: &str, right: &str) -> Self {
        self.delims = (left.to_owned(), right.to_owned());
        self
    }

    /// Sets how much a run may need.
    #[must_use]
    pub fn limits(mut self, limits: TemplateLimits) -> Self {
        self.limits = limits;
        self
    }

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
