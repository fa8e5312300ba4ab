//! What the last sync left behind: its revisions, and for each object how to see that nobody has touched it since.
//!
//! In: targets and the live objects that a sync made of them. Out: a [`Baseline`], and its form in the data of a
//! ConfigMap, or of several where it is large ([`Pieces`]). What cannot be read is a [`BaselineFault`], and objects are
//! compared without it. Whose ConfigMap it is, and when it is written, is for `sync::state` to know.
//!
//! Rules: docs/design.md, "State lives in the cluster".

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::managers::own_entry;
use crate::object::{GroupKind, Key, Object};

/// The newest form that is written, that of a record in parts; a reader takes this one and older ones.
const SCHEMA: u64 = 2;
/// The form of a record that is whole: whoever knows no parts can read it.
const SCHEMA_OF_WHOLE: u64 = 1;
/// Where a ConfigMap holds the record.
const RECORD: &str = "baseline.json";
/// Where it holds the record's checksum: what was edited by hand is not believed.
const CHECKSUM: &str = "baseline.checksum";

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
    /// A ConfigMap that holds a part of it is gone, or is not the one that was written.
    #[error("lacks the part that ConfigMap `{0}` held")]
    PartMissing(String),
    /// There is none.
    #[error("has no record of a sync")]
    NoRecord,
}

/// By kind, namespace and name, so that none of them is written ten thousand times; the hash of the target, and of our
/// fields.
type Objects = BTreeMap<String, BTreeMap<String, BTreeMap<String, (String, String)>>>;

/// The record as it is written: whole, or as the head of its parts.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: u64,
    revisions: Vec<String>,
    objects: Objects,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartOf>,
}

/// Where a part is, and what it has to be: the parts of two syncs are never mixed up.
#[derive(Serialize, Deserialize)]
struct PartOf {
    name: String,
    checksum: String,
}

/// A record as the data of ConfigMaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    /// What the parent's data has: all of it, or where the rest is.
    pub head: Map<String, Value>,
    /// The data of further ConfigMaps, each with its name; none where the head is all.
    pub parts: Vec<(String, Map<String, Value>)>,
}

