//! What the last sync left behind: its revisions, and for each object how to see that nobody has touched it since.
//!
//! In: targets and the live objects that a sync made of them. Out: a [`Baseline`], and the ConfigMap that holds it: the
//! parent of the application's ApplySet, `trueup-<application>` in the destination's namespace. Reading is tolerant:
//! what cannot be read is a [`BaselineFault`], and objects are compared without it.
//!
//! Rules: KEP-3659 for the parent's labels and annotations; docs/design.md, "State lives in the cluster".

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::managers::own_entry;
use crate::object::annotations::{
    APPLYSET_ADDITIONAL_NAMESPACES, APPLYSET_CONTAINS_KINDS, APPLYSET_ID, APPLYSET_TOOLING,
};
use crate::object::{Key, Object};
use crate::status::tracking::applyset_id;

/// The form of what is written; a reader takes this one and older ones.
const SCHEMA: u64 = 1;
/// Where the ConfigMap holds the record.
const RECORD: &str = "baseline.json";
/// Where it holds the record's checksum: what was edited by hand is not believed.
const CHECKSUM: &str = "baseline.checksum";
/// The API server takes no larger ConfigMap.
const LIMIT: usize = 1024 * 1024;

/// A short hash, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fingerprint(String);

impl Fingerprint {
    fn of(bytes: &[u8]) -> Self {
        // 128 bits: far from any accident, and 10,000 of them fit into a ConfigMap.
        Self(URL_SAFE_NO_PAD.encode(&blake3::hash(bytes).as_bytes()[..16]))
    }

    /// Of what cannot be recognised later.
    fn none() -> Self {
        Self(String::new())
    }

    fn of_value(value: &impl Serialize) -> Self {
        // Maps are sorted, so equal values have one text; values with text keys cannot fail.
        Self::of(&serde_json::to_vec(value).unwrap_or_default())
    }
}

/// One object at the end of the last sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    target: Fingerprint,
    fields: Fingerprint,
}

impl Recorded {
    /// What to remember of a target that was applied, and of what the server made of it.
    fn of(target: &Object, live: &Object) -> Self {
        // A password can be guessed by the hash of its Secret: of that, the fields alone are remembered.
        let is_secret = target.kind() == "Secret" && target.api_version() == "v1";
        let target = if is_secret { Fingerprint::none() } else { Fingerprint::of_value(target.value()) };
        Self { target, fields: fields_of(live).unwrap_or_else(Fingerprint::none) }
    }

    /// Whether git says what it said.
    pub(super) fn has_target(&self, target: &Object) -> bool {
        self.target == Fingerprint::of_value(target.value())
    }

    /// Whether everything that was applied is as it was applied, whatever others added around it.
    pub(super) fn is_untouched(&self, live: &Object) -> bool {
        fields_of(live).as_ref() == Some(&self.fields)
    }
}

/// Our entry of `managedFields` as a whole, its time included: an apply by anybody under our name is a touch, too.
fn fields_of(live: &Object) -> Option<Fingerprint> {
    own_entry(live).map(Fingerprint::of_value)
}

/// The record of an application's last sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The full commit hash of each source, in the order of the sources.
    pub revisions: Vec<String>,
    objects: BTreeMap<Key, Recorded>,
}

/// Why a parent holds no baseline that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineFault {
    /// The record and its checksum do not belong together.
    #[error("was edited by hand")]
    Edited,
    /// A newer trueup wrote it.
    #[error("was written by a newer version, in form {0}")]
    Newer(u64),
    /// It is none of ours.
    #[error("has no record of a sync")]
    NotOurs,
}

/// A record that the API server would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of {objects} objects takes {bytes} bytes, more than a ConfigMap holds")]
pub struct TooLarge {
    /// How many objects there are.
    pub objects: usize,
    /// How long the record is.
    pub bytes: usize,
}

/// By kind, namespace and name, so that none of them is written ten thousand times; the hash of the target, and of our
/// fields.
type Objects = BTreeMap<String, BTreeMap<String, BTreeMap<String, (String, String)>>>;

/// The record as it is written.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: u64,
    revisions: Vec<String>,
    objects: Objects,
}

impl Baseline {
    /// An empty record of a sync of these revisions.
    pub fn new(revisions: Vec<String>) -> Self {
        Self { revisions, objects: BTreeMap::new() }
    }

