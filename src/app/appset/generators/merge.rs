//! `merge`: the first generator's sets, each with the values of the others' sets that have the same keys.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::World;
use super::super::params::{ParamSet, Params, printed};
use super::answer::{Answer, Nested, Result, failed, only};
use crate::gotemplate::{Map, Type, Value};

pub(super) fn params(options: &Json, place: &str, world: &World<'_>, nested: Nested<'_>) -> Result<Vec<ParamSet>> {
    let generators = options.get("generators").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    if generators.len() < 2 {
        return failed(place, "found less than two generators, Merge requires two or more");
    }
    let keys: Vec<&str> =
        options.get("mergeKeys").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    if keys.is_empty() {
        return failed(place, "no merge keys were specified, Merge requires at least one");
    }
    let mut sets = Vec::new();
    let mut needs = Vec::new();
    for (index, generator) in generators.iter().enumerate() {
        let inner = format!("{place}.generators[{index}]");
        match nested(generator, &inner, None) {
            Ok(found) => sets.push(only(found, place)?),
            Err(Answer::Needs(more)) => needs.extend(more),
            Err(answer) => return Err(answer),
        }
    }
    if !needs.is_empty() {
        return Err(needs.into());
    }
    let mut others = sets.into_iter();
    let base = others.next().unwrap_or_default();
    by_key(&base, &keys, place)?;
    let mut merged: Vec<ParamSet> = base.iter().map(ParamSet::copied).collect();
    for set in others {
        let by_key = by_key(&set, &keys, place)?;
        for base in &mut merged {
            if let Some(over) = by_key.get(&key_of(&base.params, &keys)) {
                let params = overridden(&base.params, &over.params, place, world)?;
                *base = ParamSet::combined(params, over, base);
            }
        }
    }
    Ok(merged)
}

fn key_of(params: &Params, keys: &[&str]) -> String {
    let values: Vec<(String, Json)> = keys
        .iter()
        .map(|key| {
            let value = params.get(key.as_bytes()).and_then(|value| value.to_json().ok());
            ((*key).to_owned(), value.unwrap_or_default())
        })
        .collect();
    Json::Object(values.into_iter().collect()).to_string()
}

fn by_key<'p>(set: &'p [ParamSet], keys: &[&str], place: &str) -> Result<BTreeMap<String, &'p ParamSet>> {
    let mut found = BTreeMap::new();
    for params in set {
        let key = key_of(&params.params, keys);
        if found.insert(key.clone(), params).is_some() {
            return failed(
                place,
                format!(
                    "the parameters from a generator were not unique by the given mergeKeys, Merge requires all param \
                     sets to be unique. Duplicate key was {key}"
                ),
            );
        }
    }
    Ok(found)
}

fn overridden(base: &Params, over: &Params, place: &str, world: &World<'_>) -> Result<Params> {
    if world.language.is_go() {
        override_in(base, over, place)?;
        return Ok(base.clone());
    }
    let texts = Map::new();
    for (key, value) in base.entries().into_iter().chain(over.entries()) {
        texts.insert(key, Value::text(printed(&value)));
    }
    Ok(texts)
}

/// Values of the second over those of the first; maps are merged.
///
/// Rule: `mergo.Merge` with `WithOverride`, for which an empty value in a map is one, too.
pub(super) fn override_in(base: &Params, over: &Params, place: &str) -> Result<()> {
    for (key, value) in over.entries() {
        match (base.get(key.bytes()), &value) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let (old_type, new_type) = (old.element(), new.element());
                if old_type != new_type && *old_type != Type::Interface && !new.is_empty() {
                    // Argo CD itself crashes here.
                    let name = key.lossy();
                    return failed(
                        place,
                        format!("`{name}` is a map of {old_type} in one generator and of {new_type} in another"),
                    );
                }
                override_in(&old, new, place)?;
            }
            _ => base.insert(key, value),
        }
    }
    Ok(())
}
