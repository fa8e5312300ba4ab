//! Statuses as Argo CD would have written them.

use std::time::Duration;

use super::*;
use crate::app::{Given, ManifestText};
use crate::cluster::{Propagation, Validation};
use crate::status::health::Health;
use crate::sync::execute::{Failure, FailureKind};
use crate::sync::plan::{HookDeletion, Method, Phase, Step};

fn application(sources: &str) -> Application {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop}}\nspec:\n  project: default\n  \
         {sources}\n  destination: {{name: prod, namespace: shop}}\n"
    );
    let text = ManifestText { name: "a.yaml".into(), bytes: text.into(), folder: "apps".into(), given: Given::ByName };
    crate::app::read(&[text]).applications.remove(0).unwrap()
}

const ONE: &str =
    "source: {repoURL: 'https://ci:s3cret@git.example.com/shop', path: overlays/prod, targetRevision: main}";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn drift(kind: &str, name: &str, state: ResourceState) -> ResourceDrift {
    let api_version = if kind == "Deployment" { "apps/v1" } else { "v1" };
    ResourceDrift::new(Gvk::from_api_version(api_version, kind), "shop", name, state)
}

fn outcome(kind: &str, name: &str, action: Action, result: StepResult) -> StepOutcome {
    let drift = drift(kind, name, ResourceState::InSync);
    let step = Step {
        phase: Phase::Sync,
        wave: 0,
        object: ObjectName { gvk: drift.gvk, namespace: Some("shop".to_owned()), name: name.to_owned() },
        action,
        why: "missing".to_owned(),
        hook: None,
        target: None,
        seen: None,
        unasked: false,
    };
    StepOutcome { step, result, live: None, took: Duration::ZERO }
}

fn apply() -> Action {
    Action::Apply { method: Method::Apply, validation: Validation::Strict, adopt: Vec::new(), force: false }
}

fn input<'a>(application: &'a Application, revisions: &'a [String]) -> StatusInput<'a> {
    StatusInput {
        application,
        sync: "OutOfSync",
        revisions,
        source_types: &[],
        resources: &[],
        health: None,
        conditions: &[],
        operation: None,
        history: &[],
        now: at("2026-03-10T12:00:00.987Z"),
    }
}

