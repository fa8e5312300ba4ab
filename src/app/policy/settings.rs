//! A policy as it is written: a `policy.csv`, or the ConfigMap `argocd-rbac-cm` with its settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fault::PolicyFault;
use super::text::{MatchMode, PolicyText, line_at};
use crate::object::Pointer;
use crate::object::yaml::{self, Document, Limits, WithPositions};

/// A policy, and how it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// `policy.csv`, then every `policy.*.csv` in the order of their keys.
    pub texts: Vec<PolicyText>,
    /// `policy.default`: the role that everybody has.
    pub default_role: Option<String>,
    /// `policy.matchMode`.
    pub match_mode: MatchMode,
    /// `scopes`: the claims of a token that count as groups.
    pub scopes: Vec<String>,
}

/// The text of a key, and the line that it begins on.
type Entries = BTreeMap<String, (String, usize)>;

impl PolicySettings {
    /// Reads a file: a `policy.csv`, or a manifest with the ConfigMap.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Vec<PolicyFault>> {
        let not_text = || vec![PolicyFault::File { file: file.to_owned() }];
        let text = yaml::decode(bytes).map_err(|_error| not_text())?;
        let documents = yaml::read(&text, &Limits::default(), WithPositions::Yes);
        let objects: Vec<&Document> =
            documents.iter().flatten().filter(|document| document.value.get("kind").is_some()).collect();
        if objects.is_empty() {
            let texts = vec![PolicyText { file: file.into(), text: text.to_string(), first_line: 1 }];
            return Ok(Self { texts, ..Self::default() });
        }
        let entries = objects.into_iter().find_map(|document| entries_of(&text, document));
        Self::of(file, entries.ok_or_else(not_text)?)
    }

    /// Reads `argocd-rbac-cm` in the text of a manifest file; nothing when it is not there.
    pub fn find(file: &str, bytes: &[u8]) -> Option<Result<Self, Vec<PolicyFault>>> {
        let text = yaml::decode(bytes).ok()?;
        let documents = yaml::read(&text, &Limits::default(), WithPositions::Yes);
        let is_it =
            |document: &&Document| document.value.pointer("/metadata/name") == Some(&Value::from("argocd-rbac-cm"));
        let entries = documents.iter().flatten().filter(is_it).find_map(|document| entries_of(&text, document));
        entries.map(|entries| Self::of(file, entries))
    }

    /// Reads the ConfigMap, as a cluster has it.
    pub fn of_object(place: &str, object: &Value) -> Result<Self, Vec<PolicyFault>> {
        let entries = entries(object, &|_key, _text| 1);
        Self::of(place, entries.ok_or_else(|| vec![PolicyFault::File { file: place.to_owned() }])?)
    }

    fn of(file: &str, mut entries: Entries) -> Result<Self, Vec<PolicyFault>> {
        let mut faults = Vec::new();
        let mut settings = Self::default();
        let file: Arc<str> = file.into();
        let first = entries.remove("policy.csv").map(|entry| ("policy.csv".to_owned(), entry));
        let is_policy = |key: &String| key.starts_with("policy.") && key.strip_suffix(".csv").is_some();
        let others = entries.clone().into_iter().filter(|(key, _)| is_policy(key));
        for (_, (text, first_line)) in first.into_iter().chain(others) {
            settings.texts.push(PolicyText { file: Arc::clone(&file), text, first_line });
        }
        let value = |key: &str| entries.get(key).map(|(text, _)| text.trim()).filter(|text| !text.is_empty());
        settings.default_role = value("policy.default").map(str::to_owned);
        let wrong = |key, found: &str, help| {
            let line = entries.get(key).map_or(1, |(_, line)| *line);
            PolicyFault::Setting { place: format!("{file}:{line}"), key, found: found.to_owned(), help }
        };
        match value("policy.matchMode") {
            None | Some("glob") => {}
            Some("regex") => settings.match_mode = MatchMode::Regex,
            Some(other) => {
                faults.push(wrong("policy.matchMode", other, "write `glob` or `regex`; Argo CD takes this for `glob`"));
            }
        }
        match value("scopes").map(|text| (text, scopes(text))) {
            None => settings.scopes = vec!["groups".to_owned()],
            Some((_, Some(scopes))) => settings.scopes = scopes,
            Some((text, None)) => faults.push(wrong("scopes", text, "write a list, as `'[groups, email]'`")),
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }
}

fn entries_of(text: &str, document: &Document) -> Option<Entries> {
    let line = |key: &str, _value: &str| {
        let place = Pointer::root().child("data").child(key);
        let positions = document.positions.as_ref();
        let Some((_, span)) = positions.and_then(|positions| positions.places.get(&place)) else {
            return document.line;
        };
        // A block begins on the line after its `|`.
        let is_block = matches!(text.as_bytes().get(span.offset), Some(b'|' | b'>'));
        line_at(text, span.offset) + usize::from(is_block)
    };
    entries(&document.value, &line)
}

/// The data of the ConfigMap; nothing when it is another object.
fn entries(object: &Value, line: &dyn Fn(&str, &str) -> usize) -> Option<Entries> {
    let is_map = object.get("kind").and_then(Value::as_str) == Some("ConfigMap");
    let data = object.get("data").filter(|_| is_map)?.as_object()?;
    let name = object.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str);
    let is_rbac = name == Some("argocd-rbac-cm") || data.keys().any(|key| key.starts_with("policy."));
    let texts = data.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?)));
    is_rbac.then(|| texts.map(|(key, text)| (key.clone(), (text.to_owned(), line(&key, text)))).collect())
}

/// A list of texts, or one text.
fn scopes(text: &str) -> Option<Vec<String>> {
    let document = yaml::read(text, &Limits::default(), WithPositions::No).into_iter().next()?.ok()?;
    match document.value {
        Value::String(scope) => Some(vec![scope]),
        Value::Array(scopes) => scopes.into_iter().map(|scope| scope.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}
