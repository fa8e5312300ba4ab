//! How a team's tests of its own scripts went.
//!
//! In: each [`TestedCase`]. Out: text: every failure with what was expected and what came; each that passed, too.

use crate::report::View;
pub use crate::report::health::tested_case::TestedCase;
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::status::health::suite::{CaseOutcome, CaseVerdict};

/// A line for each case, and the counts.
pub fn write(cases: &[TestedCase], verbose: bool, view: &View) -> String {
    let mut page = Page::new(view.color);
    for case in cases {
        let name = format!("{}  {}", case.suite, case.input);
        match &case.outcome {
            CaseOutcome::Passed => {
                page.write(Role::Good, "pass").write(Role::Plain, "  ").write(Role::Plain, name);
                if verbose {
                    page.write(Role::Plain, "  ").write(Role::Hint, shown(&case.expected));
                }
                page.end();
            }
            CaseOutcome::Broken(why) => {
                page.write(Role::Bad, "FAIL").write(Role::Plain, "  ").write(Role::Plain, name).end();
                page.write(Role::Plain, "      ").write(Role::Bad, why).end();
            }
            CaseOutcome::Differs(found) => {
                page.write(Role::Bad, "FAIL").write(Role::Plain, "  ").write(Role::Plain, name).end();
                difference(&mut page, "status", &case.expected.status, &found.status);
                difference(&mut page, "message", &case.expected.message, &found.message);
            }
        }
    }
    let failed = cases.iter().filter(|case| case.outcome != CaseOutcome::Passed).count();
    let passed = cases.len() - failed;
    let mut counts = vec![(Role::Good, format!("{passed} passed"))];
    if failed > 0 {
        counts.push((Role::Bad, format!("{failed} failed")));
    }
    page.list(&counts, ", ").end();
    page.finish()
}

fn shown(verdict: &CaseVerdict) -> String {
    match (verdict.status.as_str(), verdict.message.as_str()) {
        ("", "") => "nothing".to_owned(),
        (status, "") => status.to_owned(),
        (status, message) => format!("{status}: {message}"),
    }
}

fn difference(page: &mut Page, field: &str, expected: &str, found: &str) {
    let shown = |text: &str| if text.is_empty() { "(empty)".to_owned() } else { text.to_owned() };
    if expected != found {
        let (expected, found) = (shown(expected), shown(found));
        page.write(Role::Plain, format!("      {field:<8}")).write(Role::Cluster, format!("- {expected}")).end();
        page.write(Role::Plain, " ".repeat(14)).write(Role::Git, format!("+ {found}")).end();
    }
}
