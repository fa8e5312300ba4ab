//! `--from-cluster`: the Applications, ApplicationSets and `AppProjects` that a cluster holds are the input.

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, program, trueup, until};

const KINDS: [(&str, &str); 2] = [("applicationsets", "ApplicationSet"), ("appprojects", "AppProject")];
const DEFINITIONS: [&str; 3] = ["applications.argoproj.io", "applicationsets.argoproj.io", "appprojects.argoproj.io"];

/// Argo CD's kinds on an API server that no other test uses meanwhile; they are removed at the end.
struct ArgoCd {
    cluster: TestCluster,
    git: TestRepo,
}

impl ArgoCd {
    fn new() -> Result<Self, crate::harness::Missing> {
        let cluster = TestCluster::alone()?;
        let mut definitions = include_str!("sync_state/application_definition.yaml").to_owned();
        for (plural, kind) in KINDS {
            let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
            let definition = json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": format!("{plural}.argoproj.io")},
                "spec": {
                    "group": "argoproj.io", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                    "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
                },
            });
            definitions = format!("{definitions}---\n{definition}\n");
        }
        cluster.define(&definitions, &DEFINITIONS);
        let git = TestRepo::new().file("shop/settings.yaml", config_map("settings")).commit("settings");
        Ok(Self { cluster, git })
    }

    fn application(&self, name: &str, namespace: &str) -> Value {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.git.url(), "path": "shop", "targetRevision": "HEAD"},
                "destination": {"server": self.cluster.server(), "namespace": self.cluster.name()},
            },
        })
    }
}

impl Drop for ArgoCd {
    fn drop(&mut self) {
        for name in DEFINITIONS {
            self.cluster.try_kubectl(self.cluster.kubeconfig(), &["delete", "crd", name, "--timeout=30s"], "");
        }
    }
}

/// The names of the applications in a report.
fn names(report: &Value) -> Vec<&str> {
    let applications = report["applications"].as_array().expect("a report");
    applications.iter().filter_map(|application| application["name"].as_str()).collect()
}

/// Beside a running Argo CD, or after it is gone: what it was asked to deploy is compared. What the server and the controllers
/// wrote on the Application is no part of it: neither a warning, nor a sync that somebody asked Argo CD for.
#[test]
fn the_applications_of_a_cluster_are_compared_without_a_manifest() {
    let argo = or_skip!(ArgoCd::new());
    let (cluster, namespace) = (&argo.cluster, argo.cluster.name());
    let mut shop = argo.application("shop", namespace);
    shop["operation"] = json!({"sync": {"revision": "deadbeef", "prune": true}});
    shop["status"] = json!({"sync": {"status": "Synced", "revision": "deadbeef"}, "sourceType": "Helm"});
    cluster.apply(shop);
    let project = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}});
    cluster.apply(project);
    let run = |flags: &[&str]| trueup([]).arguments(flags.iter().copied()).kubeconfig(cluster.kubeconfig());
    let diff = ["diff", "--from-cluster", "-n", namespace, "-o", "json", "-q"];

    let missing = run(&diff).exits(1);
    assert_eq!(missing.stderr, "", "{}", missing.transcript());
    assert_eq!(names(&missing.json()), ["shop"]);
    assert_eq!(missing.json()["summary"]["missing"], 1, "{}", missing.transcript());
    assert_eq!(missing.json()["requests"]["write"], Value::from(0), "{}", missing.transcript());
    assert_eq!(missing.json()["applications"][0]["revision"], argo.git.head());

    cluster.apply(config_map("settings"));
    run(&diff).exits(0);
    // Argo CD's own namespace is the default.
    run(&["diff", "--from-cluster", "--argocd-namespace", namespace]).exits(0);
    for command in ["status", "plan", "render", "history", "doctor", "expand"] {
        let mut flags = vec![command, "--from-cluster", "-q"];
        match command {
            "doctor" => {}
            "expand" => flags.extend(["--argocd-namespace", namespace]),
            _ => flags.extend(["-n", namespace]),
        }
        let outcome = run(&flags).outcome();
        // `status` asks for health, which the folder's objects have; `doctor` reads the namespace `argocd`, which is empty.
        assert_eq!(outcome.code, Some(if command == "doctor" { 2 } else { 0 }), "{}", outcome.transcript());
    }
}

