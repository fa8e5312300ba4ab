//! Which files Helm reads its values from.
//!
//! In: `valueFiles` and `fileParameters`, as the manifest has them. Out: files that are there and lie in their repository,
//! or URLs. A path is relative to the chart, from the repository's root when it begins with `/`, or in another source of
//! the application when it begins with `$ref/`. Patterns become the files that they match; a file that is listed by itself
//! keeps its place, and no file is read twice.
//!
//! Rules: Argo CD reposerver/repository `valueFileResolver`, util/io/path/resolved.go.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::HelmError;
use crate::app::source::Helm;
use crate::finding::{Code, Finding};
use crate::render::paths::{self, PathFault};
use crate::render::references::Reference;
use crate::render::{BuildEnvironment, RenderInput};
use crate::source::lexically_inside;

/// The files that Helm reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValuesFile {
    /// A file that is there; a link to one keeps its own name, by which Argo CD distinguishes files.
    Path(PathBuf),
    /// Fetched by this program, for http and https. Another scheme is a plugin's of Helm.
    Url(String),
}

/// Finds the files of one source.
pub(super) struct Values<'a> {
    input: &'a RenderInput<'a>,
    helm: &'a Helm,
    environment: BuildEnvironment,
}

/// Where an entry leads, before anybody looks.
enum ValuesPlace<'a> {
    Url(String),
    Inside { root: &'a Path, below: PathBuf, revision: &'a str },
}

impl<'a> Values<'a> {
    /// Refuses at once what references must not mix.
    pub(super) fn of(input: &'a RenderInput<'a>, helm: &'a Helm) -> Result<Self, HelmError> {
        let this = Self { input, helm, environment: input.environment() };
        this.refuse_two_revisions()?;
        Ok(this)
    }

