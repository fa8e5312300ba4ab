//! The state as the objects that hold it: the parent of an ApplySet, and parts beside it where the record is large.
//!
//! In: a [`State`], or the objects. Out: the other one. Pure; what somebody else keeps in the parent stays there.
//!
//! Rules: KEP-3659, "ApplySet specification"; kubectl pkg/cmd/apply/applyset.go `fetchParent` for what makes a parent
//! another tool's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::place::Side;
use super::sources::{Pool, WrittenBlock, WrittenSource, WrittenSources};
use super::{Attempt, AttemptEnd, HistoryEntry, Identity, Place, State, StateError, StateFault};
use crate::object::annotations::{
    APPLYSET_ADDITIONAL_NAMESPACES, APPLYSET_CONTAINS_KINDS, APPLYSET_ID, APPLYSET_TOOLING, CONTAINS_APPLICATIONS,
    GENERATED, LINEAGE, MANAGED_BY,
};
use crate::object::{GroupKind, Key, Object};
use crate::status::compare::{Baseline, BaselineFault, is_of_record};
use crate::sync::execute::OperationPhase;

/// The name of the tool, in the tooling annotation and the managed-by label.
const TOOL: &str = "trueup";
/// Whose state it is, as tracking names the application.
const APPLICATION: &str = "application";
/// Which application it is: where it goes, and which repositories it comes from.
const IDENTITY: &str = "identity.json";
/// The sources of the last sync, and the blocks of these and of the history's.
const SOURCES: &str = "sources.json";
/// The successful syncs.
const HISTORY: &str = "history.json";
/// The last attempt, and how it ended.
const ATTEMPT: &str = "attempt.json";
/// The entry of the history that the application was rolled back to.
const ROLLED_BACK_TO: &str = "rolled-back-to";
/// Since when resources differ.
const SEEN: &str = "differs.json";
/// How many bytes of state one ConfigMap gets: 1 MiB is the server's limit, and somebody may keep notes beside it.
const ROOM: usize = 900_000;
/// How many of them the history gets; the oldest syncs make room.
const ROOM_OF_HISTORY: usize = 200_000;
/// How long the words about an attempt may be.
const ROOM_OF_MESSAGE: usize = 8_000;

impl State {
    /// Reads the state from the parent, and from the ConfigMaps that hold parts of its record.
    pub fn of(place: &Place, parent: Object, parts: &[Object]) -> Result<Self, StateError> {
        is_ours(place, &parent)?;
        let MemberScope { kinds, namespaces } = MemberScope::of(&parent);
        let mut state = Self { kinds, namespaces, doubt: doubt(place, &parent), ..Self::default() };
        match Baseline::read(&parent, parts) {
            Ok(baseline) => state.baseline = Some(baseline),
            // Its first sync did not come to an end.
            Err(BaselineFault::NoRecord) => {}
            Err(BaselineFault::Newer(schema)) => {
                let (parent, namespace) = (place.name.clone(), place.namespace.clone());
                return Err(StateError::Newer { parent, namespace, schema });
            }
            Err(fault) => state.faults.push(StateFault::Record { parent: place.name.clone(), fault }),
        }
        let mut unreadable = |key| state.faults.push(StateFault::Unreadable { parent: place.name.clone(), key });
        let sources = match read::<WrittenSources>(&parent, SOURCES) {
            Ok(sources) => sources.unwrap_or_default(),
            Err(key) => {
                unreadable(key);
                WrittenSources::default()
            }
        };
        match read::<Vec<WrittenEntry>>(&parent, HISTORY) {
            Ok(entries) => {
                let entries = entries.unwrap_or_default().into_iter();
                state.history = entries.map(|entry| entry.into_entry(&sources.blocks)).collect();
            }
            Err(key) => unreadable(key),
        }
        // A record that an older version wrote since has other sources than these.
        if sources.record == hash_of_record(parent.value().get("data")) {
            state.sources = sources.last.into_iter().map(|source| source.into_source(&sources.blocks)).collect();
            state.record = sources.record;
        }
        match read::<WrittenAttempt>(&parent, ATTEMPT) {
            Ok(Some(attempt)) => (state.attempt, state.ended) = attempt.into_parts(),
            Ok(None) => {}
            Err(key) => unreadable(key),
        }
        match read::<u64>(&parent, ROLLED_BACK_TO) {
            Ok(id) => state.rolled_back_to = id,
            Err(key) => unreadable(key),
        }
        // An age that cannot be read is not known: no more is lost.
        let seen = read::<Vec<WrittenSeen>>(&parent, SEEN).unwrap_or_default().unwrap_or_default();
        state.seen = seen.into_iter().map(WrittenSeen::into_entry).collect();
        state.parent = Some(parent);
        Ok(state)
    }
}

