//! The comparison against the API server's own behaviour: what it made of a manifest is in sync, and what anybody
//! changed afterwards is found, and nothing else.

mod bad_input;
mod defaults;
mod every_field;
mod random_changes;
mod said_right;
mod same_entry;

use std::sync::Arc;

use serde_json::{Value, json};
use trueup::object::yaml::{Limits, WithPositions, read};
use trueup::object::{Object, Pointer};
use trueup::status::compare::{Answer, Look, Question, first_look, second_look};
use trueup::status::{ResourceDrift, ResourceState};

use crate::harness::{TestCluster, or_skip, program};

/// Every kind that people keep in git, written as people write it.
struct Corpus {
    cluster: TestCluster,
    text: String,
    targets: Vec<Object>,
}

impl Corpus {
    fn new(cluster: TestCluster) -> Self {
        cluster.apply(include_str!("definition.yaml"));
        cluster.kubectl(["wait", "--for=condition=Established", "crd/sites.compare.example.com", "--timeout=60s"]);
        let text = include_str!("corpus.yaml").replace("NAMESPACE", cluster.name());
        let targets = read(&text, &Limits::default(), WithPositions::No)
            .into_iter()
            .map(|document| Object::new(document.expect("YAML").value).expect("an object"))
            .collect();
        Self { cluster, text, targets }
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let output = self.cluster.try_kubectl(self.cluster.kubeconfig(), arguments, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}\n{errors}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
    }

    /// The live objects, in the order of the targets.
    fn live(&self) -> Vec<Object> {
        items(&self.kubectl(&["get", "-f", "-", "-o", "json", "--show-managed-fields"], &self.text))
    }

    /// Compares everything; also says what had to be asked.
    fn compare(&self, live: &[Object]) -> (Vec<ResourceDrift>, Vec<String>) {
        assert_eq!(self.targets.len(), live.len());
        let mut settled = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        for (target, live) in self.targets.iter().zip(live) {
            assert_eq!((target.kind(), target.name()), (live.kind(), live.name()));
            match first_look(target, Some(&Arc::new(live.clone())), None, &Arc::default()) {
                Look::Settled(drift) => settled.push(*drift),
                Look::Ask(question) => questions.push(*question),
            }
        }
        let asked = questions.iter().map(|question| name_of(question.target())).collect();
        if questions.is_empty() {
            return (settled, asked);
        }
        let list: Vec<Value> = questions.iter().map(|question| question.target().to_value()).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": list}).to_string();
        let command = ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "--field-manager=trueup"];
        let predicted = items(&self.kubectl(&[&command[..], &["-o", "json", "-f", "-"]].concat(), &list));
        assert_eq!(predicted.len(), questions.len());
        let looked = questions.into_iter().zip(predicted);
        settled.extend(looked.map(|(question, predicted)| second_look(&question, Answer::Predicted(predicted))));
        (settled, asked)
    }
}

fn name_of(object: &Object) -> String {
    format!("{} {}", object.kind(), object.name())
}

fn items(text: &str) -> Vec<Object> {
    let value: Value = serde_json::from_str(text).expect("kubectl writes JSON");
    let items = match value {
        Value::Object(mut list) if list["kind"] == "List" => list.remove("items").expect("a list has items"),
        one => json!([one]),
    };
    let Value::Array(items) = items else { panic!("a list") };
    items.into_iter().map(|item| Object::new(item).expect("an object")).collect()
}

/// What is not in sync, as the assertion should show it.
fn drifted(compared: &[ResourceDrift]) -> Vec<String> {
    let out_of_sync = compared.iter().filter(|drift| drift.state != ResourceState::InSync);
    out_of_sync
        .map(|drift| format!("{:?} {} {}: {:?}", drift.state, drift.gvk.kind, drift.name, drift.fields))
        .collect()
}

/// Defaults, assigned addresses, quantities in canonical form: what the server makes of a manifest is never drift.
#[test]
fn whatever_was_just_applied_is_in_sync() {
    let corpus = Corpus::new(or_skip!(TestCluster::namespace()));

    corpus.kubectl(&["apply", "--server-side", "--field-manager=trueup", "-f", "-"], &corpus.text);
    let (compared, asked) = corpus.compare(&corpus.live());

    assert_eq!(drifted(&compared), [""; 0]);
    // What depends on other fields, or on a schema that only the server has; all else costs no request.
    assert_eq!(asked, [format!("ClusterRoleBinding {}-metrics", corpus.cluster.name()), "Site main".to_owned()]);
}

