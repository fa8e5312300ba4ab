//! Why a server does not take a write: sorts its words.
//!
//! In: an answer that is no success. Out: a [`Refusal`], or nothing where the server could not answer at all. Of a Secret
//! the server's words are left out, unless they can only hold names.
//!
//! Rules: apimachinery pkg/api/errors (which status has which words); apiserver pkg/admission for webhooks, policies and
//! the lifecycle of namespaces; pkg/apis/*/validation of Kubernetes for the words about fields that cannot be changed.

use http::StatusCode;

use super::status::ApiStatus;
use super::subject::ApiSubject;
use crate::cluster::{Reason, Refusal};

/// Messages of validation for a field that only a new object can set otherwise. Custom resources say it in words of their
/// own, which mostly have the first of these.
const UNCHANGEABLE: [&str; 9] = [
    "immutable",
    "may not be changed",
    "may not change",
    "may not be updated",
    "may not add or remove",
    "cannot be changed",
    "cannot change",
    "can not be changed",
    "are forbidden",
];

/// Sorts an answer that is no success; nothing when it is no refusal, but a failure of the server.
pub(super) fn refusal(
    subject: &ApiSubject<'_>,
    code: StatusCode,
    status: Option<&ApiStatus>,
    verb: &'static str,
) -> Option<Refusal> {
    let Some(status) = status else {
        // The server's own router has no Status: the kind went away after discovery.
        let words = format!("the server does not serve `{}` any more", subject.facts.gvk);
        let fields = Vec::new();
        return (code == StatusCode::NOT_FOUND).then_some(Refusal { reason: Reason::NotServed, words, fields });
    };
    let reason = reason(code, status)?;
    let fields = status.causes().iter().map(|cause| cause.field.clone()).filter(|field| !field.is_empty()).collect();
    Some(Refusal { reason, words: words(subject, status, reason, verb), fields })
}

fn reason(code: StatusCode, status: &ApiStatus) -> Option<Reason> {
    let message = status.message.as_str();
    if code.is_client_error() && is_denied(message) {
        return Some(Reason::Denied);
    }
    Some(match code {
        StatusCode::FORBIDDEN => reason_to_forbid(status),
        StatusCode::NOT_FOUND if is_missing_namespace(status) => Reason::NoNamespace,
        StatusCode::NOT_FOUND if status.details.as_ref().is_none_or(|details| details.name.is_empty()) => {
            Reason::NotServed
        }
        StatusCode::NOT_FOUND => Reason::NotFound,
        StatusCode::CONFLICT if status.reason == "AlreadyExists" => Reason::AlreadyExists,
        StatusCode::CONFLICT => Reason::Conflict,
        StatusCode::BAD_REQUEST if message.contains("does not support dry run") => Reason::Other,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Reason::Invalid,
        StatusCode::UNPROCESSABLE_ENTITY => reason_of_validation(status),
        StatusCode::INTERNAL_SERVER_ERROR if status.is_typed_patch_fault() => Reason::Invalid,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::GONE => Reason::Other,
        _ => return None,
    })
}

fn is_denied(message: &str) -> bool {
    (message.contains("admission webhook \"") && message.contains("denied the request"))
        || (message.contains("ValidatingAdmissionPolicy '") && message.contains("denied request"))
}

fn reason_to_forbid(status: &ApiStatus) -> Reason {
    if status.denied_user().is_some() || status.message.contains("is attempting to grant RBAC permissions") {
        Reason::Forbidden
    } else if status.causes().iter().any(|cause| cause.reason == "NamespaceTerminating") {
        Reason::NamespaceTerminating
    } else if status.message.contains("exceeded quota") {
        Reason::Quota
    } else {
        Reason::Denied
    }
}

/// A new object only helps where nothing else is wrong.
fn reason_of_validation(status: &ApiStatus) -> Reason {
    let causes = status.causes();
    let is_about_change = |text: &str| {
        let text = text.to_ascii_lowercase();
        UNCHANGEABLE.iter().any(|words| text.contains(words))
    };
    if is_outdated_patch(status) {
        Reason::Conflict
    } else if !causes.is_empty() && causes.iter().all(|cause| is_about_change(&cause.message)) {
        Reason::Immutable
    } else {
        Reason::Invalid
    }
}

/// A JSON patch whose `test` does not hold, or whose path is not there: the server gives no further details.
///
/// Rule: apiserver pkg/endpoints/handlers/patch.go, which drops what the patch's library says.
fn is_outdated_patch(status: &ApiStatus) -> bool {
    status.causes().is_empty() && status.message.starts_with("the server rejected our request due to an error in our")
}

fn is_missing_namespace(status: &ApiStatus) -> bool {
    status.details.as_ref().is_some_and(|details| details.kind == "namespaces")
}

fn words(subject: &ApiSubject<'_>, status: &ApiStatus, reason: Reason, verb: &'static str) -> String {
    match reason {
        Reason::Forbidden if status.denied_user().is_some() => {
            status.denial(verb, &subject.resource(), subject.namespace).to_string()
        }
        Reason::NoNamespace => {
            format!("namespace `{}` does not exist", subject.namespace.unwrap_or_default())
        }
        Reason::Conflict if is_outdated_patch(status) => "the patch does not fit the object as it is now".to_owned(),
        // These are made of names alone.
        Reason::Quota | Reason::Conflict | Reason::AlreadyExists | Reason::NotFound | Reason::NotServed
            if !status.message.is_empty() =>
        {
            status.message.clone()
        }
        _ if !subject.is_secret() && !status.message.is_empty() => status.message.clone(),
        _ => without_words(subject, status),
    }
}

fn without_words(subject: &ApiSubject<'_>, status: &ApiStatus) -> String {
    let reason = if status.reason.is_empty() { "refused" } else { &status.reason };
    let fields: Vec<String> = status
        .causes()
        .iter()
        .filter(|cause| !cause.field.is_empty())
        .map(|cause| format!("`{}`", cause.field))
        .collect();
    let fields = if fields.is_empty() { String::new() } else { format!(" at {}", fields.join(", ")) };
    let why = if subject.is_secret() {
        "the server's message is hidden, because it can contain a Secret's values"
    } else {
        "the server gives no details"
    };
    format!("{reason}{fields} ({why})")
}
