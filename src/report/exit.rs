//! Decides the exit code of a run: the only place that does.
//!
//! Rule: README.md, "Exit codes". An error never looks like drift, and drift never hides an error.

use crate::finding::ExitClass;
use crate::finding::{Finding, Severity};
use crate::fleet::commands::doctor::Checkup;
use crate::fleet::{Ending, Run};
use crate::report::health::judged::{Judged, status};
use crate::report::health::tested_case::TestedCase;
use crate::status::ResourceState;
use crate::status::health::HealthStatus;
use crate::status::health::suite::CaseOutcome;

/// How a run ended, for scripts. Of several that apply the report keeps the first in this order: error, forbidden, locked,
/// unhealthy, drift, in sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// Everything is in sync, or done.
    InSync,
    /// Something is changed, missing or extra.
    Drift,
    /// No complete answer: bad input, git, rendering or a cluster failed.
    Error,
    /// Something is unhealthy, or a wait timed out.
    Unhealthy,
    /// The account lacks a permission, or the Application's policy forbids it.
    Forbidden,
    /// Another run holds the lock.
    Locked,
}

impl ExitStatus {
    /// Every status, in the order of their codes.
    pub const ALL: [Self; 6] = [Self::InSync, Self::Drift, Self::Error, Self::Unhealthy, Self::Forbidden, Self::Locked];

    /// The exit code; that of drift unless `--diff-exit-code` or `--exit-zero` says otherwise.
    pub const fn code(self) -> u8 {
        match self {
            Self::InSync => 0,
            Self::Drift => 1,
            Self::Error => 2,
            Self::Unhealthy => 3,
            Self::Forbidden => 4,
            Self::Locked => 5,
        }
    }

    /// The meaning in one line, for help, README and reports.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::InSync => "everything is in sync, or done",
            Self::Drift => "drift: something is changed, missing or extra",
            Self::Error => "error: no complete answer (bad input, git, rendering or cluster failure)",
            Self::Unhealthy => "unhealthy, or a wait timed out",
            Self::Forbidden => "not permitted: missing RBAC permission, or forbidden by the Application's policy",
            Self::Locked => "another run holds the lock",
        }
    }
}

/// Which exit code drift has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitRules {
    /// `--exit-zero`: drift ends with 0, for jobs that only report. Errors keep their code.
    pub exit_zero: bool,
    /// `--diff-exit-code`: the code of drift.
    pub diff_exit_code: u8,
}

impl Default for ExitRules {
    fn default() -> Self {
        Self { exit_zero: false, diff_exit_code: ExitStatus::Drift.code() }
    }
}

impl Run {
    /// How this run ended.
    pub fn exit_status(&self) -> ExitStatus {
        let errors: Vec<ExitStatus> = self.errors().map(status_of).collect();
        if errors.contains(&ExitStatus::Error) || self.count(ResourceState::Unknown) > 0 {
            ExitStatus::Error
        } else if errors.contains(&ExitStatus::Forbidden) {
            ExitStatus::Forbidden
        } else if errors.contains(&ExitStatus::Locked) {
            ExitStatus::Locked
        } else if errors.contains(&ExitStatus::Unhealthy) || !self.is_well() {
            ExitStatus::Unhealthy
        } else if self.has_drift() {
            ExitStatus::Drift
        } else {
            ExitStatus::InSync
        }
    }

    /// The exit code of this run.
    pub fn exit_code(&self, rules: &ExitRules) -> u8 {
        match self.exit_status() {
            ExitStatus::Drift if rules.exit_zero => ExitStatus::InSync.code(),
            ExitStatus::Drift => rules.diff_exit_code,
            status => status.code(),
        }
    }
}

impl Judged<'_> {
    /// How it ended: an error comes first, then what is unhealthy or what a wait timed out on. Drift counts only for a wait that was for
    /// it.
    pub fn exit_status(&self) -> ExitStatus {
        let is_unwell = |object| status(object).is_some_and(|status| status > HealthStatus::Suspended);
        match self.ending {
            Some(Ending::Reached) => ExitStatus::InSync,
            Some(Ending::Degraded(_) | Ending::TimedOut(_)) if !self.run.has_error() => ExitStatus::Unhealthy,
            Some(Ending::Degraded(_) | Ending::TimedOut(_) | Ending::Failed) => ExitStatus::Error,
            None => match self.run.exit_status() {
                ExitStatus::InSync if self.objects.iter().any(is_unwell) => ExitStatus::Unhealthy,
                status => status,
            },
        }
    }
}

impl Checkup {
    /// How it ended: an error if a repository or a cluster that an application needs could not be reached.
    pub fn exit_status(&self) -> ExitStatus {
        if self.has_error() { ExitStatus::Error } else { ExitStatus::InSync }
    }
}

/// How a command ended that only reads, such as `history`: any error among its findings is one of the command.
pub fn exit_status_of<'finding>(findings: impl IntoIterator<Item = &'finding Finding>) -> ExitStatus {
    let is_error = findings.into_iter().any(|finding| finding.severity == Severity::Error);
    if is_error { ExitStatus::Error } else { ExitStatus::InSync }
}

/// How `health test` ended: a test that failed has the code of drift, because the scripts differ from what their tests expect.
pub fn exit_status_of_tests(cases: &[TestedCase]) -> ExitStatus {
    let is_failed = cases.iter().any(|case| case.outcome != CaseOutcome::Passed);
    if is_failed { ExitStatus::Drift } else { ExitStatus::InSync }
}

/// The exit code of an error: 2, unless it has one of its own.
fn status_of(finding: &Finding) -> ExitStatus {
    match finding.exit_class() {
        ExitClass::Error => ExitStatus::Error,
        ExitClass::Unhealthy => ExitStatus::Unhealthy,
        ExitClass::Forbidden => ExitStatus::Forbidden,
        ExitClass::Locked => ExitStatus::Locked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;
    use crate::fleet::ApplicationHealth;
    use crate::report::drift::fixture::{application, resource};
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

    /// The class travels with the finding, whoever builds it: from a code, or from a room's own error.
    #[test]
    fn an_error_with_an_exit_code_of_its_own_keeps_it() {
        for (code, expected) in [
            (Code::SyncLocked, 5),
            (Code::SyncLockLost, 5),
            (Code::SyncNotPermitted, 4),
            (Code::SyncUnhealthy, 3),
            (Code::WaitDegraded, 3),
            (Code::WaitTimeout, 3),
            (Code::SourceRevision, 2),
        ] {
            let error = Finding::error(code, "x").about("shop").with_help("y");
            let again = Finding::of(&error);
            for finding in [error, again] {
                let run = run(&[ResourceState::InSync], vec![finding]);
                assert_eq!(run.exit_code(&ExitRules::default()), expected, "{code}");
            }
        }
    }

    #[test]
    fn the_exit_code_follows_the_table_of_the_design() {
        use ResourceState::{Changed, Extra, InSync, Missing, Unknown};
        let error = || vec![Finding::error(Code::SourceRevision, "no such revision")];
        let warning = || vec![Finding::warning(Code::AppUnknownField, "no such field")];
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
