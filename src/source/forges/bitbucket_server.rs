//! The REST API of Bitbucket Server, now Bitbucket Data Center: pages by `start` and `nextPageStart`.

use serde_json::Value;

use super::api::{ForgeClient, PAGES, Result, segment, segments};
use super::fields::{at_branches, number, repository_id, text};
use super::forge_api::ForgeApi;
use crate::app::appset::question::{
    CloneProtocol, ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion,
};

pub(super) struct BitbucketServer;

impl ForgeApi for BitbucketServer {
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>> {
        let path = format!("{}/pull-requests", repository_path(&question.owner, &question.repository));
        let pulls = list(api, &path)?;
        Ok(pulls
            .iter()
            .map(|pull| PullRequest {
                number: number(pull, "id").unwrap_or_default(),
                title: text(pull, "/title"),
                branch: text(pull, "/fromRef/displayId"),
                target_branch: text(pull, "/toRef/displayId"),
                head_sha: text(pull, "/fromRef/latestCommit"),
                author: text(pull, "/author/user/name"),
                labels: Vec::new(),
            })
            .collect())
    }

    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>> {
        let protocol = match question.clone_protocol {
            CloneProtocol::Ssh => "ssh",
            CloneProtocol::Https => "http",
        };
        let mut repositories = Vec::new();
        for found in list(api, &format!("projects/{}/repos", segment(&question.owner)))? {
            let links = found.pointer("/links/clone").and_then(Value::as_array).into_iter().flatten();
            let link = links.filter(|link| text(link, "/name") == protocol).map(|link| text(link, "/href")).next();
            let (project, name) = (text(&found, "/project/key"), text(&found, "/name"));
            // The list does not say what the default branch is.
            let Some(branch) = default_branch(api, &project, &name)? else { continue };
            repositories.push(ForgeRepository {
                organization: project,
                repository: name,
                id: repository_id(&found),
                url: link.unwrap_or_default(),
                branch: text(&branch, "/displayId"),
                sha: text(&branch, "/latestCommit"),
                labels: Vec::new(),
            });
        }
        Ok(repositories)
    }

    fn branches(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
    ) -> Result<Vec<ForgeRepository>> {
        if !question.all_branches {
            return Ok(vec![repository.clone()]);
        }
        let path = format!("{}/branches", repository_path(&repository.organization, &repository.repository));
        Ok(at_branches(repository, &list(api, &path)?, "/displayId", "/latestCommit"))
    }

    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        _: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool> {
        let base = repository_path(&repository.organization, &repository.repository);
        let (path, branch) = (segments(path), segment(&repository.branch));
        Ok(api.find(&format!("{base}/browse/{path}?limit=100&at={branch}&type=true"))?.is_some())
    }
}

fn repository_path(project: &str, repository: &str) -> String {
    format!("projects/{}/repos/{}", segment(project), segment(repository))
}

/// Nothing for an empty repository: then the answer is 404, or empty.
fn default_branch(api: &ForgeClient, project: &str, repository: &str) -> Result<Option<Value>> {
    let found = api.find(&format!("{}/branches/default", repository_path(project, repository)))?;
    Ok(found.filter(Value::is_object))
}

fn list(api: &ForgeClient, path: &str) -> Result<Vec<Value>> {
    let (mut items, mut start) = (Vec::new(), 0);
    for _ in 0..PAGES {
        let page = api.get(&format!("{path}?limit=100&start={start}"))?.value;
        let Some(values) = page.get("values").and_then(Value::as_array) else {
            return Err(api.odd(path, "the answer has no `values`"));
        };
        items.extend(values.iter().cloned());
        let next = number(&page, "nextPageStart").filter(|next| *next > start);
        match (page.get("isLastPage").and_then(Value::as_bool), next) {
            (Some(false), Some(next)) => start = next,
            _ => return Ok(items),
        }
    }
    Err(api.odd(path, &format!("the list has more than {PAGES} pages")))
}
