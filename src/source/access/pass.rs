//! How one server is reached: credentials, certificates, proxy.
//!
//! In: the settings of a repository. Out: an HTTP client's configuration, and the credentials for a host.

use super::basic_auth::BasicAuth;
use crate::app::settings::{ClientCertificate, GithubApp};
use crate::secret::{RepoUrl, Secret};

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

/// Host and port as the URL has them.
pub(super) fn authority(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A registry of this machine speaks no TLS, as Docker takes it.
pub(in super::super) fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "[::1]") || name.starts_with("127.")
}

/// Builds an HTTP client: reqwest has two kinds of it, and git's protocol needs the other one.
pub(in super::super) trait ClientBuilder: Sized {
    fn authorities(self, certificates: Vec<reqwest::Certificate>) -> Self;
    fn identity(self, identity: reqwest::Identity) -> Self;
    fn insecure(self) -> Self;
    fn proxy(self, proxy: reqwest::Proxy) -> Self;
}

impl Pass {
    /// Who we are to another host that the server leads to: what is meant for one host is shown to no other.
    pub(in super::super) fn identity_for(&self, url: &reqwest::Url) -> Option<&BasicAuth> {
        let (host, name) = (authority(url), url.host_str().unwrap_or_default());
        let is_meant = |meant: &String| meant.eq_ignore_ascii_case(&host) || meant.eq_ignore_ascii_case(name);
        self.identity.as_ref().filter(|_| self.only_hosts.is_empty() || self.only_hosts.iter().any(is_meant))
    }

    /// Whether anything was said that only means something with TLS.
    pub(super) fn knows_of_tls(&self) -> bool {
        self.insecure || self.authorities.is_some() || self.client_certificate.is_some()
    }

    /// How a client reaches the server, and knows it.
    pub(in super::super) fn configure<Builder: ClientBuilder>(&self, mut builder: Builder) -> reqwest::Result<Builder> {
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
