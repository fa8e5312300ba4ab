//! The report for scripts, as JSON.
//!
//! Rule: docs/design.md, "The JSON contract".

use std::fmt::Write;

use serde::Serialize;

use super::View;
use crate::fleet::Run;
use crate::report::drift::data::DriftReport;
use crate::report::style::escape::is_hidden;

/// The run as a `DriftReport` in JSON, indented, with a final line break.
pub(super) fn write(run: &Run, view: &View) -> String {
    pretty(&DriftReport::of(run, view))
}

/// Indented JSON in which nothing can reach a terminal: what is hidden in a text is escaped, as JSON allows.
pub(super) fn pretty(value: &impl Serialize) -> String {
    // Values with text keys, and writing to memory: neither can fail.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut escaped = String::with_capacity(text.len() + 1);
    let mut units = [0; 2];
    for character in text.chars() {
        if character != '\n' && is_hidden(character) {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped.push('\n');
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::drift::fixture::{everything, view};
    use crate::report::style::escape::is_hidden;

    fn report(run: &Run) -> Value {
        serde_json::from_str(&write(run, &view())).unwrap()
    }

    /// Whoever has a script that reads reports: the published schema and the report are one contract.
    #[test]
    fn every_report_is_what_the_published_schema_says() {
        let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        for run in [Run::default(), everything()] {
            let report = report(&run);
            let faults: Vec<String> =
                validator.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
            assert_eq!(faults, Vec::<String>::new());
        }
        let mut wrong = report(&everything());
        wrong["applications"][0]["resources"][1]["state"] = "drifted".into();
        assert!(!validator.is_valid(&wrong), "the schema must be able to refuse");
    }

    /// A key that the schema does not know would be a promise that nobody wrote down.
    #[test]
    fn no_key_is_printed_that_the_schema_does_not_describe() {
        let mut schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
        close(&mut schema);
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let report = report(&everything());
        let faults: Vec<String> =
            validator.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert_eq!(faults, Vec::<String>::new());
    }

    /// Makes every object of a schema refuse what it does not describe.
    fn close(schema: &mut Value) {
        if let Value::Object(map) = schema {
            if map.get("properties").is_some_and(Value::is_object) && !map.contains_key("const") {
                map.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
            for (key, value) in map.iter_mut() {
                // A conditional's parts describe only what they ask for; a finding is closed where it is used.
                if key != "if" && key != "finding" {
                    close(value);
                }
            }
        }
    }

    #[test]
    fn a_report_counts_what_it_holds() {
        let report = report(&everything());
        insta::assert_snapshot!(report["summary"], @r#"{"applications":3,"changed":4,"errors":2,"extra":1,"missing":1,"outOfSync":1,"synced":1,"unknown":1}"#);
        assert_eq!(report["exitCode"], 2);
        assert_eq!(report["applications"][0]["revision"], report["applications"][0]["sources"][0]["revision"]);
        assert_eq!(report["applications"][1].get("revision"), None);
    }

    #[test]
    fn a_changed_field_has_both_values_and_its_manager() {
        let report = report(&everything());
        let fields = &report["applications"][0]["resources"][1]["fields"];
        insta::assert_snapshot!(serde_json::to_string_pretty(&fields[0]).unwrap(), @r#"
        {
          "by": {
            "manager": "kubectl",
            "operation": "Update",
            "subresource": "scale",
            "time": "2026-03-10T10:00:00Z"
          },
          "git": 2,
          "lastSynced": 2,
          "live": 5,
          "moved": "cluster",
          "path": "/spec/replicas",
          "since": "2026-03-10T10:00:00Z"
        }
        "#);
        insta::assert_snapshot!(serde_json::to_string_pretty(&fields[1]).unwrap(), @r#"
        {
          "by": {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": "2026-03-10T11:48:00Z"
          },
          "item": {
            "name": "LOG_LEVEL"
          },
          "live": {
            "name": "LOG_LEVEL",
            "value": "debug"
          },
          "moved": "unknown",
          "path": "/spec/template/spec/containers/0/env/1"
        }
        "#);
    }

    #[test]
    fn keys_stand_in_the_order_of_the_contract() {
        let text = write(&Run::default(), &view());
        let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        insta::assert_snapshot!(text, @r#"
        {
          "apiVersion": "trueup/v1",
          "kind": "DriftReport",
          "summary": {
            "applications": 0,
            "synced": 0,
            "outOfSync": 0,
            "unknown": 0,
            "changed": 0,
            "missing": 0,
            "extra": 0,
            "errors": 0
          },
          "applications": [],
          "requests": {
            "discovery": 0,
            "list": 0,
            "get": 0,
            "dryRun": 0,
            "openapi": 0,
            "access": 0,
            "write": 0
          },
          "version": "VERSION",
          "exitCode": 0
        }
        "#);
    }

    #[test]
    fn a_report_printed_on_a_terminal_is_harmless_and_loses_nothing() {
        let run = everything();
        let text = write(&run, &view());
        assert!(!text.contains(|character| character != '\n' && is_hidden(character)));
        assert_eq!(report(&run), serde_json::to_value(DriftReport::of(&run, &view())).unwrap());
    }
}