    /// The files of `valueFiles`, in the order in which Helm has to read them.
    pub(super) fn files(&self) -> Result<Vec<ValuesFile>, HelmError> {
        let listed: Vec<PathBuf> = self.helm.value_files.iter().filter_map(|written| self.listed(written)).collect();
        let mut files: Vec<ValuesFile> = Vec::new();
        for written in &self.helm.value_files {
            let found = match self.place(written)? {
                ValuesPlace::Url(url) => vec![ValuesFile::Url(url)],
                ValuesPlace::Inside { root, below, revision } if is_glob(&below) => self
                    .matches(written, root, &below, revision)?
                    .into_iter()
                    .filter(|file| !listed.contains(file))
                    .map(ValuesFile::Path)
                    .collect(),
                ValuesPlace::Inside { root, below, revision } => match found(root, &below, written)? {
                    Some(file) => vec![ValuesFile::Path(file)],
                    None if self.helm.ignore_missing_value_files => Vec::new(),
                    None => return Err(self.missing(written, revision)),
                },
            };
            for file in found {
                if !files.contains(&file) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }

    /// `fileParameters`: of two with one name the last counts.
    pub(super) fn file_parameters(&self) -> Result<BTreeMap<String, ValuesFile>, HelmError> {
        let mut files = BTreeMap::new();
        for parameter in &self.helm.file_parameters {
            let file = match self.place(&parameter.path)? {
                ValuesPlace::Url(url) => ValuesFile::Url(url),
                ValuesPlace::Inside { root, below, revision } => {
                    let file = found(root, &below, &parameter.path)?;
                    ValuesFile::Path(file.ok_or_else(|| self.missing(&parameter.path, revision))?)
                }
            };
            files.insert(parameter.name.clone(), file);
        }
        Ok(files)
    }

    /// The roots of the sources that are referred to, and what a reader knows them as.
    pub(super) fn other_roots(&self) -> Vec<(PathBuf, String)> {
        self.referred().map(|(name, reference, _)| (reference.checkout.root.clone(), format!("${name}"))).collect()
    }

    /// A file that is listed by itself, if it is there.
    fn listed(&self, written: &str) -> Option<PathBuf> {
        match self.place(written) {
            Ok(ValuesPlace::Inside { root, below, .. }) if !is_glob(&below) => {
                found(root, &below, written).ok().flatten()
            }
            _ => None,
        }
    }

    fn place(&self, written: &str) -> Result<ValuesPlace<'a>, HelmError> {
        let leaves = || HelmError::Leaves { file: written.to_owned() };
        if let Some((_, reference, rest)) = self.input.references.named_in(written) {
            if reference.is_chart {
                return Err(HelmError::ReferenceToChart { file: written.to_owned() });
            }
            // Argo CD: the reference first, the build environment after it.
            let rest = self.environment.expand(rest);
            let below = lexically_inside(Path::new(rest.trim_start_matches('/'))).ok_or_else(leaves)?;
            if below.as_os_str().is_empty() {
                return Err(HelmError::NoPath { file: written.to_owned() });
            }
            let checkout = &*reference.checkout;
            return Ok(ValuesPlace::Inside { root: &checkout.root, below, revision: &checkout.revision });
        }
        let path = self.environment.expand(written);
        match scheme(&path) {
            Some(scheme) if self.input.settings.values_file_schemes.iter().any(|known| known == scheme) => {
                return Ok(ValuesPlace::Url(path));
            }
            Some(scheme) => {
                let known = &self.input.settings.values_file_schemes;
                let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
                return Err(HelmError::Scheme { file: written.to_owned(), scheme: scheme.to_owned(), known });
            }
            None => {}
        }
        let RenderInput { root, folder, revision, .. } = *self.input;
        let below = match path.strip_prefix('/') {
            Some(from_root) => PathBuf::from(from_root.trim_start_matches('/')),
            None => folder.strip_prefix(root).unwrap_or(Path::new("")).join(&path),
        };
        Ok(ValuesPlace::Inside { root, below: lexically_inside(&below).ok_or_else(leaves)?, revision })
    }

    /// The files that a pattern matches, in order.
    fn matches(&self, written: &str, root: &Path, below: &Path, revision: &str) -> Result<Vec<PathBuf>, HelmError> {
        let glob_fault = |source| HelmError::Glob { pattern: written.to_owned(), source };
        let glob = GlobBuilder::new(&below.to_string_lossy()).literal_separator(true).build().map_err(glob_fault)?;
        let too_much = || HelmError::GlobOfTooMuch { pattern: written.to_owned(), limit: WALK_LIMIT };
        let names = matching(root, below, &glob.compile_matcher(), WALK_LIMIT).ok_or_else(too_much)?;
        let mut files = Vec::new();
        for name in names {
            files.extend(found(root, &name, written)?);
        }
        if files.is_empty() && !self.helm.ignore_missing_value_files {
            return Err(HelmError::NothingMatches { pattern: written.to_owned(), at: at(revision) });
        }
        Ok(files)
    }

    /// A warning for each entry that looks like a reference and is not one: it is then read from the repository's own root.
    pub(super) fn warnings(&self) -> Vec<Finding> {
        let entries = self.helm.value_files.iter().filter_map(|written| Some((written, self.unknown(written)?)));
        let warnings = entries.map(|(written, name)| {
            let read_as = self.environment.expand(written);
            let message = format!("no source has `ref: {name}`: `{written}` is read as `{read_as}`, as Argo CD does");
            Finding::warning(Code::RenderReference, message)
                .with_help("name the `ref` of another source, or write the path itself")
        });
        warnings.collect()
    }

    /// The name in an entry that looks like a reference, and is neither one nor a variable of the build environment.
    fn unknown<'text>(&self, written: &'text str) -> Option<&'text str> {
        let name = written.strip_prefix('$')?.split(['/', '}']).next()?;
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
        let variable = name.trim_start_matches('{').split(ends).next();
        let is_known = self.input.references.named_in(written).is_some()
            || self.environment.variables().any(|(known, _)| variable == Some(known));
        (!is_known).then_some(name)
    }

    fn missing(&self, written: &str, revision: &str) -> HelmError {
        let unknown = self.unknown(written);
        let names = self.input.references.names();
        let help = match unknown {
            Some(name) if names.is_empty() => format!("no source of the application has `ref: {name}`"),
            Some(name) => format!("no source of the application has `ref: {name}`; there is `{}`", names.join("`, `")),
            None => "if missing files are intended, set `helm.ignoreMissingValueFiles`".to_owned(),
        };
        HelmError::ValuesMissing { file: written.to_owned(), at: at(revision), help }
    }

    /// Each entry that refers to another source: the name, the reference, what follows it.
    fn referred(&self) -> impl Iterator<Item = (&'a str, &'a Reference, &'a str)> + use<'a> {
        let references = self.input.references;
        let files = self.helm.value_files.iter();
        let paths = files.chain(self.helm.file_parameters.iter().map(|parameter| &parameter.path));
        paths.filter_map(move |path| references.named_in(path))
    }

    /// Argo CD has one folder for each repository, and refuses what would need two.
    fn refuse_two_revisions(&self) -> Result<(), HelmError> {
        let shown = |name: &str, revision: &str| format!("`${name}` at {}", short(revision));
        let mut seen: Vec<(&str, &Reference)> = Vec::new();
        for (name, reference, _) in self.referred() {
            let revision = &reference.checkout.revision;
            if reference.is_of(&self.input.source.repo_url) && *revision != self.input.revision && !reference.is_chart {
                let other = format!("the source itself at {}", short(self.input.revision));
                return Err(HelmError::TwoRevisions { one: shown(name, revision), other });
            }
            for (earlier, other) in &seen {
                if other.is_of(&reference.repo_url) && other.checkout.revision != *revision {
                    let other = shown(earlier, &other.checkout.revision);
                    return Err(HelmError::TwoRevisions { one: shown(name, revision), other });
                }
            }
            seen.push((name, reference));
        }
        Ok(())
    }
}

