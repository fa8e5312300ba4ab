//! Asks the server what it would make of an object: a server-side apply that is a dry run; or a JSON patch that is one, to
//! see what comes back by itself.
//!
//! In: an object of git; or a live one, and places in it. Out: the object as it would be, a refusal in the server's words, or
//! the reason why it cannot be asked. Nothing is written. Of a Secret the server's words are left out: they can hold its values.
//!
//! Rules: KEP-555 (server-side apply), RFC 6902 (JSON patch), Kubernetes API concepts, "Dry-run".

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::connection::{Answer, Ask, Connection, Purpose};
use super::path::{resource_name, resource_path};
use super::rights::Rights;
use super::status::Status;
use crate::cluster::{ClusterError, Predicted};
use crate::object::{KindFacts, Kinds, Object, Pointer, Scope};

/// The manager is trueup's; conflicts are forced, as a sync would; unknown fields are warnings, as in `kubectl apply`.
const APPLY: &str = "dryRun=All&fieldManager=trueup&force=true&fieldValidation=Warn";
const PATCH: &str = "dryRun=All&fieldManager=trueup";
/// What the server says of an object and git must not.
const SERVERS_OWN: [&str; 6] =
    ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"];
/// How often an object is tried that somebody else writes at the same moment.
const CONFLICTS: u32 = 3;

/// Asks the server what it would make of an object.
pub(super) async fn predict(
    connection: &Connection,
    rights: &Rights,
    kinds: &Kinds,
    object: &Object,
) -> Result<Predicted, ClusterError> {
    let prediction = match Prediction::prepare(connection, rights, kinds, object).await {
        Ok(prediction) => prediction,
        Err(unpredicted) => return Ok(unpredicted),
    };
    // JSON is YAML, too.
    let ask = prediction.ask("application/apply-patch+yaml", APPLY, &appliable(object));
    let mut answer = connection.send(&ask).await?;
    for _ in 1..CONFLICTS {
        if answer.status != StatusCode::CONFLICT {
            break;
        }
        answer = connection.send(&ask).await?;
    }
    prediction.read(&ask, &answer)
}

/// Asks the server what it would make of a live object without what it holds at some places.
pub(super) async fn predict_without(
    connection: &Connection,
    rights: &Rights,
    kinds: &Kinds,
    live: &Object,
    places: &[Pointer],
) -> Result<Predicted, ClusterError> {
    let prediction = match Prediction::prepare(connection, rights, kinds, live).await {
        Ok(prediction) => prediction,
        Err(unpredicted) => return Ok(unpredicted),
    };
    let ask = prediction.ask("application/json-patch+json", PATCH, &removal(live, places));
    prediction.read(&ask, &connection.send(&ask).await?)
}

/// A patch that takes out these places, and fails where the object is no longer the one that was seen.
fn removal(live: &Object, places: &[Pointer]) -> Value {
    let mut places: Vec<&Pointer> = places.iter().collect();
    // From the end, so that the items of lists keep their numbers until it is their turn.
    places.sort_by(|one, other| other.place_order(one));
    places.dedup();
    let version = live.metadata().and_then(|metadata| metadata.get("resourceVersion"));
    let test = version.map(|version| json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
    let remove = |place: &&Pointer| json!({"op": "remove", "path": place.to_string()});
    test.into_iter().chain(places.iter().map(remove)).collect()
}

struct Prediction<'a> {
    connection: &'a Connection,
    facts: &'a KindFacts,
    object: &'a Object,
}

impl<'a> Prediction<'a> {
    /// What is to be known before anything is asked; the answer itself where there is nothing to ask.
    async fn prepare(
        connection: &'a Connection,
        rights: &Rights,
        kinds: &'a Kinds,
        object: &'a Object,
    ) -> Result<Self, Predicted> {
        let gvk = object.gvk();
        let Some(facts) = kinds.exact(&gvk) else {
            return Err(Predicted::Refused(format!("the server does not serve `{gvk}`")));
        };
        if !facts.is_patchable() {
            return Err(Predicted::Unavailable(format!("`{}` cannot be patched", resource_name(facts))));
        }
        if object.name().is_empty() {
            return Err(Predicted::Unavailable("an object that only has `generateName` cannot be applied".to_owned()));
        }
        let prediction = Self { connection, facts, object };
        match rights.denial(connection, facts, prediction.namespace()).await {
            Some(denial) => Err(Predicted::Unavailable(denial.to_string())),
            None => Ok(prediction),
        }
    }

