//! Sources from real git repositories: brought by gix, by the git program, from the cache, from this machine; and every
//! way in which that goes wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use miette::Diagnostic;
use tempfile::TempDir;
use trueup::process::Cancel;
use trueup::progress::Progress;
use trueup::secret::{RepoUrl, Secret};
use trueup::target::source::{
    Brought, Checkout, Credentials, FetchedBy, Override, SourceError, SourceSettings, Sources, Wanted, locate,
};

use crate::git_server::{Daemon, HttpServer, Manners};
use crate::harness::TestRepo;

/// `Basic` of `ci:s3cret`.
const BASIC: &str = "Basic Y2k6czNjcmV0";

fn shop() -> TestRepo {
    TestRepo::new()
        .file("web.yaml", "replicas: 1\n")
        .commit("first")
        .tag("v1.0.0")
        .file("web.yaml", "replicas: 2\n")
        .file("overlays/prod/kustomization.yaml", "resources: []\n")
        .link("latest.yaml", "web.yaml")
        .commit("second")
        .annotated_tag("v1.1.0")
        .branch("next")
        .file("web.yaml", "replicas: 3\n")
        .commit("third")
        .branch("main")
}

/// The folder that a server serves, with the repository in it.
fn root_of(repository: &TestRepo) -> PathBuf {
    repository.path().parent().expect("it is in a folder").to_owned()
}

struct Run {
    sources: Sources,
    cache: Arc<TempDir>,
}

fn settings(cache: &TempDir) -> SourceSettings {
    SourceSettings {
        cache_dir: Some(cache.path().join("cache")),
        timeout: Duration::from_secs(60),
        ..SourceSettings::default()
    }
}

fn run_with(change: impl FnOnce(&mut SourceSettings)) -> Run {
    run_on(Arc::new(tempfile::tempdir().unwrap()), change)
}

fn run_on(cache: Arc<TempDir>, change: impl FnOnce(&mut SourceSettings)) -> Run {
    let mut settings = settings(&cache);
    change(&mut settings);
    Run { sources: Sources::new(settings, Progress::silent()).unwrap(), cache }
}

impl Run {
    async fn all(&self, url: &str, revisions: &[&str]) -> Vec<Brought> {
        let wanted: Vec<Wanted> = revisions
            .iter()
            .map(|revision| Wanted { revision: (*revision).to_owned(), tag_prefix: String::new() })
            .collect();
        self.sources.fetch(&RepoUrl::new(url), &wanted, &Cancel::new()).await
    }

    #[track_caller]
    fn one(&self, url: &str, revision: &str) -> impl Future<Output = Brought> {
        let (url, revision) = (url.to_owned(), revision.to_owned());
        async move { self.all(&url, &[&revision]).await.remove(0) }
    }

    async fn good(&self, url: &str, revision: &str) -> Arc<Checkout> {
        self.one(url, revision).await.unwrap_or_else(|error| panic!("{url} {revision}: {}", told(&error)))
    }

    async fn bad(&self, url: &str, revision: &str) -> Arc<SourceError> {
        self.one(url, revision).await.expect_err("it cannot be brought")
    }
}

/// An error with everything behind it.
fn told(error: &SourceError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(" <- {cause}"));
        source = cause.source();
    }
    text
}

fn help(error: &SourceError) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}

fn web(checkout: &Checkout) -> String {
    fs::read_to_string(checkout.root.join("web.yaml")).unwrap()
}

/// The same repository by every way that leads to it gives the same files, and no program is run where gix can.
#[tokio::test]
async fn a_repository_is_the_same_by_every_protocol() {
    let git = shop();
    let root = root_of(&git);
    let (http, daemon) = (HttpServer::start(&root, Manners::default()), Daemon::start(&root));
    let here = git.path().display().to_string();
    let run = run_with(|settings| settings.ssh_command = Some(fake_ssh(&root)));
    for (url, by) in [
        (http.url("repo"), FetchedBy::Gix),
        (daemon.url("repo"), FetchedBy::Gix),
        (format!("ssh://git@example.invalid{here}"), FetchedBy::Gix),
        (format!("git@example.invalid:{here}"), FetchedBy::Gix),
        (git.url(), FetchedBy::Local),
        (here.clone(), FetchedBy::Local),
    ] {
        let checkout = run.good(&url, "main").await;
        assert_eq!((checkout.by, checkout.revision.as_str()), (by, git.head().as_str()), "{url}");
        assert_eq!(web(&checkout), "replicas: 2\n", "{url}");
        assert_eq!(fs::read_to_string(checkout.root.join("latest.yaml")).unwrap(), "replicas: 2\n", "{url}");
        assert!(checkout.folder("overlays/prod").unwrap().is_dir(), "{url}");
        assert!(!checkout.root.join(".git").exists(), "{url}");
    }
}

