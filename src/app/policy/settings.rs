//! A policy as it is written: a `policy.csv`, or the ConfigMap `argocd-rbac-cm` with its settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::fault::PolicyFault;
use super::index::PolicyIndex;
use super::line::{Lines, Permission};
use super::pattern::FieldPattern;
use super::question::{ACTIONS, RESOURCES};
use crate::object::Pointer;
use crate::object::yaml::{self, Document, Limits, WithPositions};

/// How the fields of a permission are matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MatchMode {
    /// gobwas/glob without separators: `*` stands for any text, slashes too.
    #[default]
    Glob,
    /// Go's regular expressions, found anywhere in the text.
    Regex,
}

impl MatchMode {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Glob => "glob",
            Self::Regex => "regular expression",
        }
    }
}

/// Lines of a policy, and where they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyText {
    /// The file.
    pub file: Arc<str>,
    /// The lines.
    pub text: String,
    /// The line of the file that they begin on.
    pub first_line: usize,
}

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
        let is_policy = |key: &String| key.starts_with("policy.") && key.ends_with(".csv");
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
            Some(other) => faults.push(wrong("policy.matchMode", other, "write `glob` or `regex`; Argo CD takes this for `glob`")),
        }
        match value("scopes").map(|text| (text, scopes(text))) {
            None => settings.scopes = vec!["groups".to_owned()],
            Some((_, Some(scopes))) => settings.scopes = scopes,
            Some((text, None)) => faults.push(wrong("scopes", text, "write a list, as `'[groups, email]'`")),
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }

    /// Everything that is wrong with it, also what does no harm: lines that match nothing.
    pub fn faults(&self) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        let mut lines = Lines::default();
        self.texts.iter().for_each(|text| lines.read(text, &mut faults));
        faults.extend(lines.permissions.iter().filter_map(|permission| self.idle(permission)));
        faults.extend(self.unreadable_role(&lines));
        PolicyIndex::new(lines, 0, self.match_mode, &mut faults);
        faults
    }

    /// A built-in role where regular expressions are asked for: its lines are globs.
    fn unreadable_role(&self, lines: &Lines) -> Option<PolicyFault> {
        let is_built_in = |role: &&str| matches!(*role, "role:admin" | "role:readonly");
        let roles = lines.groupings.iter().map(|grouping| grouping.role.as_str()).chain(self.default_role.as_deref());
        let role = roles.into_iter().find(is_built_in).filter(|_| self.match_mode == MatchMode::Regex)?;
        let place = self.texts.first().map_or_else(String::new, |text| text.file.to_string());
        Some(PolicyFault::Setting {
            place,
            key: "policy.matchMode",
            found: format!("regex`, and `{role}"),
            help: "the built-in roles are globs, and Argo CD refuses all that they allow: define a role of your own",
        })
    }

    /// Why a permission matches nothing that Argo CD asks for.
    fn idle(&self, permission: &Permission) -> Option<PolicyFault> {
        let place = permission.place.to_string();
        let resource = FieldPattern::new(&permission.resource, self.match_mode).ok()?;
        if !RESOURCES.iter().any(|name| resource.matches(name) == Ok(true)) {
            return Some(PolicyFault::Resource { place, found: permission.resource.clone() });
        }
        let action = FieldPattern::new(&permission.action, self.match_mode).ok()?;
        let has_path = ["update/", "delete/", "action/"].iter().any(|path| permission.action.contains(path));
        if has_path || ACTIONS.iter().any(|name| action.matches(name) == Ok(true)) {
            return None;
        }
        let (resource, found) = (permission.resource.clone(), permission.action.clone());
        Some(PolicyFault::Action { place, resource, found })
    }
}

/// The line of a position, counted from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
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
