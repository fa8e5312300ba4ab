//! The text of one file: finds, changes, adds and removes one object, and leaves everything else byte for byte.
//!
//! In: the bytes of a file, an object. Out: the text as it is to be. A document that is JSON stays JSON, an item of a List
//! stays one; comments before a document stay, those inside of it go when it is written again. Pure.

use serde_json::Value;

use super::names::MARK;
use super::view::place_in_namespace;
use crate::object::yaml::{self, Document, Limits, WithPositions, YamlError};
use crate::object::{Key, Kinds, Object};

/// A file's text with its documents.
pub(super) struct FolderText {
    text: String,
    documents: Vec<Document>,
}

/// Where an object stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextPlace {
    document: usize,
    /// Its place in a List.
    item: Option<usize>,
}

impl FolderText {
    /// The text of a file, and the documents of it that cannot be read.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, Vec<YamlError>), YamlError> {
        let text = yaml::decode(bytes)?.into_owned();
        let (mut documents, mut faults) = (Vec::new(), Vec::new());
        for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
            match document {
                Ok(document) => documents.push(document),
                Err(fault) => faults.push(fault),
            }
        }
        Ok((Self { text, documents }, faults))
    }

    /// A file that is not there yet.
    pub(super) fn empty() -> Self {
        Self { text: String::new(), documents: Vec::new() }
    }

    /// Where an object stands, and what it is; the last one counts.
    pub(super) fn find(&self, key: &Key, kinds: &Kinds) -> Option<(TextPlace, Object)> {
        let is_it = |value: Value| {
            let mut object = Object::new(value).ok()?;
            place_in_namespace(&mut object, kinds);
            (object.key() == *key).then_some(object)
        };
        self.documents.iter().enumerate().rev().find_map(|(document, read)| match items_of_list(read.value.clone()) {
            Ok(items) => items.into_iter().enumerate().rev().find_map(|(index, item)| {
                is_it(item).map(|object| (TextPlace { document, item: Some(index) }, object))
            }),
            Err(value) => is_it(value).map(|object| (TextPlace { document, item: None }, object)),
        })
    }

    /// Every document, with the mark before it.
    pub(super) fn into_documents(self) -> Vec<(Document, Option<String>)> {
        let marks: Vec<Option<String>> =
            (0..self.documents.len()).map(|document| self.mark_of(document).map(str::to_owned)).collect();
        self.documents.into_iter().zip(marks).collect()
    }

    /// The mark before a document.
    fn mark_of(&self, document: usize) -> Option<&str> {
        let head = &self.text[self.begin(document)..self.documents[document].extent.offset];
        head.lines().rev().find(|line| line.starts_with(MARK))
    }

    /// The mark of an object; items of Lists have none.
    pub(super) fn mark_at(&self, place: TextPlace) -> Option<&str> {
        if place.item.is_some() { None } else { self.mark_of(place.document) }
    }

    /// The line of a place, counted from 1.
    pub(super) fn line(&self, place: TextPlace) -> usize {
        self.documents[place.document].line
    }

    /// The text with an object in the place of another one, or at the end.
    pub(super) fn with(&self, place: Option<TextPlace>, object: &Object, mark: Option<&str>) -> String {
        match place {
            Some(TextPlace { document, item: None }) => self.rewritten(document, &object.to_value(), mark),
            Some(TextPlace { document, item: Some(item) }) => {
                let mut list = self.documents[document].value.clone();
                list["items"][item] = object.to_value();
                self.rewritten(document, &list, None)
            }
            None => {
                let mut text = self.text.clone();
                if !text.is_empty() {
                    end_line(&mut text);
                    text.push_str("---\n");
                }
                text.push_str(&marked(mark));
                text.push_str(&yaml::write(&object.to_value()));
                end_line(&mut text);
                text
            }
        }
    }

    /// The text without an object; nothing when no document would be left.
    pub(super) fn without(&self, place: TextPlace) -> Option<String> {
        let TextPlace { document, item } = place;
        if let Some(item) = item {
            let mut list = self.documents[document].value.clone();
            if let Some(Value::Array(items)) = list.get_mut("items")
                && items.len() > 1
            {
                items.remove(item);
                return Some(self.rewritten(document, &list, None));
            }
        }
        if document + 1 < self.documents.len() {
            let (before, after) = (&self.text[..self.begin(document)], &self.text[self.begin(document + 1)..]);
            return Some(format!("{before}{after}"));
        }
        let before = document.checked_sub(1)?;
        let mut text = self.text[..self.end(before)].to_owned();
        end_line(&mut text);
        Some(text)
    }

    fn rewritten(&self, document: usize, value: &Value, mark: Option<&str>) -> String {
        let (start, end) = (self.documents[document].extent.offset, self.end(document));
        let (before, old, after) = (&self.text[..start], &self.text[start..end], &self.text[end..]);
        let mut new = if old.trim_start().starts_with('{') {
            // Keys of a JSON value are text: it can be written.
            serde_json::to_string_pretty(value).unwrap_or_default()
        } else {
            let is_there = self.mark_of(document).is_some_and(|there| Some(there) == mark);
            format!("{}{}", marked(mark.filter(|_| !is_there)), yaml::write(value))
        };
        new.truncate(new.trim_end_matches('\n').len());
        if old.ends_with('\n') || after.is_empty() {
            new.push('\n');
        }
        format!("{before}{new}{after}")
    }

    fn end(&self, document: usize) -> usize {
        let extent = self.documents[document].extent;
        extent.offset + extent.length
    }

    /// Where what belongs to a document begins: after the separator before it.
    fn begin(&self, document: usize) -> usize {
        let before = document.checked_sub(1).map_or(0, |before| self.end(before));
        let head = &self.text[before..self.documents[document].extent.offset];
        let mut begin = before;
        let mut line_start = before;
        for line in head.split_inclusive('\n') {
            line_start += line.len();
            if line.starts_with("---") {
                begin = line_start;
            }
        }
        begin
    }
}

