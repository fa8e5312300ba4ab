//! The REST API of Azure DevOps, and of Azure DevOps Server: lists in `value`, faults with a `typeKey`.
//!
//! Rules: Argo CD `pull_request/azure_devops.go`, `scm_provider/azure_devops.go`; Microsoft's "Azure DevOps Services REST API",
//! version 5.0, which Azure DevOps Server 2019 has, too.

use serde_json::Value;

use super::api::{ForgeClient, PAGES, RefusedRequest, Result, segment};
use super::fields::{at_branches, names, text};
use super::forge_api::ForgeApi;
use crate::app::appset::question::{
    ForgeRepository, PullRequest, PullRequestsQuestion, RepositoriesQuestion, RepositoryId, ServiceFault,
};

pub(super) struct AzureDevops;

const VERSION: &str = "api-version=5.0";
/// How many pull requests one page has.
const PAGE_SIZE: usize = 100;
const BRANCH_PREFIX: &str = "refs/heads/";

impl ForgeApi for AzureDevops {
    /// Those of the project, of which the repository's are kept: a repository that does not exist has none.
    fn pull_requests(&self, api: &ForgeClient, question: &PullRequestsQuestion) -> Result<Vec<PullRequest>> {
        let path = format!("{}/_apis/git/pullrequests", segment(&question.project));
        let mut pulls = Vec::new();
        for page in 0..PAGES {
            let query = format!("{path}?{VERSION}&$top={PAGE_SIZE}&$skip={}", page * PAGE_SIZE);
            let found = list(api, &query)?;
            pulls.extend(found.iter().filter_map(|pull| pull_request(pull, &question.repository)));
            if found.len() < PAGE_SIZE {
                return Ok(pulls);
            }
        }
        Err(api.odd(&path, &format!("the list has more than {PAGES} pages")))
    }

    /// `cloneProtocol` has no effect: Argo CD takes `remoteUrl`, which is HTTPS.
    fn repositories(&self, api: &ForgeClient, question: &RepositoriesQuestion) -> Result<Vec<ForgeRepository>> {
        let found = list(api, &format!("{}/_apis/git/repositories?{VERSION}", segment(&question.project)))?;
        let of_repository = |found: &Value| {
            let field = |name: &str| found.get(name)?.as_str().map(str::to_owned);
            Some(ForgeRepository {
                organization: question.owner.clone(),
                repository: field("name")?,
                id: Some(RepositoryId::Uuid(field("id")?)),
                url: field("remoteUrl")?,
                // An empty repository has no default branch.
                branch: field("defaultBranch")?,
                sha: String::new(),
                labels: Vec::new(),
            })
        };
        Ok(found.iter().filter_map(of_repository).collect())
    }

    fn branches(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
    ) -> Result<Vec<ForgeRepository>> {
        let (project, name) = (segment(&question.project), segment(&repository.repository));
        let path = format!("{project}/_apis/git/repositories/{name}/stats/branches?{VERSION}");
        let found = if question.all_branches {
            found(api.request(&path)?, "GitRepositoryNotFoundException")?.map(|page| values(api, &path, &page))
        } else {
            let branch = segment(&repository.branch.replacen(BRANCH_PREFIX, "", 1));
            found(api.request(&format!("{path}&name={branch}"))?, "GitRepositoryNotFoundException")?
                .map(|branch| Ok(vec![branch]))
        };
        // The branches of a repository that is disabled are not found.
        let found = found.transpose()?.unwrap_or_default();
        Ok(at_branches(repository, &found, "/name", "/commit/commitId"))
    }

    fn has_path(
        &self,
        api: &ForgeClient,
        repository: &ForgeRepository,
        question: &RepositoriesQuestion,
        path: &str,
    ) -> Result<bool> {
        let id = repository.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let items = format!("{}/_apis/git/repositories/{}/items", segment(&question.project), segment(&id));
        let (path, branch) = (segment(path), segment(&repository.branch));
        let answer = api.request(&format!("{items}?{VERSION}&path={path}&versionDescriptor.version={branch}"))?;
        Ok(found(answer, "GitItemNotFoundException")?.is_some())
    }
}

/// The items of a list.
fn list(api: &ForgeClient, path: &str) -> Result<Vec<Value>> {
    match api.request(path)? {
        Ok(page) => values(api, path, &page.value),
        Err(refused) => Err(fault(refused)),
    }
}

fn values(api: &ForgeClient, path: &str, page: &Value) -> Result<Vec<Value>> {
    let resource = path.split('?').next().unwrap_or_default();
    let values = page.get("value").and_then(Value::as_array);
    values.cloned().ok_or_else(|| api.odd(resource, "the answer has no list `value`"))
}

/// An answer; nothing when the server says with this `typeKey` that it is not there.
fn found(answer: std::result::Result<super::api::ForgePage, RefusedRequest>, absent: &str) -> Result<Option<Value>> {
    match answer {
        Ok(page) => Ok(Some(page.value)),
        Err(refused) if refused.type_key.as_deref() == Some(absent) => Ok(None),
        Err(refused) => Err(fault(refused)),
    }
}

/// Of what is not found, only the project may be left out by `continueOnRepoNotFoundError`.
fn fault(refused: RefusedRequest) -> ServiceFault {
    let is_project = refused
        .type_key
        .as_deref()
        .is_some_and(|key| matches!(key, "ProjectDoesNotExistWithNameException" | "ProjectDoesNotExistException"));
    let (ServiceFault::NotFound(text) | ServiceFault::Failed(text)) = refused.fault;
    if is_project { ServiceFault::NotFound(text) } else { ServiceFault::Failed(text) }
}

/// One of a repository; nothing for one without a merge commit, as while the server computes it.
fn pull_request(pull: &Value, repository: &str) -> Option<PullRequest> {
    let field = |pointer: &str| pull.pointer(pointer)?.as_str();
    let branch = |pointer: &str| Some(field(pointer)?.replacen(BRANCH_PREFIX, "", 1));
    if field("/repository/name")? != repository {
        return None;
    }
    let author = text(pull, "/createdBy/uniqueName");
    Some(PullRequest {
        number: pull.get("pullRequestId")?.as_i64()?,
        title: text(pull, "/title"),
        branch: branch("/sourceRefName")?,
        target_branch: branch("/targetRefName")?,
        head_sha: field("/lastMergeSourceCommit/commitId")?.to_owned(),
        author: author.split('@').next().unwrap_or_default().to_owned(),
        labels: names(pull, "labels"),
    })
}
