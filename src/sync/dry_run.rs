//! Dry-runs a plan: asks the server whether it would accept every object and every deletion, before anything is written.
//!
//! In: a plan. Out: the plan with the steps that have to recreate marked so, and every [`Complaint`]. All writes are dry runs. What lives
//! in a namespace, or is of a kind, that the plan itself makes cannot be asked about.

use std::collections::HashSet;

use futures::StreamExt;
use futures::stream;
use serde_json::json;

use super::execute::in_words;
use super::merge::{self, values_at};
use super::ownership::ask_to_delete;
use super::plan::{Action, Method, Plan, Step};
use crate::cluster::{Cluster, ClusterError, Deleted, Propagation, Reason, Refusal, Writing, Written};

/// Why the server would not take a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its subject.
    pub subject: String,
    /// Why.
    pub kind: ComplaintKind,
}

/// Why the server would not take a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComplaintKind {
    /// A field cannot be changed: it must be recreated; in the server's words.
    MustBeRecreated(String),
    /// The account is not allowed to; in the server's words.
    NotPermitted(String),
    /// The namespace of the object is not there, or is being deleted.
    NoNamespace {
        /// The namespace.
        namespace: String,
        /// Which of the two.
        reason: Reason,
    },
    /// It refuses the object; why, and in its words.
    Refused(Reason, String),
    /// It does not let the object go; in its words.
    Kept(String),
    /// It does not answer.
    NoAnswer(Box<ClusterError>),
}

/// How much is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every step.
    Every,
    /// One step of each kind and namespace: what an account may not do, or a cluster does not serve, is found by one.
    OneOfEachKind,
}

/// Asks the server about steps; what cannot be changed becomes a step that recreates it where that may be done, and is
/// held where not.
pub async fn dry_run(plan: &mut Plan, extent: Extent, cluster: &dyn Cluster, concurrency: usize) -> Vec<Complaint> {
    let mut kinds = HashSet::new();
    let is_asked = |(_, step): &(usize, &Step)| {
        !step.unasked
            && match extent {
                Extent::Every => true,
                Extent::OneOfEachKind => kinds.insert((step.object.gvk.clone(), step.object.namespace.clone())),
            }
    };
    let asked: Vec<(usize, &Step)> = plan.steps.iter().enumerate().filter(is_asked).collect();
    let answers: Vec<(usize, Answer)> =
        stream::iter(asked.into_iter().map(|(index, step)| async move { (index, ask(step, cluster).await) }))
            .buffered(concurrency.max(1))
            .collect()
            .await;
    let mut complaints = Vec::new();
    let mut found = Vec::new();
    for (index, answer) in answers {
        match answer {
            Answer::Fine => {}
            Answer::Complaint(kind) => found.push((index, kind)),
            // What it contradicts is deleted before: nobody can know now what the server says then.
            Answer::Refused(refusal) if goes_first(plan, index, &refusal, cluster).await => {}
            Answer::Refused(refusal) => found.push((index, refused(&plan.steps[index], &refusal))),
        }
    }
    // From the last to the first: a step that is held is no longer among them.
    for (index, kind) in found.into_iter().rev() {
        let step = &plan.steps[index];
        let can_be_recreated = matches!(step.action, Action::Apply { force: true, .. });
        let subject = step.subject();
        if let ComplaintKind::MustBeRecreated(words) = &kind {
            plan.recreate(index, words);
            if can_be_recreated {
                continue;
            }
        }
        complaints.push(Complaint { subject, kind });
    }
    complaints.reverse();
    complaints
}

/// The server's answer for one step.
enum Answer {
    Fine,
    Complaint(ComplaintKind),
    /// It refuses the object as it is now.
    Refused(Refusal),
}

impl From<Option<ComplaintKind>> for Answer {
    fn from(complaint: Option<ComplaintKind>) -> Self {
        complaint.map_or(Self::Fine, Self::Complaint)
    }
}

fn refused(step: &Step, refusal: &Refusal) -> ComplaintKind {
    match refusal.reason {
        reason @ (Reason::NoNamespace | Reason::NamespaceTerminating) => {
            ComplaintKind::NoNamespace { namespace: step.object.namespace.clone().unwrap_or_default(), reason }
        }
        reason => ComplaintKind::Refused(reason, in_words(refusal)),
    }
}

