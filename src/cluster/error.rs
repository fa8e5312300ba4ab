//! Every message that this room can give.
//!
//! In: what went wrong, and with which cluster. Out: a [`ClusterError`] with a code and one thing to do. A cause holds a
//! library's or a server's words, with credentials in URLs masked; tokens, keys and what a Secret holds never get here.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::ClusterLabel;
use crate::secret::mask_credentials_in_text;

/// The causes of an error, nearest first, as text: it can be copied and kept, and it cannot leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    text: String,
    next: Option<Arc<Cause>>,
}

impl Cause {
    /// A cause in these words.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { text: mask_credentials_in_text(text.as_ref().trim()), next: None }
    }

    /// An error and what lies behind it; what only repeats is left out.
    pub fn of(error: &dyn Error) -> Self {
        let mut texts = Vec::new();
        let mut current: Option<&dyn Error> = Some(error);
        while let Some(error) = current {
            let text = error.to_string();
            if texts.last() != Some(&text) {
                texts.push(text);
            }
            current = error.source();
        }
        let mut chain: Option<Self> = None;
        for text in texts.iter().rev() {
            chain = Some(Self { next: chain.map(Arc::new), ..Self::new(text) });
        }
        chain.unwrap_or_else(|| Self::new("unknown"))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// A permission that an account lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Who asked, as the server says it; nothing when it does not.
    pub user: Option<String>,
    /// `list`, `patch` …
    pub verb: String,
    /// `deployments.apps`.
    pub resource: String,
    /// The namespace; nothing for the whole cluster.
    pub namespace: Option<String>,
}

impl Denial {
    /// Which of the examples has the role that lacks nothing.
    fn least_role(&self) -> &'static str {
        match self.verb.as_str() {
            "get" | "list" | "watch" => "diff needs get and list; the least role is in examples/cronjob/rbac.yaml",
            _ => "a sync writes; the role for it is in examples/cronjob/reconcile/rbac.yaml",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(formatter, "`{user}`")?,
            None => formatter.write_str("this account")?,
        }
        write!(formatter, " cannot {} `{}`", self.verb, self.resource)?;
        match &self.namespace {
            Some(namespace) => write!(formatter, " in namespace `{namespace}`"),
            None => formatter.write_str(" at the cluster scope"),
        }
    }
}

