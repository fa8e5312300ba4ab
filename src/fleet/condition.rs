//! What a run knows about an application beside its resources: errors and warnings, each of a [`ConditionKind`].
//!
//! In: a kind and a finding. Out: a [`Condition`], which says whether it leaves the comparison in doubt.
//!
//! Rule: the names are Argo CD's condition types where it has one (pkg/apis/application/v1alpha1/types.go).

use crate::finding::{Code, Finding, Severity};

/// An error or a warning about an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its kind.
    pub kind: ConditionKind,
    /// The finding behind it.
    pub finding: Finding,
}

impl Condition {
    /// Whether it leaves the comparison in doubt: the application is then neither in sync nor out of sync.
    pub fn blocks_comparison(&self) -> bool {
        self.finding.severity == Severity::Error && self.kind.concerns_comparison()
    }

    /// Whether it forbids a sync. Where git could not be read in full, only what it may still hold is left alone.
    pub fn blocks_sync(&self) -> bool {
        self.blocks_comparison() && self.kind != ConditionKind::Incomplete
    }
}

/// The kind of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConditionKind {
    /// The record of the last sync cannot be read or believed.
    BaselineWarning,
    /// The application could not be fetched, rendered or compared.
    ComparisonError,
    /// The application cannot be deleted.
    DeletionError,
    /// Git has a resource that `resource.exclusions` leaves out.
    ExcludedResourceWarning,
    /// Some kinds could not be listed, so extras of these kinds are not found.
    ExtrasUnseenWarning,
    /// An ignore rule matches nothing or cannot be followed.
    IgnoreRuleWarning,
    /// Git could not be read in full: all that was read is compared and synced, and what may be missing is not deleted.
    Incomplete,
    /// The manifest is invalid.
    InvalidSpecError,
    /// Resources belong to no application, and the project wants a warning.
    OrphanedResourceWarning,
    /// Some kinds could not be listed, so orphans of these kinds are not found.
    OrphansUnseenWarning,
    /// The project forbids something, or is not checked.
    ProjectWarning,
    /// Rendering succeeded with a warning.
    RenderWarning,
    /// Git has the same resource twice.
    RepeatedResourceWarning,
    /// The application cannot be rolled back.
    RollbackError,
    /// A rollback differs from the sync that it goes back to.
    RollbackWarning,
    /// Another application owns some of the same resources.
    SharedResourceWarning,
    /// A source was fetched with a warning.
    SourceWarning,
    /// A field of the manifest is odd.
    SpecWarning,
    /// `--write-status` could not write the status.
    StatusError,
    /// A sync cannot be planned or has failed.
    SyncError,
    /// A sync does something that deserves a look.
    SyncWarning,
    /// Rendering twice does not give the same resources.
    UnsteadyRender,
}

impl ConditionKind {
    /// Its name in reports and in `.status.conditions`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BaselineWarning => "BaselineWarning",
            Self::ComparisonError | Self::Incomplete => "ComparisonError",
            Self::DeletionError => "DeletionError",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::ExtrasUnseenWarning => "ExtrasUnseenWarning",
            Self::IgnoreRuleWarning => "IgnoreRuleWarning",
            Self::InvalidSpecError => "InvalidSpecError",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::OrphansUnseenWarning => "OrphansUnseenWarning",
            Self::ProjectWarning => "ProjectWarning",
            Self::RenderWarning => "RenderWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::RollbackError => "RollbackError",
            Self::RollbackWarning => "RollbackWarning",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::SourceWarning => "SourceWarning",
            Self::SpecWarning => "SpecWarning",
            Self::StatusError => "StatusError",
            Self::SyncError => "SyncError",
            Self::SyncWarning => "SyncWarning",
            Self::UnsteadyRender => "UnsteadyRender",
        }
    }

    /// Whether it comes from planning or performing a sync, not from a comparison.
    const fn is_of_sync(self) -> bool {
        matches!(self, Self::SyncError | Self::SyncWarning)
    }

    /// Whether an error of this kind says that the comparison is not complete. A sync that failed, or a status that could
    /// not be written, changes nothing about what is known.
    const fn concerns_comparison(self) -> bool {
        !self.is_of_sync() && !matches!(self, Self::StatusError)
    }
}

/// The errors and warnings about one application, each once, in the order they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    application: String,
    list: Vec<Condition>,
}

impl Conditions {
    /// None yet, about this application.
    pub(crate) fn of(application: &str) -> Self {
        Self { application: application.to_owned(), list: Vec::new() }
    }

    /// Adds an error or a warning, under the application's name.
    pub(crate) fn add(&mut self, kind: ConditionKind, finding: Finding) {
        self.push(Condition { kind, finding: finding.about(&self.application) });
    }

    /// Adds several.
    pub(crate) fn add_all(&mut self, found: impl IntoIterator<Item = (ConditionKind, Finding)>) {
        found.into_iter().for_each(|(kind, finding)| self.add(kind, finding));
    }

    /// These, and then those of a later stage.
    pub(crate) fn and(mut self, later: &Self) -> Self {
        later.list.iter().for_each(|condition| self.push(condition.clone()));
        self
    }

    /// Without those of a kind.
    pub(crate) fn without(mut self, kind: ConditionKind) -> Self {
        self.list.retain(|condition| condition.kind != kind);
        self
    }

    /// Without those of a code.
    pub(crate) fn without_code(mut self, code: Code) -> Self {
        self.list.retain(|condition| condition.finding.code != Some(code));
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.list.iter()
    }

    /// Whether one of them leaves the comparison in doubt.
    pub(crate) fn block_comparison(&self) -> bool {
        self.list.iter().any(Condition::blocks_comparison)
    }

    pub(crate) fn into_vec(self) -> Vec<Condition> {
        self.list
    }

    pub(crate) fn push(&mut self, condition: Condition) {
        if !self.list.contains(&condition) {
            self.list.push(condition);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(kind: ConditionKind, severity: Severity) -> Condition {
        Condition { kind, finding: Finding { severity, ..Finding::error(Code::StatusUnseen, "x") } }
    }

    /// Only an error about the comparison leaves it in doubt; a gap in git leaves it in doubt and does not forbid a sync.
    #[test]
    fn what_leaves_a_comparison_in_doubt() {
        for (kind, severity, blocks_comparison, blocks_sync) in [
            (ConditionKind::ComparisonError, Severity::Error, true, true),
            (ConditionKind::InvalidSpecError, Severity::Error, true, true),
            (ConditionKind::RollbackError, Severity::Error, true, true),
            (ConditionKind::DeletionError, Severity::Error, true, true),
            (ConditionKind::Incomplete, Severity::Error, true, false),
            (ConditionKind::Incomplete, Severity::Warning, false, false),
            (ConditionKind::SyncError, Severity::Error, false, false),
            (ConditionKind::StatusError, Severity::Error, false, false),
            (ConditionKind::UnsteadyRender, Severity::Error, true, true),
            (ConditionKind::UnsteadyRender, Severity::Warning, false, false),
            (ConditionKind::ExtrasUnseenWarning, Severity::Warning, false, false),
        ] {
            let condition = condition(kind, severity);
            assert_eq!(condition.blocks_comparison(), blocks_comparison, "{kind:?} {severity:?}");
            assert_eq!(condition.blocks_sync(), blocks_sync, "{kind:?} {severity:?}");
        }
    }
}