/// Most objects in clusters were not applied server-side, and not by trueup.
#[test]
fn whatever_was_applied_client_side_is_in_sync() {
    let corpus = Corpus::new(or_skip!(TestCluster::namespace()));

    corpus.cluster.apply(&corpus.text);
    let (compared, asked) = corpus.compare(&corpus.live());

    assert_eq!(drifted(&compared), [""; 0]);
    // What depends on other fields, or on a schema that only the server has; all else costs no request.
    assert_eq!(asked, [format!("ClusterRoleBinding {}-metrics", corpus.cluster.name()), "Site main".to_owned()]);
}

/// A proof that is too cheap hides a change: each value of each manifest, changed alone, has to be asked about.
#[test]
fn no_manifest_with_one_value_changed_is_taken_for_in_sync() {
    let corpus = Corpus::new(or_skip!(TestCluster::namespace()));
    corpus.kubectl(&["apply", "--server-side", "--field-manager=trueup", "-f", "-"], &corpus.text);

    let mut changed = 0;
    for (target, live) in corpus.targets.iter().zip(corpus.live().into_iter().map(Arc::new)) {
        for place in leaves(&target.to_value()) {
            let mut value = target.to_value();
            change(value.pointer_mut(&place).unwrap());
            let looked = first_look(&Object::new(value).unwrap(), Some(&live), None, &Arc::default());
            assert!(matches!(looked, Look::Ask(_)), "{} {place}", name_of(target));
            changed += 1;
        }
    }
    assert!(changed > 400, "{changed} values");
}

