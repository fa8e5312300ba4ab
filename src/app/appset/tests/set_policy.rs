//! The policies of an ApplicationSet. Expected values: Argo CD documentation, "Progressive Syncs" and "Controlling Resource
//! Modification"; `progressive_sync_test.go`.

use super::*;

fn with(more: Value) -> Value {
    let mut spec = json!({
        "generators": [{ "list": { "elements": [] } }], "template": { "metadata": { "name": "a" }, "spec": {} }
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

fn policy(more: Value) -> SetPolicy {
    set(with(more)).policy
}

/// The messages of a set whose `spec` has more fields.
fn messages(more: Value) -> Vec<String> {
    let manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": { "name": "guestbook" }, "spec": with(more)
    });
    let read = read(&[file(&manifest.to_string())]);
    let warnings = read.sets.iter().flat_map(|set| &set.findings);
    read.findings.iter().chain(warnings).map(|finding| finding.message.clone()).collect()
}

#[test]
fn applications_sync_says_what_may_happen() {
    for (text, update, delete) in [
        ("sync", true, true),
        ("create-only", false, false),
        ("create-update", true, false),
        ("create-delete", false, true),
    ] {
        let sync = policy(json!({ "syncPolicy": { "applicationsSync": text } })).applications_sync;
        assert_eq!((sync.allows_update(), sync.allows_delete()), (update, delete), "{text}");
    }
    assert_eq!(policy(json!({})), SetPolicy::default());
    assert_eq!(policy(json!({ "syncPolicy": { "preserveResourcesOnDeletion": true } })), SetPolicy::default());
}

#[test]
fn the_order_of_deletion_is_read_beside_the_steps() {
    let strategy = json!({ "type": "RollingSync", "deletionOrder": "Reverse", "rollingSync": { "steps": [
        { "matchExpressions": [{ "key": "envLabel", "operator": "In", "values": ["env-dev"] }], "maxUpdate": "10%" }
    ] } });
    let set = set(with(json!({ "strategy": strategy })));
    assert_eq!(set.policy.deletion_order, DeletionOrder::Reverse);
    assert!(set.rolling_sync.is_some());
}

#[test]
fn max_update_is_a_number_or_a_percentage() {
    let found = |max: &Value| messages(json!({ "strategy": { "rollingSync": { "steps": [{ "maxUpdate": max }] } } }));
    for good in [json!(null), json!(0), json!(3), json!("0%"), json!("35%")] {
        assert_eq!(found(&good), Vec::<String>::new(), "{good}");
    }
    for wrong in [json!("3"), json!("-5%"), json!(-1), json!(1.5), json!("ten"), json!([])] {
        let found = found(&wrong);
        assert!(
            found.len() == 1 && found[0].contains("but has to be a number, or a percentage such as `10%`"),
            "{found:?}"
        );
    }
}

#[test]
fn fields_of_existing_applications_stay() {
    let policy = policy(json!({
        "preservedFields": { "annotations": ["my-annotation"], "labels": ["my-label"] },
        "ignoreApplicationDifferences": [
            { "jsonPointers": ["/spec/source/targetRevision"] },
            { "name": "some-app", "jqPathExpressions": [".spec.source.helm.values"] }
        ]
    }));
    assert_eq!(
        (policy.preserved_annotations, policy.preserved_labels),
        (vec!["my-annotation".to_owned()], vec!["my-label".to_owned()])
    );
    let [all, one] = &policy.ignored_differences[..] else { panic!("{:?}", policy.ignored_differences) };
    assert_eq!(all.json_pointers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/spec/source/targetRevision"]);
    assert_eq!(one.jq_path_expressions, [".spec.source.helm.values"]);
    assert!(all.is_about("any") && one.is_about("some-app") && !one.is_about("any"));
}

#[test]
fn unknown_values_are_errors_and_unknown_fields_warnings() {
    for (more, expected) in [
        (
            json!({ "syncPolicy": { "applicationsSync": "create" } }),
            "`spec.syncPolicy.applicationsSync` is `create`, but has to be one of `sync`, `create-only`, `create-update`, `create-delete`",
        ),
        (json!({ "syncPolicy": { "applicationSync": "sync" } }), "`applicationSync` is not a field"),
        (json!({ "strategy": { "type": "Rolling" } }), "but has to be one of `AllAtOnce`, `RollingSync`"),
        (json!({ "strategy": { "deletionOrder": "reverse" } }), "but has to be one of `AllAtOnce`, `Reverse`"),
        (json!({ "strategy": { "rollingSync": { "step": [] } } }), "`step` is not a field"),
        (
            json!({ "strategy": { "rollingSync": { "steps": [{ "matchExpressions": [{ "key": "a", "operator": "Exists" }] }] } } }),
            "but has to be one of `In`, `NotIn`",
        ),
        (
            json!({ "strategy": { "rollingSync": { "steps": [{ "matchExpressions": [{ "key": "a" }] }] } } }),
            "has no `operator`",
        ),
        (json!({ "preservedFields": { "annotation": [] } }), "`annotation` is not a field"),
        (json!({ "ignoreApplicationDifferences": [{ "jsonPointers": ["spec"] }] }), "a JSON pointer begins with `/`"),
        (json!({ "ignoreApplicationDifferences": [{ "jqPathExpression": [] }] }), "`jqPathExpression` is not a field"),
    ] {
        let found = messages(more.clone());
        assert!(found.len() == 1 && found[0].contains(expected), "{more}: {found:?}");
    }
}
