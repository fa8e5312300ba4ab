//! The components of a module: its files, and the Jsonnet that stands for them together.
//!
//! In: the module's folder below `components/`. Out: the program of `std.extVar("__ksonnet/components")`, and the module's parameters.
//!
//! Rules: ksonnet pkg/component/module.go, jsonnet.go, yaml.go, params.go; pkg/params/scripts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use serde_json::{Map, Value, json};

use super::KsonnetError;
use super::application::{first_of, read};
use crate::finding::{Code, Finding};
use crate::render::{RenderError, RenderInput, paths};

/// One module of an application.
pub(super) struct Module {
    /// `/` for the root module, else its folders joined by dots.
    name: String,
    /// Its folder, relative to the application's.
    folder: String,
    /// The name of each component, as the environment knows it, and its file.
    files: BTreeMap<String, String>,
    has_parameters: bool,
}

impl Module {
    /// Lists the module's components.
    pub(super) fn find(input: &RenderInput<'_>, name: &str) -> Result<Self, RenderError> {
        let name = if name.is_empty() || name == "." { "/" } else { name };
        let folder = match name {
            "/" => "components".to_owned(),
            name => format!("components/{}", name.replace('.', "/")),
        };
        let path = input.folder.join(&folder);
        let shown = paths::relative(input.root, &path);
        let path = paths::resolve(input.root, &path).map_err(|fault| fault.of(&shown))?;
        let unreadable = |source| RenderError::Unreadable { file: shown.clone(), source };
        let mut module = Self { name: name.to_owned(), folder, files: BTreeMap::new(), has_parameters: false };
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            module.has_parameters |= file == "params.libsonnet";
            let Some((stem, "jsonnet" | "yaml" | "json")) = file.rsplit_once('.') else { continue };
            let component = if name == "/" { stem.to_owned() } else { format!("{name}.{stem}") };
            if let Some(other) = module.files.insert(component.clone(), file.clone()) {
                return Err(KsonnetError::Twice { component, files: [other, file] }.into());
            }
        }
        Ok(module)
    }

    /// A component's file, relative to the application's folder.
    pub(super) fn file(&self, component: &str) -> Option<String> {
        self.files.get(component).map(|file| format!("{}/{file}", self.folder))
    }

    /// Whether a component is a manifest: those are patched with their parameters, the others read them.
    pub(super) fn is_yaml(&self, component: &str) -> bool {
        self.files.get(component).is_some_and(|file| !file.ends_with(".jsonnet"))
    }

    /// A component's name within this module.
    pub(super) fn local_name(&self, component: &str) -> Option<String> {
        if self.name == "/" {
            return (!component.contains('.')).then(|| component.to_owned());
        }
        component.strip_prefix(&self.name)?.strip_prefix('.').map(str::to_owned)
    }

    /// The module's parameters, its global ones in each component's, under the names that environments use.
    pub(super) fn parameters(&self) -> String {
        let prefix = if self.name == "/" { String::new() } else { format!("{}.", self.name) };
        format!(
            "local params = {}; local global = if std.objectHas(params, 'global') then params.global else {{}}; \
             {{ global: global, components: {{ [{} + name]: std.mergePatch(params.components[name], global) \
             for name in std.objectFields(params.components) }} }}",
            self.own_parameters(),
            json!(prefix),
        )
    }

    /// Gives the components in an environment's parameters the names that they have in their module.
    pub(super) fn localize(&self, parameters: &mut Value) {
        let Some(components) = parameters.get_mut("components").and_then(Value::as_object_mut) else { return };
        let all = std::mem::take(components);
        let own = all.into_iter().filter_map(|(name, value)| Some((self.local_name(&name)?, value)));
        *components = own.collect::<Map<_, _>>();
    }

    /// The components as one map: programs are imported, manifests are patched with the module's parameters.
    pub(super) fn program(&self, input: &RenderInput<'_>, warnings: &mut Vec<Finding>) -> Result<String, RenderError> {
        let mut fields = String::new();
        for (name, file) in &self.files {
            let path = format!("{}/{file}", self.folder);
            let value = if self.is_yaml(name) {
                let shown = paths::relative(input.root, &input.folder.join(&path));
                let (value, count) = first_of(&read(input, &path)?)
                    .map_err(|fault| KsonnetError::Manifest { file: shown.clone(), fault })?;
                if count > 1 {
                    warnings.push(unread(&shown, count));
                }
                format!("patched({value}, {})", json!(file.rsplit_once('.').map_or("", |(stem, _)| stem)))
            } else {
                format!("import {}", json!(path))
            };
            // Writing to a String cannot fail.
            let _ = write!(fields, "{}: {value}, ", json!(name));
        }
        Ok(format!(
            "local params = {}; local patched(target, name) = if std.objectHas(params, 'components') && \
             std.objectHas(params.components, name) then std.mergePatch(target, params.components[name]) else target; \
             {{ {fields} }}",
            self.own_parameters(),
        ))
    }

    fn own_parameters(&self) -> String {
        if self.has_parameters {
            format!("import {}", json!(format!("{}/params.libsonnet", self.folder)))
        } else {
            "{ components: {} }".to_owned()
        }
    }
}

/// Quirk: ksonnet's YAML reader stops at the end of the first document, without a word.
fn unread(file: &str, count: usize) -> Finding {
    let message = format!("`{file}` holds {count} documents, of which ksonnet reads the first alone");
    Finding::warning(Code::RenderKsonnetDocuments, message).with_help("give each a file of its own")
}
