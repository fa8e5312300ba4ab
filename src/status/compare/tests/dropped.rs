//! What git no longer has: taken away where somebody applied it from git, left alone where it is another's or a default.

use super::*;

pub(super) fn applied_client_side(live: Value, last: &Value, others: Value) -> Value {
    let mut live = live;
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!(last.to_string());
    live["metadata"]["managedFields"] = others;
    live
}

/// Whoever applies with kubectl or Argo CD: what git dropped and nobody else holds is drift, with or without a server.
#[test]
fn what_git_dropped_since_it_was_applied_client_side_is_drift() {
    let last = deployment(json!({"name": "web", "image": "web:1", "tty": false,
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]}));
    let live = deployment(json!({"name": "web", "image": "web:1", "imagePullPolicy": "Always",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]}));
    let live = applied_client_side(live, &last, json!([]));
    let target = deployment(json!({"name": "web", "image": "web:1", "env": [{"name": "B", "value": "2"}]}));
    assert!(!is_settled(&target, &live));
    let gone = |drift: ResourceDrift| {
        assert!(drift.fields.iter().all(|field| field.git.is_none()), "{drift:?}");
        fields(&drift).into_iter().map(|(path, ..)| path).collect::<Vec<_>>()
    };
    let env = "/spec/template/spec/containers/0/env";
    assert_eq!(gone(offline(target.clone(), live.clone())), [format!("{env}/0"), format!("{env}/2")]);
    assert_eq!(gone(predicted(target, live.clone(), live)), [format!("{env}/0"), format!("{env}/2")]);
}

/// Whoever hands a field over to a controller drops it from git on purpose.
#[test]
fn what_git_dropped_and_another_manager_holds_is_no_drift() {
    let mut last = deployment(json!({"name": "web", "image": "web:1"}));
    last["spec"]["replicas"] = json!(2);
    last["metadata"]["annotations"] = json!({"team": "shop"});
    let mut live = last.clone();
    live["spec"]["replicas"] = json!(5);
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("1");
    let others = json!([
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1",
         "fieldsV1": {"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}}},
        {"manager": "kubectl", "operation": "Update", "subresource": "scale", "apiVersion": "apps/v1",
         "fieldsV1": {"f:spec": {"f:replicas": {}}}},
    ]);
    let live = applied_client_side(live, &last, others);
    let drift = offline(deployment(json!({"name": "web", "image": "web:1"})), live);
    assert_eq!(fields(&drift), [("/metadata/annotations/team".to_owned(), None, Some(json!("shop")))]);
}

/// What is at its default was never more than said aloud; an annotation of another object says nothing.
#[test]
fn what_git_no_longer_spells_out_and_is_the_default_is_no_drift() {
    let last = deployment(json!({"name": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}], "stdin": false}));
    let target = deployment(json!({"name": "web", "ports": [{"containerPort": 80}]}));
    assert!(is_settled(&target, &applied_client_side(last.clone(), &last, json!([]))));
    let mut other = config_map(json!({"a": "1"}));
    let live = config_map(json!({"a": "1"}));
    other["metadata"]["name"] = json!("original");
    assert!(is_settled(&config_map(json!({})), &applied_client_side(live.clone(), &other, json!([]))));
    assert!(!is_settled(&config_map(json!({})), &applied_client_side(live.clone(), &live, json!([]))));
}

