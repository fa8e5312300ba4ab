//! Who the clusters take a run for, and what it lacks for a diff, a sync and a prune of each application.
//!
//! In: applications, which are rendered to know their kinds. Out: [`Whoami`]. Nothing is written but the cache; the servers are asked,
//! and nothing is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::app::{Destination, SelectionError};
use crate::cluster::{AccessNeed, Cluster, ClusterUser};
use crate::finding::Finding;
use crate::fleet::application::{Left, Purpose, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::live::identity;
use crate::fleet::stages::select::select;
use crate::fleet::stages::settings;
use crate::fleet::targets::targets;
use crate::fleet::{Request, World};
use crate::object::{Object, Scope};

/// Who runs this, and what each application lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whoami {
    /// Each cluster, with its user.
    pub clusters: Vec<ClusterIdentity>,
    /// Each application, in order.
    pub applications: Vec<ApplicationAccess>,
    /// Errors and warnings.
    pub findings: Vec<Finding>,
}

/// A cluster, and who it takes the run for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// The cluster's name.
    pub cluster: String,
    /// The user; nothing where the cluster does not say.
    pub user: Option<ClusterUser>,
}

/// What an application lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationAccess {
    /// The application's name.
    pub name: String,
    /// Its cluster.
    pub cluster: String,
    /// Whether the cluster answered every question.
    pub is_known: bool,
    /// For a diff.
    pub diff: Vec<MissingRule>,
    /// For a sync, besides what a diff needs.
    pub sync: Vec<MissingRule>,
    /// For a prune or a deletion, besides what a sync needs.
    pub prune: Vec<MissingRule>,
}

/// A rule that a Role or `ClusterRole` lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRule {
    /// Where; the whole cluster where there is none.
    pub namespace: Option<String>,
    /// The API group.
    pub group: String,
    /// The resource.
    pub resource: String,
    /// The verbs.
    pub verbs: Vec<&'static str>,
}

/// The verbs of a diff.
const READ: [&str; 2] = ["get", "list"];
/// The further verbs of a sync.
const WRITE: [&str; 2] = ["create", "patch"];
/// The further verb of a prune.
const DELETE: [&str; 1] = ["delete"];

/// Asks the cluster of the context alone.
pub async fn whoami_here(world: &World) -> Whoami {
    let destination = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    match world.clusters.find(&destination) {
        Ok(cluster) => Whoami { clusters: vec![user_of(&cluster).await], ..Whoami::default() },
        Err(error) => Whoami { findings: vec![Finding::of(&error)], ..Whoami::default() },
    }
}

/// Asks the clusters of every application.
pub async fn whoami(request: Request, world: &World) -> Result<Whoami, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = targets(applications, &mut request, &Purpose::Keep, world).await;
    let mut whoami = Whoami { findings: findings(&rendered, &request), ..Whoami::default() };
    let mut seen = BTreeSet::new();
    let clusters = rendered.iter().map(|rendered| &rendered.connection.cluster);
    for cluster in clusters.chain(rendered.left().filter_map(|left| left.cluster.as_ref())) {
        if seen.insert(identity(cluster)) {
            whoami.clusters.push(user_of(cluster).await);
        }
    }
    for rendered in rendered.iter() {
        match access(rendered, &request).await {
            Ok(access) => whoami.applications.push(access),
            Err(finding) => whoami.findings.push(finding.about(&rendered.application.name)),
        }
    }
    Ok(whoami)
}

fn findings(rendered: &Batch<Rendered>, request: &Request) -> Vec<Finding> {
    let of_left =
        |left: &Left| left.fetched.loaded.conditions.iter().map(|condition| condition.finding.clone()).collect();
    let left = rendered.left().flat_map(|left| -> Vec<Finding> { of_left(left) });
    request.findings.iter().chain(rendered.invalid_findings()).cloned().chain(left).collect()
}

async fn user_of(cluster: &Arc<dyn Cluster>) -> ClusterIdentity {
    ClusterIdentity { cluster: cluster.name().to_owned(), user: cluster.user().await }
}

/// The resources that an application needs, by namespace.
type Needed = BTreeMap<Option<String>, BTreeSet<(String, String)>>;

