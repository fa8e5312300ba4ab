//! Renders a checked-out source to objects: the tool is detected, then run; then namespaces are filled in.
//!
//! In: a checkout, a source. Out: objects and warnings, or a [`RenderError`] that names the file. Namespaces and
//! duplicates are settled over all sources of an application by [`settle`].
//!
//! Rules: Argo CD util/app/discovery, reposerver/repository.

mod cache;
mod capabilities;
mod detect;
mod directory;
mod environment;
mod error;
mod glob;
mod helm;
mod incomplete;
pub mod jsonnet;
mod ksonnet;
mod kustomize;
mod likeness;
mod list;
mod overrides;
mod paths;
pub mod plugin;
mod program;
mod references;
mod settle;
mod steady;
mod stream;
mod working_copy;

pub use cache::CacheSettings;
pub use directory::DEFAULT_COMBINED_SIZE;
pub use environment::BuildEnvironment;
pub use error::RenderError;
pub use helm::HelmError;
pub use incomplete::finding as gap_finding;
pub use ksonnet::KsonnetError;
pub use kustomize::KustomizeError;
pub use program::{ProgramError, ProgramSettings};
pub use references::{Reference, References};
pub use settle::{RenderDestination, RenderedSources, Settled, settle};
pub use steady::unsteady;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::app::settings::RenderingSettings;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::finding::Finding;
use crate::object::{Gap, GapReason, Kinds, Object};
use crate::process::Cancel;
use crate::source::{Credentials, Keyring, short};
use program::Program;

/// The desired state of an application: every object of every source, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The objects, as rendered: namespaces are not filled in yet.
    pub objects: Vec<Object>,
    /// Problems that do not stop the render, such as a file that was skipped.
    pub warnings: Vec<Finding>,
    /// Files that could not be read and may contain unknown objects. Of its sources only the first is meant: [`settle`]
    /// numbers them.
    pub gaps: Vec<Gap>,
}

/// Limits of rendering.
#[derive(Debug, Clone)]
pub struct RenderSettings {
    /// All plain manifests of one source together, in bytes.
    pub combined_size: u64,
    /// The programs that render charts and kustomizations.
    pub programs: ProgramSettings,
    /// Where what programs rendered is kept between runs; nothing is kept without it.
    pub cache: Option<CacheSettings>,
    /// How long one program may take for one source.
    pub timeout: Duration,
    /// This program, which evaluates Jsonnet as a child of itself ([`jsonnet::WORKER`]).
    pub program: PathBuf,
    /// The tools that are not used: what they would render are plain manifests.
    pub disabled: Vec<SourceKind>,
    /// The plugins that the user allows to run.
    pub plugins: Vec<plugin::PluginDefinition>,
    /// Of which URLs values may be read.
    pub values_file_schemes: Vec<String>,
    /// Credentials for the repositories that a program fetches from while it renders.
    pub keyring: Arc<Keyring>,
    /// The same of git, from the environment.
    pub git_credentials: Credentials,
    /// `--untrusted`: the sources may be a stranger's, so that no program fetches from a repository of this machine.
    pub untrusted: bool,
}

impl RenderSettings {
    /// Takes over what `argocd-cm` says; a flag that says it, too, counts more.
    pub fn take(&mut self, settings: RenderingSettings) {
        if let Some(options) = settings.kustomize_build_options
            && self.programs.kustomize_build_options.is_empty()
        {
            self.programs.kustomize_build_options = options;
        }
        if let Some(schemes) = settings.values_file_schemes {
            self.values_file_schemes = schemes;
        }
        self.disabled = settings.disabled;
    }
}

/// Argo CD's `ARGOCD_EXEC_TIMEOUT`.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            combined_size: DEFAULT_COMBINED_SIZE,
            programs: ProgramSettings::default(),
            cache: None,
            timeout: DEFAULT_TIMEOUT,
            program: PathBuf::from("trueup"),
            disabled: Vec::new(),
            plugins: Vec::new(),
            // Argo CD: the default of `helm.valuesFileSchemes`.
            values_file_schemes: vec!["https".to_owned(), "http".to_owned()],
            keyring: Arc::default(),
            git_credentials: Credentials::default(),
            untrusted: false,
        }
    }
}

/// Everything that the rendering of one source may look at.
#[derive(Clone, Copy)]
pub struct RenderInput<'a> {
    /// The application that the source is of.
    pub application: &'a Application,
    /// The application's name as tracking has it ([`Application::instance_name`]).
    pub instance_name: &'a str,
    /// The source itself.
    pub source: &'a Source,
    /// The full commit hash of the checkout; empty for a working tree outside of git.
    pub revision: &'a str,
    /// Whether the files are exactly those of the revision, now and later: a working tree's are not.
    pub is_pinned: bool,
    /// The checkout's root: no path leads out of it.
    pub root: &'a Path,
    /// The source's folder in the checkout.
    pub folder: &'a Path,
    /// The sources of the application that lend their files to others.
    pub references: &'a References,
    /// The destination's cluster: its version, its kinds.
    pub kinds: &'a Kinds,
    /// Limits of rendering.
    pub settings: &'a RenderSettings,
    /// Ends child programs early.
    pub cancel: &'a Cancel,
}

