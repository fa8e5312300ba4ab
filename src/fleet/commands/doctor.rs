//! What a run would find here: programs and their versions, repositories, clusters.
//!
//! In: the programs to look for, and applications whose repositories and clusters are tried. Out: a [`Checkup`]. Repositories are
//! fetched as a diff would fetch them; nothing is written but the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::app::SelectionError;
use crate::app::source::SourceKind;
use crate::finding::{Code, Finding};
use crate::fleet::application::{Connected, Fetched, FetchedSource, Purpose};
use crate::fleet::stages::select::select_all;
use crate::fleet::stages::{connect, fetch, load};
use crate::fleet::{Request, World};
use crate::process::{self, Cancel, Command, ProcessError};
use crate::render::by_files;

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
    /// The sources that need it.
    pub renders: Option<SourceKind>,
    /// The tool that is used where this one is not installed.
    pub stand_in: Option<&'static str>,
}

impl Tool {
    /// Its version as it reported it; an error where that is older than the oldest that is supported. Words that name no version are
    /// nobody's fault.
    fn not_too_old(&self, said: String) -> Result<String, Finding> {
        let (Some(oldest), Some(version)) = (self.oldest, version_in(&said)) else { return Ok(said) };
        if version >= oldest {
            return Ok(said);
        }
        let words = format!("{said}: older than {}.{}, the oldest that is supported", oldest.0, oldest.1);
        Err(Finding::error(Code::DoctorTooOld, words).with_help(self.purpose))
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
    /// The applications that need it, of a program.
    pub needed_by: Vec<String>,
}

/// Everything that was tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// Programs; one that is missing is an error if an application needs it.
    pub tools: Vec<Check>,
    /// Repositories, each once.
    pub repositories: Vec<Check>,
    /// Clusters, each once.
    pub clusters: Vec<Check>,
    /// The errors in the manifests themselves.
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// Whether an application needs a program that is missing, or a repository or cluster that cannot be reached.
    pub fn has_error(&self) -> bool {
        let tools = self.tools.iter().filter(|check| !check.needed_by.is_empty());
        let needed = self.repositories.iter().chain(&self.clusters).chain(tools);
        needed.into_iter().any(|check| check.result.is_err()) || !self.findings.is_empty()
    }
}

/// Tries everything.
pub async fn doctor(mut request: Request, world: &World, tools: &[Tool]) -> Result<Checkup, Vec<SelectionError>> {
    let loaded = load::load_all(select_all(&mut request, world).await?, &Purpose::Keep);
    let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
    let connected = fetched.through(async |fetched| connect::connect(fetched, world, request.concurrency).await).await;
    let mut checkup = Checkup::default();
    let needs = needs(connected.iter(), &request);
    for tool in tools {
        checkup.tools.push(look_for(tool, &needs, &world.cancel).await);
    }
    use_stand_ins(tools, &mut checkup.tools);
    let (mut repositories, mut clusters) = (Tried::default(), Tried::default());
    for connected in connected.iter() {
        repositories.sources_of(connected);
        clusters.cluster_of(connected);
    }
    checkup.repositories = repositories.checks();
    checkup.clusters = clusters.checks();
    checkup.findings = request.findings;
    checkup.findings.extend(connected.invalid_findings().cloned());
    Ok(checkup)
}

/// The applications whose sources each tool renders.
fn needs<'a>(
    applications: impl Iterator<Item = &'a Connected>,
    request: &Request,
) -> BTreeMap<SourceKind, BTreeSet<String>> {
    let mut needs: BTreeMap<SourceKind, BTreeSet<String>> = BTreeMap::new();
    let is_on = |kind: &SourceKind| !request.render.disabled.contains(kind);
    for fetched in applications.map(|connected| &connected.fetched) {
        for (source, fetched_source) in fetched.application.sources.iter().zip(&fetched.sources) {
            let by_files = || {
                let checkout = fetched_source.checkout().filter(|_| !source.renders_nothing())?;
                let folder = checkout.folder(source.path.as_deref().unwrap_or_default()).ok()?;
                by_files(&folder, is_on).ok()
            };
            if let Some(kind) = source.explicit_kind().filter(is_on).or_else(by_files) {
                needs.entry(kind).or_default().insert(fetched.application.name.clone());
            }
        }
    }
    needs
}

/// A tool that is not installed is no error where another one does its work.
fn use_stand_ins(tools: &[Tool], checks: &mut [Check]) {
    for (position, tool) in tools.iter().enumerate() {
        let stand_in = checks.iter().find(|check| Some(check.name.as_str()) == tool.stand_in);
        let found =
            stand_in.and_then(|check| Some(format!("{} {}: {}", check.name, tool.name, check.result.as_ref().ok()?)));
        if let (Some(found), Err(_)) = (found, &checks[position].result) {
            checks[position].result = Ok(found);
        }
    }
}

/// Repositories or clusters that applications share, by name, with what came of each.
#[derive(Default)]
struct Tried(BTreeMap<String, Outcome>);

#[derive(Default)]
struct Outcome {
    /// The version or revision that the first application got.
    found: Option<String>,
    /// Each error once, with the first application that has it.
    errors: Vec<(Finding, String)>,
}

impl Tried {
    /// The repositories of an application.
    fn sources_of(&mut self, fetched: &Fetched) {
        let application = &fetched.application;
        for (source, fetched) in application.sources.iter().zip(&fetched.sources) {
            let url = source.repo_url.to_string();
            match fetched {
                FetchedSource::Failed(error) => self.failed(url, error, &application.name),
                // A run that was stopped fetched nothing more, and that is no error of the repository.
                FetchedSource::NotFetched => {}
                FetchedSource::Checkout(checkout) => {
                    self.found(url, format!("{} by {}", short(&checkout.revision), checkout.by.as_str()));
                }
            }
        }
    }

    /// The cluster of an application.
    fn cluster_of(&mut self, connected: &Connected) {
        let destination = &connected.application.destination;
        let name = match connected.cluster() {
            Some(cluster) => cluster.name(),
            None if destination.server.is_empty() => &destination.name,
            None => &destination.server,
        };
        match &connected.connection {
            Ok(connection) => self.found(name.to_owned(), connection.kinds.server_version.clone()),
            Err(no) => self.failed(name.to_owned(), &no.error, &connected.application.name),
        }
    }

    fn found(&mut self, name: String, what: String) {
        self.0.entry(name).or_default().found.get_or_insert(what);
    }

    fn failed(&mut self, name: String, error: &Finding, application: &str) {
        let errors = &mut self.0.entry(name).or_default().errors;
        if !errors.iter().any(|(known, _)| known == error) {
            errors.push((error.clone(), application.to_owned()));
        }
    }

    /// A check for each; one for each error where there are several. That another application got an answer hides no error.
    fn checks(self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (name, Outcome { found, errors }) in self.0 {
            match found {
                Some(found) if errors.is_empty() => {
                    checks.push(Check { name, result: Ok(found), needed_by: Vec::new() });
                }
                _ => {
                    checks.extend(errors.into_iter().map(|(error, application)| Check {
                        name: name.clone(),
                        result: Err(error.about(&application)),
                        needed_by: Vec::new(),
                    }));
                }
            }
        }
        checks
    }
}

async fn look_for(tool: &Tool, needs: &BTreeMap<SourceKind, BTreeSet<String>>, cancel: &Cancel) -> Check {
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
    let needed_by = tool.renders.and_then(|kind| needs.get(&kind)).into_iter().flatten().cloned().collect();
    Check { name: tool.name.to_owned(), result, needed_by }
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
