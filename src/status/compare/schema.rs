//! The shape of a custom resource, from the `OpenAPI` v3 document that the server publishes for its group and version.
//!
//! In: the document and a kind. Out: a [`Schema`], which knows the kind's list keys, its atomic values and its defaults.
//! What a schema leaves open stays unknown: nothing is guessed.
//!
//! Rules: KEP-555 (`x-kubernetes-list-type`, `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`); apiextensions
//! structural schemas for defaults, nullable fields and unknown ones.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::shape::{Field, Fields, ListKey, ListKind, Merge, Shape};
use crate::object::Gvk;

/// Schemas may refer to themselves; below this depth everything is unknown.
const DEPTH: usize = 32;
/// A schema of the server, by its place in a document.
const KINDS: &str = "x-kubernetes-group-version-kind";

/// The server's schema of a kind. Copies share the data.
#[derive(Debug, Clone)]
pub struct Schema(Arc<Shape>);

impl Schema {
    /// Reads the schema of a kind; nothing where the document has none. Reading costs time: the caller keeps what was read.
    pub fn read(document: &Value, kind: &Gvk) -> Option<Self> {
        let schemas = document.get("components")?.get("schemas")?;
        let schema = schemas.as_object()?.values().find(|schema| is_of(schema, kind))?;
        let fields = Fields::OfObject(SchemaReader { schemas }.fields(schema, 0));
        Some(Self(Arc::new(Shape::Struct(fields, Merge::Granular))))
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.0
    }
}

fn is_of(schema: &Value, kind: &Gvk) -> bool {
    let names = schema.get(KINDS).and_then(Value::as_array);
    names.into_iter().flatten().any(|name| {
        let is = |field: &str, text: &str| name.get(field).and_then(Value::as_str).unwrap_or_default() == text;
        is("group", &kind.group) && is("version", &kind.version) && is("kind", &kind.kind)
    })
}

struct SchemaReader<'d> {
    schemas: &'d Value,
}

impl SchemaReader<'_> {
    fn fields(&self, schema: &Value, depth: usize) -> HashMap<String, Field> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let field = |(name, schema): (&String, &Value)| {
            let default = self.resolved(schema).get("default").or_else(|| schema.get("default")).cloned();
            // What is stored as JSON can tell an empty value from none, as a pointer can.
            (name.clone(), Field { shape: self.shape(schema, depth + 1), pointer: true, default })
        };
        properties.into_iter().flatten().map(field).collect()
    }

    /// The schema that another one refers to, alone or as the only part of `allOf`.
    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let only =
            schema.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1).map(|parts| &parts[0]);
        let reference = only.unwrap_or(schema).get("$ref").and_then(Value::as_str);
        let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
        name.and_then(|name| self.schemas.get(name)).unwrap_or(schema)
    }

    fn shape(&self, schema: &Value, depth: usize) -> Shape {
        let schema = self.resolved(schema);
        let says = |name: &str, value: &str| schema.get(name).and_then(Value::as_str) == Some(value);
        let is_set = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        if depth > DEPTH || is_set("nullable") {
            return Shape::Unknown;
        }
        if is_set("x-kubernetes-int-or-string") {
            return Shape::Exact;
        }
        let merge = if says("x-kubernetes-map-type", "atomic") { Merge::Atomic } else { Merge::Granular };
        match schema.get("type").and_then(Value::as_str) {
            Some("string" | "integer" | "number" | "boolean") => Shape::Scalar,
            Some("array") => match schema.get("items") {
                Some(items) => Shape::List(self.list_kind(schema, items), Box::new(self.shape(items, depth + 1))),
                None => Shape::Unknown,
            },
            Some("object") if schema.get("properties").is_some() => {
                Shape::Struct(Fields::Own(self.fields(schema, depth)), merge)
            }
            Some("object") => match schema.get("additionalProperties") {
                Some(values @ Value::Object(_)) => Shape::Map(merge, Box::new(self.shape(values, depth + 1))),
                _ => Shape::Unknown,
            },
            _ => Shape::Unknown,
        }
    }

    fn list_kind(&self, schema: &Value, items: &Value) -> ListKind {
        match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("set") => ListKind::Set,
            Some("map") => {
                let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
                let properties = self.resolved(items).get("properties");
                let key = |name: &str| {
                    let default = properties.and_then(|properties| properties.get(name)?.get("default")?.as_str());
                    ListKey { name: name.to_owned().into(), default: default.map(|text| text.to_owned().into()) }
                };
                ListKind::Keyed(keys.into_iter().flatten().filter_map(Value::as_str).map(key).collect())
            }
            _ => ListKind::Atomic,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({"components": {"schemas": {
            "com.example.v1.Site": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Site"}],
                "properties": {
                    "metadata": {"allOf": [{"$ref": "#/components/schemas/ObjectMeta"}]},
                    "spec": {"type": "object", "properties": {
                        "replicas": {"type": "integer", "default": 1},
                        "port": {"x-kubernetes-int-or-string": true},
                        "routes": {"type": "array", "x-kubernetes-list-type": "map",
                                   "x-kubernetes-list-map-keys": ["host"],
                                   "items": {"type": "object", "properties": {"host": {"type": "string"}}}},
                        "hosts": {"type": "array", "items": {"type": "string"}},
                        "selector": {"type": "object", "x-kubernetes-map-type": "atomic",
                                     "additionalProperties": {"type": "string"}},
                        "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                        "child": {"$ref": "#/components/schemas/com.example.v1.Site"},
                    }},
                },
            },
            "ObjectMeta": {"type": "object", "properties": {}},
        }}})
    }

    #[test]
    fn a_schema_says_what_merges_how() {
        let site = Gvk::from_api_version("example.com/v1", "Site");
        let schema = Schema::read(&document(), &site).unwrap();
        let shape = schema.shape();
        let spec = shape.child("spec");
        assert!(matches!(spec.child("routes"), Shape::List(ListKind::Keyed(keys), _) if keys[0].name == "host"));
        assert!(matches!(spec.child("hosts"), Shape::List(ListKind::Atomic, _)));
        assert!(matches!(spec.child("selector"), Shape::Map(Merge::Atomic, _)));
        assert!(matches!(spec.child("anything"), Shape::Unknown));
        assert!(matches!(spec.child("port"), Shape::Exact));
        assert_eq!(spec.field("replicas").default, Some(json!(1)));
        // The metadata is every object's, whatever a document says of it.
        let finalizers = shape.child("metadata").child("finalizers");
        assert!(matches!(finalizers, Shape::List(ListKind::Set, _)), "{finalizers:?}");
        assert!(std::ptr::eq(shape, schema.clone().shape()), "a copy shares it");
        assert!(Schema::read(&document(), &Gvk::from_api_version("example.com/v2", "Site")).is_none());
        assert!(Schema::read(&json!({"components": {"schemas": []}}), &site).is_none());
    }
}
