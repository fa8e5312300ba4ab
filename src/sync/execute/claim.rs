//! Claims of volumes that no wait helps: their `StorageClass` binds them when the first pod uses them, and that pod may be in
//! a later wave.
//!
//! Rules: Kubernetes, "Volume Binding Mode"; the scheduler names the node for a pod in an annotation. Argo CD waits for such
//! a claim until the operation times out (gitops-engine/pkg/health/health_pvc.go: `Pending` is Progressing).

use super::Execution;
use crate::cluster::ObjectName;
use crate::object::annotations::SELECTED_NODE;
use crate::object::{Gvk, Object};

/// Whether a live object is a claim that waits for its first consumer. A class that cannot be read says nothing.
pub(super) async fn waits_for_its_consumer(live: &Object, execution: &Execution<'_>) -> bool {
    let is_claim = live.kind() == "PersistentVolumeClaim" && live.api_version() == "v1";
    let text = |part: &str, field: &str| {
        live.value().get(part).and_then(|part| part.get(field)?.as_str()).filter(|text| !text.is_empty())
    };
    let is_pending = text("status", "phase") == Some("Pending") && live.annotation(SELECTED_NODE).is_none();
    // A claim that names its volume is bound without a pod.
    if !is_claim || !is_pending || text("spec", "volumeName").is_some() {
        return false;
    }
    let Some(class) = text("spec", "storageClassName") else { return false };
    let name = ObjectName {
        gvk: Gvk::from_api_version("storage.k8s.io/v1", "StorageClass"),
        namespace: None,
        name: class.to_owned(),
    };
    let class = execution.cluster.get(&name).await.ok().flatten();
    class.is_some_and(|class| {
        class.value().get("volumeBindingMode").and_then(serde_json::Value::as_str) == Some("WaitForFirstConsumer")
    })
}
