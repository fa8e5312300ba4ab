//! Secrets in what a run prints: values of Secrets, lines of their files, values files, parameters, URLs.

use serde_json::json;

use crate::harness::{Outcome, TestApplication, TestRepo, folder_with, or_skip, program, trueup};

/// Stands in the input, and nowhere in the output.
const HIDDEN: &str = "swordfish";

#[track_caller]
fn assert_hidden(outcome: &Outcome) {
    let shown = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!shown.contains(HIDDEN), "{}", outcome.transcript());
    assert!(!shown.contains("c3dvcmRmaXNo"), "{}", outcome.transcript());
}

/// A typing error in the file of a Secret: the report says where it is, and quotes neither it nor its neighbours.
#[test]
fn a_broken_file_that_holds_a_secret_is_not_quoted() {
    for (case, text, place) in [
        ("yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData:\n  a: swordfish\n  b: c: d\n", "6"),
        ("misspelt", "apiVersion: v1\nkind: Secert\nmetadata:\n  name: key\ndata: {a: swordfish,\nb: ]\n", "6"),
        ("not an object", "apiVersion: v1\nknd: Secret\nmetadata: {name: key}\nstringData: {a: swordfish}\n", "2"),
        ("alias", "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData:\n  a: *swordfish\n", "5"),
    ] {
        let git = TestRepo::new().file("key.yaml", text).commit("a typing error");
        let shop = git.application("shop");
        let outcome = trueup(["render"]).of(&shop).outcome();
        assert_hidden(&outcome);
        assert!(outcome.stderr.contains(&format!("key.yaml:{place}")), "{case}: {}", outcome.transcript());
        let live = folder_with([]);
        for format in ["text", "json", "yaml", "markdown"] {
            assert_hidden(&trueup(["diff", "-v", "-o", format]).of(&shop).live(live.path()).outcome());
        }
    }
}

/// Values beside manifests, as a folder has them that Helm renders elsewhere.
#[test]
fn a_values_file_is_not_quoted() {
    let git = TestRepo::new()
        .file("web.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
        .file("prod.yaml", "db:\n  password: swordfish\n  host: a: b\n")
        .file("values-prod.yaml", "db: {kind: x, password: swordfish\n")
        .commit("values");
    let outcome = trueup(["render"]).of(&git.application("shop")).exits(2);
    assert!(outcome.stderr.contains("`prod.yaml:3` is not YAML"), "{}", outcome.transcript());
    assert_hidden(&outcome);
}

/// The manifest of an Application that gives passwords to Helm, with a typing error right beside them.
#[test]
fn parameters_of_an_application_are_not_quoted() {
    for helm in [
        "values: |\n        password: swordfish\n      valeus: x",
        "parameters:\n      - name: a\n        value: swordfish\n      paramters: []",
        "valuesObject:\n        a: swordfish\n      valuesObjet: {}",
    ] {
        let manifest = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop\nspec:\n  project: default\n  \
             destination:\n    name: in-cluster\n  source:\n    repoURL: https://ci:swordfish/@git.example.invalid/x\n    \
             path: x\n    helm:\n      {helm}\n"
        );
        let files = folder_with([("app.yaml", &manifest), ("live/README.md", &"")]);
        let run = trueup(["diff", "--fetch-timeout", "5"]).argument(files.path().join("app.yaml"));
        let outcome = run.live(files.path().join("live")).exits(2);
        assert!(outcome.stderr.contains("app.yaml:"), "{}", outcome.transcript());
        assert_hidden(&outcome);
        let broken = format!("{manifest}  x: y: z\n");
        let files = folder_with([("app.yaml", &broken)]);
        assert_hidden(&trueup(["render"]).argument(files.path().join("app.yaml")).exits(2));
    }
}

/// A Secret whose fields and kind are misspelt drifts: keys are told, values are not.
#[test]
fn a_misspelt_secret_is_masked_in_every_report() {
    let secret = |kind: &str, field: &str, value: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: key}}\ntype: Opaque\n{field}: {{a: {value}}}\n")
    };
    for (kind, field) in [("Secret", "stringdata"), ("Secret", "Data"), ("secret", "data"), ("Secrets", "stringData")] {
        let git = TestRepo::new().file("key.yaml", secret(kind, field, HIDDEN)).commit("misspelt");
        let live = folder_with([("key.yaml", &secret(kind, field, "swordfish2"))]);
        let shop = git.application("shop");
        for format in ["text", "json", "yaml", "markdown"] {
            let outcome = trueup(["diff", "-v", "-o", format]).of(&shop).live(live.path()).outcome();
            assert!(matches!(outcome.code, Some(1 | 2)), "{}", outcome.transcript());
            assert_hidden(&outcome);
        }
    }
}

/// Helm complains about a value that was set, and the advice has the command line to try.
#[test]
fn what_is_set_is_not_repeated_when_helm_fails() {
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("templates/a.yaml", "{{ fail (printf \"bad password %s\" .Values.password) }}\n")
        .commit("fails");
    let parameters = json!({"parameters": [{"name": "password", "value": HIDDEN}]});
    let web = git.application("web").source_field("helm", parameters);
    let outcome = trueup(["render", "-v"]).env("TRUEUP_HELM", helm).of(&web).exits(2);
    assert!(outcome.stderr.contains("bad password"), "{}", outcome.transcript());
    assert_hidden(&outcome);
}

/// A URL written by hand: a password that was not encoded, a slash too few, a signature.
#[test]
fn what_opens_a_url_is_not_shown_however_it_is_written() {
    for url in [
        "https://ci:swordfish@127.0.0.1:1/shop",
        "https://swordfish@127.0.0.1:1/shop",
        "https://ci:swordfish/1@127.0.0.1:1/shop",
        "https://ci:swordfish#1@127.0.0.1:1/shop",
        "https:/ci:swordfish@127.0.0.1:1/shop",
        "htps://ci:swordfish@127.0.0.1:1/shop",
        "ci:swordfish@127.0.0.1/shop",
        "https://127.0.0.1:1/shop?sig=swordfish",
    ] {
        let shop = TestApplication::of_source("shop", json!({"repoURL": url, "path": "."}));
        let live = folder_with([]);
        for format in ["text", "json", "markdown"] {
            let run = trueup(["diff", "-v", "--fetch-timeout", "5", "-o", format]).of(&shop).live(live.path());
            assert_hidden(&run.exits(2));
        }
    }
}