/// The objects that hold a state: the parent, which comes last, and the parts of its record.
pub fn parents(state: &State, place: &Place) -> Vec<Object> {
    let written = ended(state, place, None);
    written.parts.into_iter().chain([written.parent]).collect()
}

/// A state, ready to be written.
pub(super) struct Written {
    /// The parent.
    pub(super) parent: Object,
    /// The dependencies of an object.
    pub(super) parts: Vec<Object>,
}

/// The parent with everything but the record, which stays what it is. Kinds and namespaces are only ever added: until
/// the end nobody knows what was written.
pub(super) fn attempted(state: &State, place: &Place, live: Option<&Object>) -> Object {
    let mut scope = MemberScope { kinds: state.kinds.clone(), namespaces: state.namespaces.clone() };
    if let Some(live) = live {
        let MemberScope { kinds, namespaces } = MemberScope::of(live);
        scope.kinds.extend(kinds);
        scope.namespaces.extend(namespaces);
    }
    onto(live, place, &scope, own_data(state, place), Map::new())
}

/// The parent with the record, if there is one, and the parts that the record takes.
pub(super) fn ended(state: &State, place: &Place, live: Option<&Object>) -> Written {
    let Some(baseline) = &state.baseline else {
        return Written { parent: attempted(state, place, live), parts: Vec::new() };
    };
    let mut data = own_data(state, place);
    let beside: usize = data.values().filter_map(Value::as_str).map(str::len).sum();
    let side = Side::beside(&live.map(Baseline::part_names).unwrap_or_default());
    let pieces = baseline.pieces(ROOM.saturating_sub(beside), |number| place.part(side, number));
    if !state.sources.is_empty() {
        let record = hash_of_record(Some(&Value::Object(pieces.head.clone())));
        data.insert(SOURCES.to_owned(), Value::String(text(&written_sources(state, record))));
    }
    let part = |(name, mut data): (String, Map<String, Value>)| {
        data.insert(APPLICATION.to_owned(), place.application.clone().into());
        config_map(&name, &place.namespace, data)
    };
    let parts = pieces.parts.into_iter().map(part).collect();
    let mut scope = MemberScope { kinds: state.kinds.clone(), namespaces: state.namespaces.clone() };
    scope.kinds.extend(baseline.kinds());
    scope.namespaces.extend(baseline.namespaces().into_iter().filter(|namespace| *namespace != place.namespace));
    Written { parent: onto(live, place, &scope, data, pieces.head), parts }
}

/// Whether what is in the place of a parent is this application's. Whatever is not, is not touched.
pub(super) fn is_ours(place: &Place, parent: &Object) -> Result<(), StateError> {
    let foreign = |why: String| {
        let (parent, namespace) = (place.name.clone(), place.namespace.clone());
        Err(StateError::Foreign { parent, namespace, why })
    };
    let Some(tooling) = parent.annotation(APPLYSET_TOOLING) else {
        return foreign(format!("it has no annotation `{APPLYSET_TOOLING}`"));
    };
    let tool = tooling.rsplit_once('/').map_or(tooling, |(tool, _version)| tool);
    if tool != TOOL {
        return foreign(format!("it is the parent of an ApplySet of `{tool}`"));
    }
    if parent.label(APPLYSET_ID) != Some(&*place.applyset_id()) {
        return foreign("its ApplySet id belongs to another name or namespace, so it is a copy".to_owned());
    }
    match data(parent, APPLICATION) {
        Some(application) if application != place.application => {
            return foreign(format!("it holds the state of application `{application}`"));
        }
        _ => {}
    }
    place.refuse_another(identity(parent).as_ref())
}

/// Why a parent that is this application's by its name and place may be another one's.
pub(super) fn doubt(place: &Place, parent: &Object) -> Option<StateError> {
    place.doubt(identity(parent).as_ref())
}

/// Which application a ConfigMap holds the state of.
pub fn identity_of(parent: &Object) -> Option<Identity> {
    identity(parent)
}

