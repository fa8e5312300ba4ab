//! `spec.syncPolicy`: whether and how Argo CD syncs by itself.
//!
//! Rule: Argo CD types.go `SyncPolicy`, `RetryStrategy`; its defaults in controller/appcontroller.go.

use std::collections::BTreeMap;
use std::time::Duration;

use super::duration;
use super::fault::Fault;
use super::fields::Fields;
use super::options::{NotAnOption, SyncOption};

/// `spec.syncPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncPolicy {
    /// `automated`; `None` means that a person syncs.
    pub automated: Option<Automated>,
    /// `syncOptions`, those that change something.
    pub sync_options: Vec<SyncOption>,
    /// `retry`.
    pub retry: Option<Retry>,
    /// `managedNamespaceMetadata`.
    pub managed_namespace_metadata: Option<NamespaceMetadata>,
}

/// `syncPolicy.automated`.
#[expect(clippy::struct_excessive_bools, reason = "they are the manifest's own fields")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Automated {
    /// `enabled`; on when it is not given.
    pub enabled: bool,
    /// `prune`: what git drops is deleted.
    pub prune: bool,
    /// `selfHeal`: what changed in the cluster is set back.
    pub self_heal: bool,
    /// `allowEmpty`: even when nothing would be left.
    pub allow_empty: bool,
}

/// `retry`, of a sync policy or of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// `limit`.
    pub limit: RetryLimit,
    /// `backoff`.
    pub backoff: Backoff,
    /// `refresh`: each try looks for the newest revision.
    pub refresh: bool,
}

/// `retry.limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryLimit {
    /// So many tries after the first.
    Times(u64),
    /// Without end: any negative number.
    Unlimited,
}

/// `retry.backoff`: how long to wait between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// `duration` of the first wait.
    pub duration: Duration,
    /// `factor` by which each wait is longer.
    pub factor: u64,
    /// `maxDuration` of a wait.
    pub max_duration: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { duration: Duration::from_secs(5), factor: 2, max_duration: Duration::from_secs(180) }
    }
}

/// `managedNamespaceMetadata`: what a created namespace carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamespaceMetadata {
    /// `labels`.
    pub labels: BTreeMap<String, String>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
}

impl SyncPolicy {
    /// Whether Argo CD syncs the Application by itself.
    pub fn is_automated(&self) -> bool {
        self.automated.is_some_and(|automated| automated.enabled)
    }

    /// Whether an option is set.
    pub fn has(&self, option: SyncOption) -> bool {
        self.sync_options.contains(&option)
    }
}

pub(super) fn decode(mut fields: Fields<'_>) -> SyncPolicy {
    let policy = SyncPolicy {
        automated: fields.fields("automated").map(decode_automated),
        sync_options: decode_options(&mut fields, "syncOptions"),
        retry: fields.fields("retry").map(decode_retry),
        managed_namespace_metadata: fields.fields("managedNamespaceMetadata").map(decode_namespace_metadata),
    };
    fields.finish();
    policy
}

fn decode_automated(mut fields: Fields<'_>) -> Automated {
    let automated = Automated {
        enabled: fields.given_flag("enabled").unwrap_or(true),
        prune: fields.flag("prune"),
        self_heal: fields.flag("selfHeal"),
        allow_empty: fields.flag("allowEmpty"),
    };
    fields.finish();
    automated
}

/// Decodes a list of sync options, of a policy or of an operation.
pub(super) fn decode_options(fields: &mut Fields<'_>, name: &'static str) -> Vec<SyncOption> {
    let mut options = Vec::new();
    for (index, text) in fields.texts_with_index(name) {
        let (nearest, why) = match SyncOption::of_application(&text) {
            Ok(option) => {
                options.extend(option);
                continue;
            }
            Err(NotAnOption::Unknown { nearest }) => (nearest.map(str::to_owned), "that Argo CD knows"),
            Err(NotAnOption::OfTheOtherLevel) => (None, "of an Application, only of a resource"),
        };
        fields.fault_at_item(name, index, &Fault::UnknownSyncOption { option: text, nearest, why });
    }
    options
}

/// Decodes `retry`, of a policy or of an operation.
pub(super) fn decode_retry(mut fields: Fields<'_>) -> Retry {
    let retry = Retry {
        limit: match fields.integer("limit") {
            None => RetryLimit::Times(0),
            Some(limit) => u64::try_from(limit).map_or(RetryLimit::Unlimited, RetryLimit::Times),
        },
        backoff: fields.fields("backoff").map(decode_backoff).unwrap_or_default(),
        refresh: fields.flag("refresh"),
    };
    fields.finish();
    retry
}

fn decode_backoff(mut fields: Fields<'_>) -> Backoff {
    let default = Backoff::default();
    let backoff = Backoff {
        duration: decode_duration(&mut fields, "duration").unwrap_or(default.duration),
        factor: decode_factor(&mut fields).unwrap_or(default.factor),
        max_duration: decode_duration(&mut fields, "maxDuration").unwrap_or(default.max_duration),
    };
    fields.finish();
    backoff
}

fn decode_duration(fields: &mut Fields<'_>, name: &'static str) -> Option<Duration> {
    let value = fields.non_empty_text(name)?;
    match duration::parse(&value) {
        Ok(duration) => Some(duration),
        Err(why) => {
            fields.fault_at(name, &Fault::BadDuration { path: fields.shown_field(name), value, why });
            None
        }
    }
}

fn decode_factor(fields: &mut Fields<'_>) -> Option<u64> {
    let value = fields.integer("factor")?;
    let factor = u64::try_from(value).ok().filter(|factor| *factor > 0);
    if factor.is_none() {
        let path = fields.shown_field("factor");
        let why = "so the delay would never grow";
        fields.fault_at("factor", &Fault::OutOfRange { path, value, why, advice: "use 1 or more; the default is 2" });
    }
    factor
}

fn decode_namespace_metadata(mut fields: Fields<'_>) -> NamespaceMetadata {
    let metadata = NamespaceMetadata { labels: fields.text_map("labels"), annotations: fields.text_map("annotations") };
    fields.finish();
    metadata
}
