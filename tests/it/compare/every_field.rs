//! Any one field of any object, changed by somebody else: exactly that is told, and of no object where nothing was changed.
//!
//! Each change has a copy of its object for itself, so that one run of the binary looks at all of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup::object::quantity::Quantity;
use trueup::object::{Object, Pointer};

use super::{Corpus, leaves};
use crate::harness::{TestCluster, TestRepo, folder_with, or_skip, trueup};

/// A copy of an object, and what somebody does to one field of it.
struct Case {
    target: Value,
    place: Pointer,
    change: Change,
}

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Replace,
    Remove,
}

/// Other values that the server takes, where a letter more is none.
const OTHERS: [(&str, &str); 43] = [
    ("10.0.0.0/8", "10.0.0.0/9"),
    ("10.1.0.0/16", "10.2.0.0/16"),
    ("10.1.1.1", "10.1.1.2"),
    ("10.9.9.9", "10.9.9.8"),
    ("25%", "26%"),
    ("50%", "40%"),
    ("1000m", "700m"),
    ("10000m", "700m"),
    ("2000m", "3"),
    ("500m", "400m"),
    ("1024Mi", "2Gi"),
    ("10240Mi", "20Gi"),
    ("1024Gi", "2Ti"),
    ("1.5Gi", "2Gi"),
    ("1073741824", "2Gi"),
    ("0 3 * * *", "0 4 * * *"),
    ("Europe/Berlin", "Europe/Paris"),
    ("Always", "Never"),
    ("Forbid", "Replace"),
    ("IfNotPresent", "Always"),
    ("IfNeeded", "Never"),
    ("Ignore", "Fail"),
    ("NoneOnDryRun", "None"),
    ("None", "NoneOnDryRun"),
    ("CREATE", "UPDATE"),
    ("Exists", "Equal"),
    ("NoSchedule", "NoExecute"),
    ("In", "NotIn"),
    ("Local", "Cluster"),
    ("ClientIP", "None"),
    ("Memory", ""),
    ("Directory", "File"),
    ("Retain", "Delete"),
    ("Prefix", "Exact"),
    ("Exact", "Prefix"),
    ("Ingress", "Egress"),
    ("Namespaced", "Cluster"),
    ("ScheduleAnyway", "DoNotSchedule"),
    ("UDP", "TCP"),
    ("Pods", "Percent"),
    ("OnFailure", "Never"),
    ("Group", "User"),
    ("User", "Group"),
];

/// Parts of what tells an item of a list from the others: another one is another item.
const KEYS: [&str; 10] = [
    "name",
    "containerPort",
    "port",
    "protocol",
    "mountPath",
    "ip",
    "topologyKey",
    "whenUnsatisfiable",
    "path",
    "type",
];

pub(super) fn another(value: &Value, is_bytes: bool) -> Value {
    let number = |text: &str| text.parse::<f64>().map(|number| number * 2.0);
    match value {
        Value::String(_) if is_bytes => json!("YW5vdGhlcg=="),
        Value::String(text) => {
            let known = OTHERS.iter().find(|(one, _)| one == text).map(|(_, other)| json!(other));
            let is_amount = Quantity::parse(text).is_ok();
            known.unwrap_or_else(|| if is_amount { json!("3Gi") } else { json!(format!("{text}x")) })
        }
        Value::Number(held) => match held.as_i64() {
            Some(held) => json!(held + 1),
            None => json!(number(&held.to_string()).unwrap_or_default()),
        },
        Value::Bool(held) => json!(!held),
        _ => Value::Null,
    }
}

/// Two cases for each field that an object of the corpus sets: in one it gets another value, in the other it goes.
fn cases(targets: &[Object]) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for target in targets {
        let target = target.to_value();
        for place in leaves(&target) {
            let value = target.pointer(&place).expect("a leaf");
            if value.is_null() || value.is_object() || value.is_array() {
                // It sets nothing.
                continue;
            }
            // The server keeps texts as bytes; a default for the whole cluster would reach into other tests.
            let place = place.replace("/stringData/", "/data/");
            if ["/apiVersion", "/globalDefault"].contains(&place.as_str()) {
                continue;
            }
            for change in [Change::Replace, Change::Remove] {
                let mut target = target.clone();
                let name = target["metadata"]["name"].as_str().expect("it has a name");
                target["metadata"]["name"] = json!(format!("{name}-{:03}", cases.len()));
                cases.push(Case { target, place: Pointer::parse(&place).expect("a pointer"), change });
            }
        }
    }
    cases
}

pub(super) fn identity(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&object["kind"]), text(&object["metadata"]["name"]))
}

