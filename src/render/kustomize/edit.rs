//! Writes what the Application says of a kustomization into it, as `kustomize edit` would.
//!
//! In: the kustomization in a copy of its folder, `source.kustomize`. Out: the kustomization, changed. `kubectl kustomize`
//! cannot edit, and this costs no run of a program.
//!
//! Rules: Argo CD util/kustomize/kustomize.go `Build` (which edits), kustomize commands/edit/{set,add} (what each does).

use std::collections::BTreeMap;
use std::path::Path;

use globset::GlobBuilder;
use serde_json::{Map, Value, json};

use super::kustomization::Kustomization;
use super::{KustomizeError, image};
use crate::app::source::{Kustomize, KustomizePatch};
use crate::render::BuildEnvironment;

/// Whether there is anything to write.
pub(super) fn is_needed(options: &Kustomize) -> bool {
    !(options.name_prefix.is_empty()
        && options.name_suffix.is_empty()
        && options.images.is_empty()
        && options.replicas.is_empty()
        && options.common_labels.is_empty()
        && options.common_annotations.is_empty()
        && options.namespace.is_empty()
        && options.patches.is_empty()
        && options.components.is_empty())
}

/// Changes the kustomization in `folder`.
pub(super) fn apply(
    folder: &Path,
    mut kustomization: Kustomization,
    options: &Kustomize,
    environment: &BuildEnvironment,
) -> Result<(), KustomizeError> {
    let this = &mut kustomization;
    for (field, value) in
        [("namePrefix", &options.name_prefix), ("nameSuffix", &options.name_suffix), ("namespace", &options.namespace)]
    {
        if !value.is_empty() {
            this.fields.insert(field.to_owned(), json!(value));
        }
    }
    images(this, options, environment)?;
    replicas(this, options)?;
    labels(this, options, environment)?;
    annotations(this, options, environment)?;
    if !options.patches.is_empty() {
        this.list("patches")?.extend(options.patches.iter().map(patch));
    }
    components(this, options, folder)?;
    kustomization.write()
}

fn images(this: &mut Kustomization, options: &Kustomize, environment: &BuildEnvironment) -> Result<(), KustomizeError> {
    if options.images.is_empty() {
        return Ok(());
    }
    // The retired name of the field; Kustomize reads both.
    let retired = std::mem::take(this.list("imageTags")?);
    this.fields.remove("imageTags");
    let expanded: Vec<String> = options.images.iter().map(|image| environment.expand(image)).collect();
    let there = this.list("images")?;
    there.extend(retired);
    *there = image::set(there, &expanded)?;
    Ok(())
}

fn replicas(this: &mut Kustomization, options: &Kustomize) -> Result<(), KustomizeError> {
    if options.replicas.is_empty() {
        return Ok(());
    }
    let there = this.list("replicas")?;
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    let name_of = |replicas: &Value| replicas.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    by_name.extend(there.drain(..).map(|replicas| (name_of(&replicas), replicas)));
    for replicas in &options.replicas {
        by_name.insert(replicas.name.clone(), json!({"name": replicas.name, "count": replicas.count}));
    }
    *there = by_name.into_values().collect();
    Ok(())
}

fn labels(this: &mut Kustomization, options: &Kustomize, environment: &BuildEnvironment) -> Result<(), KustomizeError> {
    if options.common_labels.is_empty() {
        return Ok(());
    }
    if options.label_include_templates && !options.label_without_selector {
        return Err(KustomizeError::TemplatesWithoutSelector);
    }
    let expanded = options.common_labels.iter().map(|(name, value)| (name.clone(), environment.expand(value)));
    let added = Added { kind: "label", force: options.force_common_labels, field: "forceCommonLabels" };
    let file = this.shown.clone();
    if !options.label_without_selector {
        return added.to(this.map("commonLabels")?, expanded, &file);
    }
    let labels = this.list("labels")?;
    let is_alike = |label: &Value| {
        let flag = |field: &str| label.get(field).and_then(Value::as_bool).unwrap_or_default();
        !flag("includeSelectors") && flag("includeTemplates") == options.label_include_templates
    };
    let position = labels.iter().position(is_alike).unwrap_or_else(|| {
        labels.push(json!({"pairs": {}, "includeTemplates": options.label_include_templates}));
        labels.len() - 1
    });
    let unlike = KustomizeError::Unlike { file: file.clone(), field: "labels", expected: "list of maps" };
    let pairs = labels[position].as_object_mut().map(|label| label.entry("pairs").or_insert_with(|| json!({})));
    let pairs = pairs.and_then(Value::as_object_mut).ok_or(unlike)?;
    added.to(pairs, expanded, &file)
}

