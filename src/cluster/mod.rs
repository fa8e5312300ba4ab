//! What is: a Kubernetes API server, or a folder of manifests, behind one trait.
//!
//! In: kinds and namespaces to list and to watch, objects to predict. Out: live objects, what becomes of them, [`Kinds`],
//! predictions, and how many requests it took. A failed read is an error, never "missing".

mod access;
mod clusters;
mod error;
pub mod folder;
pub mod kubernetes;
mod label;
pub(crate) mod layer;
mod limited;
pub mod settings;
mod watch;
mod write;

pub use access::{AccessNeed, ClusterUser};
pub use clusters::{Clusters, KnownCluster, KnownFrom};
pub use error::{Cause, ClusterError, Denial};
pub use label::ClusterLabel;
pub use limited::NamespaceLimits;
pub use settings::{ClusterEnvironment, ClusterSettings};
pub use watch::{Listed, Watched, Watching};
pub use write::{Deleted, Deletion, Propagation, Reason, Refusal, Validation, Writing, Written};

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use serde_json::Value;

use crate::object::{Gvk, Key, Kinds, Object, Pointer};

/// How many requests went to a cluster, by purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Discovery and version.
    pub discovery: u64,
    /// LISTs, each page counted.
    pub list: u64,
    /// GETs of single objects, and of logs.
    pub get: u64,
    /// Dry runs.
    pub dry_run: u64,
    /// `OpenAPI` documents.
    pub openapi: u64,
    /// Questions about what the account may do.
    pub access: u64,
    /// Writes: what was applied, made, replaced, patched or deleted, dry runs left out.
    pub write: u64,
    /// Watches, each time one is opened.
    pub watch: u64,
}

impl std::ops::Add for Requests {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            discovery: self.discovery + other.discovery,
            list: self.list + other.list,
            get: self.get + other.get,
            dry_run: self.dry_run + other.dry_run,
            openapi: self.openapi + other.openapi,
            access: self.access + other.access,
            write: self.write + other.write,
            watch: self.watch + other.watch,
        }
    }
}

/// The objects to list: one kind, in some namespaces or everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListRequest {
    /// The kind, in the version that git writes (or the preferred one).
    pub gvk: Gvk,
    /// This namespace only; `None` is the whole cluster.
    pub namespace: Option<String>,
    /// Whether only `apiVersion`, `kind` and `metadata` are wanted, as when looking for extras.
    pub metadata_only: bool,
}

/// One object by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// The kind, in the version that it is wanted in.
    pub gvk: Gvk,
    /// The namespace; `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectName {
    /// Its identity.
    pub fn key(&self) -> Key {
        Key {
            group: self.gvk.group.clone(),
            kind: self.gvk.kind.clone(),
            namespace: self.namespace.clone().unwrap_or_default(),
            name: self.name.clone(),
        }
    }
}

/// `Deployment shop/web`, `Namespace shop`.
impl std::fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} {namespace}/{}", self.gvk.kind, self.name),
            None => write!(formatter, "{} {}", self.gvk.kind, self.name),
        }
    }
}

/// The log of one container of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LogRequest {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether that of the container before its last restart is meant.
    pub previous: bool,
    /// So many lines at most, from the end.
    pub lines: u16,
}

/// The API server's prediction for an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicted {
    /// The object as it would be after applying.
    Object(Box<Object>),
    /// Nothing can be predicted here: a folder, or an account that cannot patch; with the reason.
    Unavailable(String),
    /// The server refuses the object, with its words: it would be refused on sync, too.
    Refused(String),
}

/// The answer of a cluster, when it is there.
pub type ClusterFuture<'a, T> = BoxFuture<'a, Result<T, ClusterError>>;

/// A place where live objects are.
pub trait Cluster: Send + Sync {
    /// The name in a report: a server's URL, a folder.
    fn name(&self) -> &str;

    /// Whether anybody makes what is written work: in a folder nothing ever becomes healthy, and no hook ever runs.
    fn is_alive(&self) -> bool {
        true
    }

