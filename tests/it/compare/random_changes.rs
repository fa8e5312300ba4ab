//! Random changes of random objects, by any tool and under any manager, after each way to apply: what the API server would
//! change back is reported as drift, and nothing else is. Expected is what dry runs of `kubectl apply` say.
//!
//! Each change has a copy of its object for itself, so that a few runs of kubectl and one of the binary look at all of them.
//! `TRUEUP_TEST_CHANGES` says how many changes are made, `TRUEUP_TEST_SEED` which ones.

use std::collections::BTreeMap;
use std::path::Path;

use fastrand::Rng;
use serde_json::{Map, Value, json};
use trueup::object::{Object, Pointer};

use super::Corpus;
use super::every_field::{another, identity, list};
use crate::harness::{TestApplication, TestCluster, TestRepo, folder_with, or_skip, trueup};

/// So many changes are made where nothing else is said.
const CHANGES: usize = 200;
const LABEL: &str = "applyset.kubernetes.io/part-of";

/// Kinds whose copies would reach into other objects, or into other tests.
const LEFT_OUT: [&str; 8] = [
    "ResourceQuota",
    "LimitRange",
    "Namespace",
    "PriorityClass",
    "StorageClass",
    "IngressClass",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
];

/// A custom kind with everything that a schema can say of lists and maps.
const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: looms.GROUP.example.com}
spec:
  group: GROUP.example.com
  scope: Namespaced
  names: {plural: looms, singular: loom, kind: Loom}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 2}
              name: {type: string}
              note: {type: string, nullable: true}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              plain: {type: array, items: {type: string}}
              labels: {type: object, additionalProperties: {type: string}}
              whole: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, protocol]
                items:
                  type: object
                  required: [port]
                  properties:
                    port: {type: integer}
                    protocol: {type: string, default: TCP}
                    name: {type: string}
";

fn looms(group: &str) -> Vec<Value> {
    let api_version = format!("{group}.example.com/v1");
    let loom = |name: &str, spec: Value| json!({"apiVersion": api_version, "kind": "Loom", "metadata": {"name": name}, "spec": spec});
    vec![
        loom(
            "full",
            json!({
                "size": 5, "name": "a", "note": null, "tags": ["x", "y", "z"], "plain": ["one", "two"],
                "labels": {"a": "1", "b": "2"}, "whole": {"a": "1", "b": "2"},
                "free": {"list": [{"a": 1}, {"a": 2}], "map": {"deep": {"er": true}}, "nothing": null},
                "ports": [{"port": 53, "name": "dns"}, {"port": 53, "protocol": "UDP", "name": "udp"}, {"port": 80}],
            }),
        ),
        loom("small", json!({"name": "b", "tags": [], "labels": {}, "free": {}})),
    ]
}

/// How an object came into the cluster, before somebody changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Synced,
    ClientSide,
    ServerSide,
}