fn annotations(
    this: &mut Kustomization,
    options: &Kustomize,
    environment: &BuildEnvironment,
) -> Result<(), KustomizeError> {
    if options.common_annotations.is_empty() {
        return Ok(());
    }
    let expanded = options.common_annotations.iter().map(|(name, value)| {
        let value = if options.common_annotations_envsubst { environment.expand(value) } else { value.clone() };
        (name.clone(), value)
    });
    let added = Added { kind: "annotation", force: options.force_common_annotations, field: "forceCommonAnnotations" };
    let file = this.shown.clone();
    added.to(this.map("commonAnnotations")?, expanded, &file)
}

/// Labels or annotations that are added.
struct Added {
    kind: &'static str,
    force: bool,
    field: &'static str,
}

impl Added {
    fn to(
        &self,
        map: &mut Map<String, Value>,
        pairs: impl Iterator<Item = (String, String)>,
        file: &str,
    ) -> Result<(), KustomizeError> {
        for (name, value) in pairs {
            if map.contains_key(&name) && !self.force {
                let (kind, force) = (self.kind, self.field);
                return Err(KustomizeError::Already { file: file.to_owned(), kind, name, force });
            }
            // Quirk: `kustomize edit add` takes off the quotes that people write for their shell.
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(&value);
            map.insert(name, json!(bare));
        }
        Ok(())
    }
}

/// A patch with the fields that are not empty, as Argo CD writes it.
fn patch(patch: &KustomizePatch) -> Value {
    let mut fields = texts([("path", &patch.path), ("patch", &patch.patch)]);
    if let Some(target) = &patch.target {
        let target = texts([
            ("group", &target.group),
            ("version", &target.version),
            ("kind", &target.kind),
            ("name", &target.name),
            ("namespace", &target.namespace),
            ("labelSelector", &target.label_selector),
            ("annotationSelector", &target.annotation_selector),
        ]);
        fields.insert("target".to_owned(), Value::Object(target));
    }
    if !patch.options.is_empty() {
        fields.insert("options".to_owned(), json!(patch.options));
    }
    Value::Object(fields)
}

fn texts<const N: usize>(fields: [(&str, &String); N]) -> Map<String, Value> {
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(field, value)| (field.to_owned(), json!(value))).collect()
}

fn components(this: &mut Kustomization, options: &Kustomize, folder: &Path) -> Result<(), KustomizeError> {
    for component in &options.components {
        // Quirk: what is fetched, and a pattern, is as missing as what is not there.
        if options.ignore_missing_components && !folder.join(component).exists() {
            continue;
        }
        let found = matching(folder, component);
        let is_remote = component.contains("://") || component.contains("?ref=");
        if found.is_empty() && !is_remote {
            return Err(KustomizeError::NoComponent { component: component.clone() });
        }
        let there = this.list("components")?;
        for component in if found.is_empty() { vec![component.clone()] } else { found } {
            if !there.iter().any(|known| *known == component) {
                there.push(json!(component));
            }
        }
    }
    Ok(())
}

/// The folders that a component names; Kustomize takes a pattern whose stars stand in the last part of the path.
fn matching(folder: &Path, component: &str) -> Vec<String> {
    if folder.join(component).exists() {
        return vec![component.to_owned()];
    }
    let (above, last) = component.rsplit_once('/').unwrap_or((".", component));
    let glob = GlobBuilder::new(last).literal_separator(true).build().map(|glob| glob.compile_matcher());
    let (Ok(glob), true, Ok(entries)) = (glob, last.contains(['*', '?', '[']), folder.join(above).read_dir()) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<String> = names
        .filter(|name| glob.is_match(name))
        .map(|name| if above == "." { name } else { format!("{above}/{name}") })
        .collect();
    found.sort();
    found
}
