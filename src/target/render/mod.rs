//! Renders a checked-out source to objects: the tool is detected, then run; then namespaces are filled in.
//!
//! In: a checkout, a source. Out: objects and warnings, or a [`RenderError`] that names the file. Namespaces and
//! duplicates are settled over all sources of an application by [`settle`].
//!
//! Rules: Argo CD util/app/discovery, reposerver/repository.

mod detect;
mod directory;
mod error;
mod settle;

pub use directory::DEFAULT_COMBINED_SIZE;
pub use error::RenderError;
pub use settle::{Settled, settle};

use std::path::Path;

use self::detect::Tool;
use super::Target;
use crate::app::Source;
use crate::app::source::SourceKind;

/// What rendering may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderSettings {
    /// All plain manifests of one source together, in bytes.
    pub combined_size: u64,
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self { combined_size: DEFAULT_COMBINED_SIZE }
    }
}

/// Refuses a source whose manifest alone says that it cannot be rendered, before anything is fetched for it.
pub fn check(source: &Source) -> Result<(), RenderError> {
    match detect::explicit(source) {
        Some(Tool { kind, why }) if kind != SourceKind::Directory => Err(not_yet(kind, why)),
        _ => Ok(()),
    }
}

/// Renders one source from the folder that its checkout holds for it; `root` confines every path.
pub fn render(source: &Source, root: &Path, folder: &Path, settings: &RenderSettings) -> Result<Target, RenderError> {
    let tool = detect::detect(source, folder)?;
    if tool.kind != SourceKind::Directory {
        return Err(not_yet(tool.kind, tool.why));
    }
    let options = source.directory.clone().unwrap_or_default();
    directory::render(directory::Folder { root, folder, options: &options, combined_size: settings.combined_size })
}

fn not_yet(kind: SourceKind, why: String) -> RenderError {
    RenderError::NotYetRendered { what: kind.as_str(), why }
}
