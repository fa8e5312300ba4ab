//! Asks the server what it would make of an object: a server-side apply that is a dry run.
//!
//! In: an object of git. Out: the object as it would be, a refusal in the server's words, or the reason why it cannot be
//! asked. Nothing is written. Of a Secret the server's words are left out: they can hold its values.
//!
//! Rules: KEP-555 (server-side apply), Kubernetes API concepts, "Dry-run".

use http::StatusCode;

use super::connection::Connection;
use super::path::resource_name;
use super::refusal::refusal;
use super::rights::Rights;
use super::status::Status;
use super::subject::Subject;
use super::write::{CONFLICTS, apply_ask, no_answer, object_of};
use crate::cluster::write::appliable;
use crate::cluster::{ClusterError, Predicted, Writing};
use crate::object::{Kinds, Object};

/// Asks the server what it would make of an object. Unknown fields are warnings, as in `kubectl apply`.
pub(super) async fn predict(
    connection: &Connection,
    rights: &Rights,
    kinds: &Kinds,
    object: &Object,
) -> Result<Predicted, ClusterError> {
    let gvk = object.gvk();
    let Some(facts) = kinds.exact(&gvk) else {
        return Ok(Predicted::Refused(format!("the server does not serve `{gvk}`")));
    };
    if !facts.is_patchable() {
        return Ok(Predicted::Unavailable(format!("`{}` cannot be patched", resource_name(facts))));
    }
    if object.name().is_empty() {
        return Ok(Predicted::Unavailable("an object that only has `generateName` cannot be applied".to_owned()));
    }
    let subject = Subject::of(facts, object);
    if let Some(denial) = rights.denial(connection, facts, subject.namespace).await {
        return Ok(Predicted::Unavailable(denial.to_string()));
    }
    let ask = apply_ask(&subject, &appliable(object), "Warn", Writing::DryRun);
    let mut answer = connection.send(&ask).await?;
    for _ in 1..CONFLICTS {
        if answer.status != StatusCode::CONFLICT {
            break;
        }
        answer = connection.send(&ask).await?;
    }
    if answer.status.is_success() {
        return object_of(connection, &ask, &answer).map(|object| Predicted::Object(Box::new(object)));
    }
    let status = Status::read(&answer.body);
    let refusal = refusal(&subject, answer.status, status.as_ref(), "patch");
    let refusal = refusal.ok_or_else(|| no_answer(connection, &subject, &ask, &answer))?;
    let is_denied = status.is_some_and(|status| status.denied_user().is_some());
    Ok(if is_denied && answer.status == StatusCode::FORBIDDEN {
        Predicted::Unavailable(refusal.words)
    } else {
        Predicted::Refused(refusal.words)
    })
}