impl RenderInput<'_> {
    /// The variables that Argo CD fills into some fields of the source.
    pub fn environment(&self) -> BuildEnvironment {
        BuildEnvironment::of(self)
    }

    /// A place in the checkout, relative to its root; `.` for the root itself.
    fn relative(&self, path: &Path) -> String {
        paths::relative(self.root, path)
    }

    /// The source's folder, relative to the checkout's root.
    fn shown_folder(&self) -> String {
        self.relative(self.folder)
    }

    /// A file of the source's folder, relative to the checkout's root.
    fn shown(&self, file: &str) -> String {
        self.relative(&self.folder.join(file))
    }

    /// The name of the source in errors: its chart or its folder, and the revision.
    fn place(&self) -> String {
        let folder = self.source.chart.clone().unwrap_or_else(|| self.shown_folder());
        if self.revision.is_empty() { format!("`{folder}`") } else { format!("`{folder}` at {}", short(self.revision)) }
    }
}

/// The output of a tool for a source.
struct Made {
    target: Target,
    /// Whether it is worth keeping: the same files give the same objects again, which what is fetched while rendering may
    /// not; and not at no cost.
    repeatable: bool,
}

impl Made {
    fn again(target: Target) -> Self {
        Self { target, repeatable: true }
    }

    fn once(target: Target) -> Self {
        Self { target, repeatable: false }
    }
}

/// One source, rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Its objects and warnings.
    pub target: Target,
    /// The tool that rendered it.
    pub tool: SourceKind,
    /// Its folder, relative to the repository's root, or its chart.
    pub place: String,
}

/// Whether another render of a source by the same tool may give something else, for values that Helm generates: a guess that errs on
/// the side of yes, and starts no program.
pub fn may_differ_each_time(input: &RenderInput<'_>, tool: SourceKind) -> bool {
    let Ok((source, _)) = overrides::apply(input) else { return false };
    let input = &RenderInput { source: &source, ..*input };
    match tool {
        SourceKind::Helm => helm::may_differ_each_time(input),
        SourceKind::Kustomize => kustomize::may_differ_each_time(input),
        SourceKind::Directory | SourceKind::Ksonnet | SourceKind::Plugin => false,
    }
}

/// The version of a tool's program, on one line; `None` for a tool that is part of trueup. On a thread that may
/// block, within a runtime.
pub fn version_of(input: &RenderInput<'_>, tool: SourceKind) -> Option<String> {
    let program = match tool {
        SourceKind::Helm => Program::helm(&input.settings.programs),
        SourceKind::Kustomize => Program::kustomize(&input.settings.programs),
        SourceKind::Directory | SourceKind::Ksonnet | SourceKind::Plugin => return None,
    };
    let said = program.ok()?.version(input).ok()?;
    said.lines().next().map(|line| line.trim().to_owned())
}

/// Renders one source from the folder that its checkout holds for it; on a thread that may block, within a runtime.
pub fn render(input: &RenderInput<'_>) -> Result<Rendered, RenderError> {
    let (source, mut warnings) = overrides::apply(input)?;
    let input = &RenderInput { source: &source, ..*input };
    let tool = detect::detect(input, &mut warnings)?;
    let entry = cache::CachedRender::of(input, tool);
    let place = source.chart.clone().unwrap_or_else(|| input.shown_folder());
    let silent = silent_api(input, tool);
    if let Some(mut target) = entry.as_ref().and_then(cache::CachedRender::read) {
        target.gaps.extend(silent);
        return Ok(Rendered { target: Target { warnings, ..target }, tool, place });
    }
    let Made { mut target, repeatable } = match tool {
        SourceKind::Directory => directory::render(input),
        SourceKind::Plugin => plugin::render(input).map(Made::again),
        SourceKind::Ksonnet => ksonnet::render(input).map(Made::again),
        SourceKind::Helm => helm::render(input),
        SourceKind::Kustomize => kustomize::render(input),
    }?;
    if repeatable && let Some(entry) = entry {
        entry.keep(&target);
    }
    warnings.append(&mut target.warnings);
    target.warnings = warnings;
    target.gaps.extend(silent);
    Ok(Rendered { target, tool, place })
}

/// A tool that reads the cluster's list of APIs renders too little while one of them does not answer.
fn silent_api(input: &RenderInput<'_>, tool: SourceKind) -> Option<Gap> {
    let api = input.kinds.unavailable.keys().next()?;
    let is_asked_for = match tool {
        SourceKind::Helm => helm::asks_for_apis(input).then_some(true),
        SourceKind::Kustomize => kustomize::may_ask_for_apis(input).then_some(true),
        SourceKind::Plugin => Some(false),
        SourceKind::Directory | SourceKind::Ksonnet => None,
    }?;
    let reason = GapReason::ApiUnavailable { api: api.clone(), is_asked_for };
    Some(Gap { source: 0, file: None, line: 0, reason, names: Vec::new() })
}
