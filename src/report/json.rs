//! The report for scripts, as JSON.
//!
//! Rule: docs/design.md, "The JSON contract".

use std::fmt::Write;

use serde::Serialize;

use super::View;
use super::drift_report::DriftReport;
use super::visible::is_hidden;
use crate::fleet::Run;

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