fn marked(mark: Option<&str>) -> String {
    mark.map(|mark| format!("{mark}\n")).unwrap_or_default()
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// The items of a `List` or a `ConfigMapList`, each with `apiVersion` and `kind`; the value itself when it is no list.
pub(super) fn items_of_list(mut value: Value) -> Result<Vec<Value>, Value> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let Some(item_kind) = kind.strip_suffix("List") else { return Err(value) };
    let items = match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        // Go marshals an empty list of a typed List as null.
        Some(Value::Null) => Vec::new(),
        _ => return Err(value),
    };
    let filled = items.into_iter().map(|mut item| {
        if let Value::Object(fields) = &mut item
            && !item_kind.is_empty()
        {
            fields.entry("apiVersion").or_insert_with(|| Value::String(api_version.clone()));
            fields.entry("kind").or_insert_with(|| Value::String(item_kind.to_owned()));
        }
        item
    });
    Ok(filled.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::object::kinds::NEWEST_KUBERNETES;

    fn config_map(name: &str, data: Value) -> Object {
        let metadata = json!({ "name": name, "namespace": "shop" });
        let mut object = Object::new(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata })).unwrap();
        object.value_mut().insert("data".to_owned(), data);
        object
    }

    fn read(text: &str) -> FolderText {
        let (text, faults) = FolderText::read(text.as_bytes()).unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        text
    }

    fn place(text: &FolderText, name: &str) -> Option<TextPlace> {
        let kinds = Kinds::builtin(NEWEST_KUBERNETES);
        text.find(&config_map(name, json!({})).key(), &kinds).map(|(place, _)| place)
    }

    fn written(name: &str, data: &str) -> String {
        format!("apiVersion: v1\ndata:\n  {data}\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: shop\n")
    }

    const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop} # the first\n";
    const B: &str = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: b, namespace: shop}\n";

    #[test]
    fn an_object_is_written_where_it_stands_and_the_rest_stays() {
        let data = json!({ "x": "1" });
        let new = written("b", "x: \"1\"");
        for (text, expected) in [
            (format!("{A}---\n{B}"), format!("{A}---\n{new}")),
            (
                format!("# head\n---\n# about b\n{B}---\n\n# tail\n{A}"),
                format!("# head\n---\n# about b\n{new}---\n\n# tail\n{A}"),
            ),
            (format!("{B}--- # next\n{A}..."), format!("{new}--- # next\n{A}...")),
            (B.trim_end().to_owned(), new.clone()),
            (format!("{B}---\n{A}---\n{B}"), format!("{B}---\n{A}---\n{new}")),
            (A.to_owned(), format!("{A}---\n{new}")),
            (String::new(), new.clone()),
        ] {
            let text = read(&text);
            assert_eq!(text.with(place(&text, "b"), &config_map("b", data.clone()), None), expected);
        }
    }

    #[test]
    fn json_stays_json_and_an_item_stays_an_item() {
        let json = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "shop" } });
        let text = read(&format!("{}\n{}\n", json("a"), json("b")));
        let changed = text.with(place(&text, "a"), &config_map("a", json!({ "x": "1" })), Some("# mark"));
        let again = read(&changed);
        assert_eq!(again.documents[0].value["data"], json!({ "x": "1" }));
        assert!(changed.starts_with("{\n") && changed.ends_with(&format!("}}\n{}\n", json("b"))), "{changed}");

        let list = json!({ "apiVersion": "v1", "kind": "List", "items": [json("a"), json("b")] });
        let text = read(&yaml::write(&list));
        let changed = read(&text.with(place(&text, "b"), &config_map("b", json!({ "x": "1" })), Some("# mark")));
        assert_eq!(changed.documents[0].value["items"][1]["data"], json!({ "x": "1" }));
        let smaller = read(&changed.without(place(&changed, "a").unwrap()).unwrap());
        assert_eq!(smaller.documents[0].value["items"].as_array().unwrap().len(), 1);
        assert_eq!(smaller.without(place(&smaller, "b").unwrap()), None);
    }

    #[test]
    fn an_object_goes_with_what_belongs_to_it() {
        for (text, expected) in [
            (B.to_owned(), None),
            (format!("# head\n---\n{B}"), None),
            (format!("{A}---\n# about b\n{B}"), Some(A.to_owned())),
            (format!("# about b\n{B}---\n# about a\n{A}"), Some(format!("# about a\n{A}"))),
            (format!("---\n{A}---\n# about b\n{B}---\n{A}"), Some(format!("---\n{A}---\n{A}"))),
            (format!("{A}---\n{B}---\n# tail\n"), Some(A.to_owned())),
        ] {
            let text = read(&text);
            assert_eq!(text.without(place(&text, "b").unwrap()), expected);
        }
    }

    #[test]
    fn a_mark_is_written_once_and_read_again() {
        let object = config_map("a", json!({}));
        let mark = format!("{MARK}ConfigMap shop/a");
        let text = read(&read(A).with(place(&read(A), "a"), &object, Some(&mark)));
        assert_eq!(text.mark_of(0), Some(mark.as_str()));
        let again = text.with(place(&text, "a"), &object, Some(&mark));
        assert_eq!(again.matches(MARK).count(), 1);
    }
}