/// Where the values of a manifest are that can differ from what is live.
fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    walk(value, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(list) if !list.is_empty() => {
                list.iter().enumerate().for_each(|(index, value)| walk(value, &format!("{place}/{index}"), found));
            }
            _ => found.push(place.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    let is_identity = |place: &str| matches!(place, "/kind" | "/metadata/name" | "/metadata/creationTimestamp");
    // In the corpus' Secret, `stringData` overrides this one.
    found.retain(|place| !is_identity(place) && place != "/data/password");
    found
}

fn change(value: &mut Value) {
    *value = match &*value {
        Value::String(text) => json!(format!("{text}x")),
        Value::Number(number) => json!(number.as_f64().expect("a small number") + 1.0),
        Value::Bool(value) => json!(!value),
        _ => json!({"changed": "x"}),
    };
}

/// Somebody changed one value of each object: exactly that is told, with who did it.
#[test]
fn a_changed_value_is_told_and_nothing_else() {
    let corpus = Corpus::new(or_skip!(TestCluster::namespace()));
    corpus.kubectl(&["apply", "--server-side", "--field-manager=trueup", "-f", "-"], &corpus.text);

    let mut changed = Vec::new();
    for mut live in corpus.live() {
        let name = name_of(&live).replace(corpus.cluster.name(), "NAMESPACE");
        if let Some((_, place, value)) = changes().into_iter().find(|(changed, ..)| *changed == name) {
            let mut whole = Value::Object(std::mem::take(live.value_mut()));
            whole["metadata"].as_object_mut().unwrap().remove("managedFields");
            match whole.pointer_mut(place) {
                Some(held) => *held = value,
                None => panic!("{name} has no {place}"),
            }
            changed.push((whole, place));
        }
    }
    assert_eq!(changed.len(), changes().len());
    let list: Vec<&Value> = changed.iter().map(|(whole, _)| whole).collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": list}).to_string();
    corpus.kubectl(&["replace", "--field-manager=somebody", "-f", "-"], &list);

    let live = corpus.live();
    let (compared, _) = corpus.compare(&live);
    for drift in &compared {
        let expected = changed.iter().find(|(whole, _)| {
            whole["kind"] == json!(drift.gvk.kind) && whole["metadata"]["name"] == json!(drift.name)
        });
        let places: Vec<String> = drift.fields.iter().map(|field| field.path.to_string()).collect();
        let Some((_, place)) = expected else {
            assert_eq!(places, [""; 0], "{} {}", drift.gvk.kind, drift.name);
            continue;
        };
        assert_eq!(places, [*place], "{} {}", drift.gvk.kind, drift.name);
        let field = &drift.fields[0];
        if drift.gvk.kind != "Secret" {
            let held = live.iter().find(|live| live.kind() == drift.gvk.kind && live.name() == drift.name).unwrap();
            assert_eq!(field.live.as_ref(), Pointer::parse(place).unwrap().get(&held.to_value()));
            assert!(field.live.is_none() || field.managers[0].manager == "somebody", "{field:?}");
        }
    }
}

/// One value for each object that lets one be changed.
fn changes() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("ConfigMap plain", "/data/cpu", json!("1")),
        ("Secret texts", "/data/user", json!("cm9vdA==")),
        ("Secret registry", "/data/.dockerconfigjson", json!("eyJhdXRocyI6eyJ4Ijp7fX19")),
        ("ServiceAccount robot", "/automountServiceAccountToken", json!(true)),
        ("Service inside", "/spec/ports/0/targetPort", json!(8081)),
        ("Service headless", "/spec/publishNotReadyAddresses", json!(false)),
        ("Service node-port", "/spec/sessionAffinityConfig/clientIP/timeoutSeconds", json!(200)),
        ("Service balancer", "/spec/loadBalancerSourceRanges/0", json!("10.0.0.0/16")),
        ("Service outside", "/spec/externalName", json!("example.org")),
        ("Deployment web", "/spec/template/spec/containers/0/env/0/value", json!("2")),
        ("Deployment recreate", "/spec/template/spec/terminationGracePeriodSeconds", json!(31)),
        ("StatefulSet db", "/spec/replicas", json!(4)),
        ("DaemonSet agent", "/spec/updateStrategy/rollingUpdate/maxUnavailable", json!(2)),
        ("ReplicaSet bare", "/spec/replicas", json!(1)),
        ("Job once", "/spec/suspend", json!(false)),
        ("CronJob nightly", "/spec/jobTemplate/spec/template/spec/containers/0/resources/requests/cpu", json!("200m")),
        ("Pod single", "/spec/containers/0/image", json!("main:2")),
        ("ReplicationController old", "/spec/replicas", json!(2)),
        ("PersistentVolume NAMESPACE-disk", "/spec/persistentVolumeReclaimPolicy", json!("Delete")),
        ("ResourceQuota quota", "/spec/hard/pods", json!("11")),
        ("LimitRange limits", "/spec/limits/0/defaultRequest/cpu", json!("200m")),
        ("Namespace NAMESPACE-more", "/metadata/labels/team", json!("other")),
        ("HorizontalPodAutoscaler web", "/spec/metrics/1/pods/target/averageValue", json!("2")),
        ("PodDisruptionBudget web", "/spec/minAvailable", json!("40%")),
        ("Ingress web", "/spec/rules/0/http/paths/1/pathType", json!("Prefix")),
        ("NetworkPolicy web", "/spec/ingress/0/from/1/ipBlock/cidr", json!("10.0.0.0/9")),
        ("Role reader", "/rules/0/verbs/1", json!("watch")),
        ("Role nothing", "/rules", json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
        ("RoleBinding reader", "/subjects/1/name", json!("other")),
        ("ClusterRole NAMESPACE-metrics", "/rules/0/nonResourceURLs/0", json!("/other")),
        ("ClusterRoleBinding NAMESPACE-metrics", "/subjects/0/name", json!("joe")),
        ("ValidatingWebhookConfiguration NAMESPACE-check", "/webhooks/0/rules/0/apiVersions/0", json!("v2")),
        ("MutatingWebhookConfiguration NAMESPACE-change", "/webhooks/0/reinvocationPolicy", json!("Never")),
        ("Site main", "/spec/routes/1/weight", json!(20)),
        ("Site small", "/spec/replicas", json!(3)),
        ("Endpoints manual", "/subsets/0/ports/0/port", json!(81)),
        ("EndpointSlice manual-1", "/ports/0/port", json!(81)),
    ]
}

/// The table of shapes is what Kubernetes' own types say, not what somebody remembered.
#[test]
fn the_table_of_shapes_is_that_of_the_api_server() {
    let builtin_types = or_skip!(program("builtin-types"));
    let output = std::process::Command::new(builtin_types).output().unwrap();
    assert!(output.status.success());
    let table = include_str!("../../../src/status/compare/builtin.txt");
    assert!(
        String::from_utf8(output.stdout).unwrap() == table,
        "write tests/control-plane/builtin-types' output there"
    );
}
