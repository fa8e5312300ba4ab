//! Where a `repoURL` leads: a folder of this machine, or a server.
//!
//! In: the URL as a manifest writes it. Out: an absolute [`RepoUrl`] ([`locate`]), and how it is reached ([`Location`]).
//! git: urls in gitprotocol and git-clone(1); `ext::` and other remote helpers run programs and are refused.

use std::path::{Component, Path, PathBuf};

use crate::app::ManifestFolder;
use crate::secret::RepoUrl;

use super::error::SourceError;

/// Makes a `repoURL` absolute: `.`, `./x` and `../x` are relative to the folder of the manifest that has it.
///
/// For a manifest from a git repository, its URL stands for the repository's root: `../..` in `apps/prod` is the repository
/// itself, and one more `..` leads to those beside it, as for the submodules of git.
pub fn locate(repo_url: &str, manifest_folder: &ManifestFolder) -> RepoUrl {
    let repo_url = repo_url.trim();
    let relative = matches!(repo_url, "." | "..") || repo_url.starts_with("./") || repo_url.starts_with("../");
    if !relative {
        return RepoUrl::new(repo_url);
    }
    match manifest_folder {
        ManifestFolder::Local(folder) => below_folder(folder, repo_url),
        ManifestFolder::Repository { url, path } => below_repository(url, path, repo_url),
    }
}

/// Where the path of a repository's URL starts: behind `https://host/`, behind `git@host:`.
pub fn path_start(url: &str) -> usize {
    if let Some(scheme) = url.find("://") {
        let authority = scheme + "://".len();
        return url[authority..].find('/').map_or(url.len(), |end| authority + end + 1);
    }
    if url.starts_with(['/', '.']) {
        return 0;
    }
    match url.split_once(':') {
        Some((host, _)) if !host.contains('/') => host.len() + 1,
        _ => 0,
    }
}

fn below_repository(url: &RepoUrl, folder: &Path, relative: &str) -> RepoUrl {
    let (before, root) = url.with_credentials().split_at(path_start(url.with_credentials()));
    let is_absolute = root.starts_with('/');
    let root: Vec<&str> = root.split('/').filter(|part| !part.is_empty()).collect();
    let folder = folder.to_string_lossy();
    let mut path = root.clone();
    for part in folder.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    if path == root {
        return url.clone();
    }
    RepoUrl::new(format!("{before}{}{}", if is_absolute { "/" } else { "" }, path.join("/")))
}

fn below_folder(manifest_folder: &Path, repo_url: &str) -> RepoUrl {
    let folder = std::path::absolute(manifest_folder).unwrap_or_else(|_| manifest_folder.to_owned());
    let mut path = PathBuf::new();
    for part in folder.join(repo_url).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    RepoUrl::new(path.to_string_lossy())
}

/// How a repository is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// A folder of this machine.
    Local(PathBuf),
    /// `https://` or `http://`.
    Http,
    /// `ssh://`, or the scp form.
    Ssh,
    /// `git://`.
    GitDaemon,
}

impl Location {
    pub(super) fn of(url: &RepoUrl) -> Result<Self, SourceError> {
        let raw = url.with_credentials();
        let refused = |reason| Err(SourceError::UrlRefused { url: url.to_string(), reason });
        if raw.is_empty() {
            return refused("it is empty");
        }
        if raw.starts_with('-') {
            return refused("it starts with a dash, which a program could take for an option");
        }
        if raw.chars().any(char::is_control) {
            return refused("it has a control character in it");
        }
        if raw.starts_with('/') {
            return Ok(Self::Local(PathBuf::from(raw)));
        }
        if let Some((scheme, rest)) = raw.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "https" | "http" if has_host(rest) => Ok(Self::Http),
                "ssh" | "git+ssh" | "ssh+git" if has_host(rest) => Ok(Self::Ssh),
                "git" if has_host(rest) => Ok(Self::GitDaemon),
                "file" => {
                    let path = rest.strip_prefix("localhost").unwrap_or(rest);
                    if path.starts_with('/') {
                        Ok(Self::Local(PathBuf::from(path)))
                    } else {
                        refused("a `file://` URL needs an absolute path")
                    }
                }
                "https" | "http" | "ssh" | "git+ssh" | "ssh+git" | "git" => refused("it names no host"),
                _ => refused("trueup supports https, http, ssh, git and file"),
            };
        }
        if raw.contains("::") {
            return refused("remote helpers run programs, and are not allowed");
        }
        match raw.split_once(':') {
            Some((host, path)) if !host.contains('/') && has_host(host) && !path.is_empty() => Ok(Self::Ssh),
            _ => refused("a path of this machine starts with `/`, `./` or `../`, and a URL with its scheme"),
        }
    }
}

/// Whether two URLs lead to one repository, whatever way they take to it: scheme, user, case, `.git`, and a port that is the
/// scheme's own, make no difference.
///
/// Argo CD's `NormalizeGitURL` keeps the schemes apart, since each has credentials of its own. A checkout needs none.
pub fn is_same_repository(one: &RepoUrl, other: &RepoUrl) -> bool {
    one == other || place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
}

/// A repository's host, with a port that is not the scheme's own, and its path there; nothing for a folder of this machine.
fn place(url: &RepoUrl) -> Option<(String, String)> {
    let (scheme, rest) = url.normal_form().split_once("://")?;
    let port = match scheme {
        "ssh" | "git+ssh" | "ssh+git" => ":22",
        "https" => ":443",
        "http" => ":80",
        "git" => ":9418",
        _ => return None,
    };
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some((host.strip_suffix(port).unwrap_or(host).to_owned(), path.trim_matches('/').to_owned()))
}

