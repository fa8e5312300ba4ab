//! `--generator-fixture FILE`: what services would answer, written out, so that an expansion asks none of them.
//!
//! In: the text of a YAML or JSON file. Out: [`GeneratorFixture`], whose first entry that fits a generator answers for it.

use serde::Deserialize;
use serde_json::Value;

use super::question::{
    ForgeRepository, PullRequest, RepositoryFilter, RepositoryFilters, RepositoryId, ServiceAnswer, ServiceFault,
};
use crate::object::yaml::{self, Limits, WithPositions};

/// The generators that ask services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ServiceKind {
    /// `plugin`.
    Plugin,
    /// `pullRequest`.
    PullRequest,
    /// `scmProvider`.
    ScmProvider,
}

impl ServiceKind {
    /// The field of an entry of `spec.generators`.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::PullRequest => "pullRequest",
            Self::ScmProvider => "scmProvider",
        }
    }
}

/// The answers of services.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GeneratorFixture(Vec<FixtureEntry>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FixtureFile {
    generators: Vec<FixtureEntry>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FixtureEntry {
    #[serde(default)]
    application_set: String,
    generator: ServiceKind,
    #[serde(default)]
    with: Value,
    #[serde(default)]
    pull_requests: Option<Vec<FixturePullRequest>>,
    #[serde(default)]
    repositories: Option<Vec<FixtureRepository>>,
    #[serde(default)]
    parameters: Option<Vec<Value>>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FixturePullRequest {
    number: i64,
    #[serde(default)]
    title: String,
    branch: String,
    #[serde(default)]
    target_branch: String,
    head_sha: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    labels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FixtureRepository {
    organization: String,
    repository: String,
    #[serde(default)]
    repository_id: Option<RepositoryId>,
    url: String,
    branch: String,
    #[serde(default)]
    sha: String,
    #[serde(default)]
    labels: Vec<String>,
    /// The files and folders that `pathsExist` and `pathsDoNotExist` look for.
    #[serde(default)]
    paths: Vec<String>,
}

impl GeneratorFixture {
    /// Reads the text of a file; or why it is invalid.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = yaml::decode(bytes).map_err(|error| error.to_string())?;
        let mut entries = Vec::new();
        for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
            let document = document.map_err(|error| format!("line {}: {error}", error.line))?;
            let file: FixtureFile = serde_json::from_value(document.value).map_err(|error| error.to_string())?;
            entries.extend(file.generators);
        }
        match entries.iter().position(|entry| !entry.has_answer()) {
            Some(index) => {
                let kind = entries[index].generator.field();
                Err(format!("entry {} has no answer of a `{kind}` generator, and no `error`", index + 1))
            }
            None => Ok(Self(entries)),
        }
    }

    /// The answer for a generator with these options; nothing when no entry fits.
    pub(super) fn answer(
        &self,
        set: &str,
        kind: ServiceKind,
        options: &Value,
    ) -> Option<Result<ServiceAnswer, ServiceFault>> {
        let fits = |entry: &&FixtureEntry| {
            entry.generator == kind
                && (entry.application_set.is_empty() || entry.application_set == set)
                && is_part(&entry.with, options)
        };
        let entry = self.0.iter().find(fits)?;
        if let Some(error) = &entry.error {
            return Some(Err(ServiceFault::Failed(error.clone())));
        }
        Some(Ok(match kind {
            ServiceKind::Plugin => ServiceAnswer::Parameters(entry.parameters.clone().unwrap_or_default()),
            ServiceKind::PullRequest => {
                let pulls = entry.pull_requests.iter().flatten().cloned();
                ServiceAnswer::PullRequests(pulls.map(PullRequest::from).collect())
            }
            ServiceKind::ScmProvider => {
                let filters = RepositoryFilters::new(&RepositoryFilter::all_of(options)).ok()?;
                let all = entry.repositories.iter().flatten();
                ServiceAnswer::Repositories(all.filter_map(|repository| repository.filtered(&filters)).collect())
            }
        }))
    }
}

impl FixtureEntry {
    fn has_answer(&self) -> bool {
        self.error.is_some()
            || match self.generator {
                ServiceKind::Plugin => self.parameters.is_some(),
                ServiceKind::PullRequest => self.pull_requests.is_some(),
                ServiceKind::ScmProvider => self.repositories.is_some(),
            }
    }
}

/// Whether everything of the first value is in the second.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Null, _) => true,
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|whole| is_part(value, whole)))
        }
        (part, whole) => part == whole,
    }
}

impl FixtureRepository {
    fn filtered(&self, filters: &RepositoryFilters) -> Option<ForgeRepository> {
        let repository = ForgeRepository {
            organization: self.organization.clone(),
            repository: self.repository.clone(),
            id: self.repository_id.clone(),
            url: self.url.clone(),
            branch: self.branch.clone(),
            sha: self.sha.clone(),
            labels: self.labels.clone(),
        };
        let is_at = |path: &str| self.paths.iter().any(|own| own == path || own.starts_with(&format!("{path}/")));
        let has_path = |path: &str| Ok::<_, std::convert::Infallible>(is_at(path));
        let is_wanted = filters.keep_repository(&repository) && filters.keep_branch(&repository, has_path) == Ok(true);
        is_wanted.then_some(repository)
    }
}

impl From<FixturePullRequest> for PullRequest {
    fn from(pull: FixturePullRequest) -> Self {
        let FixturePullRequest { number, title, branch, target_branch, head_sha, author, labels } = pull;
        Self { number, title, branch, target_branch, head_sha, author, labels }
    }
}
