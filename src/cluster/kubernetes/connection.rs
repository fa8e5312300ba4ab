//! One connection to one API server: sends requests, counts them, waits its turn, tries again where that helps.
//!
//! In: an [`Ask`]. Out: the server's [`ApiAnswer`], whatever its status, or why there is none. A request has one time limit
//! for all its attempts; at most `--concurrency` requests of a run are on their way at once.
//!
//! Rules: client-go `rest/with_retry.go` for what is tried again; a 401 is tried once more with renewed credentials. What
//! must not be done twice is only tried again when the server says that it did not begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use kube::Client;
use kube::client::Body;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::contexts::Access;
use super::status::ApiStatus;
use super::transport::{TransportFailure, failure_of};
use super::{client, credentials};
use crate::cluster::{Cause, ClusterEnvironment, ClusterError, ClusterLabel, ClusterSettings, Requests};
use crate::progress::Progress;

/// A request is sent at most this often.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// More than any page of a LIST: the server itself caps objects at a few megabytes.
const ANSWER_LIMIT: usize = 1 << 30;
/// As good as no limit.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The purpose of a request, to count it.
#[derive(Debug, Clone, Copy)]
pub(super) enum RequestPurpose {
    Discovery,
    List,
    Get,
    Rights,
    OpenApi,
    DryRun,
    Write,
    Watch,
}

/// How often a request may be sent without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// As often as it takes: the second time gives nothing new.
    Freely,
    /// Only when the server says that it did nothing yet.
    WhenNotDone,
}

/// A request.
pub(super) struct Ask {
    pub(super) purpose: RequestPurpose,
    pub(super) method: Method,
    /// Path and query, below the server's address.
    pub(super) path: String,
    pub(super) accept: &'static str,
    /// The content's type and the content.
    pub(super) content: Option<(&'static str, Bytes)>,
    pub(super) repeat: Repeat,
}

impl Ask {
    /// Reads a path as JSON.
    pub(super) fn get(purpose: RequestPurpose, path: impl Into<String>) -> Self {
        Self {
            purpose,
            method: Method::GET,
            path: path.into(),
            accept: "application/json",
            content: None,
            repeat: Repeat::Freely,
        }
    }

    /// The request in an error: without its query, which may hold a long continue token.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// An answer, whatever its status.
pub(super) struct ApiAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    /// Whether an earlier attempt had no answer, and may have been done all the same.
    pub(super) is_repeated: bool,
    retry_after: Option<Duration>,
}

/// An answer that goes on: its status, and what comes.
pub(super) struct Opened {
    pub(super) status: StatusCode,
    pub(super) body: Body,
}

/// A client and how many there were before it.
#[derive(Clone)]
struct ClientSession {
    client: Client,
    number: u32,
}

/// One connection to one API server.
pub(super) struct Connection {
    access: Access,
    environment: ClusterEnvironment,
    limit: Duration,
    permits: Arc<Semaphore>,
    progress: Progress,
    session: Mutex<Option<ClientSession>>,
    /// Whether the server has answered yet. Until then its requests take no turn from others: ten servers that are down
    /// would keep all others waiting.
    answers: AtomicBool,
    discovery: AtomicU64,
    list: AtomicU64,
    get: AtomicU64,
    rights: AtomicU64,
    openapi: AtomicU64,
    dry_run: AtomicU64,
    write: AtomicU64,
    watch: AtomicU64,
}

impl Connection {
    /// Nothing is connected yet: that happens with the first request.
    pub(super) fn new(access: Access, settings: &ClusterSettings, permits: Arc<Semaphore>, progress: Progress) -> Self {
        Self {
            access,
            environment: settings.environment.clone(),
            limit: settings.request_timeout.unwrap_or(FOR_EVER),
            permits,
            progress,
            session: Mutex::default(),
            answers: AtomicBool::new(false),
            discovery: AtomicU64::default(),
            list: AtomicU64::default(),
            get: AtomicU64::default(),
            rights: AtomicU64::default(),
            openapi: AtomicU64::default(),
            dry_run: AtomicU64::default(),
            write: AtomicU64::default(),
            watch: AtomicU64::default(),
        }
    }

    /// A connection that this client answers.
    #[cfg(test)]
    pub(super) fn answered_by(client: Client) -> Self {
        let (settings, permits) = (ClusterSettings::default(), Arc::new(Semaphore::new(1)));
        let session = Mutex::new(Some(ClientSession { client, number: 0 }));
        Self { session, ..Self::new(Access::to_nowhere(), &settings, permits, Progress::silent()) }
    }

    /// The context, for errors.
    pub(super) fn label(&self) -> &ClusterLabel {
        &self.access.label
    }

    /// The server's address.
    pub(super) fn server(&self) -> &str {
        self.access.server.as_str()
    }

    /// How many requests were sent until now, each attempt counted.
    pub(super) fn requests(&self) -> Requests {
        Requests {
            discovery: self.discovery.load(Ordering::Relaxed),
            list: self.list.load(Ordering::Relaxed),
            get: self.get.load(Ordering::Relaxed),
            openapi: self.openapi.load(Ordering::Relaxed),
            access: self.rights.load(Ordering::Relaxed),
            dry_run: self.dry_run.load(Ordering::Relaxed),
            write: self.write.load(Ordering::Relaxed),
            watch: self.watch.load(Ordering::Relaxed),
        }
    }

