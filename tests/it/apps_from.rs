//! `--apps-from`: the Applications themselves are kept in git.

use serde_json::json;

use crate::harness::{TestRepo, config_map, folder_with, trueup};

/// A repository with an Application in `apps/prod`, whose source is the repository itself.
fn infra() -> TestRepo {
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": "../..", "path": "shop", "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
        },
    });
    TestRepo::new()
        .file("apps/prod/shop.yaml", application)
        .file("apps/prod/README.md", "not a manifest")
        .file("shop/settings.yaml", config_map("settings"))
        .commit("shop")
}

/// Whoever runs the pull loop: a new Application is a commit, and no ConfigMap beside the `CronJob`.
#[test]
fn applications_are_fetched_from_git() {
    let git = infra();
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    for place in [git.url(), format!("{}#apps", git.url()), format!("{}#apps/prod/shop.yaml@main", git.url())] {
        let outcome = trueup(["diff", "-q", "-o", "json", "--apps-from", &place]).live(live.path()).exits(0);
        assert_eq!(outcome.json()["applications"][0]["name"], "shop", "{place}\n{}", outcome.transcript());
    }
    // A name selects among them, and no other folder is read.
    let place = format!("{}#apps", git.url());
    trueup(["diff", "-q", "shop", "--apps-from", &place]).live(live.path()).exits(0);
    let outcome = trueup(["diff", "-q", "blog", "--apps-from", &place]).live(live.path()).exits(2);
    assert!(outcome.stderr.contains("`blog` is neither an Application nor a file"), "{}", outcome.transcript());
    // Every command that takes PATH takes it.
    trueup(["render", "-q", "--apps-from", &place]).exits(0);
    trueup(["health", "-q", "--apps-from", &place]).live(live.path()).exits(0);
    trueup(["history", "-q", "--apps-from", &place]).live(live.path()).exits(0);
    trueup(["plan", "-q", "--apps-from", &place]).live(live.path()).exits(0);
    trueup(["doctor", "-q", "--apps-from", &place]).live(live.path()).exits(0);
    trueup(["expand", "-q", "--apps-from", &place]).exits(0);
}

/// `--revision` is about the sources of applications: the manifests come from the branch that was named for them.
#[test]
fn the_revision_of_the_applications_is_their_own() {
    let git = infra().branch("next").file("shop/settings.yaml", config_map("other")).commit("other").branch("main");
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let place = format!("{}#apps@main", git.url());
    trueup(["diff", "-q", "--apps-from", &place]).live(live.path()).exits(0);
    let outcome = trueup(["diff", "-q", "--revision", "next", "--apps-from", &place]).live(live.path()).exits(1);
    assert!(outcome.stdout.contains("default/other"), "{}", outcome.transcript());
}

/// `--repo` uses a checkout for the manifests, too: whoever edits them sees what the loop would do.
#[test]
fn a_local_checkout_stands_in_for_the_repository_of_the_applications() {
    let git = infra();
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let checkout = format!("--repo=https://git.example.com/shop/infra={}", git.path().display());
    let place = "https://git.example.com/shop/infra#apps";
    trueup(["diff", "-q", &checkout, "--apps-from", place]).live(live.path()).exits(0);
}

/// Errors name the URL and the file in it, never a folder of the cache. A file of a folder that cannot be read is a warning.
#[test]
fn errors_name_the_url_and_the_file() {
    let git = infra()
        .file("apps/prod/broken.yaml", "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: [\n")
        .commit("b");
    let url = git.url();
    for (place, words) in [
        (format!("{url}#apps"), format!("{url}#apps/prod/broken.yaml")),
        (format!("{url}#aps"), format!("{url}#aps: ")),
        (format!("{url}#apps@no-such-branch"), format!("{url}#apps@no-such-branch: ")),
    ] {
        let outcome = trueup(["render", "-q", "--apps-from", &place]).env("COLUMNS", "200").outcome();
        assert_ne!(outcome.code == Some(0), place != format!("{url}#apps"), "{}", outcome.transcript());
        assert!(outcome.stderr.contains(&words), "{words}\n{}", outcome.transcript());
        assert!(!outcome.stderr.contains("/cache/"), "{}", outcome.transcript());
    }
}
