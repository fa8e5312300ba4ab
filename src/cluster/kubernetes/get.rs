//! Reads one object, where its kind is not listed anyway.
//!
//! In: a kind, a namespace, a name. Out: the object, or nothing when there is none; a refusal is an error, never "none".

use http::StatusCode;

use super::connection::{Ask, Connection, RequestPurpose};
use super::path::{resource_name, resource_path};
use super::status::ApiStatus;
use crate::cluster::{ClusterError, ObjectName};
use crate::object::{Kinds, Object, json};

/// Reads one object.
pub(super) async fn get(
    connection: &Connection,
    kinds: &Kinds,
    wanted: &ObjectName,
) -> Result<Option<Object>, ClusterError> {
    let Some(facts) = kinds.exact(&wanted.gvk) else { return Ok(None) };
    let ask = Ask::get(RequestPurpose::Get, resource_path(facts, wanted.namespace.as_deref(), Some(&wanted.name)));
    let answer = connection.send(&ask).await?;
    match answer.status {
        StatusCode::NOT_FOUND => Ok(None),
        StatusCode::FORBIDDEN => {
            let status = ApiStatus::read(&answer.body).unwrap_or_default();
            let denial = status.denial("get", &resource_name(facts), wanted.namespace.as_deref());
            Err(ClusterError::Forbidden { cluster: connection.label().to_owned(), denial })
        }
        status if status.is_success() => {
            let object = json::read(&answer.body).ok().and_then(|value| Object::new(value).ok());
            object.map(Some).ok_or_else(|| connection.broken(&ask, "it is not an object"))
        }
        _ => Err(connection.refused(&ask, &answer)),
    }
}
