//! A plan as a file: what `sync --plan FILE` saves and a dry run prints as JSON, and what `sync --from FILE` holds a fresh
//! plan against.
//!
//! In: plans, and what they were made with. Out: a [`SavedPlans`], and its text. It holds no targets and nothing of a
//! Secret's content, so that it may lie in a build's artifacts; a fresh plan is made for every execution, and executed only
//! when it is the saved one. Of a target there is a fingerprint, but not of a Secret's: passwords could be tried against it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input::Flags;
use super::seen::Seen;
use super::step::{Action, Held, HookDeletion, Plan, Step};
use crate::cluster::{ObjectName, Propagation, Validation};
use crate::object::Object;

const API_VERSION: &str = "trueup/v1";
const KIND: &str = "SyncPlan";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// With what a plan was made: with the same a fresh one is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Making {
    /// When; the names of hooks have it.
    pub at: Timestamp,
    /// `--prune`.
    pub prune: bool,
    /// The flags.
    pub flags: Flags,
}

/// Plans of one run, as they are saved and printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlans {
    api_version: String,
    kind: String,
    version: String,
    made_at: String,
    made_with: MadeWith,
    /// One for each application.
    pub(super) plans: Vec<SavedPlan>,
}

/// The flags of the command line.
#[expect(clippy::struct_excessive_bools, reason = "they are flags of the command line")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MadeWith {
    prune: bool,
    adopt: bool,
    force: bool,
    approve: bool,
    prune_protected: bool,
    max_prune: String,
    allow_empty: bool,
    allow_shared: bool,
    apply_all: bool,
}

/// The plan of one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    pub(super) application: String,
    pub(super) cluster: String,
    pub(super) revisions: Vec<String>,
    pub(super) whole: bool,
    pub(super) steps: Vec<SavedStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<SavedHeld>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedStep {
    pub(super) phase: String,
    pub(super) wave: i64,
    pub(super) action: String,
    pub(super) object: SavedName,
    pub(super) why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hook: Option<Vec<String>>,
    pub(super) how: SavedHow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) live: Option<SavedSeen>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unasked: bool,
}

/// How a step is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedHow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    force: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    adopt: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    propagation: Option<String>,
}

/// The subject of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedName {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    group: String,
    version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

/// The state of a live object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SavedSeen {
    pub(super) uid: String,
    fingerprint: String,
}

/// The steps that are not done, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SavedHeld {
    object: SavedName,
    why: String,
    drift: bool,
}

/// Why a saved plan is not executed; nothing is written then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum PlanFileError {
    /// It cannot be read.
    #[error("the saved plan is invalid: {0}")]
    #[diagnostic(code(trueup::sync::plan_file), help("`trueup sync --plan FILE` writes one"))]
    Unreadable(String),
    /// Another version of trueup made it.
    #[error("the saved plan was made by trueup {saved}, and this is {VERSION}; nothing was written")]
    #[diagnostic(code(trueup::sync::plan_version), help("save it again with `trueup sync --plan FILE`"))]
    OtherVersion {
        /// The version that made it.
        saved: String,
    },
    /// It is too old.
    #[error("the saved plan is {age} old, more than `--plan-lifetime {lifetime}`; nothing was written")]
    #[diagnostic(
        code(trueup::sync::plan_lifetime),
        help("save it again with `trueup sync --plan FILE`, or raise `--plan-lifetime`")
    )]
    TooOld {
        /// How old it is.
        age: String,
        /// How old it may be.
        lifetime: String,
    },
    /// The current plan differs from the saved one.
    #[error("the saved plan is out of date; nothing was written: {}", .0.join("; "))]
    #[diagnostic(
        code(trueup::sync::plan_moved),
        help("save it again with `trueup sync --plan FILE`, and review it again")
    )]
    Moved(Vec<String>),
}

