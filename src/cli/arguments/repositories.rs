//! What opens repositories: Argo CD's Secrets from files, the environment, Docker's configuration.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::app::settings::{Repositories, RepositoriesError};
use crate::cli::manifests::{self, ManifestPath, StandardInput};
use crate::cli::session::environment;
use crate::finding::Finding;
use crate::secret::Secret;
use crate::source::{Credentials, HostLogin, Keyring};

/// Credentials for repositories.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Sources")]
pub(crate) struct RepositoryArguments {
    /// Read Argo CD's repository Secrets (`argocd.argoproj.io/secret-type: repository` or `repo-creds`) from a file
    /// or folder; repeatable
    #[arg(long, value_name = "FILE")]
    repositories: Vec<PathBuf>,
    /// Do not trust the manifests, as in a pull request from a fork: read no other local repository, and send credentials
    /// from the environment only to hosts named in `TRUEUP_GIT_HOST`, `TRUEUP_HELM_HOST` and `TRUEUP_OCI_HOST`
    #[arg(long, overrides_with = "untrusted")]
    pub(crate) untrusted: bool,
    /// The files' contents: a file may be a pipe, which can be read only once.
    #[arg(skip)]
    read: OnceLock<Result<RepositoriesRead, Vec<Finding>>>,
    /// Settings of servers that come from elsewhere.
    #[arg(skip)]
    known: OnceLock<Repositories>,
}

/// Repositories and credentials, with warnings.
#[derive(Debug, Clone)]
pub(crate) struct RepositoriesRead {
    /// Credentials for repositories.
    pub(crate) keyring: Arc<Keyring>,
    /// Entries that are not used.
    pub(crate) warnings: Vec<Finding>,
}

impl RepositoryArguments {
    /// The files and the environment, resolved; or what is wrong with the files.
    pub(crate) fn read(&self) -> Result<RepositoriesRead, Vec<Finding>> {
        self.read.get_or_init(|| read(&self.repositories, self.known.get(), self.untrusted)).clone()
    }

    /// Credentials of git come from the environment alone: arguments are seen by every process of the machine.
    pub(crate) fn git_credentials(&self) -> Credentials {
        let credentials = git_credentials();
        if self.untrusted && credentials.hosts.is_empty() {
            return Credentials { github_token: credentials.github_token, ..Credentials::default() };
        }
        credentials
    }

    /// Adds what is known from elsewhere, before anything is read: the files count more.
    pub(crate) fn know(&self, servers: &Repositories) {
        // Who comes second knows the same.
        let _ = self.known.set(servers.clone());
    }
}

fn read(files: &[PathBuf], known: Option<&Repositories>, untrusted: bool) -> Result<RepositoriesRead, Vec<Finding>> {
    let (mut repositories, mut warnings, mut errors) = (Repositories::default(), Vec::new(), Vec::new());
    for path in files {
        let paths = [ManifestPath::Path(path.clone())];
        let found = manifests::read(&paths, StandardInput { reader: &mut std::io::empty(), is_terminal: false });
        errors.extend(found.errors.iter().map(|error| Finding::of(error)));
        let is_folder = found.texts.len() > 1;
        for text in found.texts {
            match Repositories::read(&text.name, &text.bytes) {
                // A folder of manifests has others, too.
                Err(faults) if is_folder && matches!(*faults, [RepositoriesError::None { .. }]) => {}
                Err(faults) => errors.extend(faults.iter().map(|fault| Finding::of(fault))),
                Ok((found, odd)) => {
                    repositories.extend(found);
                    warnings.extend(odd);
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    repositories.extend(known.cloned().unwrap_or_default());
    let login = |kind: &str| {
        let login = HostLogin {
            username: text(&format!("TRUEUP_{kind}_USERNAME")),
            password: text(&format!("TRUEUP_{kind}_PASSWORD")).map(Secret::new),
            hosts: hosts(&format!("TRUEUP_{kind}_HOST")),
        };
        // Whatever host a stranger names would see them.
        if untrusted && login.hosts.is_empty() { HostLogin::default() } else { login }
    };
    let keyring = Keyring {
        repositories,
        helm: login("HELM"),
        oci: login("OCI"),
        docker_configs: docker_configs(),
        ..Keyring::default()
    };
    Ok(RepositoriesRead { keyring: Arc::new(keyring), warnings })
}

fn git_credentials() -> Credentials {
    Credentials {
        username: text("TRUEUP_GIT_USERNAME"),
        password: text("TRUEUP_GIT_PASSWORD").map(Secret::new),
        token: text("TRUEUP_GIT_TOKEN").map(Secret::new),
        hosts: hosts("TRUEUP_GIT_HOST"),
        github_token: text("GITHUB_TOKEN").map(Secret::new),
    }
}

fn text(name: &str) -> Option<String> {
    environment(name)?.into_string().ok().filter(|value| !value.is_empty())
}

fn hosts(name: &str) -> Vec<String> {
    let hosts = text(name).unwrap_or_default();
    hosts.split(',').map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()).collect()
}

/// The files that `helm registry login` and `docker login` write.
fn docker_configs() -> Vec<PathBuf> {
    let home = environment("HOME").map(PathBuf::from);
    let at_home = |below: &str| home.as_ref().map(|home| home.join(below));
    let path = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let helm_home = path("HELM_CONFIG_HOME")
        .or_else(|| Some(path("XDG_CONFIG_HOME").or_else(|| at_home(".config"))?.join("helm")))
        .map(|home| home.join("registry/config.json"));
    let docker_home = path("DOCKER_CONFIG").or_else(|| at_home(".docker")).map(|home| home.join("config.json"));
    [path("HELM_REGISTRY_CONFIG").or(helm_home), docker_home].into_iter().flatten().collect()
}
