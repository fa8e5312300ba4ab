//! Opens git repositories as a GitHub App: what the App signs is handed in at GitHub's API for a token, which is the
//! password of `x-access-token`.
//!
//! In: the App of a repository's Secret, the repository's URL. Out: a token, asked for once a run and kept in memory alone,
//! or why there is none, with the Secret's name and without anything of what it holds.
//!
//! Rules: Argo CD util/git/creds.go `GitHubAppCreds`, `DiscoverGitHubAppInstallationID`, `ExtractOrgFromRepoURL`; GitHub's
//! "Authenticating as a GitHub App"; RFC 7519.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::super::error::{SourceCause, SourceError};
use super::super::limits::FetchLimits;
use super::app_tokens::{KeptToken, TokenRefusal};
use super::keyring::Keyring;
use super::pass::{Pass, is_this_machine};
use super::web::{self, Web, WebAnswer};
use crate::app::settings::GithubApp;
use crate::secret::{RepoUrl, Secret};

/// Where github.com's API is.
const API: &str = "https://api.github.com";
/// Where another one's is.
const ENTERPRISE: &str = "GitHub Enterprise has its API at `https://HOST/api/v3`";
/// The size limit of an answer: a page of a hundred installations has some 300 KiB.
const ANSWER_LIMIT: u64 = 4 << 20;
/// No App is installed in more places than so many pages of a hundred.
const PAGES: usize = 100;
/// How long GitHub is waited for: a fleet waits with it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A token holds for an hour.
const TOKEN_LIFE: Duration = Duration::from_secs(50 * 60);
/// A clock that is off by more than this is worth a word.
const CLOCK_SKEW: i64 = 30;
/// Our signed claims hold from a minute ago, since clocks differ; GitHub takes ten minutes at most.
const SINCE_SECONDS: i64 = 60;
const UNTIL_SECONDS: i64 = 300;

/// Who asks, and within which limits.
pub(in super::super) struct TokenRequester<'a> {
    pub(in super::super) keyring: &'a Keyring,
    /// The repository's Secret: its certificates and its proxy lead to the API, too.
    pub(in super::super) pass: &'a Pass,
    pub(in super::super) limits: &'a FetchLimits,
    pub(in super::super) runtime: &'a tokio::runtime::Handle,
}

/// The token that opens a repository.
pub(in super::super) fn token(
    app: &GithubApp,
    url: &RepoUrl,
    asker: &TokenRequester<'_>,
) -> Result<Secret<String>, SourceError> {
    let organisation = organisation(url);
    let place = asker.keyring.tokens.place(app, organisation.as_deref());
    // Held while asking: who opens another repository of the App waits for the one answer.
    let mut kept = place.lock().unwrap_or_else(PoisonError::into_inner);
    kept.take_if(|kept| kept.at.elapsed() >= TOKEN_LIFE);
    let kept = kept.get_or_insert_with(|| {
        let answer = GitHubApi::new(app, asker).and_then(|door| door.token(organisation.as_deref()));
        KeptToken { answer, at: Instant::now() }
    });
    kept.answer.clone().map_err(|TokenRefusal { reason, help, cause }| SourceError::NoAppToken {
        url: url.to_string(),
        secret: app.secret.clone(),
        reason,
        help,
        cause,
    })
}

/// The API, and what opens it.
struct GitHubApi<'a> {
    app: &'a GithubApp,
    api: Url,
    web: Web,
    assertion: Secret<String>,
}

impl<'a> GitHubApi<'a> {
    fn new(app: &'a GithubApp, asker: &TokenRequester<'_>) -> Result<Self, TokenRefusal> {
        let written = if app.api.is_empty() { API } else { &app.api };
        let wrong = |why: &str| TokenRefusal {
            reason: format!("its `githubAppEnterpriseBaseUrl` {why}"),
            help: ENTERPRISE.to_owned(),
            cause: None,
        };
        let api = Url::parse(&format!("{written}/")).map_err(|_error| wrong("is not a URL"))?;
        let host = api.host_str().unwrap_or_default();
        // A token that can be read on the way is everybody's.
        if api.scheme() != "https" && !(api.scheme() == "http" && is_this_machine(host)) {
            return Err(wrong("is not an `https://` URL"));
        }
        let key = key(app.private_key.as_ref().map(|key| key.expose().as_str()).unwrap_or_default())?;
        let assertion = assertion(app.id.unwrap_or_default(), &key, Timestamp::now())?;
        let pass = asker.keyring.at(host, asker.pass);
        let deadline = asker.limits.deadline.min(Instant::now() + PATIENCE);
        let limits = FetchLimits { deadline, timeout: PATIENCE, ..asker.limits.clone() };
        let web = Web::new(&pass, written, &limits, asker.runtime).map_err(unanswered)?;
        Ok(Self { app, api, web, assertion })
    }

