//! A real git repository with a fixed identity and clock: the same files give the same hashes on every machine.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::application::TestApplication;
use super::clean_command;

/// 2026-01-01T00:00:00Z; each commit is a minute later than the one before.
const FIRST_COMMIT: u64 = 1_767_225_600;

/// A working tree and its history. Every step takes it and gives it back: `let git = git.file(…).commit(…)`.
#[derive(Debug)]
pub(crate) struct TestRepo {
    folder: TempDir,
    commits: u64,
}

impl TestRepo {
    /// An empty repository on branch `main`.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("trueup-repo-").tempdir().expect("a folder");
        let this = Self { folder, commits: 0 };
        fs::create_dir_all(this.path()).expect("the folder is ours");
        this.git(["init", "--quiet", "--initial-branch=main"]);
        this
    }

    /// Writes a file, and the folders above it.
    #[must_use]
    pub(crate) fn file(self, path: &str, text: impl Display) -> Self {
        self.bytes(path, text.to_string().as_bytes())
    }

    /// Writes a file that need not be text.
    #[must_use]
    pub(crate) fn bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below the repository")).expect("the folder is ours");
        fs::write(path, bytes).expect("the folder is ours");
        self
    }

    /// Writes a symbolic link.
    #[must_use]
    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        std::os::unix::fs::symlink(target, self.path().join(path)).expect("the folder is ours");
        self
    }

    /// Removes a file or a folder.
    #[must_use]
    pub(crate) fn remove(self, path: &str) -> Self {
        self.git(["rm", "--quiet", "-r", path]);
        self
    }

    /// Commits the whole working tree.
    #[must_use]
    pub(crate) fn commit(mut self, message: &str) -> Self {
        self.commits += 1;
        self.git(["add", "--all"]);
        self.git(["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    /// Switches to a branch, new where it does not exist yet.
    #[must_use]
    pub(crate) fn branch(self, name: &str) -> Self {
        let known = !self.git(["branch", "--list", name]).is_empty();
        if known {
            self.git(["switch", "--quiet", name])
        } else {
            self.git(["switch", "--quiet", "--create", name])
        };
        self
    }

    /// A lightweight tag on the last commit.
    #[must_use]
    pub(crate) fn tag(self, name: &str) -> Self {
        self.git(["tag", name]);
        self
    }

    /// An annotated tag on the last commit.
    #[must_use]
    pub(crate) fn annotated_tag(self, name: &str) -> Self {
        self.git(["tag", "--annotate", "--message", name, name]);
        self
    }

    /// Runs git in the working tree; it has to succeed. Returns its output, trimmed.
    #[track_caller]
    pub(crate) fn git<const N: usize>(&self, arguments: [&str; N]) -> String {
        let date = format!("{} +0000", FIRST_COMMIT + 60 * self.commits);
        let mut command = clean_command("git", self.folder.path());
        command.envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com"), ("GIT_AUTHOR_DATE", &date)]);
        command.envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")]);
        command.env("GIT_COMMITTER_DATE", &date).current_dir(self.path()).args(arguments);
        let output = command.output().expect("git is installed");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {}: {}\n{stderr}", arguments.join(" "), output.status);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The full hash of the last commit.
    pub(crate) fn head(&self) -> String {
        self.git(["rev-parse", "HEAD"])
    }

    /// The working tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// `file://…`.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// An Application that follows this repository.
    pub(crate) fn application(&self, name: &str) -> TestApplication {
        TestApplication::new(name, &self.url())
    }
}

/// A path below a fresh folder, for tests that need a folder and no repository.
pub(crate) fn folder_with<const N: usize>(files: [(&str, &dyn Display); N]) -> TempDir {
    let folder = tempfile::Builder::new().prefix("trueup-folder-").tempdir().expect("a folder");
    for (path, text) in files {
        let path: &Path = &folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below the folder")).expect("the folder is ours");
        fs::write(path, text.to_string()).expect("the folder is ours");
    }
    folder
}

/// The same files and messages give the same hashes, wherever and whenever the tests run.
#[test]
fn a_repository_has_the_same_hashes_everywhere() {
    let git = TestRepo::new()
        .file("shop/web.yaml", "kind: Deployment\n")
        .bytes("shop/logo.bin", &[0, 159, 146, 150])
        .link("shop/latest.yaml", "web.yaml")
        .commit("two replicas")
        .tag("v1.0.0");
    assert_eq!(git.head(), "b157f0549a14e0d3cd7ca4efd6a65d80690689cf");

    let git = git.branch("next").remove("shop/logo.bin").commit("no logo").annotated_tag("v1.1.0").branch("main");
    assert_eq!(git.git(["rev-parse", "HEAD"]), git.git(["rev-parse", "v1.0.0"]));
    assert_eq!(git.git(["cat-file", "-t", "v1.1.0"]), "tag");
    assert_eq!(git.git(["ls-remote", "--heads", &git.url()]).lines().count(), 2);
    assert!(git.path().join("shop/logo.bin").exists());
}
