//! What is written to an API server, and why it does not take something.

use serde_json::{Value, json};
use trueup::cluster::{
    ClusterError, ClusterSettings, Deleted, Deletion, ObjectName, Propagation, Reason, Refusal, Requests, Validation,
    Writing, Written,
};
use trueup::object::{Gvk, Object};

use super::{Asked, settings_of, told};
use crate::harness::{TestCluster, deployment, or_skip};

/// Writes as a run does, one after the other.
pub(super) struct Writer {
    pub(super) asked: Asked,
    namespace: String,
}

impl Writer {
    pub(super) fn of(cluster: &TestCluster) -> Self {
        Self { asked: Asked::of(cluster), namespace: cluster.name().to_owned() }
    }

    pub(super) fn with(cluster: &TestCluster, settings: ClusterSettings) -> Self {
        Self { asked: Asked::with(settings), namespace: cluster.name().to_owned() }
    }

    /// An object in the test's namespace.
    pub(super) fn object(&self, api_version: &str, kind: &str, name: &str, fields: Value) -> Object {
        let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": self.namespace } });
        let Value::Object(fields) = fields else { panic!("{fields} are no fields") };
        object.as_object_mut().unwrap().extend(fields);
        Object::new(object).unwrap()
    }

    pub(super) fn config_map(&self, name: &str, data: Value) -> Object {
        let mut object = self.object("v1", "ConfigMap", name, json!({}));
        object.value_mut().insert("data".to_owned(), data);
        object
    }

    pub(super) fn name(&self, kind: &str, name: &str) -> ObjectName {
        let (api_version, kind) = kind.rsplit_once('/').unwrap_or(("v1", kind));
        ObjectName {
            gvk: Gvk::from_api_version(api_version, kind),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    pub(super) fn try_apply(
        &self,
        object: &Object,
        validation: Validation,
        writing: Writing,
    ) -> Result<Written, ClusterError> {
        self.asked.runtime.block_on(self.asked.cluster().apply(object, validation, writing))
    }

    pub(super) fn apply(&self, object: &Object) -> Written {
        self.try_apply(object, Validation::Strict, Writing::Really).unwrap()
    }

    pub(super) fn create(&self, object: &Object) -> Written {
        let cluster = self.asked.cluster();
        self.asked.runtime.block_on(cluster.create(object, Validation::Strict, Writing::Really)).unwrap()
    }

    pub(super) fn replace(&self, object: &Object) -> Written {
        let cluster = self.asked.cluster();
        self.asked.runtime.block_on(cluster.replace(object, Validation::Strict, Writing::Really)).unwrap()
    }

    pub(super) fn patch(&self, object: &ObjectName, patch: &Value) -> Written {
        let cluster = self.asked.cluster();
        self.asked.runtime.block_on(cluster.patch(object, patch, Writing::Really)).unwrap()
    }

    pub(super) fn delete(&self, object: &ObjectName, deletion: &Deletion) -> Deleted {
        let cluster = self.asked.cluster();
        self.asked.runtime.block_on(cluster.delete(object, deletion, Writing::Really)).unwrap()
    }

    pub(super) fn get(&self, object: &ObjectName) -> Option<Object> {
        self.asked.runtime.block_on(self.asked.cluster().get(object)).unwrap()
    }
}

#[track_caller]
pub(super) fn done(written: Written) -> Object {
    let Written::Done(object) = written else { panic!("{written:?} is not done") };
    *object
}

#[track_caller]
pub(super) fn refused(written: Written) -> Refusal {
    let Written::Refused(refusal) = written else { panic!("{written:?} is no refusal") };
    refusal
}

/// `managedFields` as `manager operation`, in the server's order.
pub(super) fn managers(object: &Object) -> Vec<String> {
    let entries = object.metadata().unwrap()["managedFields"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap()))
        .collect()
}

/// The first sync makes an object, the next one takes over what somebody changed by hand: git is right.
#[test]
fn applying_makes_an_object_and_takes_its_fields_back() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let settings = writer.config_map("settings", json!({ "colour": "red", "size": "2" }));

