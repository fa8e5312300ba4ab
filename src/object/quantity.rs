//! Kubernetes quantities (`1000m`, `0.5`, `1Gi`), compared by value.
//!
//! Rule: apimachinery pkg/api/resource.
