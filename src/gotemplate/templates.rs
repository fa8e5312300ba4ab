//! Parsed templates, and how they are run.

use std::collections::HashMap;
use std::rc::Rc;

use super::function::Functions;
use super::limits::TemplateLimits;
use super::parse::Tree;

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

/// Templates that know each other by name, and the functions they may call.
#[derive(Clone, Default)]
pub struct Templates {
    pub(super) functions: Rc<Functions>,
    pub(super) trees: HashMap<Rc<str>, Rc<Tree>>,
    pub(super) missing_key: MissingKey,
    pub(super) delims: (String, String),
    pub(super) limits: TemplateLimits,
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
}
