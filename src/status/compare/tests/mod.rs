//! What the comparison promises, as tables of named cases and as properties over arbitrary objects.

mod aggregated;
mod dropped;
mod prediction;
mod settings;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::difference::{apply, differences};
use super::shape::Shape;
use super::*;
use crate::status::{GitSinceSync, Manager};

fn object(value: Value) -> Object {
    Object::new(value).unwrap()
}

fn deployment(container: Value) -> Value {
    let mut value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}}},
    });
    value["spec"]["template"]["spec"]["containers"] = Value::Array(vec![container]);
    value
}

fn config_map(data: Value) -> Value {
    let mut value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}});
    value["data"] = data;
    value
}

fn site(spec: Value) -> Value {
    let mut value = json!({"apiVersion": "example.com/v1", "kind": "Site", "metadata": {"name": "web"}});
    value["spec"] = spec;
    value
}

/// Argo CD's defaults.
fn terms() -> Arc<Terms> {
    Arc::default()
}

fn is_settled(target: &Value, live: &Value) -> bool {
    match first_look(&object(target.clone()), Some(&Arc::new(object(live.clone()))), None, &terms()) {
        Look::Settled(drift) => {
            assert_eq!((drift.state, drift.proof), (ResourceState::InSync, InSyncProof::Structural));
            true
        }
        Look::Ask(_) => false,
    }
}

fn ask(target: Value, live: Value) -> Question {
    Question {
        target: object(target),
        live: Arc::new(object(live)),
        past: Past::Unknown,
        terms: terms(),
        defaults: Vec::new(),
    }
}

fn offline(target: Value, live: Value) -> ResourceDrift {
    second_look(&ask(target, live), Answer::Unavailable("a folder cannot be asked".to_owned()))
}

fn predicted(target: Value, live: Value, predicted: Value) -> ResourceDrift {
    second_look(&ask(target, live), Answer::Predicted(object(predicted)))
}

/// Path, git, live.
fn fields(drift: &ResourceDrift) -> Vec<(String, Option<Value>, Option<Value>)> {
    drift.fields.iter().map(|field| (field.path.to_string(), field.git.clone(), field.live.clone())).collect()
}

/// Defaults, sidecars and status around what git says are not tracked drift, and cost no request.
#[test]
fn what_the_cluster_adds_is_in_sync_without_asking() {
    let cases = [
        (
            "defaults of a container",
            deployment(json!({"name": "web", "image": "web:1"})),
            deployment(json!({"name": "web", "image": "web:1", "imagePullPolicy": "Always", "resources": {}})),
        ),
        (
            "a quantity in another spelling",
            deployment(json!({"name": "web", "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}}})),
            deployment(json!({"name": "web", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}})),
        ),
        (
            "a bare number as a quantity",
            deployment(json!({"name": "web", "resources": {"limits": {"cpu": 0.5}}})),
            deployment(json!({"name": "web", "resources": {"limits": {"cpu": "500m"}}})),
        ),
        (
            "a port without a protocol",
            deployment(json!({"name": "web", "ports": [{"containerPort": 80}]})),
            deployment(json!({"name": "web", "ports": [{"containerPort": 80, "protocol": "TCP"}]})),
        ),
        (
            "empty lists and maps, zero values of fields that are no pointers",
            deployment(json!({"name": "web", "args": [], "env": null, "resources": {"limits": {}}, "tty": false})),
            deployment(json!({"name": "web"})),
        ),
        ("null in a custom resource", site(json!({"a": null})), site(json!({}))),
        (
            "status and metadata of the server",
            json!({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "x"},
                   "metadata": {"name": "shop", "creationTimestamp": null, "uid": "1", "annotations": {}}}),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "2"}}),
        ),
        (
            "`stringData` by its bytes",
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"},
                   "data": {"a": "eA=="}, "stringData": {"a": "token", "b": null}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "type": "Opaque",
                   "data": {"a": "dG9rZW4=", "b": ""}}),
        ),
        (
            "a published default inside of an atomic list",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"},
                   "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"},
                   "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80, "protocol": "TCP"}]}]}}),
        ),
    ];
    for (name, target, live) in cases {
        assert!(is_settled(&target, &live), "{name}");
    }
}