/// Whether a new object is refused for something that the same plan deletes before: for each field that the server names, an
/// object of its kind that goes has the same value there (a port, an address); a webhook or policy names one.
async fn goes_first(plan: &Plan, index: usize, refusal: &Refusal, cluster: &dyn Cluster) -> bool {
    let step = &plan.steps[index];
    let Some(target) = step.target.as_deref().filter(|_| step.seen.is_none()) else { return false };
    if !matches!(refusal.reason, Reason::Invalid | Reason::Denied | Reason::Other) {
        return false;
    }
    let stage = |step: &Step| (step.phase, step.wave);
    let is_before = |(place, prune): &(usize, &Step)| *place < index || stage(prune) == stage(step);
    let is_of_kind =
        |prune: &Step| prune.is_prune() && prune.object.key().group_kind() == step.object.key().group_kind();
    let prunes =
        plan.steps.iter().enumerate().filter(is_before).map(|(_, prune)| prune).filter(|prune| is_of_kind(prune));
    let mut going = Vec::new();
    for prune in prunes {
        if let Ok(Some(live)) = cluster.get(&prune.object).await {
            going.push(live);
        }
    }
    if refusal.fields.is_empty() {
        return refusal.reason == Reason::Denied && going.iter().any(|live| names(&refusal.words, live.name()));
    }
    refusal.fields.iter().all(|field| {
        let wanted = values_at(target, field);
        let is_taken = |value: &&serde_json::Value| going.iter().any(|live| values_at(live, field).contains(value));
        !wanted.is_empty() && wanted.iter().any(is_taken)
    })
}

/// Whether a name stands in a text, and is not a part of a longer one.
fn names(text: &str, name: &str) -> bool {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
    !name.is_empty() && text.split(|character| !is_of_name(character)).any(|word| word.trim_matches('.') == name)
}

async fn ask(step: &Step, cluster: &dyn Cluster) -> Answer {
    match (&step.action, &step.seen) {
        (Action::Prune { propagation }, Some(seen)) => ask_prune(step, *propagation, &seen.uid, cluster).await.into(),
        (Action::Release, Some(seen)) => ask_release(step, &seen.uid, cluster).await.into(),
        _ => ask_apply(step, cluster).await,
    }
}

async fn ask_prune(step: &Step, propagation: Propagation, uid: &str, cluster: &dyn Cluster) -> Option<ComplaintKind> {
    match ask_to_delete(cluster, &step.object, uid, propagation).await {
        Ok(Deleted::Gone | Deleted::Going | Deleted::Absent) => None,
        Ok(Deleted::Refused(refusal)) => Some(kept(refusal)),
        Err(error) => Some(unanswered(error)),
    }
}

/// A patch that changes nothing: whether the account may is what it asks.
async fn ask_release(step: &Step, uid: &str, cluster: &dyn Cluster) -> Option<ComplaintKind> {
    let patch = json!([{"op": "test", "path": "/metadata/uid", "value": uid}]);
    match cluster.patch(&step.object, &patch, Writing::DryRun).await {
        Ok(Written::Refused(refusal)) if refusal.reason == Reason::Forbidden => Some(kept(refusal)),
        // It is another one by now, or none: nothing is to be released.
        Ok(_) => None,
        Err(error) => Some(unanswered(error)),
    }
}

fn kept(refusal: Refusal) -> ComplaintKind {
    match refusal.reason {
        Reason::Forbidden => ComplaintKind::NotPermitted(refusal.words),
        _ => ComplaintKind::Kept(in_words(&refusal)),
    }
}

fn unanswered(error: ClusterError) -> ComplaintKind {
    match error {
        ClusterError::Forbidden { .. } => ComplaintKind::NotPermitted(error.to_string()),
        error => ComplaintKind::NoAnswer(Box::new(error)),
    }
}

async fn ask_apply(step: &Step, cluster: &dyn Cluster) -> Answer {
    let (Some(target), Action::Apply { method, validation, .. }) = (&step.target, &step.action) else {
        return Answer::Fine;
    };
    let answer = match (method, &step.seen) {
        (Method::Replace, None) => cluster.create(target, *validation, Writing::DryRun).await,
        (Method::Replace, Some(_)) => {
            let live = match cluster.get(&step.object).await {
                Ok(Some(live)) => live,
                Ok(None) => return Answer::Fine,
                Err(error) => return Answer::Complaint(ComplaintKind::NoAnswer(Box::new(error))),
            };
            let mut target = (**target).clone();
            target.set_resource_version(live.resource_version());
            cluster.replace(&target, *validation, Writing::DryRun).await
        }
        _ => {
            let applied = merge::apply(cluster, (&step.object, target), *validation, Writing::DryRun).await;
            applied.map(|(written, _way)| written)
        }
    };
    let makes_way = matches!(method, Method::Recreate) || step.hook.is_some_and(|hook| hook.before_creation);
    match answer {
        Ok(Written::Done(_)) => Answer::Fine,
        // The old one is deleted before.
        Ok(Written::Refused(refusal)) if refusal.reason == Reason::Immutable && makes_way => Answer::Fine,
        Ok(Written::Refused(refusal)) => match refusal.reason {
            Reason::Immutable => Answer::Complaint(ComplaintKind::MustBeRecreated(refusal.words)),
            Reason::Forbidden => Answer::Complaint(ComplaintKind::NotPermitted(refusal.words)),
            _ => Answer::Refused(refusal),
        },
        Err(error) => Answer::Complaint(unanswered(error)),
    }
}
