//! `RespectIgnoreDifferences`: ignored fields keep their live value in what is applied.

use super::*;
use crate::object::Pointer;
use crate::status::{FieldDrift, GitSinceSync, Ignored, Manager, Moved};
use crate::sync::plan::respect::{Unspoken, respect};

/// An ignored difference at a path, as a report has it: `git` and `live` say whether each side has a value there.
fn ignored(path: &str, git: bool, live: bool) -> Ignored {
    let masked = |is_there: bool| is_there.then(|| json!("masked"));
    let field = FieldDrift {
        path: Pointer::parse(path).unwrap(),
        git: masked(git),
        live: masked(live),
        item: None,
        managers: Vec::new(),
        moved: Moved::Unknown,
        last_synced: None,
        git_since_sync: GitSinceSync::Unknown,
    };
    Ignored { field, rule: String::new(), is_accepted: false }
}

fn held_by(manager: &str, ignored: Ignored) -> Ignored {
    let manager = Manager {
        manager: manager.to_owned(),
        operation: "Apply".to_owned(),
        subresource: String::new(),
        time: String::new(),
    };
    Ignored { field: FieldDrift { managers: vec![manager], ..ignored.field }, ..ignored }
}

fn deployment(spec: &Value) -> Object {
    let mut value = target("apps/v1 Deployment", "web");
    value["spec"] = spec.clone();
    object(value)
}

fn containers(containers: &Value) -> Value {
    json!({"template": {"spec": {"containers": containers}}})
}

