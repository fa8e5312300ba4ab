//! The rules that would accept the drift now seen (`--suggest-ignores`): a block for each Application's `spec`.
//!
//! In: a [`Run`]. Out: YAML, one document for each application with changed resources. What no rule can accept, a missing or an
//! extra resource, is said in a comment.

use serde_json::{Map, Value, json};

use crate::fleet::{ApplicationRun, Run};
use crate::object::yaml;
use crate::report::style::escape::visible;
use crate::status::ignore::{Suggestion, suggestion};
use crate::status::{ResourceDrift, ResourceState};

/// The blocks of all applications, as YAML.
pub(in crate::report) fn write(run: &Run) -> String {
    let documents: Vec<String> = run.applications.iter().filter_map(document).collect();
    if documents.is_empty() {
        return "# nothing differs that a rule could accept\n".to_owned();
    }
    documents.join("---\n")
}

fn document(application: &ApplicationRun) -> Option<String> {
    let entries: Vec<Value> = application.resources.iter().filter_map(entry).collect();
    let comments: Vec<String> = application.resources.iter().filter_map(comment).collect();
    if entries.is_empty() && comments.is_empty() {
        return None;
    }
    let mut text = format!("# for `spec` of Application {}\n", visible(&application.name));
    text.extend(comments);
    if !entries.is_empty() {
        text.push_str(&yaml::write(&json!({ "ignoreDifferences": entries })));
    }
    Some(text)
}

fn entry(resource: &ResourceDrift) -> Option<Value> {
    let Suggestion { json_pointers, jq_path_expressions } =
        suggestion(resource).filter(|_| resource.state == ResourceState::Changed)?;
    let mut entry = Map::new();
    let gvk = &resource.gvk;
    for (field, text) in
        [("group", &gvk.group), ("kind", &gvk.kind), ("name", &resource.name), ("namespace", &resource.namespace)]
    {
        if !text.is_empty() {
            entry.insert(field.to_owned(), json!(text));
        }
    }
    if !json_pointers.is_empty() {
        let pointers: Vec<String> = json_pointers.iter().map(ToString::to_string).collect();
        entry.insert("jsonPointers".to_owned(), json!(pointers));
    }
    if !jq_path_expressions.is_empty() {
        entry.insert("jqPathExpressions".to_owned(), json!(jq_path_expressions));
    }
    Some(Value::Object(entry))
}

fn comment(resource: &ResourceDrift) -> Option<String> {
    let words = match resource.state {
        ResourceState::Missing => "is missing in the cluster; no ignore rule covers that",
        ResourceState::Extra if !resource.is_tolerated => {
            "is extra: annotate it with `argocd.argoproj.io/compare-options: IgnoreExtraneous`"
        }
        _ => return None,
    };
    Some(format!("# {} {} {words}\n", visible(&resource.gvk.group_kind().to_string()), visible(&resource.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drift::fixture::{HOSTILE, everything};

    #[test]
    fn a_block_names_what_differs_and_nothing_else() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        insta::assert_snapshot!(write(&run), @r#"
        # for `spec` of Application shop
        # Service web is missing in the cluster; no ignore rule covers that
        # batch/Job migrate-2025 is extra: annotate it with `argocd.argoproj.io/compare-options: IgnoreExtraneous`
        ignoreDifferences:
        - group: apps
          jqPathExpressions:
          - .spec.template.spec.containers[] | select(.name == "web") | .env[] | select(.name == "LOG_LEVEL")
          - .spec.template.spec.containers[] | select(.name == "web") | .image
          jsonPointers:
          - /spec/replicas
          kind: Deployment
          name: web
          namespace: shop
        - jsonPointers:
          - /data/start.sh
          kind: ConfigMap
          name: settings
          namespace: shop
        - jsonPointers:
          - /data/password
          kind: Secret
          name: login
          namespace: shop
        "#);
    }

    /// Names come from manifests and from clusters, and must not end a comment.
    #[test]
    fn hostile_names_stay_in_their_line() {
        let text = write(&everything());
        let rest: Vec<&str> = text.lines().filter(|line| line.starts_with("# heading")).collect();
        assert_eq!(rest, [""; 0]);
        let documents = yaml::read(&text, &yaml::Limits::default(), yaml::WithPositions::No);
        assert!(documents.iter().all(Result::is_ok), "{text}");
    }
}
