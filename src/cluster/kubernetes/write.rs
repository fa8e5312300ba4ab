//! Writes one object: applies, makes, replaces, patches, deletes it; or asks whether that could be done.
//!
//! In: an object or its name. Out: the object as the server has it now, or why it does not take it. What passes by itself
//! is tried again. A write that had no answer and is found done on the second attempt is done.
//!
//! Rules: KEP-555 (server-side apply), Kubernetes API concepts; `metav1.DeleteOptions`; kubectl `replace`, which reads the
//! version of an object first, because some kinds take no replacement without one.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::connection::{ApiAnswer, Ask, Connection, Repeat, RequestPurpose};
use super::refusal::refusal;
use super::repeated::holds;
use super::status::ApiStatus;
use super::subject::ApiSubject;
use super::unknown_fields;
use crate::cluster::write::storable;
use crate::cluster::{
    ClusterError, Deleted, Deletion, ObjectName, Propagation, Reason, Refusal, Validation, Writing, Written,
};
use crate::object::annotations::FIELD_MANAGER;
use crate::object::{Gvk, KindFacts, Kinds, Object};

/// JSON is YAML, too.
const APPLY_PATCH: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";
/// How often an object is tried that somebody else writes at the same moment.
pub(super) const CONFLICTS: u32 = 5;

/// Everything that writes to one server.
pub(super) struct ObjectWriter<'a> {
    pub(super) connection: &'a Connection,
    pub(super) kinds: &'a Kinds,
    pub(super) writing: Writing,
}

