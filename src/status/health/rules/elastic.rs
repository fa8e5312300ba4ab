//! Elastic Cloud on Kubernetes: the colour of a cluster, and whether all of its nodes are there.
//!
//! Rule: ECK's API, `ElasticsearchStatus` (`health`, `phase`, `availableNodes`), `DeploymentStatus` of Kibana, Beats and the others
//! (`availableNodes`, `expectedNodes`, `health`). Yellow is a replica that has no node, red is lost data.

use super::super::general::stale;
use super::super::{Health, RuleSubject};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    // They have no nodes, and conventions enough.
    if matches!(subject.object.kind(), "ElasticsearchAutoscaler" | "StackConfigPolicy") {
        return None;
    }
    let status = subject.status();
    if let Some(stale) = stale(subject) {
        return Some(stale);
    }
    let (colour, phase) = (status.text("health"), status.text("phase"));
    if phase == "Invalid" || colour == "red" {
        let words = if colour == "red" { "`status.health` is red" } else { "`status.phase` is Invalid" };
        return Some(Health::degraded(words));
    }
    if !status.has("health") {
        return Some(waiting(subject));
    }
    let asked = subject.spec().items("nodeSets").map(|set| set.count("count")).reduce(i64::saturating_add);
    let wanted = asked.or_else(|| status.integer("expectedNodes")).unwrap_or(0);
    let available = status.integer("availableNodes").unwrap_or(wanted);
    Some(if available < wanted {
        Health::progressing(format!("{available} of {wanted} nodes are available"))
    } else if colour != "green" || !matches!(phase, "" | "Ready") {
        Health::progressing(format!("`status.health` is {colour}, `status.phase` is {phase}"))
    } else {
        Health::healthy("")
    })
}