/// A cheap proof that is wrong hides a change: what is not proven is asked.
#[test]
fn what_is_not_proven_is_asked() {
    let cases = [
        ("another value", config_map(json!({"a": "1"})), config_map(json!({"a": "2"}))),
        ("a number is not its text", config_map(json!({"a": 1})), config_map(json!({"a": "1"}))),
        ("a quantity elsewhere is text", config_map(json!({"cpu": "1000m"})), config_map(json!({"cpu": "1"}))),
        ("null in a map of text", config_map(json!({"a": null})), config_map(json!({}))),
        (
            "an empty map where the Go field is a pointer",
            deployment(json!({"name": "web", "securityContext": {}})),
            deployment(json!({"name": "web"})),
        ),
        (
            "another order of environment variables",
            deployment(json!({"name": "web", "env": [{"name": "a"}, {"name": "b"}]})),
            deployment(json!({"name": "web", "env": [{"name": "b"}, {"name": "a"}]})),
        ),
        (
            "the same port by another protocol",
            deployment(json!({"name": "web", "ports": [{"containerPort": 53}]})),
            deployment(json!({"name": "web", "ports": [{"containerPort": 53, "protocol": "UDP"}]})),
        ),
        (
            "an argument more",
            deployment(json!({"name": "web", "args": ["a"]})),
            deployment(json!({"name": "web", "args": ["a", "b"]})),
        ),
        (
            "a label more in an atomic selector",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}}}),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                   "spec": {"selector": {"a": "b", "c": "d"}}}),
        ),
        ("int-or-string of another type", service_port(json!(80)), service_port(json!("80"))),
        ("a key more in a custom resource", site(json!({"a": 1})), site(json!({"a": 1, "b": 2}))),
        ("a list of a custom resource", site(json!({"a": [{"b": 1}]})), site(json!({"a": [{"b": 1, "c": 2}]}))),
    ];
    for (name, target, live) in cases {
        assert!(!is_settled(&target, &live), "{name}");
    }
}

fn service_port(target_port: Value) -> Value {
    let mut port = json!({"port": 80, "protocol": "TCP"});
    port["targetPort"] = target_port;
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [port]}})
}

/// A custom resource with defaults is not worth a request each time: its own record shows that the map is granular.
#[test]
fn managed_fields_prove_a_map_of_a_custom_resource_granular() {
    let managed = |fields: Value| {
        json!({"apiVersion": "example.com/v1", "kind": "Site", "spec": {"a": 1, "b": 2}, "metadata": {"name": "web",
            "managedFields": [{"manager": "kubectl", "operation": "Apply", "apiVersion": "example.com/v1",
                               "fieldsV1": {"f:spec": fields}}]}})
    };
    let target = site(json!({"a": 1}));
    assert!(is_settled(&target, &managed(json!({"f:a": {}}))));
    assert!(!is_settled(&target, &managed(json!({}))), "an atomic map");
    assert!(!is_settled(&target, &managed(json!({".": {}}))));
}

/// A field that trueup applied and git dropped is still there: only the server knows what becomes of it.
#[test]
fn a_field_that_git_dropped_after_our_apply_is_asked() {
    let live = |manager: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"}, "metadata": {"name": "web",
            "managedFields": [{"manager": manager, "operation": "Apply", "apiVersion": "v1",
                               "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}}]}})
    };
    let target = config_map(json!({"a": "1"}));
    assert!(!is_settled(&target, &live("trueup")));
    let drift = offline(target, live("trueup"));
    assert_eq!(fields(&drift), [("/data/b".to_owned(), None, Some(json!("2")))]);
}

#[test]
fn what_is_not_in_the_cluster_is_missing() {
    let Look::Settled(drift) = first_look(&object(config_map(json!({"a": "1"}))), None, None, &terms()) else {
        panic!("nothing to ask about")
    };
    assert_eq!((drift.state, drift.proof), (ResourceState::Missing, InSyncProof::None));
    assert_eq!(drift.target, Some(config_map(json!({"a": "1"}))));
}

/// Scaled by hand: the field, both values, and who holds it, the last one first.
#[test]
fn a_changed_field_names_both_values_and_its_managers() {
    let mut target = deployment(json!({"name": "web"}));
    target["spec"]["replicas"] = json!(2);
    let mut live = target.clone();
    live["spec"]["replicas"] = json!(3);
    let entry = |manager: &str, subresource: &str, time: &str, fields: Value| {
        json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": time,
               "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    live["metadata"]["managedFields"] = json!([
        entry("argocd-controller", "", "2026-01-01T00:00:00Z", json!({"f:spec": {"f:replicas": {}}})),
        entry("kubectl", "scale", "2026-02-01T00:00:00Z", json!({"f:spec": {"f:replicas": {}}})),
        entry("other", "", "2026-03-01T00:00:00Z", json!({"f:spec": {"f:template": {}}})),
        "malformed",
        {"manager": 7, "fieldsV1": "no"},
    ]);
    let drift = predicted(target.clone(), live, target);
    assert_eq!((drift.state, drift.proof), (ResourceState::Changed, InSyncProof::Server));
    assert_eq!(fields(&drift), [("/spec/replicas".to_owned(), Some(json!(2)), Some(json!(3)))]);
    let managers: Vec<&str> = drift.fields[0].managers.iter().map(|manager| manager.manager.as_str()).collect();
    assert_eq!(managers, ["kubectl", "argocd-controller"]);
    assert_eq!(
        drift.fields[0].managers[0],
        Manager {
            manager: "kubectl".to_owned(),
            operation: "Update".to_owned(),
            subresource: "scale".to_owned(),
            time: "2026-02-01T00:00:00Z".to_owned(),
        }
    );
}

