//! Rendered manifests as a folder: one file an object, for the pattern where a branch holds what was rendered.
//!
//! In: the objects of each application. Out: `DIR/<application>/<object>.yaml`, each written at once or not at all, and a list of them
//! beside them (`.trueup-files`). A file that holds a Secret is its owner's alone. Files of an earlier run that are no longer rendered are removed, but only those on the list, and only while
//! they are as they were written; applications that are not of this run, or could not be rendered, keep theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::OutputError;
use crate::finding::{Code, Finding};
use crate::object::Object;
use crate::object::mask::holds_secret;
use crate::report::manifests::{self, ManifestFormat};
use crate::report::terminal::{write_file, write_private_file};
use crate::storage::{RENDERED_LIST as LIST, users_mode};

/// The maximum length of a file name; file systems take 255 bytes.
const LONGEST_NAME: usize = 200;

/// The names on the list, each with the hash of what was written; two where a run may have been killed in between.
type FileList = BTreeMap<String, BTreeSet<String>>;

/// The result of writing a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WrittenFolder {
    /// Files that are new or changed.
    pub changed: usize,
    /// Files that were as they should be.
    pub unchanged: usize,
    /// Files that were removed.
    pub removed: usize,
    /// Files that should have been removed, and were not.
    pub kept: Vec<Finding>,
}

/// Why an application's folder could not be written.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FolderError {
    /// A file is in the way.
    #[error("`{}` exists and was not written by trueup; nothing was written to its folder", .file.display())]
    #[diagnostic(code(trueup::report::not_ours), help("move it away, or write to another folder"))]
    NotOurs {
        /// The file.
        file: PathBuf,
    },
    /// A folder cannot be made or read.
    #[error("`{}` cannot be written to", .file.display())]
    #[diagnostic(code(trueup::report::folder), help("check that you are allowed to write there"))]
    Folder {
        /// The folder or file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] OutputError),
}

/// Writes one application's objects into a folder of its name.
pub fn write(
    folder: &Path,
    application: &str,
    objects: &[Object],
    format: ManifestFormat,
) -> Result<WrittenFolder, FolderError> {
    let folder = folder.join(application);
    let list = folder.join(LIST);
    // A link in place of the folder or of the list would have us write where it leads.
    for (place, is_ours) in
        [(&folder, fs::Metadata::is_dir as fn(&fs::Metadata) -> bool), (&list, fs::Metadata::is_file)]
    {
        if place.symlink_metadata().is_ok_and(|found| !is_ours(&found)) {
            return Err(FolderError::NotOurs { file: place.clone() });
        }
    }
    let earlier = read_list(&list)?;
    let files = files(objects, format);
    for name in files.keys() {
        let file = folder.join(name);
        // A link is nothing that was written here, wherever it leads.
        if file.symlink_metadata().is_ok_and(|found| !found.is_file() || !earlier.contains_key(name)) {
            return Err(FolderError::NotOurs { file });
        }
    }
    make_folder(&folder).map_err(|cause| FolderError::Folder { file: folder.clone(), cause })?;
    let (mut written, mut listed) = (WrittenFolder::default(), earlier.clone());
    let mut changed = Vec::new();
    for (name, content) in &files {
        listed.entry(name.clone()).or_default().insert(hash(content.text.as_bytes()));
        if content.is_written(&folder.join(name)) {
            written.unchanged += 1;
        } else {
            changed.push((folder.join(name), content));
        }
    }
    if !changed.is_empty() {
        // A run that is killed from here on leaves nothing that the next one takes for somebody else's.
        write_list(&list, &listed)?;
    }
    for (file, content) in changed {
        content.write(&file)?;
        written.changed += 1;
    }
    for (name, hashes) in earlier.iter().filter(|(name, _)| !files.contains_key(*name)) {
        remove(&folder.join(name), hashes, &mut written)?;
    }
    let now = files.into_iter().map(|(name, content)| (name, [hash(content.text.as_bytes())].into()));
    write_list(&list, &now.collect())?;
    Ok(written)
}

/// Makes the folder, and those above it, for whom the user's mask lets read it.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|above| !above.exists()).collect();
    fs::create_dir_all(folder)?;
    let Some(mode) = users_mode(0o777) else { return Ok(()) };
    missing
        .iter()
        .filter(|made| !made.as_os_str().is_empty())
        .try_for_each(|made| fs::set_permissions(made, mode.clone()))
}

