//! Every way to a repository, and every kind of revision in it.

use std::fs;
use std::process::Command;

use trueup::process::Cancel;
use trueup::secret::RepoUrl;
use trueup::source::{FetchedBy, Wanted};

use super::server::{Daemon, HttpServer, Manners};
use super::{fake_ssh, root_of, run_on, run_with, shop, web};

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
        let wanted = Wanted { revision: "*".into(), tag_prefix: "app-".into(), ..Wanted::default() };
        let brought = run.sources.fetch(&RepoUrl::new(&url), &[wanted], &Cancel::new()).await.remove(0).unwrap();
        assert_eq!(brought.revision, first, "tagPrefix of {url}");
    }
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
        let run = run_with(|_| ());
        let checkout = run.good(&url, "main").await;
        assert_eq!((checkout.revision.len(), web(&checkout).as_str()), (64, "replicas: 5\n"), "{url}");
    }
}

/// `--revision` asks every source for the same.
#[tokio::test]
async fn the_revision_flag_overrides_the_manifests() {
    let git = shop();
    let run = run_with(|settings| settings.revision_override = Some("v1.0.0".into()));
    assert_eq!(web(&*run.good(&git.url(), "next").await), "replicas: 1\n");
}
