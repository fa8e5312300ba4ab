//! The clusters that `trueup cluster add` has registered, in the cluster that Argo CD runs in; and what its commands share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::app::Destination;
use crate::app::settings::{RegisteredCluster, RegisteredClusters};
use crate::cli::arguments::cluster::ClusterArguments;
use crate::cli::session::Session;
use crate::cli::sync::nobody_to_ask;
use crate::cluster::{Cluster, ClusterError, Clusters, ListRequest};
use crate::finding::{Code, Finding};
use crate::object::annotations::{ACCOUNT, REGISTERED_BY, SECRET_TYPE};
use crate::object::{Gvk, Object};
use crate::report::exit_status_of;
use crate::sync::account::{self, AccountError, AccountRights, AccountSpec};

/// The name of Argo CD's own cluster.
const IN_CLUSTER: &str = "in-cluster";

/// How often a token that was just issued is tried again, and the time between.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(300);

/// The end of a command that changes what is registered: prints what went wrong.
pub(super) async fn end(mut session: Session, done: Result<(), Vec<Finding>>) -> u8 {
    session.end_progress().await;
    match done {
        Ok(()) => 0,
        Err(findings) => {
            session.terminal.findings(&findings);
            exit_status_of(&findings).code()
        }
    }
}

/// Argo CD's namespace in its cluster.
pub(super) struct ArgoCd {
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) namespace: String,
    /// The uid of the namespace: by it, what was registered here is known.
    pub(super) uid: String,
    /// The Secrets of clusters.
    pub(super) secrets: Vec<Object>,
}

impl ArgoCd {
    /// Reads the namespace and its Secrets.
    pub(super) async fn read(clusters: &Clusters, namespace: &str) -> Result<Self, Vec<Finding>> {
        let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
        let one = |error| vec![Finding::of(&error)];
        let cluster = clusters.find(&destination).map_err(one)?;
        let uid = account::namespace_uid(&*cluster, namespace).await.map_err(one)?;
        let uid = uid.ok_or_else(|| vec![no_namespace(namespace, cluster.name())])?;
        let gvk = Gvk::from_api_version("v1", "Secret");
        let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
        let mut secrets = cluster.list(&request).await.map_err(one)?;
        secrets.retain(|secret| secret.label(SECRET_TYPE) == Some("cluster"));
        Ok(Self { cluster, namespace: namespace.to_owned(), uid, secrets })
    }

    /// The clusters of the Secrets, each with its Secret.
    pub(super) fn clusters(&self) -> impl Iterator<Item = (&Object, RegisteredCluster)> {
        let place = format!("namespace {} of {}", self.namespace, self.cluster.name());
        self.secrets.iter().filter_map(move |secret| {
            let clusters = RegisteredClusters::of_objects(&place, [secret]);
            let cluster = clusters.iter().next().cloned();
            cluster.map(|cluster| (secret, cluster))
        })
    }

    /// The cluster of a name or a server, with its Secret and its account; one that was not added here is an error.
    pub(super) fn registered(&self, name: &str) -> Result<Registered, Finding> {
        let server = name.trim_end_matches('/');
        let found: Vec<_> =
            self.clusters().filter(|(_, cluster)| cluster.name == name || cluster.server == server).collect();
        let (secret, cluster) = match &found[..] {
            [one] => one,
            [] => {
                return Err(unknown(
                    name,
                    &self.clusters().map(|(_, cluster)| cluster.shown_name().to_owned()).collect::<Vec<_>>(),
                ));
            }
            _ => {
                let finding =
                    Finding::error(Code::ClusterAmbiguousSecret, format!("cluster {name}: several Secrets match"));
                return Err(finding.with_help("name it by its server"));
            }
        };
        let account = account_of(secret, cluster).filter(|account| account.registered_by == self.uid);
        let account = account.ok_or_else(|| not_added(secret, name))?;
        Ok(Registered { secret: (*secret).clone(), cluster: cluster.clone(), account })
    }
}

/// A cluster that `trueup cluster add` registered.
pub(super) struct Registered {
    pub(super) secret: Object,
    pub(super) cluster: RegisteredCluster,
    pub(super) account: AccountSpec,
}

