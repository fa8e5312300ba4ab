//! The first run, on objects that other tools made: there is no record of ours, and what they left has to do.

use serde_json::json;

use super::{SETTINGS, SHOP, Shop, told};
use crate::harness::{TestCluster, or_skip};

/// Whoever changes from kubectl: what git dropped is drift, and so is what somebody changed, each told as what it is.
#[test]
fn objects_of_kubectl_apply_are_judged_by_what_was_applied_last() {
    let mut shop = Shop::new(or_skip!(TestCluster::namespace()));
    shop.kubectl(&["apply", "-f", "-"], SHOP);
    shop.kubectl(&["apply", "-f", "-"], SETTINGS);
    assert_eq!(told(&shop.diff(0)), [""; 0]);

    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    let web = SHOP
        .replace("        - {name: LOG_LEVEL, value: info}\n", "")
        .replace("metadata: {name: web, labels: {app: web}}", "metadata: {name: web}");
    shop.git = shop
        .git
        .file("shop/web.yaml", web)
        .file("shop/settings.yaml", SETTINGS.replace(", size: large", ""))
        .commit("less");

    assert_eq!(
        shop.moved(),
        [
            "ConfigMap /data/size: git by kubectl-client-side-apply",
            "Deployment /metadata/labels: git by kubectl-client-side-apply",
            "Deployment /spec/replicas: cluster by kubectl scale",
            "Deployment /spec/template/spec/containers/0/env/1: git by kubectl-client-side-apply",
        ]
    );
}

#[test]
fn objects_of_kubectl_create_say_nothing_of_who_moved() {
    let mut shop = Shop::new(or_skip!(TestCluster::namespace()));
    shop.kubectl(&["create", "-f", "-"], SHOP);
    shop.kubectl(&["create", "-f", "-"], SETTINGS);
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    shop.git = shop.git.file("shop/settings.yaml", SETTINGS.replace("green", "red")).commit("red");

    assert_eq!(
        shop.moved(),
        ["ConfigMap /data/colour: unknown by kubectl-create", "Deployment /spec/replicas: cluster by kubectl scale"]
    );
}

#[test]
fn objects_of_helm_are_as_helm_applied_them() {
    let mut shop = Shop::new(or_skip!(TestCluster::namespace()));
    shop.kubectl(&["create", "--field-manager=helm", "-f", "-"], SHOP);
    shop.kubectl(&["create", "--field-manager=helm", "-f", "-"], SETTINGS);
    shop.cluster.kubectl(["set", "env", "deployment/web", "LOG_LEVEL=debug"]);
    shop.git = shop.git.file("shop/settings.yaml", SETTINGS.replace("green", "red")).commit("red");

    assert_eq!(
        shop.moved(),
        [
            "ConfigMap /data/colour: git by helm",
            "Deployment /spec/template/spec/containers/0/env/1/value: cluster by kubectl-set",
        ]
    );
}

/// Whoever comes from Argo CD: its controller's name and its tracking annotation, in both of its ways to apply.
#[test]
fn objects_of_argo_cd_are_as_argo_cd_applied_them() {
    for way in [&["--server-side"][..], &[]] {
        let mut shop = Shop::new(or_skip!(TestCluster::namespace()));
        let name = shop.cluster.name().to_owned();
        shop.application = shop.git.application(&name).path("shop").deployed_to(&shop.cluster);
        let tracked = |text: &str, kind: &str, name: &str| {
            let id = format!("{0}:{kind}:{0}/{name}", shop.cluster.name());
            let annotation = json!({"argocd.argoproj.io/tracking-id": id});
            text.replacen("metadata: {", &format!("metadata: {{annotations: {annotation}, "), 1)
        };
        for text in [tracked(SHOP, "apps/Deployment", "web"), tracked(SETTINGS, "/ConfigMap", "settings")] {
            shop.kubectl(&[&["apply", "--field-manager=argocd-controller", "-f", "-"], way].concat(), &text);
        }
        // What Argo CD adds for itself is nobody's drift.
        assert_eq!(told(&shop.diff(0)), [""; 0], "{way:?}");

        shop.cluster.kubectl(["set", "env", "deployment/web", "LOG_LEVEL=debug"]);
        shop.git = shop.git.file("shop/settings.yaml", SETTINGS.replace(", size: large", "")).commit("no size");
        assert_eq!(
            shop.moved(),
            [
                "ConfigMap /data/size: git by argocd-controller",
                "Deployment /spec/template/spec/containers/0/env/1/value: cluster by kubectl-set",
            ],
            "{way:?}"
        );
    }
}