fn remove(file: &Path, written_hashes: &BTreeSet<String>, written: &mut WrittenFolder) -> Result<(), FolderError> {
    let failed = |cause| FolderError::Folder { file: file.to_owned(), cause };
    match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(there) if written_hashes.contains(&hash(&there)) => {
            fs::remove_file(file).map_err(failed)?;
            written.removed += 1;
        }
        Ok(_) => {
            let message = format!(
                "`{}` is no longer rendered, but is kept because it was changed by \
                 hand",
                file.display()
            );
            written.kept.push(Finding::warning(Code::ReportChanged, message).with_help("remove it yourself"));
        }
    }
    Ok(())
}

fn write_list(list: &Path, files: &FileList) -> Result<(), FolderError> {
    let lines = files.iter().flat_map(|(name, hashes)| hashes.iter().map(move |hash| format!("{hash}  {name}\n")));
    Ok(write_file(list, lines.collect::<String>().as_bytes())?)
}

/// The files that an earlier run wrote; names that lead anywhere else are not believed.
fn read_list(list: &Path) -> Result<FileList, FolderError> {
    let text = match fs::read_to_string(list) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileList::new()),
        read => read.map_err(|cause| FolderError::Folder { file: list.to_owned(), cause })?,
    };
    let mut listed = FileList::new();
    for (hash, name) in text.lines().filter_map(|line| line.split_once("  ")) {
        if !name.contains(['/', '\\']) && !name.starts_with('.') {
            listed.entry(name.to_owned()).or_default().insert(hash.to_owned());
        }
    }
    Ok(listed)
}

/// The content of one file.
struct FileContent {
    text: String,
    holds_secret: bool,
}

impl FileContent {
    /// Whether the file has this content, and no more readers than it should have.
    fn is_written(&self, file: &Path) -> bool {
        fs::read(file).is_ok_and(|there| there == self.text.as_bytes()) && (!self.holds_secret || is_private(file))
    }

    fn write(&self, file: &Path) -> Result<(), OutputError> {
        let write = if self.holds_secret { write_private_file } else { write_file };
        write(file, self.text.as_bytes())
    }
}

/// Whether only the owner can read a file.
#[cfg(unix)]
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == 0o600)
}

/// There are no modes.
#[cfg(not(unix))]
fn is_private(_file: &Path) -> bool {
    true
}

/// The content of each file, by its name. Names differ in more than their case: not every file system tells that apart.
fn files(objects: &[Object], format: ManifestFormat) -> BTreeMap<String, FileContent> {
    let extension = match format {
        ManifestFormat::Yaml => "yaml",
        ManifestFormat::Json => "json",
    };
    let mut taken = BTreeSet::new();
    let mut files = BTreeMap::new();
    for object in objects {
        let base = name(object);
        let mut unique = base.clone();
        let mut count = 1;
        while !taken.insert(unique.to_lowercase()) {
            count += 1;
            unique = format!("{base}-{count}");
        }
        let content = FileContent { text: manifests::one(object, format), holds_secret: holds_secret(object) };
        files.insert(format!("{unique}.{extension}"), content);
    }
    files
}

