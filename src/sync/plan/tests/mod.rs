//! What a plan is, by tables of named cases; and what no plan may do, by properties.

mod delete;
mod file;
mod hooks;
mod options;
mod order;
mod properties;
mod prunes;
mod resources;
mod respect;
mod waves;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::*;
use crate::app::{Given, ManifestText};
use crate::object::Gap;
use crate::object::Object;
use crate::object::annotations::{APPLYSET_PART_OF, FIELD_MANAGER, HOOK_OF};
use crate::status::ResourceDrift;
use crate::status::compare::{Answer, Baseline, Look, extra, first_look, second_look};
use crate::status::tracking::Tracking;
use crate::sync::Scope;

/// The application's ApplySet.
const ID: &str = "applyset-ours-v1";
const WHOLE: Scope = Scope { whole: true, apply: true, prune: true };

/// An Application `shop` that deploys to the namespace `shop`; with these lines in its `syncPolicy`.
fn application(sync_policy: &str) -> Application {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: argocd}}\nspec:\n  \
         project: default\n  source: {{repoURL: 'https://git.example.com/shop', path: .}}\n  \
         destination: {{server: 'https://kubernetes.default.svc', namespace: shop}}\n  \
         syncPolicy: {{{sync_policy}}}\n"
    );
    let text = ManifestText { name: "shop.yaml".into(), bytes: text.into(), folder: ".".into(), given: Given::ByName };
    let mut read = crate::app::read(&[text]);
    assert_eq!(read.applications.len(), 1, "{:?}", read.findings);
    read.applications.remove(0).unwrap()
}

/// The input of a plan; a test changes what it is about.
#[derive(Debug)]
struct World {
    application: Application,
    scope: Scope,
    flags: Flags,
    wanted: Vec<Wanted>,
    surplus: Vec<Surplus>,
    namespace: Option<Object>,
    baseline: Option<Baseline>,
    gaps: Vec<Gap>,
    neighbours: Neighbours,
}

impl World {
    fn new() -> Self {
        Self {
            application: application(""),
            scope: WHOLE,
            flags: Flags {
                adopt: false,
                force: false,
                approve: false,
                prune_protected: false,
                max_prune: MaxPrune::Percent(100),
                allow_empty: false,
                allow_shared: false,
                apply_all: false,
            },
            wanted: Vec::new(),
            surplus: Vec::new(),
            namespace: None,
            baseline: None,
            gaps: Vec::new(),
            neighbours: Neighbours::default(),
        }
    }

    /// With these lines in the `syncPolicy`.
    fn policy(mut self, sync_policy: &str) -> Self {
        self.application = application(sync_policy);
        self
    }

    /// With sync options.
    fn options(self, options: &str) -> Self {
        self.policy(&format!("syncOptions: [{options}]"))
    }

    /// With an object of git that is not in the cluster.
    fn new_in_git(self, target: Value) -> Self {
        self.in_git(target, None)
    }

    /// With an object of git, and the live one of its name.
    fn in_git(mut self, target: Value, live: Option<Value>) -> Self {
        self.wanted.push(wanted(target, live));
        self
    }

    /// With an object of git that is live as git has it, recorded and ours.
    fn synced(mut self, target: &Value) -> Self {
        let live = live(target);
        let baseline = self.baseline.get_or_insert_default();
        baseline.record(&object(target.clone()), &object(live.clone()), None);
        self.in_git(target.clone(), Some(live))
    }

    /// With a live object that git does not have.
    fn gone(mut self, live: Value) -> Self {
        self.surplus.push(surplus(live));
        self
    }

    fn plan(&self) -> Result<Plan, PlanRefused> {
        self.with_input(plan)
    }

