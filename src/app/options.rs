//! Argo CD's sync options, of an Application and of a resource.
//!
//! In: one text of `syncPolicy.syncOptions`, or of the annotation `argocd.argoproj.io/sync-options`. Out: a [`SyncOption`],
//! or what is odd about it. Argo CD compares the whole text, so `CreateNamespace=True` is no option.
//!
//! Rule: Argo CD gitops-engine/pkg/sync/common/types.go and controller/sync.go.

use super::names;

/// A sync option that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyncOption {
    /// `ApplyOutOfSyncOnly=true`: what is in sync is not applied again.
    ApplyOutOfSyncOnly,
    /// `ClientSideApplyMigration=false`: fields stay with the client-side manager.
    NoClientSideApplyMigration,
    /// `CreateNamespace=true`: the destination's namespace is made first.
    CreateNamespace,
    /// `Delete=confirm`: deleting the Application asks first.
    DeleteConfirm,
    /// `Delete=false`: the objects outlive the Application.
    DeleteFalse,
    /// `FailOnSharedResource=true`: an object of another Application is an error.
    FailOnSharedResource,
    /// `Force=true`: deleted and made anew.
    Force,
    /// `Prune=confirm`: pruning asks first.
    PruneConfirm,
    /// `Prune=false`: never pruned.
    PruneFalse,
    /// `PruneLast=true`: pruned after everything else.
    PruneLast,
    /// `PrunePropagationPolicy=background`.
    PruneInBackground,
    /// `PrunePropagationPolicy=foreground`, which is the default.
    PruneInForeground,
    /// `PrunePropagationPolicy=orphan`.
    PruneOrphaning,
    /// `Replace=true`: replaced, not applied.
    Replace,
    /// `RespectIgnoreDifferences=true`: ignored fields keep their live value in a sync.
    RespectIgnoreDifferences,
    /// `ServerSideApply=false`, against the Application's `true`.
    NoServerSideApply,
    /// `ServerSideApply=true`.
    ServerSideApply,
    /// `SkipDryRunOnMissingResource=true`: kinds that are not there yet are no error.
    SkipDryRunOnMissingResource,
    /// `Validate=false`: no schema validation.
    NoValidation,
}

/// Where an option may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Application,
    Resource,
    Both,
}

const OPTIONS: &[(&str, SyncOption, Level)] = &[
    ("ApplyOutOfSyncOnly=true", SyncOption::ApplyOutOfSyncOnly, Level::Application),
    ("ClientSideApplyMigration=false", SyncOption::NoClientSideApplyMigration, Level::Application),
    ("CreateNamespace=true", SyncOption::CreateNamespace, Level::Application),
    ("Delete=confirm", SyncOption::DeleteConfirm, Level::Both),
    ("Delete=false", SyncOption::DeleteFalse, Level::Both),
    ("FailOnSharedResource=true", SyncOption::FailOnSharedResource, Level::Application),
    ("Force=true", SyncOption::Force, Level::Resource),
    ("Prune=confirm", SyncOption::PruneConfirm, Level::Both),
    ("Prune=false", SyncOption::PruneFalse, Level::Both),
    ("PruneLast=true", SyncOption::PruneLast, Level::Both),
    ("PrunePropagationPolicy=background", SyncOption::PruneInBackground, Level::Application),
    ("PrunePropagationPolicy=foreground", SyncOption::PruneInForeground, Level::Application),
    ("PrunePropagationPolicy=orphan", SyncOption::PruneOrphaning, Level::Application),
    ("Replace=true", SyncOption::Replace, Level::Both),
    ("RespectIgnoreDifferences=true", SyncOption::RespectIgnoreDifferences, Level::Application),
    ("ServerSideApply=false", SyncOption::NoServerSideApply, Level::Resource),
    ("ServerSideApply=true", SyncOption::ServerSideApply, Level::Both),
    ("SkipDryRunOnMissingResource=true", SyncOption::SkipDryRunOnMissingResource, Level::Both),
    ("Validate=false", SyncOption::NoValidation, Level::Both),
];

// The defaults, written out: known, and without effect.
const DEFAULTS: &[&str] = &[
    "ApplyOutOfSyncOnly=false",
    "ClientSideApplyMigration=true",
    "CreateNamespace=false",
    "Delete=true",
    "FailOnSharedResource=false",
    "Force=false",
    "Prune=true",
    "PruneLast=false",
    "Replace=false",
    "RespectIgnoreDifferences=false",
    "ServerSideApply=false",
    "SkipDryRunOnMissingResource=false",
    "Validate=true",
];

/// Why a text is no sync option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnOption {
    /// Nobody knows it.
    Unknown {
        /// The option that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// It is one, but only as an annotation of a resource.
    OnlyOfResources,
}

impl SyncOption {
    /// Reads an option of `spec.syncPolicy.syncOptions`; nothing for a default that is written out.
    pub fn of_application(text: &str) -> Result<Option<Self>, NotAnOption> {
        match OPTIONS.iter().find(|(name, ..)| *name == text) {
            Some((_, option, Level::Application | Level::Both)) => Ok(Some(*option)),
            _ if DEFAULTS.contains(&text) => Ok(None),
            Some((_, _, Level::Resource)) => Err(NotAnOption::OnlyOfResources),
            None => {
                let names = OPTIONS.iter().filter(|(_, _, level)| *level != Level::Resource).map(|(name, ..)| *name);
                Err(NotAnOption::Unknown { nearest: names::nearest(text, names) })
            }
        }
    }

    /// The option as it is written.
    pub fn as_str(self) -> &'static str {
        OPTIONS.iter().find(|(_, option, _)| *option == self).map_or("", |(name, ..)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_of_an_option_counts() {
        for (text, read) in [
            ("CreateNamespace=true", Ok(Some(SyncOption::CreateNamespace))),
            ("CreateNamespace=false", Ok(None)),
            ("ServerSideApply=false", Ok(None)),
            ("Force=false", Ok(None)),
            ("Force=true", Err(NotAnOption::OnlyOfResources)),
            ("CreateNamespace=True", Err(NotAnOption::Unknown { nearest: Some("CreateNamespace=true") })),
            ("CreateNamespace", Err(NotAnOption::Unknown { nearest: Some("CreateNamespace=true") })),
            ("CreateNamepsace=true", Err(NotAnOption::Unknown { nearest: Some("CreateNamespace=true") })),
            ("Validate=flase", Err(NotAnOption::Unknown { nearest: Some("Validate=false") })),
            ("whatever", Err(NotAnOption::Unknown { nearest: None })),
        ] {
            assert_eq!(SyncOption::of_application(text), read, "{text}");
        }
    }

    #[test]
    fn every_option_is_written_as_it_is_read() {
        for (name, option, level) in OPTIONS {
            assert_eq!(option.as_str(), *name);
            if *level != Level::Resource {
                assert_eq!(SyncOption::of_application(name), Ok(Some(*option)));
            }
        }
    }
}
