//! What the account may do, asked without doing it.
//!
//! In: verbs and resources, and a namespace. Out: whether each is permitted. One request for a namespace; what its answer leaves open, and
//! what has no namespace, is asked one by one.
//!
//! Rule: `authorization.k8s.io/v1` `SelfSubjectRulesReview` (whose rules also hold for the namespace where they are granted for the whole
//! cluster) and `SelfSubjectAccessReview`; everyone who is authenticated may create both, and neither is stored.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::connection::{Ask, Connection, Repeat, RequestPurpose};
use crate::cluster::{AccessNeed, ClusterError};

const RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// Whether the account may do each, in order; nothing where the server does not answer such questions.
pub(super) async fn permits(
    connection: &Connection,
    needs: &[AccessNeed],
    namespace: Option<&str>,
) -> Result<Vec<Option<bool>>, ClusterError> {
    let rules = match namespace {
        Some(namespace) => rules(connection, namespace).await?,
        None => None,
    };
    let mut permitted = Vec::new();
    for need in needs {
        let by_rules = rules.as_ref().map(|rules| (rules.allow(need), rules.is_complete));
        permitted.push(match by_rules {
            Some((true, _)) => Some(true),
            Some((false, true)) => Some(false),
            Some((false, false)) | None => access(connection, need, namespace).await?,
        });
    }
    Ok(permitted)
}

struct AccountRules {
    rules: Vec<Value>,
    /// Whether an authorizer besides RBAC may allow more.
    is_complete: bool,
}

impl AccountRules {
    fn allow(&self, need: &AccessNeed) -> bool {
        let has = |rule: &Value, field: &str, wanted: &str| {
            let values = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            values.filter_map(Value::as_str).any(|value| value == "*" || value == wanted)
        };
        let is_for_all = |rule: &Value| rule.get("resourceNames").and_then(Value::as_array).is_none_or(Vec::is_empty);
        self.rules.iter().any(|rule| {
            has(rule, "verbs", need.verb)
                && has(rule, "apiGroups", &need.group)
                && has(rule, "resources", &need.resource)
                && is_for_all(rule)
        })
    }
}

async fn rules(connection: &Connection, namespace: &str) -> Result<Option<AccountRules>, ClusterError> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": { "namespace": namespace },
    });
    let status = asked(connection, RULES, &review).await?;
    Ok(status.map(|status| AccountRules {
        rules: status.get("resourceRules").and_then(Value::as_array).cloned().unwrap_or_default(),
        is_complete: status.get("incomplete") == Some(&Value::Bool(false)),
    }))
}

async fn access(
    connection: &Connection,
    need: &AccessNeed,
    namespace: Option<&str>,
) -> Result<Option<bool>, ClusterError> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": need.verb, "group": need.group, "resource": need.resource, "namespace": namespace.unwrap_or_default(),
        }},
    });
    let status = asked(connection, ACCESS, &review).await?;
    Ok(status.and_then(|status| status.get("allowed")?.as_bool()))
}

/// The status of a review; nothing where the server refuses to make one.
async fn asked(connection: &Connection, path: &str, review: &Value) -> Result<Option<Value>, ClusterError> {
    let ask = Ask {
        purpose: RequestPurpose::Rights,
        method: Method::POST,
        path: path.to_owned(),
        accept: "application/json",
        content: Some(("application/json", Bytes::from(review.to_string()))),
        repeat: Repeat::Freely,
    };
    let answer = connection.send(&ask).await?;
    if !answer.status.is_success() {
        return Ok(None);
    }
    let review: Option<Value> = serde_json::from_slice(&answer.body).ok();
    Ok(review.and_then(|mut review| review.get_mut("status").map(Value::take)))
}
