//! One API over HTTP: pages, credentials, and errors in which no credential is left.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::super::access::Credentials;
use super::super::access::{self, Keyring, Pass, TokenRequester, Web, WebAnswer};
use super::super::error::SourceError;
use super::super::limits::FetchLimits;
use super::super::settings::SourceSettings;
use crate::app::appset::question::{Forge, ForgeKind, ServiceCredential, ServiceFault};
use crate::secret::{RepoUrl, Secret, mask_credentials_in_text};

/// The result of asking a service.
pub(super) type Result<T> = std::result::Result<T, ServiceFault>;

/// The size limit of one page.
const PAGE_LIMIT: u64 = 16 << 20;
/// How many pages of one list are read.
pub(super) const PAGES: usize = 1_000;
/// How much of a server's words is shown.
const SHOWN: usize = 300;
/// The characters that stay as they are in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The settings that matter here.
#[derive(Clone)]
pub(super) struct ForgeSettings {
    pub(super) timeout: Duration,
    credentials: Credentials,
    keyring: std::sync::Arc<Keyring>,
    untrusted: bool,
}

impl ForgeSettings {
    pub(super) fn of(settings: &SourceSettings) -> Self {
        Self {
            timeout: settings.timeout,
            credentials: settings.credentials.clone(),
            keyring: settings.keyring.clone(),
            untrusted: settings.untrusted,
        }
    }
}

/// Who asks, and within which limits.
pub(super) struct ServiceOpening {
    pub(super) credential: std::result::Result<ServiceCredential, String>,
    pub(super) settings: ForgeSettings,
    pub(super) limits: FetchLimits,
    pub(super) runtime: tokio::runtime::Handle,
}

impl ServiceOpening {
    /// Whether the generator names a credential.
    pub(super) fn has_credential(&self) -> bool {
        !matches!(self.credential, Ok(ServiceCredential::Anonymous))
    }

    /// Whether the manifests may be a stranger's.
    pub(super) fn is_untrusted(&self) -> bool {
        self.settings.untrusted
    }

    /// The credential for a host: that of the generator, else one of the environment that is meant for this host.
    fn credential_for(&self, url: &Url, is_default: bool) -> Result<ServiceCredential> {
        let host = url.host_str().unwrap_or_default();
        match &self.credential {
            // Whoever writes the manifest writes the host, too.
            Ok(credential) if self.settings.untrusted && self.has_credential() && !is_default => {
                if self.is_meant(host) {
                    return Ok(credential.clone());
                }
                let why = format!("a Secret's token is not sent to `{host}` with `--untrusted`, unless `TRUEUP_GIT_HOST` names it");
                Err(ServiceFault::Failed(why))
            }
            Ok(ServiceCredential::Anonymous) => {
                Ok(self.of_environment(host, is_default).map_or(ServiceCredential::Anonymous, ServiceCredential::Token))
            }
            Ok(credential) => Ok(credential.clone()),
            Err(why) => self.of_environment(host, is_default).map(ServiceCredential::Token).ok_or_else(|| {
                ServiceFault::Failed(format!(
                    "{why}; give it with `--clusters FILE`, or a token for `{host}` in `TRUEUP_GIT_TOKEN` and its name in `TRUEUP_GIT_HOST`"
                ))
            }),
        }
    }

    fn of_environment(&self, host: &str, is_default: bool) -> Option<Secret<String>> {
        let Credentials { github_token, token, password, .. } = &self.settings.credentials;
        if is_default && host == "api.github.com" && github_token.is_some() {
            return github_token.clone();
        }
        token.clone().or_else(|| password.clone()).filter(|_| self.is_meant(host))
    }

    /// Whether the environment names the host, or the one whose API it is.
    fn is_meant(&self, host: &str) -> bool {
        let site = host.strip_prefix("api.").unwrap_or(host);
        let hosts = &self.settings.credentials.hosts;
        hosts.iter().any(|meant| {
            let meant = meant.split(':').next().unwrap_or(meant);
            meant.eq_ignore_ascii_case(host) || meant.eq_ignore_ascii_case(site)
        })
    }

    /// A way to the server, with the certificates that are known for its host.
    pub(super) fn web(&self, url: &Url, insecure: bool, authorities: Option<&str>) -> Result<Web> {
        let host = url.host_str().unwrap_or_default();
        let known = self.settings.keyring.repositories().authorities(host);
        let all: Vec<&str> = known.into_iter().chain(authorities).collect();
        let pass = Pass { insecure, authorities: (!all.is_empty()).then(|| all.join("\n")), ..Pass::default() };
        Web::new(&pass, &access::shown(url), &self.limits, &self.runtime)
            .map_err(|error| unanswered(&error, &self.limits))
    }