/// How somebody changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tool {
    /// Not at all.
    Nothing,
    /// `kubectl replace` of an edited dump with its `managedFields`, twice.
    Dump,
    /// `kubectl replace`, which is also what an editor does.
    Replace(&'static str),
    /// `kubectl apply --server-side`.
    ServerSide(&'static str),
    /// `kubectl apply`.
    ClientSide,
    /// `kubectl patch`.
    Patch,
}

const TOOLS: [Tool; 12] = [
    Tool::Nothing,
    Tool::Dump,
    Tool::Dump,
    Tool::Replace("trueup"),
    Tool::Replace("kubectl-edit"),
    Tool::Replace("somebody"),
    Tool::Replace("argocd-controller"),
    Tool::ServerSide("trueup"),
    Tool::ServerSide("kubectl"),
    Tool::ServerSide("somebody"),
    Tool::ClientSide,
    Tool::Patch,
];

struct Case {
    target: Value,
    way: Way,
    tool: Tool,
    /// What was done, for whoever reads a failure.
    story: String,
}

/// Copies of random objects, each with a name of its own.
fn cases(objects: &[Value], count: usize, random: &mut Rng) -> Vec<Case> {
    let ways = [Way::Synced, Way::Synced, Way::ClientSide, Way::ServerSide];
    let case = |number: usize, random: &mut Rng| {
        let mut target = objects[random.usize(..objects.len())].clone();
        let name = format!("{}-{number:04}", target["metadata"]["name"].as_str().expect("it has a name"));
        target["metadata"]["name"] = json!(name);
        let (way, tool) = (ways[random.usize(..ways.len())], TOOLS[random.usize(..TOOLS.len())]);
        // One process of kubectl for each is slow.
        let tool = if tool == Tool::Patch && random.u8(..4) > 0 { Tool::Replace("kubectl-patch") } else { tool };
        Case { target, way, tool, story: String::new() }
    };
    (0..count).map(|number| case(number, random)).collect()
}

/// Every place of an object that a person could change.
fn places(object: &Value) -> Vec<Pointer> {
    fn walk(value: &Value, place: &Pointer, found: &mut Vec<Pointer>) {
        let below: Vec<(Pointer, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(name, value)| (place.child(name), value)).collect(),
            Value::Array(list) => list.iter().enumerate().map(|(index, value)| (place.index(index), value)).collect(),
            _ => Vec::new(),
        };
        for (place, value) in below {
            let is_servers = |token: &str| {
                ["uid", "resourceVersion", "managedFields", "creationTimestamp", "generation", "name", "namespace"]
                    .contains(&token)
            };
            let tokens: Vec<&str> = place.tokens().iter().map(String::as_str).collect();
            let is_left = match tokens.as_slice() {
                ["apiVersion" | "kind" | "status", ..] => true,
                ["metadata", token, ..] => {
                    is_servers(token) || tokens.contains(&"kubectl.kubernetes.io/last-applied-configuration")
                }
                _ => false,
            };
            if !is_left {
                found.push(place.clone());
                walk(value, &place, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(object, &Pointer::root(), &mut found);
    found
}

/// Changes one random place; says what it did, and as a JSON patch.
fn change(object: &mut Value, random: &mut Rng) -> Option<(String, Value)> {
    let places = places(object);
    let place = places.get(random.usize(..places.len().max(1)))?.clone();
    let is_secret = object["kind"] == "Secret" || place.to_string().starts_with("/binaryData/");
    let held = place.get(object)?.clone();
    let (what, new) = match (random.u8(..8), held) {
        (0, _) => ("removed", None),
        (1, _) => ("made null", Some(Value::Null)),
        (2, Value::String(_) | Value::Number(_)) => ("of another type", Some(json!({"a": "b"}))),
        (2 | 3, Value::Array(mut items)) if items.len() > 1 => {
            items.reverse();
            ("reversed", Some(json!(items)))
        }
        (4 | 5, Value::Array(mut items)) if !items.is_empty() => {
            items.push(items[0].clone());
            ("one item twice", Some(json!(items)))
        }
        (_, Value::Array(_)) => ("emptied", Some(json!([]))),
        (3, Value::Object(_)) => ("emptied", Some(json!({}))),
        (_, Value::Object(mut map)) => {
            map.insert("added".to_owned(), json!(if is_secret { "YWRkZWQ=" } else { "added" }));
            ("with a key more", Some(Value::Object(map)))
        }
        (_, value) => ("another value", Some(another(&value, is_secret))),
    };
    let (last, parent) = (place.last()?.to_owned(), place.parent()?);
    match (object.pointer_mut(&parent.to_string())?, &new) {
        (Value::Object(map), Some(new)) => drop(map.insert(last, new.clone())),
        (Value::Object(map), None) => drop(map.remove(&last)),
        (Value::Array(items), Some(new)) => items[last.parse::<usize>().ok()?] = new.clone(),
        (Value::Array(items), None) => drop(items.remove(last.parse::<usize>().ok()?)),
        _ => return None,
    }
    let patch = match &new {
        Some(new) => json!([{"op": "replace", "path": place.to_string(), "value": new}]),
        None => json!([{"op": "remove", "path": place.to_string()}]),
    };
    Some((format!("{place} {what}"), patch))
}

struct Lab {
    corpus: Corpus,
    cases: Vec<Case>,
}

impl Lab {
    fn run(&self, arguments: &[&str], items: &[Value]) -> Option<String> {
        if items.is_empty() {
            return Some(String::new());
        }
        // What the server refuses stays as it was.
        let output = self.corpus.cluster.try_kubectl(self.corpus.cluster.kubeconfig(), arguments, &list(items));
        output.status.success().then(|| String::from_utf8(output.stdout).expect("kubectl writes UTF-8"))
    }

    /// The objects that kubectl prints, by kind and name. It prints none where one fails: then each half is asked about.
    fn objects(&self, arguments: &[&str], items: &[Value]) -> BTreeMap<(String, String), Value> {
        if let Some(text) = self.run(&[arguments, &["-o", "json"]].concat(), items) {
            let printed = serde_json::from_str(&text).unwrap_or(Value::Null);
            let items = if printed["kind"] == "List" { printed["items"].clone() } else { json!([printed]) };
            let items = items.as_array().cloned().unwrap_or_default();
            return items.into_iter().map(|item| (identity(&item), item)).collect();
        }
        if items.len() < 2 {
            return BTreeMap::new();
        }
        let (one, other) = items.split_at(items.len() / 2);
        let (mut found, more) = (self.objects(arguments, one), self.objects(arguments, other));
        found.extend(more);
        found
    }

    fn live(&self) -> BTreeMap<(String, String), Value> {
        self.objects(&["get", "-f", "-", "--show-managed-fields"], &self.targets(|_| true))
    }

    fn targets(&self, wanted: impl Fn(&Case) -> bool) -> Vec<Value> {
        self.cases.iter().filter(|case| wanted(case)).map(|case| case.target.clone()).collect()
    }

    /// Lets each tool change its objects.
    fn change(&mut self, before: &BTreeMap<(String, String), Value>, random: &mut Rng) {
        let mut by_tool: BTreeMap<Tool, Vec<Value>> = BTreeMap::new();
        for case in &mut self.cases {
            let Some(live) = before.get(&identity(&case.target)) else { continue };
            let mut object = match case.tool {
                Tool::Nothing => continue,
                Tool::ServerSide(_) | Tool::ClientSide => with_label(&case.target, live),
                Tool::Dump | Tool::Replace(_) | Tool::Patch => live.clone(),
            };
            let Some((story, patch)) = change(&mut object, random) else { continue };
            case.story = story;
            if case.tool == Tool::Patch {
                let (kind, name) = (format!("{}.{}", resource(live), group(live)), identity(live).1);
                let kind = kind.trim_end_matches('.').to_owned();
                let patch = patch.to_string();
                let arguments = ["patch", &kind, &name, "--type=json", "-p", &patch];
                self.corpus.cluster.try_kubectl(self.corpus.cluster.kubeconfig(), &arguments, "");
                continue;
            }
            if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                metadata.remove("resourceVersion");
                if case.tool != Tool::Dump {
                    metadata.remove("managedFields");
                }
            }
            by_tool.entry(case.tool).or_default().push(object);
        }
        for (tool, objects) in by_tool {
            let manager = |name: &str| format!("--field-manager={name}");
            match tool {
                Tool::Nothing | Tool::Patch => {}
                Tool::Dump => {
                    for _ in 0..2 {
                        self.run(&["replace", "--validate=ignore", "-f", "-"], &objects);
                    }
                }
                Tool::Replace(name) => {
                    self.run(&["replace", "--validate=ignore", &manager(name), "-f", "-"], &objects);
                }
                Tool::ServerSide(name) => {
                    let apply = ["apply", "--server-side", "--force-conflicts", "--validate=ignore", "-f", "-"];
                    self.run(&[&apply[..], &[&manager(name)]].concat(), &objects);
                }
                Tool::ClientSide => {
                    self.run(&["apply", "--validate=ignore", "-f", "-"], &objects);
                }
            }
        }
    }
}

fn group(object: &Value) -> String {
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    api_version.rsplit_once('/').map(|(group, _)| group.to_owned()).unwrap_or_default()
}

fn resource(object: &Value) -> String {
    object["kind"].as_str().unwrap_or_default().to_lowercase()
}

/// What trueup applies: git's manifest with the label that its members carry.
fn with_label(target: &Value, live: &Value) -> Value {
    let mut object = Object::new(target.clone()).expect("an object");
    if let Some(id) = live["metadata"]["labels"][LABEL].as_str() {
        object.set_label(LABEL, id);
    }
    object.into_value()
}

/// An object without what the server counts and keeps.
fn compared(object: &Value) -> Value {
    let mut object = object.clone();
    let Some(map) = object.as_object_mut() else { return object };
    map.remove("status");
    if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    without_nulls(object)
}

/// Whether a null is stored depends on how the object was applied.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

/// Argo CD leaves some kinds out unless it is told not to.
fn nothing_is_left_out() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"resource.exclusions": "[]"}})
}