    /// Sends a request and waits for the answer, whatever its status.
    pub(super) async fn send(&self, ask: &Ask) -> Result<ApiAnswer, ClusterError> {
        // A closed semaphore is no reason to fail: it is never closed, and only bounds how many run at once.
        let _permit = if self.answers.load(Ordering::Relaxed) { self.permits.acquire().await.ok() } else { None };
        let mut session = self.session(None).await?;
        let mut is_renewed = false;
        let deadline = Instant::now() + self.limit;
        let mut attempt = 1;
        let mut is_repeated = false;
        loop {
            let patience = self.patience(ask, deadline);
            let answer = timeout_at(patience, self.attempt(&session.client, ask)).await;
            let answer = answer.unwrap_or(Err(TransportFailure::TooLate));
            self.answers.fetch_or(answer.is_ok(), Ordering::Relaxed);
            if answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED) {
                session = self.renewed(&session, &mut is_renewed).await?;
                continue;
            }
            let wait = wait_after(&answer, attempt);
            if !may_pass(ask, &answer) || attempt == ATTEMPTS || Instant::now() + wait >= deadline {
                return match answer {
                    Ok(answer) => Ok(ApiAnswer { is_repeated, ..answer }),
                    Err(failure) => Err(self.failed(failure, ask)),
                };
            }
            is_repeated |= !answer.is_ok_and(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS);
            self.note(&format!("`{}` is tried again", ask.shown()));
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends a request whose answer goes on, once. It takes no turn from other requests, for it stays.
    pub(super) async fn open(&self, ask: &Ask) -> Result<Opened, ClusterError> {
        let mut session = self.session(None).await?;
        let mut is_renewed = false;
        loop {
            let Ok(answer) = timeout(self.limit, self.begin(&session.client, ask)).await else {
                return Err(self.too_late(ask));
            };
            let (head, body) = answer.map_err(|failure| self.failed(failure, ask))?.into_parts();
            if head.status != StatusCode::UNAUTHORIZED {
                return Ok(Opened { status: head.status, body });
            }
            session = self.renewed(&session, &mut is_renewed).await?;
        }
    }

    /// Sends a request once, and reads no more than this much of its answer.
    pub(super) async fn beginning(&self, ask: &Ask, length: usize) -> Result<ApiAnswer, ClusterError> {
        let _permit = self.permits.acquire().await.ok();
        let read = async {
            let Opened { status, mut body } = self.open(ask).await?;
            let mut bytes = BytesMut::new();
            while bytes.len() < length
                && let Some(frame) = body.frame().await
            {
                let frame = frame.map_err(|error| self.failed(failure_of(&error), ask))?;
                bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            }
            bytes.truncate(length);
            Ok(ApiAnswer { status, body: bytes.freeze(), retry_after: None, is_repeated: false })
        };
        timeout(self.limit, read).await.unwrap_or_else(|_| Err(self.too_late(ask)))
    }

    /// A line for `-v`.
    pub(super) fn note(&self, line: &str) {
        self.progress.note(format!("cluster {}: {line}", self.label()));
    }

    /// Until when one attempt is waited for. A write whose connection went dead has time for a second attempt; a LIST may
    /// need all of its time.
    fn patience(&self, ask: &Ask, deadline: Instant) -> Instant {
        match (ask.purpose, ask.repeat) {
            (RequestPurpose::Write, Repeat::Freely) => deadline.min(Instant::now() + self.limit / 2),
            _ => deadline,
        }
    }

    /// The error of an answer without success.
    pub(super) fn refused(&self, ask: &Ask, answer: &ApiAnswer) -> ClusterError {
        let words = ApiStatus::read(&answer.body).map(|status| status.message).filter(|message| !message.is_empty());
        self.refused_with(ask, answer, words.as_deref().unwrap_or("the answer is not one of a Kubernetes API server"))
    }

    /// The same, where the server's words may hold what a Secret holds.
    pub(super) fn refused_without_words(&self, ask: &Ask, answer: &ApiAnswer) -> ClusterError {
        self.refused_with(ask, answer, "the server's message is hidden, because it can contain a Secret's values")
    }

    fn refused_with(&self, ask: &Ask, answer: &ApiAnswer, words: &str) -> ClusterError {
        ClusterError::Server {
            cluster: self.label().to_owned(),
            request: ask.shown(),
            status: answer.status.as_u16(),
            cause: Cause::new(words),
        }
    }

    /// The error of an answer that cannot be understood.
    pub(super) fn broken(&self, ask: &Ask, problem: impl Into<String>) -> ClusterError {
        ClusterError::BrokenAnswer { cluster: self.label().to_owned(), request: ask.shown(), problem: problem.into() }
    }

    async fn attempt(&self, client: &Client, ask: &Ask) -> Result<ApiAnswer, TransportFailure> {
        let (head, body) = self.begin(client, ask).await?.into_parts();
        let body =
            Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| match failure_of(error.as_ref()) {
                TransportFailure::Broken(cause) => TransportFailure::CutOff(cause),
                failure => failure,
            })?;
        let retry_after = retry_after(&head.headers);
        Ok(ApiAnswer { status: head.status, retry_after, body: body.to_bytes(), is_repeated: false })
    }

