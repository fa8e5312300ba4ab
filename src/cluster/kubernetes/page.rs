//! Reads one page of a LIST.
//!
//! In: the page's bytes. Out: its objects, each with the `apiVersion` and `kind` that items of a list leave out; and, as soon
//! as it is read, what the page says of itself: the token for the next one, and the version of what is listed. A page with
//! anything in it that is no object is an error that says which item it is.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::object::{Gvk, Object, json};

/// Why a page cannot be read; the words hold nothing of the page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    /// Cut off, or no JSON at all.
    #[error("it is not JSON, or is cut off, at line {0}, column {1}")]
    NotJson(usize, usize),
    /// JSON of another form.
    #[error("it is not a list of objects")]
    NotAList,
    /// One item is no object.
    #[error("item {index} of `{kind}` {problem}")]
    Item {
        /// Counted from 0, in this page.
        index: usize,
        /// The kind that was asked for.
        kind: Gvk,
        /// The fault.
        problem: String,
    },
}

/// Reads a page; `metadata` is reported once.
pub(super) fn read(
    bytes: &[u8],
    gvk: &Gvk,
    metadata_only: bool,
    metadata: oneshot::Sender<ListMetadata>,
) -> Result<Vec<Object>, PageError> {
    let (mut fault, mut metadata) = (None, Some(metadata));
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let page = ListPage { gvk, metadata_only, metadata: &mut metadata, fault: &mut fault };
    let read = page.deserialize(&mut json).and_then(|objects| json.end().map(|()| objects));
    match (read, fault) {
        (_, Some(fault)) => Err(fault),
        (Ok(objects), None) => Ok(objects),
        (Err(_), None) if json::is_deep(bytes) => read_deep(bytes, gvk, metadata_only, metadata),
        (Err(error), None) if error.is_data() => Err(PageError::NotAList),
        (Err(error), None) => Err(PageError::NotJson(error.line(), error.column())),
    }
}

/// The same of a page with an object that nests deeper than the library reads: the objects beside it are as good as ever.
fn read_deep(
    bytes: &[u8],
    gvk: &Gvk,
    metadata_only: bool,
    metadata: Option<oneshot::Sender<ListMetadata>>,
) -> Result<Vec<Object>, PageError> {
    let mut page = json::read(bytes).map_err(|json::NotJson(at)| {
        let before = &bytes[..at.min(bytes.len())];
        let lines: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
        PageError::NotJson(lines.len(), 1 + lines.last().map_or(0, |line| line.len()))
    })?;
    let list_metadata = page.get_mut("metadata").map(Value::take).unwrap_or_default();
    let list_metadata: Option<ListMetadata> =
        serde_json::from_value(list_metadata).map_err(|_error| PageError::NotAList)?;
    // It was sent already if it stands before the object. Nobody listens when the LIST was given up meanwhile.
    let _ = metadata.map(|sender| sender.send(list_metadata.unwrap_or_default()));
    let items = match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) => Vec::new(),
        _ => return Err(PageError::NotAList),
    };
    let read = |(index, item)| {
        object(item, gvk, metadata_only).map_err(|problem| PageError::Item { index, kind: gvk.clone(), problem })
    };
    items.into_iter().enumerate().map(read).collect()
}

struct ListPage<'a> {
    gvk: &'a Gvk,
    metadata_only: bool,
    metadata: &'a mut Option<oneshot::Sender<ListMetadata>>,
    fault: &'a mut Option<PageError>,
}

/// The metadata of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMetadata {
    /// Nothing, or an empty text, on the last page.
    #[serde(rename = "continue")]
    pub(super) token: Option<String>,
    /// The version of everything that is listed, from which on it can be watched.
    pub(super) resource_version: Option<String>,
}

impl<'de> DeserializeSeed<'de> for ListPage<'_> {
    type Value = Vec<Object>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListPage<'_> {
    type Value = Vec<Object>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut objects = None;
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                "metadata" => {
                    let metadata: Option<ListMetadata> = map.next_value()?;
                    if let Some(sender) = self.metadata.take() {
                        // Nobody listens when the LIST was given up meanwhile.
                        let _ = sender.send(metadata.unwrap_or_default());
                    }
                }
                "items" => {
                    let items = Items { gvk: self.gvk, metadata_only: self.metadata_only, fault: self.fault };
                    objects = Some(map.next_value_seed(items)?);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        objects.ok_or_else(|| A::Error::missing_field("items"))
    }
}

struct Items<'a> {
    gvk: &'a Gvk,
    metadata_only: bool,
    fault: &'a mut Option<PageError>,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<Object>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Object>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("items")
    }

    /// Some aggregated APIs written in Go send an empty list as null.
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut objects = Vec::with_capacity(items.size_hint().unwrap_or_default());
        while let Some(item) = items.next_element::<Value>()? {
            match object(item, self.gvk, self.metadata_only) {
                Ok(object) => objects.push(object),
                Err(problem) => {
                    *self.fault = Some(PageError::Item { index: objects.len(), kind: self.gvk.clone(), problem });
                    return Err(A::Error::custom("an item is not an object"));
                }
            }
        }
        Ok(objects)
    }
}

