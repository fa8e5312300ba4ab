//! What opens a repository over http, and who may see it.
//!
//! In: the URL, the settings. Out: a user name and a password for one server, the one that the URL names. What opens one
//! server is never offered to another: not after a redirect, and not to a submodule's.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::runtime::Handle;

use crate::secret::{RepoUrl, Secret};

use super::super::error::SourceError;
use super::super::limits::FetchLimits;
use super::basic_auth::BasicAuth;
use super::docker_config::Asking;
use super::github_app::{self, TokenRequester};
use super::keyring::Keyring;
use super::pass::Pass;
use super::pass_files::PassFiles;

/// GitHub takes a token as the password of any user; this is the one that it names.
const APP_USER: &str = "x-access-token";

/// Answers git with what stands in our variables.
const HELPER: &str = "!f() { test \"$1\" = get || exit 0; printf 'username=%s\\npassword=%s\\n' \
                      \"$TRUEUP_HELPER_USERNAME\" \"$TRUEUP_HELPER_PASSWORD\"; }; f";

/// Credentials for a repository, besides its URL and git's credential helpers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `TRUEUP_GIT_USERNAME`.
    pub username: Option<String>,
    /// `TRUEUP_GIT_PASSWORD`.
    pub password: Option<Secret<String>>,
    /// `TRUEUP_GIT_TOKEN`: a password whose user name does not matter.
    pub token: Option<Secret<String>>,
    /// `TRUEUP_GIT_HOST`: the only hosts that see the three above; every host that a manifest names, when empty.
    pub hosts: Vec<String>,
    /// `GITHUB_TOKEN`: for github.com alone.
    pub github_token: Option<Secret<String>>,
}

/// A server: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ServerOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl ServerOrigin {
    pub(in super::super) fn of(url: &gix::Url) -> Self {
        Self {
            scheme: url.scheme.as_str().to_owned(),
            host: url.host().unwrap_or_default().to_ascii_lowercase(),
            port: url.port_or_default(),
        }
    }

    /// As git's configuration names it: `https://host:port`.
    pub(in super::super) fn to_config_key(&self) -> String {
        let default =
            matches!((self.scheme.as_str(), self.port), ("https", Some(443)) | ("http", Some(80)) | (_, None));
        match self.port {
            Some(port) if !default => format!("{}://{}:{port}", self.scheme, self.host),
            _ => format!("{}://{}", self.scheme, self.host),
        }
    }

    /// Whether what is said to it can be read on the way.
    pub(in super::super) fn is_clear_text(&self) -> bool {
        self.scheme == "http" && !matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]" | "::1")
    }
}

/// A URL without its password, and what opens its server.
#[derive(Debug, Clone)]
pub(in super::super) struct ServerAccess {
    pub(in super::super) url: gix::Url,
    pub(in super::super) origin: ServerOrigin,
    pub(in super::super) identity: Option<BasicAuth>,
    /// Whether it is sent before the server asks, as Argo CD does with a Secret's: it is for this one URL, and some
    /// servers say "not found" to who says nothing.
    pub(in super::super) is_sent_at_once: bool,
    /// Other settings of the repository's Secret.
    pub(in super::super) pass: Pass,
    /// The same in files, for programs.
    pub(in super::super) files: PassFiles,
}

/// Whether the settings' credentials are meant for a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Trust {
    /// A manifest of the user names it.
    Named,
    /// A repository names it, on a server that the user did not name.
    Stranger,
}

impl ServerAccess {
    /// Finds what opens a URL; nothing when the URL cannot be read.
    pub(in super::super) fn to(url: &RepoUrl, credentials: &Credentials, trust: Trust) -> Option<Self> {
        let mut url = gix::url::parse(url.with_credentials()).ok()?;
        let origin = ServerOrigin::of(&url);
        let http = matches!(url.scheme, gix::url::Scheme::Https | gix::url::Scheme::Http);
        let mut identity = None;
        if let Some(password) = url.password().filter(|password| !password.is_empty()) {
            let username = url.user().unwrap_or_default().to_owned();
            identity = Some(BasicAuth { username, password: Secret::new(password.to_owned()) });
            url.set_password(None);
            if http {
                url.set_user(None);
            }
        } else if http && trust == Trust::Named {
            identity = from_settings(credentials, &origin, url.user());
        }
        let (pass, files) = (Pass::default(), PassFiles::default());
        Some(Self { url, origin, identity, is_sent_at_once: false, pass, files })
    }

