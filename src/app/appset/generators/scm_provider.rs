//! `scmProvider`: a set of parameters for each repository of an owner, or for each of its branches.
//!
//! Rule: Argo CD `applicationset/generators/scm_provider.go`.

use std::any::Any;
use std::rc::Rc;

use serde_json::Value as Json;

use super::super::World;
use super::super::language::normalized;
use super::super::params::Params;
use super::super::question::{
    CloneProtocol, ForgeKind, ForgeRepository, Question, RepositoriesQuestion, RepositoryFilter, RepositoryFilters,
    RepositoryId, ServiceAnswer, ServiceLogin,
};
use super::answer::{Result, failed};
use super::service::{self, ServiceKind};
use super::values::add_values;
use crate::gotemplate::{GoObject, Map, Text, Value};

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
        ForgeKind::Github => ("organization", flag("excludeArchivedRepos") == Some(true)),
        ForgeKind::Gitlab => ("group", flag("includeArchivedRepos") != Some(true)),
        ForgeKind::Gitea => ("owner", flag("excludeArchivedRepos") == Some(true)),
        ForgeKind::BitbucketServer => ("project", false),
        ForgeKind::AzureDevops => ("organization", false),
    };
    let owner = service::required(own, owner, place)?;
    let is_azure = forge.kind == ForgeKind::AzureDevops;
    let project = if is_azure { service::required(own, "teamProject", place)? } else { String::new() };
    if is_azure && forge.login == ServiceLogin::Anonymous {
        return failed(place, "no access token provided: `azureDevOps.accessTokenRef` is missing");
    }
    Ok(RepositoriesQuestion {
        forge,
        owner,
        project,
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
    let id = match &repository.id {
        Some(RepositoryId::Number(number)) => Value::int64(*number),
        Some(RepositoryId::Uuid(uuid)) => Value::Object(Rc::new(Uuid(uuid.as_str().into()))),
        None => Value::Nil,
    };
    params.insert(Text::from("repository_id"), id);
    add_values(options, &params, place, world.language)?;
    Ok(params)
}

/// A `uuid.UUID`, which prints as its text and is none: functions of texts refuse it, `{{repository_id}}` stays.
struct Uuid(Text);

impl GoObject for Uuid {
    fn type_name(&self) -> &'static str {
        "uuid.UUID"
    }

    fn to_text(&self) -> Option<Text> {
        Some(self.0.clone())
    }

    fn to_json(&self) -> Option<String> {
        Some(Json::from(self.0.lossy()).to_string())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