pub(super) fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// What somebody makes of a live object; nothing where the server keeps no such field.
fn changed(case: &Case, live: &Value) -> Option<Value> {
    let mut changed = live.clone();
    changed["metadata"].as_object_mut()?.remove("managedFields");
    let (last, parent) = (case.place.last()?.to_owned(), case.place.parent()?);
    let wanted = case.place.get(&case.target).cloned().unwrap_or_default();
    let is_bytes = ["data", "binaryData"].contains(&parent.last()?) && case.target["kind"] == "Secret"
        || parent.last() == Some("binaryData");
    let other = another(case.place.get(live).unwrap_or(&wanted), is_bytes);
    match changed.pointer_mut(&parent.to_string())? {
        Value::Object(map) if case.change == Change::Remove => drop(map.remove(&last)),
        Value::Object(map) => drop(map.insert(last, other)),
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len())?;
            match case.change {
                Change::Replace => items[index] = other,
                Change::Remove => drop(items.remove(index)),
            }
        }
        _ => return None,
    }
    Some(changed)
}

/// What a report tells of each object: the paths, and who holds them.
fn told(report: &Value) -> BTreeMap<(String, String), Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let fields = |resource: &Value| {
        let fields = resource["fields"].as_array().cloned().unwrap_or_default();
        fields.iter().map(|field| (text(&field["path"]), text(&field["by"]["manager"]))).collect()
    };
    resources.iter().map(|resource| ((text(&resource["kind"]), text(&resource["name"])), fields(resource))).collect()
}

/// Whether this is what a change of one field should be told as.
fn is_right(case: &Case, told: &[(String, String)], before: &Value, after: &Value) -> bool {
    let list = case.place.parent().and_then(|item| item.parent()).unwrap_or_default();
    let is_item = case.place.parent().is_some_and(|list| list.get(before).is_some_and(Value::is_array));
    let is_key = KEYS.contains(&case.place.last().unwrap_or_default());
    let is_of = |path: &Pointer| {
        *path == case.place
            // With the last thing in it, a map goes too.
            || (case.place.starts_with(path) && path.get(after).is_none())
            || (is_item && [path.parent(), Some(path.clone())].contains(&case.place.parent()))
            || (is_key && path.starts_with(&list))
    };
    // Somebody changed one field, and the server others with it.
    let is_changed = |path: &Pointer| path.get(before) != path.get(after);
    // What was taken away is held by nobody.
    let is_held = |by: &str| by == "somebody" || by.is_empty() || is_key;
    let paths: Vec<Pointer> = told.iter().filter_map(|(path, _)| Pointer::parse(path)).collect();
    paths.iter().any(is_of)
        && paths.iter().all(|path| is_of(path) || is_changed(path))
        && told.iter().all(|(_, by)| is_held(by))
}

/// A hidden change is the worst that a drift report can do, and noise the second worst.
#[test]
fn any_field_that_somebody_else_changes_is_told_and_nothing_else() {
    let corpus = Corpus::new(or_skip!(TestCluster::namespace()));
    let cases = cases(&corpus.targets);
    let targets: Vec<Value> = cases.iter().map(|case| case.target.clone()).collect();
    corpus.kubectl(&["apply", "--server-side", "--field-manager=trueup", "-f", "-"], &list(&targets));
    let get = || {
        let text = corpus.kubectl(&["get", "-f", "-", "-o", "json", "--show-managed-fields"], &list(&targets));
        let live: Value = serde_json::from_str(&text).expect("kubectl writes JSON");
        live["items"].as_array().expect("a list has items").clone()
    };
    let before = get();
    let changes: Vec<Value> = cases.iter().zip(&before).filter_map(|(case, live)| changed(case, live)).collect();
    // What cannot be changed, or not to this, is refused, and the others are replaced.
    let replace = ["replace", "--validate=ignore", "--field-manager=somebody", "-f", "-"];
    corpus.cluster.try_kubectl(corpus.cluster.kubeconfig(), &replace, &list(&changes));
    let after = get();

    let documents: Vec<String> = targets.iter().map(Value::to_string).collect();
    let git = TestRepo::new().file("all.yaml", documents.join("\n---\n")).commit("all");
    let application = git.application("corpus").deployed_to(&corpus.cluster);
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
                          "data": {"resource.exclusions": "[]"}});
    let folder = folder_with([("argocd-cm.yaml", &settings)]);
    let run = trueup(["diff", "-o", "json", "--argocd-cm"]).argument(folder.path().join("argocd-cm.yaml"));
    let told = told(&run.of(&application).exits(1).json());

    let (mut found, mut wrong) = (0, Vec::new());
    for (case, (before, after)) in cases.iter().zip(before.iter().zip(&after)) {
        let told = told.get(&identity(&case.target)).cloned().unwrap_or_default();
        let is_changed = case.place.get(before) != case.place.get(after);
        if (is_changed && !is_right(case, &told, before, after)) || (!is_changed && !told.is_empty()) {
            let values = (case.place.get(before), case.place.get(after));
            wrong.push(format!("{:?} {}: {values:?} is told as {told:?}", identity(&case.target), case.place));
        }
        found += usize::from(is_changed);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    assert!(found > 360, "{found} of {} fields were changed", cases.len());
}