/// Name, git, live, what is ignored, and what is applied.
type Case = (&'static str, Value, Value, Vec<Ignored>, Value);

fn check(cases: Vec<Case>) {
    for (name, git, live, ignored, expected) in cases {
        let respectful = respect(&deployment(&git), &deployment(&live), &ignored, Unspoken::IfOurs);
        assert_eq!(respectful, deployment(&expected), "{name}");
    }
}

#[test]
fn an_ignored_field_keeps_its_live_value() {
    let both = |path: &str| vec![ignored(path, true, true)];
    check(vec![
        ("a number", json!({"replicas": 2}), json!({"replicas": 5}), both("/spec/replicas"), json!({"replicas": 5})),
        (
            "git alone has it",
            json!({"replicas": 2, "paused": true}),
            json!({"replicas": 2}),
            vec![ignored("/spec/paused", true, false)],
            json!({"replicas": 2}),
        ),
        (
            "something deep that only the cluster has",
            json!({}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": 3}}, "list": [{"a": 1}]}),
            vec![
                held_by("trueup", ignored("/spec/strategy/rollingUpdate/maxSurge", false, true)),
                held_by("trueup", ignored("/spec/list/0", false, true)),
            ],
            json!({"strategy": {"rollingUpdate": {"maxSurge": 3}}, "list": [{"a": 1}]}),
        ),
        (
            "the status",
            json!({"replicas": 2}),
            json!({"replicas": 2}),
            both("/status/replicas"),
            json!({"replicas": 2}),
        ),
        ("nothing of that path is live", json!({"replicas": 2}), json!({}), both("/spec/replicas"), json!({})),
    ]);
}

/// Argo CD replaces lists of custom resources as a whole, and loses what git changed beside the ignored item.
#[test]
fn ignored_fields_of_lists_are_kept_item_by_item() {
    let both = |path: &str| vec![ignored(path, true, true)];
    let at = "/spec/template/spec/containers";
    check(vec![
        (
            "of one item, which stands elsewhere in git",
            containers(&json!([{"name": "new", "image": "n:1"}, {"name": "web", "image": "w:1"}])),
            containers(&json!([{"name": "web", "image": "w:2"}])),
            both(&format!("{at}/0/image")),
            containers(&json!([{"name": "new", "image": "n:1"}, {"name": "web", "image": "w:2"}])),
        ),
        (
            "of a new item",
            containers(
                &json!([{"name": "new", "image": "n:1"}, {"name": "web", "image": "w:1"}, {"name": "other", "image": "o:1"}]),
            ),
            containers(&json!([{"name": "web", "image": "w:1"}])),
            vec![ignored(&format!("{at}/2/image"), true, false)],
            containers(&json!([{"name": "new", "image": "n:1"}, {"name": "web", "image": "w:1"}, {"name": "other"}])),
        ),
        (
            "several new items, all ignored",
            containers(&json!([{"name": "new"}, {"name": "web"}, {"name": "other"}])),
            containers(&json!([{"name": "web"}])),
            vec![ignored(&format!("{at}/1"), true, false), ignored(&format!("{at}/2"), true, false)],
            containers(&json!([{"name": "web"}])),
        ),
        (
            "an item that only the cluster has, and others put there",
            containers(&json!([{"name": "web"}])),
            containers(&json!([{"name": "web"}, {"name": "sidecar"}])),
            vec![held_by("injector", ignored(&format!("{at}/1"), false, true))],
            containers(&json!([{"name": "web"}])),
        ),
        (
            "an item that only the cluster has, and trueup put there",
            containers(&json!([{"name": "web"}])),
            containers(&json!([{"name": "sidecar", "image": "s:1"}, {"name": "web"}])),
            vec![held_by("trueup", ignored(&format!("{at}/0"), false, true))],
            containers(&json!([{"name": "web"}, {"name": "sidecar", "image": "s:1"}])),
        ),
    ]);
}

/// A replaced object has nothing but what is put there.
#[test]
fn what_only_the_cluster_has_is_kept_when_the_object_is_replaced() {
    let (git, live) = (deployment(&json!({})), deployment(&json!({"replicas": 5})));
    let ignored = [held_by("autoscaler", ignored("/spec/replicas", false, true))];
    assert_eq!(respect(&git, &live, &ignored, Unspoken::IfOurs), git);
    assert_eq!(respect(&git, &live, &ignored, Unspoken::Always), live);
}

/// A rule on all labels must not make the object nobody's.
#[test]
fn identity_and_membership_are_no_rules_to_move() {
    let git = deployment(&json!({}));
    let mut other = git.clone().into_value();
    other["metadata"] = json!({"name": "other", "namespace": "other", "labels": {"a": "b"}});
    other["apiVersion"] = json!("apps/v2");
    let all = ["", "/apiVersion", "/kind", "/metadata", "/metadata/name", "/metadata/namespace"];
    let all: Vec<Ignored> = all.into_iter().map(|path| ignored(path, true, true)).collect();
    assert_eq!(respect(&git, &object(other.clone()), &all, Unspoken::IfOurs), git);
    let labels = respect(&git, &object(other), &[ignored("/metadata/labels", true, true)], Unspoken::IfOurs);
    assert_eq!(labels.metadata().unwrap()["labels"], json!({"a": "b", APPLYSET_PART_OF: ID}));
}

/// The report masks a Secret; what is applied has the value itself, wherever git wrote it.
#[test]
fn a_secret_keeps_its_live_bytes() {
    let secret = |fields: Value| {
        let mut value = target("Secret", "login");
        value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object(value)
    };
    let git = secret(json!({"stringData": {"password": "git", "user": "ada"}}));
    let live = secret(json!({"data": {"password": "bGl2ZQ==", "user": "YWRh"}}));
    let respectful = respect(&git, &live, &[ignored("/data/password", true, true)], Unspoken::IfOurs);
    assert_eq!(respectful, secret(json!({"stringData": {"user": "ada"}, "data": {"password": "bGl2ZQ=="}})));
}

/// Without the option, an ignored field is overwritten by a sync, as in Argo CD.
#[test]
fn ignored_fields_are_kept_only_with_the_option() {
    let world = |options: &str| {
        let git = deployment(&json!({"replicas": 2, "paused": true})).into_value();
        let mut live = live(&git);
        live["spec"] = json!({"replicas": 5, "paused": false});
        let mut world = World::new().options(options).in_git(git, Some(live));
        let drift = world.wanted[0].drift.as_mut().unwrap();
        drift.fields.retain(|field| field.path.to_string() != "/spec/replicas");
        drift.ignored = vec![ignored("/spec/replicas", true, true)];
        world.plan().unwrap().steps[0].target.as_ref().unwrap().value()["spec"].clone()
    };
    assert_eq!(world(""), json!({"replicas": 2, "paused": true}));
    assert_eq!(world("RespectIgnoreDifferences=true"), json!({"replicas": 5, "paused": true}));
}
