//! How repositories are brought here, and with which credentials.

use std::path::PathBuf;

/// How repositories are brought here.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct SourceArguments {
    /// Take a checkout in place of a repository, its working tree as it is; may be repeated
    #[arg(long, value_name = "URL=PATH")]
    pub(crate) repo: Vec<String>,
    /// Take this checkout in place of every repository that is one of its remotes
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", require_equals = true)]
    pub(crate) checkout: Option<PathBuf>,
    /// Another revision than the manifests ask for
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
    /// How large the plain manifests of one source may be together, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 10)]
    pub(crate) max_manifests_size: u64,
    /// The git program, used where the built-in git cannot
    #[arg(long, value_name = "PROGRAM", env = "TRUEUP_GIT", default_value = "git")]
    pub(crate) git: PathBuf,
    /// The user name for repositories that ask for one
    #[arg(long, value_name = "NAME", env = "TRUEUP_GIT_USERNAME", hide_env_values = true)]
    pub(crate) git_username: Option<String>,
}
