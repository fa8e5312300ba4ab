//! Decides the exit code of a run: the only place that does.
//!
//! Rule: docs/design.md, "Commands". An error never looks like drift, and drift never hides an error.

use std::collections::BTreeSet;

use crate::finding::{Finding, codes};
use crate::fleet::Run;
use crate::status::ResourceState;

/// Everything is in sync.
const IN_SYNC: u8 = 0;
/// Drift was found.
const DRIFT: u8 = 1;
/// The answer could not be found, or not in full.
const ERROR: u8 = 2;
/// Something does not work, or was waited for in vain.
pub(super) const UNHEALTHY: u8 = 3;
/// A policy or the account does not let it be done.
const NOT_PERMITTED: u8 = 4;
/// Another run holds the lock.
const LOCKED: u8 = 5;

/// What the user wants drift to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitRules {
    /// `--exit-zero`: drift ends with 0, for jobs that only report. Errors keep their code.
    pub exit_zero: bool,
    /// `--diff-exit-code`: the code of drift.
    pub diff_exit_code: u8,
}

impl Default for ExitRules {
    fn default() -> Self {
        Self { exit_zero: false, diff_exit_code: DRIFT }
    }
}

impl Run {
    /// The exit code of this run.
    pub fn exit_code(&self, rules: &ExitRules) -> u8 {
        let codes: BTreeSet<u8> = self.errors().map(code_of).collect();
        if codes.contains(&ERROR) || self.count(ResourceState::Unknown) > 0 {
            ERROR
        } else if codes.contains(&NOT_PERMITTED) {
            NOT_PERMITTED
        } else if codes.contains(&LOCKED) {
            LOCKED
        } else if codes.contains(&UNHEALTHY) || !self.is_well() {
            UNHEALTHY
        } else if self.has_drift() && !rules.exit_zero {
            rules.diff_exit_code
        } else {
            IN_SYNC
        }
    }
}

/// What an error makes of the exit code: 2, unless it is one of those that have a code of their own.
fn code_of(finding: &Finding) -> u8 {
    match finding.code.as_deref() {
        Some(codes::NOT_PERMITTED) => NOT_PERMITTED,
        Some(codes::LOCKED) => LOCKED,
        Some(codes::UNHEALTHY | codes::GAVE_UP | codes::TIMED_OUT) => UNHEALTHY,
        _ => ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::ApplicationHealth;
    use crate::report::fixture::{application, resource};
    use crate::status::health::HealthStatus;

    fn run(states: &[ResourceState], findings: Vec<Finding>) -> Run {
        let mut application = application("shop");
        application.resources = states.iter().map(|state| resource("web", *state)).collect();
        Run { applications: vec![application], findings, ..Run::default() }
    }

    /// Who asks for health and drift in one run: what does not work weighs more than what differs, an error more than both.
    #[test]
    fn what_does_not_work_has_a_code_of_its_own() {
        let judged = |status, state| {
            let mut run = run(&[state], vec![]);
            run.applications[0].health = Some(ApplicationHealth { status, resources: Vec::new() });
            run
        };
        let zero = ExitRules { exit_zero: true, ..ExitRules::default() };
        for (status, state, rules, expected) in [
            (HealthStatus::Healthy, ResourceState::InSync, ExitRules::default(), 0),
            (HealthStatus::Healthy, ResourceState::Changed, ExitRules::default(), 1),
            (HealthStatus::Suspended, ResourceState::InSync, ExitRules::default(), 0),
            (HealthStatus::Progressing, ResourceState::InSync, ExitRules::default(), 3),
            (HealthStatus::Missing, ResourceState::Missing, ExitRules::default(), 3),
            (HealthStatus::Degraded, ResourceState::Changed, ExitRules::default(), 3),
            (HealthStatus::Degraded, ResourceState::InSync, zero, 3),
            (HealthStatus::Unknown, ResourceState::Unknown, ExitRules::default(), 2),
        ] {
            assert_eq!(judged(status, state).exit_code(&rules), expected, "{status} {state:?}");
        }
    }

    #[test]
    fn the_exit_code_follows_the_table_of_the_design() {
        use ResourceState::{Changed, Extra, InSync, Missing, Unknown};
        let error = || vec![Finding::error("trueup::source::revision", "no such revision")];
        let warning = || vec![Finding::warning("trueup::app::field", "no such field")];
        let plain = ExitRules::default();
        let zero = ExitRules { exit_zero: true, ..plain };
        let seven = ExitRules { diff_exit_code: 7, ..plain };
        let cases: [(&str, Run, ExitRules, u8); 13] = [
            ("nothing asked for", Run::default(), plain, 0),
            ("in sync", run(&[InSync], vec![]), plain, 0),
            ("changed", run(&[InSync, Changed], vec![]), plain, 1),
            ("missing", run(&[Missing], vec![]), plain, 1),
            ("extra", run(&[Extra], vec![]), plain, 1),
            ("unknown", run(&[Unknown], vec![]), plain, 2),
            ("a warning is no error", run(&[InSync], warning()), plain, 0),
            ("an error alone", run(&[InSync], error()), plain, 2),
            ("an error wins over drift", run(&[Changed], error()), plain, 2),
            ("drift that only reports", run(&[Changed], vec![]), zero, 0),
            ("an error is never excused", run(&[Changed], error()), zero, 2),
            ("drift by another number", run(&[Changed], vec![]), seven, 7),
            ("in sync, whatever drift is called", run(&[InSync], vec![]), seven, 0),
        ];
        for (name, run, rules, expected) in cases {
            assert_eq!(run.exit_code(&rules), expected, "{name}");
        }
    }
}
