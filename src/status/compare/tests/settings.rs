//! What Argo CD's settings change about comparing: the instance label, and the `status`.

use super::*;
use crate::app::settings::{StatusField, TrackingMethod, TrackingSettings};

fn ask_under(terms: Terms, target: Value, live: Value) -> Look {
    first_look(&object(target), Some(&Arc::new(object(live))), None, &Arc::new(terms))
}

/// The paths that differ without a server.
fn told(look: Look) -> Vec<String> {
    match look {
        Look::Settled(drift) => {
            assert_eq!(drift.state, ResourceState::InSync);
            Vec::new()
        }
        Look::Ask(question) => {
            let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
            fields(&drift).into_iter().map(|(path, ..)| path).collect()
        }
    }
}

/// A team that tracks by a label of its own: Argo CD puts it on each object, and git has it on none.
#[test]
fn the_instance_label_of_the_settings_is_a_mark() {
    let label = "team.example.com/app";
    let settings = |instance_label: Option<&str>, method| Terms {
        tracking: TrackingSettings {
            method: Some(method),
            instance_label: instance_label.map(str::to_owned),
            ..TrackingSettings::default()
        },
        ..Terms::default()
    };
    let target = config_map(json!({"a": "1"}));
    let mut live = target.clone();
    live["metadata"]["labels"] = json!({label: "shop"});
    let by_label = dropped::applied_client_side(live.clone(), &live, json!([]));
    assert_eq!(
        told(ask_under(settings(Some(label), TrackingMethod::Label), target.clone(), by_label.clone())),
        [""; 0]
    );
    assert_eq!(told(ask_under(settings(None, TrackingMethod::Label), target.clone(), by_label)), ["/metadata/labels"]);

    live["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/web"});
    let by_both = dropped::applied_client_side(live.clone(), &live, json!([]));
    for (method, expected) in [
        (TrackingMethod::AnnotationAndLabel, vec![]),
        (TrackingMethod::Annotation, vec!["/metadata/labels".to_owned()]),
    ] {
        assert_eq!(told(ask_under(settings(Some(label), method), target.clone(), by_both.clone())), expected);
    }
}

/// `ignoreResourceStatusField`: a status in git counts where the settings say so, and only what git says of it.
#[test]
fn a_status_in_git_is_compared_where_the_settings_say_so() {
    let with = |kind: &str, status: Value| json!({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "web"}, "spec": {"a": 1}, "status": status});
    let terms = |status_field| Terms { status_field, ..Terms::default() };
    let look = |status_field, kind: &str, git: Value, live: Value| {
        told(ask_under(terms(status_field), with(kind, git), with(kind, live)))
    };
    let ready = || "/status/ready".to_owned();
    for (status_field, kind, expected) in [
        (StatusField::IgnoredOfAll, "Site", vec![]),
        (StatusField::IgnoredOfDefinitions, "Site", vec![ready()]),
        (StatusField::IgnoredOfDefinitions, "CustomResourceDefinition", vec![]),
        (StatusField::Compared, "Site", vec![ready()]),
        (StatusField::Compared, "CustomResourceDefinition", vec![ready()]),
    ] {
        let found = look(status_field, kind, json!({"ready": true}), json!({"ready": false}));
        assert_eq!(found, expected, "{status_field:?} {kind}");
    }
    assert_eq!(look(StatusField::Compared, "Site", json!({"ready": true}), json!({"ready": true})), [""; 0]);
    let silent = json!({"apiVersion": "example.com/v1", "kind": "Site", "metadata": {"name": "web"}, "spec": {"a": 1}});
    let live = with("Site", json!({"ready": false}));
    assert_eq!(told(ask_under(terms(StatusField::Compared), silent, live)), [""; 0], "git says nothing of it");
}

/// Where the server keeps a status for itself it would not take git's, and what cannot be done is no drift.
#[test]
fn a_status_that_the_server_would_not_take_is_in_sync() {
    let with = |ready: bool| {
        json!({"apiVersion": "example.com/v1", "kind": "Site", "metadata": {"name": "web"}, "spec": {"a": 1},
               "status": {"ready": ready}})
    };
    let terms = Terms { status_field: StatusField::Compared, ..Terms::default() };
    let Look::Ask(question) = ask_under(terms, with(true), with(false)) else { panic!("it is to be asked about") };
    let drift = second_look(&question, Answer::Predicted(object(with(false))));
    assert_eq!((drift.state, drift.proof), (ResourceState::InSync, InSyncProof::Server));
    let drift = second_look(&question, Answer::Predicted(object(with(true))));
    assert_eq!(fields(&drift), [("/status/ready".to_owned(), Some(json!(true)), Some(json!(false)))]);
    assert_consistent(&drift);
}
