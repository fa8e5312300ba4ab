//! `trueup expand`: the Applications that ApplicationSets generate; no cluster is needed.

use std::collections::BTreeSet;
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
use super::session::{Look, Session};
use crate::app::appset::{Facts, FoundApplication};
use crate::app::{self, Given, ManifestText};
use crate::cluster::ClusterSettings;
use crate::finding::{Code, Finding};
use crate::fleet::stages::expand as expansion;
use crate::fleet::{self, Renders, Request, World};
use crate::object::kinds::NEWEST_KUBERNETES;
use crate::object::{Kinds, Object, yaml};
use crate::render::RenderSettings;
use crate::report::applications::{self, ApplicationDetails, ApplicationFormat, ExpandedApplication};
use crate::report::exit_status_of;

/// How many repositories are fetched, and Applications rendered, side by side.
const CONCURRENCY: usize = 10;

/// How many Applications may be above one another.
const MAX_DEPTH: usize = 20;

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
    let ExpandArguments { paths, apps_from, chart, kustomization, generators, mut sources, recursive, explain, .. } =
        arguments;
    let read = {
        let mut standard_input = std::io::stdin().lock();
        let is_terminal = std::io::stdin().is_terminal();
        manifests::read(&paths, StandardInput { reader: &mut standard_input, is_terminal })
    };
    let findings: Vec<Finding> = read.errors.iter().map(|error| Finding::of(error)).collect();
    let mut expanded = Expanded { findings, ..Expanded::default() };
    let mut facts = generators.facts(session).await?;
    facts.is_explained = explain;
    let built = chart.iter().chain(&kustomization).map(|folder| built_folder(folder)).collect::<Result<Vec<_>, _>>()?;
    sources.allow_local.extend(built.iter().map(|folder| folder.root.clone()));
    let mut renderer = Renderer {
        render: sources.render_settings()?,
        world: request::world(
            sources,
            ClusterSettings { concurrency: CONCURRENCY, ..ClusterSettings::default() },
            session,
        )?,
    };
    let mut texts = read.texts;
    let (fetched, unfetched) = apps_from::read(&apps_from, &renderer.world.sources, session).await;
    expanded.findings.extend(unfetched);
    texts.extend(fetched);
    let wrappers: Vec<ManifestText> = built.iter().map(BuiltFolder::application).collect();
    for target in renderer.render(&wrappers, &mut expanded.findings).await {
        texts.extend(contained(&target));
    }
    let (found, more) = expansion::expand(&texts, &mut facts, &renderer.world.sources, &renderer.world.cancel).await;
    expanded.findings.extend(more);
    expanded.applications =
        found.into_iter().map(|found| ExpandedApplication { found, depth: 0, parent: String::new() }).collect();
    if recursive {
        expand_below(&mut expanded, &mut facts, &mut renderer).await;
    }
    Ok(expanded)
}

/// Renders each Application and expands what it contains, level by level.
async fn expand_below(expanded: &mut Expanded, facts: &mut Facts, renderer: &mut Renderer) {
    // The places of the Applications of a level, each with those above it.
    let mut level: Vec<(usize, Vec<String>)> =
        (0..expanded.applications.len()).map(|index| (index, Vec::new())).collect();
    let mut known: BTreeSet<String> = expanded.applications.iter().map(|it| shown(&it.found)).collect();
    for depth in 1..=MAX_DEPTH {
        let mut next = Vec::new();
        let texts: Vec<ManifestText> =
            level.iter().map(|(index, _)| expanded.applications[*index].found.text()).collect();
        let targets = renderer.render(&texts, &mut expanded.findings).await;
        for ((index, above), target) in level.iter().zip(targets) {
            let parent = shown(&expanded.applications[*index].found);
            let mut path = above.clone();
            path.push(parent.clone());
            let texts: Vec<ManifestText> = contained(&target);
            let (found, more) = expansion::expand(&texts, facts, &renderer.world.sources, &renderer.world.cancel).await;
            expanded.findings.extend(more);
            for child in found {
                let name = shown(&child);
                if let Some(start) = path.iter().position(|above| *above == name) {
                    expanded.findings.push(cycle(&path[start..], &name));
                } else if known.insert(name.clone()) {
                    next.push((expanded.applications.len(), path.clone()));
                    let child = ExpandedApplication { found: child, depth, parent: parent.clone() };
                    expanded.applications.push(child);
                } else {
                    let message = format!("{name} is rendered by {parent}, and stands elsewhere, too");
                    let finding = Finding::warning(Code::FleetRepeatedChild, message);
                    expanded.findings.push(finding.with_help("its first manifest is printed; keep one of them"));
                }
            }
        }
        if next.is_empty() {
            return;
        }
        level = next;
    }
    let message = format!("more than {MAX_DEPTH} Applications are above one another");
    expanded.findings.push(Finding::error(Code::FleetApplicationDepth, message));
}

