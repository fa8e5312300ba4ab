//! The input and the output of the renderers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::cache::CacheSettings;
use super::directory::DEFAULT_COMBINED_SIZE;
use super::environment::BuildEnvironment;
use super::program::ProgramSettings;
use super::references::References;
use super::{paths, plugin};
use crate::app::settings::RenderingSettings;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::finding::Finding;
use crate::object::{Gap, Kinds, Object};
use crate::process::Cancel;
use crate::source::{Credentials, Keyring, short};

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
    pub(super) fn relative(&self, path: &Path) -> String {
        paths::relative(self.root, path)
    }

    /// The source's folder, relative to the checkout's root.
    pub(super) fn shown_folder(&self) -> String {
        self.relative(self.folder)
    }

    /// A file of the source's folder, relative to the checkout's root.
    pub(super) fn shown(&self, file: &str) -> String {
        self.relative(&self.folder.join(file))
    }

    /// The name of the source in errors: its chart or its folder, and the revision.
    pub(super) fn place(&self) -> String {
        let folder = self.source.chart.clone().unwrap_or_else(|| self.shown_folder());
        if self.revision.is_empty() { format!("`{folder}`") } else { format!("`{folder}` at {}", short(self.revision)) }
    }
}

/// The output of a tool for a source.
pub(super) struct Made {
    pub(super) target: Target,
    /// Whether it is worth keeping: the same files give the same objects again, which what is fetched while rendering may
    /// not; and not at no cost.
    pub(super) repeatable: bool,
}

impl Made {
    pub(super) fn again(target: Target) -> Self {
        Self { target, repeatable: true }
    }

    pub(super) fn once(target: Target) -> Self {
        Self { target, repeatable: false }
    }
}