    fn app_token(&self, app: &crate::app::settings::GithubApp, base: &Url, owner: &str) -> Result<Secret<String>> {
        let app = crate::app::settings::GithubApp {
            api: if app.api.is_empty() { base.as_str().trim_end_matches('/').to_owned() } else { app.api.clone() },
            ..app.clone()
        };
        let site = base.host_str().unwrap_or_default();
        let repository = RepoUrl::new(format!("https://{site}/{owner}/repositories"));
        let pass = Pass { secret: app.secret.clone(), ..Pass::default() };
        let requester = TokenRequester {
            keyring: &self.settings.keyring,
            pass: &pass,
            limits: &self.limits,
            runtime: &self.runtime,
        };
        access::app_token(&app, &repository, &requester).map_err(|error| match error {
            SourceError::NoAppToken { secret, reason, .. } => {
                ServiceFault::Failed(format!("the GitHub App of Secret `{secret}` gets no token: {reason}"))
            }
            error => ServiceFault::Failed(error.to_string()),
        })
    }
}

/// A forge's API.
pub(super) struct ForgeClient {
    base: Url,
    web: Web,
    headers: HeaderMap,
    /// The text that must not be shown.
    secrets: Vec<Secret<String>>,
    limits: FetchLimits,
}

/// One page, and what the server says of the next.
pub(super) struct ForgePage {
    pub(super) value: Value,
    next: Option<String>,
}

/// A refusal of a server.
pub(super) struct RefusedRequest {
    /// The status and the server's words.
    pub(super) fault: ServiceFault,
    /// `typeKey` of the body: what kind of fault Azure DevOps says it is.
    pub(super) type_key: Option<String>,
}

