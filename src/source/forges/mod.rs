//! Asks forges and plugins what generators of ApplicationSets want to know.
//!
//! In: a [`Question`], what opens the service. Out: a [`ServiceAnswer`], or a [`ServiceFault`] with the status and the
//! service's own words, in which nothing of a credential is left.
//!
//! Rules: Argo CD applicationset/services; the forges' API documentation. Lists are read to their last page.

mod api;
mod azure_devops;
mod bitbucket_server;
mod fields;
mod forge_api;
mod gitea;
mod github;
mod gitlab;
mod plugin;

use std::time::Duration;

use reqwest::Url;

use super::access::is_this_machine;
use super::limits::FetchLimits;
use super::sources::Sources;
use crate::app::appset::question::{
    Forge, ForgeKind, ForgeRepository, Question, RepositoriesQuestion, RepositoryFilters, ServiceAnswer,
    ServiceCredential, ServiceFault,
};
use crate::process::Cancel;

use forge_api::ForgeApi;

use api::{ForgeClient, ForgeSettings, Result, ServiceOpening};

impl Sources {
    /// Asks a service, which a credential opens, or it is not known and why; on a thread of its own, which is left to itself when the run is stopped.
    pub async fn ask(
        &self,
        question: &Question,
        credential: std::result::Result<ServiceCredential, String>,
        cancel: &Cancel,
    ) -> Result<ServiceAnswer> {
        let settings = ForgeSettings::of(self.settings());
        let question = question.clone();
        let timeout = match &question {
            Question::Plugin(plugin) => Duration::from_secs(plugin.timeout_seconds),
            _ => settings.timeout,
        };
        let limits = FetchLimits::new(timeout);
        let stop = limits.stop.clone();
        let runtime = tokio::runtime::Handle::current();
        let (send, receive) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let answer = answer(&question, &ServiceOpening { credential, settings, limits, runtime });
            // The receiver is gone when the run was stopped.
            let _ = send.send(answer);
        });
        let answer = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ServiceFault::Failed("the run was stopped".to_owned())),
            answer = receive => answer.unwrap_or_else(|_closed| Err(ServiceFault::Failed("the request crashed".to_owned()))),
        };
        stop.cancel();
        answer
    }
}

fn answer(question: &Question, opening: &ServiceOpening) -> Result<ServiceAnswer> {
    match question {
        Question::Plugin(question) => plugin::parameters(question, opening).map(ServiceAnswer::Parameters),
        Question::PullRequests(question) => {
            let api = forge_api(&question.forge, &question.owner, opening)?;
            let pulls = forge(question.forge.kind).pull_requests(&api, question)?;
            Ok(ServiceAnswer::PullRequests(pulls))
        }
        Question::Repositories(question) => {
            let api = forge_api(&question.forge, &question.owner, opening)?;
            repositories(forge(question.forge.kind), &api, question).map(ServiceAnswer::Repositories)
        }
    }
}

fn forge(kind: ForgeKind) -> &'static dyn ForgeApi {
    match kind {
        ForgeKind::Github => &github::Github,
        ForgeKind::Gitlab => &gitlab::Gitlab,
        ForgeKind::Gitea => &gitea::Gitea,
        ForgeKind::BitbucketServer => &bitbucket_server::BitbucketServer,
        ForgeKind::AzureDevops => &azure_devops::AzureDevops,
    }
}

/// Rule: Argo CD `scm_provider/utils.go`, `ListRepos`.
fn repositories(
    forge: &dyn ForgeApi,
    api: &ForgeClient,
    question: &RepositoriesQuestion,
) -> Result<Vec<ForgeRepository>> {
    let filters = RepositoryFilters::new(&question.filters).map_err(ServiceFault::Failed)?;
    let mut found = Vec::new();
    for repository in forge.repositories(api, question)? {
        if !filters.keep_repository(&repository) {
            continue;
        }
        for branch in forge.branches(api, &repository, question)? {
            if filters.keep_branch(&branch, |path| forge.has_path(api, &branch, question, path))? {
                found.push(branch);
            }
        }
    }
    Ok(found)
}

/// The API of a forge, at the URL that the client libraries make of `api`.
fn forge_api(forge: &Forge, owner: &str, opening: &ServiceOpening) -> Result<ForgeClient> {
    let written = if forge.api.is_empty() { default_url(forge.kind) } else { forge.api.as_str() };
    let invalid =
        || ServiceFault::Failed(format!("`api` is not an `https://` URL: {}", crate::secret::RepoUrl::new(written)));
    let mut url = Url::parse(&format!("{}/", written.trim_end_matches('/'))).map_err(|_error| invalid())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let is_http = url.scheme() == "http";
    if !is_http && url.scheme() != "https" {
        return Err(invalid());
    }
    // Whoever reads a token on its way has it.
    if is_http && !is_this_machine(&host) && opening.has_credential() {
        return Err(ServiceFault::Failed(format!("{}: a token is not sent without TLS", super::access::shown(&url))));
    }
    let organization = format!("{}/", api::segment(owner));
    let suffix = match forge.kind {
        ForgeKind::Github if forge.api.is_empty() || host.starts_with("api.") || host.contains(".api.") => "",
        ForgeKind::Github => "api/v3/",
        ForgeKind::Gitlab => "api/v4/",
        ForgeKind::Gitea => "api/v1/",
        ForgeKind::BitbucketServer => "rest/",
        ForgeKind::AzureDevops => &organization,
    };
    // An organization may be named as the folder is that the server's API is in.
    let ends = forge.kind != ForgeKind::AzureDevops && url.path().ends_with(&format!("/{suffix}"));
    if !ends {
        url = url.join(suffix).map_err(|_error| invalid())?;
    }
    if forge.kind == ForgeKind::BitbucketServer {
        url = url.join("api/1.0/").map_err(|_error| invalid())?;
    }
    ForgeClient::new(forge, owner, url, opening)
}

fn default_url(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Github => "https://api.github.com",
        ForgeKind::Gitlab => "https://gitlab.com",
        ForgeKind::AzureDevops => "https://dev.azure.com",
        ForgeKind::Gitea | ForgeKind::BitbucketServer => "",
    }
}
