//! Manifests of a stranger, such as a pull request from a fork: what they have read of this machine.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{
    Outcome, TestApplication, TestChart, TestRepo, config_map, folder_with, or_skip, program, trueup,
};

fn application(url: &str, path: &str) -> TestApplication {
    TestApplication::of_source("shop", json!({"repoURL": url, "path": path}))
}

#[track_caller]
fn assert_refused(outcome: &Outcome) {
    assert!(outcome.stderr.contains("is not read"), "{}", outcome.transcript());
    assert!(!format!("{}{}", outcome.stdout, outcome.stderr).contains("swordfish"), "{}", outcome.transcript());
}

fn manifest(name: &str, url: &str) -> String {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name},
        "spec": {"project": "default", "destination": {"name": "in-cluster"}, "source": {"repoURL": url, "path": "app"}},
    })
    .to_string()
}

/// `repoURL: /` put a kubeconfig into the comment of a pull request.
#[test]
fn a_folder_of_the_machine_is_read_only_where_it_is_allowed() {
    let machine = folder_with([("home/config.yaml", &config_map("swordfish"))]);
    let home = machine.path().join("home");
    for url in ["/", &home.display().to_string(), &format!("file://{}", home.display())] {
        for arguments in [&[][..], &["--untrusted"]] {
            assert_refused(
                &trueup(["render"]).of(&application(url, ".")).arguments(arguments.iter().copied()).exits(2),
            );
        }
    }
    let allowed = trueup(["render", "--allow-local"]).argument(machine.path());
    let outcome = allowed.of(&application(&home.display().to_string(), ".")).exits(0);
    assert!(outcome.stdout.contains("swordfish"), "{}", outcome.transcript());
}

/// The repository that holds the manifest is what is reviewed: it is read, at its commit. Others are not.
#[test]
fn only_the_manifests_own_repository_is_read_of_a_stranger() {
    let other = TestRepo::new().file("app/a.yaml", config_map("swordfish")).commit("private");
    let ours = TestRepo::new()
        .file("app/a.yaml", config_map("committed"))
        .file("apps/own.yaml", manifest("own", ".."))
        .file("apps/other.yaml", manifest("other", &other.url()))
        .commit("ours")
        .file("app/b.yaml", config_map("not-committed"));
    let apps = ours.path().join("apps");

    let own = trueup(["render", "--untrusted"]).argument(apps.join("own.yaml")).exits(0);
    assert!(own.stdout.contains("committed") && !own.stdout.contains("not-committed"), "{}", own.transcript());
    assert_refused(&trueup(["render", "--untrusted"]).argument(apps.join("other.yaml")).exits(2));

    // Without the flag it is read, at a commit.
    let other = other.file("app/b.yaml", config_map("not-committed"));
    let trusted = trueup(["render"]).argument(apps.join("other.yaml")).exits(0);
    assert!(
        trusted.stdout.contains("swordfish") && !trusted.stdout.contains("not-committed"),
        "{}",
        trusted.transcript()
    );
    let allowed = trueup(["render", "--untrusted", "--allow-local"]).argument(other.path());
    allowed.argument(apps.join("other.yaml")).exits(0);
}

/// A repository that was committed as files, whose objects are borrowed from another one on the machine.
#[test]
fn a_strangers_repository_borrows_no_objects() {
    let other = TestRepo::new().file("app/a.yaml", config_map("swordfish")).commit("private");
    let ours = TestRepo::new().file("apps/own.yaml", manifest("own", "../nested.git")).commit("ours");
    let nested = ours.path().join("nested.git").display().to_string();
    ours.git(["clone", "--quiet", "--bare", "--shared", &other.path().display().to_string(), &nested]);

    assert_refused(&trueup(["render", "--untrusted"]).argument(ours.path().join("apps/own.yaml")).exits(2));
}

