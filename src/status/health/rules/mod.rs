//! The built-in rules, one file for each kind or project: each is a function of the object.
//!
//! A new rule is a file beside these and a line in [`RULES`] or [`PROJECTS`]. docs/health.md has each in a table.

mod api_service;
mod application;
mod argo_cd;
mod argo_rollouts;
mod argo_workflows;
mod cert_manager;
mod cloud_native_pg;
mod cluster_api;
mod cron_job;
mod crossplane;
mod daemon_set;
mod definition;
mod deployment;
mod disruption_budget;
mod elastic;
mod external_secrets;
mod flux;
mod gateway;
mod gateway_policy;
mod horizontal_pod_autoscaler;
mod ingress;
mod istio;
mod job;
mod keda;
mod knative;
mod kyverno;
mod node;
mod numaflow;
mod persistent_volume_claim;
mod pod;
mod promoter;
mod replica_set;
mod route;
mod sealed_secrets;
mod service;
mod stateful_set;
mod strimzi;
mod waiting;
mod workflow;

use super::{Health, RuleSubject};
use crate::object::Gvk;
use waiting::waiting;

/// How one kind is judged.
pub(super) struct Rule {
    group: &'static str,
    kind: &'static str,
    /// The versions that the rule can read; all of them when none is named.
    versions: &'static [&'static str],
    pub(super) health: fn(&RuleSubject<'_>) -> Health,
}

impl Rule {
    /// Whether the rule knows the fields of this version: an older one may mean something else by them.
    pub(super) fn reads(&self, version: &str) -> bool {
        self.versions.is_empty() || self.versions.contains(&version)
    }
}

const fn rule(
    group: &'static str,
    kind: &'static str,
    versions: &'static [&'static str],
    health: fn(&RuleSubject<'_>) -> Health,
) -> Rule {
    Rule { group, kind, versions, health }
}

/// Every built-in rule.
const RULES: &[Rule] = &[
    rule("", "Node", &["v1"], node::health),
    rule("", "PersistentVolumeClaim", &["v1"], persistent_volume_claim::health),
    rule("", "Pod", &["v1"], pod::health),
    rule("", "ReplicationController", &["v1"], replica_set::health),
    rule("", "Service", &["v1"], service::health),
    rule("apiextensions.k8s.io", "CustomResourceDefinition", &[], definition::health),
    rule("apiregistration.k8s.io", "APIService", &["v1", "v1beta1"], api_service::health),
    rule("apps", "DaemonSet", &["v1"], daemon_set::health),
    rule("apps", "Deployment", &["v1"], deployment::health),
    rule("apps", "ReplicaSet", &["v1"], replica_set::health),
    rule("apps", "StatefulSet", &["v1"], stateful_set::health),
    rule("argoproj.io", "Application", &[], application::health),
    rule("argoproj.io", "Workflow", &[], workflow::health),
    rule("autoscaling", "HorizontalPodAutoscaler", &["v1", "v2"], horizontal_pod_autoscaler::health),
    rule("batch", "CronJob", &[], cron_job::health),
    rule("batch", "Job", &["v1"], job::health),
    rule("extensions", "Ingress", &[], ingress::health),
    rule("gateway.networking.k8s.io", "GRPCRoute", &[], route::health),
    rule("gateway.networking.k8s.io", "Gateway", &[], gateway::health),
    rule("gateway.networking.k8s.io", "GatewayClass", &[], gateway::class_health),
    rule("gateway.networking.k8s.io", "HTTPRoute", &[], route::health),
    rule("gateway.networking.k8s.io", "TCPRoute", &[], route::health),
    rule("gateway.networking.k8s.io", "TLSRoute", &[], route::health),
    rule("gateway.networking.k8s.io", "UDPRoute", &[], route::health),
    rule("networking.k8s.io", "Ingress", &[], ingress::health),
    rule("policy", "PodDisruptionBudget", &[], disruption_budget::health),
];

/// The rule of a kind.
pub(super) fn find(gvk: &Gvk) -> Option<&'static Rule> {
    let place = RULES.binary_search_by(|rule| (rule.group, rule.kind).cmp(&(&gvk.group, &gvk.kind)));
    place.ok().map(|index| &RULES[index])
}

/// The health of one project's kinds, after its API documentation.
struct Project {
    /// Its API groups; one that starts with a dot stands for all that end in it.
    groups: &'static [&'static str],
    /// Nothing where the general rule says as much.
    health: fn(&RuleSubject<'_>) -> Option<Health>,
}

const fn project(groups: &'static [&'static str], health: fn(&RuleSubject<'_>) -> Option<Health>) -> Project {
    Project { groups, health }
}

/// Every project that the general rule does not understand well enough.
const PROJECTS: &[Project] = &[
    project(&["argoproj.io"], argo_cd::health),
    project(&["argoproj.io"], argo_rollouts::health),
    project(&["argoproj.io"], argo_workflows::health),
    project(&["cert-manager.io", ".cert-manager.io"], cert_manager::health),
    project(&["postgresql.cnpg.io"], cloud_native_pg::health),
    project(&["cluster.x-k8s.io", ".cluster.x-k8s.io"], cluster_api::health),
    project(&[".crossplane.io", ".upbound.io"], crossplane::health),
    project(&[".k8s.elastic.co"], elastic::health),
    project(&["external-secrets.io"], external_secrets::health),
    project(&[".toolkit.fluxcd.io"], flux::health),
    project(&["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"], gateway_policy::health),
    project(&[".istio.io"], istio::health),
    project(&["keda.sh"], keda::health),
    project(&[".knative.dev"], knative::health),
    project(&["kyverno.io", ".kyverno.io"], kyverno::health),
    project(&["numaflow.numaproj.io"], numaflow::health),
    project(&["promoter.argoproj.io"], promoter::health),
    project(&["bitnami.com"], sealed_secrets::health),
    project(&[".strimzi.io"], strimzi::health),
];

/// The verdict of the rules for the object's API group.
pub(super) fn of_project(subject: &RuleSubject<'_>) -> Option<Health> {
    let group = subject.object.gvk().group;
    let owns = |pattern: &&str| if pattern.starts_with('.') { group.ends_with(*pattern) } else { group == **pattern };
    PROJECTS.iter().filter(|project| project.groups.iter().any(owns)).find_map(|project| (project.health)(subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lookup is a binary search: a rule out of order would never be found.
    #[test]
    fn rules_stand_in_the_order_of_group_and_kind() {
        let names: Vec<_> = RULES.iter().map(|rule| (rule.group, rule.kind)).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    /// A kind that the page does not tell of would surprise its reader.
    #[test]
    fn every_rule_is_in_the_documentation() {
        let page = include_str!("../../../../docs/health.md");
        for rule in RULES {
            assert!(page.contains(&format!("`{}`", rule.kind)), "docs/health.md does not tell of `{}`", rule.kind);
        }
        for group in PROJECTS.iter().flat_map(|project| project.groups) {
            let shown = if group.starts_with('.') { format!("`*{group}`") } else { format!("`{group}`") };
            assert!(page.contains(&shown), "docs/health.md does not have {shown}");
        }
    }
}
