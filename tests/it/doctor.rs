//! `trueup doctor`: what a run would find here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{TestRepo, config_map, folder_with, trueup};

/// Programs with their versions, repositories with their revisions, clusters with theirs; what cannot be reached ends with 2.
#[test]
fn doctor_names_what_it_finds_and_what_it_does_not() {
    let live = folder_with([("a.yaml", &config_map("a"))]);
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let shop = git.application("shop");

    let outcome = trueup(["doctor", "-q", "--live"]).argument(live.path()).of(&shop).exits(0);
    for words in ["\nprograms\n  git ", "git version ", "\nrepositories\n  file://", &git.head()[..7], "\nclusters\n"] {
        assert!(outcome.stdout.contains(words), "{words}\n{}", outcome.transcript());
    }

    let helm = trueup(["doctor", "-q"]).env("TRUEUP_HELM", "/no/such/helm").exits(0);
    assert!(helm.stdout.contains("https://helm.sh/docs/intro/install"), "{}", helm.transcript());
    assert!(!helm.stdout.contains("repositories"), "{}", helm.transcript());

    // A flag counts here as it does for a run.
    let named = trueup(["doctor", "-q", "--helm", "/no/such/helm", "--kustomize", "/bin/echo"]).exits(0);
    assert!(named.stdout.contains("`/no/such/helm`"), "{}", named.transcript());
    assert!(named.stdout.contains("kustomize  version\n"), "{}", named.transcript());

    // kubectl is not to ask a cluster, which may not answer.
    let folder = folder_with([("kubectl", &"#!/bin/sh\necho $*\n")]);
    let kubectl = folder.path().join("kubectl");
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    let stands_in = trueup(["doctor", "-q", "--kustomize"]).argument(&kubectl).exits(0);
    assert!(stands_in.stdout.contains("kustomize  version --client\n"), "{}", stands_in.transcript());

    let gone = git.application("gone").source_field("repoURL", json!("file:///no/such/repository"));
    let outcome = trueup(["doctor", "-q", "--live"]).argument(live.path()).of(&gone).exits(2);
    assert!(outcome.stdout.contains("file:///no/such/repository"), "{}", outcome.transcript());
}

/// A repository that is there is not blamed for another one, nor a source for a cluster: each line has its own error.
#[test]
fn doctor_blames_each_repository_and_each_cluster_for_its_own_error_alone() {
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a");
    let good = git.url();
    let source = |url: &str, revision: &str| json!({"repoURL": url, "path": ".", "targetRevision": revision});
    let (first, second) = ("file:///no/such/first", "file:///no/such/second");
    let sources = json!([source(&good, "main"), source(first, "main"), source(second, "main")]);
    let three = git.application("three").spec_field("source", json!(null)).spec_field("sources", sources);
    // Another application asks the good repository for what it does not have.
    let other = git.application("other").source_field("targetRevision", json!("no-such-branch"));

    let outcome = trueup(["doctor", "-q"]).env("KUBECONFIG", "/no/such/kubeconfig").of(&three).of(&other).exits(2);

    let line = |name: &str| -> Vec<&str> {
        let lines = outcome.stdout.lines().filter(|line| line.trim_start().starts_with(name));
        lines.collect()
    };
    for (name, words) in [(first, "/no/such/first"), (second, "/no/such/second"), (&good, "no-such-branch")] {
        let lines = line(name);
        assert_eq!(lines.len(), 1, "{name}\n{}", outcome.transcript());
        let (_, error) = lines[0].split_once('×').unwrap_or_else(|| panic!("{name}\n{}", outcome.transcript()));
        assert!(error.contains(words) && !error.contains("kubeconfig"), "{name}\n{}", outcome.transcript());
    }
    let (_, clusters) = outcome.stdout.split_once("\nclusters\n").expect("it names the cluster");
    assert!(!clusters.contains("no/such/first") && clusters.contains('×'), "{}", outcome.transcript());
}

/// A Helm of the last decade is there, and fails at the first flag that it does not know: doctor says so before.
#[test]
fn doctor_tells_what_is_older_than_supported() {
    for (name, says, expected) in [
        ("helm", "v2.17.0+ga690bad", "helm       × v2.17.0+ga690bad: older than 3.14, the oldest that is supported"),
        ("helm", "v3.14.0+g3fc9f4b", "helm       v3.14.0+g3fc9f4b"),
        ("kustomize", "{Version:kustomize/v4.5.7 GitCommit:56d82a8}", "4.5.7 GitCommit:56d82a8}: older than 5.0"),
        ("kubectl", "Client Version: v1.26.1", "v1.26.1: older than 1.27"),
    ] {
        let folder = folder_with([(name, &format!("#!/bin/sh\necho '{says}'\n"))]);
        let program = folder.path().join(name);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let flag = if name == "helm" { "--helm" } else { "--kustomize" };
        let outcome = trueup(["doctor", "-q", flag]).argument(&program).exits(0);
        assert!(outcome.stdout.contains(expected), "{}", outcome.transcript());
    }
}

/// Whoever asks doctor before a deployment: a program that an Application needs and that is missing is an error, and one that
/// another program stands in for is not.
#[test]
fn doctor_fails_for_a_program_that_an_application_needs() {
    let live = folder_with([("a.yaml", &config_map("a"))]);
    let git = TestRepo::new()
        .file("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n")
        .file("overlay/kustomization.yaml", "resources: []\n")
        .file("plain/a.yaml", config_map("a"))
        .commit("a chart, an overlay, a folder");
    let tools = folder_with([("kubectl", &"#!/bin/sh\necho 'Client Version: v1.36.3'\n")]);
    let kubectl = tools.path().join("kubectl");
    fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
    let empty = folder_with([]);
    let run = |path: &str, search: &std::path::Path, code: i32| {
        let application = git.application(path).path(path);
        let run = trueup(["doctor", "-q", "-o", "json", "--live"]).argument(live.path()).of(&application);
        run.env("PATH", search).exits(code).json()
    };

    let helm = run("chart", tools.path(), 2);
    let program = |report: &serde_json::Value, name: &str| {
        let programs = report["programs"].as_array().unwrap().clone();
        programs.into_iter().find(|program| program["name"] == name).unwrap()
    };
    assert_eq!(program(&helm, "helm")["neededBy"], json!(["chart"]), "{helm:#}");
    assert_eq!(helm["exitCode"], 2);

    let kustomize = run("overlay", tools.path(), 0);
    assert_eq!(program(&kustomize, "kustomize")["found"], "kubectl kustomize: Client Version: v1.36.3");
    let neither = run("overlay", empty.path(), 2);
    assert_eq!(program(&neither, "kustomize")["neededBy"], json!(["overlay"]), "{neither:#}");

    run("plain", empty.path(), 0);
}