impl Registered {
    /// The cluster itself, as an administrator: by the context that `--context-map` names, or the one of its server.
    pub(super) fn administrator(&self, clusters: &Clusters) -> Result<Option<Arc<dyn Cluster>>, Finding> {
        let mapped = Destination { name: self.cluster.name.clone(), ..Destination::default() };
        match clusters.mapped(&mapped) {
            Some(cluster) => cluster.map(Some).map_err(|error| Finding::of(&error)),
            None => Ok(clusters.context_of_server(&self.cluster.server)),
        }
    }
}

fn account_of(secret: &Object, cluster: &RegisteredCluster) -> Option<AccountSpec> {
    let (namespace, name) = secret.annotation(ACCOUNT)?.split_once('/')?;
    Some(AccountSpec {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        rights: AccountRights::Manage,
        namespaces: cluster.namespaces.clone(),
        cluster_resources: cluster.cluster_resources,
        registered_by: secret.label(REGISTERED_BY)?.to_owned(),
    })
}

fn no_namespace(namespace: &str, cluster: &str) -> Finding {
    Finding::error(Code::ClusterNotRegistered, format!("{cluster} has no namespace `{namespace}`"))
        .with_help("--argocd-namespace names that of Argo CD, --context its cluster; `cluster add -o yaml` prints the Secret instead")
}

fn unknown(name: &str, known: &[String]) -> Finding {
    let known: BTreeSet<&String> = known.iter().collect();
    let names: Vec<&str> = known.iter().take(10).map(|name| name.as_str()).collect();
    let help =
        if names.is_empty() { "no cluster is registered".to_owned() } else { format!("known: {}", names.join(", ")) };
    Finding::error(Code::ClusterNotRegistered, format!("no cluster `{name}` is registered")).with_help(help)
}

fn not_added(secret: &Object, name: &str) -> Finding {
    let message = format!(
        "Secret `{}` of cluster {name} was not created by `trueup cluster add`; nothing was written",
        secret.name()
    );
    Finding::error(Code::ClusterForeignObject, message)
        .with_help("whoever created it removes it: `argocd cluster rm`, or the repository that holds its manifest")
}

/// How somebody consents.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ConsentArguments {
    /// Show the plan only
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(short, long, alias = "auto-approve", conflicts_with = "dry_run")]
    pub(super) yes: bool,
    /// Set the namespace of Argo CD
    #[arg(long, value_name = "NAMESPACE", default_value = "argocd")]
    pub(super) argocd_namespace: String,
}

impl ConsentArguments {
    /// Refuses where somebody would have to be asked, and nobody is there.
    pub(super) fn check(&self, session: &Session) -> Result<(), Vec<Finding>> {
        if self.dry_run || self.yes || session.terminal.can_ask() {
            return Ok(());
        }
        Err(vec![nobody_to_ask("`-y` continues without asking, `--dry-run` shows the plan")])
    }

    /// Prints the plan, and asks.
    pub(super) fn is_given(&self, plan: &[String], question: &str, session: &Session) -> bool {
        for line in plan {
            session.terminal.line(line);
        }
        if self.dry_run {
            session.terminal.line("dry run: nothing was written");
            return false;
        }
        let is_given = self.yes || session.terminal.confirm(question);
        if !is_given {
            session.terminal.line("nothing was written");
        }
        is_given
    }
}

/// The clusters of the kubeconfig; Secrets are read from Argo CD's namespace alone.
pub(super) fn clusters(arguments: ClusterArguments, session: &Session) -> Clusters {
    Clusters::new(arguments.settings(), session.progress.clone())
}

/// Whether a registration opens its cluster, before anybody relies on it. A token that was just issued may need a moment.
pub(super) async fn verify(clusters: &Clusters, secret: &Object) -> Result<(), Vec<Finding>> {
    let registered = RegisteredClusters::of_objects("this run", [secret]);
    for cluster in registered.iter() {
        let opened = clusters.opened_by(cluster).map_err(|error| vec![Finding::of(&error)])?;
        let mut answer = opened.version().await;
        for _ in 0..TRIES {
            if !matches!(answer, Err(ClusterError::Unauthorized { .. })) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = opened.version().await;
        }
        answer.map_err(|error| vec![Finding::of(&error)])?;
    }
    Ok(())
}

pub(super) fn finding(error: &AccountError) -> Vec<Finding> {
    vec![Finding::of(error)]
}