fn short(revision: &str) -> &str {
    if revision.is_empty() { "its working tree" } else { crate::source::short(revision) }
}

fn at(revision: &str) -> String {
    if revision.is_empty() { String::new() } else { format!(" at {}", short(revision)) }
}

/// Rule: Argo CD `isGlobPath`.
fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// The scheme of a URL, as Go's net/url reads it.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

/// The files that a pattern matches, in the order in which Argo CD's library (doublestar) finds them: names in order, and
/// with `**` the files of a folder before those of the folders in it; nothing where more than `limit` would be looked at.
fn matching(root: &Path, pattern: &Path, glob: &GlobMatcher, limit: usize) -> Option<Vec<PathBuf>> {
    let is_literal = |part: &str| !part.contains(['*', '?', '[', '{', '\\']);
    let start: PathBuf =
        pattern.components().take_while(|part| is_literal(&part.as_os_str().to_string_lossy())).collect();
    let mut names = Vec::new();
    collect(root, &start, &mut GlobWalk { trail: Vec::new(), left: limit }, &mut names)?;
    names.retain(|name| glob.is_match(name));
    let fixed = pattern.components().rev().take_while(|part| part.as_os_str() != "**").count();
    names.sort_by_cached_key(|name| folder_and_rest(name, fixed));
    Some(names)
}

/// A path without so many parts of its end, and these.
fn folder_and_rest(path: &Path, parts_of_rest: usize) -> (PathBuf, PathBuf) {
    let parts: Vec<_> = path.components().collect();
    let (folder, rest) = parts.split_at(parts.len().saturating_sub(parts_of_rest));
    (folder.iter().collect(), rest.iter().collect())
}

/// The file, if it is there; an error when it is not in its repository.
fn found(root: &Path, below: &Path, written: &str) -> Result<Option<PathBuf>, HelmError> {
    let path = root.join(below);
    let unreadable = |source| HelmError::Unreadable { file: written.to_owned(), source };
    match paths::resolve(root, &path) {
        Ok(real) if real.is_dir() => Err(unreadable(io::ErrorKind::IsADirectory.into())),
        Ok(_) => Ok(Some(path)),
        // A link is there, and what it names is not: that is no file which may be missing, also where Argo CD ignores it.
        Err(PathFault::NotFound) if path.is_symlink() => Err(unreadable(io::ErrorKind::NotFound.into())),
        Err(PathFault::NotFound) => Ok(None),
        Err(PathFault::Leaves) => Err(HelmError::Leaves { file: written.to_owned() }),
        Err(PathFault::Unreadable(source)) => Err(unreadable(source)),
    }
}