    /// Sends it; the answer's body is yet to come.
    async fn begin(&self, client: &Client, ask: &Ask) -> Result<Response<Body>, TransportFailure> {
        let counter = match ask.purpose {
            RequestPurpose::Discovery => &self.discovery,
            RequestPurpose::List => &self.list,
            RequestPurpose::Get => &self.get,
            RequestPurpose::Rights => &self.rights,
            RequestPurpose::OpenApi => &self.openapi,
            RequestPurpose::DryRun => &self.dry_run,
            RequestPurpose::Write => &self.write,
            RequestPurpose::Watch => &self.watch,
        };
        let mut request = Request::builder().method(&ask.method).uri(&ask.path).header(header::ACCEPT, ask.accept);
        let mut content = Bytes::new();
        if let Some((kind, bytes)) = &ask.content {
            request = request.header(header::CONTENT_TYPE, *kind);
            content = bytes.clone();
        }
        let request =
            request.body(Body::from(content.to_vec())).map_err(|error| TransportFailure::Other(Cause::of(&error)))?;
        counter.fetch_add(1, Ordering::Relaxed);
        client.send(request).await.map_err(|error| failure_of(&error))
    }

    /// Another session, once for each request, for one whose credentials are not accepted: a token of minutes ends while
    /// somebody waits for an hour.
    async fn renewed(&self, refused: &ClientSession, is_renewed: &mut bool) -> Result<ClientSession, ClusterError> {
        if *is_renewed || !credentials::can_be_renewed(&self.access.user) {
            return Err(self.unauthorized());
        }
        *is_renewed = true;
        self.session(Some(refused.number)).await
    }

    /// The client in use; a new one with new credentials when the one of this number was not accepted.
    async fn session(&self, refused: Option<u32>) -> Result<ClientSession, ClusterError> {
        let mut current = self.session.lock().await;
        if let Some(session) = &*current
            && refused != Some(session.number)
        {
            return Ok(session.clone());
        }
        let user = credentials::resolve(&self.access).await?;
        let client = client::build(&self.access, user, &self.environment, self.limit)?;
        let number = refused.map_or(0, |number| number + 1);
        Ok(current.insert(ClientSession { client, number }).clone())
    }

    fn unauthorized(&self) -> ClusterError {
        ClusterError::Unauthorized { cluster: self.label().to_owned(), server: self.server().to_owned() }
    }

    fn too_late(&self, ask: &Ask) -> ClusterError {
        ClusterError::Timeout { cluster: self.label().to_owned(), request: ask.shown(), limit: self.limit }
    }

    fn failed(&self, failure: TransportFailure, ask: &Ask) -> ClusterError {
        let (cluster, server) = (self.label().to_owned(), self.server().to_owned());
        match failure {
            TransportFailure::Tls(cause) => ClusterError::Tls { cluster, server, cause },
            TransportFailure::TooLate => self.too_late(ask),
            TransportFailure::TooLong => self.broken(ask, format!("it is longer than {ANSWER_LIMIT} bytes")),
            TransportFailure::CutOff(cause) => self.broken(ask, format!("it is cut off: {cause}")),
            TransportFailure::Credentials(problem) => ClusterError::Credentials { cluster, problem },
            TransportFailure::Broken(cause) | TransportFailure::Other(cause) => {
                ClusterError::Unreachable { cluster, server, cause }
            }
        }
    }
}

/// Whether trying again may help, and does no harm.
fn may_pass(ask: &Ask, answer: &Result<ApiAnswer, TransportFailure>) -> bool {
    let (freely, is_write) = (ask.repeat == Repeat::Freely, matches!(ask.purpose, RequestPurpose::Write));
    match answer {
        Ok(answer) => match answer.status {
            // Nothing was done yet.
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => freely,
            // Mostly a webhook that does not answer just now. A LIST that fails like this does so for good: it has an object
            // that cannot be converted.
            StatusCode::INTERNAL_SERVER_ERROR => {
                freely
                    && (is_write || matches!(ask.purpose, RequestPurpose::Get))
                    && !ApiStatus::read(&answer.body).is_some_and(|status| status.is_typed_patch_fault())
            }
            _ => false,
        },
        Err(TransportFailure::Broken(_) | TransportFailure::CutOff(_)) => freely,
        Err(TransportFailure::TooLate) => freely && is_write,
        Err(_) => false,
    }
}

/// How long to wait before the next attempt: as the server says, else longer each time, and not all at once.
fn wait_after(answer: &Result<ApiAnswer, TransportFailure>, attempt: u32) -> Duration {
    let asked = answer.as_ref().ok().and_then(|answer| answer.retry_after);
    asked.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1)).mul_f64(1.0 + fastrand::f64() / 2.0)
}

fn retry_after(headers: &HeaderMap<HeaderValue>) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
