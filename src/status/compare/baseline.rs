//! What the last sync left behind: its revisions, and for each object how to see that nobody has touched it since.
//!
//! In: targets and the live objects that a sync made of them. Out: a [`Baseline`], and its form in the data of a
//! ConfigMap, or of several where it is large ([`Pieces`]). What cannot be read is a [`BaselineFault`], and objects are
//! compared without it. Whose ConfigMap it is, and when it is written, is for `sync::state` to know.
//!
//! Rules: docs/record.md.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::managers::own_entry;
use super::owned::{names_all, owned_values};
use crate::object::{GroupKind, Key, Object};

/// The form that is written. Readers take older ones, too; see [`FIRST_WITH_VALUES`].
const SCHEMA: u64 = 3;
/// Forms before this one hashed our entry of `managedFields` without the values that it names. Such a hash proves nothing:
/// values can change under the same entry.
const FIRST_WITH_VALUES: u64 = 3;
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

    fn of_target(target: &Object) -> Self {
        // Maps are sorted, so equal values have one text; values with text keys cannot fail.
        Self::of(&serde_json::to_vec(target.value()).unwrap_or_default())
    }

    /// Of what the record holds; an empty text stands for no hash.
    fn read(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }
}

/// One object at the end of the last sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The hash of the target that was applied; none of a Secret.
    target: Option<Fingerprint>,
    /// The hash of what git said, where something else was applied: live values that a rule protects were kept.
    git: Option<Fingerprint>,
    /// The hash of our entry of `managedFields` and of the live values at each place that it names. None of a Secret, of
    /// an object of which the entry does not name all that git says, and of a record in an older form.
    applied: Option<Fingerprint>,
    /// The file in git that the object came from; of a tool's render, its source.
    source: Option<String>,
}

impl Recorded {
    /// The parts to record of a target that was applied, and of what the server stored.
    fn of(target: &Object, live: &Object, source: Option<&str>) -> Self {
        // A password can be guessed by the hash of its Secret, with or without a salt that the record would have to hold.
        let is_secret = target.kind() == "Secret" && target.api_version() == "v1";
        Self {
            target: (!is_secret).then(|| Fingerprint::of_target(target)),
            git: None,
            applied: own_entry(live)
                .filter(|entry| !is_secret && names_all(entry, target))
                .map(|entry| applied(entry, live)),
            source: source.map(str::to_owned),
        }
    }

    /// Whether git says what it said at the last sync.
    pub(super) fn has_target(&self, target: &Object) -> bool {
        self.target.as_ref().is_some_and(|recorded| *recorded == Fingerprint::of_target(target))
    }

    /// Whether git said this at the last sync, whatever was applied.
    fn has_git(&self, target: &Object) -> bool {
        match &self.git {
            Some(recorded) => *recorded == Fingerprint::of_target(target),
            None => self.has_target(target),
        }
    }

    /// Whether every value that was applied is still what the server stored then, whatever others added around it. Never
    /// of a Secret: its values are compared each time.
    pub(super) fn is_untouched(&self, live: &Object) -> bool {
        let Some(recorded) = &self.applied else { return false };
        own_entry(live).is_some_and(|entry| *recorded == applied(entry, live))
    }
}

/// The hash of what we applied: our entry of `managedFields`, its time included, and the values that it names.
fn applied(entry: &Value, live: &Object) -> Fingerprint {
    Fingerprint::of(&owned_values(entry, live.value()))
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
    #[error("was written by a newer version, in format {0}")]
    Newer(u64),
    /// A ConfigMap that holds a part of it is gone, or is not the one that was written.
    #[error("lacks the part that ConfigMap `{0}` held")]
    PartMissing(String),
    /// There is none.
    #[error("has no record of a sync")]
    NoRecord,
}

/// By kind, namespace and name, so that none of them is written ten thousand times.
type Objects = ByKind<RecordedHashes>;
type ByKind<T> = BTreeMap<String, BTreeMap<String, BTreeMap<String, T>>>;

/// One object as it is written: the hash of the target, the hash of what was applied, and which of the record's files it
/// came from. A hash that is not known is empty.
#[derive(Serialize, Deserialize)]
struct RecordedHashes(String, String, #[serde(default, skip_serializing_if = "Option::is_none")] Option<usize>);

/// The record as it is written: whole, or as the head of its parts.
#[derive(Serialize, Deserialize)]
struct RecordForm {
    schema: u64,
    revisions: Vec<String>,
    objects: Objects,
    /// The files that the objects came from, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<String>,
    /// The hashes of what git said, of the objects of which something else was applied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    git: ByKind<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartOf>,
}

/// Some of the objects, ready to be written, with the files that they came from.
#[derive(Default)]
struct Chunk<'b> {
    objects: Objects,
    git: ByKind<String>,
    files: BTreeMap<&'b str, usize>,
}

