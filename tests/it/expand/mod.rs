//! `trueup expand`: what ApplicationSets generate, without a server and without a cluster.

mod argocd_cluster;
mod azure_devops;
mod facts;
mod forges;
mod github_app;
mod recursive;

use serde_json::{Value, json};

use crate::harness::{TestRepo, trueup};

/// An ApplicationSet of these generators, with one Application for each set of parameters.
pub(super) fn application_set(generators: &Value, name: &str, path: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"], "generators": generators,
            "template": {"metadata": {"name": name}, "spec": {
                "project": "default", "source": {"repoURL": "https://git.example.com/shop", "path": path, "targetRevision": "main"},
                "destination": {"name": "in-cluster", "namespace": "shop"}}}
        }
    })
}

fn written(set: &Value) -> (TestRepo, String) {
    let git = TestRepo::new().file("set.yaml", set.to_string()).commit("a set");
    let path = git.path().join("set.yaml").display().to_string();
    (git, path)
}

/// Argo CD documentation, "List Generator" and "Go Template".
#[test]
fn a_list_becomes_applications_in_every_format() {
    let elements = json!([{"list": {"elements": [{"stage": "dev"}, {"stage": "prod"}]}}]);
    let (_git, path) = written(&application_set(&elements, "shop-{{.stage}}", "overlays/{{.stage}}"));

    let names = trueup(["expand", &path, "-o", "name"]).outcome();
    assert_eq!((names.code, names.stdout.as_str()), (Some(0), "shop-dev\nshop-prod\n"), "{}", names.transcript());

    let printed = trueup(["expand", &path, "-o", "json"]).outcome();
    let applications: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let paths: Vec<&Value> =
        applications.as_array().expect("an array").iter().map(|one| &one["spec"]["source"]["path"]).collect();
    assert_eq!(paths, ["overlays/dev", "overlays/prod"]);
}

/// Argo CD documentation, "Git Generator": each folder that matches, those that are excluded left out.
#[test]
fn folders_of_a_repository_become_applications() {
    let source = TestRepo::new()
        .file("apps/web/web.yaml", "kind: ConfigMap\n")
        .file("apps/api/api.yaml", "kind: ConfigMap\n")
        .file("apps/old/old.yaml", "kind: ConfigMap\n")
        .commit("three apps");
    let folders = json!([{"git": {"repoURL": source.url(), "revision": "HEAD",
        "directories": [{"path": "apps/*"}, {"path": "apps/old", "exclude": true}]}}]);
    let (_git, path) = written(&application_set(&folders, "{{.path.basename}}", "{{.path.path}}"));

    let names = trueup(["expand", &path, "-o", "name"]).outcome();

    assert_eq!((names.code, names.stdout.as_str()), (Some(0), "api\nweb\n"), "{}", names.transcript());
}

/// A parameter that is not there: the set and the parameters are named, the exit code is 2, nothing is half printed.
#[test]
fn a_template_that_fails_names_its_parameters() {
    let elements = json!([{"list": {"elements": [{"stage": "dev"}]}}]);
    let (_git, path) = written(&application_set(&elements, "shop-{{.stge}}", "."));

    let failed = trueup(["expand", &path]).outcome();

    assert_eq!((failed.code, failed.stdout.as_str()), (Some(2), ""), "{}", failed.transcript());
    assert!(failed.stderr.contains("shop") && failed.stderr.contains("stge"), "{}", failed.transcript());
}

/// One bad parameter set stops its ApplicationSet, not the run; the message says which one, and where in the template.
#[test]
fn a_bad_parameter_set_stops_its_application_set_alone() {
    let mut bad =
        application_set(&json!([{"list": {"elements": [{"stage": "dev"}, {"stge": "prod"}]}}]), "bad-{{.stage}}", ".");
    bad["metadata"]["name"] = json!("bad");
    bad["spec"]["templatePatch"] = json!("spec:\n  syncPolicy:\n    automated:\n      prune: {{ .stage | nope }}\n");
    let mut failing = bad.clone();
    failing["spec"]["templatePatch"] = json!("");
    failing["metadata"]["name"] = json!("failing");
    let good = application_set(&json!([{"list": {"elements": [{"stage": "dev"}]}}]), "good-{{.stage}}", ".");
    let git = TestRepo::new()
        .file("bad.yaml", bad.to_string())
        .file("failing.yaml", failing.to_string())
        .file("good.yaml", good.to_string())
        .commit("three sets");

    let outcome = trueup(["expand", &git.path().display().to_string(), "-o", "name"]).outcome();

    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), "good-dev\n"), "{}", outcome.transcript());
    let words = forges::words(&outcome);
    for expected in [
        "bad: `spec.templatePatch` cannot be rendered for `spec.generators[0].list, parameter set 1`: line 4",
        "at `{{ .stage | nope }}`: function \"nope\" not defined",
        "failing: `spec.template.metadata.name` cannot be rendered for `spec.generators[0].list, parameter set 2`: line 1, column 7, \
         at `{{.stage}}`: map has no entry for key \"stage\"",
    ] {
        assert!(words.contains(expected), "{expected}: {}", outcome.transcript());
    }
}
