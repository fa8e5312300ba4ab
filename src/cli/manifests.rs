//! PATHs become the texts of manifest files.
//!
//! In: files, folders, and `-` for standard input. Out: [`ManifestText`]s in stable order, and an error for each PATH that
//! could not be read. Nothing is parsed here.
//!
//! Where Applications are looked for ([`read_argo_cd`]), the files of folders that hold nothing of Argo CD's are left out.
//!
//! Folders are walked in lexical order, below hidden folders nothing is read. A symlink inside of the folder is followed
//! once; one that leaves it is refused, for a folder may be somebody else's pull request.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::mentions::may_hold_argo_cd;
use crate::app::{Given, ManifestText};
use crate::object::yaml::Limits;

/// One PATH of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestPath {
    /// `-`.
    StandardInput,
    /// A file or a folder.
    Path(PathBuf),
}

impl From<OsString> for ManifestPath {
    fn from(text: OsString) -> Self {
        if text == "-" { Self::StandardInput } else { Self::Path(text.into()) }
    }
}

/// Standard input, and whether a person sits at its other end.
pub struct StandardInput<'reader> {
    /// The input.
    pub reader: &'reader mut dyn Read,
    /// Whether it is a terminal.
    pub is_terminal: bool,
}

/// Why a PATH cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ManifestError {
    /// Nothing is there.
    #[error("{path}: no such file or folder")]
    #[diagnostic(code(trueup::cli::no_such_path), help("{advice}"))]
    Missing {
        /// The path as given.
        path: String,
        /// The nearest thing that is there.
        advice: String,
    },
    /// The operating system does not hand it out.
    #[error("{path}: cannot be read")]
    #[diagnostic(code(trueup::cli::unreadable_path), help("check that the user who runs trueup can read it"))]
    Unreadable {
        /// The file or folder.
        path: String,
        /// The operating system's words.
        #[source]
        cause: io::Error,
    },
    /// More than any manifest holds.
    #[error("{path}: is larger than {} MiB, which is the limit for a manifest", limit >> 20)]
    #[diagnostic(code(trueup::cli::large_file), help("split it, or name the files with Applications"))]
    TooLarge {
        /// The file.
        path: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A folder in which nothing could be a manifest.
    #[error("{path}: contains no .yaml, .yml or .json file")]
    #[diagnostic(code(trueup::cli::empty_folder), help("name a folder with Application manifests"))]
    NoManifests {
        /// The folder.
        path: String,
    },
    /// A symlink that points out of the folder that is walked.
    #[error("{path}: is a symlink that leaves the folder {folder}")]
    #[diagnostic(
        code(trueup::cli::leaving_symlink),
        help("if that is intended, pass its destination as a PATH of its own")
    )]
    LeavingSymlink {
        /// The symlink.
        path: String,
        /// The folder that is walked.
        folder: String,
    },
    /// `-` at a terminal.
    #[error("`-` reads standard input, which is a terminal")]
    #[diagnostic(
        code(trueup::cli::terminal_input),
        help("pipe manifests into it, as in `kustomize build apps | trueup diff -`, or name a file")
    )]
    Terminal,
    /// `-` a second time.
    #[error("`-` is given twice, but standard input can be read only once")]
    #[diagnostic(code(trueup::cli::repeated_input), help("remove one of them"))]
    StandardInputTwice,
}

impl ManifestError {
    /// The same about paths of other names.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        match &mut self {
            Self::Missing { path, .. }
            | Self::Unreadable { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NoManifests { path } => *path = name(path),
            Self::LeavingSymlink { path, folder } => {
                *path = name(path);
                *folder = name(folder);
            }
            Self::Terminal | Self::StandardInputTwice => {}
        }
        self
    }
}

/// The texts that could be read, and what could not.
#[derive(Debug, Default)]
pub struct ManifestTexts {
    /// The files, each once, in the order of the PATHs; a folder's in lexical order.
    pub texts: Vec<ManifestText>,
    /// Every PATH, and every file in a folder, that could not be read.
    pub errors: Vec<ManifestError>,
    /// Files of folders that were left out, as nothing in them is of Argo CD's.
    pub others: Vec<String>,
}

/// Reads every manifest file below the PATHs.
pub fn read(paths: &[ManifestPath], standard_input: StandardInput<'_>) -> ManifestTexts {
    walk(paths, standard_input, Filter::Everything)
}

