//! A repository's URL, which shows no credentials and compares as Argo CD compares.
//!
//! In: what a manifest or a flag says. Out: [`RepoUrl`]: shown without user information, equal when normalised equal.
//! Rule: Argo CD util/git `NormalizeGitURL` (lower case, `.git` stripped, scp form and ssh:// unified).

use std::fmt;
use std::hash::{Hash, Hasher};

/// The URL of a repository, as written; displayed without what opens it, compared in normal form.
#[derive(Clone)]
pub struct RepoUrl {
    raw: String,
    normal: String,
}

impl RepoUrl {
    /// Takes a URL as written.
    pub fn new(raw: impl Into<String>) -> Self {
        let raw = raw.into().trim().to_owned();
        let normal = normal_form(&raw);
        Self { raw, normal }
    }

    /// The URL as written, credentials included: only for the transport.
    pub fn with_credentials(&self) -> &str {
        &self.raw
    }

    /// The form in which two spellings of one repository are equal: lower case, no `.git`, no scheme or user for ssh.
    pub fn normal_form(&self) -> &str {
        &self.normal
    }

    /// The repository without scheme, user and port, by which it is the same one over https and over ssh.
    pub fn host_and_path(&self) -> String {
        // A query opens it, and does not say what it is.
        let place = self.normal.split('?').next().unwrap_or_default();
        let Some((_scheme, rest)) = place.split_once("://") else { return place.to_owned() };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit('@').next().unwrap_or_default();
        let host = host.split_once(':').map_or(host, |(host, _port)| host);
        format!("{host}/{path}")
    }
}

fn normal_form(raw: &str) -> String {
    if let Some(path) = raw.strip_prefix("file://").or_else(|| raw.starts_with(['/', '.']).then_some(raw)) {
        // A file system tells `Shop` from `shop`; a local path is no URL in which case is folded.
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        return path.to_owned();
    }
    let mut text = without_user(raw).to_lowercase();
    while let Some(rest) = text.strip_suffix('/') {
        text = rest.to_owned();
    }
    if let Some(rest) = text.strip_suffix(".git") {
        text = rest.to_owned();
    }
    if let Some(rest) = text.strip_prefix("ssh://") {
        let rest = rest.split_once('@').map_or(rest, |(_, host)| host);
        return format!("ssh://{rest}");
    }
    if !text.contains("://")
        && let Some((host, path)) = text.split_once(':')
        && !host.contains('/')
        && !path.starts_with('\\')
        && host.len() > 1
    {
        let host = host.split_once('@').map_or(host, |(_, host)| host);
        return format!("ssh://{host}/{}", path.trim_start_matches('/'));
    }
    text
}

/// A URL without its user information (`scheme://user:password@host`). A user without a password stays where it is no
/// secret: in front of a host that ssh reaches.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some(at) = rest[..authority_end].rfind('@') else { return url.to_owned() };
    if scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("ssh")) && !rest[..at].contains(':') {
        return url.to_owned();
    }
    let host = &rest[at + 1..];
    scheme.map_or_else(|| host.to_owned(), |scheme| format!("{scheme}://{host}"))
}

/// Masks the user information of every URL in a text, byte for byte, so that positions in it still hold.
///
/// A URL that somebody took for a path has one slash left (`https:/user:password@host`).
pub fn mask_credentials_in_text(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(":/") {
        let is_url = rest[found..].starts_with("://");
        let (before, after) = rest.split_at(found + if is_url { 3 } else { 2 });
        result.push_str(before);
        let end = after
            .find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<' | '>') || c.is_whitespace())
            .unwrap_or(after.len());
        let authority = &after[..end];
        match authority.rfind('@') {
            Some(at) if authority[..at].contains(':') || (is_url && !before.ends_with("ssh://")) => {
                result.extend(std::iter::repeat_n('*', at));
                result.push_str(&authority[at..]);
            }
            _ => result.push_str(authority),
        }
        rest = &after[end..];
    }
    result.push_str(rest);
    result
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = without_user(&self.raw);
        // What stands in a query may be a signature, which opens what is below the URL.
        match shown.split_once('?') {
            Some((place, _)) if shown.contains("://") => write!(formatter, "{place}?***"),
            _ => formatter.write_str(&shown),
        }
    }
}

impl fmt::Debug for RepoUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RepoUrl({self})")
    }
}

impl PartialEq for RepoUrl {
    fn eq(&self, other: &Self) -> bool {
        self.normal == other.normal
    }
}

impl Eq for RepoUrl {}

impl Hash for RepoUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows() {
        let url = RepoUrl::new("https://ci:s3cret@git.example.com/shop/infra.git");
        assert_eq!(url.to_string(), "https://git.example.com/shop/infra.git");
        assert_eq!(format!("{url:?}"), "RepoUrl(https://git.example.com/shop/infra.git)");
        assert_eq!(url.with_credentials(), "https://ci:s3cret@git.example.com/shop/infra.git");
        for (url, expected) in [
            ("https://charts.example.com/shop?sig=s3cret", "https://charts.example.com/shop?***"),
            ("oci://ci:s3cret@registry.example.com/shop", "oci://registry.example.com/shop"),
            ("ci:s3cret@registry.example.com:5000/shop", "registry.example.com:5000/shop"),
            ("git@git.example.com:shop/infra", "git@git.example.com:shop/infra"),
            ("/srv/what?/shop", "/srv/what?/shop"),
        ] {
            assert_eq!(RepoUrl::new(url).to_string(), expected);
        }
    }

    #[test]
    fn spellings_of_one_repository_are_equal() {
        for (left, right) in [
            ("https://github.com/Shop/Infra.git", "https://github.com/shop/infra"),
            ("https://user:token@github.com/shop/infra", "https://github.com/shop/infra/"),
            ("git@github.com:shop/infra.git", "ssh://git@github.com/shop/infra"),
            ("github.com:shop/infra", "ssh://git@github.com/shop/infra.git"),
        ] {
            assert_eq!(RepoUrl::new(left), RepoUrl::new(right), "{left} and {right}");
        }
        assert_ne!(RepoUrl::new("https://github.com/shop/infra"), RepoUrl::new("git@github.com:shop/infra"));
    }

    #[test]
    fn local_paths_keep_their_case() {
        assert_eq!(RepoUrl::new("file:///srv/Shop/"), RepoUrl::new("/srv/Shop"));
        assert_ne!(RepoUrl::new("/srv/Shop"), RepoUrl::new("/srv/shop"));
    }

    #[test]
    fn credentials_in_a_text_are_masked_in_place() {
        let text = "repoURL: https://ci:s3cret@host/x # see ssh://git@host/y and https://host/@z";
        let masked = mask_credentials_in_text(text);
        assert_eq!(masked, "repoURL: https://*********@host/x # see ssh://git@host/y and https://host/@z");
        assert_eq!(masked.len(), text.len());
        // What a program makes of a URL that it takes for a path.
        let masked = mask_credentials_in_text("lstat app/https:/ci:s3cret@host/x: 'C:/me@home'");
        assert_eq!(masked, "lstat app/https:/*********@host/x: 'C:/me@home'");
    }
}
