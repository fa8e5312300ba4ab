//! What opens Helm repositories and registries, and how their servers are spoken with.
//!
//! In: a URL, the application's project. Out: a [`Pass`]. A repository's Secret is asked first, then the URL itself, then
//! the environment, then Docker's configuration, which `helm registry login` and `docker login` write.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use super::credentials::BasicAuth;
use super::docker_config;
use super::github_app::AppTokens;
use crate::app::settings::{ClientCertificate, GithubApp, Repositories, Repository};
use crate::process::Cancel;
use crate::secret::{RepoUrl, Secret};

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

/// How one server is spoken with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pass {
    /// The Secret that says so; empty where none does.
    pub(crate) secret: String,
    /// Who we are there.
    pub(crate) identity: Option<BasicAuth>,
    /// The only hosts that see it; every host that it leads to, when empty.
    pub(crate) only_hosts: Vec<String>,
    /// A token in place of that, for the token server of a registry.
    pub(crate) refresh_token: Option<Secret<String>>,
    /// A token in place of that, for git.
    pub(crate) bearer: Option<Secret<String>>,
    /// A GitHub App, which gets a token in its place.
    pub(crate) github_app: Option<GithubApp>,
    /// A key for ssh.
    pub(crate) ssh_private_key: Option<Secret<String>>,
    /// The host keys that ssh takes; those of this machine where nothing is said.
    pub(crate) known_hosts: Option<String>,
    /// Who answers is not looked at.
    pub(crate) insecure: bool,
    /// Credentials are sent before the server asks.
    pub(crate) force_basic_auth: bool,
    /// It speaks no TLS.
    pub(crate) plain_http: bool,
    /// The client certificate.
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// Certificates of the host, besides the system's.
    pub(crate) authorities: Option<String>,
    /// The way to the repository.
    pub(crate) proxy: Option<RepoUrl>,
    /// The file that it must not reach.
    pub(crate) no_proxy: String,
}

/// How a credential helper is run.
pub(crate) struct Asking<'a> {
    pub(crate) timeout: Duration,
    pub(crate) cancel: &'a Cancel,
    pub(crate) runtime: &'a tokio::runtime::Handle,
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
        pass.identity = pass.identity.or(alone).or_else(|| of_url(url)).or_else(|| self.helm.identity(&host));
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
    pub(super) fn at(&self, host: &str, pass: &Pass) -> Pass {
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

/// Host and port as the URL has them.
fn authority(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Who a URL says that we are; a user alone is a token of some servers.
pub(super) fn of_url(url: &reqwest::Url) -> Option<BasicAuth> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = Secret::new(decoded(url.password().unwrap_or_default()));
    (!url.username().is_empty() || url.password().is_some())
        .then(|| BasicAuth { username: decoded(url.username()), password })
}

/// A registry of this machine speaks no TLS, as Docker takes it.
pub(super) fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "[::1]") || name.starts_with("127.")
}

/// Builds an HTTP client: reqwest has two kinds of it, and git's protocol needs the other one.
pub(super) trait ClientBuilder: Sized {
    fn authorities(self, certificates: Vec<reqwest::Certificate>) -> Self;
    fn identity(self, identity: reqwest::Identity) -> Self;
    fn insecure(self) -> Self;
    fn proxy(self, proxy: reqwest::Proxy) -> Self;
}

impl Pass {
    /// Who we are to another host that the server leads to: what is meant for one host is shown to no other.
    pub(super) fn identity_for(&self, url: &reqwest::Url) -> Option<&BasicAuth> {
        let (host, name) = (authority(url), url.host_str().unwrap_or_default());
        let is_meant = |meant: &String| meant.eq_ignore_ascii_case(&host) || meant.eq_ignore_ascii_case(name);
        self.identity.as_ref().filter(|_| self.only_hosts.is_empty() || self.only_hosts.iter().any(is_meant))
    }

    /// Whether anything was said that only means something with TLS.
    fn knows_of_tls(&self) -> bool {
        self.insecure || self.authorities.is_some() || self.client_certificate.is_some()
    }

    /// How a client reaches the server, and knows it.
    pub(super) fn configure<Builder: ClientBuilder>(&self, mut builder: Builder) -> reqwest::Result<Builder> {
        if self.insecure {
            builder = builder.insecure();
        }
        if let Some(pem) = &self.authorities {
            builder = builder.authorities(reqwest::Certificate::from_pem_bundle(pem.as_bytes())?);
        }
        if let Some(shown) = &self.client_certificate {
            let both = format!("{}\n{}", shown.certificate, shown.key.expose());
            builder = builder.identity(reqwest::Identity::from_pem(both.as_bytes())?);
        }
        if let Some(proxy) = &self.proxy {
            let except = reqwest::NoProxy::from_string(&self.no_proxy);
            builder = builder.proxy(reqwest::Proxy::all(proxy.with_credentials())?.no_proxy(except));
        }
        Ok(builder)
    }
}

macro_rules! client_builder {
    ($builder:ty) => {
        impl ClientBuilder for $builder {
            fn authorities(self, certificates: Vec<reqwest::Certificate>) -> Self {
                self.tls_certs_merge(certificates)
            }
            fn identity(self, identity: reqwest::Identity) -> Self {
                self.identity(identity)
            }
            fn insecure(self) -> Self {
                self.tls_danger_accept_invalid_certs(true)
            }
            fn proxy(self, proxy: reqwest::Proxy) -> Self {
                self.proxy(proxy)
            }
        }
    };
}

client_builder!(reqwest::ClientBuilder);
client_builder!(reqwest::blocking::ClientBuilder);