    /// The same, with what the repository's Secret says over it.
    pub(in super::super) fn with(mut self, mut pass: Pass) -> Self {
        let http = matches!(self.url.scheme, gix::url::Scheme::Https | gix::url::Scheme::Http);
        if !http {
            (pass.identity, pass.bearer, pass.github_app) = (None, None, None);
        }
        if let Some(BasicAuth { username, password }) = pass.identity.take() {
            let username = if username.is_empty() { "git".to_owned() } else { username };
            self.identity = Some(BasicAuth { username, password });
            self.is_sent_at_once = true;
        }
        self.pass = pass;
        self
    }

    /// Gets a token where a GitHub App is to have one.
    pub(in super::super) fn into_app(
        mut self,
        url: &RepoUrl,
        asking: (&Keyring, &FetchLimits, &Handle),
    ) -> Result<Self, SourceError> {
        let (keyring, limits, runtime) = asking;
        if let Some(app) = &self.pass.github_app {
            let asker = TokenRequester { keyring, pass: &self.pass, limits, runtime };
            let password = github_app::token(app, url, &asker)?;
            self.identity = Some(BasicAuth { username: APP_USER.to_owned(), password });
        }
        Ok(self)
    }

    /// With the files that programs need.
    pub(in super::super) fn with_files(self, files: Option<PassFiles>) -> Self {
        Self { files: files.unwrap_or_default(), ..self }
    }

    /// The variables that make a `git` that somebody else starts open this one server, and no other: git's arguments, and
    /// those of who starts it, can be read by everybody.
    pub(in super::super) fn git_environment(&self) -> Vec<(String, String)> {
        let server = self.origin.to_config_key();
        let mut variables = Vec::new();
        let mut config: Vec<(String, String)> = Vec::new();
        if let Some(identity) = &self.identity {
            config.push((format!("credential.{server}.helper"), HELPER.to_owned()));
            variables.push(("TRUEUP_HELPER_USERNAME".to_owned(), identity.username.clone()));
            variables.push(("TRUEUP_HELPER_PASSWORD".to_owned(), identity.password.expose().clone()));
            if self.pass.force_basic_auth {
                let both = STANDARD.encode(format!("{}:{}", identity.username, identity.password.expose()));
                config.push((format!("http.{server}.extraHeader"), format!("Authorization: Basic {both}")));
            }
        }
        if let Some(token) = &self.pass.bearer {
            config.push((format!("http.{server}.extraHeader"), format!("Authorization: Bearer {}", token.expose())));
        }
        if self.pass.insecure {
            config.push((format!("http.{server}.sslVerify"), "false".to_owned()));
        }
        for (setting, file) in &self.files.http {
            config.push((format!("http.{server}.{}", setting.name()), file.display().to_string()));
        }
        if let Some(proxy) = &self.pass.proxy {
            // git asks this one first, and has no setting of its own for it.
            variables.push(("NO_PROXY".to_owned(), self.pass.no_proxy.clone()));
            config.push((format!("http.{server}.proxy"), proxy.with_credentials().to_owned()));
        }
        variables.push(("GIT_CONFIG_COUNT".to_owned(), config.len().to_string()));
        for (number, (key, value)) in config.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{number}"), key));
            variables.push((format!("GIT_CONFIG_VALUE_{number}"), value));
        }
        variables
    }

    /// Whether the server is sent something secret.
    pub(in super::super) fn has_secret(&self) -> bool {
        self.identity.is_some() || self.pass.bearer.is_some()
    }
}

/// The variables that let a program fetch from a repository's server with git, as we would.
pub(crate) fn git_environment(
    url: &RepoUrl,
    project: &str,
    keyring: &Keyring,
    credentials: &Credentials,
    files: PassFiles,
    asking: &Asking<'_>,
) -> Result<Vec<(String, String)>, SourceError> {
    let Some(access) = ServerAccess::to(url, credentials, Trust::Named) else { return Ok(Vec::new()) };
    let access = access.with(keyring.git(url.with_credentials(), project));
    let limits =
        FetchLimits { stop: asking.cancel.clone(), deadline: Instant::now() + asking.timeout, timeout: asking.timeout };
    Ok(access.into_app(url, (keyring, &limits, asking.runtime))?.with_files(Some(files)).git_environment())
}

