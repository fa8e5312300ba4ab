//! The result of a generator: sets of parameters, or why there are none.

use serde_json::Value as Json;

use super::super::facts::Need;
use super::super::fault::Fault;
use super::super::params::{ParamSet, Params, size};
use crate::gotemplate::Value;

/// The result of one generator.
pub(in crate::app::appset) struct Found {
    /// Where it stands, such as `generators[0].list`.
    pub(in crate::app::appset) place: String,
    /// Its own template, which counts before the ApplicationSet's.
    pub(in crate::app::appset) template: Json,
    pub(in crate::app::appset) sets: Vec<ParamSet>,
}

/// Why there are no parameters.
pub(in crate::app::appset) enum Answer {
    Needs(Vec<Need>),
    Failed(Fault),
}

impl From<Vec<Need>> for Answer {
    fn from(needs: Vec<Need>) -> Self {
        Self::Needs(needs)
    }
}

pub(super) type Result<T> = std::result::Result<T, Answer>;

pub(super) fn failed<T>(place: &str, cause: impl Into<String>) -> Result<T> {
    Err(Answer::Failed(Fault::Generator { place: place.to_owned(), cause: cause.into() }))
}

/// How many sets of parameters a generator may have.
const MAX_SETS: usize = 50_000;

/// How many bytes the parameters of a generator may take.
const MAX_BYTES: usize = 32 << 20;

/// Refuses more sets than anybody wants Applications.
pub(super) fn check_count(count: usize, place: &str) -> Result<()> {
    if count <= MAX_SETS {
        return Ok(());
    }
    failed(place, format!("it generates more than {MAX_SETS} sets of parameters, which is the limit"))
}

pub(super) fn check_size(sets: &[ParamSet], place: &str) -> Result<()> {
    let bytes: usize = sets.iter().map(|set| size(&Value::Map(set.params.clone()))).sum();
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    failed(place, format!("its parameters take {} MiB, more than the limit of {} MiB", bytes >> 20, MAX_BYTES >> 20))
}

/// The one generator that a matrix or merge has in a place.
pub(super) fn only(found: Vec<Found>, place: &str) -> Result<Vec<ParamSet>> {
    match <[Found; 1]>::try_from(found) {
        Ok([found]) => Ok(found.sets),
        Err(_) => failed(place, "found more than one generator"),
    }
}

/// Generates the parameters of a generator inside of another one; the parameters are those of the generator before it.
pub(super) type Nested<'n> = &'n dyn Fn(&Json, &str, Option<&Params>) -> Result<Vec<Found>>;