impl SavedPlans {
    /// Plans as they are saved.
    pub fn of<'p>(plans: impl IntoIterator<Item = &'p Plan>, making: &Making) -> Self {
        Self {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            version: VERSION.to_owned(),
            made_at: making.at.to_string(),
            made_with: MadeWith::of(making),
            plans: plans.into_iter().map(SavedPlan::of).collect(),
        }
    }

    /// Reads what was saved, if this version of trueup saved it.
    pub fn read(text: &str) -> Result<Self, PlanFileError> {
        let unreadable = |why: &dyn ToString| PlanFileError::Unreadable(why.to_string());
        let value: Value = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        if (field("apiVersion"), field("kind")) != (API_VERSION, KIND) {
            return Err(unreadable(&format!("it is not of the kind `{KIND}` of `{API_VERSION}`")));
        }
        if field("version") != VERSION {
            return Err(PlanFileError::OtherVersion { saved: field("version").to_owned() });
        }
        let saved: Self = serde_json::from_value(value).map_err(|error| unreadable(&error))?;
        saved.making().ok_or_else(|| unreadable(&"`madeAt` or `madeWith` is invalid"))?;
        Ok(saved)
    }

    /// The text of the file.
    pub fn write(&self) -> String {
        // Values with text keys cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// With what the plans were made: a fresh plan has to be made with the same. What [`read`](Self::read) took has it.
    pub fn making(&self) -> Option<Making> {
        let with = &self.made_with;
        Some(Making {
            at: self.made_at.parse().ok()?,
            prune: with.prune,
            flags: Flags {
                adopt: with.adopt,
                force: with.force,
                approve: with.approve,
                prune_protected: with.prune_protected,
                max_prune: with.max_prune.parse().ok()?,
                allow_empty: with.allow_empty,
                allow_shared: with.allow_shared,
                apply_all: with.apply_all,
            },
        })
    }

    /// The applications that it is about: `<namespace>/<name>`, or the name alone.
    pub fn applications(&self) -> impl Iterator<Item = &str> {
        self.plans.iter().map(|plan| plan.application.as_str())
    }
}

impl MadeWith {
    fn of(making: &Making) -> Self {
        let Flags { adopt, force, approve, prune_protected, max_prune, allow_empty, allow_shared, apply_all } =
            making.flags;
        let (prune, max_prune) = (making.prune, max_prune.to_string());
        Self { prune, adopt, force, approve, prune_protected, max_prune, allow_empty, allow_shared, apply_all }
    }
}

impl SavedPlan {
    /// A plan as it is saved.
    pub fn of(plan: &Plan) -> Self {
        let Plan { application, cluster, revisions, whole, steps, held, warnings } = plan;
        Self {
            application: application.clone(),
            cluster: cluster.clone(),
            revisions: revisions.clone(),
            whole: *whole,
            steps: steps.iter().map(SavedStep::of).collect(),
            held: held.iter().map(SavedHeld::of).collect(),
            warnings: warnings.clone(),
        }
    }
}

impl SavedStep {
    fn of(step: &Step) -> Self {
        let Step { phase, wave, object, action, why, hook, target, seen, unasked } = step;
        Self {
            phase: phase.as_str().to_owned(),
            wave: *wave,
            action: action.as_str().to_owned(),
            object: SavedName::of(object),
            why: why.clone(),
            hook: hook.map(policies),
            how: SavedHow::of(action),
            target: target.as_deref().and_then(fingerprint),
            live: seen.as_ref().map(SavedSeen::of),
            unasked: *unasked,
        }
    }
}

impl SavedHow {
    fn of(action: &Action) -> Self {
        match action {
            Action::Apply { validation, force, adopt, .. } => {
                let validation = match validation {
                    Validation::Strict => "strict",
                    Validation::Ignore => "ignore",
                };
                Self { validation: Some(validation.to_owned()), force: *force, adopt: adopt.clone(), propagation: None }
            }
            Action::Prune { propagation } => {
                let propagation = match propagation {
                    Propagation::Foreground => "foreground",
                    Propagation::Background => "background",
                    Propagation::Orphan => "orphan",
                };
                Self { propagation: Some(propagation.to_owned()), ..Self::default() }
            }
            Action::Release => Self::default(),
        }
    }
}

impl SavedName {
    fn of(object: &ObjectName) -> Self {
        let ObjectName { gvk, namespace, name } = object.clone();
        Self { group: gvk.group, version: gvk.version, kind: gvk.kind, namespace, name }
    }

    /// In the words of a report: `apps/Deployment shop/web`.
    pub(super) fn words(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let namespace = self.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{group}{} {namespace}{}", self.kind, self.name)
    }
}

impl SavedSeen {
    fn of(seen: &Seen) -> Self {
        Self { uid: seen.uid.clone(), fingerprint: seen.fingerprint.clone() }
    }
}

impl SavedHeld {
    fn of(held: &Held) -> Self {
        Self { object: SavedName::of(&held.object), why: held.why.clone(), drift: held.is_drift }
    }
}

fn policies(deletion: HookDeletion) -> Vec<String> {
    let HookDeletion { before_creation, succeeded, failed } = deletion;
    [(before_creation, "BeforeHookCreation"), (succeeded, "HookSucceeded"), (failed, "HookFailed")]
        .into_iter()
        .filter(|(is_on, _)| *is_on)
        .map(|(_, name)| name.to_owned())
        .collect()
}

fn fingerprint(target: &Object) -> Option<String> {
    if target.kind() == "Secret" && target.api_version() == "v1" {
        return None;
    }
    // Maps are sorted, so equal values have one text; values with text keys cannot fail.
    let bytes = serde_json::to_vec(target.value()).unwrap_or_default();
    Some(URL_SAFE_NO_PAD.encode(&blake3::hash(&bytes).as_bytes()[..16]))
}
