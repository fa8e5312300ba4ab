//! The report for scripts, as YAML: the same value as JSON.

use super::View;
use super::drift_report::DriftReport;
use crate::fleet::Run;
use crate::object::yaml;

/// The run as a `DriftReport` in YAML.
pub(super) fn write(run: &Run, view: &View) -> String {
    // A value with text keys cannot fail to become JSON.
    let value = serde_json::to_value(DriftReport::of(run, view)).unwrap_or_default();
    yaml::write(&value)
}
