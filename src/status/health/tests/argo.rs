//! Argo's own kinds.

use serde_json::json;

use super::*;

#[test]
fn argo_s_own_kinds() {
    check(
        "argoproj.io/v1alpha1",
        "Workflow",
        [
            ("new", json!({}), json!({}), "Progressing"),
            ("running", json!({}), json!({"phase": "Running"}), "Progressing"),
            ("done", json!({}), json!({"phase": "Succeeded"}), "Healthy"),
            ("failed", json!({}), json!({"phase": "Error", "message": "no pod"}), "Degraded: no pod"),
            ("odd", json!({}), json!({"phase": "Dreaming"}), "Unknown"),
        ],
    );
    check(
        "argoproj.io/v1alpha1",
        "Application",
        [
            ("new", json!({}), json!({}), "Progressing"),
            ("healthy", json!({}), json!({"health": {"status": "Healthy"}}), "Healthy"),
            ("degraded", json!({}), json!({"health": {"status": "Degraded", "message": "no pod"}}), "Degraded: no pod"),
            ("odd", json!({}), json!({"health": {"status": "Dreaming"}}), "Unknown"),
        ],
    );
}
