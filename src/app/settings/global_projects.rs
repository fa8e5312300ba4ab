//! `globalProjects`: projects whose rules hold for others, too.
//!
//! Rule: Argo CD util/settings/settings.go `GetGlobalProjectsSettings`, util/argo/argo.go `GetGlobalProjects`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Settings, SettingsError};

const KEY: &str = "globalProjects";
const EXPECTED: &str = "a list of maps with `projectName` and `labelSelector`";

/// A project, and which others have its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalProject {
    /// `projectName`.
    pub project: String,
    requirements: Vec<(String, GlobalRequirement)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobalRequirement {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl GlobalProject {
    /// Whether a project with these labels has its rules.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|(key, requirement)| {
            let value = labels.get(key);
            match requirement {
                GlobalRequirement::In(values) => value.is_some_and(|value| values.contains(value)),
                GlobalRequirement::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                GlobalRequirement::Exists => value.is_some(),
                GlobalRequirement::Absent => value.is_none(),
            }
        })
    }
}

/// Reads the list.
pub(super) fn read(settings: &Settings) -> Result<Vec<GlobalProject>, SettingsError> {
    let entries = match settings.yaml(KEY, EXPECTED)? {
        None => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(settings.wrong(KEY, "is not a list".to_owned(), EXPECTED)),
    };
    entries.iter().map(|entry| read_one(entry, settings)).collect()
}

fn read_one(entry: &Value, settings: &Settings) -> Result<GlobalProject, SettingsError> {
    let wrong = |why: String| settings.wrong(KEY, why, EXPECTED);
    let project = entry.get("projectName").and_then(Value::as_str).unwrap_or_default().to_owned();
    if project.is_empty() {
        return Err(wrong("an entry has no `projectName`".to_owned()));
    }
    let selector = entry.get("labelSelector").unwrap_or(&Value::Null);
    let mut requirements = Vec::new();
    for (key, value) in selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().ok_or_else(|| wrong(format!("the value of label `{key}` is not text")))?;
        requirements.push((key.clone(), GlobalRequirement::In(vec![value.to_owned()])));
    }
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
        let requirement = match text("operator") {
            "In" => GlobalRequirement::In(values),
            "NotIn" => GlobalRequirement::NotIn(values),
            "Exists" => GlobalRequirement::Exists,
            "DoesNotExist" => GlobalRequirement::Absent,
            other => return Err(wrong(format!("`{other}` is not an operator of a label selector"))),
        };
        requirements.push((text("key").to_owned(), requirement));
    }
    Ok(GlobalProject { project, requirements })
}
