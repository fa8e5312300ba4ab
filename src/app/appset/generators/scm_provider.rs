//! `scmProvider`: a set of parameters for each repository of an owner, or for each of its branches.
//!
//! Rule: Argo CD `applicationset/generators/scm_provider.go`.

use serde_json::Value as Json;

use super::super::World;
use super::super::language::normalized;
use super::super::params::Params;
use super::super::question::{
    CloneProtocol, ForgeKind, ForgeRepository, Question, RepositoriesQuestion, RepositoryFilter, RepositoryFilters,
    ServiceAnswer,
};
use super::answer::{Result, failed};
use super::service::{self, ServiceKind};
use super::values::add_values;
use crate::gotemplate::{Map, Text, Value};

pub(super) fn params(options: &Json, place: &str, world: &World<'_>) -> Result<Vec<Params>> {
    let filters = RepositoryFilter::all_of(options);
    RepositoryFilters::new(&filters).or_else(|cause| failed(place, cause))?;
    let question = || question(options, filters, place, world).map(Question::Repositories);
    match service::ask(ServiceKind::ScmProvider, options, place, world, question)? {
        ServiceAnswer::Repositories(found) => {
            found.iter().map(|repository| of_repository(repository, options, place, world)).collect()
        }
        _ => failed(place, "the answer has no repositories"),
    }
}

fn question(
    options: &Json,
    filters: Vec<RepositoryFilter>,
    place: &str,
    world: &World<'_>,
) -> Result<RepositoriesQuestion> {
    let (forge, own) = service::forge(options, place, world)?;
    let text = |field: &str| own.get(field).and_then(Json::as_str).unwrap_or_default().to_owned();
    let flag = |field: &str| own.get(field).and_then(Json::as_bool);
    let clone_protocol = match options.get("cloneProtocol").and_then(Json::as_str).unwrap_or_default() {
        "" | "ssh" => CloneProtocol::Ssh,
        "https" => CloneProtocol::Https,
        other => return failed(place, format!("unknown clone protocol `{other}`; `ssh` and `https` are known")),
    };
    let (owner, exclude_archived) = match forge.kind {
        ForgeKind::Github => (text("organization"), flag("excludeArchivedRepos") == Some(true)),
        ForgeKind::Gitlab => (text("group"), flag("includeArchivedRepos") != Some(true)),
        ForgeKind::Gitea => (text("owner"), flag("excludeArchivedRepos") == Some(true)),
        ForgeKind::BitbucketServer => (text("project"), false),
    };
    Ok(RepositoriesQuestion {
        forge,
        owner,
        clone_protocol,
        all_branches: flag("allBranches") == Some(true),
        exclude_archived,
        include_subgroups: flag("includeSubgroups") == Some(true),
        include_shared: flag("includeSharedProjects") != Some(false),
        topic: text("topic"),
        filters,
    })
}

fn of_repository(repository: &ForgeRepository, options: &Json, place: &str, world: &World<'_>) -> Result<Params> {
    let params = Map::new();
    for (key, value) in [
        ("organization", repository.organization.clone()),
        ("repository", repository.repository.clone()),
        ("url", repository.url.clone()),
        ("branch", repository.branch.clone()),
        ("branchNormalized", normalized(&repository.branch)),
        ("sha", repository.sha.clone()),
        ("short_sha", service::short(&repository.sha, 8)),
        ("short_sha_7", service::short(&repository.sha, 7)),
        ("labels", repository.labels.join(",")),
    ] {
        params.insert(Text::from(key), Value::text(value));
    }
    params.insert(Text::from("repository_id"), repository.id.map_or(Value::Nil, Value::int64));
    add_values(options, &params, place, world.language)?;
    Ok(params)
}
