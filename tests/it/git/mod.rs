//! Sources from real git repositories: brought by gix, by the git program, from the cache, from this machine; and every
//! way in which that goes wrong.

mod cache;
mod confinement;
mod credentials;
mod faults;
pub(crate) mod github_app;
mod listing;
mod revisions;
mod secrets;
pub(crate) mod server;
mod ssh;
mod working_trees;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use tempfile::TempDir;
use trueup::process::Cancel;
use trueup::progress::Progress;
use trueup::secret::RepoUrl;
use trueup::source::{Checkout, FetchResult, SourceError, SourceSettings, Sources, Wanted};

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

/// The sources of one run, and the folder of its cache, which goes with the last run that has it.
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
    run_on(Arc::new(tempfile::tempdir().expect("the folder is ours")), change)
}

fn run_on(cache: Arc<TempDir>, change: impl FnOnce(&mut SourceSettings)) -> Run {
    let mut settings = settings(&cache);
    change(&mut settings);
    Run { sources: Sources::new(settings, Progress::silent()).expect("the flags are right"), cache }
}

impl Run {
    async fn all(&self, url: &str, revisions: &[&str]) -> Vec<FetchResult> {
        let wanted: Vec<Wanted> = revisions.iter().map(|revision| Wanted::default().at(revision)).collect();
        self.sources.fetch(&RepoUrl::new(url), &wanted, &Cancel::new()).await
    }

    async fn one(&self, url: &str, revision: &str) -> FetchResult {
        self.all(url, &[revision]).await.remove(0)
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
        let _ = write!(text, " <- {cause}");
        source = cause.source();
    }
    text
}

fn help(error: &SourceError) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}

fn web(checkout: &Checkout) -> String {
    fs::read_to_string(checkout.root.join("web.yaml")).expect("the folder is ours")
}

/// An ssh that stays on this machine: it drops its options and the host, and runs the rest.
fn fake_ssh(folder: &Path) -> String {
    let script = folder.join("fake-ssh");
    fs::write(
        &script,
        "while test \"${1#-}\" != \"$1\"; do test \"$1\" = -G && exit 0; shift 2; done\nshift\nexec sh -c \"$*\"\n",
    )
    .expect("the folder is ours");
    format!("sh {}", script.display())
}

fn assert_nothing_says(folder: &Path, word: &str) {
    for entry in fs::read_dir(folder).expect("the folder is ours").map(|entry| entry.expect("the folder is ours")) {
        let path = entry.path();
        assert!(!path.display().to_string().contains(word), "{}", path.display());
        if entry.file_type().expect("the folder is ours").is_dir() {
            assert_nothing_says(&path, word);
        } else if entry.file_type().expect("the folder is ours").is_file() {
            let bytes = fs::read(&path).expect("the folder is ours");
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{}", path.display());
        }
    }
}

fn with_submodule(git: TestRepo, path: &str, url: &str, commit: &str) -> TestRepo {
    let git = git.file(".gitmodules", format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n"));
    git.git(["add", "--all"]);
    git.git(["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    // `git add --all` of the commit to come would drop the entry of a folder that is not there.
    fs::create_dir_all(git.path().join(path)).expect("the folder is ours");
    git
}
