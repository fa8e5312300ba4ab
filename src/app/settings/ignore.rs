//! Rules for every application of an Argo CD: which fields are not compared.
//!
//! In: [`Settings`]. Out: [`SystemIgnore`]s, each with the key it is under. Globs of groups and kinds have a place only in
//! `resource.customizations`, whose keys are `group/Kind`: a key of a ConfigMap cannot hold a `*`.
//!
//! Rule: Argo CD util/settings `GetResourceOverrides`, `getResourceOverridesFromSplitKeys`;
//! `util/argo/normalizers/diff_normalizer.go`. Quirk, corrected: there `managedFieldsManagers` of system-level rules is looked
//! up by the exact key, so that globs and core kinds have no effect.

use serde_json::{Map, Value};

use super::{Settings, SettingsError};
use crate::app::ignore::IgnoreDifference;
use crate::object::{Pointer, type_name};

/// A key for each kind: `resource.customizations.ignoreDifferences.<group>_<kind>`, or `.all`.
const BY_KEY: &str = "resource.customizations.ignoreDifferences.";
/// All kinds in one text.
const CUSTOMIZATIONS: &str = "resource.customizations";
const EXPECTED: &str = "lists of strings named `jsonPointers`, `jqPathExpressions` and `managedFieldsManagers`";

/// A rule for every application, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemIgnore {
    /// The key of `argocd-cm`, and below it the kinds, where it holds several.
    pub key: String,
    /// The rule; it has no line of its own.
    pub rule: IgnoreDifference,
}

/// Every rule that can be read, and what is wrong with the others.
pub(super) fn read(settings: &Settings) -> (Vec<SystemIgnore>, Vec<SettingsError>) {
    let mut rules = Vec::new();
    let mut errors = Vec::new();
    let mut take = |key: &str, kinds: KindGlobs, text: &str| match rule(settings, key, kinds, text) {
        Ok(rule) => rules.extend(rule),
        Err(error) => errors.push(error),
    };
    for (key, text) in &settings.data {
        if let Some(name) = key.strip_prefix(BY_KEY) {
            take(key, KindGlobs::of_key(name), text);
        }
    }
    match in_one_text(settings) {
        Ok(texts) => {
            for (kinds, text) in &texts {
                // A key of its own wins over the text of all kinds.
                if !settings.data.contains_key(&format!("{BY_KEY}{}", kinds.replacen('/', "_", 1))) {
                    take(&format!("{CUSTOMIZATIONS} {kinds}"), KindGlobs::of_group_kind(kinds), text);
                }
            }
        }
        Err(error) => errors.push(error),
    }
    (rules, errors)
}

/// The globs of the kinds that a rule is for.
struct KindGlobs {
    group: String,
    kind: String,
}

impl KindGlobs {
    /// `apps_Deployment`, `ConfigMap` for the core group, `all`.
    fn of_key(name: &str) -> Self {
        if name == "all" { Self::of_group_kind("*/*") } else { Self::of_group_kind(&name.replacen('_', "/", 1)) }
    }

    /// `apps/Deployment`, `ConfigMap` for the core group.
    fn of_group_kind(name: &str) -> Self {
        let (group, kind) = name.split_once('/').unwrap_or(("", name));
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }
}

/// `ignoreDifferences` of each kind in `resource.customizations`, which is YAML in YAML.
fn in_one_text(settings: &Settings) -> Result<Vec<(String, String)>, SettingsError> {
    let expected = "`<group>/<Kind>:`, and below it `ignoreDifferences: |`";
    let wrong = |why| settings.wrong(CUSTOMIZATIONS, why, &format!("it holds YAML: {expected}"));
    let kinds = match settings.yaml(CUSTOMIZATIONS, expected)? {
        None => return Ok(Vec::new()),
        Some(Value::Object(kinds)) => kinds,
        Some(other) => return Err(wrong(format!("is {}, not a map", type_name(&other)))),
    };
    let mut texts = Vec::new();
    for (kind, customization) in kinds {
        match customization.get("ignoreDifferences") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => texts.push((kind, text.clone())),
            Some(other) => {
                return Err(wrong(format!("`ignoreDifferences` of `{kind}` is {}, not text", type_name(other))));
            }
        }
    }
    Ok(texts)
}