/// What a report says of each object.
fn reported(applications: &[&TestApplication], settings: &Path) -> BTreeMap<(String, String), Value> {
    let run = trueup(["diff", "-o", "json", "--argocd-cm"]).argument(settings);
    let mut run = run.time_limit(std::time::Duration::from_secs(600));
    for application in &applications[1..] {
        run = run.argument(application.manifest());
    }
    let report = run.of(applications[0]).outcome();
    let applications = report.json()["applications"].as_array().expect("applications").clone();
    let resources =
        applications.iter().flat_map(|application| application["resources"].as_array().cloned().unwrap_or_default());
    let named = |resource: Value| {
        let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        ((text("kind"), text("name")), resource)
    };
    resources.map(named).collect()
}

/// How often a change is random, by default and on demand.
fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

type Name = (String, String);

impl Lab {
    /// The API server with the kinds, and a copy of a random object for each change.
    fn new(cluster: TestCluster, count: usize, random: &mut Rng) -> Self {
        let corpus = Corpus::new(cluster);
        let group = corpus.cluster.name().to_owned();
        corpus.cluster.apply(DEFINITION.replace("GROUP", &group));
        let definition = format!("crd/looms.{group}.example.com");
        corpus.kubectl(&["wait", "--for=condition=Established", &definition, "--timeout=60s"], "");
        let targets = corpus.targets.iter().map(Object::to_value);
        let mut objects: Vec<Value> =
            targets.filter(|object| !LEFT_OUT.iter().any(|kind| object["kind"] == **kind)).collect();
        for _ in 0..5 {
            objects.extend(looms(&group));
        }
        let cases = cases(&objects, count, random);
        Self { corpus, cases }
    }

