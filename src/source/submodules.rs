//! Fetches the submodules of a revision, each as a repository of its own.
//!
//! In: a folder that has everything but its submodules. Out: the same folder, whole. What a repository says about its
//! submodules is a stranger's word: no paths of this machine, no programs, no credentials that were not meant for that
//! server, no nesting without end.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::secret::RepoUrl;
use crate::storage::copy_file;

use super::access::{ServerAccess, Trust};
use super::checkout::Wanted;
use super::error::SourceError;
use super::location::Location;
use super::task::{Task, When};

/// How deep submodules may nest.
const DEPTH: usize = 5;

/// How large `.gitmodules` may be.
const LIMIT: u64 = 1 << 20;

/// Fetches all of them into `folder`.
pub(super) fn fetch_into(
    task: &Task,
    folder: &Path,
    submodules: &[(std::path::PathBuf, ObjectId)],
) -> Result<(), SourceError> {
    let urls = urls(folder);
    for (path, commit) in submodules {
        let shown = path.display().to_string();
        let refused = |reason: &str| SourceError::SubmoduleRefused {
            url: task.url.to_string(),
            path: shown.clone(),
            reason: reason.to_owned(),
        };
        if task.depth >= DEPTH {
            return Err(refused("submodules nest too deep"));
        }
        let url = urls.get(&shown).ok_or_else(|| refused(".gitmodules has no URL for it"))?;
        let url = absolute(task.url.with_credentials(), url).ok_or_else(|| refused("its URL leaves the server"))?;
        let url = RepoUrl::new(url);
        match Location::of(&url) {
            Ok(Location::Local(_)) => return Err(refused("its URL is a path of this machine")),
            Err(SourceError::UrlRefused { reason, .. }) => {
                return Err(refused(&format!("its URL cannot be fetched: {reason}")));
            }
            Ok(_) | Err(_) => {}
        }
        let inner = Task {
            shared: task.shared.clone(),
            trust: trust(task, &url),
            project: task.project.clone(),
            files: None,
            wanted: vec![Wanted::default().at(&commit.to_string())],
            references: None,
            limits: task.limits.clone(),
            runtime: task.runtime.clone(),
            depth: task.depth + 1,
            when: When::Now,
            url,
        };
        let fetched = inner.one().map_err(|cause| SourceError::Submodule {
            url: task.url.to_string(),
            path: shown.clone(),
            cause: Box::new(cause),
        })?;
        let cache = task.shared.cache()?;
        copy(&fetched, &folder.join(path)).map_err(|error| cache.unusable(&error))?;
    }
    Ok(())
}

/// Credentials of the settings go to the server that the user named, and to no other.
fn trust(task: &Task, url: &RepoUrl) -> Trust {
    let origin =
        |url: &RepoUrl| Some(ServerAccess::to(url, &task.shared.settings.credentials, Trust::Stranger)?.origin);
    if task.trust == Trust::Named && origin(url).is_some() && origin(url) == origin(&task.url) {
        Trust::Named
    } else {
        Trust::Stranger
    }
}

/// The content of `.gitmodules`: a URL for each path.
fn urls(folder: &Path) -> HashMap<String, String> {
    let place = folder.join(".gitmodules");
    let small = fs::symlink_metadata(&place).is_ok_and(|meta| meta.is_file() && meta.len() <= LIMIT);
    let Some(bytes) = small.then(|| fs::read(&place).ok()).flatten() else { return HashMap::new() };
    let text = String::from_utf8_lossy(&bytes);
    let Ok(modules) = gix::config::File::try_from(text.as_ref()) else { return HashMap::new() };
    let Some(sections) = modules.sections_by_name("submodule") else { return HashMap::new() };
    let value = |section: gix::config::file::SectionRef<'_>, key: &str| {
        section.value(key).map(|value| value.to_str_lossy().into_owned())
    };
    sections
        .filter_map(|section| Some((value(section, "path")?.trim_end_matches('/').to_owned(), value(section, "url")?)))
        .collect()
}

/// Resolves a relative URL against its superproject's, as git does (submodule--helper, `relative_url`).
fn absolute(parent: &str, url: &str) -> Option<String> {
    if !(url.starts_with("./") || url.starts_with("../")) {
        return Some(url.to_owned());
    }
    let mut base = parent.trim_end_matches('/');
    let mut rest = url;
    loop {
        if let Some(after) = rest.strip_prefix("../") {
            rest = after;
            let end = base.rfind(['/', ':'])?;
            // Neither the scheme's slashes nor the server may be climbed over.
            if base[..end].ends_with(['/', ':']) || (base.as_bytes()[end] == b':' && base[..end].contains("://")) {
                return None;
            }
            let scp = base.as_bytes()[end] == b':';
            base = if scp { &base[..=end] } else { &base[..end] };
        } else if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else {
            break;
        }
    }
    let only_server = base.split_once("://").is_some_and(|(_, rest)| rest.is_empty());
    if only_server || rest.is_empty() {
        return None;
    }
    Some(if base.ends_with(':') { format!("{base}{rest}") } else { format!("{base}/{rest}") })
}

/// Copies a confined folder: links as links, files by hard links where the disk has them.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&place)?;
            copy(&entry.path(), &place)?;
        } else if kind.is_symlink() {
            super::tree::make_link(&fs::read_link(entry.path())?, &place)?;
        } else if fs::hard_link(entry.path(), &place).is_err() {
            copy_file(&entry.path(), &place, false)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_urls_start_at_the_superproject() {
        for (parent, url, expected) in [
            ("https://host/shop/infra.git", "../base.git", Some("https://host/shop/base.git")),
            ("https://host/shop/infra/", "../base", Some("https://host/shop/base")),
            ("https://host/shop/infra", "../../other/base", Some("https://host/other/base")),
            ("https://host/shop/infra", "./base", Some("https://host/shop/infra/base")),
            ("https://ci:s3cret@host/shop/infra", "../base", Some("https://ci:s3cret@host/shop/base")),
            ("git@host:shop/infra.git", "../base.git", Some("git@host:shop/base.git")),
            ("git@host:infra.git", "../base.git", Some("git@host:base.git")),
            ("ssh://git@host:22/shop/infra", "../base", Some("ssh://git@host:22/shop/base")),
            ("https://host/infra", "../../evil.example/x", None),
            ("https://host/infra", "../../../x", None),
            ("ssh://host:22/infra", "../../9/x", None),
            ("https://host/shop/infra", "../", None),
            ("https://host/a", "https://other/b", Some("https://other/b")),
        ] {
            assert_eq!(absolute(parent, url).as_deref(), expected, "{url} of {parent}");
        }
    }
}
