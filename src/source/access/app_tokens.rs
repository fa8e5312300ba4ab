//! The tokens that GitHub gave to Apps in this run, in memory alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;

use super::super::error::SourceCause;
use crate::app::settings::GithubApp;
use crate::secret::Secret;

/// The tokens of a run; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct AppTokens(Arc<Mutex<HashMap<blake3::Hash, TokenSlot>>>);

/// One token's; locked while it is asked for.
pub(super) type TokenSlot = Arc<Mutex<Option<KeptToken>>>;

/// The token, or why there is none: a fleet asks once.
#[derive(Debug)]
pub(super) struct KeptToken {
    pub(super) answer: Result<Secret<String>, TokenRefusal>,
    pub(super) at: Instant,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(super) struct TokenRefusal {
    pub(super) reason: String,
    pub(super) help: String,
    pub(super) cause: Option<SourceCause>,
}

impl AppTokens {
    pub(super) fn place(&self, app: &GithubApp, organisation: Option<&str>) -> TokenSlot {
        let key = app.private_key.as_ref().map(|key| key.expose().as_str()).unwrap_or_default();
        // Of an App whose installation is known, the organisation does not matter.
        let installation = app.installation.map(|id| id.to_string()).or(organisation.map(str::to_owned));
        let whole = json!([key, app.id, installation, app.api]).to_string();
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(blake3::hash(whole.as_bytes())).or_default().clone()
    }
}