impl ObjectWriter<'_> {
    /// Applies an object server-side, conflicts forced.
    pub(super) async fn apply(&self, object: &Object, validation: Validation) -> Result<Written, ClusterError> {
        let facts = match self.facts(&object.gvk()) {
            Ok(facts) => facts,
            Err(refusal) => return Ok(Written::Refused(refusal)),
        };
        if object.name().is_empty() {
            return Ok(Written::Refused(nameless()));
        }
        let subject = ApiSubject::of(facts, object);
        let mut content = storable(object);
        let mut tries = 1;
        loop {
            let ask = apply_ask(&subject, &content, parameter(validation), self.writing);
            let answer = self.connection.send(&ask).await?;
            if validation == Validation::Ignore
                && let Some(known) = without_unknown_fields(&content, &answer)
            {
                content = known;
                continue;
            }
            let written = self.written(&subject, &ask, &answer)?;
            // Managers do not conflict where that is forced: this is somebody who writes it at the same moment.
            let is_overtaken =
                matches!(&written, Written::Refused(Refusal { reason: Reason::Conflict | Reason::AlreadyExists, .. }));
            if tries == CONFLICTS || !is_overtaken {
                return Ok(written);
            }
            tries += 1;
        }
    }

    /// Makes a new object.
    pub(super) async fn create(&self, object: &Object, validation: Validation) -> Result<Written, ClusterError> {
        let facts = match self.facts(&object.gvk()) {
            Ok(facts) => facts,
            Err(refusal) => return Ok(Written::Refused(refusal)),
        };
        let subject = ApiSubject::of(facts, object);
        let content = storable(object);
        let path = format!("{}?{}", subject.collection(), query(parameter(validation), self.writing));
        // The server generates a new name each time.
        let repeat = if object.name().is_empty() { Repeat::WhenNotDone } else { Repeat::Freely };
        let ask = Ask { repeat, ..self.ask(Method::POST, path, JSON, &content) };
        let mut tries = 1;
        loop {
            let written = self.write_once(&subject, &ask, &content, Reason::AlreadyExists).await?;
            // Nobody else has the object: it is the namespace's quota that somebody uses at the same moment.
            if tries == CONFLICTS || !is_conflict(&written) {
                return Ok(written);
            }
            tries += 1;
        }
    }

    /// Puts an object in the place of the one of its name.
    pub(super) async fn replace(&self, object: &Object, validation: Validation) -> Result<Written, ClusterError> {
        let facts = match self.facts(&object.gvk()) {
            Ok(facts) => facts,
            Err(refusal) => return Ok(Written::Refused(refusal)),
        };
        if object.name().is_empty() {
            return Ok(Written::Refused(nameless()));
        }
        let subject = ApiSubject::of(facts, object);
        if !object.resource_version().is_empty() {
            return self.replace_version(&subject, object, object.resource_version(), validation).await;
        }
        let mut tries = 1;
        loop {
            let live = match self.read(&subject).await? {
                Ok(live) => live,
                Err(refusal) => return Ok(Written::Refused(refusal)),
            };
            let written = self.replace_version(&subject, object, live.resource_version(), validation).await?;
            if tries == CONFLICTS || !is_conflict(&written) {
                return Ok(written);
            }
            tries += 1;
        }
    }

    async fn replace_version(
        &self,
        subject: &ApiSubject<'_>,
        object: &Object,
        version: &str,
        validation: Validation,
    ) -> Result<Written, ClusterError> {
        let mut content = storable(object);
        content["metadata"]["resourceVersion"] = json!(version);
        let path = format!("{}?{}", subject.path(), query(parameter(validation), self.writing));
        let ask = self.ask(Method::PUT, path, JSON, &content);
        self.write_once(subject, &ask, &content, Reason::Conflict).await
    }

    /// Changes an object by a JSON patch.
    pub(super) async fn patch(&self, object: &ObjectName, patch: &Value) -> Result<Written, ClusterError> {
        let facts = match self.facts(&object.gvk) {
            Ok(facts) => facts,
            Err(refusal) => return Ok(Written::Refused(refusal)),
        };
        let subject = ApiSubject::named(facts, object);
        let ask = patch_ask(&subject, patch, self.writing);
        self.write(&subject, &ask).await
    }

    /// Deletes an object.
    pub(super) async fn delete(&self, object: &ObjectName, deletion: &Deletion) -> Result<Deleted, ClusterError> {
        let Ok(facts) = self.facts(&object.gvk) else { return Ok(Deleted::Absent) };
        let subject = ApiSubject::named(facts, object);
        let path = match self.writing {
            Writing::Really => subject.path(),
            // The options say it, too; this is for who reads a log of requests.
            Writing::DryRun => format!("{}?dryRun=All", subject.path()),
        };
        let ask = self.ask(Method::DELETE, path, JSON, &self.delete_options(deletion));
        let answer = self.connection.send(&ask).await?;
        let status = ApiStatus::read(&answer.body);
        if answer.status.is_success() {
            return Ok(if status.is_some() || !is_going(&answer) { Deleted::Gone } else { Deleted::Going });
        }
        let refusal = refusal(&subject, answer.status, status.as_ref(), "delete");
        let refusal = refusal.ok_or_else(|| self.no_answer(&subject, &ask, &answer))?;
        Ok(match refusal.reason {
            Reason::NotFound | Reason::NotServed if answer.is_repeated => Deleted::Gone,
            Reason::NotFound | Reason::NotServed | Reason::NoNamespace => Deleted::Absent,
            // The registry and the storage say it in words of their own: `UID in precondition`, `UID in the precondition`.
            Reason::Conflict if refusal.words.contains("UID in ") => Deleted::Absent,
            _ => Deleted::Refused(refusal),
        })
    }

    fn delete_options(&self, deletion: &Deletion) -> Value {
        let propagation = match deletion.propagation {
            Propagation::Foreground => "Foreground",
            Propagation::Background => "Background",
            Propagation::Orphan => "Orphan",
        };
        let mut preconditions = serde_json::Map::new();
        preconditions.extend(deletion.uid.iter().map(|uid| ("uid".to_owned(), json!(uid))));
        preconditions
            .extend(deletion.resource_version.iter().map(|version| ("resourceVersion".to_owned(), json!(version))));
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": propagation, "preconditions": preconditions,
        });
        if self.writing == Writing::DryRun {
            options["dryRun"] = json!(["All"]);
        }
        options
    }

    fn facts(&self, gvk: &Gvk) -> Result<&KindFacts, Refusal> {
        self.kinds.exact(gvk).ok_or_else(|| not_served(self.kinds, gvk))
    }

    fn ask(&self, method: Method, path: String, kind: &'static str, content: &Value) -> Ask {
        Ask {
            purpose: purpose(self.writing),
            method,
            path,
            accept: JSON,
            content: Some((kind, Bytes::from(content.to_string()))),
            repeat: Repeat::Freely,
        }
    }

    async fn write(&self, subject: &ApiSubject<'_>, ask: &Ask) -> Result<Written, ClusterError> {
        let answer = self.connection.send(ask).await?;
        self.written(subject, ask, &answer)
    }

    /// Writes what can only be written once: when the first attempt had no answer and the second one is refused like this,
    /// the first one may have been done.
    async fn write_once(
        &self,
        subject: &ApiSubject<'_>,
        ask: &Ask,
        content: &Value,
        second: Reason,
    ) -> Result<Written, ClusterError> {
        let answer = self.connection.send(ask).await?;
        let written = self.written(subject, ask, &answer)?;
        if answer.is_repeated
            && matches!(&written, Written::Refused(refusal) if refusal.reason == second)
            && let Ok(live) = self.read(subject).await?
            && holds(&live, content)
        {
            return Ok(Written::Done(Box::new(live)));
        }
        Ok(written)
    }

    async fn read(&self, subject: &ApiSubject<'_>) -> Result<Result<Object, Refusal>, ClusterError> {
        let ask = Ask::get(RequestPurpose::Get, subject.path());
        let answer = self.connection.send(&ask).await?;
        Ok(match self.written(subject, &ask, &answer)? {
            Written::Done(live) => Ok(*live),
            Written::Refused(refusal) => Err(refusal),
        })
    }

    fn written(&self, subject: &ApiSubject<'_>, ask: &Ask, answer: &ApiAnswer) -> Result<Written, ClusterError> {
        if answer.status.is_success() {
            return object_of(self.connection, ask, answer).map(|object| Written::Done(Box::new(object)));
        }
        let status = ApiStatus::read(&answer.body);
        let refusal = refusal(subject, answer.status, status.as_ref(), verb(&ask.method));
        refusal.map(Written::Refused).ok_or_else(|| self.no_answer(subject, ask, answer))
    }

    fn no_answer(&self, subject: &ApiSubject<'_>, ask: &Ask, answer: &ApiAnswer) -> ClusterError {
        no_answer(self.connection, subject, ask, answer)
    }
}

