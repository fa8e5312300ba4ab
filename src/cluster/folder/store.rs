//! Writes a folder: one object at a time, each file whole or not at all.
//!
//! In: what is to become of an object. Out: the object as it stands there now, or why not. Each write reads the file again, so
//! that what another process or a person wrote meanwhile is seen; processes of trueup wait for each other (a lock on
//! `.trueup/.lock`). A dry run writes nothing.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::names::{OWN_FOLDER, file_of, is_own, mark, may_be_own};
use super::read;
use super::text::{FolderText, TextPlace};
use super::view::{FolderView, Stored, place_in_namespace};
use crate::cluster::write::appliable;
use crate::cluster::{ClusterError, Deleted, Deletion, Reason, Refusal, Writing, Written};
use crate::object::annotations::{APPLYSET_PART_OF, HOOK_OF};
use crate::object::{Key, Object, Origin};
use crate::storage::users_mode;

/// A folder, and what it holds.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    view: RwLock<FolderView>,
}

/// How an object is to be written.
pub(super) enum FolderWrite {
    /// Whether it is there or not.
    Apply(Object),
    /// Only if it is not there.
    Create(Object),
    /// Only if it is there, and in its version if it names one.
    Replace(Object),
    /// By a JSON patch.
    Patch(Key, Value),
}

impl FolderWrite {
    fn key(&self) -> Key {
        match self {
            Self::Apply(object) | Self::Create(object) | Self::Replace(object) => object.key(),
            Self::Patch(key, _) => key.clone(),
        }
    }

    /// The object after the write, given the live one.
    fn outcome(self, live: Option<&Object>) -> Result<Object, Refusal> {
        match (self, live) {
            (Self::Create(object), Some(_)) => Err(refusal(Reason::AlreadyExists, &object.key(), "already exists")),
            (Self::Apply(object), _) | (Self::Create(object), None) => Ok(object),
            (Self::Replace(object), None) => Err(refusal(Reason::NotFound, &object.key(), "does not exist")),
            (Self::Patch(key, _), None) => Err(refusal(Reason::NotFound, &key, "does not exist")),
            (Self::Replace(object), Some(live)) => match object.resource_version() {
                "" => Ok(object),
                version if version == live.resource_version() => Ok(object),
                _ => Err(refusal(Reason::Conflict, &object.key(), "was changed in the meantime")),
            },
            (Self::Patch(key, patch), Some(live)) => patched(live, &patch)
                .filter(|object| object.key() == key && object.resource_version() == live.resource_version())
                .ok_or_else(|| refusal(Reason::Conflict, &key, "is not the object that the patch is for")),
        }
    }
}

fn patched(live: &Object, patch: &Value) -> Option<Object> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone()).ok()?;
    let mut value = live.to_value();
    json_patch::patch(&mut value, &patch).ok()?;
    Object::new(value).ok()
}

fn refusal(reason: Reason, key: &Key, what: &str) -> Refusal {
    Refusal { reason, words: format!("{key} {what}"), fields: Vec::new() }
}

/// A file as it is now, and where an object stands in it.
struct FoundObject {
    /// Below the folder.
    file: Arc<str>,
    text: FolderText,
    is_there: bool,
    place: Option<TextPlace>,
    /// As a cluster would return it.
    live: Option<Object>,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self, ClusterError> {
        Ok(Self { view: RwLock::new(read::read(folder)?), folder: folder.to_owned() })
    }

    /// The folder's objects when it was opened, and what was written since.
    pub(super) fn view(&self) -> RwLockReadGuard<'_, FolderView> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn view_mut(&self) -> RwLockWriteGuard<'_, FolderView> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what others have changed since, unless something was written in the meantime: then the next look sees it.
    pub(super) fn look_again(&self) -> Result<(), ClusterError> {
        let now = read::states(&self.folder)?;
        let generation = {
            let view = self.view();
            let (generation, files) = view.state();
            if files == now {
                return Ok(());
            }
            generation
        };
        let read = read::read(&self.folder)?.after(generation);
        let mut view = self.view_mut();
        if view.state().0 == generation {
            *view = read;
        }
        Ok(())
    }

