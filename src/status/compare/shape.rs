//! The shapes of Kubernetes' own types: where lists have keys, what is atomic, where quantities stand, which zero values
//! cannot be distinguished from none.
//!
//! In: `builtin.txt`, written from the API server's own Go types and `OpenAPI` definitions by
//! tests/control-plane/builtin-types. Out: the [`Shape`] of an object by its kind; custom resources have a known
//! `metadata` and are [`Shape::Unknown`] otherwise.
//!
//! Rule: KEP-555 (merge strategies): `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::object::Gvk;

/// The schema of a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// Text, number or boolean.
    Scalar,
    /// Text that is the base64 of bytes.
    Bytes,
    /// A quantity: equal by value.
    Quantity,
    /// A value with a form of its own (int-or-string, time, raw JSON): equal only to itself.
    Exact,
    /// A map whose keys are fields.
    Struct(Fields, Merge),
    /// A list.
    List(ListKind, Box<Self>),
    /// A map from text.
    Map(Merge, Box<Self>),
    /// Nothing is known: custom resources, fields that are newer than the table.
    Unknown,
}

/// The fields of a struct.
#[derive(Debug)]
pub(super) enum Fields {
    /// A Go struct, by its place in the table.
    Table(usize),
    /// Of a server's schema.
    Own(HashMap<String, Field>),
    /// Of a server's schema for a whole object: what every object has is in the table.
    OfObject(HashMap<String, Field>),
}

/// Whether others may own other keys of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// They may: each key has its own owners.
    Granular,
    /// They may not: the map is one value.
    Atomic,
}

/// How the items of a list are distinguished.
#[derive(Debug)]
pub(super) enum ListKind {
    /// They are not: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Keyed(Vec<ListKey>),
}

/// A field that is part of an item's key, and what it is when it is left out.
#[derive(Debug)]
pub(super) struct ListKey {
    pub(super) name: Cow<'static, str>,
    pub(super) default: Option<Cow<'static, str>>,
}

/// One field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) shape: Shape,
    /// A Go pointer: a zero value is not the same as none.
    pub(super) pointer: bool,
    /// Fields that the API server fills in, whatever else the object holds.
    pub(super) default: Option<Value>,
}

impl Field {
    const UNKNOWN: Self = Self { shape: Shape::Unknown, pointer: true, default: None };
}

pub(super) static UNKNOWN: Shape = Shape::Unknown;
static UNKNOWN_FIELD: Field = Field::UNKNOWN;
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("builtin.txt")));

/// The name in the table for what every custom resource has.
const CUSTOM: &str = "custom";

#[derive(Debug)]
struct Table {
    /// By `apiVersion`, a space, `kind`.
    kinds: HashMap<&'static str, Shape>,
    custom: Shape,
    types: Vec<HashMap<&'static str, Field>>,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let mut names: HashMap<&str, usize> = HashMap::new();
        for name in lines().filter_map(|line| line.strip_prefix("type ")) {
            let next = names.len();
            names.entry(name).or_insert(next);
        }
        let mut table = Self { kinds: HashMap::new(), custom: Shape::Unknown, types: Vec::new() };
        for line in lines() {
            if let Some(field) = line.strip_prefix(' ') {
                let mut words = field.splitn(3, ' ');
                if let (Some(name), Some(shape), Some(fields)) = (words.next(), words.next(), table.types.last_mut()) {
                    let default = words.next().and_then(|word| serde_json::from_str(word.strip_prefix('=')?).ok());
                    let pointer = shape.starts_with('*');
                    let shape = read_shape(shape.trim_start_matches('*'), &names);
                    fields.insert(name, Field { shape, pointer, default });
                }
            } else if line.starts_with("type ") {
                table.types.push(HashMap::new());
            } else if let Some((kind, name)) = line.strip_prefix("kind ").and_then(|rest| rest.rsplit_once(' ')) {
                table.kinds.insert(kind, read_shape(name, &names));
            }
        }
        table.custom = read_shape(CUSTOM, &names);
        table
    }
}

fn read_shape(text: &'static str, names: &HashMap<&str, usize>) -> Shape {
    let text = text.trim_start_matches('*');
    let (merge, text) = match text.strip_prefix('!') {
        Some(rest) => (Merge::Atomic, rest),
        None => (Merge::Granular, text),
    };
    if let Some(item) = text.strip_prefix("{}") {
        return Shape::Map(merge, Box::new(read_shape(item, names)));
    }
    if let Some((kind, item)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let kind = match kind {
            "" => ListKind::Atomic,
            "set" => ListKind::Set,
            keys => ListKind::Keyed(
                keys.split(',')
                    .map(|key| match key.split_once('=') {
                        Some((name, default)) => ListKey { name: name.into(), default: Some(default.into()) },
                        None => ListKey { name: key.into(), default: None },
                    })
                    .collect(),
            ),
        };
        return Shape::List(kind, Box::new(read_shape(item, names)));
    }
    match text {
        "scalar" => Shape::Scalar,
        "bytes" => Shape::Bytes,
        "quantity" => Shape::Quantity,
        "exact" => Shape::Exact,
        name => names.get(name).map_or(Shape::Unknown, |index| Shape::Struct(Fields::Table(*index), merge)),
    }
}