fn from_settings(credentials: &Credentials, origin: &ServerOrigin, user: Option<&str>) -> Option<BasicAuth> {
    let named = credentials.username.as_deref().or(user).filter(|name| !name.is_empty());
    let identity = |default: &str, password: &Secret<String>| BasicAuth {
        username: named.unwrap_or(default).to_owned(),
        password: password.clone(),
    };
    let is_meant =
        credentials.hosts.is_empty() || credentials.hosts.iter().any(|host| host.eq_ignore_ascii_case(&origin.host));
    if let Some(password) = credentials.password.as_ref().filter(|_| is_meant) {
        return Some(identity("git", password));
    }
    // GitHub, GitLab, Gitea, Bitbucket and Azure take a token as the password of any user.
    if let Some(token) = credentials.token.as_ref().filter(|_| is_meant) {
        return Some(identity(APP_USER, token));
    }
    let github = origin.host == "github.com" && origin.scheme == "https" && origin.port == Some(443);
    credentials
        .github_token
        .as_ref()
        .filter(|_| github)
        .map(|token| BasicAuth { username: APP_USER.to_owned(), password: token.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_by(url: &str, credentials: &Credentials, trust: Trust) -> Option<(String, String)> {
        let access = ServerAccess::to(&RepoUrl::new(url), credentials, trust).unwrap();
        assert!(!access.url.to_bstring().to_string().contains("s3cret"), "{url} still has its password");
        access.identity.map(|identity| (identity.username, identity.password.expose().clone()))
    }

    #[test]
    fn each_server_is_opened_by_what_was_meant_for_it() {
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        let none = Credentials::default();
        let password = Credentials { username: Some("ci".into()), password: secret("word"), ..none.clone() };
        let token = Credentials { token: secret("token"), github_token: secret("hub"), ..none.clone() };
        let github = Credentials { github_token: secret("hub"), ..none.clone() };
        let ours = Credentials { hosts: vec!["git.example.com".into()], ..token.clone() };
        for (url, credentials, trust, expected) in [
            ("https://git.example.com/a", &none, Trust::Named, None),
            ("https://u:s3cret@git.example.com/a", &none, Trust::Named, Some(("u", "s3cret"))),
            ("https://u:s3cret@git.example.com/a", &token, Trust::Stranger, Some(("u", "s3cret"))),
            ("https://git.example.com/a", &password, Trust::Named, Some(("ci", "word"))),
            ("https://git.example.com/a", &token, Trust::Named, Some(("x-access-token", "token"))),
            ("https://GIT.example.com/a", &ours, Trust::Named, Some(("x-access-token", "token"))),
            ("https://other.example.com/a", &ours, Trust::Named, None),
            ("https://github.com/a", &ours, Trust::Named, Some(("x-access-token", "hub"))),
            ("https://me@git.example.com/a", &token, Trust::Named, Some(("me", "token"))),
            ("https://git.example.com/a", &token, Trust::Stranger, None),
            ("https://github.com/a/b", &github, Trust::Named, Some(("x-access-token", "hub"))),
            ("https://GitHub.com/a/b", &github, Trust::Named, Some(("x-access-token", "hub"))),
            ("https://github.com/a/b", &token, Trust::Named, Some(("x-access-token", "token"))),
            ("https://github.com/a/b", &github, Trust::Stranger, None),
            ("http://github.com/a/b", &github, Trust::Named, None),
            ("https://github.com:8443/a/b", &github, Trust::Named, None),
            ("https://github.com.evil.example/a/b", &github, Trust::Named, None),
            ("https://evil.example/github.com", &github, Trust::Named, None),
            ("ssh://git@git.example.com/a", &token, Trust::Named, None),
            ("git@github.com:a/b", &github, Trust::Named, None),
        ] {
            let expected = expected.map(|(user, word)| (user.to_owned(), word.to_owned()));
            assert_eq!(opened_by(url, credentials, trust), expected, "{url} {trust:?}");
        }
    }

    #[test]
    fn servers_are_distinguished() {
        let origin = |url: &str| ServerOrigin::of(&gix::url::parse(url).unwrap());
        assert_eq!(origin("https://git.example.com/a"), origin("https://GIT.example.com:443/b"));
        assert_ne!(origin("https://git.example.com/a"), origin("http://git.example.com/a"));
        assert_ne!(origin("https://git.example.com/a"), origin("https://git.example.com:8443/a"));
        assert_eq!(origin("https://git.example.com/a").to_config_key(), "https://git.example.com");
        assert_eq!(origin("http://git.example.com:3000/a").to_config_key(), "http://git.example.com:3000");
    }
}
