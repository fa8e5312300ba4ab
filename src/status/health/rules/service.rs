//! Service: one of type `LoadBalancer` waits for its address; every other is healthy.
//!
//! Rule: Argo CD gitops-engine/pkg/health/health_service.go. Where nothing hands out addresses, such a Service would
//! wait for ever: a setting says that it need not.

use super::super::{Health, RuleSubject};

pub(super) fn health(subject: &RuleSubject<'_>) -> Health {
    let waits = subject.spec().text("type") == "LoadBalancer"
        && subject.status().child("loadBalancer").list("ingress").is_empty()
        && !subject.settings.load_balancer_without_address_is_healthy;
    if waits { Health::progressing("") } else { Health::healthy("") }
}
