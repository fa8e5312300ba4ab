//! Lists the live objects of one kind, page by page.
//!
//! In: a kind and a namespace. Out: every object, whole or reduced to its metadata. While one page is decoded on a
//! blocking thread, the next one is already asked for. A page that cannot be read is an error, never fewer objects.
//!
//! Rules: Kubernetes API concepts, "Retrieving large results sets in chunks": a continue token that expired (410) makes
//! the LIST start again, once.

use http::StatusCode;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::connection::{ApiAnswer, Ask, Connection, RequestPurpose};
use super::page::{self, ListMetadata, PageError};
use super::path::{resource_name, resource_path};
use super::status::ApiStatus;
use crate::cluster::{Cause, ClusterError, ListRequest};
use crate::object::{Gvk, KindFacts, Kinds, Object, Scope};

/// The media type that kubectl also requests.
const PAGE_SIZE: u32 = 500;
/// Only what a LIST of metadata needs; servers that do not know it send whole objects.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// How many pages a LIST may have: ten million objects. A server that never sends the last page has a fault.
const PAGES: usize = 20_000;
/// How many pages in a row may be empty: filtered pages are, now and then.
const EMPTY_PAGES: usize = 100;

/// The objects, and the version from which on it can be watched.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) objects: Vec<Object>,
    /// Empty when the server does not say it.
    pub(super) resource_version: String,
}

/// The facts about a kind: in the version that is asked for, else in the preferred one; nothing when it is not served.
pub(super) fn facts_of<'kinds>(kinds: &'kinds Kinds, gvk: &Gvk) -> Option<&'kinds KindFacts> {
    kinds.exact(gvk).or_else(|| kinds.preferred(&gvk.group_kind()))
}

/// The namespace that a LIST or a WATCH is asked in.
pub(super) fn namespace_of<'request>(request: &'request ListRequest, facts: &KindFacts) -> Option<&'request str> {
    request.namespace.as_deref().filter(|_| facts.scope == Scope::Namespaced)
}

/// Lists one kind. One that the server does not serve is an empty list, unless its API is just not available.
pub(super) async fn list(
    connection: &Connection,
    kinds: &Kinds,
    request: &ListRequest,
) -> Result<Snapshot, ClusterError> {
    let Some(facts) = facts_of(kinds, &request.gvk) else { return not_served(connection, kinds, &request.gvk) };
    let listing = PagedListing { connection, facts, request };
    let listed = match listing.pages().await {
        Err(Interrupted::Expired) => listing.pages().await,
        first => first,
    };
    listed.map_err(|interrupted| match interrupted {
        Interrupted::Failed(error) => error,
        Interrupted::Expired => listing.expired_again(),
    })
}

fn not_served(connection: &Connection, kinds: &Kinds, gvk: &Gvk) -> Result<Snapshot, ClusterError> {
    let broken = kinds.unavailable.iter().find(|(api, _)| Gvk::from_api_version(api, "").group == gvk.group);
    match broken {
        None => Ok(Snapshot::default()),
        Some((api, reason)) => Err(ClusterError::ApiUnavailable {
            cluster: connection.label().to_owned(),
            api: api.clone(),
            cause: Cause::new(reason),
        }),
    }
}

/// Why the pages end before the last one.
enum Interrupted {
    /// The continue token is too old: the objects changed too much meanwhile.
    Expired,
    Failed(ClusterError),
}

impl From<ClusterError> for Interrupted {
    fn from(error: ClusterError) -> Self {
        Self::Failed(error)
    }
}

/// The pages of a LIST's pages: an end has to come.
#[derive(Debug, Default)]
struct Pages {
    count: usize,
    /// How many objects there were, and since how many pages.
    objects: usize,
    without_new: usize,
}

impl Pages {
    /// Why the next page is not asked for: the server sends the same token again, or pages without end.
    fn problem(&mut self, token: Option<&str>, next: Option<&str>, objects: usize) -> Option<&'static str> {
        self.count += 1;
        self.without_new = if objects > self.objects { 0 } else { self.without_new + 1 };
        self.objects = objects;
        if next.is_some() && token == next {
            return Some("each page of the list says that the same page follows");
        }
        if self.count >= PAGES || self.without_new > EMPTY_PAGES {
            return Some("the pages of the list do not end");
        }
        None
    }
}

struct PagedListing<'a> {
    connection: &'a Connection,
    facts: &'a KindFacts,
    request: &'a ListRequest,
}

