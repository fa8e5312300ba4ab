//! What becomes of live objects, watched: the API server tells it, and nothing is missed when it does not.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use serde_json::json;
use trueup::cluster::{ClusterError, ClusterSettings, ListRequest, Watched, Watching};
use trueup::object::{Gvk, Object};

use super::{Asked, settings_of};
use crate::harness::{Front, Reply};
use crate::harness::{TestCluster, config_map, or_skip};

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

fn config_maps(namespace: &str) -> ListRequest {
    ListRequest {
        gvk: Gvk::from_api_version("v1", "ConfigMap"),
        namespace: Some(namespace.to_owned()),
        metadata_only: false,
    }
}

/// What one watch tells, in words, until `meanwhile` has been called after each item and has no more to do.
fn told(asked: &Asked, request: ListRequest, mut meanwhile: impl FnMut(usize) -> bool) -> Vec<String> {
    let cluster = asked.cluster();
    asked.runtime.block_on(async {
        let mut watch = cluster.watch(request);
        let mut told = Vec::new();
        loop {
            let next = tokio::time::timeout(LIMIT, watch.next()).await;
            told.push(match next.unwrap_or_else(|_| panic!("nothing comes after {told:?}")).unwrap() {
                Ok(Watched::Listed(objects)) => {
                    let names: Vec<_> = objects.iter().map(Object::name).collect();
                    format!("listed {}", names.join(" "))
                }
                Ok(Watched::Changed(object)) => format!("changed {} {}", object.kind(), object.name()),
                Ok(Watched::Deleted(object)) => format!("deleted {} {}", object.kind(), object.name()),
                Err(error) => format!("error: {error}"),
            });
            if !meanwhile(told.len()) {
                return told;
            }
        }
    })
}

/// One LIST and one WATCH, however much happens: what is new, changed and gone is told as it happens.
#[test]
fn changes_are_reported_as_they_happen() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("a"));
    for metadata_only in [false, true] {
        let asked = Asked::of(&cluster);
        let request = ListRequest { metadata_only, ..config_maps(cluster.name()) };

        let told = told(&asked, request, |items| {
            match items {
                1 => cluster.apply(config_map("b")),
                2 => cluster.apply(config_map("b").data("colour", "red")),
                3 => cluster.kubectl(["delete", "configmap", "b"]),
                _ => return false,
            };
            true
        });

        assert_eq!(told, ["listed a", "changed ConfigMap b", "changed ConfigMap b", "deleted ConfigMap b"]);
        let requests = asked.requests();
        assert_eq!((requests.list, requests.watch), (1, 1));
    }
}

fn behind(front: &Front) -> Asked {
    Asked::with(ClusterSettings { kubeconfig: Some(front.kubeconfig()), ..ClusterSettings::default() })
}

/// The requests for `ConfigMap`s that a server saw, in order.
fn requests(front: &Front) -> Vec<&'static str> {
    let seen = front.seen();
    let config_maps = seen.iter().filter(|line| line.contains("/configmaps"));
    config_maps.map(|line| if line.contains("watch=true") { "watch" } else { "list" }).collect()
}

/// A load balancer closes what is idle, in the middle of a line: the next watch begins where the last one ended.
#[test]
fn a_watch_that_breaks_goes_on_from_where_it_was() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("a"));
    let version = cluster.kubectl(["get", "configmap/a", "-o", "jsonpath={.metadata.resourceVersion}"]);
    let bookmark = json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}});
    let watches = AtomicUsize::new(0);
    let front = or_skip!(Front::before(&cluster, move |line| {
        let is_first = line.contains("watch=true") && watches.fetch_add(1, Ordering::SeqCst) == 0;
        is_first.then(|| Reply::Broken(format!("{bookmark}\n{{\"type\":\"DELET")))
    }));
    let asked = behind(&front);

    let told = told(&asked, config_maps(cluster.name()), |items| {
        if items == 1 {
            cluster.apply(config_map("b"));
        }
        items == 1
    });

    assert_eq!(told, ["listed a", "changed ConfigMap b"]);
    assert_eq!(requests(&front), ["list", "watch", "watch"]);
    let again = front.seen().pop().unwrap();
    assert!(again.contains(&format!("resourceVersion={version}&")), "{again}");
}

