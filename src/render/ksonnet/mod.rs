//! Renders an environment of a ksonnet application. ksonnet itself is retired; its applications are still there.
//!
//! In: the folder with `app.yaml`, and the environment and parameters that the source asks for. Out: the objects that `ks show` gave.
//!
//! ```text
//! components/params.libsonnet ─► module parameters ─► environments/<env>/params.libsonnet ─► parameters, and those of the source
//!                                                                                             │
//! components/*.jsonnet, *.yaml, *.json ──────────────► environments/<env>/main.jsonnet ◄──────┘ ─► a map of components ─► objects
//! ```
//!
//! Rules: ksonnet 0.13 pkg/pipeline/pipeline.go `moduleObjects`, pkg/env/env.go `Evaluate`, pkg/component/module.go; Argo CD before 2.4,
//! util/ksonnet: `ks param set` for each parameter, then `ks show`.

mod application;
mod components;
mod error;
mod labels;

pub(super) use application::is_application;
pub use error::KsonnetError;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::application::Environment;
use self::components::Module;
use super::{RenderError, RenderInput, directory, jsonnet, paths};
use crate::app::source::KsonnetParameter;
use crate::finding::Finding;
use crate::object::Origin;
use crate::render::Target;

/// Environments import the root module's parameters by a path where they mean those of the module being rendered.
///
/// Rule: ksonnet pkg/pipeline/pipeline.go `upgradeParams`.
const RELATIVE_PARAMETERS: &str = "import \"../../components/params.libsonnet\"";

/// The files of the library that `ks` generates for a version of Kubernetes.
///
/// Rule: ksonnet pkg/lib/lib.go `GenerateLibData`; pkg/appinit/init.go writes a `.gitignore` that leaves them out.
const GENERATED: [&str; 2] = ["k.libsonnet", "k8s.libsonnet"];

/// Renders the environment that the source names.
pub(super) fn render(input: &RenderInput<'_>) -> Result<Target, RenderError> {
    let environment = application::environment(input)?;
    let mut target = Target::default();
    for module in environment.modules() {
        let module = Module::find(input, &module)?;
        let parameters = parameters(input, &environment, &module)?;
        let components = evaluated(input, &environment, &module, &parameters, &mut target.warnings)?;
        for (name, mut value) in components {
            labels::label(&mut value, &name);
            let value = if module.is_yaml(&name) { patched(value, parameters["components"].get(&name)) } else { value };
            let file = module.file(&name).unwrap_or_else(|| format!("environments/{}/main.jsonnet", environment.path));
            let file = paths::relative(input.root, &input.folder.join(file));
            let origin = Origin { file: Arc::from(file.as_str()), line: 1 };
            for object in jsonnet::objects(value, &file)? {
                target.objects.append(&mut directory::unfold(object, &origin, "")?);
            }
        }
    }
    Ok(target)
}

/// The parameters of a module in an environment, with those of the source over them.
fn parameters(input: &RenderInput<'_>, environment: &Environment, module: &Module) -> Result<Value, RenderError> {
    let name = format!("environments/{}/params.libsonnet", environment.path);
    let text = String::from_utf8_lossy(&application::read(input, &name)?)
        .replace(RELATIVE_PARAMETERS, "std.extVar(\"__ksonnet/params\")");
    let path = input.folder.join(&name);
    let mut request = request(input, environment);
    request.external_variables.push(code("__ksonnet/params", module.parameters()));
    request.programs.push(jsonnet::JsonnetProgram::Text {
        name: paths::relative(input.root, &path),
        text,
        folder: path.parent().unwrap_or(input.folder).to_path_buf(),
    });
    let mut parameters = jsonnet::evaluate(&request, input)?.pop().unwrap_or_default();
    module.localize(&mut parameters);
    for parameter in input.source.ksonnet.iter().flat_map(|ksonnet| &ksonnet.parameters) {
        set(&mut parameters, parameter, module);
    }
    Ok(parameters)
}

