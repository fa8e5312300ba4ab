//! Overrides: what a file in a source's folder changes about the source.
//!
//! In: a source and the text of a file. Out: the source that counts, with warnings; or everything that is wrong.
//!
//! Rules: Argo CD reposerver/repository/repository.go `mergeSourceParameters`: a JSON merge patch over the source, then the same
//! decoding as before. Quirk: what is patched is decoded onto the earlier source, so `null` takes away nothing but what lies in
//! `helm.valuesObject`. Quirk: where the source comes from may be written there, and does not count.

use serde_json::{Map, Value};

use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::reading::{FieldPart, Reading, SourceText};
use super::{Source, Within, decode};
use crate::finding::{Code, Excerpt, Finding, Severity};
use crate::object::yaml::{self, Document, Limits, Positions, WithPositions, YamlError};
use crate::object::{Pointer, type_name};

/// Fields that an override cannot change: Argo CD puts it back.
const FIXED: [&str; 4] = ["chart", "path", "repoURL", "targetRevision"];

/// The blocks of a source that belong to its tools, as they were written.
pub(super) const TOOLS: [&str; 5] = ["directory", "helm", "kustomize", "ksonnet", "plugin"];

/// The source as the text of a file changes it.
pub fn overridden(source: &Source, file: &str, bytes: &[u8]) -> Result<(Source, Vec<Finding>), Vec<Finding>> {
    let text = yaml::decode(bytes).map_err(|error| vec![syntax(file, "", &error)])?;
    let documents = yaml::read(&text, &Limits::default(), WithPositions::Yes);
    // As kubectl: only the first document is read.
    let Some(document) = documents.into_iter().next() else { return Ok((source.clone(), Vec::new())) };
    let mut document = document.map_err(|error| vec![syntax(file, &text, &error)])?;
    let patch = match document.value {
        Value::Object(patch) => patch,
        other => {
            let message = format!("`{file}` is {}, not a map of a source's fields", type_name(&other));
            return Err(vec![Finding::error(Code::AppOverride, message).with_help("write for example `helm:`")]);
        }
    };
    let fixed: Vec<&str> = FIXED.into_iter().filter(|field| patch.contains_key(*field)).collect();
    let (merged, whole) = merged(source, patch);
    document.value = Value::Object(whole);
    document.positions = document.positions.map(|positions| below(&positions, &place()));
    document.duplicate_keys = std::mem::take(&mut document.duplicate_keys)
        .into_iter()
        .map(|(pointer, span)| (joined(&place(), &pointer), span))
        .collect();
    let (changed, findings) = read_again(source, file, &text, &document, &fixed);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let Source { directory, helm, kustomize, plugin, ksonnet, .. } = changed.unwrap_or_else(|| source.clone());
    Ok((Source { directory, helm, kustomize, plugin, ksonnet, tools: merged, ..source.clone() }, findings))
}

/// The tools' blocks after the patch, and an Application's document around them, for the decoder.
fn merged(source: &Source, patch: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let mut whole = source.tools.clone();
    merge(&mut whole, patch, IsFree::No);
    let mut tools = whole.clone();
    tools.retain(|name, _| TOOLS.contains(&name.as_str()));
    for field in FIXED {
        whole.remove(field);
    }
    // What the decoder asks of a source, and this source has.
    whole.insert("repoURL".to_owned(), Value::from("repository"));
    match &source.chart {
        Some(chart) => {
            whole.insert("chart".to_owned(), Value::from(chart.as_str()));
            whole.insert("targetRevision".to_owned(), Value::from(source.target_revision.as_str()));
        }
        None => {
            whole.insert("path".to_owned(), Value::from("."));
        }
    }
    let document = Map::from_iter([(
        "spec".to_owned(),
        Value::Object(Map::from_iter([("source".to_owned(), Value::Object(whole))])),
    )]);
    (tools, document)
}

/// Whether `null` takes a key away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsFree {
    Yes,
    No,
}

fn merge(base: &mut Map<String, Value>, patch: Map<String, Value>, is_free: IsFree) {
    for (name, value) in patch {
        let below = if name == "valuesObject" { IsFree::Yes } else { is_free };
        match (value, base.get_mut(&name)) {
            (Value::Null, _) if is_free == IsFree::Yes => {
                base.remove(&name);
            }
            (Value::Null, _) => {}
            (Value::Object(patch), Some(Value::Object(base))) => merge(base, patch, below),
            (Value::Object(patch), _) => {
                let mut fresh = Map::new();
                merge(&mut fresh, patch, below);
                base.insert(name, Value::Object(fresh));
            }
            (value, _) => {
                base.insert(name, value);
            }
        }
    }
}

fn read_again(
    source: &Source,
    file: &str,
    text: &str,
    document: &Document,
    fixed: &[&str],
) -> (Option<Source>, Vec<Finding>) {
    let source_text = SourceText::new(file, text);
    let reading = Reading::new(&source_text, document, Pointer::root());
    for field in fixed {
        let fault = Fault::FixedByOverride { field: (*field).to_owned() };
        reading.report(&fault, &place().child(*field), FieldPart::Key);
    }
    let within = if source.reference.is_some() { Within::Sources } else { Within::Source };
    let fields = document.value.as_object().and_then(|whole| {
        let mut specification = Fields::new(&reading, whole).fields("spec")?;
        specification.fields("source")
    });
    let changed = fields.map(|fields| decode(fields, within));
    reading.report_repeated_fields();
    (changed, reading.into_findings())
}

