//! The names of every annotation, label and finalizer that trueup reads or writes, and how they are read.
//!
//! Rules: Argo CD common/common.go and gitops-engine/pkg/sync/common; KEP-3659 for the ApplySet labels.

use super::{Object, Pointer};

/// Argo CD's tracking annotation: `<application>:<group>/<kind>:<namespace>/<name>`.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Argo CD's default instance label, when tracking by label.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// Argo CD's installation id.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// The type of an Argo CD Secret: a label with `repository`, `repo-creds`, `cluster` …
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// Argo CD's compare options, on an Application or on a resource.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Argo CD's hook annotation.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// The finalizer that keeps a hook until the sync that made it has seen how it ended.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// A resource whose health does not count for its application.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// A Pod that is judged as if it were restarted always.
pub const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// When a hook is deleted again.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Helm's hook annotation.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's order of hooks.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// When Helm deletes a hook again.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// The Helm release that an object is of, where Helm itself installed it.
pub const HELM_RELEASE: &str = "meta.helm.sh/release-name";
/// The namespace of that release.
pub const HELM_RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// Helm's policy for the object when its release is uninstalled: `keep`.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Argo CD's sync options of a resource.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Argo CD's sync wave.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// An Application that Argo CD must not touch.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// Set by the scheduler when a pod needs a volume that waits for its first consumer: from then on it is provisioned.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// The paths that an application is made of, from its source's path or from the repository's root, separated by `;`.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// The annotation `last-applied-configuration` of client-side `kubectl apply`; may hold a Secret's values.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The field manager that trueup applies as (server-side apply, KEP-555).
pub const FIELD_MANAGER: &str = "trueup";
/// Marks the record of an application that contained Applications or ApplicationSets.
pub const CONTAINS_APPLICATIONS: &str = "trueup.dev/contains-applications";
/// Marks the record of an application that was generated or that another application contained.
pub const GENERATED: &str = "trueup.dev/generated";
/// Which ApplicationSet and Application the application of a record came from, as JSON.
pub const LINEAGE: &str = "trueup.dev/lineage";
/// The applications that have to be synced and healthy before this one: names, separated by commas.
pub const DEPENDS_ON: &str = "trueup.dev/depends-on";
/// The ApplySet of the application that a hook was created for; hooks are no members of it.
pub const HOOK_OF: &str = "trueup.dev/hook-of";
/// The ApplySet that an object is a member of (KEP-3659).
pub const APPLYSET_PART_OF: &str = "applyset.kubernetes.io/part-of";
/// The id of an ApplySet, on its parent (KEP-3659).
pub const APPLYSET_ID: &str = "applyset.kubernetes.io/id";
/// The tool that owns an ApplySet, on its parent (KEP-3659).
pub const APPLYSET_TOOLING: &str = "applyset.kubernetes.io/tooling";
/// The kinds of an ApplySet's members, on its parent (KEP-3659).
pub const APPLYSET_CONTAINS_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// The namespaces of an ApplySet's members beside that of its parent (KEP-3659).
pub const APPLYSET_ADDITIONAL_NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";

/// Fields of a resource that are not compared, one a line: JSON pointers and jq path expressions. Only what git says counts, and
/// Argo CD does not read it.
pub const IGNORE: &str = "trueup.dev/ignore";
/// The account that `trueup cluster add` created an object for; on a cluster Secret with its namespace, as an annotation.
pub const ACCOUNT: &str = "trueup.dev/cluster-account";
/// The uid of Argo CD's namespace that an account was registered in: a label.
pub const REGISTERED_BY: &str = "trueup.dev/registered-by";
/// The Secret that holds the token of a cluster Secret, in the cluster itself: an annotation.
pub const TOKEN_OF: &str = "trueup.dev/token-secret";

