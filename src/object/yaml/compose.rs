//! Events to one JSON value: maps, lists, anchors and merge keys, within limits.
//!
//! Rule: go-yaml v2 decode.go for what is decoded in which order, sigs.k8s.io/yaml `convertToJSONableObject` for keys.
//!
//! Some faults of Go's come late, when the decoded document is made JSON: a null key, infinity. By then a duplicate key
//! may have replaced the value, and no error is left. Such faults travel with their value here until the end.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use libyaml_safer::{Event, EventData, MappingStyle, Mark, ScalarStyle, SequenceStyle};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::aliases::{AliasCost, Anchor, Anchored};
use super::apostrophe::Replaced;
use super::events::{YamlEvents, YamlFault};
use super::scalar::{self, Scalar};
use super::{Limits, WithPositions};
use crate::object::Pointer;

/// Files that people write have fewer places; what lies beyond is found by what is around it.
const MOST_PLACES: usize = 200_000;

/// A document, composed; offsets count from its own start.
pub(super) struct Composed {
    pub(super) value: Value,
    /// Where the content starts.
    pub(super) start: usize,
    /// Key and value of each place, if asked for.
    pub(super) places: HashMap<Pointer, (Option<Range<usize>>, Range<usize>)>,
    /// Keys that stand twice in one map; the later one holds.
    pub(super) duplicate_keys: Vec<(Pointer, Range<usize>)>,
    /// Text that follows the document's end and is not read.
    pub(super) unread: Option<Range<usize>>,
}

impl Composed {
    /// A value of which nothing else is known.
    pub(super) fn without_places(value: Value) -> Self {
        Self { value, start: 0, places: HashMap::new(), duplicate_keys: Vec::new(), unread: None }
    }
}

/// Composes the first document of a text; nothing if the text holds none.
pub(super) fn compose(text: &str, limits: &Limits, positions: WithPositions) -> Result<Option<Composed>, YamlFault> {
    let fault = match Composer::new(text, limits, positions).document() {
        Err(fault) if is_apostrophe(text, &fault) => fault,
        done => return done,
    };
    let Some(mut replaced) = Replaced::new(text) else { return Err(fault) };
    let mut at = fault.range.start;
    loop {
        if !replaced.replace_from(at) {
            return Err(fault);
        }
        let mut composer = Composer::new(&replaced.text, limits, positions);
        composer.apostrophe = Some(replaced.stand_in);
        match composer.document() {
            Err(fault) if is_apostrophe(&replaced.text, &fault) => at = fault.range.start,
            done => return done,
        }
    }
}

fn is_apostrophe(text: &str, fault: &YamlFault) -> bool {
    fault.is_unknown_escape && text[fault.range.start..].starts_with("\\'")
}

/// A fault that only counts if its value is still there at the end; in a map, with its key.
type LateFault = (Option<String>, YamlFault);

/// A value on its way to its place.
struct YamlNode {
    value: Value,
    late: Vec<LateFault>,
    range: Range<usize>,
    /// Whether an alias inserted it.
    is_alias: bool,
}

/// A map or list that is still open.
struct Frame {
    kind: FrameKind,
    anchor: Option<String>,
    is_flow: bool,
    /// The start of it, and the end of what it holds so far.
    range: Range<usize>,
    late: Vec<LateFault>,
    /// The decoding cost before it.
    cost: (u64, usize),
}

enum FrameKind {
    List(Vec<Value>),
    Map { entries: Map<String, Value>, next: Next, merged: BTreeSet<String> },
}

/// The next part that a map expects.
enum Next {
    Key,
    /// The value of this key. A key that JSON cannot have yields its late fault.
    Value(Result<String, &'static str>, Range<usize>),
    /// The value of `<<`.
    Merge,
}

struct Composer<'text> {
    events: YamlEvents<'text>,
    limits: &'text Limits,
    with_positions: bool,
    frames: Vec<Frame>,
    flow_depth: usize,
    anchors: HashMap<String, Anchor>,
    cost: AliasCost,
    places: HashMap<Pointer, (Option<Range<usize>>, Range<usize>)>,
    duplicate_keys: Vec<(Pointer, Range<usize>)>,
    /// The stand-in for `\'` in double quotes.
    apostrophe: Option<char>,
}

