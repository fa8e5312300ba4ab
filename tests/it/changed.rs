//! `--changed-since` and `--event`: only what a change can affect, and never less than that.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Outcome, Run, TestRepo, config_map, folder_with, trueup};

/// An Application of a path in the repository `https://git.example.com/shop/infra`, with any other fields of its source.
fn application(name: &str, source: &Value, annotation: Option<&str>) -> String {
    let mut manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"project": "default", "source": {"repoURL": "https://git.example.com/shop/infra", "targetRevision": "main"},
            "destination": {"name": "in-cluster", "namespace": "default"}}
    });
    for (field, value) in source.as_object().unwrap() {
        manifest["spec"]["source"][field] = value.clone();
    }
    if let Some(annotation) = annotation {
        manifest["metadata"]["annotations"] = json!({"argocd.argoproj.io/manifest-generate-paths": annotation});
    }
    manifest.to_string()
}

/// A repository with applications of each kind, whose remote is the one that the manifests name.
fn infra() -> TestRepo {
    let git = TestRepo::new()
        .file("apps/plain.yaml", application("plain", &json!({"path": "plain"}), None))
        .file("apps/other.yaml", application("other", &json!({"path": "other"}), None))
        .file("apps/noted.yaml", application("noted", &json!({"path": "noted"}), Some(".;/shared")))
        .file("apps/chart.yaml", application("chart", &json!({"path": "chart", "helm": {"valueFiles": ["../values/prod.yaml"]}}), None))
        .file("apps/overlay.yaml", application("overlay", &json!({"path": "overlays/prod"}), None))
        .file("apps/jsonnet.yaml", application("jsonnet", &json!({"path": "jsonnet"}), None))
        .file("apps/plugin.yaml", application("plugin", &json!({"path": "plugin", "plugin": {"name": "cdk8s"}}), None))
        .file("apps/remote.yaml", application("remote", &json!({"repoURL": "https://git.example.com/other/charts", "path": "a"}), None))
        .file("plain/a.yaml", config_map("plain"))
        .file("plain-two/a.yaml", config_map("plain-two"))
        .file("other/a.yaml", config_map("other"))
        .file("noted/a.yaml", config_map("noted"))
        .file("shared/a.txt", "a")
        .file("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: common, version: 1.x, repository: 'file://../libraries/common'}\n")
        .file("libraries/common/Chart.yaml", "apiVersion: v2\nname: common\nversion: 1.0.0\n")
        .file("values/prod.yaml", "a: b\n")
        .file("overlays/prod/kustomization.yaml", "resources: [../../base]\n")
        .file("base/kustomization.yaml", "resources: [web.yaml]\nconfigMapGenerator:\n- {name: a, files: [b=../files/b.txt]}\n")
        .file("base/web.yaml", config_map("web"))
        .file("files/b.txt", "b")
        .file("jsonnet/main.jsonnet", "(import '../lib/web.libsonnet').web\n")
        .file("lib/web.libsonnet", "(import 'deep/more.libsonnet')\n")
        .file("lib/deep/more.libsonnet", "{web: {}}\n")
        .file("plugin/a.yaml", config_map("plugin"))
        .file("README.md", "infra")
        .commit("all");
    git.git(["remote", "add", "origin", "git@git.example.com:shop/infra.git"]);
    git
}

fn expand(git: &TestRepo, flags: &[&str]) -> Run {
    // Some of the applications cannot be rendered here, and `history` renders none.
    trueup(["history", "apps", "--checkout", "-o", "json", "--explain", "--no-children"])
        .arguments(flags.iter().copied())
        .in_folder(git.path())
        .live(git.path().join("other"))
}

/// The names that stay, without those that stay whatever changes.
#[track_caller]
fn kept(outcome: &Outcome) -> Vec<String> {
    let explained = outcome.stderr.lines().filter_map(|line| line.trim().strip_prefix("argocd/"));
    let mut kept: Vec<String> = explained
        .filter_map(|line| line.split_once(": in: "))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name != "plugin")
        .collect();
    kept.sort();
    assert!(outcome.stderr.contains("argocd/plugin: in: "), "{}", outcome.transcript());
    kept
}

/// A pull request in a repository of many applications: those that it touches, by whatever way they read a file.
#[test]
fn applications_stay_that_read_what_changed() {
    let git = infra();
    let base = git.head();
    for (file, expected) in [
        ("plain/a.yaml", vec!["plain"]),
        ("plain/new.yaml", vec!["plain"]),
        ("plain-two/a.yaml", vec![]),
        ("README.md", vec![]),
        ("noted/a.yaml", vec!["noted"]),
        ("shared/a.txt", vec!["noted"]),
        ("values/prod.yaml", vec!["chart"]),
        ("libraries/common/Chart.yaml", vec!["chart"]),
        ("base/web.yaml", vec!["overlay"]),
        ("files/b.txt", vec!["overlay"]),
        ("lib/deep/more.libsonnet", vec!["jsonnet"]),
        ("apps/other.yaml", vec!["other"]),
        ("apps/remote.yaml", vec!["remote"]),
    ] {
        git.git(["checkout", "--quiet", "--detach", &base]);
        let path = git.path().join(file);
        let mut text = std::fs::read_to_string(&path).unwrap_or_default();
        text.push('\n');
        std::fs::write(&path, text).unwrap();
        let uncommitted = expand(&git, &["--changed-since", &base]).exits(0);
        assert_eq!(kept(&uncommitted), expected, "{file}: {}", uncommitted.transcript());
        git.git(["add", "--all"]);
        git.git(["commit", "--quiet", "--message", "change"]);
        let committed = expand(&git, &["--changed-since", &base]).exits(0);
        assert_eq!(kept(&committed), expected, "{file}: {}", committed.transcript());
    }
    git.git(["checkout", "--quiet", "--detach", &base]);
    git.git(["rm", "--quiet", "plain/a.yaml"]);
    git.git(["mv", "shared/a.txt", "shared/b.txt"]);
    git.git(["commit", "--quiet", "--message", "remove"]);
    assert_eq!(kept(&expand(&git, &["--changed-since", "HEAD~1"]).exits(0)), ["noted", "plain"]);
}