/// An ssh that stays on this machine: it drops its options and the host, and runs the rest.
fn fake_ssh(folder: &Path) -> String {
    let script = folder.join("fake-ssh");
    fs::write(
        &script,
        "while test \"${1#-}\" != \"$1\"; do test \"$1\" = -G && exit 0; shift 2; done\nshift\nexec sh -c \"$*\"\n",
    )
    .unwrap();
    format!("sh {}", script.display())
}

/// Everything that `targetRevision` may be, from a server and from a folder alike.
#[tokio::test]
async fn every_kind_of_revision_is_found() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let commit = |name: &str| git.git(["rev-parse", &format!("{name}^{{commit}}")]);
    git.git(["update-ref", "refs/pull/7/head", "next"]);
    git.git(["tag", "app-2.0.0", "v1.0.0"]);
    let (first, second, third) = (commit("v1.0.0"), commit("v1.1.0"), commit("next"));
    for url in [http.url("repo"), git.url()] {
        let run = run_with(|_| ());
        for (revision, expected) in [
            ("", &second),
            ("HEAD", &second),
            ("main", &second),
            ("next", &third),
            ("refs/heads/next", &third),
            ("refs/pull/7/head", &third),
            ("v1.0.0", &first),
            ("v1.1.0", &second),
            ("refs/tags/v1.1.0", &second),
            ("1.x", &second),
            ("~1.0", &first),
            ("<1.1", &first),
            (&first, &first),
            (&first[..7], &first),
            (&third[..12], &third),
        ] {
            let checkout = run.good(&url, revision).await;
            assert_eq!(&checkout.revision, expected, "{revision} of {url}");
        }
        let wanted = Wanted { revision: "*".into(), tag_prefix: "app-".into() };
        let brought = run.sources.fetch(&RepoUrl::new(&url), &[wanted], &Cancel::new()).await.remove(0).unwrap();
        assert_eq!(brought.revision, first, "tagPrefix of {url}");
    }
}

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
async fn a_fetch_brings_no_history() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let run = run_with(|_| ());
    let checkout = run.good(&http.url("repo"), "main").await;
    let bare = only_entry(&run.cache.path().join("cache/git"), "git");
    let count = git_in(&bare, &["rev-list", "--count", &checkout.revision]);
    assert_eq!(count, "1");
}

fn only_entry(folder: &Path, extension: &str) -> PathBuf {
    let mut found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|found| found == extension)).expect("there is one")
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("--git-dir").arg(folder).args(arguments).output().unwrap();
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

/// Servers that speak the first protocol hand out no commit that no name leads to; it is found in history.
#[tokio::test]
async fn a_server_of_the_old_protocol_is_understood() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners { old_protocol: true, ..Manners::default() });
    let run = run_with(|_| ());
    assert_eq!(web(&*run.good(&http.url("repo"), "main").await), "replicas: 2\n");
    git.git(["tag", "--delete", "v1.0.0"]);
    let first = git.git(["rev-parse", "main~1"]);
    let later = run_on(run.cache.clone(), |_| ());
    assert_eq!(web(&*later.good(&http.url("repo"), &first).await), "replicas: 1\n");
}

/// A repository that hashes with SHA-256.
#[tokio::test]
async fn a_repository_with_long_hashes_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("long");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]).args(arguments);
        assert!(command.current_dir(folder.path()).status().unwrap().success());
    };
    git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "long"]);
    fs::write(place.join("web.yaml"), "replicas: 5\n").unwrap();
    git(&["-C", "long", "add", "--all"]);
    git(&["-C", "long", "commit", "--quiet", "--message", "first"]);
    let http = HttpServer::start(folder.path(), Manners::default());
    for url in [http.url("long"), place.display().to_string()] {
        let checkout = run_with(|_| ()).good(&url, "main").await;
        assert_eq!((checkout.revision.len(), web(&checkout).as_str()), (64, "replicas: 5\n"), "{url}");
    }
}

