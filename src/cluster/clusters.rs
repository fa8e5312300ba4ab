//! Finds the cluster that a destination means; one client for each, shared by all applications of a run.
//!
//! In: [`ClusterSettings`] and destinations. Out: [`Cluster`]s: the folder of `--live` for every destination, or the API
//! server of the Secret or context that the destination belongs to.
//!
//! Of several ways into a cluster the first of these counts: `--context-map`; the Secret of `--clusters` with the destination's
//! server or name, where it has credentials; the context of that server, or name. `in-cluster` is always the flags' context, the
//! current one, or the pod's own cluster: the token of a Secret is never sent to whatever cluster a context names.
//!
//! Rules: Argo CD util/db/cluster.go for `in-cluster` and names; [`kubernetes`](super::kubernetes) for the rest; docs/clusters.md.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tokio::sync::Semaphore;

use super::folder::Folder;
use super::kubernetes::{
    Access, ContextIdentity, Contexts, Kubernetes, access_of_secret, is_in_cluster, is_local, is_same_server,
    login_of_context,
};
use super::limited::Limited;
use super::{Cluster, ClusterError, ClusterLabel, ClusterSettings, NamespaceLimits, Requests};
use crate::app::Destination;
use crate::app::settings::{ClusterLogin, ClusterSecretFault, RegisteredCluster, RegisteredClusters};
use crate::progress::Progress;

/// Every cluster of a run.
pub struct Clusters {
    settings: ClusterSettings,
    progress: Progress,
    requests: Arc<Semaphore>,
    contexts: OnceLock<Result<Contexts, ClusterError>>,
    folder: OnceLock<Result<Arc<Folder>, ClusterError>>,
    registered: RwLock<RegisteredClusters>,
    connected: Mutex<BTreeMap<WayIn, Arc<dyn Cluster>>>,
}

/// What makes two clusters of a run the same one.
type WayIn = (ContextIdentity, Option<NamespaceLimits>);

/// Where a cluster is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownFrom {
    /// A context of the kubeconfig.
    Context,
    /// A cluster Secret of Argo CD.
    Secret(Box<RegisteredCluster>),
    /// The service account of the pod that this process runs in.
    Pod,
}

/// A cluster that is known, whether or not an application is deployed to it.
pub struct KnownCluster {
    /// The context, or the name in the Secret.
    pub name: String,
    /// The server's address.
    pub server: String,
    /// Where it is known from.
    pub from: KnownFrom,
    /// The cluster, or why it cannot be asked.
    pub cluster: Result<Arc<dyn Cluster>, ClusterError>,
}

impl Clusters {
    /// Nothing is read yet: a kubeconfig or a folder only when the first destination is looked for.
    pub fn new(settings: ClusterSettings, progress: Progress) -> Self {
        let requests = Arc::new(Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            settings,
            registered: RwLock::default(),
            progress,
            requests,
            contexts: OnceLock::new(),
            folder: OnceLock::new(),
            connected: Mutex::default(),
        }
    }

    /// The cluster that a destination means. No request is sent; files are read, once.
    pub fn find(&self, destination: &Destination) -> Result<Arc<dyn Cluster>, ClusterError> {
        if let Some(folder) = &self.settings.live {
            let folder = self.folder.get_or_init(|| Folder::open(folder).map(Arc::new)).clone()?;
            return Ok(folder);
        }
        let (access, limits) = self.way_in(destination)?;
        Ok(self.connected(access, limits))
    }

    /// The cluster of a context of the kubeconfig, by its name.
    pub fn context(&self, name: &str) -> Result<Arc<dyn Cluster>, ClusterError> {
        Ok(self.connected(self.contexts()?.named(name)?, None))
    }

    /// The cluster of the one context that has this server, or is the current one among several; nothing where none is.
    pub fn context_of_server(&self, server: &str) -> Option<Arc<dyn Cluster>> {
        Some(self.connected(self.contexts().ok()?.find_server(server)?, None))
    }

    /// The cluster that `--context-map` names for a destination; nothing where it does not name it.
    pub fn mapped(&self, destination: &Destination) -> Option<Result<Arc<dyn Cluster>, ClusterError>> {
        let access = self.contexts().ok()?.find_mapped(destination)?;
        Some(access.map(|access| self.connected(access, None)))
    }

    /// The cluster as its Secret opens it, whatever contexts there are.
    pub fn opened_by(&self, cluster: &RegisteredCluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        let login = cluster.login.as_ref().map_err(|faults| broken(cluster, faults))?;
        Ok(self.connected(access_of_secret(cluster, login, self.settings.untrusted)?, None))
    }

    /// How a context of the kubeconfig reaches its cluster: what a Secret for it needs, but for the credentials.
    pub fn login_of_context(&self, name: &str) -> Result<(String, ClusterLogin), ClusterError> {
        login_of_context(&self.contexts()?.named(name)?)
    }

    /// Every cluster that is known: of the contexts, of the Secrets, of the pod. No request is sent.
    pub fn known(&self) -> Result<Vec<KnownCluster>, ClusterError> {
        let contexts = self.contexts()?;
        let mut known = Vec::new();
        for (name, access) in contexts.each() {
            let server = access.as_ref().map(|access| access.identity.server().to_owned()).unwrap_or_default();
            let cluster = access.map(|access| self.connected(access, None));
            known.push(KnownCluster { name: name.to_owned(), server, from: KnownFrom::Context, cluster });
        }
        if let Some(pod) = contexts.pod() {
            known.push(KnownCluster {
                name: "in-cluster".to_owned(),
                server: pod.identity.server().to_owned(),
                from: KnownFrom::Pod,
                cluster: Ok(self.connected(pod.clone(), None)),
            });
        }
        for registered in self.registered().iter() {
            let destination = Destination { server: registered.server.clone(), ..Destination::default() };
            let cluster = match &registered.login {
                Err(faults) => Err(broken(registered, faults)),
                Ok(_) => self.find(&destination),
            };
            known.push(KnownCluster {
                name: registered.shown_name().to_owned(),
                server: registered.server.clone(),
                from: KnownFrom::Secret(Box::new(registered.clone())),
                cluster,
            });
        }
        Ok(known)
    }

