//! What a plan is made of: what git has, what is live, what flags say.
//!
//! In: nothing. Out: [`Wishes`] and its parts, which the conductor fills in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::neighbours::Neighbours;
use super::unread::Unread;
use crate::app::Application;
use crate::object::{Kinds, Object};
use crate::status::ResourceDrift;
use crate::status::compare::Baseline;
use crate::status::tracking::Tracking;
use crate::sync::decide::Scope;

/// One object that git has.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The object, its part-of label on it.
    pub target: Arc<Object>,
    /// The live object of its name.
    pub live: Option<Arc<Object>>,
    /// How the two differ; nothing for a hook, which is never compared.
    pub drift: Option<ResourceDrift>,
}

/// One live object of the application that git no longer has.
#[derive(Debug, Clone)]
pub struct Surplus {
    /// The live object, at least its metadata with `managedFields`.
    pub live: Arc<Object>,
    /// What was told of it.
    pub drift: ResourceDrift,
}

/// How much may be deleted in one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxPrune {
    /// So many objects.
    Count(u64),
    /// So many of a hundred of the application's live objects, rounded down, but at least one: so that an application of one Job that
    /// is renamed at each release can be synced. Nothing with `0%`.
    Percent(u8),
}

/// Why a text is no `--max-prune`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number of objects, such as `20`, nor a percentage, such as `50%`")]
pub struct NotAMaxPrune(String);

impl FromStr for MaxPrune {
    type Err = NotAMaxPrune;

    fn from_str(text: &str) -> Result<Self, NotAMaxPrune> {
        let limit = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|percent| *percent <= 100).map(Self::Percent),
            None => text.parse().ok().map(Self::Count),
        };
        limit.ok_or_else(|| NotAMaxPrune(text.to_owned()))
    }
}

impl fmt::Display for MaxPrune {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

impl MaxPrune {
    /// How many of so many objects may be deleted.
    pub(super) fn of(self, objects: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(0) => 0,
            Self::Percent(percent) => (objects.saturating_mul(u64::from(percent)) / 100).max(1),
        }
    }
}

/// What flags say about a sync.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// `--adopt`: fields that other appliers own become ours.
    pub adopt: bool,
    /// `--force`: what cannot be changed is deleted and made anew.
    pub force: bool,
    /// `--approve`: what asks for confirmation is confirmed.
    pub approve: bool,
    /// `--prune-protected`: volume claims, namespaces, and definitions of kinds may be deleted, too.
    pub prune_protected: bool,
    /// `--max-prune`.
    pub max_prune: MaxPrune,
    /// `--allow-empty`, or the manifest's `allowEmpty`.
    pub allow_empty: bool,
    /// `--allow-shared`: objects that another application calls its own are synced all the same.
    pub allow_shared: bool,
    /// `--apply-all`: what is in sync is applied, too.
    pub apply_all: bool,
}

/// Everything that a plan is made of.
pub struct Wishes<'a> {
    /// The application.
    pub application: &'a Application,
    /// What to do.
    pub scope: Scope,
    /// What flags say.
    pub flags: Flags,
    /// The cluster's name.
    pub cluster: &'a str,
    /// How the application marks what is its own; its ApplySet's id is what its members carry.
    pub tracking: &'a Tracking,
    /// The full commit hash of each source.
    pub revisions: &'a [String],
    /// What git has: resources and hooks.
    pub wanted: &'a [Wanted],
    /// What git no longer has.
    pub surplus: &'a [Surplus],
    /// What of git could not be read: git may still have objects that are missing from `wanted`.
    pub unread: Unread<'a>,
    /// What the other applications of this run have.
    pub neighbours: &'a Neighbours,
    /// What the cluster serves.
    pub kinds: &'a Kinds,
    /// The destination's namespace as it is; nothing when there is none. For `CreateNamespace`: without that option it need
    /// not be looked for.
    pub namespace: Option<&'a Object>,
    /// The record of the last sync.
    pub baseline: Option<&'a Baseline>,
    /// When the sync begins: names of hooks have it.
    pub now: Timestamp,
}
