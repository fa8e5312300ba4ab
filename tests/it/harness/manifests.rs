//! Manifests that many tests need, short to write: `deployment("web").replicas(2)`.

use std::fmt;

/// A Deployment of one container.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    name: String,
    replicas: u32,
    image: String,
}

/// A Deployment with one replica.
pub(crate) fn deployment(name: &str) -> Deployment {
    Deployment { name: name.to_owned(), replicas: 1, image: "registry.example.com/web:1.0.0".to_owned() }
}

impl Deployment {
    /// `spec.replicas`.
    #[must_use]
    pub(crate) fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// The container's image.
    #[must_use]
    pub(crate) fn image(mut self, image: &str) -> Self {
        image.clone_into(&mut self.image);
        self
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, replicas, image } = self;
        write!(
            formatter,
            "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: {name}
        image: {image}
"
        )
    }
}

/// A `ConfigMap`.
#[derive(Debug, Clone)]
pub(crate) struct ConfigMap {
    name: String,
    data: Vec<(String, String)>,
}

/// A `ConfigMap` without data.
pub(crate) fn config_map(name: &str) -> ConfigMap {
    ConfigMap { name: name.to_owned(), data: Vec::new() }
}

impl ConfigMap {
    /// One more key of `data`.
    #[must_use]
    pub(crate) fn data(mut self, key: &str, value: &str) -> Self {
        self.data.push((key.to_owned(), value.to_owned()));
        self
    }
}

impl fmt::Display for ConfigMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\ndata:\n", self.name)?;
        // A JSON string is a YAML string, whatever it holds.
        self.data.iter().try_for_each(|(key, value)| writeln!(formatter, "  {key}: {}", serde_json::json!(value)))
    }
}
