//! Every message that the state can give.
//!
//! In: what was found in its place, or what a cluster says. Out: a [`StateError`], with which nothing is written, or a
//! [`StateFault`], with which a sync goes on and overwrites what cannot be read.

use miette::Diagnostic;

use crate::cluster::{ClusterError, Refusal};
use crate::status::compare::BaselineFault;

/// Something about the state that cannot be used; the rest of it can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum StateFault {
    /// The record of the last sync.
    #[error("the last sync's record, ConfigMap `{parent}`, {fault}")]
    #[diagnostic(
        code(trueup::sync::record),
        severity(Warning),
        help("the objects were compared without it, value by value; the next sync writes it again")
    )]
    Record {
        /// The parent.
        parent: String,
        /// The error in it.
        fault: BaselineFault,
    },
    /// One of the other things that the parent holds.
    #[error("`{key}` of ConfigMap `{parent}` cannot be read, so it counts as empty")]
    #[diagnostic(
        code(trueup::sync::unreadable_state),
        severity(Warning),
        help("it was edited by hand; correct it before the next sync, which overwrites it")
    )]
    Unreadable {
        /// The parent.
        parent: String,
        /// The key of its data.
        key: &'static str,
    },
}

/// Why the state cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum StateError {
    /// The object in its place does not belong to this application.
    #[error("ConfigMap `{namespace}/{parent}` does not belong to this application: {why}; nothing was written")]
    #[diagnostic(
        code(trueup::sync::foreign_state),
        help(
            "the application's state is kept there; rename one of the two, or keep the state elsewhere with \
             --state-namespace"
        )
    )]
    Foreign {
        /// The ConfigMap.
        parent: String,
        /// Its namespace.
        namespace: String,
        /// How that is known.
        why: String,
    },
    /// It is the record of another application of the same name.
    #[error(
        "ConfigMap `{namespace}/{parent}` is the record of a different application `{application}`: of {recorded}, not of \
         {wanted}; nothing was written"
    )]
    #[diagnostic(
        code(trueup::sync::other_application),
        help(
            "rename one of the two, or keep their records apart with --state-namespace; if it is the same application \
             and it moved, `--accept-move` takes the record over"
        )
    )]
    OtherApplication {
        /// The ConfigMap.
        parent: String,
        /// Its namespace.
        namespace: String,
        /// The application, as tracking names both.
        application: String,
        /// The source that the record belongs to.
        recorded: String,
        /// The identity in the manifest.
        wanted: String,
    },
    /// A newer trueup wrote it: what it keeps there would be lost.
    #[error("ConfigMap `{namespace}/{parent}` was written by a newer version, in form {schema}; nothing was written")]
    #[diagnostic(code(trueup::sync::newer_state), help("sync with the newer version"))]
    Newer {
        /// The ConfigMap.
        parent: String,
        /// Its namespace.
        namespace: String,
        /// The form.
        schema: u64,
    },
    /// Nothing says where it is.
    #[error("no namespace to keep the state in: the destination does not name one")]
    #[diagnostic(
        code(trueup::sync::no_state_namespace),
        help("set `spec.destination.namespace`, or name a namespace with --state-namespace")
    )]
    NoNamespace,
    /// The cluster does not take it.
    #[error("ConfigMap `{name}`, which holds the state, cannot be written")]
    #[diagnostic(
        code(trueup::sync::state_refused),
        help("a sync needs get, create and update of ConfigMaps in the namespace of the state")
    )]
    Refused {
        /// The ConfigMap.
        name: String,
        /// Why, in the server's words.
        #[source]
        refusal: Refusal,
    },
    /// Somebody changes it all the time.
    #[error("ConfigMap `{name}`, which holds the state, was changed by another client each time it was written")]
    #[diagnostic(
        code(trueup::sync::state_contended),
        help("`kubectl get configmap {name} -o yaml --show-managed-fields` shows by whom")
    )]
    Contended {
        /// The ConfigMap.
        name: String,
    },
    /// The cluster does not answer.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cluster(#[from] ClusterError),
}