impl<'text> Composer<'text> {
    fn new(text: &'text str, limits: &'text Limits, positions: WithPositions) -> Self {
        Self {
            events: YamlEvents::new(text),
            limits,
            with_positions: positions == WithPositions::Yes,
            frames: Vec::new(),
            flow_depth: 0,
            anchors: HashMap::new(),
            cost: AliasCost::new(limits),
            places: HashMap::new(),
            duplicate_keys: Vec::new(),
            apostrophe: None,
        }
    }

    fn document(mut self) -> Result<Option<Composed>, YamlFault> {
        self.events.next()?;
        match self.events.next()? {
            Event { data: EventData::DocumentStart { version_directive, .. }, start_mark, end_mark, .. } => {
                if version_directive.is_some_and(|version| (version.major, version.minor) != (1, 1)) {
                    let message = "the `%YAML` directive asks for another version than 1.1, which kubectl reads";
                    return Err(YamlFault::new(message, self.range(start_mark, end_mark)));
                }
            }
            _ => return Ok(None),
        }
        let root = loop {
            let event = self.events.next()?;
            if let Some(root) = self.take(event)? {
                break root;
            }
        };
        self.events.next()?;
        if let Some((_, fault)) = root.late.into_iter().next() {
            return Err(fault);
        }
        let unread_start = match self.events.next() {
            Ok(Event { data: EventData::StreamEnd, .. }) => None,
            Ok(event) => Some(self.range(event.start_mark, event.start_mark).start),
            Err(fault) => Some(fault.range.start),
        };
        Ok(Some(Composed {
            value: root.value,
            start: root.range.start,
            places: self.places,
            duplicate_keys: self.duplicate_keys,
            unread: unread_start.map(|start| start..self.events.text().trim_end().len().max(start)),
        }))
    }

    /// Takes one event; gives the document's value when it is whole.
    fn take(&mut self, event: Event) -> Result<Option<YamlNode>, YamlFault> {
        let range = self.range(event.start_mark, event.end_mark);
        match event.data {
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                self.scalar(anchor, tag.as_deref(), value, plain_implicit, style, range)
            }
            EventData::Alias { anchor } => self.alias(&anchor, range),
            EventData::SequenceStart { anchor, style, .. } => {
                self.open(FrameKind::List(Vec::new()), anchor, style == SequenceStyle::Flow, range)?;
                Ok(None)
            }
            EventData::MappingStart { anchor, style, .. } => {
                let kind = FrameKind::Map { entries: Map::new(), next: Next::Key, merged: BTreeSet::new() };
                self.open(kind, anchor, style == MappingStyle::Flow, range)?;
                Ok(None)
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(range),
            _ => Err(YamlFault::new("the document ends in the middle", range)),
        }
    }