/// The path of an item goes by its place in the live list, and the item is named.
#[test]
fn items_are_found_by_their_keys() {
    let pod = |containers: Value| {
        let mut value = deployment(json!({}));
        value["spec"]["template"]["spec"]["containers"] = containers;
        value
    };
    let target = pod(json!([{"name": "web", "image": "web:2"}, {"name": "log"}]));
    let mut live = pod(json!([{"name": "mesh"}, {"name": "web", "image": "web:1"}]));
    live["metadata"]["managedFields"] = json!([{"manager": "kubectl-set", "operation": "Update", "fieldsV1":
        {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}}}}}}}}]);
    let drift = offline(target, live);
    let list = "/spec/template/spec/containers";
    assert_eq!(
        fields(&drift),
        [
            (format!("{list}/1/image"), Some(json!("web:2")), Some(json!("web:1"))),
            (format!("{list}/2"), Some(json!({"name": "log"})), None),
        ]
    );
    assert_eq!(drift.fields[0].item, json!({"name": "web"}).as_object().cloned());
    assert_eq!(drift.fields[0].managers[0].manager, "kubectl-set");
    assert!(drift.fields[1].managers.is_empty());
}

/// What git has written is what the report shows, not what the server makes of it.
#[test]
fn git_values_are_shown_as_git_spells_them() {
    let limits = |cpu: &str| deployment(json!({"name": "web", "resources": {"limits": {"cpu": cpu}}}));
    let drift = predicted(limits("2000m"), limits("1"), limits("2"));
    assert_eq!(drift.fields[0].git, Some(json!("2000m")));
    assert_eq!(drift.fields[0].live, Some(json!("1")));
}

/// Without the server, a default inside of an atomic list is not shown as drift, and the note says what is not sure.
#[test]
fn without_the_server_doubts_are_a_note() {
    let drift = offline(site(json!({"a": [{"b": 1}]})), site(json!({"a": [{"b": 1, "c": 2}]})));
    assert_eq!(drift.state, ResourceState::InSync);
    assert_eq!(
        drift.note.as_deref(),
        Some("compared without the server: a folder cannot be asked; only the server can decide `spec.a[0].c`")
    );
}

#[test]
fn a_refused_target_shows_what_differs_and_the_words() {
    let refused =
        |target: Value, live: Value| second_look(&ask(target, live), Answer::Refused("field is immutable".into()));
    let drift = refused(config_map(json!({"a": "1"})), config_map(json!({"a": "2"})));
    assert_eq!((drift.state, drift.fields.len()), (ResourceState::Changed, 1));
    assert_eq!(drift.note.as_deref(), Some("the server refuses it: field is immutable"));
    let drift = refused(site(json!({"a": 1})), site(json!({"a": 1, "b": 2})));
    assert_eq!((drift.state, drift.proof), (ResourceState::Unknown, InSyncProof::None));
}

#[test]
fn the_words_of_a_refusal_never_quote_a_secret() {
    let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"a": value}});
    let words = "data[a]: Invalid value: \"swordfish\"".to_owned();
    let drift = second_look(&ask(secret("swordfish"), secret("other")), Answer::Refused(words));
    assert!(!format!("{drift:?}").contains("swordfish"));
    assert_eq!(drift.state, ResourceState::Changed);
}

