//! A Helm repository's index: its charts, their versions, where each archive is and what its digest is.
//!
//! In: the text of `index.yaml`. Out: an [`Index`], and the version that a chart's `targetRevision` means.
//!
//! Rules: Helm pkg/repo/index.go `Get` (the version as it is written first, then as a constraint), Argo CD
//! util/versions `MaxVersion`.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::SourceCause;
use super::super::version_range::{VersionRange, parse_version};
use crate::object::yaml::{self, Limits, WithPositions};

/// The charts of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index(BTreeMap<String, Vec<Release>>);

/// One version of a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Release {
    pub(super) version: String,
    /// Where the archive is, relative to the repository or not; empty where the index does not say it.
    pub(super) url: String,
    /// The archive's SHA-256 in hexadecimal; empty where the index has none, or one that is no SHA-256: Helm asks for neither.
    pub(super) digest: String,
}

impl Index {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, SourceCause> {
        let text = yaml::decode(bytes).map_err(|error| SourceCause::of(&error))?;
        let document = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next();
        let mut value = match document {
            None => return Err(SourceCause::saying("it is empty")),
            Some(Err(error)) => return Err(SourceCause::of(&error)),
            Some(Ok(document)) => document.value,
        };
        // Helm: an index without this is none, such as a page that greets people.
        if value.get("apiVersion").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(SourceCause::saying("it has no `apiVersion`"));
        }
        let Some(Value::Object(entries)) = value.get_mut("entries").map(Value::take) else {
            return Ok(Self::default());
        };
        let releases = |list: Value| {
            let list = if let Value::Array(list) = list { list } else { Vec::new() };
            list.iter().filter_map(release).collect::<Vec<_>>()
        };
        Ok(Self(entries.into_iter().map(|(name, list)| (name, releases(list))).collect()))
    }

    pub(super) fn chart(&self, name: &str) -> Option<&[Release]> {
        self.0.get(name).map(Vec::as_slice)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn release(entry: &Value) -> Option<Release> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = entry.get("version")?;
    // A version such as `1.10` that was not quoted is a number by now, and no version any more.
    let version = version.as_str().map_or_else(|| version.to_string(), str::to_owned);
    let urls = entry.get("urls").and_then(Value::as_array);
    let url = urls.and_then(|urls| urls.first()?.as_str()).unwrap_or_default().to_owned();
    let mut digest = text("digest").trim_start_matches("sha256:").to_ascii_lowercase();
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        digest.clear();
    }
    Some(Release { version, url, digest })
}

/// The one of some versions that is asked for: by its name, or the highest that a constraint lets through.
pub(super) fn chosen<'all>(asked: &str, versions: impl Iterator<Item = &'all str> + Clone) -> Option<&'all str> {
    if let Some(exact) = versions.clone().find(|version| *version == asked) {
        return Some(exact);
    }
    let range = VersionRange::parse(asked)?;
    let mut best: Option<(Version, &str)> = None;
    for name in versions {
        let Some(version) = parse_version(name) else { continue };
        let higher = best.as_ref().is_none_or(|(highest, _)| version.cmp_precedence(highest).is_gt());
        if higher && range.matches(&version) {
            best = Some((version, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Versions that are worth naming where the one that is asked for is not there: those most like it, else the highest.
pub(super) fn nearest<'all>(asked: &str, versions: impl Iterator<Item = &'all str> + Clone) -> Vec<String> {
    let mut known: Vec<(Version, &str)> = versions.filter_map(|name| Some((parse_version(name)?, name))).collect();
    known.sort_by(|left, right| right.0.cmp_precedence(&left.0).then(left.1.cmp(right.1)));
    if let Some(asked) = parse_version(asked) {
        let distance = |version: &Version| {
            (
                version.major.abs_diff(asked.major),
                version.minor.abs_diff(asked.minor),
                version.patch.abs_diff(asked.patch),
            )
        };
        known.sort_by_key(|(version, _)| distance(version));
    }
    known.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Names that are like the one that is asked for, the most alike first.
pub(super) fn alike<'all>(asked: &str, names: impl Iterator<Item = &'all str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .filter(|name| *name != asked)
        .map(|name| (strsim::jaro_winkler(name, asked), name))
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_chosen_as_helm_chooses() {
        let versions = ["2.0.0-rc.1", "1.10.0", "1.9.3", "v1.3.0", "1.2.3+build.5", "1.2.3", "0.9", "latest"];
        for (asked, expected) in [
            ("1.2.3", Some("1.2.3")),
            ("1.2.3+build.5", Some("1.2.3+build.5")),
            ("1.3.0", Some("v1.3.0")),
            ("v1.9.3", Some("1.9.3")),
            ("1.2", Some("1.2.3+build.5")),
            ("^1.2", Some("1.10.0")),
            ("~1.9.0", Some("1.9.3")),
            ("*", Some("1.10.0")),
            (">=2.0.0-0", Some("2.0.0-rc.1")),
            ("0.9", Some("0.9")),
            ("latest", Some("latest")),
            ("3.x", None),
            ("1.2.4", None),
            ("main", None),
        ] {
            assert_eq!(chosen(asked, versions.iter().copied()), expected, "{asked}");
        }
        assert_eq!(nearest("1.9.4", versions.iter().copied()), ["1.9.3", "1.10.0", "v1.3.0"]);
        assert_eq!(nearest("main", versions.iter().copied()), ["2.0.0-rc.1", "1.10.0", "1.9.3"]);
        assert_eq!(alike("ngnix", ["nginx", "redis", "nginx-ingress"].into_iter()), ["nginx", "nginx-ingress"]);
    }

    #[test]
    fn an_index_is_read_and_a_page_is_none() {
        let (digest, upper) = ("ab".repeat(32), "AB".repeat(32));
        let text = format!(
            "apiVersion: v1\nentries:\n  web:\n  - {{version: 1.0.0, urls: [web-1.0.0.tgz, other], digest: {upper}}}\n  - {{version: 1.10}}\n  - {{version: 2.0.0, urls: [a], digest: 'sha256:{digest}'}}\n  - {{version: 3.0.0, urls: [b], digest: 'sha512:{digest}'}}\n  - {{version: 4.0.0, urls: [c], digest: ../../x}}\n  - {{urls: [d]}}\n  odd: 7\n"
        );
        let index = Index::read(text.as_bytes()).unwrap();
        let release = |version: &str, url: &str, digest: &str| Release {
            version: version.into(),
            url: url.into(),
            digest: digest.into(),
        };
        let expected = [
            release("1.0.0", "web-1.0.0.tgz", &digest),
            release("1.1", "", ""),
            release("2.0.0", "a", &digest),
            release("3.0.0", "b", ""),
            release("4.0.0", "c", ""),
        ];
        assert_eq!(index.chart("web"), Some(expected.as_slice()));
        assert_eq!(index.chart("odd"), Some([].as_slice()));
        assert_eq!(Index::read(b"<html></html>").unwrap_err().to_string(), "it has no `apiVersion`");
        assert_eq!(Index::read(b"").unwrap_err().to_string(), "it is empty");
        assert!(Index::read(b"a: [").is_err());
    }
}