/// A failure to find a cluster, or to read from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum ClusterError {
    /// Nothing answers at the server's address.
    #[error("cluster {cluster}: {server} cannot be reached")]
    #[diagnostic(
        code(trueup::cluster::unreachable),
        help("{}", cluster.advice(
            "`kubectl --context {} version` asks the same server; --context and --kubeconfig choose another",
            ", which has the address; --context-map uses a context of the kubeconfig in its place"
        ))
    )]
    Unreachable {
        /// The context.
        cluster: ClusterLabel,
        /// The server's address.
        server: String,
        /// The network's words.
        #[source]
        cause: Cause,
    },
    /// The kind went away between discovery and now.
    #[error("cluster {cluster}: `{resource}` was served when the run began, and no longer is")]
    #[diagnostic(
        code(trueup::cluster::vanished),
        help("its CRD was deleted during the run, and its objects with it; run again to see what is left")
    )]
    Vanished {
        /// The context.
        cluster: ClusterLabel,
        /// `tills.example.com`.
        resource: String,
    },
    /// The server did not answer in time.
    #[error("cluster {cluster}: no answer to `{request}` within {}", seconds(.limit))]
    #[diagnostic(code(trueup::cluster::timeout), help("`--request-timeout` sets another limit; 0 means no limit"))]
    Timeout {
        /// The context.
        cluster: ClusterLabel,
        /// The request: `GET /apis/apps/v1/deployments`.
        request: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The server's certificate, or ours, is not accepted.
    #[error("cluster {cluster}: no TLS connection to {server}")]
    #[diagnostic(
        code(trueup::cluster::tls),
        help("{}", cluster.advice(
            "check the cluster's `certificate-authority-data` and `tls-server-name`, and the user's certificate, in the kubeconfig",
            ": its `tlsClientConfig` has `caData`, `serverName`, and our certificate"
        ))
    )]
    Tls {
        /// The context.
        cluster: ClusterLabel,
        /// The server's address.
        server: String,
        /// The library's words.
        #[source]
        cause: Cause,
    },
    /// The server does not know who we are.
    #[error("cluster {cluster}: {server} rejects the credentials of {}", .cluster.owner())]
    #[diagnostic(
        code(trueup::cluster::unauthorized),
        help("{}", cluster.advice(
            "log in again; `kubectl --context {} auth whoami` asks the same",
            ", whose token may have expired or been revoked"
        ))
    )]
    Unauthorized {
        /// The context.
        cluster: ClusterLabel,
        /// The server's address.
        server: String,
    },
    /// The server knows who we are, and does not let us.
    #[error("cluster {cluster}: {denial}")]
    #[diagnostic(
        code(trueup::cluster::forbidden),
        help("{}", denial.least_role())
    )]
    Forbidden {
        /// The context.
        cluster: ClusterLabel,
        /// Who is forbidden what.
        denial: Denial,
    },
    /// The kind is served by an aggregated API that does not answer.
    #[error("cluster {cluster}: `{api}` is not available, so its objects are unknown")]
    #[diagnostic(code(trueup::cluster::api_unavailable), help("`kubectl get apiservices` says what is wrong with it"))]
    ApiUnavailable {
        /// The context.
        cluster: ClusterLabel,
        /// The group and version.
        api: String,
        /// The server's words.
        #[source]
        cause: Cause,
    },
    /// The server answers with an error.
    #[error("cluster {cluster}: `{request}` fails with status {status}")]
    #[diagnostic(
        code(trueup::cluster::server),
        help("the server's own log says more; what it cannot answer now is unknown, not missing")
    )]
    Server {
        /// The context.
        cluster: ClusterLabel,
        /// The request.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        #[source]
        cause: Cause,
    },
    /// The server answers with something that cannot be understood.
    #[error("cluster {cluster}: the answer to `{request}` cannot be read: {problem}")]
    #[diagnostic(
        code(trueup::cluster::broken_answer),
        help("{}", cluster.advice(
            "look at the raw answer with `kubectl --context {} get --raw`; a proxy between may have changed it",
            ": a proxy between may have changed the answer, or the address is not that of an API server"
        ))
    )]
    BrokenAnswer {
        /// The context.
        cluster: ClusterLabel,
        /// The request.
        request: String,
        /// The fault in the answer.
        problem: String,
    },
    /// A destination that no context of the kubeconfig belongs to.
    #[error("destination {destination}: no kubeconfig context matches; there {}", listed(.contexts))]
    #[diagnostic(
        code(trueup::cluster::no_such_context),
        help("say which context is meant with `--context-map {destination}=CONTEXT`")
    )]
    NoContextFor {
        /// The destination's server or name.
        destination: String,
        /// The contexts that there are.
        contexts: Vec<String>,
    },
    /// A destination that several contexts belong to.
    #[error("destination {destination}: several kubeconfig contexts match: {}", quoted(.contexts))]
    #[diagnostic(
        code(trueup::cluster::ambiguous_context),
        help("say which one is meant with `--context-map {destination}=CONTEXT`")
    )]
    AmbiguousContext {
        /// The destination's server or name.
        destination: String,
        /// The contexts that fit.
        contexts: Vec<String>,
    },
    /// Something is named that the kubeconfig does not have.
    #[error("the kubeconfig has no {what} `{name}`, which {asker} names; there {}", listed(.known))]
    #[diagnostic(code(trueup::cluster::no_such_entry), help("`kubectl config view` shows what the kubeconfig has"))]
    NoSuchEntry {
        /// `context`, `cluster`, `user`.
        what: &'static str,
        /// The name that was given.
        name: String,
        /// The names that there are.
        known: Vec<String>,
        /// Who named it: a flag, a context, the destination.
        asker: String,
    },
    /// Nothing says which cluster is meant.
    #[error("destination {destination}: no cluster is configured here: {why}")]
    #[diagnostic(
        code(trueup::cluster::no_cluster),
        help("name one with --context or --kubeconfig; `--live DIR` compares with a folder instead")
    )]
    NoCluster {
        /// The destination's server or name.
        destination: String,
        /// Where was looked.
        why: String,
    },
    /// The kubeconfig cannot be read.
    #[error("kubeconfig {}: {problem}", .file.display())]
    #[diagnostic(
        code(trueup::cluster::kubeconfig),
        help("`kubectl config view` reads the same files; --kubeconfig takes another")
    )]
    Kubeconfig {
        /// The file.
        file: PathBuf,
        /// The fault.
        problem: String,
    },
    /// The entry for this cluster or user cannot be used.
    #[error("cluster {cluster}: {problem}")]
    #[diagnostic(
        code(trueup::cluster::credentials),
        help("{}", cluster.advice("`kubectl --context {} version` uses the same entry of the kubeconfig", ""))
    )]
    Credentials {
        /// The context.
        cluster: ClusterLabel,
        /// The fault.
        problem: String,
    },
    /// The credential plugin that the kubeconfig names does not give credentials.
    #[error("cluster {cluster}: the credential plugin `{command}` {problem}")]
    #[diagnostic(code(trueup::cluster::exec_plugin), help("{hint}"))]
    ExecPlugin {
        /// The context.
        cluster: ClusterLabel,
        /// The program, without its arguments.
        command: String,
        /// The fault.
        problem: String,
        /// The advice: the plugin's own hint when it is not installed.
        hint: String,
    },
    /// The Secret that describes a cluster cannot be used.
    #[error("cluster {cluster}: its Secret cannot be used: {problem}")]
    #[diagnostic(code(trueup::cluster::secret), help("{}", cluster.advice("", "; the other clusters are not affected")))]
    BrokenSecret {
        /// The cluster.
        cluster: ClusterLabel,
        /// Every fault of it.
        problem: String,
    },
    /// A destination that several Secrets describe.
    #[error("destination {destination}: several cluster Secrets match: {}", .secrets.join(", "))]
    #[diagnostic(
        code(trueup::cluster::ambiguous_secret),
        help("keep one Secret for each server, and use the server in place of a name that several clusters have")
    )]
    AmbiguousSecret {
        /// The destination's server or name.
        destination: String,
        /// The Secrets that fit.
        secrets: Vec<String>,
    },
    /// An object outside of what the Secret of a cluster leaves to Argo CD.
    #[error("cluster {cluster}: {object} cannot be managed: the cluster's Secret limits it to {limits}")]
    #[diagnostic(
        code(trueup::cluster::not_managed),
        help("{}", cluster.advice("", ": `namespaces` has the namespaces, and `clusterResources: \"true\"` adds cluster-scoped resources"))
    )]
    NotManaged {
        /// The cluster.
        cluster: ClusterLabel,
        /// The object or its namespace.
        object: String,
        /// The limits in words.
        limits: String,
    },
    /// The folder of `--live` cannot be read.
    #[error("live folder {}: {problem}", .folder.display())]
    #[diagnostic(
        code(trueup::cluster::folder),
        help("--live takes a folder of YAML or JSON manifests, such as `kubectl get -o yaml` writes")
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The fault.
        problem: String,
    },
    /// A file of the folder of `--live` cannot be written.
    #[error("live folder {}: `{file}` cannot be written: {problem}", .folder.display())]
    #[diagnostic(
        code(trueup::cluster::folder_write),
        help(
            "the file is unchanged; a new file is written beside it and renamed, so the folder must be writable, too"
        )
    )]
    FolderWrite {
        /// The folder.
        folder: PathBuf,
        /// The file, below the folder.
        file: String,
        /// The system's words.
        problem: String,
    },
    /// The lock of the run that writes is too old: another run may have taken it over.
    #[error("cluster {cluster}: not written, because the lock expired: this run was paused, or could not renew it")]
    #[diagnostic(
        code(trueup::sync::lock_lost),
        help("another run may have continued from here; check its result before you sync again")
    )]
    LockExpired {
        /// The cluster.
        cluster: ClusterLabel,
    },
}