    /// Remembers an object: that it is part of the application, and how to see that nobody has touched it. The latter
    /// only where trueup applied it server-side.
    pub fn record(&mut self, target: &Object, live: &Object) {
        self.objects.insert(live.key(), Recorded::of(target, live));
    }

    /// Remembers of an object what an earlier record has.
    pub fn keep(&mut self, earlier: &Self, key: &Key) {
        if let Some(recorded) = earlier.of(key) {
            self.objects.insert(key.clone(), recorded.clone());
        }
    }

    /// Every object that is known.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.objects.keys()
    }

    /// What is known of an object.
    pub fn of(&self, key: &Key) -> Option<&Recorded> {
        self.objects.get(key)
    }

    /// The name of the ConfigMap for an application.
    pub fn parent_name(application: &str) -> String {
        format!("trueup-{application}")
    }

    /// Reads the record of a parent.
    pub fn read(parent: &Object) -> Result<Self, BaselineFault> {
        let data = |name: &str| parent.value().get("data").and_then(|data| data.get(name)).and_then(Value::as_str);
        let text = data(RECORD).ok_or(BaselineFault::NotOurs)?;
        let schema = serde_json::from_str::<Value>(text).ok().and_then(|record| record.get("schema")?.as_u64());
        match schema {
            Some(schema) if schema > SCHEMA => return Err(BaselineFault::Newer(schema)),
            Some(_) => {}
            None => return Err(BaselineFault::Edited),
        }
        if data(CHECKSUM) != Some(Fingerprint::of(text.as_bytes()).0.as_str()) {
            return Err(BaselineFault::Edited);
        }
        let record: Record = serde_json::from_str(text).or(Err(BaselineFault::Edited))?;
        let mut objects = BTreeMap::new();
        for (kind, namespaces) in record.objects {
            let (kind, group) = kind.split_once('.').unwrap_or((&kind, ""));
            for (namespace, names) in namespaces {
                for (name, (target, fields)) in names {
                    let (group, kind, namespace) = (group.to_owned(), kind.to_owned(), namespace.clone());
                    let recorded = Recorded { target: Fingerprint(target), fields: Fingerprint(fields) };
                    objects.insert(Key { group, kind, namespace, name }, recorded);
                }
            }
        }
        Ok(Self { revisions: record.revisions, objects })
    }

    /// The ConfigMap that holds the record.
    pub fn parent(&self, application: &str, namespace: &str) -> Result<Object, TooLarge> {
        let name = Self::parent_name(application);
        let record = self.as_written();
        if record.len() > LIMIT {
            return Err(TooLarge { objects: self.objects.len(), bytes: record.len() });
        }
        let mut annotations = Map::new();
        let mut annotate = |name: &str, value: String| annotations.insert(name.to_owned(), Value::String(value));
        annotate(APPLYSET_TOOLING, concat!("trueup/v", env!("CARGO_PKG_VERSION")).to_owned());
        annotate(APPLYSET_CONTAINS_KINDS, self.joined(kind_of));
        let elsewhere =
            self.joined(|key| if key.namespace == namespace { String::new() } else { key.namespace.clone() });
        if !elsewhere.is_empty() {
            annotate(APPLYSET_ADDITIONAL_NAMESPACES, elsewhere);
        }
        let checksum = Fingerprint::of(record.as_bytes()).0;
        let parent = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": { APPLYSET_ID: applyset_id(&name, namespace) },
                "annotations": annotations,
            },
            "data": { RECORD: record, CHECKSUM: checksum },
        });
        // It has what every object has.
        Object::new(parent).or(Err(TooLarge { objects: self.objects.len(), bytes: 0 }))
    }

    fn as_written(&self) -> String {
        let mut record = Record { schema: SCHEMA, revisions: self.revisions.clone(), objects: BTreeMap::new() };
        for (key, recorded) in &self.objects {
            let names = record.objects.entry(kind_of(key)).or_default().entry(key.namespace.clone()).or_default();
            names.insert(key.name.clone(), (recorded.target.0.clone(), recorded.fields.0.clone()));
        }
        // Text keys and text values: it cannot fail.
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// Each once, in order, without the empty one, as KEP-3659 wants its lists.
    fn joined(&self, part: impl Fn(&Key) -> String) -> String {
        let parts: BTreeSet<String> = self.objects.keys().map(part).filter(|part| !part.is_empty()).collect();
        parts.into_iter().collect::<Vec<_>>().join(",")
    }
}

