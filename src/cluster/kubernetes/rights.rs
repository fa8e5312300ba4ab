//! Whether this account may apply objects of a kind, asked once for each kind and namespace before the first dry run.
//!
//! In: a kind and a namespace. Out: yes, or who is forbidden. A server that does not answer such questions is asked for the
//! dry run itself. So an account that only reads never sends a request that is refused.
//!
//! Rule: `authorization.k8s.io/v1` `SelfSubjectAccessReview`, which every authenticated user may create.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::connection::{Ask, Connection, Repeat, RequestPurpose};
use super::path::resource_name;
use crate::cluster::Denial;
use crate::object::KindFacts;

const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

type RightsAnswer = Arc<OnceCell<Option<Denial>>>;

/// The account's rights, as far as it was asked.
#[derive(Default)]
pub(super) struct Rights {
    known: Mutex<HashMap<(String, Option<String>), RightsAnswer>>,
}

impl Rights {
    /// The denial when the account cannot patch objects of this kind here; `None` when it can, or when that cannot be found out.
    pub(super) async fn denial(
        &self,
        connection: &Connection,
        facts: &KindFacts,
        namespace: Option<&str>,
    ) -> Option<Denial> {
        let key = (resource_name(facts), namespace.map(str::to_owned));
        let answer = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key).or_default())
        };
        answer.get_or_init(|| ask(connection, facts, namespace)).await.clone()
    }
}

async fn ask(connection: &Connection, facts: &KindFacts, namespace: Option<&str>) -> Option<Denial> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": "patch", "group": facts.gvk.group, "version": facts.gvk.version, "resource": facts.plural,
            "namespace": namespace.unwrap_or_default(),
        }},
    });
    let ask = Ask {
        purpose: RequestPurpose::Rights,
        method: Method::POST,
        path: PATH.to_owned(),
        accept: "application/json",
        content: Some(("application/json", Bytes::from(review.to_string()))),
        repeat: Repeat::Freely,
    };
    // Without an answer, the dry run itself says whether it is allowed.
    let answer = connection.send(&ask).await.ok().filter(|answer| answer.status.is_success())?;
    let review: Value = serde_json::from_slice(&answer.body).ok()?;
    let is_denied = review.get("status")?.get("allowed") == Some(&Value::Bool(false));
    is_denied.then(|| Denial {
        user: None,
        verb: "patch".to_owned(),
        resource: resource_name(facts),
        namespace: namespace.map(str::to_owned),
    })
}