    let made = done(writer.apply(&settings));
    assert_eq!(managers(&made), ["trueup Apply"]);
    cluster.kubectl(["patch", "configmap/settings", "-p", r#"{"data":{"colour":"blue"}}"#]);
    let again = done(writer.apply(&settings));

    assert_eq!(again.value()["data"], json!({ "colour": "red", "size": "2" }));
    assert_eq!((made.uid(), made.resource_version() == again.resource_version()), (again.uid(), false));
    let smaller = done(writer.apply(&writer.config_map("settings", json!({ "colour": "red" }))));
    assert_eq!(smaller.value()["data"], json!({ "colour": "red" }), "what git drops goes away");
    assert_eq!(writer.asked.requests(), Requests { discovery: 3, write: 3, ..Requests::default() });
}

/// A plan is tried on the server before anything of it is done.
#[test]
fn a_dry_run_writes_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let asked = writer.asked.cluster();
    let settings = writer.config_map("settings", json!({ "colour": "red" }));
    let name = writer.name("ConfigMap", "settings");
    let (strict, dry) = (Validation::Strict, Writing::DryRun);

    done(writer.try_apply(&settings, strict, dry).unwrap());
    done(writer.asked.runtime.block_on(asked.create(&settings, strict, dry)).unwrap());
    assert_eq!(writer.get(&name), None);
    let made = done(writer.apply(&settings));
    let changed = writer.config_map("settings", json!({ "colour": "blue" }));
    done(writer.asked.runtime.block_on(asked.replace(&changed, strict, dry)).unwrap());
    let patch = json!([{ "op": "remove", "path": "/data/colour" }]);
    done(writer.asked.runtime.block_on(asked.patch(&name, &patch, dry)).unwrap());
    let deleted = writer.asked.runtime.block_on(asked.delete(&name, &Deletion::default(), dry)).unwrap();

    assert_ne!(deleted, Deleted::Absent);
    assert_eq!(writer.get(&name), Some(made));
    let requests = writer.asked.requests();
    assert_eq!((requests.dry_run, requests.write), (5, 1));
}

/// Hooks are made, not applied: a name that is taken is an answer, and a name that the server makes up is told.
#[test]
fn creating_makes_a_new_object_or_none() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let settings = writer.config_map("settings", json!({ "colour": "red" }));

    let made = done(writer.create(&settings));
    assert_eq!(managers(&made), ["trueup Update"]);
    assert_eq!(refused(writer.create(&settings)).reason, Reason::AlreadyExists);

    let unnamed = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "generateName": "hook-", "namespace": cluster.name() },
    });
    let unnamed = Object::new(unnamed).unwrap();
    let made = done(writer.create(&unnamed));
    assert!(made.name().len() > "hook-".len() && made.name().starts_with("hook-"), "{}", made.name());
    assert_eq!(refused(writer.apply(&unnamed)).reason, Reason::Invalid);
}

/// Two runs write the same state: the one that read an old version is told.
#[test]
fn replacing_only_replaces_the_version_that_was_seen() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let missing = refused(writer.replace(&writer.config_map("settings", json!({}))));
    assert_eq!((missing.reason, missing.words.as_str()), (Reason::NotFound, "configmaps \"settings\" not found"));
    let mut seen = done(writer.create(&writer.config_map("settings", json!({ "colour": "red" }))));
    seen.value_mut()["data"] = json!({ "colour": "blue" });

    let replaced = done(writer.replace(&seen));

    assert_eq!(replaced.value()["data"], json!({ "colour": "blue" }));
    assert_eq!(refused(writer.replace(&seen)).reason, Reason::Conflict);
    let whatever = done(writer.replace(&writer.config_map("settings", json!({ "size": "2" }))));
    assert_eq!(whatever.value()["data"], json!({ "size": "2" }), "without a version, whatever is there is replaced");
}

/// A patch whose test does not hold is a conflict: somebody was faster.
#[test]
fn a_patch_changes_what_was_seen_or_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let made = done(writer.apply(&writer.config_map("settings", json!({ "colour": "red" }))));
    let name = writer.name("ConfigMap", "settings");
    let patch = |path: &str, seen: &str| {
        json!([
            { "op": "test", "path": path, "value": seen }, { "op": "replace", "path": "/data/colour", "value": "blue" },
        ])
    };

    let changed = done(writer.patch(&name, &patch("/data/colour", "red")));
    assert_eq!(changed.value()["data"], json!({ "colour": "blue" }));
    for outdated in [patch("/data/colour", "red"), patch("/metadata/resourceVersion", made.resource_version())] {
        let refusal = refused(writer.patch(&name, &outdated));
        assert_eq!(refusal.reason, Reason::Conflict, "{refusal}");
    }
    let version = json!([{ "op": "replace", "path": "/metadata/resourceVersion", "value": made.resource_version() }]);
    assert_eq!(refused(writer.patch(&name, &version)).reason, Reason::Conflict);
    assert_eq!(refused(writer.patch(&writer.name("ConfigMap", "other"), &version)).reason, Reason::NotFound);
}