    fn with_input<T>(&self, plan: impl FnOnce(&PlanInput<'_>) -> T) -> T {
        plan(&PlanInput {
            application: &self.application,
            scope: self.scope,
            flags: self.flags,
            cluster: "https://kubernetes.default.svc",
            tracking: &tracking(),
            revisions: &["3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d".to_owned()],
            wanted: &self.wanted,
            surplus: &self.surplus,
            unread: Unread::of(&self.gaps, self.baseline.as_ref()),
            neighbours: &self.neighbours,
            kinds: &Kinds::builtin("v1.36.0"),
            namespace: self.namespace.as_ref(),
            baseline: self.baseline.as_ref(),
            now: Timestamp::from_second(1_700_000_000).unwrap(),
        })
    }

    /// Each step on a line: `Sync 0 apply ConfigMap shop/a`.
    fn steps(&self) -> Vec<String> {
        self.plan().unwrap().steps.iter().map(step_line).collect()
    }

    /// The steps that are held, each on a line with why.
    fn held(&self) -> Vec<String> {
        let line = |held: &Held| format!("{}: {}", held.object.key(), held.why);
        self.plan().unwrap().held.iter().map(line).collect()
    }
}

fn step_line(step: &Step) -> String {
    format!("{} {} {} {}", step.phase, step.wave, step.action.as_str(), step.object.key())
}

fn tracking() -> Tracking {
    Tracking {
        instance_name: "shop".to_owned(),
        label_key: Some("app.kubernetes.io/instance".to_owned()),
        installation_id: None,
        applyset_id: ID.to_owned(),
    }
}

fn object(value: Value) -> Object {
    Object::new(value).unwrap()
}

/// A target as git has it, its part-of label on it. A kind is `ConfigMap`, or `apps/v1 Deployment`.
fn target(kind: &str, name: &str) -> Value {
    let (api_version, kind) = kind.split_once(' ').unwrap_or(("v1", kind));
    let mut metadata = json!({"name": name, "labels": {APPLYSET_PART_OF: ID}});
    if !["Namespace", "CustomResourceDefinition", "ClusterRole", "PersistentVolume"].contains(&kind) {
        metadata["namespace"] = json!("shop");
    }
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})
}

/// The same object, with an annotation more.
fn annotated(mut target: Value, name: &str, text: &str) -> Value {
    target["metadata"]["annotations"][name] = json!(text);
    target
}

/// The live object that trueup made of a target; a hook carries its mark.
fn live(target: &Value) -> Value {
    let is_hook = crate::object::annotations::is_hook(&object(target.clone()));
    let target = &if is_hook { annotated(target.clone(), HOOK_OF, ID) } else { target.clone() };
    let mut live = target.clone();
    let name = target["metadata"]["name"].as_str().unwrap();
    let kind = target["kind"].as_str().unwrap();
    live["metadata"]["uid"] = json!(format!("uid-of-{kind}-{name}"));
    live["metadata"]["resourceVersion"] = json!("7");
    live["metadata"]["managedFields"] = json!([entry(FIELD_MANAGER, "Apply", target)]);
    live
}

/// An entry of `managedFields` that holds all of a target.
fn entry(manager: &str, operation: &str, target: &Value) -> Value {
    let mut fields = fields_of(target);
    let top = fields.as_object_mut().unwrap();
    top.remove("f:apiVersion");
    top.remove("f:kind");
    top["f:metadata"].as_object_mut().unwrap().retain(|name, _| name == "f:labels" || name == "f:annotations");
    json!({"manager": manager, "operation": operation, "apiVersion": target["apiVersion"], "fieldsV1": fields,
           "time": "2026-01-01T00:00:00Z"})
}

fn fields_of(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (format!("f:{name}"), fields_of(value))).collect(),
        _ => Value::Object(Map::new()),
    }
}

fn wanted(target: Value, live: Option<Value>) -> Wanted {
    let (target, live) = (object(target), live.map(object));
    let is_compared = !crate::object::annotations::is_hook(&target) && !target.name().is_empty();
    let drift = is_compared.then(|| compared(&target, live.as_ref()));
    Wanted { target: Arc::new(target), live: live.map(Arc::new), drift }
}

fn compared(target: &Object, live: Option<&Object>) -> ResourceDrift {
    let live = live.cloned().map(Arc::new);
    match first_look(target, live.as_ref(), None, &Arc::default()) {
        Look::Settled(drift) => *drift,
        Look::Ask(question) => second_look(&question, Answer::Unavailable("nobody is asked".to_owned())),
    }
}

fn surplus(live: Value) -> Surplus {
    let live = object(live);
    let drift = extra(&live, None);
    Surplus { live: Arc::new(live), drift }
}
