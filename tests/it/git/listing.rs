//! `trueup repo list` and `repo check`: every repository that is known, what opens it, and whether it answers.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::{HttpServer, Manners};
use super::{BASIC, root_of, shop};
use crate::harness::{Answer, HttpServer as WebServer, TestApplication, TestRegistry, or_skip, trueup};

fn secret(name: &str, kind: &str, fields: &Value) -> String {
    let metadata = json!({ "name": name, "labels": { "argocd.argoproj.io/secret-type": kind } });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields });
    format!("---\n{secret}\n")
}

fn application(name: &str, project: &str, url: &str) -> TestApplication {
    let source = json!({ "repoURL": url, "path": ".", "targetRevision": "HEAD" });
    TestApplication::of_source(name, source).spec_field("project", json!(project))
}

/// Templates, a project's Secret, a Helm repository, a registry, one that is down and one that says nothing.
fn secrets(git: impl Fn(&str) -> String, charts: &str, oci: &str, silent: &str) -> String {
    let login = |url: &str, password: &str| json!({ "url": url, "username": "ci", "password": password });
    let mut of_till = login(&git("repo.git"), "s3cret-of-till");
    of_till["project"] = json!("till");
    [
        secret("all", "repo-creds", &login(&git(""), "s3cret-of-nobody")),
        secret("longer", "repo-creds", &login(&git("repo"), "s3cret")),
        secret("of-till", "repository", &of_till),
        secret("charts", "repository", &json!({ "url": charts, "type": "helm", "name": "ours" })),
        secret(
            "oci",
            "repository",
            &json!({
                "url": oci, "type": "helm", "enableOCI": "true", "username": "ci", "password": "s3cret",
            }),
        ),
        secret("down", "repository", &json!({ "url": "http://user:s3cret@127.0.0.1:1/repo" })),
        secret("silent", "repository", &json!({ "url": silent })),
    ]
    .concat()
}

fn rows_of(report: &Value) -> impl Iterator<Item = &Value> {
    report["repositories"].as_array().unwrap().iter()
}

/// What a repository is, and what opens it.
fn names_of(row: &Value) -> [String; 4] {
    ["type", "project", "secret", "template"].map(|key| row[key].as_str().unwrap_or_default().to_owned())
}

/// The longest template wins, a project's Secret counts for the project alone, and each is asked with what opens it.
#[test]
fn every_repository_is_listed_with_what_opens_it_and_asked() {
    let registry = or_skip!(TestRegistry::private());
    let git = shop();
    let http = HttpServer::start(&root_of(&git), Manners { authorization: Some(BASIC.into()), ..Manners::default() });
    let charts = WebServer::start(|request| match request.target.as_str() {
        "/index.yaml" => Answer { status: 200, body: b"apiVersion: v1\nentries: {}\n".to_vec(), ..Answer::default() },
        _ => Answer::status(404),
    });
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/repo", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.yaml");
    let oci = format!("{}/charts", registry.host());
    fs::write(&file, secrets(|path| http.url(path), &charts.url(), &oci, &silent)).unwrap();
    let applications =
        [application("shop", "default", &http.url("repo")), application("till", "till", &http.url("repo"))];
    let run = |arguments: &[&str]| {
        let run = trueup(["repo"]).arguments(arguments).arguments(applications.iter().map(TestApplication::manifest));
        run.argument("--repositories").argument(&file)
    };

    let listed = run(&["list", "-o", "json"]).exits(0);
    let report = listed.json();
    let rows: Vec<[String; 4]> = rows_of(&report).map(names_of).collect();
    let row = |cells: [&str; 4]| cells.map(str::to_owned);
    assert_eq!(
        rows,
        [
            row(["git", "till", "of-till", ""]),
            row(["helm", "", "", ""]),
            row(["oci", "", "oci", ""]),
            row(["git", "", "", ""]),
            row(["git", "", "", ""]),
            row(["git", "", "", "longer"]),
            row(["template", "", "all", ""]),
            row(["template", "", "longer", ""]),
        ]
    );
    let counts: Vec<u64> = rows_of(&report).map(|row| row["applications"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(http.requests().len(), 0, "a list asks nobody");

    let started = Instant::now();
    let checked = run(&["check", "-o", "json", "--timeout", "3s"]).exits(2);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let report = checked.json();
    let answers: Vec<Option<bool>> = rows_of(&report).map(|row| row["answers"].as_bool()).collect();
    assert_eq!(
        answers,
        [Some(false), Some(true), Some(true), Some(false), Some(false), Some(true), None, None],
        "{}",
        checked.transcript()
    );
    for outcome in [&listed, &checked, &run(&["check", "--timeout", "3s"]).exits(2)] {
        assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
    }
}

/// Without Secrets, the repositories are those of the applications.
#[test]
fn repositories_of_applications_are_checked_without_secrets() {
    let git = shop();
    let shop = git.application("shop");
    let outcome = trueup(["repo", "check"]).argument(shop.manifest()).exits(0);
    assert!(outcome.stdout.starts_with("URL "), "{}", outcome.transcript());
    let missing = application("gone", "default", "file:///nowhere/at/all");
    trueup(["repo", "check"]).argument(shop.manifest()).argument(missing.manifest()).exits(2);
}
