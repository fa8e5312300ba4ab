//! How a registry asks for credentials: `WWW-Authenticate`, and the token that it sends us for.
//!
//! In: the header. Out: what it asks for, and the token that its server hands out.
//!
//! Rules: RFC 9110 11.6.1; Docker's token protocol (distribution/docs/spec/auth/token.md), and its variant for who has a
//! refresh token in place of a password (oauth.md).

use reqwest::Url;
use serde_json::Value;

use super::super::access::{Pass, Web, WebAnswer, headers, shown};
use super::super::error::{SourceCause, SourceError};
use crate::secret::Secret;

/// Credentials for a registry.
pub(super) const ACCESS_HELP: &str = "set TRUEUP_OCI_USERNAME and TRUEUP_OCI_PASSWORD, log in with `helm registry login`, or give \
                           the repository's Secret with `--repositories`; a repository that is not there may look the same";

/// The size limit of an answer with a token.
const TOKEN_LIMIT: u64 = 1 << 20;

/// The password was meant for other hosts.
const WITHHELD: &str = "the registry hands out tokens on another host, which TRUEUP_OCI_HOST does not name: add it there if it \
                        may see TRUEUP_OCI_PASSWORD";

/// Such tokens end after some hours.
const LOG_IN_AGAIN: &str = "log in to the registry again, as with `az acr login` or `docker login`";

/// The authentication that a registry requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and a password.
    Basic,
    /// A token from another server.
    Bearer(TokenWanted),
}

/// Where a token is to be had, and for what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TokenWanted {
    realm: String,
    service: String,
    scope: String,
}

impl Challenge {
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut wanted = TokenWanted::default();
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => wanted.realm = value,
                "service" => wanted.service = value,
                "scope" => wanted.scope = value,
                _ => {}
            }
        }
        (!wanted.realm.is_empty()).then_some(Self::Bearer(wanted))
    }
}

/// `name="value", name=value`; a value in quotes may have commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        found.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = after.trim_start_matches([',', ' ']);
    }
    found
}

impl TokenWanted {
    /// Asks for the token; nothing when the server hands out none.
    pub(super) fn token(
        &self,
        web: &Web,
        registry: &Url,
        repository: &str,
        pass: &Pass,
    ) -> Result<Option<Secret<String>>, SourceError> {
        let url = registry.to_string();
        let refused = |reason| SourceError::UrlRefused { url: url.clone(), reason };
        let realm = Url::parse(&self.realm).map_err(|_error| refused("its token server is not a URL"))?;
        // Who spoke TLS with us does not get our password sent in clear text elsewhere.
        if realm.scheme() != "https" && registry.scheme() == "https" {
            return Err(refused("its token server does not use TLS"));
        }
        let scope = if self.scope.is_empty() { format!("repository:{repository}:pull") } else { self.scope.clone() };
        let answer = self.ask(web, realm.clone(), &scope, pass)?;
        if !answer.status().is_success() {
            let is_withheld = pass.identity.is_some() && pass.identity_for(&realm).is_none();
            return Err(answer.failed(if is_withheld { WITHHELD } else { ACCESS_HELP }));
        }
        let said: Value = serde_json::from_slice(&answer.bytes(TOKEN_LIMIT)?).map_err(|error| {
            let help = "look at what the registry's token server answers".to_owned();
            SourceError::FetchFailed { url: url.clone(), help, cause: SourceCause::of(&error) }
        })?;
        let token = ["token", "access_token"].iter().find_map(|field| said.get(field).and_then(Value::as_str));
        Ok(token.map(|token| Secret::new(token.to_owned())))
    }

    fn ask<'web>(
        &self,
        web: &'web Web,
        mut realm: Url,
        scope: &str,
        pass: &Pass,
    ) -> Result<WebAnswer<'web>, SourceError> {
        let mut fields = vec![("scope", scope)];
        if !self.service.is_empty() {
            fields.insert(0, ("service", &self.service));
        }
        let Some(token) = &pass.refresh_token else {
            realm.query_pairs_mut().extend_pairs(fields);
            return web.get(&realm, &headers(pass.identity_for(&realm)));
        };
        fields.extend([("grant_type", "refresh_token"), ("client_id", "trueup"), ("refresh_token", token.expose())]);
        let answer = web.post(&realm, &fields)?;
        // RFC 6749 5.2: this says that the token expired or was revoked.
        if answer.status().as_u16() == 400 {
            let cause =
                Some(SourceCause::saying(format!("it answers {} to the token of an earlier login", answer.status())));
            return Err(SourceError::AccessRefused { url: shown(&realm), help: LOG_IN_AGAIN.to_owned(), cause });
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read() {
        let bearer = |realm: &str, service: &str, scope: &str| {
            let text = str::to_owned;
            Some(Challenge::Bearer(TokenWanted { realm: text(realm), service: text(service), scope: text(scope) }))
        };
        for (header, expected) in [
            ("Basic realm=\"Registry\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                "Bearer realm=\"https://auth.example.com/token\",service=\"registry.example.com\",scope=\"repository:a/b:pull,push\"",
                bearer("https://auth.example.com/token", "registry.example.com", "repository:a/b:pull,push"),
            ),
            ("bearer scope=\"x\", realm=https://a/t", bearer("https://a/t", "", "x")),
            ("Bearer service=a", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::read(header), expected, "{header}");
        }
    }
}
