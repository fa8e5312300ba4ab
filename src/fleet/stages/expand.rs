//! Expands an ApplicationSet: what its generators need to know is read from the checkouts of its repositories.
//!
//! In: an [`ApplicationSet`] and the facts that are known from the start. Out: the [`Generated`] Applications and what went
//! wrong. The files of git generators come by the same fetch as sources: one a repository and run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::appset::{self, ApplicationSet, Expansion, Facts, Generated, GitRevision, Need};
use crate::finding::Finding;
use crate::process::Cancel;
use crate::source::{Checkout, Sources, Wanted, locate};

/// How often an expansion may ask: for a tree and then its files, in each of two nested generators.
const ROUNDS: usize = 8;

/// How many files of one revision are listed.
const MAX_FILES: usize = 1_000_000;

/// Expands one ApplicationSet.
pub async fn expand(
    set: &ApplicationSet,
    mut facts: Facts,
    sources: &Sources,
    cancel: &Cancel,
) -> (Vec<Generated>, Vec<Finding>) {
    for _ in 0..ROUNDS {
        match appset::expand(set, &facts) {
            Expansion::Done(generated, findings) => return (generated, findings),
            Expansion::Needs(needs) => answer(set, &needs, &mut facts, sources, cancel).await,
        }
    }
    let code = "trueup::fleet::expansion";
    let finding = Finding::error(code, "the generators still need files after all that they asked for was read");
    (Vec::new(), vec![finding.about(&set.name)])
}

async fn answer(set: &ApplicationSet, needs: &[Need], facts: &mut Facts, sources: &Sources, cancel: &Cancel) {
    for need in needs {
        let (Need::Tree(revision) | Need::File(revision, _)) = need;
        let checkout = checkout(set, revision, sources, cancel).await;
        match need {
            Need::Tree(revision) => {
                let tree = checkout.and_then(|checkout| tree(&checkout.root));
                facts.trees.insert(revision.clone(), tree);
            }
            Need::File(revision, path) => {
                let content = checkout.and_then(|checkout| {
                    let file = checkout.file(path).map_err(|error| error.to_string())?;
                    std::fs::read(file).map_err(|error| error.to_string())
                });
                facts.files.insert((revision.clone(), path.clone()), content);
            }
        }
    }
}

async fn checkout(
    set: &ApplicationSet,
    revision: &GitRevision,
    sources: &Sources,
    cancel: &Cancel,
) -> Result<Arc<Checkout>, String> {
    let url = locate(&revision.url, &set.folder);
    let wanted = Wanted { revision: revision.revision.clone(), project: revision.project.clone(), ..Wanted::default() };
    match sources.fetch(&url, &[wanted], cancel).await.pop() {
        Some(Ok(checkout)) => Ok(checkout),
        Some(Err(error)) => {
            let finding = Finding::of(&*error);
            Err([vec![finding.message], finding.causes].concat().join(": "))
        }
        None => Err("the repository was not fetched".to_owned()),
    }
}

/// The paths of all files, without git's own.
fn tree(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).map_err(|error| error.to_string())? {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = folder.join(entry.file_name());
            if entry.file_name() == ".git" {
                continue;
            }
            if entry.file_type().map_err(|error| error.to_string())?.is_dir() {
                folders.push(path);
            } else if let Some(path) = path.to_str() {
                files.push(path.to_owned());
            }
        }
        if files.len() > MAX_FILES {
            return Err(format!("the revision has more than {MAX_FILES} files"));
        }
    }
    files.sort();
    Ok(files)
}