/// A prune deletes the very object that was seen, and nothing else that has its name now.
#[test]
fn only_what_was_seen_is_deleted() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let name = writer.name("ConfigMap", "settings");
    assert_eq!(writer.delete(&name, &Deletion::default()), Deleted::Absent);
    assert_eq!(writer.delete(&writer.name("nobody.example.com/v1/Widget", "x"), &Deletion::default()), Deleted::Absent);
    let first = done(writer.create(&writer.config_map("settings", json!({}))));
    let of = |object: &Object| Deletion {
        propagation: Propagation::Background,
        uid: Some(object.uid().to_owned()),
        resource_version: None,
    };
    assert_eq!(writer.delete(&name, &of(&first)), Deleted::Gone);
    let second = done(writer.create(&writer.config_map("settings", json!({}))));

    assert_eq!(writer.delete(&name, &of(&first)), Deleted::Absent, "another one of the same name");
    let changed = Deletion { resource_version: Some("1".to_owned()), ..of(&second) };
    let Deleted::Refused(refusal) = writer.delete(&name, &changed) else { panic!("a changed object is deleted") };
    assert_eq!(refusal.reason, Reason::Conflict, "{refusal}");
    assert!(writer.get(&name).is_some());
}

/// What has finalizers goes when they are done.
#[test]
fn what_has_finalizers_is_going() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let mut object = writer.config_map("settings", json!({}));
    object.value_mut()["metadata"]["finalizers"] = json!(["example.com/slow"]);
    done(writer.apply(&object));
    let name = writer.name("ConfigMap", "settings");

    let background = Deletion { propagation: Propagation::Background, ..Deletion::default() };
    assert_eq!(writer.delete(&name, &background), Deleted::Going);
    let patch = json!([{ "op": "remove", "path": "/metadata/finalizers/0" }]);
    done(writer.patch(&name, &patch));

    assert_eq!(writer.get(&name), None);
    done(writer.apply(&writer.config_map("owner", json!({}))));
    assert_eq!(writer.delete(&writer.name("ConfigMap", "owner"), &Deletion::default()), Deleted::Going, "foreground");
}

/// One object of each kind whose fields cannot all be changed.
fn unchangeable(cluster: &TestCluster) {
    let container = json!({ "name": "a", "image": "registry.example.com/a:1" });
    cluster.apply(deployment("web"));
    cluster.apply(json!({ "apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "migrate" },
            "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": { "ports": [{ "port": 80 }] },
        },
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "data" },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "binding" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a" },
        },
        {
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db" },
            "spec": { "serviceName": "db", "selector": { "matchLabels": { "app": "db" } }, "template": {
                "metadata": { "labels": { "app": "db" } }, "spec": { "containers": [container] },
            } },
        },
    ] }));
}

/// A field that cannot be changed asks for a new object; one that is wrong as well does not get better by that.
#[test]
fn immutable_fields_are_distinguished_from_invalid_ones() {
    let cluster = or_skip!(TestCluster::namespace());
    unchangeable(&cluster);
    let writer = Writer::of(&cluster);
    let labelled = |app: &str| json!({ "matchLabels": { "app": app } });
    let template = |app: &str| {
        json!({
            "metadata": { "labels": { "app": app } },
            "spec": { "containers": [{ "name": "web", "image": "registry.example.com/web:1.0.0" }] },
        })
    };
    let immutable = [
        writer.object(
            "apps/v1",
            "Deployment",
            "web",
            json!({ "spec": { "selector": labelled("new"), "template": template("new") } }),
        ),
        writer.object("apps/v1", "StatefulSet", "db", json!({ "spec": { "serviceName": "other" } })),
        writer.object(
            "batch/v1",
            "Job",
            "migrate",
            json!({ "spec": { "template": { "spec": {
            "containers": [{ "name": "a", "image": "registry.example.com/a:2" }],
        } } } }),
        ),
        writer.object("v1", "Service", "web", json!({ "spec": { "clusterIP": "None" } })),
        writer.object("v1", "PersistentVolumeClaim", "data", json!({ "spec": { "accessModes": ["ReadOnlyMany"] } })),
        writer.object(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "binding",
            json!({
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "b" },
            }),
        ),
    ];
    for object in immutable {
        let refusal = refused(writer.apply(&object));
        assert_eq!(refusal.reason, Reason::Immutable, "{}: {refusal}", object.kind());
    }
    for spec in [
        json!({ "replicas": -1 }),
        json!({ "selector": labelled("new") }),
        json!({ "selector": labelled("new"), "template": template("new"), "replicas": -1 }),
    ] {
        let refusal = refused(writer.apply(&writer.object("apps/v1", "Deployment", "web", json!({ "spec": spec }))));
        assert_eq!(refusal.reason, Reason::Invalid, "{refusal}");
    }
}