fn seconds(limit: &Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

/// "are none", "is `a`", "are `a`, `b`".
fn listed(names: &[String]) -> String {
    match names {
        [] => "are none".to_owned(),
        [one] => format!("is `{one}`"),
        _ => format!("are {}", quoted(names)),
    }
}

/// At most ten names: a fleet's kubeconfig has hundreds.
fn quoted(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(10).map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(shown.len());
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_says_nothing_twice_and_shows_no_password() {
        let inner = std::io::Error::other("connect to http://ci:s3cret@proxy:3128 failed");
        let outer = std::io::Error::other(inner);
        let cause = Cause::of(&outer);
        assert!(!cause.to_string().contains("s3cret"), "{cause}");
        assert!(cause.source().is_none());
    }

    #[test]
    fn a_denial_reads_as_a_sentence() {
        let denial = Denial {
            user: Some("system:serviceaccount:ci:drift".to_owned()),
            verb: "list".to_owned(),
            resource: "deployments.apps".to_owned(),
            namespace: Some("shop".to_owned()),
        };
        let error = ClusterError::Forbidden { cluster: "shop-prod".into(), denial };
        assert_eq!(
            error.to_string(),
            "cluster shop-prod: `system:serviceaccount:ci:drift` cannot list `deployments.apps` in namespace `shop`"
        );
    }

    /// The role of a reader does not help whoever writes.
    #[test]
    fn a_denial_names_the_role_that_is_enough() {
        for (verb, role) in [
            ("list", "examples/cronjob/rbac.yaml"),
            ("get", "examples/cronjob/rbac.yaml"),
            ("patch", "examples/cronjob/reconcile/rbac.yaml"),
            ("create", "examples/cronjob/reconcile/rbac.yaml"),
            ("delete", "examples/cronjob/reconcile/rbac.yaml"),
        ] {
            let denial = Denial { user: None, verb: verb.to_owned(), resource: "x".to_owned(), namespace: None };
            let error = ClusterError::Forbidden { cluster: "prod".into(), denial };
            assert!(miette::Diagnostic::help(&error).unwrap().to_string().ends_with(role), "{verb}");
        }
    }

    #[test]
    fn a_long_list_of_contexts_is_cut() {
        let contexts: Vec<String> = (1..=12).map(|number| format!("c{number}")).collect();
        let error = ClusterError::NoContextFor { destination: "prod".to_owned(), contexts };
        assert!(error.to_string().ends_with("`c10` and 2 more"), "{error}");
        let error = ClusterError::NoContextFor { destination: "prod".to_owned(), contexts: Vec::new() };
        assert!(error.to_string().ends_with("there are none"), "{error}");
    }
}