#[test]
fn the_last_applied_annotation_never_counts_and_never_shows() {
    let live = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "metadata": {"name": "key",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"c3dvcmRmaXNo\"}}"}}});
    let target = json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "eQ=="}, "metadata": {"name": "key"}});
    let drift = offline(target, live.clone());
    assert_eq!(drift.fields.len(), 1);
    for drift in [drift, extra(&object(live), None)] {
        assert!(!format!("{drift:?}").contains("c3dvcmRmaXNo"));
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_i64).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        Just(json!("100m")),
        Just(json!("0.1")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            map_of(inner.clone()),
            prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("c")], inner), 0..4).prop_map(|items| {
                items.into_iter().map(|(name, value)| json!({"name": name, "value": value, "key": value})).collect()
            }),
        ]
    })
}

fn map_of(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("name"),
        Just("env"),
        Just("image"),
        Just("limits"),
        Just("args"),
        Just("ports"),
        Just("containerPort"),
        Just("containers"),
        Just("tolerations"),
        Just("securityContext"),
        Just("labels"),
        Just("x"),
    ];
    prop::collection::vec((names, inner), 0..5)
        .prop_map(|entries| Value::Object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

/// Objects of kinds with and without known shapes, wild inside.
fn wild() -> impl Strategy<Value = Value> {
    let container = (json_value(), json_value(), json_value(), json_value());
    let containers = prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("c")], container), 0..4);
    let workload = containers.prop_map(|containers| {
        let containers: Vec<Value> = containers
            .into_iter()
            .map(|(name, (env, args, resources, ports))| {
                json!({"name": name, "env": env, "args": args, "resources": {"limits": resources}, "ports": ports})
            })
            .collect();
        let mut value = deployment(json!({}));
        value["spec"]["template"]["spec"]["containers"] = json!(containers);
        value
    });
    prop_oneof![
        workload,
        json_value().prop_map(config_map),
        json_value().prop_map(site),
        map_of(json_value()).prop_map(|spec| {
            let mut value = deployment(json!({}));
            value["spec"]["template"]["spec"] = spec;
            value
        }),
        (map_of("[ab]{0,3}".prop_map(Value::from)), json_value()).prop_map(|(data, texts)| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "data": data, "stringData": texts})
        }),
    ]
}

/// The shown values and the fields say the same.
fn assert_consistent(drift: &ResourceDrift) {
    assert_eq!(drift.state == ResourceState::Changed, !drift.fields.is_empty());
    if drift.state != ResourceState::Changed {
        return;
    }
    let (live, target) = (drift.live.as_ref().unwrap(), drift.target.as_ref().unwrap());
    let found = differences(target, live, None, Shape::of(&drift.gvk));
    let shown: Vec<_> =
        found.iter().map(|found| (&found.edit.path, &found.edit.git, &found.live, &found.item)).collect();
    let told: Vec<_> = drift.fields.iter().map(|field| (&field.path, &field.git, &field.live, &field.item)).collect();
    assert_eq!(shown, told);
    for field in &drift.fields {
        assert_eq!(field.path.get(live), field.live.as_ref());
    }
    let edits: Vec<Edit> = found.into_iter().map(|found| found.edit).collect();
    assert_eq!(apply(live.clone(), &edits), *target);
}

