//! The part of a cluster that its Secret leaves to Argo CD: some namespaces, with or without cluster-scoped resources.
//!
//! In: a cluster and its limits. Out: a cluster of which nothing else is listed, watched, read or written: it is an error, never
//! "missing". What is listed for the whole cluster is listed in each of the namespaces. The Namespace objects of those namespaces
//! can be read and created, because a sync creates the namespace that it deploys to; they are never listed or deleted.
//!
//! Rules: Argo CD gitops-engine/pkg/cache/cluster.go, `processApi` (what is listed) and `GetManagedLiveObjs` (what is refused).

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, try_join_all};
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use super::layer;
use super::{
    Cluster, ClusterError, ClusterLabel, Deleted, Deletion, ListRequest, LogRequest, ObjectName, Predicted, Validation,
    Watched, Writing, Written,
};
use crate::object::{Gvk, Kinds, Object, Pointer, Scope};

/// What is managed of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespaceLimits {
    /// The namespaces; never empty.
    pub namespaces: BTreeSet<String>,
    /// Whether cluster-scoped resources are managed, too.
    pub cluster_resources: bool,
}

impl NamespaceLimits {
    /// Whether objects of a scope, in a namespace, are not managed.
    pub fn hide(&self, scope: Scope, namespace: &str) -> bool {
        match scope {
            Scope::Cluster => !self.cluster_resources,
            Scope::Namespaced => !self.namespaces.contains(namespace),
        }
    }

    fn words(&self) -> String {
        let names: Vec<String> = self.namespaces.iter().take(10).map(|name| format!("`{name}`")).collect();
        let more = self.namespaces.len() - names.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let noun = if self.namespaces.len() == 1 { "namespace" } else { "namespaces" };
        format!("{noun} {}{more}", names.join(", "))
    }
}

/// A cluster within limits.
pub(super) struct Limited {
    inner: Arc<dyn Cluster>,
    limits: NamespaceLimits,
    label: ClusterLabel,
    /// The kinds as they were last asked for, and what is managed of them.
    kinds: Mutex<Option<(Arc<Kinds>, Arc<Kinds>)>>,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// It is read, or created, or changed.
    Use,
    Delete,
}

impl Limited {
    pub(super) fn new(inner: Arc<dyn Cluster>, limits: NamespaceLimits, label: ClusterLabel) -> Self {
        Self { inner, limits, label, kinds: Mutex::default() }
    }

    fn refused(&self, object: String) -> ClusterError {
        ClusterError::NotManaged { cluster: self.label.clone(), object, limits: self.limits.words() }
    }

    /// Whether a kind is cluster-scoped; what is not served counts by whether it has a namespace.
    async fn scope(&self, gvk: &Gvk, namespace: &str) -> Result<Scope, ClusterError> {
        let by_namespace = if namespace.is_empty() { Scope::Cluster } else { Scope::Namespaced };
        Ok(self.inner.kinds().await?.scope(&gvk.group_kind()).unwrap_or(by_namespace))
    }

    async fn check(&self, gvk: &Gvk, namespace: &str, name: &str, access: Access) -> Result<(), ClusterError> {
        let scope = self.scope(gvk, namespace).await?;
        let is_own_namespace = gvk.group.is_empty() && gvk.kind == "Namespace" && self.limits.namespaces.contains(name);
        if !self.limits.hide(scope, namespace) || (is_own_namespace && access == Access::Use) {
            return Ok(());
        }
        Err(self.refused(match scope {
            Scope::Cluster => format!("cluster-scoped {} `{name}`", gvk.kind),
            Scope::Namespaced => format!("namespace `{namespace}` of {} `{name}`", gvk.kind),
        }))
    }

    async fn check_object(&self, object: &Object) -> Result<(), ClusterError> {
        self.check(&object.gvk(), object.namespace(), object.name(), Access::Use).await
    }

    async fn check_name(&self, object: &ObjectName, access: Access) -> Result<(), ClusterError> {
        self.check(&object.gvk, object.namespace.as_deref().unwrap_or_default(), &object.name, access).await
    }

