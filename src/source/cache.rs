//! The folder in which repositories and their files are kept between runs.
//!
//! In: `--cache-dir`, or nothing for a folder that goes with the run. Out: bare repositories under a lock, and folders
//! of files that are whole or not there. Several runs may share one cache: a repository is written by who holds its
//! lock, files are written beside and renamed, and nothing that somebody uses is removed.
//!
//! It is verified, not trusted: the lock of a folder of files holds the hash of all that is in it, which is made again at the
//! folder's first use in a run. What is damaged is thrown away, and the caller makes it again.
//!
//! ```text
//! git/<repository>.git    objects of one repository         git/<repository>.lock     held by who reads or writes it
//! trees/<key>             one revision's files              trees/<key>.lock          shared by who uses them
//! charts/<digest>         an archive's files                charts/<digest>.lock      the same
//! charts/index-<key>      a Helm repository's index         charts/index-<key>.lock   the same
//! tmp/trueup-run-<key>    what a run has not finished    tmp/trueup-run-<key>.lock  held by the run
//! ```

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::secret::RepoUrl;
use crate::storage::{RunFolder, digest_of_folder, make_private, temporary_folder};

use super::error::{SourceCause, SourceError};
use super::limits::FetchLimits;

/// Files in `tmp` that are no run's are of an earlier version; those older than this were left by a run that died.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder in which repositories and their files are kept.
#[derive(Debug)]
pub(super) struct Cache {
    root: PathBuf,
    limit: u64,
    leases: Mutex<Vec<File>>,
    /// Entries that were verified or written in this run.
    verified: Mutex<HashSet<PathBuf>>,
    /// The unfinished files of this run; those of a killed run are removed by the next one.
    unfinished: RunFolder,
    _temporary: Option<tempfile::TempDir>,
}

/// The kind of content in a cached folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CachedKind {
    /// One revision of a git repository.
    Tree,
    /// An archive, or a Helm repository's index.
    Chart,
}

