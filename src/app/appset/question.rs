//! What a generator asks a service: a plugin's parameters, the pull requests of a repository, the repositories of an owner.
//!
//! A [`Question`] names Secrets and holds none; [`ServiceCredential`] is what opens the service when it is asked.

use regex::Regex;
use serde_json::Value;

use crate::app::settings::GithubApp;
use crate::gotemplate::go_regex;
use crate::secret::Secret;

/// One key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretKey {
    /// Its namespace; empty when the ApplicationSet names none.
    pub namespace: String,
    /// The Secret.
    pub secret: String,
    /// The key.
    pub key: String,
}

/// How a generator opens a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceLogin {
    /// It names no Secret.
    Anonymous,
    /// A token.
    Token(SecretKey),
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretKey,
    },
    /// A GitHub App, whose Secret is that of a repository.
    GithubApp {
        /// The namespace of the Secret.
        namespace: String,
        /// The Secret.
        secret: String,
    },
}

/// The credentials of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCredential {
    /// Nothing.
    Anonymous,
    /// A token.
    Token(Secret<String>),
    /// A user and a password.
    Basic(String, Secret<String>),
    /// A GitHub App.
    GithubApp(Box<GithubApp>),
}

/// The kinds of forges whose APIs are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForgeKind {
    /// GitHub, and GitHub Enterprise Server.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea, and Forgejo.
    Gitea,
    /// Bitbucket Server, now Bitbucket Data Center.
    BitbucketServer,
    /// Azure DevOps, and Azure DevOps Server.
    AzureDevops,
}

/// One forge, and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forge {
    /// Which API it has.
    pub kind: ForgeKind,
    /// `api`; empty for github.com, gitlab.com or dev.azure.com.
    pub api: String,
    /// How it is opened.
    pub login: ServiceLogin,
    /// `insecure`: its certificate is not verified.
    pub insecure: bool,
    /// `caRef`: certificates in PEM, beside the system's.
    pub authorities: Option<String>,
}

/// Which URL of a repository is the parameter `url`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloneProtocol {
    /// `ssh`, the default.
    Ssh,
    /// `https`.
    Https,
}

/// The repositories that an `scmProvider` generator wants.
#[expect(clippy::struct_excessive_bools, reason = "they are fields of the generator")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoriesQuestion {
    /// The forge.
    pub forge: Forge,
    /// The organization, group, owner or project.
    pub owner: String,
    /// The project of Azure DevOps; empty for others.
    pub project: String,
    /// `cloneProtocol`.
    pub clone_protocol: CloneProtocol,
    /// `allBranches`: not only the default branch.
    pub all_branches: bool,
    /// `excludeArchivedRepos` of GitHub and Gitea; of GitLab, that `includeArchivedRepos` is not set.
    pub exclude_archived: bool,
    /// `includeSubgroups` of GitLab.
    pub include_subgroups: bool,
    /// `includeSharedProjects` of GitLab.
    pub include_shared: bool,
    /// `topic` of GitLab; empty for all.
    pub topic: String,
    /// `filters`, as they were written.
    pub filters: Vec<RepositoryFilter>,
}

/// The pull requests that a `pullRequest` generator wants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PullRequestsQuestion {
    /// The forge.
    pub forge: Forge,
    /// The owner or project; empty for GitLab, whose projects are one path.
    pub owner: String,
    /// The project of Azure DevOps; empty for others.
    pub project: String,
    /// The repository, or GitLab's project.
    pub repository: String,
    /// Labels that each has to have.
    pub labels: Vec<String>,
    /// `pullRequestState` of GitLab; empty for all.
    pub state: String,
}

/// The call of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginQuestion {
    /// `baseUrl` of its ConfigMap.
    pub base_url: String,
    /// `token` of its ConfigMap.
    pub token: SecretKey,
    /// `requestTimeout` of its ConfigMap, in seconds.
    pub timeout_seconds: u64,
    /// The body of the request, as JSON.
    pub body: String,
}

/// A question to a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// A plugin's parameters.
    Plugin(PluginQuestion),
    /// Pull requests.
    PullRequests(PullRequestsQuestion),
    /// Repositories.
    Repositories(RepositoriesQuestion),
}

impl Question {
    /// How the service is opened.
    pub fn login(&self) -> ServiceLogin {
        match self {
            Self::Plugin(plugin) => ServiceLogin::Token(plugin.token.clone()),
            Self::PullRequests(question) => question.forge.login.clone(),
            Self::Repositories(question) => question.forge.login.clone(),
        }
    }
}

/// A pull or merge request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// The branch that it comes from.
    pub branch: String,
    /// The branch that it goes to.
    pub target_branch: String,
    /// The commit at its head.
    pub head_sha: String,
    /// The user who opened it.
    pub author: String,
    /// Its labels.
    pub labels: Vec<String>,
}

/// How a forge identifies a repository, apart from its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum RepositoryId {
    /// A number.
    Number(i64),
    /// A UUID, as Azure DevOps has.
    Uuid(String),
}

impl std::fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
        }
    }
}

/// One branch of a repository of a forge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForgeRepository {
    /// The organization, group, owner or project.
    pub organization: String,
    /// The repository's name.
    pub repository: String,
    /// Its number or UUID.
    pub id: Option<RepositoryId>,
    /// The URL to clone.
    pub url: String,
    /// The branch.
    pub branch: String,
    /// The commit of the branch.
    pub sha: String,
    /// Topics or labels.
    pub labels: Vec<String>,
}

