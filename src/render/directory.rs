//! Renders a folder of plain manifests: YAML, JSON and Jsonnet.
//!
//! In: the folder of a source inside its checkout, and `source.directory`. Out: the objects of every file in lexical
//! order, Lists unfolded, each with its file and line; and a [`Gap`] for every file that gave none.
//!
//! Rules: Argo CD reposerver/repository/repository.go `findManifests`, `getPotentiallyValidManifests`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::glob::Glob;
use super::input::Made;
use super::paths::{self, PathFault, relative};
use super::{RenderError, RenderInput, jsonnet, likeness, list};
use crate::app::Directory;
use crate::app::ignore_file::{self, IGNORE_FILE};
use crate::app::source::SourceKind;
use crate::finding::{Code, Excerpt, Finding};
use crate::object::yaml::{self, Limits, WithPositions, YamlError};
use crate::object::{Gap, GapReason, Object, Origin};
use crate::render::Target;

/// Anywhere in a file, this keeps the file from being rendered: in a comment of whatever language the file is.
const SKIP_FILE_MARKER: &str = "+argocd:skip-file-rendering";

/// From so many objects on, reading what was kept of them takes a fraction of the time that their YAML does.
const WORTH_KEEPING: usize = 50;

/// The folder to render.
#[derive(Debug, Clone, Copy)]
struct RenderFolder<'a> {
    /// The checkout's root: no file outside of it is read.
    root: &'a Path,
    /// The folder itself, inside the root.
    folder: &'a Path,
    /// `source.directory`.
    options: &'a Directory,
    /// All manifests together, in bytes.
    combined_size: u64,
    /// Whether Jsonnet is evaluated, or passed over.
    jsonnet: bool,
}

/// Reads every manifest of the source's folder.
pub(super) fn render(input: &RenderInput<'_>) -> Result<Made, RenderError> {
    let options = input.source.directory.clone().unwrap_or_default();
    let folder = RenderFolder {
        root: input.root,
        folder: input.folder,
        options: &options,
        combined_size: input.settings.combined_size,
        jsonnet: !input.settings.disabled.contains(&SourceKind::Directory),
    };
    let mut has_programs = false;
    let target = render_folder(folder, |programs| {
        has_programs = !programs.is_empty();
        let mut request = jsonnet::EvaluationRequest::of_directory(&options.jsonnet, input)?;
        request.programs = programs.into_iter().map(jsonnet::JsonnetProgram::File).collect();
        jsonnet::evaluate(&request, input)
    })?;
    // A few plain manifests are read as fast as what would be kept of them.
    let is_kept = has_programs || target.objects.len() >= WORTH_KEEPING;
    Ok(if is_kept { Made::again(target) } else { Made::once(target) })
}

/// Reads every manifest; `evaluate` gives the values of all Jsonnet programs, in order.
fn render_folder(
    folder: RenderFolder<'_>,
    evaluate: impl FnOnce(Vec<PathBuf>) -> Result<Vec<Value>, RenderError>,
) -> Result<Target, RenderError> {
    let mut manifests = Target::default();
    let files = files(folder, &mut manifests)?;
    let programs: Vec<PathBuf> =
        files.iter().filter(|file| file.is_jsonnet()).map(|file| file.real_path.clone()).collect();
    let mut values = evaluate(programs)?.into_iter();
    for file in files {
        if file.is_jsonnet() {
            // There is one value a program: the evaluation ends with an error otherwise.
            let value = values.next().unwrap_or_default();
            read_value(&file.shown, value, &mut manifests)?;
        } else {
            read_text(&file.shown, &file.text, &mut manifests)?;
        }
    }
    Ok(manifests)
}

/// A file that may hold manifests.
struct ManifestFile {
    /// Relative to the checkout.
    shown: String,
    /// Links resolved, in the checkout.
    real_path: PathBuf,
    text: String,
}

impl ManifestFile {
    fn is_jsonnet(&self) -> bool {
        has_extension(&self.shown, "jsonnet")
    }
}