    fn token(&self, organisation: Option<&str>) -> Result<Secret<String>, TokenRefusal> {
        let installation = match self.app.installation {
            Some(installation) => installation,
            None => self.installation(organisation)?,
        };
        let asked = format!("app/installations/{installation}/access_tokens");
        let answer = self.ask(&Method::POST, &asked)?;
        let status = answer.status().as_u16();
        if status == 404 {
            let help = "check `githubAppInstallationID`, or leave it out and the organisation's is looked up; GitHub \
                        Enterprise has its API at `https://HOST/api/v3`";
            let reason = format!("{} has no installation {installation} of App {}", self.shown(), self.id());
            return Err(self.refused(answer, reason, help));
        }
        let said = self.read(answer)?;
        said.get("token").and_then(Value::as_str).map(|token| Secret::new(token.to_owned())).ok_or_else(|| {
            TokenRefusal {
                reason: format!("the answer of {} has no token", self.shown()),
                help: ENTERPRISE.to_owned(),
                cause: None,
            }
        })
    }

    /// Looks up where the App is installed: by the organisation, or the user, that has the repository.
    fn installation(&self, organisation: Option<&str>) -> Result<u64, TokenRefusal> {
        let organisation = organisation.ok_or_else(|| TokenRefusal {
            reason: "the repository's URL names no organisation whose installation could be looked up".to_owned(),
            help: "write the App's `githubAppInstallationID` into the Secret".to_owned(),
            cause: None,
        })?;
        let mut question = "app/installations?per_page=100".to_owned();
        for _ in 0..PAGES {
            let answer = self.ask(&Method::GET, &question)?;
            let next = answer.next_page();
            let said = self.read(answer)?;
            let is_it = |installation: &&Value| {
                let login = installation.pointer("/account/login").and_then(Value::as_str);
                login.is_some_and(|login| login.eq_ignore_ascii_case(organisation))
            };
            let found = said.as_array().into_iter().flatten().find(is_it);
            if let Some(id) = found.and_then(|installation| installation.get("id")?.as_u64()) {
                return Ok(id);
            }
            match next {
                Some(query) => question = format!("app/installations?{query}"),
                None => break,
            }
        }
        Err(TokenRefusal {
            reason: format!("App {} is not installed for `{organisation}`", self.id()),
            help: "install it there, or write the `githubAppInstallationID` into the Secret".to_owned(),
            cause: None,
        })
    }

    fn ask(&self, method: &Method, question: &str) -> Result<WebAnswer<'_>, TokenRefusal> {
        let unasked = || TokenRefusal {
            reason: format!("{} cannot be asked", self.shown()),
            help: ENTERPRISE.to_owned(),
            cause: None,
        };
        let url = self.api.join(question).map_err(|_error| unasked())?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.assertion.expose()));
        let mut bearer = bearer.map_err(|_error| unasked())?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        self.web.send(method, &url, &headers).map_err(unanswered)
    }

    /// Reads an answer that has what was asked for.
    fn read(&self, answer: WebAnswer<'_>) -> Result<Value, TokenRefusal> {
        let status = answer.status();
        if status.is_success() {
            let bytes = answer.bytes(ANSWER_LIMIT).map_err(unanswered)?;
            return serde_json::from_slice(&bytes).map_err(|_error| TokenRefusal {
                reason: format!("the answer of {} is not JSON", self.shown()),
                help: ENTERPRISE.to_owned(),
                cause: None,
            });
        }
        let answers = format!("{} answers {status}", self.shown());
        if matches!(status.as_u16(), 403 | 429) && is_limited(&answer) {
            let until = answer.header("x-ratelimit-reset").and_then(|reset| reset.parse().ok());
            let until = until.and_then(|reset| Timestamp::from_second(reset).ok());
            let help = until.map_or_else(|| "try again later".to_owned(), |until| format!("try again after {until}"));
            return Err(self.refused(answer, format!("{answers}: its rate limit is reached"), &help));
        }
        if status.as_u16() == 401
            && let Some(skew) = answer.header("date").and_then(|date| skew(date, Timestamp::now()))
        {
            let help = "set this machine's clock: what an App signs holds for minutes";
            return Err(self.refused(answer, format!("{answers}, and this machine's clock is {skew}"), help));
        }
        let help = match status.as_u16() {
            401 => "check that `githubAppID` and `githubAppPrivateKey` are of one App, and the key is not revoked",
            403 => "check that the App's installation is not suspended, and what it may read",
            404 => ENTERPRISE,
            _ => "it was asked several times; try again later",
        };
        Err(self.refused(answer, answers, help))
    }

    /// A refusal with the server's own words, of which nothing is ours.
    fn refused(&self, answer: WebAnswer<'_>, reason: String, help: &str) -> TokenRefusal {
        let said: Option<Value> = answer.bytes(ANSWER_LIMIT).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let message = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str);
        let cause = message.map(|message| {
            let message: String = message.replace(self.assertion.expose(), "***").chars().take(300).collect();
            SourceCause::saying(message)
        });
        TokenRefusal { reason, help: help.to_owned(), cause }
    }

    fn shown(&self) -> String {
        web::shown(&self.api).trim_end_matches('/').to_owned()
    }

    fn id(&self) -> u64 {
        self.app.id.unwrap_or_default()
    }
}

