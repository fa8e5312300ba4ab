//! Live objects, listed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use trueup::cluster::{ClusterError, ClusterSettings, ListRequest, Requests};
use trueup::object::kinds::NEWEST_KUBERNETES;
use trueup::object::{Gvk, Kinds, Scope};

use super::{Asked, names, settings_of, told};
use crate::harness::{Front, Reply};
use crate::harness::{TestCluster, config_map, deployment, or_skip};

/// What the cluster serves costs three requests, whatever the number of kinds and applications.
#[test]
fn discovery_costs_three_requests_and_a_list_one() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web").replicas(2));
    let asked = Asked::of(&cluster);

    let first = asked.list("apps/v1", "Deployment", Some(cluster.name())).unwrap();
    asked.list("v1", "Service", Some(cluster.name())).unwrap();
    asked.kinds().unwrap();

    assert_eq!(names(&first), ["web"]);
    assert_eq!(first[0].gvk().to_string(), "apps/v1/Deployment", "items of a list do not say it, trueup does");
    assert!(first[0].metadata().unwrap().contains_key("managedFields"));
    assert_eq!(asked.requests(), Requests { discovery: 3, list: 2, ..Requests::default() });
}

/// The table that `render` works with, without a cluster, is what a real API server serves.
#[test]
fn kubernetes_own_kinds_are_those_of_a_real_api_server() {
    let cluster = or_skip!(TestCluster::namespace());
    let served = Asked::of(&cluster).kinds().unwrap();
    if served.server_version != NEWEST_KUBERNETES {
        return;
    }
    let known = Kinds::builtin(NEWEST_KUBERNETES);
    let mut of_kubernetes = 0;
    for facts in served.iter_all().filter(|facts| !facts.gvk.group.ends_with(".example.com")) {
        let by_heart = known.exact(&facts.gvk).unwrap_or_else(|| panic!("{} is not in the table", facts.gvk));
        let sorted = |verbs: &[String]| {
            let mut verbs = verbs.to_vec();
            verbs.sort();
            verbs
        };
        assert_eq!((&by_heart.plural, by_heart.scope), (&facts.plural, facts.scope), "{}", facts.gvk);
        assert_eq!(sorted(&by_heart.verbs), sorted(&facts.verbs), "{}", facts.gvk);
        let kind = facts.gvk.group_kind();
        let preferred = |kinds: &Kinds| kinds.preferred(&kind).map(|facts| facts.gvk.version.clone());
        assert_eq!(preferred(&known), preferred(&served), "{kind}");
        of_kubernetes += 1;
    }
    let table = include_str!("../../../src/object/kinds/builtin.txt");
    let served_lines = table.lines().skip_while(|line| *line != "# served by v1.36.3").skip(1);
    assert_eq!(served_lines.take_while(|line| !line.is_empty()).count(), of_kubernetes);
}

/// More objects than a page holds: all of them, in three pages.
#[test]
fn twelve_hundred_objects_are_three_pages() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(many_config_maps(1200));
    let asked = Asked::of(&cluster);

    let objects = asked.list("v1", "ConfigMap", Some(cluster.name())).unwrap();

    let expected: Vec<String> = (0..1200).map(|number| format!("settings-{number:04}")).collect();
    let found: Vec<&str> = names(&objects).into_iter().filter(|name| name.starts_with("settings-")).collect();
    assert_eq!(found, expected);
    assert_eq!(asked.requests().list, 3);
}

/// A page token that expires in the middle of a long LIST starts it again; no object is lost or listed twice.
#[test]
fn an_expired_page_starts_the_list_again() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(many_config_maps(600));
    let expired = Arc::new(AtomicBool::new(false));
    let front = or_skip!(Front::before(&cluster, {
        let expired = Arc::clone(&expired);
        move |line: &str| {
            let first = line.contains("continue=") && !expired.swap(line.contains("continue="), Ordering::Relaxed);
            first.then(|| Reply::json(410, &status(410, "Expired", "The provided continue parameter is too old")))
        }
    }));
    let asked = Asked::with(ClusterSettings { kubeconfig: Some(front.kubeconfig()), ..ClusterSettings::default() });

    let objects = asked.list("v1", "ConfigMap", Some(cluster.name())).unwrap();

    let found = names(&objects).into_iter().filter(|name| name.starts_with("settings-")).count();
    assert_eq!((found, asked.requests().list), (600, 4), "{:?}", front.seen());
}

/// Looking for extras needs no specifications: only metadata travels.
#[test]
fn extras_are_looked_for_by_metadata_alone() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web").replicas(2));
    let asked = Asked::of(&cluster);
    let gvk = Gvk::from_api_version("apps/v1", "Deployment");
    let request = ListRequest { gvk, namespace: Some(cluster.name().to_owned()), metadata_only: true };

    let objects = asked.list_as(&request).unwrap();

    assert_eq!((objects[0].gvk().to_string().as_str(), objects[0].name()), ("apps/v1/Deployment", "web"));
    assert!(objects[0].value().get("spec").is_none());
}

/// git may still write a version that the server dropped: the live objects are found in the version it prefers.
#[test]
fn a_dropped_version_is_listed_in_the_preferred_one() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web"));

    let objects = Asked::of(&cluster).list("apps/v1beta1", "Deployment", Some(cluster.name())).unwrap();

    assert_eq!(objects[0].api_version(), "apps/v1");
}

/// A kind that nobody serves has no objects; that is no error, the CRD may come with the same application.
#[test]
fn a_kind_that_is_not_served_is_an_empty_list() {
    let cluster = or_skip!(TestCluster::namespace());
    let asked = Asked::of(&cluster);

    assert_eq!(asked.list("nobody.example.com/v1", "Widget", None), Ok(Vec::new()));
    assert_eq!(asked.requests().list, 0);
}

