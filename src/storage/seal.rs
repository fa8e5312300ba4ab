//! Whether what was kept is still what was written: a cache is verified, not trusted.
//!
//! In: bytes or a folder, and the name that they are kept by. Out: a hash over both. The name counts, so that one file
//! put in another's place is noticed, too. Disks lose bits, runs are killed, people edit: damage means making it again.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The hash, in hexadecimal digits, in front of the bytes.
const DIGITS: usize = 64;

/// The bytes, with a line before them that says whether they are whole.
pub fn seal(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut sealed = hash(name, bytes).into_bytes();
    sealed.push(b'\n');
    sealed.extend_from_slice(bytes);
    sealed
}

/// The bytes that were sealed by this name; nothing where any of them is not what it was.
pub fn unseal<'bytes>(name: &str, sealed: &'bytes [u8]) -> Option<&'bytes [u8]> {
    let (digits, rest) = sealed.split_at_checked(DIGITS)?;
    let bytes = rest.strip_prefix(b"\n")?;
    (digits == hash(name, bytes).as_bytes()).then_some(bytes)
}

fn hash(name: &str, bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    part(&mut hasher, name.as_bytes());
    hasher.update(bytes);
    hasher.finalize().to_hex().to_string()
}

/// The hash of a folder that is kept by this name: of every name, file and link in it. `stopped` ends it early.
pub fn digest_of_folder(name: &str, folder: &Path, stopped: &dyn Fn() -> bool) -> io::Result<String> {
    if !folder.symlink_metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut hasher = blake3::Hasher::new();
    part(&mut hasher, name.as_bytes());
    add_folder(&mut hasher, folder, stopped)?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn add_folder(hasher: &mut blake3::Hasher, folder: &Path, stopped: &dyn Fn() -> bool) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    hasher.update(&(entries.len() as u64).to_le_bytes());
    for entry in entries {
        if stopped() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let (kind, path) = (entry.file_type()?, entry.path());
        part(hasher, entry.file_name().as_encoded_bytes());
        if kind.is_dir() {
            hasher.update(b"folder");
            add_folder(hasher, &path, stopped)?;
        } else if kind.is_symlink() {
            hasher.update(b"link");
            part(hasher, fs::read_link(&path)?.as_os_str().as_encoded_bytes());
        } else if kind.is_file() {
            hasher.update(b"file");
            let before = hasher.count();
            hasher.update_reader(File::open(&path)?)?;
            // Its length last: nothing can move from one file into the next.
            let length = hasher.count() - before;
            hasher.update(&length.to_le_bytes());
        } else {
            return Err(io::Error::other("neither a file, a folder nor a link"));
        }
    }
    Ok(())
}

/// One part of what is hashed, separated from the next by its length.
fn part(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_sealed_is_read_by_its_own_name_alone() {
        let sealed = seal("a", b"content");
        assert_eq!(unseal("a", &sealed), Some(&b"content"[..]));
        assert_eq!(unseal("b", &sealed), None);
        assert_eq!(unseal("a", b""), None);
    }

    proptest! {
        #[test]
        fn any_change_of_sealed_bytes_is_noticed(content in prop::collection::vec(any::<u8>(), 0..40), at in 0..200_usize, bit in 0..8_u8, cut in 0..200_usize) {
            let sealed = seal("name", &content);
            let mut flipped = sealed.clone();
            let at = at % flipped.len();
            flipped[at] ^= 1 << bit;
            prop_assert_eq!(unseal("name", &flipped), None);
            let cut = cut % sealed.len();
            prop_assert_eq!(unseal("name", &sealed[..cut]), None);
            prop_assert_eq!(unseal("name", &sealed), Some(&content[..]));
        }
    }

    /// A flip that keeps size and time, a file more, a file less, another name, two files swapped.
    #[test]
    fn any_change_of_a_folder_is_noticed() {
        type SealChange = (&'static str, fn(&Path));

        let made = || {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join("a/b")).unwrap();
            fs::write(folder.path().join("a/one"), "1").unwrap();
            fs::write(folder.path().join("a/two"), "2").unwrap();
            folder
        };
        let digest = |folder: &tempfile::TempDir| digest_of_folder("key", folder.path(), &|| false).unwrap();
        let whole = digest(&made());
        assert_eq!(whole, digest(&made()));
        assert_ne!(whole, digest_of_folder("other", made().path(), &|| false).unwrap());
        let changes: [SealChange; 7] = [
            ("flipped", |at| fs::write(at.join("a/one"), "3").unwrap()),
            ("longer", |at| fs::write(at.join("a/one"), "11").unwrap()),
            ("added", |at| fs::write(at.join("a/b/three"), "").unwrap()),
            ("removed", |at| fs::remove_file(at.join("a/one")).unwrap()),
            ("renamed", |at| fs::rename(at.join("a/one"), at.join("a/three")).unwrap()),
            ("moved", |at| fs::rename(at.join("a/two"), at.join("a/b/two")).unwrap()),
            ("emptied", |at| fs::remove_dir(at.join("a/b")).unwrap()),
        ];
        for (case, change) in changes {
            let folder = made();
            change(folder.path());
            assert_ne!(whole, digest(&folder), "{case}");
        }
    }
}
