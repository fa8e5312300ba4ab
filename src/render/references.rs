//! What the sources of an application lend each other: `ref: values`, and `$values/…` in another source's Helm files.
//!
//! In: the sources and their checkouts. Out: each reference by its name, with the folder that its files are in.
//!
//! Rules: Argo CD reposerver/repository/repository.go `runManifestGenAsync` (what must not be mixed), `valueFileResolver`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Source;
use crate::secret::RepoUrl;
use crate::source::{Checkout, FetchedBy};

/// The sources of one application that have a `ref`.
#[derive(Debug, Clone, Default)]
pub struct References(BTreeMap<String, Reference>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its repository.
    pub repo_url: RepoUrl,
    /// Whether it is a chart, whose files nobody else may use.
    pub is_chart: bool,
    /// Its files.
    pub checkout: Arc<Checkout>,
}

impl References {
    /// Takes the sources in their order, with the checkout of each.
    pub fn of(sources: &[Source], checkouts: &[Arc<Checkout>]) -> Self {
        let lent = sources.iter().zip(checkouts).filter_map(|(source, checkout)| {
            let name = source.reference.clone()?;
            let is_chart = source.chart.is_some();
            Some((name, Reference { repo_url: source.repo_url.clone(), is_chart, checkout: Arc::clone(checkout) }))
        });
        Self(lent.collect())
    }

    /// The one that `$values/some/file` begins with, and what follows it.
    pub(super) fn named_in<'path>(&self, path: &'path str) -> Option<(&str, &Reference, &'path str)> {
        let (name, rest) = path.strip_prefix('$')?.split_once('/').unwrap_or((path.strip_prefix('$')?, ""));
        self.0.get_key_value(name).map(|(name, reference)| (name.as_str(), reference, rest))
    }

    /// The identity of each; `None` for one whose files may change under the same name.
    pub(super) fn identities(&self) -> impl Iterator<Item = Option<String>> {
        self.0.iter().map(|(name, reference)| Some(format!("{name}={}", reference.identity()?)))
    }

    /// Every name, for an error message.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Reference {
    /// Whether it is of the same repository as another.
    pub(super) fn is_of(&self, repo_url: &RepoUrl) -> bool {
        self.repo_url.normal_form() == repo_url.normal_form()
    }

    fn identity(&self) -> Option<String> {
        let checkout = &self.checkout;
        let is_pinned = checkout.by != FetchedBy::WorkingTree && !checkout.revision.is_empty();
        is_pinned.then(|| format!("{}@{}", checkout.root.display(), checkout.revision))
    }
}
