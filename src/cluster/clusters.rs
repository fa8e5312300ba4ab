//! Finds the cluster that a destination means; one client for each, shared by all applications of a run.
//!
//! In: [`ClusterSettings`] and destinations. Out: [`Cluster`]s: the folder of `--live` for every destination, or the API
//! server of the context that the destination belongs to.
//!
//! Rules: Argo CD util/db/cluster.go for `in-cluster`; [`kubernetes`](super::kubernetes) for the rest.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Semaphore;

use super::folder::Folder;
use super::kubernetes::{ContextIdentity, Contexts, Kubernetes};
use super::{Cluster, ClusterError, ClusterSettings, Requests};
use crate::app::Destination;
use crate::progress::Progress;

/// Every cluster of a run.
pub struct Clusters {
    settings: ClusterSettings,
    progress: Progress,
    requests: Arc<Semaphore>,
    contexts: OnceLock<Result<Contexts, ClusterError>>,
    folder: OnceLock<Result<Arc<Folder>, ClusterError>>,
    connected: Mutex<BTreeMap<ContextIdentity, Arc<Kubernetes>>>,
}

impl Clusters {
    /// Nothing is read yet: a kubeconfig or a folder only when the first destination is looked for.
    pub fn new(settings: ClusterSettings, progress: Progress) -> Self {
        let requests = Arc::new(Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            settings,
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
        let access = self.contexts()?.find(destination)?;
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = connected.entry(access.identity.clone()).or_insert_with(|| {
            Arc::new(Kubernetes::new(access, &self.settings, Arc::clone(&self.requests), self.progress.clone()))
        });
        Ok(Arc::clone(cluster) as Arc<dyn Cluster>)
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
            .chain(connected.values().map(|cluster| Arc::clone(cluster) as Arc<dyn Cluster>))
            .collect()
    }

    /// How many requests were sent until now, to all clusters together.
    pub fn requests(&self) -> Requests {
        self.found().iter().map(|cluster| cluster.requests()).fold(Requests::default(), |sum, more| sum + more)
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Clusters").field("settings", &self.settings).finish_non_exhaustive()
    }
}
