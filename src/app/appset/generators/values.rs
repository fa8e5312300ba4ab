//! `values`: texts of a generator that become parameters.

use serde_json::Value as Json;

use super::super::language::Language;
use super::super::params::{Params, texts};
use super::answer::{Result, failed};
use crate::gotemplate::{Text, Value};

/// Renders `values` with the parameters, and adds them.
pub(super) fn add_values(options: &Json, params: &Params, place: &str, language: &Language) -> Result<()> {
    let Some(values) = options.get("values").and_then(Json::as_object).filter(|values| !values.is_empty()) else {
        return Ok(());
    };
    let mut rendered = std::collections::BTreeMap::new();
    for (key, value) in values {
        let value = value.as_str().unwrap_or_default();
        let value = language
            .replace(value, params)
            .or_else(|cause| failed(place, format!("failed to replace templated string: `values.{key}`: {cause}")))?;
        rendered.insert(key.clone(), value);
    }
    if language.is_go() {
        params.insert(Text::from("values"), texts(&rendered));
    } else {
        for (key, value) in rendered {
            params.insert(Text::from(format!("values.{key}")), Value::text(value));
        }
    }
    Ok(())
}
