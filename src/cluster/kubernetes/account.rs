//! Who the server takes us for.
//!
//! In: the credentials. Out: the user and its groups, asked once. Rule: KEP-3325 (`SelfSubjectReview`), which everyone who is authenticated may
//! create and which is not stored.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::connection::{Ask, Connection, Repeat, RequestPurpose};
use crate::cluster::ClusterUser;

const PATH: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// The account, as far as it was asked for.
#[derive(Default)]
pub(super) struct Account(OnceCell<Option<ClusterUser>>);

impl Account {
    /// The user with the groups; nothing when the server does not answer that.
    pub(super) async fn user(&self, connection: &Connection) -> Option<ClusterUser> {
        self.0.get_or_init(|| ask(connection)).await.clone()
    }
}

async fn ask(connection: &Connection) -> Option<ClusterUser> {
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let ask = Ask {
        purpose: RequestPurpose::Rights,
        method: Method::POST,
        path: PATH.to_owned(),
        accept: "application/json",
        content: Some(("application/json", Bytes::from(review.to_string()))),
        repeat: Repeat::Freely,
    };
    let answer = connection.send(&ask).await.ok().filter(|answer| answer.status.is_success())?;
    let review: Value = serde_json::from_slice(&answer.body).ok()?;
    let user = review.pointer("/status/userInfo")?;
    let name = user.get("username")?.as_str()?.to_owned();
    let groups = user.get("groups").and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(|group| group.as_str().map(str::to_owned)).collect();
    Some(ClusterUser { name, groups }).filter(|user| !user.name.is_empty())
}