impl<'b> Chunk<'b> {
    fn insert(&mut self, key: &Key, recorded: &'b Recorded) {
        let hash = |hash: &Option<Fingerprint>| hash.as_ref().map_or_else(String::new, |hash| hash.0.clone());
        let next = self.files.len();
        let file = recorded.source.as_deref().map(|source| *self.files.entry(source).or_insert(next));
        insert(&mut self.objects, key, RecordedHashes(hash(&recorded.target), hash(&recorded.applied), file));
        if let Some(git) = &recorded.git {
            insert(&mut self.git, key, git.0.clone());
        }
    }

    /// How many bytes an object adds at most: as if kind and namespace were written for each.
    fn growth(&self, key: &Key, recorded: &Recorded) -> usize {
        let new_file = recorded.source.as_deref().filter(|source| !self.files.contains_key(source));
        // A name is escaped in JSON: a control character takes six bytes.
        let file = new_file.map_or(0, |source| source.chars().map(|c| if c.is_ascii_graphic() { 2 } else { 6 }).sum());
        let once = key.group.len() + key.kind.len() + key.namespace.len() + key.name.len();
        let git = recorded.git.as_ref().map_or(0, |git| once + git.0.len() + 20);
        once + git + file + 90
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<(&str, usize)> = self.files.iter().map(|(file, at)| (*file, *at)).collect();
        files.sort_by_key(|(_, at)| *at);
        files.into_iter().map(|(file, _)| file.to_owned()).collect()
    }
}

fn insert<T>(map: &mut ByKind<T>, key: &Key, value: T) {
    let names = map.entry(kind_of(key)).or_default().entry(key.namespace.clone()).or_default();
    names.insert(key.name.clone(), value);
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
    /// The parent's data: all of it, or where the rest is.
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

    /// Remembers an object: that it is part of the application, the file (or the source, of a tool's render) that it came
    /// from, and how to see that nobody has touched it. The latter only where trueup applied it server-side.
    pub fn record(&mut self, target: &Object, live: &Object, source: Option<&str>) {
        self.objects.insert(live.key(), Recorded::of(target, live, source));
    }

    /// Remembers what git says of an object that is recorded, where something else was applied.
    pub fn record_git(&mut self, git: &Object) {
        let Some(recorded) = self.objects.get_mut(&git.key()) else { return };
        if let Some(target) = &recorded.target {
            recorded.git = Some(Fingerprint::of_target(git)).filter(|git| git != target);
        }
    }

    /// Remembers of an object what an earlier record has.
    pub fn keep(&mut self, earlier: &Self, key: &Key) {
        if let Some(recorded) = earlier.of(key) {
            self.objects.insert(key.clone(), recorded.clone());
        }
    }

    /// The same of an object that git has in this file now: it may have moved since.
    pub fn keep_in(&mut self, earlier: &Self, key: &Key, source: Option<&str>) {
        self.keep(earlier, key);
        if let (Some(recorded), Some(source)) = (self.objects.get_mut(key), source) {
            recorded.source = Some(source.to_owned());
        }
    }

    /// The recorded state of an object.
    pub fn of(&self, key: &Key) -> Option<&Recorded> {
        self.objects.get(key)
    }

    /// The file in git that an object came from at the last sync; of a tool's render, its source. Nothing where the record
    /// does not say: an older version wrote it.
    pub fn source_of(&self, key: &Key) -> Option<&str> {
        self.of(key)?.source.as_deref()
    }

    /// Whether a target is what the last sync applied. Nothing where the record cannot say: an object that it does not know, or
    /// a Secret, of whose content it has no hash.
    pub fn is_as_applied(&self, target: &Object) -> Option<bool> {
        let recorded = self.of(&target.key()).filter(|recorded| recorded.target.is_some())?;
        Some(recorded.has_target(target))
    }

    /// The same of what git said then, which is not what was applied where a rule kept live values.
    pub fn is_as_git_said(&self, target: &Object) -> Option<bool> {
        let recorded = self.of(&target.key()).filter(|recorded| recorded.target.is_some())?;
        Some(recorded.has_git(target))
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
        let RecordForm { schema, revisions, objects: written, files, git, parts: part_list } = record;
        add(schema, (written, git), &files, &mut objects)?;
        for PartOf { name, checksum } in part_list {
            let text = parts.get(name.as_str()).and_then(|part| text_of(part).ok());
            let Some(Ok(part)) = text.map(|text| record_in(text, Some(&checksum))) else {
                return Err(BaselineFault::PartMissing(name));
            };
            add(part.schema, (part.objects, part.git), &part.files, &mut objects)?;
        }
        Ok(Self { revisions, objects })
    }

    /// The record as data: whole where it takes no more than so many bytes, else in parts of that size at most.
    pub fn pieces(&self, room: usize, part_name: impl Fn(usize) -> String) -> Pieces {
        let mut all = Chunk::default();
        self.objects.iter().for_each(|(key, recorded)| all.insert(key, recorded));
        let whole = self.written(all, Vec::new());
        if whole.len() <= room {
            return Pieces { head: data(whole), parts: Vec::new() };
        }
        let mut parts = Vec::new();
        let mut refs = Vec::new();
        for chunk in self.in_chunks(room) {
            let (name, text) = (part_name(parts.len() + 1), self.written(chunk, Vec::new()));
            refs.push(PartOf { name: name.clone(), checksum: Fingerprint::of(text.as_bytes()).0 });
            parts.push((name, data(text)));
        }
        Pieces { head: data(self.written(Chunk::default(), refs)), parts }
    }

    fn written(&self, chunk: Chunk<'_>, parts: Vec<PartOf>) -> String {
        let files = chunk.files();
        let record = RecordForm {
            schema: SCHEMA,
            revisions: self.revisions.clone(),
            objects: chunk.objects,
            files,
            git: chunk.git,
            parts,
        };
        // Text keys and text values: it cannot fail.
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// The objects, in order, in as many chunks as are needed for none to become larger than this.
    fn in_chunks(&self, room: usize) -> Vec<Chunk<'_>> {
        let (mut chunks, mut chunk, mut size) = (Vec::new(), Chunk::default(), self.frame());
        for (key, recorded) in &self.objects {
            if size + chunk.growth(key, recorded) > room && !chunk.objects.is_empty() {
                chunks.push(std::mem::take(&mut chunk));
                size = self.frame();
            }
            size += chunk.growth(key, recorded);
            chunk.insert(key, recorded);
        }
        chunks.push(chunk);
        chunks
    }

    /// The common inputs of every part.
    fn frame(&self) -> usize {
        64 + self.revisions.iter().map(|revision| revision.len() + 3).sum::<usize>()
    }
}

