//! Writes down each write: who changed which object for which application, from what to what.
//!
//! In: the cluster of whoever executes a plan, and a file. Out: the same cluster, whose every write appends one JSON line when its answer
//! is there: a run that ends halfway has written down what it did. Hashes are of objects without what the server sets, and there are none
//! of Secrets: a short password could be guessed from its hash.
//!
//! Rule: docs/formats.md, "The audit log".

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::cluster::layer;
use crate::cluster::{Cluster, ClusterError, Deleted, Deletion, ObjectName, Validation, Writing, Written};
use crate::object::{Key, Object};

/// Where the lines go. One run has one, and each line is written whole.
pub struct AuditLog {
    writer: Mutex<Box<dyn Write + Send>>,
    failed: Mutex<Option<String>>,
}

impl std::fmt::Debug for AuditLog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AuditLog")
    }
}

impl AuditLog {
    /// Appends to this.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(writer), failed: Mutex::new(None) }
    }

    /// Why a line could not be written, if one could not.
    pub fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn append(&self, line: &AuditLine<'_>) {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writer.write_all(&bytes).and_then(|()| writer.flush()) {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.get_or_insert_with(|| error.to_string());
        }
    }
}

/// What every line of an application has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSubject {
    /// Who.
    pub by: String,
    /// The application, as `namespace/name` or the name alone.
    pub application: String,
    /// The revision of each source.
    pub revisions: Vec<String>,
}

/// One write. Keys are only ever added.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditLine<'line> {
    time: String,
    by: &'line str,
    application: &'line str,
    cluster: &'line str,
    revisions: &'line [String],
    verb: &'line str,
    object: AuditObject<'line>,
    /// Null where there was no object, or where it is a Secret.
    before: Option<String>,
    /// Null where there is no object any more, where nothing was written, or where it is a Secret.
    after: Option<String>,
    result: &'line str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'line str>,
}

#[derive(Serialize)]
struct AuditObject<'line> {
    group: &'line str,
    version: &'line str,
    kind: &'line str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'line str>,
    name: &'line str,
}

/// What is known of an object: the hash of what was last seen of it; nothing where it is not there.
type Known = HashMap<Key, Option<String>>;

/// A cluster that writes down what is written to it.
pub struct Audited<'cluster> {
    inner: &'cluster dyn Cluster,
    log: Arc<AuditLog>,
    subject: AuditSubject,
    known: Mutex<Known>,
}

/// How a write ended.
struct AuditedEnd {
    result: &'static str,
    message: Option<String>,
    after: Afterwards,
}

/// The object after a write.
enum Afterwards {
    /// Nothing was written, as far as is known.
    AsBefore,
    /// It is this; of a Secret there is no hash.
    Is(Option<String>),
    /// It is gone, or going.
    Gone,
}

impl<'cluster> Audited<'cluster> {
    /// The cluster for one application; `live` are the objects before the run.
    pub fn new<'live>(
        inner: &'cluster dyn Cluster,
        log: Arc<AuditLog>,
        subject: AuditSubject,
        live: impl IntoIterator<Item = &'live Object>,
    ) -> Self {
        let known = live.into_iter().map(|object| (object.key(), hash(object))).collect();
        Self { inner, log, subject, known: Mutex::new(known) }
    }

    fn record(&self, object: &ObjectName, verb: &str, end: &AuditedEnd) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = object.key();
        let was_there = known.contains_key(&key);
        let before = known.get(&key).cloned().flatten();
        let after = match &end.after {
            Afterwards::AsBefore => None,
            Afterwards::Is(hash) => {
                known.insert(key, hash.clone());
                hash.clone()
            }
            Afterwards::Gone => {
                known.remove(&key);
                None
            }
        };
        let verb = if verb == "apply" && !was_there { "create" } else { verb };
        self.log.append(&AuditLine {
            time: Timestamp::now().to_string(),
            by: &self.subject.by,
            application: &self.subject.application,
            cluster: self.inner.name(),
            revisions: &self.subject.revisions,
            verb,
            object: AuditObject {
                group: &object.gvk.group,
                version: &object.gvk.version,
                kind: &object.gvk.kind,
                namespace: object.namespace.as_deref(),
                name: &object.name,
            },
            before,
            after,
            result: end.result,
            message: end.message.as_deref(),
        });
    }

    fn written<'a>(
        &'a self,
        object: ObjectName,
        verb: &'static str,
        writing: Writing,
        write: BoxFuture<'a, Result<Written, ClusterError>>,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        if writing == Writing::DryRun {
            return write;
        }
        async move {
            let written = write.await;
            let end = match &written {
                Ok(Written::Done(now)) => {
                    AuditedEnd { result: "done", message: None, after: Afterwards::Is(hash(now)) }
                }
                Ok(Written::Refused(refusal)) => {
                    AuditedEnd { result: "refused", message: Some(refusal.words.clone()), after: Afterwards::AsBefore }
                }
                // Whether it was written is not known.
                Err(error) => {
                    AuditedEnd { result: "failed", message: Some(error.to_string()), after: Afterwards::AsBefore }
                }
            };
            // The server names what is made with `generateName`.
            let name = match &written {
                Ok(Written::Done(now)) => ObjectName { name: now.name().to_owned(), ..object },
                _ => object,
            };
            self.record(&name, verb, &end);
            written
        }
        .boxed()
    }
}

