//! Archives as nobody should make them.

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::*;

/// One entry of an archive.
enum Item<'a> {
    File(&'a str, &'a [u8]),
    Link(EntryType, &'a str, &'a str),
}

/// An archive as its bytes: names are written as they are, whatever a careful writer would say of them.
fn archive(items: &[Item<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for item in items {
        let mut header = Header::new_gnu();
        let (name, content) = match item {
            Item::File(name, content) => {
                header.set_entry_type(if name.ends_with('/') { EntryType::Directory } else { EntryType::Regular });
                (*name, *content)
            }
            Item::Link(kind, name, target) => {
                header.set_entry_type(*kind);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
                (*name, [].as_slice())
            }
        };
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn unpacked(bytes: &[u8], bounds: Bounds) -> (tempfile::TempDir, Result<u64, String>) {
    let place = tempfile::tempdir().unwrap();
    let into = place.path().join("into");
    fs::create_dir(&into).unwrap();
    let mut packed = tempfile::NamedTempFile::new().unwrap();
    packed.write_all(bytes).unwrap();
    let result = unpack(packed.reopen().unwrap(), Packing::TarGzip, &into, bounds, &|| false);
    let result = result.map_err(|fault| match fault {
        ArchiveFault::Refused(reason) => reason,
        ArchiveFault::Damaged(cause) => format!("damaged: {}", cause.whole_text()),
        ArchiveFault::Disk(error) => format!("disk: {error}"),
        ArchiveFault::Stopped => "stopped".to_owned(),
    });
    (place, result)
}

#[test]
fn files_and_links_that_stay_inside_are_unpacked() {
    let bytes = archive(&[
        Item::File("./web/Chart.yaml", b"name: web\n"),
        Item::File("web/templates/", b""),
        Item::File("web/templates/a.yaml", b"a"),
        Item::File("web/templates/a.yaml", b"later"),
        Item::Link(EntryType::Symlink, "web/values-prod.yaml", "templates/../values.yaml"),
        Item::File("web/values.yaml", b"x: 1\n"),
    ]);
    let (place, result) = unpacked(&bytes, Bounds::default());
    assert_eq!(result, Ok(21));
    let read = |path: &str| fs::read_to_string(place.path().join("into").join(path)).unwrap();
    assert_eq!(read("web/templates/a.yaml"), "later");
    assert_eq!(read("web/values-prod.yaml"), "x: 1\n");
}

/// Each of these has overwritten a file on somebody's machine ("zip slip"), or could.
#[test]
fn nothing_is_written_outside() {
    use EntryType as Kind;
    let link = |name, target| Item::Link(Kind::Symlink, name, target);
    for (items, expected) in [
        (vec![Item::File("../evil", b"x")], "`../evil` in it leads out of it"),
        (vec![Item::File("web/../../evil", b"x")], "`web/../../evil` in it leads out of it"),
        (vec![Item::File("/tmp/evil", b"x")], "`/tmp/evil` in it leads out of it"),
        (vec![Item::File("web\\..\\evil", b"x")], "`web\\\\..\\\\evil` in it leads out of it"),
        (vec![link("web/out", "/etc/passwd")], "`web/out` in it is a link that points outside"),
        (vec![link("web/out", "../../outside")], "`web/out` in it is a link that points outside"),
        (vec![link("out", ".."), Item::File("out/evil", b"x")], "`out` in it is a link that points outside"),
        (
            vec![link("a", "web"), Item::File("a/evil", b"x"), Item::File("web/b", b"x")],
            "`a` in it appears twice with different types",
        ),
        // Each stays inside by itself: the first leads to the root, the second climbs from there.
        (
            vec![Item::File("a/b/c/d", b"x"), link("a/b/up", "../.."), link("out", "a/b/up/../..")],
            "`out` in it is a link that points outside",
        ),
        (vec![Item::Link(Kind::Link, "web/hard", "web/a")], "`web/hard` in it is a hard link"),
        (vec![Item::Link(Kind::Fifo, "web/pipe", "")], "`web/pipe` in it is neither a file, a folder nor a link"),
        (vec![Item::Link(Kind::Char, "web/null", "")], "`web/null` in it is neither a file, a folder nor a link"),
        (vec![Item::File("a", b"x"), Item::File("a/b", b"x")], "`a/b` in it is in a folder that is a file, too"),
        (vec![Item::File("a/b", b"x"), Item::File("a", b"x")], "`a` in it appears twice with different types"),
    ] {
        let (place, result) = unpacked(&archive(&items), Bounds::default());
        assert_eq!(result.unwrap_err(), expected);
        let beside: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["into"], "{expected}");
    }
}

#[test]
fn an_archive_that_grows_is_stopped() {
    let zeros = vec![0; 40 << 20];
    let bomb = archive(&[Item::File("web/zeros", &zeros)]);
    assert!(bomb.len() < 1 << 20, "it is a bomb: {} bytes", bomb.len());
    let (_place, result) = unpacked(&bomb, Bounds::default());
    assert!(result.unwrap_err().starts_with("it becomes larger than "));

    let (_place, result) =
        unpacked(&archive(&[Item::File("a", &[7; 2000])]), Bounds { bytes: 1000, ..Bounds::default() });
    assert_eq!(result.unwrap_err(), "it becomes larger than 1000 bytes");

    let many: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
    let many: Vec<Item<'_>> = many.iter().map(|name| Item::File(name, b"")).collect();
    let (_place, result) = unpacked(&archive(&many), Bounds { entries: 10, ..Bounds::default() });
    assert_eq!(result.unwrap_err(), "it has more than 10 entries");
}

#[test]
fn what_is_no_archive_is_damaged() {
    let (_place, result) = unpacked(b"<html></html>", Bounds::default());
    assert!(result.unwrap_err().starts_with("damaged: "));
    let whole = archive(&[Item::File("web/a", &vec![7; 100_000])]);
    let (_place, result) = unpacked(&whole[..whole.len() / 2], Bounds::default());
    assert!(result.unwrap_err().starts_with("damaged: "));
}
