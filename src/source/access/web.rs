//! Speaks HTTP with Helm repositories, registries and GitHub's API: within limits, with patience where a server asks for it.
//!
//! In: a URL, what opens its server. Out: an [`WebAnswer`], whose body is read into memory or a file, and no further than
//! allowed. A server that is busy or failed is asked again, a few times; what it says in the end is the caller's to judge.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Body, Method, RequestBuilder, StatusCode, Url};
use sha2::{Digest, Sha256};

use super::super::error::{Instead, SourceCause, SourceError};
use super::super::limits::FetchLimits;
use super::pass::Pass;

/// How often a server that is busy, or failed, is asked.
const TRIES: u32 = 4;
/// A server that asks for more patience than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the first wait is where the server names no time; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A way to one server, and to those that it sends us to.
pub(in super::super) struct Web {
    client: reqwest::Client,
    limits: FetchLimits,
    runtime: tokio::runtime::Handle,
}

/// The answer of a server; its body is still to be read.
pub(in super::super) struct WebAnswer<'web> {
    web: &'web Web,
    response: reqwest::Response,
    /// The URL that was asked for, fit to be shown.
    url: String,
}

/// A body in a file, by its digest.
pub(in super::super) struct Saved {
    pub(in super::super) sha256: String,
}

impl Web {
    pub(in super::super) fn new(
        pass: &Pass,
        url: &str,
        limits: &FetchLimits,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self, SourceError> {
        let wrong = |error: reqwest::Error| SourceError::FetchFailed {
            url: url.to_owned(),
            help: match pass.secret.as_str() {
                "" => "check the certificates for its host in `argocd-tls-certs-cm`".to_owned(),
                secret => {
                    format!("check the certificates and the proxy in Secret `{secret}`, and in `argocd-tls-certs-cm`")
                }
            },
            cause: SourceCause::of(&error),
        };
        // reqwest is built without a provider of its own. Where main has set one, it stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.left().min(Duration::from_secs(20)))
            .redirect(Policy::custom(follow));
        let client = pass.configure(builder).and_then(reqwest::ClientBuilder::build).map_err(wrong)?;
        Ok(Self { client, limits: limits.clone(), runtime: runtime.clone() })
    }

    /// Asks, and asks again where there is hope; the answer may still be a refusal.
    pub(in super::super) fn get(&self, url: &Url, headers: &HeaderMap) -> Result<WebAnswer<'_>, SourceError> {
        self.send(&Method::GET, url, headers)
    }

    /// The same with another method, of what may be done twice, and without a body.
    pub(in super::super) fn send(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<WebAnswer<'_>, SourceError> {
        let question = || self.client.request(method.clone(), without_identity(url)).headers(headers.clone());
        self.patiently(url, question)
    }

    /// Sends a form, which may have secrets in it.
    pub(in super::super) fn post(&self, url: &Url, fields: &[(&str, &str)]) -> Result<WebAnswer<'_>, SourceError> {
        let mut form = without_identity(url);
        form.query_pairs_mut().clear().extend_pairs(fields);
        let form = form.query().unwrap_or_default().to_owned();
        // reqwest takes what was wrapped for a stream, which it cannot send on to where a redirect leads.
        let question = || {
            let request = self.client.post(without_identity(url));
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::wrap(Body::from(form.clone())))
        };
        self.patiently(url, question)
    }

    /// Sends JSON to what answers the same each time.
    pub(in super::super) fn post_json(
        &self,
        url: &Url,
        headers: &HeaderMap,
        json: &str,
    ) -> Result<WebAnswer<'_>, SourceError> {
        let question = || {
            let request = self.client.post(without_identity(url)).headers(headers.clone());
            request.header(CONTENT_TYPE, "application/json").body(Body::wrap(Body::from(json.to_owned())))
        };
        self.patiently(url, question)
    }

    fn patiently(&self, url: &Url, question: impl Fn() -> RequestBuilder) -> Result<WebAnswer<'_>, SourceError> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let answer = self.ask(url, question());
            let patience = match &answer {
                Ok(answer) if answer.is_passing() => answer.patience().unwrap_or(wait),
                Err(SourceError::Unreachable { .. }) => wait,
                _ => return answer,
            };
            if attempt == TRIES || patience > PATIENCE || patience >= self.limits.left() {
                return answer;
            }
            self.runtime.block_on(async { tokio::time::sleep(patience).await });
            if self.limits.over() {
                return Err(self.timed_out(url.as_str()));
            }
            wait *= 2;
        }
        Err(self.timed_out(url.as_str()))
    }

    fn ask(&self, url: &Url, question: RequestBuilder) -> Result<WebAnswer<'_>, SourceError> {
        let shown = shown(url);
        match self.within(question.send()) {
            None => Err(self.timed_out(&shown)),
            Some(Ok(response)) => Ok(WebAnswer { web: self, response, url: shown }),
            Some(Err(error)) => Err(unreachable(shown, &error.without_url())),
        }
    }

    /// Waits for something, as long as there is time.
    fn within<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let left = self.limits.left();
        self.runtime.block_on(async { tokio::time::timeout(left, work).await.ok() })
    }

    fn timed_out(&self, url: &str) -> SourceError {
        SourceError::TimedOut { url: url.to_owned(), after: self.limits.timeout }
    }
}