/// An item leaves out what the list says; one of metadata only says `PartialObjectMetadata` instead.
pub(super) fn object(mut item: Value, gvk: &Gvk, metadata_only: bool) -> Result<Object, String> {
    if let Value::Object(fields) = &mut item {
        if metadata_only {
            fields.retain(|field, _| field == "metadata");
        }
        fields.entry("apiVersion").or_insert_with(|| Value::String(gvk.api_version()));
        fields.entry("kind").or_insert_with(|| Value::String(gvk.kind.clone()));
    }
    let object = Object::new(item).map_err(|error| error.to_string())?;
    if object.name().is_empty() { Err("has no `metadata.name`".to_owned()) } else { Ok(object) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str, metadata_only: bool) -> (Result<Vec<Object>, PageError>, Option<ListMetadata>) {
        let gvk = Gvk::from_api_version("apps/v1", "Deployment");
        let (sender, list_metadata) = oneshot::channel();
        let objects = read(json.as_bytes(), &gvk, metadata_only, sender);
        (objects, list_metadata.blocking_recv().ok())
    }

    #[test]
    fn items_get_the_kind_of_the_list_and_the_token_is_sent() {
        let (objects, metadata) = page(
            r#"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"7","continue":"next"},
                "items":[{"metadata":{"name":"web","managedFields":[]},"spec":{"replicas":2}}]}"#,
            false,
        );
        let objects = objects.unwrap();
        assert_eq!(objects[0].gvk().to_string(), "apps/v1/Deployment");
        assert_eq!(objects[0].value()["spec"]["replicas"], 2);
        assert!(objects[0].value()["metadata"].get("managedFields").is_some());
        let list_metadata = ListMetadata { token: Some("next".to_owned()), resource_version: Some("7".to_owned()) };
        assert_eq!(metadata, Some(list_metadata));
    }

    #[test]
    fn metadata_alone_keeps_the_real_kind() {
        let (objects, metadata) = page(
            r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},
                "items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web"}},
                         {"metadata":{"name":"db"},"spec":{"replicas":2}}]}"#,
            true,
        );
        let objects = objects.unwrap();
        assert!(objects.iter().all(|object| object.gvk().to_string() == "apps/v1/Deployment"));
        assert!(objects.iter().all(|object| object.value().get("spec").is_none()));
        assert_eq!(metadata, Some(ListMetadata::default()));
    }

    /// A custom resource of one team that nests 150 levels deep: the kind is read, and that object, too.
    #[test]
    fn an_object_that_nests_deep_is_read_and_so_are_its_neighbours() {
        let deep = format!("{}1{}", "{\"a\":".repeat(150), "}".repeat(150));
        let text = format!(
            r#"{{"metadata":{{"continue":"next"}},"items":[{{"metadata":{{"name":"web"}}}},{{"metadata":{{"name":"deep"}},"spec":{deep}}}]}}"#
        );
        let (objects, metadata) = page(&text, false);
        let objects = objects.unwrap();
        assert_eq!(objects.iter().map(Object::name).collect::<Vec<_>>(), ["web", "deep"]);
        assert_eq!(objects[1].gvk().to_string(), "apps/v1/Deployment");
        assert_eq!(objects[1].value()["spec"].to_string(), deep);
        assert_eq!(metadata.and_then(|metadata| metadata.token), Some("next".to_owned()));
        assert_eq!(page(&text[..text.len() - 2], false).0, Err(PageError::NotJson(1, text.len() - 1)));
    }

    #[test]
    fn an_empty_list_may_be_null_and_metadata_may_come_last() {
        assert_eq!(
            page(r#"{"items":null,"metadata":{"continue":"x"}}"#, false),
            (Ok(Vec::new()), Some(ListMetadata { token: Some("x".to_owned()), ..ListMetadata::default() }))
        );
        assert_eq!(page(r#"{"items":[]}"#, false), (Ok(Vec::new()), None));
    }

    /// A page that cannot be read must never be a shorter page.
    #[test]
    fn a_malformed_page_names_the_item() {
        for (json, problem) in [
            (
                r#"{"metadata":{},"items":[{"metadata":{"name":"web"}},7]}"#,
                "item 1 of `apps/v1/Deployment` is a number",
            ),
            (r#"{"items":[{"metadata":{"name":3}}]}"#, "item 0 of `apps/v1/Deployment` `metadata.name` is a number"),
            (r#"{"items":[{"spec":{}}]}"#, "item 0 of `apps/v1/Deployment` has no `metadata.name`"),
            (r#"{"items":[{"metadata":{"name":"web"}}"#, "it is not JSON, or is cut off, at line 1"),
            (r#"{"items":{"a":1}}"#, "it is not a list of objects"),
            (r#"{"kind":"Status"}"#, "it is not a list of objects"),
            ("[1]", "it is not a list of objects"),
            (r#"{"items":[]} trailing"#, "it is not JSON, or is cut off, at line 1"),
            ("<html>", "it is not JSON, or is cut off, at line 1"),
        ] {
            let error = page(json, false).0.unwrap_err().to_string();
            assert!(error.starts_with(problem), "{json}: {error}");
        }
    }
}
