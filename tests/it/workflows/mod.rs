//! examples/ci and action.yml, step by step as they stand, on a runner for tests.

pub(crate) mod runner;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::runner::Runner;
use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

fn workflow() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/drift.yaml")
}

/// A hook that each sync creates under another name.
const HOOK: &str = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: migrate-\n  annotations: {argocd.argoproj.io/hook: PreSync}\n\
                    spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n";

/// A repository with Applications and what they deploy, and a clone of it as `actions/checkout` makes one.
struct Infra {
    git: TestRepo,
    clone: TempDir,
}

impl Infra {
    fn new(destination: &Value) -> Self {
        let git = TestRepo::new();
        let application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "argocd"},
            "spec": {"project": "default", "destination": destination,
                "source": {"repoURL": git.url(), "path": "shop", "targetRevision": "main"}},
        });
        let git = git
            .file("apps/shop.yaml", application)
            .file("shop/a.yaml", config_map("a").data("colour", "blue"))
            .file("shop/b.yaml", config_map("b"))
            .file("shop/hook.yaml", HOOK)
            .commit("shop");
        let clone = folder_with([]);
        git.git(["clone", "--quiet", &git.url(), clone.path().join("infra").to_str().unwrap()]);
        Self { git, clone }
    }

    fn checkout(&self) -> PathBuf {
        self.clone.path().join("infra")
    }
}

/// A pull request that changes, adds and removes: each is on its page, without a cluster, and a hook is no reason to fail.
#[test]
fn the_preview_of_a_pull_request_shows_what_it_changes_adds_and_removes() {
    let infra = Infra::new(&json!({"server": "https://kubernetes.default.svc", "namespace": "shop"}));
    let checkout = infra.checkout();
    fs::write(checkout.join("shop/a.yaml"), config_map("a").data("colour", "red").to_string()).unwrap();
    fs::write(checkout.join("shop/c.yaml"), config_map("c").to_string()).unwrap();
    fs::remove_file(checkout.join("shop/b.yaml")).unwrap();

    let mut runner = Runner::new(&checkout, "pull_request").env("GITHUB_BASE_REF", "main");
    let run = runner.job(&workflow(), "preview");

    // `fail-on: error`: a change is what a pull request is for.
    assert!(run.passed(), "{}", run.log());
    for words in ["~ ConfigMap shop/a", "+ ConfigMap shop/c", "- ConfigMap shop/b"] {
        assert!(run.log().contains(words), "{words}\n{}", run.log());
    }
    assert!(!run.log().contains("migrate-"), "{}", run.log());
    assert!(run.log().contains("::warning file=shop/a.yaml,line=1,title=shop"), "{}", run.log());
    assert!(run.summary.contains("shop/b"), "{}", run.summary);
}

/// The pull request that adds the workflow: nothing is merged yet, and everything is new.
#[test]
fn the_preview_works_before_anything_is_merged() {
    let git = TestRepo::new().file("README.md", "empty").commit("empty");
    let clone = folder_with([]);
    let checkout = clone.path().join("infra");
    git.git(["clone", "--quiet", &git.url(), checkout.to_str().unwrap()]);
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "source": {"repoURL": git.url(), "path": "shop", "targetRevision": "main"}},
    });
    fs::create_dir_all(checkout.join("apps")).unwrap();
    fs::create_dir_all(checkout.join("shop")).unwrap();
    fs::write(checkout.join("apps/shop.yaml"), application.to_string()).unwrap();
    fs::write(checkout.join("shop/a.yaml"), config_map("a").to_string()).unwrap();

    let run = Runner::new(&checkout, "pull_request").env("GITHUB_BASE_REF", "main").job(&workflow(), "preview");

    assert!(run.passed(), "{}", run.log());
    assert!(run.log().contains("+ ConfigMap shop/a"), "{}", run.log());
}

