//! `trueup expand`: the Applications that ApplicationSets generate; no cluster is needed.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::apps_from;
use super::arguments::apps_from::{AppsFrom, parse_apps_from};
use super::arguments::output::OutputArguments;
use super::arguments::source::SourceArguments;
use super::manifests::{self, ManifestPath, StandardInput};
use super::request;
use super::session::{Look, Session};
use crate::app::appset::{self, Facts};
use crate::finding::{Finding, Severity};
use crate::fleet::stages::expand as expansion;
use crate::report::ExitRules;
use crate::report::applications::{self, ApplicationFormat, ExpandedApplication};

/// Print the Applications that ApplicationSets generate; needs no cluster
///
/// Applications that are written out are printed as they are. Exits with 2 if a generator or template fails, or if
/// names are invalid or stand twice; the other Applications are printed all the same.
#[derive(Debug, clap::Args)]
pub(super) struct ExpandArguments {
    /// Manifests of ApplicationSets and Applications: files, folders (searched recursively), or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "apps_from")]
    paths: Vec<ManifestPath>,
    /// Fetch manifests from a git repository: a file or folder in it, at a branch, tag or commit; repeatable
    #[arg(long, value_name = "URL[#PATH][@REVISION]", value_parser = parse_apps_from)]
    apps_from: Vec<AppsFrom>,
    /// Read Argo CD's cluster Secrets from a file or folder, for `clusters` generators; credentials are not read
    #[arg(long, value_name = "PATH", help_heading = "Generators")]
    clusters: Vec<PathBuf>,
    /// Let `*` in git file generators stop at `/`, as Argo CD's `applicationsetcontroller.enable.new.git.file.globbing`
    #[arg(long, help_heading = "Generators")]
    new_git_file_globbing: bool,
    #[command(flatten)]
    sources: SourceArguments,
    /// Print Applications in this format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: ApplicationFormat,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ExpandArguments {
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: self.telling.verbosity(),
            context_lines: None,
            show_ignored: false,
            exit: ExitRules::default(),
        }
    }
}

/// Reads, expands, prints.
pub(super) async fn expand(arguments: ExpandArguments, mut session: Session) -> u8 {
    let format = arguments.output;
    let expanded = applications(arguments, &session).await;
    session.end_progress().await;
    let (applications, findings) = match expanded {
        Ok(expanded) => expanded,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&findings);
    let printed = session.terminal.data(applications::write(&applications, format).as_bytes());
    if let Err(error) = printed {
        return session.refuse(&[Finding::of(&error)]);
    }
    let has_failed = findings.iter().any(|finding| finding.severity == Severity::Error);
    if has_failed { 2 } else { 0 }
}

/// The Applications, in the order of the files, and what went wrong.
async fn applications(
    arguments: ExpandArguments,
    session: &Session,
) -> Result<(Vec<ExpandedApplication>, Vec<Finding>), Vec<Finding>> {
    let ExpandArguments { paths, apps_from, clusters, new_git_file_globbing, sources, .. } = arguments;
    let sources = request::sources(sources.settings(10)?, session)?;
    let (fetched, unfetched) = apps_from::read(&apps_from, &sources, session).await;
    let mut read = {
        let mut standard_input = std::io::stdin().lock();
        let is_terminal = std::io::stdin().is_terminal();
        manifests::read(&paths, StandardInput { reader: &mut standard_input, is_terminal })
    };
    let mut findings: Vec<Finding> = read.errors.iter().map(|error| Finding::of(error)).chain(unfetched).collect();
    read.texts.extend(fetched);
    let found = appset::read(&read.texts);
    findings.extend(found.findings);
    let facts = Facts { clusters: known_clusters(clusters)?, new_git_file_globbing, ..Facts::default() };
    let written_out = |manifest| ExpandedApplication { manifest, generator: String::new() };
    let mut applications: Vec<ExpandedApplication> = found.applications.into_iter().map(written_out).collect();
    for set in &found.sets {
        let (generated, more) = expansion::expand(set, facts.clone(), &sources, &session.cancel).await;
        findings.extend(more);
        applications.extend(generated.into_iter().map(|generated| ExpandedApplication {
            generator: format!("{}: {}", set.name, generated.generator),
            manifest: generated.manifest,
        }));
    }
    Ok((applications, findings))
}

/// The clusters of the Secrets in the files; nothing when none were named.
fn known_clusters(paths: Vec<PathBuf>) -> Result<Option<Vec<appset::ClusterSecret>>, Vec<Finding>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let paths: Vec<ManifestPath> = paths.into_iter().map(ManifestPath::Path).collect();
    let read = manifests::read(&paths, StandardInput { reader: &mut std::io::empty(), is_terminal: false });
    if read.errors.is_empty() {
        Ok(Some(appset::cluster_secrets(&read.texts)))
    } else {
        Err(read.errors.iter().map(|error| Finding::of(error)).collect())
    }
}