impl CachedKind {
    fn folder(self) -> &'static str {
        match self {
            Self::Tree => "trees",
            Self::Chart => "charts",
        }
    }
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct HeldLock(#[expect(dead_code, reason = "the open file is the lock")] File);

/// Why an entry was not locked.
#[derive(Debug)]
pub(super) enum CacheLockError {
    /// It is somebody else's, and time is up.
    Busy,
    /// The disk does not take a lock file.
    Disk(io::Error),
}

impl Cache {
    /// Makes the folder ready, and finds out now whether it can be written.
    pub(super) fn open(folder: Option<&Path>, limit: u64) -> Result<Self, SourceError> {
        let (root, temporary) = if let Some(folder) = folder {
            (folder.to_owned(), None)
        } else {
            let temporary =
                temporary_folder("trueup-cache-").map_err(|error| unusable(&std::env::temp_dir(), &error))?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let prepare = || -> io::Result<(PathBuf, RunFolder)> {
            // Private repositories and charts are in here.
            for name in ["git", "trees", "charts", "tmp"] {
                make_private(&root.join(name))?;
            }
            mark_as_cache(&root)?;
            let canonical = root.canonicalize()?;
            let unfinished = RunFolder::new(&canonical.join("tmp"))?;
            Ok((canonical, unfinished))
        };
        let (root, unfinished) = prepare().map_err(|error| unusable(&root, &error))?;
        let (leases, verified) = (Mutex::default(), Mutex::default());
        Ok(Self { root, limit, leases, verified, unfinished, _temporary: temporary })
    }

    /// The error for something that the disk did not take.
    pub(super) fn unusable(&self, error: &io::Error) -> SourceError {
        unusable(&self.root, error)
    }

    /// Where a repository's objects are kept. The URL counts as written, apart from its credentials: servers may distinguish
    /// `Shop` from `shop`.
    pub(super) fn repository(&self, url: &RepoUrl) -> PathBuf {
        self.root.join("git").join(format!("{}.git", name_of(url)))
    }

    /// The name of a revision's files.
    pub(super) fn tree_key(url: &RepoUrl, commit: &str, submodules: bool) -> String {
        format!("{}-{commit}{}", name_of(url), if submodules { "-s" } else { "" })
    }

    /// Waits for a repository to be ours alone.
    pub(super) fn lock_repository(&self, url: &RepoUrl, limits: &FetchLimits) -> Result<HeldLock, CacheLockError> {
        let path = self.root.join("git").join(format!("{}.lock", name_of(url)));
        acquire(&path, File::try_lock, limits).map(HeldLock)
    }

    /// The name of a Helm repository's index.
    pub(super) fn index_key(url: &str) -> String {
        format!("index-{}", &blake3::hash(url.as_bytes()).to_hex()[..20])
    }

    /// A folder of files, if it is here and whole; it stays until this cache is dropped.
    pub(super) fn folder(
        &self,
        kind: CachedKind,
        key: &str,
        limits: &FetchLimits,
    ) -> Result<Option<PathBuf>, CacheLockError> {
        let folder = self.lease(kind, key, limits)?;
        if folder.symlink_metadata().is_err() {
            return Ok(None);
        }
        if self.is_whole(key, &folder, limits) {
            return Ok(Some(folder));
        }
        if limits.over() {
            return Err(CacheLockError::Busy);
        }
        self.discard(&folder).map_err(CacheLockError::Disk)?;
        Ok(None)
    }

    /// A file that is kept in a folder of its own, if it is here: whether it is whole, its seal says.
    pub(super) fn file(
        &self,
        kind: CachedKind,
        key: &str,
        name: &str,
        limits: &FetchLimits,
    ) -> Result<Option<Vec<u8>>, CacheLockError> {
        let folder = self.lease(kind, key, limits)?;
        Ok(fs::read(folder.join(name)).ok())
    }

    /// Keeps others from removing an entry; where it is, or would be.
    fn lease(&self, kind: CachedKind, key: &str, limits: &FetchLimits) -> Result<PathBuf, CacheLockError> {
        let place = self.root.join(kind.folder());
        let lock = acquire(&place.join(format!("{key}.lock")), File::try_lock_shared, limits)?;
        if let Ok(mut leases) = self.leases.lock() {
            leases.push(lock);
        }
        Ok(place.join(key))
    }

    /// Whether a folder holds what was written to it, looked at once in a run.
    fn is_whole(&self, key: &str, folder: &Path, limits: &FetchLimits) -> bool {
        if self.verified.lock().is_ok_and(|verified| verified.contains(folder)) {
            return true;
        }
        let Some(LockRecord { digest: Some(expected), .. }) = LockRecord::read(&lock_of(folder, key)) else {
            return false;
        };
        let is_whole = digest_of_folder(key, folder, &|| limits.over()).is_ok_and(|found| found == expected);
        if is_whole {
            self.is_verified(folder);
        }
        is_whole
    }

    fn is_verified(&self, folder: &Path) {
        if let Ok(mut verified) = self.verified.lock() {
            verified.insert(folder.to_owned());
        }
    }

    /// A file to receive an archive in.
    pub(super) fn new_file(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix("archive-").tempfile_in(self.unfinished.path())
    }

    /// A folder to write files into.
    pub(super) fn new_tree(&self) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new().prefix("tree-").tempdir_in(self.unfinished.path())
    }

    /// Puts finished files in their place; who comes second takes what is there, if it is the same.
    pub(super) fn keep(
        &self,
        kind: CachedKind,
        key: &str,
        written: tempfile::TempDir,
        bytes: u64,
    ) -> io::Result<PathBuf> {
        let place = self.root.join(kind.folder()).join(key);
        let digest = digest_of_folder(key, written.path(), &|| false)?;
        // A folder that appears has its record already: a run that is killed in between leaves a record of nothing.
        LockRecord { bytes, digest: Some(digest.clone()) }.write(&lock_of(&place, key))?;
        let is_the_same = || digest_of_folder(key, &place, &|| false).is_ok_and(|found| found == digest);
        if place.symlink_metadata().is_ok() && !is_the_same() {
            self.discard(&place)?;
        }
        match fs::rename(written.path(), &place) {
            Ok(()) => {
                // Renamed: there is nothing left to remove.
                let _ = written.keep();
            }
            Err(_) if place.is_dir() => {}
            Err(error) => return Err(error),
        }
        self.is_verified(&place);
        Ok(place)
    }

    /// Keeps one file that may be another the next time, in a folder of its own; it appears only when whole.
    pub(super) fn keep_file(&self, kind: CachedKind, key: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.root.join(kind.folder()).join(key);
        make_private(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(self.unfinished.path())?;
        file.write_all(bytes)?;
        file.persist(folder.join(name))?;
        LockRecord { bytes: bytes.len() as u64, digest: None }.write(&lock_of(&folder, key))
    }

    /// Takes a repository that is damaged out of the way.
    pub(super) fn discard_repository(&self, url: &RepoUrl) -> io::Result<()> {
        self.discard(&self.repository(url))
    }

    fn discard(&self, entry: &Path) -> io::Result<()> {
        let away = tempfile::Builder::new().prefix("gone-").tempdir_in(self.unfinished.path())?;
        match fs::rename(entry, away.path().join("entry")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes what was not used for longest until the cache is within its limit; what is in use stays. Trouble here
    /// is ignored: the next run tries again.
    pub(super) fn shrink(&self) {
        self.remove_abandoned();
        let mut entries = self.entries();
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        entries.sort_by_key(|entry| entry.used);
        for entry in entries {
            if total <= self.limit {
                return;
            }
            let Ok(lock) = File::options().write(true).open(&entry.lock) else { continue };
            if lock.try_lock().is_ok() && self.discard(&entry.folder).is_ok() {
                let _ = fs::remove_file(&entry.lock);
                total = total.saturating_sub(entry.bytes);
            }
        }
    }

    fn entries(&self) -> Vec<CacheEntry> {
        let mut entries = Vec::new();
        for kind in ["git", "trees", "charts"] {
            let Ok(found) = fs::read_dir(self.root.join(kind)) else { continue };
            for lock in found.filter_map(|entry| Some(entry.ok()?.path())) {
                if lock.extension().is_none_or(|extension| extension != "lock") {
                    continue;
                }
                let folder = lock.with_extension(if kind == "git" { "git" } else { "" });
                let bytes = LockRecord::read(&lock).map_or_else(|| size_of(&folder), |record| record.bytes);
                let used = fs::metadata(&lock).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                entries.push(CacheEntry { folder, lock, bytes, used });
            }
        }
        entries
    }

    fn remove_abandoned(&self) {
        let Ok(found) = fs::read_dir(self.root.join("tmp")) else { return };
        for entry in found.flatten() {
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|time| time.elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED) {
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
    }
}

struct CacheEntry {
    folder: PathBuf,
    lock: PathBuf,
    bytes: u64,
    used: SystemTime,
}

fn unusable(folder: &Path, error: &io::Error) -> SourceError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    SourceError::CacheUnusable { folder: folder.to_owned(), full, cause: SourceCause::of(error) }
}

/// A file name for a URL: it shows no credentials, and neither does what it is made of.
fn name_of(url: &RepoUrl) -> String {
    let shown = url.to_string();
    let readable: String =
        shown.rsplit(['/', ':']).find(|part| !part.is_empty()).unwrap_or_default().chars().take(24).collect();
    let readable = readable.trim_end_matches(".git").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!("{readable}-{}", &blake3::hash(shown.as_bytes()).to_hex()[..20])
}

/// Takes a lock and remembers that the entry was used; waits for who has it.
fn acquire(
    path: &Path,
    lock: fn(&File) -> Result<(), TryLockError>,
    limits: &FetchLimits,
) -> Result<File, CacheLockError> {
    loop {
        let file = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let file = file.map_err(CacheLockError::Disk)?;
        match lock(&file) {
            Ok(()) if same_file(&file, path) => {
                file.set_modified(SystemTime::now()).map_err(CacheLockError::Disk)?;
                return Ok(file);
            }
            // It was removed between our opening and our locking it: the lock of a file that is gone holds nobody off.
            Ok(()) => continue,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(CacheLockError::Disk(error)),
        }
        if limits.over() {
            return Err(CacheLockError::Busy);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// The data in the lock file of an entry.
struct LockRecord {
    /// How large it is.
    bytes: u64,
    /// The hash of everything in it; nothing of a file that has a seal of its own.
    digest: Option<String>,
}

impl LockRecord {
    fn read(lock: &Path) -> Option<Self> {
        let text = fs::read_to_string(lock).ok()?;
        let mut words = text.split_whitespace();
        Some(Self { bytes: words.next()?.parse().ok()?, digest: words.next().map(str::to_owned) })
    }

    #[expect(clippy::disallowed_methods, reason = "the cache owns its files")]
    fn write(&self, lock: &Path) -> io::Result<()> {
        fs::write(lock, format!("{} {}\n", self.bytes, self.digest.as_deref().unwrap_or_default()))
    }
}

/// The lock file of an entry.
fn lock_of(folder: &Path, key: &str) -> PathBuf {
    folder.with_file_name(format!("{key}.lock"))
}

fn size_of(folder: &Path) -> u64 {
    let Ok(found) = fs::read_dir(folder) else { return 0 };
    let sizes = found.flatten().map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// Backup programs leave folders with this file alone.
#[expect(clippy::disallowed_methods, reason = "the cache owns its files")]
fn mark_as_cache(root: &Path) -> io::Result<()> {
    let tag = root.join("CACHEDIR.TAG");
    if tag.exists() {
        return Ok(());
    }
    fs::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Made by trueup; see https://bford.info/cachedir/\n")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;

    fn limits() -> FetchLimits {
        FetchLimits::new(Duration::from_secs(5))
    }

    fn keep(cache: &Cache, key: &str, bytes: u64) -> PathBuf {
        assert_eq!(cache.folder(CachedKind::Tree, key, &limits()).unwrap(), None);
        let folder = cache.new_tree().unwrap();
        fs::write(folder.path().join("file"), "content").unwrap();
        cache.keep(CachedKind::Tree, key, folder, bytes).unwrap()
    }

    #[test]
    fn the_oldest_files_go_first_and_used_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let earlier = Cache::open(Some(folder.path()), 250).unwrap();
        for (age, key) in [(300, "oldest"), (200, "older"), (100, "newer")] {
            keep(&earlier, key, 100);
            let lock = File::options().write(true).open(folder.path().join(format!("trees/{key}.lock"))).unwrap();
            lock.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        // Everything is in use by `earlier`: nothing goes.
        earlier.shrink();
        assert!(folder.path().join("trees/oldest").is_dir());
        drop(earlier);

        let cache = Cache::open(Some(folder.path()), 250).unwrap();
        assert!(cache.folder(CachedKind::Tree, "older", &limits()).unwrap().is_some());
        cache.shrink();
        assert!(!folder.path().join("trees/oldest").exists());
        assert!(!folder.path().join("trees/oldest.lock").exists());
        assert!(folder.path().join("trees/older").is_dir());
        assert!(folder.path().join("trees/newer").is_dir());
    }

    /// A disk that loses a bit, an editor, a run that is killed: what is damaged is not used, and made again.
    #[test]
    fn damaged_files_are_thrown_away() {
        type Damage = (&'static str, fn(&Path));
        let damages: [Damage; 5] = [
            ("a file changed in place", |tree| fs::write(tree.join("file"), "CONTENT").unwrap()),
            ("a file gone", |tree| fs::remove_file(tree.join("file")).unwrap()),
            ("a file more", |tree| fs::write(tree.join("other"), "").unwrap()),
            ("the record gone", |tree| fs::remove_file(tree.with_file_name("key.lock")).unwrap()),
            ("a file in its place", |tree| {
                fs::remove_dir_all(tree).unwrap();
                fs::write(tree, "").unwrap();
            }),
        ];
        for (case, damage) in damages {
            let folder = tempfile::tempdir().unwrap();
            let tree = keep(&Cache::open(Some(folder.path()), u64::MAX).unwrap(), "key", 7);
            let cache = Cache::open(Some(folder.path()), u64::MAX).unwrap();
            assert!(cache.folder(CachedKind::Tree, "key", &limits()).unwrap().is_some(), "{case}");
            damage(&tree);
            let cache = Cache::open(Some(folder.path()), u64::MAX).unwrap();
            keep(&cache, "key", 7);
            assert_eq!(fs::read_to_string(tree.join("file")).unwrap(), "content", "{case}");
        }
    }

    #[test]
    fn who_writes_the_same_files_second_takes_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path()), u64::MAX).unwrap();
        let first = keep(&cache, "key", 7);
        let other = cache.new_tree().unwrap();
        fs::write(other.path().join("file"), "content").unwrap();
        let second = cache.keep(CachedKind::Tree, "key", other, 7).unwrap();
        assert_eq!(first, second);
        assert!(first.join("file").is_file());
        assert_eq!(fs::read_dir(cache.unfinished.path()).unwrap().count(), 0);
        drop(cache);
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }

    /// A run that is killed while it unpacks leaves half a tree, which is removed at once; that of a run beside it stays.
    #[test]
    fn what_a_killed_run_did_not_finish_is_removed_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let running = Cache::open(Some(folder.path()), u64::MAX).unwrap();
        let unpacked = running.new_tree().unwrap();
        let left = folder.path().join("tmp/trueup-run-left");
        fs::create_dir_all(left.join("tree-half")).unwrap();
        fs::write(left.with_extension("lock"), "").unwrap();

        drop(Cache::open(Some(folder.path()), u64::MAX).unwrap());

        assert!(!left.exists() && !left.with_extension("lock").exists());
        assert!(unpacked.path().exists());
    }

    #[test]
    fn a_file_where_the_cache_belongs_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("cache");
        fs::write(&place, "").unwrap();
        let error = Cache::open(Some(&place), 1).unwrap_err();
        assert!(matches!(error, SourceError::CacheUnusable { full: false, .. }), "{error}");
        assert_eq!(miette::Diagnostic::help(&error).unwrap().to_string(), "name another folder with `--cache-dir`");
    }

    #[test]
    fn a_name_shows_no_credentials() {
        let name = name_of(&RepoUrl::new("https://ci:s3cret@git.example.com/shop/infra.git"));
        assert_eq!(name, name_of(&RepoUrl::new("https://git.example.com/shop/infra.git")));
        assert!(name.starts_with("infra-") && !name.contains("s3cret"), "{name}");
    }

    #[test]
    fn a_temporary_cache_goes_with_the_run() {
        let cache = Cache::open(None, 1).unwrap();
        let root = cache.root.clone();
        keep(&cache, "key", 7);
        drop(cache);
        assert!(!root.exists());
    }
}
