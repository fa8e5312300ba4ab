//! Looks at what a kustomization builds on, before Kustomize does.
//!
//! In: the source's folder. Out: whether anything in it comes from elsewhere; or an error for what lies outside of the
//! repository. Kustomize itself keeps files inside of their folder (by default), but follows a base wherever
//! it leads, and charts, too.
//!
//! Rules: kustomize api/internal/target/kusttarget.go (what is accumulated), api/internal/loader/fileloader.go (what is
//! fetched), api/internal/git/repospec.go (what is a repository), plugin/builtin/helmchartinflationgenerator (where charts
//! are looked for).

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::KustomizeError;
use super::kustomization::Kustomization;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::render::RenderInput;
use crate::secret::mask_credentials_in_text;
use crate::source::{lexically_inside, refuse_links_that_leave};

/// The facts.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Bases, files or charts that are fetched while building: the same revision may give something else tomorrow.
    pub(super) is_fetched: bool,
}

/// The fields that lead to objects, and to other kustomizations.
const BASES: [&str; 3] = ["resources", "bases", "components"];

/// The fields that lead to settings of Kustomize's plugins, or hold them; these may lie in folders as bases do.
const PLUGINS: [&str; 3] = ["generators", "transformers", "validators"];

/// The fields with charts, and where they are looked for.
const CHARTS: [&str; 3] = ["helmCharts", "helmGlobals", "helmChartInflationGenerator"];

/// The fields with text that names no file, whatever it looks like.
const WORDS: [&str; 11] = [
    "annotations",
    "apiVersions",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "labels",
    "literals",
    "metadata",
    "pairs",
    "repo",
    "valuesInline",
];

/// Exceptions that the build options allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// Files may lie anywhere (`--load-restrictor LoadRestrictionsNone`).
    pub(super) files_anywhere: bool,
    /// Charts are inflated (`--enable-helm`).
    pub(super) charts: bool,
}

pub(super) fn survey(input: &RenderInput<'_>, extra: &[String], allowed: Allowed) -> Result<Survey, KustomizeError> {
    let mut look =
        BaseSurvey { input, allowed, survey: Survey::default(), pending: vec![(input.folder.to_owned(), false)] };
    let mut seen = HashSet::new();
    for component in extra {
        look.entry(input.folder, "spec.source.kustomize.components", component, false)?;
    }
    while let Some((folder, of_plugins)) = look.pending.pop() {
        if seen.insert((folder.clone(), of_plugins)) {
            look.kustomization(&folder, of_plugins)?;
        }
    }
    Ok(look.survey)
}

/// A look around, as far as it has come.
struct BaseSurvey<'a> {
    input: &'a RenderInput<'a>,
    allowed: Allowed,
    survey: Survey,
    /// Folders that are still to be looked at, and whether their resources are settings of plugins.
    pending: Vec<(PathBuf, bool)>,
}