/// Prefixes of the names of trueup's own records and locks.
pub const OWN_NAMES: [&str; 2] = ["trueup-", "trueup."];
/// The tool that keeps an object: one of Kubernetes' recommended labels.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Whether the object is a hook: it runs around a sync, and never counts for the sync status.
///
/// Rule: Argo CD gitops-engine/pkg/sync/hook/hook.go `IsHook`; Helm's `crd-install` is an ordinary resource.
pub fn is_hook(object: &Object) -> bool {
    match object.annotation(HOOK) {
        Some(_) => !is_skipped(object),
        None => object.annotation(HELM_HOOK).is_some_and(|hook| hook != "crd-install"),
    }
}

/// Whether the object's compare options have this one.
///
/// Rule: Argo CD gitops-engine/pkg/sync/resource/annotations.go `HasAnnotationOption`.
pub fn has_compare_option(object: &Object, option: &str) -> bool {
    object.annotation(COMPARE_OPTIONS).is_some_and(|options| has_option(options, option))
}

/// Whether an annotation's list of options has this one.
pub fn has_option(options: &str, option: &str) -> bool {
    options.split(',').any(|one| one.trim() == option)
}

/// Whether the object is never applied: its one hook type is `Skip`.
pub fn is_skipped(object: &Object) -> bool {
    object.annotation(HOOK).is_some_and(|hooks| {
        let mut types = hooks.split(',').map(str::trim).filter(|hook| !hook.is_empty());
        types.next() == Some("Skip") && types.next().is_none()
    })
}

/// One line of [`IGNORE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoreLine<'text> {
    /// A JSON pointer, which starts with `/`.
    Pointer(Pointer),
    /// A jq path expression, which starts with `.`.
    Expression(&'text str),
    /// Anything else.
    Invalid(&'text str),
}

/// The lines of [`IGNORE`]; empty ones are left out.
pub fn ignore_lines(text: &str) -> impl Iterator<Item = IgnoreLine<'_>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| match Pointer::parse(line).filter(|_| line.starts_with('/')) {
        Some(pointer) => IgnoreLine::Pointer(pointer),
        None if line.starts_with('.') => IgnoreLine::Expression(line),
        None => IgnoreLine::Invalid(line),
    })
}

/// Argo CD's tracking id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingId<'text> {
    /// The application's instance name (`<namespace>_<name>` outside of the controller's namespace).
    pub application: &'text str,
    /// The API group; empty for the core group.
    pub group: &'text str,
    /// The kind.
    pub kind: &'text str,
    /// The namespace; for cluster-scoped objects the application's destination namespace.
    pub namespace: &'text str,
    /// The object's name.
    pub name: &'text str,
}

impl<'text> TrackingId<'text> {
    /// Reads `<application>:<group>/<kind>:<namespace>/<name>`.
    ///
    /// Rule: Argo CD `util/argo/resource_tracking.go`, `ParseAppInstanceValue`.
    pub fn parse(text: &'text str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (application, group_kind, place) = (parts.next()?, parts.next()?, parts.next()?);
        let (group, kind) = group_kind.split_once('/')?;
        let (namespace, name) = place.split_once('/')?;
        Some(Self { application, group, kind, namespace, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_pointer_or_an_expression_by_its_first_letter() {
        let pointer = |text: &str| IgnoreLine::Pointer(Pointer::parse(text).unwrap());
        for (text, expected) in [
            ("/spec/replicas", vec![pointer("/spec/replicas")]),
            (
                "\n  /spec/a~1b\r\n\n.spec[0] | .x\n",
                vec![pointer("/spec/a~1b"), IgnoreLine::Expression(".spec[0] | .x")],
            ),
            ("- /spec/replicas", vec![IgnoreLine::Invalid("- /spec/replicas")]),
            ("spec.replicas", vec![IgnoreLine::Invalid("spec.replicas")]),
            ("  \n", vec![]),
        ] {
            assert_eq!(ignore_lines(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn an_option_is_one_of_a_list() {
        for (options, expected) in [
            ("IgnoreExtraneous", true),
            ("ServerSideDiff=true, IgnoreExtraneous", true),
            ("ignoreExtraneous", false),
            ("IgnoreExtraneous=true", false),
            ("", false),
        ] {
            assert_eq!(has_option(options, "IgnoreExtraneous"), expected, "{options}");
        }
    }
}
