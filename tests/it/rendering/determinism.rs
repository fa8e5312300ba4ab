//! Charts that make passwords and certificates up anew: a drift that is nobody's doing is told as such.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{Outcome, TestApplication, TestRepo, config_map, folder_with, or_skip, program, trueup};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\nstringData:\n  user: shop\n  password: {{ randAlphaNum 16 | quote }}\n";
const LIVE: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: default}\nstringData: {user: shop, password: live}\n";

fn chart(file: &str, text: &str) -> TestRepo {
    TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("values.yaml", "colour: green\n")
        .file(file, text)
        .commit("a chart")
}

/// A password that changes with each render is drift for ever; the report says why.
#[test]
fn a_field_that_is_not_deterministic_is_warned_about() {
    let helm = or_skip!(program("helm"));
    let git = chart("templates/secret.yaml", SECRET);
    let live = folder_with([("secret.yaml", &LIVE)]);
    let web = git.application("web");

    let run = trueup(["diff"]).env("TRUEUP_HELM", &helm).env("COLUMNS", "200").of(&web).live(live.path());
    let outcome = run.exits(1);

    let words = "⚠ web: `Secret web` differs from one render to the next: `stringData.password`";
    let words = words.replace("`Secret web`", "`Secret default/web`");
    assert!(outcome.stderr.contains(&words), "{}", outcome.transcript());
    assert!(!outcome.stderr.contains("user"), "{}", outcome.transcript());
}

/// A value that is a template, in the manifest or in another repository's file, and charts that Kustomize inflates: the same.
#[test]
fn fields_that_are_not_deterministic_elsewhere_are_warned_about() {
    let helm = or_skip!(program("helm"));
    let kustomize = or_skip!(program("kustomize"));
    let live = folder_with([("secret.yaml", &LIVE)]);
    let by_value = SECRET.replace("randAlphaNum 16 | quote", "tpl .Values.password . | quote");
    let git = chart("templates/secret.yaml", &by_value);
    let values = TestRepo::new().file("prod.yaml", "password: '{{ randAlphaNum 16 }}'\n").commit("values");
    let manifest = git.application("web").source_field("helm", json!({"values": "password: '{{ randAlphaNum 16 }}'"}));
    let chart_source = json!({"repoURL": git.url(), "path": ".", "helm": {"valueFiles": ["$values/prod.yaml"]}});
    let other = TestApplication::of_source("web", json!({}))
        .spec_field("source", json!(null))
        .spec_field("sources", json!([chart_source, {"repoURL": values.url(), "ref": "values"}]));
    let inflated = TestRepo::new()
        .file("base/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("base/charts/web/values.yaml", "{}\n")
        .file("base/charts/web/templates/secret.yaml", SECRET)
        .file("base/kustomization.yaml", "helmCharts: [{name: web}]\n")
        .file("overlay/kustomization.yaml", "resources: [../base]\n")
        .commit("a chart in a kustomization");
    let inflated = inflated.application("web").path("overlay");

    for web in [manifest, other, inflated] {
        let run = trueup(["diff", "--kustomize-build-options", "--enable-helm"]).env("COLUMNS", "200");
        let run = run.env("TRUEUP_HELM", &helm).env("TRUEUP_KUSTOMIZE", &kustomize);
        let outcome = run.of(&web).live(live.path()).exits(1);
        let words = "`Secret default/web` differs from one render to the next: `stringData.password`";
        assert!(outcome.stderr.contains(words), "{}", outcome.transcript());
    }
}

/// Nobody pays for that who has no such chart: a drift alone starts Helm once.
#[test]
fn a_chart_that_makes_nothing_up_is_rendered_once() {
    let helm = or_skip!(program("helm"));
    let settings = config_map("settings").data("colour", "{{ .Values.colour }}");
    let git = chart("templates/settings.yaml", &settings.to_string());
    let live = folder_with([("settings.yaml", &config_map("settings").data("colour", "red"))]);
    let tools = folder_with([]);
    let counting = tools.path().join("helm");
    // A script is asked for its version besides.
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = version ] || echo >>'{0}/calls'\nexec '{1}' \"$@\"\n",
        tools.path().display(),
        helm.display()
    );
    fs::write(&counting, script).unwrap();
    fs::set_permissions(&counting, fs::Permissions::from_mode(0o755)).unwrap();

    let outcome: Outcome =
        trueup(["diff"]).env("TRUEUP_HELM", &counting).of(&git.application("web")).live(live.path()).exits(1);

    let calls = fs::read_to_string(tools.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 1, "{}", outcome.transcript());
}
