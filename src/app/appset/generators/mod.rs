//! Generators: one entry of `spec.generators` becomes sets of parameters.

mod answer;
mod clusters;
mod decision;
mod fields;
mod git;
mod list;
mod matrix;
mod merge;
mod plugin;
mod pull_request;
mod scm_provider;
mod selector;
mod service;
mod values;

use serde_json::Value as Json;

use super::fault::Fault;
use super::language::Language;
use super::params::{ParamSet, Params, flattened};
use super::world::World;

pub(super) use answer::{Answer, Found};
pub use fields::GENERATORS;
pub(super) use fields::{Generator, nested_fields};

use answer::{Result, check_count, check_size, failed};
use selector::Selector;

/// How deep generators are nested in `matrix` and `merge`.
const MAX_DEPTH: usize = 3;

/// The parameters of one entry; `outer` are those of a matrix's first generator.
pub(super) fn generate(entry: &Json, place: &str, outer: Option<&Params>, world: &World<'_>) -> Result<Vec<Found>> {
    generate_at(entry, place, outer, world, 0)
}

fn generate_at(
    entry: &Json,
    place: &str,
    outer: Option<&Params>,
    world: &World<'_>,
    depth: usize,
) -> Result<Vec<Found>> {
    if depth > MAX_DEPTH {
        return failed(place, "generators are nested deeper than Argo CD allows");
    }
    let selector = Selector::of(entry.get("selector")).or_else(|cause| failed(place, cause))?;
    let nested = |entry: &Json, place: &str, outer: Option<&Params>| generate_at(entry, place, outer, world, depth + 1);
    let mut found = Vec::new();
    for kind in &GENERATORS {
        let Some(options) = entry.get(kind.name).filter(|options| !options.is_null()) else { continue };
        let place = format!("{place}.{}", kind.name);
        let options = interpolated(options, outer, world.language, &place)?;
        let params = match kind.name {
            "matrix" => Err(matrix::params(&options, &place, world, &nested)?),
            "merge" => Err(merge::params(&options, &place, world, &nested)?),
            "list" => Ok(list::params(&options, &place, world)?),
            "clusters" => Ok(clusters::params(&options, &place, world)?),
            "git" => Ok(git::params(&options, &place, world)?),
            "plugin" => Ok(plugin::params(&options, &place, world)?),
            "clusterDecisionResource" => Ok(decision::params(&options, &place, world)?),
            "pullRequest" => Ok(pull_request::params(&options, &place, world)?),
            "scmProvider" => Ok(scm_provider::params(&options, &place, world)?),
            _ => return Err(Answer::Failed(Fault::Unsupported { place })),
        };
        let one = |params| ParamSet::of(params, &place, world.facts.is_explained);
        let mut sets = params.map_or_else(|sets| sets, |params| params.into_iter().map(one).collect());
        check_count(sets.len(), &place)?;
        check_size(&sets, &place)?;
        if let Some(selector) = &selector {
            sets.retain(|set| selector.matches(&flattened(&set.params)));
        }
        found.push(Found { place, template: options.get("template").cloned().unwrap_or_default(), sets });
    }
    if found.is_empty() {
        return failed(place, "it names no generator that Argo CD knows");
    }
    Ok(found)
}

/// A generator with the parameters of the one before it.
///
/// A text of its `values` that needs its own parameters, too, is rendered later. Rule: Argo CD `RenderGeneratorParams`.
fn interpolated(options: &Json, outer: Option<&Params>, language: &Language, place: &str) -> Result<Json> {
    let Some(outer) = outer.filter(|outer| !outer.is_empty()) else { return Ok(options.clone()) };
    let (mut own, values) = (options.clone(), options.get("values").and_then(Json::as_object));
    if let Some(own) = own.as_object_mut() {
        own.remove("values");
    }
    let rendered = language.render(&own, outer, place);
    let mut rendered = rendered.or_else(|(field, cause)| failed(place, format!("`{field}`: {cause}")))?;
    if let (Some(rendered), Some(values)) = (rendered.as_object_mut(), values) {
        let mut resolved = serde_json::Map::new();
        for (key, value) in values {
            let known = language.replace_known(value.as_str().unwrap_or_default(), outer);
            let known = known.or_else(|cause| failed(place, format!("`values.{key}`: {cause}")))?;
            resolved.insert(key.clone(), known.map_or_else(|| value.clone(), Json::String));
        }
        rendered.insert("values".to_owned(), Json::Object(resolved));
    }
    Ok(rendered)
}
