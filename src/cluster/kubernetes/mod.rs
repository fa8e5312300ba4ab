//! A cluster that is a Kubernetes API server.
