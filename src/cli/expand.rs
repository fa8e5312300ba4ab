//! `trueup expand`: the Applications that ApplicationSets generate; no cluster is needed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::apps_from;
use super::arguments::apps_from::{AppsFrom, parse_apps_from};
use super::arguments::generators::GeneratorArguments;
use super::arguments::output::OutputArguments;
use super::arguments::source::SourceArguments;
use super::manifests::{self, ManifestPath, StandardInput};
use super::request;
use super::session::{Look, Session, environment};
use crate::app::{self, Applications, Given, ManifestText};
use crate::cluster::{ClusterEnvironment, ClusterSettings};
use crate::finding::{Code, Finding};
use crate::fleet::stages::{descend, expand as expansion};
use crate::fleet::{self, Renders, Request, World};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::{Kinds, Object, yaml};
use crate::report::applications::{self, ApplicationDetails, ApplicationFormat, ExpandedApplication};
use crate::report::exit_status_of;

/// How many repositories are fetched, and Applications rendered, side by side.
const CONCURRENCY: usize = 10;

/// Print the Applications that ApplicationSets generate; needs no cluster
///
/// Applications that are written out are printed as they are. Exits with 2 if a generator or template fails, or if
/// names are invalid or stand twice; the other Applications are printed all the same.
#[derive(Debug, clap::Args)]
pub(super) struct ExpandArguments {
    /// Manifests of ApplicationSets and Applications: files, folders (searched recursively), or `-` for standard input
    #[arg(value_name = "PATH", required_unless_present_any = ["apps_from", "chart", "kustomization"])]
    paths: Vec<ManifestPath>,
    /// Fetch manifests from a git repository: a file or folder in it, at a branch, tag or commit; repeatable
    #[arg(long, value_name = "URL[#PATH][@REVISION]", value_parser = parse_apps_from)]
    apps_from: Vec<AppsFrom>,
    /// Render this Helm chart, and expand what it contains; repeatable
    #[arg(long, value_name = "DIR")]
    chart: Vec<PathBuf>,
    /// Build this kustomization, and expand what it contains; repeatable
    #[arg(short = 'k', long = "kustomization", value_name = "DIR")]
    kustomization: Vec<PathBuf>,
    /// Render each Application, and expand the Applications and ApplicationSets that it contains
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    generators: GeneratorArguments,
    /// Set Argo CD's namespace [default: that of each ApplicationSet; `argocd` with `--clusters argocd`]
    #[arg(long, value_name = "NAMESPACE", help_heading = "Generators")]
    argocd_namespace: Option<String>,
    /// Use this kubeconfig with `--clusters argocd` or `--clusters kubeconfig`
    #[arg(long, value_name = "FILE", help_heading = "Generators")]
    kubeconfig: Option<PathBuf>,
    /// Use this kubeconfig context with `--clusters argocd`
    #[arg(long, value_name = "NAME", help_heading = "Generators")]
    context: Option<String>,
    #[command(flatten)]
    sources: SourceArguments,
    /// Print Applications in this format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: ApplicationFormat,
    /// Print which generator and parameters each value comes from
    #[arg(long, help_heading = "Output")]
    explain: bool,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ExpandArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Reads, expands, prints.
pub(super) async fn expand(arguments: ExpandArguments, mut session: Session) -> u8 {
    let format = arguments.output;
    let details = ApplicationDetails { explains: arguments.explain, is_recursive: arguments.recursive };
    let expanded = applications(arguments, &session).await;
    session.end_progress().await;
    let Expanded { applications, findings } = match expanded {
        Ok(expanded) => expanded,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings(&findings);
    let printed = session.terminal.data(applications::write(&applications, format, details).as_bytes());
    if let Err(error) = printed {
        return session.refuse(&[Finding::of(&error)]);
    }
    exit_status_of(&findings).code()
}

/// The Applications, in the order of the files and below their parents' level, and what went wrong.
#[derive(Default)]
struct Expanded {
    applications: Vec<ExpandedApplication>,
    findings: Vec<Finding>,
}

async fn applications(arguments: ExpandArguments, session: &Session) -> Result<Expanded, Vec<Finding>> {
    let ExpandArguments { paths, apps_from, chart, kustomization, mut sources, recursive, explain, .. } = arguments;
    let ExpandArguments { generators, argocd_namespace, kubeconfig, context, .. } = arguments;
    let read = {
        let mut standard_input = std::io::stdin().lock();
        let is_terminal = std::io::stdin().is_terminal();
        manifests::read(&paths, StandardInput { reader: &mut standard_input, is_terminal })
    };
    let findings: Vec<Finding> = read.errors.iter().map(|error| Finding::of(error)).collect();
    let mut expanded = Expanded { findings, ..Expanded::default() };
    let built = chart.iter().chain(&kustomization).map(|folder| built_folder(folder)).collect::<Result<Vec<_>, _>>()?;
    sources.allow_local.extend(built.iter().map(|folder| folder.root.clone()));
    let render = sources.render_settings()?;
    let environment = ClusterEnvironment::read(environment);
    let clusters =
        ClusterSettings { concurrency: CONCURRENCY, kubeconfig, context, environment, ..ClusterSettings::default() };
    let world = request::world(sources, clusters, session)?;
    let mut facts = generators.facts(argocd_namespace.as_deref(), &world.clusters).await?;
    facts.is_explained = explain;
    let mut request = Request { render, facts, concurrency: CONCURRENCY, ..Request::default() };
    request.argocd_namespace = argocd_namespace.unwrap_or_default();
    let mut texts = read.texts;
    let (fetched, unfetched) = apps_from::read(&apps_from, &world.sources, session).await;
    expanded.findings.extend(unfetched);
    texts.extend(fetched);
    let wrappers: Vec<ManifestText> = built.iter().map(BuiltFolder::application).collect();
    texts.extend(contained(&objects_of(&wrappers, &request, &world, &mut expanded.findings).await));
    let found = expansion::expand(&texts, &mut request.facts, &world.sources, &world.cancel).await;
    expanded.findings.extend(found.findings);
    let found = found.applications;
    let top = |found| ExpandedApplication { found, depth: 0, parent: String::new() };
    expanded.applications = found.iter().cloned().map(top).collect();
    if recursive {
        let (children, more) = descend::below_found(&found, request, &world).await;
        expanded.findings.extend(more);
        expanded.applications.extend(children.into_iter().map(|child| ExpandedApplication {
            depth: child.lineage().depth,
            parent: child.lineage().parent.as_ref().map(ToString::to_string).unwrap_or_default(),
            found: child.found,
        }));
    }
    Ok(expanded)
}

/// The objects of Applications that are not printed.
async fn objects_of(
    texts: &[ManifestText],
    request: &Request,
    world: &World,
    findings: &mut Vec<Finding>,
) -> Vec<Object> {
    if texts.is_empty() {
        return Vec::new();
    }
    let mut applications = Applications::new();
    for text in texts {
        let manifests = app::read(std::slice::from_ref(text));
        findings.extend(manifests.findings);
        applications.extend(manifests.applications);
    }
    let request = Request { applications, ..request.clone() };
    let kinds = Arc::new(Kinds::builtin(NEWEST_KUBERNETES));
    match fleet::render(request, world, kinds, Renders::Once).await {
        Ok(rendered) => {
            findings.extend(crate::report::findings_of(&rendered.run));
            rendered.applications.into_iter().filter_map(|one| one.objects).flatten().collect()
        }
        Err(errors) => {
            findings.extend(errors.iter().map(|error| Finding::of(error)));
            Vec::new()
        }
    }
}

/// The rendered Applications and ApplicationSets as files.
fn contained(objects: &[Object]) -> Vec<ManifestText> {
    let is_expanded = |object: &&Object| {
        object.api_version().starts_with("argoproj.io/") && matches!(object.kind(), "Application" | "ApplicationSet")
    };
    let text = |object: &Object| ManifestText {
        name: object.origin().map_or_else(|| "a rendered manifest".to_owned(), |origin| origin.file.to_string()),
        bytes: yaml::write(&object.to_value()).into_bytes(),
        folder: ".".into(),
        given: Given::ByName,
    };
    objects.iter().filter(is_expanded).map(text).collect()
}

/// A chart or kustomization of this machine, in the working tree that it may read.
struct BuiltFolder {
    root: PathBuf,
    path: PathBuf,
    name: String,
}

fn built_folder(folder: &Path) -> Result<BuiltFolder, Vec<Finding>> {
    let name = folder.display().to_string();
    let real = std::fs::canonicalize(folder).ok().filter(|real| real.is_dir()).ok_or_else(|| {
        let finding = Finding::error(Code::CliNoSuchPath, format!("{name}: no such folder"));
        vec![finding.with_help(manifests::nearest_path(folder))]
    })?;
    let root = real.ancestors().find(|above| above.join(".git").exists()).unwrap_or(&real).to_owned();
    let path = real.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
    Ok(BuiltFolder { root, path, name })
}

impl BuiltFolder {
    /// An Application of the folder, which is rendered and not printed.
    fn application(&self) -> ManifestText {
        let path = if self.path.as_os_str().is_empty() { ".".into() } else { self.path.to_string_lossy() };
        let manifest: Value = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": { "name": "expand" },
            "spec": {
                "project": "default",
                "source": { "repoURL": self.root.to_string_lossy(), "path": path, "targetRevision": "HEAD" },
                "destination": { "server": "https://kubernetes.default.svc", "namespace": "argocd" },
            }
        });
        ManifestText {
            name: self.name.clone(),
            bytes: manifest.to_string().into_bytes(),
            folder: ".".into(),
            given: Given::ByName,
        }
    }
}
