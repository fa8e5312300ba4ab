//! The words and counts that every format for people shares.

use super::drift_report::message_with_causes;
use super::theme::Role;
use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, Run, SourceRun, SyncStatus};
use crate::source::Commit;
use crate::status::{Manager, Moved, Proof, ResourceDrift, ResourceState};

/// Every state, in the order that people want to read them, worst first.
pub(super) const STATES: [ResourceState; 5] = [
    ResourceState::Unknown,
    ResourceState::Changed,
    ResourceState::Missing,
    ResourceState::Extra,
    ResourceState::InSync,
];

/// A state in words.
pub(super) fn state_words(state: ResourceState) -> &'static str {
    match state {
        ResourceState::InSync => "in sync",
        ResourceState::Changed => "changed",
        ResourceState::Missing => "missing",
        ResourceState::Extra => "extra",
        ResourceState::Unknown => "unknown",
    }
}

/// A state in words that explain it.
pub(super) fn state_explained(state: ResourceState) -> &'static str {
    match state {
        ResourceState::Missing => "missing in the cluster",
        ResourceState::Extra => "extra, not in git",
        other => state_words(other),
    }
}

/// A state as one character, in the direction of a sync: a missing resource would be added.
pub(super) fn state_sign(state: ResourceState) -> (Role, &'static str) {
    match state {
        ResourceState::InSync => (Role::Good, "="),
        ResourceState::Changed => (Role::Drift, "~"),
        ResourceState::Missing => (Role::Git, "+"),
        ResourceState::Extra => (Role::Cluster, "-"),
        ResourceState::Unknown => (Role::Bad, "?"),
    }
}

/// The role of a state.
pub(super) fn state_role(state: ResourceState) -> Role {
    match state {
        ResourceState::InSync => Role::Good,
        ResourceState::Changed | ResourceState::Missing | ResourceState::Extra => Role::Drift,
        ResourceState::Unknown => Role::Bad,
    }
}

/// An application's status, as Argo CD says it.
pub(super) fn status_words(status: SyncStatus) -> &'static str {
    match status {
        SyncStatus::Synced => "Synced",
        SyncStatus::OutOfSync => "OutOfSync",
        SyncStatus::Unknown => "Unknown",
    }
}

/// The role of a status.
pub(super) fn status_role(status: SyncStatus) -> Role {
    match status {
        SyncStatus::Synced => Role::Good,
        SyncStatus::OutOfSync => Role::Drift,
        SyncStatus::Unknown => Role::Bad,
    }
}

/// `1 application`, `2 applications`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How many applications have which status: what is not there is not said.
pub(super) fn application_counts(run: &Run) -> Vec<(Role, String)> {
    [(SyncStatus::Unknown, "unknown"), (SyncStatus::OutOfSync, "out of sync"), (SyncStatus::Synced, "in sync")]
        .into_iter()
        .map(|(status, words)| (status_role(status), run.count_applications(status), words))
        .chain([(Role::Good, run.applications.iter().filter(|application| application.is_deleted).count(), "deleted")])
        .filter(|(_, count, _)| *count > 0)
        .map(|(role, count, words)| (role, format!("{count} {words}")))
        .collect()
}

/// How many resources are in which state: what is not there is not said.
pub(super) fn resource_counts(count: impl Fn(ResourceState) -> usize) -> Vec<(Role, String)> {
    STATES
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| (state_role(state), format!("{count} {}", state_words(state))))
        .collect()
}

/// How many errors and warnings there are, in the whole run.
pub(super) fn finding_counts(run: &Run) -> Vec<(Role, String)> {
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
pub(super) fn cluster_words(application: &ApplicationRun) -> Vec<&str> {
    let mut words = vec![application.destination.name.as_str()];
    let place = if application.cluster.is_empty() { &application.destination.server } else { &application.cluster };
    if *place != application.destination.name {
        words.push(place);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A revision as people write it: the beginning of a hash, a chart's version whole.
pub(super) fn short_revision(revision: &str) -> String {
    crate::source::short(revision).to_owned()
}

/// Who brought a source, in words.
pub(super) fn fetched_by_words(source: &SourceRun) -> &str {
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
pub(super) fn proof_words(proof: Proof) -> &'static str {
    match proof {
        Proof::Ownership => "untouched since the last sync",
        Proof::Structural => "compared value by value",
        Proof::Server => "the API server was asked",
        Proof::Schema => "compared by the server's schema",
        Proof::None => "",
    }
}

/// The side that moved, in words; nothing where that is not known.
pub(super) fn moved_words(moved: Moved) -> &'static str {
    match moved {
        Moved::Git => "git moved",
        Moved::Cluster => "the cluster moved",
        Moved::Both => "both moved",
        Moved::Unknown => "",
    }
}

/// Why a resource is on one side only, where that is known.
pub(super) fn one_sided_words(resource: &ResourceDrift) -> &'static str {
    match (resource.state, resource.moved) {
        (ResourceState::Missing, Moved::Cluster) => "deleted since the last sync",
        (ResourceState::Missing, Moved::Git) => "new in git since the last sync",
        (ResourceState::Extra, Moved::Git) => "dropped from git since the last sync",
        (ResourceState::Extra, Moved::Cluster) => "not made by the last sync",
        _ => "",
    }
}

/// A commit in one line: subject, author, age.
pub(super) fn commit_words(commit: &Commit, when: &str) -> String {
    [commit.subject.as_str(), &commit.author, when]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Who holds a field, and since when: `kubectl scale, Update, 2h ago`.
pub(super) fn manager_words(manager: &Manager, when: &str) -> String {
    let name = match manager.subresource.as_str() {
        "" => manager.manager.clone(),
        subresource => format!("{} {subresource}", manager.manager),
    };
    [&name, manager.operation.as_str(), when].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A finding in one line: sign, role, words with the causes and the place.
pub(super) fn finding_line(finding: &Finding) -> (&'static str, Role, String) {
    let (sign, role) = match finding.severity {
        Severity::Error => ("×", Role::Bad),
        Severity::Warning => ("⚠", Role::Warning),
    };
    (sign, role, message_with_causes(finding))
}
