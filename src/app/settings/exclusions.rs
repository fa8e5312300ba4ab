//! Kinds that are never compared: `resource.exclusions` and `resource.inclusions`.
//!
//! In: [`Settings`]. Out: [`Exclusions`]. Without settings, those of Argo CD's own install manifest: what controllers write in
//! great numbers and nobody keeps in git. Leaving out a list of an entry means all; what is excluded stays so, whatever is
//! included.
//!
//! Rule: Argo CD `util/settings/resources_filter.go` and `filtered_resource.go`; its install manifest since 3.0.

use globset::GlobMatcher;
use serde_json::Value;

use super::{Settings, SettingsError};
use crate::app::ignore::glob;
use crate::object::GroupKind;

const EXCLUSIONS: &str = "resource.exclusions";
const INCLUSIONS: &str = "resource.inclusions";
const EXPECTED: &str = "a list of maps with `apiGroups`, `kinds` and `clusters`, each a list of strings";

/// Groups of which every kind is excluded, whatever is set.
const GROUPS: &[&str] = &["events.k8s.io", "metrics.k8s.io"];

/// Kinds that are excluded, whatever is set.
const ALWAYS: &[(&str, &[&str])] = &[("", &["Event"]), ("coordination.k8s.io", &["Lease"])];

/// Kinds that are excluded where nothing is set, by group.
const BY_DEFAULT: &[(&str, &[&str])] = &[
    ("", &["Endpoints"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("authentication.k8s.io", &["SelfSubjectReview", "TokenReview"]),
    (
        "authorization.k8s.io",
        &["LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"],
    ),
    ("certificates.k8s.io", &["CertificateSigningRequest"]),
    ("cert-manager.io", &["CertificateRequest"]),
    ("cilium.io", &["CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice"]),
    ("kyverno.io", POLICY_REPORTS),
    ("reports.kyverno.io", POLICY_REPORTS),
    ("wgpolicyk8s.io", POLICY_REPORTS),
];

const POLICY_REPORTS: &[&str] = &[
    "PolicyReport",
    "ClusterPolicyReport",
    "EphemeralReport",
    "ClusterEphemeralReport",
    "AdmissionReport",
    "ClusterAdmissionReport",
    "BackgroundScanReport",
    "ClusterBackgroundScanReport",
    "UpdateRequest",
];

/// Kinds that are never compared.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    /// `resource.exclusions`; `None` stands for those of the install manifest.
    excluded: Option<Vec<ExclusionEntry>>,
    /// `resource.inclusions`; empty is all.
    included: Vec<ExclusionEntry>,
}

/// One entry of either list.
#[derive(Debug, Clone)]
struct ExclusionEntry {
    groups: Vec<GlobMatcher>,
    kinds: Vec<String>,
    clusters: Vec<GlobMatcher>,
}

impl Exclusions {
    /// Reads both lists. Where `argocd-cm` has no exclusions, only what is always excluded is left, as in Argo CD.
    pub(super) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self { excluded: Some(entries(settings, EXCLUSIONS)?), included: entries(settings, INCLUSIONS)? })
    }

    /// Whether objects of this kind are never compared in this cluster (its server's URL).
    pub fn excludes(&self, kind: &GroupKind, cluster: &str) -> bool {
        let matches = |entries: &[ExclusionEntry]| entries.iter().any(|entry| entry.matches(kind, cluster));
        let is_excluded = match &self.excluded {
            Some(entries) => matches(entries),
            None => is_among(BY_DEFAULT, kind),
        };
        GROUPS.contains(&kind.group.as_str())
            || is_among(ALWAYS, kind)
            || is_excluded
            || !(self.included.is_empty() || matches(&self.included))
    }
}

impl ExclusionEntry {
    fn matches(&self, kind: &GroupKind, cluster: &str) -> bool {
        let any = |globs: &[GlobMatcher], text: &str| globs.is_empty() || globs.iter().any(|glob| glob.is_match(text));
        any(&self.groups, &kind.group)
            && (self.kinds.is_empty() || self.kinds.iter().any(|name| name == "*" || *name == kind.kind))
            && any(&self.clusters, cluster)
    }
}

