//! How repositories are brought here, and with which credentials.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::programs::ProgramArguments;
use super::repositories::{RepositoryArguments, git_credentials};
use crate::finding::Finding;
use crate::render::plugin::{Plugin, PluginFileError};
use crate::render::{CacheSettings, DEFAULT_TIMEOUT, RenderSettings};
use crate::secret::RepoUrl;
use crate::source::{Override, SourceSettings};

/// How repositories are brought here.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArguments {
    /// Take a checkout in place of a repository, its working tree as it is; may be repeated
    #[arg(long, value_name = "URL=PATH", value_parser = parse_override)]
    pub(crate) repo: Vec<Override>,
    /// Take this checkout in place of every repository that is one of its remotes
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", require_equals = true)]
    pub(crate) checkout: Option<PathBuf>,
    /// Another revision than the manifests ask for, of git repositories
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Where repositories are kept between runs; default: the platform's cache folder
    #[arg(long, value_name = "DIR", env = "TRUEUP_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// How large the cache may grow, in MiB; what was not used for longest is removed
    #[arg(long, value_name = "MIB", default_value_t = 2048)]
    pub(crate) cache_size: u64,
    /// How long one repository may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) fetch_timeout: u64,
    /// Leave submodules alone
    #[arg(long)]
    pub(crate) no_submodules: bool,
    /// How large the plain manifests of one source may be together, in MiB; 0 for any size
    #[arg(long, value_name = "MIB", default_value_t = 10)]
    pub(crate) max_manifests_size: u64,
    /// How long a program that renders one source may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT.as_secs())]
    pub(crate) render_timeout: u64,
    /// Let a `ConfigManagementPlugin` render: its programs run on this machine; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin: Vec<PathBuf>,
    /// The git program, used where the built-in git cannot
    #[arg(long, value_name = "PROGRAM", env = "TRUEUP_GIT")]
    pub(crate) git: Option<PathBuf>,
    /// Render everything anew, and keep nothing of it
    #[arg(long, help_heading = "Rendering")]
    pub(crate) no_cache: bool,
    #[command(flatten)]
    pub(crate) programs: ProgramArguments,
    #[command(flatten)]
    pub(crate) repositories: RepositoryArguments,
}

impl SourceArguments {
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
            credentials: git_credentials(),
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
    /// What rendering may cost, and with what; or which plugins cannot be read.
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
            git_credentials: git_credentials(),
            ..RenderSettings::default()
        })
    }
}

fn plugin(file: &Path) -> Result<Plugin, PluginFileError> {
    let shown = file.display().to_string();
    match std::fs::read(file) {
        Ok(bytes) => Plugin::read(&shown, &bytes),
        Err(cause) => Err(PluginFileError::Unreadable { file: shown, cause }),
    }
}

/// `URL=PATH`, parted at the last `=`: a URL may have some of its own.
fn parse_override(text: &str) -> Result<Override, String> {
    match text.rsplit_once('=') {
        Some((url, path)) if !url.is_empty() && !path.is_empty() => {
            Ok(Override { url: RepoUrl::new(url), path: PathBuf::from(path) })
        }
        _ => Err("expected URL=PATH: a repository as manifests write it, and a checkout of it".to_owned()),
    }
}

/// The platform's folder for caches; without one, the run keeps nothing.
fn platform_cache() -> Option<PathBuf> {
    use etcetera::BaseStrategy;
    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("trueup");
    // In a container the home may be read-only: nobody asked for a cache there, so its lack is no error.
    let is_writable = std::fs::create_dir_all(&folder).is_ok() && tempfile::tempfile_in(&folder).is_ok();
    is_writable.then_some(folder)
}