/// Why a question was not answered.
fn unanswered(error: SourceError) -> TokenRefusal {
    let reason = match &error {
        SourceError::TimedOut { url, .. } => format!("{url} has no answer within {PATIENCE:?}"),
        error => error.to_string(),
    };
    let help =
        "check `githubAppEnterpriseBaseUrl`, the certificates and the proxy in the Secret, and the network".to_owned();
    let cause = match error {
        SourceError::Unreachable { cause, .. } | SourceError::FetchFailed { cause, .. } => Some(cause),
        _ => None,
    };
    TokenRefusal { reason, help, cause }
}

/// GitHub says so in one of two ways.
fn is_limited(answer: &WebAnswer<'_>) -> bool {
    answer.header("retry-after").is_some() || answer.header("x-ratelimit-remaining") == Some("0")
}

/// How far our clock is from the one of a server, when that is worth a word.
fn skew(date: &str, now: Timestamp) -> Option<String> {
    let theirs = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let seconds = now.as_second() - theirs.as_second();
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    (seconds.abs() > CLOCK_SKEW).then(|| format!("{} s {direction} its own", seconds.abs()))
}

/// Reads the key; no error has anything of it.
fn key(pem: &str) -> Result<RsaKeyPair, TokenRefusal> {
    let wrong = |why: &str| TokenRefusal {
        reason: format!("its `githubAppPrivateKey` {why}"),
        help: "take the `.pem` file that GitHub makes for the App, as it is".to_owned(),
        cause: None,
    };
    if pem.contains("ENCRYPTED") {
        return Err(wrong("is encrypted"));
    }
    let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        Ok(_) => return Err(wrong("is not an RSA key")),
        Err(_) => return Err(wrong("is not a private key in PEM")),
    };
    pair.map_err(|error| wrong(&format!("is not an RSA key that can be used ({error})")))
}

/// Says who we are, signed: a JSON web token by RS256.
fn assertion(app: u64, key: &RsaKeyPair, now: Timestamp) -> Result<Secret<String>, TokenRefusal> {
    let header = json!({"alg": "RS256", "typ": "JWT"}).to_string();
    let (from, until) = (now.as_second() - SINCE_SECONDS, now.as_second() + UNTIL_SECONDS);
    let claims = json!({"iat": from, "exp": until, "iss": app.to_string()}).to_string();
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).map_err(|_error| {
        TokenRefusal {
            reason: "its `githubAppPrivateKey` signs nothing".to_owned(),
            help: "take the `.pem` file that GitHub makes for the App, as it is".to_owned(),
            cause: None,
        }
    })?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// The first part of a repository's path, where there is a second one.
fn organisation(url: &RepoUrl) -> Option<String> {
    let (_, rest) = url.normal_form().split_once("://")?;
    let (organisation, repository) = rest.split_once('/')?.1.trim_matches('/').split_once('/')?;
    let is_one = !organisation.is_empty() && !repository.is_empty();
    is_one.then(|| organisation.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_is_the_first_part_of_a_path() {
        for (url, expected) in [
            ("https://github.com/Shop/infra.git", Some("shop")),
            ("https://github.com/shop/infra/", Some("shop")),
            ("https://ci@ghe.example.com:8443/shop/infra", Some("shop")),
            ("https://github.com/shop", None),
            ("https://github.com/", None),
            ("nonsense", None),
        ] {
            assert_eq!(organisation(&RepoUrl::new(url)).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_reported() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (date, expected) in [
            ("Tue, 24 Nov 2026 12:00:10 GMT", None),
            ("Tue, 24 Nov 2026 11:00:00 GMT", Some("3600 s ahead of its own")),
            ("Tue, 24 Nov 2026 12:02:00 GMT", Some("120 s behind its own")),
            ("soon", None),
        ] {
            assert_eq!(skew(date, now).as_deref(), expected, "{date}");
        }
    }

    /// Whoever pastes a key wrong must not find it in a log.
    #[test]
    fn a_broken_key_is_reported_without_it() {
        for (pem, expected) in [
            ("", "is not a private key in PEM"),
            ("s3cret", "is not a private key in PEM"),
            ("-----BEGIN RSA PRIVATE KEY-----\ns3cret\n", "is not a private key in PEM"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\ns3cret!\n-----END RSA PRIVATE KEY-----\n",
                "is not a private key in PEM",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nczNjcmV0\n-----END RSA PRIVATE KEY-----\n",
                "is not an RSA key that can be used",
            ),
            ("-----BEGIN EC PRIVATE KEY-----\nczNjcmV0\n-----END EC PRIVATE KEY-----\n", "is not an RSA key"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nczNjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n", "is encrypted"),
        ] {
            let refusal = key(pem).unwrap_err();
            assert!(refusal.reason.contains(expected), "{pem}: {refusal:?}");
            let reported = format!("{refusal:?}");
            assert!(!reported.contains("s3cret") && !reported.contains("czNjcmV0"), "{reported}");
        }
    }
}
