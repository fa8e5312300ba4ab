//! A cluster that is a Kubernetes API server.
//!
//! In: a kubeconfig's context (or a pod's service account), what to list, to watch, to predict, to write. Out: live
//! objects, kinds, predictions, what came of a write.

mod account;
mod client;
mod connection;
mod contexts;
mod credentials;
mod discovery;
mod events;
mod exec;
mod get;
mod kubeconfig;
mod list;
mod logs;
mod openapi;
mod page;
mod path;
mod permits;
mod predict;
mod proxy;
mod refusal;
mod registered;
mod repeated;
mod rights;
mod server_url;
mod status;
mod subject;
mod transport;
mod unknown_fields;
mod watch;
mod write;

pub(super) use contexts::{Access, ContextIdentity, Contexts, is_in_cluster};
pub(super) use registered::{access as access_of_secret, is_local, is_same_server, login_of_context};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};

use self::connection::Connection;
use self::discovery::Discovered;
use self::write::ObjectWriter;
use super::{
    AccessNeed, Cluster, ClusterError, ClusterSettings, ClusterUser, Deleted, Deletion, ListRequest, LogRequest,
    ObjectName, Predicted, Requests, Validation, Watched, Writing, Written,
};
use crate::object::{Gvk, Kinds, Object, Pointer};
use crate::progress::Progress;

/// One API server, as one user.
pub struct Kubernetes {
    connection: Connection,
    /// Replaced as a whole when it is asked again.
    served: RwLock<Arc<Served>>,
    rights: rights::Rights,
    account: account::Account,
    cache_dir: Option<PathBuf>,
}

/// The kinds that a server serves, as far as it was asked.
struct Served {
    discovered: OnceCell<Result<Discovered, ClusterError>>,
    documents: openapi::Documents,
}

impl Served {
    /// Asked once; an error is kept too, so that a thousand applications do not wait for the same dead server.
    async fn discovered(&self, connection: &Connection) -> Result<&Discovered, ClusterError> {
        self.discovered.get_or_init(|| discovery::discover(connection)).await.as_ref().map_err(Clone::clone)
    }
}

impl Kubernetes {
    pub(super) fn new(access: Access, settings: &ClusterSettings, permits: Arc<Semaphore>, progress: Progress) -> Self {
        Self {
            connection: Connection::new(access, settings, permits, progress),
            served: RwLock::new(Arc::new(Served {
                discovered: OnceCell::new(),
                documents: openapi::Documents::new(settings.cache_dir.as_deref()),
            })),
            rights: rights::Rights::default(),
            account: account::Account::default(),
            cache_dir: settings.cache_dir.clone(),
        }
    }

    fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn kinds_now(&self) -> Result<Arc<Kinds>, ClusterError> {
        Ok(Arc::clone(&self.served().discovered(&self.connection).await?.kinds))
    }

    /// Whoever reads from now on sees the new kinds; while they cannot be asked for, the old ones stay.
    async fn rediscover(&self) -> Result<Arc<Kinds>, ClusterError> {
        let discovered = discovery::discover(&self.connection).await?;
        let kinds = Arc::clone(&discovered.kinds);
        let documents = openapi::Documents::new(self.cache_dir.as_deref());
        let served = Served { discovered: OnceCell::new_with(Some(Ok(discovered))), documents };
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
        Ok(kinds)
    }
}

impl Cluster for Kubernetes {
    fn name(&self) -> &str {
        self.connection.server()
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        self.kinds_now().boxed()
    }

    fn version(&self) -> BoxFuture<'_, Result<String, ClusterError>> {
        discovery::version(&self.connection).boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        async move { Ok(list::list(&self.connection, &*self.kinds_now().await?, request).await?.objects) }.boxed()
    }

    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        watch::watch(self, request)
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        async move { get::get(&self.connection, &*self.kinds_now().await?, object).await }.boxed()
    }

    fn logs<'a>(&'a self, request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>> {
        logs::logs(&self.connection, request).boxed()
    }

    fn predict<'a>(&'a self, object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move { predict::predict(&self.connection, &self.rights, &*self.kinds_now().await?, object).await }.boxed()
    }

    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            predict::predict_without(&self.connection, &self.rights, &kinds, live, places).await
        }
        .boxed()
    }

    fn schema<'a>(&'a self, kind: &'a Gvk) -> BoxFuture<'a, Result<Option<Arc<Value>>, ClusterError>> {
        async move { self.served().documents.of(&self.connection, kind).await }.boxed()
    }

    fn rediscover_kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        self.rediscover().boxed()
    }

    fn apply<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            ObjectWriter { connection: &self.connection, kinds: &kinds, writing }.apply(object, validation).await
        }
        .boxed()
    }

    fn create<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            ObjectWriter { connection: &self.connection, kinds: &kinds, writing }.create(object, validation).await
        }
        .boxed()
    }

    fn replace<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            ObjectWriter { connection: &self.connection, kinds: &kinds, writing }.replace(object, validation).await
        }
        .boxed()
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectName,
        patch: &'a Value,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            ObjectWriter { connection: &self.connection, kinds: &kinds, writing }.patch(object, patch).await
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        object: &'a ObjectName,
        deletion: &'a Deletion,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Deleted, ClusterError>> {
        async move {
            let kinds = self.kinds_now().await?;
            ObjectWriter { connection: &self.connection, kinds: &kinds, writing }.delete(object, deletion).await
        }
        .boxed()
    }

    fn user(&self) -> BoxFuture<'_, Option<ClusterUser>> {
        self.account.user(&self.connection).boxed()
    }

    fn permits<'a>(
        &'a self,
        needs: &'a [AccessNeed],
        namespace: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<Option<bool>>, ClusterError>> {
        permits::permits(&self.connection, needs, namespace).boxed()
    }

    fn requests(&self) -> Requests {
        self.connection.requests()
    }

    fn remarks(&self) -> BTreeMap<String, String> {
        let served = self.served();
        let discovered = served.discovered.get().and_then(|discovered| discovered.as_ref().ok());
        discovered.map(|discovered| discovered.remarks.clone()).unwrap_or_default()
    }
}
