//! The server's `OpenAPI` v3 documents: fetched for one group and version, and only when somebody needs it.
//!
//! In: a group and version. Out: its document, or nothing where the server has none. The index is asked once a run; a
//! document is kept on disk under the hash that the index gives it, and is not asked for again while that stays.
//!
//! Rule: KEP-2896 (`/openapi/v3`, and the hash in each document's address).

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::connection::{Ask, Connection, RequestPurpose};
use crate::cluster::ClusterError;
use crate::object::Gvk;
use crate::storage::{make_private, seal, unseal};

type OpenApiDocument = Arc<OnceCell<Result<Option<Arc<Value>>, ClusterError>>>;

/// The documents of one server.
pub(super) struct Documents {
    /// Where they are kept between runs.
    folder: Option<PathBuf>,
    index: OnceCell<Result<Value, ClusterError>>,
    known: Mutex<HashMap<String, OpenApiDocument>>,
}

impl Documents {
    pub(super) fn new(cache: Option<&Path>) -> Self {
        Self { folder: cache.map(|cache| cache.join("openapi")), index: OnceCell::new(), known: Mutex::default() }
    }

    /// The document of a kind's group and version.
    pub(super) async fn of(&self, connection: &Connection, kind: &Gvk) -> Result<Option<Arc<Value>>, ClusterError> {
        let name = match kind.group.as_str() {
            "" => format!("api/{}", kind.version),
            group => format!("apis/{group}/{}", kind.version),
        };
        let document = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(name.clone()).or_default())
        };
        document.get_or_init(|| self.fetch(connection, &name)).await.clone()
    }

    async fn fetch(&self, connection: &Connection, name: &str) -> Result<Option<Arc<Value>>, ClusterError> {
        let index = self.index.get_or_init(|| async { read(connection, "/openapi/v3").await.map(|(_, index)| index) });
        let index = index.await.as_ref().map_err(Clone::clone)?;
        let address = index.get("paths").and_then(|paths| paths.get(name)?.get("serverRelativeURL")?.as_str());
        // An address is a path on this server: anything else is not followed.
        let Some(address) = address.filter(|address| address.starts_with("/openapi/")) else { return Ok(None) };
        let file = self.file(address);
        if let Some(kept) = file.as_deref().and_then(|file| std::fs::read(file).ok())
            && let Some(kept) = unseal(address, &kept)
            && let Ok(document) = serde_json::from_slice(kept)
        {
            return Ok(Some(Arc::new(document)));
        }
        let (text, document) = read(connection, address).await?;
        if let Some(file) = file {
            // Without it, the next run asks again, no more.
            let _ = keep(&file, &seal(address, &text));
        }
        Ok(Some(Arc::new(document)))
    }

    /// Where a document is kept: by the hash in its address, so nowhere where the server gives none.
    fn file(&self, address: &str) -> Option<PathBuf> {
        let (_, hash) = address.split_once("hash=")?;
        let hash = hash.split('&').next()?;
        let is_plain = !hash.is_empty() && hash.chars().all(|character| character.is_ascii_alphanumeric());
        Some(self.folder.as_ref()?.join(format!("{hash}.json"))).filter(|_| is_plain)
    }
}

async fn read(connection: &Connection, path: &str) -> Result<(Bytes, Value), ClusterError> {
    let ask = Ask::get(RequestPurpose::OpenApi, path);
    let answer = connection.send(&ask).await?;
    if !answer.status.is_success() {
        return Err(connection.refused(&ask, &answer));
    }
    let document = serde_json::from_slice(&answer.body).ok();
    let document = document.ok_or_else(|| connection.broken(&ask, "it is not JSON"))?;
    Ok((answer.body, document))
}

/// Whole or not at all: several runs may share the folder.
fn keep(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    make_private(folder)?;
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    written.write_all(text)?;
    written.persist(file)?;
    Ok(())
}