/// Every file below a folder, as a path from the root; links to folders are followed, but not out of the root, nor into a
/// folder that the way there leads through already; nothing where the walk is too long.
fn collect(root: &Path, below: &Path, walk: &mut GlobWalk, names: &mut Vec<PathBuf>) -> Option<()> {
    // A folder that does not exist, or is not readable, has no files for us.
    let Ok(real) = root.join(below).canonicalize() else { return Some(()) };
    let Ok(entries) = fs::read_dir(&real) else { return Some(()) };
    if walk.trail.contains(&real) || !real.starts_with(root) {
        return Some(());
    }
    walk.trail.push(real);
    for entry in entries.flatten() {
        walk.left = walk.left.checked_sub(1)?;
        let name = below.join(entry.file_name());
        let path = root.join(&name);
        if path.is_dir() {
            if entry.file_name() != ".git" {
                collect(root, &name, walk, names)?;
            }
        } else if path.is_file() {
            names.push(name);
        }
    }
    walk.trail.pop();
    Some(())
}

/// How many files and folders a pattern may lead through: of a few links to each other there is no end of ways.
const WALK_LIMIT: usize = 100_000;

/// A walk through folders.
struct GlobWalk {
    /// The folders that lead to where it is.
    trail: Vec<PathBuf>,
    /// How much more it may look at.
    left: usize,
}

#[cfg(test)]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;

    fn matched(root: &Path, pattern: &str, limit: usize) -> Option<Vec<PathBuf>> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().unwrap().compile_matcher();
        matching(root, Path::new(pattern), &glob, limit)
    }

    /// A repository is anybody's: of a dozen folders with links to each other there are half a billion ways.
    #[test]
    fn links_that_lead_to_each_other_end_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let names: Vec<String> = (0..12).map(|number| format!("d{number}")).collect();
        for name in &names {
            fs::create_dir(root.join(name)).unwrap();
            for other in &names {
                std::os::unix::fs::symlink(format!("../{other}"), root.join(name).join(other)).unwrap();
            }
        }
        assert_eq!(matched(&root, "**/*.yaml", 2000), None);
        assert_eq!(matched(&root, "none/**/*.yaml", 2000), Some(Vec::new()));
    }

    /// The answers of github.com/bmatcuk/doublestar v4.9.1 `FilepathGlob` for these files, without the folders among them.
    #[test]
    fn patterns_match_in_the_order_of_doublestar() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for file in ["a", "b", "deep", "zz", "deep/c", "deep/x/d", "z/e", ".h/f", ".g", "deep-2"] {
            let path = root.join(format!("env/{file}.yaml"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        std::os::unix::fs::symlink("deep", root.join("env/lnk")).unwrap();
        std::os::unix::fs::symlink("..", root.join("env/z/loop")).unwrap();
        let everything = ".g a b deep-2 deep zz .h/f deep/c deep/x/d lnk/c lnk/x/d z/e";
        for (pattern, expected) in [
            ("env/**/*.yaml", everything),
            ("**/*.yaml", everything),
            ("env/*.yaml", ".g a b deep-2 deep zz"),
            ("env/*/*.yaml", ".h/f deep/c lnk/c z/e"),
            ("env/[^a]*.yaml", ".g b deep-2 deep zz"),
            ("env/[!a]*.yaml", ".g b deep-2 deep zz"),
            ("env/a**yaml", "a"),
            ("env/{b,a}*", "a b"),
            ("env/{z,deep}/**/*.yaml", "deep/c deep/x/d z/e"),
            ("env/**/x/*.yaml", "deep/x/d lnk/x/d"),
            ("none/*.yaml", ""),
        ] {
            let names = matched(&root, pattern, WALK_LIMIT).unwrap();
            let names: Vec<_> = names.iter().map(|name| name.strip_prefix("env").unwrap().with_extension("")).collect();
            let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
            assert_eq!(names.join(" "), expected, "{pattern}");
        }
    }
}
