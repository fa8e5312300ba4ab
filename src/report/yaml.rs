//! The report for scripts, as YAML: the same value as JSON.

use serde::Serialize;

use super::View;
use crate::fleet::Run;
use crate::object::yaml;
use crate::report::drift::data::DriftReport;

/// The run as a `DriftReport` in YAML.
pub(super) fn write(run: &Run, view: &View) -> String {
    of(&DriftReport::of(run, view))
}

/// Any report in YAML.
pub(super) fn of(report: &impl Serialize) -> String {
    // A value with text keys cannot fail to become JSON.
    yaml::write(&serde_json::to_value(report).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::object::yaml::{Limits, WithPositions};
    use crate::report::drift::fixture::{everything, view};
    use crate::report::json;

    /// Whoever reads one format with the tool of the other.
    #[test]
    fn yaml_and_json_are_the_same_value() {
        let text = write(&everything(), &view());
        let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
        let expected: Value = serde_json::from_str(&json::write(&everything(), &view())).unwrap();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].as_ref().unwrap().value, expected);
        assert!(!text.contains(|character: char| character.is_control() && character != '\n'));
    }
}
