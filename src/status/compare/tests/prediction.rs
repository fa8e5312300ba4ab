//! What of a prediction is git's: the server does more than what it is asked to.

use super::*;

fn paths(drift: &ResourceDrift) -> Vec<String> {
    fields(drift).into_iter().map(|(path, ..)| path).collect()
}

/// The server counts generations, webhooks write what they like, and a controller was faster than the dry run: none of it is
/// said by git, and none of it is drift.
#[test]
fn what_the_server_changes_beside_is_no_drift() {
    let git = deployment(json!({"name": "web", "image": "web:2"}));
    let mut live = deployment(json!({"name": "web", "image": "web:1"}));
    live["metadata"]["managedFields"] =
        json!([{"manager": "argocd-controller", "operation": "Update", "fieldsV1": {}}]);
    let mut after = git.clone();
    after["metadata"]["annotations"] = json!({"deprecated.daemonset.template.generation": "2"});
    after["spec"]["replicas"] = json!(5);
    after["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "INJECTED", "value": "1"}]);
    assert_eq!(paths(&predicted(git, live.clone(), after.clone())), ["/spec/template/spec/containers/0/image"]);
    let git = deployment(json!({"name": "web", "image": "web:1"}));
    after["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:1");
    assert_eq!(predicted(git, live, after).state, ResourceState::InSync);
}

/// `IncludeMutationWebhook=true`: somebody wants to see what webhooks would do.
#[test]
fn what_webhooks_change_is_told_to_whoever_asks() {
    let git = config_map(json!({"a": "1"}));
    let mut live = git.clone();
    live["metadata"]["managedFields"] = json!([{"manager": "trueup", "operation": "Apply", "fieldsV1": {}}]);
    let mut after = git.clone();
    after["metadata"]["labels"] = json!({"injected": "true"});
    for (effects, expected) in [(Effects::OfGit, vec![]), (Effects::All, vec!["/metadata/labels".to_owned()])] {
        let terms = Arc::new(Terms { effects, ..Terms::default() });
        let question = Question { terms, ..ask(git.clone(), live.clone()) };
        assert_eq!(paths(&second_look(&question, Answer::Predicted(object(after.clone())))), expected);
    }
}

/// What is applied as a whole has no room for what somebody added; nor has what nothing is known of.
#[test]
fn what_git_names_a_part_of_is_gits_where_it_is_one_value() {
    let service = |selector: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector}});
    let (git, live) = (service(json!({"a": "b"})), service(json!({"a": "b", "c": "d"})));
    assert_eq!(paths(&predicted(git.clone(), live, git)), ["/spec/selector/c"]);

    let (git, live) = (site(json!({"a": {"b": 1}})), site(json!({"a": {"b": 1, "c": 2}})));
    assert_eq!(paths(&predicted(git.clone(), live, git)), ["/spec/a/c"]);

    let (git, live) = (site(json!({"a": [{"b": 1}]})), site(json!({"a": [{"x": 0}, {"b": 1}]})));
    assert_eq!(paths(&predicted(git.clone(), live, git)), ["/spec/a"]);
}

/// A field that trueup applied is removed when git removes it: there git says something by its silence.
#[test]
fn what_we_applied_and_git_dropped_is_gits() {
    let mut live = config_map(json!({"a": "1", "b": "2"}));
    live["metadata"]["managedFields"] = json!([{"manager": "trueup", "operation": "Apply", "apiVersion": "v1",
                                                "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}}]);
    let git = config_map(json!({"a": "1"}));
    let mut after = live.clone();
    after["data"] = json!({"a": "1"});
    assert_eq!(paths(&predicted(git, live, after)), ["/data/b"]);
}

/// Somebody made two ports of one: with twice the same key nothing can be found by it, and nothing is hidden.
#[test]
fn items_that_cannot_be_told_apart_hide_nothing() {
    let with = |protocol: &str| {
        let ports = json!([{"containerPort": 53, "protocol": protocol}, {"containerPort": 53, "protocol": "TCP"}]);
        deployment(json!({"name": "web", "ports": ports}))
    };
    let (git, live) = (with("UDP"), with("TCP"));
    let found = paths(&predicted(git.clone(), live, git));
    assert_eq!(found, ["/spec/template/spec/containers/0/ports/0/protocol"]);
}