    /// Git with everything: each way to apply has an application of its own.
    fn git(&self) -> TestRepo {
        let mut git = TestRepo::new();
        for (way, folder) in WAYS {
            let documents: Vec<String> = self.targets(|case| case.way == way).iter().map(Value::to_string).collect();
            git = git.file(&format!("{folder}/all.yaml"), documents.join("\n---\n"));
        }
        git.commit("all")
    }

    /// Brings every object into the cluster, in its way.
    fn apply(&self, synced: &TestApplication, settings: &Path) {
        let sync = trueup(["sync", "-y", "-q", "--argocd-cm"]).argument(settings).of(synced);
        let sync = sync.time_limit(std::time::Duration::from_secs(600)).outcome();
        assert!(sync.code == Some(0), "{}", sync.transcript());
        self.run(&["apply", "-f", "-"], &self.targets(|case| case.way == Way::ClientSide));
        self.run(&["apply", "--server-side", "-f", "-"], &self.targets(|case| case.way == Way::ServerSide));
    }

    /// What applying git's manifests would make of the objects: by trueup, and by others of what trueup would not change and
    /// the report calls drift all the same.
    fn predict(&self, seen: &mut Seen) {
        let dry_run = ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-"];
        let by = |name: &str| format!("--field-manager={name}");
        let targets: Vec<Value> = self
            .cases
            .iter()
            .filter_map(|case| Some(with_label(&case.target, seen.before.get(&identity(&case.target))?)))
            .collect();
        seen.by_trueup = self.objects(&[&dry_run[..], &[&by("trueup")]].concat(), &targets);
        let is_unclear = |object: &&Value| {
            let name = identity(object);
            !seen.is_in_sync(&name) && !seen.would_change(&seen.by_trueup, &name)
        };
        let unclear: Vec<Value> = targets.iter().filter(is_unclear).cloned().collect();
        seen.by_others.push(self.objects(&["apply", "--dry-run=server", "-f", "-"], &unclear));
        for name in ["kubectl", "somebody"] {
            seen.by_others.push(self.objects(&[&dry_run[..], &[&by(name)]].concat(), &unclear));
        }
    }
}

const WAYS: [(Way, &str); 3] = [(Way::Synced, "synced"), (Way::ClientSide, "client"), (Way::ServerSide, "server")];

/// Every object before and after the changes, what is reported of it, and what applying git would make of it.
#[derive(Default)]
struct Seen {
    before: BTreeMap<Name, Value>,
    after: BTreeMap<Name, Value>,
    reported: BTreeMap<Name, Value>,
    by_trueup: BTreeMap<Name, Value>,
    /// What somebody applied from git until now, and git does not have, is drift that only that tool's own apply takes away.
    by_others: Vec<BTreeMap<Name, Value>>,
}

