//! Who syncs, and the cluster that writes down what they write.

use std::sync::Arc;

use super::SyncRequest;
use crate::cluster::Cluster;
use crate::fleet::application::Compared;
use crate::object::Object;
use crate::sync::audit::{AuditSubject, Audited};
use crate::sync::plan::Plan;

/// Who syncs: whoever is named, or the account of the cluster. A machine's name says nothing about a person.
pub(crate) async fn person(cluster: &dyn Cluster, wanted: &SyncRequest) -> String {
    match &wanted.by {
        Some(by) => by.clone(),
        None => cluster.user().await.map_or_else(|| "unknown".to_owned(), |user| user.name),
    }
}

/// The cluster that writes down each write of a plan; nothing where nobody asked for that.
pub(crate) async fn audited<'cluster>(
    compared: &Compared,
    plan: &Plan,
    cluster: &'cluster dyn Cluster,
    wanted: &SyncRequest,
) -> Option<Audited<'cluster>> {
    let log = Arc::clone(wanted.audit.as_ref()?);
    let by = person(cluster, wanted).await;
    let subject = AuditSubject { by, application: plan.application.clone(), revisions: plan.revisions.clone() };
    let view = compared.view();
    let of_target = |target: &Object| view.find(target, &mut Vec::new()).ok().flatten().cloned();
    let targets = plan.steps.iter().filter_map(|step| of_target(step.target.as_deref()?));
    let live: Vec<Arc<Object>> = targets.chain(compared.surplus.iter().cloned()).collect();
    Some(Audited::new(cluster, log, subject, live.iter().map(AsRef::as_ref)))
}
