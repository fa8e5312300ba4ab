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
        // A file system distinguishes `Shop` from `shop`; a local path is no URL in which case is folded.
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

/// Masks what opens a server in every URL of a text, byte for byte, so that positions in it still hold: users, passwords
/// and queries, in malformed URLs, too.
///
/// A URL that somebody took for a path has one slash left (`https:/user:password@host`); one without a scheme has none.
pub fn mask_credentials_in_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive(ends_word) {
        let length = word.len() - word.chars().next_back().filter(|end| ends_word(*end)).map_or(0, char::len_utf8);
        let (word, end) = word.split_at(length);
        mask_word(word, &mut masked);
        masked.push_str(end);
    }
    masked
}

fn ends_word(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '<' | '>') || letter.is_whitespace()
}

fn mask_word(word: &str, masked: &mut String) {
    let mut rest = word;
    if !rest.contains(":/")
        && let Some(at) = rest.rfind('@')
        // An image's digest follows its tag in the same way.
        && rest[..at].contains(':') && !rest[at..].starts_with("@sha")
    {
        mask_bytes(at, masked);
        rest = &rest[at..];
    }
    while let Some(found) = rest.find(":/") {
        let is_url = rest[found..].starts_with("://");
        let (before, after) = rest.split_at(found + if is_url { 3 } else { 2 });
        masked.push_str(before);
        rest = after;
        let is_password = |at: usize| after[..at].contains(':') || (is_url && !before.ends_with("ssh://"));
        if let Some(at) = end_of_user(after).filter(|at| is_password(*at)) {
            mask_bytes(at, masked);
            rest = &after[at..];
        }
        let place = rest.find(":/").unwrap_or(rest.len());
        if is_url && let Some(query) = rest[..place].find('?') {
            let (before, query) = rest.split_at(query + 1);
            masked.push_str(before);
            if is_harmless(query) {
                masked.push_str(query);
            } else {
                mask_bytes(query.len(), masked);
            }
            return;
        }
    }
    masked.push_str(rest);
}

fn mask_bytes(count: usize, masked: &mut String) {
    masked.extend(std::iter::repeat_n('*', count));
}

/// Where the user information ends, of what follows `scheme://`. A password that was not encoded may have `/`, `?` and `#`
/// in it, where a URL's host would end.
fn end_of_user(rest: &str) -> Option<usize> {
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    authority.rfind('@').or_else(|| rest.rfind('@').filter(|_| authority.contains(':')))
}

/// Whether a query only says which revision is meant, as that of Kustomize's bases.
fn is_harmless(query: &str) -> bool {
    query.split('&').all(|part| {
        let name = part.split_once('=').map_or(part, |(name, _)| name);
        matches!(name, "ref" | "version" | "timeout" | "submodules" | "depth")
    })
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = without_user(&self.raw);
        if let Some((scheme, rest)) = shown.split_once("://")
            && let Some(at) = end_of_user(rest).filter(|at| rest[..*at].contains(':'))
        {
            shown = format!("{scheme}://{}", &rest[at + 1..]);
        }
        // What stands in a query may be a signature, which opens what is below the URL.
        match shown.split_once('?') {
            Some((place, _)) if shown.contains("://") => write!(formatter, "{place}?***"),
            // A URL that is invalid for a missing slash has a password all the same.
            _ if !shown.starts_with('/') => formatter.write_str(&mask_credentials_in_text(&shown)),
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

impl PartialOrd for RepoUrl {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RepoUrl {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.normal.cmp(&other.normal)
    }
}

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
            ("https://ci:s3/cret@git.example.com/shop", "https://git.example.com/shop"),
            ("https://ci:s3#cret@git.example.com/shop", "https://git.example.com/shop"),
            ("https://ci:s3?cret@git.example.com/shop", "https://git.example.com/shop"),
            ("https:/ci:s3cret@git.example.com/shop", "https:/*********@git.example.com/shop"),
            ("https:ci:s3cret@git.example.com/shop", "git.example.com/shop"),
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

    /// Whoever writes a URL by hand forgets to encode a password, or a slash.
    #[test]
    fn credentials_in_malformed_urls_are_masked() {
        for text in [
            "https://ci:s3cret@host/x",
            "https://s3cret@host/x",
            "https://ci:s3cret/word@host/x",
            "https://ci:s3cret#word@host/x",
            "https://ci:word?s3cret@host/x",
            "https:/ci:s3cret@host/x",
            "https:ci:s3cret@host/x",
            "https//ci:s3cret@host/x",
            "ci:s3cret@host:5000/x",
            "oci://ci:s3cret@host/x",
            "a=https://host/x,https://ci:s3cret@host/y",
            "https://host/x?sig=s3cret&ref=main",
            "https://host/x?ref=main&sig=s3cret",
            "git::https://ci:word@host/x?token=s3cret",
        ] {
            let masked = mask_credentials_in_text(text);
            assert!(!masked.contains("s3cret"), "{text}: {masked}");
            assert_eq!(masked.len(), text.len(), "{text}");
        }
        for text in [
            "https://github.com/shop/infra//base?ref=v1.2&timeout=90s",
            "git@git.example.com:shop/infra",
            "ssh://git@git.example.com/shop/infra",
            "nginx:1.27@sha256:0123",
            "https://git.example.com:8443/shop",
            "apps/v1:Deployment",
        ] {
            assert_eq!(mask_credentials_in_text(text), text);
        }
    }
}