/// What is not there, by name: the repository, the revision, the path.
#[tokio::test]
async fn what_is_gone_is_named() {
    let git = shop();
    let root = root_of(&git);
    let (http, daemon) = (HttpServer::start(&root, Manners::default()), Daemon::start(&root));
    let run = run_with(|settings| settings.ssh_command = Some(fake_ssh(&root)));
    for url in [
        http.url("nothing"),
        daemon.url("nothing"),
        "ssh://git@example.invalid/nothing/here".to_owned(),
        "/nothing/here".to_owned(),
    ] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::RepositoryGone { .. }), "{url}: {}", told(&error));
    }
    for url in [http.url("repo"), git.url()] {
        let error = run.bad(&url, "v1.1.1").await;
        assert_eq!(error.to_string(), format!("no branch, tag or commit `v1.1.1` in {url}"));
        assert_eq!(help(&error), "the nearest are v1.1.0 and v1.0.0; `--revision` tries another");
        let error = run.bad(&url, "2.x").await;
        assert_eq!(error.to_string(), format!("no tag satisfies `2.x` in {url}"));
        for hash in ["0123456789012345678901234567890123456789", "0123456"] {
            let error = run.bad(&url, hash).await;
            assert!(matches!(*error, SourceError::RevisionGone { .. }), "{hash} of {url}: {}", told(&error));
        }
        // The others do not suffer for it.
        let brought = run.all(&url, &["9123456789012345678901234567890123456789", "next", "nowhere"]).await;
        assert_eq!(brought.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false], "{url}");
        let error = run.good(&url, "main").await.folder("overlays/prd").unwrap_err();
        assert_eq!(error.to_string(), format!("no folder or file `overlays/prd` at {}", &git.head()[..7]));
    }
}

/// A private repository, and every way to be let in; nothing of it stays behind.
#[tokio::test]
async fn credentials_open_a_repository_and_stay_secret() {
    let git = shop();
    let manners = Manners { authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let url = http.url("repo");
    let secret = |word: &str| Some(Secret::new(word.to_owned()));
    let password = Credentials { username: Some("ci".into()), password: secret("s3cret"), ..Credentials::default() };
    let token = Credentials { username: Some("ci".into()), token: secret("s3cret"), ..Credentials::default() };
    for credentials in [password, token] {
        let run = run_with(|settings| settings.credentials = credentials);
        let checkout = run.good(&url, "main").await;
        assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::Gix, "replicas: 2\n"));
        assert_nothing_says(run.cache.path(), "s3cret");
    }
    let with_user = url.replace("http://", "http://ci:s3cret@");
    let run = run_with(|_| ());
    run.good(&with_user, "main").await;
    assert_nothing_says(run.cache.path(), "s3cret");

    for (url, credentials) in [
        (url.clone(), Credentials::default()),
        (url.clone(), Credentials { token: secret("wrong-t0ken"), ..Credentials::default() }),
        (url.replace("http://", "http://ci:wrong-t0ken@"), Credentials::default()),
    ] {
        let run = run_with(|settings| settings.credentials = credentials);
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::AccessRefused { .. }), "{}", told(&error));
        assert!(help(&error).contains("TRUEUP_GIT_TOKEN"), "{}", help(&error));
        let everything = format!("{} {error:?} {:?}", told(&error), run.sources);
        assert!(!everything.contains("wrong-t0ken"), "{everything}");
    }
}

fn assert_nothing_says(folder: &Path, word: &str) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        assert!(!path.display().to_string().contains(word), "{}", path.display());
        if entry.file_type().unwrap().is_dir() {
            assert_nothing_says(&path, word);
        } else if entry.file_type().unwrap().is_file() {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{}", path.display());
        }
    }
}

