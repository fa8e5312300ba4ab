//! Takes off an object what is not git's to say: what the server keeps for itself, the status, what was applied last.
//!
//! In: an object, and the [`Terms`] of its application. Out: its value without these. A Secret's `stringData` is folded into
//! `data`, as the server does.
//!
//! Rule: Argo CD gitops-engine/pkg/diff (`Normalize`, `NormalizeSecret`, `ignoreStatus`).

use serde_json::{Map, Value};

use super::path::Path;
use super::terms::Terms;
use crate::object::Object;
use crate::object::annotations::{APPLYSET_PART_OF, INSTALLATION_ID, LAST_APPLIED, TRACKING_ID};

/// The server's report, of every kind.
pub(super) const STATUS: &str = "status";

/// Metadata that the server keeps; the namespace pairs the objects and is never drift.
const SERVER_KEPT: [&str; 8] = [
    "managedFields",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// Whether the `status` of an object is git's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It is, as any other field.
    Counts,
    /// It is the server's.
    Never,
}

impl Status {
    /// Whether what stands under this name is git's to say.
    pub(super) fn is_compared(self, place: &Path<'_>, name: &str) -> bool {
        match place {
            Path::Root => name != STATUS || self == Self::Counts,
            Path::Key(Path::Root, "metadata") => name != "namespace" && !SERVER_KEPT.contains(&name),
            Path::Key(Path::Key(Path::Root, "metadata"), "annotations") => name != LAST_APPLIED,
            _ => true,
        }
    }
}

/// Whether these are annotations of which none is git's to say: as good as none.
pub(super) fn is_uncounted(place: &Path<'_>, held: &Value) -> bool {
    let counts = |name: &String| Status::Never.is_compared(place, name);
    matches!(place, Path::Key(Path::Key(Path::Root, "metadata"), "annotations"))
        && held.as_object().is_some_and(|annotations| !annotations.keys().any(counts))
}

/// The targets with the marks that an applier puts on an object: they are not in git, and not removed from it.
pub(super) fn marked(wanted: &Map<String, Value>, live: &Object, terms: &Terms) -> Map<String, Value> {
    let mut wanted = wanted.clone();
    let marks = [
        ("annotations", Some(TRACKING_ID)),
        ("annotations", Some(INSTALLATION_ID)),
        ("labels", Some(APPLYSET_PART_OF)),
        ("labels", terms.instance_label_of(live)),
    ];
    for (field, name) in marks {
        let Some(name) = name else { continue };
        let Some(held) = live.metadata().and_then(|metadata| metadata.get(field)?.get(name)) else { continue };
        let metadata = wanted.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        let Some(metadata) = metadata.as_object_mut() else { continue };
        let marks = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if marks.is_null() {
            *marks = Value::Object(Map::new());
        }
        if let Some(marks) = marks.as_object_mut() {
            marks.entry(name.to_owned()).or_insert_with(|| held.clone());
        }
    }
    wanted
}

/// The object's value, without what never counts; its namespace stays.
pub(super) fn cleaned(object: &Object, status: Status) -> Value {
    let mut value = object.folded().into_owned();
    if status == Status::Never {
        value.remove(STATUS);
    }
    if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
        for field in SERVER_KEPT {
            metadata.remove(field);
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
            && annotations.remove(LAST_APPLIED).is_some()
            && annotations.is_empty()
        {
            metadata.remove("annotations");
        }
    }
    Value::Object(value)
}
