//! Istio: what its analysis says of the configuration, and the installation by its operator.
//!
//! Rule: Istio's "Configuration status field" (`Reconciled`, `validationMessages`), and `IstioOperator`'s `InstallStatus`. Without analysis
//! (`PILOT_ENABLE_STATUS`, `PILOT_ENABLE_ANALYSIS`) there is no status and no verdict.

use super::super::general::stale;
use super::super::node::Node;
use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Option<Health> {
    if subject.object.kind() == "IstioOperator" {
        return Some(operator(subject));
    }
    let status = subject.status();
    let is_error = |message: &Node<'_>| message.text("level").eq_ignore_ascii_case("error");
    if let Some(error) = status.items("validationMessages").find(is_error) {
        let kind = error.child("type");
        let words = [error.text("code"), kind.text("code"), kind.text("name"), error.text("message")];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        return Some(Health::degraded(words.join(" ")));
    }
    if let Some(stale) = stale(subject) {
        return Some(stale);
    }
    let reconciled = status.condition("Reconciled")?;
    Some(if reconciled.is_true() {
        Health::healthy(reconciled.message)
    } else {
        Health::progressing(reconciled.sentence())
    })
}

fn operator(subject: &RuleSubject<'_>) -> Health {
    let status = subject.status();
    let message = status.text("message");
    match status.text("status") {
        "HEALTHY" => Health::healthy(message),
        "ERROR" | "ACTION_REQUIRED" => Health::degraded(message),
        _ => Health::progressing(message),
    }
}