/// A redirect to another host gets no credentials, whoever speaks; on the same host they go along.
#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let git = shop();
    let root = root_of(&git);
    let credentials = || Credentials {
        username: Some("ci".into()),
        password: Some(Secret::new("s3cret".into())),
        ..Credentials::default()
    };
    let thief = HttpServer::start(&root, Manners { authorization: Some("never".into()), ..Manners::default() });
    let elsewhere = thief.url_by_name("").trim_end_matches('/').to_owned();
    let honest = HttpServer::start(&root, Manners { redirect: Some(elsewhere), ..Manners::default() });
    for url in [honest.url("repo"), honest.url("repo").replace("http://", "http://ci:s3cret@")] {
        let run = run_with(|settings| settings.credentials = credentials());
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::AccessRefused { .. }), "{}", told(&error));
    }
    let asked = thief.requests();
    assert!(!asked.is_empty(), "the redirect was followed");
    for request in asked {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }

    // An open repository may move.
    let open = HttpServer::start(&root, Manners::default());
    let elsewhere = open.url_by_name("").trim_end_matches('/').to_owned();
    let moved = HttpServer::start(&root, Manners { redirect: Some(elsewhere), ..Manners::default() });
    let checkout = run_with(|_| ()).good(&moved.url("repo"), "main").await;
    assert_eq!(web(&checkout), "replicas: 2\n");
}

/// The network and the server, at their worst.
#[tokio::test]
async fn a_server_that_does_not_answer_is_told_apart() {
    let git = shop();
    let root = root_of(&git);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = run_with(|_| ());
    for url in [format!("http://127.0.0.1:{closed}/repo"), format!("git://127.0.0.1:{closed}/repo")] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::Unreachable { .. }), "{url}: {}", told(&error));
    }
    for (status, refused) in [(403, true), (503, false)] {
        let http = HttpServer::start(&root, Manners { status: Some(status), ..Manners::default() });
        let error = run.bad(&http.url("repo"), "main").await;
        match *error {
            SourceError::AccessRefused { .. } => assert!(refused, "{}", told(&error)),
            SourceError::Unreachable { .. } => assert!(!refused, "{}", told(&error)),
            _ => panic!("{status}: {}", told(&error)),
        }
    }
    for (says, refused) in [
        ("git@example.invalid: Permission denied (publickey).", true),
        ("Host key verification failed.", true),
        ("ssh: connect to host example.invalid port 22: Connection refused", false),
    ] {
        let run = run_with(|settings| settings.ssh_command = Some(format!("sh -c 'echo \"{says}\" >&2; exit 255'")));
        let error = run.bad("ssh://git@example.invalid/repo", "main").await;
        assert_eq!(matches!(*error, SourceError::AccessRefused { .. }), refused, "{says}: {}", told(&error));
        assert_eq!(matches!(*error, SourceError::Unreachable { .. }), !refused, "{says}: {}", told(&error));
        assert!(told(&error).contains(says), "{}", told(&error));
    }
}

/// A silent server costs the time limit and no more, and a stopped run does not wait for it.
#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_time_limit() {
    let git = shop();
    let slow = Manners { delay: Duration::from_secs(30), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), slow);
    let run = run_with(|settings| {
        settings.timeout = Duration::from_millis(700);
        settings.ssh_command = Some("sh -c 'sleep 30'".to_owned());
    });
    let start = Instant::now();
    for url in [http.url("repo"), "ssh://git@example.invalid/repo".to_owned()] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::TimedOut { .. }), "{}", told(&error));
    }
    let run = run_with(|_| ());
    let cancel = Cancel::new();
    let turn = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        turn.cancel();
    });
    let brought = run.sources.fetch(&RepoUrl::new(http.url("repo")), &[Wanted::default()], &cancel).await;
    assert!(matches!(**brought[0].as_ref().unwrap_err(), SourceError::Cancelled { .. }));
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

