//! The files in a source's folder that change the source: `.argocd-source.yaml`, then `.argocd-source-<application>.yaml`.
//!
//! In: a source and its folder. Out: the source that counts, and what was odd about the files.
//!
//! Rules: Argo CD reposerver/repository/repository.go `mergeSourceParameters`; how they are merged is the app room's
//! ([`crate::app::source::overridden`]).

use std::fs;

use super::paths::{self, PathFault};
use super::{RenderError, RenderInput};
use crate::app::Source;
use crate::app::source;
use crate::finding::Finding;

/// The source with everything that its folder says about it.
pub(super) fn apply(input: &RenderInput<'_>) -> Result<(Source, Vec<Finding>), RenderError> {
    let mut source = input.source.clone();
    let mut warnings = Vec::new();
    for name in [".argocd-source.yaml".to_owned(), format!(".argocd-source-{}.yaml", input.instance_name)] {
        let path = input.folder.join(&name);
        let shown = paths::relative(input.root, &path);
        let file = match paths::resolve(input.root, &path) {
            Ok(file) if file.is_file() => file,
            Ok(_) | Err(PathFault::NotFound) => continue,
            Err(fault) => return Err(fault.of(&shown)),
        };
        let bytes = fs::read(file).map_err(|cause| RenderError::Unreadable { file: shown.clone(), source: cause })?;
        match source::overridden(&source, &shown, &bytes) {
            Ok((changed, found)) => {
                source = changed;
                warnings.extend(found);
            }
            Err(found) => return Err(RenderError::Override { file: shown, found }),
        }
    }
    Ok((source, warnings))
}