/// A typing error in a field's name is refused and not dropped, whichever way the object goes.
#[test]
fn an_unknown_field_is_refused() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web"));
    let writer = Writer::of(&cluster);
    let mut live = writer.get(&writer.name("apps/v1/Deployment", "web")).unwrap();
    live.value_mut()["spec"]["replicaz"] = json!(3);
    let mut new = live.clone();
    new.value_mut()["metadata"]["name"] = json!("new");

    for written in [writer.apply(&live), writer.create(&new), writer.replace(&live)] {
        let refusal = refused(written);
        assert_eq!(refusal.reason, Reason::Invalid, "{refusal}");
        assert!(refusal.words.contains("replicaz"), "{refusal}");
    }
}

/// `Validate=false`: what the schema does not have is dropped, and the rest is applied.
#[test]
fn an_unknown_field_is_dropped_where_validation_is_off() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let mut object = Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": cluster.name() },
        "spec": {
            "replicaz": 3, "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [
                    { "name": "web", "image": "registry.example.com/web:1", "imag": { "x": [1] }, "ports": [
                        { "containerPort": 80, "prot": "x" },
                    ] },
                ] },
            },
        },
    }))
    .unwrap();

    let written = writer.try_apply(&object, Validation::Ignore, Writing::Really).unwrap();

    let live = done(written);
    let container = &live.value()["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&live.value()["spec"]["replicas"], container.get("imag")), (&json!(2), None));
    object.value_mut()["spec"]["replicas"] = json!("many");
    let refusal = refused(writer.try_apply(&object, Validation::Ignore, Writing::Really).unwrap());
    assert_eq!(refusal.reason, Reason::Invalid, "{refusal}");
    assert!(refusal.words.contains("expected numeric"), "{refusal}");
}

/// Why a server says no decides what a run does next: each reason is told from the others.
#[test]
fn each_reason_is_distinguished_from_the_others() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    cluster.apply(json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "small" },
        "spec": { "hard": { "count/services": "0" } },
    }));
    // What a controller would do.
    let used = r#"{"status":{"hard":{"count/services":"0"},"used":{"count/services":"0"}}}"#;
    cluster.kubectl(["patch", "resourcequota/small", "--subresource=status", "--type=merge", "-p", used]);
    cluster.apply(json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "small" },
        "spec": { "limits": [{ "type": "Container", "max": { "memory": "1Mi" } }] },
    }));
    let mut elsewhere = writer.config_map("settings", json!({}));
    elsewhere.set_namespace(Some("nowhere"));
    let pod = json!({ "spec": { "containers": [{
        "name": "web", "image": "registry.example.com/web:1", "resources": { "limits": { "memory": "1Gi" } },
    }] } });
    let service = json!({ "spec": { "ports": [{ "port": 80 }] } });
    for (object, reason, words) in [
        (elsewhere, Reason::NoNamespace, "namespace `nowhere` does not exist"),
        (writer.object("v1", "Pod", "web", pod), Reason::Denied, "maximum memory usage per Container is 1Mi"),
        (writer.object("v1", "Service", "web", service), Reason::Quota, "exceeded quota: small"),
        (writer.object("nobody.example.com/v1", "Widget", "x", json!({})), Reason::NotServed, "does not serve"),
        (writer.config_map("Not_A_Name", json!({})), Reason::Invalid, "RFC 1123"),
    ] {
        for written in [writer.apply(&object), writer.create(&object)] {
            let refusal = refused(written);
            assert_eq!(refusal.reason, reason, "{refusal}");
            assert!(refusal.words.contains(words), "{refusal}");
        }
    }
}

