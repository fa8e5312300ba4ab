//! The words and counts that every format for people shares.

use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, RolledBack, Run, SourceRun, SyncStatus};
use crate::report::style::theme::Role;
use crate::source::Commit;
use crate::status::{FieldDrift, InSyncProof, Manager, Moved, ResourceDrift, ResourceState};
use crate::sync::OperationPhase;
use crate::sync::plan::{Action, Method};

/// Every state, in the order that people want to read them, worst first.
pub(in crate::report) const STATES: [ResourceState; 5] = [
    ResourceState::Unknown,
    ResourceState::Changed,
    ResourceState::Missing,
    ResourceState::Extra,
    ResourceState::InSync,
];

/// A state in words.
pub(in crate::report) fn state_words(state: ResourceState) -> &'static str {
    match state {
        ResourceState::InSync => "in sync",
        ResourceState::Changed => "changed",
        ResourceState::Missing => "missing",
        ResourceState::Extra => "extra",
        ResourceState::Unknown => "unknown",
    }
}

/// A state in words that explain it.
pub(in crate::report) fn state_explained(resource: &ResourceDrift) -> &'static str {
    match resource.state {
        ResourceState::Missing if resource.is_unserved => "its kind is not served by the cluster",
        ResourceState::Missing => "missing in the cluster",
        ResourceState::Extra => "extra, not in git",
        other => state_words(other),
    }
}

/// A state as one character, in the direction of a sync: a missing resource would be added.
pub(in crate::report) fn state_sign(state: ResourceState) -> (Role, &'static str) {
    match state {
        ResourceState::InSync => (Role::Good, "="),
        ResourceState::Changed => (Role::Drift, "~"),
        ResourceState::Missing => (Role::Git, "+"),
        ResourceState::Extra => (Role::Cluster, "-"),
        ResourceState::Unknown => (Role::Bad, "?"),
    }
}

/// The role of a state.
pub(in crate::report) fn state_role(state: ResourceState) -> Role {
    match state {
        ResourceState::InSync => Role::Good,
        ResourceState::Changed | ResourceState::Missing | ResourceState::Extra => Role::Drift,
        ResourceState::Unknown => Role::Bad,
    }
}

/// An application's status, as Argo CD says it.
pub(in crate::report) fn status_words(status: SyncStatus) -> &'static str {
    match status {
        SyncStatus::Synced => "Synced",
        SyncStatus::OutOfSync => "OutOfSync",
        SyncStatus::Unknown => "Unknown",
    }
}

/// The role of a status.
pub(in crate::report) fn status_role(status: SyncStatus) -> Role {
    match status {
        SyncStatus::Synced => Role::Good,
        SyncStatus::OutOfSync => Role::Drift,
        SyncStatus::Unknown => Role::Bad,
    }
}

/// `1 application`, `2 applications`.
pub(in crate::report) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How many applications have which status: zero counts are left out.
pub(in crate::report) fn application_counts(run: &Run) -> Vec<(Role, String)> {
    [(SyncStatus::Unknown, "unknown"), (SyncStatus::OutOfSync, "out of sync"), (SyncStatus::Synced, "in sync")]
        .into_iter()
        .map(|(status, words)| (status_role(status), run.count_applications(status), words))
        .chain([(Role::Good, run.applications.iter().filter(|application| application.is_deleted).count(), "deleted")])
        .filter(|(_, count, _)| *count > 0)
        .map(|(role, count, words)| (role, format!("{count} {words}")))
        .collect()
}

/// How many resources are in which state: zero counts are left out.
pub(in crate::report) fn resource_counts(count: impl Fn(ResourceState) -> usize) -> Vec<(Role, String)> {
    STATES
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| (state_role(state), format!("{count} {}", state_words(state))))
        .collect()
}

/// How many errors and warnings there are, in the whole run.
pub(in crate::report) fn finding_counts(run: &Run) -> Vec<(Role, String)> {
    let errors = run.errors().count();
    let all =
        run.findings.len() + run.applications.iter().map(|application| application.conditions.len()).sum::<usize>();
    [(Role::Bad, errors, "error"), (Role::Warning, all - errors, "warning")]
        .into_iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(role, count, noun)| (role, counted(count, noun)))
        .collect()
}