impl PagedListing<'_> {
    fn namespace(&self) -> Option<&str> {
        namespace_of(self.request, self.facts)
    }

    fn ask(&self, token: Option<&str>) -> Ask {
        let path = resource_path(self.facts, self.namespace(), None);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &PAGE_SIZE.to_string());
        if let Some(token) = token {
            query.append_pair("continue", token);
        }
        let accept = if self.request.metadata_only { METADATA_ONLY } else { "application/json" };
        Ask { accept, ..Ask::get(RequestPurpose::List, format!("{path}?{}", query.finish())) }
    }

    async fn pages(&self) -> Result<Snapshot, Interrupted> {
        let mut listed = Snapshot::default();
        let mut decoding: Option<JoinHandle<Result<Vec<Object>, PageError>>> = None;
        let mut token: Option<String> = None;
        let mut pages = Pages::default();
        loop {
            let ask = self.ask(token.as_deref());
            let answer = self.connection.send(&ask).await?;
            if let Some(earlier) = decoding.take() {
                listed.objects.append(&mut self.decoded(&ask, earlier).await?);
            }
            let answer = match answer.status {
                status if status.is_success() => answer,
                StatusCode::NOT_FOUND => return Err(self.vanished().into()),
                StatusCode::GONE if token.is_some() => return Err(Interrupted::Expired),
                _ => return Err(self.refused(&ask, &answer).into()),
            };
            let (send_metadata, received_metadata) = oneshot::channel();
            let (gvk, metadata_only) = (self.facts.gvk.clone(), self.request.metadata_only);
            let page =
                tokio::task::spawn_blocking(move || page::read(&answer.body, &gvk, metadata_only, send_metadata));
            // It stands before the items. Without a token, or when the page is broken, this was the last page.
            let metadata: ListMetadata = received_metadata.await.unwrap_or_default();
            // The same on every page.
            listed.resource_version = metadata.resource_version.unwrap_or_default();
            let next = metadata.token.filter(|token| !token.is_empty());
            if let Some(problem) = pages.problem(token.as_deref(), next.as_deref(), listed.objects.len()) {
                return Err(self.connection.broken(&ask, problem).into());
            }
            token = next;
            if token.is_none() {
                listed.objects.append(&mut self.decoded(&ask, page).await?);
                return Ok(listed);
            }
            decoding = Some(page);
        }
    }

    async fn decoded(
        &self,
        ask: &Ask,
        page: JoinHandle<Result<Vec<Object>, PageError>>,
    ) -> Result<Vec<Object>, ClusterError> {
        match page.await {
            Ok(Ok(objects)) => Ok(objects),
            Ok(Err(error)) => Err(self.connection.broken(ask, error.to_string())),
            Err(_) => Err(self.connection.broken(ask, "the decoder stopped")),
        }
    }

    fn refused(&self, ask: &Ask, answer: &ApiAnswer) -> ClusterError {
        if answer.status != StatusCode::FORBIDDEN {
            return self.connection.refused(ask, answer);
        }
        let denial = ApiStatus::read(&answer.body).unwrap_or_default().denial(
            "list",
            &resource_name(self.facts),
            self.namespace(),
        );
        ClusterError::Forbidden { cluster: self.connection.label().to_owned(), denial }
    }

    fn vanished(&self) -> ClusterError {
        ClusterError::Vanished { cluster: self.connection.label().to_owned(), resource: resource_name(self.facts) }
    }

    fn expired_again(&self) -> ClusterError {
        let problem = "its pages expired twice before the last one was read";
        self.connection.broken(&self.ask(None), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with a fault that never sends a last page: an error ends it, never memory.
    #[test]
    fn pages_come_to_an_end() {
        let mut same = Pages::default();
        assert_eq!(same.problem(None, Some("a"), 500), None);
        assert!(same.problem(Some("a"), Some("a"), 1000).is_some());

        let mut empty = Pages::default();
        let tokens: Vec<String> = (0..EMPTY_PAGES + 2).map(|number| number.to_string()).collect();
        let ended = tokens.windows(2).position(|pair| empty.problem(Some(&pair[0]), Some(&pair[1]), 0).is_some());
        assert_eq!(ended, Some(EMPTY_PAGES));

        let mut full = Pages::default();
        let problems = (0..PAGES).map(|page| full.problem(Some("a"), Some("b"), 500 * (page + 1)));
        assert_eq!(problems.flatten().count(), 1);
    }
}