/// The components of a module as the environment has them.
fn evaluated(
    input: &RenderInput<'_>,
    environment: &Environment,
    module: &Module,
    parameters: &Value,
    warnings: &mut Vec<Finding>,
) -> Result<Map<String, Value>, RenderError> {
    let main = input.folder.join(format!("environments/{}/main.jsonnet", environment.path));
    let shown = paths::relative(input.root, &main);
    let main = paths::resolve(input.root, &main).map_err(|fault| fault.of(&shown))?;
    let mut request = request(input, environment);
    request.external_variables.push(code("__ksonnet/params", parameters.to_string()));
    request.external_variables.push(code("__ksonnet/components", module.program(input, warnings)?));
    request.programs.push(jsonnet::JsonnetProgram::File(main));
    match jsonnet::evaluate(&request, input)?.pop() {
        Some(Value::Object(components)) => Ok(components),
        _ => Err(KsonnetError::Main { file: shown }.into()),
    }
}

/// Rule: ksonnet pkg/env/env.go `evaluateMain`; go-jsonnet looks into the last folder first.
fn request(input: &RenderInput<'_>, environment: &Environment) -> jsonnet::EvaluationRequest {
    let environments = PathBuf::from("environments").join(&environment.path);
    let library = PathBuf::from("lib").join("ksonnet-lib").join(&environment.k8s_version);
    let folders = [
        PathBuf::new(),
        PathBuf::from("environments"),
        environments.join(".metadata"),
        environments,
        PathBuf::from("vendor"),
        PathBuf::from("lib"),
        PathBuf::from("lib").join(&environment.k8s_version),
        library.clone(),
        PathBuf::from("components"),
    ];
    let packages = environment.packages().map(|(name, folder)| jsonnet::Package {
        name: name.to_owned(),
        folder: input.folder.join("vendor").join(folder),
    });
    jsonnet::EvaluationRequest {
        root: input.root.to_path_buf(),
        search: folders.iter().map(|folder| input.folder.join(folder)).collect(),
        packages: packages.collect(),
        generated: Some(jsonnet::Generated {
            files: GENERATED.map(str::to_owned).to_vec(),
            folder: paths::relative(input.root, &input.folder.join(&library)),
        }),
        natives: true,
        external_variables: vec![code("__ksonnet/environments", environment.destination().to_string())],
        ..jsonnet::EvaluationRequest::default()
    }
}

fn code(name: &str, value: String) -> jsonnet::Variable {
    jsonnet::Variable { name: name.to_owned(), value, is_code: true }
}

/// Sets one parameter, as `ks param set` does: a dot in its name goes one map deeper, and its value is JSON where it can be.
fn set(parameters: &mut Value, parameter: &KsonnetParameter, module: &Module) {
    let value = serde_json::from_str(&parameter.value).unwrap_or_else(|_text| json!(parameter.value));
    let patch = parameter.name.rsplit('.').fold(value, |value, name| json!({ name: value }));
    let Some(components) = parameters.get_mut("components").and_then(Value::as_object_mut) else { return };
    if parameter.component.is_empty() {
        components.values_mut().for_each(|component| *component = patched(component.take(), Some(&patch)));
    } else if let Some(name) = module.local_name(&parameter.component) {
        let component = components.entry(name).or_insert_with(|| json!({}));
        *component = patched(component.take(), Some(&patch));
    }
}

/// A JSON merge patch (RFC 7396), where there is one.
fn patched(target: Value, patch: Option<&Value>) -> Value {
    let Some(patch) = patch else { return target };
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut fields = match target {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            let field = fields.remove(name).unwrap_or_default();
            fields.insert(name.clone(), patched(field, Some(value)));
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of RFC 7396, appendix A.
    #[test]
    fn patches_merge_as_the_rfc_has_it() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(patched(target.clone(), Some(&patch)), expected, "{target} {patch}");
        }
    }
}