fn cycle(path: &[String], again: &str) -> Finding {
    let path: Vec<&str> = path.iter().map(String::as_str).chain([again]).collect();
    let message = format!("Applications contain each other: {}", path.join(" → "));
    Finding::warning(Code::FleetApplicationCycle, message).with_help("it is expanded once")
}

/// `namespace/name`, or the name alone.
fn shown(application: &FoundApplication) -> String {
    let (namespace, name) = application.identity();
    if namespace.is_empty() { name } else { format!("{namespace}/{name}") }
}

/// Renders Applications.
struct Renderer {
    render: RenderSettings,
    world: World,
}

impl Renderer {
    /// The objects of each Application, in order; nothing for one that failed.
    async fn render(&mut self, texts: &[ManifestText], findings: &mut Vec<Finding>) -> Vec<Vec<Object>> {
        if texts.is_empty() {
            return Vec::new();
        }
        let applications: Vec<_> = texts.iter().map(|text| app::read(std::slice::from_ref(text))).collect();
        let mut request = Request { render: self.render.clone(), concurrency: CONCURRENCY, ..Request::default() };
        let mut are_valid = Vec::new();
        for manifests in applications {
            findings.extend(manifests.findings);
            let mut is_valid = false;
            for application in manifests.applications {
                match application {
                    Ok(application) => {
                        is_valid = true;
                        request.applications.push(Ok(application));
                    }
                    Err(invalid) => findings.extend(invalid.findings),
                }
            }
            are_valid.push(is_valid);
        }
        let kinds = Arc::new(Kinds::builtin(NEWEST_KUBERNETES));
        let rendered = match fleet::render(request, &self.world, kinds, Renders::Once).await {
            Ok(rendered) => rendered,
            Err(errors) => {
                findings.extend(errors.iter().map(|error| Finding::of(error)));
                return Vec::new();
            }
        };
        findings.extend(crate::report::findings_of(&rendered.run));
        let mut rendered = rendered.applications.into_iter();
        let mut objects = |is_valid: bool| {
            let one = if is_valid { rendered.next() } else { None };
            one.and_then(|one| one.objects).unwrap_or_default()
        };
        are_valid.into_iter().map(&mut objects).collect()
    }
}

/// The rendered Applications and ApplicationSets as files.
fn contained(objects: &[Object]) -> Vec<ManifestText> {
    let is_ours = |object: &&Object| {
        object.api_version().starts_with("argoproj.io/") && matches!(object.kind(), "Application" | "ApplicationSet")
    };
    let text = |object: &Object| ManifestText {
        name: object.origin().map_or_else(|| "a rendered manifest".to_owned(), |origin| origin.file.to_string()),
        bytes: yaml::write(&object.to_value()).into_bytes(),
        folder: ".".into(),
        given: Given::ByName,
    };
    objects.iter().filter(is_ours).map(text).collect()
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
