//! The server's own words when it refuses something: `v1` `Status`.
//!
//! In: the body of an answer. Out: its message, reason and causes; who is forbidden what, taken from the message.
//!
//! Rules: apimachinery meta/v1 `Status`; apiserver pkg/endpoints/handlers/responsewriters for the words of a denial.

use bytes::Bytes;
use serde::Deserialize;

use crate::cluster::Denial;

/// A `Status`, as far as it matters here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiStatus {
    kind: String,
    /// For people.
    pub(super) message: String,
    /// For programs: `Forbidden`, `Invalid`, `Expired` …
    pub(super) reason: String,
    /// The detail.
    pub(super) details: Option<Details>,
}

/// The subject of a refusal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    /// The resource's plural, or the kind.
    pub(super) kind: String,
    /// The name.
    pub(super) name: String,
    /// One cause for each field.
    pub(super) causes: Vec<FieldCause>,
}

/// One field that is not right.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct FieldCause {
    /// `spec.replicas`.
    pub(super) field: String,
    /// The fault.
    pub(super) message: String,
    /// For programs: `FieldValueInvalid`, `NamespaceTerminating` …
    pub(super) reason: String,
}

impl ApiStatus {
    /// Reads a body; nothing when it is no `Status`, as when a proxy answers.
    pub(super) fn read(body: &Bytes) -> Option<Self> {
        serde_json::from_slice::<Self>(body).ok().filter(|status| status.kind == "Status")
    }

    /// The details, one by one.
    pub(super) fn causes(&self) -> &[FieldCause] {
        self.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default()
    }

    /// Quirk of the server: an apply whose fields the schema does not have, or has as another type, is an internal error.
    pub(super) fn is_typed_patch_fault(&self) -> bool {
        self.message.contains("failed to create typed patch object")
    }

    /// The account that an authorizer speaks of: `… User "ci" cannot list resource …`.
    pub(super) fn denied_user(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once("User \"")?;
        let (user, rest) = rest.split_once('"')?;
        rest.trim_start().starts_with("cannot ").then_some(user)
    }

    /// Who is forbidden what, in the words of the request.
    pub(super) fn denial(&self, verb: &str, resource: &str, namespace: Option<&str>) -> Denial {
        // A role may allow one verb and not the other: the server's verb is the right one.
        let said = self.message.split_once("\" cannot ").and_then(|(_, rest)| rest.split_whitespace().next());
        Denial {
            user: self.denied_user().map(str::to_owned),
            verb: said.unwrap_or(verb).to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message is a real one of kube-apiserver 1.36.3.
    #[test]
    fn a_denial_is_taken_from_the_servers_words() {
        let status = ApiStatus::read(&Bytes::from_static(
            br#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"deployments.apps is forbidden: User \"system:serviceaccount:ci:drift\" cannot list resource \"deployments\" in API group \"apps\" in the namespace \"shop\"","reason":"Forbidden","details":{"group":"apps","kind":"deployments"},"code":403}"#,
        ))
        .unwrap();
        let denial = status.denial("list", "deployments.apps", Some("shop"));
        assert_eq!(
            denial.to_string(),
            "`system:serviceaccount:ci:drift` cannot list `deployments.apps` in namespace `shop`"
        );
    }

    #[test]
    fn what_admission_denies_is_no_lack_of_permission() {
        let message =
            r#"pods "web" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3"#;
        let status = ApiStatus { message: message.to_owned(), ..ApiStatus::default() };
        assert_eq!(status.denied_user(), None);
    }

    #[test]
    fn a_proxys_page_is_no_status() {
        for body in ["<html>bad gateway</html>", "", "{}", "{\"kind\":\"DeploymentList\"}", "[1]"] {
            assert!(ApiStatus::read(&Bytes::from(body)).is_none(), "{body}");
        }
    }
}
