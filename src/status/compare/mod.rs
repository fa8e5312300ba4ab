//! Decides, field by field, what differs between git and a cluster.
//!
//! In: the target, the live object. Out: in sync with its proof, changed with its evidence, or a question for the
//! server. Nothing is fetched here.
//!
//! Rules: docs/design.md, "Compare". Argo CD: gitops-engine/pkg/diff. Kubernetes: KEP-555, server-side apply.
