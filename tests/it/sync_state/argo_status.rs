//! `.status` in Argo CD's shape, on an Application in a cluster that has its definition.

use std::time::Duration;

use serde_json::{Value, json};
use trueup::app::{self, Application, Given, ManifestText};
use trueup::cluster::{ObjectName, Validation};
use trueup::object::Gvk;
use trueup::status::health::HealthStatus;
use trueup::sync::argo_status::{Done, StatusError, StatusInput, StatusWritten, status, write};
use trueup::sync::plan::{Action, Method, Phase, Step};
use trueup::sync::state::{HistoryEntry, SyncedSource};
use trueup::sync::{Operation, OperationPhase, StepOutcome, StepResult};

use super::{Site, connection};
use crate::harness::{TestRepo, config_map, or_skip, trueup};

const SPEC: &str = "
  project: default
  source: {repoURL: 'https://git.example.com/shop', path: overlays/prod, targetRevision: main}
  destination: {server: 'https://kubernetes.default.svc', namespace: shop}
";
const SPEC_OF_SEVERAL: &str = "
  project: default
  sources: [{repoURL: 'https://git.example.com/shop', path: a}, {repoURL: 'https://git.example.com/shop', path: b}]
  destination: {server: 'https://kubernetes.default.svc', namespace: shop}
";

fn manifest(spec: &str) -> String {
    format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop}}\nspec:{spec}")
}

fn application(spec: &str) -> Application {
    let bytes = manifest(spec).into();
    let text = ManifestText { name: "shop.yaml".into(), bytes, folder: "apps".into(), given: Given::ByName };
    app::read(&[text]).applications.remove(0).unwrap()
}

/// A status with everything in it that there can be.
fn full(application: &Application) -> Value {
    let revisions = vec!["3f2a9c1d".repeat(5); application.sources.len()];
    let now: jiff::Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let source = |path: &str| SyncedSource {
        repo_url: "https://git.example.com/shop".to_owned(),
        path: path.to_owned(),
        target_revision: "main".to_owned(),
        revision: revisions[0].clone(),
        ..SyncedSource::default()
    };
    let sources = revisions.iter().map(|_| source("a")).collect();
    let entry = HistoryEntry { id: 1, started: now, deployed: now, by: "ada".to_owned(), sources };
    let step = Step {
        phase: Phase::Sync,
        wave: 0,
        object: ObjectName { gvk: Gvk::from_api_version("v1", "Namespace"), namespace: None, name: "shop".to_owned() },
        action: Action::Apply {
            method: Method::Apply,
            validation: Validation::Strict,
            adopt: Vec::new(),
            force: false,
        },
        why: String::new(),
        hook: None,
        target: None,
        seen: None,
        unasked: false,
    };
    let outcome =
        StepOutcome { step, result: StepResult::Done("applied".to_owned()), live: None, took: Duration::ZERO };
    let operation = Operation { phase: OperationPhase::Succeeded, message: "1 step".to_owned(), steps: vec![outcome] };
    status(&StatusInput {
        application,
        sync: "Synced",
        revisions: &revisions,
        source_types: &revisions.iter().map(|_| "Kustomize".to_owned()).collect::<Vec<_>>(),
        resources: &[],
        health: Some((HealthStatus::Healthy, &[])),
        conditions: &[("OrphanedResourceWarning".to_owned(), "one".to_owned())],
        operation: Some(Done { operation: &operation, started: now, finished: now, by: "ada", automated: false }),
        history: &[entry],
        now,
    })
}

fn define_applications(site: &Site) {
    site.cluster.define(include_str!("application_definition.yaml"), &["applications.argoproj.io"]);
}