/// The files that may hold manifests, in lexical order, but for those that ask to be left out.
fn files(folder: RenderFolder<'_>, manifests: &mut Target) -> Result<Vec<ManifestFile>, RenderError> {
    let root =
        fs::canonicalize(folder.root).map_err(|source| RenderError::Unreadable { file: ".".to_owned(), source })?;
    // Argo CD: 0 is no limit.
    let mut left = if folder.combined_size == 0 { u64::MAX } else { folder.combined_size };
    let mut files = Vec::new();
    let found = paths(folder)?;
    if found.is_empty() {
        manifests.warnings.extend(unread(folder)?);
    }
    for path in found {
        let shown = relative(folder.root, &path);
        let real_path = match paths::resolve(&root, &root.join(path.strip_prefix(folder.root).unwrap_or(&path))) {
            Ok(real_path) => real_path,
            // Argo CD skips a link to nothing.
            Err(PathFault::NotFound) => {
                manifests.gaps.push(gap(&shown, 0, GapReason::DanglingLink, Vec::new()));
                continue;
            }
            Err(fault) => return Err(fault.of(&shown)),
        };
        // Argo CD does not count Jsonnet: what it evaluates to says nothing about its size.
        let limit = if has_extension(&shown, "jsonnet") { u64::MAX } else { left };
        let bytes =
            read(&real_path, limit).map_err(|source| RenderError::Unreadable { file: shown.clone(), source })?;
        let decoded = yaml::decode(&bytes);
        let text = decoded.as_ref().map_or_else(|_error| String::from_utf8_lossy(&bytes), Clone::clone);
        if text.contains(SKIP_FILE_MARKER) {
            continue;
        }
        if is_ignore_file(folder, &path) && ignore_file::read(&shown, &bytes).is_some_and(|it| it.findings.is_empty()) {
            continue;
        }
        let size = bytes.len() as u64;
        if size > limit {
            return Err(RenderError::TooLarge {
                folder: relative(folder.root, folder.folder),
                limit: folder.combined_size,
            });
        }
        if limit != u64::MAX {
            left -= size;
        }
        match decoded {
            Ok(text) => files.push(ManifestFile { shown, real_path, text: text.into_owned() }),
            Err(error) => {
                if !may_be_unrelated(&shown, &text) {
                    return Err(syntax(&shown, "", &error));
                }
                manifests.gaps.push(skipped(&shown, &text));
            }
        }
    }
    Ok(files)
}

/// A file, or a little more of it than the limit.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The paths that may be manifests by their names, in lexical order.
fn paths(folder: RenderFolder<'_>) -> Result<Vec<PathBuf>, RenderError> {
    let filter = Filter::new(folder.options)?;
    let mut found = Vec::new();
    let mut pending = vec![folder.folder.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let unreadable = |source| RenderError::Unreadable { file: relative(folder.root, &directory), source };
        let mut folders = Vec::new();
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            // A link to a folder is not walked into, as Go's filepath.Walk does not.
            if entry.file_type().map_err(unreadable)?.is_dir() {
                if folder.options.recurse && entry.file_name() != ".git" {
                    folders.push(path);
                }
            } else if !path.is_dir() && !is_override(&path) && filter.admits(&relative(folder.folder, &path)) {
                found.push(path);
            }
        }
        pending.append(&mut folders);
    }
    found.retain(|path| folder.jsonnet || path.extension().is_none_or(|extension| extension != "jsonnet"));
    found.sort();
    Ok(found)
}

/// `.argocd-source.yaml` and its like speak of the source, and have been heard.
fn is_override(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".argocd-source"))
}

/// Whether it is the `trueup.yaml` of the source: rules of what is compared, unless it holds objects.
fn is_ignore_file(folder: RenderFolder<'_>, path: &Path) -> bool {
    path.parent() == Some(folder.folder) && path.file_name().is_some_and(|name| name == IGNORE_FILE)
}

/// `exclude`, `include` and the extension filter of one source.
struct Filter {
    exclude: Option<Glob>,
    include: Option<Glob>,
    by_extension: bool,
}

impl Filter {
    fn new(options: &Directory) -> Result<Self, RenderError> {
        Ok(Self {
            exclude: glob("exclude", &options.exclude)?,
            include: glob("include", &options.include)?,
            by_extension: !options.disable_extension_filter,
        })
    }

