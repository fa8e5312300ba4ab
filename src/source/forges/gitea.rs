//! The REST API of Gitea and Forgejo.

use super::api::{ForgeClient, Result, segment, segments};
use super::fields::{at_branches, is_left_out, repository_id, text};
use super::forge_api::ForgeApi;
use super::github::{self, pull_request};
use crate::app::appset::question::{
    CloneProtocol, ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion, ServiceFault,
};

pub(super) struct Gitea;

impl ForgeApi for Gitea {
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>> {
        let (owner, repository) = (segment(&question.owner), segment(&question.repository));
        let pulls = api.list(&format!("repos/{owner}/{repository}/pulls?state=open&limit=50"))?;
        Ok(pulls.iter().map(pull_request).collect())
    }

    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>> {
        let url = match question.clone_protocol {
            CloneProtocol::Ssh => "/ssh_url",
            // The page's URL, which git takes, too: what Argo CD uses.
            CloneProtocol::Https => "/html_url",
        };
        let mut repositories = Vec::new();
        for found in api.list(&format!("orgs/{}/repos?limit=50", segment(&question.owner)))? {
            if is_left_out(&found, question) {
                continue;
            }
            let name = text(&found, "/name");
            let labels = api.list(&format!("repos/{}/{}/labels?limit=50", segment(&question.owner), segment(&name)))?;
            repositories.push(ForgeRepository {
                organization: question.owner.clone(),
                id: repository_id(&found),
                url: text(&found, url),
                branch: text(&found, "/default_branch"),
                sha: String::new(),
                labels: labels.iter().map(|label| text(label, "/name")).collect(),
                repository: name,
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
        let (owner, name) = (segment(&question.owner), segment(&repository.repository));
        let path = format!("repos/{owner}/{name}/branches");
        let found = if question.all_branches {
            api.list(&format!("{path}?limit=50"))?
        } else {
            let page = api.get(&format!("{path}/{}", segments(&repository.branch)));
            let page = page.map_err(|fault| match fault {
                ServiceFault::NotFound(text) => ServiceFault::Failed(text),
                fault @ ServiceFault::Failed(_) => fault,
            });
            vec![page?.value]
        };
        Ok(at_branches(repository, &found, "/name", "/commit/id"))
    }

    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        _: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool> {
        github::has_path(api, repository, path)
    }
}