/// A policy of the cluster that denies is no missing right and no wrong object.
#[test]
fn a_policy_that_denies_is_reported() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let policy = format!("{}-no-blue", cluster.name());
    cluster.apply(json!({ "apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": policy },
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": { "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["configmaps", "secrets"],
                }] },
                "validations": [{
                    "expression": "!has(object.data) || !('colour' in object.data) || object.data.colour != 'Ymx1ZQ=='",
                    "messageExpression": "'no ' + object.data.colour",
                }],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": policy },
            "spec": {
                "policyName": policy, "validationActions": ["Deny"],
                "matchResources": { "namespaceSelector": { "matchLabels": {
                    "kubernetes.io/metadata.name": cluster.name(),
                } } },
            },
        },
    ] }));
    let blue = writer.config_map("settings", json!({ "colour": "Ymx1ZQ==" }));
    // The server takes a moment to see its own policy.
    let denied = (0..100).find_map(|_| match writer.try_apply(&blue, Validation::Strict, Writing::DryRun).unwrap() {
        Written::Refused(refusal) => Some(refusal),
        Written::Done(_) => {
            std::thread::sleep(std::time::Duration::from_millis(100));
            None
        }
    });

    let denied = denied.expect("the policy is in force within ten seconds");
    assert_eq!(denied.reason, Reason::Denied, "{denied}");
    assert!(denied.words.ends_with("denied request: no Ymx1ZQ=="), "{denied}");
    let secret = writer.object("v1", "Secret", "settings", json!({ "stringData": { "colour": "blue" } }));
    let denied = refused(writer.apply(&secret));
    assert_eq!(denied.reason, Reason::Denied, "{denied}");
    assert!(!denied.words.contains("Ymx1ZQ==") && !denied.words.contains("blue"), "{denied}");
}

/// A namespace that is going takes nothing new: waiting for it may help, changing the object does not.
#[test]
fn a_namespace_that_is_going_takes_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    cluster.kubectl(["delete", "namespace", cluster.name(), "--wait=false"]);

    let refusal = refused(writer.apply(&writer.config_map("settings", json!({}))));

    assert_eq!(refusal.reason, Reason::NamespaceTerminating, "{refusal}");
    assert!(refusal.words.contains("because it is being terminated"), "{refusal}");
}

/// Half of the kinds are forbidden: who may not do what is said as a sentence, and nothing was tried twice.
#[test]
fn missing_rights_are_reported() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(deployment("web"));
    let syncer = cluster.account("sync").may("get,create,patch", "configmaps");
    let settings = ClusterSettings { kubeconfig: Some(syncer.kubeconfig().to_owned()), ..settings_of(&cluster) };
    let writer = Writer::with(&cluster, settings);
    done(writer.apply(&writer.config_map("settings", json!({}))));

    let may_not = |verb: &str, resource: &str| {
        format!("`{}` cannot {verb} `{resource}` in namespace `{}`", syncer.user(), cluster.name())
    };
    let role = writer.object("rbac.authorization.k8s.io/v1", "Role", "x", json!({ "rules": [] }));
    let web = writer.object("apps/v1", "Deployment", "web", json!({ "spec": { "replicas": 2 } }));
    for (written, words) in [
        (writer.apply(&web), may_not("patch", "deployments.apps")),
        (writer.create(&role), may_not("create", "roles.rbac.authorization.k8s.io")),
        (writer.replace(&writer.config_map("settings", json!({}))), may_not("update", "configmaps")),
    ] {
        let refusal = refused(written);
        assert_eq!((refusal.reason, refusal.words), (Reason::Forbidden, words));
    }
    let Deleted::Refused(refusal) = writer.delete(&writer.name("ConfigMap", "settings"), &Deletion::default()) else {
        panic!("it is deleted")
    };
    assert_eq!((refusal.reason, refusal.words), (Reason::Forbidden, may_not("delete", "configmaps")));
    assert_eq!(writer.asked.requests().write, 5);
}