impl Seen {
    fn is_changed(&self, name: &Name) -> bool {
        self.before.get(name).map(compared) != self.after.get(name).map(compared)
    }

    fn is_in_sync(&self, name: &Name) -> bool {
        self.reported.get(name).is_some_and(|told| told["state"] == "inSync")
    }

    /// What the server refuses, it would not leave as it is.
    fn would_change(&self, dry_run: &BTreeMap<Name, Value>, name: &Name) -> bool {
        dry_run.get(name).map(compared) != self.after.get(name).map(compared)
    }

    fn is_drift(&self, name: &Name) -> bool {
        self.would_change(&self.by_trueup, name)
    }

    /// Whether a key of a Secret that somebody applied as `stringData`, and that git does not have, is still in its `data`:
    /// drift, and `kubectl apply` itself does not see it, since it compares `stringData` with `stringData`.
    fn is_left_of_string_data(&self, name: &Name, target: &Value) -> bool {
        let Some(live) = self.after.get(name).filter(|live| live["kind"] == "Secret") else { return false };
        let applied = &live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
        let applied: Value = applied.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let in_git = |key: &String| ["data", "stringData"].iter().any(|field| target[field].get(key).is_some());
        let keys = applied["stringData"].as_object().into_iter().flat_map(Map::keys);
        keys.into_iter().any(|key| !in_git(key) && live["data"].get(key).is_some())
    }

    /// What is wrong with what is reported.
    fn fault(&self, case: &Case) -> Option<String> {
        let name = identity(&case.target);
        let Some(told) = self.reported.get(&name).filter(|_| self.after.contains_key(&name)) else {
            return Some(format!("{name:?} is not there"));
        };
        let is_right = if self.is_in_sync(&name) {
            !self.is_drift(&name)
        } else {
            self.is_drift(&name)
                || self.by_others.iter().any(|dry_run| self.would_change(dry_run, &name))
                || self.is_left_of_string_data(&name, &case.target)
        };
        let shown = |objects: &BTreeMap<Name, Value>| objects.get(&name).map_or(Value::Null, compared);
        let Case { way, tool, story, .. } = case;
        let (state, proof, fields) = (&told["state"], &told["proof"], &told["fields"]);
        let (live, predicted) = (shown(&self.after), shown(&self.by_trueup));
        (!is_right).then(|| {
            format!("{name:?}, {way:?}, {tool:?}: {story}: reported as {state} by {proof}: {fields}\n  live:    {live}\n  dry run: {predicted}")
        })
    }
}

/// A hidden change is the worst that a drift report can do, and noise the second worst.
#[test]
fn any_change_by_any_tool_is_drift_where_the_server_would_change_it_back() {
    let cluster = or_skip!(TestCluster::namespace());
    let seed = number_of("TRUEUP_TEST_SEED", 1);
    let count = usize::try_from(number_of("TRUEUP_TEST_CHANGES", CHANGES as u64)).expect("a number of changes");
    let mut random = Rng::with_seed(seed);
    let mut lab = Lab::new(cluster, count, &mut random);
    let git = lab.git();
    let applications = WAYS.map(|(_, folder)| git.application(folder).path(folder).deployed_to(&lab.corpus.cluster));
    let folder = folder_with([("argocd-cm.yaml", &nothing_is_left_out())]);
    let settings = folder.path().join("argocd-cm.yaml");
    lab.apply(&applications[0], &settings);

    let mut sight = Seen { before: lab.live(), ..Seen::default() };
    lab.change(&sight.before, &mut random);
    sight.after = lab.live();
    sight.reported = reported(&applications.each_ref(), &settings);
    lab.predict(&mut sight);

    let wrong: Vec<String> = lab.cases.iter().filter_map(|case| sight.fault(case)).collect();
    assert!(wrong.is_empty(), "seed {seed}, {} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    let names = || lab.cases.iter().map(|case| identity(&case.target));
    let (changes, drifts) =
        (names().filter(|name| sight.is_changed(name)).count(), names().filter(|name| sight.is_drift(name)).count());
    assert!(changes * 4 > count && drifts * 6 > count, "{changes} changes of {count}, {drifts} of them drift");
}
