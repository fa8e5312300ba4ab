//! A cluster that is a Kubernetes API server.
//!
//! In: a kubeconfig's context (or a pod's service account), what to list, to watch, to predict. Out: live objects, kinds,
//! predictions. Everything is read; the only thing sent is an apply that is a dry run.

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
mod predict;
mod proxy;
mod rights;
mod server_url;
mod status;
mod transport;
mod watch;

pub(super) use contexts::{Access, Contexts, Identity};

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};

use self::connection::Connection;
use self::discovery::Discovered;
use super::{
    Cluster, ClusterError, ClusterSettings, ListRequest, LogRequest, ObjectName, Predicted, Requests, Watched,
};
use crate::object::{Gvk, Kinds, Object, Pointer};
use crate::progress::Progress;

/// One API server, as one user.
pub struct Kubernetes {
    connection: Connection,
    discovered: OnceCell<Result<Discovered, ClusterError>>,
    rights: rights::Rights,
    documents: openapi::Documents,
}

impl Kubernetes {
    pub(super) fn new(access: Access, settings: &ClusterSettings, permits: Arc<Semaphore>, progress: Progress) -> Self {
        Self {
            documents: openapi::Documents::new(settings.cache_dir.as_deref()),
            connection: Connection::new(access, settings, permits, progress),
            discovered: OnceCell::new(),
            rights: rights::Rights::default(),
        }
    }

    /// Asked once; an error is kept too, so that a thousand applications do not wait for the same dead server.
    async fn discovered(&self) -> Result<&Discovered, ClusterError> {
        self.discovered.get_or_init(|| discovery::discover(&self.connection)).await.as_ref().map_err(Clone::clone)
    }
}

impl Cluster for Kubernetes {
    fn name(&self) -> &str {
        self.connection.server()
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        async move { Ok(Arc::clone(&self.discovered().await?.kinds)) }.boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        async move {
            let listed = list::list(&self.connection, &self.discovered().await?.kinds, request).await?;
            Ok(listed.objects)
        }
        .boxed()
    }

    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        watch::watch(self, request)
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        async move { get::get(&self.connection, &self.discovered().await?.kinds, object).await }.boxed()
    }

    fn logs<'a>(&'a self, request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>> {
        logs::logs(&self.connection, request).boxed()
    }

    fn predict<'a>(&'a self, object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move { predict::predict(&self.connection, &self.rights, &self.discovered().await?.kinds, object).await }
            .boxed()
    }

    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move {
            let kinds = &self.discovered().await?.kinds;
            predict::predict_without(&self.connection, &self.rights, kinds, live, places).await
        }
        .boxed()
    }

    fn schema<'a>(&'a self, kind: &'a Gvk) -> BoxFuture<'a, Result<Option<Arc<Value>>, ClusterError>> {
        self.documents.of(&self.connection, kind).boxed()
    }

    fn requests(&self) -> Requests {
        self.connection.requests()
    }

    fn remarks(&self) -> BTreeMap<String, String> {
        let discovered = self.discovered.get().and_then(|discovered| discovered.as_ref().ok());
        discovered.map(|discovered| discovered.remarks.clone()).unwrap_or_default()
    }
}