/// Smaller each time, until there is nothing that the server does not know.
fn without_unknown_fields(content: &Value, answer: &ApiAnswer) -> Option<Value> {
    let status = ApiStatus::read(&answer.body).filter(ApiStatus::is_typed_patch_fault)?;
    unknown_fields::without(content, &status.message)
}

/// The request that changes an object by a JSON patch.
pub(super) fn patch_ask(subject: &ApiSubject<'_>, patch: &Value, writing: Writing) -> Ask {
    Ask {
        purpose: purpose(writing),
        method: Method::PATCH,
        path: format!("{}?{}", subject.path(), query("Strict", writing)),
        accept: JSON,
        content: Some(("application/json-patch+json", Bytes::from(patch.to_string()))),
        // What names the version that it changes fails the second time, where it was done the first time.
        repeat: if names_version(patch) { Repeat::Freely } else { Repeat::WhenNotDone },
    }
}

/// The request that applies an object.
pub(super) fn apply_ask(subject: &ApiSubject<'_>, content: &Value, validation: &str, writing: Writing) -> Ask {
    Ask {
        purpose: purpose(writing),
        method: Method::PATCH,
        path: format!("{}?force=true&{}", subject.path(), query(validation, writing)),
        accept: JSON,
        content: Some((APPLY_PATCH, Bytes::from(content.to_string()))),
        repeat: Repeat::Freely,
    }
}

/// The object in an answer.
pub(super) fn object_of(connection: &Connection, ask: &Ask, answer: &ApiAnswer) -> Result<Object, ClusterError> {
    let object = crate::object::json::read(&answer.body).ok().and_then(|value| Object::new(value).ok());
    object.ok_or_else(|| connection.broken(ask, "it is not an object"))
}

/// The error of an answer that is neither an object nor a refusal.
pub(super) fn no_answer(
    connection: &Connection,
    subject: &ApiSubject<'_>,
    ask: &Ask,
    answer: &ApiAnswer,
) -> ClusterError {
    if subject.is_secret() && ApiStatus::read(&answer.body).is_some() {
        connection.refused_without_words(ask, answer)
    } else {
        connection.refused(ask, answer)
    }
}

/// Why a kind cannot be written.
pub(super) fn not_served(kinds: &Kinds, gvk: &Gvk) -> Refusal {
    let broken = kinds.unavailable.iter().find(|(api, _)| Gvk::from_api_version(api, "").group == gvk.group);
    let words = match broken {
        None => format!("the server does not serve `{gvk}`"),
        Some((api, why)) => format!("`{api}` is not available: {why}"),
    };
    Refusal { reason: Reason::NotServed, words, fields: Vec::new() }
}

fn is_conflict(written: &Written) -> bool {
    matches!(written, Written::Refused(refusal) if refusal.reason == Reason::Conflict)
}

fn nameless() -> Refusal {
    let words = "an object that only has `generateName` can only be created".to_owned();
    Refusal { reason: Reason::Invalid, words, fields: Vec::new() }
}

fn purpose(writing: Writing) -> RequestPurpose {
    match writing {
        Writing::Really => RequestPurpose::Write,
        Writing::DryRun => RequestPurpose::DryRun,
    }
}

fn parameter(validation: Validation) -> &'static str {
    match validation {
        Validation::Strict => "Strict",
        Validation::Ignore => "Ignore",
    }
}

fn query(validation: &str, writing: Writing) -> String {
    let dry_run = match writing {
        Writing::Really => "",
        Writing::DryRun => "&dryRun=All",
    };
    format!("fieldManager={FIELD_MANAGER}&fieldValidation={validation}{dry_run}")
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::GET => "get",
        _ => "patch",
    }
}

/// Whether a patch holds for one version of the object only, so that it cannot be done twice.
fn names_version(patch: &Value) -> bool {
    patch.as_array().into_iter().flatten().any(|operation| {
        let is = |field: &str, text: &str| operation.get(field).and_then(Value::as_str) == Some(text);
        is("path", "/metadata/resourceVersion") && (is("op", "test") || is("op", "replace"))
    })
}

/// Whether the object that a deletion answers with is still there, waiting for its finalizers. Some kinds answer with the
/// object that is gone.
fn is_going(answer: &ApiAnswer) -> bool {
    answer.status == StatusCode::ACCEPTED
        || serde_json::from_slice::<Value>(&answer.body)
            .is_ok_and(|object| object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null()))
}
