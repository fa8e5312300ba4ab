//! What a server serves: three requests side by side, `/api`, `/apis` and `/version`.
//!
//! In: a connection. Out: [`Kinds`], each group's preferred version first, and remarks on aggregated APIs that do not
//! answer: their kinds are unknown, the rest stands.
//!
//! Rules: KEP-3352 (aggregated discovery, Kubernetes 1.27 and later); client-go discovery for the many requests that older
//! servers need.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{join_all, try_join3};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::connection::{ApiAnswer, Ask, Connection, RequestPurpose};
use super::status::ApiStatus;
use crate::cluster::ClusterError;
use crate::object::{Gvk, KindFacts, Kinds, Scope};

/// Asks for everything at once, and takes the old form from servers that do not know the new one.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// Why an aggregated API's kinds are not known, in the words of the report.
const STALE: &str = "its API service does not answer";

/// The kinds that a server serves.
pub(super) struct Discovered {
    pub(super) kinds: Arc<Kinds>,
    pub(super) remarks: BTreeMap<String, String>,
}

/// Asks a server for its version.
pub(super) async fn version(connection: &Connection) -> Result<String, ClusterError> {
    let ask = Ask::get(RequestPurpose::Discovery, "/version");
    let answer = connection.send(&ask).await?;
    Ok(decode::<ServedVersion>(connection, &ask, &answer)?.git_version)
}

/// Asks a server what it serves.
pub(super) async fn discover(connection: &Connection) -> Result<Discovered, ClusterError> {
    let aggregated = |path: &str| Ask { accept: AGGREGATED, ..Ask::get(RequestPurpose::Discovery, path) };
    let (core, groups, version) =
        (aggregated("/api"), aggregated("/apis"), Ask::get(RequestPurpose::Discovery, "/version"));
    let (core_answer, groups_answer, version_answer) =
        try_join3(connection.send(&core), connection.send(&groups), connection.send(&version)).await?;
    let mut remarks = BTreeMap::new();
    let version = decode::<ServedVersion>(connection, &version, &version_answer).ok();
    if version.is_none() {
        remarks.insert("/version".to_owned(), "gives no version; the Kubernetes version is unknown".to_owned());
    }
    let mut kinds = Kinds::new(version.map(|version| version.git_version).unwrap_or_default());
    match decode::<DiscoveryRoot>(connection, &core, &core_answer)? {
        DiscoveryRoot { kind, items, .. } if kind == "APIGroupDiscoveryList" => add_groups(&mut kinds, items),
        DiscoveryRoot { versions, .. } => {
            let versions = versions.into_iter().map(|version| ("/api", version)).collect();
            add_each(connection, &mut kinds, versions).await?;
        }
    }
    match decode::<DiscoveryRoot>(connection, &groups, &groups_answer)? {
        DiscoveryRoot { kind, items, .. } if kind == "APIGroupDiscoveryList" => add_groups(&mut kinds, items),
        DiscoveryRoot { groups, .. } => {
            let versions =
                groups.into_iter().flat_map(DiscoveredGroup::in_order).map(|version| ("/apis", version)).collect();
            add_each(connection, &mut kinds, versions).await?;
        }
    }
    for (api, reason) in &kinds.unavailable {
        remarks.insert(api.clone(), format!("is not available: {reason}; its objects are unknown"));
    }
    Ok(Discovered { kinds: Arc::new(kinds), remarks })
}

/// The new form: every group with every version and resource.
fn add_groups(kinds: &mut Kinds, groups: Vec<GroupDiscovery>) {
    for group in groups {
        let name = group.metadata.name;
        for version in group.versions {
            let api_version = api_version(&name, &version.version);
            if version.freshness == "Stale" {
                kinds.unavailable.insert(api_version.clone(), STALE.to_owned());
            }
            for resource in version.resources {
                let kind = resource.response_kind.unwrap_or_default().kind;
                if kind.is_empty() || resource.resource.contains('/') {
                    continue;
                }
                let scope = if resource.scope == "Namespaced" { Scope::Namespaced } else { Scope::Cluster };
                let gvk = Gvk::from_api_version(&api_version, &kind);
                kinds.add(KindFacts { gvk, plural: resource.resource, scope, verbs: resource.verbs });
            }
        }
    }
}

