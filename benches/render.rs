//! How long rendering takes: 100 Helm applications and 200 Kustomize overlays, cold and warm, side by side with the same
//! programs in a shell loop and under `xargs -P2`. Run with `cargo bench --bench render`; two numbers after `--` make it
//! other ones. docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;
mod timing;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{TestRepo, config_map, deployment, program};
use serde_json::{Value, json};
use timing::{print, ratio, repeat};

/// How often each is measured.
const TIMES: usize = 5;

fn main() {
    let mut sizes = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (charts, overlays) = (sizes.next().unwrap_or(100), sizes.next().unwrap_or(200));
    match (program("helm"), program("kustomize")) {
        (Ok(helm), Ok(kustomize)) => {
            helm_applications(charts, &helm);
            kustomize_overlays(overlays, &kustomize);
        }
        (Err(missing), _) | (_, Err(missing)) => println!("not measured: {missing}"),
    }
}

/// One chart, and values of its own for each application.
fn helm_applications(count: usize, helm: &Path) {
    let mut git = TestRepo::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "colour: red\nreplicas: 1\n")
        .file("web/templates/deployment.yaml", deployment("{{ .Release.Name }}").to_string())
        .file("web/templates/settings.yaml", config_map("{{ .Release.Name }}").data("colour", "{{ .Values.colour }}"));
    for number in 0..count {
        git = git.file(&format!("web/values-{number}.yaml"), format!("colour: green-{number}\n"));
    }
    let git = git.commit("a chart");
    let applications = |number: usize| {
        let name = format!("web-{number}");
        let helm = json!({"valueFiles": [format!("values-{number}.yaml")]});
        application(&name, &git, &json!({"path": "web", "helm": helm}))
    };
    let chart = git.path().join("web");
    let line = format!(
        "cd '{}' && '{}' template . --name-template web-$1 --namespace default --kube-version 1.36.3 \
         --values values-$1.yaml --include-crds",
        chart.display(),
        helm.display()
    );
    measure(&format!("{count} Helm applications"), count, applications, &line, ("TRUEUP_HELM", helm));
}

/// One base, and an overlay for each application.
fn kustomize_overlays(count: usize, kustomize: &Path) {
    let mut git = TestRepo::new()
        .file("base/kustomization.yaml", "resources: [deployment.yaml, settings.yaml]\n")
        .file("base/deployment.yaml", deployment("web").to_string())
        .file("base/settings.yaml", config_map("settings").data("colour", "red"));
    for number in 0..count {
        let overlay = format!("resources: [../../base]\nnamePrefix: p{number}-\nreplicas: [{{name: web, count: 3}}]\n");
        git = git.file(&format!("overlays/{number}/kustomization.yaml"), overlay);
    }
    let git = git.commit("overlays");
    let applications =
        |number: usize| application(&format!("web-{number}"), &git, &json!({"path": format!("overlays/{number}")}));
    let line = format!("'{}' build '{}'/overlays/$1", kustomize.display(), git.path().display());
    measure(&format!("{count} Kustomize overlays"), count, applications, &line, ("TRUEUP_KUSTOMIZE", kustomize));
}

fn application(name: &str, git: &TestRepo, source: &Value) -> Value {
    let mut source = source.clone();
    source["repoURL"] = json!(git.url());
    source["targetRevision"] = json!("HEAD");
    let destination = json!({"server": "https://kubernetes.default.svc", "namespace": "default"});
    let spec = json!({"project": "default", "source": source, "destination": destination});
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"}, "spec": spec})
}

/// trueup cold and warm, then the bare programs one after the other and two at a time.
fn measure(
    what: &str,
    count: usize,
    applications: impl Fn(usize) -> Value,
    line: &str,
    (variable, program): (&'static str, &Path),
) {
    let folder = tempfile::tempdir().expect("a folder");
    let manifests = folder.path().join("applications.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": (0..count).map(applications).collect::<Vec<_>>()});
    fs::write(&manifests, list.to_string()).expect("the folder is ours");
    let script = folder.path().join("one");
    fs::write(&script, format!("#!/bin/sh\n{line} >/dev/null\n")).expect("the folder is ours");

    let home = |name: &str| folder.path().join(name);
    let trueup = |home: PathBuf| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_trueup"));
        run.args([OsString::from("render"), "-q".into(), manifests.clone().into()]);
        run.env("HOME", &home).env("XDG_CACHE_HOME", home.join("cache")).env(variable, program);
        run
    };
    let cold = repeat(TIMES, |number| trueup(home(&format!("cold-{number}"))));
    print(&format!("trueup render, {what}, cold"), &cold);
    let warm = repeat(TIMES, |_| trueup(home("warm")));
    print(&format!("trueup render, {what}, warm"), &warm);
    let shell = |line: String| {
        let mut run = Command::new("sh");
        run.arg("-c").arg(line).env("HOME", home("bare"));
        run
    };
    let (script, end) = (script.display(), count.saturating_sub(1));
    let parallel = repeat(TIMES, |_| shell(format!("seq 0 {end} | xargs -P2 -n1 sh '{script}'")));
    beside("xargs -P2", &parallel, &cold, &warm);
    let loop_ = repeat(TIMES, |_| shell(format!("for i in $(seq 0 {end}); do sh '{script}' $i || exit 1; done")));
    beside("shell loop", &loop_, &cold, &warm);
}

fn beside(what: &str, theirs: &[Duration], cold: &[Duration], warm: &[Duration]) {
    print(what, theirs);
    let (cold, warm) = (ratio(cold, theirs), ratio(theirs, warm));
    println!("{:>12} trueup takes {cold:.2} times as long cold, and is {warm:.0} times as fast warm", "");
}