    fn admits(&self, relative: &str) -> bool {
        let by_extension = !self.by_extension
            || ["yaml", "yml", "json", "jsonnet"]
                .iter()
                .any(|extension| relative.rsplit_once('.').is_some_and(|(_, found)| found == *extension));
        by_extension
            && !self.exclude.as_ref().is_some_and(|glob| glob.matches(relative))
            && self.include.as_ref().is_none_or(|glob| glob.matches(relative))
    }
}

fn glob(field: &'static str, pattern: &str) -> Result<Option<Glob>, RenderError> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let glob = Glob::new(pattern);
    glob.map(Some).map_err(|source| RenderError::Glob { field, pattern: pattern.to_owned(), source })
}

fn read_value(file: &str, value: Value, manifests: &mut Target) -> Result<(), RenderError> {
    let origin = Origin { file: Arc::from(file), line: 1 };
    for value in jsonnet::objects(value, file)? {
        manifests.objects.append(&mut unfold(value, &origin, "")?);
    }
    Ok(())
}

fn read_text(file: &str, text: &str, manifests: &mut Target) -> Result<(), RenderError> {
    let documents = yaml::read(text, &Limits::default(), WithPositions::No);
    let one_object = has_extension(file, "json");
    if one_object && documents.len() != 1 {
        return Err(RenderError::SeveralInJson { file: file.to_owned(), count: documents.len() });
    }
    let mut read = Vec::new();
    for document in documents {
        let parsed = document.map_err(|error| syntax(file, text, &error)).and_then(|document| {
            let origin = Origin { file: Arc::from(file), line: document.line };
            unfold(document.value, &origin, text)
        });
        match parsed {
            Ok(objects) => read.extend(objects),
            // Argo CD skips a file that lacks one of the words, whatever is wrong with it.
            Err(_error) if read.is_empty() && may_be_unrelated(file, text) => {
                manifests.gaps.push(skipped(file, text));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
    manifests.objects.append(&mut read);
    Ok(())
}

fn has_extension(file: &str, extension: &str) -> bool {
    Path::new(file).extension().is_some_and(|found| found == extension)
}

/// Rule: Argo CD `findManifests`: what cannot be read is a broken manifest if it is JSON, or has all three of these words.
fn may_be_unrelated(file: &str, text: &str) -> bool {
    let is_yaml = !["json", "jsonnet"].iter().any(|extension| has_extension(file, extension));
    is_yaml && !["apiVersion:", "kind:", "metadata:"].iter().all(|field| text.contains(field))
}

/// A word about a folder of which nothing is read, though it has what could be: an application of nothing is in sync with
/// anything.
fn unread(folder: RenderFolder<'_>) -> Result<Option<Finding>, RenderError> {
    let Directory { recurse, include, exclude, .. } = folder.options;
    let count = |recurse| {
        let options = Directory { recurse, ..Directory::default() };
        paths(RenderFolder { options: &options, ..folder }).map(|found| found.len())
    };
    let shown = relative(folder.root, folder.folder);
    let (count, help) = match count(*recurse)? {
        0 => (count(true)?, "files in folders below are read with `directory.recurse: true`".to_owned()),
        // An `exclude` of everything is meant.
        _ if include.is_empty() || !exclude.is_empty() => return Ok(None),
        count => (
            count,
            format!(
                "`directory.include`, `{include}`, matches no file: it is matched against the path below `{shown}`"
            ),
        ),
    };
    let message = format!("no file of `{shown}` is read, though {count} in it could be manifests");
    Ok((count > 0).then(|| Finding::warning(Code::RenderNothingRead, message).with_help(help)))
}

/// A file that gave no objects, and why.
fn skipped(file: &str, text: &str) -> Gap {
    let (reason, line) = likeness::of_file(text, &yaml::read(text, &Limits::default(), WithPositions::No));
    gap(file, line, reason, likeness::names(text))
}

fn gap(file: &str, line: usize, reason: GapReason, names: Vec<String>) -> Gap {
    Gap { source: 0, file: Some(Arc::from(file)), line, reason, names }
}

pub(super) fn unfold(value: Value, origin: &Origin, text: &str) -> Result<Vec<Object>, RenderError> {
    list::unfold(value).into_iter().map(|item| object(item, origin, text)).collect()
}

fn object(value: Value, origin: &Origin, text: &str) -> Result<Object, RenderError> {
    Object::new(value).map(|object| object.with_origin(origin.clone())).map_err(|fault| {
        let offset = line_start(text, origin.line);
        let length = text[offset..].find('\n').unwrap_or(text.len() - offset);
        RenderError::NotAnObject { excerpt: Box::new(Excerpt::new(&*origin.file, text, offset, length, None)), fault }
    })
}

fn line_start(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

fn syntax(file: &str, text: &str, error: &YamlError) -> RenderError {
    RenderError::Syntax {
        message: error.message.clone(),
        excerpt: Box::new(Excerpt::new(file, text, error.span.offset, error.span.length, Some("here".to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::DEFAULT_COMBINED_SIZE;
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            #[expect(clippy::disallowed_methods, reason = "a test's own folder")]
            fs::write(path, text).expect("a file");
        }
        folder
    }

    fn render_all(folder: &tempfile::TempDir, options: &Directory) -> Result<Target, RenderError> {
        let folder = RenderFolder {
            root: folder.path(),
            folder: folder.path(),
            options,
            combined_size: DEFAULT_COMBINED_SIZE,
            jsonnet: true,
        };
        render_plain(folder)
    }

    fn render_plain(folder: RenderFolder<'_>) -> Result<Target, RenderError> {
        render_folder(folder, |programs| {
            assert!(programs.is_empty(), "Jsonnet needs the program itself");
            Ok(Vec::new())
        })
    }

    fn names(manifests: &Target) -> Vec<&str> {
        manifests.objects.iter().map(Object::name).collect()
    }

    fn map(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
    }

    /// Argo CD's own documentation of `directory.include` and `exclude`, and gobwas: `*` crosses `/`.
    #[test]
    fn which_files_are_manifests() {
        let tree = ["a.yaml", "b.yml", "c.json", "d.txt", "e.YAML", "env/prod/f.yaml", "env/test/g.yaml", "h.yaml.bak"];
        let cases: [(&str, Directory, &[&str]); 8] = [
            (
                "by default",
                Directory { recurse: true, ..Directory::default() },
                &["a.yaml", "b.yml", "c.json", "env/prod/f.yaml", "env/test/g.yaml"],
            ),
            (
                "include",
                Directory { include: "*.yaml".into(), ..Directory::default() },
                &["a.yaml", "env/prod/f.yaml", "env/test/g.yaml"],
            ),
            (
                "include of several",
                Directory { include: "{a.yaml,env/test/*}".into(), ..Directory::default() },
                &["a.yaml", "env/test/g.yaml"],
            ),
            ("exclude", Directory { exclude: "env/*".into(), ..Directory::default() }, &["a.yaml", "b.yml", "c.json"]),
            (
                "exclude wins",
                Directory { include: "*.yaml".into(), exclude: "env/prod/*".into(), ..Directory::default() },
                &["a.yaml", "env/test/g.yaml"],
            ),
            (
                "any extension",
                Directory { include: "*.txt".into(), disable_extension_filter: true, ..Directory::default() },
                &["d.txt"],
            ),
            ("one character", Directory { include: "?.y*ml".into(), ..Directory::default() }, &["a.yaml", "b.yml"]),
            ("a class", Directory { include: "[ab].y*".into(), ..Directory::default() }, &["a.yaml", "b.yml"]),
        ];
        for (case, options, expected) in cases {
            let filter = Filter::new(&options).expect(case);
            let admitted: Vec<&str> = tree.into_iter().filter(|file| filter.admits(file)).collect();
            assert_eq!(admitted, expected, "{case}");
        }
    }

    #[test]
    fn folders_below_are_read_only_when_asked_for_and_in_lexical_order() {
        let folder = folder(&[
            ("b.yaml", &map("b")),
            ("a.yaml", &format!("{}---\n{}", map("a1"), map("a2"))),
            ("deep/c.yaml", &map("c")),
            (".git/d.yaml", &map("d")),
        ]);
        let flat = render_all(&folder, &Directory::default()).expect("rendered");
        assert_eq!(names(&flat), ["a1", "a2", "b"]);
        let deep = render_all(&folder, &Directory { recurse: true, ..Directory::default() }).expect("rendered");
        assert_eq!(names(&deep), ["a1", "a2", "b", "c"]);
        let origin = deep.objects[1].origin().expect("an origin");
        assert_eq!((&*origin.file, origin.line), ("a.yaml", 6));
    }

    /// A pattern with a typo, or everything in folders below: there would be nothing to compare, and all in sync.
    #[test]
    fn a_folder_of_which_nothing_is_read_is_reported() {
        let deep = folder(&[("prod/a.yaml", &map("a")), ("README.md", "read me")]);
        let reported = |folder: &tempfile::TempDir, recurse, include: &str, exclude: &str| {
            let options =
                Directory { recurse, include: include.into(), exclude: exclude.into(), ..Directory::default() };
            render_all(folder, &options).expect("rendered").warnings.into_iter().find_map(|it| it.help)
        };
        assert_eq!(
            reported(&deep, false, "", "").as_deref(),
            Some("files in folders below are read with `directory.recurse: true`")
        );
        assert_eq!(
            reported(&deep, true, "*.yml", "").as_deref(),
            Some("`directory.include`, `*.yml`, matches no file: it is matched against the path below `.`")
        );
        assert!(
            reported(&folder(&[("a.yaml", &map("a"))]), false, "*.yml", "")
                .is_some_and(|it| it.contains("matches no file"))
        );
        for (recurse, include, exclude) in [(true, "", "*"), (true, "prod/*", "")] {
            assert_eq!(reported(&deep, recurse, include, exclude), None);
        }
        assert_eq!(reported(&folder(&[(".gitkeep", "")]), false, "", ""), None);
    }

    #[test]
    fn lists_become_their_items() {
        let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}}]}"#;
        let folder = folder(&[("list.json", list), ("none.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems:\n")]);
        let manifests = render_all(&folder, &Directory::default()).expect("rendered");
        assert_eq!(names(&manifests), ["one", "two"]);
    }

    fn gaps(manifests: &Target) -> Vec<String> {
        manifests.gaps.iter().filter(|gap| gap.is_certain()).map(ToString::to_string).collect()
    }

    /// A values file beside manifests is no news; a manifest with a typo is a gap, and a broken one an error.
    #[test]
    fn a_file_that_is_not_a_manifest_is_distinguished_from_a_broken_one() {
        let other = folder(&[("values.yaml", "replicas: 2\n"), ("a.yaml", &map("a")), ("empty.yaml", "# nothing\n")]);
        let manifests = render_all(&other, &Directory::default()).expect("rendered");
        assert_eq!(names(&manifests), ["a"]);
        assert_eq!((gaps(&manifests), manifests.warnings.len()), (vec![], 0));

        let typo = folder(&[("a.yaml", &map("a")), ("b.yaml", &map("b").replace("kind", "knd"))]);
        let manifests = render_all(&typo, &Directory::default()).expect("rendered");
        assert_eq!(names(&manifests), ["a"]);
        assert_eq!(gaps(&manifests), ["`b.yaml:2` has `knd` instead of `kind`"]);

        let broken = folder(&[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [a\n")]);
        let error = render_all(&broken, &Directory::default()).expect_err("broken");
        assert!(matches!(error, RenderError::Syntax { .. }), "{error}");

        let second = folder(&[("a.yaml", &format!("{}---\nreplicas: 2\n", map("a")))]);
        let error = render_all(&second, &Directory::default()).expect_err("not an object");
        assert_eq!(error.to_string(), "a document in `a.yaml` has no `apiVersion`");
    }

    /// A values file in Latin-1, and a manifest in it.
    #[test]
    fn what_is_no_text_is_an_error_only_where_a_manifest_is_broken() {
        let render = |text: &[u8]| {
            let folder = folder(&[("a.yaml", &map("a"))]);
            #[expect(clippy::disallowed_methods, reason = "a test's own folder")]
            fs::write(folder.path().join("b.yaml"), text).expect("a file");
            render_all(&folder, &Directory::default())
        };
        let manifests = render(b"owner: Andr\xe9\n").expect("skipped");
        assert_eq!(names(&manifests), ["a"]);
        assert_eq!(gaps(&manifests), [""; 0]);
        let manifests = render(b"\0GITCRYPT\0\x91\xe9").expect("skipped");
        assert_eq!(gaps(&manifests), ["`b.yaml` is encrypted"]);

        let error = render(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Andr\xe9}\n").expect_err("broken");
        assert_eq!(error.to_string(), "`b.yaml` is not YAML: byte 0xE9 is not UTF-8");
    }

    /// The marker stands in whatever the file's language has for a comment; what is left out has no size.
    #[test]
    fn a_marked_file_is_skipped() {
        let marker = "+argocd:skip-file-rendering";
        let folder = folder(&[
            ("a.yaml", &format!("# {marker}\n{}", map("a"))),
            ("b.yaml", &map("b")),
            ("c.yaml", &format!("{{{{- /* {marker} */ -}}}}\n{}", map("c").repeat(20))),
            ("d.jsonnet", &format!("// {marker}\nerror 'never evaluated'")),
        ]);
        let options = Directory::default();
        let place = RenderFolder {
            root: folder.path(),
            folder: folder.path(),
            options: &options,
            combined_size: 100,
            jsonnet: true,
        };
        assert_eq!(names(&render_plain(place).expect("rendered")), ["b"]);
    }

    #[test]
    fn a_json_file_is_one_object() {
        let object = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
        let folder = folder(&[("a.json", &format!("{object}\n---\n{object}"))]);
        let error = render_all(&folder, &Directory::default()).expect_err("two values");
        assert!(matches!(error, RenderError::SeveralInJson { count: 2, .. }), "{error}");
    }

    /// A dashboard or a `package.json` beside the manifests: Argo CD ends with a `ComparisonError` ("Object 'Kind' is missing"), whatever
    /// the other files are; what has a kind and no version it compares, and can never apply.
    #[test]
    fn a_json_file_that_is_no_object_is_an_error_beside_any_manifest() {
        for (json, words) in [
            (r#"{"kind": "ConfigMap", "metadata": {"name": "a"}}"#, "a document in `b.json` has no `apiVersion`"),
            (r#"{"apiVersion": "v1", "metadata": {"name": "a"}}"#, "a document in `b.json` has no `kind`"),
            (r#"{"title": "dashboard"}"#, "a document in `b.json` has no `apiVersion`"),
            ("[]", "a document in `b.json` is a list, not an object with `apiVersion` and `kind`"),
            ("null", "`b.json` holds 0 JSON values, not one"),
        ] {
            let folder = folder(&[("a.yaml", &map("a")), ("b.json", json)]);
            let error = render_all(&folder, &Directory::default()).expect_err(json);
            assert_eq!(error.to_string(), words, "{json}");
        }
    }

    #[test]
    fn more_than_the_limit_is_an_error() {
        let folder = folder(&[("a.yaml", &map("a")), ("b.yaml", &map("b"))]);
        let options = Directory::default();
        let small = RenderFolder {
            root: folder.path(),
            folder: folder.path(),
            options: &options,
            combined_size: 100,
            jsonnet: true,
        };
        assert!(matches!(render_plain(small), Err(RenderError::TooLarge { limit: 100, .. })));
        assert_eq!(names(&render_plain(RenderFolder { combined_size: 0, ..small }).expect("no limit")), ["a", "b"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leaves_the_checkout_is_refused_and_one_to_nothing_is_a_gap() {
        let outside = folder(&[("secret.yaml", &map("outside"))]);
        let inside = folder(&[("shared/real.yaml", &map("inside")), ("app/keep.yaml", &map("keep"))]);
        std::os::unix::fs::symlink("../shared/real.yaml", inside.path().join("app/in.yaml")).expect("a link");
        let app = inside.path().join("app");
        let options = Directory::default();
        let source = RenderFolder {
            root: inside.path(),
            folder: &app,
            options: &options,
            combined_size: DEFAULT_COMBINED_SIZE,
            jsonnet: true,
        };
        std::os::unix::fs::symlink("gone.yaml", app.join("nothing.yaml")).expect("a link");
        let rendered = render_plain(source).expect("rendered");
        assert_eq!(names(&rendered), ["inside", "keep"]);
        assert_eq!(gaps(&rendered), ["`app/nothing.yaml` is a link to a file that does not exist"]);

        std::os::unix::fs::symlink(outside.path().join("secret.yaml"), app.join("out.yaml")).expect("a link");
        let error = render_plain(source).expect_err("refused");
        assert_eq!(error.to_string(), "`app/out.yaml` points outside its repository");
    }
}
