//! What of git could not be read: where objects may stand that nobody has seen.
//!
//! In: what rendering found. Out: [`Gap`]s, and whether one may hold an object that the cluster has ([`Gap::may_hold`]). An object
//! is only pruned when no gap may hold it.
//!
//! Rules: docs/sync.md.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::Key;

/// Where an object is rendered from: a file of git, or all of a source where a tool renders it. The record of a sync keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceFile {
    /// The place of the source among the application's sources, counted from 0; nothing where there is only one.
    pub source: Option<usize>,
    /// The file, relative to the repository's root; of a tool, its folder or chart.
    pub path: Arc<str>,
}

impl SourceFile {
    /// Reads what [`Display`](fmt::Display) has written.
    pub fn parse(text: &str) -> Self {
        let numbered = text.split_once(':').and_then(|(number, path)| {
            let number = number.parse::<usize>().ok()?.checked_sub(1)?;
            Some(Self { source: Some(number), path: path.into() })
        });
        numbered.unwrap_or_else(|| Self { source: None, path: text.into() })
    }

    /// Whether a file is this one, or is in the folder that this is.
    fn covers(&self, file: &str) -> bool {
        let below =
            |folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        &*self.path == "." || below(&self.path)
    }
}

/// `apps/web.yaml`; of the second of several sources, `2:apps/web.yaml`.
impl fmt::Display for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Some(source) => write!(formatter, "{}:{}", source + 1, self.path),
            None => formatter.write_str(&self.path),
        }
    }
}

/// Something of git that could not be read in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The place of the source among the application's sources, counted from 0.
    pub source: usize,
    /// The file, relative to the repository's root; nothing where it is everything that a tool renders from the source.
    pub file: Option<Arc<str>>,
    /// The line, counted from 1; 0 where it is the whole file.
    pub line: usize,
    /// Why.
    pub reason: GapReason,
    /// The names of objects that the file writes down, as far as it could be looked into.
    pub names: Vec<String>,
}

/// Why something of git could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapReason {
    /// A key of a manifest is spelt wrong.
    Misspelt {
        /// As it is written.
        found: String,
        /// As it should be.
        meant: &'static str,
    },
    /// A manifest lacks a field that every object has.
    MissingField(&'static str),
    /// An object has no name, and none that the server makes.
    NoName {
        /// Its kind.
        kind: String,
    },
    /// The file is not YAML.
    NotYaml(String),
    /// The file is a pointer of Git LFS, and not the file itself.
    LfsPointer,
    /// The file is encrypted.
    Encrypted,
    /// The file is a symbolic link to nothing.
    DanglingLink,
    /// The file is read, and holds nothing that looks like a manifest. Matters only where it held one before.
    NotAManifest,
    /// An API of the cluster does not answer, and what is rendered depends on which APIs there are.
    ApiUnavailable {
        /// The API: `metrics.k8s.io/v1beta1`.
        api: String,
        /// Whether it is known that the source asks for it; a plugin may.
        is_asked_for: bool,
    },
}

impl Gap {
    /// Whether something of git is likely to be missing because of it, whatever the cluster has.
    pub fn is_certain(&self) -> bool {
        !matches!(self.reason, GapReason::NotAManifest | GapReason::ApiUnavailable { is_asked_for: false, .. })
    }

    /// Whether it may be what keeps an object from being rendered. `recorded` is the file that the last sync had the object from;
    /// `on_record` are the files of all objects of that sync.
    ///
    /// An object whose file is on record is held by that file; and, since it may have moved, by a file that writes its name down, and
    /// by a file without objects until now that nobody can look into. Where no file is on record, anything that looks like a manifest
    /// may hold it.
    pub fn may_hold(&self, key: &Key, recorded: Option<&SourceFile>, on_record: &BTreeSet<SourceFile>) -> bool {
        let Some(recorded) = recorded else { return self.is_certain() || self.file.is_none() };
        // Sources may have been put in another order since: of a file, the path alone decides.
        let Some(file) = &self.file else { return recorded.source.is_none_or(|source| source == self.source) };
        let is_known = || on_record.iter().any(|known| known.path == *file);
        let may_have_moved = || self.names.contains(&key.name) || (self.is_opaque() && !is_known());
        recorded.path == *file || (self.is_certain() && (recorded.covers(file) || may_have_moved()))
    }

    /// Whether nothing is known of what the file holds.
    fn is_opaque(&self) -> bool {
        matches!(self.reason, GapReason::LfsPointer | GapReason::Encrypted | GapReason::DanglingLink)
    }