proptest! {
    #[test]
    fn an_object_is_in_sync_with_itself(value in wild()) {
        prop_assert!(is_settled(&value, &value));
    }

    #[test]
    fn a_prediction_that_is_the_live_object_is_in_sync(target in wild(), live in wild()) {
        let drift = predicted(target, live.clone(), live);
        prop_assert_eq!((drift.state, drift.proof), (ResourceState::InSync, InSyncProof::Server));
    }

    #[test]
    fn changed_means_fields_and_both_values_show_exactly_them(target in wild(), live in wild(), other in wild()) {
        assert_consistent(&predicted(target.clone(), live.clone(), other));
        assert_consistent(&offline(target.clone(), live.clone()));
        assert_consistent(&second_look(&ask(target, live), Answer::Refused("no".to_owned())));
    }

    #[test]
    fn what_is_proven_has_nothing_to_show(target in wild(), live in wild()) {
        if is_settled(&target, &live) {
            prop_assert_eq!(offline(target, live).state, ResourceState::InSync);
        }
    }

    #[test]
    fn no_piece_of_a_secret_is_in_what_is_told(
        git in prop::collection::btree_map("[a-c]", "[QXZ]{4,12}", 0..4),
        live in prop::collection::btree_map("[a-c]", "[QXZ]{4,12}", 0..4),
        words in "[QXZ]{4,8}",
    ) {
        let secret = |field: &str, data: &std::collections::BTreeMap<String, String>| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, field: data})
        };
        let (target, live) = (secret("stringData", &git), secret("data", &live));
        let pieces: Vec<String> = [&target["stringData"], &live["data"]]
            .into_iter()
            .flat_map(|data| data.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_str))
            .flat_map(|text| (0..=text.len() - 4).map(|at| text[at..at + 4].to_owned()).collect::<Vec<_>>())
            .collect();
        let told = [
            offline(target.clone(), live.clone()),
            predicted(target.clone(), live.clone(), target.clone()),
            extra(&object(live.clone()), None),
            unknown(&object(target.clone()), "why".to_owned()),
            missing(&object(target.clone())),
        ];
        for drift in told {
            assert_consistent(&drift);
            let shown = format!("{drift:?}");
            prop_assert!(!pieces.iter().any(|piece| shown.contains(piece.as_str())), "{}", shown);
        }
        let quoted = second_look(&ask(target, live), Answer::Refused(words));
        prop_assert!(quoted.note.is_some());
    }

    #[test]
    fn wild_managed_fields_never_break_the_comparison(value in wild(), managed in json_value()) {
        let mut live = value.clone();
        live["metadata"]["managedFields"] = managed.clone();
        assert_consistent(&offline(value.clone(), live.clone()));
        live["metadata"]["managedFields"] =
            json!([{"manager": "trueup", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": managed}]);
        assert_consistent(&offline(value, live));
    }
}

fn recorded(target: &Value, live: &Value) -> Baseline {
    let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
    baseline.record(&object(target.clone()), &object(live.clone()), None);
    baseline
}

fn applied_by_us(data: Value, others: &Value) -> Value {
    let mut live = config_map(data);
    let ours = json!({"manager": "trueup", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z",
                      "fieldsV1": {"f:data": {"f:a": {}}}});
    live["metadata"]["managedFields"] = json!([ours, others]);
    live
}

/// Who touched nothing of ours changes nothing for us: in sync, whatever else the object holds by now.
#[test]
fn what_is_as_the_last_sync_left_it_is_proven_without_a_look() {
    let target = config_map(json!({"a": "1"}));
    let baseline = recorded(&target, &applied_by_us(json!({"a": "1"}), &json!({})));
    let live = applied_by_us(json!({"a": "1", "b": "2"}), &json!({"manager": "somebody", "fieldsV1": {}}));
    let look = |target: &Value, live: &Value| {
        first_look(&object(target.clone()), Some(&Arc::new(object(live.clone()))), Some(&baseline), &terms())
    };
    let Look::Settled(drift) = look(&target, &live) else { panic!("it is proven") };
    assert_eq!((drift.state, drift.proof), (ResourceState::InSync, InSyncProof::Ownership));
    let Look::Ask(question) = look(&config_map(json!({"a": "2"})), &live) else { panic!("git moved") };
    let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
    assert_eq!((drift.moved, drift.fields[0].moved), (Moved::Git, Moved::Git));
    let mut touched = live;
    touched["metadata"]["managedFields"][0]["fieldsV1"] = json!({"f:data": {}});
    let Look::Settled(drift) = look(&target, &touched) else { panic!("its values are there") };
    assert_eq!(drift.proof, InSyncProof::Structural);
}

/// Then, now in git, now in the cluster: what moved is what is not as it was.
#[test]
fn three_values_tell_who_moved() {
    let cases = [
        ("git changed it", json!({"a": "1"}), json!({"a": "2"}), json!({"a": "1"}), Moved::Git),
        ("the cluster changed it", json!({"a": "1"}), json!({"a": "1"}), json!({"a": "2"}), Moved::Cluster),
        ("both changed it", json!({"a": "1"}), json!({"a": "2"}), json!({"a": "3"}), Moved::Both),
        ("git added it", json!({}), json!({"a": "1"}), json!({}), Moved::Git),
        ("it was removed by hand", json!({"a": "1"}), json!({"a": "1"}), json!({}), Moved::Cluster),
        ("both added it", json!({}), json!({"a": "1"}), json!({"a": "2"}), Moved::Both),
    ];
    for (name, last, target, live, moved) in cases {
        let managers = json!({"manager": "x", "operation": "Update", "fieldsV1": {"f:data": {"f:a": {}}}});
        let mut live = config_map(live);
        live["metadata"]["managedFields"] = json!([managers]);
        let mut question = ask(config_map(target), live);
        question.recall(Some(object(config_map(last))));
        let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
        assert_eq!((drift.fields.len(), drift.moved), (1, moved), "{name}");
        let since = if moved == Moved::Cluster { GitSinceSync::Unchanged } else { GitSinceSync::Changed };
        assert_eq!(drift.fields[0].git_since_sync, since, "{name}");
    }
}

/// Only the record proves that git is unchanged: an annotation of the live object, or a manager's name, does not.
#[test]
fn without_the_record_nothing_is_known_of_git() {
    let target = config_map(json!({"a": "1"}));
    let mut live = config_map(json!({"a": "2"}));
    live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": target.to_string()});
    for name in ["no record", "the object is not on record", "the last sync cannot be rendered"] {
        let mut question = ask(target.clone(), live.clone());
        match name {
            "the object is not on record" => question.recall(None),
            "the last sync cannot be rendered" => question.forget(),
            _ => {}
        }
        let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
        assert_eq!(drift.fields[0].git_since_sync, GitSinceSync::Unknown, "{name}");
    }
}

/// A Secret's third value is masked like the others, and compared all the same.
#[test]
fn the_third_value_of_a_secret_is_masked() {
    let secret = |text: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"a": text}});
    let mut question = ask(secret("swordfish"), secret("swordfish"));
    question = ask(secret("tunafish!"), question.live().to_value());
    question.recall(Some(object(secret("swordfish"))));
    let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
    assert_eq!(drift.moved, Moved::Git);
    assert_eq!(drift.fields[0].last_synced, drift.fields[0].live);
    assert!(!format!("{drift:?}").contains("fish"));
}