#[test]
fn a_status_tells_how_the_application_stands() {
    let application = application(ONE);
    let revisions = ["3f2a9c1d".repeat(5)];
    let resources = [
        drift("ConfigMap", "dropped", ResourceState::Extra),
        drift("Deployment", "web", ResourceState::Changed),
        drift("Service", "web", ResourceState::InSync),
    ];
    let web = ResourceHealth {
        gvk: resources[1].gvk.clone(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        uid: String::new(),
        health: Some(Health::new(HealthStatus::Progressing, "1 of 2 updated")),
        reasons: Vec::new(),
        logs: Vec::new(),
    };
    let conditions = [("SharedResourceWarning".to_owned(), "`Service web` is part of others too".to_owned())];
    let input = StatusInput {
        source_types: &["Kustomize".to_owned()],
        resources: &resources,
        health: Some((HealthStatus::Progressing, &[web])),
        conditions: &conditions,
        ..input(&application, &revisions)
    };
    let source = json!({"repoURL": "https://git.example.com/shop", "path": "overlays/prod", "targetRevision": "main"});
    assert_eq!(
        status(&input),
        json!({
            "sync": {"status": "OutOfSync", "revision": revisions[0],
                     "comparedTo": {"source": source, "destination": {"name": "prod", "namespace": "shop"}}},
            "health": {"status": "Progressing", "lastTransitionTime": "2026-03-10T12:00:00Z"},
            "resources": [
                {"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "dropped", "status": "OutOfSync",
                 "requiresPruning": true},
                {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web",
                 "status": "OutOfSync", "health": {"status": "Progressing", "message": "1 of 2 updated"}},
                {"version": "v1", "kind": "Service", "namespace": "shop", "name": "web", "status": "Synced"},
            ],
            "conditions": [{"type": "SharedResourceWarning", "message": "`Service web` is part of others too",
                            "lastTransitionTime": "2026-03-10T12:00:00Z"}],
            "history": [], "sourceType": "Kustomize", "reconciledAt": "2026-03-10T12:00:00Z",
        })
    );
}

#[test]
fn an_operation_tells_what_came_of_each_step() {
    let application = application(ONE);
    let revisions = ["3f2a9c1d".repeat(5)];
    let failure = Failure { kind: FailureKind::Refused, words: "exceeded quota".to_owned(), log: Vec::new() };
    let done = |words: &str| StepResult::Done(words.to_owned());
    let mut hook = outcome("Job", "migrate", apply(), done("succeeded"));
    hook.step.phase = Phase::PreSync;
    hook.step.hook = Some(HookDeletion { before_creation: true, succeeded: false, failed: false });
    let prune = Action::Prune { propagation: Propagation::Foreground };
    let steps = vec![
        hook,
        outcome("ConfigMap", "old", prune, done("pruned")),
        outcome("Service", "web", apply(), done("applied")),
        outcome("Deployment", "web", apply(), StepResult::Failed(failure)),
        outcome("ConfigMap", "late", apply(), StepResult::NotBegun),
    ];
    let operation = Operation { phase: OperationPhase::Terminated, message: "one failed".to_owned(), steps };
    let resources = [drift("ConfigMap", "dropped", ResourceState::Extra)];
    let input = StatusInput {
        resources: &resources,
        operation: Some(Done {
            operation: &operation,
            started: at("2026-03-10T11:59:00Z"),
            finished: at("2026-03-10T12:00:00Z"),
            by: "ci@runner",
            automated: true,
        }),
        ..input(&application, &revisions)
    };
    let status = status(&input);
    let state = &status["operationState"];
    assert_eq!((&state["phase"], &state["startedAt"]), (&json!("Failed"), &json!("2026-03-10T11:59:00Z")));
    assert_eq!(
        state["operation"],
        json!({
            "sync": {"revision": revisions[0]}, "initiatedBy": {"username": "ci@runner", "automated": true},
        })
    );
    let results: Vec<Value> = state["syncResult"]["resources"].as_array().unwrap().clone();
    let brief = |result: &Value| {
        ["kind", "name", "status", "hookType", "syncPhase"]
            .map(|field| result[field].as_str().unwrap_or("-").to_owned())
    };
    assert_eq!(
        results.iter().map(brief).collect::<Vec<_>>(),
        [
            ["Job", "migrate", "Synced", "PreSync", "PreSync"],
            ["ConfigMap", "old", "Pruned", "-", "Sync"],
            ["Service", "web", "Synced", "-", "Sync"],
            ["Deployment", "web", "SyncFailed", "-", "Sync"],
            ["ConfigMap", "dropped", "PruneSkipped", "-", "Sync"],
        ]
    );
    assert_eq!((&results[3]["message"], &results[2]["group"]), (&json!("exceeded quota"), &json!("")));
}

/// Several sources, one of them a chart: Argo CD has lists for them, and none of its fields for one.
#[test]
fn several_sources_are_told_in_lists() {
    let application = application(
        "sources: [{repoURL: 'https://charts.example.com', chart: web, targetRevision: 1.2.3}, \
         {repoURL: 'https://git.example.com/values', ref: values}]",
    );
    let revisions = ["1.2.3".to_owned(), "3f2a9c1d".repeat(5)];
    let source = |path: &str, revision: &String| SyncedSource {
        repo_url: "https://charts.example.com".to_owned(),
        path: path.to_owned(),
        target_revision: String::new(),
        revision: revision.clone(),
        ..SyncedSource::default()
    };
    let entry = HistoryEntry {
        id: 7,
        started: at("2026-03-10T11:00:00Z"),
        deployed: at("2026-03-10T11:01:00Z"),
        by: String::new(),
        sources: vec![source("web", &revisions[0]), source("", &revisions[1])],
    };
    let types = ["Helm".to_owned(), String::new()];
    let input = StatusInput { source_types: &types, history: &[entry], ..input(&application, &revisions) };
    let status = status(&input);
    assert_eq!(
        status["sync"]["comparedTo"]["sources"],
        json!([
            {"repoURL": "https://charts.example.com", "chart": "web", "targetRevision": "1.2.3"},
            {"repoURL": "https://git.example.com/values", "ref": "values"},
        ])
    );
    assert_eq!((&status["sync"]["revisions"], &status["sync"]["revision"]), (&json!(revisions), &Value::Null));
    assert_eq!((&status["sourceTypes"], &status["sourceType"]), (&json!(types), &Value::Null));
    assert_eq!(
        status["history"],
        json!([{
            "id": 7, "revisions": revisions, "deployStartedAt": "2026-03-10T11:00:00Z", "deployedAt": "2026-03-10T11:01:00Z",
            "initiatedBy": {}, "sources": [
                {"repoURL": "https://charts.example.com", "chart": "web"}, {"repoURL": "https://charts.example.com"},
            ],
        }])
    );
}

/// Dashboards count from `lastTransitionTime`; it moves only when something does. What Argo CD alone knows stays.
#[test]
fn what_did_not_change_keeps_its_time() {
    let live = json!({
        "health": {"status": "Healthy", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        "conditions": [{"type": "A", "message": "a", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "summary": {"images": ["web:1"]}, "resourceHealthSource": "appTree", "sourceTypes": ["Helm"],
    });
    let now = "2026-03-10T12:00:00Z";
    let status = json!({
        "health": {"status": "Healthy", "lastTransitionTime": now},
        "conditions": [{"type": "A", "message": "a", "lastTransitionTime": now},
                       {"type": "A", "message": "b", "lastTransitionTime": now}],
        "sourceType": "Helm",
    });
    assert_eq!(
        onto(Some(&live), &status),
        json!({
            "health": {"status": "Healthy", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            "conditions": [{"type": "A", "message": "a", "lastTransitionTime": "2026-01-01T00:00:00Z"},
                           {"type": "A", "message": "b", "lastTransitionTime": now}],
            "summary": {"images": ["web:1"]}, "sourceType": "Helm",
        })
    );
    assert_eq!(onto(None, &status), status);
    let degraded = json!({"health": {"status": "Degraded", "lastTransitionTime": now}});
    assert_eq!(onto(Some(&live), &degraded)["health"]["lastTransitionTime"], now);
}