/// The keys of a ConfigMap's data that are the record's.
pub fn is_of_record(key: &str) -> bool {
    matches!(key, RECORD | CHECKSUM)
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

    /// What is known of an object.
    pub fn of(&self, key: &Key) -> Option<&Recorded> {
        self.objects.get(key)
    }

    /// Whether a target is what the last sync applied. Nothing where the record cannot say: an object that it does not know, or
    /// a Secret, of whose content it has no hash.
    pub fn is_as_applied(&self, target: &Object) -> Option<bool> {
        let recorded = self.of(&target.key()).filter(|recorded| recorded.target != Fingerprint::none())?;
        Some(recorded.has_target(target))
    }

    /// Every object that it knows.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.objects.keys()
    }

    /// The kinds of its objects.
    pub fn kinds(&self) -> BTreeSet<GroupKind> {
        self.objects.keys().map(Key::group_kind).collect()
    }

    /// The namespaces of its objects.
    pub fn namespaces(&self) -> BTreeSet<String> {
        self.objects.keys().map(|key| key.namespace.clone()).filter(|namespace| !namespace.is_empty()).collect()
    }

    /// The ConfigMaps beside the parent that hold parts of its record.
    pub fn part_names(parent: &Object) -> Vec<String> {
        let record = text_of(parent).and_then(|text| record_in(text, None));
        record.map(|record| record.parts).unwrap_or_default().into_iter().map(|part| part.name).collect()
    }

    /// Reads the record of a parent, and of the ConfigMaps that hold its parts.
    pub fn read<'object>(
        parent: &Object,
        parts: impl IntoIterator<Item = &'object Object>,
    ) -> Result<Self, BaselineFault> {
        let parts: BTreeMap<&str, &Object> = parts.into_iter().map(|part| (part.name(), part)).collect();
        let text = text_of(parent)?;
        let record = record_in(text, Some(data_of(parent, CHECKSUM).unwrap_or_default()))?;
        let mut objects = BTreeMap::new();
        add(record.objects, &mut objects);
        for PartOf { name, checksum } in record.parts {
            let text = parts.get(name.as_str()).and_then(|part| text_of(part).ok());
            let Some(Ok(part)) = text.map(|text| record_in(text, Some(&checksum))) else {
                return Err(BaselineFault::PartMissing(name));
            };
            add(part.objects, &mut objects);
        }
        Ok(Self { revisions: record.revisions, objects })
    }

    /// The record as data: whole where it takes no more than so many bytes, else in parts of that size at most.
    pub fn pieces(&self, room: usize, part_name: impl Fn(usize) -> String) -> Pieces {
        let whole = self.written(SCHEMA_OF_WHOLE, self.as_objects(), Vec::new());
        if whole.len() <= room {
            return Pieces { head: data(whole), parts: Vec::new() };
        }
        let mut parts = Vec::new();
        let mut refs = Vec::new();
        for objects in self.in_chunks(room) {
            let (name, text) = (part_name(parts.len() + 1), self.written(SCHEMA, objects, Vec::new()));
            refs.push(PartOf { name: name.clone(), checksum: Fingerprint::of(text.as_bytes()).0 });
            parts.push((name, data(text)));
        }
        Pieces { head: data(self.written(SCHEMA, Objects::new(), refs)), parts }
    }

    fn written(&self, schema: u64, objects: Objects, parts: Vec<PartOf>) -> String {
        let record = Record { schema, revisions: self.revisions.clone(), objects, parts };
        // Text keys and text values: it cannot fail.
        serde_json::to_string(&record).unwrap_or_default()
    }

    fn as_objects(&self) -> Objects {
        let mut objects = Objects::new();
        self.objects.iter().for_each(|(key, recorded)| insert(&mut objects, key, recorded));
        objects
    }

    /// The objects, in order, in as many heaps as are needed for none to become larger than this.
    fn in_chunks(&self, room: usize) -> Vec<Objects> {
        let (mut chunks, mut chunk, mut size) = (Vec::new(), Objects::new(), self.frame());
        for (key, recorded) in &self.objects {
            // As if kind and namespace were written for each: an estimate that is never too small.
            let entry = key.group.len() + key.kind.len() + key.namespace.len() + key.name.len() + 80;
            if size + entry > room && !chunk.is_empty() {
                chunks.push(std::mem::take(&mut chunk));
                size = self.frame();
            }
            insert(&mut chunk, key, recorded);
            size += entry;
        }
        chunks.push(chunk);
        chunks
    }

    /// What every part takes besides its objects.
    fn frame(&self) -> usize {
        64 + self.revisions.iter().map(|revision| revision.len() + 3).sum::<usize>()
    }
}

fn insert(objects: &mut Objects, key: &Key, recorded: &Recorded) {
    let names = objects.entry(kind_of(key)).or_default().entry(key.namespace.clone()).or_default();
    names.insert(key.name.clone(), (recorded.target.0.clone(), recorded.fields.0.clone()));
}

fn add(written: Objects, objects: &mut BTreeMap<Key, Recorded>) {
    for (kind, namespaces) in written {
        let (kind, group) = kind.split_once('.').unwrap_or((&kind, ""));
        for (namespace, names) in namespaces {
            for (name, (target, fields)) in names {
                let (group, kind, namespace) = (group.to_owned(), kind.to_owned(), namespace.clone());
                let recorded = Recorded { target: Fingerprint(target), fields: Fingerprint(fields) };
                objects.insert(Key { group, kind, namespace, name }, recorded);
            }
        }
    }
}

/// The record in a text; only what has this checksum, where one is given.
fn record_in(text: &str, checksum: Option<&str>) -> Result<Record, BaselineFault> {
    let schema = serde_json::from_str::<Value>(text).ok().and_then(|record| record.get("schema")?.as_u64());
    match schema {
        Some(schema) if schema > SCHEMA => return Err(BaselineFault::Newer(schema)),
        Some(_) => {}
        None => return Err(BaselineFault::Edited),
    }
    if checksum.is_some_and(|checksum| checksum != Fingerprint::of(text.as_bytes()).0) {
        return Err(BaselineFault::Edited);
    }
    serde_json::from_str(text).or(Err(BaselineFault::Edited))
}

fn text_of(parent: &Object) -> Result<&str, BaselineFault> {
    data_of(parent, RECORD).ok_or(BaselineFault::NoRecord)
}

fn data_of<'object>(parent: &'object Object, key: &str) -> Option<&'object str> {
    parent.value().get("data")?.get(key)?.as_str()
}

