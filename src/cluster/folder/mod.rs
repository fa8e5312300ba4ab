//! A cluster that is a folder: `kubectl get -o yaml` dumps, Lists, any file layout.
//!
//! In: a folder. Out: the same answers as an API server gives, without requests: objects by kind, [`Kinds`] from the
//! table of this build and the `CustomResourceDefinition`s in the folder; and files written, for the rendered-manifests
//! pattern. What is applied is what the file holds then: there is nobody else whose fields would be merged.
//!
//! ```text
//! files ─ read ─► View ◄─ put ─ store ─► files        text: one file's text   names: where a new object stands
//! ```

mod names;
mod read;
mod rendered;
mod store;
mod text;
mod view;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::BoxStream;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::store::{FolderWrite, Store};
use super::{
    Cluster, ClusterError, Deleted, Deletion, ListRequest, LogRequest, ObjectName, Predicted, Requests, Validation,
    Watched, Writing, Written,
};
use crate::object::{Gvk, Key, Kinds, Object, Pointer, Scope};

/// The letters of generated names: no vowels, so that no words come out.
const NAME_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A folder of manifests.
#[derive(Debug)]
pub struct Folder {
    name: String,
    store: Arc<Store>,
    /// When it was last looked at; held while somebody looks.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

impl Folder {
    /// Reads every YAML and JSON file of a folder.
    pub fn open(folder: &Path) -> Result<Self, ClusterError> {
        let store = Arc::new(Store::open(folder)?);
        Ok(Self { name: folder.display().to_string(), store, looked: tokio::sync::Mutex::default() })
    }

    /// Files are read and written on a thread that may wait.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ClusterError> + Send + 'static,
    ) -> Result<T, ClusterError> {
        let store = Arc::clone(&self.store);
        let stopped =
            |_| ClusterError::Folder { folder: self.name.clone().into(), problem: "its thread stopped".to_owned() };
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(stopped)?
    }

    async fn write(&self, change: FolderWrite, writing: Writing) -> Result<Written, ClusterError> {
        self.aside(move |store| store.write(change, writing)).await
    }

    /// A namespaced object without a namespace lives in `default`.
    fn key(&self, object: &ObjectName) -> Key {
        let kind = object.gvk.group_kind();
        let scope = self.store.view().kinds.scope(&kind);
        let namespace = match (scope, &object.namespace) {
            (Some(Scope::Cluster), _) => String::new(),
            (Some(Scope::Namespaced), None) => "default".to_owned(),
            (_, namespace) => namespace.clone().unwrap_or_default(),
        };
        Key { group: kind.group, kind: kind.kind, namespace, name: object.name.clone() }
    }
}

impl Cluster for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_alive(&self) -> bool {
        false
    }

    fn kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        ready(Ok(Arc::clone(&self.store.view().kinds))).boxed()
    }

    fn list<'a>(&'a self, request: &'a ListRequest) -> BoxFuture<'a, Result<Vec<Object>, ClusterError>> {
        ready(Ok(self.store.view().select(request))).boxed()
    }

    fn watch(&self, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
        self.watched(request)
    }

    fn get<'a>(&'a self, object: &'a ObjectName) -> BoxFuture<'a, Result<Option<Object>, ClusterError>> {
        let key = self.key(object);
        self.aside(move |store| store.get(&key)).boxed()
    }

    fn predict<'a>(&'a self, _object: &'a Object) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        ready(Ok(Predicted::Unavailable("a folder cannot be asked".to_owned()))).boxed()
    }

    fn predict_without<'a>(
        &'a self,
        live: &'a Object,
        _places: &'a [Pointer],
    ) -> BoxFuture<'a, Result<Predicted, ClusterError>> {
        self.predict(live)
    }

    fn logs<'a>(&'a self, _request: &'a LogRequest) -> BoxFuture<'a, Result<String, ClusterError>> {
        ready(Ok(String::new())).boxed()
    }

    fn schema<'a>(&'a self, _kind: &'a Gvk) -> BoxFuture<'a, Result<Option<Arc<Value>>, ClusterError>> {
        ready(Ok(None)).boxed()
    }

    /// The written objects are known already.
    fn rediscover_kinds(&self) -> BoxFuture<'_, Result<Arc<Kinds>, ClusterError>> {
        self.kinds()
    }

    fn apply<'a>(
        &'a self,
        object: &'a Object,
        _validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.write(FolderWrite::Apply(object.clone()), writing).boxed()
    }

    fn create<'a>(
        &'a self,
        object: &'a Object,
        _validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.write(FolderWrite::Create(named(object)), writing).boxed()
    }

    fn replace<'a>(
        &'a self,
        object: &'a Object,
        _validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.write(FolderWrite::Replace(object.clone()), writing).boxed()
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectName,
        patch: &'a Value,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.write(FolderWrite::Patch(self.key(object), patch.clone()), writing).boxed()
    }

    fn delete<'a>(
        &'a self,
        object: &'a ObjectName,
        deletion: &'a Deletion,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Deleted, ClusterError>> {
        let (key, deletion) = (self.key(object), deletion.clone());
        self.aside(move |store| store.delete(&key, &deletion, writing)).boxed()
    }

    fn requests(&self) -> Requests {
        Requests::default()
    }

    fn remarks(&self) -> BTreeMap<String, String> {
        self.store.view().remarks.clone()
    }
}

/// The object with a name, as the server makes one up from `generateName`.
fn named(object: &Object) -> Object {
    let mut object = object.clone();
    if object.name().is_empty() && !object.generate_name().is_empty() {
        let letters = (0..5).map(|_| char::from(NAME_LETTERS[fastrand::usize(..NAME_LETTERS.len())]));
        let name = format!("{}{}", object.generate_name(), letters.collect::<String>());
        if let Some(Value::Object(metadata)) = object.value_mut().get_mut("metadata") {
            metadata.insert("name".to_owned(), json!(name));
            metadata.remove("generateName");
        }
    }
    object
}
