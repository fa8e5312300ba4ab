//! What operators write into a status, and what each word means.
//!
//! In: the type or the reason of a condition, or a phase. Out: its meaning, if it has one whoever writes it.
//!
//! Rule: docs/health.md, "Custom resources".

use super::HealthStatus;

/// The message of a condition of a type when it is true; in the order in which they are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// It has failed.
    Failure,
    /// Somebody has paused it.
    Pause,
    /// It is still being worked on.
    Work,
    /// It does not work: `NotReady`.
    Bad,
    /// All is well: the one condition that sums up all others, where there is one.
    Summary,
    /// The controller could do what is asked for; that says nothing of the thing itself.
    Sync,
    /// It works, beside a summary too.
    Key,
    /// It works, as long as no summary says more; without one, all of these have to be true.
    Whole,
    /// A part of it works.
    Part,
}

const SUMMARY: &str = "Ready";
const SYNCS: &[&str] = &["ReconcileSuccess", "Reconciled", "Synced"];
/// Conditions whose type is one of these, or ends in one.
const FAILURES: &[&str] = &[
    "Broken",
    "Degraded",
    "Error",
    "Errored",
    "Failed",
    "Failure",
    "Faulted",
    "Invalid",
    "HasErrors",
    "Stalled",
    "Terminal",
    "Unavailable",
    "Unhealthy",
];
const PAUSES: &[&str] = &["Paused", "Suspended"];
const WORK: &[&str] = &[
    "Creating",
    "Deleting",
    "Disrupting",
    "Draining",
    "InProgress",
    "Initializing",
    "Installing",
    "Pending",
    "Progressing",
    "Provisioning",
    "Reconciling",
    "Terminating",
    "Updating",
    "Upgrading",
];
/// Conditions of exactly these types.
const WHOLES: &[&str] = &[
    "Accepted",
    "Active",
    "Applied",
    "Bound",
    "Complete",
    "Completed",
    "Deployed",
    "Established",
    "Installed",
    "Programmed",
    "Valid",
];
/// Conditions of exactly these types; one whose type ends in one of them, or in [`SUMMARY`], is about a part.
const KEYS: &[&str] = &["Available", "Healthy", "Succeeded"];
/// False means that it has ended, and badly (Knative and Tekton have `Unknown` for what still runs), or that it was refused.
const ENDINGS: &[&str] = &["Succeeded", "Valid"];