    /// Every kind it serves. Asked once for each run; the answer is kept.
    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>>;

    /// Live objects of one kind. A kind that is not served is an empty list.
    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>>;

    /// The objects of one kind and their changes, until the stream is dropped: it never ends by itself.
    ///
    /// The first item says what is there, or why that cannot be known. An error later says that what is known may be out
    /// of date: the cluster is asked again and again, with growing pauses, and the next item is [`Watched::Listed`] again.
    /// Nothing is asked before the stream is polled, and while nobody polls it nothing is missed.
    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>>;

    /// One object, for when its kind is not listed anyway; nothing when there is no such object.
    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>>;

    /// The last lines that a container has written; nothing in a folder.
    fn logs<'a>(&'a self, request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>>;

    /// The server's prediction for this object (server-side apply, dry run, manager `trueup`, conflicts forced).
    fn predict<'a>(&'a self, object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>>;

    /// The server's prediction for a live object without what it holds at these places (JSON patch, dry run): a default
    /// comes back. Nothing is predicted where the object has changed meanwhile.
    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>>;

    /// The `OpenAPI` v3 document that describes a kind; nothing where there is none. Asked only where nothing can be
    /// predicted.
    fn schema<'a>(&'a self, kind: &'a Gvk) -> BoxFuture<'a, Result<Option<Arc<Value>>, ClusterError>>;

    /// Every kind it serves now, asked again: a CRD was just written.
    fn rediscover_kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>>;

    /// Applies an object server-side, as manager `trueup`, conflicts forced: made if it is not there.
    fn apply<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>>;

    /// Makes a new object; with `generateName` the answer has its name.
    fn create<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>>;

    /// Puts an object in the place of the one of its name; when it has a `resourceVersion`, only in that one's place.
    fn replace<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>>;

    /// Changes an object by a JSON patch (RFC 6902).
    fn patch<'a>(
        &'a self,
        object: &'a ObjectName,
        patch: &'a Value,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>>;

    /// Deletes an object.
    fn delete<'a>(
        &'a self,
        object: &'a ObjectName,
        deletion: &'a Deletion,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Deleted, ClusterError>>;

    /// Its version, asked now: whether the cluster answers. A folder always does.
    fn version(&self) -> BoxFuture<'_, Result<String, ClusterError>> {
        async move { Ok(self.kinds().await?.server_version.clone()) }.boxed()
    }

    /// The part of the cluster that is managed; nothing where all of it is.
    fn limits(&self) -> Option<&NamespaceLimits> {
        None
    }

    /// The user and the groups that the cluster takes us for; nothing where that cannot be known. Asked once; the answer is kept.
    fn user(&self) -> BoxFuture<'_, Option<ClusterUser>> {
        std::future::ready(None).boxed()
    }

    /// Whether the account may do each of these, in a namespace or in the whole cluster; nothing where that cannot be known.
    fn permits<'a>(
        &'a self,
        needs: &'a [AccessNeed],
        _namespace: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<Option<bool>>, ClusterError>> {
        std::future::ready(Ok(vec![None; needs.len()])).boxed()
    }

    /// How many requests were sent until now.
    fn requests(&self) -> Requests;

    /// Things worth reading that are not errors of one application (for example a broken aggregated API), by subject.
    fn remarks(&self) -> BTreeMap<String, String>;
}

/// Every object of some kinds in one namespace.
pub async fn list_kinds(
    cluster: &dyn Cluster,
    kinds: impl IntoIterator<Item = Gvk>,
    namespace: &str,
) -> Result<Vec<Object>, ClusterError> {
    let mut objects = Vec::new();
    for gvk in kinds {
        let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
        objects.extend(cluster.list(&request).await?);
    }
    Ok(objects)
}

/// The fields of an object in a metadata-only LIST: `apiVersion`, `kind` and `metadata`.
fn reduce_to_metadata(object: &Object) -> Object {
    let mut reduced = object.clone();
    reduced.value_mut().retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata"));
    reduced
}