    fn scalar(
        &mut self,
        anchor: Option<String>,
        tag: Option<&str>,
        text: String,
        plain: bool,
        style: ScalarStyle,
        range: Range<usize>,
    ) -> Result<Option<YamlNode>, YamlFault> {
        self.check_grammar(&text, style, &range)?;
        let text = match self.apostrophe {
            Some(stand_in) if style == ScalarStyle::DoubleQuoted => text.replace(stand_in, "'"),
            _ => text,
        };
        if self.waits_for_key() && text == "<<" && (plain || tag == Some("tag:yaml.org,2002:merge")) {
            if let Some(anchor) = anchor {
                self.anchors.insert(anchor, Anchor::Done(Anchored::scalar(Scalar::Text(text), 2, &range)));
            }
            if let Some(Frame { kind: FrameKind::Map { next, .. }, .. }) = self.frames.last_mut() {
                *next = Next::Merge;
            }
            return Ok(None);
        }
        let bytes = text.len();
        self.cost.decode(bytes).map_err(|message| YamlFault::new(message, range.clone()))?;
        let scalar = scalar::resolve(tag, plain, text).map_err(|message| YamlFault::new(message, range.clone()))?;
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Anchor::Done(Anchored::scalar(scalar.clone(), bytes, &range)));
        }
        if self.waits_for_key() {
            self.key(scalar.into_key(), range);
            return Ok(None);
        }
        let (value, late) = match scalar.into_value() {
            Ok(value) => (value, Vec::new()),
            Err(message) => (Value::Null, vec![(None, YamlFault::new(message, range.clone()))]),
        };
        self.attach(YamlNode { value, late, range, is_alias: false })
    }

    /// Syntax that libyaml reads and go-yaml, an older translation of it, does not.
    fn check_grammar(&self, text: &str, style: ScalarStyle, range: &Range<usize>) -> Result<(), YamlFault> {
        match style {
            ScalarStyle::Plain if self.flow_depth > 0 && text.contains('?') => {
                let mut fault =
                    YamlFault::new("`?` cannot stand in text without quotes, within brackets", range.clone());
                fault.help = Some("put the text in quotes");
                Err(fault)
            }
            ScalarStyle::DoubleQuoted if self.events.text().get(range.clone()).is_some_and(has_escaped_slash) => {
                let mut fault = YamlFault::new("the escape `\\/` is not known", range.clone());
                fault.help = Some("write `/` without a backslash");
                Err(fault)
            }
            _ => Ok(()),
        }
    }

    fn alias(&mut self, name: &str, range: Range<usize>) -> Result<Option<YamlNode>, YamlFault> {
        let anchored = match self.anchors.get(name) {
            Some(Anchor::Done(anchored)) => anchored,
            Some(Anchor::Open) => {
                return Err(YamlFault::new("an alias stands inside of what it names", range));
            }
            None => return Err(YamlFault::new("no anchor of this name comes before the alias", range)),
        };
        self.cost
            .expand(anchored.operations, anchored.bytes)
            .map_err(|message| YamlFault::new(message, range.clone()))?;
        if self.waits_for_key() {
            let Some(scalar) = anchored.scalar.clone() else { return Err(not_a_key(range)) };
            self.key(scalar.into_key(), range);
            return Ok(None);
        }
        let (value, late) = (anchored.value.clone(), anchored.late.clone());
        self.attach(YamlNode { value, late, range, is_alias: true })
    }

    fn open(
        &mut self,
        kind: FrameKind,
        anchor: Option<String>,
        is_flow: bool,
        range: Range<usize>,
    ) -> Result<(), YamlFault> {
        if self.frames.len() >= self.limits.depth {
            return Err(YamlFault::new(format!("maps and lists nest deeper than {}", self.limits.depth), range));
        }
        if self.waits_for_key() {
            let mut fault = not_a_key(range);
            fault.help = fault.help.or(Some("a key is text, a number or a boolean"));
            return Err(fault);
        }
        let cost = self.cost.so_far();
        self.cost.decode(0).map_err(|message| YamlFault::new(message, range.clone()))?;
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), Anchor::Open);
        }
        self.flow_depth += usize::from(is_flow);
        self.frames.push(Frame { kind, anchor, is_flow, range, late: Vec::new(), cost });
        Ok(())
    }

    fn close(&mut self, end: Range<usize>) -> Result<Option<YamlNode>, YamlFault> {
        // The grammar closes only what it opened.
        let Some(frame) = self.frames.pop() else { return Err(YamlFault::new("the document ends in the middle", end)) };
        self.flow_depth -= usize::from(frame.is_flow);
        let value = match frame.kind {
            FrameKind::List(items) => Value::Array(items),
            FrameKind::Map { entries, .. } => Value::Object(entries),
        };
        let end = if frame.is_flow { end.end } else { frame.range.end };
        let range = frame.range.start..end;
        // An anchor of the same name inside has taken the name.
        if let Some(anchor) = frame.anchor.filter(|anchor| matches!(self.anchors.get(anchor), Some(Anchor::Open))) {
            let (operations, bytes) = self.cost.since(frame.cost);
            let anchored = Anchored { value: value.clone(), scalar: None, late: frame.late.clone(), operations, bytes };
            self.anchors.insert(anchor, Anchor::Done(anchored));
        }
        self.attach(YamlNode { value, late: frame.late, range, is_alias: false })
    }

    /// A piece of the text; the line break that the events may have at their end is not part of it.
    fn range(&self, start: Mark, end: Mark) -> Range<usize> {
        let offset = |mark: Mark| usize::try_from(mark.index).unwrap_or(usize::MAX).min(self.events.text().len());
        offset(start)..offset(end).max(offset(start))
    }

    fn waits_for_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { kind: FrameKind::Map { next: Next::Key, .. }, .. }))
    }

    fn key(&mut self, key: Result<String, &'static str>, range: Range<usize>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.range.end = range.end;
            if let FrameKind::Map { next, .. } = &mut frame.kind {
                *next = Next::Value(key, range);
            }
        }
    }

    /// Puts a whole value into the map or list that is open; gives it back if none is.
    fn attach(&mut self, node: YamlNode) -> Result<Option<YamlNode>, YamlFault> {
        if self.with_positions && self.places.len() < MOST_PLACES {
            self.note_place(&node);
        }
        let Some(frame) = self.frames.last_mut() else { return Ok(Some(node)) };
        frame.range.end = node.range.end;
        let (entries, next, merged) = match &mut frame.kind {
            FrameKind::List(items) => {
                items.push(node.value);
                frame.late.extend(node.late.into_iter().map(|(_, fault)| (None, fault)));
                return Ok(None);
            }
            FrameKind::Map { entries, next, merged } => (entries, next, merged),
        };
        match std::mem::replace(next, Next::Key) {
            Next::Value(Ok(key), range) => {
                frame.late.retain(|(late, _)| late.as_ref() != Some(&key));
                frame.late.extend(node.late.into_iter().map(|(_, fault)| (Some(key.clone()), fault)));
                let was_merged = !merged.is_empty() && merged.remove(&key);
                match entries.entry(key) {
                    Entry::Vacant(entry) => {
                        entry.insert(node.value);
                    }
                    Entry::Occupied(mut entry) => {
                        let key = entry.key().clone();
                        entry.insert(node.value);
                        if !was_merged {
                            self.duplicate_keys.push((self.pointer_of_child(key), range));
                        }
                    }
                }
            }
            Next::Value(Err(message), range) => frame.late.push((None, YamlFault::new(message, range))),
            Next::Merge | Next::Key => merge(frame, node)?,
        }
        Ok(None)
    }

    fn note_place(&mut self, node: &YamlNode) {
        let key = match self.frames.last() {
            Some(Frame { kind: FrameKind::Map { next: Next::Value(Ok(_), range), .. }, .. }) => Some(range.clone()),
            Some(Frame { kind: FrameKind::Map { .. }, .. }) => return,
            _ => None,
        };
        let pointer = self.pointer();
        self.places.insert(pointer, (key, node.range.clone()));
    }

    /// The place of the value that is being read.
    fn pointer(&self) -> Pointer {
        self.frames.iter().map(Frame::token).collect()
    }

    fn pointer_of_child(&self, key: String) -> Pointer {
        let parents = self.frames.len().saturating_sub(1);
        self.frames[..parents].iter().map(Frame::token).chain(std::iter::once(key)).collect()
    }
}