fn name_of(object: &Object) -> ObjectName {
    let namespace = Some(object.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectName { gvk: object.gvk(), namespace, name: object.name().to_owned() }
}

/// Metadata that the server sets.
const SERVERS_OWN: [&str; 8] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// SHA-256 of an object as JSON, whose keys are sorted, without what the server sets; nothing of a Secret.
fn hash(object: &Object) -> Option<String> {
    if object.gvk().group.is_empty() && object.kind() == "Secret" {
        return None;
    }
    let mut value = object.to_value();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|field, _| !SERVERS_OWN.contains(&field.as_str()));
        }
    }
    Some(format!("sha256:{:x}", Bytes::copy_from_slice(&Sha256::digest(value.to_string()))))
}

impl Cluster for Audited<'_> {
    layer::forward_facts!();
    layer::forward_reads!();

    fn apply<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.written(name_of(object), "apply", writing, self.inner.apply(object, validation, writing))
    }

    fn create<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.written(name_of(object), "create", writing, self.inner.create(object, validation, writing))
    }

    fn replace<'a>(
        &'a self,
        object: &'a Object,
        validation: Validation,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.written(name_of(object), "replace", writing, self.inner.replace(object, validation, writing))
    }

    fn patch<'a>(
        &'a self,
        object: &'a ObjectName,
        patch: &'a Value,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Written, ClusterError>> {
        self.written(object.clone(), "patch", writing, self.inner.patch(object, patch, writing))
    }

    fn delete<'a>(
        &'a self,
        object: &'a ObjectName,
        deletion: &'a Deletion,
        writing: Writing,
    ) -> BoxFuture<'a, Result<Deleted, ClusterError>> {
        async move {
            let deleted = self.inner.delete(object, deletion, writing).await;
            let end = match &deleted {
                Ok(Deleted::Gone) => AuditedEnd { result: "done", message: None, after: Afterwards::Gone },
                Ok(Deleted::Going) => AuditedEnd { result: "pending", message: None, after: Afterwards::Gone },
                Ok(Deleted::Absent) => AuditedEnd { result: "absent", message: None, after: Afterwards::Gone },
                Ok(Deleted::Refused(refusal)) => {
                    AuditedEnd { result: "refused", message: Some(refusal.words.clone()), after: Afterwards::AsBefore }
                }
                Err(error) => {
                    AuditedEnd { result: "failed", message: Some(error.to_string()), after: Afterwards::AsBefore }
                }
            };
            if writing == Writing::Really {
                self.record(object, "delete", &end);
            }
            deleted
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A hash says whether an object changed, not when it was read; of a Secret there is none to try passwords against.
    #[test]
    fn hashes_are_of_what_people_set() {
        let hashed = |value: Value| hash(&Object::new(value).unwrap());
        let map = |metadata: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1", "b": "2"}});
        let plain = hashed(map(json!({"name": "a"})));
        assert_eq!(plain, hashed(map(json!({"name": "a", "uid": "1", "resourceVersion": "7", "managedFields": []}))));
        assert_ne!(plain, hashed(map(json!({"name": "a", "labels": {"a": "b"}}))));
        assert!(plain.unwrap().starts_with("sha256:"));
        assert_eq!(
            hashed(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": "MQ=="}})),
            None
        );
    }
}