fn identity(parent: &Object) -> Option<Identity> {
    read::<WrittenIdentity>(parent, IDENTITY).unwrap_or_default().map(Identity::from)
}

/// The identity of a record: the texts that hold it.
pub(super) fn hash_of_record(data: Option<&Value>) -> String {
    let mut hasher = blake3::Hasher::new();
    let texts = data.and_then(Value::as_object).into_iter().flatten().filter(|(key, _)| is_of_record(key));
    for (key, text) in texts {
        for part in [key.as_str(), text.as_str().unwrap_or_default()] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Whether a live object holds the state of the application of this place.
pub(in crate::sync) fn is_parent_of(place: &Place, live: &Object) -> bool {
    live.kind() == "ConfigMap" && live.name() == place.name && is_ours(place, live).is_ok()
}

/// The application whose state a ConfigMap holds, as tracking names it.
pub fn application_of(parent: &Object) -> Option<&str> {
    data(parent, APPLICATION)
}

/// Whether a live object holds a part of the record of the application of this place.
pub(in crate::sync) fn is_part_of(place: &Place, live: &Object) -> bool {
    let is_named = [Side::A, Side::B].into_iter().any(|side| place.is_part(side, live.name()));
    live.kind() == "ConfigMap"
        && is_named
        && live.label(MANAGED_BY) == Some(TOOL)
        && data(live, APPLICATION) == Some(place.application.as_str())
}

/// Where the members of the ApplySet may be, the parent's own namespace aside.
struct MemberScope {
    kinds: BTreeSet<GroupKind>,
    namespaces: BTreeSet<String>,
}

impl MemberScope {
    /// As a parent names it.
    fn of(parent: &Object) -> Self {
        Self {
            kinds: listed(parent, APPLYSET_CONTAINS_KINDS).map(group_kind).collect(),
            namespaces: listed(parent, APPLYSET_ADDITIONAL_NAMESPACES).map(str::to_owned).collect(),
        }
    }
}

/// Puts our part of the parent into the live one, of which the rest stays; the `resourceVersion`, too. An empty record
/// leaves the one that is there.
fn onto(
    live: Option<&Object>,
    place: &Place,
    scope: &MemberScope,
    own: Map<String, Value>,
    record: Map<String, Value>,
) -> Object {
    let mut parent = match live {
        Some(live) => live.clone(),
        None => config_map(&place.name, &place.namespace, Map::new()),
    };
    if let Some(Value::Object(metadata)) = parent.value_mut().get_mut("metadata") {
        // The server keeps it; sending it back would only be long.
        metadata.remove("managedFields");
        put(metadata, "labels", [(MANAGED_BY, TOOL.to_owned()), (APPLYSET_ID, place.applyset_id())]);
        let kinds: BTreeSet<String> = scope.kinds.iter().map(written_kind).collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        let namespaces: Vec<&str> = scope.namespaces.iter().map(String::as_str).collect();
        put(
            metadata,
            "annotations",
            [
                (APPLYSET_TOOLING, format!("{TOOL}/v{}", env!("CARGO_PKG_VERSION"))),
                (APPLYSET_CONTAINS_KINDS, kinds.join(",")),
                (APPLYSET_ADDITIONAL_NAMESPACES, namespaces.join(",")),
            ],
        );
        put_lineage(metadata, place);
    }
    let data = parent.value_mut().entry("data").or_insert_with(|| Value::Object(Map::new()));
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    if let Value::Object(data) = data {
        data.retain(|key, _| !is_own_key(key) && (record.is_empty() || !is_of_record(key)));
        data.extend(own);
        data.extend(record);
    }
    parent
}

/// Who knows an application by its name alone leaves the lineage as it is.
fn put_lineage(metadata: &mut Map<String, Value>, place: &Place) {
    if let Some(lineage) = &place.lineage {
        put(metadata, "labels", [(GENERATED, "true".to_owned())]);
        put(metadata, "annotations", [(LINEAGE, lineage.text())]);
    }
    if place.has_children {
        put(metadata, "annotations", [(CONTAINS_APPLICATIONS, "true".to_owned())]);
    }
    let mut remove = |field: &str, name: &str| {
        if let Some(Value::Object(map)) = metadata.get_mut(field) {
            map.remove(name);
        }
    };
    if place.lineage.is_none() && place.identity.is_some() {
        remove("labels", GENERATED);
        remove("annotations", LINEAGE);
    }
    if !place.has_children && place.identity.is_some() {
        remove("annotations", CONTAINS_APPLICATIONS);
    }
}

fn put<const N: usize>(metadata: &mut Map<String, Value>, field: &str, entries: [(&str, String); N]) {
    let map = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !map.is_object() {
        *map = Value::Object(Map::new());
    }
    if let Value::Object(map) = map {
        map.extend(entries.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    }
}

fn config_map(name: &str, namespace: &str, data: Map<String, Value>) -> Object {
    let metadata = json!({"name": name, "namespace": namespace, "labels": {MANAGED_BY: TOOL}});
    let mut value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
    value["data"] = Value::Object(data);
    // It has an `apiVersion`, a `kind` and a name.
    Object::new(value).expect("a ConfigMap is an object")
}

fn is_own_key(key: &str) -> bool {
    // Who knows an application by its name alone leaves the identity as it is.
    [APPLICATION, SOURCES, HISTORY, ATTEMPT, ROLLED_BACK_TO, SEEN].contains(&key)
}

/// The parts of a state in the parent besides its record.
fn own_data(state: &State, place: &Place) -> Map<String, Value> {
    let mut data = Map::new();
    let mut put = |key: &str, text: String| data.insert(key.to_owned(), Value::String(text));
    put(APPLICATION, place.application.clone());
    if let Some(identity) = &place.identity {
        put(IDENTITY, text(&WrittenIdentity::of(identity)));
    }
    let sources = written_sources(state, state.record.clone());
    if !sources.is_empty() {
        put(SOURCES, text(&sources));
    }
    if !state.history.is_empty() {
        put(HISTORY, written_history(state));
    }
    if let Some(attempt) = &state.attempt {
        put(ATTEMPT, text(&WrittenAttempt::of(attempt, state.ended.as_ref())));
    }
    if let Some(id) = state.rolled_back_to {
        put(ROLLED_BACK_TO, id.to_string());
    }
    if !state.seen.is_empty() {
        put(SEEN, text(&state.seen.iter().map(WrittenSeen::of).collect::<Vec<_>>()));
    }
    data
}

/// The blocks of the last sync first, then those of the history, the newest first: what has no room is not kept.
fn pool(state: &State) -> Pool {
    let history = state.history.iter().rev().flat_map(|entry| &entry.sources);
    Pool::of(state.sources.iter().chain(history))
}

fn written_sources(state: &State, record: String) -> WrittenSources {
    let pool = pool(state);
    let last = state.sources.iter().map(|source| pool.written(source)).collect();
    WrittenSources { record, last, blocks: pool.into_blocks() }
}

fn written_history(state: &State) -> String {
    let pool = pool(state);
    let entries: Vec<WrittenEntry> = state.history.iter().map(|entry| WrittenEntry::of(entry, &pool)).collect();
    let mut first = 0;
    loop {
        let written = text(&&entries[first..]);
        if written.len() <= ROOM_OF_HISTORY || first + 1 >= entries.len() {
            return written;
        }
        // Few and small as they are, it is never a question of more than some rounds.
        first += entries.len().div_ceil(10);
        first = first.min(entries.len() - 1);
    }
}

fn text(value: &impl Serialize) -> String {
    // Text keys, and nothing that JSON has no word for: it cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn data<'object>(parent: &'object Object, key: &str) -> Option<&'object str> {
    parent.value().get("data")?.get(key)?.as_str()
}

/// A value of the parent's data; the key, where it cannot be read.
fn read<T: serde::de::DeserializeOwned>(parent: &Object, key: &'static str) -> Result<Option<T>, &'static str> {
    match data(parent, key) {
        Some(text) => serde_json::from_str(text).map(Some).or(Err(key)),
        None => Ok(None),
    }
}

/// The entries of a list in an annotation.
fn listed<'object>(parent: &'object Object, annotation: &str) -> impl Iterator<Item = &'object str> {
    parent.annotation(annotation).unwrap_or_default().split(',').filter(|entry| !entry.is_empty())
}

/// Rule: apimachinery schema `GroupKind.String`, `ParseGroupKind`.
fn written_kind(kind: &GroupKind) -> String {
    if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) }
}