impl BaseSurvey<'_> {
    fn kustomization(&mut self, folder: &Path, of_plugins: bool) -> Result<(), KustomizeError> {
        // A folder without a kustomization is not ours; Kustomize says what it thinks of it.
        let Some(Kustomization { fields, shown, .. }) = Kustomization::of(folder, &self.input.relative(folder))? else {
            return Ok(());
        };
        // The source's own folder was looked at when it was handed out.
        if folder != self.input.folder {
            refuse_links_that_leave(self.input.root, folder).map_err(KustomizeError::Link)?;
        }
        let texts = |field: &&str| fields.get(*field).and_then(Value::as_array).into_iter().flatten();
        for entry in BASES.iter().flat_map(texts).filter_map(Value::as_str) {
            self.entry(folder, &shown, entry, of_plugins)?;
        }
        for entry in PLUGINS.iter().flat_map(texts).filter_map(Value::as_str) {
            // They may be written out in place.
            if entry.contains('\n') {
                self.settings(folder, &shown, entry)?;
            } else {
                self.entry(folder, &shown, entry, true)?;
            }
        }
        for (field, value) in &fields {
            let is_entry = BASES.contains(&field.as_str()) || PLUGINS.contains(&field.as_str());
            if !is_entry && !WORDS.contains(&field.as_str()) {
                self.files(folder, &shown, value, CHARTS.contains(&field.as_str()))?;
            }
        }
        self.survey.is_fetched |= CHARTS.iter().any(|field| fields.contains_key(*field));
        Ok(())
    }

    /// A base: a folder, a file, or a repository.
    fn entry(&mut self, folder: &Path, file: &str, entry: &str, of_plugins: bool) -> Result<(), KustomizeError> {
        if is_remote(entry) {
            let is_local = |url: &str| url.to_ascii_lowercase().trim_start_matches("git::").starts_with("file:");
            let may_be_local =
                is_local(self.input.source.repo_url.with_credentials()) && !self.input.settings.untrusted;
            if is_local(entry) && !may_be_local {
                return Err(leaves(file, entry));
            }
            self.survey.is_fetched = true;
            return Ok(());
        }
        // Not here: a path that Kustomize will miss, or what only a newer one knows to fetch.
        let Some(found) = self.inside(folder, file, entry)? else {
            self.survey.is_fetched = true;
            return Ok(());
        };
        if found.is_dir() {
            self.pending.push((found, of_plugins));
        } else if of_plugins && let Ok(text) = fs::read_to_string(&found) {
            let shown = self.input.relative(&found);
            self.settings(folder, &shown, &text)?;
        }
        Ok(())
    }

    /// The settings of plugins; Kustomize looks for their files where the kustomization is that names them.
    fn settings(&mut self, folder: &Path, file: &str, text: &str) -> Result<(), KustomizeError> {
        // What cannot be read is for Kustomize to complain about.
        for document in yaml::read(text, &Limits::default(), WithPositions::No).into_iter().flatten() {
            let is_chart = document.value.get("kind").is_some_and(|kind| kind == "HelmChartInflationGenerator");
            self.survey.is_fetched |= is_chart;
            self.files(folder, file, &document.value, is_chart)?;
        }
        Ok(())
    }

    /// Every text that may name a file, alone or after `key=`.
    fn files(&mut self, folder: &Path, file: &str, value: &Value, of_chart: bool) -> Result<(), KustomizeError> {
        match value {
            Value::String(text) if !text.contains('\n') => {
                let path = text.split_once('=').map_or(text.as_str(), |(_, path)| path);
                if is_web(text) || is_web(path) {
                    self.survey.is_fetched = true;
                } else if self.allowed.files_anywhere && (path.starts_with('/') || has_parent(path)) {
                    // Much looks like a path: only what is there counts.
                    let found = cleaned(&folder.join(path)).canonicalize();
                    if found.is_ok_and(|found| !found.starts_with(self.input.root)) {
                        return Err(leaves(file, text));
                    }
                }
                Ok(())
            }
            Value::Array(list) => list.iter().try_for_each(|value| self.files(folder, file, value, of_chart)),
            Value::Object(map) => map.iter().try_for_each(|(field, value)| {
                if of_chart && self.allowed.charts {
                    self.chart(folder, file, field, value.as_str().unwrap_or_default())?;
                }
                if WORDS.contains(&field.as_str()) { Ok(()) } else { self.files(folder, file, value, of_chart) }
            }),
            _ => Ok(()),
        }
    }

    /// Helm reads a chart wherever it is: Kustomize only keeps its values inside.
    fn chart(&self, folder: &Path, file: &str, field: &str, text: &str) -> Result<(), KustomizeError> {
        match field.to_ascii_lowercase().as_str() {
            "charthome" | "confighome" => match self.inside(folder, file, text)?.filter(|found| found.is_dir()) {
                Some(charts) => refuse_links_that_leave(self.input.root, &charts).map_err(KustomizeError::Link),
                None => Ok(()),
            },
            // A folder in the one above.
            "name" | "version" if text.starts_with('/') || has_parent(text) => Err(leaves(file, text)),
            _ => Ok(()),
        }
    }

    /// Where a path leads, if anything is there: as text first, which is how Kustomize reads it, then through links.
    fn inside(&self, folder: &Path, file: &str, path: &str) -> Result<Option<PathBuf>, KustomizeError> {
        let root = self.input.root;
        let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
        let below = lexically_inside(&below.join(path)).ok_or_else(|| leaves(file, path))?;
        match root.join(below).canonicalize() {
            Ok(found) if !found.starts_with(root) => Err(leaves(file, path)),
            found => Ok(found.ok()),
        }
    }
}

fn leaves(file: &str, entry: &str) -> KustomizeError {
    KustomizeError::Leaves { file: file.to_owned(), entry: mask_credentials_in_text(entry) }
}

/// Without its `..`, by text alone.
fn cleaned(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut cleaned, part| {
        if part == Component::ParentDir {
            cleaned.pop();
        } else {
            cleaned.push(part);
        }
        cleaned
    })
}

fn has_parent(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// A file that Kustomize reads from the web.
fn is_web(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.starts_with("http:") || text.starts_with("https:")
}

/// Entries that Kustomize takes for a repository or a URL, before it looks whether there is a folder of that name.
fn is_remote(entry: &str) -> bool {
    let entry = entry.to_ascii_lowercase();
    let place = entry.trim_start_matches("git::");
    let user = place.split_once('@').map(|(user, _)| user).filter(|user| !user.contains(['/', '.']));
    ["http:", "https:", "ssh:", "file:", "github.com/", "github.com:"].iter().any(|start| place.starts_with(start))
        || (user.is_some() && place.contains([':', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms of kustomize's own `repospec_test.go`.
    #[test]
    fn a_repository_is_distinguished_from_a_folder() {
        for (entry, expected) in [
            ("../base", false),
            ("base", false),
            ("a@b", false),
            ("dir.d/a@b/c", false),
            ("github.company/base", false),
            ("https://example.com/org/repo//path?ref=v1", true),
            ("HTTPS://example.com/a.yaml", true),
            ("git::https://example.com/org/repo", true),
            ("github.com/org/repo/path?ref=v1", true),
            ("git@github.com:org/repo.git//path", true),
            ("ssh://git@example.com:7999/org/repo.git", true),
            ("org-123@example.com:org/repo", true),
            ("file:///srv/repo", true),
        ] {
            assert_eq!(is_remote(entry), expected, "{entry}");
        }
    }
}
