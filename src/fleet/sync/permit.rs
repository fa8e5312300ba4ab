//! Holds a sync to what the person behind it may do: what is not permitted is not planned, or its plan is not carried out.
//!
//! In: a compared application, a plan, a request with [`Permissions`](crate::fleet::Permissions). Out: errors of the class "not permitted",
//! which name the line that is missing.
//!
//! Rules: docs/policy.md. Argo CD server/application/application.go: `sync` to sync, `override` where the sources are others than the
//! manifest's, `delete` to delete the application or to prune, `rollback` or `sync` to roll back.

use super::{SyncRequest, Wish};
use crate::finding::Finding;
use crate::fleet::Request;
use crate::fleet::application::Compared;
use crate::sync::plan::{Action, Method, Plan, Step};

/// Refuses what is wished where the person may not do it: nothing is planned then.
pub(crate) fn refuse(compared: &Compared, request: &Request, wanted: &SyncRequest) -> Result<(), Finding> {
    let Some(permissions) = &request.permissions else { return Ok(()) };
    let action = match wanted.wish {
        Wish::Rollback { .. } if permissions.enforces_rollback => "rollback",
        Wish::Sync { .. } | Wish::Reconcile { .. } | Wish::Rollback { .. } => "sync",
        Wish::Delete(_) => "delete",
    };
    let refusal = |action| permissions.refusal(&compared.application, &request.argocd_namespace, action);
    if let Some(finding) = refusal(action) {
        return Err(nothing_was_written(finding));
    }
    let is_deletion = matches!(wanted.wish, Wish::Delete(_));
    match permissions.overriding.filter(|_| !is_deletion) {
        Some(flag) => refusal("override")
            .map_or(Ok(()), |finding| Err(nothing_was_written(finding).with_cause(format!("{flag} was given")))),
        None => Ok(()),
    }
}

/// Refuses a plan that deletes what the person may not delete: all of the application, or each of the objects. A line that denies
/// the object wins.
pub(crate) fn refuse_prunes(compared: &Compared, plan: &Plan, request: &Request, wanted: &SyncRequest) -> Vec<Finding> {
    let Some(permissions) = &request.permissions else { return Vec::new() };
    if matches!(wanted.wish, Wish::Delete(_)) {
        return Vec::new();
    }
    let namespace = &request.argocd_namespace;
    let may_delete_all = permissions.refusal(&compared.application, namespace, "delete").is_none();
    let of_object = |step: &Step| {
        let object = &step.object;
        let of_object = object.namespace.as_deref().unwrap_or_default();
        let action = format!("delete/{}/{}/{of_object}/{}", object.gvk.group, object.gvk.kind, object.name);
        let is_denied = permissions.is_denied(&compared.application, namespace, &action);
        if may_delete_all && !is_denied {
            return None;
        }
        permissions.refusal(&compared.application, namespace, &action)
    };
    plan.steps.iter().filter(|step| deletes(step)).filter_map(of_object).take(1).map(nothing_was_written).collect()
}

/// Whether the step deletes a live object, to create it again or not.
fn deletes(step: &Step) -> bool {
    step.is_prune() || matches!(step.action, Action::Apply { method: Method::Recreate, .. })
}

fn nothing_was_written(finding: Finding) -> Finding {
    Finding { message: format!("{}; nothing was written", finding.message), ..finding }
}