/// Where gix does not understand a server the git program takes over, says so, and has the credentials.
#[tokio::test]
async fn the_git_program_takes_over_where_gix_cannot() {
    let git = shop();
    let manners = Manners { garbage_for_gix: true, authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let password = Some(Secret::new("s3cret".to_owned()));
    let credentials = Credentials { username: Some("ci".into()), password, ..Credentials::default() };
    let run = run_with(|settings| settings.credentials = credentials.clone());
    let brought = run.all(&http.url("repo"), &["main", "v1.0.0", "1.x"]).await;
    for brought in &brought {
        let checkout = brought.as_ref().unwrap_or_else(|error| panic!("{}", told(error)));
        assert_eq!(checkout.by, FetchedBy::GitProgram);
    }
    assert_eq!(web(brought[0].as_ref().unwrap()), "replicas: 2\n");
    assert_nothing_says(run.cache.path(), "s3cret");

    let alone = run_with(|settings| {
        settings.credentials = credentials;
        settings.git_program = Some("/nothing/here/git".into());
    });
    let error = alone.bad(&http.url("repo"), "main").await;
    assert!(matches!(*error, SourceError::FetchFailed { .. }), "{}", told(&error));
}

/// A cache that was damaged, in every way that a disk or a person has, is fetched anew and said to be.
#[tokio::test]
async fn a_damaged_cache_is_repaired() {
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners::default());
    let damages: [(&str, fn(&Path)); 6] = [
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
        let bare = only_entry(&later.cache.path().join("cache/git"), "git");
        git_in(&bare, &["fsck", "--connectivity-only"]);
    }
}