/// The answer of a service.
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceAnswer {
    /// Sets of parameters: each is a map.
    Parameters(Vec<Value>),
    /// Pull requests, in the forge's order.
    PullRequests(Vec<PullRequest>),
    /// Repositories that passed the filters, in the forge's order.
    Repositories(Vec<ForgeRepository>),
}

/// Why a service gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceFault {
    /// There is no such repository, as far as the login shows.
    #[error("{0}")]
    NotFound(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// One of `scmProvider`'s filters: all of its conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoryFilter {
    /// `repositoryMatch`.
    pub repository: Option<String>,
    /// `labelMatch`.
    pub label: Option<String>,
    /// `branchMatch`.
    pub branch: Option<String>,
    /// `pathsExist`.
    pub paths_exist: Option<Vec<String>>,
    /// `pathsDoNotExist`.
    pub paths_do_not_exist: Option<Vec<String>>,
}

impl RepositoryFilter {
    /// The filters of a generator, as they were written.
    pub(super) fn all_of(options: &Value) -> Vec<Self> {
        let filters = options.get("filters").and_then(Value::as_array).into_iter().flatten();
        filters
            .map(|filter| {
                let text = |field: &str| filter.get(field).and_then(Value::as_str).map(str::to_owned);
                let paths = |field: &str| {
                    let paths = filter.get(field)?.as_array().into_iter().flatten();
                    Some(paths.filter_map(Value::as_str).map(str::to_owned).collect())
                };
                Self {
                    repository: text("repositoryMatch"),
                    label: text("labelMatch"),
                    branch: text("branchMatch"),
                    paths_exist: paths("pathsExist"),
                    paths_do_not_exist: paths("pathsDoNotExist"),
                }
            })
            .collect()
    }
}

/// Compiled filters, of repositories and of branches.
///
/// Rule: Argo CD `scm_provider/utils.go`: a filter with a condition on branches or paths is one of branches, others are of
/// repositories; a repository has to pass one of each kind, where there are any.
#[derive(Debug)]
pub struct RepositoryFilters(Vec<CompiledFilter>);

#[derive(Debug)]
struct CompiledFilter {
    is_of_branches: bool,
    repository: Option<Regex>,
    label: Option<Regex>,
    branch: Option<Regex>,
    paths_exist: Vec<String>,
    paths_do_not_exist: Vec<String>,
}

impl RepositoryFilters {
    /// Compiles the patterns.
    pub fn new(filters: &[RepositoryFilter]) -> Result<Self, String> {
        let compiled = filters.iter().map(|filter| {
            let paths = |paths: &Option<Vec<String>>| {
                let paths = paths.iter().flatten().map(|path| path.trim_end_matches('/').to_owned());
                paths.collect::<Vec<_>>()
            };
            Ok(CompiledFilter {
                is_of_branches: filter.branch.is_some()
                    || filter.paths_exist.is_some()
                    || filter.paths_do_not_exist.is_some(),
                repository: pattern("repositoryMatch", filter.repository.as_deref())?,
                label: pattern("labelMatch", filter.label.as_deref())?,
                branch: pattern("branchMatch", filter.branch.as_deref())?,
                paths_exist: paths(&filter.paths_exist),
                paths_do_not_exist: paths(&filter.paths_do_not_exist),
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a repository passes before its branches are known.
    pub fn keep_repository(&self, repository: &ForgeRepository) -> bool {
        let mut filters = self.0.iter().filter(|filter| !filter.is_of_branches && !filter.is_empty()).peekable();
        filters.peek().is_none() || filters.any(|filter| filter.matches_texts(repository))
    }

    /// Whether a branch passes; `has_path` asks the forge.
    pub fn keep_branch<E>(
        &self,
        repository: &ForgeRepository,
        mut has_path: impl FnMut(&str) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let mut filters = self.0.iter().filter(|filter| filter.is_of_branches).peekable();
        if filters.peek().is_none() {
            return Ok(true);
        }
        for filter in filters {
            if filter.matches_texts(repository) && filter.matches_paths(&mut has_path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl CompiledFilter {
    /// Argo CD does not count a filter without a condition.
    fn is_empty(&self) -> bool {
        self.repository.is_none() && self.label.is_none()
    }

    fn matches_texts(&self, repository: &ForgeRepository) -> bool {
        let holds = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
        holds(&self.repository, &repository.repository)
            && holds(&self.branch, &repository.branch)
            && self.label.as_ref().is_none_or(|label| repository.labels.iter().any(|own| label.is_match(own)))
    }

    fn matches_paths<E>(&self, has_path: &mut impl FnMut(&str) -> Result<bool, E>) -> Result<bool, E> {
        for path in &self.paths_exist {
            if !has_path(path)? {
                return Ok(false);
            }
        }
        for path in &self.paths_do_not_exist {
            if has_path(path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A filter's pattern, in Go's syntax.
pub(super) fn pattern(field: &str, text: Option<&str>) -> Result<Option<Regex>, String> {
    let compiled = text.map(go_regex).transpose();
    compiled.map_err(|error| format!("error compiling {field} regexp {:?}: {error}", text.unwrap_or_default()))
}