    /// The place, as a reader knows it: `apps/web.yaml:3`.
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), 0) => file.to_string(),
            (Some(file), line) => format!("{file}:{line}"),
            (None, _) => format!("source {}", self.source + 1),
        }
    }
}

/// The fault, with its position.
impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        match &self.reason {
            GapReason::Misspelt { found, meant } => write!(formatter, "`{place}` has `{found}` instead of `{meant}`"),
            GapReason::MissingField(field) => write!(formatter, "`{place}` is a manifest without `{field}`"),
            GapReason::NoName { kind } => write!(formatter, "`{place}` is a `{kind}` without `metadata.name`"),
            GapReason::NotYaml(message) => write!(formatter, "`{place}` is not YAML: {message}"),
            GapReason::LfsPointer => write!(formatter, "`{place}` is a Git LFS pointer, not the file itself"),
            GapReason::Encrypted => write!(formatter, "`{place}` is encrypted"),
            GapReason::DanglingLink => write!(formatter, "`{place}` is a link to a file that does not exist"),
            GapReason::NotAManifest => write!(formatter, "`{place}` is not a manifest"),
            GapReason::ApiUnavailable { api, .. } => {
                write!(formatter, "the cluster's API `{api}` does not answer, and the rendered objects depend on it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { group: String::new(), kind: "ConfigMap".to_owned(), namespace: "shop".to_owned(), name: name.to_owned() }
    }

    fn gap(file: Option<&str>, reason: GapReason, names: &[&str]) -> Gap {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Gap { source: 0, file: file.map(Into::into), line: 0, reason, names }
    }

    /// The one rule that decides whether an object that git does not render may be deleted. On record are `app/a.yaml`, of which the
    /// object is unless a case says otherwise, and `app/b.yaml`.
    #[test]
    fn an_object_is_held_by_what_may_hold_it() {
        let typo = |file, names| gap(Some(file), GapReason::MissingField("kind"), names);
        let link = |file| gap(Some(file), GapReason::DanglingLink, &[]);
        let other = |file| gap(Some(file), GapReason::NotAManifest, &["a"]);
        let api = |is_asked_for| {
            gap(None, GapReason::ApiUnavailable { api: "metrics.k8s.io/v1beta1".to_owned(), is_asked_for }, &[])
        };
        let a = Some("app/a.yaml");
        let cases = [
            ("its file has a typo", typo("app/a.yaml", &[]), a, true),
            ("another file has one", typo("app/b.yaml", &["b"]), a, false),
            ("a new file has one", typo("app/c.yaml", &["c"]), a, false),
            ("it moved to a file with a typo", typo("app/b.yaml", &["b", "a"]), a, true),
            ("no file is on record", typo("app/b.yaml", &["b"]), None, true),
            ("its file is a link to nothing", link("app/a.yaml"), a, true),
            ("another file is one", link("app/b.yaml"), a, false),
            ("a new file is one", link("app/c.yaml"), a, true),
            ("its file holds other things now", other("app/a.yaml"), a, true),
            ("a values file", other("app/values.yaml"), a, false),
            ("a values file, no file on record", other("app/values.yaml"), None, false),
            ("a values file, a tool at the root before", other("values.yaml"), Some("."), false),
            ("a chart's file", typo("app/web/templates/a.yaml", &[]), Some("app/web"), true),
            ("a folder of a longer name", typo("app/website/a.yaml", &[]), Some("app/web"), false),
            ("a tool at the root", typo("a.yaml", &[]), Some("."), true),
            ("a chart", api(true), Some("charts/web"), true),
            ("a chart, no file on record", api(true), None, true),
            ("a plugin", api(false), Some("plugin"), true),
            ("the chart of this source", api(true), Some("1:charts/web"), true),
            ("the chart of another source", api(true), Some("2:charts/web"), false),
            ("sources in another order", typo("app/a.yaml", &[]), Some("2:app/a.yaml"), true),
        ];
        let on_record = ["app/a.yaml", "app/b.yaml"].map(SourceFile::parse).into();
        for (case, gap, recorded, expected) in cases {
            let recorded = recorded.map(SourceFile::parse);
            assert_eq!(gap.may_hold(&key("a"), recorded.as_ref(), &on_record), expected, "{case}");
        }
    }

    #[test]
    fn a_source_file_is_read_as_it_was_written() {
        for text in ["app/a.yaml", "2:app/a.yaml", "0:a", "x:a", "."] {
            assert_eq!(SourceFile::parse(text).to_string(), text);
        }
        assert_eq!(SourceFile::parse("2:a.yaml"), SourceFile { source: Some(1), path: "a.yaml".into() });
        assert_eq!(SourceFile::parse("0:a.yaml").source, None);
    }
}
