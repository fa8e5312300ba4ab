//! What is kept between runs: how little is asked for, how damage and full disks are met, and how runs share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use trueup::process::Cancel;
use trueup::progress::Progress;
use trueup::secret::RepoUrl;
use trueup::source::{FetchedBy, SourceError, SourceSettings, Sources, Wanted};

use super::server::{HttpServer, Manners};
use super::{help, root_of, run_on, run_with, shop, told, web};
use crate::harness::{Missing, TestRepo};

/// A thousand applications of one repository are one conversation: greeting, listing, one pack.
#[tokio::test]
async fn a_run_speaks_with_a_server_once() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let url = http.url("repo");
    let run = run_with(|_| ());
    let brought = run.all(&url, &["main", "next", "v1.0.0", "1.x", "main"]).await;
    assert_eq!(brought.iter().filter(|brought| brought.is_ok()).count(), 5);
    assert_eq!(http.requests().len(), 3, "{:#?}", http.requests());

    // The same run again, and another name for the same commit: nothing is asked.
    run.good(&url, "next").await;
    run.good(&url, "HEAD").await;
    assert_eq!(http.requests().len(), 3);

    // Another run on the same cache lists the names, and receives nothing.
    let later = run_on(run.cache.clone(), |_| ());
    let checkout = later.good(&url, "main").await;
    assert_eq!((checkout.by, http.requests().len()), (FetchedBy::Cache, 5));

    // A full hash that is here needs no server at all.
    drop(http);
    let offline = run_on(run.cache.clone(), |_| ());
    let checkout = offline.good(&url, &git.git(["rev-parse", "next"])).await;
    assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::Cache, "replicas: 3\n"));
}

/// History is not fetched for files.
#[tokio::test]
async fn a_fetch_gets_no_history() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let run = run_with(|_| ());
    let checkout = run.good(&http.url("repo"), "main").await;
    let bare = only_entry(&run.cache.path().join("cache/git"), "git");
    let count = git_in(&bare, &["rev-list", "--count", &checkout.revision]);
    assert_eq!(count, "1");
}

fn only_entry(folder: &Path, extension: &str) -> PathBuf {
    let mut found =
        fs::read_dir(folder).expect("the folder is ours").map(|entry| entry.expect("the folder is ours").path());
    found.find(|path| path.extension().is_some_and(|found| found == extension)).expect("there is one")
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("--git-dir").arg(folder).args(arguments).output().expect("the folder is ours");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The next commit of a branch arrives on top of what is here.
#[tokio::test]
async fn a_later_run_sees_what_was_pushed_since() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let first = run_with(|_| ());
    assert_eq!(web(&*first.good(&http.url("repo"), "main").await), "replicas: 2\n");
    let git = git.file("web.yaml", "replicas: 9\n").commit("nine");
    let second = run_on(first.cache.clone(), |_| ());
    let checkout = second.good(&http.url("repo"), "main").await;
    assert_eq!((checkout.revision.as_str(), web(&checkout).as_str()), (git.head().as_str(), "replicas: 9\n"));
    assert_eq!(checkout.by, FetchedBy::Gix);
}

/// What a disk or a person does to a bare repository.
type Damage = fn(&Path);

