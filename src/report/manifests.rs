//! Objects as manifests: what `trueup render` prints.
//!
//! In: objects, with the places they were written at. Out: a stream of YAML documents that `kubectl apply -f -` reads, or one
//! `v1` `List` in JSON.

use std::fmt::Write;

use clap::ValueEnum;
use serde_json::json;

use crate::object::{Object, yaml};
use crate::report::json;
use crate::report::style::escape::visible;

/// A format of manifests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, ValueEnum)]
pub enum ManifestFormat {
    /// One document an object, each with a comment that says where it was written
    #[default]
    Yaml,
    /// One `v1` `List`
    Json,
}

/// The objects in one format, with a final line break; nothing for no objects in YAML.
pub fn write(objects: &[Object], format: ManifestFormat) -> String {
    match format {
        ManifestFormat::Yaml => objects.iter().map(document).collect(),
        ManifestFormat::Json => {
            let items: Vec<_> = objects.iter().map(Object::value).collect();
            json::pretty(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        }
    }
}

/// One object as a file of its own, without a word on where it was written: that would change with every edit above it.
pub fn one(object: &Object, format: ManifestFormat) -> String {
    match format {
        ManifestFormat::Yaml => whole_lines(yaml::write(&object.to_value())),
        ManifestFormat::Json => json::pretty(&object.to_value()),
    }
}

fn whole_lines(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn document(object: &Object) -> String {
    let mut text = String::from("---\n");
    if let Some(origin) = object.origin() {
        // A file's name must not end its comment. Writing to a String cannot fail.
        let _ = writeln!(text, "# Source: {}", visible(&origin.to_string()));
    }
    text.push_str(&yaml::write(&object.to_value()));
    whole_lines(text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::object::Origin;

    fn objects() -> Vec<Object> {
        let object = |kind: &str, name: &str| {
            Object::new(json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } })).unwrap()
        };
        vec![
            object("ConfigMap", "web").with_origin(Origin { file: "shop/web.yaml".into(), line: 3 }),
            object("Service", "a\x1bb").with_origin(Origin { file: "evil\nkind: Pod.yaml".into(), line: 1 }),
        ]
    }

    #[test]
    fn yaml_says_where_each_object_was_written() {
        insta::assert_snapshot!(write(&objects(), ManifestFormat::Yaml), @r#"
        ---
        # Source: shop/web.yaml:3
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: web
        ---
        # Source: evil\nkind: Pod.yaml:1
        apiVersion: v1
        kind: Service
        metadata:
          name: "a\eb"
        "#);
        assert_eq!(write(&[], ManifestFormat::Yaml), "");
    }

    #[test]
    fn json_is_one_list() {
        let text = write(&objects(), ManifestFormat::Json);
        let list: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list["kind"], "List");
        assert_eq!(list["items"][1], objects()[1].to_value());
        assert!(!text.contains('\x1b'));
    }
}
