//! Judges every resource that git has, as it is in the cluster, and from that every application.
//!
//! In: applications with what is live. Out: the same with their health. Extras do not count: a sync takes them away. Hooks do not
//! either.

use std::sync::Arc;

use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::application::OnCluster;
use crate::fleet::batch::side_by_side;
use crate::fleet::condition::{ConditionKind, Conditions};
use crate::fleet::live::LiveView;
use crate::fleet::reporting::WithHealth;
use crate::fleet::run::{ApplicationHealth, ApplicationRun, Run};
use crate::object::Object;
use crate::object::annotations::{IGNORE_HEALTHCHECK, is_hook, is_skipped};
use crate::status::health::{Counted, Health, HealthStatus, Judge, ResourceHealth, aggregate};

/// Judges where somebody asked for it.
pub(crate) async fn judge<T: OnCluster>(applications: Vec<T>, request: &Request) -> Vec<WithHealth<T>> {
    let judge_one = async |of: T| {
        let mut conditions = Conditions::of(&of.listed().application.name);
        let Some(judge) = &request.health else { return WithHealth { of, health: None, conditions } };
        let (view, target, judge) = (of.listed().view(), Arc::clone(&of.listed().target), Arc::clone(judge));
        let judged = tokio::task::spawn_blocking(move || of_application(&view, &target, &judge)).await;
        // A panic in one application must not end the fleet.
        let (health, found) =
            judged.unwrap_or_else(|_panic| (unknown(), vec![(ConditionKind::ComparisonError, fault())]));
        conditions.add_all(found);
        // Argo CD: an application that could not be loaded in full is of unknown health.
        let is_in_doubt = of.all_conditions().block_comparison() || conditions.block_comparison();
        let status = if is_in_doubt { HealthStatus::Unknown } else { health.status };
        WithHealth { of, health: Some(ApplicationHealth { status, ..health }), conditions }
    };
    side_by_side(applications, request.concurrency, judge_one).await
}

/// The run, where the health of applications may have been asked for: one that cannot be judged is of unknown health then, as in
/// Argo CD.
pub(crate) fn judge_unknown(mut run: Run, request: &Request) -> Run {
    run.applications.iter_mut().for_each(|application| unknown_where_asked(application, request));
    run
}

/// Unknown health for an application that could not be judged, where it was asked for.
pub(crate) fn unknown_where_asked(application: &mut ApplicationRun, request: &Request) {
    if request.health.is_some() {
        application.health.get_or_insert_with(unknown);
    }
}

fn unknown() -> ApplicationHealth {
    ApplicationHealth { status: HealthStatus::Unknown, resources: Vec::new() }
}

fn fault() -> Finding {
    Finding::error(Code::StatusFault, "assessing health failed unexpectedly; this is a bug in trueup")
}

/// Warnings, each with Argo CD's name for its condition.
type Found = Vec<(ConditionKind, Finding)>;

fn of_application(view: &LiveView, target: &[Object], judge: &Judge) -> (ApplicationHealth, Found) {
    let mut conditions = Vec::new();
    let mut judged: Vec<(ResourceHealth, bool)> = Vec::new();
    for object in target.iter().filter(|object| !is_hook(object) && !is_skipped(object)) {
        judged.push(match view.find(object, &mut conditions) {
            Ok(Some(live)) => {
                let counts = live.annotation(IGNORE_HEALTHCHECK) != Some("true");
                (ResourceHealth::of(live, judge.health(live)), counts)
            }
            Ok(None) => (ResourceHealth::of(object, Some(Health::new(HealthStatus::Missing, ""))), true),
            Err(_reason) => (ResourceHealth::of(object, None), true),
        });
    }
    judged.sort_by(|(left, _), (right, _)| order(left).cmp(&order(right)));
    let counted = judged.iter().filter(|(_, counts)| *counts).map(|(resource, _)| Counted {
        health: resource.health.as_ref(),
        is_application: resource.gvk.group == "argoproj.io" && resource.gvk.kind == "Application",
    });
    let status = aggregate(counted);
    let resources = judged.into_iter().map(|(resource, _)| resource).collect();
    (ApplicationHealth { status, resources }, conditions)
}

fn order(resource: &ResourceHealth) -> (&str, &str, &str, &str) {
    (&resource.gvk.group, &resource.gvk.kind, &resource.namespace, &resource.name)
}
