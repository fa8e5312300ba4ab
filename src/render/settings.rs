//! Limits and settings of rendering.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;

use super::plugin::PluginDefinition;
use super::program::ProgramSettings;
use crate::app::settings::RenderingSettings;
use crate::app::source::SourceKind;
use crate::source::{Credentials, Keyring};

/// Argo CD's `reposerver.max.combined.directory.manifests.size`: all plain manifests of one source together, in bytes.
pub const DEFAULT_COMBINED_SIZE: u64 = 10 << 20;

/// Where what was rendered is kept, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// The folder: nothing else is in it.
    pub folder: PathBuf,
    /// How large it may grow before what was not used for longest is removed.
    pub bytes: u64,
    /// Whether the folder is its owner's alone, and can be used.
    pub(super) is_private: OnceLock<bool>,
    /// Identifies the programs of a tool from others, found when the first source needs it.
    pub(super) programs: Programs,
    /// Set when something was added.
    pub(super) grown: OnceLock<()>,
}

/// Identifies the programs of each tool from others; nothing where one of them is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) helm: OnceLock<Option<Vec<Value>>>,
    pub(super) kustomize: OnceLock<Option<Vec<Value>>>,
    /// The Jsonnet evaluator.
    pub(super) ourselves: OnceLock<Option<Vec<Value>>>,
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
    pub plugins: Vec<PluginDefinition>,
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
