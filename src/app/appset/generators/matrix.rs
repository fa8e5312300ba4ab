//! `matrix`: each set of the first generator with each of the second, which sees the first one's parameters.

use serde_json::Value as Json;

use super::super::World;
use super::super::params::{ParamSet, Params, copied, printed};
use super::answer::{Answer, Nested, Result, check_count, failed, only};
use super::merge::override_in;
use crate::gotemplate::{Map, Value};

pub(super) fn params(options: &Json, place: &str, world: &World<'_>, nested: Nested<'_>) -> Result<Vec<ParamSet>> {
    let generators = options.get("generators").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let [first, second] = generators else {
        let count = generators.len();
        return failed(place, format!("a matrix has two generators, this one has {count}"));
    };
    let inner = |index: usize| format!("{place}.generators[{index}]");
    let outer = only(nested(first, &inner(0), None)?, place)?;
    let mut combined = Vec::new();
    let mut needs = Vec::new();
    for set in &outer {
        match nested(second, &inner(1), Some(&set.params)) {
            Ok(found) => {
                for own in only(found, place)? {
                    let params = combine(&set.params, &own.params, place, world)?;
                    combined.push(ParamSet::combined(params, set, &own));
                }
                check_count(combined.len(), place)?;
            }
            // All that the second generator needs is asked for at once.
            Err(Answer::Needs(more)) => needs.extend(more),
            Err(answer) => return Err(answer),
        }
    }
    if needs.is_empty() { Ok(combined) } else { Err(needs.into()) }
}

/// With Go templates the first generator's value counts, be it empty or not; without them two different values are an error.
fn combine(first: &Params, second: &Params, place: &str, world: &World<'_>) -> Result<Params> {
    if world.language.is_go() {
        let combined = copied(second);
        override_in(&combined, &copied(first), place)?;
        return Ok(combined);
    }
    let combined = Map::new();
    for (key, value) in first.entries() {
        combined.insert(key, Value::text(printed(&value)));
    }
    for (key, value) in second.entries() {
        let value = printed(&value);
        match combined.get(key.bytes()).map(|old| printed(&old)) {
            Some(old) if old != value => {
                let key = key.lossy();
                return failed(place, format!("found duplicate key {key} with different value, a: {old} ,b: {value}"));
            }
            _ => combined.insert(key, Value::text(value)),
        }
    }
    Ok(combined)
}