/// A cache that was damaged, in every way that a disk or a person has, is fetched anew and said to be.
#[tokio::test]
async fn a_damaged_cache_is_repaired() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let damages: [(&str, Damage); 6] = [
        ("a truncated pack", |bare| truncate(&only_entry(&bare.join("objects/pack"), "pack"))),
        ("an overwritten pack", |bare| overwrite(&only_entry(&bare.join("objects/pack"), "pack"))),
        ("a truncated index", |bare| truncate(&only_entry(&bare.join("objects/pack"), "idx"))),
        ("a missing pack", |bare| fs::remove_dir_all(bare.join("objects")).unwrap()),
        ("garbage in HEAD", |bare| fs::write(bare.join("HEAD"), b"\0\0garbage").unwrap()),
        ("garbage in config", |bare| fs::write(bare.join("config"), b"[core\n\0").unwrap()),
    ];
    for (name, damage) in damages {
        let first = run_with(|_| ());
        let checkout = first.good(&http.url("repo"), "main").await;
        let cache = first.cache.clone();
        drop(first);
        fs::remove_dir_all(cache.path().join("cache/trees")).unwrap();
        damage(&only_entry(&cache.path().join("cache/git"), "git"));
        let later = run_on(cache, |_| ());
        let repaired = later.good(&http.url("repo"), "main").await;
        assert_eq!((&repaired.revision, web(&repaired).as_str()), (&checkout.revision, "replicas: 2\n"), "{name}");
        let said = repaired.warnings.iter().any(|warning| warning.message.ends_with("it was fetched again"));
        assert!(said, "{name}: {:?}", repaired.warnings);
        let bare = only_entry(&later.cache.path().join("cache/git"), "git");
        git_in(&bare, &["fsck", "--connectivity-only"]);
    }
}

fn truncate(path: &Path) {
    writable(path);
    let file = fs::File::options().write(true).open(path).expect("the folder is ours");
    file.set_len(file.metadata().expect("the folder is ours").len() / 2).expect("the folder is ours");
}

fn overwrite(path: &Path) {
    writable(path);
    let mut bytes = fs::read(path).expect("the folder is ours");
    bytes[12..].fill(0x55);
    fs::write(path, bytes).expect("the folder is ours");
}

fn writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("the folder is ours");
}

/// A `CronJob` that overlaps with a pipeline: both get their files, from one cache.
#[tokio::test(flavor = "multi_thread")]
async fn runs_share_a_cache() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let cache = Arc::new(tempfile::tempdir().unwrap());
    let mut tasks = Vec::new();
    for index in 0..8 {
        let run = run_on(cache.clone(), |_| ());
        let url = http.url("repo");
        tasks.push(tokio::spawn(async move {
            let revision = if index % 2 == 0 { "main" } else { "next" };
            let checkout = run.good(&url, revision).await;
            (revision, web(&checkout))
        }));
    }
    for task in tasks {
        let (revision, text) = task.await.unwrap();
        assert_eq!(text, if revision == "main" { "replicas: 2\n" } else { "replicas: 3\n" });
    }
    assert_eq!(fs::read_dir(cache.path().join("cache/tmp")).unwrap().count(), 0);
}

/// A cache on a full disk says so, and leaves nothing that a later run would trust.
#[tokio::test]
async fn a_full_disk_is_named_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        Missing::of("the right to mount a small disk").skip();
        return;
    }
    let noise: Vec<u8> =
        (0..3_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let git = TestRepo::new().bytes("large.bin", &noise).file("web.yaml", "replicas: 2\n").commit("large");
    let http = HttpServer::start(&root_of(&git), Manners::default());
    for url in [http.url("repo"), git.url()] {
        let settings = SourceSettings { cache_dir: Some(folder.path().join("cache")), ..SourceSettings::default() };
        let sources = Sources::new(settings, Progress::silent()).unwrap();
        let brought = sources.fetch(&RepoUrl::new(&url), &[Wanted::default()], &Cancel::new()).await.remove(0);
        let error = brought.expect_err("the disk is full");
        assert!(matches!(*error, SourceError::CacheUnusable { full: true, .. }), "{url}: {}", told(&error));
        assert!(help(&error).contains("--cache-dir"), "{}", help(&error));
        let trees = fs::read_dir(folder.path().join("cache/trees")).unwrap();
        assert!(trees.flatten().all(|entry| entry.file_type().unwrap().is_file()), "{url}");
    }
    assert!(Command::new("umount").arg("-l").arg(folder.path()).status().unwrap().success());
}

/// A cache whose folder is a file.
#[tokio::test]
async fn a_cache_that_cannot_be_written_is_named() {
    let git = shop();
    let run = run_with(|_| ());
    fs::write(run.cache.path().join("cache"), "a file").unwrap();
    let error = run.bad(&git.url(), "main").await;
    assert!(matches!(*error, SourceError::CacheUnusable { full: false, .. }), "{}", told(&error));
}
