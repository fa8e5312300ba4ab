//! The run that every format is tested with: every state, warnings and errors, hostile text, a Secret, several scripts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::{Destination, Lineage};
use crate::cluster::Requests;
use crate::finding::{Code, Excerpt, Finding};
use crate::fleet::{ApplicationRun, Condition, ConditionKind, Run, SourceRun};
use crate::object::{Gvk, Object, Origin, Pointer};
use crate::report::View;
use crate::source::{Commit, PathHistory};
use crate::status::health::logs::{ContainerLog, LogQuestion};
use crate::status::health::{Health, HealthStatus, ResourceHealth};
use crate::status::{FieldDrift, GitSinceSync, InSyncProof, Manager, Moved, ResourceDrift, ResourceState};

/// Text that a terminal, markdown, HTML and a table would all obey.
pub(in crate::report) const HOSTILE: &str = "\x1b]0;owned\x07\x1b[2J @admin <img src=x onerror=alert(1)> | [x](https://evil.example) \
     `` ``` **bold** &lt; \u{202e}gpj.exe\u{200b} user@evil.example www.evil.example\r\n# heading";

const REVISION: &str = "3f2a9c1d8e7b6a5f4c3d2e1f0a9b8c7d6e5f4a3b";

/// A plain view, at the time of the fixture.
pub(in crate::report) fn view() -> View {
    View::plain("2026-03-10T12:00:00Z".parse::<Timestamp>().unwrap())
}

/// The run that has everything.
pub(in crate::report) fn everything() -> Run {
    Run {
        applications: vec![shop(), payments(), search()],
        removals: Vec::new(),
        findings: vec![
            Finding::warning(Code::AppTemplate, "apps/legacy.yaml: `{{` is a template, not a manifest")
                .with_help("render it first, and give the result"),
            Finding::error(Code::AppYaml, format!("apps/broken.yaml: cannot be read {HOSTILE}")),
        ],
        requests: Requests { discovery: 2, list: 7, get: 0, dry_run: 3, openapi: 0, access: 2, write: 0, watch: 0 },
    }
}

fn shop() -> ApplicationRun {
    let mut application = application("shop");
    application.sources = vec![source("https://git.example.com/shop/infra", "overlays/prod", "main", REVISION, "gix")];
    application.conditions = vec![Condition {
        kind: ConditionKind::RepeatedResourceWarning,
        finding: Finding::warning(
            Code::RenderRepeated,
            "shop: `ConfigMap shop/settings` is written twice; the last one counts",
        )
        .with_help("remove one of them"),
    }];
    let commit = Commit {
        hash: "9e107d9d372bb6826bd81d3542a419d6f0a1b2c3".to_owned(),
        author: "Ada Lovelace".to_owned(),
        subject: "web: 1.4.0".to_owned(),
        time: "2026-03-09T12:00:00Z".to_owned(),
    };
    let hostile_commit = Commit { author: HOSTILE.to_owned(), subject: HOSTILE.to_owned(), ..commit.clone() };
    application.history = BTreeMap::from([
        ("overlays/prod/web.yaml".to_owned(), PathHistory { commits: vec![commit], is_cut: true }),
        (HOSTILE.to_owned(), PathHistory { commits: vec![hostile_commit], is_cut: false }),
    ]);
    application.resources =
        vec![service_account(), deployment(), config_map(), secret(), hostile(), missing(), extra()];
    application
}

fn payments() -> ApplicationRun {
    let mut application = application("payments");
    application.destination =
        Destination { server: String::new(), name: "eu-prod".to_owned(), namespace: "payments".to_owned() };
    application.sources = vec![
        source("git@git.example.com:pay/infra", "", "^1.2", "", ""),
        source("https://git.example.com/pay/values", "prod", "", REVISION, "git"),
    ];
    let manifest = "kind:\n  source:\n    repoURL: git@git.example.com:pay/infra\n    targetRevision: ^1.2\n";
    application.conditions = vec![Condition {
        kind: ConditionKind::ComparisonError,
        finding: Finding::error(
            Code::SourceRevision,
            "payments: no tag satisfies `^1.2` in ssh://git@git.example.com/pay/infra",
        )
        .with_cause("the remote has 0 tags")
        .with_help("`targetRevision: main` would follow the branch")
        .at(Excerpt::new("apps/payments.yaml", manifest, 82, 4, Some("asked for here".to_owned()))),
    }];
    let mut unknown = resource("api", ResourceState::Unknown);
    unknown.namespace = "payments".to_owned();
    unknown.note = Some("`deployments.apps` may not be listed in namespace `payments`".to_owned());
    application.resources = vec![unknown];
    application
}

fn search() -> ApplicationRun {
    let mut application = application("search");
    application.cluster = "examples/search/live".to_owned();
    application.sources = vec![source("../infra", "search", "HEAD", REVISION, "working tree")];
    let mut index = resource("index", ResourceState::InSync);
    index.proof = InSyncProof::Structural;
    index.origin = Some(Origin { file: "search/index.yaml".into(), line: 1 });
    application.resources = vec![index];
    application
}

