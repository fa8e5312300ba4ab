//! GitLab's REST API.

use serde_json::Value;

use super::api::{ForgeClient, Result, segment};
use super::fields::{at_branches, number, repository_id, text, texts};
use super::forge_api::ForgeApi;
use crate::app::appset::question::{
    CloneProtocol, ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion,
};

pub(super) struct Gitlab;

impl ForgeApi for Gitlab {
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>> {
        let mut path = format!("projects/{}/merge_requests?per_page=100", segment(&question.repository));
        if !question.labels.is_empty() {
            path.extend(["&labels=", &segment(&question.labels.join(","))]);
        }
        if !question.state.is_empty() {
            path.extend(["&state=", &segment(&question.state)]);
        }
        let pulls = api.list(&path)?;
        Ok(pulls
            .iter()
            .map(|pull| PullRequest {
                number: number(pull, "iid").unwrap_or_default(),
                title: text(pull, "/title"),
                branch: text(pull, "/source_branch"),
                target_branch: text(pull, "/target_branch"),
                head_sha: text(pull, "/sha"),
                author: text(pull, "/author/username"),
                labels: texts(pull, "labels"),
            })
            .collect())
    }

    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>> {
        let mut path = format!(
            "groups/{}/projects?per_page=100&include_subgroups={}&with_shared={}",
            segment(&question.owner),
            question.include_subgroups,
            question.include_shared
        );
        if !question.topic.is_empty() {
            path.extend(["&topic=", &segment(&question.topic)]);
        }
        if !question.exclude_archived {
            path.push_str("&archived=true");
        }
        let url = match question.clone_protocol {
            CloneProtocol::Ssh => "/ssh_url_to_repo",
            CloneProtocol::Https => "/http_url_to_repo",
        };
        let labels = |found: &Value| {
            // Before GitLab 14.5, topics were tags.
            let topics = texts(found, "topics");
            if topics.is_empty() { texts(found, "tag_list") } else { topics }
        };
        let found = api.list(&path)?;
        Ok(found
            .iter()
            .map(|found| ForgeRepository {
                organization: text(found, "/namespace/full_path"),
                repository: text(found, "/path"),
                id: repository_id(found),
                url: text(found, url),
                branch: text(found, "/default_branch"),
                sha: String::new(),
                labels: labels(found),
            })
            .collect())
    }

    fn branches(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
    ) -> Result<Vec<ForgeRepository>> {
        let path = format!("projects/{}/repository/branches", project(repository));
        let found = if question.all_branches {
            api.list(&format!("{path}?per_page=100"))?
        } else if repository.branch.is_empty() {
            Vec::new()
        } else {
            api.find(&format!("{path}/{}", segment(&repository.branch)))?.into_iter().collect()
        };
        Ok(at_branches(repository, &found, "/name", "/commit/id"))
    }

    /// A file or a folder.
    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        _: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool> {
        let (project, branch) = (project(repository), segment(&repository.branch));
        let path = segment(path);
        let file = format!("projects/{project}/repository/files/{path}?ref={branch}");
        if api.find(&file)?.is_some() {
            return Ok(true);
        }
        let tree = api.find(&format!("projects/{project}/repository/tree?path={path}&ref={branch}"))?;
        // GitLab before 17.7 answers an empty list for what does not exist.
        Ok(tree.and_then(|tree| tree.as_array().map(|entries| !entries.is_empty())).unwrap_or_default())
    }
}

fn project(repository: &ForgeRepository) -> String {
    let path = || segment(&format!("{}/{}", repository.organization, repository.repository));
    repository.id.as_ref().map_or_else(path, ToString::to_string)
}