    /// One object, as its file has it now: another run or a person may have written it since the folder was opened.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Object>, ClusterError> {
        if !may_be_own(key) {
            let view = self.view();
            return if view.get(key).is_some() { Ok(self.find(&view, key, false)?.live) } else { Ok(None) };
        }
        let mut view = self.view_mut();
        let found = self.find(&view, key, true)?;
        if found.file.starts_with(OWN_FOLDER) && found.live.is_none() {
            view.remove(key);
        }
        Ok(found.live)
    }

    /// Writes an object.
    pub(super) fn write(&self, mut change: FolderWrite, writing: Writing) -> Result<Written, ClusterError> {
        let mut view = self.view_mut();
        if let FolderWrite::Apply(object) | FolderWrite::Create(object) | FolderWrite::Replace(object) = &mut change {
            place_in_namespace(object, &view.kinds);
            if object.name().is_empty() {
                let words = "an object that only has `generateName` can only be created".to_owned();
                return Ok(Written::Refused(Refusal { reason: Reason::Invalid, words, fields: Vec::new() }));
            }
        }
        let _lock = self.lock(writing)?;
        let key = change.key();
        let own = match &change {
            FolderWrite::Apply(object) | FolderWrite::Create(object) | FolderWrite::Replace(object) => is_own(object),
            FolderWrite::Patch(key, _) => may_be_own(key),
        };
        let found = self.find(&view, &key, own)?;
        let object = match change.outcome(found.live.as_ref()) {
            Ok(object) => object,
            Err(refusal) => return Ok(Written::Refused(refusal)),
        };
        // What only a server says is not written to files.
        let Ok(object) = Object::new(appliable(&object)) else {
            return Ok(Written::Refused(refusal(Reason::Invalid, &key, "is no longer an object")));
        };
        let is_marked = object.label(APPLYSET_PART_OF).is_some() || object.annotation(HOOK_OF).is_some();
        let mark = is_marked.then(|| mark(&key));
        let is_same = found.live.as_ref().is_some_and(|live| appliable(live) == appliable(&object))
            && (mark.is_none() || found.place.and_then(|place| found.text.mark_at(place)) == mark.as_deref());
        let text = found.text.with(found.place, &object, mark.as_deref());
        if writing == Writing::Really && !is_same {
            match self.persist(&found.file, &text, found.is_there) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists && !found.is_there => {
                    return Ok(Written::Refused(refusal(Reason::AlreadyExists, &key, "was written in the meantime")));
                }
                written => written.map_err(|error| self.not_written(&found.file, &error))?,
            }
        }
        // What was just written is read as everybody else reads it.
        let (text, _) =
            FolderText::read(text.as_bytes()).map_err(|error| self.unreadable(&found.file, &error.to_string()))?;
        let found_again = text.find(&key, &view.kinds);
        let (place, object) =
            found_again.ok_or_else(|| self.unreadable(&found.file, "does not contain what was written to it"))?;
        let stored = stored(&text, place, object, &found.file);
        if writing == Writing::DryRun {
            return Ok(Written::Done(Box::new(super::view::presented(stored))));
        }
        Ok(Written::Done(Box::new(view.put(stored))))
    }

    /// Deletes an object from every file that has it. Nobody is there whom its finalizers could wait for.
    pub(super) fn delete(&self, key: &Key, deletion: &Deletion, writing: Writing) -> Result<Deleted, ClusterError> {
        let mut view = self.view_mut();
        let _lock = self.lock(writing)?;
        let found = self.find(&view, key, may_be_own(key))?;
        let Some(live) = &found.live else {
            if writing == Writing::Really {
                view.remove(key);
            }
            return Ok(Deleted::Absent);
        };
        if deletion.uid.as_deref().is_some_and(|uid| uid != live.uid()) {
            return Ok(Deleted::Absent);
        }
        if deletion.resource_version.as_deref().is_some_and(|version| version != live.resource_version()) {
            return Ok(Deleted::Refused(refusal(Reason::Conflict, key, "was changed in the meantime")));
        }
        if writing == Writing::Really {
            let mut files = view.files(key);
            if !files.contains(&found.file) {
                files.push(Arc::clone(&found.file));
            }
            for file in files {
                self.remove_from(&view, key, &file)?;
            }
            view.remove(key);
        }
        Ok(Deleted::Gone)
    }

    fn remove_from(&self, view: &FolderView, key: &Key, file: &Arc<str>) -> Result<(), ClusterError> {
        loop {
            let found = self.find_in(view, key, Arc::clone(file))?;
            let Some(place) = found.place else { return Ok(()) };
            let done = match found.text.without(place) {
                Some(text) => self.persist(file, &text, true),
                None => fs::remove_file(self.folder.join(&**file)),
            };
            done.map_err(|error| self.not_written(file, &error))?;
        }
    }

    /// An object as its file has it now: where it was found last, or where a new one would be written.
    fn find(&self, view: &FolderView, key: &Key, own: bool) -> Result<FoundObject, ClusterError> {
        let known = view.get(key).and_then(Object::origin).map(|origin| Arc::clone(&origin.file));
        let new = || Arc::from(file_of(key, own));
        if let Some(file) = known {
            let found = self.find_in(view, key, file)?;
            if found.place.is_some() {
                return Ok(found);
            }
        }
        self.find_in(view, key, new())
    }

    fn find_in(&self, view: &FolderView, key: &Key, file: Arc<str>) -> Result<FoundObject, ClusterError> {
        let bytes = match fs::read(self.folder.join(&*file)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(FoundObject { file, text: FolderText::empty(), is_there: false, place: None, live: None });
            }
            Err(error) => return Err(self.unreadable(&file, &format!("cannot be read: {error}"))),
        };
        let (text, faults) = FolderText::read(&bytes).map_err(|error| self.unreadable(&file, &error.to_string()))?;
        if let Some(fault) = faults.first() {
            return Err(self.unreadable(&file, &format!("line {}: {fault}", fault.line)));
        }
        let (place, object) = text.find(key, &view.kinds).unzip();
        let live = place.zip(object).map(|(place, object)| super::view::presented(stored(&text, place, object, &file)));
        Ok(FoundObject { file, text, is_there: true, place, live })
    }

    /// Lets one process write at a time; where the file system has no locks, files are still written whole.
    fn lock(&self, writing: Writing) -> Result<Option<File>, ClusterError> {
        if writing == Writing::DryRun {
            return Ok(None);
        }
        let name = format!("{OWN_FOLDER}.lock");
        let locked = self.make_folders(&name).and_then(|()| {
            let file = File::options().create(true).append(true).open(self.folder.join(&name))?;
            match file.lock() {
                Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
                _ => Ok(file),
            }
        });
        locked.map(Some).map_err(|error| self.not_written(&name, &error))
    }

    /// Writes a file beside the one that is there, and puts it in its place; a new one only where there is none.
    fn persist(&self, file: &str, text: &str, is_there: bool) -> io::Result<()> {
        self.make_folders(file)?;
        let path = self.folder.join(file);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".trueup-");
        let permissions: Option<Permissions> = path.metadata().ok().map(|metadata| metadata.permissions());
        #[cfg(unix)]
        if permissions.is_none() {
            use std::os::unix::fs::PermissionsExt;
            // As for any new file: the user's mask takes away from it.
            builder.permissions(Permissions::from_mode(0o666));
        }
        let mut written = builder.tempfile_in(path.parent().unwrap_or(&self.folder))?;
        written.write_all(text.as_bytes())?;
        if let Some(permissions) = permissions.or_else(|| users_mode(0o666)) {
            written.as_file().set_permissions(permissions)?;
        }
        let done = if is_there { written.persist(&path) } else { written.persist_noclobber(&path) };
        done.map(drop).map_err(|error| error.error)
    }

    /// Makes the folders that a file stands in. A link to a folder is not followed: it may lead anywhere.
    fn make_folders(&self, file: &str) -> io::Result<()> {
        let mut folder = self.folder.clone();
        for part in Path::new(file).parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
                Ok(()) => {
                    if let Some(mode) = users_mode(0o777) {
                        fs::set_permissions(&folder, mode)?;
                    }
                }
                _ if !folder.symlink_metadata()?.is_dir() => {
                    return Err(io::Error::new(
                        ErrorKind::NotADirectory,
                        "a link or a file is where a folder is needed",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn not_written(&self, file: &str, error: &io::Error) -> ClusterError {
        let (folder, file) = (self.folder.clone(), file.to_owned());
        ClusterError::FolderWrite { folder, file, problem: error.to_string() }
    }

    fn unreadable(&self, file: &str, problem: &str) -> ClusterError {
        ClusterError::Folder { folder: self.folder.clone(), problem: format!("`{file}` {problem}") }
    }
}

fn stored(text: &FolderText, place: TextPlace, object: Object, file: &Arc<str>) -> Stored {
    let origin = Origin { file: Arc::clone(file), line: text.line(place) };
    Stored { object: object.with_origin(origin), mark: text.mark_at(place).map(str::to_owned) }
}