/// Reads the manifest files below the PATHs: of folders those that may hold something of Argo CD's. Where there are none, all
/// of them, so that it can be said what they hold.
pub fn read_argo_cd(paths: &[ManifestPath], standard_input: StandardInput<'_>) -> ManifestTexts {
    let found = walk(paths, standard_input, Filter::ArgoCd);
    let is_known = found.others.is_empty() || found.texts.iter().any(|text| text.given == Given::ByName);
    if is_known || found.texts.iter().any(|text| may_hold_argo_cd(Path::new(""), &text.bytes)) {
        return found;
    }
    // Nothing was read from standard input, or it would count.
    walk(paths, StandardInput { reader: &mut io::empty(), is_terminal: false }, Filter::Everything)
}

/// Which files of folders are wanted; files that are named are wanted whatever they hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Filter {
    #[default]
    Everything,
    ArgoCd,
}

fn walk(paths: &[ManifestPath], mut standard_input: StandardInput<'_>, filter: Filter) -> ManifestTexts {
    let mut walk = ManifestWalk { limit: Limits::default().bytes, filter, ..ManifestWalk::default() };
    let mut is_input_read = false;
    for path in paths {
        let read = match path {
            ManifestPath::StandardInput if is_input_read => Err(ManifestError::StandardInputTwice),
            ManifestPath::StandardInput => {
                is_input_read = true;
                walk.standard_input(&mut standard_input)
            }
            ManifestPath::Path(path) => walk.path(path),
        };
        if let Err(error) = read {
            walk.found.errors.push(error);
        }
    }
    walk.found
}

/// Reads one file that is no manifest of an Application, such as Argo CD's settings.
pub fn read_one(path: &Path) -> Result<ManifestText, ManifestError> {
    let found =
        read(&[ManifestPath::Path(path.to_owned())], StandardInput { reader: &mut io::empty(), is_terminal: false });
    match (found.texts.into_iter().next(), found.errors.into_iter().next()) {
        (_, Some(error)) => Err(error),
        (Some(text), None) => Ok(text),
        (None, None) => Err(ManifestError::NoManifests { path: shown(path) }),
    }
}

#[derive(Default)]
struct ManifestWalk {
    limit: usize,
    filter: Filter,
    /// The content of the file being read; it is kept for the next one where it is not wanted.
    buffer: Vec<u8>,
    /// Where each file that was read really is, and its place in the list, if it is there: PATHs may overlap.
    files: HashMap<PathBuf, Option<usize>>,
    /// Where each folder that was read really is: symlinks may loop.
    folders: HashSet<PathBuf>,
    /// How often something was met again.
    repeats: usize,
    found: ManifestTexts,
}

/// The folder that is walked: as given, and where it really is.
struct WalkRoot<'path> {
    given: &'path Path,
    real: PathBuf,
}

