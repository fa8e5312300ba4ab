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
