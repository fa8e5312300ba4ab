//! What every scenario stands on: a cluster, a repository, an Application, a run of the binary.
//!
//! ```ignore
//! let cluster = or_skip!(TestCluster::namespace());
//! let git = TestRepo::new().file("shop/web.yaml", deployment("web").replicas(2)).commit("two replicas");
//! let shop = git.application("shop").path("shop").deployed_to(&cluster);
//! trueup(["diff"]).of(&shop).exits(1);
//! ```
//! The environment is cleared for every program, and home, width, time zone, and git's identity and clock are fixed,
//! so that a run on any machine says the same.

mod account;
mod application;
mod chart;
mod cluster;
mod control_plane;
mod fault_proxy;
mod http;
mod manifests;
mod registry;
mod repo;
mod require;
mod run;
mod snapshot;
mod started;

pub(crate) use account::TestAccount;
pub(crate) use application::TestApplication;
pub(crate) use chart::{TestChart, helm};
pub(crate) use cluster::TestCluster;
pub(crate) use fault_proxy::{Front, Reply, first};
pub(crate) use http::{Answer, HttpServer, Request};
pub(crate) use manifests::{config_map, deployment};
pub(crate) use registry::{TestRegistry, sha256};
pub(crate) use repo::{TestRepo, folder_with};
pub(crate) use require::{Missing, or_skip, program};
pub(crate) use run::{Outcome, Run, trueup};
pub(crate) use started::{Started, until};

use std::path::Path;
use std::process::Command;

/// A command that sees nothing of the developer's environment but the search path.
fn clean_command(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(clean_environment(home));
    command
}

/// The whole environment of a program under test.
pub(crate) fn clean_environment(home: &Path) -> Vec<(&'static str, std::ffi::OsString)> {
    let home = |below: &str| home.join(below).into_os_string();
    let mut environment = vec![
        ("HOME", home("")),
        ("XDG_CACHE_HOME", home("cache")),
        ("XDG_CONFIG_HOME", home("config")),
        ("TMPDIR", std::env::temp_dir().into_os_string()),
        ("COLUMNS", "100".into()),
        ("LC_ALL", "C.UTF-8".into()),
        ("TZ", "UTC".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
    ];
    environment.extend(std::env::var_os("PATH").map(|path| ("PATH", path)));
    environment
}
