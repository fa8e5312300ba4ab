//! Finds the credentials of repositories and registries.
//!
//! In: a URL, the application's project. Out: a [`Pass`]. A repository's Secret is asked first, then the URL itself, then
//! the environment, then Docker's configuration, which `helm registry login` and `docker login` write.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::app_tokens::AppTokens;
use super::basic_auth::BasicAuth;
use super::docker_config::{self, Asking};
use super::pass::{Pass, authority, is_this_machine};
use crate::app::settings::{Repositories, Repository};
use crate::secret::Secret;

/// A user name and a password from the environment, and whom they are meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostLogin {
    /// The user.
    pub username: Option<String>,
    /// The password, or a token in its place.
    pub password: Option<Secret<String>>,
    /// The only hosts that see them, with their ports where they have one; every host that a manifest names, when empty.
    pub hosts: Vec<String>,
}

impl HostLogin {
    fn identity(&self, host: &str) -> Option<BasicAuth> {
        let name = host.split(':').next().unwrap_or(host);
        let is_meant = |meant: &String| meant.eq_ignore_ascii_case(host) || meant.eq_ignore_ascii_case(name);
        if !self.hosts.is_empty() && !self.hosts.iter().any(is_meant) {
            return None;
        }
        let password = self.password.clone()?;
        Some(BasicAuth { username: self.username.clone().unwrap_or_default(), password })
    }
}

/// Credentials for Helm repositories and registries.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// `--repositories`: Argo CD's Secrets.
    pub repositories: Repositories,
    /// `TRUEUP_HELM_USERNAME`, `TRUEUP_HELM_PASSWORD`, `TRUEUP_HELM_HOST`.
    pub helm: HostLogin,
    /// `TRUEUP_OCI_USERNAME`, `TRUEUP_OCI_PASSWORD`, `TRUEUP_OCI_HOST`.
    pub oci: HostLogin,
    /// Docker's configuration, and Helm's in the same form; the first that knows a registry counts.
    pub docker_configs: Vec<PathBuf>,
    /// The tokens that GitHub gave to Apps in this run.
    pub tokens: AppTokens,
    /// Everything together, where the cluster that Argo CD runs in has more.
    pub of_cluster: OnceLock<Repositories>,
}

impl Keyring {
    /// Adds what the cluster has that Argo CD runs in; files come first. A run learns once.
    pub fn learn(&self, found: Repositories) {
        let mut all = self.repositories.clone();
        all.extend(found);
        // Who comes second has read the same.
        let _ = self.of_cluster.set(all);
    }

    /// Argo CD's settings for repositories.
    pub(crate) fn repositories(&self) -> &Repositories {
        self.of_cluster.get().unwrap_or(&self.repositories)
    }

    /// Credentials for a Helm repository.
    pub(crate) fn helm_repository(&self, url: &reqwest::Url, written: &str, project: &str) -> Pass {
        let host = authority(url);
        let repository = self.repositories().find(written, project);
        // Argo CD util/helm/client.go: a user without a password is sent, too; some servers take a token for one.
        let alone = repository.as_ref().map(|it| it.username.clone()).filter(|username| !username.is_empty());
        let alone = alone.map(|username| BasicAuth { username, password: Secret::new(String::new()) });
        let mut pass = self.pass(repository, &host);
        pass.identity =
            pass.identity.or(alone).or_else(|| BasicAuth::of_url(url)).or_else(|| self.helm.identity(&host));
        pass
    }

    /// Credentials for a repository of a registry: `host/path`.
    pub(crate) fn registry(&self, written: &str, project: &str, asking: &Asking<'_>) -> Pass {
        let repository = written.trim_start_matches("oci://");
        let host = repository.split('/').next().unwrap_or_default();
        let mut pass = self.pass(self.repositories().find(repository, project), host);
        pass.plain_http |= is_this_machine(host) && !pass.knows_of_tls();
        if pass.identity.is_none() {
            pass.identity = self.oci.identity(host);
            pass.only_hosts.clone_from(&self.oci.hosts);
        }
        if pass.identity.is_none()
            && let Some(login) = docker_config::login(&self.docker_configs, host, asking)
        {
            (pass.identity, pass.refresh_token) = (login.identity, login.refresh_token);
            pass.only_hosts = Vec::new();
        }
        pass
    }

    /// The credentials of a Secret, for another host that it leads to.
    pub(in super::super) fn at(&self, host: &str, pass: &Pass) -> Pass {
        Pass { authorities: self.repositories().authorities(host).map(str::to_owned), ..pass.clone() }
    }

    /// The settings in the Secret of a git repository.
    pub(crate) fn git(&self, written: &str, project: &str) -> Pass {
        let host = reqwest::Url::parse(written).map(|url| authority(&url)).unwrap_or_default();
        let known_hosts = self.repositories().known_hosts().map(str::to_owned);
        Pass { known_hosts, ..self.pass(self.repositories().find(written, project), &host) }
    }

    fn pass(&self, repository: Option<Repository>, host: &str) -> Pass {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let authorities = self.repositories().authorities(host).or_else(|| self.repositories().authorities(name));
        let authorities = authorities.map(str::to_owned);
        let Some(repository) = repository else { return Pass { authorities, ..Pass::default() } };
        // Argo CD repository_types.go `GetGitCreds`: a password comes first, then a key, then an App.
        let Repository { username, password, ssh_private_key, .. } = repository;
        let is_opened = password.is_some() || repository.bearer_token.is_some() || ssh_private_key.is_some();
        let is_app = !is_opened && repository.github_app.id.is_some() && repository.github_app.private_key.is_some();
        Pass {
            secret: repository.secret,
            github_app: Some(repository.github_app).filter(|_| is_app),
            identity: password.map(|password| BasicAuth { username, password }),
            only_hosts: Vec::new(),
            refresh_token: None,
            bearer: repository.bearer_token,
            ssh_private_key,
            known_hosts: None,
            insecure: repository.insecure,
            force_basic_auth: repository.force_basic_auth,
            plain_http: repository.plain_http,
            client_certificate: repository.client_certificate,
            authorities,
            proxy: repository.proxy,
            no_proxy: repository.no_proxy,
        }
    }
}
