//! Reads what each application's syncs left behind: no repository is applied, nothing is compared.
//!
//! In: where the states are. Out: each state, or why it cannot be read; and who has the lock of one whose last attempt
//! has no end. Nothing is written.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::app::{Application, Destination};
use crate::cluster::Clusters;
use crate::finding::Finding;
use crate::sync::lock::{self, Holder};
use crate::sync::state::{Place, State};

/// An application whose syncs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The application's name.
    pub name: String,
    /// Its namespace; empty when nothing says one.
    pub namespace: String,
    /// Which cluster its state is in.
    pub destination: Destination,
    /// Where in the cluster.
    pub place: Place,
}

impl Subject {
    /// The application of a manifest.
    pub fn of(application: &Application, argocd_namespace: &str, state_namespace: Option<&str>) -> Self {
        Self {
            name: application.name.clone(),
            namespace: application.namespace.clone(),
            destination: application.destination.clone(),
            place: Place::of(application, argocd_namespace, state_namespace),
        }
    }

    /// An application by the name that tracking has for it, in the cluster of the context.
    pub fn named(instance_name: &str, state_namespace: &str) -> Self {
        Self {
            name: instance_name.to_owned(),
            namespace: String::new(),
            destination: Destination { name: "in-cluster".to_owned(), ..Destination::default() },
            place: Place::named(instance_name, state_namespace),
        }
    }
}

/// The history of an application's syncs.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationSyncs {
    /// Which application.
    pub subject: Subject,
    /// Its state, or why it cannot be read.
    pub state: Result<State, Finding>,
    /// Who syncs it at this moment, as far as that could be seen.
    pub holder: Option<Holder>,
}

impl ApplicationSyncs {
    /// Everything that is wrong.
    pub fn findings(&self) -> Vec<Finding> {
        let found = match &self.state {
            Ok(state) => state.faults.iter().map(|fault| Finding::of(fault)).collect(),
            Err(finding) => vec![finding.clone()],
        };
        found.into_iter().map(|finding| finding.about(&self.subject.name)).collect()
    }
}

/// Reads the state of each, in order.
pub async fn read(subjects: Vec<Subject>, clusters: &Clusters, concurrency: usize) -> Vec<ApplicationSyncs> {
    stream::iter(subjects.into_iter().map(|subject| read_one(subject, clusters)))
        .buffered(concurrency.max(1))
        .collect()
        .await
}

async fn read_one(subject: Subject, clusters: &Clusters) -> ApplicationSyncs {
    let cluster = match clusters.find(&subject.destination) {
        Ok(cluster) => cluster,
        Err(error) => return ApplicationSyncs { subject, state: Err(Finding::of(&error)), holder: None },
    };
    let cluster = Arc::as_ref(&cluster);
    // Whatever is on record under the name is shown; what writes asks whose it is.
    let place = Place { identity: None, ..subject.place.clone() };
    let state = State::read(cluster, &place).await.map_err(|error| Finding::of(&error));
    let is_open = state.as_ref().is_ok_and(|state| state.attempt.is_some() && state.ended.is_none());
    // Who may not read the lock cannot tell a sync that goes on from one that was killed: the record says no more.
    let holder = if is_open { lock::holder(cluster, &subject.place).await.ok().flatten() } else { None };
    ApplicationSyncs { subject, state, holder }
}
