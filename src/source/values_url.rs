//! Fetches one file by its URL, as `helm.valueFiles` may have it, so that no program gets the URL as an argument.
//!
//! In: a URL of http or https, which may carry a user and a password. Out: the file, within limits of size and time. What opens the
//! URL is sent to its own host alone, and never shown.
//!
//! Rule: Helm pkg/getter/httpgetter.go: credentials are those of the URL.

use std::time::{Duration, Instant};

use reqwest::Url;

use super::access::{BasicAuth, Pass, Web, headers};
use super::error::SourceError;
use super::limits::FetchLimits;
use crate::process::Cancel;

/// How large a values file may be.
const LIMIT: u64 = 16 << 20;
/// How long fetching it may take.
const TIMEOUT: Duration = Duration::from_secs(60);
const ACCESS_HELP: &str = "put the user and the password into the URL, or the values into a git repository";

/// The content of the file at a URL; on a thread that may block, within a runtime.
pub fn fetch_values(url: &str, timeout: Duration, cancel: &Cancel) -> Result<Vec<u8>, SourceError> {
    let refused = |reason| SourceError::UrlRefused { url: "of a values file".to_owned(), reason };
    let url = Url::parse(url).map_err(|_error| refused("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refused("it is not an http or https URL"));
    }
    let timeout = timeout.min(TIMEOUT);
    let limits = FetchLimits { stop: cancel.clone(), deadline: Instant::now() + timeout, timeout };
    let web = Web::new(&Pass::default(), "values file", &limits, &tokio::runtime::Handle::current())?;
    let answer = web.get(&url, &headers(BasicAuth::of_url(&url).as_ref()))?;
    if !answer.status().is_success() {
        return Err(answer.failed(ACCESS_HELP));
    }
    answer.bytes(LIMIT)
}