/// Nobody gives away rights that they do not have.
#[test]
fn rights_that_the_account_does_not_have_cannot_be_given() {
    let cluster = or_skip!(TestCluster::namespace());
    let syncer = cluster.account("sync").may("get,create,patch", "roles.rbac.authorization.k8s.io");
    let settings = ClusterSettings { kubeconfig: Some(syncer.kubeconfig().to_owned()), ..settings_of(&cluster) };
    let writer = Writer::with(&cluster, settings);
    let rules = json!({ "rules": [{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }] });

    let refusal = refused(writer.apply(&writer.object("rbac.authorization.k8s.io/v1", "Role", "x", rules)));

    assert_eq!(refusal.reason, Reason::Forbidden, "{refusal}");
}

/// Whatever is wrong with a Secret, no word of the answer is one of its values.
#[test]
fn a_refused_secret_shows_no_value_when_it_is_written() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    done(writer.apply(&writer.object("v1", "Secret", "there", json!({ "stringData": { "password": "hunter2" } }))));
    for fields in [
        json!({ "type": "kubernetes.io/dockerconfigjson", "stringData": { ".dockerconfigjson": "hunter2" } }),
        json!({ "data": { "password": "hunter2 is no base64" } }),
        json!({ "data": { "password": { "hunter2": "x" } } }),
        json!({ "data": { "password": ["hunter2"] } }),
        json!({ "hunter2": "x" }),
    ] {
        let secret = writer.object("v1", "Secret", "there", fields.clone());
        let cluster = writer.asked.cluster();
        let (strict, really) = (Validation::Strict, Writing::Really);
        let written = writer.asked.runtime.block_on(async {
            let mut new = secret.clone();
            new.value_mut()["metadata"]["name"] = json!("new");
            [
                cluster.apply(&secret, strict, really).await,
                cluster.create(&new, strict, really).await,
                cluster.replace(&secret, strict, really).await,
            ]
        });
        for written in written {
            let said = match written {
                Ok(written) => refused(written).words,
                Err(error) => told(&error),
            };
            assert!(!said.contains("hunter2"), "{fields}: {said}");
        }
    }
    let name = writer.name("Secret", "there");
    for patch in [
        json!([{ "op": "test", "path": "/data/password", "value": "hunter2" }]),
        json!([{ "op": "add", "path": "/data/hunter2/x", "value": "hunter2" }]),
        json!([{ "op": "add", "path": "/data/other", "value": "hunter2!" }]),
    ] {
        let refusal = refused(writer.patch(&name, &patch));
        assert!(!refusal.words.contains("hunter2"), "{patch}: {refusal}");
    }
}

/// A definition and its objects in one sync: once asked anew, the new kind is there for everybody.
#[test]
fn a_new_kind_is_seen_after_rediscovery() {
    let cluster = or_skip!(TestCluster::namespace());
    let writer = Writer::of(&cluster);
    let group = format!("{}.example.com", cluster.name());
    let api_version = format!("{group}/v1");
    let widget = writer.object(&api_version, "Widget", "x", json!({ "spec": { "size": 1 } }));
    assert_eq!(refused(writer.apply(&widget)).reason, Reason::NotServed);
    let mut definition = writer.object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &format!("widgets.{group}"),
        json!({
            "spec": {
                "group": group, "scope": "Namespaced", "names": { "kind": "Widget", "plural": "widgets" },
                "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                    "type": "object", "properties": { "spec": { "type": "object", "properties": {
                        "size": { "type": "integer", "x-kubernetes-validations": [
                            { "rule": "self == oldSelf", "message": "the size is immutable" },
                        ] },
                    } } },
                } } }],
            },
        }),
    );
    definition.set_namespace(None);
    done(writer.apply(&definition));
    cluster.kubectl(["wait", "--for=condition=Established", &format!("crd/widgets.{group}")]);

    let gvk = widget.gvk();
    let served = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        writer.asked.runtime.block_on(writer.asked.cluster().rediscover_kinds()).unwrap().exact(&gvk).is_some()
    });

    assert!(served && writer.asked.kinds().unwrap().exact(&gvk).is_some());
    done(writer.apply(&widget));
    let changed = writer.object(&api_version, "Widget", "x", json!({ "spec": { "size": 2 } }));
    assert_eq!(refused(writer.apply(&changed)).reason, Reason::Immutable);
    let unknown = writer.object(&api_version, "Widget", "x", json!({ "spec": { "sise": 2 } }));
    assert_eq!(refused(writer.apply(&unknown)).reason, Reason::Invalid);
    done(writer.replace(&widget));
}
