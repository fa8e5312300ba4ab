//! Answers of the server as failures of a step.

use super::outcome::{Failure, FailureKind};
use crate::cluster::{ClusterError, Reason, Refusal};

pub(super) fn no_answer(error: &ClusterError) -> Failure {
    let kind = match error {
        ClusterError::Forbidden { .. } | ClusterError::Unauthorized { .. } => FailureKind::NotPermitted,
        _ => FailureKind::NoAnswer,
    };
    Failure::new(kind, error.to_string())
}

pub(super) fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal.reason {
        Reason::Conflict | Reason::NoNamespace | Reason::NamespaceTerminating => FailureKind::NoAnswer,
        Reason::Forbidden => FailureKind::NotPermitted,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, in_words(refusal))
}

/// The meaning of a refusal for the user.
pub(in crate::sync) fn in_words(refusal: &Refusal) -> String {
    match refusal.reason {
        Reason::Immutable => {
            format!("it must be recreated, which needs `--force` or its sync option `Force=true`: {}", refusal.words)
        }
        _ => refusal.words.clone(),
    }
}
