//! What a sync leaves about itself in a cluster: the parent of its ApplySet, and the lock beside it.

mod argo_status;
mod folder;
mod history;
mod lock;
mod parent;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use trueup::app::Destination;
use trueup::cluster::{Cluster, ClusterSettings, Clusters};
use trueup::object::{GroupKind, Object};
use trueup::progress::Progress;
use trueup::status::compare::Baseline;
use trueup::sync::OperationPhase;
use trueup::sync::state::{Attempt, Ended, Place, State, StateError, SyncedSource};

use crate::harness::{Missing, TestCluster};

/// A cluster, a place in it, and a runtime to write from.
struct Site {
    runtime: tokio::runtime::Runtime,
    cluster: TestCluster,
    connection: Arc<dyn Cluster>,
    place: Place,
}

impl Site {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let connection = connection(cluster.kubeconfig());
        let place = Place::named("shop", cluster.name());
        Ok(Self { runtime, cluster, connection, place })
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn read(&self) -> State {
        self.block_on(State::read(&*self.connection, &self.place)).unwrap()
    }

    fn try_begin(&self, state: &mut State, attempt: Attempt) -> Result<(), StateError> {
        self.block_on(state.begin(&*self.connection, &self.place, attempt))
    }

    fn try_finish(&self, state: &mut State, ended: Ended) -> Result<(), StateError> {
        self.block_on(state.finish(&*self.connection, &self.place, ended))
    }

    /// A whole sync of these objects, as far as its record goes.
    fn synced(&self, objects: &[Object]) -> State {
        let mut state = self.read();
        self.try_begin(&mut state, attempt(&["ConfigMap"])).unwrap();
        self.try_finish(&mut state, succeeded(record(objects))).unwrap();
        state
    }

    /// A ConfigMap in the test's namespace, as trueup would have applied it.
    fn member(&self, name: &str) -> Object {
        let applied = json!([{"manager": "trueup", "operation": "Apply", "fieldsV1": {"f:data": {}}}]);
        let metadata = json!({"name": name, "namespace": self.cluster.name(), "managedFields": applied});
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
    }

    /// An object as kubectl shows it; nothing where it is not there.
    fn get(&self, object: &str) -> Value {
        let arguments = ["get", object, "-o", "json", "--ignore-not-found"];
        let output = self.cluster.try_kubectl(self.cluster.kubeconfig(), &arguments, "");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

/// The cluster, as whoever the kubeconfig says.
fn connection(kubeconfig: &Path) -> Arc<dyn Cluster> {
    let settings = ClusterSettings { kubeconfig: Some(kubeconfig.to_owned()), ..ClusterSettings::default() };
    let destination = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    Clusters::new(settings, Progress::silent()).find(&destination).unwrap()
}

fn record(objects: &[Object]) -> Baseline {
    let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
    for object in objects {
        baseline.record(object, object, None);
    }
    baseline
}

fn attempt(kinds: &[&str]) -> Attempt {
    let kind = |kind: &&str| {
        let (kind, group) = kind.split_once('.').unwrap_or((kind, ""));
        GroupKind { group: group.to_owned(), kind: kind.to_owned() }
    };
    Attempt {
        revisions: vec!["3f2a9c1d".repeat(5)],
        started: "2026-03-10T12:00:00Z".parse().unwrap(),
        by: "ci@runner".to_owned(),
        steps: 12,
        kinds: kinds.iter().map(kind).collect(),
        namespaces: BTreeSet::new(),
    }
}

fn succeeded(baseline: Baseline) -> Ended {
    let source = SyncedSource {
        repo_url: "https://git.example.com/shop".to_owned(),
        path: "overlays/prod".to_owned(),
        target_revision: "main".to_owned(),
        revision: "3f2a9c1d".repeat(5),
        ..SyncedSource::default()
    };
    Ended {
        at: "2026-03-10T12:00:30Z".parse().unwrap(),
        phase: OperationPhase::Succeeded,
        message: "12 steps".to_owned(),
        baseline: Some(baseline),
        left: Vec::new(),
        unseen: BTreeSet::new(),
        sources: Some(vec![source]),
        is_entry: true,
        history_limit: 10,
    }
}
