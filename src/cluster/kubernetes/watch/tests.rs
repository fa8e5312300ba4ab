//! Watches that go wrong in ways that no real server can be made to show.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::*;
use crate::cluster::kubernetes::connection::Connection;
use crate::cluster::kubernetes::discovery::Discovered;
use crate::cluster::kubernetes::{Served, openapi, rights};
use crate::object::{Gvk, Kinds, Scope};

/// So fast that nobody waits for it.
const FAST: Pace = Pace {
    open_for: Duration::from_secs(60),
    dead_after: Duration::from_millis(20),
    steady_after: Duration::from_millis(1),
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(2),
    listed_every: Duration::from_millis(1),
};

/// One answer of a server.
enum Say {
    /// This, and no more.
    Now(u16, String),
    /// This, and then nothing for ever.
    Silence(String),
}

fn list(version: &str, names: &[&str]) -> Say {
    let items: Vec<Value> =
        names.iter().map(|name| json!({"metadata": {"name": name, "resourceVersion": "1"}})).collect();
    Say::Now(200, json!({"metadata": {"resourceVersion": version}, "items": items}).to_string())
}

fn event(kind: &str, name: &str, version: &str) -> String {
    let metadata = json!({"name": name, "resourceVersion": version});
    format!("{}\n", json!({"type": kind, "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}}))
}

/// A server that says these things one after the other, and then nothing; and what it was asked.
fn server(answers: Vec<Say>) -> (Kubernetes, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (answers, log) = (Arc::new(Mutex::new(VecDeque::from(answers))), Arc::clone(&asked));
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default();
        let version = query.split('&').find_map(|part| part.strip_prefix("resourceVersion="));
        log.lock().unwrap().push(version.map_or("list".to_owned(), |version| format!("watch from {version}")));
        let answer = answers.lock().unwrap().pop_front();
        async move {
            let (status, text, ends) = match answer {
                Some(Say::Now(status, text)) => (status, text, true),
                Some(Say::Silence(text)) => (200, text, false),
                None => (200, String::new(), false),
            };
            let first = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(text)))]);
            let body: UnsyncBoxBody<Bytes, Infallible> = if ends {
                StreamBody::new(first).boxed_unsync()
            } else {
                StreamBody::new(first.chain(stream::pending())).boxed_unsync()
            };
            Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap())
        }
    });
    let mut kinds = Kinds::new("v1.36.3");
    kinds.add(KindFacts {
        gvk: Gvk::from_api_version("v1", "ConfigMap"),
        plural: "configmaps".to_owned(),
        scope: Scope::Namespaced,
        verbs: vec!["list".to_owned(), "watch".to_owned()],
    });
    let discovered = Discovered { kinds: Arc::new(kinds), remarks: std::collections::BTreeMap::new() };
    let kubernetes = Kubernetes {
        connection: Connection::answered_by(Client::new(service, "default")),
        served: RwLock::new(Arc::new(Served {
            discovered: OnceCell::new_with(Some(Ok(discovered))),
            documents: openapi::Documents::new(None),
        })),
        rights: rights::Rights::default(),
        account: crate::cluster::kubernetes::account::Account::default(),
        cache_dir: None,
    };
    (kubernetes, asked)
}

/// The next events of a watch, in words.
async fn next(kubernetes: &Kubernetes, count: usize) -> Vec<String> {
    let request = ListRequest { gvk: Gvk::from_api_version("v1", "ConfigMap"), namespace: None, metadata_only: false };
    let next = paced(kubernetes, request, FAST).take(count).map(|next| match next {
        Ok(Watched::Listed(objects)) => format!("listed {}", objects.len()),
        Ok(Watched::Changed(object)) => format!("changed {}", object.name()),
        Ok(Watched::Deleted(object)) => format!("deleted {}", object.name()),
        Err(error) => error.to_string(),
    });
    next.collect().await
}

/// A firewall forgets a connection without a reset to either side: the watch is given up and opened again from where it was.
#[tokio::test]
async fn a_connection_that_dies_without_a_word_is_noticed() {
    let (kubernetes, asked) = server(vec![
        list("5", &["a"]),
        Say::Silence(event("ADDED", "b", "7")),
        Say::Silence(event("DELETED", "b", "8")),
    ]);
    assert_eq!(next(&kubernetes, 3).await, ["listed 1", "changed b", "deleted b"]);
    assert_eq!(*asked.lock().unwrap(), ["list", "watch from 5", "watch from 7"]);
}

/// Only the changes since the last bookmark are requested again.
#[tokio::test]
async fn a_watch_that_ends_goes_on_from_the_last_bookmark() {
    let (kubernetes, asked) = server(vec![
        list("5", &[]),
        Say::Now(200, event("BOOKMARK", "", "9")),
        Say::Now(200, event("ADDED", "b", "10")),
    ]);
    assert_eq!(next(&kubernetes, 2).await, ["listed 0", "changed b"]);
    assert_eq!(*asked.lock().unwrap(), ["list", "watch from 5", "watch from 9"]);
}

/// A proxy that answers nonsense, an event that is no event, a server that fails: none is taken for "nothing happened".
#[tokio::test]
async fn what_was_missed_is_listed_again() {
    for (case, answers, requests) in [
        ("no event", vec![Say::Now(200, "<html>\n".to_owned())], vec!["watch from 5"]),
        ("no object", vec![Say::Now(200, event("ADDED", "", "6"))], vec!["watch from 5"]),
        ("gone", vec![Say::Now(410, String::new())], vec!["watch from 5"]),
        (
            "failures",
            (0..=REOPENED).map(|_| Say::Now(500, String::new())).collect(),
            vec!["watch from 5"; REOPENED as usize + 1],
        ),
    ] {
        let mut all = vec![list("5", &["a"])];
        all.extend(answers);
        all.extend([list("12", &["a", "b"]), Say::Silence(event("DELETED", "a", "13"))]);
        let (kubernetes, asked) = server(all);
        assert_eq!(next(&kubernetes, 3).await, ["listed 1", "listed 2", "deleted a"], "{case}");
        let mut expected = vec!["list"];
        expected.extend(requests);
        expected.extend(["list", "watch from 12"]);
        assert_eq!(*asked.lock().unwrap(), expected, "{case}");
    }
}

/// A server in trouble is asked less and less often, and never more than a few times a minute.
#[test]
fn pauses_grow_up_to_a_limit() {
    let (kubernetes, _) = tokio::runtime::Runtime::new().unwrap().block_on(async { server(Vec::new()) });
    let request = ListRequest { gvk: Gvk::from_api_version("v1", "ConfigMap"), namespace: None, metadata_only: false };
    let mut watch = ResourceWatch {
        kubernetes: &kubernetes,
        request,
        pace: PACE,
        state: WatchState::Unknown,
        is_listed: true,
        is_watchable: true,
        failures: 0,
    };
    for (failures, milliseconds) in [(0, 0), (1, 200), (2, 400), (6, 6400), (7, 10_000), (u32::MAX, 10_000)] {
        watch.failures = failures;
        assert_eq!(watch.pause(), Duration::from_millis(milliseconds), "{failures}");
    }
    (watch.failures, watch.is_watchable) = (0, false);
    assert_eq!(watch.pause(), PACE.listed_every);
}
