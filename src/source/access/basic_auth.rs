//! A user name and a password, and the HTTP header that carries them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use crate::secret::Secret;

/// A user name and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BasicAuth {
    pub(crate) username: String,
    pub(crate) password: Secret<String>,
}

impl BasicAuth {
    /// Who a URL says that we are; a user alone is a token of some servers.
    pub(in super::super) fn of_url(url: &reqwest::Url) -> Option<Self> {
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = Secret::new(decoded(url.password().unwrap_or_default()));
        (!url.username().is_empty() || url.password().is_some())
            .then(|| Self { username: decoded(url.username()), password })
    }
}

/// The header that says who we are.
pub(in super::super) fn headers(identity: Option<&BasicAuth>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(value) = identity.and_then(basic) {
        headers.insert(AUTHORIZATION, value);
    }
    headers
}

fn basic(identity: &BasicAuth) -> Option<HeaderValue> {
    let both = format!("{}:{}", identity.username, identity.password.expose());
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}
