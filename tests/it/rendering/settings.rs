//! What `argocd-cm` says about rendering.

use serde_json::json;

use super::{objects, render, told};
use crate::harness::{TestRepo, config_map, folder_with, or_skip, program};

fn settings(data: &serde_json::Value) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}).to_string()
}

/// A team that lets its kustomizations read files beside them has said so to Argo CD already.
#[test]
fn build_options_of_argocd_cm_are_kustomizes() {
    let kustomize = or_skip!(program("kustomize"));
    let git = TestRepo::new()
        .file("overlay/kustomization.yaml", "resources: [../a.yaml]\n")
        .file("a.yaml", config_map("outside"))
        .commit("a file beside");
    let options = settings(&json!({"kustomize.buildOptions": "--load-restrictor LoadRestrictionsNone"}));
    let files = folder_with([("cm.yaml", &options)]);
    let shop = git.application("shop").path("overlay");
    let run = || render(&shop, &[("TRUEUP_KUSTOMIZE", &kustomize)]);

    run().exits(2);
    let outcome = run().argument("--argocd-cm").argument(files.path().join("cm.yaml")).exits(0);
    assert_eq!(objects(&outcome)[0]["metadata"]["name"], "outside");
    // A flag counts more than what Argo CD has.
    let restricted = ["--kustomize-build-options", "--load-restrictor LoadRestrictionsRootOnly"];
    run().arguments(restricted).argument("--argocd-cm").argument(files.path().join("cm.yaml")).exits(2);
}

/// A team that allows no values from the network is obeyed.
#[test]
fn schemes_of_argocd_cm_are_those_that_values_are_read_from() {
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("templates/a.yaml", config_map("a"))
        .commit("a chart");
    let files = folder_with([("cm.yaml", &settings(&json!({"helm.valuesFileSchemes": "https"})))]);
    let block = json!({"valueFiles": ["http://127.0.0.1:1/values.yaml"]});
    let web = git.application("web").source_field("helm", block);

    let run = render(&web, &[("TRUEUP_HELM", &helm)]).argument("--argocd-cm").argument(files.path().join("cm.yaml"));

    insta::assert_snapshot!(told(&run.env("COLUMNS", "200").exits(2)), @r"
    fetched 1 repository
    rendered 1 application
      × web: `http://127.0.0.1:[PORT]/values.yaml` is a URL of scheme `http`, which is not fetched
      help: the schemes of `helm.valuesFileSchemes` in `argocd-cm` are: `https`
    [exit 2]
    ");
}

/// A tool that a team disabled in Argo CD renders nothing there: what it would render are plain manifests.
#[test]
fn a_tool_that_argocd_cm_disables_is_not_used() {
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file("b.jsonnet", "error 'never evaluated'")
        .file("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: web-\n")
        .commit("a kustomization");
    let data = json!({"kustomize.enable": "false", "jsonnet.enable": "no", "helm.enable": ""});
    let files = folder_with([("cm.yaml", &settings(&data))]);
    for application in
        [git.application("a"), git.application("b").source_field("kustomize", json!({"namePrefix": "x-"}))]
    {
        let run = render(&application, &[]).argument("--argocd-cm").argument(files.path().join("cm.yaml"));
        let objects = objects(&run.exits(0));
        assert_eq!(objects.len(), 1, "{objects:?}");
        assert_eq!(objects[0]["metadata"]["name"], "a");
    }
}