fn is_among(table: &[(&str, &[&str])], kind: &GroupKind) -> bool {
    table.iter().any(|(group, kinds)| *group == kind.group && kinds.contains(&kind.kind.as_str()))
}

fn entries(settings: &Settings, key: &str) -> Result<Vec<ExclusionEntry>, SettingsError> {
    let wrong = |why: String| settings.wrong(key, why, &format!("write {EXPECTED}"));
    let items = match settings.yaml(key, EXPECTED)? {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong("is not a list".to_owned())),
    };
    let entry = |(index, item): (usize, &Value)| {
        let texts = |field: &str| match item.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(texts)) if texts.iter().all(Value::is_string) => {
                Ok(texts.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
            }
            Some(_) => Err(wrong(format!("`{field}` of entry {index} is not a list of strings"))),
        };
        let globs = |field: &str| {
            let compiled = texts(field)?.into_iter().map(|text| {
                glob(&text).ok_or_else(|| wrong(format!("`{text}` in `{field}` of entry {index} is no glob")))
            });
            compiled.collect::<Result<Vec<_>, _>>()
        };
        Ok(ExclusionEntry { groups: globs("apiGroups")?, kinds: texts("kinds")?, clusters: globs("clusters")? })
    };
    items.iter().enumerate().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, kind: &str) -> GroupKind {
        GroupKind { group: group.to_owned(), kind: kind.to_owned() }
    }

    fn exclusions(data: &[(&str, &str)]) -> Exclusions {
        let data = data.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        Exclusions::of(&Settings { file: "argocd-cm.yaml".to_owned(), data }).unwrap()
    }

    #[test]
    fn without_settings_the_install_manifest_of_argo_cd_counts() {
        let exclusions = Exclusions::default();
        for (group, name, excluded) in [
            ("", "Event", true),
            ("events.k8s.io", "Event", true),
            ("", "Endpoints", true),
            ("cilium.io", "CiliumEndpoint", true),
            ("cilium.io", "CiliumNetworkPolicy", false),
            ("apps", "Deployment", false),
        ] {
            assert_eq!(exclusions.excludes(&kind(group, name), "https://a"), excluded, "{group}/{name}");
        }
    }

    /// Argo CD's own example, its page "Declarative Setup".
    #[test]
    fn entries_match_by_group_kind_and_cluster() {
        let exclusions = exclusions(&[
            (
                "resource.exclusions",
                "- apiGroups: ['repositories.stash.appscode.com']\n  kinds: ['Snapshot']\n  clusters: ['*.local']\n",
            ),
            ("resource.inclusions", "- apiGroups: ['*.appscode.com', apps]\n  kinds: ['*']\n"),
        ]);
        for (group, name, cluster, excluded) in [
            ("repositories.stash.appscode.com", "Snapshot", "https://10.local", true),
            ("repositories.stash.appscode.com", "Snapshot", "https://10.example.com", false),
            ("repositories.stash.appscode.com", "Other", "https://10.local", false),
            ("apps", "Deployment", "https://10.local", false),
            ("", "ConfigMap", "https://10.local", true),
            ("", "Event", "https://10.local", true),
        ] {
            assert_eq!(exclusions.excludes(&kind(group, name), cluster), excluded, "{group}/{name} in {cluster}");
        }
        assert!(!super::Exclusions::of(&Settings::default()).unwrap().excludes(&kind("", "Endpoints"), ""));
    }

    #[test]
    fn what_is_no_list_is_an_error_that_names_the_key() {
        for (text, why) in
            [("a: b", "is not a list"), ("- kinds: x", "`kinds` of entry 0"), ("- apiGroups: ['[']", "`[` in")]
        {
            let data = [("resource.exclusions".to_owned(), text.to_owned())].into();
            let error = Exclusions::of(&Settings { file: "cm.yaml".to_owned(), data }).unwrap_err().to_string();
            assert!(error.starts_with("cm.yaml: `resource.exclusions`: ") && error.contains(why), "{error}");
        }
    }
}
