//! Submodules, links and names of repositories that nobody has to trust.

use std::fs;
use std::path::Path;

use trueup::secret::RepoUrl;
use trueup::source::{Override, SourceError};

use super::server::{HttpServer, Manners};
use super::{root_of, run_on, run_with, told, with_submodule};
use crate::harness::TestRepo;

/// Submodules come with their superproject, relative URLs and nesting included.
#[tokio::test]
async fn submodules_are_fetched() {
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

    let run = run_with(|_| ());
    let checkout = run.good(&http.url("top.git"), "main").await;
    let read = |path: &str| fs::read_to_string(checkout.file(path).unwrap()).unwrap();
    assert_eq!(read("vendor/middle/middle.yaml"), "kind: Middle\n");
    assert_eq!(read("vendor/middle/deep/base/base.yaml"), "kind: Base\n");
    assert_eq!(read("vendor/middle/deep/base/link.yaml"), "kind: Base\n");

    let without = run_on(run.cache.clone(), |settings| settings.submodules = false);
    let without = without.good(&http.url("top.git"), "main").await;
    assert_eq!(fs::read_dir(without.folder("vendor/middle").unwrap()).unwrap().count(), 0);
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

/// A link out of the repository refuses every path that it lies below, and can be read by no way; the rest of the repository is
/// as it was (Argo CD refuses the whole repository).
#[tokio::test]
async fn a_link_that_leads_out_refuses_the_paths_above_it_and_no_others() {
    for (link, target) in
        [("a/b.yaml", "/etc/passwd"), ("a/b.yaml", "../../etc/passwd"), ("a/b.yaml", "../.git/config"), ("a/b", "/etc")]
    {
        let git = TestRepo::new().file("web/web.yaml", "x\n").file("a/a.yaml", "x\n").file("behind/b.yaml", "x\n");
        let git = git.link(link, target).link("behind/a", "../a").commit("trick");
        let url = "https://git.example.com/shop";
        let of_checkout = run_with(|settings| {
            settings.overrides.push(Override { url: RepoUrl::new(url), path: git.path() });
        });
        let fetched = run_with(|_| ());
        for (run, url) in [(&fetched, git.url()), (&of_checkout, url.to_owned()), (&fetched, git.url())] {
            let checkout = run.good(&url, "main").await;
            assert!(checkout.folder("web").is_ok(), "{target}");
            for above in ["a", ".", "behind"] {
                let error = checkout.folder(above).unwrap_err();
                assert_eq!(error.to_string(), format!("link `{link}` points outside the repository"), "{target}");
            }
            assert!(checkout.file(link).is_err(), "{target}");
        }
        let root = &fetched.good(&git.url(), "main").await.root;
        assert!(fs::read(root.join(link)).is_err() && fs::read_dir(root.join(link)).is_err(), "{target}");
    }
    // Each of the two stays inside; one after the other they do not.
    let git = TestRepo::new().file("a/b/web.yaml", "x\n").link("a/b/up", "../..").commit("up");
    let git = git.file("out/web.yaml", "x\n").link("out/out", "../a/b/up/..").commit("out");
    let run = run_with(|_| ());
    let checkout = run.good(&git.url(), "main").await;
    assert_eq!(checkout.folder("out").unwrap_err().to_string(), "link `out/out` points outside the repository");
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
