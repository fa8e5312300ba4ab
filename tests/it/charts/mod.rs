//! Charts of Helm repositories and registries, and `oci://` sources: what the real `helm` pulls and renders is expected.

mod credentials;
mod dependencies;
mod faults;
mod helm_repositories;
mod registries;
mod tokens;
mod ways;

use std::path::Path;

use serde_json::{Value, json};
use trueup::object::yaml::{self, Limits, WithPositions};

use crate::harness::{Outcome, Run, TestApplication, helm, program, trueup};

/// An Application of a chart.
fn application(url: &str, chart: &str, version: &str) -> TestApplication {
    TestApplication::of_source("web", json!({"repoURL": url, "chart": chart, "targetRevision": version}))
}

/// Renders it with the tests' helm, in a home of its own.
fn render(application: &TestApplication) -> Run {
    let helm = program("helm").expect("the charts were packed by it");
    // Wide, so that no sentence is broken where a test looks for it.
    trueup(["render", "-o", "json"]).env("TRUEUP_HELM", helm).env("COLUMNS", "200").of(application)
}

/// What a chart of [`crate::harness::TestChart`] says that it is.
#[track_caller]
fn chart_of(outcome: &Outcome) -> String {
    let list = outcome.json();
    list["items"][0]["data"]["chart"].as_str().unwrap_or_else(|| panic!("{}", outcome.transcript())).to_owned()
}

/// The objects that helm itself makes of a chart that it pulls itself.
#[track_caller]
fn pulled_and_rendered(pull: &[&str], arguments: &[&str]) -> Vec<Value> {
    let program = program("helm").expect("the charts were packed by it");
    let folder = tempfile::tempdir().expect("a folder");
    helm(&program, folder.path(), &[&["pull", "--untar", "--untardir", "pulled"], pull].concat());
    let chart = std::fs::read_dir(folder.path().join("pulled")).unwrap().next().unwrap().unwrap().path();
    let usual = [
        "template",
        ".",
        "--name-template",
        "web",
        "--namespace",
        "default",
        "--kube-version",
        "1.36.3",
        "--include-crds",
    ];
    let text = helm(&program, &chart, &[&usual[..], arguments].concat());
    let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
    documents.into_iter().map(|document| document.expect("helm writes YAML").value).collect()
}

/// The objects of a run, without the namespaces that are filled in for every tool alike.
#[track_caller]
fn objects(outcome: &Outcome) -> Vec<Value> {
    let mut list = outcome.json();
    let items = list["items"].as_array_mut().expect("a list");
    for item in items.iter_mut() {
        item["metadata"].as_object_mut().expect("metadata").remove("namespace");
    }
    std::mem::take(items)
}

/// The files and folders below a cache's folder of charts, without their locks.
fn kept(home: &Path) -> Vec<String> {
    let folder = home.join("cache/trueup/charts");
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| Path::new(name).extension().is_none());
    names.sort();
    names
}
