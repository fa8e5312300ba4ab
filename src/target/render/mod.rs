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

pub use detect::Tool;
pub use directory::DEFAULT_COMBINED_SIZE;
pub use error::RenderError;
pub use settle::{Settled, settle};

use std::path::Path;

use super::Target;
use crate::app::Source;

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

/// Renders one source from the folder that its checkout holds for it; `root` confines every path.
pub fn render(source: &Source, root: &Path, folder: &Path, settings: &RenderSettings) -> Result<Target, RenderError> {
    let options = match detect::detect(source, folder)? {
        Tool::Directory(options) => options,
        Tool::Other { what, why } => return Err(RenderError::NotYetRendered { what, why }),
    };
    let folder = directory::Folder { root, folder, options: &options, combined_size: settings.combined_size };
    let manifests = directory::render(folder)?;
    Ok(Target { objects: manifests.objects, warnings: manifests.warnings })
}

/// The tool that a source needs, as far as its manifest tells: for sources that cannot be brought here.
pub fn tool_of_manifest(source: &Source) -> Option<Tool> {
    detect::explicit(source)
}
