//! `pullRequest`: a set of parameters for each open pull or merge request of a repository.
//!
//! Rule: Argo CD `applicationset/generators/pull_request.go`.

use regex::Regex;
use serde_json::Value as Json;

use super::super::World;
use super::super::language::slug;
use super::super::params::Params;
use super::super::question::{
    ForgeKind, PullRequest, PullRequestsQuestion, Question, ServiceAnswer, ServiceFault, pattern,
};
use super::answer::{Result, failed};
use super::service::{self, ServiceKind};
use super::values::add_values;
use crate::gotemplate::{List, Map, Text, Value};

/// How long a branch is in a name, at most.
const LONGEST_SLUG: usize = 50;

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let filters = filters(options).or_else(|cause| failed(place, cause))?;
    let continues = options.get("continueOnRepoNotFoundError").and_then(Json::as_bool) == Some(true);
    let question = || question(options, place, world).map(Question::PullRequests);
    let found = match service::answer(ServiceKind::PullRequest, options, place, world, question)? {
        Ok(ServiceAnswer::PullRequests(found)) => found,
        Ok(_) => return failed(place, "the answer has no pull requests"),
        Err(ServiceFault::NotFound(_)) if continues => Vec::new(),
        Err(fault) => return failed(place, fault.to_string()),
    };
    let labels = labels(options);
    let is_wanted = |pull: &&PullRequest| {
        labels.iter().all(|label| pull.labels.contains(label))
            && (filters.is_empty() || filters.iter().any(|filter| filter.keeps(pull)))
    };
    found.iter().filter(is_wanted).map(|pull| of_pull_request(pull, options, place, world)).collect()
}

/// The labels that each has to have; Bitbucket Server has none.
fn labels(options: &Json) -> Vec<String> {
    let forge = ["github", "gitlab", "gitea", "azuredevops"]
        .into_iter()
        .find_map(|forge| options.get(forge))
        .unwrap_or(&Json::Null);
    service::texts(forge, "labels")
}

fn question(options: &Json, place: &str, world: &World<'_>) -> Result<PullRequestsQuestion> {
    let (forge, own) = service::forge(options, place, world)?;
    let text = |field: &str| own.get(field).and_then(Json::as_str).unwrap_or_default().to_owned();
    let required = |field: &str| service::required(own, field, place);
    let (owner, project, repository) = match forge.kind {
        ForgeKind::Github | ForgeKind::Gitea => (required("owner")?, String::new(), required("repo")?),
        ForgeKind::Gitlab => (String::new(), String::new(), required("project")?),
        ForgeKind::BitbucketServer => (required("project")?, String::new(), required("repo")?),
        ForgeKind::AzureDevops => (required("organization")?, required("project")?, required("repo")?),
    };
    Ok(PullRequestsQuestion {
        forge,
        owner,
        project,
        repository,
        labels: service::texts(own, "labels"),
        state: text("pullRequestState"),
    })
}

fn of_pull_request(pull: &PullRequest, options: &Json, place: &str, world: &World<'_>) -> Result<Params> {
    let params = Map::new();
    for (key, value) in [
        ("number", pull.number.to_string()),
        ("title", pull.title.clone()),
        ("branch", pull.branch.clone()),
        ("branch_slug", branch_slug(&pull.branch)),
        ("target_branch", pull.target_branch.clone()),
        ("target_branch_slug", branch_slug(&pull.target_branch)),
        ("head_sha", pull.head_sha.clone()),
        ("head_short_sha", service::short(&pull.head_sha, 8)),
        ("head_short_sha_7", service::short(&pull.head_sha, 7)),
        ("author", pull.author.clone()),
    ] {
        params.insert(Text::from(key), Value::text(value));
    }
    if world.language.is_go() {
        params.insert(Text::from("labels"), Value::List(List::of_texts(pull.labels.iter().map(String::as_str))));
    }
    add_values(options, &params, place, world.language)?;
    Ok(params)
}

/// A branch fit for a DNS label: underscores are dashes, too.
fn branch_slug(branch: &str) -> String {
    slug(&branch.replace('_', "-"), LONGEST_SLUG, true)
}

/// All conditions of one filter have to hold, and one filter of several.
struct PullRequestFilter {
    branch: Option<Regex>,
    target_branch: Option<Regex>,
    title: Option<Regex>,
}

fn filters(options: &Json) -> std::result::Result<Vec<PullRequestFilter>, String> {
    let filters = options.get("filters").and_then(Json::as_array).into_iter().flatten();
    filters
        .map(|filter| {
            let compiled = |field: &str| pattern(field, filter.get(field).and_then(Json::as_str));
            Ok(PullRequestFilter {
                branch: compiled("branchMatch")?,
                target_branch: compiled("targetBranchMatch")?,
                title: compiled("titleMatch")?,
            })
        })
        .collect()
}

impl PullRequestFilter {
    fn keeps(&self, pull: &PullRequest) -> bool {
        let holds = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
        holds(&self.branch, &pull.branch)
            && holds(&self.target_branch, &pull.target_branch)
            && holds(&self.title, &pull.title)
    }
}
