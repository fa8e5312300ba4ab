//! Watches one kind: lists it, then follows what becomes of it.
//!
//! In: a kind and a namespace. Out: a stream of what is there and each change, and goes on whatever happens: a
//! watch that ends or breaks is opened again from the last version that was sent; when the server has forgotten that
//! version (410), or a line could not be read, everything is listed again. The server is asked to end a watch after a
//! minute, and one that does not is taken for dead, so that a connection that died without a word is noticed. Where watching
//! is not allowed or not served, the kind is listed every two seconds.
//!
//! Rules: Kubernetes API concepts, "Efficient detection of changes"; client-go tools/cache `Reflector`.

use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use http::StatusCode;
use tokio::time::{Instant, sleep, timeout_at};

use super::Kubernetes;
use super::connection::{Ask, Opened, RequestPurpose};
use super::events::{WatchEvent, WatchEvents};
use super::list::{self, Snapshot, facts_of, namespace_of};
use super::path::{resource_name, resource_path};
use crate::cluster::{ClusterError, ListRequest, Watched};
use crate::object::{KindFacts, Object};

#[cfg(test)]
mod tests;

/// How patient a watch is.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// So long the server is asked to keep a watch open.
    open_for: Duration,
    /// A watch that is open for longer is dead: the connection is gone, and nobody said so.
    dead_after: Duration,
    /// A watch that lasted so long was a good one.
    steady_after: Duration,
    /// The pause after a first failure; doubled each time.
    first_pause: Duration,
    /// No pause is longer.
    longest_pause: Duration,
    /// How often what cannot be watched is listed.
    listed_every: Duration,
}

const PACE: Pace = Pace {
    open_for: Duration::from_secs(60),
    dead_after: Duration::from_secs(75),
    steady_after: Duration::from_secs(1),
    first_pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(10),
    listed_every: Duration::from_secs(2),
};

/// So often one version is asked for again, before everything is listed again.
const REOPENED: u32 = 3;
/// Only what a WATCH of metadata needs; servers that do not know it send whole objects.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Watches one kind.
pub(super) fn watch(kubernetes: &Kubernetes, request: ListRequest) -> BoxStream<'_, Result<Watched, ClusterError>> {
    paced(kubernetes, request, PACE)
}

fn paced(kubernetes: &Kubernetes, request: ListRequest, pace: Pace) -> BoxStream<'_, Result<Watched, ClusterError>> {
    let state = WatchState::Unknown;
    let watch = ResourceWatch { kubernetes, request, pace, state, is_listed: false, is_watchable: true, failures: 0 };
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await;
        Some((event, watch))
    })
    .boxed()
}

struct ResourceWatch<'a> {
    kubernetes: &'a Kubernetes,
    request: ListRequest,
    pace: Pace,
    state: WatchState,
    is_listed: bool,
    is_watchable: bool,
    /// How often it has failed since it last went well.
    failures: u32,
}

/// The state of the watch.
enum WatchState {
    /// Nothing, or not enough: what is there has to be listed.
    Unknown,
    /// Everything up to this version.
    Known(String),
    /// Everything up to this version, and what comes after is being sent.
    Open { version: String, events: Box<WatchEvents>, since: Instant },
}