/// The cluster of an application: its name, where the manifest gives one, and what it was compared with.
pub(in crate::report) fn cluster_words(application: &ApplicationRun) -> Vec<&str> {
    let mut words = vec![application.destination.name.as_str()];
    let place = if application.cluster.is_empty() { &application.destination.server } else { &application.cluster };
    if *place != application.destination.name {
        words.push(place);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A revision as people write it: the beginning of a hash, a chart's version whole.
pub(in crate::report) fn short_revision(revision: &str) -> String {
    crate::source::short(revision).to_owned()
}

/// How a source was fetched, in words.
pub(in crate::report) fn fetched_by_words(source: &SourceRun) -> &str {
    match source.fetched_by.as_str() {
        "gix" => "fetched by gix",
        "git" => "fetched by the git program",
        "cache" => "from the cache",
        "local" => "local repository",
        "working tree" if source.dirty => "working tree as it is, with changes that are not committed",
        "working tree" => "working tree as it is",
        "helm repository" => "fetched from the Helm repository",
        "registry" => "fetched from the registry",
        "" => "not fetched",
        other => other,
    }
}

/// How a state was found, in words.
pub(in crate::report) fn proof_words(proof: InSyncProof) -> &'static str {
    match proof {
        InSyncProof::Ownership => "untouched since the last sync",
        InSyncProof::Structural => "compared value by value",
        InSyncProof::Server => "compared by a server-side dry run",
        InSyncProof::Schema => "compared by the server's schema",
        InSyncProof::None => "",
    }
}

/// Which side changed a field, and who in the cluster: `changed in the cluster by kubectl scale, 2h ago`.
///
/// `when` turns a time into words. Without a known side, the manager that set the field last; empty where that is not known.
pub(in crate::report) fn change_words(field: &FieldDrift, when: impl Fn(&str) -> String) -> String {
    let managers: Vec<String> =
        field.managers.iter().map(|manager| manager_words(manager, &when(&manager.time))).collect();
    let by = if managers.is_empty() { String::new() } else { format!(" by {}", managers.join("; ")) };
    match (field.moved, &field.live, &field.git) {
        (Moved::Cluster, None, _) => "removed in the cluster".to_owned(),
        (Moved::Cluster, _, None) => format!("added in the cluster{by}"),
        (Moved::Cluster, ..) => format!("changed in the cluster{by}"),
        (Moved::Git, None, _) => "added in git".to_owned(),
        (Moved::Git, _, None) => "removed in git".to_owned(),
        (Moved::Git, ..) => "changed in git".to_owned(),
        (Moved::Both, ..) => format!("changed in git and in the cluster{by}"),
        (Moved::Unknown, ..) if managers.is_empty() => String::new(),
        (Moved::Unknown, ..) => format!("last set{by}"),
    }
}

/// Why a resource is on one side only, where that is known.
pub(in crate::report) fn one_sided_words(resource: &ResourceDrift) -> &'static str {
    match (resource.state, resource.moved) {
        (ResourceState::Missing, Moved::Cluster) => "deleted since the last sync",
        (ResourceState::Missing, Moved::Git) => "new in git since the last sync",
        (ResourceState::Extra, Moved::Git) => "removed from git since the last sync",
        (ResourceState::Extra, Moved::Cluster) => "not created by the last sync",
        _ => "",
    }
}

/// A commit in one line: subject, author, age.
pub(in crate::report) fn commit_words(commit: &Commit, when: &str) -> String {
    [commit.subject.as_str(), &commit.author, when]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A field manager and when it wrote: `kubectl scale, 2h ago`.
pub(in crate::report) fn manager_words(manager: &Manager, when: &str) -> String {
    let name = match manager.subresource.as_str() {
        "" => manager.manager.clone(),
        subresource => format!("{} {subresource}", manager.manager),
    };
    if when.is_empty() { name } else { format!("{name}, {when}") }
}

/// A finding in one line: sign, role, words with the causes and the place.
pub(in crate::report) fn finding_line(finding: &Finding) -> (&'static str, Role, String) {
    let (sign, role) = match finding.severity {
        Severity::Error => ("×", Role::Bad),
        Severity::Warning => ("⚠", Role::Warning),
    };
    (sign, role, message_with_causes(finding))
}

/// A finding in one sentence: what, and why.
pub(in crate::report) fn message_with_causes(finding: &Finding) -> String {
    let mut message = finding.message.clone();
    for cause in &finding.causes {
        message.push_str(": ");
        message.push_str(cause);
    }
    message
}

/// The action of a step, as one character.
pub(in crate::report) fn sign(action: &Action, is_there: bool) -> (&'static str, Role) {
    match action {
        Action::Prune { .. } => ("-", Role::Cluster),
        Action::Release => ("=", Role::Plain),
        Action::Apply { method: Method::Recreate | Method::Create, .. } if is_there => ("↻", Role::Warning),
        Action::Apply { .. } if is_there => ("~", Role::Drift),
        Action::Apply { .. } => ("+", Role::Git),
    }
}

/// The ApplicationSet and the Application that an application comes from; nothing for one that is written out.
pub(in crate::report) fn lineage_words(application: &ApplicationRun) -> Option<String> {
    let set = application.lineage.generated_by.as_ref().map(|set| format!("of ApplicationSet {set}"));
    let parent = application.lineage.parent.as_ref().map(|parent| format!("in {parent}"));
    let words: Vec<String> = set.into_iter().chain(parent).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The outcome for an application that is to be deleted; nothing for any other.
pub(in crate::report) fn going_words(application: &ApplicationRun) -> Option<&'static str> {
    match &application.operation {
        _ if application.is_deleted => Some("deleted"),
        _ if !application.is_going => None,
        None if application.plan.is_some() => Some("to be deleted"),
        None => None,
        Some(_) => Some("not deleted in full"),
    }
}

/// Whether the steps of the plan have said all there is to say of the resources: they go, or stay and why.
pub(in crate::report) fn is_listed_in_plan(application: &ApplicationRun) -> bool {
    application.is_going && application.plan.is_some() && !application.has_error()
}

/// The rollback that is in effect, or that was made just now.
pub(in crate::report) fn rolled_back_words(application: &ApplicationRun) -> Option<String> {
    let RolledBack { entry, revision, follows, now } = application.rolled_back.as_ref()?;
    let phase = application.operation.as_ref().map(|operation| operation.phase);
    let done = match phase {
        Some(OperationPhase::Succeeded) => "Synced",
        Some(_) => "not synced in full",
        None => "rolled back",
    };
    let of = if revision.is_empty() { String::new() } else { format!(" ({})", short_revision(revision)) };
    let follows = if follows.is_empty() { "HEAD" } else { follows };
    let now = match now.as_str() {
        "" => String::new(),
        same if same == revision => format!("; {follows} is at the same revision"),
        now => format!("; {follows} is at {}", short_revision(now)),
    };
    Some(format!("{done} to entry {entry}{of}{now}"))
}
