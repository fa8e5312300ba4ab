//! The name of a cluster in messages, and where what is known of it stands: a kubeconfig, or a Secret of Argo CD.

use std::fmt;

/// The name of a cluster, and where its entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterLabel {
    name: String,
    /// The Secret and where that is; nothing for a context of the kubeconfig.
    secret: Option<String>,
}

impl ClusterLabel {
    /// A cluster that a Secret describes.
    pub fn of_secret(name: impl Into<String>, place: impl Into<String>) -> Self {
        Self { name: name.into(), secret: Some(place.into()) }
    }

    /// The Secret and where it is, of a cluster that one describes.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// What to do: a kubectl command where the cluster is a context, else where to look.
    pub(super) fn advice(&self, of_context: &str, of_secret: &str) -> String {
        match &self.secret {
            None => of_context.replace("{}", &self.name),
            Some(place) => format!("look at {place}{of_secret}"),
        }
    }

    /// Whose credentials they are.
    pub(super) fn owner(&self) -> String {
        self.secret.clone().unwrap_or_else(|| "the kubeconfig's user".to_owned())
    }
}

impl From<&str> for ClusterLabel {
    fn from(context: &str) -> Self {
        Self { name: context.to_owned(), secret: None }
    }
}

impl From<String> for ClusterLabel {
    fn from(context: String) -> Self {
        Self { name: context, secret: None }
    }
}

impl fmt::Display for ClusterLabel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}
