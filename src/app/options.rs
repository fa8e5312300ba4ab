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
    /// `Force=true`: deleted and recreated.
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
enum OptionLevel {
    Application,
    Resource,
    Both,
}

const OPTIONS: &[(&str, SyncOption, OptionLevel)] = &[
    ("ApplyOutOfSyncOnly=true", SyncOption::ApplyOutOfSyncOnly, OptionLevel::Application),
    ("ClientSideApplyMigration=false", SyncOption::NoClientSideApplyMigration, OptionLevel::Application),
    ("CreateNamespace=true", SyncOption::CreateNamespace, OptionLevel::Application),
    ("Delete=confirm", SyncOption::DeleteConfirm, OptionLevel::Both),
    ("Delete=false", SyncOption::DeleteFalse, OptionLevel::Both),
    ("FailOnSharedResource=true", SyncOption::FailOnSharedResource, OptionLevel::Application),
    ("Force=true", SyncOption::Force, OptionLevel::Resource),
    ("Prune=confirm", SyncOption::PruneConfirm, OptionLevel::Both),
    ("Prune=false", SyncOption::PruneFalse, OptionLevel::Both),
    ("PruneLast=true", SyncOption::PruneLast, OptionLevel::Both),
    ("PrunePropagationPolicy=background", SyncOption::PruneInBackground, OptionLevel::Application),
    ("PrunePropagationPolicy=foreground", SyncOption::PruneInForeground, OptionLevel::Application),
    ("PrunePropagationPolicy=orphan", SyncOption::PruneOrphaning, OptionLevel::Application),
    ("Replace=true", SyncOption::Replace, OptionLevel::Both),
    ("RespectIgnoreDifferences=true", SyncOption::RespectIgnoreDifferences, OptionLevel::Application),
    ("ServerSideApply=false", SyncOption::NoServerSideApply, OptionLevel::Resource),
    ("ServerSideApply=true", SyncOption::ServerSideApply, OptionLevel::Both),
    ("SkipDryRunOnMissingResource=true", SyncOption::SkipDryRunOnMissingResource, OptionLevel::Both),
    ("Validate=false", SyncOption::NoValidation, OptionLevel::Both),
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

/// Why a text is no sync option where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnOption {
    /// Nobody knows it.
    Unknown {
        /// The option that was perhaps meant.
        nearest: Option<&'static str>,
    },
    /// It is one, but only of the other level: of a resource and not of an Application, or the other way round.
    OfTheOtherLevel,
}

impl SyncOption {
    /// Reads an option of `spec.syncPolicy.syncOptions`; nothing for a default that is written out.
    pub fn of_application(text: &str) -> Result<Option<Self>, NotAnOption> {
        match OPTIONS.iter().find(|(name, ..)| *name == text) {
            Some((_, option, OptionLevel::Application | OptionLevel::Both)) => Ok(Some(*option)),
            _ if DEFAULTS.contains(&text) => Ok(None),
            Some((_, _, OptionLevel::Resource)) => Err(NotAnOption::OfTheOtherLevel),
            None => Err(NotAnOption::Unknown { nearest: nearest(text, OptionLevel::Resource) }),
        }
    }

    /// Reads an option of a resource's annotation; nothing for a default that is written out.
    fn of_resource(text: &str) -> Result<Option<Self>, NotAnOption> {
        match OPTIONS.iter().find(|(name, ..)| *name == text) {
            Some((_, option, OptionLevel::Resource | OptionLevel::Both)) => Ok(Some(*option)),
            _ if DEFAULTS.contains(&text) => Ok(None),
            Some((_, _, OptionLevel::Application)) => Err(NotAnOption::OfTheOtherLevel),
            None => Err(NotAnOption::Unknown { nearest: nearest(text, OptionLevel::Application) }),
        }
    }

    /// The option as it is written.
    pub fn as_str(self) -> &'static str {
        OPTIONS.iter().find(|(_, option, _)| *option == self).map_or("", |(name, ..)| *name)
    }
}

