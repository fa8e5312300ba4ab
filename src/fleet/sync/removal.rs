//! Removes applications that are no longer generated, as `trueup delete` does.
//!
//! In: removals that were allowed. Out: each as it is reported, and what went wrong. Hooks are not run, because git no longer
//! has them.

use std::sync::Arc;

use serde_json::json;

use super::planned::{Performed, Planned};
use super::{Delete, SyncRequest, Wish, in_turn, perform, plan};
use crate::app::{self, Given, Lineage, ManifestText};
use crate::cluster::Propagation;
use crate::finding::{Code, Finding, Severity};
use crate::fleet::application::{Built, ClusterConnection, Fetched, Loaded, Peers, Purpose, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::census::{RemovedApplication, RemovedObjects, qualified};
use crate::fleet::condition::Conditions;
use crate::fleet::observe::observe_one;
use crate::fleet::removals::Removal;
use crate::fleet::{Request, World};
use crate::object::yaml;
use crate::sync::plan::{Flags, MaxPrune, Neighbours};

/// Removes what was allowed, once all that the run is about was synced without an error.
pub(crate) async fn remove_all(
    removals: &[Removal],
    performed: &Batch<Performed>,
    findings: &mut Vec<Finding>,
    (request, wanted, world): (&Request, &SyncRequest, &World),
) -> Vec<RemovedApplication> {
    let listed = || removals.iter().map(|removal| removal.report(false)).collect();
    if removals.is_empty() || !wanted.allow_removals || wanted.stop.is_cancelled() {
        return listed();
    }
    let has_error = |finding: &Finding| finding.severity == Severity::Error;
    let has_failed = performed.left().next().is_some()
        || performed.has_invalid()
        || findings.iter().any(has_error)
        || !performed.iter().all(in_turn::is_without_error);
    if has_failed {
        let message = "no application was removed, because of the errors in this run";
        let help = "what is no longer generated may have moved to what failed; correct it, and run this again";
        findings.push(Finding::error(Code::FleetRemovalsHeld, message).with_help(help));
        return listed();
    }
    let mut removed = Vec::new();
    for removal in removals {
        let peers = performed.iter().map(|one| &one.planned.compared);
        let mut peers = peers.filter(|one| one.cluster().name() == removal.cluster.name());
        let neighbours = peers.next().map(|one| Arc::clone(&one.peers.neighbours)).unwrap_or_default();
        let (report, errors) = remove(removal, neighbours, (request, wanted, world)).await;
        removed.push(report);
        findings.extend(errors);
    }
    removed
}

/// Removes one application. What another application of the run has in git stays.
pub(crate) async fn remove(
    removal: &Removal,
    neighbours: Arc<Neighbours>,
    (request, wanted, world): (&Request, &SyncRequest, &World),
) -> (RemovedApplication, Vec<Finding>) {
    match removed(removal, neighbours, (request, wanted, world)).await {
        Ok((is_removed, findings)) => (removal.report(is_removed), findings),
        Err(finding) => (removal.report(false), vec![finding]),
    }
}

async fn removed(
    removal: &Removal,
    neighbours: Arc<Neighbours>,
    (request, wanted, world): (&Request, &SyncRequest, &World),
) -> Result<(bool, Vec<Finding>), Finding> {
    let rendered = rendered(removal, request).await?;
    let rendered = Rendered { peers: Peers { neighbours, shared: Arc::default() }, ..rendered };
    let wanted = deletion(removal.outcome, wanted);
    let compared = observe_one(rendered, request, world).await;
    let planned: Planned = plan::plan(compared, request, &wanted, world).await;
    let performed = Box::pin(perform::perform(planned, request, &wanted, world)).await;
    let conditions = performed.planned.compared.loaded.conditions.clone();
    let conditions = conditions.and(&performed.planned.compared.conditions).and(&performed.planned.conditions);
    let errors = conditions.into_vec().into_iter().map(|condition| condition.finding);
    let mut errors: Vec<Finding> = errors.filter(|finding| finding.severity == Severity::Error).collect();
    if !performed.is_deleted && errors.is_empty() {
        let message =
            format!("{}: not removed in full: some of its objects are held", removal.recorded.qualified_name());
        errors
            .push(Finding::error(Code::SyncFailed, message).with_help("`trueup delete` with its manifest says which"));
    }
    Ok((performed.is_deleted, errors))
}

/// The application as it is on record, of which git has nothing.
async fn rendered(removal: &Removal, request: &Request) -> Result<Rendered, Finding> {
    let about = |finding: Finding| finding.about(&removal.recorded.qualified_name().to_string());
    let kinds = removal.cluster.kinds().await.map_err(|error| about(Finding::of(&error)))?;
    let fault = || {
        let message = "not removed: its record does not say where it is; nothing was written";
        about(Finding::error(Code::SyncUnknown, message))
    };
    let destination = match (removal.identity.server.as_str(), removal.identity.name.as_str()) {
        ("", "") => json!({"server": removal.cluster.name()}),
        ("", name) => json!({"name": name}),
        (server, _) => json!({"server": server}),
    };
    let mut manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": removal.recorded.namespace, "name": removal.recorded.name},
        "spec": {"project": removal.recorded.project, "source": {"repoURL": "https://localhost/removed", "path": "."}, "destination": destination},
    });
    manifest["spec"]["destination"]["namespace"] = json!(removal.identity.namespace);
    let text = ManifestText {
        name: "the record".to_owned(),
        bytes: yaml::write(&manifest).into_bytes(),
        folder: ".".into(),
        given: Given::ByName,
    };
    let read = app::read(&[text]).applications.into_iter().next();
    let mut application = read.and_then(Result::ok).ok_or_else(fault)?;
    application.finalizers.extend(removal.recorded.finalizer.clone());
    application.findings.clear();
    application.lineage = Lineage {
        generated_by: removal.recorded.generated_by.as_deref().map(qualified),
        parent: removal.recorded.parent.as_deref().map(qualified),
        set_origin: removal.recorded.set_origin.clone(),
        parent_origin: removal.recorded.parent_origin.clone(),
        ..Lineage::default()
    };
    let conditions = Conditions::of(&application.name);
    let identity = removal.identity.clone();
    let loaded = Loaded {
        application: Arc::new(application),
        identity,
        purpose: Purpose::Delete,
        violations: Vec::new(),
        conditions,
    };
    if loaded.place(request).parent() != removal.place.parent() {
        return Err(fault());
    }
    let fetched = Fetched::nothing(loaded);
    let built = Built { fetched, tools: Vec::new(), target: Arc::default(), gaps: Vec::new() };
    let connection = ClusterConnection { cluster: Arc::clone(&removal.cluster), kinds };
    Ok(Rendered { built, connection, hooks: Arc::default(), peers: Peers::default() })
}

/// A sync's request as that of a deletion.
fn deletion(outcome: RemovedObjects, wanted: &SyncRequest) -> SyncRequest {
    let (orphan, in_background) = match outcome {
        RemovedObjects::Kept => (true, false),
        RemovedObjects::Deleted { in_background } => (false, in_background),
    };
    let propagation = in_background.then_some(Propagation::Background);
    let flags = Flags { max_prune: MaxPrune::Percent(100), allow_empty: true, ..wanted.flags };
    SyncRequest { wish: Wish::Delete(Delete { orphan, hooks: false, propagation }), flags, ..wanted.clone() }
}