/// Helm's values and files, Jsonnet's imports: each is kept in the repository of its source.
#[test]
fn files_outside_of_the_repository_are_not_read_by_any_tool() {
    let helm = or_skip!(program("helm"));
    let machine = folder_with([("private", &"swordfish"), ("values.yaml", &"colour: swordfish\n")]);
    let private = machine.path().join("private").display().to_string();
    let values = machine.path().join("values.yaml").display().to_string();
    let git = TestRepo::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file(
            "web/templates/a.yaml",
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {a: {{ .Values | toJson | quote }}}\n",
        )
        .file(
            "jsonnet/a.jsonnet",
            format!("{{kind: 'ConfigMap', apiVersion: 'v1', data: {{a: importstr '{private}'}}}}"),
        )
        .file(
            "up/a.jsonnet",
            "{kind: 'ConfigMap', apiVersion: 'v1', data: {a: importstr '../../../../../../../etc/hostname'}}",
        )
        .commit("reads what is not its own");
    let deep = "../".repeat(20);
    for (path, helm_fields) in [
        ("web", json!({"fileParameters": [{"name": "a", "path": private}]})),
        ("web", json!({"fileParameters": [{"name": "a", "path": format!("{deep}{private}")}]})),
        ("web", json!({"valueFiles": [values]})),
        ("web", json!({"valueFiles": [format!("file://{values}")]})),
        ("web", json!({"valueFiles": [format!("{deep}{values}")]})),
        ("jsonnet", Value::Null),
        ("up", Value::Null),
    ] {
        let mut application = git.application("shop").path(path);
        if !helm_fields.is_null() {
            application = application.source_field("helm", helm_fields.clone());
        }
        let outcome = trueup(["render"]).env("TRUEUP_HELM", &helm).of(&application).exits(2);
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!shown.contains("swordfish"), "{path} {helm_fields}: {}", outcome.transcript());
    }
}

/// A Helm repository in a folder is a folder, and its index names no file outside of it.
#[test]
fn a_helm_repository_of_the_machine_is_read_only_where_it_is_allowed() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let source = json!({"repoURL": charts.path().display().to_string(), "chart": "web", "targetRevision": "1.0.0"});
    let web = TestApplication::of_source("web", source);
    let helm = or_skip!(program("helm"));
    assert_refused(&trueup(["render"]).env("TRUEUP_HELM", &helm).of(&web).exits(2));
    let allowed = || trueup(["render", "--allow-local"]).argument(charts.path()).env("TRUEUP_HELM", &helm).of(&web);
    allowed().exits(0);

    let elsewhere = folder_with([]);
    let archive = elsewhere.path().join("web-1.0.0.tgz");
    fs::rename(charts.archive("web", "1.0.0"), &archive).unwrap();
    let index = charts.path().join("index.yaml");
    let text =
        fs::read_to_string(&index).unwrap().replace("- web-1.0.0.tgz", &format!("- file://{}", archive.display()));
    fs::write(&index, text).unwrap();
    let outcome = allowed().exits(2);
    assert!(format!("{outcome}").contains("points outside its folder"), "{}", outcome.transcript());
}

/// The configuration of a checkout can name programs; to see what differs, none of them is run.
#[test]
fn no_filter_of_a_checkout_is_run() {
    let git = TestRepo::new()
        .file(".gitattributes", "*.yaml filter=evil diff=evil\n")
        .file("app/a.yaml", config_map("a"))
        .file("apps/own.yaml", manifest("own", "https://git.example.com/shop"))
        .commit("filtered");
    let mark = git.path().parent().unwrap().join("mark");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    for key in ["filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "core.fsmonitor", "core.sshCommand"] {
        git.git(["config", key, &program]);
    }
    git.git(["remote", "add", "origin", "https://git.example.com/shop"]);
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        let hook = git.path().join(".git/hooks").join(hook);
        fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    // Touched, so that its content has to be compared.
    let file = fs::File::options().write(true).open(git.path().join("app/a.yaml")).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();

    let render = |checkout: &str| {
        trueup(["render"]).argument(checkout).argument(git.path().join("apps/own.yaml")).in_folder(git.path()).exits(0)
    };
    assert!(render("--checkout=.").stdout.contains("ConfigMap"));
    assert!(!mark.exists(), "a program of the repository's configuration was run");
}

/// The action takes the manifests of a pull request from a fork for a stranger's.
#[test]
fn the_action_trusts_no_fork() {
    let action = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml")).unwrap();
    assert!(action.contains("github.event.pull_request.head.repo.full_name != github.repository"), "{action}");
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action/run.sh")).unwrap();
    assert!(script.contains("[ \"${UNTRUSTED:-false}\" = true ]") && script.contains("--untrusted"), "{script}");
}