fn group_kind(text: &str) -> GroupKind {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    GroupKind { group: group.to_owned(), kind: kind.to_owned() }
}

/// A resource that differs, as it is written: `Deployment.apps`, namespace, name, since when.
#[derive(Serialize, Deserialize)]
struct WrittenSeen(String, String, String, Timestamp);

impl WrittenSeen {
    fn of((key, since): (&Key, &Timestamp)) -> Self {
        Self(written_kind(&key.group_kind()), key.namespace.clone(), key.name.clone(), *since)
    }

    fn into_entry(self) -> (Key, Timestamp) {
        let Self(kind, namespace, name, since) = self;
        let GroupKind { group, kind } = group_kind(&kind);
        (Key { group, kind, namespace, name }, since)
    }
}

/// An attempt as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenAttempt {
    revisions: Vec<String>,
    started: Timestamp,
    by: String,
    steps: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<WrittenEnd>,
}

/// How it ended, as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenEnd {
    at: Timestamp,
    phase: WrittenPhase,
    message: String,
}

/// In Argo CD's words.
#[derive(Serialize, Deserialize)]
enum WrittenPhase {
    Succeeded,
    Failed,
    Error,
    Terminated,
}

impl WrittenAttempt {
    fn of(attempt: &Attempt, ended: Option<&AttemptEnd>) -> Self {
        let Attempt { revisions, started, by, steps, kinds: _, namespaces: _ } = attempt.clone();
        Self { revisions, started, by, steps, ended: ended.map(WrittenEnd::of) }
    }