fn needed(rendered: &Rendered) -> Needed {
    let mut needed = Needed::new();
    for object in rendered.target.iter() {
        // A kind that is not served yet has no rule that could be asked about.
        let Some(facts) = rendered.kinds().exact(&object.gvk()) else { continue };
        let namespace = namespace_of(object, facts.scope, &rendered.application.destination.namespace);
        needed.entry(namespace).or_default().insert((facts.gvk.group.clone(), facts.plural.clone()));
    }
    needed
}

fn namespace_of(object: &Object, scope: Scope, default: &str) -> Option<String> {
    let own = Some(object.namespace()).filter(|namespace| !namespace.is_empty()).unwrap_or(default);
    (scope == Scope::Namespaced).then(|| own.to_owned())
}

async fn access(rendered: &Rendered, request: &Request) -> Result<ApplicationAccess, Finding> {
    let (mut diff, mut sync, mut prune) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_known = true;
    for (namespace, resources) in needed(rendered) {
        let mut ask = async |verbs: &[&'static str], missing: &mut Vec<MissingRule>| -> Result<(), Finding> {
            let needs = needs(&resources, verbs);
            is_known &= lacking(rendered.cluster(), namespace.as_deref(), &needs, missing).await?;
            Ok(())
        };
        ask(&READ, &mut diff).await?;
        ask(&WRITE, &mut sync).await?;
        ask(&DELETE, &mut prune).await?;
    }
    // The record and the lock of a sync.
    let place = rendered.place(request);
    let own = [("", "configmaps"), ("coordination.k8s.io", "leases")];
    let own: BTreeSet<(String, String)> =
        own.iter().map(|(group, name)| ((*group).to_owned(), (*name).to_owned())).collect();
    let needs = needs(&own, &["get", "create", "update"]);
    if !place.namespace.is_empty() {
        is_known &= lacking(rendered.cluster(), Some(&place.namespace), &needs, &mut sync).await?;
    }
    for missing in [&mut diff, &mut sync, &mut prune] {
        *missing = merged(std::mem::take(missing));
    }
    let (name, cluster) = (rendered.application.name.clone(), rendered.cluster().name().to_owned());
    Ok(ApplicationAccess { name, cluster, is_known, diff, sync, prune })
}

fn needs(resources: &BTreeSet<(String, String)>, verbs: &[&'static str]) -> Vec<AccessNeed> {
    let of_resource = |(group, resource): &(String, String)| {
        let need = |verb: &&'static str| AccessNeed { group: group.clone(), resource: resource.clone(), verb };
        verbs.iter().map(need).collect::<Vec<_>>()
    };
    resources.iter().flat_map(of_resource).collect()
}

/// Adds what is not permitted; whether every question was answered.
async fn lacking(
    cluster: &dyn Cluster,
    namespace: Option<&str>,
    needs: &[AccessNeed],
    missing: &mut Vec<MissingRule>,
) -> Result<bool, Finding> {
    let permitted = cluster.permits(needs, namespace).await.map_err(|error| Finding::of(&error))?;
    let denied = needs.iter().zip(&permitted).filter(|(_, permitted)| **permitted == Some(false));
    missing.extend(denied.map(|(need, _)| MissingRule {
        namespace: namespace.map(str::to_owned),
        group: need.group.clone(),
        resource: need.resource.clone(),
        verbs: vec![need.verb],
    }));
    Ok(permitted.iter().all(Option::is_some))
}

/// One rule for each resource.
fn merged(missing: Vec<MissingRule>) -> Vec<MissingRule> {
    let mut rules: BTreeMap<(Option<String>, String, String), Vec<&'static str>> = BTreeMap::new();
    for MissingRule { namespace, group, resource, verbs } in missing {
        let known = rules.entry((namespace, group, resource)).or_default();
        known.extend(verbs.into_iter().filter(|verb| !known.contains(verb)).collect::<Vec<_>>());
    }
    let rule = |((namespace, group, resource), verbs)| MissingRule { namespace, group, resource, verbs };
    rules.into_iter().map(rule).collect()
}