/// The old form: one request for each group and version, side by side.
async fn add_each(
    connection: &Connection,
    kinds: &mut Kinds,
    versions: Vec<(&'static str, String)>,
) -> Result<(), ClusterError> {
    let asks: Vec<(String, Ask)> = versions
        .into_iter()
        .map(|(root, version)| {
            let ask = Ask::get(RequestPurpose::Discovery, format!("{root}/{version}"));
            (version, ask)
        })
        .collect();
    let answers = join_all(asks.iter().map(|(_, ask)| connection.send(ask))).await;
    for ((api_version, ask), answer) in asks.iter().zip(answers) {
        let answer = answer?;
        if !answer.status.is_success() {
            let words = ApiStatus::read(&answer.body).map(|status| status.message).filter(|words| !words.is_empty());
            kinds.unavailable.insert(api_version.clone(), words.unwrap_or_else(|| STALE.to_owned()));
            continue;
        }
        for resource in decode::<ResourceList>(connection, ask, &answer)?.resources {
            if resource.name.contains('/') {
                continue;
            }
            let scope = if resource.namespaced { Scope::Namespaced } else { Scope::Cluster };
            let gvk = Gvk::from_api_version(api_version, &resource.kind);
            kinds.add(KindFacts { gvk, plural: resource.name, scope, verbs: resource.verbs });
        }
    }
    Ok(())
}

fn decode<T: DeserializeOwned>(connection: &Connection, ask: &Ask, answer: &ApiAnswer) -> Result<T, ClusterError> {
    if answer.status == http::StatusCode::FORBIDDEN {
        let path = ask.path.as_str();
        let denial = ApiStatus::read(&answer.body).unwrap_or_default().denial("get", path, None);
        return Err(ClusterError::Forbidden { cluster: connection.label().to_owned(), denial });
    }
    if !answer.status.is_success() {
        return Err(connection.refused(ask, answer));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| connection.broken(ask, format!("it is not a discovery document, line {}", error.line())))
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServedVersion {
    git_version: String,
}

/// `/api` or `/apis`, in the new form (`items`) or the old one (`versions`, `groups`).
#[derive(Deserialize)]
struct DiscoveryRoot {
    kind: String,
    #[serde(default)]
    items: Vec<GroupDiscovery>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    groups: Vec<DiscoveredGroup>,
}

#[derive(Default, Deserialize)]
struct GroupDiscovery {
    #[serde(default)]
    metadata: GroupMetadata,
    #[serde(default)]
    versions: Vec<VersionDiscovery>,
}

#[derive(Default, Deserialize)]
struct GroupMetadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct VersionDiscovery {
    version: String,
    #[serde(default)]
    resources: Vec<ResourceDiscovery>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery {
    resource: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Default, Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiscoveredGroup {
    #[serde(default)]
    versions: Vec<GroupVersion>,
    #[serde(default)]
    preferred_version: Option<GroupVersion>,
}

impl DiscoveredGroup {
    /// Every `group/version`, the preferred one first.
    fn in_order(self) -> Vec<String> {
        let preferred = self.preferred_version.map(|version| version.group_version);
        let rest = self.versions.into_iter().map(|version| version.group_version);
        let rest: Vec<String> = rest.filter(|version| Some(version) != preferred.as_ref()).collect();
        preferred.into_iter().chain(rest).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<DiscoveredResource>,
}

#[derive(Deserialize)]
struct DiscoveredResource {
    name: String,
    namespaced: bool,
    kind: String,
    #[serde(default)]
    verbs: Vec<String>,
}