/// The server has forgotten the version, and says so in either of its ways: what is there is listed again.
#[test]
fn a_version_that_is_forgotten_is_listed_again() {
    let gone = json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410});
    let event = json!({"type": "ERROR", "object": &gone});
    for (case, status, body) in [("the answer", 410, gone.to_string()), ("an event", 200, format!("{event}\n"))] {
        let cluster = or_skip!(TestCluster::namespace());
        cluster.apply(config_map("a"));
        let watches = AtomicUsize::new(0);
        let front = or_skip!(Front::before(&cluster, move |line| {
            let is_first = line.contains("watch=true") && watches.fetch_add(1, Ordering::SeqCst) == 0;
            is_first.then(|| Reply::Now(status, "", body.clone()))
        }));
        let asked = behind(&front);

        let told = told(&asked, config_maps(cluster.name()), |items| {
            if items == 1 {
                cluster.apply(config_map("b"));
            } else if items == 2 {
                cluster.kubectl(["delete", "configmap/b"]);
            }
            items < 3
        });

        assert_eq!(told, ["listed a", "listed a b", "deleted ConfigMap b"], "{case}");
        assert_eq!(requests(&front), ["list", "watch", "list", "watch"], "{case}");
    }
}

/// The API server is replaced while somebody waits: that is told, and so is what is there when it is back.
#[test]
fn a_server_that_goes_away_is_waited_for() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("a"));
    let lists = AtomicUsize::new(0);
    let front = or_skip!(Front::before(&cluster, move |line| {
        let is_watch = line.contains("watch=true");
        let refused = || Reply::json(500, &json!({"kind": "Status", "message": "etcd is gone"}));
        match lists.fetch_add(usize::from(line.contains("/configmaps") && !is_watch), Ordering::SeqCst) {
            // Before the second LIST every watch fails, and that LIST, too.
            1 => (is_watch || line.contains("/configmaps")).then(refused),
            _ => None,
        }
    }));
    let asked = behind(&front);

    let told = told(&asked, config_maps(cluster.name()), |items| items < 3);

    let error = "error: cluster front: `GET /api/v1/namespaces/[NAMESPACE]/configmaps` fails with status 500";
    assert_eq!(told, ["listed a", &error.replace("[NAMESPACE]", cluster.name()), "listed a"]);
}

/// The least role has `get` and `list`: a wait works with that, too.
#[test]
fn a_kind_that_cannot_be_watched_is_listed_repeatedly() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("a"));
    let account = cluster.account("ci").may("get,list", "configmaps");
    let settings = ClusterSettings { kubeconfig: Some(account.kubeconfig().to_owned()), ..settings_of(&cluster) };
    let asked = Asked::with(settings);

    let told = told(&asked, config_maps(cluster.name()), |items| {
        if items == 1 {
            cluster.apply(config_map("b"));
        }
        items < 3
    });

    assert_eq!(told, ["listed a", "listed a b", "listed a b"]);
    assert_eq!(asked.requests().watch, 1);
}

/// Who may not even list it learns that at once.
#[test]
fn a_kind_that_cannot_be_listed_is_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let asked = Asked::with(ClusterSettings { kubeconfig: Some(cluster.stranger()), ..settings_of(&cluster) });
    let cluster = asked.cluster();
    let mut watch = cluster.watch(config_maps("default"));
    let first = asked.runtime.block_on(watch.next()).unwrap();
    assert!(matches!(first, Err(ClusterError::Forbidden { .. })), "{first:?}");
}

/// A sync waits for a few objects in several places: what is there, and what of it changes.
#[test]
fn several_places_are_watched_together() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("a"));
    let asked = Asked::of(&cluster);
    let asked_cluster = asked.cluster();
    asked.runtime.block_on(async {
        let mut watching = Watching::default();
        let secrets = ListRequest { gvk: Gvk::from_api_version("v1", "Secret"), ..config_maps(cluster.name()) };
        for place in [config_maps(cluster.name()), secrets] {
            watching.add(place.clone(), asked_cluster.watch(place));
        }
        watching.settle().await;
        let counts: BTreeMap<_, _> = watching
            .places()
            .map(|(place, listed)| (place.gvk.kind.as_str(), listed.as_ref().unwrap().len()))
            .collect();
        assert_eq!(counts, BTreeMap::from([("ConfigMap", 1), ("Secret", 0)]));

        cluster.kubectl(["create", "secret", "generic", "s"]);
        let changes = tokio::time::timeout(LIMIT, watching.changed()).await.unwrap();
        assert_eq!(
            changes.objects.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [format!("Secret {}/s", cluster.name())]
        );
    });
}

/// A folder in place of a cluster is read again when its files change; a file that is half written is no empty one.
#[test]
fn a_folder_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, config_map("a").to_string()).unwrap();
    let asked = Asked::with(ClusterSettings { live: Some(folder.path().to_owned()), ..ClusterSettings::default() });

    let told = told(&asked, config_maps("default"), |items| {
        match items {
            1 => fs::write(&file, "kind: [").unwrap(),
            2 => fs::write(&file, config_map("b").to_string()).unwrap(),
            3 => fs::remove_file(&file).unwrap(),
            _ => return false,
        }
        true
    });

    assert_eq!((told[0].as_str(), told[2].as_str(), told[3].as_str()), ("listed a", "listed b", "listed "));
    assert!(told[1].starts_with("error: live folder"), "{told:?}");
}