/// Takes what a record, or a part of one, has; a file that it does not list means that somebody edited it.
fn add(
    schema: u64,
    (written, mut git): (Objects, ByKind<String>),
    files: &[String],
    objects: &mut BTreeMap<Key, Recorded>,
) -> Result<(), BaselineFault> {
    let entries = written.into_iter().flat_map(|(kind, namespaces)| {
        let entries = namespaces.into_iter().flat_map(|(namespace, names)| {
            names.into_iter().map(move |(name, written)| (namespace.clone(), name, written))
        });
        let (kind, group) = kind.split_once('.').map_or((&*kind, ""), |parts| parts);
        let (kind, group) = (kind.to_owned(), group.to_owned());
        entries.map(move |(namespace, name, written)| {
            (Key { group: group.clone(), kind: kind.clone(), namespace, name }, written)
        })
    });
    for (key, RecordedHashes(target, applied, file)) in entries {
        let source = match file {
            Some(file) => Some(files.get(file).cloned().ok_or(BaselineFault::Edited)?),
            None => None,
        };
        let applied = Fingerprint::read(applied).filter(|_| schema >= FIRST_WITH_VALUES);
        let of_kind = git.get_mut(&kind_of(&key)).and_then(|of_kind| of_kind.get_mut(&key.namespace));
        let git = of_kind.and_then(|names| names.remove(&key.name)).and_then(Fingerprint::read);
        objects.insert(key, Recorded { target: Fingerprint::read(target), git, applied, source });
    }
    Ok(())
}

