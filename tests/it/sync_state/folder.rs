//! A cluster that is a folder has records and locks, too: files below `.trueup/`.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use trueup::app::Destination;
use trueup::cluster::{Cluster, ClusterSettings, Clusters, ListRequest};
use trueup::object::{Gvk, Object};
use trueup::progress::Progress;
use trueup::sync::lock::{Lock, LockError, holder};
use trueup::sync::state::{Place, State};

use super::{attempt, record, succeeded};
use crate::harness::folder_with;

const AT_ONCE: Duration = Duration::ZERO;

fn connection(folder: &Path) -> Arc<dyn Cluster> {
    let settings = ClusterSettings { live: Some(folder.to_owned()), ..ClusterSettings::default() };
    let destination = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    Clusters::new(settings, Progress::silent()).find(&destination).unwrap()
}

fn member(name: &str) -> Object {
    let metadata = serde_json::json!({"name": name, "namespace": "prod"});
    Object::new(serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
}

/// The rendered-manifests pattern: the record is a file beside the manifests, and no object of the application.
#[tokio::test]
async fn a_folder_keeps_the_record_of_its_syncs() {
    let folder = folder_with([]);
    for place in [Place::named("shop", "prod"), Place::named("team_shop", "prod")] {
        for syncs in 1..=2 {
            // Each run opens the folder anew.
            let cluster = connection(folder.path());
            let mut state = State::read(&*cluster, &place).await.unwrap();
            state.begin(&*cluster, &place, attempt(&["ConfigMap"])).await.unwrap();
            assert!(State::read(&*connection(folder.path()), &place).await.unwrap().was_interrupted());
            state.finish(&*cluster, &place, succeeded(record(&[member("settings")]))).await.unwrap();
            let read = State::read(&*connection(folder.path()), &place).await.unwrap();
            assert_eq!((read.history.len(), read.was_interrupted(), &read.faults[..]), (syncs, false, &[][..]));
            assert!(read.baseline.unwrap().of(&member("settings").key()).is_some());
        }
    }
    let own = fs::read_dir(folder.path().join(".trueup/prod")).unwrap().count();
    assert_eq!(own, 2, "a file for each application");
    let gvk = Gvk::from_api_version("v1", "ConfigMap");
    let swept = ListRequest { gvk, namespace: Some("prod".to_owned()), metadata_only: true };
    assert_eq!(connection(folder.path()).list(&swept).await.unwrap(), [], "none of them is an extra of anybody");
}

/// A record that no ConfigMap would hold is in parts here as well: the folder may be applied to a cluster one day.
#[tokio::test]
async fn a_folder_keeps_a_large_record_in_parts() {
    let folder = folder_with([]);
    let place = Place::named("shop", "prod");
    let members: Vec<Object> =
        (0..12_000).map(|number| member(&format!("one-of-very-many-long-names-{number}"))).collect();
    for objects in [&members[..], &members[1..], &members[..1]] {
        let cluster = connection(folder.path());
        let mut state = State::read(&*cluster, &place).await.unwrap();
        state.begin(&*cluster, &place, attempt(&["ConfigMap"])).await.unwrap();
        state.finish(&*cluster, &place, succeeded(record(objects))).await.unwrap();
        let read = State::read(&*connection(folder.path()), &place).await.unwrap();
        assert_eq!((read.faults, read.baseline.map(|baseline| baseline.keys().count())), (vec![], Some(objects.len())));
    }
    assert_eq!(
        fs::read_dir(folder.path().join(".trueup/prod")).unwrap().count(),
        1,
        "the parts are gone with the need"
    );
}

/// Two runs over one checkout.
#[tokio::test]
async fn a_folder_has_a_lock() {
    let folder = folder_with([]);
    let place = Place::named("shop", "prod");
    let take = async |holder: &str| Lock::take(connection(folder.path()), place.clone(), holder, AT_ONCE).await;
    let lock = take("first").await.unwrap();
    assert!(matches!(take("second").await, Err(LockError::Held { holder, .. }) if holder == "first"));
    lock.release().await.unwrap();
    assert_eq!(holder(&*connection(folder.path()), &place).await.unwrap(), None);

    let many = futures::future::join_all(["a", "b", "c", "d"].map(take)).await;
    assert_eq!(many.iter().filter(|lock| lock.is_ok()).count(), 1);
}