/// Redirects are followed, but never from a server that proved who it is to one that does not. What opens the first
/// server is not sent to another one: reqwest sees to that.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > 10 {
        return attempt.error("it redirects too many times");
    }
    let was_safe = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if was_safe && attempt.url().scheme() != "https" {
        return attempt.error("it redirects from https to another scheme");
    }
    attempt.follow()
}

/// A URL without its user and password.
pub(in super::super) fn without_identity(url: &Url) -> Url {
    let mut url = url.clone();
    // Only a URL that can have neither says no.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

/// A URL as it may be shown: what stands in a query may be a signature.
pub(in super::super) fn shown(url: &Url) -> String {
    let mut url = without_identity(url);
    url.set_query(None);
    url.to_string()
}

impl WebAnswer<'_> {
    pub(in super::super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The host that answered, which a redirect may have led to.
    pub(in super::super) fn redirected_host(&self) -> Option<&str> {
        self.response.url().host_str()
    }

    pub(in super::super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Every header of a name.
    pub(in super::super) fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.response.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The query of the next page: `Link: </v2/…/tags/list?last=…>; rel="next"`.
    pub(in super::super) fn next_page(&self) -> Option<String> {
        self.headers("link").find_map(next_page)
    }

    /// Whether the same question may soon be answered otherwise. GitHub's secondary rate limits are 403 with `Retry-After`.
    fn is_passing(&self) -> bool {
        match self.status().as_u16() {
            403 => self.patience().is_some(),
            status => matches!(status, 429 | 500 | 502 | 503 | 504),
        }
    }

    /// How long the server asks to be left alone: `Retry-After` in seconds, or as a date.
    pub(in super::super) fn patience(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let seconds = until.as_second().saturating_sub(Timestamp::now().as_second());
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }

    /// The error for an unexpected answer.
    pub(in super::super) fn failed(&self, access_help: &str) -> SourceError {
        self.failed_as(&self.url, access_help)
    }

    /// The same, where a reader knows the server's URL as another one.
    pub(in super::super) fn failed_as(&self, url: &str, access_help: &str) -> SourceError {
        let status = self.status();
        let url = url.to_owned();
        let cause = Some(SourceCause::saying(format!("it answers {status}")));
        match status.as_u16() {
            401 | 403 | 407 => SourceError::AccessRefused { url, help: access_help.to_owned(), cause },
            404 | 410 => SourceError::RepositoryGone { url, cause },
            _ => {
                let patience = self.patience().map(|patience| format!("; it asks to retry after {patience:?}"));
                SourceError::ServerFailed { url, answer: format!("{status}{}", patience.unwrap_or_default()) }
            }
        }
    }

    /// Reads the body into memory, up to a limit.
    pub(in super::super) fn bytes(self, limit: u64) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        self.read(limit, &mut |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Writes the body to a file, up to a limit; `disk` makes the error for a disk that does not take it.
    pub(in super::super) fn save(
        self,
        file: &mut impl Write,
        limit: u64,
        disk: &dyn Fn(&std::io::Error) -> SourceError,
    ) -> Result<Saved, SourceError> {
        let mut hash = Sha256::new();
        self.read(limit, &mut |chunk| {
            hash.update(chunk);
            file.write_all(chunk).map_err(|error| disk(&error))
        })?;
        Ok(Saved { sha256: format!("{:x}", Bytes::copy_from_slice(&hash.finalize())) })
    }

    fn read(mut self, limit: u64, take: &mut dyn FnMut(&[u8]) -> Result<(), SourceError>) -> Result<(), SourceError> {
        let mut read = 0;
        loop {
            match self.web.within(self.response.chunk()) {
                None => return Err(self.web.timed_out(&self.url)),
                Some(Ok(None)) => return Ok(()),
                Some(Ok(Some(chunk))) => {
                    read += chunk.len() as u64;
                    if read > limit {
                        return Err(SourceError::AnswerTooLarge { url: self.url, limit });
                    }
                    take(&chunk)?;
                }
                Some(Err(error)) => {
                    return Err(unreachable(self.url, &error.without_url()));
                }
            }
        }
    }
}

/// Over HTTP come charts; git has its own client.
fn unreachable(url: String, error: &reqwest::Error) -> SourceError {
    SourceError::Unreachable { url, instead: Instead::Chart, cause: SourceCause::of(error) }
}

impl Saved {
    /// The same of what is in memory.
    pub(in super::super) fn of(bytes: &[u8]) -> Self {
        Self { sha256: format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(bytes))) }
    }
}

/// One header may have several links.
fn next_page(header: &str) -> Option<String> {
    header.split(',').find_map(|link| {
        let (target, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("next").then(|| target.split_once('?').map(|(_, query)| query.to_owned()))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let tags = "</v2/charts/web/tags/list?last=1.2.0&n=1000>; rel=\"next\"";
        assert_eq!(next_page(tags).unwrap(), "last=1.2.0&n=1000");
        assert_eq!(next_page("<https://r/v2/a/tags/list?last=b>; rel=next").unwrap(), "last=b");
        let github = "<https://api/app/installations?page=1>; rel=\"prev\", <https://api/app/installations?page=3>; rel=\"next\"";
        assert_eq!(next_page(github).unwrap(), "page=3");
        assert_eq!(next_page("<https://r/a?page=1>; rel=\"last\""), None);
        assert_eq!(next_page("nonsense"), None);
    }
}
