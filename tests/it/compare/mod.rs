//! The comparison against the API server's own behaviour: what it made of a manifest is in sync, and what anybody
//! changed afterwards is found, and nothing else.

use serde_json::{Value, json};
use trueup::object::Object;
use trueup::object::yaml::{Limits, WithPositions, read};
use trueup::status::compare::{Answer, Look, Question, first_look, second_look};
use trueup::status::{ResourceDrift, ResourceState};

use crate::harness::{TestCluster, or_skip};

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
            .map(|document| Object::new(document.unwrap().value).unwrap())
            .collect();
        Self { cluster, text, targets }
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let output = self.cluster.try_kubectl(self.cluster.kubeconfig(), arguments, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}\n{errors}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
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
            match first_look(target, Some(live)) {
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
        settled.extend(looked.map(|(question, predicted)| second_look(question, Answer::Predicted(predicted))));
        (settled, asked)
    }
}

fn name_of(object: &Object) -> String {
    format!("{} {}", object.kind(), object.name())
}

fn items(text: &str) -> Vec<Object> {
    let value: Value = serde_json::from_str(text).unwrap();
    let items = match value {
        Value::Object(mut list) if list["kind"] == "List" => list.remove("items").unwrap(),
        one => json!([one]),
    };
    let Value::Array(items) = items else { panic!("a list") };
    items.into_iter().map(|item| Object::new(item).unwrap()).collect()
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
    let live = corpus.live();
    let (compared, asked) = corpus.compare(&live);

    println!("asked: {asked:#?}");
    assert_eq!(drifted(&compared), [""; 0]);
}
