//! `StatefulSet`: every pod is ready, and of the newest revision as far as the partition goes.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_statefulset.go, after kubectl's `rollout status`. There, a
//! `rollingUpdate` without a partition is `Healthy` before the revisions are compared, and as the API server fills in
//! `partition: 0`, they never are: a roll-out in its middle reads as done. Here the revisions are compared unless a
//! partition really holds pods back.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let (spec, status) = (subject.spec(), subject.status());
    if status.count("observedGeneration") == 0 || subject.is_stale() {
        return Health::progressing("Waiting for statefulset spec update to be observed...");
    }
    let (wanted, ready, updated) =
        (spec.integer("replicas"), status.count("readyReplicas"), status.count("updatedReplicas"));
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        let missing = wanted.saturating_sub(ready);
        return Health::progressing(format!("Waiting for {missing} pods to be ready..."));
    }
    let strategy = spec.child("updateStrategy");
    let (kind, rolling) = (strategy.text("type"), strategy.child("rollingUpdate"));
    let is_partitioned = kind == "RollingUpdate" && strategy.has("rollingUpdate");
    let partition = rolling.integer("partition").filter(|_| is_partitioned);
    if let (Some(wanted), Some(partition)) = (wanted, partition) {
        let wanted = wanted.saturating_sub(partition);
        if updated < wanted {
            return Health::progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            ));
        }
    }
    let complete = format!("partitioned roll out complete: {updated} new pods have been updated...");
    if partition.is_some_and(|partition| partition > 0) {
        return Health::healthy(complete);
    }
    if kind == "OnDelete" {
        return Health::healthy(format!("statefulset has {ready} ready pods"));
    }
    let (update, current) = (status.text("updateRevision"), status.text("currentRevision"));
    if update != current {
        return Health::progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    if is_partitioned {
        return Health::healthy(complete);
    }
    let pods = status.count("currentReplicas");
    Health::healthy(format!("statefulset rolling update complete {pods} pods at revision {current}..."))
}
