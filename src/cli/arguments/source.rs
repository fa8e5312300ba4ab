//! How repositories are fetched, and with which credentials.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::programs::ProgramArguments;
use super::repositories::RepositoryArguments;
use crate::finding::Finding;
use crate::render::plugin::{PluginDefinition, PluginFileError};
use crate::render::{CacheSettings, DEFAULT_TIMEOUT, RenderSettings};
use crate::secret::RepoUrl;
use crate::source::{Override, SourceSettings};

/// How repositories are fetched.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArguments {
    /// Use a local checkout instead of a repository, its working tree as it is; repeatable
    #[arg(long, value_name = "URL=PATH", value_parser = parse_override)]
    pub(crate) repo: Vec<Override>,
    /// Use this checkout instead of every repository that is one of its remotes
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", require_equals = true)]
    pub(crate) checkout: Option<PathBuf>,
    /// Allow manifests to read this local folder as it is; repeatable
    #[arg(long, value_name = "DIR")]
    pub(crate) allow_local: Vec<PathBuf>,
    /// Use this git revision instead of each manifest's `targetRevision`
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Cache repositories, charts and renders in this folder [default: the platform's cache folder]
    #[arg(long, value_name = "DIR", env = "TRUEUP_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Limit the cache to this size in MiB; the least recently used entries are removed
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub(crate) cache_size: u64,
    /// Limit the fetch of each repository to this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) fetch_timeout: u64,
    /// Do not fetch submodules
    #[arg(long)]
    pub(crate) no_submodules: bool,
    /// Limit the plain manifests of each source to this size in MiB; 0 for no limit
    #[arg(long, value_name = "MIB", default_value_t = 10)]
    pub(crate) max_manifests_size: u64,
    /// Limit rendering of each source to this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs())]
    pub(crate) render_timeout: u64,
    /// Enable the `ConfigManagementPlugin` in this file: its programs run on this machine; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin: Vec<PathBuf>,
    /// Use this git program where the built-in git cannot be used
    #[arg(long, value_name = "PROGRAM", env = "TRUEUP_GIT")]
    pub(crate) git: Option<PathBuf>,
    /// Render without the cache
    #[arg(long, help_heading = "Rendering")]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) programs: ProgramArguments,
    #[command(flatten)]
    pub(crate) repositories: RepositoryArguments,
}

/// A flag that replaces what a manifest says of its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overriding {
    /// The flag.
    pub(crate) flag: &'static str,
    /// Whether it is another revision of the same repository.
    pub(crate) is_revision: bool,
}

impl SourceArguments {
    /// The flag that replaces sources, or else their revision.
    pub(crate) fn overriding(&self) -> Option<Overriding> {
        let flag = |flag, is_revision| Some(Overriding { flag, is_revision });
        match self {
            Self { repo, .. } if !repo.is_empty() => flag("`--repo`", false),
            Self { checkout: Some(_), .. } => flag("`--checkout`", false),
            Self { revision: Some(_), .. } => flag("`--revision`", true),
            _ => None,
        }
    }

    fn cache_folder(&self) -> Option<PathBuf> {
        self.cache_dir.clone().or_else(platform_cache)
    }

    /// The flags and the environment, resolved; or what is wrong with the files that they name.
    pub(crate) fn settings(self, concurrency: usize) -> Result<SourceSettings, Vec<Finding>> {
        Ok(SourceSettings {
            cache_dir: self.cache_folder(),
            cache_bytes: self.cache_size << 20,
            overrides: self.repo,
            checkout: self.checkout,
            revision_override: self.revision,
            allowed_folders: self.allow_local,
            untrusted: self.repositories.untrusted,
            credentials: self.repositories.git_credentials(),
            keyring: self.repositories.read()?.keyring,
            timeout: Duration::from_secs(self.fetch_timeout),
            submodules: !self.no_submodules,
            git_program: self.git,
            concurrency,
            ..SourceSettings::default()
        })
    }
}

impl SourceArguments {
    /// The limits and plugins of rendering, or the plugins that cannot be read.
    pub(crate) fn render_settings(&self) -> Result<RenderSettings, Vec<Finding>> {
        let (plugins, errors): (Vec<_>, Vec<_>) = self.plugin.iter().map(|file| plugin(file)).partition(Result::is_ok);
        let errors: Vec<Finding> =
            errors.into_iter().filter_map(Result::err).map(|error| Finding::of(&error)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        // What is rendered is small beside the repositories it comes from.
        let bytes = (self.cache_size << 20) / 8;
        let folder = self.cache_folder().filter(|_| !self.no_cache);
        let cache = folder.map(|folder| CacheSettings::new(folder.join("renders"), bytes));
        Ok(RenderSettings {
            combined_size: self.max_manifests_size << 20,
            programs: self.programs.settings(),
            cache,
            timeout: Duration::from_secs(self.render_timeout),
            // Without a path of its own, the program is looked up by its name.
            program: std::env::current_exe().unwrap_or_else(|_error| PathBuf::from("trueup")),
            plugins: plugins.into_iter().filter_map(Result::ok).collect(),
            keyring: self.repositories.read()?.keyring,
            git_credentials: self.repositories.git_credentials(),
            untrusted: self.repositories.untrusted,
            ..RenderSettings::default()
        })
    }
}

fn plugin(file: &Path) -> Result<PluginDefinition, PluginFileError> {
    let shown = file.display().to_string();
    match std::fs::read(file) {
        Ok(bytes) => PluginDefinition::read(&shown, &bytes),
        Err(cause) => Err(PluginFileError::Unreadable { file: shown, cause }),
    }
}

/// `URL=PATH`, split at the last `=`, because a URL can contain some.
fn parse_override(text: &str) -> Result<Override, String> {
    match text.rsplit_once('=') {
        Some((url, path)) if !url.is_empty() && !path.is_empty() => {
            Ok(Override { url: RepoUrl::new(url), path: PathBuf::from(path) })
        }
        _ => Err("expected URL=PATH: a repository as manifests write it, and a checkout of it".to_owned()),
    }
}

/// The platform's folder for caches; without one, nothing is cached.
fn platform_cache() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("trueup");
    // In a container the home may be read-only: nobody asked for a cache there, so its lack is no error.
    let is_writable = std::fs::create_dir_all(&folder).is_ok() && tempfile::tempfile_in(&folder).is_ok();
    is_writable.then_some(folder)
}
