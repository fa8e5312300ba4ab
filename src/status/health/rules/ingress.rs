//! Ingress: waits for its address.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_ingress.go. Many controllers never write one (argo-cd#1704,
//! argo-cd#14607): a setting says that it need not.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let has_address = !subject.status().child("loadBalancer").list("ingress").is_empty();
    let is_healthy = has_address || subject.settings.ingress_without_address_is_healthy;
    if is_healthy { Health::healthy("") } else { Health::progressing("") }
}