impl ForgeClient {
    pub(super) fn new(forge: &Forge, owner: &str, base: Url, opening: &ServiceOpening) -> Result<Self> {
        let web = opening.web(&base, forge.insecure, forge.authorities.as_deref())?;
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT,
            HeaderValue::from_static(match forge.kind {
                ForgeKind::Github => "application/vnd.github+json",
                _ => "application/json",
            }),
        );
        match forge.kind {
            // Bitbucket refuses what a browser could be tricked into.
            ForgeKind::BitbucketServer => {
                headers.insert(HeaderName::from_static("x-atlassian-token"), HeaderValue::from_static("no-check"));
            }
            // Azure DevOps redirects to a sign-in page otherwise.
            ForgeKind::AzureDevops => {
                headers.insert(HeaderName::from_static("x-tfs-fedauthredirect"), HeaderValue::from_static("Suppress"));
            }
            ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea => {}
        }
        let mut secrets = Vec::new();
        let authorization = match opening.credential_for(&base, forge.api.is_empty())? {
            ServiceCredential::Anonymous => None,
            // A personal access token of Azure DevOps is a password of no user.
            ServiceCredential::Token(token) if forge.kind == ForgeKind::AzureDevops => {
                let value = STANDARD.encode(format!(":{}", token.expose().trim()));
                secrets.extend([token, Secret::new(value.clone())]);
                Some(format!("Basic {value}"))
            }
            ServiceCredential::Token(token) => {
                // GitLab takes its personal tokens so, too, and a redirect to another host drops this header.
                let scheme = if forge.kind == ForgeKind::Gitea { "token" } else { "Bearer" };
                let value = format!("{scheme} {}", token.expose().trim());
                secrets.push(token);
                Some(value)
            }
            ServiceCredential::Basic(user, password) => {
                let value = STANDARD.encode(format!("{user}:{}", password.expose()));
                secrets.extend([password, Secret::new(value.clone())]);
                Some(format!("Basic {value}"))
            }
            ServiceCredential::GithubApp(app) => {
                let token = opening.app_token(&app, &base, owner)?;
                let value = format!("Bearer {}", token.expose());
                secrets.push(token);
                Some(value)
            }
        };
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, sensitive(&value)?);
        }
        Ok(Self { base, web, headers, secrets, limits: opening.limits.clone() })
    }

    /// One page; anything but success is an error.
    pub(super) fn get(&self, path: &str) -> Result<ForgePage> {
        self.request(path)?.map_err(|refused| refused.fault)
    }

    /// One page, or the server's refusal; an error when there is no answer that can be read.
    pub(super) fn request(&self, path: &str) -> Result<std::result::Result<ForgePage, RefusedRequest>> {
        let invalid =
            |_error| ServiceFault::Failed(format!("{} cannot be asked for `{path}`", access::shown(&self.base)));
        let url = self.base.join(path).map_err(invalid)?;
        let answer = self.web.get(&url, &self.headers).map_err(|error| unanswered(&error, &self.limits))?;
        if !answer.status().is_success() {
            return Ok(Err(refused(answer, &access::shown(&url), &self.secrets)));
        }
        let next = answer.next_page();
        let value = read_json(answer, &url, &self.limits)?;
        Ok(Ok(ForgePage { value, next }))
    }

    /// One page; nothing when it does not exist.
    pub(super) fn find(&self, path: &str) -> Result<Option<Value>> {
        match self.get(path) {
            Ok(page) => Ok(Some(page.value)),
            Err(ServiceFault::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The items of a list, to its last page, as `Link` headers say.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>> {
        let resource = path.split('?').next().unwrap_or_default();
        let (mut items, mut path) = (Vec::new(), path.to_owned());
        for _ in 0..PAGES {
            let page = self.get(&path)?;
            match page.value {
                Value::Array(page) => items.extend(page),
                Value::Null => {}
                _ => return Err(self.odd(resource, "the answer is not a list")),
            }
            match page.next {
                Some(query) => path = format!("{resource}?{query}"),
                None => return Ok(items),
            }
        }
        Err(self.odd(resource, &format!("the list has more than {PAGES} pages")))
    }

    /// An answer that is not what the API's documentation says.
    pub(super) fn odd(&self, path: &str, why: &str) -> ServiceFault {
        ServiceFault::Failed(format!("{}{path}: {why}", access::shown(&self.base)))
    }
}

/// A segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path whose slashes stay.
pub(super) fn segments(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A header that is not shown.
pub(super) fn sensitive(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_error| ServiceFault::Failed("the token has characters that no header takes".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why there was no answer at all.
pub(super) fn unanswered(error: &SourceError, limits: &FetchLimits) -> ServiceFault {
    let text = match error {
        SourceError::TimedOut { url, .. } => format!("{url} did not answer within {:?}", limits.timeout),
        error => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("{error}{cause}")
        }
    };
    ServiceFault::Failed(text)
}

pub(super) fn read_json(answer: WebAnswer<'_>, url: &Url, limits: &FetchLimits) -> Result<Value> {
    let (not_json, is_empty) = (described(&answer, url), format!("the answer of {} is empty", access::shown(url)));
    let is_without_content = answer.status().as_u16() == 204;
    let bytes = answer.bytes(PAGE_LIMIT).map_err(|error| unanswered(&error, limits))?;
    if bytes.trim_ascii().is_empty() {
        // Less than was asked for is not nothing: a set that comes back empty removes what it generated.
        return if is_without_content { Ok(Value::Null) } else { Err(ServiceFault::Failed(is_empty)) };
    }
    serde_json::from_slice(&bytes).map_err(|_error| ServiceFault::Failed(not_json))
}

/// What was answered in place of JSON: often a sign-in page, for a token that does not count, or a proxy's page.
fn described(answer: &WebAnswer<'_>, url: &Url) -> String {
    let mut text = format!("the answer of {} is not JSON", access::shown(url));
    let media =
        answer.header("content-type").and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
    if !media.is_empty() && !media.ends_with("json") {
        text.extend([" but `", media, "`"]);
    }
    if answer.status().as_u16() != 200 {
        text.extend([", with status ", &answer.status().to_string()]);
    }
    match answer.redirected_host() {
        Some(host) if Some(host) != url.host_str() => text.extend([", after a redirect to ", host]),
        _ => {}
    }
    if media == "text/html" {
        text.push_str("; a web page in its place often asks for a login: check the token and `api`");
    }
    text
}

/// A refusal, with the status and the server's own words.
pub(super) fn refused(answer: WebAnswer<'_>, url: &str, secrets: &[Secret<String>]) -> RefusedRequest {
    let status = answer.status();
    let is_limited = status.as_u16() == 429
        || (status.as_u16() == 403
            && (answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some()));
    let reset = answer.header("x-ratelimit-reset").or_else(|| answer.header("ratelimit-reset"));
    let reset = reset.and_then(|reset| Timestamp::from_second(reset.parse().ok()?).ok());
    let patience = answer.patience();
    let said = answer.bytes(PAGE_LIMIT).unwrap_or_default();
    let mut text = format!("{url} answers {status}");
    if is_limited {
        text.push_str(": its rate limit is reached");
        match (reset, patience) {
            (Some(reset), _) => text.extend([" until ", &reset.to_string()]),
            (None, Some(patience)) => text.extend([", and it asks to wait ", &patience.as_secs().to_string(), " s"]),
            (None, None) => {}
        }
    }
    let json: Option<Value> = serde_json::from_slice(&said).ok();
    let type_key = json.as_ref().and_then(|json| json.get("typeKey")?.as_str().map(str::to_owned));
    let words = masked(&words(&said, json.as_ref()), secrets);
    if !words.is_empty() {
        text.push_str(": ");
        text.push_str(&words);
    }
    let fault = if status.as_u16() == 404 { ServiceFault::NotFound(text) } else { ServiceFault::Failed(text) };
    RefusedRequest { fault, type_key }
}

/// The message of a body: that of JSON, else its text.
fn words(body: &[u8], json: Option<&Value>) -> String {
    let message = json.and_then(|json| {
        let of = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
        of("/message").or_else(|| of("/error")).or_else(|| of("/errors/0/message"))
    });
    match (message, json) {
        (Some(message), _) => message.to_owned(),
        (None, Some(json)) => json.to_string(),
        (None, None) => String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// A server's words without what opens it.
fn masked(text: &str, secrets: &[Secret<String>]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose().trim();
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
    }
    mask_credentials_in_text(&text).chars().take(SHOWN).collect()
}