    fn into_parts(self) -> (Option<Attempt>, Option<AttemptEnd>) {
        let Self { revisions, started, by, steps, ended } = self;
        let (kinds, namespaces) = (BTreeSet::new(), BTreeSet::new());
        (Some(Attempt { revisions, started, by, steps, kinds, namespaces }), ended.map(WrittenEnd::into_end))
    }
}

impl WrittenEnd {
    fn of(end: &AttemptEnd) -> Self {
        let mut message = end.message.clone();
        let cut = (0..=ROOM_OF_MESSAGE.min(message.len())).rev().find(|place| message.is_char_boundary(*place));
        message.truncate(cut.unwrap_or_default());
        let phase = match end.phase {
            OperationPhase::Succeeded => WrittenPhase::Succeeded,
            OperationPhase::Failed => WrittenPhase::Failed,
            OperationPhase::Error => WrittenPhase::Error,
            OperationPhase::Terminated => WrittenPhase::Terminated,
        };
        Self { at: end.at, phase, message }
    }

    fn into_end(self) -> AttemptEnd {
        let phase = match self.phase {
            WrittenPhase::Succeeded => OperationPhase::Succeeded,
            WrittenPhase::Failed => OperationPhase::Failed,
            WrittenPhase::Error => OperationPhase::Error,
            WrittenPhase::Terminated => OperationPhase::Terminated,
        };
        AttemptEnd { at: self.at, phase, message: self.message }
    }
}

/// An entry of the history as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenEntry {
    id: u64,
    started: Timestamp,
    deployed: Timestamp,
    by: String,
    sources: Vec<WrittenSource>,
}

impl WrittenEntry {
    fn of(entry: &HistoryEntry, pool: &Pool) -> Self {
        let HistoryEntry { id, started, deployed, by, sources } = entry.clone();
        Self { id, started, deployed, by, sources: sources.iter().map(|source| pool.written(source)).collect() }
    }

    fn into_entry(self, blocks: &BTreeMap<String, WrittenBlock>) -> HistoryEntry {
        let Self { id, started, deployed, by, sources } = self;
        let sources = sources.into_iter().map(|source| source.into_source(blocks)).collect();
        HistoryEntry { id, started, deployed, by, sources }
    }
}

/// An identity as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenIdentity {
    #[serde(default)]
    server: String,
    #[serde(default)]
    name: String,
    namespace: String,
    repositories: BTreeSet<String>,
}

impl WrittenIdentity {
    fn of(identity: &Identity) -> Self {
        let Identity { server, name, namespace, repositories } = identity.clone();
        Self { server, name, namespace, repositories }
    }
}

impl From<WrittenIdentity> for Identity {
    fn from(written: WrittenIdentity) -> Self {
        let WrittenIdentity { server, name, namespace, repositories } = written;
        Self { server, name, namespace, repositories }
    }
}
