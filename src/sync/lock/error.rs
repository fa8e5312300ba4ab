//! Every message that the lock can give.

use std::time::Duration;

use miette::Diagnostic;

use crate::cluster::{ClusterError, Refusal};

/// Why there is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum LockError {
    /// Another run has it.
    #[error("another run has the lock: {holder}, since {since}; nothing was written")]
    #[diagnostic(
        code(trueup::sync::locked),
        help("--lock-timeout waits for it; the lock of a run that died expires {} s after its last \
             renewal", .duration.as_secs())
    )]
    Held {
        /// Who.
        holder: String,
        /// Since when (RFC 3339).
        since: String,
        /// How long it keeps the lock without a sign of life.
        duration: Duration,
    },
    /// It was lost while the work went on: another run took it over.
    #[error("the lock was lost to {holder}")]
    #[diagnostic(
        code(trueup::sync::lock_lost),
        help("the other run continues from what this one has done; check its result before you sync again")
    )]
    Lost {
        /// To whom.
        holder: String,
    },
    /// The cluster does not take it.
    #[error("Lease `{name}`, which is the lock, cannot be written")]
    #[diagnostic(
        code(trueup::sync::lock_refused),
        help("a sync needs get, create and update of leases.coordination.k8s.io in the namespace of the state")
    )]
    Refused {
        /// The Lease.
        name: String,
        /// Why, in the server's words.
        #[source]
        refusal: Refusal,
    },
    /// Nothing says where it is.
    #[error("no namespace to keep the lock in: the destination does not name one")]
    #[diagnostic(
        code(trueup::sync::no_state_namespace),
        help("set `spec.destination.namespace`, or name a namespace with --state-namespace")
    )]
    NoNamespace,
    /// The cluster does not answer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
}
