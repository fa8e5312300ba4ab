//! Asks the server what it would make of an object: a server-side apply that is a dry run; or a JSON patch that is one, to
//! see what comes back by itself.
//!
//! In: an object of git; or a live one, and places in it. Out: the object as it would be, a refusal in the server's words, or
//! the reason why it cannot be asked. Nothing is written. Of a Secret the server's words are left out: they can hold its values.
//!
//! Rules: KEP-555 (server-side apply), RFC 6902 (JSON patch), Kubernetes API concepts, "Dry-run".

use http::StatusCode;
use serde_json::{Value, json};

use super::connection::{ApiAnswer, Ask, Connection};
use super::path::resource_name;
use super::refusal::refusal;
use super::rights::Rights;
use super::status::ApiStatus;
use super::subject::ApiSubject;
use super::write::{CONFLICTS, apply_ask, no_answer, object_of, patch_ask};
use crate::cluster::write::storable;
use crate::cluster::{ClusterError, Predicted, Writing};
use crate::object::{Kinds, Object, Pointer};

/// Asks the server what it would make of an object. Unknown fields are warnings, as in `kubectl apply`.
pub(super) async fn predict(
    connection: &Connection,
    rights: &Rights,
    kinds: &Kinds,
    object: &Object,
) -> Result<Predicted, ClusterError> {
    let subject = match subject(connection, rights, kinds, object).await {
        Ok(subject) => subject,
        Err(unpredicted) => return Ok(unpredicted),
    };
    let ask = apply_ask(&subject, &storable(object), "Warn", Writing::DryRun);
    let mut answer = connection.send(&ask).await?;
    for _ in 1..CONFLICTS {
        if answer.status != StatusCode::CONFLICT {
            break;
        }
        answer = connection.send(&ask).await?;
    }
    read(connection, &subject, &ask, &answer)
}

/// Asks the server what it would make of a live object without what it holds at some places.
pub(super) async fn predict_without(
    connection: &Connection,
    rights: &Rights,
    kinds: &Kinds,
    live: &Object,
    places: &[Pointer],
) -> Result<Predicted, ClusterError> {
    let subject = match subject(connection, rights, kinds, live).await {
        Ok(subject) => subject,
        Err(unpredicted) => return Ok(unpredicted),
    };
    let ask = patch_ask(&subject, &removal(live, places), Writing::DryRun);
    read(connection, &subject, &ask, &connection.send(&ask).await?)
}

/// A patch that takes out these places, and fails where the object is no longer the one that was seen.
fn removal(live: &Object, places: &[Pointer]) -> Value {
    let mut places: Vec<&Pointer> = places.iter().collect();
    // From the end, so that the items of lists keep their numbers until it is their turn.
    places.sort_by(|one, other| other.place_order(one));
    places.dedup();
    let version = Some(live.resource_version()).filter(|version| !version.is_empty());
    let test = version.map(|version| json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
    let remove = |place: &&Pointer| json!({"op": "remove", "path": place.to_string()});
    test.into_iter().chain(places.iter().map(remove)).collect()
}

/// The inputs of the question; the answer itself where there is nothing to ask.
async fn subject<'a>(
    connection: &Connection,
    rights: &Rights,
    kinds: &'a Kinds,
    object: &'a Object,
) -> Result<ApiSubject<'a>, Predicted> {
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
    let subject = ApiSubject::of(facts, object);
    match rights.denial(connection, facts, subject.namespace).await {
        Some(denial) => Err(Predicted::Unavailable(denial.to_string())),
        None => Ok(subject),
    }
}

fn read(
    connection: &Connection,
    subject: &ApiSubject<'_>,
    ask: &Ask,
    answer: &ApiAnswer,
) -> Result<Predicted, ClusterError> {
    if answer.status.is_success() {
        return object_of(connection, ask, answer).map(|object| Predicted::Object(Box::new(object)));
    }
    let status = ApiStatus::read(&answer.body);
    let refusal = refusal(subject, answer.status, status.as_ref(), "patch");
    let refusal = refusal.ok_or_else(|| no_answer(connection, subject, ask, answer))?;
    let is_denied = status.is_some_and(|status| status.denied_user().is_some());
    Ok(if is_denied && answer.status == StatusCode::FORBIDDEN {
        Predicted::Unavailable(refusal.words)
    } else {
        Predicted::Refused(refusal.words)
    })
}