/// `Deployment.apps`, `ConfigMap`.
fn kind_of(key: &Key) -> String {
    if key.group.is_empty() { key.kind.clone() } else { format!("{}.{}", key.kind, key.group) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str, time: &str) -> Object {
        Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
            "metadata": {"name": name, "namespace": "shop", "managedFields": [
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {}}},
                {"manager": "trueup", "operation": "Apply", "apiVersion": "v1", "time": time,
                 "fieldsV1": {"f:data": {"f:a": {}}}},
            ]},
        }))
        .unwrap()
    }

    fn written() -> Object {
        let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
        for name in ["one", "two"] {
            let live = config_map(name, "2026-01-01T00:00:00Z");
            baseline.record(&live, &live);
        }
        baseline.parent("shop", "shop").unwrap()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let parent = written();
        let baseline = Baseline::read(&parent).unwrap();
        assert_eq!(baseline.parent("shop", "shop").unwrap(), parent);
        let live = config_map("one", "2026-01-01T00:00:00Z");
        let recorded = baseline.of(&live.key()).unwrap();
        assert!(recorded.has_target(&live) && recorded.is_untouched(&live));
        assert!(!recorded.is_untouched(&config_map("one", "2026-01-02T00:00:00Z")));
        assert!(!recorded.has_target(&config_map("two", "2026-01-01T00:00:00Z")));
        assert_eq!(baseline.of(&config_map("three", "").key()), None);
    }

    /// Whoever may read ConfigMaps and no Secrets learns nothing that a password could be tried against.
    #[test]
    fn nothing_of_a_secrets_content_is_in_the_record() {
        let secret = |password: &str| {
            let data = json!({"password": password});
            let metadata = json!({"name": "login", "namespace": "shop"});
            Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})).unwrap()
        };
        let written = |password: &str| {
            let mut baseline = Baseline::new(Vec::new());
            baseline.record(&secret(password), &secret(password));
            assert!(baseline.of(&secret("").key()).is_some(), "that there is one is known");
            assert!(!baseline.of(&secret("").key()).unwrap().has_target(&secret(password)));
            baseline.parent("shop", "shop").unwrap()
        };
        assert_eq!(written("c3dvcmRmaXNo"), written("b3RoZXI="));
    }

    /// kubectl shows it, and refuses to trample it.
    #[test]
    fn the_parent_is_that_of_an_applyset() {
        let parent = written();
        assert_eq!(parent.name(), "trueup-shop");
        assert_eq!(parent.label(APPLYSET_ID), Some(applyset_id("trueup-shop", "shop").as_str()));
        assert_eq!(parent.annotation(APPLYSET_CONTAINS_KINDS), Some("ConfigMap"));
        assert_eq!(parent.annotation(APPLYSET_ADDITIONAL_NAMESPACES), None);
        assert!(parent.annotation(APPLYSET_TOOLING).unwrap().starts_with("trueup/v"));
    }

    #[test]
    fn what_cannot_be_believed_is_a_fault_and_no_baseline() {
        type Case<'c> = (&'c dyn Fn(&mut Value), BaselineFault);
        let edited = |change: &dyn Fn(&mut Value)| {
            let mut parent = written();
            change(parent.value_mut().get_mut("data").unwrap());
            Baseline::read(&parent)
        };
        let text = |data: &Value| data[RECORD].as_str().unwrap().to_owned();
        let cases: [Case<'_>; 5] = [
            (&|data| data[RECORD] = json!(text(data).replace("3f2a", "4f2a")), BaselineFault::Edited),
            (&|data| data[RECORD] = json!("{"), BaselineFault::Edited),
            (&|data| data[CHECKSUM] = Value::Null, BaselineFault::Edited),
            (&|data| data[RECORD] = json!(text(data).replace("\"schema\":1", "\"schema\":9")), BaselineFault::Newer(9)),
            (&|data| *data = json!({"other": "x"}), BaselineFault::NotOurs),
        ];
        for (change, fault) in cases {
            assert_eq!(edited(change), Err(fault));
        }
    }

    #[test]
    fn a_record_that_no_config_map_holds_is_refused_before_it_is_written() {
        let mut baseline = Baseline::new(Vec::new());
        for number in 0..20_000 {
            let live = config_map(&format!("a-rather-long-name-{number}"), "");
            baseline.record(&live, &live);
        }
        assert_eq!(baseline.parent("shop", "shop").unwrap_err().objects, 20_000);
    }
}
