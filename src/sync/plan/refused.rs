//! Why there is no plan; nothing is written then.
//!
//! In: what was found. Out: a [`PlanRefused`] with a code and one thing to do.

use std::fmt;

use miette::Diagnostic;

use super::wishes::MaxPrune;
use crate::object::Key;
use crate::sync::ownership::Owner;

/// An object that another application calls its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The object.
    pub object: Key,
    /// Whose it is.
    pub other: Other,
}

/// Another application that an object belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Other {
    /// By its name, as tracking has it: `<name>`, or `<namespace>_<name>`.
    Application(String),
    /// By the id of its ApplySet, when its name is not known.
    ApplySet(String),
}

impl fmt::Display for Other {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(name) => write!(formatter, "Application `{}`", name.replacen('_', "/", 1)),
            Self::ApplySet(id) => write!(formatter, "ApplySet `{id}`"),
        }
    }
}

/// A hook whose name an object has that trueup did not create as this hook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakenName {
    /// The object.
    pub object: Key,
    /// Whose it is; nothing when it is trueup's, but no hook.
    pub owner: Option<Owner>,
}

/// Why there is no plan: nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PlanRefused {
    /// Everything would be deleted, because git renders nothing.
    #[error("git renders nothing, so the plan deletes everything that is live ({}); nothing was written", objects(*.0))]
    #[diagnostic(
        code(trueup::sync::empty),
        help("if that is intended, pass `--allow-empty`; else see what git renders with `trueup render`")
    )]
    Empty(u64),
    /// More would be deleted than `--max-prune` lets.
    #[error("the plan deletes {prunes} of {objects} objects, more than `--max-prune {limit}`; nothing was written")]
    #[diagnostic(
        code(trueup::sync::max_prune),
        help("if that is intended, pass `--max-prune {}`", enough(*.prunes, *.objects, *.limit))
    )]
    TooManyPrunes {
        /// How many would be deleted.
        prunes: u64,
        /// How many of its objects are live.
        objects: u64,
        /// How many may be.
        limit: MaxPrune,
    },
    /// Objects ask before they go with their application.
    #[error("{} for confirmation before it is deleted; nothing was written", unconfirmed(.0))]
    #[diagnostic(code(trueup::sync::unconfirmed), help("`--approve` confirms it, `--orphan` keeps all objects"))]
    Unconfirmed(Vec<Key>),
    /// Hooks have the names of objects that trueup did not create as those hooks: it could not run them without deleting or
    /// overwriting what is somebody else's.
    #[error("{}; nothing was written", taken(.0))]
    #[diagnostic(
        code(trueup::sync::hook_name_taken),
        help(
            "rename the hook in git; `trueup sync --adopt` takes the object over instead, and the hook's delete \
             policies then apply to it"
        )
    )]
    TakenNames(Vec<TakenName>),
    /// Another application has objects of this one, too: each sync of one would undo the other.
    #[error("{}; nothing was written", shared(.0))]
    #[diagnostic(
        code(trueup::sync::shared),
        help(
            "keep each object in one application; if the other one was deleted, remove its mark from the object: the \
             label `applyset.kubernetes.io/part-of`, or Argo CD's tracking annotation or label; `--allow-shared` \
             syncs it anyway"
        )
    )]
    Shared(Vec<Shared>),
}

/// The least `--max-prune` that would let it, in the form that was used.
fn enough(prunes: u64, objects: u64, limit: MaxPrune) -> MaxPrune {
    let percents = (0..=100).map(MaxPrune::Percent);
    match limit {
        MaxPrune::Count(_) => MaxPrune::Count(prunes),
        MaxPrune::Percent(_) => {
            percents.into_iter().find(|limit| limit.of(objects) >= prunes).unwrap_or(MaxPrune::Count(prunes))
        }
    }
}

fn objects(count: u64) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

fn unconfirmed(objects: &[Key]) -> String {
    /// So many are named.
    const NAMED: usize = 5;
    let named: Vec<String> = objects.iter().take(NAMED).map(|key| format!("`{key}`")).collect();
    let more = if objects.len() > NAMED { format!(" and {} more", objects.len() - NAMED) } else { String::new() };
    format!("`Delete=confirm` of {}{more} asks", named.join(", "))
}

fn taken(hooks: &[TakenName]) -> String {
    /// So many are named.
    const NAMED: usize = 5;
    let one = |hook: &TakenName| {
        let whose = hook.owner.as_ref().map_or("created by trueup, but not as a hook".to_owned(), Owner::to_string);
        format!("the hook `{}` has the name of an object that is {whose}", hook.object)
    };
    let told: Vec<String> = hooks.iter().take(NAMED).map(one).collect();
    let more = if hooks.len() > NAMED { format!("; and {} more", hooks.len() - NAMED) } else { String::new() };
    told.join("; ") + &more
}

fn shared(objects: &[Shared]) -> String {
    /// So many are named.
    const NAMED: usize = 5;
    let named: Vec<String> =
        objects.iter().take(NAMED).map(|one| format!("`{}` is owned by {}", one.object, one.other)).collect();
    let more = if objects.len() > NAMED { format!("; and {} more", objects.len() - NAMED) } else { String::new() };
    named.join("; ") + &more
}