    /// The LISTs that a LIST becomes.
    async fn lists(&self, request: &ListRequest) -> Result<Vec<ListRequest>, ClusterError> {
        let scope = self.scope(&request.gvk, request.namespace.as_deref().unwrap_or_default()).await?;
        match (scope, &request.namespace) {
            (Scope::Namespaced, None) => {
                let lists = self.limits.namespaces.iter();
                Ok(lists.map(|name| ListRequest { namespace: Some(name.clone()), ..request.clone() }).collect())
            }
            (Scope::Namespaced, Some(namespace)) if self.limits.hide(scope, namespace) => {
                Err(self.refused(format!("namespace `{namespace}`")))
            }
            (Scope::Cluster, _) if self.limits.hide(scope, "") => {
                Err(self.refused(format!("cluster-scoped {}", request.gvk.kind)))
            }
            _ => Ok(vec![request.clone()]),
        }
    }

    async fn list_managed(&self, request: &ListRequest) -> Result<Vec<Object>, ClusterError> {
        let lists = self.lists(request).await?;
        Ok(try_join_all(lists.iter().map(|request| self.inner.list(request))).await?.concat())
    }

    /// The kinds, those left out of a LIST that are not managed: whoever looks for objects of any kind looks for no such ones.
    fn managed(&self, kinds: Arc<Kinds>) -> Arc<Kinds> {
        if self.limits.cluster_resources {
            return kinds;
        }
        let mut known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((all, managed)) = &*known
            && Arc::ptr_eq(all, &kinds)
        {
            return Arc::clone(managed);
        }
        let managed = Arc::new(kinds.without_verbs(Scope::Cluster, &["list", "watch"]));
        *known = Some((kinds, Arc::clone(&managed)));
        managed
    }
}

impl Cluster for Limited {
    layer::forward_facts!();

    fn limits(&self) -> Option<&NamespaceLimits> {
        Some(&self.limits)
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        async move { Ok(self.managed(self.inner.kinds().await?)) }.boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        self.list_managed(request).boxed()
    }

    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        let opened = async move {
            match self.lists(&request).await {
                Ok(lists) if lists.len() == 1 => lists.into_iter().map(|list| self.inner.watch(list)).next(),
                Ok(_) => None,
                Err(error) => Some(stream::once(ready(Err(error))).chain(stream::pending()).boxed()),
            }
            .unwrap_or_else(|| {
                let error = self.refused("a watch of all namespaces".to_owned());
                stream::once(ready(Err(error))).chain(stream::pending()).boxed()
            })
        };
        stream::once(opened).flatten().boxed()
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        async move {
            self.check_name(object, Access::Use).await?;
            self.inner.get(object).await
        }
        .boxed()
    }

    fn logs<'a>(&'a self, request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>> {
        if self.limits.hide(Scope::Namespaced, &request.namespace) {
            return ready(Err(self.refused(format!("namespace `{}`", request.namespace)))).boxed();
        }
        self.inner.logs(request)
    }

    fn predict<'a>(&'a self, object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move {
            self.check_object(object).await?;
            self.inner.predict(object).await
        }
        .boxed()
    }

    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        async move {
            self.check_object(live).await?;
            self.inner.predict_without(live, places).await
        }
        .boxed()
    }

    fn rediscover_kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        async move { Ok(self.managed(self.inner.rediscover_kinds().await?)) }.boxed()
    }

    fn apply<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        async move {
            self.check_object(object).await?;
            self.inner.apply(object, validation, writing).await
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
            self.check_object(object).await?;
            self.inner.create(object, validation, writing).await
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
            self.check_object(object).await?;
            self.inner.replace(object, validation, writing).await
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
            self.check_name(object, Access::Use).await?;
            self.inner.patch(object, patch, writing).await
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
            self.check_name(object, Access::Delete).await?;
            self.inner.delete(object, deletion, writing).await
        }
        .boxed()
    }
}