/// `deployment.apps_shop_web`: kind and group, namespace, name; whatever no file name should have is written as `%` and its bytes.
fn name(object: &Object) -> String {
    let gvk = object.gvk();
    let kind = if gvk.group.is_empty() { gvk.kind.clone() } else { format!("{}.{}", gvk.kind, gvk.group) };
    let own = if object.name().is_empty() { object.generate_name() } else { object.name() };
    let parts = [kind.to_lowercase().as_str(), object.namespace(), own].map(escaped);
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    if name.len() <= LONGEST_NAME {
        return name;
    }
    // Escaped text is ASCII, so that it may be cut anywhere.
    format!("{}-{}", &name[..LONGEST_NAME - 17], &hash(name.as_bytes())[..16])
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write the files that are in the way")]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> Object {
        let metadata = json!({"name": name, "namespace": "shop"});
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn each_object_has_a_file_of_its_own_name() {
        for (object, expected) in [
            (object("apps/v1", "Deployment", "web"), "deployment.apps_shop_web"),
            (object("v1", "Service", "web"), "service_shop_web"),
            (
                object("rbac.authorization.k8s.io/v1", "Role", "a:b/../c"),
                "role.rbac.authorization.k8s.io_shop_a%3Ab%2F..%2Fc",
            ),
        ] {
            assert_eq!(name(&object), expected);
        }
        let long = object("v1", "ConfigMap", &"x".repeat(400));
        assert_eq!(name(&long).len(), LONGEST_NAME);
        let twins = [object("v1", "ConfigMap", "a"), object("v1", "ConfigMap", "A")];
        assert_eq!(files(&twins, ManifestFormat::Json).len(), 2);
    }

    #[test]
    fn stale_files_go_when_they_are_ours_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let all = [object("v1", "ConfigMap", "a"), object("v1", "ConfigMap", "b"), object("v1", "ConfigMap", "c")];
        let first = write(folder.path(), "shop", &all, ManifestFormat::Yaml).unwrap();
        assert_eq!(first, WrittenFolder { changed: 3, ..WrittenFolder::default() });
        let shop = folder.path().join("shop");
        fs::write(shop.join("README.md"), "by hand").unwrap();
        fs::write(shop.join("configmap_shop_b.yaml"), "changed by hand").unwrap();

        let second = write(folder.path(), "shop", &all[2..], ManifestFormat::Yaml).unwrap();

        assert_eq!((second.changed, second.unchanged, second.removed, second.kept.len()), (0, 1, 1, 1));
        assert_eq!(names(&shop), [LIST, "README.md", "configmap_shop_b.yaml", "configmap_shop_c.yaml"]);
    }

    /// A job that was killed, or met a full disk, between the first file and the last: the next run makes it whole.
    #[test]
    fn a_run_that_was_killed_is_made_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shop = folder.path().join("shop");
        write(folder.path(), "shop", &[object("v1", "ConfigMap", "a")], ManifestFormat::Yaml).unwrap();
        // Nothing can be written over a folder: the run ends there.
        fs::create_dir(shop.join("configmap_shop_y.yaml")).unwrap();
        let list = fs::read_to_string(shop.join(LIST)).unwrap();
        fs::write(shop.join(LIST), list + "none  configmap_shop_y.yaml\n").unwrap();
        let all = ["x", "y"].map(|name| object("v1", "ConfigMap", name));
        assert!(write(folder.path(), "shop", &all, ManifestFormat::Yaml).is_err());

        fs::remove_dir(shop.join("configmap_shop_y.yaml")).unwrap();
        let next = write(folder.path(), "shop", &all, ManifestFormat::Yaml).unwrap();
        assert_eq!((next.removed, next.kept.len()), (1, 0));
        assert_eq!(names(&shop), [LIST, "configmap_shop_x.yaml", "configmap_shop_y.yaml"]);
    }

    /// A branch that holds rendered manifests may hold a link, too: nothing is written where it leads.
    #[cfg(unix)]
    #[test]
    fn a_planted_link_is_not_followed() {
        type Plant = (&'static str, fn(&Path, &Path));

        use std::os::unix::fs::symlink;
        let objects = [object("v1", "ConfigMap", "a")];
        let plants: [Plant; 3] = [
            ("the application's folder", |out, target| symlink(target, out.join("shop")).unwrap()),
            ("the list", |out, target| {
                fs::create_dir(out.join("shop")).unwrap();
                symlink(target.join("precious"), out.join("shop").join(LIST)).unwrap();
            }),
            ("an object", |out, target| {
                fs::create_dir(out.join("shop")).unwrap();
                symlink(target.join("precious"), out.join("shop/configmap_shop_a.yaml")).unwrap();
            }),
        ];
        for (case, plant) in plants {
            let (out, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            fs::write(target.path().join("precious"), "precious").unwrap();
            plant(out.path(), target.path());
            let written = write(out.path(), "shop", &objects, ManifestFormat::Yaml);
            assert!(matches!(written, Err(FolderError::NotOurs { .. })), "{case}: {written:?}");
            assert_eq!(names(target.path()), ["precious"], "{case}");
            assert_eq!(fs::read_to_string(target.path().join("precious")).unwrap(), "precious", "{case}");
        }
    }

    #[test]
    fn what_is_not_ours_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let shop = folder.path().join("shop");
        fs::create_dir(&shop).unwrap();
        fs::write(shop.join("configmap_shop_b.yaml"), "by hand").unwrap();
        let objects = [object("v1", "ConfigMap", "a"), object("v1", "ConfigMap", "b")];
        assert!(matches!(
            write(folder.path(), "shop", &objects, ManifestFormat::Yaml),
            Err(FolderError::NotOurs { .. })
        ));
        assert_eq!(names(&shop), ["configmap_shop_b.yaml"]);
        // A list from elsewhere cannot have files removed that lie elsewhere.
        fs::write(shop.join(LIST), format!("{}  ../precious\n", hash(b"precious"))).unwrap();
        fs::write(folder.path().join("precious"), "precious").unwrap();
        write(folder.path(), "shop", &objects[..1], ManifestFormat::Yaml).unwrap();
        assert!(folder.path().join("precious").exists());
    }
}
