//! Label selectors over parameters.

use serde_json::Value as Json;

/// A label selector over parameters, whose values may be any text.
pub(super) struct Selector(Vec<(String, Condition)>);

enum Condition {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Nothing when there is no selector.
    pub(super) fn of(selector: Option<&Json>) -> std::result::Result<Option<Self>, String> {
        let Some(selector) = selector.filter(|selector| !selector.is_null()) else { return Ok(None) };
        let mut requirements = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Json::as_object).into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push((key.clone(), Condition::In(vec![value])));
        }
        for expression in selector.get("matchExpressions").and_then(Json::as_array).into_iter().flatten() {
            let text = |field: &str| expression.get(field).and_then(Json::as_str).unwrap_or_default();
            let values = expression.get("values").and_then(Json::as_array).into_iter().flatten();
            let values: Vec<String> = values.filter_map(Json::as_str).map(str::to_owned).collect();
            let condition = match (text("operator"), values.is_empty()) {
                ("In" | "NotIn", true) => {
                    return Err("for 'in', 'notin' operators, values set can't be empty".to_owned());
                }
                ("Exists" | "DoesNotExist", false) => {
                    return Err("values set must be empty for exists and does not exist".to_owned());
                }
                ("In", _) => Condition::In(values),
                ("NotIn", _) => Condition::NotIn(values),
                ("Exists", _) => Condition::Exists,
                ("DoesNotExist", _) => Condition::DoesNotExist,
                (other, _) => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            requirements.push((text("key").to_owned(), condition));
        }
        Ok(Some(Self(requirements)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn matches(&self, labels: &std::collections::BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, condition)| {
            let value = labels.get(key);
            match condition {
                Condition::In(values) => value.is_some_and(|value| values.contains(value)),
                Condition::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Condition::Exists => value.is_some(),
                Condition::DoesNotExist => value.is_none(),
            }
        })
    }
}
