//! Files of this machine: working trees in place of repositories, and local repositories.

use std::fs;

use trueup::progress::Progress;
use trueup::secret::RepoUrl;
use trueup::source::{FetchedBy, Override, SourceSettings, Sources, locate};

use super::{run_with, shop, told, web};
use crate::harness::TestRepo;

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
        "https://git.example.com/Shop/Infra.git",
        "https://git.example.com:443/shop/infra",
        "git@push.example.com:shop/infra.git",
        "https://push.example.com/shop/infra.git",
        "https://mirror.example.com/shop/infra",
    ] {
        let checkout = run.good(url, "main").await;
        assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::WorkingTree, "replicas: 2\n"), "{url}");
    }
    let folder = tempfile::tempdir().unwrap();
    let none = SourceSettings { checkout: Some(folder.path().to_owned()), ..SourceSettings::default() };
    let error = Sources::new(none, Progress::silent()).unwrap_err();
    assert!(error.to_string().ends_with("is not in a git repository"), "{error}");
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
    let relative = locate("../bare.git", &folder.path().join("linked").into());
    assert_eq!(web(&*run.good(relative.with_credentials(), "main").await), "replicas: 2\n");

    // What is not committed is not there; a folder that is no repository is taken as it is where
    // that is allowed, and said to be.
    let git = git.file("web.yaml", "replicas: 7\n");
    assert_eq!(web(&*run.good(&git.url(), "main").await), "replicas: 2\n");
    let plain = tempfile::tempdir().unwrap();
    fs::write(plain.path().join("web.yaml"), "replicas: 4\n").unwrap();
    let allowed = run_with(|settings| settings.allowed_folders.push(plain.path().to_owned()));
    let checkout = allowed.good(&plain.path().display().to_string(), "").await;
    assert_eq!((checkout.by, checkout.warnings.len()), (FetchedBy::WorkingTree, 1));
    let error = run.bad(&plain.path().display().to_string(), "").await;
    assert!(told(&error).contains("is not read"), "{}", told(&error));
    let error = run.bad(&git.path().join("overlays").display().to_string(), "").await;
    assert!(told(&error).contains("the root of the repository is"), "{}", told(&error));
}
