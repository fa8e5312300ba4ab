//! `spec.strategy.rollingSync` of an ApplicationSet: the steps in which its Applications are synced.
//!
//! In: the strategy, and the labels of an Application. Out: its step, with how many of the step are updated at once.
//!
//! Rules: Argo CD applicationset/controllers `buildAppDependencyList` (the first step that matches counts; a key that is not
//! there fits `NotIn`), `getAppStep`; k8s.io/apimachinery intstr `GetScaledValueFromIntOrPercent` for `maxUpdate`.

use serde_json::{Map, Value};

/// How many Applications of a step are updated at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MaxUpdate {
    /// All of them.
    #[default]
    All,
    /// So many; none at all with 0.
    Count(usize),
    /// So many of a hundred, and at least one, unless it is 0.
    Percent(usize),
}

impl MaxUpdate {
    fn read(value: Option<&Value>) -> Self {
        value.and_then(Self::parse).unwrap_or_default()
    }

    /// A number, or a percentage as text.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => text.strip_suffix('%')?.parse().ok().map(Self::Percent),
            number => usize::try_from(number.as_u64()?).ok().map(Self::Count),
        }
    }

    /// Of so many Applications.
    pub fn of(self, members: usize) -> usize {
        match self {
            Self::All => members,
            Self::Count(count) => count.min(members),
            Self::Percent(0) => 0,
            Self::Percent(percent) => (members.saturating_mul(percent) / 100).clamp(1, members.max(1)),
        }
    }
}

/// The step of an Application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolloutStep {
    /// Counted from 0.
    pub index: usize,
    /// How many of its Applications are updated at once.
    pub max_update: MaxUpdate,
}

/// How an Application is rolled out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RolloutPlace {
    /// Its ApplicationSet rolls nothing out, or there is none.
    #[default]
    Free,
    /// In a step.
    Step(RolloutStep),
    /// No step of its ApplicationSet matches it: it is synced by hand.
    NoStep,
}

/// The steps of an ApplicationSet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RollingSync {
    steps: Vec<(Vec<Expression>, MaxUpdate)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

impl RollingSync {
    /// The steps of a strategy; nothing where it is another one, or has none.
    pub fn of(strategy: &Value) -> Option<Self> {
        if strategy.get("type").and_then(Value::as_str) != Some("RollingSync") {
            return None;
        }
        let steps =
            strategy.pointer("/rollingSync/steps").and_then(Value::as_array).filter(|steps| !steps.is_empty())?;
        let step = |step: &Value| {
            let expressions = step.get("matchExpressions").and_then(Value::as_array);
            let expressions = expressions.into_iter().flatten().map(Expression::of).collect();
            (expressions, MaxUpdate::read(step.get("maxUpdate")))
        };
        Some(Self { steps: steps.iter().map(step).collect() })
    }

    /// The place of an Application with these labels.
    pub fn place_of(&self, labels: Option<&Map<String, Value>>) -> RolloutPlace {
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        let matches = |(expressions, _): &(Vec<Expression>, MaxUpdate)| {
            expressions.iter().all(|expression| expression.matches(label(&expression.key)))
        };
        match self.steps.iter().position(matches) {
            Some(index) => RolloutPlace::Step(RolloutStep { index, max_update: self.steps[index].1 }),
            None => RolloutPlace::NoStep,
        }
    }
}

impl Expression {
    fn of(value: &Value) -> Self {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let values = value.get("values").and_then(Value::as_array).into_iter().flatten();
        let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
        Self { key: text("key"), operator: text("operator"), values }
    }

    fn matches(&self, label: Option<&str>) -> bool {
        let is_among = |label: &str| self.values.iter().any(|value| value == label);
        match self.operator.as_str() {
            "In" => label.is_some_and(is_among),
            "NotIn" => !label.is_some_and(is_among),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Argo CD's documentation, "Progressive Syncs", and its tests of `buildAppDependencyList`.
    #[test]
    fn the_first_step_that_matches_counts() {
        let rolling = RollingSync::of(&json!({"type": "RollingSync", "rollingSync": {"steps": [
            {"matchExpressions": [{"key": "env", "operator": "In", "values": ["dev"]}]},
            {"matchExpressions": [{"key": "env", "operator": "In", "values": ["qa", "dev"]}], "maxUpdate": 0},
            {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}], "maxUpdate": "10%"},
        ]}}))
        .unwrap();
        let place = |labels: Value| rolling.place_of(labels.as_object());
        let step = |index, max_update| RolloutPlace::Step(RolloutStep { index, max_update });
        assert_eq!(place(json!({"env": "dev"})), step(0, MaxUpdate::All));
        assert_eq!(place(json!({"env": "qa"})), step(1, MaxUpdate::Count(0)));
        assert_eq!(place(json!({})), step(2, MaxUpdate::Percent(10)));
        assert_eq!(place(json!({"env": "prod"})), RolloutPlace::NoStep);
        for all_at_once in [
            json!({"type": "AllAtOnce"}),
            json!({"type": "RollingSync"}),
            json!({"type": "RollingSync", "rollingSync": {"steps": []}}),
            json!({"rollingSync": {"steps": [{}]}}),
        ] {
            assert_eq!(RollingSync::of(&all_at_once), None, "{all_at_once}");
        }
    }

    #[test]
    fn a_part_is_rounded_down_and_at_least_one() {
        for (max_update, members, expected) in [
            (json!(null), 7, 7),
            (json!(2), 7, 2),
            (json!(9), 7, 7),
            (json!(0), 7, 0),
            (json!("50%"), 7, 3),
            (json!("1%"), 7, 1),
            (json!("0%"), 7, 0),
            (json!("100%"), 7, 7),
        ] {
            assert_eq!(MaxUpdate::read(Some(&max_update)).of(members), expected, "{max_update}");
        }
    }
}