fn rule(settings: &Settings, key: &str, kinds: KindGlobs, text: &str) -> Result<Option<SystemIgnore>, SettingsError> {
    let wrong = |why| settings.wrong(key, why, &format!("it holds YAML: {EXPECTED}"));
    let lists = match settings.parse(key, text, EXPECTED)? {
        None => return Ok(None),
        Some(Value::Object(lists)) => lists,
        Some(other) => return Err(wrong(format!("is {}, not a map", type_name(&other)))),
    };
    let texts = |name: &str| texts(&lists, name).ok_or_else(|| wrong(format!("`{name}` is not a list of strings")));
    let pointers = texts("jsonPointers")?.into_iter().map(|text| {
        let pointer = Pointer::parse(&text).filter(|pointer| *pointer != Pointer::root());
        pointer.ok_or_else(|| wrong(format!("`{text}` is not a JSON pointer, which begins with `/`")))
    });
    let rule = IgnoreDifference {
        group: kinds.group,
        kind: kinds.kind,
        name: String::new(),
        namespace: String::new(),
        json_pointers: pointers.collect::<Result<_, _>>()?,
        jq_path_expressions: texts("jqPathExpressions")?,
        managed_fields_managers: texts("managedFieldsManagers")?,
        line: 0,
    };
    Ok(Some(SystemIgnore { key: key.to_owned(), rule }))
}

fn texts(lists: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    match lists.get(name) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(texts)) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(data: &[(&str, &str)]) -> Settings {
        let data = data.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        Settings { file: "cm.yaml".to_owned(), data }
    }

    fn shown(rule: &SystemIgnore) -> String {
        let SystemIgnore { key, rule } = rule;
        let pointers: Vec<String> = rule.json_pointers.iter().map(ToString::to_string).collect();
        let lists = [pointers, rule.jq_path_expressions.clone(), rule.managed_fields_managers.clone()].concat();
        format!("{key}: {}/{} {}", rule.group, rule.kind, lists.join(" "))
    }

    /// The examples of Argo CD's page "Diff Customization", and the map that it had before.
    #[test]
    fn rules_are_read_from_keys_and_from_the_one_text() {
        let settings = settings(&[
            (
                "resource.customizations.ignoreDifferences.admissionregistration.k8s.io_MutatingWebhookConfiguration",
                "jqPathExpressions:\n- '.webhooks[]?.clientConfig.caBundle'\n",
            ),
            ("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers:\n- /spec/replicas\n"),
            ("resource.customizations.ignoreDifferences.ConfigMap", "jsonPointers:\n- /data/a~1b\n"),
            (
                "resource.customizations.ignoreDifferences.all",
                "managedFieldsManagers:\n- kube-controller-manager\njsonPointers:\n- /spec/replicas\n",
            ),
            (
                "resource.customizations",
                "'*.crossplane.io/*':\n  ignoreDifferences: |\n    jsonPointers:\n    - /spec/x\n\
                 apps/Deployment:\n  ignoreDifferences: |\n    jsonPointers:\n    - /spec/hidden-by-the-key\n\
                 batch/Job:\n  health.lua: |\n    return {}\n",
            ),
        ]);
        let (rules, errors) = read(&settings);
        assert_eq!(errors, []);
        let mut shown: Vec<String> = rules.iter().map(shown).collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                "resource.customizations *.crossplane.io/*: *.crossplane.io/* /spec/x",
                "resource.customizations.ignoreDifferences.ConfigMap: /ConfigMap /data/a~1b",
                "resource.customizations.ignoreDifferences.admissionregistration.k8s.io_MutatingWebhookConfiguration: \
                 admissionregistration.k8s.io/MutatingWebhookConfiguration .webhooks[]?.clientConfig.caBundle",
                "resource.customizations.ignoreDifferences.all: */* /spec/replicas kube-controller-manager",
                "resource.customizations.ignoreDifferences.apps_Deployment: apps/Deployment /spec/replicas",
            ]
        );
    }

    /// One rule that cannot be read hides no other.
    #[test]
    fn what_cannot_be_read_is_an_error_that_names_its_key() {
        let settings = settings(&[
            ("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers: /spec/replicas"),
            ("resource.customizations.ignoreDifferences.apps_StatefulSet", "jsonPointers: [spec/replicas]"),
            ("resource.customizations.ignoreDifferences.apps_DaemonSet", "jsonPointers: [/spec/replicas"),
            ("resource.customizations.ignoreDifferences.all", "jsonPointers: [/spec/replicas]"),
            ("resource.customizations", "- a"),
        ]);
        let (rules, errors) = read(&settings);
        assert_eq!(rules.len(), 1);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        for (key, why) in [
            ("ignoreDifferences.apps_Deployment", "`jsonPointers` is not a list of strings"),
            ("ignoreDifferences.apps_StatefulSet", "`spec/replicas` is not a JSON pointer"),
            ("ignoreDifferences.apps_DaemonSet", "line "),
            ("resource.customizations", "is a list, not a map"),
        ] {
            let reported = errors.iter().any(|error| error.contains(&format!("{key}`: {why}")));
            assert!(reported, "{key}: {why}: {errors:#?}");
        }
        assert_eq!(errors.len(), 4);
    }
}
