//! Empty values of an Application of Argo CD that its controller takes out when it writes the Application back.
//!
//! In: a change that a sync would make. Out: whether it only puts back an empty value that the controller's type leaves out
//! and that means the same as no value.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1/types.go: fields with `omitempty` that are no pointers, and an empty
//! `syncPolicy`. Not `automated: {}`, `helm: {}` and others that say something by being there.

use serde_json::Value;

use super::difference::Edit;
use crate::object::Gvk;

const OF_SPEC: [&str; 3] = ["ignoreDifferences", "info", "syncPolicy"];
const OF_DESTINATION: [&str; 3] = ["name", "namespace", "server"];
const OF_SOURCE: [&str; 5] = ["chart", "name", "path", "ref", "targetRevision"];
const OF_HELM: [&str; 13] = [
    "apiVersions",
    "fileParameters",
    "ignoreMissingValueFiles",
    "kubeVersion",
    "namespace",
    "parameters",
    "passCredentials",
    "releaseName",
    "skipCrds",
    "skipSchemaValidation",
    "skipTests",
    "valueFiles",
    "values",
];

pub(super) fn says_nothing(gvk: &Gvk, edit: &Edit, live: &Value) -> bool {
    if gvk.group != "argoproj.io" || gvk.kind != "Application" {
        return false;
    }
    let tokens: Vec<&str> = edit.path.tokens().iter().map(String::as_str).collect();
    let fields: &[&str] = match tokens[..] {
        ["spec", _] => &OF_SPEC,
        ["spec", "destination", _] => &OF_DESTINATION,
        ["spec", "source", _] | ["spec", "sources", _, _] => &OF_SOURCE,
        ["spec", "source", "helm", _] | ["spec", "sources", _, "helm", _] => &OF_HELM,
        _ => return false,
    };
    let is_empty = match &edit.git {
        Some(Value::Bool(value)) => !value,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Null | Value::Number(_)) | None => false,
    };
    let is_live = edit.path.get(live).is_some();
    is_empty && !is_live && tokens.last().is_some_and(|last| fields.contains(last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::object::Pointer;

    #[test]
    fn empty_values_of_an_application_say_nothing_where_its_controller_leaves_them_out() {
        let application = Gvk::from_api_version("argoproj.io/v1alpha1", "Application");
        let live = json!({"spec": {"source": {"helm": {"skipCrds": true}}}});
        for (path, git, expected) in [
            ("/spec/syncPolicy", json!({}), true),
            ("/spec/ignoreDifferences", json!([]), true),
            ("/spec/destination/name", json!(""), true),
            ("/spec/source/helm/parameters", json!([]), true),
            ("/spec/sources/0/helm/skipTests", json!(false), true),
            ("/spec/source/helm/skipCrds", json!(false), false),
            ("/spec/source/helm/values", json!("a: 1"), false),
            ("/spec/source/helm/valuesObject", json!({}), false),
            ("/spec/source/helm", json!({}), false),
            ("/spec/source/directory", json!({}), false),
            ("/spec/syncPolicy", json!({"automated": {}}), false),
            ("/spec/syncPolicy/automated", json!({}), false),
            ("/spec/project", json!(""), false),
        ] {
            let edit = Edit { path: Pointer::parse(path).unwrap(), git: Some(git.clone()) };
            assert_eq!(says_nothing(&application, &edit, &live), expected, "{path} {git}");
            let other = Gvk::from_api_version("example.com/v1", "Application");
            assert!(!says_nothing(&other, &edit, &live), "{path}");
        }
    }
}