    fn namespace(&self) -> Option<&str> {
        match (self.facts.scope, self.object.namespace()) {
            (Scope::Cluster, _) => None,
            (Scope::Namespaced, "") => Some("default"),
            (Scope::Namespaced, namespace) => Some(namespace),
        }
    }

    fn ask(&self, content_type: &'static str, query: &str, content: &Value) -> Ask {
        let path = resource_path(self.facts, self.namespace(), Some(self.object.name()));
        Ask {
            purpose: Purpose::DryRun,
            method: Method::PATCH,
            path: format!("{path}?{query}"),
            accept: "application/json",
            content: Some((content_type, Bytes::from(content.to_string()))),
        }
    }

    fn read(&self, ask: &Ask, answer: &Answer) -> Result<Predicted, ClusterError> {
        if answer.status.is_success() {
            let object = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|value| Object::new(value).ok());
            let object = object.ok_or_else(|| self.connection.broken(ask, "it is no object"))?;
            return Ok(Predicted::Object(Box::new(object)));
        }
        let Some(status) = Status::read(&answer.body) else { return Err(self.connection.refused(ask, answer)) };
        match answer.status {
            StatusCode::FORBIDDEN if status.denied_user().is_some() => {
                let denial = status.denial("patch", &resource_name(self.facts), self.namespace());
                Ok(Predicted::Unavailable(denial.to_string()))
            }
            StatusCode::NOT_FOUND if is_missing_namespace(&status) => {
                let namespace = self.namespace().unwrap_or_default();
                Ok(Predicted::Refused(format!("namespace `{namespace}` does not exist")))
            }
            // Quotas and pod security forbid, validation finds invalid, webhooks and decoders call it a bad request.
            StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::CONFLICT
            | StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::PAYLOAD_TOO_LARGE => Ok(Predicted::Refused(self.words(&status))),
            // Quirk of the server: a field that the schema does not have is an internal error of an apply.
            StatusCode::INTERNAL_SERVER_ERROR if status.message.contains("failed to create typed patch object") => {
                Ok(Predicted::Refused(self.words(&status)))
            }
            _ if is_secret(self.object) => Err(self.connection.refused_without_words(ask, answer)),
            _ => Err(self.connection.refused(ask, answer)),
        }
    }

    fn words(&self, status: &Status) -> String {
        if !is_secret(self.object) {
            return status.message.clone();
        }
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let fields: Vec<String> =
            causes.filter(|cause| !cause.field.is_empty()).map(|cause| format!("`{}`", cause.field)).collect();
        let reason = if status.reason.is_empty() { "refused" } else { &status.reason };
        let fields = if fields.is_empty() { String::new() } else { format!(" at {}", fields.join(", ")) };
        format!("{reason}{fields} (the server's words are left out, they can hold a Secret's values)")
    }
}

fn is_secret(object: &Object) -> bool {
    object.kind() == "Secret" && object.api_version() == "v1"
}

fn is_missing_namespace(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| details.kind == "namespaces")
}

/// The object without what only the server says.
fn appliable(object: &Object) -> Value {
    let mut value = object.to_value();
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !SERVERS_OWN.contains(&field.as_str()));
    }
    value
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_the_server_says_is_not_sent() {
        let object = Object::new(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "web", "namespace": "shop", "labels": { "a": "b" }, "creationTimestamp": null, "uid": "1",
                "resourceVersion": "7", "generation": 2, "managedFields": [],
            },
            "data": { "uid": "kept" },
        }))
        .unwrap();
        assert_eq!(
            appliable(&object),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": { "uid": "kept" },
                "metadata": { "name": "web", "namespace": "shop", "labels": { "a": "b" } },
            })
        );
    }
}
