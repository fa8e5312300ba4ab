//! Several sources in one application: values from one repository for a chart of another.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{objects, official, render, told};
use crate::harness::{TestApplication, TestRepo, config_map, or_skip, program};

const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  values: {{ .Values | toJson | quote }}\n";

fn charts() -> TestRepo {
    TestRepo::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "colour: red\n")
        .file("web/templates/a.yaml", TEMPLATE)
        .file("prod.yaml", "colour: not this one\n")
        .commit("a chart")
}

fn values() -> TestRepo {
    TestRepo::new()
        .file("prod.yaml", "colour: green\n")
        .file("prod/shop.yaml", "shop: true\n")
        .file("motd.txt", "hello\n")
        .file("plain/settings.yaml", config_map("settings"))
        .commit("values")
        .tag("v1")
        .file("prod.yaml", "colour: blue\n")
        .commit("other values")
}

fn application(name: &str, charts: &TestRepo, sources: Value) -> TestApplication {
    charts.application(name).spec_field("sources", sources)
}

/// The second most used way to write an Application: the chart here, its values there.
#[test]
fn values_come_from_another_repository() {
    let helm = or_skip!(program("helm"));
    let (charts, values) = (charts(), values());
    let sources = json!([
        {"repoURL": charts.url(), "path": "web", "helm": {
            "valueFiles": ["$values/prod.yaml", "$values/prod/${ARGOCD_APP_NAME}.yaml"],
            "fileParameters": [{"name": "motd", "path": "$values/motd.txt"}]}},
        {"repoURL": values.url(), "targetRevision": "v1", "ref": "values"},
    ]);
    let expected = official(
        &helm,
        &charts.path().join("web"),
        &[
            "template",
            ".",
            "--name-template",
            "shop",
            "--set",
            "colour=green",
            "--set",
            "shop=true",
            "--set",
            "motd=hello\n",
        ],
    );

    let outcome = render(&application("shop", &charts, sources), &[("TRUEUP_HELM", &helm)]).exits(0);

    assert_eq!(objects(&outcome), expected);
}

/// A source that lends its files may have some of its own; of two objects with one key the last source's counts.
#[test]
fn a_lender_is_rendered_where_it_has_a_path_and_the_last_source_counts() {
    let helm = or_skip!(program("helm"));
    let (charts, values) = (charts(), values());
    let sources = json!([
        {"repoURL": values.url(), "ref": "values", "path": "plain"},
        {"repoURL": charts.url(), "path": "web",
         "helm": {"releaseName": "settings", "valueFiles": ["$values/prod.yaml"]}},
    ]);

    let outcome = render(&application("shop", &charts, sources), &[("TRUEUP_HELM", &helm)]).exits(0);

    let objects = objects(&outcome);
    assert_eq!(objects.len(), 1, "{}", outcome.transcript());
    assert_eq!(objects[0]["data"]["values"], r#"{"colour":"blue"}"#);
    let words = "`ConfigMap default/settings` appears twice: web/templates/a.yaml is used";
    assert!(outcome.stderr.contains(words), "{}", outcome.transcript());
}

/// Each application has a file of its own name, beside the chart: no reference is meant, and none is missed.
#[test]
fn a_variable_at_the_start_of_a_path_is_no_reference() {
    let helm = or_skip!(program("helm"));
    let charts =
        charts().file("web/shop.yaml", "colour: blue\n").file("shop/prod.yaml", "size: large\n").commit("values");
    let files = ["$ARGOCD_APP_NAME.yaml", "${ARGOCD_APP_NAME}.yaml", "../$ARGOCD_APP_NAME/prod.yaml"];
    let sources = json!([{"repoURL": charts.url(), "path": "web", "helm": {"valueFiles": files}}]);

    let outcome = render(&application("shop", &charts, sources), &[("TRUEUP_HELM", &helm)]).argument("-q").exits(0);

    assert_eq!(objects(&outcome)[0]["data"]["values"], r#"{"colour":"blue","size":"large"}"#);
    assert_eq!(outcome.stderr, "");
}

/// What Argo CD refuses, and what would lead out, is refused with a word on what to do.
#[test]
fn references_that_cannot_be_followed_say_why() {
    let helm = or_skip!(program("helm"));
    let (charts, values) = (charts(), values());
    let with = |name: &str, files: &[&str], more: &[Value]| {
        let chart = json!({"repoURL": charts.url(), "path": "web", "helm": {"valueFiles": files}});
        application(name, &charts, Value::Array([&[chart], more].concat()))
    };
    let lender = |name: &str, revision: &str| json!({"repoURL": values.url(), "targetRevision": revision, "ref": name});
    let applications = [
        with("elsewhere", &["$vlaues/prod.yaml"], &[lender("values", "v1")]),
        with("unknown", &["$vlaues/no.yaml"], &[lender("values", "v1")]),
        with("missing", &["$values/no.yaml"], &[lender("values", "v1")]),
        with("climbs", &["$values/../../prod.yaml"], &[lender("values", "v1")]),
        with("nothing", &["$values"], &[lender("values", "v1")]),
        with("two", &["$values/prod.yaml", "$other/prod.yaml"], &[lender("values", "v1"), lender("other", "main")]),
    ];

    let run = applications[1..].iter().fold(render(&applications[0], &[("TRUEUP_HELM", &helm)]), |run, application| {
        run.argument(application.manifest())
    });
    let outcome = run.exits(2);

    assert_snapshot!(told(&outcome), @r#"
    fetched 2 repositories
    rendered 6 applications
      ⚠ elsewhere: no source has `ref: vlaues`: `$vlaues/prod.yaml` is read as `/prod.yaml`, as Argo
      │ CD does
      help: name the `ref` of another source, or write the path itself
      × unknown: source 1: values file `$vlaues/no.yaml` not found at 352df5d
      help: no source of the application has `ref: vlaues`; there is `values`
      × missing: source 1: values file `$values/no.yaml` not found at 55d1e24
      help: if missing files are intended, set `helm.ignoreMissingValueFiles`
      × climbs: source 1: `$values/../../prod.yaml` points outside its repository
      help: values files are read only from the repositories of the sources
      × nothing: source 1: `$values` refers to a source, but to no file of it
      help: write `$values/path/to/values.yaml`
      × two: source 1: `$other` at acf4440 and `$values` at 55d1e24 are one repository at two
      │ revisions
      help: Argo CD refuses that for references; give both the same `targetRevision`
    [exit 2]
    "#);
}
