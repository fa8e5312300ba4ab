//! Where repositories come from and what opens them: flags and environment, resolved once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::access::{Credentials, Keyring};
use crate::secret::RepoUrl;

/// A working tree that stands in for a repository: `--repo URL=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The repository that it stands in for.
    pub url: RepoUrl,
    /// The working tree.
    pub path: PathBuf,
}

/// Where repositories come from and what opens them.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// `--cache-dir`; without one, a temporary folder that goes with the run.
    pub cache_dir: Option<PathBuf>,
    /// How large the cache may grow before what was not used for longest is removed.
    pub cache_bytes: u64,
    /// `--repo URL=PATH`.
    pub overrides: Vec<Override>,
    /// `--checkout DIR`: the working tree for each source whose URL is one of its remotes.
    pub checkout: Option<PathBuf>,
    /// `--revision`: in place of what the manifests ask for.
    pub revision_override: Option<String>,
    /// `--allow-local DIR`: folders of this machine that manifests may name.
    pub allowed_folders: Vec<PathBuf>,
    /// `--untrusted`: manifests may be a stranger's, so that no other repository of this machine is read.
    pub untrusted: bool,
    /// Credentials for git repositories.
    pub credentials: Credentials,
    /// Credentials for Helm repositories and registries, and Argo CD's Secrets for any repository.
    pub keyring: Arc<Keyring>,
    /// How long one repository may take.
    pub timeout: Duration,
    /// Whether submodules are fetched too.
    pub submodules: bool,
    /// The `git` program; `git` on `PATH` without one.
    pub git_program: Option<PathBuf>,
    /// The command line for ssh, in place of `GIT_SSH_COMMAND`, `core.sshCommand` and what trueup would run.
    pub ssh_command: Option<String>,
    /// How many repositories are fetched at a time.
    pub concurrency: usize,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_bytes: 4 << 30,
            overrides: Vec::new(),
            checkout: None,
            revision_override: None,
            allowed_folders: Vec::new(),
            untrusted: false,
            credentials: Credentials::default(),
            keyring: Arc::default(),
            timeout: Duration::from_secs(120),
            submodules: true,
            git_program: None,
            ssh_command: None,
            concurrency: 4,
        }
    }
}