/// Where the source stands in the document that the decoder sees.
fn place() -> Pointer {
    Pointer::root().child("spec").child("source")
}

fn joined(place: &Pointer, pointer: &Pointer) -> Pointer {
    place.tokens().iter().chain(pointer.tokens()).cloned().collect()
}

fn below(positions: &Positions, place: &Pointer) -> Positions {
    let places = positions.places.iter().map(|(pointer, spans)| (joined(place, pointer), *spans));
    Positions { places: places.collect() }
}

fn syntax(file: &str, text: &str, error: &YamlError) -> Finding {
    let excerpt = Excerpt::new(file, text, error.span.offset, error.span.length, Some("here".to_owned()));
    Finding::of(error).at(excerpt)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(tools: Value) -> Source {
        let Value::Object(tools) = tools else { panic!("a map") };
        let empty = Source {
            repo_url: crate::secret::RepoUrl::new("https://git.example.com/shop"),
            path: Some("shop".to_owned()),
            target_revision: "main".to_owned(),
            tag_prefix: String::new(),
            chart: None,
            reference: None,
            name: None,
            directory: None,
            helm: None,
            kustomize: None,
            plugin: None,
            ksonnet: None,
            tools: Map::new(),
            written: Map::new(),
            line: 1,
        };
        let patch = serde_json::to_vec(&tools).unwrap();
        overridden(&empty, "manifest", &patch).unwrap().0
    }

    /// The result of evanphx/json-patch and Go's decoder.
    #[test]
    fn a_file_changes_the_source_as_a_merge_patch() {
        let before = json!({"helm": {
            "releaseName": "shop", "valueFiles": ["a.yaml"], "parameters": [{"name": "a", "value": "1", "forceString": true}],
            "valuesObject": {"image": {"tag": "1", "pullPolicy": "Always"}}, "skipCrds": true,
        }});
        let file = "helm:\n  releaseName: null\n  valueFiles: [b.yaml, c.yaml]\n  parameters: [{name: b, value: '2'}]\n  valuesObject: {image: {tag: '2', pullPolicy: null}}\n  skipCrds: false\n";
        let (after, findings) = overridden(&source(before), ".argocd-source.yaml", file.as_bytes()).unwrap();
        assert_eq!(findings, []);
        let helm = after.helm.unwrap();
        assert_eq!(helm.release_name, "shop");
        assert_eq!(helm.value_files, ["b.yaml", "c.yaml"]);
        assert_eq!(helm.parameters.len(), 1);
        assert!(!helm.parameters[0].force_string && !helm.skip_crds);
        assert_eq!(Value::Object(helm.values_object.unwrap()), json!({"image": {"tag": "2"}}));
    }

    #[test]
    fn two_files_are_merged_one_after_the_other() {
        let first =
            overridden(&source(json!({"directory": {"recurse": true}})), "1", b"directory: {include: 'a*'}").unwrap().0;
        let second = overridden(&first, "2", b"directory: {exclude: 'b*'}").unwrap().0;
        let directory = second.directory.unwrap();
        assert!(directory.recurse);
        assert_eq!((directory.include.as_str(), directory.exclude.as_str()), ("a*", "b*"));
    }

    /// Where a source comes from is not for the repository to say.
    #[test]
    fn where_the_source_comes_from_stays() {
        let file =
            b"repoURL: https://evil.example.com\npath: /etc\ntargetRevision: other\nkustomize: {namePrefix: a-}\n";
        let (after, findings) = overridden(&source(json!({})), ".argocd-source.yaml", file).unwrap();
        assert_eq!(after.repo_url.with_credentials(), "https://git.example.com/shop");
        assert_eq!((after.path.as_deref(), after.target_revision.as_str()), (Some("shop"), "main"));
        assert_eq!(after.kustomize.unwrap().name_prefix, "a-");
        let reported: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            reported,
            [
                ".argocd-source.yaml: `repoURL` cannot be overridden",
                ".argocd-source.yaml: `path` cannot be overridden",
                ".argocd-source.yaml: `targetRevision` cannot be overridden",
            ]
        );
    }

    #[test]
    fn faults_are_reported_with_their_line() {
        for (file, message, line) in [
            (
                "helm:\n  valueFiles: a.yaml\n",
                ".argocd-source.yaml: `spec.source.helm.valueFiles` is text, not a list",
                2,
            ),
            ("helm: [\n", "", 0),
            ("- a\n", "`.argocd-source.yaml` is a list, not a map of a source's fields", 0),
        ] {
            let findings = overridden(&source(json!({})), ".argocd-source.yaml", file.as_bytes()).unwrap_err();
            assert_eq!(findings.len(), 1);
            if !message.is_empty() {
                assert_eq!(findings[0].message, message);
                assert_eq!(findings[0].excerpt.as_ref().map_or(0, Excerpt::line), line);
            }
        }
    }
}
