//! What is wrong with an ignore rule: silence here would be a report that is not what its reader thinks.

use miette::Diagnostic;
use thiserror::Error;

use super::rules::Rule;

/// A rule that cannot be followed, or that is of no use.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[diagnostic(severity(Warning))]
pub enum RuleFault {
    /// A group or a kind that is no glob.
    #[error("invalid ignore rule `{name}`{}: `{glob}` is not a glob", at(.place.as_ref()))]
    #[diagnostic(code(trueup::status::ignore_glob), help("write `*` for any text; until then the fields are compared"))]
    Glob {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// The group or kind.
        glob: String,
    },
    /// A line of an annotation that is neither a pointer nor an expression.
    #[error("invalid line `{line}` in annotation `trueup.dev/ignore` of `{object}`{}", at(.place.as_ref()))]
    #[diagnostic(
        code(trueup::status::ignore_line),
        help(
            "write one JSON pointer (`/spec/replicas`) or jq path expression (`.spec.replicas`) on each line; the line \
             ignores nothing"
        )
    )]
    Line {
        /// The object.
        object: String,
        /// Its file and line.
        place: Option<String>,
        /// As it is written.
        line: String,
    },
    /// A rule about changes in the cluster, and fields of which nothing proves that git is unchanged.
    #[error("the ignore rule `{name}`{} is not used on {}: it is not known what git said at the last sync",
        at(.place.as_ref()), in_words(*.fields))]
    #[diagnostic(
        code(trueup::status::ignore_unproved),
        help("sync once: its record proves which side changes from then on; until then the differences count")
    )]
    Unproved {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// How many fields it would cover.
        fields: usize,
    },
    /// An expression that cannot be run.
    #[error("invalid ignore rule `{name}`{}: {why}", at(.place.as_ref()))]
    #[diagnostic(
        code(trueup::status::ignore_expression),
        help("write a path such as `.spec.containers[] | select(.name == \"x\")`; until then the fields are compared")
    )]
    Broken {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// Why.
        why: String,
    },
    /// An expression that fails on an object.
    #[error("the ignore rule `{name}`{} fails: {words}", at(.place.as_ref()))]
    #[diagnostic(
        code(trueup::status::ignore_expression),
        help(
            "write a path expression, which selects fields and creates no values; when it fails, the fields are \
             compared"
        )
    )]
    Failed {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// The interpreter's words.
        words: String,
    },
    /// A rule about no object of the application.
    #[error("the ignore rule `{name}`{} matches no object: the application has no `{kinds}` that it \
         selects", at(.place.as_ref()))]
    #[diagnostic(code(trueup::status::ignore_nothing), help("{}", group_help(kinds)))]
    SelectsNothing {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// The kinds it is for.
        kinds: String,
    },
    /// A rule that names nothing in any object that it is about.
    #[error("the ignore rule `{name}`{} matches no field of any `{kinds}`", at(.place.as_ref()))]
    #[diagnostic(code(trueup::status::ignore_nothing), help("fix the path, or remove the rule"))]
    NamesNothing {
        /// The rule.
        name: String,
        /// Its file and line.
        place: Option<String>,
        /// The kinds it is for.
        kinds: String,
    },
}

impl RuleFault {
    pub(super) fn broken(rule: &Rule, why: String) -> Self {
        Self::Broken { name: rule.name.clone(), place: rule.place.clone(), why }
    }

    pub(super) fn failed(rule: &Rule, words: String) -> Self {
        Self::Failed { name: rule.name.clone(), place: rule.place.clone(), words }
    }

    pub(super) fn unproved(rule: &Rule, fields: usize) -> Self {
        Self::Unproved { name: rule.name.clone(), place: rule.place.clone(), fields }
    }

    pub(super) fn selects_nothing(rule: &Rule) -> Self {
        Self::SelectsNothing { name: rule.name.clone(), place: rule.place.clone(), kinds: rule.kinds.clone() }
    }

    pub(super) fn names_nothing(rule: &Rule) -> Self {
        Self::NamesNothing { name: rule.name.clone(), place: rule.place.clone(), kinds: rule.kinds.clone() }
    }

    /// Whether it is about this rule.
    pub(super) fn is_of(&self, rule: &Rule) -> bool {
        let (Self::Glob { name, .. }
        | Self::Unproved { name, .. }
        | Self::Broken { name, .. }
        | Self::Failed { name, .. }
        | Self::SelectsNothing { name, .. }
        | Self::NamesNothing { name, .. }) = self
        else {
            return false;
        };
        *name == rule.name
    }
}

fn in_words(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

fn at(place: Option<&String>) -> String {
    place.map(|place| format!(" at {place}")).unwrap_or_default()
}

/// Leaving out the group is the most common mistake: it means the core group alone.
fn group_help(kinds: &str) -> &'static str {
    if kinds.contains('/') {
        "compare its group, kind, name and namespace with those of the objects, or remove it"
    } else {
        "without `group` it matches the core group only; a Deployment needs `group: apps`"
    }
}