impl ResourceWatch<'_> {
    async fn next(&mut self) -> Result<Watched, ClusterError> {
        loop {
            match std::mem::replace(&mut self.state, WatchState::Unknown) {
                WatchState::Unknown => return self.list().await,
                WatchState::Known(version) => self.state = self.open(version).await?,
                WatchState::Open { version, mut events, since } => {
                    let event =
                        timeout_at(since + self.pace.dead_after, events.next()).await.unwrap_or(WatchEvent::Ended);
                    let (version, event) = match event {
                        WatchEvent::Changed(object) => {
                            (version_of(&object).unwrap_or(version), Watched::Changed(object))
                        }
                        WatchEvent::Deleted(object) => {
                            (version_of(&object).unwrap_or(version), Watched::Deleted(object))
                        }
                        WatchEvent::Bookmark(version) => {
                            self.state = WatchState::Open { version, events, since };
                            continue;
                        }
                        WatchEvent::Missed => {
                            self.ended(since);
                            continue;
                        }
                        WatchEvent::Ended => {
                            self.ended(since);
                            self.state = WatchState::Known(version);
                            continue;
                        }
                    };
                    self.state = WatchState::Open { version, events, since };
                    return Ok(event);
                }
            }
        }
    }

    fn ended(&mut self, since: Instant) {
        self.failures = if since.elapsed() >= self.pace.steady_after { 0 } else { self.failures.saturating_add(1) };
    }

    async fn list(&mut self) -> Result<Watched, ClusterError> {
        sleep(self.pause()).await;
        let failures = self.failures;
        // Until it has gone well.
        self.failures = failures.saturating_add(1);
        let kinds = &*self.kubernetes.kinds_now().await?;
        let listed = list::list(&self.kubernetes.connection, kinds, &self.request).await;
        // What is waited for may be that the kind itself goes, and its objects with it.
        let listed = match listed {
            Err(ClusterError::Vanished { .. }) => Snapshot::default(),
            listed => listed?,
        };
        self.failures = failures;
        let is_served =
            facts_of(kinds, &self.request.gvk).is_some_and(|facts| facts.verbs.iter().any(|verb| verb == "watch"));
        self.is_watchable &= is_served && !listed.resource_version.is_empty();
        self.is_listed = true;
        if self.is_watchable {
            self.state = WatchState::Known(listed.resource_version);
        } else {
            self.failures = 0;
        }
        Ok(Watched::Listed(listed.objects))
    }

    async fn open(&mut self, version: String) -> Result<WatchState, ClusterError> {
        sleep(self.pause()).await;
        let kinds = &*self.kubernetes.kinds_now().await?;
        let Some(facts) = facts_of(kinds, &self.request.gvk) else { return Ok(WatchState::Unknown) };
        match self.kubernetes.connection.open(&self.ask(facts, &version)).await {
            Ok(Opened { status, body }) if status.is_success() => {
                let events = WatchEvents::of(body, facts.gvk.clone(), self.request.metadata_only);
                return Ok(WatchState::Open { version, events: Box::new(events), since: Instant::now() });
            }
            Ok(Opened {
                status: StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED,
                ..
            }) => {
                let resource = resource_name(facts);
                self.kubernetes
                    .connection
                    .note(&format!("`{resource}` cannot be watched here, so it is listed repeatedly"));
                self.is_watchable = false;
                return Ok(WatchState::Unknown);
            }
            Ok(Opened { status: StatusCode::GONE, .. }) => return Ok(self.failed(WatchState::Unknown)),
            Ok(_) | Err(_) if self.failures < REOPENED => return Ok(self.failed(WatchState::Known(version))),
            Ok(_) | Err(_) => {}
        }
        Ok(self.failed(WatchState::Unknown))
    }

    fn failed(&mut self, next: WatchState) -> WatchState {
        self.failures = self.failures.saturating_add(1);
        next
    }

    fn ask(&self, facts: &KindFacts, version: &str) -> Ask {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("watch", "true").append_pair("allowWatchBookmarks", "true");
        query.append_pair("resourceVersion", version);
        query.append_pair("timeoutSeconds", &self.pace.open_for.as_secs().to_string());
        let path = resource_path(facts, namespace_of(&self.request, facts), None);
        let accept = if self.request.metadata_only { METADATA_ONLY } else { "application/json" };
        Ask { accept, ..Ask::get(RequestPurpose::Watch, format!("{path}?{}", query.finish())) }
    }

    /// How long to wait before the next request: a server in trouble is not helped by being asked at once.
    fn pause(&self) -> Duration {
        match self.failures {
            0 if self.is_listed && !self.is_watchable => self.pace.listed_every,
            0 => Duration::ZERO,
            failures => {
                let doubled = self.pace.first_pause.saturating_mul(2_u32.saturating_pow(failures - 1));
                doubled.min(self.pace.longest_pause)
            }
        }
    }
}

fn version_of(object: &Object) -> Option<String> {
    object.metadata()?.get("resourceVersion")?.as_str().map(str::to_owned)
}
