//! GitHub's REST API, as GitHub Enterprise Server has it, too.

use serde_json::Value;

use super::api::{ForgeClient, Result, segment, segments};
use super::fields::{at_branches, is_left_out, names, number, repository_id, text, texts};
use super::forge_api::ForgeApi;
use crate::app::appset::question::{
    CloneProtocol, ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion,
};

pub(super) struct Github;

impl ForgeApi for Github {
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>> {
        let (owner, repository) = (segment(&question.owner), segment(&question.repository));
        let pulls = api.list(&format!("repos/{owner}/{repository}/pulls?per_page=100"))?;
        Ok(pulls.iter().map(pull_request).collect())
    }

    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>> {
        let found = api.list(&format!("orgs/{}/repos?per_page=100", segment(&question.owner)))?;
        let url = match question.clone_protocol {
            CloneProtocol::Ssh => "/ssh_url",
            CloneProtocol::Https => "/clone_url",
        };
        Ok(found
            .iter()
            .filter(|found| !is_left_out(found, question))
            .map(|found| ForgeRepository {
                organization: text(found, "/owner/login"),
                repository: text(found, "/name"),
                id: repository_id(found),
                url: text(found, url),
                branch: text(found, "/default_branch"),
                sha: String::new(),
                labels: texts(found, "topics"),
            })
            .collect())
    }

    fn branches(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
    ) -> Result<Vec<ForgeRepository>> {
        let (owner, name) = (segment(&repository.organization), segment(&repository.repository));
        let path = format!("repos/{owner}/{name}/branches");
        let found = if question.all_branches {
            api.list(&format!("{path}?per_page=100"))?
        } else {
            // The default branch of an empty repository does not exist.
            api.find(&format!("{path}/{}", segments(&repository.branch)))?.into_iter().collect()
        };
        Ok(at_branches(repository, &found, "/name", "/commit/sha"))
    }

    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        _: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool> {
        has_path(api, repository, path)
    }
}

/// The same question as to Gitea's API.
pub(super) fn has_path(api: &ForgeClient, repository: &ForgeRepository, path: &str) -> Result<bool> {
    let (owner, name) = (segment(&repository.organization), segment(&repository.repository));
    let (path, branch) = (segments(path), segment(&repository.branch));
    Ok(api.find(&format!("repos/{owner}/{name}/contents/{path}?ref={branch}"))?.is_some())
}

/// The same fields as in Gitea's API.
pub(super) fn pull_request(pull: &Value) -> PullRequest {
    PullRequest {
        number: number(pull, "number").unwrap_or_default(),
        title: text(pull, "/title"),
        branch: text(pull, "/head/ref"),
        target_branch: text(pull, "/base/ref"),
        head_sha: text(pull, "/head/sha"),
        author: text(pull, "/user/login"),
        labels: names(pull, "labels"),
    }
}
