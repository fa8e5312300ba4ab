//! The repositories that are known, what opens each, and whether it answers.
//!
//! In: Argo CD's Secrets, and applications. Out: a [`RepositoryList`]. Repositories are asked side by side, each with its own
//! credentials; nothing is checked out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;

use crate::app::Applications;
use crate::app::settings::{Opener, Repositories, Repository, RepositoryKind};
use crate::finding::Finding;
use crate::fleet::World;
use crate::secret::RepoUrl;
use crate::source::Wanted;

/// What a row of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedAs {
    /// One repository.
    Repository,
    /// A credential template: what opens every repository below a URL.
    Template,
}

/// One repository or credential template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRepository {
    /// The URL, shown without credentials.
    pub url: RepoUrl,
    /// A repository or a template.
    pub listed_as: ListedAs,
    /// How it is spoken with.
    pub kind: RepositoryKind,
    /// The name of a Helm repository.
    pub name: String,
    /// The only project that it is for; empty for all.
    pub project: String,
    /// What opens it.
    pub opener: Opener,
    /// How many applications name it.
    pub applications: usize,
    /// How long the answer took, or why there is none; nothing where it was not asked.
    pub answer: Option<Result<Duration, Finding>>,
}

/// Every repository and credential template that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryList {
    /// Repositories of Secrets, then those that only applications name, then templates.
    pub repositories: Vec<ListedRepository>,
    /// What is wrong with Secrets and manifests.
    pub findings: Vec<Finding>,
}

impl RepositoryList {
    /// Every error and warning.
    pub fn all_findings(&self) -> Vec<Finding> {
        let answers = self.repositories.iter().filter_map(|repository| repository.answer.as_ref()?.as_ref().err());
        self.findings.iter().chain(answers).cloned().collect()
    }
}

/// Lists what is known.
pub fn list(known: &Repositories, applications: &Applications) -> RepositoryList {
    let mut list = RepositoryList::default();
    for repository in known.entries() {
        let opener = known.opener(repository.url.with_credentials(), &repository.project);
        list.repositories.push(row(repository, ListedAs::Repository, opener));
    }
    for application in applications {
        let application = match application {
            Ok(application) => application,
            Err(invalid) => {
                list.findings.extend(invalid.findings.iter().cloned());
                continue;
            }
        };
        // An application that names a repository twice counts once.
        let sources = application.sources.iter().map(|source| (source.repo_url.normal_form().to_owned(), source));
        let sources: BTreeMap<_, _> = sources.collect();
        for source in sources.into_values() {
            let url = source.repo_url.with_credentials();
            let project = known.scope(url, &application.project);
            let kind = match (&source.chart, url.starts_with("oci://")) {
                (_, true) => RepositoryKind::Oci,
                (Some(_), _) => RepositoryKind::Helm,
                (None, _) => RepositoryKind::Git,
            };
            let is_this = |row: &&mut ListedRepository| row.project == project && row.url == source.repo_url;
            if let Some(row) = list.repositories.iter_mut().find(is_this) {
                row.applications += 1;
                continue;
            }
            list.repositories.push(ListedRepository {
                url: source.repo_url.clone(),
                listed_as: ListedAs::Repository,
                kind,
                name: String::new(),
                project: project.to_owned(),
                opener: known.opener(url, &application.project),
                applications: 1,
                answer: None,
            });
        }
    }
    for template in known.templates() {
        list.repositories.push(row(template, ListedAs::Template, Opener::Secret(template.secret.clone())));
    }
    list
}

fn row(repository: &Repository, listed_as: ListedAs, opener: Opener) -> ListedRepository {
    ListedRepository {
        url: repository.url.clone(),
        listed_as,
        kind: if repository.enable_oci { RepositoryKind::Oci } else { repository.kind },
        name: repository.name.clone(),
        project: repository.project.clone(),
        opener,
        applications: 0,
        answer: None,
    }
}

/// Asks every repository whether it answers; a template is the beginning of many, and is not asked.
pub async fn check(list: &mut RepositoryList, world: &World, concurrency: usize) {
    let repositories = list.repositories.iter().enumerate();
    let asked = repositories.filter(|(_, repository)| repository.listed_as == ListedAs::Repository);
    let answers: Vec<(usize, Result<Duration, Finding>)> =
        stream::iter(asked.map(|(place, repository)| async move { (place, ask(repository, world).await) }))
            .buffer_unordered(concurrency.max(1))
            .collect()
            .await;
    for (place, answer) in answers {
        list.repositories[place].answer = Some(answer);
    }
}

async fn ask(repository: &ListedRepository, world: &World) -> Result<Duration, Finding> {
    let url = repository.url.with_credentials();
    let is_bare = !url.contains("://");
    let url = match repository.kind {
        RepositoryKind::Oci if is_bare => RepoUrl::new(format!("oci://{url}")),
        _ => repository.url.clone(),
    };
    let chart = (repository.kind == RepositoryKind::Helm).then(String::new);
    let wanted = Wanted { chart, project: repository.project.clone(), ..Wanted::default() };
    let began = Instant::now();
    let answer = world.sources.check(&url, &wanted, &world.cancel).await;
    answer.map(|()| began.elapsed()).map_err(|error| Finding::of(&error))
}
