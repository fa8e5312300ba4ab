//! Where an import is, and that it is in the checkout.
//!
//! In: the path of an import and the program that has it. Out: the file, links resolved; or why there is none.
//!
//! Rules: go-jsonnet imports.go `FileImporter`: beside the program first, then in the search folders, the last one first.

use std::path::{Path, PathBuf};

use super::super::paths::{PathFault, resolve};

/// Finds the file that an import means.
pub(super) fn find(root: &Path, beside: Option<&Path>, search: &[PathBuf], path: &str) -> Result<PathBuf, PathFault> {
    let folders = beside.into_iter().chain(search.iter().rev().map(PathBuf::as_path));
    let mut leaves = Path::new(path).is_absolute();
    if !leaves {
        for folder in folders {
            match resolve(root, &folder.join(path)) {
                Ok(found) if found.is_file() => return Ok(found),
                Ok(_) | Err(PathFault::NotFound) => {}
                // Another folder may still have it.
                Err(PathFault::Leaves) => leaves = true,
                Err(other) => return Err(other),
            }
        }
    }
    Err(if leaves { PathFault::Leaves } else { PathFault::NotFound })
}
