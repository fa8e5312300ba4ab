//! Unpacks archives by hand: whatever is in one, nothing is written outside of its folder, and no more than allowed.
//!
//! In: a tar, packed with gzip or not. Out: files in a folder. Refused are names that lead out, links that do, links to
//! other entries' places on disk, devices, and archives that become far larger than they are.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::super::error::SourceCause;
use super::super::tree::{make_link, stays_inside};

/// The size limit of one archive.
pub(super) const ARCHIVE_LIMIT: u64 = 256 << 20;

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// A tar.
    Tar,
    /// A tar in gzip.
    TarGzip,
}

/// The size limit of an unpacked archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Everything together, in bytes. Argo CD: `reposerver.helm.manifest.max.extracted.size`.
    pub(super) bytes: u64,
    /// How many entries.
    pub(super) entries: usize,
    /// How many times as large as it is packed, beyond the first 16 MiB: text packs to a tenth, zeros to a thousandth.
    pub(super) ratio: u64,
}

/// The first bytes are not measured against the packed size.
const UNMEASURED: u64 = 16 << 20;

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 1 << 30, entries: 100_000, ratio: 100 }
    }
}

/// Why an archive was not unpacked.
#[derive(Debug)]
pub(super) enum ArchiveFault {
    /// It does what none may do.
    Refused(String),
    /// It is no such archive, or not whole.
    Damaged(SourceCause),
    /// Our disk does not take it.
    Disk(io::Error),
    /// Time is up.
    Stopped,
}

impl From<io::Error> for ArchiveFault {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Unpacks into an empty folder; the bytes that were written.
pub(super) fn unpack(
    packed: File,
    packing: Packing,
    into: &Path,
    bounds: Bounds,
    over: &dyn Fn() -> bool,
) -> Result<u64, ArchiveFault> {
    let size = packed.metadata()?.len();
    let reader = BufReader::new(packed);
    let limit = bounds.bytes.min(UNMEASURED + size.saturating_mul(bounds.ratio));
    let unpacked: Box<dyn Read> = match packing {
        Packing::Tar => Box::new(reader),
        Packing::TarGzip => Box::new(MultiGzDecoder::new(reader)),
    };
    let exceeded = Cell::new(false);
    let unpacking = Unpacking { into, over, links: Vec::new(), kinds: HashMap::new(), bytes: 0 };
    let unpacked =
        unpacking.all(&mut Archive::new(Bounded { inner: unpacked, left: limit, exceeded: &exceeded }), bounds);
    if exceeded.get() {
        return Err(ArchiveFault::Refused(format!("it becomes larger than {limit} bytes")));
    }
    unpacked
}

/// Hands on so many bytes, and says when there are more; what is passed over counts, too.
struct Bounded<'a, R> {
    inner: R,
    left: u64,
    exceeded: &'a Cell<bool>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            self.exceeded.set(true);
            return Err(io::Error::other("there is more than allowed"));
        };
        self.left = left;
        Ok(read)
    }
}

struct Unpacking<'a> {
    into: &'a Path,
    over: &'a dyn Fn() -> bool,
    links: Vec<(PathBuf, PathBuf)>,
    kinds: HashMap<PathBuf, EntryType>,
    bytes: u64,
}

impl Unpacking<'_> {
    fn all<R: Read>(mut self, archive: &mut Archive<R>, bounds: Bounds) -> Result<u64, ArchiveFault> {
        for (number, entry) in archive.entries().map_err(damaged)?.enumerate() {
            if number >= bounds.entries {
                return Err(ArchiveFault::Refused(format!("it has more than {} entries", bounds.entries)));
            }
            self.entry(&mut entry.map_err(damaged)?)?;
        }
        self.links()?;
        Ok(self.bytes)
    }

    fn entry<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> Result<(), ArchiveFault> {
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let path = inside(&written)?;
        if path.as_os_str().is_empty() {
            return if kind.is_dir() { Ok(()) } else { Err(refused(&written, "has no name")) };
        }
        let before = self.kinds.insert(path.clone(), kind);
        if before.is_some_and(|before| before.is_dir() != kind.is_dir()) {
            return Err(refused(&written, "appears twice with different types"));
        }
        if kind.is_dir() {
            return self.folder(&path, &written);
        }
        self.folder(path.parent().unwrap_or(Path::new("")), &written)?;
        if kind.is_file() || kind.is_contiguous() {
            self.file(entry, &path, &written)
        } else if kind.is_symlink() {
            let target = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
            self.links.push((path, PathBuf::from(target.unwrap_or_default())));
            Ok(())
        } else if kind.is_hard_link() {
            Err(refused(&written, "is a hard link"))
        } else {
            Err(refused(&written, "is neither a file, a folder nor a link"))
        }
    }

    fn folder(&self, path: &Path, written: &str) -> Result<(), ArchiveFault> {
        match fs::create_dir_all(self.into.join(path)) {
            Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory) => {
                Err(refused(written, "is in a folder that is a file, too"))
            }
            other => Ok(other?),
        }
    }

    fn file<R: Read>(&mut self, entry: &mut Entry<'_, R>, path: &Path, written: &str) -> Result<(), ArchiveFault> {
        // Links are made at the end: there is none to follow here.
        let mut file = match File::create(self.into.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return Err(refused(written, "appears twice with different types"));
            }
            file => file?,
        };
        let mut buffer = vec![0; 64 << 10];
        loop {
            if (self.over)() {
                return Err(ArchiveFault::Stopped);
            }
            let read = entry.read(&mut buffer).map_err(damaged)?;
            if read == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..read])?;
            self.bytes += read as u64;
        }
    }

    /// Links come last: while files were written, there was none to follow.
    fn links(&self) -> Result<(), ArchiveFault> {
        let leads_out = |path: &Path| refused(&path.display().to_string(), "is a link that points outside");
        for (path, target) in &self.links {
            if !stays_inside(path, target) {
                return Err(leads_out(path));
            }
            match make_link(target, &self.into.join(path)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(refused(&path.display().to_string(), "appears twice with different types"));
                }
                other => other?,
            }
        }
        // One link after the other can lead out where each alone does not.
        let root = self.into.canonicalize()?;
        for (path, _) in &self.links {
            if self.into.join(path).canonicalize().is_ok_and(|real| !real.starts_with(&root)) {
                return Err(leads_out(path));
            }
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn damaged(error: io::Error) -> ArchiveFault {
    ArchiveFault::Damaged(SourceCause::of(&error))
}

fn refused(entry: &str, why: &str) -> ArchiveFault {
    ArchiveFault::Refused(format!("`{}` in it {why}", entry.escape_debug()))
}

/// A name that stays inside, step by step.
fn inside(written: &str) -> Result<PathBuf, ArchiveFault> {
    let leads_out = || refused(written, "leads out of it");
    if written.contains(['\\', '\0']) {
        return Err(leads_out());
    }
    let mut path = PathBuf::new();
    for part in Path::new(written).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(leads_out()),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
