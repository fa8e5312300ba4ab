//! The built-in rules, one file a kind: each is a function of the object.
//!
//! A new rule is a file beside these and a line in [`RULES`]. docs/health.md tells each in a table.

mod api_service;
mod application;
mod cron_job;
mod daemon_set;
mod definition;
mod deployment;
mod disruption_budget;
mod gateway;
mod horizontal_pod_autoscaler;
mod ingress;
mod job;
mod node;
mod persistent_volume_claim;
mod pod;
mod replica_set;
mod route;
mod service;
mod stateful_set;
mod workflow;

use super::{Health, Subject};
use crate::object::Gvk;

/// How one kind is judged.
pub(super) struct Rule {
    group: &'static str,
    kind: &'static str,
    /// The versions that the rule can read; all of them when none is named.
    versions: &'static [&'static str],
    pub(super) health: fn(&Subject<'_>) -> Health,
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
    health: fn(&Subject<'_>) -> Health,
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
    }
}