impl Frame {
    /// The step of a pointer from this map or list to what is being read.
    fn token(&self) -> String {
        match &self.kind {
            FrameKind::List(items) => items.len().to_string(),
            FrameKind::Map { next: Next::Value(Ok(key), _), .. } => key.clone(),
            FrameKind::Map { .. } => "<<".to_owned(),
        }
    }
}

/// Takes the value of `<<` into its map: a map, an alias of one, or a list of those, where the first wins.
///
/// Quirk: go-yaml v2 merges where `<<` stands, so that it replaces keys before it.
fn merge(frame: &mut Frame, node: YamlNode) -> Result<(), YamlFault> {
    let FrameKind::Map { entries, merged, .. } = &mut frame.kind else { return Ok(()) };
    let maps = match node.value {
        Value::Object(map) => vec![map],
        Value::Array(items) if !node.is_alias => {
            let maps = items.into_iter().rev().map(|item| match item {
                Value::Object(map) => Some(map),
                _ => None,
            });
            maps.collect::<Option<Vec<_>>>().ok_or_else(|| cannot_merge(node.range.clone()))?
        }
        _ => return Err(cannot_merge(node.range)),
    };
    for map in maps {
        for (key, value) in map {
            frame.late.retain(|(late, _)| late.as_ref() != Some(&key));
            merged.insert(key.clone());
            entries.insert(key, value);
        }
    }
    frame.late.extend(node.late);
    Ok(())
}

fn cannot_merge(range: Range<usize>) -> YamlFault {
    YamlFault::new("`<<` takes a map, or a list of maps", range)
}

fn not_a_key(range: Range<usize>) -> YamlFault {
    YamlFault::new("a map or a list is the key of a map", range)
}

/// Whether a scalar in double quotes holds the escape `\/`, which JSON has and go-yaml v2 has not.
fn has_escaped_slash(source: &str) -> bool {
    let mut rest = source.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest.get(at + 1) == Some(&b'/') {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}
