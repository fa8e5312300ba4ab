//! Kinds that nobody keeps in git: controllers write them in great numbers.
//!
//! Rule: Argo CD's `resource.exclusions` as its install manifest has them since 3.0, and what it always excludes
//! (`events.k8s.io`, `metrics.k8s.io`, core `Event`, `Lease`).

use crate::object::GroupKind;

/// Groups of which every kind is excluded.
const GROUPS: &[&str] = &["events.k8s.io", "metrics.k8s.io"];

/// Excluded kinds by group.
const KINDS: &[(&str, &[&str])] = &[
    ("", &["Event", "Endpoints"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("coordination.k8s.io", &["Lease"]),
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

/// Whether objects of this kind are never compared.
pub fn is_excluded(kind: &GroupKind) -> bool {
    GROUPS.contains(&kind.group.as_str())
        || KINDS.iter().any(|(group, kinds)| *group == kind.group && kinds.contains(&kind.kind.as_str()))
}
