//! What commits do, alone and together with what people do to the cluster.

use serde_json::{Value, json};

use super::{SETTINGS, SHOP, Shop, field, told, values};
use crate::git::server::{HttpServer, Manners};
use crate::harness::{or_skip, trueup};

/// A release: git moved, and the report names the commits that did it.
#[test]
fn a_new_commit_is_told_with_its_author_and_subject() {
    let mut shop = or_skip!(Shop::synced());
    let since = shop.git.head();
    shop.git = shop
        .git
        .file("shop/web.yaml", SHOP.replace("1.0.0", "1.1.0"))
        .commit("web: 1.1.0")
        .file("README.md", "nothing of it is deployed")
        .commit("words");

    let report = shop.diff(1);

    assert_eq!(told(&report), ["Deployment /spec/template/spec/containers/0/image: git by trueup"]);
    let field = field(&report, "/spec/template/spec/containers/0/image");
    let commits = field["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 1, "only the commit that touched the file");
    assert_eq!(commits[0]["subject"], "web: 1.1.0");
    assert_eq!(commits[0]["hash"], shop.git.git(["rev-parse", "HEAD~1"]));
    assert_eq!(commits[0]["author"], shop.git.git(["log", "-1", "--format=%an", "HEAD~1"]));
    let [last, git, live] = values(field);
    assert_eq!(last, live);
    assert_ne!(git, live);
    assert_eq!(report["applications"][0]["lastSyncedRevision"], since);
    let text = trueup(["diff"]).of(&shop.application).exits(1).stdout;
    assert!(text.contains(" → registry.example.com/web:1.1.0  changed in git\n"), "{text}");
    assert!(text.contains("  web: 1.1.0, "), "{text}");
}

/// Somebody scales by hand, and a commit scales, too: all three values are there to judge by.
#[test]
fn a_commit_and_a_live_edit_of_one_field_are_told_with_three_values() {
    let mut shop = or_skip!(Shop::synced());
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    shop.git = shop.git.file("shop/web.yaml", SHOP.replace("replicas: 2", "replicas: 3")).commit("web: three");

    let report = shop.diff(1);

    assert_eq!(told(&report), ["Deployment /spec/replicas: both by kubectl scale"]);
    let field = field(&report, "/spec/replicas");
    assert_eq!(values(field), [&json!(2), &json!(3), &json!(5)]);
    assert_eq!(field["commits"][0]["subject"], "web: three");
    let text = trueup(["diff"]).of(&shop.application).exits(1).stdout;
    assert!(text.contains("spec.replicas  5 → 3  changed in git and in the cluster by kubectl scale"), "{text}");
    assert!(text.contains("last synced: 2\n"), "{text}");
}

#[test]
fn a_commit_that_removes_a_field_is_told() {
    let mut shop = or_skip!(Shop::synced());
    shop.git = shop.git.file("shop/settings.yaml", SETTINGS.replace(", size: large", "")).commit("no size");

    let report = shop.diff(1);

    assert_eq!(told(&report), ["ConfigMap /data/size: git by trueup"]);
    assert_eq!(values(field(&report, "/data/size")), [&json!("large"), &Value::Null, &json!("large")]);
}

#[test]
fn an_object_that_a_commit_adds_is_told() {
    let mut shop = or_skip!(Shop::synced());
    let more = SETTINGS.replace("name: settings", "name: more");
    shop.git = shop.git.file("shop/more.yaml", more).commit("more settings");
    assert_eq!(shop.moved(), ["ConfigMap missing: git"]);
}

/// The history of a repository on a server is not here: it is brought, as far as it takes.
#[test]
fn commits_of_a_remote_repository_are_told() {
    let mut shop = or_skip!(Shop::synced());
    for number in 1..=60 {
        shop.git = shop.git.file("README.md", number.to_string()).commit("words");
    }
    shop.git = shop.git.file("shop/web.yaml", SHOP.replace("1.0.0", "1.1.0")).commit("web: 1.1.0");
    let path = shop.git.path();
    let server = HttpServer::start(path.parent().expect("it lies in a folder"), Manners::default());
    let url = json!(server.url("repo"));
    let application = shop.git.application("shop").path("shop").source_field("repoURL", url).deployed_to(&shop.cluster);

    let report = trueup(["diff", "-o", "json"]).of(&application).exits(1).json();

    let field = field(&report, "/spec/template/spec/containers/0/image");
    assert_eq!(field["moved"], "git");
    assert_eq!(field["commits"].as_array().unwrap().len(), 1, "{report:#}");
    assert_eq!(field["commits"][0]["subject"], "web: 1.1.0");
}

/// A busy repository: twenty commits are told, and that there are more.
#[test]
fn more_commits_than_are_told_are_said_to_be_more() {
    let mut shop = or_skip!(Shop::synced());
    let commits = |shop: &Shop| {
        let report = shop.diff(1);
        let field = field(&report, "/spec/replicas").clone();
        (field["commits"].as_array().unwrap().len(), field["moreCommits"].clone())
    };
    for replicas in 3..=22 {
        let web = SHOP.replace("replicas: 2", &format!("replicas: {replicas}"));
        shop.git = shop.git.file("shop/web.yaml", web).commit("web: one more");
    }
    assert_eq!(commits(&shop), (20, Value::Null));
    shop.git = shop.git.file("shop/web.yaml", SHOP.replace("replicas: 2", "replicas: 23")).commit("web: one more");
    assert_eq!(commits(&shop), (20, json!(true)));

    let text = trueup(["diff"]).of(&shop.application).exits(1).stdout;
    assert!(text.contains("    … 15 more commits and others, -v shows 20\n"), "{text}");
    let text = trueup(["diff", "-v"]).of(&shop.application).exits(1).stdout;
    assert!(text.contains("    … and more\n"), "{text}");
}