impl ManifestWalk {
    fn standard_input(&mut self, standard_input: &mut StandardInput<'_>) -> Result<(), ManifestError> {
        if standard_input.is_terminal {
            return Err(ManifestError::Terminal);
        }
        self.fill(Path::new("-"), &mut *standard_input.reader)?;
        self.text(Path::new("-"), Path::new("."), Given::ByName);
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<(), ManifestError> {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            // A pipe, such as a shell's `<(…)`, is there and has no name of its own.
            Err(_) if fs::metadata(path).is_ok() => path.to_owned(),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Err(ManifestError::Missing { path: shown(path), advice: nearest_path(path) });
            }
            Err(cause) => return Err(unreadable(path, cause)),
        };
        if !real.is_dir() {
            return self.file(path, real, Given::ByName);
        }
        let met =
            |walk: &Self| walk.found.texts.len() + walk.found.others.len() + walk.found.errors.len() + walk.repeats;
        let before = met(self);
        self.folder(path, &WalkRoot { given: path, real: real.clone() }, &real);
        if met(self) == before { Err(ManifestError::NoManifests { path: shown(path) }) } else { Ok(()) }
    }

    fn folder(&mut self, path: &Path, root: &WalkRoot<'_>, real: &Path) {
        if !self.folders.insert(real.to_owned()) {
            self.repeats += 1;
            return;
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<fs::DirEntry>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(cause) => return self.found.errors.push(unreadable(path, cause)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if let Err(error) = self.entry(&path.join(entry.file_name()), &entry, root, real) {
                self.found.errors.push(error);
            }
        }
    }

    fn entry(
        &mut self,
        path: &Path,
        entry: &fs::DirEntry,
        root: &WalkRoot<'_>,
        folder: &Path,
    ) -> Result<(), ManifestError> {
        let file_type = entry.file_type().map_err(|cause| unreadable(path, cause))?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_manifest = has_manifest_extension(path);
        let (real, is_folder, is_file) = if file_type.is_symlink() {
            match fs::canonicalize(path) {
                Ok(real) => {
                    let (is_folder, is_file) = (real.is_dir(), real.is_file());
                    (real, is_folder, is_file)
                }
                // A symlink to nowhere, or in a circle, matters only where a manifest would be.
                Err(cause) if is_manifest => return Err(unreadable(path, cause)),
                Err(_cause) => return Ok(()),
            }
        } else {
            // The folder's own place is known, and this is no link: nothing has to be looked up again.
            (folder.join(entry.file_name()), file_type.is_dir(), file_type.is_file())
        };
        let is_wanted = if is_folder { !is_hidden } else { is_manifest && is_file };
        if !is_wanted {
            return Ok(());
        }
        if !real.starts_with(&root.real) {
            return Err(ManifestError::LeavingSymlink { path: shown(path), folder: shown(root.given) });
        }
        if is_folder {
            self.folder(path, root, &real);
            Ok(())
        } else {
            self.file(path, real, Given::InFolder)
        }
    }

    fn file(&mut self, path: &Path, real: PathBuf, given: Given) -> Result<(), ManifestError> {
        match (self.files.get(&real), given) {
            // It was left out, and now it is named.
            (None, _) | (Some(None), Given::ByName) => {}
            (Some(index), _) => {
                self.repeats += 1;
                let text = index.and_then(|index| self.found.texts.get_mut(index));
                if let (Given::ByName, Some(text)) = (given, text) {
                    text.given = given;
                }
                return Ok(());
            }
        }
        let mut file = File::open(path).map_err(|cause| unreadable(path, cause))?;
        self.fill(path, &mut file)?;
        if given == Given::InFolder && self.filter == Filter::ArgoCd && !may_hold_argo_cd(path, &self.buffer) {
            self.files.insert(real, None);
            self.found.others.push(shown(path));
            return Ok(());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.files.insert(real, Some(self.found.texts.len()));
        self.text(path, folder, given);
        Ok(())
    }

    fn fill(&mut self, path: &Path, reader: &mut dyn Read) -> Result<(), ManifestError> {
        self.buffer.clear();
        // One byte more than allowed tells that there is more.
        let limit = u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(1);
        reader.take(limit).read_to_end(&mut self.buffer).map_err(|cause| unreadable(path, cause))?;
        if self.buffer.len() > self.limit {
            return Err(ManifestError::TooLarge { path: shown(path), limit: self.limit });
        }
        Ok(())
    }

    fn text(&mut self, path: &Path, folder: &Path, given: Given) {
        let bytes = self.buffer.clone();
        self.found.texts.push(ManifestText { name: shown(path), bytes, folder: folder.into(), given });
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn unreadable(path: &Path, cause: io::Error) -> ManifestError {
    ManifestError::Unreadable { path: shown(path), cause }
}

fn has_manifest_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// The nearest thing that is there in place of a path that is not.
pub(super) fn nearest_path(path: &Path) -> String {
    // The first part of the path that is not there, and the folder that is.
    let missing = path.ancestors().take_while(|ancestor| !ancestor.exists() || ancestor.as_os_str().is_empty());
    let Some(missing) = missing.filter(|ancestor| !ancestor.as_os_str().is_empty()).last() else {
        return "check its spelling".to_owned();
    };
    let folder = missing.parent().filter(|folder| !folder.as_os_str().is_empty());
    let wrong = missing.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let entries: Vec<fs::DirEntry> =
        fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten().collect();
    let nearest = entries
        .iter()
        .map(fs::DirEntry::file_name)
        .map(|name| (strsim::osa_distance(&wrong, &name.to_string_lossy().to_lowercase()), name))
        .filter(|(distance, _)| distance * 3 <= wrong.chars().count())
        .min();
    match (nearest, folder) {
        (Some((_, name)), _) => {
            let nearest = folder.map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name));
            format!("did you mean `{}`?", shown(&nearest))
        }
        (None, Some(folder)) => match folders_in_words(&entries) {
            None => format!("`{}` exists, but contains nothing with that name", shown(folder)),
            Some(folders) => format!("`{}` exists, with {folders}", shown(folder)),
        },
        (None, None) => "check its spelling and the working directory".to_owned(),
    }
}

/// The folders among the entries, in words: `the folders a, b and 3 more`.
fn folders_in_words(entries: &[fs::DirEntry]) -> Option<String> {
    const SHOWN: usize = 5;
    let folders = entries.iter().filter(|entry| entry.path().is_dir()).map(fs::DirEntry::file_name);
    let mut folders: Vec<String> = folders.map(|name| name.to_string_lossy().into_owned()).collect();
    folders.retain(|name| !name.starts_with('.'));
    folders.sort_unstable();
    let names: Vec<String> = folders.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match (names.as_slice(), folders.len() - names.len()) {
        ([], _) => None,
        ([one], 0) => Some(format!("the folder {one}")),
        ([first @ .., last], 0) => Some(format!("the folders {} and {last}", first.join(", "))),
        (names, more) => Some(format!("the folders {} and {more} more", names.join(", "))),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write the files that are read")]
mod tests {
    use miette::Diagnostic;
    use tempfile::TempDir;

    use super::*;

    fn folder_of(files: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, *file).unwrap();
        }
        folder
    }

    fn read_paths(paths: &[PathBuf]) -> ManifestTexts {
        let paths: Vec<ManifestPath> = paths.iter().map(|path| path.clone().into_os_string().into()).collect();
        read(&paths, StandardInput { reader: &mut io::empty(), is_terminal: true })
    }

    /// Names below the folder, and each error as `message | help`.
    fn shown_below(folder: &TempDir, found: &ManifestTexts) -> (Vec<String>, Vec<String>) {
        let prefix = format!("{}/", folder.path().display());
        let names = found.texts.iter().map(|text| text.name.replace(&prefix, "")).collect();
        let tell = |error: &ManifestError| {
            format!("{error} | {}", error.help().map(|help| help.to_string()).unwrap_or_default()).replace(&prefix, "")
        };
        (names, found.errors.iter().map(tell).collect())
    }

    #[test]
    fn a_folder_is_walked_in_lexical_order_without_hidden_folders() {
        let files = [
            "web.yaml",
            "api.yml",
            "shop/cart.json",
            "shop/README.md",
            ".git/config.yaml",
            ".hidden/app.yaml",
            "z.YAML",
            "b/c/d.yaml",
        ];
        let folder = folder_of(&files);
        let found = read_paths(&[folder.path().to_owned()]);
        let (names, errors) = shown_below(&folder, &found);
        assert_eq!(names, ["api.yml", "b/c/d.yaml", "shop/cart.json", "web.yaml", "z.YAML"]);
        assert!(errors.is_empty(), "{errors:?}");
        assert!(found.texts.iter().all(|text| text.given == Given::InFolder));
        assert_eq!(found.texts[1].folder, folder.path().join("b/c").into());
        assert_eq!(found.texts[1].bytes, b"b/c/d.yaml");
    }

    #[test]
    fn a_file_is_read_once_though_given_twice() {
        let folder = folder_of(&["apps/web.yaml", "apps/api.yaml"]);
        let apps = folder.path().join("apps");
        let found = read_paths(&[apps.clone(), apps.join("web.yaml"), apps.join("../apps")]);
        let (names, errors) = shown_below(&folder, &found);
        assert_eq!((names, errors), (vec!["apps/api.yaml".to_owned(), "apps/web.yaml".to_owned()], Vec::new()));
        // The user named it, so it must hold an Application.
        assert_eq!(found.texts[1].given, Given::ByName);
    }

    #[cfg(unix)]
    #[test]
    fn symlinks_inside_are_followed_once_and_those_that_leave_are_refused() {
        use std::os::unix::fs::symlink;
        let folder = folder_of(&["apps/..data/web.yaml", "apps/shop/cart.yaml", "secret/token.yaml"]);
        let apps = folder.path().join("apps");
        symlink("..data/web.yaml", apps.join("web.yaml")).unwrap();
        symlink("..", apps.join("shop/loop")).unwrap();
        symlink("shop", apps.join("again")).unwrap();
        symlink("nowhere", apps.join("README")).unwrap();
        symlink("circle.yaml", apps.join("circle.yaml")).unwrap();
        symlink("../secret/token.yaml", apps.join("stolen.yaml")).unwrap();
        symlink("../secret", apps.join("stolen")).unwrap();
        let found = read_paths(&[apps]);
        let (names, errors) = shown_below(&folder, &found);
        assert_eq!(names, ["apps/again/cart.yaml", "apps/web.yaml"]);
        assert_eq!(errors.len(), 3, "{errors:#?}");
        assert!(errors[0].starts_with("apps/circle.yaml: cannot be read"), "{}", errors[0]);
        assert!(errors[1].starts_with("apps/stolen: is a symlink that leaves the folder apps"), "{}", errors[1]);
        assert!(errors[2].starts_with("apps/stolen.yaml: is a symlink that leaves the folder apps"), "{}", errors[2]);
    }

    #[test]
    fn what_is_not_there_is_told_with_the_nearest_name() {
        let folder = folder_of(&["apps/guestbook.yaml", "empty/README.md", "empty/deeper/notes.txt"]);
        let path = |name: &str| folder.path().join(name);
        let paths =
            ["apps/guestbok.yaml", "app/guestbook.yaml", "apps/other", "empty/other/web.yaml", "empty"].map(path);
        let (names, errors) = shown_below(&folder, &read_paths(&paths));
        assert!(names.is_empty());
        assert_eq!(
            errors,
            [
                "apps/guestbok.yaml: no such file or folder | did you mean `apps/guestbook.yaml`?",
                "app/guestbook.yaml: no such file or folder | did you mean `apps`?",
                "apps/other: no such file or folder | `apps` exists, but contains nothing with that name",
                "empty/other/web.yaml: no such file or folder | `empty` exists, with the folder `deeper`",
                "empty: contains no .yaml, .yml or .json file | name a folder with Application manifests",
            ]
        );
    }

    #[test]
    fn standard_input_is_read_once_and_not_from_a_terminal() {
        let twice = [ManifestPath::StandardInput, ManifestPath::StandardInput];
        let found = read(&twice, StandardInput { reader: &mut &b"kind: Application"[..], is_terminal: false });
        assert_eq!(found.texts.len(), 1);
        assert_eq!(found.texts[0].name, "-");
        assert_eq!(found.texts[0].folder, ".".into());
        assert_eq!(found.texts[0].bytes, b"kind: Application");
        assert!(matches!(found.errors[..], [ManifestError::StandardInputTwice]));

        let found = read(&twice[..1], StandardInput { reader: &mut io::empty(), is_terminal: true });
        assert!(matches!(found.errors[..], [ManifestError::Terminal]));
    }

    /// What holds nothing of Argo CD's is left out; what the user named is not, nor is anything where there is nothing else.
    #[test]
    fn files_without_argo_cd_are_left_out() {
        let folder = folder_of(&["apps/Application.yaml", "apps/service.yaml", "other/a.yaml", "other/b.yaml"]);
        let read = |paths: &[&str]| {
            let paths = paths.iter().map(|path| folder.path().join(path).into_os_string().into());
            let input = StandardInput { reader: &mut io::empty(), is_terminal: true };
            let found = read_argo_cd(&paths.collect::<Vec<ManifestPath>>(), input);
            let others = found.others.len();
            (shown_below(&folder, &found).0, others)
        };
        assert_eq!(read(&["."]).1, 3);
        assert_eq!(read(&["apps"]).0, ["apps/Application.yaml"]);
        assert_eq!(read(&["apps", "apps", "apps/service.yaml"]).0, ["apps/Application.yaml", "apps/service.yaml"]);
        assert_eq!(read(&["other"]), (vec!["other/a.yaml".to_owned(), "other/b.yaml".to_owned()], 0));
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let folder = folder_of(&["apps/web.yaml"]);
        let mut walk = ManifestWalk { limit: 4, ..ManifestWalk::default() };
        let error = walk.path(&folder.path().join("apps/web.yaml")).unwrap_err();
        assert!(matches!(error, ManifestError::TooLarge { limit: 4, .. }));
        assert!(walk.found.texts.is_empty());
    }
}
