//! A checkup as text: a line a thing, what is missing with what it is for.

use std::fmt::Write;

use crate::fleet::doctor::{Check, Checkup};
use crate::report::style::escape::visible;

/// The checkup, with a final line break.
pub fn write(checkup: &Checkup) -> String {
    let mut text =
        format!("trueup {} ({}-{})\n", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, std::env::consts::OS);
    for (title, checks) in
        [("programs", &checkup.tools), ("repositories", &checkup.repositories), ("clusters", &checkup.clusters)]
    {
        if checks.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{title}");
        let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
        for check in checks {
            line(&mut text, check, width);
        }
    }
    text
}

fn line(text: &mut String, check: &Check, width: usize) {
    let name = visible(&check.name);
    let _ = match &check.result {
        Ok(found) => writeln!(text, "  {name:width$}  {}", visible(found)),
        Err(finding) => {
            let words: Vec<&str> =
                std::iter::once(finding.message.as_str()).chain(finding.causes.iter().map(String::as_str)).collect();
            let words = words.join(": ");
            let help = finding.help.as_deref().unwrap_or_default();
            writeln!(text, "  {name:width$}  × {}\n  {:width$}    {}", visible(&words), "", visible(help))
        }
    };
}