impl Shape {
    /// The shape of an object of this kind.
    pub(super) fn of(gvk: &Gvk) -> &'static Self {
        let kind = format!("{} {}", gvk.api_version(), gvk.kind);
        TABLE.kinds.get(kind.as_str()).unwrap_or(&TABLE.custom)
    }

    /// Whether the table knows the kind; of others it only knows what every object has.
    pub(super) fn is_known(gvk: &Gvk) -> bool {
        TABLE.kinds.contains_key(format!("{} {}", gvk.api_version(), gvk.kind).as_str())
    }

    /// The shape of what stands under a key; unknown where the table has no such field.
    pub(super) fn child(&self, name: &str) -> &Self {
        match self {
            Self::Struct(..) => &self.field(name).shape,
            Self::Map(_, item) => item,
            _ => &UNKNOWN,
        }
    }

    /// A struct's field.
    pub(super) fn field(&self, name: &str) -> &Field {
        match self {
            Self::Struct(Fields::Table(index), _) => TABLE.types.get(*index).and_then(|fields| fields.get(name)),
            Self::Struct(Fields::Own(fields), _) => fields.get(name),
            Self::Struct(Fields::OfObject(fields), _) => match TABLE.custom.field(name) {
                Field { shape: Self::Unknown, .. } => fields.get(name),
                of_every_object => Some(of_every_object),
            },
            _ => None,
        }
        .unwrap_or(&UNKNOWN_FIELD)
    }

    /// Whether this is a whole object, which has a status of its own.
    pub(super) fn is_object(&self) -> bool {
        ["apiVersion", "kind", "metadata"].iter().all(|name| !matches!(self.field(name).shape, Self::Unknown))
    }

    /// The shape of a list's items.
    pub(super) fn item(&self) -> &Self {
        match self {
            Self::List(_, item) => item,
            _ => &UNKNOWN,
        }
    }

    /// The keys of a list's items, where they have any.
    pub(super) fn list_keys(&self) -> Option<&[ListKey]> {
        match self {
            Self::List(ListKind::Keyed(keys), _) => Some(keys),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(api_version: &str, kind: &str, path: &[&str]) -> &'static Shape {
        path.iter().fold(Shape::of(&Gvk::from_api_version(api_version, kind)), |shape, token| {
            if *token == "-" { shape.item() } else { shape.child(token) }
        })
    }

    /// A line that the reader does not understand would quietly make a type unknown.
    #[test]
    fn every_word_of_the_table_is_understood() {
        fn unknown(shape: &Shape) -> bool {
            match shape {
                Shape::Unknown => true,
                Shape::List(_, item) | Shape::Map(_, item) => unknown(item),
                _ => false,
            }
        }
        assert!(!unknown(&TABLE.custom));
        assert!(TABLE.kinds.len() > 100);
        for (kind, shape) in &TABLE.kinds {
            assert!(!unknown(shape), "{kind:?}");
        }
        for fields in &TABLE.types {
            for (name, field) in fields {
                assert!(!unknown(&field.shape), "{name}");
            }
        }
    }

    #[test]
    fn list_keys_are_those_of_the_api_server() {
        let keys = |path: &[&str]| {
            at("apps/v1", "Deployment", path)
                .list_keys()
                .map(|keys| keys.iter().map(|key| (&*key.name, key.default.as_deref())).collect::<Vec<_>>())
        };
        let pod = ["spec", "template", "spec"];
        let of_pod = |path: &[&str]| keys(&[&pod[..], path].concat());
        assert_eq!(of_pod(&["containers"]), Some(vec![("name", None)]));
        assert_eq!(
            of_pod(&["containers", "-", "ports"]),
            Some(vec![("containerPort", None), ("protocol", Some("TCP"))])
        );
        assert_eq!(of_pod(&["containers", "-", "volumeMounts"]), Some(vec![("mountPath", None)]));
        assert_eq!(of_pod(&["hostAliases"]), Some(vec![("ip", None)]));
        assert_eq!(
            of_pod(&["topologySpreadConstraints"]),
            Some(vec![("topologyKey", None), ("whenUnsatisfiable", None)])
        );
        assert_eq!(of_pod(&["tolerations"]), None);
        assert_eq!(keys(&["metadata", "ownerReferences"]), Some(vec![("uid", None)]));
        assert!(matches!(at("example.com/v1", "Site", &["metadata", "finalizers"]), Shape::List(ListKind::Set, _)));
    }

    #[test]
    fn quantities_stand_where_kubernetes_has_them() {
        let container = ["spec", "template", "spec", "containers", "-", "resources"];
        for path in [&["limits", "cpu"], &["requests", "memory"]] {
            assert!(matches!(at("apps/v1", "Deployment", &[&container[..], path].concat()), Shape::Quantity));
        }
        assert!(matches!(at("v1", "ResourceQuota", &["spec", "hard", "pods"]), Shape::Quantity));
        assert!(matches!(at("v1", "PersistentVolume", &["spec", "capacity", "storage"]), Shape::Quantity));
        assert!(matches!(at("v1", "ConfigMap", &["data", "cpu"]), Shape::Scalar));
    }
}