/// Whether the authority of a URL names a host that no program takes for an option.
fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    !host.is_empty() && !host.starts_with([':', '-']) && !user.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_urls_start_at_the_manifest() {
        for (written, expected) in [
            (".", "/srv/apps"),
            ("./", "/srv/apps"),
            ("./repo", "/srv/apps/repo"),
            ("..", "/srv"),
            ("../infra.git", "/srv/infra.git"),
            ("../../../..", "/"),
            ("/srv/git/infra", "/srv/git/infra"),
            ("https://git.example.com/a", "https://git.example.com/a"),
            ("git@git.example.com:a/b", "git@git.example.com:a/b"),
        ] {
            assert_eq!(locate(written, &"/srv/apps".into()).with_credentials(), expected, "{written}");
        }
    }

    /// Whoever keeps Applications beside what they deploy writes `repoURL: ../..`, and the pull loop fetches them from git.
    #[test]
    fn relative_urls_of_a_manifest_from_git_start_at_its_repository() {
        for (url, written, expected) in [
            ("https://ci:x@git.example.com/shop/infra.git", "../..", "https://ci:x@git.example.com/shop/infra.git"),
            ("https://git.example.com/shop/infra", "../../", "https://git.example.com/shop/infra"),
            ("https://git.example.com/shop/infra", "../../../web", "https://git.example.com/shop/web"),
            ("https://git.example.com/shop/infra", "../../../../../..", "https://git.example.com/"),
            ("git@git.example.com:shop/infra.git", "../../../web.git", "git@git.example.com:shop/web.git"),
            ("ssh://git@git.example.com:22/infra", "../..", "ssh://git@git.example.com:22/infra"),
            ("file:///srv/git/infra", "../../../web", "file:///srv/git/web"),
            ("/srv/git/infra", "../../../web", "/srv/git/web"),
            ("/srv/git/infra", "https://git.example.com/a", "https://git.example.com/a"),
        ] {
            let folder = ManifestFolder::Repository { url: RepoUrl::new(url), path: "apps/prod".into() };
            assert_eq!(locate(written, &folder).with_credentials(), expected, "{url} {written}");
        }
    }

    /// A laptop's checkout was cloned over ssh, and manifests say https.
    #[test]
    fn a_repository_is_the_same_by_every_way_to_it() {
        let usual = RepoUrl::new("https://github.com/Shop/Infra.git");
        for (written, same) in [
            ("git@github.com:Shop/Infra.git", true),
            ("github.com:shop/infra", true),
            ("ssh://git@github.com/shop/infra", true),
            ("ssh://git@github.com:22/shop/infra.git", true),
            ("git+ssh://git@github.com/shop/infra", true),
            ("https://github.com:443/shop/infra/", true),
            ("https://ci:s3cret@GitHub.com/SHOP/infra", true),
            ("http://github.com/shop/infra", true),
            ("http://github.com:80/shop/infra", true),
            ("git://github.com/shop/infra.git", true),
            ("ssh://git@github.com:2222/shop/infra", false),
            ("https://github.com:8443/shop/infra", false),
            ("https://github.com/shop/infra-live", false),
            ("https://github.com/infra", false),
            ("https://gitlab.example.com/shop/infra", false),
            ("oci://github.com/shop/infra", false),
            ("/srv/github.com/shop/infra", false),
            ("file:///github.com/shop/infra", false),
        ] {
            assert_eq!(is_same_repository(&usual, &RepoUrl::new(written)), same, "{written}");
            assert_eq!(is_same_repository(&RepoUrl::new(written), &usual), same, "{written}");
        }
        let (ssh, https) = ("ssh://git@git.example.com:7999/shop/infra", "https://git.example.com:7999/shop/infra");
        assert!(is_same_repository(&RepoUrl::new(ssh), &RepoUrl::new(https)), "a port of both is one port");
    }

    #[test]
    fn a_url_says_how_it_is_reached() {
        for (written, expected) in [
            ("https://git.example.com/a/b.git", Location::Http),
            ("HTTP://user:secret@git.example.com:8080/a", Location::Http),
            ("ssh://git@git.example.com:2222/a", Location::Ssh),
            ("git@git.example.com:a/b.git", Location::Ssh),
            ("git.example.com:a/b.git", Location::Ssh),
            ("git://git.example.com/a", Location::GitDaemon),
            ("file:///srv/git/a", Location::Local("/srv/git/a".into())),
            ("file://localhost/srv/git/a", Location::Local("/srv/git/a".into())),
            ("/srv/git/a", Location::Local("/srv/git/a".into())),
        ] {
            assert_eq!(Location::of(&RepoUrl::new(written)).unwrap(), expected, "{written}");
        }
    }

    /// Each of these has started a program on somebody's machine.
    #[test]
    fn urls_that_run_programs_are_refused() {
        for written in [
            "",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch% /tmp/x",
            "ext::sh:x",
            "fd::17",
            "ssh://-oProxyCommand=x/a",
            "ssh://-oProxyCommand=x@host/a",
            "-oProxyCommand=x:a",
            "https://-x/a",
            "https:///a",
            "ssh://",
            "s3://bucket/a",
            "file://host/a",
            "registry.example.com/charts",
            "git@host:a\nb",
        ] {
            let error = Location::of(&RepoUrl::new(written)).unwrap_err();
            assert!(matches!(error, SourceError::UrlRefused { .. }), "{written}: {error}");
        }
    }
}