/// Argo CD with server-side apply, or any other tool that is the only one to have applied the object.
#[test]
fn what_git_dropped_since_another_tool_applied_it_server_side_is_drift() {
    let entry = |manager: &str| {
        json!({"manager": manager, "operation": "Apply", "apiVersion": "v1",
               "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}})
    };
    let mut live = config_map(json!({"a": "1", "b": "2"}));
    let target = config_map(json!({"a": "1"}));
    for (managers, is_drift) in [
        (json!([entry("argocd-controller"), entry("somebody")]), true),
        (json!([entry("kubectl")]), true),
        (json!([entry("one"), entry("another")]), false),
        (
            json!([{"manager": "one", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:b": {}}}}]),
            false,
        ),
    ] {
        live["metadata"]["managedFields"] = managers.clone();
        assert_eq!(!is_settled(&target, &live), is_drift, "{managers}");
        let drift = predicted(target.clone(), live.clone(), live.clone());
        assert_eq!(drift.state == ResourceState::Changed, is_drift, "{managers}");
    }
}

/// Who tracks objects puts a mark on them that is not in git: that is not something that git dropped.
#[test]
fn the_marks_of_whoever_applies_are_not_dropped_from_git() {
    let mut live = config_map(json!({"a": "1"}));
    live["metadata"]["labels"] = json!({"app.kubernetes.io/instance": "shop", "applyset.kubernetes.io/part-of": "x"});
    let last = live.clone();
    assert!(is_settled(&config_map(json!({"a": "1"})), &applied_client_side(live.clone(), &last, json!([]))));
    live["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/web"});
    let drift = offline(config_map(json!({"a": "1"})), applied_client_side(live.clone(), &live, json!([])));
    let label = "/metadata/labels/app.kubernetes.io~1instance".to_owned();
    assert_eq!(fields(&drift), [(label, None, Some(json!("shop")))]);
}

/// Whoever stops spelling out what the server fills in anyway: the server says so, and there is nothing to do.
#[test]
fn what_comes_back_by_itself_is_a_default_and_no_drift() {
    let with = |policy: Option<&str>, tty: bool| {
        let mut container = json!({"name": "web", "image": "web:1"});
        if let Some(policy) = policy {
            container["imagePullPolicy"] = json!(policy);
        }
        if tty {
            container["tty"] = json!(true);
        }
        deployment(container)
    };
    let container = "/spec/template/spec/containers/0";
    let live = applied_client_side(with(Some("IfNotPresent"), true), &with(Some("IfNotPresent"), true), json!([]));
    let asked = |without: Value| {
        let mut question = ask(with(None, false), live.clone());
        let dropped: Vec<String> = question.dropped().iter().map(ToString::to_string).collect();
        assert_eq!(dropped, [format!("{container}/imagePullPolicy"), format!("{container}/tty")]);
        question.put_back(&object(without));
        let drift = second_look(&question, Answer::Predicted(object(live.clone())));
        fields(&drift).into_iter().map(|(path, ..)| path).collect::<Vec<_>>()
    };
    assert_eq!(asked(with(Some("IfNotPresent"), false)), [format!("{container}/tty")]);
    assert_eq!(
        asked(with(Some("Always"), false)),
        [format!("{container}/imagePullPolicy"), format!("{container}/tty")],
        "another value than the default is a change"
    );
}

/// Items of lists are distinguished by their number here: where one is gone, the number means another one.
#[test]
fn what_comes_back_in_a_list_of_another_length_is_not_believed() {
    let ports = |ports: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": ports}});
    let both = ports(json!([{"port": 1, "name": "a", "nodePort": 30000}, {"port": 2, "name": "b", "nodePort": 30000}]));
    let live = applied_client_side(both.clone(), &both, json!([]));
    let mut question = ask(ports(json!([{"port": 2, "name": "b"}])), live.clone());
    question.put_back(&object(ports(json!([{"port": 2, "name": "b", "nodePort": 30000}]))));
    let drift = second_look(&question, Answer::Predicted(object(live)));
    let paths: Vec<String> = fields(&drift).into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths, ["/spec/ports/1/nodePort", "/spec/ports/0"]);
}

/// Where nobody can be asked, the schema of a custom resource says what is a default.
#[test]
fn a_default_of_the_schema_that_git_no_longer_spells_out_is_no_drift() {
    let kind = Gvk::from_api_version("example.com/v1", "Site");
    let document = json!({"components": {"schemas": {"Site": {
        "type": "object",
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Site"}],
        "properties": {"spec": {"type": "object", "properties": {
            "a": {"type": "integer"}, "replicas": {"type": "integer", "default": 1}, "size": {"type": "integer", "default": 1},
        }}},
    }}}});
    let schema = Schema::read(&document, &kind).unwrap();
    let live = site(json!({"a": 1, "replicas": 1, "size": 2}));
    let question = ask(site(json!({"a": 1})), applied_client_side(live.clone(), &live, json!([])));
    let drift = second_look(&question, Answer::Described(schema, "it may not patch".to_owned()));
    assert_eq!(fields(&drift), [("/spec/size".to_owned(), None, Some(json!(2)))]);
}

/// Applied server-side by another tool: here, too, a default is no more than said aloud.
#[test]
fn a_default_that_another_tool_applied_server_side_and_git_dropped_is_no_drift() {
    let mut live = deployment(json!({"name": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}]}));
    live["spec"]["paused"] = json!(true);
    let fields_of = json!({"f:spec": {"f:paused": {}, "f:template": {"f:spec": {"f:containers": {
        "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:ports": {".": {},
            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}}}}}}}});
    live["metadata"]["managedFields"] =
        json!([{"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields_of}]);
    let target = deployment(json!({"name": "web", "ports": [{"containerPort": 80}]}));
    assert_eq!(fields(&offline(target, live)), [("/spec/paused".to_owned(), None, Some(json!(true)))]);
}
