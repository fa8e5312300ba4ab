//! GitOps Promoter: whether what is proposed has been promoted, in each environment.
//!
//! Rule: GitOps Promoter's API: a `Ready` that is false is an error, its own or of what it needs. `ChangeTransferPolicyStatus` and
//! `PromotionStrategyStatus` have the commit that was rendered for each environment, `active` and `proposed` (`dry.sha`; `note.drySha`
//! where rendering gave the same again) and the checks on it. The phase of a `CommitStatus` is that of a commit, not its own.

use super::super::condition::Truth;
use super::super::node::Node;
use super::super::{Health, HealthStatus, RuleSubject, general};
use super::waiting;

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    let status = subject.status();
    if let Some(failed) = status.condition("Ready").filter(|ready| ready.truth == Truth::False) {
        return Some(Health::degraded(failed.sentence()));
    }
    let general = general::by_conditions_alone(subject);
    let is_healthy = general.as_ref().is_some_and(|health| health.status == HealthStatus::Healthy);
    match subject.object.kind() {
        _ if !status.has("conditions") => Some(waiting(subject)),
        "ChangeTransferPolicy" if is_healthy => unpromoted(status).or(general),
        "PromotionStrategy" if is_healthy && status.list("environments").is_empty() => {
            Some(Health::degraded("it has no environments"))
        }
        "PromotionStrategy" if is_healthy => {
            status.items("environments").find_map(|of| unpromoted(of).or_else(|| unchecked(of))).or(general)
        }
        "ArgoCDCommitStatus" if is_healthy && status.list("applicationsSelected").is_empty() => {
            Some(Health::degraded("it selects no application"))
        }
        "CommitStatus" => general,
        _ => None,
    }
}

fn unpromoted(environment: Node<'_>) -> Option<Health> {
    let (active, proposed) = (environment.child("active"), environment.child("proposed"));
    let sha = active.child("dry").text("sha");
    let wanted = [proposed.child("dry").text("sha"), proposed.child("note").text("drySha")];
    let is_promoted = !sha.is_empty() && wanted.contains(&sha);
    let words = format!("the proposed commit is not promoted yet {}", environment.text("branch"));
    (!is_promoted).then(|| Health::progressing(words.trim_end()))
}

fn unchecked(environment: Node<'_>) -> Option<Health> {
    let mut checks = environment.child("active").items("commitStatuses");
    let check = checks.find(|check| check.text("phase") != "success")?;
    let (key, phase) = (check.text("key"), check.text("phase"));
    let words = format!("the check {key} of the active commit is {phase} {}", environment.text("branch"));
    let words = words.trim_end();
    Some(if phase == "failure" { Health::degraded(words) } else { Health::progressing(words) })
}