/// A shallow clone, a wrong name: nobody knows what changed, so that everything stays, and a warning says so.
#[test]
fn what_is_not_known_keeps_everything() {
    let git = infra();
    let all = |outcome: &Outcome| outcome.json()["applications"].as_array().map_or(0, Vec::len);
    let everything =
        all(&trueup(["history", "apps", "-o", "json"]).in_folder(git.path()).live(git.path().join("other")).exits(0));
    assert_eq!(everything, 8);
    let unknown = expand(&git, &["--changed-since", "v9"]).exits(0);
    assert_eq!(all(&unknown), everything, "{}", unknown.transcript());
    assert!(unknown.stderr.contains("revision `v9` not found"), "{}", unknown.transcript());
    let clone = folder_with([]);
    let url = git.url();
    git.git(["commit", "--quiet", "--allow-empty", "--message", "another"]);
    git.git(["clone", "--quiet", "--depth=1", &url, clone.path().join("infra").to_str().unwrap()]);
    let shallow = trueup(["history", "apps", "--changed-since", "HEAD~1", "-o", "json"])
        .in_folder(clone.path().join("infra"))
        .live(git.path().join("other"))
        .exits(0);
    assert_eq!(all(&shallow), everything, "{}", shallow.transcript());
    assert!(shallow.stderr.contains("what changed is not known"), "{}", shallow.transcript());
    // The checkout is of another repository than any application.
    let other = TestRepo::new().file("a.txt", "a").commit("other");
    let elsewhere = trueup(["history", "-o", "json", "--changed-since", "HEAD"])
        .argument(git.path().join("apps"))
        .in_folder(other.path())
        .live(git.path().join("other"))
        .exits(0);
    assert_eq!(all(&elsewhere), everything, "{}", elsewhere.transcript());
    assert!(elsewhere.stderr.contains("every application is kept"), "{}", elsewhere.transcript());
}

fn event_file(folder: &Path, event: &Value) -> String {
    let path = folder.join("event.json");
    std::fs::write(&path, event.to_string()).unwrap();
    path.display().to_string()
}

/// A webhook's payload, and a job's: with the files of the push, or with its commits alone.
#[test]
fn a_push_keeps_what_it_touches() {
    let git = infra();
    let before = git.head();
    let git = git.file("values/prod.yaml", "a: c\n").commit("values");
    let after = git.head();
    let folder = folder_with([]);
    let github = |files: bool| {
        let mut commit = json!({"id": after, "message": "values"});
        if files {
            commit["added"] = json!([]);
            commit["removed"] = json!([]);
            commit["modified"] = json!(["values/prod.yaml"]);
        }
        json!({"ref": "refs/heads/main", "before": before, "after": after, "commits": [commit],
            "repository": {"clone_url": "https://git.example.com/shop/infra.git"}})
    };
    let server = json!({"eventKey": "repo:refs_changed",
        "repository": {"links": {"clone": [{"href": "https://git.example.com/shop/infra.git", "name": "http"}]}},
        "changes": [{"fromHash": before, "toHash": after}]});
    for event in [github(true), github(false), server] {
        let file = event_file(folder.path(), &event);
        assert_eq!(kept(&expand(&git, &["--event", &file]).exits(0)), ["chart"], "{event}");
    }
    let job = expand(&git, &["--event", "github"]).env("GITHUB_EVENT_PATH", folder.path().join("event.json")).exits(0);
    assert_eq!(kept(&job), ["chart"]);
    let none = expand(&git, &["--event", "github"]).exits(2);
    assert!(none.stderr.contains("GITHUB_EVENT_PATH"), "{}", none.transcript());
    let wrong = event_file(folder.path(), &json!({"action": "opened"}));
    let wrong = expand(&git, &["--event", &wrong]).exits(2);
    assert!(wrong.stderr.contains("it is no push event"), "{}", wrong.transcript());
}

/// An application of applications: a change below a child keeps the child, though nothing of the parent changed. A parent that
/// changed keeps its children.
#[test]
fn children_stay_by_themselves_and_with_their_parents() {
    let git = TestRepo::new()
        .file("root.yaml", application("root", &json!({"path": "apps"}), None))
        .file("apps/one.yaml", application("one", &json!({"path": "one"}), None))
        .file("apps/two.yaml", application("two", &json!({"path": "two"}), None))
        .file("one/a.yaml", config_map("one"))
        .file("two/a.yaml", config_map("two"))
        .commit("tree");
    git.git(["remote", "add", "origin", "https://git.example.com/shop/infra"]);
    let base = git.head();
    let names = |git: &TestRepo| {
        let run = trueup(["diff", "root.yaml", "--checkout", "-q", "-o", "json", "--changed-since", &base]);
        let outcome = run.in_folder(git.path()).live(git.path().join("one")).outcome();
        let report = outcome.json();
        let mut names: Vec<String> = report["applications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert!(names(&git).is_empty());
    let git = git.file("two/a.yaml", config_map("more")).commit("two");
    assert_eq!(names(&git), ["two"]);
    let git = git.file("apps/one.yaml", application("one", &json!({"path": "two"}), None)).commit("one");
    assert_eq!(names(&git), ["one", "root", "two"]);
}