    /// One client for each way in.
    fn connected(&self, access: Access, limits: Option<NamespaceLimits>) -> Arc<dyn Cluster> {
        let label = access.label.clone();
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = connected.entry((access.identity.clone(), limits.clone())).or_insert_with(|| {
            let permits = Arc::clone(&self.requests);
            let cluster: Arc<dyn Cluster> =
                Arc::new(Kubernetes::new(access, &self.settings, permits, self.progress.clone()));
            match limits {
                Some(limits) => Arc::new(Limited::new(cluster, limits, label)),
                None => cluster,
            }
        });
        Arc::clone(cluster)
    }

    /// Adds clusters that Secrets describe; those that were known before count more.
    pub fn register(&self, clusters: RegisteredClusters) {
        self.registered.write().unwrap_or_else(PoisonError::into_inner).extend(clusters);
    }

    /// Every cluster that a Secret describes.
    pub fn registered(&self) -> RegisteredClusters {
        self.registered.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The Secret of a destination's cluster, where it says that the cluster is not to be touched.
    pub fn skipped(&self, destination: &Destination) -> Option<String> {
        let registered = self.registered();
        let cluster = secret_of(destination, &registered).ok().flatten()?;
        cluster.skips_reconcile().then(|| cluster.place.clone())
    }

    /// The way into the cluster of a destination, and what is managed of it.
    fn way_in(&self, destination: &Destination) -> Result<(Access, Option<NamespaceLimits>), ClusterError> {
        let registered = self.registered();
        let Some(cluster) = secret_of(destination, &registered)? else {
            return Ok((self.contexts()?.find(destination)?, None));
        };
        let limits = limits_of(cluster);
        if let Some(access) = self.contexts()?.find_mapped(destination) {
            return Ok((access?, limits));
        }
        let login = cluster.login.as_ref().map_err(|faults| broken(cluster, faults))?;
        if is_local(&cluster.server) {
            let local = Destination { server: cluster.server.clone(), name: String::new(), ..destination.clone() };
            return Ok((self.contexts()?.find(&local)?, limits));
        }
        if login.is_anonymous() {
            let by_server = Destination { server: cluster.server.clone(), ..Destination::default() };
            match self.contexts()?.find(&by_server) {
                // No context has it: it is asked as the Secret says, without credentials.
                Err(ClusterError::NoContextFor { .. }) => {}
                found => return Ok((found?, limits)),
            }
        }
        let access = access_of_secret(cluster, login, self.settings.untrusted)?;
        Ok((self.contexts()?.impersonated(access), limits))
    }

    fn contexts(&self) -> Result<&Contexts, ClusterError> {
        self.contexts.get_or_init(|| Contexts::read(&self.settings)).as_ref().map_err(Clone::clone)
    }

    /// The contexts of the kubeconfig, by name, with the server of each. No request is sent.
    pub fn context_servers(&self) -> Result<Vec<(String, String)>, ClusterError> {
        self.contexts().map(Contexts::servers)
    }

    /// Every cluster that was found, in stable order.
    pub fn found(&self) -> Vec<Arc<dyn Cluster>> {
        let folder = self.folder.get().and_then(|folder| folder.as_ref().ok());
        let connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        folder
            .map(|folder| Arc::clone(folder) as Arc<dyn Cluster>)
            .into_iter()
            .chain(connected.values().cloned())
            .collect()
    }

    /// How many requests were sent until now, to all clusters together.
    pub fn requests(&self) -> Requests {
        self.found().iter().map(|cluster| cluster.requests()).fold(Requests::default(), |sum, more| sum + more)
    }
}

/// The Secret that describes the cluster of a destination. The cluster that Argo CD runs in has a name even without one.
fn secret_of<'a>(
    destination: &Destination,
    registered: &'a RegisteredClusters,
) -> Result<Option<&'a RegisteredCluster>, ClusterError> {
    let (name, server) = (&destination.name, &destination.server);
    let is_meant = |cluster: &&RegisteredCluster| {
        if name.is_empty() {
            is_same_server(&cluster.server, server)
        } else {
            cluster.name == *name || (is_in_cluster(destination) && is_local(&cluster.server))
        }
    };
    let found: Vec<&RegisteredCluster> = registered.iter().filter(is_meant).collect();
    match found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(ClusterError::AmbiguousSecret {
            destination: if name.is_empty() { server.clone() } else { name.clone() },
            secrets: found.iter().map(|cluster| cluster.place.clone()).collect(),
        }),
    }
}

fn broken(cluster: &RegisteredCluster, faults: &[ClusterSecretFault]) -> ClusterError {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let label = ClusterLabel::of_secret(cluster.shown_name(), &cluster.place);
    ClusterError::BrokenSecret { cluster: label, problem: faults.join("; ") }
}

fn limits_of(cluster: &RegisteredCluster) -> Option<NamespaceLimits> {
    let limits =
        NamespaceLimits { namespaces: cluster.namespaces.clone(), cluster_resources: cluster.cluster_resources };
    Some(limits).filter(|limits| !limits.namespaces.is_empty())
}

impl fmt::Debug for Clusters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clusters").field("settings", &self.settings).finish_non_exhaustive()
    }
}