/// The record in a text; only what has this checksum, where one is given.
fn record_in(text: &str, checksum: Option<&str>) -> Result<RecordForm, BaselineFault> {
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

    /// What git said is not what was applied where a rule kept live values, and both are needed.
    #[test]
    fn what_git_said_is_kept_beside_what_was_applied() {
        let (git, mut applied) = (config_map("a", "2026-01-01T00:00:00Z"), config_map("a", "2026-01-01T00:00:00Z"));
        applied.set_label("kept", "live");
        let mut baseline = Baseline::new(Vec::new());
        baseline.record(&applied, &applied, Some("a.yaml"));
        baseline.record_git(&git);
        let same = config_map("b", "2026-01-01T00:00:00Z");
        baseline.record(&same, &same, None);
        baseline.record_git(&same);
        let pieces = baseline.pieces(1 << 20, |_| String::new());
        let read = Baseline::read(&holder("trueup-shop", &pieces.head), []).unwrap();
        assert_eq!(read, baseline);
        assert_eq!((read.is_as_git_said(&git), read.is_as_applied(&git)), (Some(true), Some(false)));
        assert_eq!((read.is_as_git_said(&applied), read.is_as_applied(&applied)), (Some(false), Some(true)));
        assert_eq!((read.is_as_git_said(&same), read.is_as_applied(&same)), (Some(true), Some(true)));
        assert_eq!(pieces.head["baseline.json"].as_str().unwrap().matches("\"git\"").count(), 1);
    }

    /// A record of so many objects, as the ConfigMaps that hold it: the parent, and its parts.
    fn written(objects: usize, room: usize) -> (Baseline, Object, Vec<Object>) {
        let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
        for number in 1..=objects {
            let live = config_map(&format!("number-{number}"), "2026-01-01T00:00:00Z");
            baseline.record(&live, &live, Some(&format!("shop/{}.yaml", number % 50)));
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
        assert_eq!(read.source_of(&live.key()), Some("shop/1.yaml"));
        assert_eq!(read.of(&config_map("number-3", "").key()), None);
    }

    /// `kubectl replace` of an edited dump keeps our entry as it was.
    #[test]
    fn a_changed_value_under_the_same_entry_is_a_touch() {
        let (baseline, ..) = written(1, 10_000);
        let mut live = config_map("number-1", "2026-01-01T00:00:00Z");
        assert!(baseline.of(&live.key()).unwrap().is_untouched(&live));
        live.value_mut().insert("data".to_owned(), json!({"a": "2"}));
        assert!(!baseline.of(&live.key()).unwrap().is_untouched(&live));
    }

    /// Records of earlier versions hashed no values: they say what was synced, and prove nothing.
    #[test]
    fn a_record_without_hashes_of_values_is_read_and_proves_nothing() {
        let live = config_map("number-1", "2026-01-01T00:00:00Z");
        let target = Fingerprint::of_target(&live).0;
        let objects = json!({"ConfigMap": {"shop": {"number-1": [target, "hash-of-the-entry"]}}});
        for schema in [1, 2] {
            let text = json!({"schema": schema, "revisions": ["3f2a"], "objects": objects}).to_string();
            let read = Baseline::read(&holder("trueup-shop", &data(text)), []).unwrap();
            let recorded = read.of(&live.key()).unwrap();
            assert!(recorded.has_target(&live) && !recorded.is_untouched(&live));
            assert_eq!(read.source_of(&live.key()), None);
        }
    }

    /// 10,000 objects, each from a file of its own with a long path, and what they take.
    #[test]
    fn ten_thousand_objects_take_few_parts() {
        let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
        for number in 0..10_000 {
            let live = config_map(&format!("some-object-of-a-usual-name-{number}"), "2026-01-01T00:00:00Z");
            baseline.record(&live, &live, Some(&format!("clusters/production/teams/shop/{}/config.yaml", number / 4)));
        }
        let pieces = baseline.pieces(900_000, |number| format!("part-{number}"));
        assert!(pieces.parts.len() <= 2, "{}", pieces.parts.len());
        let parts: Vec<Object> = pieces.parts.iter().map(|(name, data)| holder(name, data)).collect();
        assert!(parts.iter().all(|part| text_of(part).unwrap().len() <= 900_000));
        assert_eq!(Baseline::read(&holder("trueup-shop", &pieces.head), &parts), Ok(baseline));
    }

    /// A record too large for one ConfigMap is split into several, each within the size limit.
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
            baseline.record(&secret(password), &secret(password), Some("login.yaml"));
            assert!(baseline.of(&secret("").key()).is_some(), "that there is one is known");
            assert!(!baseline.of(&secret("").key()).unwrap().has_target(&secret(password)));
            baseline.pieces(10_000, |_| String::new())
        };
        assert_eq!(written("c3dvcmRmaXNo"), written("b3RoZXI="));
    }

    /// The checksum fits, and still an object is of a file that is not listed.
    fn unlisted_file(text: &str) -> Value {
        Value::Object(data(text.replace(",1]", ",7]")))
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
        let cases: [Case<'_>; 6] = [
            (&|data| *data = unlisted_file(&text(data)), BaselineFault::Edited),
            (&|data| data[RECORD] = json!(text(data).replace("3f2a", "4f2a")), BaselineFault::Edited),
            (&|data| data[RECORD] = json!("{"), BaselineFault::Edited),
            (&|data| data[CHECKSUM] = Value::Null, BaselineFault::Edited),
            (&|data| data[RECORD] = json!(text(data).replace("\"schema\":3", "\"schema\":9")), BaselineFault::Newer(9)),
            (&|data| *data = json!({"other": "x"}), BaselineFault::NoRecord),
        ];
        for (change, fault) in cases {
            assert_eq!(edited(change), Err(fault));
        }
    }
}