fn source(repo_url: &str, path: &str, target_revision: &str, revision: &str, fetched_by: &str) -> SourceRun {
    SourceRun {
        repo_url: repo_url.to_owned(),
        path: path.to_owned(),
        target_revision: target_revision.to_owned(),
        revision: revision.to_owned(),
        last_synced_revision: String::new(),
        fetched_by: fetched_by.to_owned(),
        dirty: false,
        tool: if revision.is_empty() { String::new() } else { "Directory".to_owned() },
    }
}

fn service_account() -> ResourceDrift {
    let mut in_sync = resource("web", ResourceState::InSync);
    in_sync.gvk = Gvk::from_api_version("v1", "ServiceAccount");
    in_sync.proof = InSyncProof::Server;
    in_sync.origin = Some(Origin { file: "base/account.yaml".into(), line: 1 });
    in_sync
}

fn deployment() -> ResourceDrift {
    let deployment = |replicas: u64, image: &str, log_level: Option<&str>| {
        let mut environment = vec![json!({ "name": "GREETING", "value": "grüß Gott 👋" })];
        environment.extend(log_level.map(|level| json!({ "name": "LOG_LEVEL", "value": level })));
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "web", "namespace": "shop", "labels": { "app.kubernetes.io/name": "web" } },
            "spec": {
                "progressDeadlineSeconds": 600,
                "replicas": replicas,
                "revisionHistoryLimit": 10,
                "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{
                        "name": "web",
                        "image": image,
                        "env": environment,
                        "ports": [{ "containerPort": 8080, "protocol": "TCP" }],
                        "resources": { "limits": { "memory": "512Mi" } },
                    }] },
                },
            },
        })
    };
    let live = deployment(5, "registry.example.com/shop/web:1.4.0-debug", Some("debug"));
    let target = deployment(2, "registry.example.com/shop/web:1.4.0", None);
    let mut drift = changed("apps/v1", "Deployment", "web", live, target);
    drift.origin = Some(Origin { file: "overlays/prod/web.yaml".into(), line: 12 });
    let container = "/spec/template/spec/containers/0";
    drift.fields = vec![
        field(&drift, "/spec/replicas", None, Some(manager("kubectl", "Update", "scale", "2026-03-10T10:00:00Z"))),
        field(
            &drift,
            &format!("{container}/env/1"),
            Some(json!({ "name": "LOG_LEVEL" })),
            Some(manager("kubectl-edit", "Update", "", "2026-03-10T11:48:00Z")),
        ),
        field(
            &drift,
            &format!("{container}/image"),
            Some(json!({ "name": "web" })),
            Some(manager("kubectl-edit", "Update", "", "2026-03-10T11:48:00Z")),
        ),
    ];
    drift.fields[0].moved = Moved::Cluster;
    drift.fields[0].last_synced = Some(json!(2));
    drift.fields[2].moved = Moved::Both;
    drift.fields[2].last_synced = Some(json!("registry.example.com/shop/web:1.3.9"));
    drift.moved = Moved::Unknown;
    drift
}

fn config_map() -> ResourceDrift {
    let config_map = |script: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "settings", "namespace": "shop" },
            "data": { "start.sh": script },
        })
    };
    let live = config_map(
        "#!/bin/sh\nset -e\n\nexport A=1\nexport B=2\nexport C=3\nexport D=4\nexec web --port 8080 --verbose\n",
    );
    let target =
        config_map("#!/bin/sh\nset -eu\n\nexport A=1\nexport B=2\nexport C=3\nexport D=4\nexec web --port 8080\n");
    let mut drift = changed("v1", "ConfigMap", "settings", live, target);
    drift.proof = InSyncProof::Structural;
    drift.note = Some("compared without the API server: this account may not patch `configmaps`".to_owned());
    drift.origin = Some(Origin { file: "base/settings.yaml".into(), line: 1 });
    drift.fields = vec![field(
        &drift,
        "/data/start.sh",
        None,
        Some(manager("argocd-controller", "Apply", "", "2026-03-07T12:00:00Z")),
    )];
    drift
}

fn secret() -> ResourceDrift {
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "login", "namespace": "shop" },
            "data": { "password": password, "user": "++++++++" },
        })
    };
    let mut drift = changed("v1", "Secret", "login", secret("++++++++++++"), secret("++++++++"));
    drift.origin = Some(Origin { file: "base/login.yaml".into(), line: 1 });
    drift.fields = vec![field(&drift, "/data/password", None, None)];
    drift
}