/// The server keeps every field of it: none is unknown to Argo CD's definition, none that it requires is missing.
#[test]
fn a_status_is_written_to_the_application_in_the_cluster() {
    let site = or_skip!(Site::new());
    define_applications(&site);
    let put = |namespace: &str, status: &Value| site.block_on(write(&*site.connection, namespace, "shop", status));
    let live = || site.get("applications.argoproj.io/shop");

    let single = full(&application(SPEC));
    assert_eq!(put(site.cluster.name(), &single), Ok(StatusWritten::NoApplication));
    site.cluster.apply(manifest(SPEC));
    site.cluster.kubectl([
        "patch",
        "applications.argoproj.io/shop",
        "--type=merge",
        "--patch",
        r#"{"status": {"summary": {"images": ["web:1"]}, "health": {"status": "Healthy", "lastTransitionTime": "2026-01-01T00:00:00Z"}}}"#,
    ]);
    assert_eq!(put(site.cluster.name(), &single), Ok(StatusWritten::Done));
    let mut expected = single;
    expected["summary"] = json!({"images": ["web:1"]});
    expected["health"]["lastTransitionTime"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(live()["status"], expected);
    assert_eq!(live()["spec"]["source"]["path"], "overlays/prod", "nothing else is touched");

    site.cluster.kubectl(["delete", "applications.argoproj.io/shop"]);
    site.cluster.apply(manifest(SPEC_OF_SEVERAL));
    let several = full(&application(SPEC_OF_SEVERAL));
    assert_eq!(put(site.cluster.name(), &several), Ok(StatusWritten::Done));
    assert_eq!(live()["status"], several);

    let account = site.cluster.account("reader").may("get", "applications.argoproj.io");
    let reader = connection(account.kubeconfig());
    let refused = site.block_on(write(&*reader, site.cluster.name(), "shop", &several)).unwrap_err();
    assert!(matches!(refused, StatusError::Refused { .. }), "{refused}");
}

/// A team moves from Argo CD and keeps its dashboards: they read the Application's status as before.
#[test]
fn a_sync_puts_its_status_where_argo_cd_would() {
    let site = or_skip!(Site::new());
    define_applications(&site);
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("one");
    let shop = git.application("shop").deployed_to(&site.cluster);
    // Argo CD lives in the test's own namespace.
    let manifest = std::fs::read_to_string(shop.manifest()).unwrap().replace("argocd", site.cluster.name());
    std::fs::write(shop.manifest(), &manifest).unwrap();
    let sync = || {
        let arguments = ["--argocd-namespace", site.cluster.name()];
        trueup(["sync", "-y", "--write-status"]).arguments(arguments).of(&shop).exits(0)
    };
    let status = || site.get("applications.argoproj.io/shop")["status"].take();
    sync();
    assert_eq!(status(), Value::Null, "there is no Application, and that is no error");

    site.cluster.apply(manifest);
    site.cluster.kubectl(["delete", "configmap", "settings"]);
    sync();

    let status = status();
    assert_eq!((&status["sync"]["status"], &status["sync"]["revision"]), (&json!("Synced"), &json!(git.head())));
    assert_eq!(status["operationState"]["phase"], "Succeeded");
    assert_eq!(status["operationState"]["syncResult"]["resources"][0]["name"], "settings");
    let ids: Vec<&Value> = status["history"].as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, [1, 2]);
    assert_eq!(status["resources"][0]["status"], "Synced");
}

/// The sync is done and in sync, whether the account may say so on the Application or not: the error is one of writing.
#[test]
fn a_status_that_is_forbidden_leaves_the_sync_in_sync() {
    let site = or_skip!(Site::new());
    define_applications(&site);
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("one");
    let shop = git.application("shop").deployed_to(&site.cluster);
    let manifest = std::fs::read_to_string(shop.manifest()).unwrap().replace("argocd", site.cluster.name());
    std::fs::write(shop.manifest(), &manifest).unwrap();
    site.cluster.apply(manifest);
    let account = site
        .cluster
        .account("deployer")
        .may("*", "configmaps,leases.coordination.k8s.io")
        .may("get", "applications.argoproj.io");

    let run = trueup(["sync", "-y", "--write-status", "-o", "json", "--argocd-namespace", site.cluster.name()])
        .of(&shop)
        .kubeconfig(account.kubeconfig())
        .exits(2);

    let application = run.json()["applications"][0].take();
    assert_eq!(application["sync"], "Synced", "{}", run.transcript());
    assert_eq!(application["operation"]["phase"], "Succeeded", "{}", run.transcript());
    let conditions = application["conditions"].as_array().unwrap();
    let status: Vec<&Value> = conditions.iter().filter(|condition| condition["type"] == "StatusError").collect();
    assert_eq!(status.len(), 1, "{}", run.transcript());
    assert_eq!(status[0]["code"], "trueup::sync::status_refused");
}
