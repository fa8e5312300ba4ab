//! What is asked of every kind of forge.

use super::api::{ForgeClient, Result};
use crate::app::appset::question::{ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion};

/// The API of a kind of forge.
pub(super) trait ForgeApi {
    /// The open pull requests of a repository.
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>>;

    /// The repositories of an owner, each with its default branch.
    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>>;

    /// The default branch with its commit, or all branches; nothing for an empty repository.
    fn branches(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
    ) -> Result<Vec<ForgeRepository>>;

    /// Whether a branch has a file or a folder.
    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool>;
}
