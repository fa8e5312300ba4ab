//! `kustomize.images`: what `kustomize edit set image` makes of its arguments.
//!
//! Rules: kustomize commands/edit/set/setimage.go, api/internal/image `Split`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::KustomizeError;

/// Keeps what the kustomization has in its place.
const PRESERVE: &str = "*";

/// The new list: those of the kustomization, overwritten by name; in the order of their names.
pub(super) fn set(there: &[Value], images: &[String]) -> Result<Vec<Value>, KustomizeError> {
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    for image in images {
        let (name, fields) = parse(image)?;
        by_name.insert(name, Value::Object(fields));
    }
    for earlier in there {
        let name = earlier.get("name").and_then(Value::as_str).unwrap_or_default();
        match by_name.get_mut(name).and_then(Value::as_object_mut) {
            Some(image) => {
                for field in ["newName", "newTag", "digest"] {
                    if image.get(field).is_some_and(|value| value == PRESERVE) {
                        image.insert(field.to_owned(), earlier.get(field).cloned().unwrap_or_else(|| json!("")));
                    }
                }
            }
            None => {
                by_name.insert(name.to_owned(), earlier.clone());
            }
        }
    }
    let mut images: Vec<Value> = by_name.into_values().collect();
    for image in images.iter_mut().filter_map(Value::as_object_mut) {
        image.retain(|_, value| value != PRESERVE && value != "");
    }
    Ok(images)
}

/// `old=new:tag@digest`, in any part of it that says something.
fn parse(image: &str) -> Result<(String, Map<String, Value>), KustomizeError> {
    let (key, value) = match image.split_once('=') {
        Some((key, value)) => (Some(key), value),
        None => (None, image),
    };
    let (name, tag, digest) = split(value);
    if key.is_none() && name == image {
        return Err(KustomizeError::Image { image: image.to_owned() });
    }
    let of = key.unwrap_or(name);
    let new_name = key.map_or("", |_| name);
    let fields = [("name", of), ("newName", new_name), ("newTag", tag), ("digest", digest)];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    Ok((of.to_owned(), fields.map(|(field, value)| (field.to_owned(), json!(value))).collect()))
}

/// Name, tag and digest of `[[host[:port]/]component/]component[:tag][@digest]`.
fn split(image: &str) -> (&str, &str, &str) {
    let slash = image.find('/').filter(|position| *position > 0).unwrap_or(0);
    let position = |letter| image[slash..].find(letter).map(|position| position + slash);
    match (position(':'), position('@')) {
        (None, None) => (image, "", ""),
        (Some(colon), Some(at)) if colon < at => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (_, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of kustomize's own `setimage_test.go`.
    #[test]
    fn images_are_set_as_kustomize_sets_them() {
        let there =
            [json!({"name": "image1", "newTag": "old"}), json!({"name": "other", "newName": "x", "newTag": "1"})];
        let digest = "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3";
        for (argument, expected) in [
            ("image1:my-tag", json!([{"name": "image1", "newTag": "my-tag"}, there[1]])),
            ("image1=new:my-tag", json!([{"name": "image1", "newName": "new", "newTag": "my-tag"}, there[1]])),
            ("image1=new", json!([{"name": "image1", "newName": "new"}, there[1]])),
            ("image1=*:my-tag", json!([{"name": "image1", "newTag": "my-tag"}, there[1]])),
            ("other=*:2", json!([there[0], {"name": "other", "newName": "x", "newTag": "2"}])),
            ("other=y:*", json!([there[0], {"name": "other", "newName": "y", "newTag": "1"}])),
            (
                "my.registry:5000/web:1.0",
                json!([there[0], {"name": "my.registry:5000/web", "newTag": "1.0"}, there[1]]),
            ),
        ] {
            assert_eq!(json!(set(&there, &[argument.to_owned()]).unwrap()), expected, "{argument}");
        }
        let pinned = set(&[], &[format!("a=b:1@{digest}")]).unwrap();
        assert_eq!(json!(pinned), json!([{"name": "a", "newName": "b", "newTag": "1", "digest": digest}]));
        assert!(matches!(set(&there, &["image1".to_owned()]), Err(KustomizeError::Image { .. })));
    }
}