fn hostile() -> ResourceDrift {
    let config_map = |text: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": HOSTILE, "namespace": "shop" },
            "data": { HOSTILE: text, "fence.md": format!("```\n{text}\n````\n") },
        })
    };
    let mut drift = changed("v1", "ConfigMap", HOSTILE, config_map(HOSTILE), config_map("harmless"));
    drift.origin = Some(Origin { file: HOSTILE.into(), line: 1 });
    drift.note = Some(HOSTILE.to_owned());
    let key = Pointer::root().child("data").child(HOSTILE).to_string();
    drift.fields = vec![
        field(&drift, &key, None, Some(manager(HOSTILE, HOSTILE, HOSTILE, HOSTILE))),
        field(&drift, "/data/fence.md", None, None),
    ];
    drift.fields[0].moved = Moved::Git;
    drift
}

fn missing() -> ResourceDrift {
    let ports: Vec<Value> =
        (0..5).map(|port| json!({ "name": format!("port-{port}"), "port": 8080 + port, "protocol": "TCP" })).collect();
    let mut drift = resource("web", ResourceState::Missing);
    drift.gvk = Gvk::from_api_version("v1", "Service");
    drift.origin = Some(Origin { file: "base/service.yaml".into(), line: 1 });
    drift.target = Some(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "selector": { "app": "web" }, "ports": ports },
    }));
    drift
}

fn extra() -> ResourceDrift {
    let mut drift = resource("migrate-2025", ResourceState::Extra);
    drift.gvk = Gvk::from_api_version("batch/v1", "Job");
    drift.moved = Moved::Git;
    drift
}

/// A resource that is changed, its fields to be given yet.
pub(in crate::report) fn changed(
    api_version: &str,
    kind: &str,
    name: &str,
    live: Value,
    target: Value,
) -> ResourceDrift {
    let mut drift = resource(name, ResourceState::Changed);
    drift.gvk = Gvk::from_api_version(api_version, kind);
    drift.proof = InSyncProof::Server;
    drift.live = Some(live);
    drift.target = Some(target);
    drift
}

/// A field that differs, with the values that the resource has there.
pub(in crate::report) fn field(
    drift: &ResourceDrift,
    path: &str,
    item: Option<Value>,
    manager: Option<Manager>,
) -> FieldDrift {
    let path = Pointer::parse(path).unwrap();
    let value = |side: &Option<Value>| side.as_ref().and_then(|value| path.get(value)).cloned();
    FieldDrift {
        git: value(&drift.target),
        live: value(&drift.live),
        item: item.and_then(|item| item.as_object().cloned()),
        managers: manager.into_iter().collect(),
        moved: Moved::Unknown,
        last_synced: None,
        git_since_sync: GitSinceSync::Unknown,
        path,
    }
}

fn manager(manager: &str, operation: &str, subresource: &str, time: &str) -> Manager {
    Manager {
        manager: manager.to_owned(),
        operation: operation.to_owned(),
        subresource: subresource.to_owned(),
        time: time.to_owned(),
    }
}

/// An application with nothing in it.
pub(in crate::report) fn application(name: &str) -> ApplicationRun {
    ApplicationRun {
        name: name.to_owned(),
        namespace: "argocd".to_owned(),
        project: "default".to_owned(),
        lineage: Lineage::default(),
        destination: Destination {
            server: "https://10.0.0.1:6443".to_owned(),
            name: String::new(),
            namespace: "shop".to_owned(),
        },
        cluster: "https://10.0.0.1:6443".to_owned(),
        sources: Vec::new(),
        conditions: Vec::new(),
        resources: Vec::new(),
        recent: Vec::new(),
        first_seen: BTreeMap::new(),
        orphans: Vec::new(),
        history: BTreeMap::new(),
        health: None,
        plan: None,
        operation: None,
        left: None,
        is_going: false,
        rolled_back: None,
        is_deleted: false,
    }
}

/// A Deployment with nothing in it.
pub(in crate::report) fn resource(name: &str, state: ResourceState) -> ResourceDrift {
    ResourceDrift::new(Gvk::from_api_version("apps/v1", "Deployment"), "shop", name, state)
}

/// A Deployment that was judged.
pub(in crate::report) fn judged(status: HealthStatus, message: &str) -> ResourceHealth {
    let metadata = json!({"name": "web", "namespace": "shop"});
    let object = Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata})).unwrap();
    ResourceHealth::of(&object, Some(Health::new(status, message)))
}

/// A Deployment that does not work, with all that can be reported of it, each in this text.
pub(in crate::report) fn unwell(text: &str) -> ResourceHealth {
    let of = LogQuestion {
        namespace: "shop".to_owned(),
        pod: "web-1".to_owned(),
        container: text.to_owned(),
        previous: true,
    };
    let logs = vec![
        ContainerLog { of: of.clone(), lines: Ok(vec![text.to_owned()]) },
        ContainerLog { of: of.clone(), lines: Ok(Vec::new()) },
        ContainerLog { of, lines: Err(text.to_owned()) },
    ];
    ResourceHealth { reasons: vec![text.to_owned()], logs, ..judged(HealthStatus::Degraded, text) }
}