/// Applications live in many namespaces, some are generated, and some are just being deleted.
#[test]
fn each_application_of_a_cluster_counts_once() {
    let argo = or_skip!(ArgoCd::new());
    let (cluster, namespace) = (&argo.cluster, argo.cluster.name());
    let set = |name: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": name, "namespace": namespace},
            "spec": {"generators": [{"list": {"elements": [{"stage": "one"}]}}],
                "template": {"metadata": {"name": format!("{name}-{{{{stage}}}}")}, "spec": argo.application("x", "x")["spec"]}}})
    };
    cluster.apply(set("web"));
    let uid = cluster.kubectl(["get", "applicationset/web", "-o", "jsonpath={.metadata.uid}"]);
    let mut generated = argo.application("web-one", namespace);
    generated["metadata"]["ownerReferences"] = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "name": "web", "uid": uid, "controller": true}]);
    cluster.apply(generated);
    let mut leaving = argo.application("leaving", namespace);
    leaving["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
    cluster.apply(leaving);
    cluster.kubectl(["delete", "applications.argoproj.io/leaving", "--wait=false"]);
    cluster.kubectl(["create", "namespace", &format!("{namespace}-team")]);
    cluster.apply(argo.application("team", &format!("{namespace}-team")));
    let run = |flags: &[&str]| trueup([]).arguments(flags.iter().copied()).kubeconfig(cluster.kubeconfig());

    let own = run(&["diff", "--from-cluster", "-n", namespace, "-o", "json", "-q"]).exits(1);
    assert_eq!(names(&own.json()), ["web-one"], "{}", own.transcript());
    assert!(
        own.stderr.contains(&format!("Application `{namespace}/leaving` is being deleted")),
        "{}",
        own.transcript()
    );
    let all = run(&["diff", "--from-cluster", "-A", "-o", "json", "-q"]).exits(1);
    assert_eq!(names(&all.json()), ["team", "web-one"], "{}", all.transcript());
    // `expand` prints what the ApplicationSet generates now.
    let expanded = run(&["expand", "--from-cluster", "--argocd-namespace", namespace, "-o", "name"]).exits(0);
    assert_eq!(expanded.stdout, "web-one\n", "{}", expanded.transcript());

    // A manifest counts before the Application in the cluster, with a warning where the two differ.
    let mut manifest = argo.application("team", "");
    manifest["metadata"].as_object_mut().unwrap().remove("namespace");
    manifest["spec"]["syncPolicy"] = json!({"automated": {}});
    let folder = folder_with([("team.yaml", &manifest)]);
    let team = format!("{namespace}-team");
    let both = run(&["diff", ".", "--from-cluster", "-n", &team, "--argocd-namespace", &team, "-o", "json", "-q"])
        .in_folder(folder.path())
        .exits(1);
    assert_eq!(names(&both.json()), ["team"], "{}", both.transcript());
    let words = both.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ");
    assert!(
        words.contains("the Application in the cluster differs from ./team.yaml:1 in `spec.syncPolicy`"),
        "{words}"
    );
    cluster.kubectl([
        "patch",
        "applications.argoproj.io/leaving",
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
}

/// What cannot be read is never "nothing to compare": the message says what to do.
#[test]
fn a_cluster_without_applications_is_an_error() {
    let cluster = or_skip!(TestCluster::alone());
    let run = |flags: &[&str]| trueup(["diff", "--from-cluster", "-q"]).arguments(flags.iter().copied());
    let shown = |outcome: &crate::harness::Outcome| outcome.stderr.replace(cluster.server(), "<server>");
    // The CRDs of another test may still be on their way out.
    let is_there = || cluster.try_kubectl(cluster.kubeconfig(), &["get", "crd", DEFINITIONS[0]], "").status.success();
    until("the CRDs are gone", || !is_there());
    let none = run(&[]).kubeconfig(cluster.kubeconfig()).exits(2);
    insta::assert_snapshot!(shown(&none), @r"
    × cluster <server>: has no `applications.argoproj.io`
    help: Argo CD's CRDs are not installed there; --context chooses another cluster, and PATH names
          manifests
    ");

    let argo = ArgoCd { git: TestRepo::new(), cluster };
    argo.cluster.define(include_str!("sync_state/application_definition.yaml"), &DEFINITIONS[..1]);
    let shown = |outcome: &crate::harness::Outcome| outcome.stderr.replace(argo.cluster.server(), "<server>");
    let empty = run(&[]).kubeconfig(argo.cluster.kubeconfig()).exits(2);
    insta::assert_snapshot!(shown(&empty), @r"
    × cluster <server>: no Application found in namespace `argocd`
    help: `-n NAMESPACE` reads another namespace, `-A` all namespaces
    ");
    let reader = argo.cluster.account("reader").may("get,list", "configmaps");
    let forbidden = run(&["-A"]).kubeconfig(reader.kubeconfig()).exits(2);
    let forbidden = shown(&forbidden).replace(&reader.user(), "<user>").replace(argo.cluster.name(), "<namespace>");
    insta::assert_snapshot!(forbidden, @r"
    × cluster <namespace>-reader: `<user>` cannot list
    │ `applications.argoproj.io` at the cluster scope
    help: `--from-cluster` needs `get` and `list` on `applications`, `applicationsets` and
          `appprojects` of `argoproj.io`; `-n NAMESPACE` reads a single namespace
    ");
}

/// A dump of the Applications, as `kubectl get applications -A -o yaml` writes it, stands in for the cluster.
#[test]
fn a_dump_of_a_cluster_has_its_applications() {
    let git = TestRepo::new().file("shop/settings.yaml", config_map("settings")).commit("settings");
    let application = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd", "uid": "1"},
        "spec": {"project": "default", "source": {"repoURL": git.url(), "path": "shop"},
            "destination": {"name": "in-cluster", "namespace": "default"}}, "status": {}});
    let dump = folder_with([("apps.yaml", &application), ("settings.yaml", &config_map("settings"))]);
    let report = trueup(["diff", "--from-cluster", "-o", "json", "-q"]).live(dump.path()).exits(0);
    assert_eq!(names(&report.json()), ["shop"], "{}", report.transcript());
    assert_eq!(report.stderr, "");
    // It comes from no folder: a relative repoURL does not lead into the current one.
    let relative = folder_with([("apps.yaml", &application.to_string().replace(&git.url(), "./"))]);
    let refused = trueup(["diff", "--from-cluster", "-q"]).live(relative.path()).exits(2);
    assert!(refused.stderr.contains("shop: "), "{}", refused.transcript());
}

/// A third of real repositories keep their Applications in a chart or a kustomization. Every command renders it first.
#[test]
fn charts_and_kustomizations_of_applications_are_input_of_every_command() {
    let (helm, kustomize) = (or_skip!(program("helm")), or_skip!(program("kustomize")));
    let git = TestRepo::new();
    let application = |name: &str, url: &str, path: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "source": {"repoURL": url, "path": path},
                "destination": {"name": "in-cluster", "namespace": "default"}}})
        .to_string()
    };
    let git = git
        .file("shop/settings.yaml", config_map("settings"))
        .file("one/one.yaml", config_map("one"))
        .file("chart/Chart.yaml", "apiVersion: v2\nname: apps\nversion: 1.0.0\n")
        .file("chart/values.yaml", "name: one\n")
        .file("chart/templates/apps.yaml", application("{{ .Values.name }}", "..", "one"))
        .file("base/apps.yaml", application("app", "../..", "shop"))
        .file("base/kustomization.yaml", "resources: [apps.yaml]\n")
        .file("overlays/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: prod-\n")
        .commit("apps")
        // As `kubectl -k` reads it: what is not committed counts.
        .file("overlays/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: live-\n");
    let live = folder_with([("settings.yaml", &config_map("settings")), ("one.yaml", &config_map("one"))]);
    let run = |arguments: &[&str]| {
        trueup([])
            .arguments(arguments.iter().copied())
            .in_folder(git.path())
            .env("TRUEUP_HELM", &helm)
            .env("TRUEUP_KUSTOMIZE", &kustomize)
    };
    let inputs = ["--chart", "chart", "-k", "overlays/prod", "-q"];
    let report = run(&[&["diff", "-o", "json"], &inputs[..]].concat()).live(live.path()).exits(0);
    assert_eq!(names(&report.json()), ["one", "live-app"], "{}", report.transcript());
    for command in ["status", "plan", "render", "health", "wait", "history", "doctor"] {
        let run = run(&[&[command], &inputs[..]].concat());
        if command == "render" {
            run.exits(0)
        } else {
            run.live(live.path()).exits(0)
        };
    }
    let expanded = run(&["expand", "--chart", "chart", "-k", "overlays/prod", "-o", "name"]).exits(0);
    assert_eq!(expanded.stdout, "one\nlive-app\n");
    let nothing = run(&["diff", "-q", "-k", "gone"]).exits(2);
    assert!(nothing.stderr.contains("gone: no such folder"), "{}", nothing.transcript());
}