fn truncate(path: &Path) {
    writable(path);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

fn overwrite(path: &Path) {
    writable(path);
    let mut bytes = fs::read(path).unwrap();
    bytes[12..].fill(0x55);
    fs::write(path, bytes).unwrap();
}

fn writable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

/// A CronJob that overlaps with a pipeline: both get their files, from one cache.
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
        crate::harness::Missing::of("the right to mount a small disk").skip();
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
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
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

/// Submodules come with their superproject, relative URLs and nesting included.
#[tokio::test]
async fn submodules_are_brought() {
    let folder = tempfile::tempdir().unwrap();
    let base = TestRepo::new().file("base.yaml", "kind: Base\n").link("link.yaml", "base.yaml").commit("base");
    base.git(["clone", "--quiet", "--bare", ".", &folder.path().join("base.git").display().to_string()]);
    let middle = TestRepo::new().file("middle.yaml", "kind: Middle\n");
    let middle = with_submodule(middle, "deep/base", "../base.git", &base.head()).commit("middle");
    middle.git(["clone", "--quiet", "--bare", ".", &folder.path().join("middle.git").display().to_string()]);
    let top = with_submodule(TestRepo::new().file("web.yaml", "x\n"), "vendor/middle", "../middle.git", &middle.head());
    let top = top.commit("top");
    top.git(["clone", "--quiet", "--bare", ".", &folder.path().join("top.git").display().to_string()]);
    let http = HttpServer::start(folder.path(), Manners::default());

    let checkout = run_with(|_| ()).good(&http.url("top.git"), "main").await;
    let read = |path: &str| fs::read_to_string(checkout.file(path).unwrap()).unwrap();
    assert_eq!(read("vendor/middle/middle.yaml"), "kind: Middle\n");
    assert_eq!(read("vendor/middle/deep/base/base.yaml"), "kind: Base\n");
    assert_eq!(read("vendor/middle/deep/base/link.yaml"), "kind: Base\n");

    let without = run_with(|settings| settings.submodules = false).good(&http.url("top.git"), "main").await;
    assert_eq!(fs::read_dir(without.folder("vendor/middle").unwrap()).unwrap().count(), 0);
}

fn with_submodule(git: TestRepo, path: &str, url: &str, commit: &str) -> TestRepo {
    let git = git.file(".gitmodules", format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n"));
    git.git(["add", "--all"]);
    git.git(["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    // `git add --all` of the commit to come would drop the entry of a folder that is not there.
    fs::create_dir_all(git.path().join(path)).unwrap();
    git
}

/// What has made git run programs and read files of the machine that cloned.
#[tokio::test]
async fn submodules_that_reach_for_this_machine_are_refused() {
    let victim = TestRepo::new().file("secret.yaml", "secret\n").commit("secret");
    for url in [
        &victim.url(),
        &victim.path().display().to_string(),
        "ext::sh -c 'touch /tmp/trueup-pwned'",
        "--upload-pack=touch /tmp/trueup-pwned",
        "ssh://-oProxyCommand=touch/x",
        "../../../../../x",
    ] {
        let git = with_submodule(TestRepo::new().file("web.yaml", "x\n"), "sub", url, &victim.head()).commit("trick");
        let http = HttpServer::start(&root_of(&git), Manners::default());
        for parent in [http.url("repo"), git.url()] {
            let error = run_with(|_| ()).bad(&parent, "main").await;
            assert!(matches!(*error, SourceError::SubmoduleRefused { .. }), "{url} of {parent}: {}", told(&error));
        }
    }
    assert!(!Path::new("/tmp/trueup-pwned").exists());
}

/// A repository that names a stranger's server as its submodule does not get our token sent there.
#[tokio::test]
async fn a_submodule_of_another_server_gets_no_credentials() {
    let inner = TestRepo::new().file("inner.yaml", "x\n").commit("inner");
    let thief =
        HttpServer::start(&root_of(&inner), Manners { authorization: Some("never".into()), ..Manners::default() });
    let git = TestRepo::new().file("web.yaml", "x\n");
    let git = with_submodule(git, "sub", &thief.url("repo"), &inner.head()).commit("trick");
    let http = HttpServer::start(&root_of(&git), Manners { authorization: Some(BASIC.into()), ..Manners::default() });
    let run = run_with(|settings| {
        settings.credentials.username = Some("ci".into());
        settings.credentials.password = Some(Secret::new("s3cret".into()));
    });
    let error = run.bad(&http.url("repo"), "main").await;
    assert!(matches!(*error, SourceError::Submodule { .. }), "{}", told(&error));
    let asked = thief.requests();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.header("authorization").is_none()), "{asked:#?}");
}

/// Links out of the repository refuse the whole source, as in Argo CD, wherever the repository is.
#[tokio::test]
async fn links_that_lead_out_refuse_the_source() {
    for (link, target) in [("a.yaml", "/etc/passwd"), ("a.yaml", "../../etc/passwd"), ("a.yaml", ".git/config")] {
        let git = TestRepo::new().file("web.yaml", "x\n").link(link, target).commit("trick");
        let error = run_with(|_| ()).bad(&git.url(), "main").await;
        assert_eq!(error.to_string(), format!("link `{link}` leads out of the repository"), "{target}");
        let url = "https://git.example.com/shop";
        let run = run_with(|settings| {
            settings.overrides.push(Override { url: RepoUrl::new(url), path: git.path() });
        });
        let error = run.bad(url, "").await;
        assert_eq!(error.to_string(), format!("link `{link}` leads out of the repository"), "{target}");
    }
    // Each of the two stays inside; one after the other they do not.
    let git = TestRepo::new().file("a/b/web.yaml", "x\n").link("a/b/up", "../..").commit("up");
    let git = git.link("out", "a/b/up/..").commit("out");
    let error = run_with(|_| ()).bad(&git.url(), "main").await;
    assert_eq!(error.to_string(), "link `out` leads out of the repository");
}

/// Trees that git itself would not write.
#[tokio::test]
async fn names_that_mean_a_repository_refuse_the_source() {
    for name in [".git", ".GIT", "git~1", "..", "a/b"] {
        let git = TestRepo::new().file("web.yaml", "x\n").commit("honest");
        let blob = git.git(["rev-parse", "HEAD:web.yaml"]);
        let mut tree = format!("100644 {name}\0").into_bytes();
        tree.extend((0..20).map(|at| u8::from_str_radix(&blob[2 * at..2 * at + 2], 16).unwrap()));
        fs::write(git.path().join("tree.bin"), tree).unwrap();
        let tree = git.git(["hash-object", "-t", "tree", "-w", "--literally", "tree.bin"]);
        let commit = git.git(["commit-tree", "-m", "trick", &tree]);
        git.git(["update-ref", "refs/heads/trick", &commit]);
        let http = HttpServer::start(&root_of(&git), Manners::default());
        for url in [http.url("repo"), git.url()] {
            let error = run_with(|_| ()).bad(&url, "trick").await;
            assert!(matches!(*error, SourceError::UnsafeName { .. }), "{name} of {url}: {}", told(&error));
        }
    }
}

/// `--repo URL=PATH`: the files as they are, with the commit they are based on and whether they differ from it.
#[tokio::test]
async fn a_working_tree_stands_in_for_a_repository() {
    let git = shop();
    let url = "https://git.example.com/shop/infra.git";
    let stands_in = |git: &TestRepo| {
        run_with(|settings| settings.overrides.push(Override { url: RepoUrl::new(url), path: git.path() }))
    };
    let checkout = stands_in(&git).good("https://git.example.com/Shop/infra", "v1.0.0").await;
    assert_eq!((checkout.by, checkout.dirty), (FetchedBy::WorkingTree, false));
    assert_eq!((&checkout.revision, web(&checkout).as_str()), (&git.head(), "replicas: 2\n"));
    assert!(checkout.folder(".git").is_err());

    let git = git.file("new.yaml", "x\n");
    assert!(stands_in(&git).good(url, "").await.dirty, "an untracked file");
    fs::remove_file(git.path().join("new.yaml")).unwrap();
    let git = git.file("web.yaml", "replicas: 7\n");
    let checkout = stands_in(&git).good(url, "").await;
    assert_eq!((checkout.dirty, web(&checkout).as_str()), (true, "replicas: 7\n"));

    let missing = SourceSettings {
        overrides: vec![Override { url: RepoUrl::new(url), path: "/nothing/here".into() }],
        ..SourceSettings::default()
    };
    let error = Sources::new(missing, Progress::silent()).unwrap_err();
    assert_eq!(error.to_string(), "`--repo`: `/nothing/here` does not exist");
}

/// `--checkout DIR`: a pipeline's checkout is every one of its remotes, by every name that git would reach it by.
#[tokio::test]
async fn a_checkout_stands_in_for_all_of_its_remotes() {
    let git = shop();
    git.git(["remote", "add", "origin", "git@git.example.com:shop/infra.git"]);
    git.git(["remote", "set-url", "--push", "origin", "https://push.example.com/shop/infra"]);
    git.git(["remote", "add", "mirror", "mirror:shop/infra"]);
    git.git(["config", "url.https://mirror.example.com/.insteadOf", "mirror:"]);
    let run = run_with(|settings| settings.checkout = Some(git.path().join("overlays")));
    for url in [
        "git@git.example.com:shop/infra.git",
        "ssh://git@git.example.com/shop/infra",
        "https://push.example.com/shop/infra.git",
        "https://mirror.example.com/shop/infra",
    ] {
        let checkout = run.good(url, "main").await;
        assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::WorkingTree, "replicas: 2\n"), "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let none = SourceSettings { checkout: Some(folder.path().to_owned()), ..SourceSettings::default() };
    let error = Sources::new(none, Progress::silent()).unwrap_err();
    assert!(error.to_string().ends_with("is in no git repository"), "{error}");
}

/// Local repositories in every shape, and a manifest's relative `repoURL`.
#[tokio::test]
async fn local_repositories_of_every_shape_are_read() {
    let git = shop();
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("bare.git").display().to_string();
    git.git(["clone", "--quiet", "--bare", ".", &bare]);
    let linked = folder.path().join("linked").display().to_string();
    git.git(["worktree", "add", "--quiet", &linked, "next"]);
    let run = run_with(|_| ());
    assert_eq!(web(&*run.good(&bare, "next").await), "replicas: 3\n");
    assert_eq!(web(&*run.good(&linked, "HEAD").await), "replicas: 3\n");
    let relative = locate("../bare.git", &folder.path().join("linked"));
    assert_eq!(web(&*run.good(relative.with_credentials(), "main").await), "replicas: 2\n");

    // What is not committed is not there; a folder that is no repository is taken as it is, and said to be.
    let git = git.file("web.yaml", "replicas: 7\n");
    assert_eq!(web(&*run_with(|_| ()).good(&git.url(), "main").await), "replicas: 2\n");
    let plain = tempfile::tempdir().unwrap();
    fs::write(plain.path().join("web.yaml"), "replicas: 4\n").unwrap();
    let checkout = run.good(&plain.path().display().to_string(), "").await;
    assert_eq!((checkout.by, checkout.warnings.len()), (FetchedBy::WorkingTree, 1));
    let error = run.bad(&git.path().join("overlays").display().to_string(), "").await;
    assert!(told(&error).contains("the root of the repository is"), "{}", told(&error));
}

/// `--revision` asks every source for the same.
#[tokio::test]
async fn the_revision_flag_overrides_the_manifests() {
    let git = shop();
    let run = run_with(|settings| settings.revision_override = Some("v1.0.0".into()));
    assert_eq!(web(&*run.good(&git.url(), "next").await), "replicas: 1\n");
}