/// The message of a condition of this type when it is true.
pub(super) fn meaning(kind: &str) -> Option<Meaning> {
    let ends_in = |words: &[&'static str]| words.iter().find_map(|word| kind.strip_suffix(word));
    if kind == SUMMARY {
        return Some(Meaning::Summary);
    }
    for (words, meaning) in [(SYNCS, Meaning::Sync), (KEYS, Meaning::Key), (WHOLES, Meaning::Whole)] {
        if words.contains(&kind) {
            return Some(meaning);
        }
    }
    if let Some(rest) = ends_in(KEYS).or_else(|| kind.strip_suffix(SUMMARY)) {
        return Some(if rest.ends_with("Not") { Meaning::Bad } else { Meaning::Part });
    }
    [(FAILURES, Meaning::Failure), (PAUSES, Meaning::Pause), (WORK, Meaning::Work)].into_iter().find_map(
        |(words, meaning)| {
            let rest = ends_in(words)?;
            let is_negated = rest.ends_with("Not") || rest.ends_with("No") || rest.ends_with("Non");
            (!is_negated).then_some(meaning)
        },
    )
}

/// Whether a false condition of this type says that the thing has ended, and badly.
pub(super) fn is_ending(kind: &str) -> bool {
    ENDINGS.iter().any(|ending| kind.ends_with(ending)) && !kind.ends_with("Invalid")
}

/// Whether a reason says that something went wrong: `IssuanceFailed`, `ErrImagePull`, `QuotaExceeded`.
pub(super) fn reads_as_failure(reason: &str) -> bool {
    const STARTS: [&str; 3] = ["Err", "Fail", "Invalid"];
    const ENDS: [&str; 9] =
        ["Error", "Failed", "Failure", "Invalid", "BackOff", "Denied", "Exceeded", "NotFound", "Rejected"];
    // `NoError` and `NoFailure` are good news.
    let is_negated = ["NoErr", "NoFail", "NotFailed", "NotInvalid"].iter().any(|start| reason.starts_with(start));
    !is_negated
        && (STARTS.iter().any(|start| reason.starts_with(start)) || ENDS.iter().any(|end| reason.ends_with(end)))
}

/// Whether a reason says that the work is over: Deployments and those who imitate them keep `Progressing` true then.
pub(super) fn reads_as_done(reason: &str) -> bool {
    ["Available", "Complete", "Completed", "Succeeded", "Finished"].iter().any(|ending| reason.ends_with(ending))
}

/// Whether a reason says that it is being worked on.
pub(super) fn reads_as_work(reason: &str) -> bool {
    reason.is_empty() || reason.starts_with("Waiting") || WORK.iter().any(|word| reason.contains(word))
}

/// Whether a reason says that somebody has paused it.
pub(super) fn reads_as_pause(reason: &str) -> bool {
    ["Paused", "Suspended", "Stopped", "Hibernated"].iter().any(|word| reason.ends_with(word))
}

/// Whether a field tells a state, by its name: `phase`, `transitionStatus`, `assessmentResult`.
pub(super) fn is_state(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ["phase", "state", "status", "health", "result"].iter().any(|end| field.ends_with(end))
}

/// Whether a state, of whatever part, keeps the whole from being called healthy.
pub(super) fn reads_as_doubt(written: &str) -> bool {
    let word = written.to_ascii_lowercase();
    let is_bad = ["fail", "error"].iter().any(|bad| word.contains(bad)) && !word.starts_with("no");
    is_bad || matches!(phase(written), Some(HealthStatus::Progressing | HealthStatus::Degraded))
}

/// Phases, states and colours, in lower case without separators, each with its verdict.
const PHASES: &[(HealthStatus, &[&str])] = &[
    (
        HealthStatus::Healthy,
        &[
            "active",
            "available",
            "bound",
            "complete",
            "completed",
            "deployed",
            "established",
            "green",
            "healthy",
            "installed",
            "provisioned",
            "ready",
            "succeeded",
            "synced",
        ],
    ),
    (HealthStatus::Suspended, &["hibernated", "paused", "stopped", "suspended"]),
    (
        HealthStatus::Progressing,
        &[
            "configuring",
            "creating",
            "deleting",
            "deploying",
            "initializing",
            "inprogress",
            "installing",
            "notready",
            "pending",
            "processing",
            "progressing",
            "provisioning",
            "queued",
            "reconciling",
            "restoring",
            "scaling",
            "starting",
            "terminating",
            "updating",
            "upgrading",
            "waiting",
            "yellow",
        ],
    ),
    (
        HealthStatus::Degraded,
        &[
            "aborted",
            "crashloopbackoff",
            "degraded",
            "error",
            "failed",
            "failure",
            "invalid",
            "lost",
            "partiallyfailed",
            "red",
            "rejected",
            "stalled",
            "unavailable",
            "unhealthy",
        ],
    ),
];

/// The meaning of a phase, state or colour, if it is the same for every controller.
pub(super) fn phase(written: &str) -> Option<HealthStatus> {
    let word = written.to_ascii_lowercase().replace(['_', '-', ' '], "");
    let known = PHASES.iter().find(|(_, words)| words.contains(&word.as_str()));
    known.map(|(verdict, _)| *verdict).or_else(|| {
        // A word of its own may still say plainly that it is bad: `InstallFailed`, `ReconcileError`.
        let is_bad = ["failed", "failure", "error"].iter().any(|end| word.ends_with(end)) && !word.starts_with("no");
        is_bad.then_some(HealthStatus::Degraded)
    })
}
