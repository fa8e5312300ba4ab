//! Repository URLs as the rules of a project compare them.
//!
//! Rule: Argo CD util/git/git.go `NormalizeGitURL`, with what Go's `net/url` writes for a URL that it has read.

use std::fmt::Write as _;

/// A URL, or a pattern of URLs, in the form in which both are compared: lower case, without `.git` and `ssh://`.
pub(super) fn normalized(url: &str) -> String {
    let mut url = url.trim().to_lowercase();
    if is_ssh(&url) && !url.starts_with("ssh://") {
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    if is_invalid(url) {
        return String::new();
    }
    let (before, fragment) = cut(url, '#');
    let (place, query) = cut(before, '?');
    let path_start = place.find("://").map_or(0, |scheme| {
        let authority = scheme + "://".len();
        place[authority..].find('/').map_or(place.len(), |slash| authority + slash)
    });
    let (authority, path) = place.split_at(path_start);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let fragment = fragment.filter(|fragment| !fragment.is_empty());
    let fragment = fragment.map(|fragment| format!("#{}", escaped(fragment))).unwrap_or_default();
    let url = format!("{authority}{}{query}{fragment}", escaped(path));
    url.strip_prefix("ssh://").unwrap_or(&url).to_owned()
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// `user@host:path`, with or without `ssh://`.
fn is_ssh(url: &str) -> bool {
    let Some((user, host)) = url.strip_prefix("ssh://").unwrap_or(url).split_once('@') else { return false };
    !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@')
}

/// Whether Go finds a colon in the first segment of a path, because what stands before it is no scheme.
fn is_invalid(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once(':').filter(|(scheme, _)| !scheme.contains(['/', '?', '#'])) else {
        return false;
    };
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    !(scheme.starts_with(|letter: char| letter.is_ascii_alphabetic()) && scheme.chars().all(is_letter))
}

/// A path as Go writes it: as it was, unless something in it has to be escaped.
fn escaped(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@!'()*%[]".contains(&byte);
    if path.bytes().all(is_plain) {
        return path.to_owned();
    }
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        // Once anything has to be escaped, Go escapes these, too.
        if is_plain(byte) && !b"!'()*[]%".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: Argo CD's `NormalizeGitURL`.
    #[test]
    fn urls_are_compared_as_argo_cd_compares_them() {
        for (url, expected) in [
            ("https://GitHub.com/Shop/Infra.git", "https://github.com/shop/infra"),
            (" https://github.com/shop/infra ", "https://github.com/shop/infra"),
            ("git@github.com:shop/infra.git", "git@github.com/shop/infra"),
            ("ssh://git@github.com/shop/infra.git", "git@github.com/shop/infra"),
            ("ssh://git@github.com:22/shop/infra", "git@github.com:22/shop/infra"),
            ("https://github.com/shop/*", "https://github.com/shop/*"),
            ("https://github.com/shop/**", "https://github.com/shop/**"),
            ("https://github.com/{shop,till}/*", "https://github.com/%7Bshop,till%7D/%2A"),
            ("https://*.example.com/shop", "https://*.example.com/shop"),
            ("*://github.com/shop", ""),
            ("*", "*"),
            ("registry.example.com:5000/charts", "registry.example.com:5000/charts"),
        ] {
            assert_eq!(normalized(url), expected, "{url}");
        }
    }
}
