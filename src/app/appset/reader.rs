//! The manifests of ApplicationSets, with every fault of a file found at once.

use serde_json::{Map as Json, Value};

use super::generators::{Generator, nested_fields};
use super::rollout::RollingSync;
use super::set_policy::{self, SetPolicy};
use super::{ApplicationSet, FoundApplication, RolloutPlace};
use crate::app::ManifestText;
use crate::app::charts::Charts;
use crate::app::fault::Fault;
use crate::app::fields::Fields;
use crate::app::manifest_folder::ManifestFolder;
use crate::app::reading::{Reading, SourceText};
use crate::finding::{Finding, Severity};
use crate::object::annotations::SYNC_WAVE;
use crate::object::yaml::{self, Document, Limits, WithPositions};
use crate::object::{Origin, Pointer};

/// The ApplicationSets and cluster Secrets in manifest files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApplicationSets {
    /// Every ApplicationSet that could be read.
    pub sets: Vec<ApplicationSet>,
    /// The Applications that are written out, as they are.
    pub applications: Vec<FoundApplication>,
    /// Errors of ApplicationSets that could not be read.
    pub findings: Vec<Finding>,
}

/// Reads the ApplicationSets of manifest files, and passes the Applications on.
pub fn read(inputs: &[ManifestText]) -> ApplicationSets {
    let mut found = ApplicationSets::default();
    let charts = Charts::of(inputs);
    for input in inputs {
        // What cannot be read is reported where Applications are read.
        let Ok(text) = yaml::decode(&input.bytes) else { continue };
        // A template of a chart is a manifest when Helm has rendered it.
        let is_template = || charts.chart(input).is_some() && text.contains("{{");
        if !text.contains("argoproj.io") || is_template() {
            continue;
        }
        let source = SourceText::new(&input.name, &text);
        let before = found.applications.len();
        for document in yaml::read(&text, &Limits::default(), WithPositions::Yes).into_iter().flatten() {
            read_object((&source, &input.folder), &document, &document.value, &Pointer::root(), &mut found);
        }
        for application in &mut found.applications[before..] {
            application.file.clone_from(&input.name);
            application.folder.clone_from(&input.folder);
        }
    }
    found
}

fn read_object(
    (source, folder): (&SourceText, &ManifestFolder),
    document: &Document,
    value: &Value,
    base: &Pointer,
    found: &mut ApplicationSets,
) {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let is_ours = text("apiVersion").starts_with("argoproj.io/");
    match (text("kind"), value) {
        ("ApplicationSet", Value::Object(manifest)) if is_ours => {
            let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let reading = Reading::new(source, document, base.clone()).about(name);
            match decode(reading, manifest, folder) {
                Ok(set) => found.sets.push(set),
                Err(findings) => found.findings.extend(findings),
            }
        }
        ("Application", Value::Object(manifest)) if is_ours => found.applications.push(FoundApplication {
            manifest: value.clone(),
            set_origin: String::new(),
            wave: wave_of(manifest),
            rollout: RolloutPlace::Free,
            application_set: String::new(),
            generator: String::new(),
            explanation: None,
            file: String::new(),
            folder: ManifestFolder::default(),
        }),
        (kind, _) if kind.ends_with("List") => {
            let items = value.get("items").and_then(Value::as_array).into_iter().flatten();
            for (index, item) in items.enumerate() {
                read_object((source, folder), document, item, &base.child("items").index(index), found);
            }
        }
        _ => {}
    }
}

/// The sync wave of an object; 0 where it has none, or it is no number.
fn wave_of(manifest: &Json<String, Value>) -> i64 {
    let wave = manifest.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(SYNC_WAVE)?.as_str());
    wave.and_then(|wave| wave.parse().ok()).unwrap_or_default()
}

/// Decodes one ApplicationSet; or everything that is wrong with it.
pub(in crate::app) fn decode(
    reading: Reading<'_>,
    manifest: &Json<String, Value>,
    folder: &ManifestFolder,
) -> Result<ApplicationSet, Vec<Finding>> {
    let origin = Origin { file: reading.file().clone(), line: reading.line(reading.base()) };
    let mut set = ApplicationSet {
        name: String::new(),
        namespace: String::new(),
        go_template: false,
        go_template_options: Vec::new(),
        generators: Vec::new(),
        template: Value::Null,
        template_patch: None,
        preserves_resources: false,
        rolling_sync: None,
        wave: wave_of(manifest),
        policy: SetPolicy::default(),
        origin,
        folder: folder.clone(),
        findings: Vec::new(),
    };
    let mut fields = Fields::new(&reading, manifest);
    fields.know(&["apiVersion", "kind", "status"]);
    if let Some(mut metadata) = fields.required_fields("metadata") {
        set.name = metadata.required_text("name");
        set.namespace = metadata.text("namespace");
    }
    if let Some(spec) = fields.required_fields("spec") {
        specification(spec, &mut set);
    }
    fields.finish();
    reading.report_repeated_fields();
    let has_error = reading.has_error();
    let findings = reading.into_findings();
    if has_error {
        return Err(findings);
    }
    debug_assert!(findings.iter().all(|finding| finding.severity == Severity::Warning), "errors end the reading");
    set.findings = findings;
    Ok(set)
}

/// Reports the fields of a generator that Argo CD does not know, those of nested generators and forges included.
fn known_generator(mut generator: Fields<'_>, depth: usize) {
    let known: Vec<&'static str> = super::GENERATORS.iter().map(|generator| generator.name).collect();
    generator.know(&known);
    generator.know(&["selector"]);
    for Generator { name, fields } in &super::GENERATORS {
        let Some(mut options) = generator.fields(name) else { continue };
        options.know(fields);
        options.know(&["template", "values"]);
        if matches!(*name, "matrix" | "merge") && depth < 3 {
            options.list("generators").into_iter().for_each(|nested| known_generator(nested, depth + 1));
        }
        for (field, nested) in nested_fields(name) {
            if let Some(mut own) = options.fields(field) {
                own.know(nested);
                own.finish();
            }
        }
        options.finish();
    }
    generator.finish();
}

fn specification(mut spec: Fields<'_>, set: &mut ApplicationSet) {
    set.go_template = spec.flag("goTemplate");
    set.go_template_options = spec.texts("goTemplateOptions");
    set.template_patch = spec.non_empty_text("templatePatch");
    for generator in spec.list("generators") {
        known_generator(generator, 0);
    }
    let raw = spec.copied(&["generators", "template", "strategy"]);
    set.generators = raw.get("generators").and_then(Value::as_array).cloned().unwrap_or_default();
    set.rolling_sync = raw.get("strategy").and_then(RollingSync::of);
    set.template = raw.get("template").cloned().unwrap_or_default();
    if let Some(mut template) = spec.required_fields("template") {
        template.know(&["metadata", "spec"]);
        template.finish();
    }
    let mut sync_policy = spec.fields("syncPolicy");
    set.policy = set_policy::decode(&mut spec, sync_policy.as_mut());
    if let Some(mut policy) = sync_policy {
        set.preserves_resources = policy.flag("preserveResourcesOnDeletion");
        policy.finish();
    }
    spec.know(&["applyNestedSelectors"]);
    if set.generators.is_empty() && !spec.has_fault("generators") {
        spec.fault(&Fault::Missing { path: spec.shown(), field: "generators".to_owned() });
    }
    spec.finish();
}