/// Where items have keys, the third value is found by them, wherever it stood.
#[test]
fn the_third_value_of_a_list_item_is_found_by_its_key() {
    let container = |images: &[(&str, &str)]| {
        let containers: Vec<Value> = images.iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
        let mut value = deployment(json!({}));
        value["spec"]["template"]["spec"]["containers"] = json!(containers);
        value
    };
    let target = container(&[("web", "web:2"), ("log", "log:1")]);
    let live = container(&[("proxy", "proxy:1"), ("web", "web:1"), ("log", "log:1")]);
    let mut question = ask(target, live);
    question.recall(Some(object(container(&[("log", "log:1"), ("web", "web:1")]))));
    let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
    assert_eq!(drift.fields.len(), 1, "{:?}", drift.fields);
    assert_eq!((drift.moved, &drift.fields[0].last_synced), (Moved::Git, &Some(json!("web:1"))));
}

/// Init containers that somebody swapped run in another order, and nobody's fields tell: they are the same ones.
#[test]
fn items_that_somebody_moved_are_no_proof() {
    let containers = |names: [&str; 2]| {
        let mut value = deployment(json!({}));
        let items = names.map(|name| json!({"name": name, "image": "a"}));
        value["spec"]["template"]["spec"]["initContainers"] = json!(items);
        value["metadata"]["managedFields"] = json!([{"manager": "trueup", "operation": "Apply", "fieldsV1": {"f:spec": {
            "f:selector": {}, "f:template": {"f:metadata": {}, "f:spec": {"f:containers": {}, "f:initContainers": {
                "k:{\"name\":\"migrate\"}": {".": {}, "f:name": {}, "f:image": {}},
                "k:{\"name\":\"seed\"}": {".": {}, "f:name": {}, "f:image": {}},
            }}},
        }}}]);
        value
    };
    let mut target = containers(["migrate", "seed"]);
    target["metadata"].as_object_mut().unwrap().remove("managedFields");
    let baseline = recorded(&target, &containers(["migrate", "seed"]));
    let look =
        |live: Value| first_look(&object(target.clone()), Some(&Arc::new(object(live))), Some(&baseline), &terms());

    let Look::Settled(drift) = look(containers(["migrate", "seed"])) else { panic!("it is as it was") };
    assert_eq!((drift.state, drift.proof), (ResourceState::InSync, InSyncProof::Ownership));
    let Look::Ask(question) = look(containers(["seed", "migrate"])) else { panic!("they are swapped") };
    let drift = second_look(&question, Answer::Unavailable("x".to_owned()));
    assert_eq!(drift.state, ResourceState::Changed);
    assert_eq!(drift.fields[0].path.to_string(), "/spec/template/spec/initContainers");
}