/// Cluster-wide and cluster-scoped: a namespace is only asked for where the kind has one.
#[test]
fn cluster_scoped_kinds_are_listed_without_a_namespace() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("settings"));
    let asked = Asked::of(&cluster);

    let namespaces = asked.list("v1", "Namespace", Some("ignored")).unwrap();
    assert!(names(&namespaces).contains(&cluster.name()));
    let everywhere = asked.list("v1", "ConfigMap", None).unwrap();
    assert!(everywhere.iter().any(|object| object.namespace() == cluster.name() && object.name() == "settings"));
    let kinds = asked.kinds().unwrap();
    assert_eq!(kinds.scope(&Gvk::from_api_version("v1", "Namespace").group_kind()), Some(Scope::Cluster));
}

/// An aggregated API whose service is gone, as after an uninstalled metrics server: its kinds are unknown, not empty,
/// and the rest of the cluster is read as ever.
#[test]
fn a_broken_aggregated_api_is_a_remark_and_its_kinds_are_unknown() {
    let cluster = or_skip!(TestCluster::namespace());
    let group = format!("{}.broken.example.com", cluster.name());
    cluster.apply(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": { "name": format!("v1.{group}") },
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": { "name": "nobody", "namespace": cluster.name() },
        },
    }));
    let api = format!("{group}/v1");
    // The server notices by and by.
    let noticed = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        Asked::of(&cluster).kinds().unwrap().unavailable.contains_key(&api)
    });
    assert!(noticed);
    let asked = Asked::of(&cluster);

    assert!(asked.list("v1", "Service", Some(cluster.name())).is_ok());
    let error = asked.list(&api, "Widget", None).unwrap_err();
    assert!(matches!(error, ClusterError::ApiUnavailable { .. }), "{error:?}");
    let remarks = asked.cluster().remarks();
    assert!(remarks[&api].contains("its objects are unknown"), "{remarks:?}");
    cluster.kubectl(["delete", "apiservice", &format!("v1.{group}")]);
}

/// Servers before 1.27 answer the old form of discovery: the same kinds, more requests.
#[test]
fn an_older_server_is_discovered_the_old_way() {
    let front = Front::alone(|line| {
        let path = line.split(' ').nth(1)?;
        let body = match path {
            "/version" => json!({ "gitVersion": "v1.25.3" }),
            "/api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
            "/apis" => json!({ "kind": "APIGroupList", "groups": [{
                "name": "policy",
                "versions": [{ "groupVersion": "policy/v1beta1" }, { "groupVersion": "policy/v1" }],
                "preferredVersion": { "groupVersion": "policy/v1" },
            }, { "name": "gone.example.com", "versions": [{ "groupVersion": "gone.example.com/v1" }] }] }),
            "/api/v1" => json!({ "resources": [
                { "name": "pods", "namespaced": true, "kind": "Pod", "verbs": ["list", "patch"] },
                { "name": "pods/log", "namespaced": true, "kind": "Pod", "verbs": ["get"] },
            ] }),
            "/apis/policy/v1" | "/apis/policy/v1beta1" => json!({ "resources": [
                { "name": "poddisruptionbudgets", "namespaced": true, "kind": "PodDisruptionBudget", "verbs": ["list"] },
            ] }),
            _ => return Some(Reply::json(500, &status(500, "InternalError", "no such service"))),
        };
        Some(Reply::json(200, &body))
    });
    let asked = Asked::with(ClusterSettings { kubeconfig: Some(front.kubeconfig()), ..ClusterSettings::default() });

    let kinds = asked.kinds().unwrap();

    assert_eq!(kinds.server_version, "v1.25.3");
    let budget = Gvk::from_api_version("policy/v1", "PodDisruptionBudget");
    assert_eq!(kinds.preferred(&budget.group_kind()).unwrap().gvk, budget);
    assert_eq!(kinds.exact(&Gvk::from_api_version("v1", "Pod")).unwrap().plural, "pods");
    assert_eq!(kinds.unavailable["gone.example.com/v1"], "no such service");
    assert_eq!(asked.requests().discovery, 7);
}

/// An account without the right to list is told which right is missing, in words that RBAC knows.
#[test]
fn a_forbidden_list_names_the_account_and_the_right() {
    let cluster = or_skip!(TestCluster::namespace());
    let drift = cluster.account("drift").may("list", "configmaps");
    let settings = ClusterSettings { kubeconfig: Some(drift.kubeconfig().to_owned()), ..settings_of(&cluster) };
    let asked = Asked::with(settings);

    assert!(asked.list("v1", "ConfigMap", Some(cluster.name())).is_ok());
    let error = asked.list("apps/v1", "Deployment", Some(cluster.name())).unwrap_err();
    let (user, namespace) = (drift.user(), cluster.name());
    assert_eq!(
        told(&error),
        format!(
            "cluster {namespace}-drift: `{user}` cannot list `deployments.apps` in namespace `{namespace}`\n\
             help: diff needs get and list; the least role is in examples/cronjob/rbac.yaml"
        )
    );
    let error = asked.list("v1", "ConfigMap", None).unwrap_err();
    assert!(error.to_string().ends_with("cannot list `configmaps` at the cluster scope"), "{error}");
}

fn many_config_maps(count: usize) -> String {
    let manifests: Vec<String> =
        (0..count).map(|number| config_map(&format!("settings-{number:04}")).to_string()).collect();
    manifests.join("---\n")
}

fn status(code: u16, reason: &str, message: &str) -> serde_json::Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason, "code": code })
}