/// The option that was perhaps meant, but for those of one level.
fn nearest(text: &str, but: OptionLevel) -> Option<&'static str> {
    names::nearest(text, OPTIONS.iter().filter(|(_, _, level)| *level != but).map(|(name, ..)| *name))
}

/// The options of one resource, from its annotation.
///
/// An option in an annotation wins over what the Application says. Quirk of Argo CD not kept: there, `Replace=false`
/// on a resource is never read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceOptions {
    set: Vec<SyncOption>,
    /// The options that are set: `Replace`, `Prune` …
    said: Vec<String>,
    odd: Vec<(String, NotAnOption)>,
}

impl ResourceOptions {
    /// Reads the annotation `argocd.argoproj.io/sync-options`.
    pub fn read(annotation: &str) -> Self {
        let mut options = Self::default();
        for text in annotation.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            match SyncOption::of_resource(text) {
                Ok(option) => {
                    options.set.extend(option);
                    options.said.push(subject(text).to_owned());
                }
                Err(why) => options.odd.push((text.to_owned(), why)),
            }
        }
        options
    }

    /// Whether the resource sets an option itself.
    pub fn has(&self, option: SyncOption) -> bool {
        self.set.contains(&option)
    }

    /// Whether an option is in force: the resource's own word, else the Application's.
    pub fn has_over(&self, application: &[SyncOption], option: SyncOption) -> bool {
        let says_otherwise = || self.said.iter().any(|said| said == subject(option.as_str()));
        self.has(option) || (application.contains(&option) && !says_otherwise())
    }

    /// Options that a resource cannot have, and why.
    pub fn odd(&self) -> &[(String, NotAnOption)] {
        &self.odd
    }
}

/// The name of an option: the text before `=`.
fn subject(text: &str) -> &str {
    text.split_once('=').map_or(text, |(subject, _)| subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resources_word_holds_against_the_applications() {
        use SyncOption::{NoValidation, PruneConfirm, PruneFalse, Replace};
        let cases: [(&str, &[SyncOption], SyncOption, bool); 8] = [
            ("Replace=true", &[], Replace, true),
            ("", &[Replace], Replace, true),
            ("Replace=false", &[Replace], Replace, false),
            ("Validate=true", &[NoValidation], NoValidation, false),
            ("Prune=confirm", &[PruneFalse], PruneFalse, false),
            ("Prune=confirm", &[PruneFalse], PruneConfirm, true),
            (" Prune=false , Replace=true", &[], PruneFalse, true),
            ("replace=true", &[], Replace, false),
        ];
        for (annotation, application, option, expected) in cases {
            let options = ResourceOptions::read(annotation);
            assert_eq!(options.has_over(application, option), expected, "{annotation} {option:?}");
        }
    }

    #[test]
    fn an_option_that_a_resource_cannot_have_is_reported() {
        let options = ResourceOptions::read("Pruen=false,CreateNamespace=true,Force=true,ServerSideApply=false");
        let odd = [
            ("Pruen=false".to_owned(), NotAnOption::Unknown { nearest: Some("Prune=false") }),
            ("CreateNamespace=true".to_owned(), NotAnOption::OfTheOtherLevel),
        ];
        assert_eq!(options.odd(), odd);
        assert!(options.has(SyncOption::Force));
    }

    #[test]
    fn the_whole_text_of_an_option_counts() {
        for (text, read) in [
            ("CreateNamespace=true", Ok(Some(SyncOption::CreateNamespace))),
            ("CreateNamespace=false", Ok(None)),
            ("ServerSideApply=false", Ok(None)),
            ("Force=false", Ok(None)),
            ("Force=true", Err(NotAnOption::OfTheOtherLevel)),
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
            if *level != OptionLevel::Resource {
                assert_eq!(SyncOption::of_application(name), Ok(Some(*option)));
            }
        }
    }
}
