//! Fetches Application manifests from git: `--apps-from`.
//!
//! In: places in git repositories, and the [`Sources`] of the run. Out: [`ManifestText`]s named by URL and file, and what could
//! not be fetched or read. Credentials, `--repo`, `--checkout` and the cache are those of applications' sources.

use std::path::{Path, PathBuf};

use super::arguments::apps_from::AppsFrom;
use super::manifests::{self, ManifestPath, StandardInput};
use super::session::Session;
use crate::app::{ManifestFolder, ManifestText};
use crate::finding::Finding;
use crate::source::{Checkout, SourceError, Sources, Wanted};

/// The manifest files of every place, and an error for each that has none.
pub(super) async fn read(
    places: &[AppsFrom],
    sources: &Sources,
    session: &Session,
) -> (Vec<ManifestText>, Vec<Finding>) {
    let (mut texts, mut errors) = (Vec::new(), Vec::new());
    for place in places {
        let wanted = Wanted { revision: place.revision.clone(), ..Wanted::default() };
        let fetched = sources.fetch_named(&place.url, &wanted, &session.cancel).await;
        match fetched {
            Ok(checkout) => {
                let (found, unread) = files(place, &checkout);
                texts.extend(found);
                errors.extend(unread);
            }
            Err(error) => errors.push(Finding::of(&*error).about(&place.to_string())),
        }
    }
    (texts, errors)
}

/// The manifest files of a place; each is named by URL and path.
fn files(place: &AppsFrom, checkout: &Checkout) -> (Vec<ManifestText>, Vec<Finding>) {
    let path = match file_or_folder(place, checkout) {
        Ok(path) => path,
        Err(error) => return (Vec::new(), vec![Finding::of(&error).about(&place.to_string())]),
    };
    let root = std::fs::canonicalize(&checkout.root).unwrap_or_else(|_| checkout.root.clone());
    let named = |path: &Path| {
        let below = path.strip_prefix(&root).unwrap_or(path);
        if below.as_os_str().is_empty() { place.url.to_string() } else { format!("{}#{}", place.url, below.display()) }
    };
    let input = StandardInput { reader: &mut std::io::empty(), is_terminal: false };
    let found = manifests::read_argo_cd(&[ManifestPath::Path(path)], input);
    let texts = found.texts.into_iter().map(|text| {
        let folder = text.folder.local().map_or_else(PathBuf::new, Path::to_owned);
        let path = folder.strip_prefix(&root).map(Path::to_owned).unwrap_or_default();
        let folder = ManifestFolder::Repository { url: place.url.clone(), path };
        ManifestText { name: named(Path::new(&text.name)), folder, ..text }
    });
    let errors = found.errors.into_iter().map(|error| Finding::of(&error.renamed(|path| named(Path::new(path)))));
    (texts.collect(), errors.collect())
}

fn file_or_folder(place: &AppsFrom, checkout: &Checkout) -> Result<PathBuf, SourceError> {
    let path = if place.path.is_empty() { "." } else { &place.path };
    match checkout.file(path) {
        Err(SourceError::NotAFile { .. }) => checkout.folder(path),
        found => found,
    }
}
