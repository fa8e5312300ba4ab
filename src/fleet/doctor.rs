//! What a run would find here: programs and their versions, repositories, clusters.
//!
//! In: the programs to look for, and applications whose repositories and clusters are tried. Out: a [`Checkup`]. Repositories are
//! brought as a diff would bring them; nothing is written but the cache.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::turn::Turn;
use super::{Request, World, fetch, list, turn};
use crate::cluster::Cluster;
use crate::finding::{Finding, Severity};
use crate::process::{self, Cancel, Command, ProcessError};

/// A program that has not said its version by then has something else to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program to look for.
#[derive(Debug, Clone)]
pub struct Tool {
    /// Its display name.
    pub name: &'static str,
    /// Where it is, or its name.
    pub program: PathBuf,
    /// The arguments that print its version.
    pub arguments: &'static [&'static str],
    /// The oldest version that is supported, where older ones are not.
    pub oldest: Option<(u64, u64)>,
    /// Its purpose, and how to install it.
    pub purpose: &'static str,
}

impl Tool {
    /// What it said of its version; an error where that is older than the oldest that is supported. Words that name no version are
    /// nobody's fault.
    fn not_too_old(&self, said: String) -> Result<String, Finding> {
        let (Some(oldest), Some(version)) = (self.oldest, version_in(&said)) else { return Ok(said) };
        if version >= oldest {
            return Ok(said);
        }
        let words = format!("{said}: older than {}.{}, the oldest that is supported", oldest.0, oldest.1);
        Err(Finding::error("trueup::doctor::too_old", words).with_help(self.purpose))
    }
}

/// The first two numbers with a point between them.
fn version_in(said: &str) -> Option<(u64, u64)> {
    let mut words = said.split(|letter: char| !letter.is_ascii_digit() && letter != '.');
    words.find_map(|word| {
        let mut numbers = word.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What: a program, a repository, a cluster.
    pub name: String,
    /// Its version or revision; or why it is not there.
    pub result: Result<String, Finding>,
}

/// Everything that was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// Programs; one that is missing is no fault until an application needs it.
    pub tools: Vec<Check>,
    /// Repositories, each once.
    pub repositories: Vec<Check>,
    /// Clusters, each once.
    pub clusters: Vec<Check>,
    /// The errors in the manifests themselves.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// Whether a repository or a cluster that an application needs could not be reached.
    pub fn has_error(&self) -> bool {
        let needed = self.repositories.iter().chain(&self.clusters);
        needed.into_iter().any(|check| check.result.is_err()) || !self.findings.is_empty()
    }
}

/// Tries everything.
pub async fn doctor(mut request: Request, world: &World, tools: &[Tool]) -> Checkup {
    let (mut turns, invalid) = turn::begin(&mut request);
    fetch::fetch(&mut turns, world, request.concurrency).await;
    list::connect(&mut turns, world, request.concurrency).await;
    let mut checkup = Checkup::default();
    for tool in tools {
        checkup.tools.push(look_for(tool, &world.cancel).await);
    }
    let (mut repositories, mut clusters) = (BTreeMap::new(), BTreeMap::new());
    for turn in &turns {
        for (source, run) in turn.application.sources.iter().zip(&turn.sources) {
            let found = if run.revision.is_empty() && run.fetched_by.is_empty() {
                errors(turn).next().map(Err)
            } else {
                Some(Ok(format!("{} by {}", short(&run.revision), run.fetched_by)))
            };
            if let Some(found) = found {
                repositories.entry(source.repo_url.to_string()).or_insert(found);
            }
        }
        let cluster = turn.cluster.as_deref().map(Cluster::name).map(str::to_owned);
        let name = cluster.unwrap_or_else(|| turn.application.destination.server.clone());
        let found = match &turn.kinds {
            Some(kinds) => Some(Ok(kinds.server_version.clone())),
            None => errors(turn).last().map(Err),
        };
        if let Some(found) = found {
            clusters.entry(name).or_insert(found);
        }
    }
    let checks = |found: BTreeMap<String, Result<String, Finding>>| {
        found.into_iter().map(|(name, result)| Check { name, result }).collect()
    };
    checkup.repositories = checks(repositories);
    checkup.clusters = checks(clusters);
    checkup.findings = request.findings;
    checkup.findings.extend(invalid.into_iter().flat_map(|(_, application)| application.findings));
    checkup
}

async fn look_for(tool: &Tool, cancel: &Cancel) -> Check {
    let mut command = Command::new(&tool.program).args(tool.arguments.iter().copied());
    command.timeout = PATIENCE;
    let result = match process::run(&command, cancel).await {
        Ok(output) => {
            // Some say it on their standard error.
            let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
            let said = String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned();
            tool.not_too_old(if said.is_empty() { "there".to_owned() } else { said })
        }
        Err(error @ ProcessError::NotFound { .. }) => {
            // The system's words say the same once more.
            Err(Finding { causes: Vec::new(), ..Finding::of(&error) }.with_help(tool.purpose))
        }
        Err(error) => Err(Finding::of(&error).with_help(tool.purpose)),
    };
    Check { name: tool.name.to_owned(), result }
}

fn errors(turn: &Turn) -> impl Iterator<Item = Finding> {
    let errors = turn.conditions.iter().filter(|condition| condition.finding.severity == Severity::Error);
    errors.map(|condition| condition.finding.clone())
}

fn short(revision: &str) -> &str {
    if revision.is_empty() { "a folder" } else { crate::source::short(revision) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The programs' own version texts, from their first versions on.
    #[test]
    fn a_version_is_found_in_what_programs_say() {
        for (said, expected) in [
            ("v3.22.0", Some((3, 22))),
            ("v3.9.4+gdbc6d8e", Some((3, 9))),
            ("Client: v2.17.0+ga690bad", Some((2, 17))),
            ("v5.8.2", Some((5, 8))),
            ("{Version:kustomize/v4.5.7 GitCommit:56d82a8 BuildDate:2022-08-02T16:35:54Z}", Some((4, 5))),
            ("Client Version: v1.32.4-dispatcher", Some((1, 32))),
            ("(devel)", None),
            ("there", None),
        ] {
            assert_eq!(version_in(said), expected, "{said}");
        }
    }
}