fn data(text: String) -> Map<String, Value> {
    let checksum = Fingerprint::of(text.as_bytes()).0;
    Map::from_iter([(RECORD.to_owned(), Value::String(text)), (CHECKSUM.to_owned(), Value::String(checksum))])
}

/// `Deployment.apps`, `ConfigMap`.
fn kind_of(key: &Key) -> String {
    if key.group.is_empty() { key.kind.clone() } else { format!("{}.{}", key.kind, key.group) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    fn holder(name: &str, data: &Map<String, Value>) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})).unwrap()
    }

    /// A record of so many objects, as the ConfigMaps that hold it: the parent, and its parts.
    fn written(objects: usize, room: usize) -> (Baseline, Object, Vec<Object>) {
        let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
        for number in 1..=objects {
            let live = config_map(&format!("number-{number}"), "2026-01-01T00:00:00Z");
            baseline.record(&live, &live);
        }
        let pieces = baseline.pieces(room, |number| format!("part-{number}"));
        let parts = pieces.parts.iter().map(|(name, data)| holder(name, data)).collect();
        (baseline, holder("trueup-shop", &pieces.head), parts)
    }

    #[test]
    fn what_was_written_is_read_again() {
        let (baseline, parent, parts) = written(2, 10_000);
        assert!(parts.is_empty() && Baseline::part_names(&parent).is_empty());
        let read = Baseline::read(&parent, []).unwrap();
        assert_eq!(read, baseline);
        let live = config_map("number-1", "2026-01-01T00:00:00Z");
        let recorded = read.of(&live.key()).unwrap();
        assert!(recorded.has_target(&live) && recorded.is_untouched(&live));
        assert!(!recorded.is_untouched(&config_map("number-1", "2026-01-02T00:00:00Z")));
        assert!(!recorded.has_target(&config_map("number-2", "2026-01-01T00:00:00Z")));
        assert_eq!(read.of(&config_map("number-3", "").key()), None);
    }

    /// What one ConfigMap does not hold is held by several, none of them larger than it may be.
    #[test]
    fn a_large_record_is_written_in_parts_and_read_again() {
        let room = 10_000;
        let (baseline, parent, parts) = written(1_000, room);
        assert!(parts.len() > 5, "{}", parts.len());
        assert!(parts.iter().all(|part| text_of(part).unwrap().len() <= room));
        assert_eq!(Baseline::part_names(&parent), parts.iter().map(Object::name).collect::<Vec<_>>());
        assert_eq!(Baseline::read(&parent, &parts), Ok(baseline));
    }

    /// Half of a record is none: what it does not know would look like nobody's.
    #[test]
    fn a_part_that_is_gone_or_of_another_sync_is_a_fault() {
        let (_, parent, mut parts) = written(1_000, 10_000);
        let (_, _, older) = written(999, 10_000);
        let missing = |number: usize| Err(BaselineFault::PartMissing(format!("part-{number}")));
        assert_eq!(Baseline::read(&parent, &parts[1..]), missing(1));
        let last = parts.len() - 1;
        parts[last] = older[last].clone();
        assert_eq!(Baseline::read(&parent, &parts), missing(last + 1));
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
            baseline.pieces(10_000, |_| String::new())
        };
        assert_eq!(written("c3dvcmRmaXNo"), written("b3RoZXI="));
    }

    #[test]
    fn what_cannot_be_believed_is_a_fault_and_no_baseline() {
        type Case<'c> = (&'c dyn Fn(&mut Value), BaselineFault);
        let edited = |change: &dyn Fn(&mut Value)| {
            let (_, mut parent, _) = written(2, 10_000);
            change(parent.value_mut().get_mut("data").unwrap());
            Baseline::read(&parent, [])
        };
        let text = |data: &Value| data[RECORD].as_str().unwrap().to_owned();
        let cases: [Case<'_>; 5] = [
            (&|data| data[RECORD] = json!(text(data).replace("3f2a", "4f2a")), BaselineFault::Edited),
            (&|data| data[RECORD] = json!("{"), BaselineFault::Edited),
            (&|data| data[CHECKSUM] = Value::Null, BaselineFault::Edited),
            (&|data| data[RECORD] = json!(text(data).replace("\"schema\":1", "\"schema\":9")), BaselineFault::Newer(9)),
            (&|data| *data = json!({"other": "x"}), BaselineFault::NoRecord),
        ];
        for (change, fault) in cases {
            assert_eq!(edited(change), Err(fault));
        }
    }
}
