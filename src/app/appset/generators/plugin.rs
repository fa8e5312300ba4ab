//! `plugin`: sets of parameters that a service of the team answers with.
//!
//! Rule: Argo CD applicationset/generators/plugin.go: a ConfigMap has `baseUrl`, `token` (`$key` of `argocd-secret`, or
//! `$secret:key`) and `requestTimeout`.

use serde_json::{Value as Json, json};

use super::super::World;
use super::super::params::{Params, params_of};
use super::super::question::{PluginQuestion, Question, SecretKey, ServiceAnswer};
use super::answer::{Result, failed};
use super::service::{self, ServiceKind};
use super::values::add_values;
use crate::gotemplate::{Text, Value};

/// How long a plugin may take when its ConfigMap does not say.
const DEFAULT_TIMEOUT: u64 = 30;

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let input = options.pointer("/input/parameters").cloned().unwrap_or_else(|| json!({}));
    let question = || question(options, &input, place, world).map(Question::Plugin);
    let ServiceAnswer::Parameters(found) = service::ask(ServiceKind::Plugin, options, place, world, question)? else {
        return failed(place, "the answer has no parameters");
    };
    found.iter().map(|set| of_set(set, &input, options, place, world)).collect()
}

fn question(options: &Json, input: &Json, place: &str, world: &World<'_>) -> Result<PluginQuestion> {
    let name = options.pointer("/configMapRef/name").and_then(Json::as_str).unwrap_or_default();
    let map = service::config_map(name, place, world)?;
    let field = |key: &str| map.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let Some(base_url) = field("baseUrl") else {
        return failed(place, format!("baseUrl not found in ConfigMap `{name}`"));
    };
    let Some(token) = field("token") else { return failed(place, format!("token not found in ConfigMap `{name}`")) };
    let Some(reference) = token.strip_prefix('$') else {
        return failed(place, format!("`token` in ConfigMap `{name}` does not reference a key of a Secret with `$`"));
    };
    let (secret, key) = reference.split_once(':').unwrap_or(("argocd-secret", reference));
    let timeout = field("requestTimeout").map(str::parse).transpose();
    let timeout = timeout.or_else(|_error| {
        failed(place, format!("`requestTimeout` in ConfigMap `{name}` is not a number of seconds"))
    })?;
    Ok(PluginQuestion {
        base_url: base_url.to_owned(),
        token: SecretKey {
            namespace: world.argocd_namespace().to_owned(),
            secret: secret.to_owned(),
            key: key.to_owned(),
        },
        timeout_seconds: timeout.filter(|seconds| *seconds > 0).unwrap_or(DEFAULT_TIMEOUT),
        body: json!({ "applicationSetName": world.set.name, "input": { "parameters": input } }).to_string(),
    })
}

/// `generator` and `values` are reserved: what the plugin says under these names is replaced.
fn of_set(set: &Json, input: &Json, options: &Json, place: &str, world: &World<'_>) -> Result<Params> {
    let Some(params) = params_of(set, world.language.is_go()) else {
        return failed(place, "the plugin's `output.parameters` holds what is not a map");
    };
    params.insert(Text::from("generator"), Value::from_json(&json!({ "input": { "parameters": input } })));
    add_values(options, &params, place, world.language)?;
    Ok(params)
}