/// Every hour, with a kubeconfig that can only read: in sync passes, drift fails the job, and the report is kept.
#[test]
fn the_scheduled_job_reports_drift_with_a_read_only_kubeconfig() {
    let cluster = or_skip!(TestCluster::namespace());
    let reader = cluster.account("drift").may("get,list", "configmaps,jobs.batch");
    let infra = Infra::new(&json!({"server": cluster.server(), "namespace": cluster.name()}));
    let text = fs::read_to_string(reader.kubeconfig()).unwrap();
    let job = || {
        let mut runner = Runner::new(&infra.checkout(), "schedule").with("secrets.DRIFT_KUBECONFIG", &text);
        let run = runner.job(&workflow(), "drift");
        let kubeconfig = runner.temp().join("kubeconfig");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(kubeconfig).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        run
    };
    for name in ["a", "b"] {
        cluster.apply(fs::read_to_string(infra.git.path().join(format!("shop/{name}.yaml"))).unwrap());
    }
    let same = job();
    assert!(same.passed(), "{}", same.log());

    cluster.kubectl(["patch", "configmap", "a", "-p", r#"{"data":{"colour":"red"}}"#]);
    let drift = job();

    assert_eq!(drift.steps.last().map(|step| step.code), Some(1), "{}", drift.log());
    assert!(drift.summary.contains("colour"), "{}", drift.summary);
    assert_eq!(drift.uploaded.len(), 1, "the report is uploaded, although the step failed");
}

/// A run that fails before there is a report says why on the summary page and as an annotation, not only in the log.
#[test]
fn a_failure_before_the_report_is_on_the_summary_page() {
    let folder = folder_with([]);
    for (inputs, words) in [
        (vec![("path", "apps/"), ("args", "--no-such-flag")], "--no-such-flag"),
        (vec![("path", "")], "path is empty"),
        (vec![("path", "apps/"), ("command", "destroy")], "command is not one of diff, sync, reconcile, install"),
        (vec![("path", "apps/"), ("fail-on", "sometimes")], "fail-on is not one of"),
    ] {
        let run = Runner::new(folder.path(), "push").action(&inputs);
        let step = run.steps.last().unwrap();
        assert_eq!(step.code, 2, "{inputs:?}\n{}", run.log());
        assert!(run.summary.starts_with("## ❌ ") && run.summary.contains(words), "{inputs:?}\n{}", run.summary);
        let annotated =
            run.log().lines().any(|line| line.starts_with("::error title=trueup::") && line.contains(words));
        assert!(annotated, "{inputs:?}\n{}", run.log());
        assert_eq!(step.outputs["drift"], "unknown");
        assert_eq!(step.outputs["markdown"], "");
    }
}

/// Manifests that cannot be read: there is a report, and the file and the line are in an annotation.
#[test]
fn an_error_in_a_manifest_is_an_annotation_with_file_and_line() {
    let folder = folder_with([(
        "apps/shop.yaml",
        &"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: 5\n",
    )]);

    let run = Runner::new(folder.path(), "push").action(&[("path", "apps/")]);

    assert_eq!(run.steps.last().unwrap().code, 2, "{}", run.log());
    assert!(run.log().contains("::error ") && run.log().contains("apps/shop.yaml"), "{}", run.log());
    assert!(run.summary.contains("apps/shop.yaml"), "{}", run.summary);
}

/// `command: sync` applies without asking, and `reconcile` follows the sync policy; both write the same report and outputs.
#[test]
fn the_action_syncs_and_reconciles() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("a").data("colour", "blue")).commit("blue");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let manifest = shop.manifest().to_str().unwrap().to_owned();
    let run = |command: &str| {
        let runner = Runner::new(&git.path(), "push").env("KUBECONFIG", cluster.kubeconfig().to_str().unwrap());
        let mut runner = runner;
        let run = runner.action(&[("command", command), ("path", &manifest)]);
        let outputs = run.steps.last().unwrap().outputs.clone();
        let markdown = fs::read_to_string(&outputs["markdown"]).unwrap_or_default();
        assert!(run.passed(), "{}", run.log());
        assert_eq!((outputs["drift"].as_str(), outputs["exit-code"].as_str()), ("false", "0"), "{}", run.log());
        assert!(markdown.contains(cluster.name()) && run.summary == markdown, "{markdown}");
    };

    run("sync");
    cluster.kubectl(["get", "configmap", "a"]);
    run("reconcile");
    trueup(["diff"]).of(&shop).exits(0);
}

/// A pull request of a stranger never writes.
#[test]
fn a_pull_request_from_a_fork_cannot_sync() {
    let folder = folder_with([]);
    let runner = || {
        Runner::new(folder.path(), "pull_request")
            .with("github.event.pull_request", "{}")
            .with("github.event.pull_request.head.repo.full_name", "stranger/infra")
    };
    for command in ["sync", "reconcile"] {
        let run = runner().action(&[("command", command), ("path", "apps/")]);
        assert_eq!(run.steps.last().unwrap().code, 2);
        assert!(run.summary.contains("refused for pull requests from forks"), "{}", run.log());
    }
}
